"""Thirty days of the demo greenhouses: what their sensors would have shown, and its sums.

The house lives under its autopilot for a month within a second or two. Raw values are kept for the
last two days, sums of 15 minutes, hours and days for all of it, and each sum is of the samples.
"""

import random
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from typing import Any, Final, NamedTuple

from django.utils import timezone

from farm.models import Rollup
from farm.simulator.autopilot import Autopilot, local_midnight
from farm.simulator.climate import Sky
from farm.simulator.houses import House
from farm.simulator.physics import Greenhouse

DAYS: Final = 30
RAW_DAYS: Final = 2
STEP: Final = timedelta(minutes=2)
LONG_STEP: Final = timedelta(minutes=5)  # of the days that no raw values are kept of
# As the demo's own programmes water.
BY_CLOCK: Final[dict[str, Any]] = {
    "times": ["06:30", "09:30", "11:20", "13:30", "16:00"],
    "seconds": 480,
}
BY_SUN: Final[dict[str, Any]] = {"j_per_cm2": 150, "seconds": 360, "drain_percent": 20}
BY_SUN_BETWEEN: Final = (time(6), time(17))


class Watering(NamedTuple):
    """One run of one zone's valve, and the numbers that its programme went by."""

    number: int
    at: datetime
    seconds: int
    litres: float
    facts: dict[str, Any]


@dataclass(slots=True)
class Sum:
    """One bucket in the making."""

    n: int = 0
    total: float = 0.0
    low: float = float("inf")
    high: float = float("-inf")
    last: float = 0.0

    def add(self, value: float) -> None:
        self.n += 1
        self.total += value
        self.low = min(self.low, value)
        self.high = max(self.high, value)
        self.last = value

    def take(self, later: "Sum") -> None:
        """Add a bucket of a lower level that comes after those taken before."""
        self.n += later.n
        self.total += later.total
        self.low = min(self.low, later.low)
        self.high = max(self.high, later.high)
        self.last = later.last


@dataclass(slots=True)
class History:
    """What came of a month: readings and buckets by channel code, and every watering."""

    readings: list[tuple[str, datetime, float]] = field(default_factory=list)
    sums: dict[tuple[str, int, datetime], Sum] = field(default_factory=lambda: defaultdict(Sum))
    latest: dict[str, tuple[datetime, float]] = field(default_factory=dict)
    waterings: list[Watering] = field(default_factory=list)

    def rollups(self) -> Iterator[tuple[str, int, datetime, Sum]]:
        return ((code, level, bucket, one) for (code, level, bucket), one in self.sums.items())


class Grower(Autopilot):
    """An autopilot that waters when the demo's programmes would, and writes that down."""

    def __init__(self, house: House, greenhouse: Greenhouse) -> None:
        super().__init__(greenhouse)
        self.plan, self.zones = house.plan, house.zones
        self.goes_by_sun = house.code == "nm2"
        self.waterings: list[Watering] = []
        self._at: datetime | None = None

    def outputs(self, at: datetime, seconds: float) -> Mapping[str, float]:
        """Give the share of the step that ends now in which each output is on."""
        self._at = at
        return super().outputs(at, seconds)

    def _water(self, seconds: float) -> None:
        assert self._at is not None  # noqa: S101  # outputs() has set it
        now = timezone.localtime(self._at)
        if self.goes_by_sun:
            self._water_by_sun(now, seconds)
        else:
            self._water_by_clock(now, seconds)

    def _water_by_sun(self, now: datetime, seconds: float) -> None:
        self._joules += self._house.weather.radiation_w_m2 * seconds / 10_000
        begins, ends = BY_SUN_BETWEEN
        threshold = float(BY_SUN["j_per_cm2"])
        if self._joules < threshold or not begins <= now.time() < ends:
            return
        facts = {"light": round(self._joules, 1), "threshold": threshold}
        self._joules -= threshold
        self._open(now - timedelta(seconds=seconds), BY_SUN["seconds"], facts)

    def _water_by_clock(self, now: datetime, seconds: float) -> None:
        for text in BY_CLOCK["times"]:
            due = datetime.combine(now.date(), time.fromisoformat(text), now.tzinfo)
            if now - timedelta(seconds=seconds) < due <= now:
                self._open(due, BY_CLOCK["seconds"], {"start": due.isoformat()})

    def _open(self, at: datetime, seconds: int, facts: dict[str, Any]) -> None:
        for number in range(1, self.zones + 1):
            self._left[f"valve-{number}"] += seconds
            litres = round(self.plan.valve_lpm * seconds / 60, 1)
            self.waterings.append(Watering(number, at, seconds, litres, facts))


def live_through(house: House, *, seed: int, until: datetime, days: int) -> History:
    """Let a house live through the days that end now."""
    history = History()
    until = until.replace(second=0, microsecond=0)
    begins = until - timedelta(days=days)
    raw_from = until - timedelta(days=RAW_DAYS)
    greenhouse = Greenhouse(house.plan, Sky(seed), zones=house.zones)
    greenhouse.celsius = greenhouse.sky.at(begins).celsius
    dice = random.Random(f"history {house.code} {seed}")  # noqa: S311  # sensor noise, no secret
    channels = [channel for node in house.nodes for channel in node.channels]

    def look(at: datetime) -> None:
        truth = greenhouse.measured()
        buckets = [(Rollup.Level.QUARTER.value, at.replace(minute=at.minute // 15 * 15))]
        if at > raw_from:
            buckets.append((Rollup.Level.MINUTE.value, at))
        for channel in channels:
            value = truth[channel.code] + dice.gauss(0.0, channel.noise)
            value = round(max(0.0, value), channel.decimals)
            for level, bucket in buckets:
                history.sums[channel.code, level, bucket].add(value)
            if at > raw_from:
                history.readings.append((channel.code, at, value))
            history.latest[channel.code] = (at, value)

    grower, at = Grower(house, greenhouse), begins
    while at < until:
        step = LONG_STEP if at < raw_from else STEP
        at += step
        on = grower.outputs(at, step.total_seconds())
        greenhouse.step(step.total_seconds(), at, on)
        look(at)
    # What has not ended by now never came to be: the live programmes go on from here.
    history.waterings = [
        one for one in grower.waterings if one.at + timedelta(seconds=one.seconds) <= until
    ]
    _sum_up(history)
    return history


def _sum_up(history: History) -> None:
    """Make the hours of the quarters and the days of the hours, in the order of time."""
    steps = (
        (Rollup.Level.QUARTER, Rollup.Level.HOUR, lambda bucket: bucket.replace(minute=0)),
        (Rollup.Level.HOUR, Rollup.Level.DAY, local_midnight),
    )
    for below, above, bucket_of in steps:
        for (code, level, bucket), one in list(history.sums.items()):
            if level == below.value:
                history.sums[code, above.value, bucket_of(bucket)].take(one)
