"""Watching what outputs really do: water that does not come, does not stop, or is too warm."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import inf
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from farm.errors import CommandRefusedError
from farm.models import Alarm, Channel, Command, Output
from farm.services import alarms
from farm.services.safety_facts import DEVICE_ALARM, STATE_HOLDS, fresh_value, is_hot

# Pipes fill and empty: what a meter says right after switching is no finding.
SETTLING = timedelta(seconds=15)
EMPTYING = timedelta(seconds=30)
# Below this part of the least flow it is "no flow" and latched, above it only "too little".
NO_FLOW_SHARE = 0.2
# A coarse meter needs a few pulses before it can tell (farm.md §2.6).
PULSES_TO_TELL = 3
LEAK_LITRES_PER_MINUTE = 0.2
ABOUT = 0.1  # two meters differ by so much, or by so many L/min
COOLER_BY = 0.5
_WATER_KINDS = (Output.Kind.VALVE, Output.Kind.PUMP)
_KINDS = ("no_flow", "flow_low", "flow_high", "flow_after_off", "over_temperature")


@dataclass(frozen=True, slots=True)
class _Flow:
    """A flow in L/min and when it was measured.

    `shared_most` is None for an output's own flow. Else it is what all open valves behind the one
    meter let through together at most, and the flow is the meter's: it can show that there is too
    little or too much, but never that this valve is well.
    """

    litres_per_minute: float
    measured_at: datetime
    shared_most: float | None = None


def watch_outputs(*, at: datetime) -> int:
    """Raise and clear the alarms of outputs by what devices last said; answer how many changed.

    Five queries where all is well, however many outputs there are.
    """
    open_alarms = list(Alarm.objects.filter(kind__in=_KINDS, cleared_at__isnull=True))
    open_keys = {alarm.key for alarm in open_alarms}
    channels = _channels()
    outputs = list(
        Output.objects.filter(
            kind__in=_WATER_KINDS, is_active=True, node__is_online=True,
            node__greenhouse__is_active=True,
        )
        .select_related("node__greenhouse", "zone")
        .order_by("pk")
    )  # fmt: skip
    changed = 0
    for output in outputs:
        changed += _watch_flow(output, channels, outputs, open_keys, at=at)
    for channel in channels:
        if channel.quantity == Channel.Quantity.FLOW:
            changed += _watch_leak(channel, outputs, open_keys, at=at)
        else:
            changed += _watch_heat(channel, open_keys, at=at)
    for alarm in open_alarms:
        changed += _end_leak_of_device(alarm, channels, at=at)
    return changed


def _channels() -> list[Channel]:
    return list(
        Channel.objects.shown()
        .filter(
            quantity__in=(
                Channel.Quantity.FLOW,
                Channel.Quantity.AIR_TEMPERATURE,
                Channel.Quantity.WATER_TEMPERATURE,
            ),
            node__greenhouse__is_active=True,
        )
        .select_related("latest", "node__greenhouse", "zone")
        .prefetch_related("limits")
        .order_by("pk")
    )


def _watch_flow(
    output: Output,
    channels: Sequence[Channel],
    outputs: Sequence[Output],
    open_keys: set[str],
    *,
    at: datetime,
) -> int:
    """Hold the flow of an output that is on against its band."""
    if not output.is_on or output.flow_low is None or output.state_at is None:
        return 0
    meters = [
        channel
        for channel in channels
        if channel.quantity == Channel.Quantity.FLOW and channel.node_id == output.node_id
    ]
    beside = _beside(output, meters, outputs)
    switched_at = max([output.state_at, *(each.state_at for each in beside if each.state_at)])
    settled_at = switched_at + max([SETTLING, *(_pulse_time(meter, output) for meter in meters)])
    flow = _flow_of(output, meters, beside, at=at)
    if flow is None or flow.measured_at < settled_at:
        return 0
    return _judge_flow(output, flow, open_keys, at=at)


def _judge_flow(output: Output, flow: _Flow, open_keys: set[str], *, at: datetime) -> int:
    low, high, now = output.flow_low or 0.0, output.flow_high, flow.litres_per_minute
    is_none = now < low * NO_FLOW_SHARE
    judged = {"no_flow": is_none, "flow_low": not is_none and now < low}
    if flow.shared_most is None:
        judged["flow_high"] = high is not None and now > high
    else:
        judged = {kind: holds for kind, holds in judged.items() if holds}
        if now > flow.shared_most:
            judged["flow_high"] = True
    facts = {"flow": round(now, 2), "low": output.flow_low, "high": output.flow_high}
    return sum(
        _set(kind, holds, open_keys, facts=facts, output=output, at=at)
        for kind, holds in judged.items()
    )


def _beside(output: Output, meters: Sequence[Channel], outputs: Sequence[Output]) -> list[Output]:
    """Give the other valves behind the one meter of an output's controller."""
    if len(meters) != 1:
        return []
    return [
        other
        for other in outputs
        if other.node_id == output.node_id
        and other.kind == Output.Kind.VALVE
        and other.pk != output.pk
    ]


