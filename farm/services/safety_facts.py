"""What safety has to know of an output, gathered from rows at a moment (ten queries at most)."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db.models import Q
from django.utils import timezone

from farm import safety
from farm.models import Alarm, Channel, Command, DeviceRun, Flag, LatestReading, Node, Output, Rule
from farm.models.commands import CommandQuerySet
from farm.services import water

# A state is told every 60 s while an output is on (farm/v1 §3); two missed, and it is no proof.
STATE_HOLDS = timedelta(seconds=130)
# The tank's own alarm limit says what is low; without one, a tenth of what the tank holds.
LOW_TANK_SHARE = 0.1
CIRCULATING_LITRES_PER_MINUTE = 0.1
LEAST_PART_OF_FLOW = 0.5
DEVICE_ALARM = "device:"
FRESH_WATER = "water"  # Output.dose_kind
LOOKED_BACK = timedelta(hours=24)

_DEED_BY_KIND = {
    Output.Kind.VALVE: safety.Deed.WATER,
    Output.Kind.PUMP: safety.Deed.WATER,
    Output.Kind.FAN: safety.Deed.COOL,
    Output.Kind.LIGHT: safety.Deed.LIGHT,
    Output.Kind.DOSER: safety.Deed.DOSE,
}
_TEMPERATURES = (Channel.Quantity.AIR_TEMPERATURE, Channel.Quantity.WATER_TEMPERATURE)
_TOLD_APART = ("no_flow", "flow_after_off", "over_temperature", "tank_low", "lease_lost")
_STATUS_WITHOUT_DOSE = (Command.Status.REJECTED, Command.Status.EXPIRED)


def deed_of(output: Output) -> safety.Deed:
    """Tell what switching this output on means to safety."""
    return _DEED_BY_KIND.get(Output.Kind(output.kind), safety.Deed.OTHER)


def fresh_value(channel: Channel, *, at: datetime) -> float | None:
    """Give a channel's newest value where it is there and young enough to act upon."""
    latest: LatestReading | None = getattr(channel, "latest", None)
    if latest is None or at - latest.t > timedelta(seconds=channel.stale_seconds):
        return None
    return latest.v


def find(  # noqa: PLR0913  # each is a fact of the request, named by keyword
    *,
    output: Output,
    source: str,
    at: datetime,
    seconds: float = 0,
    litres: float | None = None,
    ml: float = 0.0,
    rule: Rule | None = None,
) -> tuple[safety.Finding, ...]:
    """Tell what stands against switching an output on now, for services and for pages."""
    facts = collect(output=output, source=source, rule=rule, at=at)
    request = safety.Request(
        source=safety.Source(source),
        deed=deed_of(output),
        litres=water.planned_litres(output, seconds=seconds, litres=litres),
        ml=ml,
    )
    return safety.judge(facts, request)


def collect(*, output: Output, source: str, at: datetime, rule: Rule | None = None) -> safety.Facts:
    """Gather the facts about one output."""
    surroundings = _surroundings(output)
    alarms = _open_alarms(output)
    zone = output.zone
    is_dose = deed_of(output) == safety.Deed.DOSE
    doses = list(_into_same_water(output, at=at)) if is_dose else []
    pumps = _pumps(output) if is_dose else []
    return safety.Facts(
        is_stopped=output.node.greenhouse.is_stopped,
        is_online=output.node.is_online and not _has(alarms, "node_deaf", node=output.node),
        has_lease=not _has(alarms, "lease_lost", node=output.node),
        lock=output.lock_at(at),
        device_interlocks=_device_interlocks(alarms, output),
        is_tank_low=_is_tank_low(output, surroundings, alarms, at=at),
        has_no_flow=_has_in_zone(alarms, "no_flow", output),
        flows_after_off=_has_in_zone(alarms, "flow_after_off", output)
        or _has(alarms, "flow_after_off", node=output.node),
        is_over_temperature=_has_in_zone(alarms, "over_temperature", output)
        or any(is_hot(channel, at=at) for channel in surroundings),
        is_sensor_stale=_is_sensor_stale(source, rule, at=at),
        litres_today=_litres_today(output, at=at),
        litre_cap=zone.daily_litre_cap if zone else None,
        ml_today=_ml_today(output, doses, at=at),
        dose_cap_ml=zone.daily_dose_cap_ml if zone else None,
        has_unresolved_dose=is_dose and unresolved_doses(output).exists(),
        is_circulating=_is_circulating(pumps, surroundings, at=at) if is_dose else True,
        seconds_since_dose=_seconds_since_dose(output, doses, at=at) if is_dose else None,
        mixing_seconds=_mixing_seconds(output, pumps, surroundings, at=at) if is_dose else 0.0,
    )


