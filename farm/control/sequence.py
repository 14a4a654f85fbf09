"""Outputs one after the other: valves behind one pump, each when the one before is shut."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from farm.control.plan import Action, Memory, Plan, Snapshot, Switch, Verdict, moment, run_seconds

LOOK_AGAIN = timedelta(seconds=10)


def is_running(memory: Memory) -> bool:
    """Tell whether outputs of a sequence still wait for their turn, or the last one runs."""
    return "turn" in memory


def begin(  # noqa: PLR0913  # how the outputs run, each by its name
    plan: Plan,
    snapshot: Snapshot,
    *,
    name: str,
    seconds: int | None,
    litres: float | None = None,
    pause_seconds: int = 0,
    patience_minutes: int = 10,
) -> Plan:
    """Let the plan run the snapshot's outputs in their order; the first one now."""
    turn = {
        "name": name,
        "waiting": [switch.output_id for switch in snapshot.switches],
        "seconds": seconds,
        "litres": litres,
        "pause_seconds": pause_seconds,
        "patience_minutes": patience_minutes,
        "ready_at": snapshot.now.isoformat(),
    }
    return _next(plan, snapshot, turn)


def proceed(memory: Memory, snapshot: Snapshot) -> Plan:
    """Start the next output when its turn has come; leave out one that is held up for too long."""
    turn, now = memory["turn"], snapshot.now
    ready_at = moment(turn, "ready_at") or now
    if now < ready_at or _is_busy(turn, snapshot):
        next_look_at = max(ready_at, now + LOOK_AGAIN)
        return Plan(Verdict.SKIP, "running", memory, next_look_at=next_look_at)
    plan = Plan(Verdict.ACT, "next_output", memory, next_look_at=now)
    if turn["waiting"] and now - ready_at > timedelta(minutes=turn["patience_minutes"]):
        left_out = {**turn, "waiting": turn["waiting"][1:], "ready_at": now.isoformat()}
        given_up = {**memory, "turn": left_out}
        return replace(plan, verdict=Verdict.SKIP, reason="given_up", memory=given_up)
    return _next(plan, snapshot, turn)


def _next(plan: Plan, snapshot: Snapshot, turn: Mapping[str, Any]) -> Plan:
    by_id = {switch.output_id: switch for switch in snapshot.switches}
    waiting = [output_id for output_id in turn["waiting"] if output_id in by_id]
    if not waiting:
        rest = {key: value for key, value in plan.memory.items() if key != "turn"}
        reason = "finished" if "now" in turn else "no_output"
        return replace(
            plan, verdict=Verdict.SKIP, reason=reason, memory=rest, next_look_at=snapshot.now
        )
    action = _run(by_id[waiting[0]], turn)
    ready_at = snapshot.now + timedelta(seconds=action.seconds + turn["pause_seconds"])
    later = {**turn, "waiting": waiting[1:], "now": waiting[0], "ready_at": ready_at.isoformat()}
    return replace(
        plan,
        memory={**plan.memory, "turn": later},
        # An interlock may open: until the patience ends the same output is tried again.
        refused_memory={**plan.memory, "turn": {**turn, "waiting": waiting}},
        actions=(action,),
        facts={**plan.facts, "seconds": action.seconds, "litres": action.litres},
        next_look_at=ready_at,
    )


def _run(switch: Switch, turn: Mapping[str, Any]) -> Action:
    seconds = run_seconds(switch, seconds=turn["seconds"], litres=turn["litres"])
    return Action(
        switch.output_id,
        "run",
        key=f"{turn['name']}-{switch.output_id}",
        seconds=seconds,
        litres=turn["litres"],
    )


def _is_busy(turn: Mapping[str, Any], snapshot: Snapshot) -> bool:
    return any(
        switch.is_busy for switch in snapshot.switches if switch.output_id == turn.get("now")
    )


def in_order(switches: Sequence[Switch], codes: Sequence[str]) -> tuple[Switch, ...]:
    """Sort outputs as the settings name them; what they do not name comes after, by its code."""
    place = {code: number for number, code in enumerate(codes)}
    return tuple(
        sorted(switches, key=lambda switch: (place.get(switch.code, len(place)), switch.code))
    )
