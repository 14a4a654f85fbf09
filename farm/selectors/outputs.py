"""One output by itself: how it stands, what it may be told, and what it did lately."""

from datetime import datetime
from typing import NamedTuple

from django.db.models import QuerySet

from farm.models import Alarm, Command, LockChange, Output
from farm.selectors import steps
from farm.selectors.shown_outputs import OutputShown, show_output, stopped_words

LATEST = 20
STRENGTHS = (25, 50, 75, 100)
MINUTES = {
    Output.Kind.VALVE: (1, 2, 5, 10),
    Output.Kind.PUMP: (1, 2, 5, 10),
    Output.Kind.FAN: (5, 15, 30, 60),
    Output.Kind.LIGHT: (15, 60, 240),
    Output.Kind.OTHER: (1, 5, 15),
}


class LockShown(NamedTuple):
    """A change of the lock."""

    at: datetime
    lock: str
    until: datetime | None
    reason: str
    by: str


class OutputPage(NamedTuple):
    """An output with its latest commands and locks."""

    shown: OutputShown
    house_code: str
    house: str
    zone: str
    node: str
    is_stopped: bool
    stopped_words: str
    # Neither stopped with its house nor locked off: else a button would promise what is refused.
    may_run: bool
    minutes: tuple[tuple[int, int], ...]
    may_dose: bool
    # Which strengths a fan or light may be set to, in percent; none where it knows only on and off.
    strengths: tuple[int, ...]
    strength: str
    commands: tuple[steps.CommandSteps, ...]
    unsettled: tuple[steps.CommandSteps, ...]
    locks: tuple[LockShown, ...]
    is_without_water: bool


def output_page(output: Output, *, now: datetime) -> OutputPage:
    """Give an output's page. Four queries, and one for who has stopped the house."""
    latest = list(
        Command.objects.filter(output=output, op__in=(*steps.RUNS, Command.Op.SET))
        .select_related("node", "output", "by", "rule")
        .order_by("-created_at", "-pk")[:LATEST]
    )
    locks = LockChange.objects.filter(output=output).select_related("by").order_by("-at", "-pk")
    run = next((command for command in latest if command.op in steps.RUNS), None)
    house = output.node.greenhouse
    unsettled = unsettled_commands().filter(output=output).order_by("-created_at", "-pk")
    return OutputPage(
        shown=show_output(output, run, now=now),
        house_code=house.code,
        house=house.name,
        zone=output.zone.name if output.zone else "",
        node=str(output.node),
        is_stopped=house.is_stopped,
        stopped_words=stopped_words(house, now=now),
        may_run=not house.is_stopped and output.lock_at(now) != Output.Lock.OFF,
        minutes=tuple(
            (minutes, minutes * 60)
            for minutes in MINUTES.get(Output.Kind(output.kind), ())
            if not output.max_seconds or minutes * 60 <= output.max_seconds
        ),
        may_dose=output.kind == Output.Kind.DOSER,
        strengths=STRENGTHS if output.is_dimmable else (),
        strength=_strength(output),
        commands=tuple(steps.steps_of(command, now=now) for command in latest),
        unsettled=tuple(steps.steps_of(command, now=now) for command in unsettled),
        locks=tuple(
            LockShown(
                change.at,
                str(Output.Lock(change.lock).label),
                change.until,
                change.reason,
                str(change.by or ""),
            )
            for change in locks[:LATEST]
        ),
        is_without_water=Alarm.objects.filter(
            output=output, kind="no_flow", cleared_at__isnull=True
        ).exists(),
    )


def _strength(output: Output) -> str:
    """Say how strong the device says that it is; "" where it says nothing of it."""
    if not output.is_dimmable or output.state_level is None:
        return ""
    return steps.percent_words(output.state_level)


def unsettled_commands() -> QuerySet[Command]:
    """Give runs and doses whose end nobody knows: they hold back what follows."""
    return Command.objects.filter(
        status=Command.Status.UNKNOWN, settled_at__isnull=True, op__in=steps.RUNS
    ).select_related("node", "output", "by", "rule")
