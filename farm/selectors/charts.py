"""A quantity over a day, a week or a season, with what the crop wanted and what ran meanwhile."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime, time, timedelta
from typing import NamedTuple

from django.db.models import Min, Q, QuerySet
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from farm import words
from farm.models import Batch, Channel, Command, Rollup
from farm.selectors.targets import (
    Band,
    band_of,
    common_band,
    concerns,
    grown_in,
    sorted_stages,
    stage_spans,
)
from farm.sparkline import HEIGHT, RUN_STRIP, WIDTH, Box, Scale, Spark, extent_path, line_path

Level = Rollup.Level
MOST_POINTS = 300
MOST_RUNS = 300
SEASON_DAYS = 120
# A season that has just begun still has something to look at.
LEAST_SEASON_DAYS = 7


class Span(NamedTuple):
    """A length of time that a chart may show, and the rollup that it is drawn of."""

    code: str
    label: str | Promise
    days: int
    level: int
    table_level: int


SPANS = {
    "ngay": Span("ngay", _("Day"), 1, Level.QUARTER, Level.HOUR),
    "tuan": Span("tuan", _("Week"), 7, Level.HOUR, Level.DAY),
    "mua": Span("mua", _("Season"), SEASON_DAYS, Level.DAY, Level.DAY),
}


class BandSpan(NamedTuple):
    """A target that held for some time; seconds since 1970."""

    begins: int
    ends: int
    low: float | None
    high: float | None


class Run(NamedTuple):
    """Something that ran; seconds since 1970."""

    begins: int
    ends: int
    name: str


class Bucket(NamedTuple):
    """What was measured within one bucket of time."""

    low: float
    mean: float
    high: float


class Curve(NamedTuple):
    """What a chart is of: a quantity at the place of a channel, and what it is called."""

    channel: Channel
    quantity: str
    label: str

    @property
    def unit(self) -> tuple[words.Words, int]:
        """The unit, and as many decimals as the quantity is good for."""
        return words.UNITS.get(self.quantity, (self.channel.unit, 2))


class Chart(NamedTuple):
    """At most 300 points: None where nothing was measured."""

    label: str
    unit: str
    decimals: int
    begins: int
    ends: int
    t: tuple[int, ...]
    mean: tuple[float | None, ...]
    low: tuple[float | None, ...]
    high: tuple[float | None, ...]
    bands: tuple[BandSpan, ...]
    runs: tuple[Run, ...]


class Row(NamedTuple):
    """One line of the table below a chart."""

    at: datetime
    low: str
    mean: str
    high: str


def chartable_channels() -> QuerySet[Channel]:
    """Give the channels of greenhouses in use, with zone and house."""
    return (
        Channel.objects.shown()
        .filter(node__greenhouse__is_active=True)
        .select_related("node__greenhouse", "zone")
    )


def chart_of(channel: Channel, span: Span, *, end: datetime) -> Chart:
    """Draw a channel's rollups up to a moment. Nine queries at most."""
    begin = begin_at(channel, span, end=end)
    buckets = _buckets(channel, span.level, begin, end)
    return draw(_curve(channel), span, buckets, begin=begin, end=end)


def table_of(channel: Channel, span: Span, *, end: datetime) -> list[Row]:
    """Give the same in figures: hours of a day, days of a week or season. Five queries at most."""
    begin = begin_at(channel, span, end=end)
    return write(_curve(channel), _buckets(channel, span.table_level, begin, end))


def draw(
    curve: Curve,
    span: Span,
    buckets: Mapping[datetime, Bucket],
    *,
    begin: datetime,
    end: datetime,
) -> Chart:
    """Lay buckets out over a span, with what was wanted and what ran. Four queries at most."""
    moments = _moments(span, begin, end)
    found = [buckets.get(moment) for moment in moments]
    unit, decimals = curve.unit
    return Chart(
        label=curve.label,
        unit=str(unit),
        decimals=decimals,
        begins=_seconds(begin),
        ends=_seconds(end),
        t=tuple(_seconds(moment) for moment in moments),
        mean=tuple(round(bucket.mean, 4) if bucket else None for bucket in found),
        low=tuple(bucket.low if bucket else None for bucket in found),
        high=tuple(bucket.high if bucket else None for bucket in found),
        bands=tuple(_bands(curve, begin, end)),
        runs=tuple(_runs(curve.channel, begin, end)),
    )


def write(curve: Curve, buckets: Mapping[datetime, Bucket]) -> list[Row]:
    """Write buckets as lines of a table, the newest first. No query."""
    _unit, decimals = curve.unit
    return [
        Row(at, *(words.number(value, decimals) for value in bucket))
        for at, bucket in sorted(buckets.items(), reverse=True)
    ]


def _curve(channel: Channel) -> Curve:
    return Curve(channel, channel.quantity, str(channel))


def _buckets(
    channel: Channel, level: int, begin: datetime, end: datetime
) -> dict[datetime, Bucket]:
    rollups = Rollup.objects.filter(channel=channel, level=level, bucket__gte=begin, bucket__lt=end)
    return {
        rollup.bucket: Bucket(rollup.low, rollup.total / rollup.n, rollup.high)
        for rollup in rollups
    }


