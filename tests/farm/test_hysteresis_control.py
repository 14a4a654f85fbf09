"""Fans start above one limit, stop below the other, and never flutter."""

from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from farm.control import hysteresis
from farm.control.plan import Snapshot, Switch, Value, Verdict
from farm.control.settings import SettingsError

NOON = datetime(2026, 11, 22, 12, tzinfo=ZoneInfo("Asia/Ho_Chi_Minh"))
FAN = Switch(1, "fan-1", kind="fan", max_seconds=86_400)
RAW = {
    "on_at": 32.0,
    "off_at": 29.0,
    "least_on_seconds": 120,
    "least_off_seconds": 180,
    "run_seconds": 600,
}


class Fan:
    """A fan whose programme is looked at with each reading."""

    def __init__(self, raw=RAW, **memory):
        self.settings, self.memory = hysteresis.parse(raw), memory

    def look(self, seconds, celsius, *, fan=FAN, age=0):
        now = NOON + timedelta(seconds=seconds)
        value = Value(celsius, now - timedelta(seconds=age))
        plan = hysteresis.decide(self.settings, self.memory, Snapshot(now, (fan,), sensor=value))
        self.memory = plan.memory
        return plan

    def live(self, temperatures, *, every=30):
        """Answer what was done, as (seconds, deed, reason)."""
        done = []
        for number, celsius in enumerate(temperatures):
            plan = self.look(number * every, celsius)
            done += [(number * every, one.deed, plan.reason) for one in plan.actions]
        return done


def test_it_starts_above_one_limit_and_stops_below_the_other():
    temperatures = [31.9, 32.0, 32.1, *[31] * 5, 30, 29.1, 29.0, 28.9, 28.9]

    assert Fan().live(temperatures) == [(60, "run", "beyond"), (330, "stop", "back_inside")]


def test_it_runs_at_least_so_long():
    assert Fan().live([33, 28, 28, 28, 28, 28]) == [
        (0, "run", "beyond"),
        (120, "stop", "back_inside"),
    ]


def test_it_rests_at_least_so_long():
    fan = Fan(is_on=False, changed_at=(NOON - timedelta(seconds=60)).isoformat())

    assert fan.live([33] * 6) == [(120, "run", "beyond")]


def test_a_value_that_flutters_at_the_limit_is_one_start_in_an_hour():
    temperatures = [31.8 + 0.4 * (number % 2) for number in range(120)]

    starts = [one for one in Fan().live(temperatures) if one[2] == "beyond"]

    assert starts == [(30, "run", "beyond")]


def test_each_run_is_bounded_and_renewed_at_half_of_its_time():
    fan = Fan()

    plans = {second: fan.look(second, 33.0) for second in range(0, 1201, 30)}

    renewed = [second for second, plan in plans.items() if plan.actions]
    assert renewed == [0, 300, 600, 900, 1200]
    assert {plan.actions[0].seconds for plan in plans.values() if plan.actions} == {600}


def test_a_run_is_no_longer_than_its_device_allows_and_renewed_accordingly():
    fan, short = Fan(), replace(FAN, max_seconds=120)

    done = [second for second in range(0, 241, 30) if fan.look(second, 33.0, fan=short).actions]

    assert done == [0, 60, 120, 180, 240]


@pytest.mark.parametrize(("celsius", "age"), [(33.0, 181), (None, 0)])
def test_a_sensor_that_is_gone_starts_nothing_and_renews_nothing(celsius, age):
    fan = Fan()
    fan.look(0, 33.0)

    plan = fan.look(300, celsius, age=age)

    assert (plan.verdict, plan.reason, plan.actions) == (Verdict.BLOCKED, "stale_sensor", ())


def test_a_fan_that_went_off_by_itself_is_started_again_after_its_rest():
    fan = Fan()
    fan.look(0, 33.0)
    off = replace(FAN, is_on=False, state_at=NOON + timedelta(seconds=60))

    plans = {second: fan.look(second, 33.0, fan=off) for second in range(90, 301, 30)}

    assert [second for second, plan in plans.items() if plan.actions] == [240]


def test_a_heater_starts_below_and_stops_above():
    heater = Fan(RAW | {"on_at": 16.0, "off_at": 18.0})

    assert heater.live([17, 15.9, 17, 17, 17, 17, 18.1]) == [
        (30, "run", "beyond"),
        (180, "stop", "back_inside"),
    ]


