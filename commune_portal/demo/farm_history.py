"""Thirty days of the demo greenhouses: what their sensors would have shown, and its sums.

The house lives under its autopilot for a month within a second or two. Raw values are kept for the
last two days, sums of 15 minutes, hours and days for all of it, and each sum is of the samples.
"""

import random
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from farm.models import Rollup
from farm.simulator.autopilot import live_alone, local_midnight
from farm.simulator.climate import Sky
from farm.simulator.houses import House
from farm.simulator.physics import Greenhouse

DAYS: Final = 30
RAW_DAYS: Final = 2
STEP: Final = timedelta(minutes=2)
LONG_STEP: Final = timedelta(minutes=5)  # of the days that no raw values are kept of


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
    """What came of a month: readings and buckets by channel code, water by zone and day."""

    readings: list[tuple[str, datetime, float]] = field(default_factory=list)
    sums: dict[tuple[str, int, datetime], Sum] = field(default_factory=lambda: defaultdict(Sum))
    latest: dict[str, tuple[datetime, float]] = field(default_factory=dict)
    litres: dict[tuple[int, datetime], float] = field(default_factory=lambda: defaultdict(float))

    def rollups(self) -> Iterator[tuple[str, int, datetime, Sum]]:
        return ((code, level, bucket, one) for (code, level, bucket), one in self.sums.items())


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

    def look(at: datetime, on: Mapping[str, float]) -> None:
        truth = greenhouse.measured()
        minutes = (STEP if at > raw_from else LONG_STEP).total_seconds() / 60
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
        for number in range(1, house.zones + 1):
            litres = house.plan.valve_lpm * on.get(f"valve-{number}", 0.0) * minutes
            if litres:
                history.litres[number, local_midnight(at)] += litres

    live_alone(greenhouse, begins=begins, until=raw_from, step=LONG_STEP, look=look)
    live_alone(greenhouse, begins=raw_from, until=until, step=STEP, look=look)
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
