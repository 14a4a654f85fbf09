"""What a batch came to, and whether that is better than before and than in soil. No Django.

The cooperative says: less labour, shorter growth, better yield. Each is answered from what stands
in the book; what nobody noted is None, never 0, and a batch that still grows gets no verdict yet.
Neither does the labour of a batch that gave nothing: not to have worked is no saving.
"""

from collections.abc import Sequence
from datetime import date
from enum import StrEnum
from statistics import median
from typing import Final, NamedTuple

# Closer than this many percent two figures are called the same: scales and notes are no finer.
LEVEL_WITHIN_PERCENT: Final = 2.0


class Measure(StrEnum):
    """What batches are compared by."""

    YIELD = "yield"
    FIRST_HARVEST = "first_harvest"
    LABOUR = "labour"
    WATER = "water"


class Verdict(StrEnum):
    """How a figure stands to another; UNKNOWN while one of them is missing or not final."""

    BETTER = "better"
    LEVEL = "level"
    WORSE = "worse"
    UNKNOWN = "unknown"


_DECIMALS: Final = {
    Measure.YIELD: 2,
    Measure.FIRST_HARVEST: 1,
    Measure.LABOUR: 2,
    Measure.WATER: 1,
}
MORE_IS_BETTER: Final = frozenset({Measure.YIELD})


def decimals_of(measure: Measure, value: float) -> int:
    """Tell with how many decimals a figure is shown."""
    is_round = measure == Measure.WATER and round(value, 1) >= 10
    return 0 if is_round else _DECIMALS[measure]


class Figures(NamedTuple):
    """One batch in figures; None where the book says nothing.

    `kg` is what can be sold (grades 1 and 2); `litres` is the zone's water while the batch stood
    there, shared by area with other batches of the zone. It leaves out `unknown_runs`, of which
    nobody can tell what they gave: then a figure for each kg would only flatter.
    """

    area_m2: float
    sown: date
    ended: date | None = None
    first_harvest: date | None = None
    last_harvest: date | None = None
    kg: float | None = None
    waste_kg: float = 0.0
    priced_kg: float = 0.0
    revenue_vnd: int | None = None
    cost_vnd: int | None = None
    hours: float | None = None
    litres: float | None = None
    is_water_measured: bool = False
    is_water_shared: bool = False
    unknown_runs: int = 0

    @property
    def is_final(self) -> bool:
        return self.ended is not None

    @property
    def kg_per_m2(self) -> float | None:
        return None if self.kg is None else self.kg / self.area_m2

    @property
    def litres_per_kg(self) -> float | None:
        return None if self.unknown_runs else _ratio(self.litres, self.kg)

    @property
    def cost_vnd_per_kg(self) -> float | None:
        return _ratio(self.cost_vnd, self.kg)

    @property
    def revenue_vnd_per_kg(self) -> float | None:
        """What a sold kilogram brought: what was picked without a price does not count."""
        return _ratio(self.revenue_vnd, self.priced_kg)

    @property
    def hours_per_m2(self) -> float | None:
        return None if self.hours is None else self.hours / self.area_m2

    @property
    def left_vnd(self) -> int | None:
        """What the noted sales leave after the noted costs."""
        if self.revenue_vnd is None or self.cost_vnd is None:
            return None
        return self.revenue_vnd - self.cost_vnd

    @property
    def days_to_first_harvest(self) -> int | None:
        return _days(self.sown, self.first_harvest)

    @property
    def days_to_end(self) -> int | None:
        return _days(self.sown, self.ended)

    def of(self, measure: Measure) -> float | None:
        """Give the figure that a measure is about."""
        return {
            Measure.YIELD: self.kg_per_m2,
            Measure.FIRST_HARVEST: self.days_to_first_harvest,
            Measure.LABOUR: self.hours_per_m2,
            Measure.WATER: self.litres_per_kg,
        }[measure]

    def comparable(self, measure: Measure) -> float | None:
        """Give a figure that says something beside another batch's."""
        return None if self.lacks_harvest(measure) else self.of(measure)

    def lacks_harvest(self, measure: Measure) -> bool:
        """Whether a figure is of a batch that gave nothing, and so is of no worth."""
        return measure == Measure.LABOUR and not self.kg

    def is_settled(self, measure: Measure) -> bool:
        """Whether a measure can no longer change: the first harvest only comes once."""
        return self.is_final or (
            measure == Measure.FIRST_HARVEST and self.first_harvest is not None
        )


