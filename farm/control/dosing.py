"""Feeding by EC and pH: a bounded dose, a wait until it is mixed, a look at what it did.

One thing at a time, in this order: what stops it all, the dose that is under way, B after A,
what the last dose did, then EC, then pH. After some doses without effect it locks itself: the
bottle is empty, the tube is off or the probe is dead, and more of the same does harm.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from farm import agronomy
from farm.control.dosing_look import LOOK_AGAIN, Look, rounded
from farm.control.dosing_settings import Band, Settings
from farm.control.plan import (
    Action,
    Cry,
    Memory,
    Plan,
    Snapshot,
    Switch,
    Verdict,
    moment,
    run_seconds,
    why_silent,
)

# What a probe can tell apart; a dose that is expected to move less proves nothing.
LEAST_MOVE = {"ec": 0.03, "ph": 0.05}
# Water that came or went meanwhile makes the comparison worthless.
SAME_TANK_PART = 0.05
# A tenth of the tank at a time (our caution), where nothing else is set.
MOST_THINNED = 0.1
URGENT, WARNING = 3, 2  # Alarm.Severity
NOT_GIVEN = frozenset({"rejected", "expired"})
OPEN = frozenset({"queued", "sent", "accepted", "started"})


def decide(settings: Settings, memory: Memory, snapshot: Snapshot) -> Plan:
    """Decide on one step, or on none."""
    tank = snapshot.values.get("tank_volume")
    look = Look(
        settings,
        _of_today(memory, snapshot.now),
        snapshot,
        ec=_fresh(snapshot, "ec"),
        ph=_fresh(snapshot, "ph"),
        litres=(tank.fresh(snapshot.now) or 0.0) if tank else snapshot.reservoir_l,
    )
    return _held_back(look) or _under_way(look) or _with_what_it_did(look)


def _fresh(snapshot: Snapshot, quantity: str) -> float | None:
    value = snapshot.values.get(quantity)
    return value.fresh(snapshot.now) if value else None


def _of_today(memory: Memory, now: datetime) -> Memory:
    day = now.date().isoformat()
    return memory if memory.get("day") == day else {**memory, "day": day, "ml": {}, "thinned": 0}


def _held_back(look: Look) -> Plan | None:
    """Name what forbids any dose at all."""
    locked = look.memory.get("locked")
    if locked:
        plan = look.block("locked_out", Cry("dose_without_effect", URGENT, locked), **locked)
        return replace(plan, next_look_at=look.now + 10 * LOOK_AGAIN)
    missing = _missing(look)
    if missing:
        value = look.snapshot.values.get(missing)
        since = value.t.isoformat() if value else None
        return look.block(why_silent(value), quantity=missing, since=since)
    danger = _danger(look)
    if danger is not None:
        return danger
    if look.litres <= 0:
        return look.block("no_volume")
    if look.snapshot.is_circulating is not True:
        return look.block("no_circulation")
    return None


def _missing(look: Look) -> str:
    """Name a measurement that is needed and is not there, or is too old."""
    for quantity in look.settings.quantities:
        if look.value(quantity) is None:
            return quantity
    tank = look.snapshot.values.get("tank_volume")
    return "tank_volume" if tank and tank.fresh(look.now) is None else ""


def _danger(look: Look) -> Plan | None:
    settings = look.settings
    if look.ec is not None and look.ec >= settings.danger_ec:
        cry = Cry("ec_danger", URGENT, {"value": rounded(look.ec)})
        return look.block("ec_danger", cry, limit=settings.danger_ec)
    if look.ph is not None and not settings.danger_ph_low < look.ph < settings.danger_ph_high:
        cry = Cry("ph_danger", URGENT, {"value": rounded(look.ph)})
        return look.block("ph_danger", cry)
    return None


def _under_way(look: Look) -> Plan | None:
    """Wait for the last dose, and for its mixing; give B after A."""
    last = look.memory.get("last")
    if not last:
        return None
    switch = _by_id(look, last["output_id"])
    status = switch.last_status if switch and switch.last_key == last["key"] else ""
    if status in OPEN:
        return look.skip("under_way")
    if status == "unknown":
        return look.block("dose_unresolved")
    if status in NOT_GIVEN:
        return _forget(look, last)
    if status == "aborted" and (last["expected"] or look.memory.get("b_waits")):
        return _break_off(look, last)
    return _mixing(look, last)


def _mixing(look: Look, last: Mapping[str, Any]) -> Plan | None:
    mixed_at = datetime.fromisoformat(last["mixed_at"])
    if look.now < mixed_at:
        waiting = look.skip("mixing", until=last["mixed_at"])
        return replace(waiting, next_look_at=min(mixed_at, look.now + 10 * LOOK_AGAIN))
    return _dose_b(look, last) if look.memory.get("b_waits") else None


def _by_id(look: Look, output_id: int) -> Switch | None:
    return next((one for one in look.snapshot.switches if one.output_id == output_id), None)


def _forget(look: Look, last: Mapping[str, Any]) -> Plan:
    """Take back a dose that was never given: nothing to wait for, and its ml are free again."""
    used = dict(look.memory["ml"])
    used[last["bottle"]] = max(0.0, used.get(last["bottle"], 0.0) - last["ml"])
    memory = {**_without(look.memory, "last", "b_waits"), "ml": used}
    if last["bottle"] == "b":
        # A is in the tank already: B is tried again.
        memory |= {"last": {**last, "key": ""}, "b_waits": True}
    return replace(look.skip("not_given"), memory=memory)


def _break_off(look: Look, last: Mapping[str, Any]) -> Plan:
    """Go no further with a dose that broke off: how much went in is not sure."""
    memory = {**_without(look.memory, "b_waits"), "last": {**last, "expected": 0.0}}
    return replace(look.skip("broken_off"), memory=memory)


def _dose_b(look: Look, last: Mapping[str, Any]) -> Plan:
    switch = look.switch("b")
    if switch is None:
        return replace(look.skip("no_output"), memory=_without(look.memory, "b_waits"))
    plan = _dose(look, switch, "b", last["ml"], reason="b_after_a", expected=last["expected"])
    if plan.verdict is not Verdict.ACT:
        return plan
    # What A and B do together is measured against the value before A.
    both = {**plan.memory["last"], "before": last["before"], "tank": last["tank"]}
    return replace(plan, memory={**_without(plan.memory, "b_waits"), "last": both})


def _with_what_it_did(look: Look) -> Plan:
    """Judge the last dose, then decide on the next one."""
    last = look.memory.get("last")
    if last:
        look = replace(look, memory=_judged(look, last))
    locked = _held_back(look)
    return locked or _for_ec(look) or _for_ph(look) or _at_rest(look)


def _at_rest(look: Look) -> Plan:
    band = look.settings.ec
    if band and look.ec is not None and look.ec > band.high:
        return look.skip("too_strong", limit=band.high)
    return look.skip("in_band")


def _judged(look: Look, last: Mapping[str, Any]) -> Memory:
    """Learn from a dose whose effect can be seen, and count the ones that had none."""
    memory = _without(look.memory, "last")
    quantity, now_at = last["quantity"], look.value(last["quantity"])
    is_same_tank = abs(look.litres - last["tank"]) <= SAME_TANK_PART * last["tank"]
    expected = last["expected"]
    if now_at is None or not is_same_tank or abs(expected) < LEAST_MOVE[quantity]:
        return memory
    # Positive when it moved the way it should.
    moved = (now_at - last["before"]) * (1 if expected > 0 else -1)
    counts = dict(memory.get("without_effect", {}))
    if moved < look.settings.least_effect_part * abs(expected):
        counts[last["slope"]] = counts.get(last["slope"], 0) + 1
        memory = {**memory, "without_effect": counts}
        if counts[last["slope"]] >= look.settings.lock_out_after:
            locked = {
                "quantity": quantity,
                "doses": counts[last["slope"]],
                "since": look.now.isoformat(),
            }
            memory = {**memory, "locked": locked}
        return memory
    counts[last["slope"]] = 0
    slope = agronomy.learned_slope(
        _slope(look, last["slope"]), tank_litres=look.litres, ml=last["ml"], moved=moved
    )
    slopes = {**memory.get("slopes", {}), last["slope"]: round(slope, 4)}
    return {**memory, "without_effect": counts, "slopes": slopes}


def _slope(look: Look, name: str) -> float:
    believed = {
        "ec": look.settings.ec_per_ml_per_litre,
        "ph_up": look.settings.ph_per_ml_per_litre,
        "ph_down": look.settings.ph_per_ml_per_litre,
    }
    learned: float = look.memory.get("slopes", {}).get(name, believed[name])
    # However odd the doses of a week were, never further than four times from what was set.
    return max(believed[name] / 4, min(believed[name] * 4, learned))


def _for_ec(look: Look) -> Plan | None:
    band = look.settings.ec
    if band is None or look.ec is None:
        return None
    if look.ec < band.low:
        return _feed(look, band, look.ec)
    if look.ec > band.high:
        return _dilute(look, band, look.ec)
    return None


def _feed(look: Look, band: Band, ec: float) -> Plan:
    switch = look.switch("a")
    if switch is None:
        return look.skip("no_output")
    slope = _slope(look, "ec")
    full = agronomy.fertiliser_ml(
        tank_litres=look.litres, ec_now=ec, ec_target=band.target, ec_per_ml_per_litre=slope
    )
    ml = agronomy.bounded_dose_ml(full, most_ml=look.settings.most_ml) or 0.0
    plan = _dose(look, switch, "a", ml, reason="ec_low", expected=slope * ml / look.litres)
    if plan.verdict is not Verdict.ACT or look.switch("b") is None:
        return plan
    return replace(plan, memory={**plan.memory, "b_waits": True})


def _dilute(look: Look, band: Band, ec: float) -> Plan | None:
    """Thin a tank that is too strong with fresh water, as far as it has room."""
    switch = look.switch("water")
    if switch is None:
        return None  # pH may still be mended
    if switch.is_busy:
        return look.skip("under_way")
    mixing = timedelta(seconds=look.snapshot.mixing_seconds)
    thinned_at = moment(look.memory, "thinned_at")
    if thinned_at is not None and look.now < thinned_at + mixing:
        return look.skip("mixing", until=(thinned_at + mixing).isoformat())
    times = look.memory["thinned"]
    if times >= look.settings.lock_out_after:
        return look.block("daily_budget", bottle="water", times=times)
    litres = _fresh_litres(look, band, ec)
    if litres <= 0:
        return look.block("tank_full", limit=band.high)
    key = f"water-{look.now:%Y%m%d%H%M%S}"
    seconds = run_seconds(switch, seconds=None, litres=litres)
    return Plan(
        Verdict.ACT,
        "ec_high",
        {**look.memory, "thinned_at": look.now.isoformat(), "thinned": times + 1},
        look.facts(litres=litres, limit=band.high),
        (Action(switch.output_id, "run", key=key, seconds=seconds, litres=litres),),
        next_look_at=look.now + mixing,
        refused_memory=look.memory,
    )


def _fresh_litres(look: Look, band: Band, ec: float) -> float:
    asked = agronomy.dilution_litres(tank_litres=look.litres, ec_now=ec, ec_target=band.target)
    bounds = [asked or 0.0, look.settings.dilution_most_litres or MOST_THINNED * look.litres]
    if look.snapshot.reservoir_l:
        bounds.append(look.snapshot.reservoir_l - look.litres)
    return round(min(bounds), 1)


def _for_ph(look: Look) -> Plan | None:
    band = look.settings.ph
    if band is None or look.ph is None or band.low <= look.ph <= band.high:
        return None
    way = "ph_up" if look.ph < band.low else "ph_down"
    moved_at = moment(look.memory, "ph_moved_at")
    free_at = (moved_at or look.now) + timedelta(minutes=look.settings.ph_one_way_minutes)
    if moved_at is not None and look.memory.get("ph_way") != way and look.now < free_at:
        # Up and down in turn only salts the tank.
        return look.skip("ph_turned", until=free_at.isoformat())
    switch = look.switch(way)
    if switch is None:
        return look.skip("no_output")
    slope = _slope(look, way)
    step = agronomy.ph_step(look.ph, band.target)
    full = agronomy.acid_or_base_ml(tank_litres=look.litres, step=step, ph_per_ml_per_litre=slope)
    ml = round(min(full or 0.0, look.settings.most_ph_ml), 1)
    expected = slope * ml / look.litres * (1 if way == "ph_up" else -1)
    plan = _dose(
        look, switch, way, ml, reason="ph_low" if way == "ph_up" else "ph_high", expected=expected
    )
    if plan.verdict is not Verdict.ACT:
        return plan
    turned = {"ph_way": way, "ph_moved_at": look.now.isoformat()}
    return replace(plan, memory={**plan.memory, **turned})


def _dose(
    look: Look, switch: Switch, bottle: str, ml: float, *, reason: str, expected: float
) -> Plan:
    """Dose within the device's limit and the day's budget."""
    ml = round(min(ml, switch.most_ml), 1)
    used = look.memory["ml"].get(bottle, 0.0)
    if used + ml > look.settings.daily_ml:
        cry = Cry("dose_budget", WARNING, {"bottle": bottle, "used": used})
        return look.block("daily_budget", cry, bottle=bottle, used=used, ml=ml)
    if ml <= 0:
        return look.skip("too_little")
    quantity = "ph" if bottle.startswith("ph") else "ec"
    key = f"{bottle}-{look.now:%Y%m%d%H%M%S}"
    mixed_at = look.now + timedelta(
        seconds=look.snapshot.mixing_seconds + _dose_seconds(switch, ml)
    )
    last = {
        "key": key,
        "output_id": switch.output_id,
        "bottle": bottle,
        "quantity": quantity,
        "slope": bottle if quantity == "ph" else "ec",
        "ml": ml,
        "before": look.value(quantity),
        "expected": round(expected, 4),
        "tank": look.litres,
        "mixed_at": mixed_at.isoformat(),
    }
    return Plan(
        Verdict.ACT,
        reason,
        {**look.memory, "last": last, "ml": {**look.memory["ml"], bottle: used + ml}},
        look.facts(ml=ml, bottle=bottle, used=used, budget=look.settings.daily_ml),
        (Action(switch.output_id, "dose", key=key, ml=ml),),
        next_look_at=look.now + LOOK_AGAIN,
        refused_memory=look.memory,
    )


def _dose_seconds(switch: Switch, ml: float) -> float:
    return ml / switch.ml_per_second if switch.ml_per_second else 0.0


def _without(memory: Memory, *names: str) -> dict[str, Any]:
    return {name: value for name, value in memory.items() if name not in names}
