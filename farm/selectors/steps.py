"""What became of a command, step by step, in the words of the device that carries it out."""

from datetime import datetime, timedelta
from typing import NamedTuple

from django.utils.translation import gettext as _

from farm import words
from farm.models import Channel, Command, Output

Status = Command.Status
DONE, NOW, LATER, WRONG = "done", "now", "later", "wrong"
# So long an ended command still stands beside its button.
SHOWN_AFTER_END = timedelta(minutes=15)
FAILED = (Status.ABORTED, Status.REJECTED, Status.EXPIRED, Status.UNKNOWN)
RUNS = (Command.Op.RUN, Command.Op.DOSE)


class Step(NamedTuple):
    """One step: its words, and whether it is behind us, going on, still to come or went wrong."""

    words: str
    state: str


class CommandSteps(NamedTuple):
    """A command with its steps; `summary` is what a screen reader says when something changes."""

    id: str
    asked: str
    asked_by: str
    created_at: datetime
    steps: tuple[Step, ...]
    summary: str
    is_open: bool
    is_good: bool
    left_seconds: int | None


def steps_of(command: Command, *, now: datetime) -> CommandSteps:
    """Lay out the steps of a command. No query when node, output and by are loaded."""
    steps = _steps(command, now)
    telling = [step for step in steps if step.state != LATER]
    return CommandSteps(
        id=command.pk,
        asked=asked_words(command),
        asked_by=by_words(command),
        created_at=command.created_at,
        steps=steps,
        summary=telling[-1].words,
        is_open=command.status in Command.OPEN,
        is_good=command.status not in FAILED,
        left_seconds=left_seconds(command, now=now),
    )


def asked_words(command: Command) -> str:
    """Say what was asked: how long, how much."""
    if command.op == Command.Op.DOSE:
        return _("%(ml)s ml") % {"ml": words.number(command.ml or 0, 0)}
    if command.op == Command.Op.RUN:
        return words.run_words(command.seconds or 0)
    if command.op == Command.Op.SET:
        return _("strength %(percent)s for %(span)s") % {
            "percent": percent_words(command.value or 0),
            "span": words.run_words(command.seconds or 0),
        }
    if command.op == Command.Op.CALIBRATE and command.channel is not None:
        return _("calibrated to %(value)s") % {"value": solution_words(command, command.channel)}
    return command.get_op_display()


def solution_words(command: Command, channel: Channel) -> str:
    """Say what a probe was to show; the command carries the sensor's own value."""
    shown = (command.value or 0) * channel.scale + channel.offset
    return words.amount(shown, channel.quantity)


def percent_words(percent: float) -> str:
    return f"{words.number(percent, 0)} %"


def by_words(command: Command) -> str:
    """Say who asked: a person's name, a programme's, or the kind of source."""
    if command.by is not None:
        return str(command.by)
    if command.rule is not None:
        return _("programme “%(name)s”") % {"name": command.rule}
    return command.get_source_display()


def left_seconds(command: Command, *, now: datetime) -> int | None:
    """Count what is left of a run that has begun; what the device says counts more than ours."""
    if command.status != Status.STARTED or command.started_at is None:
        return None
    output = command.output
    told_left = output.state_left_seconds if output else None
    heard_at = output.state_heard_at if output else None
    if output and output.state_command == command.pk and told_left is not None and heard_at:
        left = told_left - (now - heard_at).total_seconds()
    elif command.seconds:
        left = command.seconds - (now - command.started_at).total_seconds()
    else:
        return None
    return max(int(left), 0)


def result_words(command: Command) -> str:
    """Say what the device says that it did: litres where it counts them, else the time."""
    if command.op not in RUNS:
        return ""
    parts = []
    if command.op == Command.Op.DOSE and command.ml:
        parts.append(_("%(ml)s ml") % {"ml": words.number(command.ml, 0)})
    elif command.ran_seconds is not None:
        parts.append(words.run_words(command.ran_seconds))
    # A dose is millilitres: as litres it would read "0 litres".
    if command.ran_litres and command.op != Command.Op.DOSE:
        parts.append(words.litres(command.ran_litres))
    return ", ".join(parts)


def end_words(command: Command) -> str:
    """Say how a command stands or ended, in one breath."""
    if command.status in (Status.DONE, *FAILED):
        return _ended(command).words
    return command.get_status_display()


def _steps(command: Command, now: datetime) -> tuple[Step, ...]:
    steps = [_sent(command)]
    if command.node.acknowledges:
        steps.append(_accepted(command))
    if command.op in RUNS:
        steps.append(_running(command, now))
    steps.append(_ended(command))
    if command.status not in FAILED:
        return tuple(steps)
    # What never came is left out; how it failed comes last.
    return (*(step for step in steps[:-1] if step.state == DONE), steps[-1])


def _sent(command: Command) -> Step:
    if command.sent_at is None:
        return Step(_("waiting to be sent"), NOW)
    if command.sends > 1:
        return Step(_("sent, %(times)s times") % {"times": command.sends}, DONE)
    return Step(_("sent"), DONE)


def _accepted(command: Command) -> Step:
    if command.accepted_at or command.started_at or command.status == Status.DONE:
        return Step(_("the controller has it"), DONE)
    return Step(_("the controller has it"), NOW if command.status == Status.SENT else LATER)


def _running(command: Command, now: datetime) -> Step:
    # A pump moves water round; what waters is the valve.
    is_water = command.output is not None and command.output.kind == Output.Kind.VALVE
    running = _("watering") if is_water else _("running")
    if command.status == Status.STARTED:
        left = left_seconds(command, now=now)
        if left is None:
            return Step(running, NOW)
        return Step(
            _("%(what)s, %(left)s left") % {"what": running, "left": words.countdown(left)}, NOW
        )
    if command.started_at or command.status == Status.DONE:
        return Step(running, DONE)
    is_next = command.status == Status.ACCEPTED or (
        command.status == Status.SENT and not command.node.acknowledges
    )
    return Step(running, NOW if is_next else LATER)


def _ended(command: Command) -> Step:
    if command.status == Status.DONE:
        result = result_words(command)
        return Step(_("done, %(result)s") % {"result": result} if result else _("done"), DONE)
    if command.status not in FAILED:
        return Step(_("done"), LATER)
    said = {
        Status.ABORTED: _("broken off"),
        Status.REJECTED: _("refused, nothing was done"),
        Status.EXPIRED: _("too late, nothing was done"),
        Status.UNKNOWN: _("no answer: go and look whether it runs"),
    }[Status(command.status)]
    extra = [words.reason_words(command.why)]
    if command.status == Status.ABORTED:
        extra.append(result_words(command))
    extra = [part for part in extra if part]
    return Step(f"{said} ({', '.join(extra)})" if extra else said, WRONG)
