"""Feeding in small steps: what it may do, what stops it, and when it locks itself."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farm.control import dosing_settings
from farm.control.plan import Value, Verdict
from farm.control.settings import SettingsError
from tests.farm.feeder import DOSERS, MORNING, RAW, WATER, Feeder, Tank


def test_a_tank_in_its_bands_is_left_alone():
    feeder = Feeder(Tank())

    assert feeder.live(hours=24) == []
    assert feeder.reasons == ["in_band"]


def test_a_weak_tank_gets_half_of_what_it_needs_a_then_b_then_a_look():
    feeder = Feeder(Tank(ec=1.5))

    feeder.live(minutes=50)

    # 400 L x (1.8 - 1.5) / 0.24 = 500 ml, half is 250, at most 200; 1.2 ml/s and 20 minutes mixing
    assert feeder.done == [("06:00:00", "a", 200.0), ("06:23:00", "b", 200.0)]
    assert feeder.reasons == [
        "ec_low", "under_way", "mixing", "b_after_a", "under_way", "mixing", "in_band",
    ]  # fmt: skip
    assert feeder.tank.ec == pytest.approx(1.62)


def test_a_very_weak_tank_is_in_its_band_after_some_steps_and_never_above_it():
    feeder = Feeder(Tank(ec=1.0), RAW | {"daily_ml": 5000})
    highest = 0.0
    for _ in range(24 * 120):
        feeder.live(seconds=30)
        highest = max(highest, feeder.tank.ec)

    assert 1.6 <= feeder.tank.ec <= 1.8
    assert highest <= 1.8
    assert [name for _, name, _ in feeder.done] == ["a", "b"] * 5


def test_a_dose_of_b_is_as_large_as_that_of_a():
    feeder = Feeder(Tank(ec=1.0), RAW | {"daily_ml": 5000})

    feeder.live(hours=24)

    doses = [ml for _, _, ml in feeder.done]
    assert doses[0::2] == doses[1::2]


def test_the_days_budget_ends_feeding_and_a_new_day_begins_anew():
    feeder = Feeder(Tank(ec=0.5), RAW | {"daily_ml": 450})

    feeder.live(hours=17, minutes=59)
    on_first_day = list(feeder.done)
    on_the_first_day, cry = feeder.plan.reason, feeder.plan.cries[0]
    feeder.live(hours=1)

    assert [(name, ml) for _, name, ml in on_first_day] == [("a", 200.0), ("b", 200.0)] * 2
    assert (on_the_first_day, cry.kind, cry.severity) == ("daily_budget", "dose_budget", 2)
    assert [name for _, name, _ in feeder.done[len(on_first_day) :]] == ["a", "b", "a"]


def test_doses_without_effect_lock_the_programme():
    dead = Tank(ec=1.2, ec_per_ml_per_litre=0.0)
    feeder = Feeder(dead, RAW | {"daily_ml": 5000})

    feeder.live(hours=12)

    assert [name for _, name, _ in feeder.done] == ["a", "b"] * 3
    assert feeder.plan.reason == "locked_out"
    assert [(cry.kind, cry.severity) for cry in feeder.plan.cries] == [("dose_without_effect", 3)]
    assert feeder.plan.facts["doses"] == 3


def test_a_dose_with_some_effect_is_learned_from():
    weak = Tank(ec=1.0, ec_per_ml_per_litre=0.12)
    feeder = Feeder(weak, RAW | {"daily_ml": 5000})

    feeder.live(minutes=46, seconds=30)

    # Half of what was believed: 0.24 + 0.3 x (0.12 - 0.24)
    assert feeder.memory["slopes"] == {"ec": pytest.approx(0.204)}
    assert feeder.memory["without_effect"] == {"ec": 0}


def test_ph_is_brought_down_by_steps_of_three_tenths_at_most():
    feeder = Feeder(Tank(ph=7.0))

    feeder.live(hours=4)

    # 400 L x 0.3 / 2.0 = 60 ml, at most 40
    assert {name for _, name, _ in feeder.done} == {"ph_down"}
    assert feeder.done[0] == ("06:00:00", "ph_down", 40.0)
    assert 5.6 <= feeder.tank.ph <= 6.4
    assert feeder.tank.ph > 6.0


def test_ph_goes_one_way_for_half_an_hour():
    feeder = Feeder(Tank(ph=6.6))
    feeder.base = replace(feeder.base, mixing_seconds=300.0)
    feeder.look()
    feeder.tank.ph = 5.4

    feeder.live(minutes=40)

    assert [(when, name) for when, name, _ in feeder.done] == [
        ("06:00:00", "ph_down"),
        ("06:30:00", "ph_up"),
    ]
    assert "ph_turned" in feeder.reasons


def test_ec_comes_before_ph():
    feeder = Feeder(Tank(ec=1.5, ph=7.0))

    feeder.live(minutes=60)

    assert [name for _, name, _ in feeder.done] == ["a", "b", "ph_down"]


def test_a_tank_that_is_too_strong_gets_fresh_water():
    feeder = Feeder(Tank(ec=2.3), switches=(*DOSERS, WATER))

    feeder.live(hours=3)

    # 400 x (2.3 / 1.8 - 1) = 111 litres are too much at once: a tenth of the tank at a time;
    # a run of 5 minutes at most for 40 L, then 20 minutes of mixing
    assert feeder.done == [("06:00:00", "water", 40.0), ("06:25:00", "water", 44.0)]
    assert feeder.tank.ec == pytest.approx(1.9008, abs=0.0001)
    assert feeder.plan.reason == "in_band"


def test_a_full_tank_gets_no_more_water():
    feeder = Feeder(Tank(ec=2.2, litres=500.0), switches=(*DOSERS, WATER))

    plan = feeder.look()

    assert (plan.verdict, plan.reason, plan.actions) == (Verdict.BLOCKED, "tank_full", ())


def test_fresh_water_that_changes_nothing_is_not_given_for_ever():
    stuck = Feeder(Tank(ec=2.2), switches=(*DOSERS, WATER), reservoir_l=100_000.0)
    stuck.tank.take = lambda *_: None

    stuck.live(hours=12)

    assert len(stuck.done) == 3
    assert stuck.plan.reason == "daily_budget"


def test_without_fresh_water_a_strong_tank_is_left_and_said_so():
    assert Feeder(Tank(ec=2.2)).look().reason == "too_strong"


@pytest.mark.parametrize(
    ("tank", "reason", "cry"),
    [
        (Tank(ec=3.5), "ec_danger", "ec_danger"),
        (Tank(ec=1.0, ph=4.5), "ph_danger", "ph_danger"),
        (Tank(ec=1.0, ph=8.0), "ph_danger", "ph_danger"),
    ],
)
def test_danger_stops_everything(tank, reason, cry):
    plan = Feeder(tank, switches=(*DOSERS, WATER)).look()

    assert (plan.verdict, plan.reason, plan.actions) == (Verdict.BLOCKED, reason, ())
    assert [one.kind for one in plan.cries] == [cry]


@pytest.mark.parametrize("quantity", ["ec", "ph", "tank_volume"])
@pytest.mark.parametrize(("value", "age"), [(None, 0), (1.2, 181)])
def test_a_sensor_that_is_gone_stops_everything(quantity, value, age):
    feeder = Feeder(Tank(ec=1.0))
    gone = Value(value, MORNING - timedelta(seconds=age))
    values = dict(feeder.snapshot().values) | {quantity: gone}

    plan = feeder.look(values=values)

    assert (plan.verdict, plan.reason, plan.actions) == (Verdict.BLOCKED, "stale_sensor", ())
    assert plan.facts["quantity"] == quantity


@pytest.mark.parametrize("is_circulating", [False, None])
def test_nothing_is_dosed_into_water_that_stands(is_circulating):
    plan = Feeder(Tank(ec=1.0)).look(is_circulating=is_circulating)

    assert (plan.verdict, plan.reason, plan.actions) == (Verdict.BLOCKED, "no_circulation", ())


def test_a_dose_of_which_nobody_knows_blocks_the_next():
    feeder = Feeder(Tank(ec=1.0))
    feeder.status = "unknown"

    feeder.live(hours=6)

    assert [name for _, name, _ in feeder.done] == ["a"]
    assert (feeder.plan.verdict, feeder.plan.reason) == (Verdict.BLOCKED, "dose_unresolved")


def test_a_dose_that_was_rejected_is_tried_again_and_costs_no_budget():
    feeder = Feeder(Tank(ec=1.0))
    feeder.status = "rejected"
    feeder.look()
    feeder.now += timedelta(seconds=30)

    plan = feeder.look()

    assert (plan.reason, plan.memory["ml"]) == ("not_given", {"a": 0.0})
    feeder.now += timedelta(seconds=10)
    assert feeder.look().reason == "ec_low"


def test_a_dose_that_broke_off_is_not_followed_by_b_and_teaches_nothing():
    feeder = Feeder(Tank(ec=1.5))
    feeder.status = "aborted"

    feeder.live(minutes=20)

    assert [name for _, name, _ in feeder.done] == ["a"]
    assert "slopes" not in feeder.memory


def test_a_dose_that_is_under_way_is_waited_for():
    feeder = Feeder(Tank(ec=1.5))
    feeder.status = "started"

    feeder.live(hours=2)

    assert [name for _, name, _ in feeder.done] == ["a"]
    assert feeder.plan.reason == "under_way"


def test_a_refused_dose_costs_nothing_and_is_tried_again():
    feeder = Feeder(Tank(ec=1.5))

    feeder.look(is_refused=True)

    assert feeder.memory["ml"] == {}
    assert feeder.look().reason == "ec_low"


def test_a_tank_that_was_filled_meanwhile_teaches_nothing():
    feeder = Feeder(Tank(ec=1.5))
    feeder.live(minutes=30)
    feeder.tank.litres, feeder.tank.ec = 480.0, 1.3

    feeder.live(minutes=30)

    assert "slopes" not in feeder.memory
    assert "without_effect" not in feeder.memory


@given(
    ec=st.floats(0.1, 4),
    ph=st.floats(4, 9),
    truth=st.floats(0.02, 1.0),
    acid=st.floats(0.2, 8.0),
)
def test_whatever_the_tank_does_a_day_stays_in_its_budget(ec, ph, truth, acid):
    tank = Tank(ec=ec, ph=ph, ec_per_ml_per_litre=truth, ph_per_ml_per_litre=acid)
    feeder = Feeder(tank)
    feeder.base = replace(feeder.base, mixing_seconds=600.0)

    feeder.live(hours=3)

    given_ml = {}
    for _, name, ml in feeder.done:
        given_ml[name] = given_ml.get(name, 0) + ml
    assert all(ml <= 1000 for ml in given_ml.values())
    assert all(ml <= (40 if name.startswith("ph") else 200) for _, name, ml in feeder.done)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"ec": None, "ph": None}, ("ec", "missing")),
        ({"ec": {"low": 1.6, "target": 1.5, "high": 2.0}}, ("ec.target", "not_between")),
        ({"ec": {"low": 1.6, "high": 2.0}}, ("ec.target", "missing")),
        ({"ph": {"low": 5, "target": 6, "high": 7, "hihg": 8}}, ("ph.hihg", "unknown")),
        ({"daily_ml": None}, ("daily_ml", "missing")),
        ({"ph_one_way_minutes": 10}, ("ph_one_way_minutes", "too_low")),
        ({"most_ml": float("inf")}, ("most_ml", "not_a_number")),
    ],
)
def test_settings_that_are_wrong_are_named(change, problem):
    with pytest.raises(SettingsError) as caught:
        dosing_settings.parse(RAW | change)

    assert [(one.field, one.code) for one in caught.value.problems] == [problem]