class Against(NamedTuple):
    """A figure to compare with, and how the batch stands to it.

    Nothing can be a percentage of 0: then only the verdict is known.
    """

    value: float | None
    verdict: Verdict
    change_percent: float | None


class Comparison(NamedTuple):
    """One measure of a batch beside earlier batches of the crop and beside soil."""

    measure: Measure
    own: float | None
    is_settled: bool
    earlier: Against
    earlier_count: int
    soil: Against
    # Of so many soil batches of our own; 0 where the crop's profile gives the figure.
    soil_count: int = 0
    lacks_harvest: bool = False


class Soil(NamedTuple):
    """What the crop does in soil: the profile's figures, and our own batches where it has none."""

    profile: dict[Measure, float | None]
    batches: Sequence[Figures] = ()

    def of(self, measure: Measure) -> tuple[float | None, int]:
        """Give the figure, and of how many batches of our own it is."""
        told = self.profile.get(measure)
        if told is not None:
            return told, 0
        return _median(self.batches, measure)


def compare(figures: Figures, *, earlier: Sequence[Figures], soil: Soil) -> list[Comparison]:
    """Compare a batch with the median of earlier ones and with the crop in soil.

    >>> own = Figures(area_m2=8, sown=date(2026, 9, 1), ended=date(2026, 10, 6), kg=20)
    >>> before = Figures(area_m2=8, sown=date(2026, 7, 1), ended=date(2026, 8, 9), kg=16)
    >>> compare(own, earlier=[before], soil=Soil({Measure.YIELD: 1.8}))[0].earlier
    Against(value=2.0, verdict=<Verdict.BETTER: 'better'>, change_percent=25.0)
    """
    rows = []
    for measure in Measure:
        own, is_settled = figures.of(measure), figures.is_settled(measure)
        before, count = _median(earlier, measure)
        in_soil, soil_count = soil.of(measure)
        settled = figures.comparable(measure) if is_settled else None
        rows.append(
            Comparison(
                measure=measure,
                own=own,
                is_settled=is_settled,
                earlier=_against(measure, settled, before),
                earlier_count=count,
                soil=_against(measure, settled, in_soil),
                soil_count=soil_count,
                lacks_harvest=figures.lacks_harvest(measure),
            )
        )
    return rows


def _median(batches: Sequence[Figures], measure: Measure) -> tuple[float | None, int]:
    known = [value for one in batches if (value := one.comparable(measure)) is not None]
    return (median(known) if known else None), len(known)


def _against(measure: Measure, own: float | None, other: float | None) -> Against:
    if own is None or other is None:
        return Against(other, Verdict.UNKNOWN, None)
    change = (own - other) / other * 100 if other else None
    if _looks_alike(measure, own, other) or (
        change is not None and abs(change) < LEVEL_WITHIN_PERCENT
    ):
        return Against(other, Verdict.LEVEL, change)
    is_better = (own > other) == (measure in MORE_IS_BETTER)
    return Against(other, Verdict.BETTER if is_better else Verdict.WORSE, change)


def _looks_alike(measure: Measure, own: float, other: float) -> bool:
    """Whether two figures read the same: then nobody would believe that one is better."""
    shown = [round(value, decimals_of(measure, value)) for value in (own, other)]
    return shown[0] == shown[1]


def _ratio(amount: float | None, per: float | None) -> float | None:
    return amount / per if amount is not None and per else None


def _days(first: date, last: date | None) -> int | None:
    return None if last is None else (last - first).days
