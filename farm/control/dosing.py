"""Feeding by EC and pH: a bounded dose, a wait until it is mixed, a look at what it did.

One thing at a time, in this order: what stops it all, the dose that is under way, B after A,
what the last dose did, then EC, then pH. After some doses without effect it locks itself: the
bottle is empty, the tube is off or the probe is dead, and more of the same does harm. Fresh water
is waited for like a dose: until it is mixed, no probe tells what is in the tank.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from math import floor
from typing import Any

from farm import agronomy
from farm.control.dosing_effect import is_same_tank, judged, slope_of
from farm.control.dosing_look import LOOK_AGAIN, Look, rounded, without
from farm.control.dosing_settings import Band, Settings
from farm.control.dosing_wait import (
    NOT_GIVEN,
    OPEN,
    mixed_so_far,
    pause_of_refused,
    seconds_to_mix,
    started,
    status_of,
    taken_back,
)
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

# A tenth of the tank at a time (our caution), where nothing else is set.
MOST_THINNED = 0.1
# Later the tank may have been filled anew: B for the A of yesterday would be too much.
LONGEST_WAIT_OF_B = timedelta(hours=6)
# Nobody needs to hear of a wait for mixing (of A, and of B), but of one that does not end.
LONGEST_WAIT = timedelta(hours=2)
WAITING = frozenset({"under_way", "mixing", "not_given"})
URGENT, WARNING = 3, 2  # Alarm.Severity


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
    look = replace(look, memory=mixed_so_far(look))
    plan = _held_back(look) or _under_way(look) or _with_what_it_did(look)
    return _with_cries(look, plan)


def _with_cries(look: Look, plan: Plan) -> Plan:
    """Add what stays true whatever the programme does now: bottles used up, a wait without end."""
    spent = plan.memory.get("spent", {})
    cries = [
        *plan.cries,
        *(
            Cry("dose_budget", WARNING, {"bottle": bottle, "used": used}, about=bottle)
            for bottle, used in spent.items()
        ),
    ]
    if plan.memory.get("b_missing"):
        cries.append(Cry("b_missing", URGENT))
    is_waiting = plan.verdict is Verdict.BLOCKED or plan.reason in WAITING
    if not is_waiting or cries or not _is_wanted(look):
        return replace(plan, memory=without(plan.memory, "waits_since"), cries=tuple(cries))
    since = moment(plan.memory, "waits_since") or look.now
    patience = LONGEST_WAIT + 2 * timedelta(seconds=look.snapshot.mixing_seconds)
    if look.now - since > patience:
        cries.append(Cry("feeding_waits", WARNING, {"since": since.isoformat()}))
    return replace(
        plan, memory={**plan.memory, "waits_since": since.isoformat()}, cries=tuple(cries)
    )


def _is_wanted(look: Look) -> bool:
    """Tell whether something should be done, as far as it is known."""
    sides = ((look.settings.ec, look.ec), (look.settings.ph, look.ph))
    return any(
        band is not None and value is not None and not band.low <= value <= band.high
        for band, value in sides
    )


def _fresh(snapshot: Snapshot, quantity: str) -> float | None:
    value = snapshot.values.get(quantity)
    return value.fresh(snapshot.now) if value else None


def _of_today(memory: Memory, now: datetime) -> Memory:
    day = now.date().isoformat()
    if memory.get("day") == day:
        return memory
    return {**without(memory, "spent"), "day": day, "ml": {}, "thinned": 0}


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
        # A pump by the clock stands half of the day: that is no news while nothing is wanted.
        is_idle = not (look.memory.get("last") or look.memory.get("owed") or _is_wanted(look))
        return look.skip("in_band") if is_idle else look.block("no_circulation")
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
    """Wait for the last dose, and for its mixing."""
    last = look.memory.get("last")
    if not last:
        return None
    status = status_of(look, last)
    if status in OPEN:
        return look.skip("under_way")
    if status == "unknown" and last["bottle"] != "water":
        return look.block("dose_unresolved")
    if status in NOT_GIVEN:
        return taken_back(look, last)
    if status == "aborted" and (last["teaches"] or look.memory.get("b_waits")):
        # How much went in is not sure: it is not completed, and teaches nothing.
        memory = {**without(look.memory, "b_waits"), "last": {**last, "teaches": False}}
        return replace(look.skip("broken_off"), memory=memory)
    return _mixing(look, last)


def _mixing(look: Look, last: Mapping[str, Any]) -> Plan | None:
    left = timedelta(seconds=seconds_to_mix(look, last))
    if not left:
        return None
    waiting = look.skip("mixing", until=(look.now + left).isoformat())
    return replace(waiting, next_look_at=look.now + min(left, LOOK_AGAIN))


def _dose_b(look: Look, owed: Mapping[str, Any]) -> Plan:
    """Give B for an A that is mixed: the same, and not long after it."""
    switch = look.switch("b")
    waited = look.now - datetime.fromisoformat(owed["given_at"])
    if switch is None or waited > LONGEST_WAIT_OF_B or not is_same_tank(look, owed["tank"]):
        why = "no_output" if switch is None else "b_too_late"
        # More A without B would only unbalance the tank, so somebody has to look.
        missing = {"b_missing": True} if look.memory.get("b_refused") else {}
        memory = {**without(look.memory, "owed", "b_refused"), **missing}
        return replace(look.skip(why), memory=memory)
    plan = _dose(look, switch, "b", owed["ml"], reason="b_after_a", expected=owed["expected"])
    if plan.verdict is not Verdict.ACT:
        return plan
    # What A and B do together is measured against the value before A.
    since_a = {name: owed[name] for name in ("before", "tank", "given_at")}
    both = {**plan.memory["last"], **since_a, "owed": owed}
    return replace(
        plan,
        memory={**without(plan.memory, "owed"), "last": both},
        refused_memory={**look.memory, "b_refused": True, "ph_first": True},
    )


def _with_what_it_did(look: Look) -> Plan:
    """Judge the last dose, then decide on the next one."""
    last = look.memory.get("last")
    if last:
        look = replace(look, memory=_after(look, last))
    return _held_back(look) or _next_dose(look)


def _after(look: Look, last: Mapping[str, Any]) -> Memory:
    """Give the memory when the last dose is mixed: what it did, or that B is owed for it."""
    memory = judged(look, last)
    if look.memory.get("b_waits"):
        memory = {**without(look.memory, "last", "b_waits"), "owed": dict(last)}
    if memory.get("refused", {}).get("bottle") == last["bottle"]:
        memory = without(memory, "refused")
    return without(memory, "b_refused") if last["bottle"] == "b" else memory


def _next_dose(look: Look) -> Plan:
    """B comes first, then EC; but what cannot be done for EC does not keep pH from being mended."""
    if any(one.is_busy for one in look.snapshot.switches if one.dose_kind in ("water", "b")):
        return look.skip("under_way")
    owed = look.memory.get("owed")
    if owed and look.memory.get("ph_first"):
        # An interlock holds B back: pH has its turn before it is tried again.
        look = replace(look, memory=without(look.memory, "ph_first"))
        for_ph = _for_ph(look)
        if for_ph is not None and for_ph.actions:
            return for_ph
    for_ec = _dose_b(look, owed) if owed else _for_ec(look)
    if for_ec is not None and for_ec.actions:
        return for_ec
    for_ph = _for_ph(look if for_ec is None else replace(look, memory=for_ec.memory))
    if for_ec is None:
        return for_ph or _at_rest(look)
    if for_ph is None or not for_ph.actions:
        # What is used up of pH's bottles is kept in mind as well.
        return for_ec if for_ph is None else replace(for_ec, memory=for_ph.memory)
    return for_ph


def _at_rest(look: Look) -> Plan:
    band = look.settings.ec
    if band and look.ec is not None and look.ec > band.high:
        return look.skip("too_strong", limit=band.high)
    return look.skip("in_band")


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
    if look.memory.get("b_missing"):
        return look.block("b_missing")
    slope = slope_of(look, "ec")
    full = agronomy.fertiliser_ml(
        tank_litres=look.litres, ec_now=ec, ec_target=band.target, ec_per_ml_per_litre=slope
    )
    ml = agronomy.bounded_dose_ml(full, most_ml=look.settings.most_ml) or 0.0
    b = look.switch("b")
    if b is not None:
        if not b.most_ml:
            return look.block("no_rate", bottle="b")
        # B is to be as much as A, so the smaller doser of the two bounds both.
        ml = min(ml, b.most_ml)
    plan = _dose(look, switch, "a", ml, reason="ec_low", expected=slope * ml / look.litres)
    if plan.verdict is not Verdict.ACT or b is None:
        return plan
    return replace(plan, memory={**plan.memory, "b_waits": True})


def _dilute(look: Look, band: Band, ec: float) -> Plan | None:
    """Thin a tank that is too strong with fresh water, as far as it has room."""
    switch = look.switch("water")
    if switch is None:
        return None  # pH may still be mended
    pause = pause_of_refused(look, "water")
    if pause is not None:
        return pause
    times = look.memory["thinned"]
    if times >= look.settings.lock_out_after:
        return look.block("daily_budget", bottle="water", times=times)
    litres = _fresh_litres(look, band, ec)
    if litres <= 0:
        return look.block("tank_full", limit=band.high)
    seconds = run_seconds(switch, seconds=None, litres=litres)
    last = started(look, switch, "water")
    action = Action(switch.output_id, "run", key=last["key"], seconds=seconds, litres=litres)
    return Plan(
        Verdict.ACT,
        "ec_high",
        {**look.memory, "last": last, "thinned": times + 1},
        look.facts(litres=litres, limit=band.high),
        (action,),
        next_look_at=look.now + LOOK_AGAIN,
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
    slope = slope_of(look, way)
    step = agronomy.ph_step(look.ph, band.target)
    full = agronomy.acid_or_base_ml(tank_litres=look.litres, step=step, ph_per_ml_per_litre=slope)
    ml = min(full or 0.0, look.settings.most_ph_ml)
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
    """Dose within the device's limit and the day's budget; `expected` is what all of `ml` does."""
    pause = pause_of_refused(look, bottle)
    if pause is not None:
        return pause
    if not switch.most_ml:
        return look.block("no_rate", bottle=bottle)
    asked, ml = ml, _tenths(min(ml, switch.most_ml))
    if ml <= 0:
        return look.skip("too_little")
    used = look.memory["ml"].get(bottle, 0.0)
    total = round(used + ml, 1)
    if total > look.settings.daily_ml:
        spent = {**look.memory.get("spent", {}), bottle: used}
        look = replace(look, memory={**look.memory, "spent": spent})
        return look.block("daily_budget", bottle=bottle, used=used, ml=ml)
    does = {"ml": ml, "expected": expected * ml / asked, "teaches": True}
    last = {**started(look, switch, bottle), **does}
    return Plan(
        Verdict.ACT,
        reason,
        {**look.memory, "last": last, "ml": {**look.memory["ml"], bottle: total}},
        look.facts(ml=ml, bottle=bottle, used=used, budget=look.settings.daily_ml),
        (Action(switch.output_id, "dose", key=last["key"], ml=ml),),
        next_look_at=look.now + LOOK_AGAIN,
        refused_memory=look.memory,
    )


def _tenths(ml: float) -> float:
    """Round down to what a doser is told; up would be more than what is allowed."""
    return floor(ml * 10 + 1e-6) / 10
