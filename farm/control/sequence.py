"""Outputs one after the other: valves behind one pump, each when the one before is shut."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from farm.control.plan import Action, Memory, Plan, Snapshot, Switch, Verdict, moment, run_action

LOOK_AGAIN = timedelta(seconds=10)
# A command that is not taken has ended by then.
TAKEN_WITHIN = timedelta(seconds=20)
AGAIN_AT_LATEST = timedelta(minutes=5)
# What the turn knows of the tries of one output.
_TRIES = ("key", "first_at", "tries")


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
    refused = _not_taken(turn, snapshot)
    if refused is not None:
        return _put_back(memory, refused, now)
    ready_at = _ready_at(turn, snapshot)
    if now < ready_at or _is_busy(turn, snapshot):
        is_by_litres = turn["litres"] is not None
        next_look_at = now + LOOK_AGAIN if is_by_litres else max(ready_at, now + LOOK_AGAIN)
        return Plan(Verdict.SKIP, "running", memory, next_look_at=next_look_at)
    if "key" in turn:
        turn = _forget_tries(turn)
    is_again = "first_at" in turn
    plan = Plan(Verdict.ACT, "again" if is_again else "next_output", memory, next_look_at=now)
    since = moment(turn, "first_at") or ready_at
    if turn["waiting"] and now - since > timedelta(minutes=turn["patience_minutes"]):
        left_out = _forget_tries(turn)
        left_out |= {"waiting": turn["waiting"][1:], "ready_at": now.isoformat()}
        given_up = {**memory, "turn": left_out}
        return replace(plan, verdict=Verdict.SKIP, reason="given_up", memory=given_up)
    return _next(plan, snapshot, turn)


def _ready_at(turn: Mapping[str, Any], snapshot: Snapshot) -> datetime:
    """Tell when the next output may begin: when the bound is over, or the litres were given."""
    planned = moment(turn, "ready_at") or snapshot.now
    for switch in snapshot.switches:
        is_its_run = "key" in turn and switch.last_key == turn["key"]
        if (
            is_its_run
            and switch.last_status == "done"
            and switch.is_on is False
            and switch.state_at
        ):
            return min(planned, switch.state_at + timedelta(seconds=turn["pause_seconds"]))
    return planned


def _forget_tries(turn: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in turn.items() if name not in _TRIES}


def _not_taken(turn: Mapping[str, Any], snapshot: Snapshot) -> Switch | None:
    """Find the output whose turn it is where its device surely did not begin the run."""
    for switch in snapshot.switches:
        if switch.output_id == turn.get("now") and switch.last_key == turn.get("key"):
            return switch if switch.was_not_taken else None
    return None


def _put_back(memory: Memory, switch: Switch, now: datetime) -> Plan:
    """Let an output have its turn once more, after a pause that doubles each time."""
    turn = memory["turn"]
    tries = turn.get("tries", 0) + 1
    again_at = now + again_after(tries)
    waiting = [switch.output_id, *turn["waiting"]]
    later = {name: value for name, value in turn.items() if name != "key"}
    later |= {"waiting": waiting, "tries": tries, "ready_at": again_at.isoformat()}
    return Plan(
        Verdict.SKIP,
        "not_taken",
        {**memory, "turn": later},
        {"reason": switch.last_why or switch.last_status, "until": again_at.isoformat()},
        next_look_at=again_at,
    )


def again_after(tries: int) -> timedelta:
    """Give the pause before the next try.

    >>> [again_after(tries).seconds for tries in (1, 2, 3, 9)]
    [10, 20, 40, 300]
    """
    return min(LOOK_AGAIN * (1 << (min(tries, 10) - 1)), AGAIN_AT_LATEST)


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
    later = {
        **turn,
        "waiting": waiting[1:],
        "now": waiting[0],
        "key": action.key,
        "first_at": turn.get("first_at", snapshot.now.isoformat()),
        "ready_at": ready_at.isoformat(),
    }
    return replace(
        plan,
        memory={**plan.memory, "turn": later},
        # An interlock may open: until the patience ends the same output is tried again.
        refused_memory={**plan.memory, "turn": {**turn, "waiting": waiting}},
        actions=(action,),
        facts={**plan.facts, "seconds": action.seconds, "litres": action.litres},
        next_look_at=min(ready_at, snapshot.now + TAKEN_WITHIN),
    )


def _run(switch: Switch, turn: Mapping[str, Any]) -> Action:
    return run_action(
        switch,
        name=turn["name"],
        seconds=turn["seconds"],
        litres=turn["litres"],
        tries=turn.get("tries", 0),
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
