"""Commands to devices that do not speak farm/v1, and what their states say of them.

They acknowledge nothing and know no ids, so that what makes a controller safe is done here: a run
is sent once and never again, not through a broker's memory, and bounded by the device's own timer.
"On" is its start, "off" its end; where neither comes, the command ends as unknown and is stopped.
"""

from collections.abc import Callable, Mapping
from datetime import datetime

from django.db import transaction
from django.db.models import Case, IntegerField, Q, Value, When

from farm import command_states, frames
from farm.adapters.protocol import Adapter, CannotDoError, Outgoing, Switched
from farm.command_states import State
from farm.models import Command, Node, Output
from farm.models.commands import CommandQuerySet
from farm.services import commands, nodes
from farm.services.command_sending import mark_sent, tell_if_not_taken
from farm.services.command_steps import STOPS, asked_to_stop_since, move

Publish = Callable[[str, bytes, int, bool], None]

SEND_AT_ONCE = 100
# "On" and "off" both take a moment to reach us: a run this much shorter is a whole one.
SHORTER_BY_SECONDS = 3.0


def send_due(*, publish: Publish, adapters: Mapping[str, Adapter], at: datetime) -> int:
    """Send what waits for foreign devices, stops first; answer how many commands went out.

    Only a stop is sent a second time: such a device would run a second time.
    """
    if not Command.objects.to_be_sent(at=at).exists():
        return 0
    with transaction.atomic(durable=True):
        claimed = list(_claim(at))
        going = [
            (command, outgoing)
            for command in claimed
            if (outgoing := _translate(command, adapters, at=at)) and mark_sent(command, at=at)
        ]
    for command, outgoing in going:
        for message in outgoing:
            publish(message.topic, message.payload, message.qos, False)  # noqa: FBT003  # not retained
        _end_needless_stop(command, at=at)
    return len(going)


def _claim(at: datetime) -> CommandQuerySet:
    five, fifteen = command_states.RESEND_AFTER
    again = Q(status=Command.Status.SENT, op__in=STOPS) & (
        Q(sends=1, sent_at__lte=at - five) | Q(sends=2, sent_at__lte=at - fifteen)
    )
    is_stop = Case(When(op__in=STOPS, then=Value(0)), default=Value(1), output_field=IntegerField())
    return (
        Command.objects.filter(Q(status=Command.Status.QUEUED) | again, expires_at__gt=at)
        .exclude(node__protocol=Node.Protocol.FARM_V1)
        .select_related("node__greenhouse", "output", "rule")
        .order_by(is_stop, "created_at", "pk")
        .select_for_update(skip_locked=True, of=("self",))[:SEND_AT_ONCE]
    )


def _translate(
    command: Command, adapters: Mapping[str, Adapter], *, at: datetime
) -> tuple[Outgoing, ...]:
    """Write a command in the device's words; reject it where the device has none for it."""
    try:
        return _words(command, adapters[command.node.protocol])
    except CannotDoError as error:
        move(command, State.REJECTED, at=at, why=error.reason)
        tell_if_not_taken(command, at=at)
        return ()


def _words(command: Command, adapter: Adapter) -> tuple[Outgoing, ...]:
    prefix, output = command.node.topic, command.output
    if command.op == Command.Op.STOP_ALL:
        return tuple(
            message
            for one in _outputs_of(command)
            for message in adapter.stop(prefix, adapter.output_key(one.code))
        )
    if output is None or command.op not in (Command.Op.RUN, Command.Op.STOP):
        raise CannotDoError("unsupported")
    key = adapter.output_key(output.code)
    if command.op == Command.Op.STOP:
        return adapter.stop(prefix, key)
    if not command.node.is_online:
        raise CannotDoError("offline")
    if command.litres is not None:
        raise CannotDoError("no_litres")
    return adapter.run(prefix, key, command.seconds or 0)


def _outputs_of(command: Command) -> list[Output]:
    """Give the outputs that a stop is about."""
    if command.output is not None:
        return [command.output]
    return list(Output.objects.filter(node=command.node_id, is_active=True).order_by("pk"))


