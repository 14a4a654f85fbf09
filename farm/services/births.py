"""What a controller says of itself after each connect: its boot, its channels and its outputs."""

from datetime import UTC, datetime, timedelta

from django.db import transaction

from farm import frames
from farm.models import Alarm, Channel, DeviceEvent, Node, Output, Zone
from farm.services import alarms, config, device_runs, frame_gaps, ingest
from farm.services.device_clock import CLOCK_SANE_FROM

# Births are retained: one that is this much older than the last and of an earlier boot is a ghost.
GHOST_AFTER = timedelta(seconds=60)
# A restarted controller raises its interlocks again, but not what it found in the pipes.
_OUTLIVE_A_BOOT = ("no_flow", "flow_after_off")
_Q = Channel.Quantity
_QUANTITY_BY_UNIT = {
    "mS/cm": _Q.EC, "pH": _Q.PH, "L": _Q.TANK_VOLUME, "L/min": _Q.FLOW, "degC": _Q.AIR_TEMPERATURE,
    "W/m2": _Q.SOLAR_RADIATION, "umol/m2/s": _Q.PPFD, "mg/L": _Q.DISSOLVED_OXYGEN,
    "m/s": _Q.WIND_SPEED,
}  # fmt: skip
_QUANTITY_BY_CODE = {
    "rh": _Q.RELATIVE_HUMIDITY, "hum": _Q.RELATIVE_HUMIDITY, "water_t": _Q.WATER_TEMPERATURE,
    "leaf_t": _Q.LEAF_TEMPERATURE, "co2": _Q.CO2, "drain": _Q.DRAIN_VOLUME,
    "soil": _Q.SUBSTRATE_MOISTURE,
}  # fmt: skip


@transaction.atomic
def record_birth(*, node: Node, birth: frames.Birth, at: datetime) -> Node:
    """Take a birth: what the controller has now, and whether it was started anew since.

    Commands of the earlier boot are left to commands.advance: the controller may still tell what
    became of them from its memory.
    """
    if not _counts_anew(node, birth):
        # Before the controller's row is locked: whoever stores frames takes them in this order.
        _expect_frames(node, birth, at=at)
    node = (
        Node.objects.select_for_update(no_key=True, of=("self",))
        .select_related("greenhouse")
        .get(pk=node.pk)
    )
    if _is_ghost(node, birth):
        return node
    if _counts_anew(node, birth):
        ingest.forget_reused_boots(node=node, boot=birth.boot)
        # Nor are events known by these numbers any more: what is told under them now is new.
        DeviceEvent.objects.filter(node=node, boot__gte=birth.boot).update(boot=None)
        device_runs.forget_reused_boots(node=node, boot=birth.boot, at=at)
        Output.objects.filter(node=node, state_boot__gte=birth.boot).update(state_boot=None)
        _expect_frames(node, birth, at=at)
    if node.boot != birth.boot:
        node.boot, node.born_at = birth.boot, at
        node.reset_reason = birth.reset
        _forget_interlocks(node, at=at)
        _switch_off(node, at=at)
        # Whoever tells no boot counts from the start again all the same.
        Output.objects.filter(node=node, state_up_ms__isnull=False).update(state_up_ms=None)
        device_runs.note_boot(node=node, birth=birth, at=at)
    node.heard_at = at
    node.firmware, node.hardware, node.clock = birth.firmware, birth.hardware, birth.clock[:16]
    node.buffered_frames = birth.buffered
    node.save(
        update_fields=[
            "boot", "born_at", "reset_reason", "heard_at", "firmware", "hardware", "clock",
            "buffered_frames", "updated_at",
        ]
    )  # fmt: skip
    _take_channels(node, birth)
    _take_outputs(node, birth)
    config.refresh_config(node=node, at=at)
    config.take_known_rev(node=node, rev=birth.cfg, at=at)
    return node


def _counts_anew(node: Node, birth: frames.Birth) -> bool:
    return node.boot is not None and birth.boot < node.boot


def _expect_frames(node: Node, birth: frames.Birth, *, at: datetime) -> None:
    if birth.seq is not None:
        frame_gaps.expect_frames(node=node, boot=birth.boot, first=birth.seq, at=at)


