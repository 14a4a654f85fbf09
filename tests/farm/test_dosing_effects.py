"""What feeding learns of its doses, and how long it waits until they are mixed."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.farm.feeder import DOSERS, MORNING, RAW, WATER, Feeder, Tank

LARGE = RAW | {"most_ml": 50, "daily_ml": 5000}
SMALL_DOSERS = tuple(replace(one, max_seconds=25) for one in DOSERS)  # 30 ml at most


def large_tank(**changes):
    return Tank(**{"ec": 1.0, "litres": 1200.0} | changes)


def test_small_doses_into_a_large_tank_are_judged_together():
    feeder = Feeder(large_tank(), LARGE, reservoir_l=1500.0)

    # Each pair of 50 ml is expected to do 0.01 mS/cm: three of them are more than a probe's error.
    feeder.live(hours=2, minutes=10)

    assert [name for _, name, _ in feeder.done[:6]] == ["a", "b"] * 3
    assert feeder.memory["without_effect"] == {"ec": 0}
    assert feeder.memory["slopes"] == {"ec": pytest.approx(0.24, abs=0.0001)}
    assert "unjudged" not in feeder.memory


def test_an_empty_bottle_at_a_large_tank_locks_the_programme():
    feeder = Feeder(large_tank(ec_per_ml_per_litre=0.0), LARGE, reservoir_l=1500.0)

    feeder.live(hours=24)

    assert feeder.plan.reason == "locked_out"
    assert [name for _, name, _ in feeder.done] == ["a", "b"] * 9
    assert [(cry.kind, cry.severity) for cry in feeder.plan.cries] == [("dose_without_effect", 3)]


def test_what_a_small_doser_cannot_give_is_not_expected():
    feeder = Feeder(Tank(ec=1.0), RAW | {"daily_ml": 5000}, switches=SMALL_DOSERS)

    feeder.live(hours=24)

    assert {ml for _, _, ml in feeder.done} == {30.0}
    assert feeder.plan.reason != "locked_out"
    assert feeder.memory["slopes"]["ec"] == pytest.approx(0.24, abs=0.001)


def test_the_smaller_of_two_dosers_bounds_both():
    small_b = tuple(replace(one, max_seconds=25) if one.dose_kind == "b" else one for one in DOSERS)
    feeder = Feeder(Tank(ec=1.5), switches=small_b)

    feeder.live(minutes=40)

    assert [(name, ml) for _, name, ml in feeder.done] == [("a", 30.0), ("b", 30.0)]


def test_a_dose_is_never_rounded_beyond_what_is_allowed():
    odd = tuple(replace(one, ml_per_second=1.25, max_seconds=15) for one in DOSERS)  # 18.75 ml
    feeder = Feeder(Tank(ec=1.0), switches=odd)

    feeder.look()

    assert feeder.done == [("06:00:00", "a", 18.7)]


def test_a_dose_before_a_long_pause_is_not_added_to_what_follows():
    feeder = Feeder(large_tank(ec=1.59), LARGE | {"lock_out_after": 1}, reservoir_l=1500.0)
    feeder.live(minutes=45)
    assert feeder.memory["unjudged"]["expected"] == pytest.approx(0.01)
    feeder.tank.ec = 1.62
    feeder.live(hours=2)

    # Plants have drunk: had the two pairs been judged together, this one would have locked it.
    feeder.tank.ec, feeder.tank.ec_per_ml_per_litre = 1.585, 0.0
    feeder.live(minutes=45)

    assert feeder.memory["unjudged"]["expected"] == pytest.approx(0.01)
    assert "locked" not in feeder.memory


def test_fresh_water_is_mixed_before_a_probe_is_believed_again():
    feeder = Feeder(Tank(ec=2.3), switches=(*DOSERS, WATER))
    feeder.look()
    feeder.now += timedelta(seconds=30)
    feeder.tank.ec, feeder.tank.ph = 1.2, 7.0  # a layer of fresh water at the probe

    feeder.live(minutes=24)

    assert [name for _, name, _ in feeder.done] == ["water"]
    assert feeder.plan.reason == "mixing"


def test_nothing_is_dosed_while_somebody_lets_water_in():
    water = replace(WATER, is_busy=True)

    assert Feeder(Tank(ec=1.2, ph=7.0), switches=(*DOSERS, water)).look().reason == "under_way"


def test_fresh_water_that_was_never_given_is_not_counted():
    feeder = Feeder(Tank(ec=2.3), switches=(*DOSERS, WATER))
    feeder.status = "rejected"
    feeder.look()
    feeder.now += timedelta(seconds=30)

    plan = feeder.look()

    assert (plan.reason, plan.memory["thinned"]) == ("not_given", 0)
    assert feeder.look().reason == "ec_high"


def test_water_that_stands_does_not_mix():
    feeder = Feeder(Tank(ec=1.5))
    feeder.live(minutes=10)
    feeder.is_circulating = False

    feeder.live(hours=3)
    assert feeder.plan.reason == "no_circulation"
    feeder.is_circulating = True
    feeder.live(minutes=20)

    # Mixed at 06:22:47 had it not stood for three hours; seen by the half minute.
    assert feeder.done == [("06:00:00", "a", 200.0), ("09:23:00", "b", 200.0)]


def test_a_time_in_which_nobody_looked_does_not_count_as_mixing():
    feeder = Feeder(Tank(ec=1.5))
    feeder.live(minutes=10)
    feeder.now += timedelta(hours=2)  # the power was off

    feeder.live(minutes=20)

    # The last look was at 06:09:30.
    assert feeder.done == [("06:00:00", "a", 200.0), ("08:23:30", "b", 200.0)]


def test_a_dose_that_began_late_is_mixed_later():
    feeder = Feeder(Tank(ec=1.5))
    feeder.status = "started"
    feeder.live(minutes=30)
    feeder.status = "done"

    feeder.live(minutes=25)

    # Seen under way at 06:29:30 for the last time, and 20 minutes to mix.
    assert feeder.done == [("06:00:00", "a", 200.0), ("06:49:30", "b", 200.0)]


def test_b_does_not_follow_an_a_of_the_day_before():
    feeder = Feeder(Tank(ec=1.5))
    feeder.live(minutes=10)
    feeder.tank.ec = 1.7
    feeder.is_circulating = False
    feeder.look()
    feeder.memory = feeder.memory | {
        "last": feeder.memory["last"] | {"mixed_at": (MORNING - timedelta(days=1)).isoformat()}
    }
    feeder.is_circulating = True

    assert feeder.look().reason == "b_too_late"
    assert feeder.look().reason == "in_band"


def test_ph_is_mended_although_the_days_fertiliser_is_used_up():
    feeder = Feeder(Tank(ec=1.0, ph=7.0, ec_per_ml_per_litre=0.06), RAW | {"daily_ml": 200})

    feeder.live(hours=4)

    assert [name for _, name, _ in feeder.done] == ["a", "b", "ph_down", "ph_down", "ph_down"]
    assert [cry.kind for cry in feeder.plan.cries] == ["dose_budget"]


def test_the_alarm_of_the_budget_stays_while_ph_is_mended():
    feeder = Feeder(Tank(ec=1.0, ph=7.0, ec_per_ml_per_litre=0.06), RAW | {"daily_ml": 200})
    feeder.live(minutes=46)
    since_spent = []

    for _ in range(120):
        feeder.live(seconds=30)
        since_spent.append([cry.kind for cry in feeder.plan.cries])

    assert {tuple(cries) for cries in since_spent} == {("dose_budget",)}


@given(
    litres=st.floats(50, 5000),
    truth=st.sampled_from([0.0, 0.24]),
    most_seconds=st.integers(1, 200),
    rate=st.sampled_from([0.4, 1.2, 1.25, 3.3]),
)
def test_only_an_empty_bottle_locks_the_programme(litres, truth, most_seconds, rate):
    dosers = tuple(replace(one, max_seconds=most_seconds, ml_per_second=rate) for one in DOSERS)
    tank = Tank(ec=1.0, litres=litres, ec_per_ml_per_litre=truth)
    feeder = Feeder(tank, RAW | {"daily_ml": 50_000}, switches=dosers, reservoir_l=6000.0)
    feeder.base = replace(feeder.base, mixing_seconds=60.0)

    feeder.live(hours=1)

    assert not (truth and "locked" in feeder.memory)
    assert all(ml <= most_seconds * rate + 1e-9 for _, _, ml in feeder.done)
