"""Alarms: opened once, counted while they last, told to those on watch until one has seen it."""

from collections.abc import Collection, Iterable
from datetime import datetime, time, timedelta
from typing import Any, NamedTuple

from django.db import transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import User
from farm import explain
from farm.models import Alarm, AlarmLimit, Channel, Flag, Greenhouse, Node, Output, Watch, Zone
from notifications import services as notifications

# An alarm that comes back this soon is the same trouble: it goes on, nobody is told anew …
FLAPS_WITHIN = timedelta(minutes=30)
# … but not for ever on the word of somebody who saw it yesterday.
SAME_TROUBLE_FOR = timedelta(hours=12)
# What a person does on purpose is news each time, however soon.
_DEEDS = ("emergency_stop",)
_OVER_WHEN_SEEN = ("retained_command",)
# While a value stays beyond its limit, its alarm is counted this often, not at each reading.
COUNT_EVERY = timedelta(minutes=1)
NOBODY_ON_WATCH = timedelta(minutes=15)
TOLD_AT_ONCE = 200


@transaction.atomic
def raise_alarm(  # noqa: PLR0913  # each is a fact of the alarm, named by keyword
    *,
    key: str,
    kind: str,
    severity: int,
    greenhouse: Greenhouse,
    at: datetime,
    facts: dict[str, Any] | None = None,
    node: Node | None = None,
    zone: Zone | None = None,
    channel: Channel | None = None,
    output: Output | None = None,
) -> Alarm:
    """Open the alarm of this key, or count the open one once more; it is told only once.

    One that cleared a little while ago is opened again, so that what flaps is one alarm. An urgent
    one that somebody has seen is not: whoever saw it took it for over.
    """
    alarm = _standing(key)
    if alarm is None and kind not in (*_DEEDS, *_OVER_WHEN_SEEN):
        alarm = _reopened(key, severity=severity, at=at)
    if alarm is None:
        alarm, is_new = Alarm.objects.select_for_update().get_or_create(
            key=key,
            cleared_at__isnull=True,
            defaults={
                "kind": kind,
                "severity": severity,
                "greenhouse": greenhouse,
                "node": node,
                "zone": zone,
                "channel": channel,
                "output": output,
                "facts": facts or {},
                "opened_at": at,
                "last_at": at,
                "tell_at": at,
            },
        )
        if is_new:
            return alarm
    return _count(alarm, severity=severity, facts=facts, at=at)


@transaction.atomic
def clear_alarm(*, key: str, at: datetime) -> bool:
    """End the open alarm of this key; tell whether there was one."""
    return bool(
        Alarm.objects.filter(key=key, cleared_at__isnull=True).update(cleared_at=at, tell_at=None)
    )


@transaction.atomic
def acknowledge(*, alarm: Alarm, by: User, at: datetime) -> Alarm:
    """Note who has seen the alarm first; from then on nobody else is told.

    One that tells of what is over, and that nothing else ends, ends with this.
    """
    alarm = Alarm.objects.select_for_update().get(pk=alarm.pk)
    if alarm.acknowledged_at is None:
        alarm.acknowledged_at, alarm.acknowledged_by, alarm.tell_at = at, by, None
        if alarm.kind in _OVER_WHEN_SEEN:
            alarm.cleared_at = alarm.cleared_at or at
        alarm.save(update_fields=["acknowledged_at", "acknowledged_by", "tell_at", "cleared_at"])
    return alarm


def _standing(key: str) -> Alarm | None:
    return Alarm.objects.select_for_update().filter(key=key, cleared_at__isnull=True).first()


def _reopened(key: str, *, severity: int, at: datetime) -> Alarm | None:
    alarm = (
        Alarm.objects.select_for_update()
        .filter(key=key, cleared_at__gte=at - FLAPS_WITHIN, opened_at__gte=at - SAME_TROUBLE_FOR)
        .order_by("-cleared_at")
        .first()
    )
    if alarm is None or (alarm.acknowledged_at and severity >= Alarm.Severity.URGENT):
        return None
    alarm.cleared_at = None
    alarm.tell_at = None if alarm.acknowledged_at else at
    return alarm


def _count(alarm: Alarm, *, severity: int, facts: dict[str, Any] | None, at: datetime) -> Alarm:
    alarm.times += 1
    alarm.last_at = max(alarm.last_at, at)
    if facts is not None:
        alarm.facts = facts
    if severity > alarm.severity:
        # Worse than what somebody has seen: everyone hears of it anew.
        alarm.severity, alarm.told_level, alarm.tell_at = severity, 0, at
        alarm.acknowledged_at = alarm.acknowledged_by = None
    alarm.save()
    return alarm


