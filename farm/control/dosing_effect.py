"""What a dose did: learned from where it can be seen, counted where there was no effect."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from farm import agronomy
from farm.control.dosing_look import Look, without
from farm.control.plan import Memory

# What a probe can tell apart; doses that are expected to move less prove nothing yet.
LEAST_MOVE = {"ec": 0.03, "ph": 0.05}
# Water that came or went meanwhile makes the comparison worthless.
SAME_TANK_PART = 0.05
# After a pause plants have drunk: what small doses did before it is not added up with what follows.
LONGEST_PAUSE = timedelta(hours=1)


def judged(look: Look, last: Mapping[str, Any]) -> Memory:
    """Give the memory after the last dose was mixed and looked at.

    Small doses into much water are summed up until a probe can tell what they did together.
    """
    memory = without(look.memory, "last", "unjudged")
    now_at = look.value(last["quantity"])
    together = _together(look.memory.get("unjudged"), last)
    is_same_tank = abs(look.litres - together["tank"]) <= SAME_TANK_PART * together["tank"]
    expected = together["expected"]
    if now_at is None or not is_same_tank or not last["expected"]:
        return memory
    if abs(expected) < LEAST_MOVE[last["quantity"]]:
        return {**memory, "unjudged": together}
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


def _together(earlier: Mapping[str, Any] | None, last: Mapping[str, Any]) -> dict[str, Any]:
    """Add the last dose to those before it that nobody could judge alone."""
    if earlier is None or earlier["slope"] != last["slope"]:
        return dict(last)
    pause = datetime.fromisoformat(last["given_at"]) - datetime.fromisoformat(earlier["mixed_at"])
    if pause > LONGEST_PAUSE:
        return dict(last)
    return {
        **last,
        "ml": round(earlier["ml"] + last["ml"], 1),
        "expected": round(earlier["expected"] + last["expected"], 6),
        "before": earlier["before"],
        "tank": earlier["tank"],
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
