"""Sensors that say nothing although their controller is there, as far as we have listened."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import groupby
from operator import attrgetter

from farm.models import Alarm, Channel
from farm.services import alarms

# A sensor blocks the rules as soon as it is too old; people hear of it a little later.
SILENT_FOR_LONGER = timedelta(minutes=2)
KEY = "silent:"


def watch_silence(*, at: datetime, listening_since: datetime) -> int:
    """Open and clear the alarms of silent sensors; answer how many stand.

    The bridge runs this, because only who listens knows what is silent: a time in which we were
    away ourselves counts for nobody. A controller that is away is one alarm of its own, and so is
    one of which nothing is heard any more.
    """
    channels = list(
        Channel.objects.shown()
        .filter(node__is_online=True, node__greenhouse__is_active=True, latest__isnull=False)
        .select_related("latest", "node__greenhouse", "zone")
        .order_by("node_id", "pk")
    )
    standing: set[str] = set()
    for _node, of_node in groupby(channels, key=attrgetter("node_id")):
        standing |= _watch_node(list(of_node), at=at, listening_since=listening_since)
    open_alarms = Alarm.objects.filter(key__startswith=KEY, cleared_at__isnull=True)
    excused = _excused(channels, at=at, listening_since=listening_since)
    for key in open_alarms.values_list("key", flat=True):
        if key not in standing | excused:
            alarms.clear_alarm(key=key, at=at)
    return len(standing)


def _watch_node(
    channels: Sequence[Channel], *, at: datetime, listening_since: datetime
) -> set[str]:
    """Raise the alarms of a controller's sensors, one for all where all are silent."""
    failed = [channel for channel in channels if channel.latest.v is None]
    silent = [
        channel
        for channel in channels
        if channel not in failed and at - max(channel.latest.t, listening_since) > _allowed(channel)
    ]
    if len(silent) == len(channels) > 1:
        return {_raise_for_node(silent, at=at)}
    return {
        *(_raise(channel, "sensor_failed", at=at) for channel in failed),
        *(_raise(channel, "sensor_silent", at=at) for channel in silent),
    }


def _excused(channels: Sequence[Channel], *, at: datetime, listening_since: datetime) -> set[str]:
    """Name the alarms that nobody can say are over: we have not listened for long enough."""
    waited = [
        channel
        for channel in channels
        if channel.latest.t < listening_since and at - channel.latest.t > _allowed(channel)
    ]
    return {_key(channel) for channel in waited} | {_node_key(channel) for channel in waited}


def _allowed(channel: Channel) -> timedelta:
    return timedelta(seconds=channel.stale_seconds) + SILENT_FOR_LONGER


def _key(channel: Channel) -> str:
    return f"{KEY}{channel.pk}"


def _node_key(channel: Channel) -> str:
    return f"{KEY}node:{channel.node_id}"


def _raise(channel: Channel, kind: str, *, at: datetime) -> str:
    alarms.raise_alarm(
        key=_key(channel),
        kind=kind,
        severity=Alarm.Severity.WARNING,
        greenhouse=channel.node.greenhouse,
        node=channel.node,
        channel=channel,
        zone=channel.zone,
        at=at,
        facts={"since": channel.latest.t.isoformat()},
    )
    return _key(channel)


def _raise_for_node(silent: Sequence[Channel], *, at: datetime) -> str:
    newest = max(silent, key=lambda channel: channel.latest.t)
    alarms.raise_alarm(
        key=_node_key(newest),
        kind="node_silent",
        severity=Alarm.Severity.WARNING,
        greenhouse=newest.node.greenhouse,
        node=newest.node,
        at=at,
        facts={"since": newest.latest.t.isoformat()},
    )
    return _node_key(newest)
