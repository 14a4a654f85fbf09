"""What the crop of a zone wants now: the band of each quantity in its growth stage."""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import NamedTuple

from farm.models import Batch, CropStage
from farm.words import VPD, Quantity

GROWING = (Batch.Status.GROWING, Batch.Status.HARVESTING)

# Quantity to the stage's fields of its lowest and highest value; "" where a stage has none.
FIELDS: dict[str, tuple[str, str]] = {
    Quantity.AIR_TEMPERATURE: ("air_low", "air_high"),
    Quantity.RELATIVE_HUMIDITY: ("humidity_low", "humidity_high"),
    Quantity.EC: ("ec_low", "ec_high"),
    Quantity.PH: ("ph_low", "ph_high"),
    Quantity.WATER_TEMPERATURE: ("", "water_high"),
    VPD: ("vpd_low", "vpd_high"),
}
# Of the water that feeds a crop; what roots in soil find there is another matter.
OF_THE_SOLUTION = frozenset({Quantity.EC, Quantity.PH, Quantity.WATER_TEMPERATURE})


class Band(NamedTuple):
    """From where to where a value is as the crop wants it; None is open."""

    low: float | None
    high: float | None


class Grown(NamedTuple):
    """What grows in a zone: a batch, its crop's name and the stage of the day."""

    batch: Batch
    crop: str
    stage: CropStage | None

    def band(self, quantity: str) -> "Band | None":
        """Give what the crop wants now, where it grows as it does."""
        return band_of(self.stage, quantity) if concerns(self.batch, quantity) else None


class StageSpan(NamedTuple):
    """A stage of a batch with its first day and the day after its last."""

    stage: CropStage
    begins: date
    ends: date | None


def stage_spans(batch: Batch, stages: Sequence[CropStage]) -> tuple[StageSpan, ...]:
    """Lay the stages one after the other from the sowing; the last goes on until the end."""
    spans, begins = [], batch.sown_date
    for position, stage in enumerate(stages, start=1):
        ends = begins + timedelta(days=stage.days) if position < len(stages) else batch.ended_date
        spans.append(StageSpan(stage, begins, ends))
        begins = ends or begins
    return tuple(spans)


def stage_on(batch: Batch, stages: Sequence[CropStage], on: date) -> CropStage | None:
    """Tell in which stage a batch is on a day; None before the sowing or without stages."""
    for span in stage_spans(batch, stages):
        if span.begins <= on and (span.ends is None or on < span.ends):
            return span.stage
    return None


def grown_in(zone_ids: Iterable[int], *, on: date) -> dict[int, Grown]:
    """Tell what grows in each zone, the newest batch where there are two. Two queries."""
    batches = (
        Batch.objects.filter(zone_id__in=list(zone_ids), status__in=GROWING, sown_date__lte=on)
        .select_related("profile", "zone")
        .prefetch_related("profile__stages")
        .order_by("sown_date", "pk")
    )
    return {
        batch.zone_id: Grown(
            batch,
            batch.profile.name,
            stage_on(batch, sorted_stages(batch), on),
        )
        for batch in batches
    }


def sorted_stages(batch: Batch) -> list[CropStage]:
    """Order the stages that are loaded already."""
    return sorted(batch.profile.stages.all(), key=lambda stage: stage.position)


def concerns(batch: Batch, quantity: str) -> bool:
    """Whether a quantity says something of how a batch lives: a tank's EC says nothing of soil."""
    return batch.method != Batch.Method.SOIL or quantity not in OF_THE_SOLUTION


def band_of(stage: CropStage | None, quantity: str) -> Band | None:
    """Read a quantity's band from a stage; None where the stage says nothing."""
    if stage is None or quantity not in FIELDS:
        return None
    low_field, high_field = FIELDS[quantity]
    low = getattr(stage, low_field) if low_field else None
    high = getattr(stage, high_field) if high_field else None
    return None if low is None and high is None else Band(low, high)


def common_band(bands: Iterable[Band | None]) -> Band | None:
    """Find the band that suits all zones under one roof; None where they contradict each other."""
    given = [band for band in bands if band]
    lows = [band.low for band in given if band.low is not None]
    highs = [band.high for band in given if band.high is not None]
    low, high = max(lows, default=None), min(highs, default=None)
    if low is None and high is None:
        return None
    if low is not None and high is not None and low > high:
        return None
    return Band(low, high)
