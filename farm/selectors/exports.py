"""Tables to take home: readings and alarms of a greenhouse, line by line and never all at once."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import islice

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from farm.csv_lines import Cell
from farm.explain import alarm_words
from farm.models import Alarm, Channel, Flag, Greenhouse, Reading, Rollup

# Excel takes 1,048,576 lines; a phone and a person take fewer.
MOST_LINES = 500_000
CHUNK = 2000


def exportable_channels(house: Greenhouse) -> QuerySet[Channel]:
    """Give the channels of a house, also those that are no longer in use."""
    return (
        Channel.objects.filter(node__greenhouse=house)
        .select_related("node", "zone")
        .order_by("zone_id", "quantity", "pk")
    )


def reading_lines(
    house: Greenhouse, channels: Iterable[Channel], *, since: datetime, until: datetime
) -> Iterator[list[Cell]]:
    """Give the readings as they came, sensor by sensor, oldest first. One query for each sensor."""
    yield [_("Time"), *_place_headings(), _("Value"), _("Unit"), _("Remark")]
    yield from bounded(
        [reading.t, *_place(house, channel), reading.v, channel.unit, _remark(reading.flags)]
        for channel in channels
        for reading in Reading.objects.filter(channel=channel, t__gte=since, t__lt=until)
        .order_by("t")
        .iterator(chunk_size=CHUNK)
    )


def rollup_lines(
    house: Greenhouse, channels: Iterable[Channel], level: int, *, since: datetime, until: datetime
) -> Iterator[list[Cell]]:
    """Give what the readings came to in each span of time. One query for each sensor."""
    yield [
        _("From"),
        *_place_headings(),
        _("Mean"),
        _("Lowest"),
        _("Highest"),
        _("Last"),
        _("Unit"),
        _("Number of readings"),
    ]
    yield from bounded(
        [
            row.bucket,
            *_place(house, channel),
            row.total / row.n,
            row.low,
            row.high,
            row.last,
            channel.unit,
            float(row.n),
        ]
        for channel in channels
        for row in Rollup.objects.filter(
            channel=channel, level=level, bucket__gte=since, bucket__lt=until
        )
        .order_by("bucket")
        .iterator(chunk_size=CHUNK)
    )


def alarm_lines(house: Greenhouse, *, since: datetime, until: datetime) -> Iterator[list[Cell]]:
    """Give the alarms that began in a span of time, oldest first. One query."""
    yield [
        _("Since"),
        _("Over at"),
        _("Greenhouse"),
        _("Zone"),
        _("Severity"),
        _("Alarm"),
        _("How many times"),
        _("Seen at"),
        _("Seen by"),
    ]
    alarms = (
        Alarm.objects.filter(greenhouse=house, opened_at__gte=since, opened_at__lt=until)
        .select_related("greenhouse", "zone", "node", "channel", "output", "acknowledged_by")
        .order_by("opened_at", "pk")
        .iterator(chunk_size=CHUNK)
    )
    yield from bounded(
        [
            alarm.opened_at,
            alarm.cleared_at,
            house.name,
            alarm.zone.name if alarm.zone else "",
            alarm.get_severity_display(),
            alarm_words(alarm),
            float(alarm.times),
            alarm.acknowledged_at,
            str(alarm.acknowledged_by or ""),
        ]
        for alarm in alarms
    )


def bounded(lines: Iterator[list[Cell]]) -> Iterator[list[Cell]]:
    """Cut what is too long, and say so: a table that ends without a word looks complete."""
    yield from islice(lines, MOST_LINES)
    if next(lines, None) is not None:
        yield [_("Cut here: choose fewer days or sensors.")]


def _place_headings() -> list[Cell]:
    return [_("Greenhouse"), _("Zone"), _("Sensor"), _("Code")]


def _place(house: Greenhouse, channel: Channel) -> list[Cell]:
    zone = channel.zone.name if channel.zone else ""
    return [house.name, zone, str(channel), f"{channel.node.name}/{channel.code}"]


def _remark(flags: int) -> str:
    return ", ".join(str(flag.label) for flag in Flag if flags & flag)
