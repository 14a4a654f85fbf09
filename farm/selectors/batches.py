"""Batches for pages and papers: their figures, their book, and how they compare."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

from django.db.models import Count, Max, Min, Q, QuerySet, Sum

from farm.batch_figures import Comparison, Figures, Measure, Soil, compare
from farm.models import Batch, CostEntry, CropStage, Harvest, LabourEntry, WaterUse
from farm.selectors.measured import Measured, judge_channels, shown_channels, vapour_deficit
from farm.selectors.targets import (
    Grown,
    StageSpan,
    concerns,
    sorted_stages,
    stage_on,
    stage_spans,
)

EARLIER_BATCHES = 10  # older ones were grown by people who have learned since
SOLD = (Harvest.Grade.FIRST, Harvest.Grade.SECOND)
COMPARED = (
    "air_temperature", "relative_humidity", "vpd", "ec", "ph", "water_temperature",
)  # fmt: skip
Entry = Harvest | CostEntry | LabourEntry


class BatchRow(NamedTuple):
    """One batch in a list, with its stage of the day."""

    batch: Batch
    stage: CropStage | None
    day_number: int
    figures: Figures


class BatchPage(NamedTuple):
    """All that the page and the report of a batch say."""

    batch: Batch
    figures: Figures
    comparisons: list[Comparison]
    stage: CropStage | None
    day_number: int
    spans: tuple[StageSpan, ...]


class BookLine(NamedTuple):
    """An entry of any kind, with the kind's name."""

    kind: str
    entry: Entry


class Traced(NamedTuple):
    """What the public may know of a batch: no names of people, no prices."""

    batch: Batch
    first_harvest: date | None
    last_harvest: date | None
    protection: tuple[tuple[date, str, int | None], ...]


def batches() -> QuerySet[Batch]:
    """Every batch with zone, house, crop and the crop's stages. Two queries."""
    return Batch.objects.select_related("zone__greenhouse__village", "profile").prefetch_related(
        "profile__stages"
    )


def growing_batches() -> QuerySet[Batch]:
    """Batches that are not over, the newest first."""
    return batches().filter(ended_date=None).order_by("-sown_date", "-pk")


def ended_batches() -> QuerySet[Batch]:
    """Batches that are over, the last ended first."""
    return batches().exclude(ended_date=None).order_by("-ended_date", "-pk")


def rows_of(found: Sequence[Batch], *, on: date) -> list[BatchRow]:
    """Give the rows of a list. Five queries however many batches there are."""
    figures = figures_of(found, on=on)
    return [
        BatchRow(
            batch,
            stage_on(batch, sorted_stages(batch), on),
            ((batch.ended_date or on) - batch.sown_date).days,
            figures[batch.pk],
        )
        for batch in found
    ]


def figures_of(found: Sequence[Batch], *, on: date) -> dict[int, Figures]:
    """Sum up each batch by its id. Five queries however many batches there are."""
    ids = [batch.pk for batch in found]
    harvests = _sums(
        Harvest,
        ids,
        sold_kg=Sum("kg", filter=Q(grade__in=SOLD)),
        waste_kg=Sum("kg", filter=Q(grade=Harvest.Grade.WASTE), default=0.0),
        priced_kg=Sum("kg", filter=Q(grade__in=SOLD, vnd__gt=0), default=0.0),
        revenue_vnd=Sum("vnd", filter=Q(vnd__gt=0)),
        first_harvest=Min("day", filter=Q(grade__in=SOLD)),
        last_harvest=Max("day", filter=Q(grade__in=SOLD)),
        entries=Count("pk"),
    )
    costs = _sums(CostEntry, ids, cost_vnd=Sum("vnd"))
    labour = _sums(LabourEntry, ids, hours=Sum("hours"))
    water = _water(found, on=on)
    return {
        batch.pk: Figures(
            area_m2=batch.area_m2,
            sown=batch.sown_date,
            ended=batch.ended_date,
            **_picked(batch, harvests.get(batch.pk, {})),
            **costs.get(batch.pk, {}),
            **labour.get(batch.pk, {}),
            **water.get(batch.pk, {}),
        )
        for batch in found
    }


def _sums(model: type[Entry], ids: list[int], **sums: Any) -> dict[int, dict[str, Any]]:
    """Sum up what stands, not what was struck out, by batch. One query."""
    rows: Any = (
        model._default_manager.filter(batch__in=ids, struck_at=None)
        .values("batch_id")
        .annotate(**sums)
        .order_by()
    )
    return {row["batch_id"]: {name: row[name] for name in sums} for row in rows}


def _picked(batch: Batch, sums: dict[str, Any]) -> dict[str, Any]:
    """Tell nothing noted from nothing picked: waste alone, or a lost batch, is 0 kg."""
    kg, is_noted = sums.pop("sold_kg", None), bool(sums.pop("entries", 0))
    if kg is None and (is_noted or batch.status == Batch.Status.LOST):
        kg = 0.0
    return sums | {"kg": kg}


def _stands(batch: Batch, *, on: date) -> tuple[date, date]:
    """From when to when a batch drinks the zone's water: from planting out, if that was noted."""
    return batch.transplanted_date or batch.sown_date, batch.ended_date or on


