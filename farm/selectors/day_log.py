"""A day of one greenhouse in order: what ran and why, what went wrong, what people did."""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from django.db.models import Q
from django.utils.translation import gettext as _

from farm import litres, words
from farm.explain import alarm_words, decision_words
from farm.models import (
    Alarm,
    Channel,
    Command,
    Decision,
    DeviceEvent,
    DeviceRun,
    EmergencyStop,
    Greenhouse,
    LockChange,
    Output,
)
from farm.selectors import steps

MOST_ENTRIES = 1000
Op = Command.Op


class Entry(NamedTuple):
    """One thing that happened; `why` is the programme's reason, `anchor` its place on the page."""

    at: datetime
    icon: str
    words: str
    anchor: str
    detail: str = ""
    why: str = ""
    is_wrong: bool = False


class DayLog(NamedTuple):
    """A day's entries in order, and what it came to."""

    entries: tuple[Entry, ...]
    runs: int
    litres: str
    # Of so many runs nobody can tell what they gave: the litres are of the others.
    unknown_runs: int


def day_log(
    greenhouse: Greenhouse, *, begin: datetime, end: datetime, with_idle: bool = False
) -> DayLog:
    """Give everything of a day. Seven queries, whatever happened.

    `with_idle` adds the looks after which a programme had no need to act: many, seldom read.
    """
    commands = _commands(greenhouse, begin, end)
    own_runs = _device_runs(greenhouse, begin, end)
    decisions = _decisions(greenhouse, begin, end, with_idle=with_idle)
    why = {one.command_id: decision_words(one) for one in decisions if one.command_id}
    entries = [
        *(_command_entry(command, why.get(command.pk, "")) for command in commands),
        *(_device_run_entry(run) for run in own_runs),
        *(_decision_entry(one) for one in decisions if not one.command_id),
        *_alarm_entries(greenhouse, begin, end),
        *_lock_entries(greenhouse, begin, end),
        *_stop_entries(greenhouse, begin, end),
        *_device_entries(greenhouse, begin, end),
    ]
    runs = [command for command in commands if command.op in steps.RUNS and command.started_at]
    given = [*_given(runs), *(litres.given_by_device(run) for run in own_runs if run.ended_at)]
    known = [amount.value for amount in given if amount.value is not None]
    return DayLog(
        entries=tuple(sorted(entries, key=lambda entry: (entry.at, entry.anchor))),
        runs=len(runs) + len(own_runs),
        litres=words.litres(sum(known)),
        unknown_runs=len(given) - len(known),
    )


def _given(runs: Iterable[Command]) -> Iterable[litres.Litres]:
    """Tell what ended runs of valves gave; pumps move water round and use none."""
    for command in runs:
        if command.output is None or command.output.kind != Output.Kind.VALVE:
            continue
        if command.status in {Command.Status.DONE, Command.Status.ABORTED}:
            is_metered = bool(getattr(command, "is_metered", False))
            yield litres.given_litres(command, is_metered=is_metered)
        elif command.status == Command.Status.UNKNOWN:
            yield litres.UNKNOWN


def _commands(greenhouse: Greenhouse, begin: datetime, end: datetime) -> list[Command]:
    ops = (*steps.RUNS, Op.STOP, Op.STOP_ALL, Op.SET, Op.CALIBRATE)
    return list(
        Command.objects.filter(
            node__greenhouse=greenhouse, op__in=ops, created_at__gte=begin, created_at__lt=end
        )
        .annotate(is_metered=litres.HAS_METER)
        .select_related("node", "output__zone", "channel__zone", "by", "rule")
        .order_by("created_at", "pk")[:MOST_ENTRIES]
    )


def _device_runs(greenhouse: Greenhouse, begin: datetime, end: datetime) -> list[DeviceRun]:
    return list(
        DeviceRun.objects.filter(
            output__node__greenhouse=greenhouse, began_at__gte=begin, began_at__lt=end
        )
        .select_related("output__zone")
        .order_by("began_at", "pk")[:MOST_ENTRIES]
    )


def _decisions(
    greenhouse: Greenhouse, begin: datetime, end: datetime, *, with_idle: bool
) -> list[Decision]:
    found = Decision.objects.filter(
        rule__zone__greenhouse=greenhouse, at__gte=begin, at__lt=end
    ).select_related("rule__zone", "rule__sensor", "command__output")
    if not with_idle:
        found = found.exclude(verdict=Decision.Verdict.SKIP)
    return list(found.order_by("at", "pk")[:MOST_ENTRIES])


def _command_entry(command: Command, why: str) -> Entry:
    output = command.output
    thing = output or command.channel
    name = _name(thing) if thing else _("everything")
    if command.op in {*steps.RUNS, Op.SET, Op.CALIBRATE}:
        said = _("%(what)s: %(how_much)s") % {"what": name, "how_much": steps.asked_words(command)}
    else:
        said = _("Stop: %(what)s") % {"what": name}
    is_wrong = command.status in steps.FAILED
    return Entry(
        at=command.started_at or command.created_at,
        icon="halt"
        if command.op in {Op.STOP, Op.STOP_ALL}
        else (output.kind if output else "node"),
        words=said,
        detail=f"{steps.by_words(command)}; {steps.end_words(command)}",
        why=why,
        is_wrong=is_wrong,
        anchor=f"lenh-{command.pk}",
    )


