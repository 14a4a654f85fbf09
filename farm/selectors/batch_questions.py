"""What is asked before something odd is written into a batch's book: it can be, but seldom is.

Each question is a fact in words, with a code by which the answer is known again.
"""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Final, NamedTuple
from uuid import UUID

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from farm.models import Batch, CostEntry, Harvest, Zone
from farm.selectors.batches import SOLD
from farm.words import short_number

# A round figure far above what racks and beds bear (leafy greens stand at some 30 to 60);
# seedlings of a nursery stand as close as they like.
MOST_PLANTS_PER_M2: Final = 150


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
    if taken and zone.area_m2 and taken + area_m2 > zone.area_m2:
        yield Question(
            "taken",
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
            "method", _("%(zone)s is a rack, and this is to grow in soil.") % {"zone": zone.name}
        )


def of_plants(*, zone: Zone, area_m2: float, plants: int | None) -> Iterator[Question]:
    """Ask where more plants are named than can stand there."""
    density = (plants or 0) / area_m2
    if zone.kind != Zone.Kind.NURSERY and density > MOST_PLANTS_PER_M2:
        yield Question(
            "dense",
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
    for entry in used:
        words = {"product": entry.note, "day": date_format(entry.day, "SHORT_DATE_FORMAT")}
        if entry.waiting_days is None:
            said = _("%(product)s was used on %(day)s, and nobody noted its waiting days.")
            yield Question(f"wait-{entry.pk}", said % words)
            continue
        until = entry.day + timedelta(days=entry.waiting_days)
        if day < until:
            words["until"] = date_format(until, "SHORT_DATE_FORMAT")
            said = _("%(product)s was used on %(day)s; by its label picking waits until %(until)s.")
            yield Question(f"wait-{entry.pk}", said % words)


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
            "picked",
            _("On %(day)s something was picked already, within these waiting days.")
            % {"day": date_format(first.day, "SHORT_DATE_FORMAT")},
        )


def of_end(*, batch: Batch, is_lost: bool) -> Iterator[Question]:
    """Ask where all is said to be picked and the book has no harvest. One query."""
    picked = Harvest.objects.filter(batch=batch, struck_at=None, grade__in=SOLD)
    if not is_lost and not picked.exists():
        yield Question("nothing_picked", _("The book has no harvest for sale of this batch."))
