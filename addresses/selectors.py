"""Questions to the map: which commune is ours on a day, and which villages belong to it."""

from datetime import date

from django.conf import settings
from django.db.models import F, QuerySet
from django.utils.translation import gettext_lazy as _

from addresses.errors import NoCommuneError
from addresses.models import Commune, Village


def current_commune(*, on: date) -> Commune:
    """Find the commune that PORTAL_COMMUNE_CODE has become by this day.

    The first bearer of the code is followed through its successors, so a portal that was set up
    before a merger need not be set up again. Raises NoCommuneError when no bearer is known. One
    query, and one more for each successor on the way.
    """
    code = settings.PORTAL_COMMUNE_CODE
    commune = (
        Commune.objects.filter(code=code).order_by(F("valid_from").asc(nulls_first=True)).first()
    )
    if commune is None:
        raise NoCommuneError(
            _("No commune with the code %(code)s is known. Load the places first.") % {"code": code}
        )
    seen = {commune.pk}
    while commune.valid_to and commune.valid_to < on:
        successor = commune.successor
        if successor is None or successor.pk in seen:
            break
        commune = successor
        seen.add(commune.pk)
    return commune


def villages_of(commune: Commune, *, on: date) -> QuerySet[Village]:
    """Find the villages that on this day belong to this commune, or to one merged into it.

    In the order of their names; one query, and one for each round of mergers before.
    """
    communes = {commune.pk}
    newest = communes
    while newest:
        merged = Commune.objects.filter(successor__in=newest).values_list("pk", flat=True)
        newest = set(merged) - communes
        communes |= newest
    return Village.objects.filter(commune__in=communes).valid_on(on).order_by("name", "pk")