def _name(thing: Output | Channel) -> str:
    if thing.zone is None:
        return str(thing)
    return _("%(output)s, %(zone)s") % {"output": thing, "zone": thing.zone}


def _device_run_entry(run: DeviceRun) -> Entry:
    """Tell of a run that nobody had commanded: how long, who began it there, how much it gave."""
    name = _name(run.output)
    said = [_("watered by the device itself"), words.switched_by_words(run.source)]
    if run.ended_at is None:
        said.append(_("still running"))
    else:
        said += [
            "" if run.is_end_told else _("it did not tell when it went off"),
            _device_litres(run),
        ]
    long = run.seconds
    how_long = "" if long is None else words.run_words(long)
    return Entry(
        at=run.began_at,
        icon=run.output.kind,
        words=_("%(what)s: %(how_much)s") % {"what": name, "how_much": how_long}
        if how_long
        else name,
        detail="; ".join(part for part in said if part),
        anchor=f"tai-may-{run.pk}",
    )


def _device_litres(run: DeviceRun) -> str:
    if run.litres is None:
        return _("nobody can tell how many litres")
    told = words.litres(run.litres)
    return told if run.is_measured else _("about %(litres)s") % {"litres": told}


def _decision_entry(decision: Decision) -> Entry:
    return Entry(
        at=decision.at,
        icon="rule",
        words=f"{decision.rule}: {decision.get_verdict_display()}",
        why=decision_words(decision),
        is_wrong=decision.verdict == Decision.Verdict.BLOCKED,
        anchor=f"quyet-dinh-{decision.pk}",
    )


def _alarm_entries(greenhouse: Greenhouse, begin: datetime, end: datetime) -> Iterable[Entry]:
    opened = Q(opened_at__gte=begin, opened_at__lt=end)
    cleared = Q(cleared_at__gte=begin, cleared_at__lt=end)
    seen = Q(acknowledged_at__gte=begin, acknowledged_at__lt=end)
    alarms = (
        Alarm.objects.filter(opened | cleared | seen, greenhouse=greenhouse)
        .select_related("greenhouse", "zone", "node", "channel", "output", "acknowledged_by")
        .order_by("opened_at", "pk")[:MOST_ENTRIES]
    )
    for alarm in alarms:
        said, anchor = alarm_words(alarm), f"canh-bao-{alarm.pk}"
        severity = alarm.get_severity_display()
        if begin <= alarm.opened_at < end:
            yield Entry(alarm.opened_at, "alarm", said, anchor, severity, is_wrong=True)
        if alarm.acknowledged_at and begin <= alarm.acknowledged_at < end:
            who = _("seen by %(person)s") % {"person": alarm.acknowledged_by}
            yield Entry(alarm.acknowledged_at, "watch", said, f"{anchor}-biet", who)
        if alarm.cleared_at and begin <= alarm.cleared_at < end:
            yield Entry(alarm.cleared_at, "good", said, f"{anchor}-het", _("over"))


def _lock_entries(greenhouse: Greenhouse, begin: datetime, end: datetime) -> Iterable[Entry]:
    changes = LockChange.objects.filter(
        output__node__greenhouse=greenhouse, at__gte=begin, at__lt=end
    ).select_related("output", "by")
    for change in changes.order_by("at", "pk")[:MOST_ENTRIES]:
        said = f"{change.output}: {Output.Lock(change.lock).label}"
        if change.until:
            said += ", " + _("until %(when)s") % {"when": words.moment(change.until)}
        detail = "; ".join(part for part in (str(change.by or ""), change.reason) if part)
        icon = "unlock" if change.lock == Output.Lock.AUTO else "lock"
        yield Entry(change.at, icon, said, f"khoa-{change.pk}", detail)


def _stop_entries(greenhouse: Greenhouse, begin: datetime, end: datetime) -> Iterable[Entry]:
    stops = EmergencyStop.objects.filter(
        greenhouse=greenhouse, at__gte=begin, at__lt=end
    ).select_related("by")
    for stop in stops.order_by("at", "pk"):
        said = _("Emergency stop") if stop.is_stop else _("The house may work again")
        detail = "; ".join(part for part in (str(stop.by or ""), stop.reason) if part)
        icon = "stop" if stop.is_stop else "play"
        yield Entry(stop.at, icon, said, f"dung-{stop.pk}", detail, is_wrong=stop.is_stop)


def _device_entries(greenhouse: Greenhouse, begin: datetime, end: datetime) -> Iterable[Entry]:
    events = DeviceEvent.objects.filter(
        node__greenhouse=greenhouse, at__gte=begin, at__lt=end
    ).select_related("node")
    for event in events.order_by("at", "pk")[:MOST_ENTRIES]:
        what = words.device_event_words(event.kind)
        over = "" if event.is_raised else _("over")
        said = f"{event.node}: {what}" + (f" ({over})" if over else "")
        icon = "node" if event.is_raised else "good"
        yield Entry(
            at=event.at,
            icon=icon,
            words=said,
            anchor=f"su-kien-{event.pk}",
            detail=event.output_code,
            is_wrong=event.is_raised,
        )