class _Look(NamedTuple):
    """What a value means for its limit."""

    value: float
    side: str  # "low", "high" or ""
    is_well_inside: bool


def _look(limit: AlarmLimit) -> _Look | None:
    """Tell what the newest value means for its limit; None when it is none, or of a bottle."""
    latest = limit.channel.latest
    value = latest.v
    is_of_bottle = latest.flags & Flag.CALIBRATING or limit.channel.is_in_hand(latest.t)
    if value is None or is_of_bottle:
        return None
    low, high, margin = limit.low, limit.high, limit.hysteresis
    if low is not None and high is not None:
        # A margin wider than half the band would never let the alarm clear.
        margin = min(margin, (high - low) / 2)
    side = ""
    if low is not None and value < low:
        side = "low"
    elif high is not None and value > high:
        side = "high"
    is_well_inside = (low is None or value >= low + margin) and (
        high is None or value <= high - margin
    )
    return _Look(value, side, is_well_inside)


def watch_limits(*, channel_ids: Collection[int], at: datetime) -> int:
    """Hold the newest values of the channels against their alarm limits; count what changed.

    Three queries where nothing is beyond a limit. Two bridges at once come to the same rows.
    """
    limits = _limits(channel_ids)
    open_alarms = _open_limit_alarms(limits)
    concerned = [limit.pk for limit in limits if _concerns(limit, open_alarms, at=at)]
    if not concerned:
        return 0
    with transaction.atomic():
        locked = list(
            AlarmLimit.objects.filter(pk__in=concerned)
            .select_related("channel__latest", "channel__node__greenhouse")
            .select_for_update(of=("self",))
            .order_by("pk")
        )
        open_alarms = _open_limit_alarms(locked)
        # Whoever waited for the lock may find everything done.
        return sum(
            _judge(limit, open_alarms, at=at)
            for limit in locked
            if _concerns(limit, open_alarms, at=at)
        )


def _limits(channel_ids: Collection[int]) -> list[AlarmLimit]:
    return list(
        AlarmLimit.objects.filter(
            channel_id__in=channel_ids, is_enabled=True, channel__latest__v__isnull=False
        )
        .select_related("channel__latest")
        .order_by("pk")
    )


def _key(limit: AlarmLimit) -> str:
    return f"limit:{limit.pk}"


def _open_limit_alarms(limits: Iterable[AlarmLimit]) -> dict[str, datetime]:
    keys = [_key(limit) for limit in limits]
    if not keys:
        return {}
    return dict(
        Alarm.objects.filter(key__in=keys, cleared_at__isnull=True).values_list("key", "last_at")
    )


def _concerns(limit: AlarmLimit, open_alarms: dict[str, datetime], *, at: datetime) -> bool:
    """Tell whether anything has to be written; most values are well inside their limits."""
    look = _look(limit)
    if look is None:
        return False
    last_at = open_alarms.get(_key(limit))
    if look.side:
        return last_at is None or at - last_at >= COUNT_EVERY
    return limit.breached_since is not None or (last_at is not None and look.is_well_inside)


def _judge(limit: AlarmLimit, open_alarms: dict[str, datetime], *, at: datetime) -> bool:
    latest, key = limit.channel.latest, _key(limit)
    look = _look(limit)
    if look is None:
        return False
    since = limit.breached_since
    if look.side:
        since = since or latest.t
    elif key not in open_alarms or look.is_well_inside:
        since = None
    if since != limit.breached_since:
        limit.breached_since = since
        limit.save(update_fields=["breached_since", "updated_at"])
    if since is None:
        return clear_alarm(key=key, at=at)
    if not look.side or latest.t - since < timedelta(seconds=limit.delay_seconds):
        return False
    raise_alarm(
        key=key,
        kind="limit",
        severity=limit.severity,
        greenhouse=limit.channel.node.greenhouse,
        channel=limit.channel,
        zone=limit.channel.zone,
        at=at,
        facts={
            "side": look.side,
            "value": round(look.value, 3),
            "limit": limit.low if look.side == "low" else limit.high,
            "since": since.isoformat(),
        },
    )
    return True