def _flow_of(
    output: Output, meters: Sequence[Channel], beside: Sequence[Output], *, at: datetime
) -> _Flow | None:
    """Tell an output's flow: by its own word, or by the meter that open valves share."""
    told = _told_flow(output, at=at)
    others = [other for other in beside if other.is_on is not False]
    shown = fresh_value(meters[0], at=at) if len(meters) == 1 else None
    if shown is None or (told is not None and not _is_part(output, others, at=at)):
        return told
    measured_at = meters[0].latest.t
    if not others:
        return told or _Flow(shown, measured_at)
    if output.kind != Output.Kind.VALVE:
        return told
    if told is not None and _has_meter_of_its_own(told, others, shown, at=at):
        return told
    highs = [valve.flow_high for valve in (output, *others)]
    known = [high for high in highs if high is not None]
    most = sum(known) if len(known) == len(highs) else inf
    return _Flow(shown, measured_at, shared_most=most)


def _is_part(output: Output, others: Sequence[Output], *, at: datetime) -> bool:
    """Tell whether what a valve tells may be the flow of others too: some are surely open."""
    return output.kind == Output.Kind.VALVE and any(
        other.is_on and other.state_heard_at and at - other.state_heard_at <= STATE_HOLDS
        for other in others
    )


def _has_meter_of_its_own(
    told: _Flow, others: Sequence[Output], shown: float, *, at: datetime
) -> bool:
    """Tell whether open valves tell each its own flow: unlike ones that make up the meter's.

    Others tell each of them the whole, or each an equal part of it.
    """
    words = [told, *(_told_flow(other, at=at) for other in others)]
    flows = [word.litres_per_minute for word in words if word is not None]
    is_unlike = max(flows) - min(flows) > ABOUT * max(flows)
    return len(flows) == len(words) and is_unlike and sum(flows) <= shown * (1 + ABOUT) + ABOUT


def _told_flow(output: Output, *, at: datetime) -> _Flow | None:
    flow, heard = output.state_flow, output.state_heard_at
    if flow is None or heard is None or at - heard > STATE_HOLDS:
        return None
    return _Flow(flow, heard)


def _pulse_time(meter: Channel, output: Output) -> timedelta:
    if not meter.pulses_per_litre or not output.flow_low:
        return timedelta(0)
    return timedelta(minutes=PULSES_TO_TELL / (meter.pulses_per_litre * output.flow_low))


def _watch_leak(
    meter: Channel, outputs: Sequence[Output], open_keys: set[str], *, at: datetime
) -> int:
    """Look for water that flows although all that could let it through is off."""
    near = [
        output
        for output in outputs
        if output.node_id == meter.node_id
        or (meter.zone_id is not None and output.zone_id == meter.zone_id)
    ]
    flow = fresh_value(meter, at=at)
    if not near or flow is None:
        return 0
    off_since = [output.state_at for output in near if output.is_on is False and output.state_at]
    if len(off_since) < len(near) or meter.latest.t < max(off_since) + EMPTYING:
        return 0
    flows = flow > LEAK_LITRES_PER_MINUTE
    facts = {"flow": round(flow, 2), "since": max(off_since).isoformat()}
    return _set("flow_after_off", flows, open_keys, facts=facts, channel=meter, at=at)


def _end_leak_of_device(alarm: Alarm, channels: Sequence[Channel], *, at: datetime) -> int:
    """Clear a leak that a controller told of: after a restart it may not tell the end of it.

    It does not say at which meter, so that all of its meters have to read zero since.
    """
    if alarm.kind != "flow_after_off" or not alarm.key.startswith(DEVICE_ALARM):
        return 0
    meters = [
        channel
        for channel in channels
        if channel.quantity == Channel.Quantity.FLOW and channel.node_id == alarm.node_id
    ]
    is_over = meters and all(_is_dry(meter, since=alarm.last_at, at=at) for meter in meters)
    return int(alarms.clear_alarm(key=alarm.key, at=at)) if is_over else 0


