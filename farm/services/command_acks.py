"""What a controller says of a command, in any order, doubled or late, and what follows from it."""

from datetime import UTC, datetime

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from farm import command_states, frames
from farm.command_states import ACTED, PROVEN, State
from farm.errors import CommandRefusedError
from farm.models import Alarm, Command, CommandEvent, Node, Output
from farm.services import alarms, watching, water
from farm.services.command_requests import request_stop
from farm.services.command_sending import refused_key, tell_if_not_taken, unknown_key
from farm.services.command_steps import PROBES, STOPS, asked_to_stop_since, enter, note

_LATE = "late"
# What no output here can have run or given at once: a controller that says so is wrong.
MOST_SECONDS = 7 * 86_400
MOST_LITRES = 100_000


@transaction.atomic
def take_ack(*, node: Node, ack: frames.Ack, at: datetime) -> Command | None:
    """Take a controller's word on one of its commands; None when it is none of its own.

    The same word twice is one row and changes nothing.
    """
    command = (
        Command.objects.filter(pk=ack.id, node=node)
        .select_related("node__greenhouse", "output__node__greenhouse", "output__zone")
        .select_for_update(no_key=True, of=("self",))
        .first()
    )
    if command is None:
        return None
    _heard(command.node, at=at)
    was = State(command.status)
    step = command_states.after_word(was, ack.st, last=ack.last)
    if not _write_down(command, ack, is_news=step.is_news, at=at):
        return command
    if step.is_news:
        _forget_silence(command)
        enter(command, step.state, at=at, why=ack.why)
    _keep_amounts(command, ack)
    if was == State.UNKNOWN and step.is_news:
        command.settled_at = at
    command.save()
    _follow(command, was=was, at=at)
    return command


def _heard(node: Node, *, at: datetime) -> None:
    """Any answer shows that the controller hears us, not only that to a ping."""
    if node.last_ping_ok_at is None or node.last_ping_ok_at < at:
        Node.objects.filter(pk=node.pk).update(last_ping_ok_at=at, heard_at=at)
        alarms.clear_alarm(key=f"node_deaf:{node.pk}", at=at)


def _write_down(command: Command, ack: frames.Ack, *, is_news: bool, at: datetime) -> bool:
    """Add the word to the command's story; False when it is there already."""
    if command.op in PROBES:
        return is_news
    word = ack.last if ack.st == command_states.DUPLICATE and ack.last else ack.st
    device_time = datetime.fromtimestamp(ack.t_ms / 1000, UTC) if ack.t_ms is not None else None
    late_why = f"{word} {ack.why}".strip()[:40]
    step, why = (word, ack.why) if is_news else (_LATE, late_why)
    told = {
        "command": command,
        "device_time": device_time,
        "boot": ack.boot,
        "ran_seconds": ack.ran_s,
        "ran_litres": ack.l,
    }
    if CommandEvent.objects.filter(
        Q(step=word, why=ack.why) | Q(step=_LATE, why=late_why), **told
    ).exists():
        return False
    CommandEvent.objects.create(**told, step=step, why=why, at=at)
    return True


def _forget_silence(command: Command) -> None:
    """Drop that nobody knew what became of it: now somebody has told."""
    if command.status == State.UNKNOWN:
        command.why = ""


def _keep_amounts(command: Command, ack: frames.Ack) -> None:
    """Keep what the device says it did; it only says so for good at the end."""
    word = ack.last if ack.st == command_states.DUPLICATE else ack.st
    if command.status not in ACTED or word != command.status:
        return
    if ack.ran_s is not None and 0 <= ack.ran_s <= MOST_SECONDS:
        command.ran_seconds = ack.ran_s
    if ack.l is not None and 0 <= ack.l <= MOST_LITRES:
        command.ran_litres = ack.l


def _follow(command: Command, *, was: State, at: datetime) -> None:
    """Do what a command's new state asks for."""
    if command.op in PROBES:
        return
    if command.status in (State.ACCEPTED, State.STARTED) and command.op not in STOPS:
        _stop_again(command, at=at)
    if command.status not in PROVEN:
        return
    if was != command.status:
        tell_if_not_taken(command, at=at)
    if command.output is not None:
        if command.op == Command.Op.RUN and command.status == State.DONE:
            alarms.clear_alarm(key=refused_key(command.output.pk), at=at)
        _look_at_result(command, command.output, at=at)
    if not _has_unknown(command):
        alarms.clear_alarm(key=unknown_key(command), at=at)


def _stop_again(command: Command, *, at: datetime) -> None:
    """Stop what has begun after a stop: two processes' messages may have overtaken each other."""
    if command.output is None or not asked_to_stop_since(command):
        return
    already = CommandEvent.objects.filter(command=command, step="overtaken").exists()
    if not already:
        note(command, "overtaken", at=at)
        request_stop(output=command.output, source=Command.Source.SAFETY, why="overtaken", at=at)