@transaction.atomic
def tell_watchers(*, at: datetime) -> int:
    """Tell those on watch of the alarms that nobody has seen; answer how many messages it took.

    Each step of a house's watch is told when its minutes have passed. Twice at once is fine:
    alarms are taken with their locks, and each message has a key of its own.
    """
    alarms = list(
        Alarm.objects.filter(cleared_at__isnull=True, acknowledged_at__isnull=True, tell_at__lte=at)
        .select_related("greenhouse", "zone", "node", "channel", "output")
        .select_for_update(skip_locked=True, of=("self",))
        .order_by("-severity", "opened_at", "pk")[:TOLD_AT_ONCE]
    )
    watches_by_house = _watches({alarm.greenhouse_id for alarm in alarms})
    new_by_watch: dict[Watch, list[Alarm]] = {}
    for alarm in alarms:
        watches = watches_by_house.get(alarm.greenhouse_id, [])
        for watch in _told_by(alarm, watches, at=at):
            if _put_in_inbox(alarm, watch.user, at=at):
                new_by_watch.setdefault(watch, []).append(alarm)
    for watch, news in new_by_watch.items():
        if watch.by_sms:
            _send_sms(watch.user, news, at=at)
    return sum(map(len, new_by_watch.values()))


def _watches(greenhouse_ids: set[int]) -> dict[int, list[Watch]]:
    watches_by_house: dict[int, list[Watch]] = {}
    for watch in (
        Watch.objects.filter(greenhouse_id__in=greenhouse_ids, user__is_active=True)
        .select_related("user")
        .order_by("step", "pk")
    ):
        watches_by_house.setdefault(watch.greenhouse_id, []).append(watch)
    return watches_by_house


def _told_by(alarm: Alarm, watches: list[Watch], *, at: datetime) -> list[Watch]:
    """Choose whose turn it is, and note when the next one's is."""
    turn_by_watch = {watch: _turn(watch, alarm) for watch in watches}
    now = [watch for watch, turn in turn_by_watch.items() if turn <= at]
    later = [turn for turn in turn_by_watch.values() if turn > at]
    alarm.told_level = max([alarm.told_level, *(watch.step for watch in now)])
    alarm.tell_at = min(later, default=None) if watches else at + NOBODY_ON_WATCH
    alarm.save(update_fields=["told_level", "tell_at"])
    return now


def _turn(watch: Watch, alarm: Alarm) -> datetime:
    turn = alarm.opened_at + timedelta(minutes=watch.after_minutes)
    if alarm.severity >= Alarm.Severity.URGENT:
        return turn
    return end_of_quiet(turn, quiet_from=watch.quiet_from, quiet_to=watch.quiet_to)


def end_of_quiet(moment: datetime, *, quiet_from: time | None, quiet_to: time | None) -> datetime:
    """Answer the moment itself, or the end of the quiet hours that it falls into."""
    if quiet_from is None or quiet_to is None:
        return moment
    local = timezone.localtime(moment)
    if quiet_from <= quiet_to:
        is_quiet = quiet_from <= local.time() < quiet_to
    else:
        is_quiet = not quiet_to <= local.time() < quiet_from
    if not is_quiet:
        return moment
    end = local.replace(
        hour=quiet_to.hour, minute=quiet_to.minute, second=quiet_to.second, microsecond=0
    )
    return end if end > local else end + timedelta(days=1)


def _put_in_inbox(alarm: Alarm, user: User, *, at: datetime) -> bool:
    message = notifications.put_in_inbox(
        user=user,
        kind="farm-alarm",
        title=_("Alarm at %(greenhouse)s") % {"greenhouse": alarm.greenhouse},
        text=explain.alarm_words(alarm),
        link=reverse("farm_alarms"),
        at=at,
        dedupe_key=f"farm-alarm-{alarm.pk}-{alarm.severity}-{user.pk}",
    )
    # The key's first message stands: one of an earlier moment was not made by this call.
    return message.due_at == at


def _send_sms(user: User, alarms: list[Alarm], *, at: datetime) -> None:
    """Send one text for all that is new, the gravest in words: ten alarms are not ten texts."""
    first, others = alarms[0], len(alarms) - 1
    text = f"{first.greenhouse}: {explain.alarm_words(first)}"
    if others:
        more = ngettext("And %(count)d more alarm.", "And %(count)d more alarms.", others)
        text = f"{text} {more % {'count': others}}"
    notifications.send_sms(
        phone=user.phone,
        text=text,
        kind="farm-alarm",
        at=at,
        dedupe_key=f"farm-alarm-sms-{first.pk}-{first.severity}-{user.pk}",
    )
