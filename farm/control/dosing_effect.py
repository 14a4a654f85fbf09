"""What a dose did: learned from where it can be seen, counted where there was no effect."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from farm import agronomy
from farm.control.dosing_look import Look, without
from farm.control.plan import Memory, moment

# What a probe can tell apart; doses that are expected to move less prove nothing yet.
LEAST_MOVE = {"ec": 0.03, "ph": 0.05}
# Water that came or went meanwhile makes the comparison worthless.
SAME_TANK_PART = 0.05
# Plants drink: after so long a pause small doses are not added up any more, after so long a time
# without a look (beyond twice the mixing, of A and of B) a dose proves nothing.
LONGEST_PAUSE = timedelta(hours=1)
LONGEST_UNJUDGED = timedelta(hours=4)
LONGEST_SUM = timedelta(days=1)


def judged(look: Look, last: Mapping[str, Any]) -> Memory:
    """Give the memory after the last dose was mixed and looked at.

    Small doses into much water are summed up until a probe can tell what they did together, those
    of EC, of acid and of base each for themselves.
    """
    memory: Memory = {**without(look.memory, "last"), "judged_at": look.now.isoformat()}
    if last["bottle"] == "water":
        return without(memory, "unjudged")
    sums = memory.get("unjudged", {})
    memory = {**memory, "unjudged": without(sums, last["slope"])}
    now_at = look.value(last["quantity"])
    together = _together(look, sums.get(last["slope"]), last)
    if now_at is None or not last["teaches"] or not _can_be_compared(look, last, together):
        return memory
    expected = together["expected"]
    if abs(expected) < LEAST_MOVE[last["quantity"]]:
        return {**memory, "unjudged": {**memory["unjudged"], last["slope"]: together}}
    # Positive when it moved the way it should.
    moved = (now_at - together["before"]) * (1 if expected > 0 else -1)
    if moved < look.settings.least_effect_part * abs(expected):
        return _without_effect(look, memory, last)
    counts = {**memory.get("without_effect", {}), last["slope"]: 0}
    learned = agronomy.learned_slope(
        slope_of(look, last["slope"]), tank_litres=look.litres, ml=together["ml"], moved=moved
    )
    slopes = {**memory.get("slopes", {}), last["slope"]: round(learned, 4)}
    return {**memory, "without_effect": counts, "slopes": slopes}


def is_same_tank(look: Look, litres: float) -> bool:
    """Tell whether there is about as much water as there was."""
    return abs(look.litres - litres) <= SAME_TANK_PART * litres


def _can_be_compared(look: Look, last: Mapping[str, Any], together: Mapping[str, Any]) -> bool:
    patience = LONGEST_UNJUDGED + 2 * timedelta(seconds=look.snapshot.mixing_seconds)
    is_fresh = look.now - datetime.fromisoformat(last["given_at"]) <= patience
    return is_fresh and is_same_tank(look, together["tank"])


def _together(
    look: Look, earlier: Mapping[str, Any] | None, last: Mapping[str, Any]
) -> dict[str, Any]:
    """Add the last dose to those before it that nobody could judge alone."""
    given_at = datetime.fromisoformat(last["given_at"])
    alone = {name: last[name] for name in ("ml", "expected", "before", "tank")}
    judged_at = moment(look.memory, "judged_at")
    if earlier is None or judged_at is None or given_at - judged_at > LONGEST_PAUSE:
        return {**alone, "since": last["given_at"]}
    if given_at - datetime.fromisoformat(earlier["since"]) > LONGEST_SUM:
        return {**alone, "since": last["given_at"]}
    return {
        **earlier,
        "ml": round(earlier["ml"] + last["ml"], 1),
        "expected": earlier["expected"] + last["expected"],
    }


def _without_effect(look: Look, memory: Memory, last: Mapping[str, Any]) -> Memory:
    times = memory.get("without_effect", {}).get(last["slope"], 0) + 1
    memory = {
        **memory,
        "without_effect": {**memory.get("without_effect", {}), last["slope"]: times},
    }
    if times < look.settings.lock_out_after:
        return memory
    locked = {"quantity": last["quantity"], "doses": times, "since": look.now.isoformat()}
    return {**memory, "locked": locked}


def slope_of(look: Look, name: str) -> float:
    """Tell how far one ml in a litre moves it, as far as is known by now."""
    believed = {
        "ec": look.settings.ec_per_ml_per_litre,
        "ph_up": look.settings.ph_per_ml_per_litre,
        "ph_down": look.settings.ph_per_ml_per_litre,
    }
    learned: float = look.memory.get("slopes", {}).get(name, believed[name])
    # However odd the doses of a week were, never further than four times from what was set.
    return max(believed[name] / 4, min(believed[name] * 4, learned))