def test_a_valve_is_not_asked_again_while_it_runs():
    wet = Fan(RAW | {"on_at": 20.0, "off_at": 30.0})
    valve = Switch(1, "valve-1", max_seconds=900)
    first = wet.look(0, 19.0, fan=valve)

    held = wet.look(300, 19.0, fan=replace(valve, is_busy=True, is_on=True))

    assert (first.actions[0].seconds, held.reason, held.actions) == (600, "holds", ())


def test_a_hot_day_is_one_start_and_one_stop():
    day = [25 + 9 * max(0.0, 1 - abs(second - 43_200) / 21_600) for second in range(0, 86_400, 30)]

    done = [one for one in Fan().live(day) if one[2] != "renewed"]

    assert done == [(38_430, "run", "beyond"), (55_230, "stop", "back_inside")]


@pytest.mark.parametrize(
    ("raw", "problem"),
    [
        ({"on_at": 32}, ("off_at", "missing")),
        ({"on_at": 32, "off_at": 32}, ("off_at", "no_gap")),
        (RAW | {"run_seconds": 30}, ("run_seconds", "too_low")),
        (RAW | {"off_at": "29"}, ("off_at", "not_a_number")),
        (RAW | {"on_at": float("nan")}, ("on_at", "not_a_number")),
    ],
)
def test_settings_that_are_wrong_are_named(raw, problem):
    with pytest.raises(SettingsError) as caught:
        hysteresis.parse(raw)

    assert [(one.field, one.code) for one in caught.value.problems] == [problem]


def tell(fan, plan, status, why="", **changes):
    """Let the device have said so of what the plan asked for."""
    return replace(
        fan, last_key=plan.actions[0].key, last_status=status, last_why=why, is_on=False, **changes
    )


def live_refused(status, seconds, *, raw=RAW, **changes):
    """Look every ten seconds at a fan whose each command ends so; answer when it was asked."""
    programme, fan, asked = Fan(raw), FAN, []
    for second in range(0, seconds + 1, 10):
        plan = programme.look(second, 36.0, fan=fan)
        if plan.actions:
            asked.append(second)
            fan = tell(FAN, plan, status, **changes)
    return asked


@pytest.mark.parametrize("status", ["rejected", "expired", "unknown"])
def test_a_fan_that_did_not_take_its_run_is_asked_again_in_growing_pauses(status):
    asked = live_refused(status, 900, raw=RAW | {"run_seconds": 7200})

    assert asked == [0, 40, 110, 240, 490, 800]


def test_a_fan_that_broke_off_rests_before_it_is_asked_again():
    asked = live_refused("aborted", 600, raw=RAW | {"run_seconds": 7200})

    assert asked == [0, 190, 380, 570]


def test_a_fan_that_somebody_has_stopped_rests_first():
    assert live_refused("rejected", 300, why="stop") == [0, 190]


def test_a_fan_that_did_not_take_its_run_is_said_to_wait_and_not_to_hold():
    programme = Fan()
    asked = programme.look(0, 36.0)

    plan = programme.look(10, 36.0, fan=tell(FAN, asked, "rejected", "busy"))

    assert (plan.verdict, plan.reason, plan.facts["reason"]) == (Verdict.SKIP, "not_taken", "busy")
    assert plan.next_look_at == NOON + timedelta(seconds=40)


def test_while_one_fan_refuses_the_other_is_still_renewed_in_its_time():
    programme, second = Fan(), replace(FAN, output_id=2, code="fan-2")
    fans, asked = [FAN, second], []
    for moment in range(0, 301, 10):
        now = NOON + timedelta(seconds=moment)
        snapshot = Snapshot(now, tuple(fans), sensor=Value(36.0, now))
        plan = hysteresis.decide(programme.settings, programme.memory, snapshot)
        programme.memory = plan.memory
        asked += [(moment, action.output_id) for action in plan.actions]
        keys = {action.output_id: action.key for action in plan.actions}
        if 1 in keys:
            fans[0] = replace(FAN, last_key=keys[1], last_status="rejected", is_on=False)
        if 2 in keys:
            fans[1] = replace(second, last_key=keys[2], last_status="started", is_on=True)

    assert [one for one in asked if one[1] == 2] == [(0, 2), (300, 2)]
    assert [one for one in asked if one[1] == 1] == [(0, 1), (40, 1), (110, 1), (240, 1)]


def test_a_run_of_long_ago_that_failed_does_not_count_against_this_one():
    old = replace(FAN, last_key="on-20261121120000-1", last_status="unknown", is_on=False)
    programme = Fan(is_on=True, changed_at=NOON.isoformat(), renewed_at=NOON.isoformat())

    assert programme.look(60, 36.0, fan=old).reason == "holds"
