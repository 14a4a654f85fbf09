"""An output as a page shows it: what its device last told, and never what we wish."""

from datetime import datetime, timedelta
from typing import NamedTuple

from django.utils.translation import gettext as _

from farm import words
from farm.models import Command, Greenhouse, Output
from farm.selectors import steps
from farm.words import age_words

# A device tells its state every 60 s while it is on (farm/v1); two missed ones are doubt.
STATE_DOUBTED_AFTER = timedelta(seconds=150)
# What is told of a flow at the moment of switching is of before: the pipe has to fill.
PIPE_FILLS = timedelta(seconds=15)


class OutputShown(NamedTuple):
    """Something that can be switched, as its device last told, with its latest command."""

    id: int
    name: str
    kind: str
    kind_words: str
    state: str
    state_words: str
    switched_by: str
    flow: str
    is_running: bool
    lock: str
    lock_words: str
    is_reachable: bool
    is_acknowledging: bool
    max_seconds: int
    command: steps.CommandSteps | None


def is_on_now(output: Output, now: datetime) -> bool:
    """Whether the device says that it is on and has said so lately."""
    heard_at = output.state_heard_at
    return bool(
        output.is_on
        and output.node.is_online
        and heard_at is not None
        and now - heard_at <= STATE_DOUBTED_AFTER
    )


def stopped_words(house: Greenhouse, *, now: datetime) -> str:
    """Say who has stopped a house and when; "" where it is not stopped."""
    if not (house.is_stopped and house.stopped_at):
        return ""
    return _("%(person)s stopped everything %(when)s") % {
        "person": house.stopped_by or _("Somebody"),
        "when": age_words(house.stopped_at, now),
    }


def show_output(output: Output, command: Command | None, *, now: datetime) -> OutputShown:
    """Put an output into words, with its latest command if there is one. No query."""
    shown = steps.steps_of(command, now=now) if command else None
    is_on = is_on_now(output, now)
    lock = output.lock_at(now)
    state, state_words = _state(output, now)
    return OutputShown(
        id=output.pk,
        name=str(output),
        kind=output.kind,
        kind_words=output.get_kind_display(),
        state=state,
        state_words=state_words,
        switched_by=words.switched_by_words(output.state_source) if output.is_on else "",
        flow=_flow_words(output) if is_on else "",
        is_running=is_on or bool(shown and shown.is_open),
        lock=lock,
        lock_words=_lock_words(output, lock),
        is_reachable=output.node.is_online,
        is_acknowledging=output.node.acknowledges,
        max_seconds=output.max_seconds,
        command=shown,
    )


def _flow_words(output: Output) -> str:
    """Say what an open valve lets through; nothing of what has no litres, or from before."""
    since, heard = output.state_at, output.state_heard_at
    if output.kind != Output.Kind.VALVE or output.state_flow is None:
        return ""
    if since is None or heard is None or heard - since < PIPE_FILLS:
        return ""
    return words.amount(output.state_flow, words.Quantity.FLOW)


def _state(output: Output, now: datetime) -> tuple[str, str]:
    if output.is_on is None:
        return "unknown", _("not known yet")
    if is_on_now(output, now):
        return "on", _open_words(output)
    age = age_words(output.state_heard_at, now)
    if output.is_on:
        return "doubt", _("still on %(age)s, not heard since") % {"age": age}
    if not output.node.is_online:
        return "doubt", _("still off %(age)s, the controller is away") % {"age": age}
    return "off", _("closed") if output.kind == Output.Kind.VALVE else _("off")


def _open_words(output: Output) -> str:
    return _("open") if output.kind == Output.Kind.VALVE else _("on")


def _lock_words(output: Output, lock: str) -> str:
    if lock == Output.Lock.AUTO:
        return ""
    said = [str(Output.Lock(lock).label)]
    if output.lock_until:
        said.append(_("until %(when)s") % {"when": words.moment(output.lock_until)})
    if output.lock_reason:
        said.append(f"“{output.lock_reason}”")
    return ", ".join(said)