def spark_of(chart: Chart) -> Spark | None:
    """Lay the chart out as an SVG picture; None when nothing was measured."""
    known = [value for series in (chart.low, chart.high) for value in series if value is not None]
    if not known:
        return None
    edges = [edge for band in chart.bands for edge in (band.low, band.high) if edge is not None]
    low, high = min(known + edges), max(known + edges)
    margin = (high - low) * 0.06 or 0.5
    scale = Scale(chart.begins, chart.ends, low - margin, high + margin)
    return Spark(
        line=line_path(scale, chart.t, chart.mean),
        extent=extent_path(scale, chart.t, chart.low, chart.high),
        bands=tuple(_band_box(scale, band) for band in chart.bands),
        runs=tuple(_run_box(scale, run) for run in chart.runs),
        low=scale.low,
        high=scale.high,
    )


def _band_box(scale: Scale, band: BandSpan) -> Box:
    x, until = scale.x(band.begins), scale.x(band.ends)
    top = 0.0 if band.high is None else scale.y(band.high)
    bottom = float(HEIGHT) if band.low is None else scale.y(band.low)
    return Box(x, top, round(until - x, 1), round(bottom - top, 1))


def _run_box(scale: Scale, run: Run) -> Box:
    x = scale.x(run.begins)
    return Box(x, HEIGHT + 2, max(round(scale.x(run.ends) - x, 1), WIDTH / 400), RUN_STRIP)


def begin_of(span: Span, end: datetime) -> datetime:
    """Tell where a span begins that ends at a moment: on the edge of a bucket."""
    if span.level == Level.DAY:
        first = timezone.localtime(end).date() - timedelta(days=span.days - 1)
        return timezone.make_aware(datetime.combine(first, time()))
    seconds = _seconds(end) - span.days * 86_400
    return datetime.fromtimestamp(seconds - seconds % span.level, tz=end.tzinfo)


def begin_at(channel: Channel, span: Span, *, end: datetime) -> datetime:
    """Tell where a channel's chart begins: a season with its crop, or with its first measurement.

    No query for a day or a week, four at most for a season.
    """
    begin = begin_of(span, end)
    if span.level != Level.DAY:
        return begin
    days = Rollup.objects.filter(
        channel=channel, level=Level.DAY, bucket__gte=begin, bucket__lt=end
    )
    measured_from: datetime | None = days.aggregate(first=Min("bucket"))["first"]
    zones = [channel.zone_id] if channel.zone_id else _zones_of_house(channel)
    grown = grown_in(zones, on=timezone.localtime(end).date())
    sown = [_midnight(each.batch.sown_date) for each in grown.values()]
    begin = max(begin, measured_from or begin, min(sown, default=begin))
    latest = begin_of(span._replace(days=LEAST_SEASON_DAYS), end)
    return min(latest, begin)


def _moments(span: Span, begin: datetime, end: datetime) -> list[datetime]:
    """List the buckets of a chart. Days begin at local midnight, and Vietnam keeps one clock."""
    count = int((end - begin).total_seconds() // span.level) + 1
    moments = [begin + timedelta(seconds=span.level * n) for n in range(count)]
    return [moment for moment in moments if moment < end][-MOST_POINTS:]


def _bands(curve: Curve, begin: datetime, end: datetime) -> Iterable[BandSpan]:
    channel = curve.channel
    if channel.zone_id is None:
        grown = grown_in(_zones_of_house(channel), on=timezone.localtime(end).date())
        band = common_band(each.band(curve.quantity) for each in grown.values())
        if band:
            yield BandSpan(_seconds(begin), _seconds(end), *band)
        return
    first, last = timezone.localtime(begin).date(), timezone.localtime(end).date()
    batches = (
        Batch.objects.filter(zone_id=channel.zone_id, sown_date__lte=last)
        .filter(Q(ended_date__isnull=True) | Q(ended_date__gte=first))
        .select_related("profile")
        .prefetch_related("profile__stages")
        .order_by("sown_date", "pk")
    )
    for batch in batches:
        spans = stage_spans(batch, sorted_stages(batch))
        for span in spans if concerns(batch, curve.quantity) else ():
            band = band_of(span.stage, curve.quantity)
            ends = _midnight(span.ends) if span.ends else end
            if band and ends > begin and _midnight(span.begins) < end:
                yield _clipped(band, max(_midnight(span.begins), begin), min(ends, end))


def _clipped(band: Band, begins: datetime, ends: datetime) -> BandSpan:
    return BandSpan(_seconds(begins), _seconds(ends), band.low, band.high)


def _zones_of_house(channel: Channel) -> list[int]:
    zones = channel.node.greenhouse.zones.filter(is_active=True)
    return list(zones.values_list("pk", flat=True))


def _runs(channel: Channel, begin: datetime, end: datetime) -> Iterable[Run]:
    commands = Command.objects.filter(
        op__in=(Command.Op.RUN, Command.Op.DOSE), started_at__gte=begin, started_at__lt=end
    )
    if channel.zone_id is None:
        commands = commands.filter(node__greenhouse_id=channel.node.greenhouse_id)
    else:
        commands = commands.filter(output__zone_id=channel.zone_id)
    for command in commands.select_related("output").order_by("-started_at")[:MOST_RUNS]:
        if command.started_at is None:
            continue
        begins = _seconds(command.started_at)
        ended = _seconds(command.ended_at) if command.ended_at else None
        ran = command.ran_seconds if command.ran_seconds is not None else command.seconds or 0
        yield Run(begins, ended or begins + int(ran), str(command.output))


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time()))


def _seconds(moment: datetime) -> int:
    return int(moment.timestamp())
