"""Sending commands and giving up on them: each row is claimed, marked, and published after commit.

A process that dies between the mark and the publishing has sent nothing; the same id is sent
again when no answer comes, and the device runs an id once.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Case, Exists, IntegerField, OuterRef, Q, Value, When

from farm import command_states
from farm.command_states import Due, State
from farm.control.plan import was_not_taken
from farm.models import Alarm, Command, CommandEvent, Node, Output
from farm.models.commands import CommandQuerySet
from farm.outgoing import CommandFields, command_payload
from farm.services import alarms, watching
from farm.services.command_requests import request_ping, request_stop
from farm.services.command_steps import HARMLESS, PROBES, STOPS, asked_to_stop_since, move, note

Publish = Callable[[str, bytes, int, bool], None]

SEND_AT_ONCE = 100
# A controller that has said nothing to us for so long is asked whether it hears us.
PING_EVERY = timedelta(minutes=5)
_RUNS = (Command.Op.RUN, Command.Op.DOSE)
# A strength is sent with its length, but it is in force at once, and switches nothing on.
_WITH_SECONDS = (Command.Op.RUN, Command.Op.SET)


def send_due(*, publish: Publish, at: datetime) -> int:
    """Send what waits or needs sending again, stops first; answer how many were published.

    Two senders at once never take the same row. Publishing comes after the commit, and in the
    order of the claims.
    """
    if not Command.objects.to_be_sent(at=at).exists():
        return 0
    with transaction.atomic(durable=True):
        claimed = list(_claim(at))
        messages = [_message(command) for command in claimed if mark_sent(command, at=at)]
    for topic, payload in messages:
        publish(topic, payload, 1, False)  # noqa: FBT003  # topic, payload, QoS, never retained
    return len(messages)


def _claim(at: datetime) -> CommandQuerySet:
    five, fifteen = command_states.RESEND_AFTER
    again = Q(status=Command.Status.SENT) & (
        Q(sends=1, sent_at__lte=at - five) | Q(sends=2, sent_at__lte=at - fifteen)
    )
    is_stop = Case(When(op__in=STOPS, then=Value(0)), default=Value(1), output_field=IntegerField())
    return (
        Command.objects.filter(
            Q(status=Command.Status.QUEUED) | again,
            expires_at__gt=at,
            node__protocol=Node.Protocol.FARM_V1,
        )
        .select_related("node__greenhouse", "output", "rule")
        .order_by(is_stop, "created_at", "pk")
        .select_for_update(skip_locked=True, no_key=True, of=("self",))[:SEND_AT_ONCE]
    )


def mark_sent(command: Command, *, at: datetime) -> bool:
    """Mark a claimed command as sent; False when it may not be sent (any more)."""
    objection = _objection(command, at=at)
    if objection:
        if command.status == Command.Status.QUEUED:
            move(command, State.REJECTED, at=at, why=objection)
        # What was sent may have been heard: it is not repeated, and its end is waited for.
        return False
    command.status = Command.Status.SENT
    command.sends += 1
    command.sent_at = command.sent_at or at
    command.last_sent_at = at
    command.save(update_fields=["status", "sends", "sent_at", "last_sent_at"])
    note(command, "sent", at=at)
    return True


def _objection(command: Command, *, at: datetime) -> str:
    """Tell what has changed since the command was asked for that keeps it from being sent."""
    if command.op in (*STOPS, *HARMLESS):
        return ""
    if command.node.greenhouse.is_stopped:
        return "estop"
    if _is_outdated(command):
        return "generation"
    if command.output is not None and _is_locked(command, command.output, at=at):
        return "locked"
    return "stop" if asked_to_stop_since(command) else ""


def _is_outdated(command: Command) -> bool:
    rule = command.rule
    return rule is not None and not (rule.is_enabled and rule.generation == command.generation)


def _is_locked(command: Command, output: Output, *, at: datetime) -> bool:
    lock = output.lock_at(at)
    return lock == Output.Lock.OFF or (
        lock == Output.Lock.MANUAL and command.source != Command.Source.PERSON
    )


def _message(command: Command) -> tuple[str, bytes]:
    has_seconds = command.op in _WITH_SECONDS
    fields = CommandFields(
        id=command.pk,
        op=command.op,
        out=command.output.code if command.output else None,
        s=command.seconds if has_seconds else None,
        l=command.litres,
        ml=command.ml,
        v=command.value,
        t=_milliseconds(command.created_at),
        exp=_milliseconds(command.expires_at),
        by=_asker(command),
        gen=command.generation,
        arguments=command.arguments,
    )
    node = command.node
    return f"farm/v1/{node.greenhouse.code}/{node.name}/cmd", command_payload(fields)


def _asker(command: Command) -> str:
    if command.rule_id is not None:
        return f"rule:{command.rule_id}"
    return f"user:{command.by_id}" if command.by_id is not None else str(command.source)


def _milliseconds(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)


def advance(*, at: datetime) -> int:
    """Do what time asks of open commands (farm/v1 time-outs); answer how many it moved.

    It also asks quiet controllers whether they hear us, and watches what outputs really do.

    Each in a transaction of its own; one that another process holds is left to it.
    """
    moved = sum(_advance_one(pk, at=at) for pk in _overdue(at))
    for node in _quiet_nodes(at):
        request_ping(node=node, at=at)
    watching.watch_outputs(at=at)
    return moved


def _overdue(at: datetime) -> list[str]:
    return [
        command.pk for command in _with_reboots().order_by("created_at", "pk")
        if _due(command, at=at) not in (Due.NOTHING, Due.RESEND)
    ]  # fmt: skip


def _with_reboots() -> CommandQuerySet:
    """Open commands with `is_of_this_boot`: whether the running boot has spoken of them."""
    spoken = CommandEvent.objects.filter(command=OuterRef("pk"), boot=OuterRef("node__boot"))
    taken = CommandEvent.objects.filter(command=OuterRef("pk"), boot__isnull=False)
    return (
        Command.objects.open()
        .annotate(is_of_this_boot=Exists(spoken), has_boot=Exists(taken))
        .select_related("node")
    )


def _due(command: Command, *, at: datetime) -> Due:
    was_rebooted = getattr(command, "has_boot", False) and not getattr(
        command, "is_of_this_boot", True
    )
    return command_states.due(
        command_states.Progress(
            state=State(command.status),
            expires_at=command.expires_at,
            runs=command.op in _RUNS,
            run_seconds=(command.seconds or 0) if command.op in _RUNS else 0,
            sends=command.sends,
            sent_at=command.sent_at,
            last_sent_at=command.last_sent_at,
            accepted_at=command.accepted_at,
            started_at=command.started_at,
            rebooted_at=command.node.born_at if was_rebooted else None,
        ),
        at,
    )


@transaction.atomic
def _advance_one(pk: str, *, at: datetime) -> bool:
    command = (
        _with_reboots()
        .select_related("node__greenhouse", "output__node__greenhouse", "output__zone")
        .select_for_update(skip_locked=True, no_key=True, of=("self",))
        .filter(pk=pk)
        .first()
    )
    if command is None:
        return False
    step = _STEPS.get(_due(command, at=at))
    if step is None:
        return False
    step(command, at)
    return True


def _expire(command: Command, at: datetime) -> None:
    move(command, State.EXPIRED, at=at, why="not_sent")
    tell_if_not_taken(command, at=at)


def _break_off(command: Command, at: datetime) -> None:
    """End what a reboot has cut short: a controller starts with all outputs off."""
    move(command, State.ABORTED, at=at, why="reboot")


def _give_up(command: Command, at: datetime) -> None:
    """Say that nobody knows, raise the alarm, and stop what may still run."""
    was = command.status
    move(command, State.UNKNOWN, at=at, why=command.why or "no_ack")
    if command.op == Command.Op.PING:
        _raise_deaf(command, at)
    elif command.op not in PROBES:
        _raise_unknown(command, was=was, at=at)
    # What an unanswered command of these may have left switched on is stopped.
    if command.op in _RUNS and command.output is not None:
        request_stop(output=command.output, source=Command.Source.SAFETY, why="unknown", at=at)


_STEPS: dict[Due, Callable[[Command, datetime], None]] = {
    Due.EXPIRE: _expire,
    Due.GIVE_UP: _give_up,
    Due.BROKEN_OFF: _break_off,
}


def _raise_deaf(command: Command, at: datetime) -> None:
    """Tell of a controller that the broker calls online, but that answers nothing."""
    if not command.node.is_online:
        return
    alarms.raise_alarm(
        key=f"node_deaf:{command.node_id}",
        kind="node_deaf",
        severity=Alarm.Severity.URGENT,
        greenhouse=command.node.greenhouse,
        node=command.node,
        at=at,
        facts={"command": command.pk},
    )


def unknown_key(command: Command) -> str:
    """Name the alarm of unanswered commands: one per output, or controller."""
    if command.output_id is not None:
        return f"command_unknown:output:{command.output_id}"
    return f"command_unknown:node:{command.node_id}"


def refused_key(output_id: int) -> str:
    """Name the alarm of programmes' runs that did not begin: one per output."""
    return f"command_refused:output:{output_id}"