def unresolved_doses(output: Output) -> CommandQuerySet:
    """Doses of which nobody knows yet what became of them."""
    return Command.objects.filter(output=output, op=Command.Op.DOSE).filter(
        Q(status__in=Command.OPEN) | Q(status=Command.Status.UNKNOWN, settled_at__isnull=True)
    )


def is_hot(channel: Channel, *, at: datetime) -> bool:
    """Tell whether a temperature is beyond a limit that somebody called urgent."""
    value = fresh_value(channel, at=at)
    if channel.quantity not in _TEMPERATURES or value is None:
        return False
    highs = [
        limit.high
        for limit in channel.limits.all()
        if limit.is_enabled and limit.high is not None and limit.severity >= Alarm.Severity.URGENT
    ]
    return any(value > high for high in highs)


def _surroundings(output: Output) -> list[Channel]:
    """Give the channels that speak for this output: its zone's, else the whole house's."""
    channels = list(
        Channel.objects.shown()
        .filter(
            Q(zone=output.zone_id) | Q(zone=None),
            node__greenhouse=output.node.greenhouse_id,
            quantity__in=(*_TEMPERATURES, Channel.Quantity.TANK_VOLUME, Channel.Quantity.FLOW),
        )
        .select_related("latest")
        .prefetch_related("limits")
        .order_by("pk")
    )
    of_zone = {channel.quantity for channel in channels if channel.zone_id is not None}
    return [
        channel
        for channel in channels
        if channel.zone_id is not None or channel.quantity not in of_zone
    ]


def _open_alarms(output: Output) -> list[Alarm]:
    return list(
        Alarm.objects.filter(greenhouse=output.node.greenhouse_id, cleared_at__isnull=True).filter(
            Q(kind__in=(*_TOLD_APART, "node_deaf")) | Q(key__startswith=DEVICE_ALARM)
        )
    )


def _has(alarms: Sequence[Alarm], kind: str, *, node: Node) -> bool:
    return any(alarm.kind == kind and alarm.node_id == node.pk for alarm in alarms)


def _has_in_zone(alarms: Sequence[Alarm], kind: str, output: Output) -> bool:
    return any(
        alarm.kind == kind
        and (
            alarm.output_id == output.pk
            or (alarm.zone_id is not None and alarm.zone_id == output.zone_id)
        )
        for alarm in alarms
    )


def _device_interlocks(alarms: Sequence[Alarm], output: Output) -> tuple[str, ...]:
    return tuple(
        sorted(
            alarm.kind
            for alarm in alarms
            if alarm.key.startswith(DEVICE_ALARM)
            and alarm.output_id == output.pk
            and alarm.kind not in _TOLD_APART
        )
    )


def _is_tank_low(
    output: Output, surroundings: Sequence[Channel], alarms: Sequence[Alarm], *, at: datetime
) -> bool | None:
    if _has(alarms, "tank_low", node=output.node) or _has_in_zone(alarms, "tank_low", output):
        return True
    answers = [
        _holds_little(channel, output, at=at)
        for channel in surroundings
        if channel.quantity == Channel.Quantity.TANK_VOLUME
    ]
    if True in answers:
        return True
    return None if None in answers else False


def _holds_little(channel: Channel, output: Output, *, at: datetime) -> bool | None:
    value = fresh_value(channel, at=at)
    if value is None:
        return None
    lows = [
        limit.low for limit in channel.limits.all() if limit.is_enabled and limit.low is not None
    ]
    tank = output.zone.reservoir_l if output.zone else 0.0
    return value <= max(lows, default=tank * LOW_TANK_SHARE)


def _is_sensor_stale(source: str, rule: Rule | None, *, at: datetime) -> bool:
    sensor = rule.sensor if rule else None
    if sensor is None:
        return source in safety.BY_SENSOR
    latest = LatestReading.objects.filter(channel=sensor, v__isnull=False).first()
    if latest is None or latest.flags & Flag.CALIBRATING or sensor.is_in_hand(latest.t):
        return True
    return at - latest.t > timedelta(seconds=sensor.stale_seconds)


def _litres_today(output: Output, *, at: datetime) -> float | None:
    zone = output.zone
    if zone is None or zone.daily_litre_cap is None or output.kind != Output.Kind.VALVE:
        return 0.0
    return water.litres_of_day(zone, at=at)


def _same_water(output: Output) -> Q:
    """Say which outputs give into the tank that this one doses into: its zone's, or the house's.

    A tap for fresh water that belongs to no zone may fill any tank.
    """
    of_house = Q(output__zone=None, output__node__greenhouse=output.node.greenhouse_id)
    if output.zone_id is None:
        return of_house
    return Q(output__zone=output.zone_id) | of_house & Q(output__dose_kind=FRESH_WATER)


