"""The last thing that went into the tank: whether it was given, and how long it has been mixing."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from farm.control.dosing_look import LOOK_AGAIN, Look, without
from farm.control.plan import Memory, Plan, Switch, moment
from farm.control.sequence import again_after

# A programme that mixes looks every half minute; of a longer time nobody knows what moved.
LONGEST_UNSEEN = 4 * LOOK_AGAIN
NOT_GIVEN = frozenset({"rejected", "expired"})
OPEN = frozenset({"queued", "sent", "accepted", "started"})


def started(look: Look, switch: Switch, bottle: str) -> dict[str, Any]:
    """Note what goes into the tank now; it teaches nothing, unless somebody says so."""
    quantity = "ph" if bottle.startswith("ph") else "ec"
    return {
        "key": f"{bottle}-{look.now:%Y%m%d%H%M%S}",
        "output_id": switch.output_id,
        "bottle": bottle,
        "quantity": quantity,
        "slope": bottle if quantity == "ph" else "ec",
        "ml": 0.0,
        "before": look.value(quantity),
        "expected": 0.0,
        "teaches": False,
        "tank": look.litres,
        "given_at": look.now.isoformat(),
        "looked_at": look.now.isoformat(),
        "was_moving": False,
        "mixed_seconds": 0.0,
    }


def status_of(look: Look, last: Mapping[str, Any]) -> str:
    """Tell how the command for it stands; empty where its output is gone."""
    for switch in look.snapshot.switches:
        if switch.output_id == last["output_id"] and switch.last_key == last["key"]:
            return switch.last_status
    return ""


def mixed_so_far(look: Look) -> Memory:
    """Count the time in which it was mixed: the water moved, and went on moving between two looks.

    Of a time in which nobody looked (the power was off) no more counts than between two looks.
    """
    last = look.memory.get("last")
    if not last:
        return look.memory
    if "teaches" not in last:
        # Noted by an earlier release: safety waits for it by the clock.
        return without(look.memory, "last", "b_waits")
    is_open = status_of(look, last) in OPEN
    is_moving = look.snapshot.is_circulating is True and not is_open
    seconds = 0.0 if is_open else last["mixed_seconds"]
    if is_moving and last["was_moving"]:
        unseen = look.now - (moment(last, "looked_at") or look.now)
        seconds += min(unseen, LONGEST_UNSEEN).total_seconds()
    seen = {
        "mixed_seconds": seconds, "looked_at": look.now.isoformat(), "was_moving": is_moving,
    }  # fmt: skip
    return {**look.memory, "last": {**last, **seen}}


def seconds_to_mix(look: Look, last: Mapping[str, Any]) -> float:
    """Tell how long it still has to be mixed, if the water goes on moving as it does now."""
    left: float = look.snapshot.mixing_seconds - last["mixed_seconds"]
    return max(left, 0.0)


def taken_back(look: Look, last: Mapping[str, Any]) -> Plan:
    """Take back what was never given; its ml are free again, and the next try waits a little."""
    bottle = last["bottle"]
    memory = with_refusal(without(look.memory, "last", "b_waits"), bottle, look.now)
    if bottle == "water":
        memory["thinned"] = max(0, memory["thinned"] - 1)
    else:
        used = memory["ml"].get(bottle, 0.0)
        memory["ml"] = {**memory["ml"], bottle: max(0.0, round(used - last["ml"], 1))}
    if bottle == "b":
        # A is in the tank already, and mixed: B is tried again.
        memory |= {"owed": last["owed"], "b_refused": True}
    return _skip_until(look, memory)


def with_refusal(memory: Memory, bottle: str, now: datetime) -> dict[str, Any]:
    """Note that a dose of this bottle was refused: each time in a row the next try waits longer."""
    before = memory.get("refused", {})
    times = before["times"] + 1 if before.get("bottle") == bottle else 1
    again_at = (now + again_after(times)).isoformat()
    return {**memory, "refused": {"bottle": bottle, "times": times, "again_at": again_at}}


def pause_of_refused(look: Look, bottle: str) -> Plan | None:
    """Wait before a bottle is tried again that was refused."""
    refused = look.memory.get("refused", {})
    again_at = moment(refused, "again_at")
    if refused.get("bottle") != bottle or again_at is None or look.now >= again_at:
        return None
    return _skip_until(look, look.memory)


def _skip_until(look: Look, memory: Memory) -> Plan:
    waiting = replace(look, memory=memory)
    return waiting.skip("not_given", until=memory["refused"]["again_at"])
