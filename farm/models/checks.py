"""What the database refuses, whoever writes to it; forms say it in words."""

from django.db.models import CheckConstraint, F, Q
from django.utils.translation import gettext_lazy as _


def in_order(low: str, high: str, *, name: str) -> CheckConstraint:
    """Refuse a lower end above its upper end; where one of them is empty, there is no band."""
    is_open = Q(**{f"{low}__isnull": True}) | Q(**{f"{high}__isnull": True})
    return CheckConstraint(
        condition=is_open | Q(**{f"{low}__lte": F(high)}),
        name=name,
        violation_error_message=_("The lower end lies above the upper end."),
    )


def not_negative(*fields: str, name: str) -> CheckConstraint:
    """Refuse what is less than nothing in any of the fields; empty is allowed."""
    condition = Q()
    for field in fields:
        condition &= Q(**{f"{field}__gte": 0}) | Q(**{f"{field}__isnull": True})
    return CheckConstraint(
        condition=condition, name=name, violation_error_message=_("This cannot be less than 0.")
    )


def within(field: str, low: float, high: float, *, name: str) -> CheckConstraint:
    """Refuse what lies outside; empty is allowed."""
    inside = Q(**{f"{field}__gte": low}) & Q(**{f"{field}__lte": high})
    return CheckConstraint(
        condition=inside | Q(**{f"{field}__isnull": True}),
        name=name,
        violation_error_message=_("There is no such place on Earth."),
    )