def _is_dry(meter: Channel, *, since: datetime, at: datetime) -> bool:
    flow = fresh_value(meter, at=at)
    return flow is not None and flow <= LEAK_LITRES_PER_MINUTE and meter.latest.t > since


def _watch_heat(channel: Channel, open_keys: set[str], *, at: datetime) -> int:
    value = fresh_value(channel, at=at)
    highs = [limit.high for limit in channel.limits.all() if limit.high is not None]
    if value is None or not highs:
        return 0
    is_too_hot = is_hot(channel, at=at)
    if not is_too_hot and value > min(highs) - COOLER_BY:
        return 0
    facts = {"value": round(value, 1)}
    return _set("over_temperature", is_too_hot, open_keys, facts=facts, channel=channel, at=at)


def _set(  # noqa: PLR0913  # each is a fact of the alarm, named by keyword
    kind: str,
    holds: bool,  # noqa: FBT001  # it is what the alarm says
    open_keys: set[str],
    *,
    facts: dict[str, Any],
    at: datetime,
    output: Output | None = None,
    channel: Channel | None = None,
) -> int:
    """Bring an alarm in line with what was seen; only a change writes anything."""
    thing = output or channel
    assert thing is not None  # noqa: S101  # each caller gives one of them
    key = f"{kind}:{'output' if output else 'channel'}:{thing.pk}"
    if holds == (key in open_keys):
        return 0
    if not holds:
        return int(alarms.clear_alarm(key=key, at=at))
    alarms.raise_alarm(
        key=key,
        kind=kind,
        severity=Alarm.Severity.WARNING if kind == "flow_low" else Alarm.Severity.URGENT,
        greenhouse=thing.node.greenhouse,
        node=thing.node,
        zone=thing.zone,
        output=output,
        channel=channel,
        facts=facts,
        at=at,
    )
    return 1


def judge_run(*, command: Command, output: Output, at: datetime) -> None:
    """Latch "no flow" after a run that gave none, and take it off after one that gave water."""
    key = f"no_flow:output:{output.pk}"
    average = _average_flow(command, output)
    if command.why == "no_flow" or (
        average is not None and average < (output.flow_low or 0.0) * NO_FLOW_SHARE
    ):
        _set("no_flow", True, _open(key), facts={"command": command.pk}, output=output, at=at)  # noqa: FBT003  # holds
    elif average is not None:
        for alarm in _no_flow_alarms(output):
            alarms.clear_alarm(key=alarm.key, at=at)


def _no_flow_alarms(output: Output) -> QuerySet[Alarm]:
    """Give the latches of an output: ours, and the controller's own, which outlives its boot."""
    latches = Alarm.objects.filter(output=output, kind="no_flow", cleared_at__isnull=True)
    return latches.order_by("pk")


def _open(key: str) -> set[str]:
    return set(Alarm.objects.filter(key=key, cleared_at__isnull=True).values_list("key", flat=True))


def _average_flow(command: Command, output: Output) -> float | None:
    """Tell the flow of a run that was long enough to judge, where there is a meter."""
    seconds, litres = command.ran_seconds, command.ran_litres
    if output.flow_low is None or litres is None or seconds is None:
        return None
    if seconds < 2 * SETTLING.total_seconds() or not (litres > 0 or _has_meter(output)):
        return None
    return litres / seconds * 60


def _has_meter(output: Output) -> bool:
    meters: Iterable[Channel] = Channel.objects.shown().filter(
        node=output.node_id, quantity=Channel.Quantity.FLOW
    )
    return bool(meters)


@transaction.atomic
def clear_no_flow(*, output: Output, by: User, reason: str, at: datetime) -> bool:
    """Take the "no flow" latch off because a person has looked; tell whether it was on."""
    if not reason.strip():
        raise CommandRefusedError(_("Say what was found."), reason="reason")
    latches = list(_no_flow_alarms(output).select_for_update(no_key=True))
    for alarm in latches:
        alarm.facts |= {"cleared_by": by.pk, "reason": reason.strip()[:200]}
        alarm.save(update_fields=["facts"])
        alarms.clear_alarm(key=alarm.key, at=at)
    return bool(latches)
