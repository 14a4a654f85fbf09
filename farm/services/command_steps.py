"""One step of a command: its row moved and the step written down, in the caller's transaction."""

from datetime import datetime

from django.db.models import Q

from farm.command_states import PROVEN, State
from farm.models import Command, CommandEvent
from farm.models.commands import CommandQuerySet

STOPS = (Command.Op.STOP, Command.Op.STOP_ALL)
# They switch nothing and come by the thousand: their row says all there is to say.
PROBES = (Command.Op.PING, Command.Op.RESEND)
# They leave every output as it is, so that no stop concerns them.
HARMLESS = (*PROBES, Command.Op.CALIBRATE)
_LONGEST_WHY = 40


def note(
    command: Command, step: str, *, at: datetime, why: str = "", boot: int | None = None
) -> None:
    """Write down what happened to a command."""
    if command.op not in PROBES:
        CommandEvent.objects.create(
            command=command, at=at, step=step, why=why[:_LONGEST_WHY], boot=boot
        )


def move(command: Command, state: State, *, at: datetime, why: str = "") -> None:
    """Put a locked command into a state and write the step down."""
    enter(command, state, at=at, why=why)
    command.save()
    note(command, state, at=at, why=why)


def enter(command: Command, state: State, *, at: datetime, why: str = "") -> None:
    """Set what goes with a state on the row, without saving it."""
    command.status = state
    command.why = why[:_LONGEST_WHY] or command.why
    if state in (State.ACCEPTED, State.STARTED):
        command.accepted_at = command.accepted_at or at
    if state == State.STARTED:
        command.started_at = command.started_at or at
    if state in PROVEN:
        command.ended_at = at


def drop_queued(commands: CommandQuerySet, *, why: str, at: datetime) -> int:
    """Reject what of these has not been sent and is no stop; answer how many."""
    waiting = (
        commands.filter(status=Command.Status.QUEUED)
        .exclude(op__in=(*STOPS, *HARMLESS))
        .select_for_update(no_key=True, of=("self",))
        .order_by("pk")
    )
    dropped = list(waiting)
    for command in dropped:
        move(command, State.REJECTED, at=at, why=why)
    return len(dropped)


def asked_to_stop_since(command: Command) -> bool:
    """Tell whether a stop that concerns this command was asked for after it."""
    return Command.objects.filter(
        Q(op=Command.Op.STOP, output=command.output_id) | Q(op=Command.Op.STOP_ALL),
        Q(created_at__gt=command.created_at) | Q(created_at=command.created_at, pk__gt=command.pk),
        node=command.node_id,
    ).exists()
