"""Questions to the population register."""

from residents.models import Household, Resident


def name_behind_phone(phone: str) -> str:
    """Whose number this is, "" when no household has given it. At most two queries."""
    household = Household.objects.filter(phone=phone, is_active=True).order_by("pk").first()
    if household is not None:
        return household.representative
    members = Resident.objects.living_here().filter(phone=phone, household__is_active=True)
    resident = members.order_by("pk").first()
    return resident.full_name if resident else ""


def phones_of(household: Household) -> set[str]:
    """Every number that speaks for this household. One query."""
    members = (
        Resident.objects.living_here()
        .filter(household=household)
        .exclude(phone="")
        .values_list("phone", flat=True)
    )
    return {household.phone, *members.values_list("phone", flat=True)} - {""}