def _is_ghost(node: Node, birth: frames.Birth) -> bool:
    """Tell an old retained birth from a controller whose boot counter began anew.

    One that was flashed anew may not know the time yet: only a believable time shows a ghost.
    """
    if node.boot is None or node.born_at is None or birth.boot >= node.boot or birth.t_ms is None:
        return False
    said_at = datetime.fromtimestamp(birth.t_ms / 1000, UTC)
    return CLOCK_SANE_FROM <= said_at < node.born_at - GHOST_AFTER


def _switch_off(node: Node, *, at: datetime) -> None:
    """Boot means all off (farm/v1): what the earlier boot had on is off, whatever was lost."""
    Output.objects.filter(node=node, is_on=True).exclude(state_boot=node.boot).update(
        is_on=False,
        state_at=at,
        state_heard_at=at,
        state_boot=node.boot,
        state_up_ms=None,
        state_source="boot",
        state_command="",
        state_left_seconds=None,
        state_flow=None,
        state_level=None,
    )


def _forget_interlocks(node: Node, *, at: datetime) -> None:
    keys = (
        Alarm.objects.filter(
            node=node, key__startswith=f"device:{node.pk}:", cleared_at__isnull=True
        )
        .exclude(kind__in=_OUTLIVE_A_BOOT)
        .values_list("key", flat=True)
    )
    for key in list(keys):
        alarms.clear_alarm(key=key, at=at)


def _take_channels(node: Node, birth: frames.Birth) -> None:
    """Create or update channels; what people have set (name, zone, limits) stays."""
    known = {channel.code: channel for channel in Channel.objects.filter(node=node)}
    for code, spec in birth.channels.items():
        channel = known.get(code) or Channel(node=node, code=code)
        before = (channel.pk, channel.unit, channel.quantity, channel.pulses_per_litre)
        channel.unit = spec.unit or channel.unit
        if spec.quantity in _Q.values:
            channel.quantity = spec.quantity
        elif channel.quantity == _Q.OTHER:
            channel.quantity = _guess_quantity(code, spec.unit)
        channel.pulses_per_litre = spec.pulses_per_litre or channel.pulses_per_litre
        after = (channel.pk, channel.unit, channel.quantity, channel.pulses_per_litre)
        if code not in known or before != after:
            channel.save()


def _guess_quantity(code: str, unit: str) -> str:
    by_code = (name for start, name in _QUANTITY_BY_CODE.items() if code.startswith(start))
    return next(by_code, _QUANTITY_BY_UNIT.get(unit, _Q.OTHER))


def _take_outputs(node: Node, birth: frames.Birth) -> None:
    """Create or update outputs; a new one of a house with one zone belongs to that zone."""
    known = {output.code: output for output in Output.objects.filter(node=node)}
    zones = list(Zone.objects.filter(greenhouse=node.greenhouse, is_active=True)[:2])
    for code, spec in birth.outputs.items():
        output = known.get(code) or Output(
            node=node, code=code, zone=zones[0] if len(zones) == 1 else None
        )
        before = _said(output)
        _take_spec(output, spec)
        if code not in known or before != _said(output):
            output.save()


def _said(output: Output) -> tuple[object, ...]:
    return (
        output.kind, output.max_seconds, output.flow_low, output.flow_high, output.ml_per_second,
        output.needs, output.fail, output.is_dimmable,
    )  # fmt: skip


def _take_spec(output: Output, spec: frames.OutputSpec) -> None:
    if spec.kind in Output.Kind.values:
        output.kind = spec.kind
    # No limit of its own is no limit of ours to guess: 0 lets nothing run.
    output.max_seconds = spec.max_s
    low, high = spec.flow_low, spec.flow_high
    if low is not None and high is not None and 0 <= low <= high:
        output.flow_low, output.flow_high = low, high
    if spec.ml_s is not None and spec.ml_s > 0:
        output.ml_per_second = spec.ml_s
    output.needs = list(spec.needs)
    output.is_dimmable = spec.dim and output.kind in (Output.Kind.FAN, Output.Kind.LIGHT)
    output.fail = spec.fail if spec.fail in Output.Fail.values else Output.Fail.OFF
