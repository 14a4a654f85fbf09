"""Alarms that stand and that were, who was told of them, and who is on watch."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, time
from typing import NamedTuple

from django.db.models import QuerySet

from accounts.models import User
from farm.models import Alarm, AlarmLimit, Channel, Greenhouse, Watch
from farm.selectors.dashboard import AlarmShown, active_houses, open_alarms, show_alarm
from notifications import selectors as notifications


class Told(NamedTuple):
    """Who was told of an alarm, and when."""

    name: str
    at: datetime


class AlarmRow(NamedTuple):
    """An alarm with everything that is known of it."""

    shown: AlarmShown
    opened_at: datetime
    cleared_at: datetime | None
    acknowledged_at: datetime | None
    told: tuple[Told, ...]
    told_next_at: datetime | None


class WatchRow(NamedTuple):
    """Somebody on watch over a house."""

    id: int
    name: str
    is_me: bool
    step: int
    after_minutes: int
    by_sms: bool
    quiet_from: time | None
    quiet_to: time | None


class HouseWatch(NamedTuple):
    """A house with those on watch; `am_i` says whether the asker is one of them."""

    id: int
    code: str
    name: str
    watches: tuple[WatchRow, ...]
    am_i: bool


def standing_alarms(*, now: datetime) -> tuple[AlarmRow, ...]:
    """Give the alarms that stand, the gravest first. Four queries."""
    ids = list(active_houses().values_list("pk", flat=True))
    return alarm_rows(list(open_alarms(ids)), now=now)


def past_alarms() -> QuerySet[Alarm]:
    """Give the alarms that are over, the latest first."""
    return (
        Alarm.objects.filter(cleared_at__isnull=False)
        .select_related("greenhouse", "zone", "node", "channel", "output", "acknowledged_by")
        .order_by("-opened_at", "-pk")
    )


def alarm_rows(alarms: Sequence[Alarm], *, now: datetime) -> tuple[AlarmRow, ...]:
    """Add to each alarm whom it was told to. Two queries."""
    told = _told(alarms)
    return tuple(
        AlarmRow(
            shown=show_alarm(alarm, now),
            opened_at=alarm.opened_at,
            cleared_at=alarm.cleared_at,
            acknowledged_at=alarm.acknowledged_at,
            told=tuple(told[alarm.pk]),
            told_next_at=alarm.tell_at if alarm.acknowledged_at is None else None,
        )
        for alarm in alarms
    )


def house_watches(person: User) -> tuple[HouseWatch, ...]:
    """Give each house with those on watch, in the order in which they are told. Two queries."""
    houses = active_houses().prefetch_related("watches__user")
    return tuple(_house_watch(house, person) for house in houses)


def limits_of(channels: Iterable[Channel]) -> QuerySet[AlarmLimit]:
    """Give the limits of channels. One query."""
    return AlarmLimit.objects.filter(channel__in=list(channels)).order_by("channel_id", "pk")


def _house_watch(house: Greenhouse, person: User) -> HouseWatch:
    watches = sorted(house.watches.all(), key=lambda one: (one.step, one.after_minutes, one.pk))
    return HouseWatch(
        id=house.pk,
        code=house.code,
        name=house.name,
        watches=tuple(_watch(watch, person) for watch in watches),
        am_i=any(watch.user_id == person.pk for watch in watches),
    )


def _watch(watch: Watch, person: User) -> WatchRow:
    return WatchRow(
        id=watch.pk,
        name=str(watch.user),
        is_me=watch.user_id == person.pk,
        step=watch.step,
        after_minutes=watch.after_minutes,
        by_sms=watch.by_sms,
        quiet_from=watch.quiet_from,
        quiet_to=watch.quiet_to,
    )


def _told(alarms: Sequence[Alarm]) -> defaultdict[int, list[Told]]:
    """Find the messages about alarms by the keys under which farm.services.alarms writes them."""
    houses = {alarm.greenhouse_id for alarm in alarms}
    users = defaultdict(list)
    for house_id, user_id in Watch.objects.filter(greenhouse_id__in=houses).values_list(
        "greenhouse_id", "user_id"
    ):
        users[house_id].append(user_id)
    alarm_by_key = {
        f"farm-alarm-{alarm.pk}-{severity}-{user_id}": alarm.pk
        for alarm in alarms
        for severity in Alarm.Severity.values
        for user_id in users[alarm.greenhouse_id]
    }
    told: defaultdict[int, list[Told]] = defaultdict(list)
    for message in notifications.told_under(alarm_by_key).order_by("due_at", "pk"):
        told[alarm_by_key[str(message.dedupe_key)]].append(Told(str(message.user), message.due_at))
    return told
