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
    assert feeder.memory["unjudged"] == {}


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
    assert feeder.memory["unjudged"]["ec"]["expected"] == pytest.approx(0.01)
    feeder.tank.ec = 1.62
    feeder.live(hours=2)

    # Plants have drunk: had the two pairs been judged together, this one would have locked it.
    feeder.tank.ec, feeder.tank.ec_per_ml_per_litre = 1.585, 0.0
    feeder.live(minutes=45)

    assert feeder.memory["unjudged"]["ec"]["expected"] == pytest.approx(0.01)
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
    feeder.now += timedelta(seconds=10)
    assert feeder.look().reason == "ec_high"


def test_water_that_stands_does_not_mix():
    feeder = Feeder(Tank(ec=1.5))
    feeder.live(minutes=10)
    feeder.is_circulating = False

    feeder.live(hours=3)
    assert feeder.plan.reason == "no_circulation"
    feeder.is_circulating = True
    feeder.live(minutes=20)

    # Mixed at 06:23:00 had it not stood for three hours; seen by the half minute.
    assert feeder.done == [("06:00:00", "a", 200.0), ("09:23:30", "b", 200.0)]


@pytest.mark.parametrize("seconds", [30, 125, 300, 900])
def test_however_seldom_somebody_looks_it_is_mixed_at_last(seconds):
    feeder = Feeder(Tank(ec=1.0), RAW | {"daily_ml": 5000})

    for _ in range(2 * 86_400 // seconds):
        feeder.look()
        feeder.now += timedelta(seconds=seconds)

    assert [name for _, name, _ in feeder.done] == ["a", "b"] * 5


def test_a_time_in_which_nobody_looked_hardly_counts_as_mixing():
    feeder = Feeder(Tank(ec=1.5))
    feeder.live(minutes=10)
    feeder.now += timedelta(hours=2)  # the power was off

    feeder.live(minutes=20)

    # Mixed for 6.5 minutes until 06:09:30, then two of the two hours count.
    assert feeder.done == [("06:00:00", "a", 200.0), ("08:21:30", "b", 200.0)]


def test_a_dose_that_began_late_is_mixed_later():
    feeder = Feeder(Tank(ec=1.5))
    feeder.status = "started"
    feeder.live(minutes=30)
    feeder.status = "done"

    feeder.live(minutes=25)

    # Seen as ended at 06:30:00 for the first time, and 20 minutes to mix.
    assert feeder.done == [("06:00:00", "a", 200.0), ("06:50:00", "b", 200.0)]


def test_a_pump_that_seemed_to_stand_for_a_moment_delays_nothing_for_days():
    feeder = Feeder(Tank(ec=1.5))
    feeder.look()
    feeder.now += timedelta(seconds=30)
    feeder.look(mixing_seconds=2_592_000.0)
    feeder.now += timedelta(seconds=30)

    feeder.live(minutes=25)

    assert [(when, name) for when, name, _ in feeder.done] == [
        ("06:00:00", "a"),
        ("06:23:00", "b"),
    ]


def test_a_pump_that_slows_down_is_waited_for_longer():
    feeder = Feeder(Tank(ec=1.5))
    feeder.live(minutes=10)
    feeder.base = replace(feeder.base, mixing_seconds=4800.0)

    feeder.live(minutes=80)

    assert [(when, name) for when, name, _ in feeder.done] == [
        ("06:00:00", "a"),
        ("07:23:00", "b"),
    ]


@pytest.mark.parametrize("way", ["pump", "nobody"])
def test_b_does_not_follow_an_a_of_the_day_before(way):
    feeder = Feeder(Tank(ec=1.5))
    feeder.live(minutes=10)
    if way == "pump":
        feeder.is_circulating = False
        feeder.live(hours=30)
        feeder.is_circulating = True
    else:
        feeder.now += timedelta(hours=30)
    feeder.tank.ec = 1.7
    before = len(feeder.done)

    feeder.live(hours=1)

    assert "b_too_late" in feeder.reasons
    assert len(feeder.done) == before
    assert "slopes" not in feeder.memory


def test_without_b_there_is_no_more_a_until_somebody_has_looked():
    feeder = Feeder(Tank(ec=1.5, ph=7.0))
    feeder.refuses = ("b",)
    feeder.live(hours=7)
    feeder.refuses = ()

    feeder.live(hours=5)

    assert [when for when, name, _ in feeder.done if name == "a"] == ["06:00:00"]
    # pH is mended none the less, in the first pause between two tries of B.
    assert next(when for when, name, _ in feeder.done if name == "ph_down") == "06:26:00"
    assert [(cry.kind, cry.severity) for cry in feeder.plan.cries] == [("b_missing", 3)]


def test_an_interlock_that_holds_b_back_does_not_hold_ph_back():
    feeder = Feeder(Tank(ec=1.5, ph=7.0))
    feeder.live(minutes=23)

    feeder.look(is_refused=True)
    feeder.now += timedelta(seconds=10)
    after_refusal = feeder.look()
    feeder.now += timedelta(seconds=10)
    feeder.live(minutes=25)

    assert after_refusal.actions[0].key.startswith("ph_down")
    assert [name for _, name, _ in feeder.done] == ["a", "ph_down", "b"]


def test_b_does_not_follow_into_a_tank_that_was_filled_anew():
    feeder = Feeder(Tank(ec=1.5))
    feeder.live(minutes=10)
    feeder.tank.litres, feeder.tank.ec = 480.0, 1.7

    feeder.live(hours=1)

    assert [name for _, name, _ in feeder.done] == ["a"]


def test_a_dose_that_was_looked_at_much_later_proves_nothing():
    feeder = Feeder(Tank(ec=1.5))
    feeder.live(minutes=24)
    feeder.is_circulating = False
    feeder.live(hours=10)
    feeder.tank.ec = 1.45  # plants have drunk
    feeder.is_circulating = True

    feeder.live(minutes=25)

    assert [name for _, name, _ in feeder.done] == ["a", "b", "a"]
    assert "without_effect" not in feeder.memory


@pytest.mark.parametrize("bottle", ["b", "water"])
def test_what_a_controller_does_not_take_is_asked_for_ever_more_seldom(bottle):
    strong = {"ec": 2.3 if bottle == "water" else 1.5}
    feeder = Feeder(Tank(**strong), switches=(*DOSERS, WATER))
    feeder.refuses = (bottle,)

    feeder.live(hours=5)

    tries = [name for _, name, _ in feeder.done if name == bottle]
    assert 50 <= len(tries) <= 65  # every five minutes at last
    assert feeder.memory["thinned"] == 0
    assert feeder.memory["ml"].get("b", 0.0) == 0.0


def test_what_an_earlier_release_had_noted_is_left_to_the_safety_table():
    feeder = Feeder(Tank(ec=1.5))
    feeder.memory = {
        "day": "2026-11-22", "ml": {"a": 100.0}, "thinned": 0, "b_waits": True,
        "last": {
            "key": "a-1", "output_id": 1, "bottle": "a", "quantity": "ec", "slope": "ec",
            "ml": 100.0, "before": 1.4, "expected": 0.06, "tank": 400.0,
            "mixed_at": MORNING.isoformat(),
        },
    }  # fmt: skip

    assert feeder.look().reason == "ec_low"


def test_an_empty_acid_bottle_is_noticed_although_fertiliser_is_dosed_in_between():
    dead_acid = Tank(ec=1.0, ph=7.5, litres=4000.0, ph_per_ml_per_litre=0.0)
    settings = RAW | {"most_ph_ml": 30, "most_ml": 50, "daily_ml": 5000}
    feeder = Feeder(dead_acid, settings, reservoir_l=5000.0)
    feeder.base = replace(feeder.base, mixing_seconds=600.0)
    given = 0

    # Plants drink, so that both bands are left again and again.
    for number in range(20_000):
        feeder.tank.ec = 1.59 if number % 100 == 0 else max(feeder.tank.ec, 1.61)
        feeder.look()
        feeder.now += timedelta(seconds=30)
        given = sum(ml for _, name, ml in feeder.done if name == "ph_down")
        if "locked" in feeder.memory:
            break

    assert feeder.memory["locked"]["quantity"] == "ph"
    assert given <= 1000
    assert {"a", "b"} <= {name for _, name, _ in feeder.done}


def test_each_bottle_that_is_used_up_has_an_alarm_of_its_own():
    tank = Tank(ec=2.6, ph=7.0, litres=500.0, ph_per_ml_per_litre=0.2)
    feeder = Feeder(tank, RAW | {"daily_ml": 60}, switches=(*DOSERS, WATER))
    feeder.live(hours=3)
    assert [cry.name for cry in feeder.plan.cries] == ["dose_budget:ph_down"]

    feeder.tank.ec, feeder.tank.ec_per_ml_per_litre = 1.0, 0.01
    feeder.live(hours=3)

    assert [cry.name for cry in feeder.plan.cries] == ["dose_budget:ph_down", "dose_budget:a"]


def test_a_wait_that_does_not_end_is_told():
    feeder = Feeder(Tank(ec=1.5))
    feeder.live(minutes=10)
    feeder.is_circulating = False

    feeder.live(hours=2, minutes=30)
    before = [cry.kind for cry in feeder.plan.cries]
    feeder.live(minutes=12)

    assert before == []
    assert [(cry.kind, cry.severity) for cry in feeder.plan.cries] == [("feeding_waits", 2)]
    feeder.is_circulating = True
    feeder.live(minutes=25)
    assert feeder.plan.cries == ()


def test_nobody_is_told_of_a_pump_that_stands_while_the_tank_is_in_its_bands():
    feeder = Feeder(Tank())
    feeder.is_circulating = False

    feeder.live(hours=12)

    assert (feeder.reasons, feeder.plan.cries) == (["in_band"], ())


def test_a_doser_without_a_rate_is_named():
    dumb = tuple(replace(one, ml_per_second=None) for one in DOSERS)

    plan = Feeder(Tank(ec=1.5), switches=dumb).look()

    assert (plan.reason, plan.facts["bottle"]) == ("no_rate", "b")


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
