"""Watering by light: a shot for each so many J/cm², as large as what plants took meanwhile.

What drained of the last shots moves the threshold: too much, and the next shot waits for more
light; too little, and it comes sooner.
"""

from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta

from farm import agronomy
from farm.control import sequence
from farm.control.plan import Memory, Plan, Snapshot, Verdict, measures_nothing, moment, why_silent
from farm.control.settings import SettingsReader

# Readings further apart than this say nothing of the light between them.
LONGEST_GAP_SECONDS = 600.0
LOOK_AGAIN = timedelta(seconds=10)


@dataclass(frozen=True, slots=True)
class Settings:
    """How much light makes a shot, and within which bounds."""

    j_per_cm2: float
    least_j_per_cm2: float
    most_j_per_cm2: float
    is_measured_inside: bool
    crop_factor: float
    litres: float | None
    seconds: int | None
    drain_percent: float
    learns_from_drain: bool
    drain_step_j: float
    least_pause: timedelta
    longest_pause: timedelta | None
    start: time
    end: time


def parse(raw: object) -> Settings:
    """Read the settings strictly; raises SettingsError with every mistake."""
    reader = SettingsReader(raw)
    low, high = agronomy.LEAST_J_PER_CM2, agronomy.MOST_J_PER_CM2
    threshold = reader.number("j_per_cm2", 150.0, low=low, high=high)
    least_pause = reader.number("least_pause_minutes", 15.0, low=1, high=720)
    longest_pause = reader.number("longest_pause_minutes", None, low=10, high=1440)
    if least_pause and longest_pause and longest_pause < least_pause:
        reader.complain("longest_pause_minutes", "too_low", low=least_pause)
    settings = Settings(
        j_per_cm2=threshold,
        least_j_per_cm2=reader.number("least_j_per_cm2", low, low=low, high=threshold or high),
        most_j_per_cm2=reader.number("most_j_per_cm2", high, low=threshold or low, high=high),
        is_measured_inside=reader.flag("inside", default=False),
        crop_factor=reader.number("crop_factor", 1.0, low=0.05, high=3),
        litres=reader.number("litres", None, low=0.1, high=10_000),
        seconds=reader.integer("seconds", None, low=1, high=7200),
        drain_percent=reader.number("drain_percent", 20.0, low=0, high=60),
        learns_from_drain=reader.flag("learns_from_drain", default=True),
        drain_step_j=reader.number("drain_step_j", 10.0, low=0, high=25),
        least_pause=timedelta(minutes=least_pause or 0),
        longest_pause=timedelta(minutes=longest_pause) if longest_pause else None,
        start=reader.clock("from", time(6)),
        end=reader.clock("to", time(17)),
    )
    # A time that could not be read is None here, and has been complained of.
    if None not in (settings.start, settings.end) and settings.start >= settings.end:
        reader.complain("to", "too_early")
    reader.finish()
    return settings


def decide(settings: Settings, memory: Memory, snapshot: Snapshot) -> Plan:
    """Add up the light, and water when it is enough, or when the longest pause is over."""
    now = snapshot.now
    memory = _with_light(memory, snapshot)
    if sequence.is_running(memory):
        return _give_back(sequence.proceed(memory, snapshot))
    if not settings.start <= now.time() < settings.end:
        return Plan(Verdict.SKIP, "night", memory, next_look_at=_next_opening(settings, now))
    if snapshot.sensor is None or snapshot.sensor.fresh(now) is None:
        facts = {"since": snapshot.sensor.t.isoformat()} if snapshot.sensor else {}
        reason = why_silent(snapshot.sensor)
        return Plan(Verdict.BLOCKED, reason, memory, facts, next_look_at=now + LOOK_AGAIN)
    return _by_light(settings, memory, snapshot)


def _give_back(plan: Plan) -> Plan:
    """Count the light of a shot that an output never took for the next shot."""
    if plan.reason != "given_up":
        return plan
    light = plan.memory.get("light", 0.0) + plan.memory.get("light_of_each", 0.0)
    return replace(plan, memory={**plan.memory, "light": light})


def _with_light(memory: Memory, snapshot: Snapshot) -> Memory:
    """Add the readings since the last look; the last one before is their first."""
    samples = [
        (second, watts)
        for second, light in snapshot.light
        if (watts := agronomy.sunlight_w_per_m2(light) if snapshot.light_is_ppfd else light)
        is not None
    ]
    if not samples:
        return memory
    last = memory.get("light_last")
    line = [tuple(last), *samples] if last else samples
    joules = agronomy.light_sum_j_per_cm2(line, longest_gap_seconds=LONGEST_GAP_SECONDS)
    return {
        **memory,
        "light": memory.get("light", 0.0) + joules,
        "light_last": list(samples[-1]),
    }