def _into_same_water(output: Output, *, at: datetime) -> CommandQuerySet:
    """Give the doses, and the runs of fresh water, of the last day and night into the same tank."""
    return (
        Command.objects.filter(
            _same_water(output),
            Q(op=Command.Op.DOSE) | Q(op=Command.Op.RUN, output__dose_kind=FRESH_WATER),
            created_at__gt=at - LOOKED_BACK,
        )
        .exclude(status__in=_STATUS_WITHOUT_DOSE)
        .select_related("output")
    )


def _ml_today(output: Output, doses: Sequence[Command], *, at: datetime) -> float:
    midnight, _ = water.day_bounds(timezone.localtime(at).date())
    return sum(
        _ml_given(dose)
        for dose in doses
        if dose.created_at >= midnight and dose.output and _is_same_bottle(dose.output, output)
    )


def _is_same_bottle(one: Output, other: Output) -> bool:
    return one.pk == other.pk or bool(one.dose_kind and one.dose_kind == other.dose_kind)


def _ml_given(dose: Command) -> float:
    """Tell how much was given at most; what the device has not told counts in full."""
    asked = dose.ml or 0.0
    rate = dose.output.ml_per_second if dose.output else None
    if dose.status != Command.Status.ABORTED or dose.ran_seconds is None or not rate:
        return asked
    return min(asked, dose.ran_seconds * rate)


def _seconds_since_dose(output: Output, doses: Sequence[Command], *, at: datetime) -> float | None:
    """Tell since when nothing has gone into the tank that has to be mixed; None: nothing did."""
    by_hand = DeviceRun.objects.filter(
        _same_water(output), output__dose_kind=FRESH_WATER, began_at__gt=at - LOOKED_BACK
    )
    moments = [
        *(_went_in_until(dose, at=at) for dose in doses),
        *(run.ended_at or at for run in by_hand),
    ]
    return max((at - max(moments)).total_seconds(), 0.0) if moments else None


def _went_in_until(dose: Command, *, at: datetime) -> datetime:
    if dose.ended_at is not None:
        return dose.ended_at
    is_on = dose.output is not None and dose.output.is_on and dose.output.state_command == dose.pk
    if is_on or dose.status in Command.OPEN:
        return at
    # Nobody knows what became of it: it may have gone on for as long as it was told to.
    longest = timedelta(seconds=dose.seconds or 0)
    return min(at, (dose.started_at or dose.created_at) + longest)


def _pumps(output: Output) -> list[Output]:
    """Give the pumps that move this output's water: the zone's, else the house's."""
    pumps = list(
        Output.objects.filter(
            Q(zone=output.zone_id) | Q(zone=None),
            node__greenhouse=output.node.greenhouse_id,
            kind=Output.Kind.PUMP,
            is_active=True,
        )
    )
    of_zone = [pump for pump in pumps if pump.zone_id is not None]
    return of_zone or pumps


def _is_moving(pump: Output, *, at: datetime) -> bool:
    return (
        pump.is_on is True
        and pump.state_heard_at is not None
        and at - pump.state_heard_at <= STATE_HOLDS
        and (pump.state_flow is None or pump.state_flow > CIRCULATING_LITRES_PER_MINUTE)
    )


def _is_circulating(
    pumps: Sequence[Output], surroundings: Sequence[Channel], *, at: datetime
) -> bool | None:
    if pumps:
        return any(_is_moving(pump, at=at) for pump in pumps)
    meters = [channel for channel in surroundings if channel.quantity == Channel.Quantity.FLOW]
    if not meters:
        return None
    flows = [fresh_value(meter, at=at) or 0.0 for meter in meters]
    return max(flows) > CIRCULATING_LITRES_PER_MINUTE


def _flow_of(pump: Output) -> float | None:
    """Tell what a pump moves; one that stands, starts or ends says nothing of how it mixes."""
    expected = water.expected_flow(pump)
    least = max(CIRCULATING_LITRES_PER_MINUTE, (expected or 0.0) * LEAST_PART_OF_FLOW)
    is_full = pump.state_flow is not None and pump.state_flow >= least
    return pump.state_flow if is_full else expected


def _mixing_seconds(
    output: Output, pumps: Sequence[Output], surroundings: Sequence[Channel], *, at: datetime
) -> float:
    flows = [flow for pump in pumps if (flow := _flow_of(pump))]
    tanks = [
        fresh_value(channel, at=at) or 0.0
        for channel in surroundings
        if channel.quantity == Channel.Quantity.TANK_VOLUME
    ]
    reservoir = output.zone.reservoir_l if output.zone else 0.0
    return safety.mixing_seconds(max(tanks, default=0.0) or reservoir, max(flows, default=None))
