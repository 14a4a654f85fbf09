"""Outputs that run at once: whoever was left out is asked again while patience lasts."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from farm.control.plan import Action, Memory, Plan, Snapshot, Switch, Verdict, moment, run_action
from farm.control.sequence import LOOK_AGAIN, again_after

_WAITING = frozenset({"queued", "sent"})


def begin(
    plan: Plan,
    snapshot: Snapshot,
    *,
    name: str,
    seconds: int | None,
    litres: float | None,
    patience_minutes: int,
) -> Plan:
    """Let the plan run all of the snapshot's outputs now."""
    together = {
        "name": name,
        "seconds": seconds,
        "litres": litres,
        "until": (snapshot.now + timedelta(minutes=patience_minutes)).isoformat(),
    }
    return _run(plan, together, snapshot, snapshot.switches)


def is_waiting(memory: Memory) -> bool:
    """Tell whether some of the outputs may still have to be asked again."""
    return "together" in memory


def proceed(memory: Memory, snapshot: Snapshot) -> Plan | None:
    """Ask again whoever did not take it; None when there is nobody left to wait for."""
    together, now = memory["together"], snapshot.now
    asked = [one for one in snapshot.switches if one.last_key in together["keys"]]
    # One without a command of this start was refused at once, by an interlock.
    failed = tuple(
        one
        for one in snapshot.switches
        if (one not in asked or one.was_not_taken) and not one.is_busy
    )
    until = moment(together, "until") or now
    if now > until or not (failed or any(one.last_status in _WAITING for one in asked)):
        return None
    plan = Plan(Verdict.SKIP, "running", memory, next_look_at=now + LOOK_AGAIN)
    if not failed:
        return plan
    again_at = moment(together, "again_at") or now + again_after(together["tries"])
    if now < again_at:
        waiting = {**memory, "together": {**together, "again_at": again_at.isoformat()}}
        why = (failed[0].last_why or failed[0].last_status) if failed[0] in asked else "held_back"
        facts = {"reason": why, "until": again_at.isoformat()}
        return replace(plan, reason="not_taken", memory=waiting, facts=facts, next_look_at=again_at)
    return _run(replace(plan, verdict=Verdict.ACT, reason="again"), together, snapshot, failed)


def forget(memory: Memory) -> Memory:
    """Leave the start behind."""
    return {name: value for name, value in memory.items() if name != "together"}


def _run(
    plan: Plan, together: Mapping[str, Any], snapshot: Snapshot, switches: tuple[Switch, ...]
) -> Plan:
    tries = together.get("tries", 0)
    actions: tuple[Action, ...] = tuple(
        run_action(
            switch,
            name=together["name"],
            seconds=together["seconds"],
            litres=together["litres"],
            tries=tries,
        )
        for switch in switches
    )
    kept = {name: value for name, value in together.items() if name != "again_at"}
    keys = [*together.get("keys", ()), *(action.key for action in actions)]
    later = {**kept, "tries": tries + 1, "keys": keys}
    facts = {
        **plan.facts,
        "seconds": max((action.seconds for action in actions), default=0),
        "litres": together["litres"],
    }
    return replace(
        plan,
        memory={**plan.memory, "together": later},
        actions=actions,
        facts=facts,
        next_look_at=snapshot.now + LOOK_AGAIN,
    )
