"""Whether a programme can work: what its settings ask for, held against what there is.

What cannot work is a problem and is refused. What may be meant is a doubt: people are asked once.
"""

from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Any

from django.db.models import F, Q, QuerySet

from farm.control import schedule
from farm.control.dosing_settings import Settings as DosingSettings
from farm.control.hysteresis import Settings as HysteresisSettings
from farm.control.kinds import KINDS
from farm.control.light_sum import Settings as LightSettings
from farm.control.settings import Problem, SettingsError
from farm.models import Channel, Output, Rule
from farm.plausibility import ANYTHING, POSSIBLE
from farm.services import water
from farm.services.safety_facts import FRESH_WATER

Quantity = Channel.Quantity
LIGHT = (Quantity.SOLAR_RADIATION, Quantity.PPFD)
FEED = (Quantity.EC, Quantity.PH)


def problems_of(rule: Rule, outputs: Sequence[Output]) -> tuple[Problem, ...]:
    """Tell why a programme cannot work; feeding without a sensor is given the one to go by."""
    kind = KINDS.get(rule.kind)
    if kind is None:
        return (Problem("kind", "not_a_choice"),)
    try:
        settings = kind.parse(rule.parameters)
    except SettingsError as error:
        # What is wrong whatever the settings are is told at once, not the next time.
        return (*error.problems, *_misfits(rule, None, outputs))
    rule.sensor = rule.sensor or _sensor_of(rule, settings)
    return tuple(_misfits(rule, settings, outputs))


def doubts_of(rule: Rule, outputs: Sequence[Output]) -> tuple[Problem, ...]:
    """Tell what may be a mistake in a programme that can work."""
    return tuple(
        chain(
            _doubts_of_sharing(rule, outputs),
            _doubts_of_place(rule, outputs),
            _doubts_of_kind(rule, outputs),
        )
        if rule.kind in KINDS
        else ()
    )


def new_doubts_of(rule: Rule, outputs: Sequence[Output]) -> tuple[Problem, ...]:
    """Tell the doubts that the programme as it is stored does not raise already."""
    stood = standing(rule)
    known = doubts_of(stood, list(stood.outputs.all())) if stood else ()
    return tuple(doubt for doubt in doubts_of(rule, outputs) if doubt not in known)


def standing(rule: Rule) -> Rule | None:
    """Give a programme as it is stored, whatever has been set on `rule` meanwhile."""
    return (
        Rule.objects.filter(pk=rule.pk).prefetch_related("outputs__zone").first()
        if rule.pk
        else None
    )


def _sensor_of(rule: Rule, settings: Any) -> Channel | None:
    """Choose what feeding goes by, where nobody has: the zone's EC or pH, else the house's."""
    if not isinstance(settings, DosingSettings):
        return None
    channels = Channel.objects.shown().filter(
        Q(zone=rule.zone) | Q(zone=None, node__greenhouse=rule.zone.greenhouse_id),
        quantity=settings.quantities[0],
    )
    return channels.order_by(F("zone_id").asc(nulls_last=True), "pk").first()


def _misfits(rule: Rule, settings: Any, outputs: Sequence[Output]) -> Iterable[Problem]:
    """Hold the settings against what there is: outputs, sensor, place."""
    if not outputs:
        yield Problem("outputs", "missing")
    if any(output.node.greenhouse_id != rule.zone.greenhouse_id for output in outputs):
        yield Problem("outputs", "other_house")
    if rule.kind != Rule.Kind.DOSING and any(o.kind == Output.Kind.DOSER for o in outputs):
        yield Problem("outputs", "doser")
    if rule.kind in (Rule.Kind.HYSTERESIS, Rule.Kind.LIGHT_SUM) and rule.sensor is None:
        yield Problem("sensor", "missing")
    yield from _misfits_of_kind(rule, settings, outputs)


def _misfits_of_kind(rule: Rule, settings: Any, outputs: Sequence[Output]) -> Iterable[Problem]:
    if isinstance(settings, schedule.Settings):
        yield from _misfits_of_schedule(rule, settings, outputs)
    elif isinstance(settings, LightSettings):
        yield from _misfits_of_light(rule, settings, outputs)
    elif isinstance(settings, HysteresisSettings):
        yield from _misfits_of_limits(rule, settings)
    elif isinstance(settings, DosingSettings):
        yield from _misfits_of_dosing(rule, settings, outputs)