def _end_needless_stop(command: Command, *, at: datetime) -> None:
    """End a stop of what is off already: most devices say nothing to it.

    Not where a run was sent since the device last spoke: then its "off" is no news of that.
    """
    if command.op in STOPS and all(_is_surely_off(output) for output in _outputs_of(command)):
        _tell(command, "done", at=at)


def _is_surely_off(output: Output) -> bool:
    if output.is_on is not False or output.state_heard_at is None:
        return False
    return not Command.objects.filter(
        output=output, op=Command.Op.RUN, sent_at__gte=output.state_heard_at
    ).exists()


@transaction.atomic
def take_switched(
    *, node: Node, output: Output, switched: Switched, is_retained: bool, at: datetime
) -> None:
    """Take what a device shows of an output as its word on the commands for it.

    What the broker had kept may be of any age: it only ends what we have seen begin.
    """
    output.refresh_from_db(fields=["is_on"])
    if is_retained and (switched.is_on or output.is_on is not True):
        return
    run = _run_under_way(output)
    state = frames.OutputState(
        on=switched.is_on,
        src="cmd" if run is not None else "local",
        flow=switched.flow_litres_per_minute,
    )
    nodes.record_output_state(node=node, output_code=output.code, state=state, at=at)
    if switched.is_on:
        if run is not None and run.status != Command.Status.STARTED:
            _tell(run, "started", at=at)
        return
    if run is not None and run.status == Command.Status.STARTED:
        _end_run(run, switched, is_retained=is_retained, at=at)
    _end_stops(output, at=at)


def _run_under_way(output: Output) -> Command | None:
    return (
        Command.objects.open()
        .filter(output=output, op=Command.Op.RUN, sent_at__isnull=False)
        .order_by("sent_at", "pk")
        .first()
    )


def _end_run(run: Command, switched: Switched, *, is_retained: bool, at: datetime) -> None:
    """Say how a run ended: whole, stopped, or before its time."""
    seen = (at - run.started_at).total_seconds() if run.started_at else 0.0
    ran = seen if switched.ran_seconds is None else switched.ran_seconds
    asked = float(run.seconds or 0)
    told = None if is_retained and switched.ran_seconds is None else round(ran, 1)
    if asked_to_stop_since(run) and ran < asked:
        _tell(run, "aborted", why="stop", ran_s=told, at=at)
    elif ran < asked - SHORTER_BY_SECONDS:
        _tell(run, "aborted", why="off", ran_s=told, at=at)
    else:
        _tell(run, "done", ran_s=told, at=at)


def _end_stops(output: Output, *, at: datetime) -> None:
    waiting = Command.objects.filter(
        Q(output=output) | Q(output=None), node=output.node_id, op__in=STOPS,
        status=Command.Status.SENT,
    ).select_related("output")  # fmt: skip
    for stop in waiting.order_by("pk"):
        if all(one.is_on is False for one in _outputs_of(stop) if one.pk != output.pk):
            _tell(stop, "done", at=at)


def _tell(
    command: Command, word: str, *, at: datetime, why: str = "", ran_s: float | None = None
) -> None:
    """Say for the device what its state means, in the words of farm/v1."""
    t_ms = round(at.timestamp() * 1000)
    ack = frames.Ack(id=command.pk, st=word, t_ms=t_ms, why=why, ran_s=ran_s)
    commands.take_ack(node=command.node, ack=ack, at=at)


@transaction.atomic
def take_presence(*, node: Node, is_online: bool, at: datetime) -> None:
    """Note that a device came or went; one that comes back into a stopped house is stopped.

    It keeps no config of ours, so that the emergency stop has to be said to it.
    """
    was_online = node.is_online
    nodes.record_status(node=node, is_online=is_online, at=at)
    if is_online and not was_online and node.greenhouse.is_stopped:
        commands.stop_everything(node=node, source=Command.Source.SAFETY, why="estop", at=at)
