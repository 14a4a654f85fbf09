"""What controllers say of themselves and their outputs; the row is what was said last."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from farm import bounds, frames
from farm.models import Alarm, Command, DeviceEvent, Node, Output
from farm.services import alarms, device_runs
from farm.services.births import record_birth
from farm.services.command_acks import prove_end, prove_start, stop_late_start, stuck_key
from farm.services.command_requests import request_stop
from farm.services.device_clock import device_moment

__all__ = [
    "record_birth",
    "record_config_ack",
    "record_event",
    "record_output_state",
    "record_status",
]

# A broker repeats what was not acknowledged within moments; what seems older than that is a
# clock that was put back, and then the news counts.
REPEATED_WITHIN = timedelta(seconds=120)
# A controller needs a moment to obey the emergency stop.
OBEYS_WITHIN = timedelta(seconds=10)
EVENTS_LOOKED_AT = 20
_KIND_OF_EVENT = {
    "lease": "lease_lost",
    "over_temp": "over_temperature",
    "leak": "flow_after_off",
    frames.RETAINED_COMMAND: "retained_command",
}
_URGENT = ("no_flow", "flow_after_off", "over_temperature")


@transaction.atomic
def record_status(*, node: Node, is_online: bool, at: datetime) -> Node:
    """Note that a controller came or went; one that went is an alarm until it comes back."""
    node = (
        Node.objects.select_for_update(no_key=True, of=("self",))
        .select_related("greenhouse")
        .get(pk=node.pk)
    )
    is_change = node.is_online != is_online or node.status_at is None
    if is_change:
        node.is_online, node.status_at = is_online, at
        if is_online:
            node.heard_at = at
        node.save(update_fields=["is_online", "status_at", "heard_at", "updated_at"])
    if is_online:
        alarms.clear_alarm(key=f"node_offline:{node.pk}", at=at)
    elif is_change:
        # Who is away cannot be deaf as well: one alarm is enough.
        alarms.clear_alarm(key=f"node_deaf:{node.pk}", at=at)
        alarms.raise_alarm(
            key=f"node_offline:{node.pk}",
            kind="node_offline",
            severity=Alarm.Severity.WARNING,
            greenhouse=node.greenhouse,
            node=node,
            at=at,
        )
    return node


@transaction.atomic
def record_output_state(
    *, node: Node, output_code: str, state: frames.OutputState, at: datetime
) -> Output | None:
    """Take an output's own word on what it does; None when the controller has no such output."""
    output = (
        Output.objects.filter(node=node, code=output_code)
        .select_related("node__greenhouse", "zone")
        .select_for_update(no_key=True, of=("self",))
        .first()
    )
    if output is None:
        return None
    device_runs.take_word(output=output, state=state, at=at)
    said_at = device_moment(state.t_ms, at=at)
    if _is_overtaken(output, state, said_at):
        return output
    if output.is_on != state.on or output.state_boot != state.boot or output.state_at is None:
        output.state_at = said_at
    is_repeat = _is_repeat(output, state, said_at)
    output.is_on, output.state_boot = state.on, state.boot
    output.state_up_ms = state.up_ms if state.t_ms is None else None
    output.state_heard_at = max(output.state_heard_at or said_at, said_at)
    output.state_source, output.state_command = state.src[:10], state.id[:26]
    output.state_left_seconds = device_runs.believable_left(state.left)
    output.state_flow = state.flow if bounds.within((state.flow,), bounds.FLOW) else None
    output.state_level = state.v if bounds.within((state.v,), bounds.LEVEL) else None
    output.save()
    if not _prove(output, state, is_repeat=is_repeat, at=at):
        _stop_disobedience(output, at=at)
    return output


def _is_overtaken(output: Output, state: frames.OutputState, said_at: datetime) -> bool:
    """Tell whether a newer word is here already: of a later boot, or said moments later.

    Without a clock the counter of the boot tells which was said first.
    """
    boot = output.node.boot
    if state.boot is not None and boot is not None and state.boot < boot:
        return True
    if output.state_at is None or output.state_boot != state.boot:
        return False
    older_by = output.state_at - said_at
    before, now = output.state_up_ms, state.up_ms
    if state.t_ms is None and state.boot is not None and before is not None and now is not None:
        older_by = timedelta(milliseconds=before - now)
    # A counter that went back by more has run over: 32 bits of milliseconds are seven weeks.
    return timedelta(0) < older_by <= REPEATED_WITHIN


def _is_repeat(output: Output, state: frames.OutputState, said_at: datetime) -> bool:
    """Tell whether the broker has brought the newest word once more, as at each connection."""
    if (output.is_on, output.state_boot, output.state_command) != (state.on, state.boot, state.id):
        return False
    if state.t_ms is None:
        return state.up_ms is not None and state.up_ms == output.state_up_ms
    return said_at == output.state_heard_at


def _prove(output: Output, state: frames.OutputState, *, is_repeat: bool, at: datetime) -> bool:
    """Take the state as a proof of its command; True: it is on, and was given up for lost."""
    if not state.id:
        return False
    if state.on:
        prove_start(output=output, command_id=state.id, boot=state.boot, at=at)
        return stop_late_start(output=output, command_id=state.id, is_news=not is_repeat, at=at)
    prove_end(output=output, command_id=state.id, source=state.src, left=state.left, at=at)
    return False