def _by_light(settings: Settings, memory: Memory, snapshot: Snapshot) -> Plan:
    now = snapshot.now
    last_shot_at = moment(memory, "shot_at")
    threshold, light = memory.get("threshold", settings.j_per_cm2), memory.get("light", 0.0)
    facts = {
        "light": round(light, 1),
        "threshold": round(threshold, 1),
        "last": memory.get("shot_at"),
        "drain_percent": _rounded(snapshot.drain_percent),
    }
    plan = Plan(Verdict.SKIP, "light_not_enough", memory, facts, next_look_at=now + LOOK_AGAIN)
    if last_shot_at is not None and now - last_shot_at < settings.least_pause:
        return replace(plan, reason="least_pause")
    if light >= threshold:
        return _shoot(settings, replace(plan, reason="light_enough"), snapshot, threshold)
    if _is_too_long(settings, last_shot_at, now):
        return _shoot(settings, replace(plan, reason="longest_pause"), snapshot, threshold)
    return plan


def _is_too_long(settings: Settings, last_shot_at: datetime | None, now: datetime) -> bool:
    if settings.longest_pause is None:
        return False
    opening = datetime.combine(now.date(), settings.start, tzinfo=now.tzinfo)
    return now - max(opening, last_shot_at or opening) >= settings.longest_pause


def _shoot(settings: Settings, plan: Plan, snapshot: Snapshot, threshold: float) -> Plan:
    now = snapshot.now
    litres = _litres(settings, plan.memory.get("light", 0.0), snapshot)
    if not litres and settings.seconds is None:
        return replace(plan, verdict=Verdict.BLOCKED, reason="no_size")
    if litres and measures_nothing(snapshot, seconds=settings.seconds, litres=litres):
        return replace(plan, verdict=Verdict.BLOCKED, reason="no_measure")
    if settings.learns_from_drain and plan.memory.get("shot_at"):
        threshold = _learned(settings, threshold, snapshot.drain_percent)
    memory = {
        **plan.memory,
        "light": 0.0,
        "light_of_each": plan.memory.get("light", 0.0) / max(1, len(snapshot.switches)),
        "shot_at": now.isoformat(),
        "threshold": threshold,
    }
    each = litres / len(snapshot.switches) if litres and snapshot.switches else None
    shot = replace(
        plan,
        verdict=Verdict.ACT,
        memory=memory,
        facts={**plan.facts, "next_threshold": round(threshold, 1)},
    )
    begun = sequence.begin(
        shot,
        snapshot,
        name=f"{now:%Y%m%d%H%M%S}",
        seconds=settings.seconds,
        litres=round(each, 2) if each else None,
    )
    # A refused shot keeps its light: it comes as soon as the interlock opens.
    facts = {**begun.facts, "litres": round(litres, 2) if litres else None}
    return replace(begun, facts=facts, refused_memory=plan.memory)


def _litres(settings: Settings, light: float, snapshot: Snapshot) -> float | None:
    """Size the shot by the light that fell, but not by more than the largest threshold."""
    if settings.litres is not None:
        return settings.litres
    # After the longest pause little light asks for little water, but a valve has a least run.
    light = max(settings.least_j_per_cm2 / 2, min(light, settings.most_j_per_cm2))
    demand = agronomy.water_demand_litres_per_m2(
        light, is_measured_inside=settings.is_measured_inside, crop_factor=settings.crop_factor
    )
    shot = agronomy.shot_litres_per_m2(demand, settings.drain_percent)
    return shot * snapshot.area_m2 if shot and snapshot.area_m2 else None


def _learned(settings: Settings, threshold: float, drain_percent: float | None) -> float:
    moved = agronomy.next_threshold_j_per_cm2(
        threshold,
        drain_percent,
        target_percent=settings.drain_percent,
        step=settings.drain_step_j,
    )
    return max(settings.least_j_per_cm2, min(settings.most_j_per_cm2, moved))


def _next_opening(settings: Settings, now: datetime) -> datetime:
    opening = datetime.combine(now.date(), settings.start, tzinfo=now.tzinfo)
    # Light of the night is none, but the readings are taken up once in a while.
    later = opening if opening > now else opening + timedelta(days=1)
    return min(later, now + timedelta(minutes=30))


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 1)