def _misfits_of_schedule(
    rule: Rule, settings: schedule.Settings, outputs: Sequence[Output]
) -> Iterable[Problem]:
    most = min((output.max_seconds for output in outputs), default=None)
    if most is not None and (settings.seconds or 0) > most:
        yield Problem("seconds", "too_high", {"high": most})
    if settings.litres is not None:
        yield from _misfits_of_litres(outputs, is_bounded=settings.seconds is not None)
    if settings.sun and None in (rule.zone.greenhouse.latitude, rule.zone.greenhouse.longitude):
        yield Problem("sun", "no_place")
    yield from _misfits_of_gap(settings, outputs)


def _misfits_of_gap(settings: schedule.Settings, outputs: Sequence[Output]) -> Iterable[Problem]:
    """Refuse turns that are surely not over when the next one begins: it would be lost."""
    gap = schedule.shortest_gap_seconds(settings)
    least, _most = _turn_seconds(settings, outputs)
    if gap is not None and least > gap:
        yield Problem("seconds", "longer_than_gap", {"run": round(least), "gap": gap})


def _turn_seconds(settings: schedule.Settings, outputs: Sequence[Output]) -> tuple[float, float]:
    """Tell how long a turn of all outputs takes, at least and at most."""
    runs = [_run_seconds(settings, output) for output in outputs]
    if not runs:
        return 0, 0
    least, most = zip(*runs, strict=True)
    if settings.is_together:
        return max(least), max(most)
    pauses = (len(runs) - 1) * settings.pause_seconds
    return sum(least) + pauses, sum(most) + pauses


def _run_seconds(settings: schedule.Settings, output: Output) -> tuple[float, float]:
    """Tell how long an output keeps its turn, at least and at most.

    The litres end a run before its bound; without bound or flow nobody knows beforehand.
    """
    flow, most = water.expected_flow(output), settings.seconds or 0
    if settings.litres is None:
        return most, most
    if not flow:
        return 0, most
    reckoned = settings.litres / flow * 60
    return (min(most, reckoned),) * 2 if most else (reckoned, reckoned)


def _misfits_of_limits(rule: Rule, settings: HysteresisSettings) -> Iterable[Problem]:
    """Refuse limits that the sensor can never show: it would never act, or never end."""
    sensor = rule.sensor
    if sensor is None:
        return
    low, high = POSSIBLE.get(sensor.quantity, ANYTHING)
    low = low if sensor.low is None else max(low, sensor.low)
    high = high if sensor.high is None else min(high, sensor.high)
    bounds = {"low": low, "high": high, "quantity": sensor.quantity}
    ends = {"on_at": high, "off_at": low} if settings.is_above else {"on_at": low, "off_at": high}
    for name, limit in (("on_at", settings.on_at), ("off_at", settings.off_at)):
        if not low <= limit <= high:
            yield Problem(name, "impossible", bounds)
        elif limit == ends[name]:
            # It acts beyond a limit, not at it.
            yield Problem(name, "at_the_end", bounds)


def _misfits_of_light(
    rule: Rule, settings: LightSettings, outputs: Sequence[Output]
) -> Iterable[Problem]:
    if rule.sensor is not None and rule.sensor.quantity not in LIGHT:
        yield Problem("sensor", "not_light")
    if settings.litres is None and settings.seconds is None and not rule.zone.area_m2:
        yield Problem("litres", "no_area")
    if settings.litres is not None:
        yield from _misfits_of_litres(outputs, is_bounded=settings.seconds is not None)
    elif settings.seconds is None and rule.zone.area_m2:
        # The light decides how many litres a watering has.
        yield from _misfits_of_litres(outputs, is_bounded=False)


def _misfits_of_litres(outputs: Sequence[Output], *, is_bounded: bool) -> Iterable[Problem]:
    """Refuse litres where nothing would end the run but its device's longest time."""
    if not all(output.node.acknowledges for output in outputs):
        yield Problem("litres", "not_taken")
    elif not is_bounded and not all(
        water.expected_flow(output) or water.is_metered(output) for output in outputs
    ):
        yield Problem("litres", "not_counted")


def _misfits_of_dosing(
    rule: Rule, settings: DosingSettings, outputs: Sequence[Output]
) -> Iterable[Problem]:
    kinds = {output.dose_kind for output in outputs}
    if rule.sensor is None:
        yield Problem("sensor", "missing")
    if settings.ec is not None and "a" not in kinds:
        yield Problem("outputs", "no_fertiliser")
    if settings.ph is not None and not kinds & {"ph_up", "ph_down"}:
        yield Problem("outputs", "no_ph")
    if rule.zone.daily_dose_cap_ml is None:
        yield Problem("zone", "no_dose_cap")
    if any(output.kind == Output.Kind.VALVE and not _is_fresh(output) for output in outputs):
        yield Problem("outputs", "not_fresh_water")
    if rule.is_enabled and _feeds_more(rule, outputs):
        yield from _misfits_of_feeding_twice(rule, outputs)