def _look_at_result(command: Command, output: Output, *, at: datetime) -> None:
    if command.op != Command.Op.RUN or command.status not in ACTED:
        return
    watching.judge_run(command=command, output=output, at=at)
    if output.zone is not None and output.kind == Output.Kind.VALVE:
        day = timezone.localtime(command.created_at).date()
        water.project_water(zone=output.zone, day=day)


def _has_unknown(command: Command) -> bool:
    """Tell whether another command here still waits for its proof."""
    unknown = Command.objects.filter(status=Command.Status.UNKNOWN, settled_at__isnull=True)
    if command.output_id is not None:
        unknown = unknown.filter(output=command.output_id)
    else:
        unknown = unknown.filter(node=command.node_id, output__isnull=True)
    if command.op != Command.Op.DOSE:
        # A run that ended well shows that the output answers; only a dose stays in doubt.
        unknown = unknown.filter(op=Command.Op.DOSE)
    return unknown.exclude(pk=command.pk).exists()


@transaction.atomic
def prove_end(
    *, output: Output, command_id: str, source: str, left: float | None, at: datetime
) -> Command | None:
    """Take an output's own state, off and naming a command nobody knew the end of, as its proof."""
    command = (
        Command.objects.filter(pk=command_id, output=output, status=Command.Status.UNKNOWN)
        .select_related("node__greenhouse", "output__node__greenhouse", "output__zone")
        .select_for_update(no_key=True, of=("self",))
        .first()
    )
    if command is None:
        return None
    _forget_silence(command)
    was_stopped = source == "cmd" and (bool(left) or asked_to_stop_since(command))
    if source == "cmd" and not was_stopped:
        enter(command, State.DONE, at=at)
    else:
        enter(command, State.ABORTED, at=at, why="stop" if was_stopped else source)
    command.settled_at = at
    command.save()
    note(command, command.status, at=at, why="state")
    _follow(command, was=State.UNKNOWN, at=at)
    return command


@transaction.atomic
def prove_start(
    *, output: Output, command_id: str, boot: int | None, at: datetime
) -> Command | None:
    """Take an output's own state, on and naming a command, as its start; the ack may be lost."""
    waiting = (Command.Status.SENT, Command.Status.ACCEPTED)
    command = (
        Command.objects.filter(pk=command_id, output=output, status__in=waiting)
        .select_related("node__greenhouse", "output__node__greenhouse", "output__zone")
        .select_for_update(no_key=True, of=("self",))
        .first()
    )
    if command is None:
        return None
    was = State(command.status)
    enter(command, State.STARTED, at=at)
    command.save()
    note(command, State.STARTED, at=at, why="state", boot=boot)
    _follow(command, was=was, at=at)
    return command


@transaction.atomic
def stop_late_start(*, output: Output, command_id: str, is_news: bool, at: datetime) -> bool:
    """Stop a run or dose that is on after it was given up for lost; tell whether it is one.

    The stop that was asked for then may have come first. While a stop is under way, it is waited
    for; when the output is on after it, people are told as well. What the broker only repeats, or
    keeps of a controller that is away, is no news.
    """
    given_up = Command.objects.filter(
        pk=command_id,
        output=output,
        status=Command.Status.UNKNOWN,
        op__in=(Command.Op.RUN, Command.Op.DOSE),
    )
    if not given_up.exists():
        return False
    is_stopping = Command.objects.open().filter(output=output, op=Command.Op.STOP).exists()
    if is_stopping or not (is_news and output.node.is_online):
        return True
    request_stop(output=output, source=Command.Source.SAFETY, why="began_late", at=at)
    alarms.raise_alarm(
        key=stuck_key(output),
        kind="stuck_on",
        severity=Alarm.Severity.URGENT,
        greenhouse=output.node.greenhouse,
        node=output.node,
        zone=output.zone,
        output=output,
        facts={"src": output.state_source},
        at=at,
    )
    return True


def stuck_key(output: Output) -> str:
    """Name the alarm of an output that is on and must not be."""
    return f"stuck_on:{output.pk}"


@transaction.atomic
def settle_unknown(*, command: Command, at: datetime, by: User) -> Command:
    """Note that a person has looked what became of a command, so that the next may be given."""
    command = (
        Command.objects.select_for_update(no_key=True, of=("self",))
        .select_related("output")
        .get(pk=command.pk)
    )
    if command.status != Command.Status.UNKNOWN:
        raise CommandRefusedError(_("The end of this command is known."), reason="known")
    if command.settled_at is None:
        command.settled_at = at
        command.save(update_fields=["settled_at"])
        note(command, "settled", at=at, why=f"user:{by.pk}")
    if not _has_unknown(command):
        alarms.clear_alarm(key=unknown_key(command), at=at)
    return command
