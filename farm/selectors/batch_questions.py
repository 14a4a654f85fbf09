"""What is asked before something odd is written into a batch's book: it can be, but seldom is.

Each question is a fact in words. Its code names the same fact with its figures, so that what was
confirmed of one figure confirms nothing of another.
"""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import Final, NamedTuple
from uuid import UUID

from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from farm.models import Batch, CostEntry, Harvest, Zone
from farm.selectors.batches import SOLD
from farm.words import short_number

# A round figure far above what racks and beds bear (leafy greens stand at some 30 to 60);
# seedlings of a nursery stand as close as they like.
MOST_PLANTS_PER_M2: Final = 150
# Areas are kept as floats: 79.3 less 39.7 is not quite 39.6, and nobody measures closer than this.
AREA_TOLERANCE_M2: Final = 0.01
# Labels for vegetables name days to a few weeks; after three months no product of which nobody
# noted the days can still be waited for, and a question that always comes is read by nobody.
ASKED_FOR_DAYS: Final = 90


class Question(NamedTuple):
    """Something that a person has to confirm."""

    code: str
    words: str


def of_sowing(
    *, zone: Zone, area_m2: float, plants: int | None, method: str, key: UUID
) -> Iterator[Question]:
    """Ask where the place is taken, too many plants are named, or soil is to be on a rack."""
    # The same sowing sent twice does not take the place from itself.
    others = list(
        Batch.objects.filter(zone=zone, ended_date=None).exclude(token=key.hex).order_by("pk")
    )
    taken = sum(batch.area_m2 for batch in others)
    room = zone.area_m2 + AREA_TOLERANCE_M2 if zone.area_m2 else None
    if taken and room and taken + area_m2 > room:
        yield Question(
            _code("taken", zone.pk, area_m2, *(batch.pk for batch in others)),
            _("%(batches)s still grows on %(taken)s of the %(area)s m² of %(zone)s.")
            % {
                "batches": ", ".join(batch.code for batch in others),
                "taken": short_number(taken),
                "area": short_number(zone.area_m2),
                "zone": zone.name,
            },
        )
    yield from of_plants(zone=zone, area_m2=area_m2, plants=plants)
    if method == Batch.Method.SOIL and zone.kind == Zone.Kind.RACK:
        yield Question(
            _code("method", zone.pk),
            _("%(zone)s is a rack, and this is to grow in soil.") % {"zone": zone.name},
        )


def of_plants(*, zone: Zone, area_m2: float, plants: int | None) -> Iterator[Question]:
    """Ask where more plants are named than can stand there."""
    density = (plants or 0) / area_m2
    if zone.kind != Zone.Kind.NURSERY and density > MOST_PLANTS_PER_M2:
        yield Question(
            _code("dense", zone.pk, plants, area_m2),
            _("%(plants)s plants on %(area)s m² are %(density)s on each m².")
            % {
                "plants": short_number(plants or 0),
                "area": short_number(area_m2),
                "density": short_number(round(density)),
            },
        )


def of_harvest(*, batch: Batch, day: date, grade: str) -> Iterator[Question]:
    """Ask where produce for sale is picked before a product's waiting days are over. One query."""
    if grade not in SOLD:
        return
    used = batch.costs.filter(
        kind=CostEntry.Kind.PROTECTION, struck_at=None, day__lte=day
    ).order_by("day", "pk")
    unknown = []
    for entry in used:
        if entry.waiting_days is None:
            unknown.append(entry)
            continue
        until = entry.day + timedelta(days=entry.waiting_days)
        if day < until:
            said = _("%(product)s was used on %(day)s; by its label picking waits until %(until)s.")
            words = {"product": entry.note, "day": _short(entry.day), "until": _short(until)}
            yield Question(_code("wait", entry.pk, day), said % words)
    since = day - timedelta(days=ASKED_FOR_DAYS)
    yield from _of_unknown_days([entry for entry in unknown if entry.day >= since], day)


def _of_unknown_days(used: Sequence[CostEntry], day: date) -> Iterator[Question]:
    """Ask once for all products of which the book has no waiting days."""
    if not used:
        return
    said = ngettext(
        "%(products)s was used, and no waiting days of it are noted.",
        "%(products)s were used, and no waiting days of them are noted.",
        len(used),
    )
    products = ", ".join(f"{entry.note} ({_short(entry.day)})" for entry in used)
    code = _code("wait_unknown", day, *(entry.pk for entry in used))
    yield Question(code, said % {"products": products})


def of_cost(*, batch: Batch, day: date, kind: str, waiting_days: int | None) -> Iterator[Question]:
    """Ask where a harvest already stands within the waiting days. One query."""
    if kind != CostEntry.Kind.PROTECTION or not waiting_days:
        return
    until = day + timedelta(days=waiting_days)
    picked = batch.harvests.filter(
        struck_at=None, grade__in=SOLD, day__gte=day, day__lt=until
    ).order_by("day")
    first = picked.first()
    if first is not None:
        yield Question(
            _code("picked", first.pk, until),
            _("On %(day)s something was picked already, within these waiting days.")
            % {"day": _short(first.day)},
        )


def of_end(*, batch: Batch, is_lost: bool) -> Iterator[Question]:
    """Ask where all is said to be picked and the book has no harvest. One query."""
    picked = Harvest.objects.filter(batch=batch, struck_at=None, grade__in=SOLD)
    if not is_lost and not picked.exists():
        yield Question("nothing_picked", _("The book has no harvest for sale of this batch."))


def _code(name: str, *facts: object) -> str:
    return "-".join([name, *map(str, facts)])


def _short(day: date) -> str:
    return date_format(day, "SHORT_DATE_FORMAT")
