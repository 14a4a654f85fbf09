"""Between two limits: fans that start when it is hot and stop when it is cool enough.

Each run is bounded and renewed while it is wanted, so that a server that dies leaves an output
that its own device switches off.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from farm.control.plan import (
    MEANT,
    Action,
    Memory,
    Plan,
    Snapshot,
    Switch,
    Verdict,
    moment,
    why_silent,
)
from farm.control.settings import SettingsReader

# What the device says may be a little older than what we asked for.
WORD_TAKES = timedelta(seconds=20)
# A command that came to nothing is asked for anew after a pause that doubles each time.
AGAIN_AFTER = timedelta(seconds=30)
AGAIN_AT_LATEST = timedelta(minutes=5)
_FAILED = frozenset({"rejected", "expired", "unknown", "aborted"})
_AGAIN = ("tries", "again_at")


@dataclass(frozen=True, slots=True)
class Settings:
    """On beyond one limit, off beyond the other; `above` tells in which direction."""

    on_at: float
    off_at: float
    least_on_seconds: int
    least_off_seconds: int
    run_seconds: int

    @property
    def is_above(self) -> bool:
        """Whether it goes on when the value is high (a fan) or low (a heater)."""
        return self.on_at > self.off_at


def parse(raw: object) -> Settings:
    """Read the settings strictly; raises SettingsError with every mistake."""
    reader = SettingsReader(raw)
    on_at, off_at = reader.number("on_at"), reader.number("off_at")
    if on_at is not None and on_at == off_at:
        reader.complain("off_at", "no_gap")
    settings = Settings(
        on_at=on_at,
        off_at=off_at,
        least_on_seconds=reader.integer("least_on_seconds", 120, low=0, high=7200),
        least_off_seconds=reader.integer("least_off_seconds", 180, low=0, high=7200),
        run_seconds=reader.integer("run_seconds", 900, low=60, high=7200),
    )
    reader.finish()
    return settings


def decide(settings: Settings, memory: Memory, snapshot: Snapshot) -> Plan:
    """Switch on, renew or switch off; nothing at all without a fresh value."""
    now = snapshot.now
    value = snapshot.sensor.fresh(now) if snapshot.sensor else None
    if value is None:
        # What runs ends by itself, at its device's own limit.
        reason = why_silent(snapshot.sensor)
        return Plan(Verdict.BLOCKED, reason, memory, _since(snapshot), next_look_at=None)
    memory = _believe_device(memory, snapshot)
    is_on = bool(memory.get("is_on"))
    changed_at = moment(memory, "changed_at")
    facts = {"value": value, "on_at": settings.on_at, "off_at": settings.off_at}
    if is_on:
        return _while_on(settings, memory, snapshot, facts, changed_at or now)
    if not _is_beyond(value, settings.on_at, above=settings.is_above):
        return Plan(Verdict.SKIP, "not_needed", memory, facts)
    free_at = (changed_at or now) + timedelta(seconds=settings.least_off_seconds)
    if changed_at is not None and now < free_at:
        return Plan(Verdict.SKIP, "least_off", memory, facts, next_look_at=free_at)
    return _run(settings, {**memory, "is_on": True, "changed_at": now.isoformat()}, snapshot, facts)


def _is_beyond(value: float, limit: float, *, above: bool) -> bool:
    return value > limit if above else value < limit


def _since(snapshot: Snapshot) -> dict[str, str]:
    return {"since": snapshot.sensor.t.isoformat()} if snapshot.sensor else {}


def _believe_device(memory: Memory, snapshot: Snapshot) -> Memory:
    """Take the outputs for off when all of them have said so since they were last asked to run."""
    asked_at = moment(memory, "renewed_at")
    if not memory.get("is_on") or asked_at is None or not snapshot.switches:
        return memory
    if all(_went_off(switch, asked_at) for switch in snapshot.switches):
        went_off_at = max(switch.state_at for switch in snapshot.switches if switch.state_at)
        off = {"is_on": False, "changed_at": went_off_at.isoformat(), "again_at": None}
        return {**memory, **off}
    return memory


def _went_off(switch: Switch, asked_at: datetime) -> bool:
    return (
        switch.is_on is False
        and not switch.is_busy
        and switch.state_at is not None
        and switch.state_at > asked_at + WORD_TAKES
    )


def _while_on(
    settings: Settings,
    memory: Memory,
    snapshot: Snapshot,
    facts: dict[str, float],
    changed_at: datetime,
) -> Plan:
    now = snapshot.now
    is_enough = _is_beyond(facts["value"], settings.off_at, above=not settings.is_above)
    if is_enough and now >= changed_at + timedelta(seconds=settings.least_on_seconds):
        stops = tuple(
            Action(switch.output_id, "stop", key=f"off-{now:%Y%m%d%H%M%S}-{switch.output_id}")
            for switch in snapshot.switches
        )
        off = {**_without_tries(memory), "is_on": False, "changed_at": now.isoformat()}
        return Plan(Verdict.ACT, "back_inside", off, facts, stops)
    failed = tuple(one for one in snapshot.switches if _came_to_nothing(one, changed_at))
    if failed:
        return _with_failed(settings, memory, snapshot, facts, failed)
    renew_at = _renew_at(settings, memory, now)
    is_shut_first = any(switch.is_busy_valve for switch in snapshot.switches)
    if now >= renew_at and not is_shut_first:
        return _run(settings, _without_tries(memory), snapshot, facts, reason="renewed")
    return Plan(Verdict.SKIP, "holds", memory, facts, next_look_at=renew_at)


def _renew_at(settings: Settings, memory: Memory, now: datetime) -> datetime:
    # At half of its time, so that one lost message does not stop the fan.
    half = memory.get("seconds", settings.run_seconds) / 2
    return (moment(memory, "renewed_at") or now) + timedelta(seconds=half)


def _without_tries(memory: Memory) -> Memory:
    return {name: value for name, value in memory.items() if name not in _AGAIN}


def _came_to_nothing(switch: Switch, since: datetime) -> bool:
    """Tell whether what was last asked of it, since it is wanted on, has left it off."""
    return (
        switch.last_status in _FAILED
        and switch.last_key >= f"on-{since:%Y%m%d%H%M%S}"
        and switch.is_on is not True
        and not switch.is_busy
    )


def _with_failed(
    settings: Settings,
    memory: Memory,
    snapshot: Snapshot,
    facts: dict[str, float],
    failed: tuple[Switch, ...],
) -> Plan:
    """Ask once more for what came to nothing, after a pause; what runs is renewed in its time."""
    now, tries = snapshot.now, memory.get("tries", 0)
    again_at = moment(memory, "again_at")
    if again_at is None:
        again_at = now + _pause(settings, failed, tries)
        memory = {**memory, "again_at": again_at.isoformat()}
    if now >= again_at:
        return _again(settings, {**memory, "tries": tries + 1}, snapshot, facts, failed)
    running = tuple(one for one in snapshot.switches if one not in failed)
    renew_at = _renew_at(settings, memory, now)
    if running and now >= renew_at and not any(switch.is_busy_valve for switch in running):
        return _run(settings, memory, snapshot, facts, reason="renewed", switches=running)
    why = failed[0].last_why or failed[0].last_status
    waiting = {**facts, "until": again_at.isoformat(), "reason": why}
    next_look_at = min(again_at, renew_at) if running and now < renew_at else again_at
    return Plan(Verdict.SKIP, "not_taken", memory, waiting, next_look_at=next_look_at)


def _again(
    settings: Settings,
    memory: Memory,
    snapshot: Snapshot,
    facts: dict[str, float],
    failed: tuple[Switch, ...],
) -> Plan:
    memory = {name: value for name, value in memory.items() if name != "again_at"}
    plan = _run(settings, memory, snapshot, facts, reason="again", switches=failed)
    if len(failed) == len(snapshot.switches):
        return plan
    # What runs meanwhile is renewed by its own time, not by that of the others.
    # It has asked all of them once before it asks some again, so that both are there.
    kept = {"renewed_at": memory["renewed_at"], "seconds": memory["seconds"]}
    return replace(plan, memory={**plan.memory, **kept})


def _ran_or_was_stopped(switch: Switch) -> bool:
    return switch.last_status == "aborted" or switch.last_why in MEANT


def _pause(settings: Settings, failed: tuple[Switch, ...], tries: int) -> timedelta:
    pause = min(AGAIN_AFTER * (1 << min(tries, 10)), AGAIN_AT_LATEST)
    if not any(_ran_or_was_stopped(switch) for switch in failed):
        return pause
    return max(pause, timedelta(seconds=settings.least_off_seconds))


def _run(
    settings: Settings,
    memory: Memory,
    snapshot: Snapshot,
    facts: dict[str, float],
    *,
    reason: str = "beyond",
    switches: tuple[Switch, ...] | None = None,
) -> Plan:
    """Ask the switches to run; all of them where it is not said which."""
    now = snapshot.now
    actions = tuple(
        Action(
            switch.output_id,
            "run",
            key=f"on-{now:%Y%m%d%H%M%S}-{switch.output_id}",
            seconds=min(settings.run_seconds, switch.max_seconds),
        )
        for switch in (snapshot.switches if switches is None else switches)
    )
    if not actions:
        return Plan(Verdict.SKIP, "no_output", memory, facts)
    seconds = min(action.seconds for action in actions)
    return Plan(
        Verdict.ACT,
        reason,
        {**memory, "renewed_at": now.isoformat(), "seconds": seconds},
        {**facts, "seconds": seconds},
        actions,
        # A command that is not taken has ended by then.
        next_look_at=now + min(WORD_TAKES, timedelta(seconds=seconds / 2)),
    )