def _water(found: Sequence[Batch], *, on: date) -> dict[int, dict[str, Any]]:
    """Give each batch its zone's litres, shared by area on days with others. Two queries."""
    if not found:
        return {}
    zones = {batch.zone_id for batch in found}
    spans = [_stands(batch, on=on) for batch in found]
    first, last = min(span[0] for span in spans), max(span[1] for span in spans)
    by_zone: dict[int, list[WaterUse]] = defaultdict(list)
    for use in WaterUse.objects.filter(zone__in=zones, day__range=(first, last)):
        by_zone[use.zone_id].append(use)
    neighbours: dict[int, list[tuple[int, float, date, date]]] = defaultdict(list)
    others = Batch.objects.filter(zone__in=zones, sown_date__lte=last).exclude(ended_date__lt=first)
    for other in others:
        neighbours[other.zone_id].append((other.pk, other.area_m2, *_stands(other, on=on)))
    return {
        batch.pk: _share(batch, span, by_zone[batch.zone_id], neighbours[batch.zone_id])
        for batch, span in zip(found, spans, strict=True)
    }


def _share(
    batch: Batch,
    span: tuple[date, date],
    uses: Iterable[WaterUse],
    neighbours: Sequence[tuple[int, float, date, date]],
) -> dict[str, Any]:
    here = [use for use in uses if span[0] <= use.day <= span[1]]
    if not here:
        return {}
    litres, is_shared = 0.0, False
    unknown_runs = sum(use.unknown_runs for use in here)
    for use in here:
        area = sum(
            area
            for pk, area, first, last in neighbours
            if pk != batch.pk and first <= use.day <= last
        )
        is_shared = is_shared or area > 0
        litres += use.litres * batch.area_m2 / (batch.area_m2 + area)
    return {
        "litres": None if unknown_runs and not litres else litres,
        "unknown_runs": unknown_runs,
        "is_water_measured": all(use.is_measured for use in here),
        "is_water_shared": is_shared,
    }


def batch_page(batch: Batch, *, on: date) -> BatchPage:
    """Gather what the page says about a batch of `batches()`. Seven queries."""
    over = Batch.objects.filter(profile=batch.profile_id).exclude(ended_date=None)
    others = over.filter(sown_date__lt=batch.sown_date).order_by("-sown_date", "-pk")
    earlier = list(others.filter(method=batch.method)[:EARLIER_BATCHES])
    in_soil = list(others.filter(method=Batch.Method.SOIL)[:EARLIER_BATCHES])
    figures = figures_of(list({batch, *earlier, *in_soil}), on=on)
    own = figures[batch.pk]
    stages = sorted_stages(batch)
    return BatchPage(
        batch=batch,
        figures=own,
        comparisons=compare(
            own,
            earlier=[figures[one.pk] for one in earlier],
            soil=soil_of(batch, [figures[one.pk] for one in in_soil]),
        ),
        stage=stage_on(batch, stages, on),
        day_number=((batch.ended_date or on) - batch.sown_date).days,
        spans=stage_spans(batch, stages),
    )


def soil_of(batch: Batch, in_soil: Sequence[Figures]) -> Soil:
    """Give what a batch is held against for soil; one in soil itself has only its earlier ones."""
    if batch.method == Batch.Method.SOIL:
        return Soil({})
    profile = batch.profile
    told = {
        Measure.YIELD: profile.soil_kg_per_m2,
        Measure.FIRST_HARVEST: profile.soil_days,
        Measure.LABOUR: profile.soil_hours_per_m2,
        Measure.WATER: profile.soil_litres_per_kg,
    }
    return Soil(told, in_soil)


def values_for(batch: Batch, *, on: date, now: datetime) -> list[Measured]:
    """Give what is measured where the batch stands, held against its stage. Two queries."""
    grown = {
        batch.zone_id: Grown(batch, batch.profile.name, stage_on(batch, sorted_stages(batch), on))
    }
    here = [
        channel
        for channel in shown_channels([batch.zone.greenhouse_id])
        if channel.zone_id == batch.zone_id
        # A probe in the bed itself says something of it; the house's tank feeds no soil.
        or (channel.zone_id is None and concerns(batch, channel.quantity))
    ]
    judged = judge_channels(here, grown=grown, now=now)
    values = [one.shown for one in judged]
    values += [shown for _zone, shown in vapour_deficit(judged, grown=grown, now=now)]
    known = [value for value in values if value.quantity in COMPARED]
    return sorted(known, key=lambda value: COMPARED.index(value.quantity))


def book_of(batch: Batch) -> list[BookLine]:
    """Give all entries, struck ones too, the latest day first. Three queries."""
    lines = [
        *(BookLine("harvest", entry) for entry in batch.harvests.select_related("by")),
        *(BookLine("cost", entry) for entry in batch.costs.select_related("by")),
        *(BookLine("labour", entry) for entry in batch.labour.select_related("by")),
    ]
    return sorted(lines, key=lambda line: (line.entry.day, line.entry.written_at), reverse=True)


def traced(token: str) -> Traced | None:
    """Find the batch behind a code on a label. Three queries."""
    batch = (
        Batch.objects.filter(token=token)
        .select_related("zone__greenhouse__village", "profile")
        .first()
    )
    if batch is None:
        return None
    days = batch.harvests.filter(struck_at=None, grade__in=SOLD).aggregate(
        first=Min("day"), last=Max("day")
    )
    used = batch.costs.filter(struck_at=None, kind=CostEntry.Kind.PROTECTION).order_by("day", "pk")
    return Traced(
        batch,
        days["first"],
        days["last"],
        tuple(used.values_list("day", "note", "waiting_days")),
    )