def tell_if_not_taken(command: Command, *, at: datetime) -> None:
    """Raise the alarm of a programme's run that surely did not begin; a person sees it at once."""
    output, rule = command.output, command.rule
    if command.op != Command.Op.RUN or output is None or rule is None:
        return
    if not was_not_taken(command.status, command.why):
        return
    alarms.raise_alarm(
        key=refused_key(output.pk),
        kind="command_refused",
        severity=Alarm.Severity.WARNING,
        greenhouse=command.node.greenhouse,
        node=command.node,
        zone=output.zone,
        output=output,
        at=at,
        facts={
            "command": command.pk,
            "reason": command.why or command.status,
            "rule": rule.name,
        },
    )


def _raise_unknown(command: Command, *, was: str, at: datetime) -> None:
    is_grave = command.op == Command.Op.DOSE or command.op in STOPS
    alarms.raise_alarm(
        key=unknown_key(command),
        kind="command_unknown",
        severity=Alarm.Severity.URGENT if is_grave else Alarm.Severity.WARNING,
        greenhouse=command.node.greenhouse,
        node=command.node,
        zone=command.output.zone if command.output else None,
        output=command.output,
        at=at,
        facts={"command": command.pk, "op": command.op, "was": was},
    )


def _quiet_nodes(at: datetime) -> list[Node]:
    """Give the controllers that are said to be online but have answered nothing for a while."""
    asked = Command.objects.filter(
        node=OuterRef("pk"), op=Command.Op.PING, created_at__gt=at - PING_EVERY
    )
    return list(
        Node.objects.filter(
            Q(last_ping_ok_at__isnull=True) | Q(last_ping_ok_at__lte=at - PING_EVERY),
            is_online=True,
            protocol=Node.Protocol.FARM_V1,
            greenhouse__is_active=True,
        )
        .exclude(Exists(asked))
        .order_by("pk")
    )