def _stop_disobedience(output: Output, *, at: datetime) -> None:
    """Stop what is on in a stopped house, and let people know; the level alone was not enough."""
    house = output.node.greenhouse
    if not (output.is_on and house.is_stopped and house.stopped_at):
        alarms.clear_alarm(key=stuck_key(output), at=at)
        return
    if at < house.stopped_at + OBEYS_WITHIN or output.fail == Output.Fail.LOCAL:
        return
    request_stop(output=output, source=Command.Source.SAFETY, why="estop", at=at)
    alarms.raise_alarm(
        key=stuck_key(output),
        kind="stuck_on",
        severity=Alarm.Severity.URGENT,
        greenhouse=house,
        node=output.node,
        zone=output.zone,
        output=output,
        facts={"src": output.state_source},
        at=at,
    )


@transaction.atomic
def record_event(*, node: Node, event: frames.Event, at: datetime) -> DeviceEvent:
    """Write down what a controller raised or cleared; what it raised or cleared last holds."""
    node = (
        Node.objects.select_for_update(no_key=True, of=("self",))
        .select_related("greenhouse")
        .get(pk=node.pk)
    )
    said_at = device_moment(event.t_ms, at=at)
    moment: dict[str, Any] = {"at": said_at, "boot": event.boot, "up_ms": None}
    known_by = ("at", "up_ms")
    if event.t_ms is None and event.up_ms is not None and event.boot is not None:
        moment["up_ms"], known_by = event.up_ms, ("boot", "up_ms")
    row, is_new = DeviceEvent.objects.get_or_create(
        node=node,
        kind=event.kind,
        is_raised=event.is_raised,
        output_code=event.output,
        **{name: moment[name] for name in known_by},
        defaults={**moment, "received_at": at, "facts": dict(event.facts)},
    )
    if not is_new:
        return row
    holding = _holding_before(row)
    is_earlier = event.boot is not None and node.boot is not None and event.boot < node.boot
    if holding is None or not _comes_late(row, holding, is_of_earlier_boot=is_earlier):
        _show_event(node, event, row.facts, at=at)
    return row


def _holding_before(row: DeviceEvent) -> DeviceEvent | None:
    """Find the event of this kind that held when this one came: the last that was not late."""
    before = DeviceEvent.objects.filter(
        node=row.node_id, kind=row.kind, output_code=row.output_code, pk__lt=row.pk
    ).order_by("-pk")[:EVENTS_LOOKED_AT]
    holding = None
    for event in reversed(before):
        if holding is None or not _comes_late(event, holding):
            holding = event
    return holding


def _comes_late(
    event: DeviceEvent, holding: DeviceEvent, *, is_of_earlier_boot: bool = False
) -> bool:
    """Tell whether an event was overtaken; one that seems much older is a clock put back.

    Without a clock the boot tells, and within it the counter: two bridges may hand on such words
    in either order, and what a broker repeats seems new.
    """
    if event.up_ms is not None and event.boot is not None and holding.boot is not None:
        if event.boot != holding.boot:
            return event.boot < holding.boot
        if holding.up_ms is not None:
            behind = timedelta(milliseconds=holding.up_ms - event.up_ms)
            return timedelta(0) < behind <= REPEATED_WITHIN
    older_by = holding.at - event.at
    if older_by <= timedelta(0):
        return False
    return is_of_earlier_boot or older_by <= REPEATED_WITHIN


def _show_event(node: Node, event: frames.Event, facts: Mapping[str, Any], *, at: datetime) -> None:
    key = f"device:{node.pk}:{event.kind}:{event.output}"
    if not event.is_raised:
        alarms.clear_alarm(key=key, at=at)
        return
    kind = _KIND_OF_EVENT.get(event.kind, event.kind)
    output = Output.objects.filter(node=node, code=event.output).select_related("zone").first()
    alarms.raise_alarm(
        key=key,
        kind=kind,
        severity=Alarm.Severity.URGENT if kind in _URGENT else Alarm.Severity.WARNING,
        greenhouse=node.greenhouse,
        node=node,
        zone=output.zone if output else None,
        output=output,
        facts=dict(facts),
        at=at,
    )


@transaction.atomic
def record_config_ack(*, node: Node, ack: frames.ConfigAck, at: datetime) -> Node:
    """Note which config a controller keeps, or why it does not."""
    node = (
        Node.objects.select_for_update(no_key=True, of=("self",))
        .select_related("greenhouse")
        .get(pk=node.pk)
    )
    if ack.ok:
        node.config_acked_rev, node.config_error = ack.rev, ""
        alarms.clear_alarm(key=f"config_refused:{node.pk}", at=at)
    else:
        node.config_error = (ack.err or "refused")[:200]
        alarms.raise_alarm(
            key=f"config_refused:{node.pk}",
            kind="config_refused",
            severity=Alarm.Severity.WARNING,
            greenhouse=node.greenhouse,
            node=node,
            facts={"rev": ack.rev, "error": node.config_error},
            at=at,
        )
    node.save(update_fields=["config_acked_rev", "config_error", "updated_at"])
    return node
