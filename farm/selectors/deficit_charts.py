"""VPD over a day, a week or a season.

No sensor measures it: it is computed, bucket by bucket, of air temperature and humidity of one
place, and where one of the two is silent there is nothing.
"""

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta
from statistics import fmean
from typing import NamedTuple

from django.utils import timezone
from django.utils.translation import gettext as _

from farm.agronomy import vapour_pressure_deficit_kpa
from farm.models import Channel, Rollup
from farm.selectors.charts import Bucket, Chart, Curve, Row, Span, begin_at, draw, write
from farm.words import VPD, Quantity

Level = Rollup.Level
# VPD is no straight line: that of a day's mean air is not the mean of the day's VPD. So a bucket
# is computed of smaller ones, and its lowest and highest are theirs.
FINER: dict[int, int] = {
    Level.QUARTER: Level.MINUTE,
    Level.HOUR: Level.QUARTER,
    Level.DAY: Level.HOUR,
}


class Pair(NamedTuple):
    """Air temperature and humidity that are measured at one place."""

    air: Channel
    humidity: Channel


def pair_of(air: Channel) -> Pair | None:
    """Find the humidity that goes with an air temperature, as on the card. One query."""
    if air.quantity != Quantity.AIR_TEMPERATURE:
        return None
    humidity = (
        Channel.objects.shown()
        .filter(
            node__greenhouse=air.node.greenhouse_id,
            zone=air.zone_id,
            quantity=Quantity.RELATIVE_HUMIDITY,
        )
        .order_by("pk")
        .first()
    )
    return Pair(air, humidity) if humidity else None


def chart_of(pair: Pair, span: Span, *, end: datetime) -> Chart:
    """Draw the VPD up to a moment. Nine queries at most."""
    begin = begin_at(pair.air, span, end=end)
    buckets = _buckets(pair, span.level, begin, end)
    return draw(_curve(pair), span, buckets, begin=begin, end=end)


def table_of(pair: Pair, span: Span, *, end: datetime) -> list[Row]:
    """Give the same in figures: hours of a day, days of a week or season. Five queries at most."""
    begin = begin_at(pair.air, span, end=end)
    return write(_curve(pair), _buckets(pair, span.table_level, begin, end))


def _curve(pair: Pair) -> Curve:
    return Curve(pair.air, VPD, _("VPD"))


def _buckets(pair: Pair, level: int, begin: datetime, end: datetime) -> dict[datetime, Bucket]:
    """Compute of the smaller buckets; of those themselves where the smaller ones are gone."""
    smaller: dict[datetime, list[float]] = defaultdict(list)
    buckets = {}
    for at_level, bucket, kpa in _deficits(pair, level, begin, end):
        if at_level == level:
            buckets[bucket] = Bucket(kpa, kpa, kpa)
        else:
            smaller[_start_of(bucket, level)].append(kpa)
    for bucket, deficits in smaller.items():
        if bucket >= begin:
            buckets[bucket] = Bucket(min(deficits), fmean(deficits), max(deficits))
    return buckets


def _deficits(
    pair: Pair, level: int, begin: datetime, end: datetime
) -> Iterator[tuple[int, datetime, float]]:
    means: dict[tuple[int, datetime], dict[int, float]] = defaultdict(dict)
    rollups = Rollup.objects.filter(
        channel__in=pair, level__in=(level, FINER[level]), bucket__gte=begin, bucket__lt=end
    ).values_list("level", "bucket", "channel_id", "total", "n")
    # Thousands of rows: as plain tuples they take a fraction of the time.
    for at_level, bucket, channel_id, total, n in rollups:
        means[at_level, bucket][channel_id] = total / n
    for (at_level, bucket), mean in means.items():
        kpa = vapour_pressure_deficit_kpa(mean.get(pair.air.pk), mean.get(pair.humidity.pk))
        if kpa is not None:
            yield at_level, bucket, round(kpa, 4)


def _start_of(moment: datetime, level: int) -> datetime:
    """Name the bucket that a moment lies in; days begin at local midnight."""
    if level == Level.DAY:
        return timezone.localtime(moment).replace(hour=0, minute=0, second=0, microsecond=0)
    return moment - timedelta(seconds=moment.timestamp() % level)