def _is_fresh(output: Output) -> bool:
    return output.dose_kind == FRESH_WATER


def _misfits_of_feeding_twice(rule: Rule, outputs: Sequence[Output]) -> Iterable[Problem]:
    """Refuse a second programme that feeds the same tank: each would undo the other's work."""
    for other in _neighbours(rule).filter(kind=Rule.Kind.DOSING):
        if _shared(other, outputs):
            yield Problem("outputs", "doser_taken", {"rule": other.name})
        elif other.zone_id == rule.zone_id or other.sensor == rule.sensor:
            is_split = _fed(other).isdisjoint(_fed(rule))
            yield Problem("zone", "tank_split" if is_split else "tank_taken", {"rule": other.name})


def _feeds_more(rule: Rule, outputs: Sequence[Output]) -> bool:
    """Tell whether it would feed what it does not feed now: a name may change at any time."""
    stood = standing(rule)
    if stood is None or not stood.is_enabled:
        return True
    is_elsewhere = (stood.zone_id, stood.sensor_id) != (rule.zone_id, rule.sensor_id)
    with_others = {output.pk for output in stood.outputs.all()} != {one.pk for one in outputs}
    return is_elsewhere or with_others or not _fed(rule) <= _fed(stood)


def _fed(rule: Rule) -> set[str]:
    return {quantity for quantity in ("ec", "ph") if rule.parameters.get(quantity)}


def _neighbours(rule: Rule) -> QuerySet[Rule]:
    """Give the other programmes of the house that are on, with their outputs."""
    return (
        Rule.objects.filter(zone__greenhouse=rule.zone.greenhouse_id, is_enabled=True)
        .exclude(pk=rule.pk)
        .select_related("sensor")
        .prefetch_related("outputs")
        .order_by("name", "pk")
    )


def _shared(other: Rule, outputs: Sequence[Output]) -> list[Output]:
    theirs = {output.pk for output in other.outputs.all()}
    return [output for output in outputs if output.pk in theirs]


def _doubts_of_sharing(rule: Rule, outputs: Sequence[Output]) -> Iterable[Problem]:
    """Name who else switches these outputs: one may stop what the other has begun."""
    for other in _neighbours(rule) if rule.is_enabled else ():
        for output in _shared(other, outputs):
            facts = {"output": str(output), "rule": other.name}
            yield Problem("outputs", "also_driven", facts)


def _doubts_of_place(rule: Rule, outputs: Sequence[Output]) -> Iterable[Problem]:
    """Name what stands in another zone: it may be meant, as valves that water in turn."""
    by_zone: dict[str, list[str]] = {}
    for output in outputs:
        if output.zone and output.zone_id != rule.zone_id:
            by_zone.setdefault(str(output.zone), []).append(str(output))
    for zone, names in sorted(by_zone.items()):
        yield Problem("outputs", "other_zone", {"output": ", ".join(names), "zone": zone})


def _doubts_of_kind(rule: Rule, outputs: Sequence[Output]) -> Iterable[Problem]:
    if rule.kind == Rule.Kind.SCHEDULE:
        yield from _doubts_of_gap(rule, outputs)
    kinds = {output.dose_kind for output in outputs}
    quantity = rule.sensor.quantity if rule.sensor else ""
    if rule.kind == Rule.Kind.DOSING and "a" in kinds and "b" not in kinds:
        yield Problem("outputs", "a_without_b")
    if rule.kind == Rule.Kind.HYSTERESIS and quantity in FEED:
        valves = [one for one in outputs if one.kind == Output.Kind.VALVE and not _is_fresh(one)]
        if valves:
            facts = {"output": ", ".join(str(valve) for valve in valves)}
            yield Problem("outputs", "waters_by_feed", facts)
    is_inside = rule.kind == Rule.Kind.LIGHT_SUM and rule.parameters.get("inside")
    if is_inside and quantity == Quantity.SOLAR_RADIATION:
        yield Problem("inside", "sun_inside")


def _doubts_of_gap(rule: Rule, outputs: Sequence[Output]) -> Iterable[Problem]:
    """Doubt turns that may not be over when the next one begins, where no flow is known."""
    try:
        settings = schedule.parse(rule.parameters)
    except SettingsError:
        return
    gap = schedule.shortest_gap_seconds(settings)
    least, most = _turn_seconds(settings, outputs)
    if gap is not None and least <= gap < most:
        yield Problem("seconds", "perhaps_longer_than_gap", {"run": round(most), "gap": gap})
