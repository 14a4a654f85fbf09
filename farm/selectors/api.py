"""What the API answers with: rows, ages and states as plain values, each query count stated."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.db.models import QuerySet

from farm.models import (
    Alarm,
    Channel,
    Command,
    CommandEvent,
    Greenhouse,
    LatestReading,
    Output,
    Reading,
    Rollup,
)
from farm.selectors.measured import shown_channels

MOST_POINTS = 5000
RAW = "raw"
LEVELS = {
    RAW: None,
    "1min": Rollup.Level.MINUTE,
    "15min": Rollup.Level.QUARTER,
    "1h": Rollup.Level.HOUR,
    "1d": Rollup.Level.DAY,
}


class LatestValue(NamedTuple):
    """A channel with its newest value; a stale one says so."""

    id: int
    code: str
    node: str
    zone: str | None
    quantity: str
    label: str
    unit: str
    value: float | None
    measured_at: datetime | None
    age_seconds: int | None
    is_stale: bool
    flags: int


class HouseNow(NamedTuple):
    """A greenhouse with its newest values."""

    code: str
    name: str
    is_stopped: bool
    zones: tuple[dict[str, Any], ...]
    nodes: tuple[dict[str, Any], ...]
    channels: tuple[LatestValue, ...]


class Point(NamedTuple):
    """A reading, or a bucket of them: then `t` is its beginning and `value` the mean."""

    t: datetime
    value: float
    n: int
    low: float
    high: float
    last: float
    flags: int


class Points(NamedTuple):
    """At most MOST_POINTS points; `next_from` is where the next call goes on."""

    channel: Channel
    level: str
    points: tuple[Point, ...]
    next_from: datetime | None


class CommandNow(NamedTuple):
    """A command with its steps so far."""

    command: Command
    steps: tuple[CommandEvent, ...]


def houses_now(houses: QuerySet[Greenhouse], *, at: datetime) -> list[HouseNow]:
    """Give greenhouses with their newest values. Five queries, however many there are."""
    found = list(houses.prefetch_related("zones", "nodes"))
    channels = shown_channels([house.pk for house in found])
    return [
        HouseNow(
            code=house.code,
            name=house.name,
            is_stopped=house.is_stopped,
            zones=tuple(
                {"code": zone.code, "name": zone.name, "kind": zone.kind}
                for zone in sorted(house.zones.all(), key=lambda one: one.pk)
                if zone.is_active
            ),
            nodes=tuple(
                {
                    "name": node.name,
                    "label": node.label,
                    "protocol": node.protocol,
                    "is_online": node.is_online,
                    "heard_at": node.heard_at,
                }
                for node in sorted(house.nodes.all(), key=lambda one: one.pk)
            ),
            channels=tuple(
                _latest(channel, at)
                for channel in sorted(channels, key=lambda one: one.pk)
                if channel.node.greenhouse_id == house.pk
            ),
        )
        for house in found
    ]


def _latest(channel: Channel, at: datetime) -> LatestValue:
    latest: LatestReading | None = getattr(channel, "latest", None)
    age = None if latest is None else max(at - latest.t, timedelta(0))
    is_fresh = (
        latest is not None
        and age is not None
        and age <= timedelta(seconds=channel.stale_seconds)
        and channel.node.is_online
        and latest.v is not None
    )
    return LatestValue(
        id=channel.pk,
        code=channel.code,
        node=channel.node.name,
        zone=channel.zone.code if channel.zone else None,
        quantity=channel.quantity,
        label=str(channel),
        unit=channel.unit,
        value=latest.v if latest else None,
        measured_at=latest.t if latest else None,
        age_seconds=None if age is None else int(age.total_seconds()),
        is_stale=not is_fresh,
        flags=latest.flags if latest else 0,
    )


def points_of(
    channel: Channel, level: str, *, since: datetime, until: datetime, most: int = MOST_POINTS
) -> Points:
    """Give a channel's readings, or their rollups of a level, oldest first. One query."""
    bucket = LEVELS[level]
    found = (
        _raw(channel, since, until, most + 1)
        if bucket is None
        else _rollups(channel, bucket, since, until, most + 1)
    )
    next_from = found[most].t if len(found) > most else None
    return Points(channel, level, tuple(found[:most]), next_from)


def _raw(channel: Channel, since: datetime, until: datetime, most: int) -> list[Point]:
    rows = Reading.objects.filter(channel=channel, t__gte=since, t__lt=until).order_by("t")
    return [Point(row.t, row.v, 1, row.v, row.v, row.v, row.flags) for row in rows[:most]]


def _rollups(
    channel: Channel, level: int, since: datetime, until: datetime, most: int
) -> list[Point]:
    rows = Rollup.objects.filter(
        channel=channel, level=level, bucket__gte=since, bucket__lt=until
    ).order_by("bucket")
    return [
        Point(row.bucket, row.total / row.n, row.n, row.low, row.high, row.last, 0)
        for row in rows[:most]
    ]


def outputs_of(house: Greenhouse) -> Sequence[Output]:
    """Give what can be switched in a greenhouse. One query."""
    return list(
        Output.objects.filter(node__greenhouse=house, is_active=True)
        .select_related("node__greenhouse", "zone")
        .order_by("pk")
    )


def commands() -> QuerySet[Command]:
    """Give commands of greenhouses in use, with what the answer names."""
    return Command.objects.filter(node__greenhouse__is_active=True).select_related(
        "node__greenhouse", "output"
    )


def command_now(command: Command) -> CommandNow:
    """Give a command with its steps. One query."""
    steps = CommandEvent.objects.filter(command=command).order_by("at", "pk")
    return CommandNow(command, tuple(steps))


def alarms(
    *, state: str = "open", greenhouse: str = "", before: int | None = None
) -> QuerySet[Alarm]:
    """Give alarms of greenhouses in use, the newest first, with all that is said of them."""
    found = Alarm.objects.filter(greenhouse__is_active=True).select_related(
        "greenhouse", "zone", "node", "channel", "output", "acknowledged_by"
    )
    if state == "open":
        found = found.filter(cleared_at__isnull=True)
    if greenhouse:
        found = found.filter(greenhouse__code=greenhouse)
    if before is not None:
        found = found.filter(pk__lt=before)
    return found.order_by("-pk")
