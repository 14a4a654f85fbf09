"""Feeding through whatever may happen: pumps that stop, refusals, power cuts, people who edit."""

import json
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from farm.services.rule_changes import KEPT
from tests.farm.feeder import DOSERS, RAW, WATER, Feeder, Tank

TROUBLES = st.sampled_from(
    ["pump", "refuse a", "refuse b", "refuse water", "interlock", "power", "edit", "drink", "fill"]
)
EVENTS = st.lists(st.tuples(TROUBLES, st.integers(1, 300)), max_size=12)
# Where a programme may end although the tank is not in its bands: each of them is told.
HELD = {"locked_out", "b_missing", "ec_danger", "ph_danger", "tank_full"}


def meet(feeder, trouble, minutes):
    feeder.is_circulating = trouble != "pump"
    feeder.refuses = (trouble.removeprefix("refuse "),) if trouble.startswith("refuse") else ()
    if trouble == "power":
        feeder.now += timedelta(minutes=minutes)
    elif trouble == "edit":
        feeder.memory = {name: feeder.memory[name] for name in KEPT if name in feeder.memory}
    elif trouble == "drink":
        feeder.tank.ec -= 0.2
        feeder.tank.ph += 0.3
    elif trouble == "fill":
        feeder.tank.litres, feeder.tank.ec = 480.0, feeder.tank.ec * 0.8
    for _ in range(minutes * 2):
        feeder.look(is_refused=trouble == "interlock")
        feeder.now += timedelta(seconds=30)
    feeder.is_circulating, feeder.refuses = True, ()


def calm_down(feeder):
    """Let nothing more happen for five days at most; answer where the programme comes to rest."""
    for _ in range(5 * 24 * 120):
        plan = feeder.look()
        feeder.now += timedelta(seconds=30)
        if plan.reason == "in_band" or (plan.reason in HELD and plan.cries):
            break
    return feeder.plan


@settings(max_examples=40, deadline=None)
@given(EVENTS, st.floats(0.8, 2.4), st.floats(5.2, 7.2))
def test_whatever_happened_it_feeds_again_or_says_why_not(events, ec, ph):
    feeder = Feeder(Tank(ec=ec, ph=ph), RAW | {"daily_ml": 2000}, switches=(*DOSERS, WATER))

    for trouble, minutes in events:
        meet(feeder, trouble, minutes)
        json.dumps(dict(feeder.memory))  # it is kept as JSON
    plan = calm_down(feeder)

    assert plan.reason == "in_band" or plan.cries, (plan.reason, feeder.memory)
    assert all(ml <= 200 for _, bottle, ml in feeder.done if bottle in ("a", "b"))
