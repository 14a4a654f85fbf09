"""A timetable runs at its times, once, and catches nothing up."""

from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from farm.control import schedule
from farm.control.plan import Snapshot, Switch, Verdict
from farm.control.settings import SettingsError

LOCAL = ZoneInfo("Asia/Ho_Chi_Minh")
SUNDAY = datetime(2026, 11, 22, tzinfo=LOCAL)
VALVE = Switch(1, "valve-1", litres_per_minute=6.0)
TWICE_A_DAY = {"times": ["06:00", "16:30"], "seconds": 120}


def at(clock, day=0):
    hour, minute = map(int, clock.split(":"))
    return SUNDAY + timedelta(days=day, hours=hour, minutes=minute)


def every(minutes):
    return {"every": {"minutes": minutes, "from": "06:00", "to": "18:00"}, "seconds": 60}


def live(raw, begin, end, *, switches=(VALVE,), step=timedelta(minutes=1), **snapshot):
    """Look again and again; answer what was done, as (clock, output, seconds)."""
    settings, memory, done, now = schedule.parse(raw), {}, [], begin
    memory = {"done_until": (begin - timedelta(seconds=1)).isoformat()}
    told = {switch.output_id: switch for switch in switches}
    while now <= end:
        plan = schedule.decide(settings, memory, Snapshot(now, tuple(told.values()), **snapshot))
        memory = plan.memory
        done += [(f"{now:%a %H:%M}", one.output_id, one.seconds) for one in plan.actions]
        for one in plan.actions:
            told[one.output_id] = replace(told[one.output_id], last_key=one.key, last_status="done")
        now += step
    return done


def test_a_day_of_two_times():
    done = live(TWICE_A_DAY, at("00:00"), at("23:59"))

    assert done == [("Sun 06:00", 1, 120), ("Sun 16:30", 1, 120)]


def test_only_on_its_weekdays():
    raw = {"times": ["06:00"], "seconds": 60, "weekdays": [1, 3, 7]}

    done = live(raw, at("00:00"), at("23:59", day=6), step=timedelta(minutes=10))

    assert [when for when, _, _ in done] == ["Sun 06:00", "Mon 06:00", "Wed 06:00"]


def test_every_so_many_minutes_between_two_hours():
    raw = {"every": {"minutes": 45, "from": "08:00", "to": "10:15"}, "seconds": 60}

    done = live(raw, at("00:00"), at("23:59"))

    assert [when for when, _, _ in done] == [
        "Sun 08:00",
        "Sun 08:45",
        "Sun 09:30",
        "Sun 10:15",
    ]


def test_by_the_sun_of_the_place():
    raw = {
        "sun": [
            {"event": "sunrise", "offset_minutes": 30},
            {"event": "sunset", "offset_minutes": -60},
        ],
        "seconds": 60,
    }

    done = live(raw, at("00:00"), at("23:59"), latitude_degrees=19.9, longitude_degrees=105.8)

    assert [when for when, _, _ in done] == ["Sun 06:39", "Sun 16:16"]


@pytest.mark.parametrize(
    ("event", "offset", "clock", "reason", "facts"),
    [
        ("sunrise", -15, "05:54", "before_sunrise", {"minutes": 15}),
        ("sunrise", 30, "06:39", "after_sunrise", {"minutes": 30}),
        ("sunset", 0, "17:16", "at_sunset", {"minutes": 0}),
        ("sunset", -77, "15:59", "before_sunset", {"minutes": 77}),
        ("sunset", -60, "16:00", "time", {}),
    ],
)
def test_a_start_says_whether_it_was_the_suns_or_the_clocks(event, offset, clock, reason, facts):
    raw = {"sun": [{"event": event, "offset_minutes": offset}], "times": ["16:00"], "seconds": 60}
    memory = {"done_until": (at(clock) - timedelta(seconds=1)).isoformat()}
    place = {"latitude_degrees": 19.9, "longitude_degrees": 105.8}

    plan = schedule.decide(schedule.parse(raw), memory, Snapshot(at(clock), (VALVE,), **place))

    assert (plan.verdict, plan.reason) == (Verdict.ACT, reason)
    assert {name: plan.facts[name] for name in facts} == facts
    assert ("minutes" in plan.facts) == bool(facts)


def test_litres_end_a_run_and_seconds_bound_it():
    settings = schedule.parse({"times": ["06:00"], "litres": 12})
    memory = {"done_until": at("05:59").isoformat()}

    plan = schedule.decide(settings, memory, Snapshot(at("06:00"), (VALVE,)))

    assert (plan.actions[0].litres, plan.actions[0].seconds) == (12.0, 150)


def test_a_run_is_never_longer_than_its_device_allows():
    short = replace(VALVE, max_seconds=90)

    assert live(TWICE_A_DAY, at("05:00"), at("07:00"), switches=(short,)) == [("Sun 06:00", 1, 90)]


def test_what_a_long_outage_missed_is_not_made_up_for():
    settings = schedule.parse(
        {"every": {"minutes": 30, "from": "06:00", "to": "18:00"}, "seconds": 60}
    )
    memory = {"done_until": at("06:00").isoformat()}

    plan = schedule.decide(settings, memory, Snapshot(at("12:20", day=3), (VALVE,)))
    after = schedule.decide(settings, plan.memory, Snapshot(at("12:21", day=3), (VALVE,)))

    assert (plan.verdict, plan.reason, plan.actions) == (Verdict.SKIP, "missed", ())
    assert plan.facts["start"] == at("12:00", day=3).isoformat()
    assert after.reason == "not_due"
    assert after.next_look_at == at("12:30", day=3)


def test_a_start_that_is_a_little_late_runs_once_and_not_for_each_one_missed():
    settings = schedule.parse(
        {"every": {"minutes": 2, "from": "06:00", "to": "18:00"}, "seconds": 60}
    )
    memory = {"done_until": at("06:00").isoformat()}

    plan = schedule.decide(settings, memory, Snapshot(at("06:09"), (VALVE,)))

    assert (plan.verdict, len(plan.actions), plan.facts["missed"]) == (Verdict.ACT, 1, 3)


def test_a_programme_that_is_new_does_not_run_for_times_before_it():
    settings = schedule.parse(TWICE_A_DAY)

    plan = schedule.decide(settings, {}, Snapshot(at("06:05"), (VALVE,)))

    assert (plan.reason, plan.next_look_at) == ("not_due", at("12:05"))


def test_valves_run_one_after_the_other_in_the_order_that_is_set():
    valves = tuple(Switch(number, f"valve-{number}") for number in (1, 2, 3))
    raw = TWICE_A_DAY | {"order": ["valve-3", "valve-1"], "pause_seconds": 60}

    done = live(raw, at("06:00"), at("07:00"), switches=valves)

    assert done == [("Sun 06:00", 3, 120), ("Sun 06:03", 1, 120), ("Sun 06:06", 2, 120)]


def test_the_next_valve_waits_for_the_one_that_is_still_busy():
    valves = (Switch(1, "valve-1", is_busy=True), Switch(2, "valve-2"))

    assert live(TWICE_A_DAY, at("06:00"), at("07:00"), switches=valves) == [("Sun 06:00", 1, 120)]


def test_fans_may_run_together():
    fans = (Switch(1, "fan-1", kind="fan"), Switch(2, "fan-2", kind="fan"))

    done = live(TWICE_A_DAY | {"together": True}, at("06:00"), at("07:00"), switches=fans)

    assert done == [("Sun 06:00", 1, 120), ("Sun 06:00", 2, 120)]


def test_what_an_interlock_refuses_is_tried_again_and_then_left_out():
    settings, valves = schedule.parse(TWICE_A_DAY), (VALVE, Switch(2, "valve-2"))
    memory, tried = {"done_until": at("05:59").isoformat()}, []
    for minute in range(30):
        plan = schedule.decide(
            settings, memory, Snapshot(at("06:00") + timedelta(minutes=minute), valves)
        )
        refused = bool(plan.actions) and plan.actions[0].output_id == 1
        memory = plan.refused_memory if refused else plan.memory
        tried.append((plan.reason, [one.output_id for one in plan.actions]))

    assert tried[:11] == [("time", [1])] + [("next_output", [1])] * 10
    assert tried[11:13] == [("given_up", []), ("next_output", [2])]
    assert tried[-1] == ("not_due", [])


@pytest.mark.parametrize(
    ("raw", "problems"),
    [
        ({}, {("times", "missing"), ("seconds", "missing")}),
        ("06:00", {("", "not_an_object"), ("times", "missing"), ("seconds", "missing")}),
        ({"times": ["25:00"], "seconds": 60}, {("times.1", "not_a_time")}),
        ({"times": ["06:00"], "seconds": 0}, {("seconds", "too_low")}),
        ({"times": ["06:00"], "seconds": 1.5}, {("seconds", "not_whole")}),
        ({"times": ["06:00"], "seconds": True}, {("seconds", "not_a_number")}),
        ({"times": ["06:00"], "seconds": 60, "secnods": 5}, {("secnods", "unknown")}),
        ({"times": "06:00", "seconds": 60}, {("times", "not_a_list")}),
        (
            {"every": {"minutes": 30, "from": "18:00", "to": "06:00"}, "seconds": 60},
            {("every.to", "too_early")},
        ),
        ({"every": {"minutes": 30, "form": "06:00"}, "seconds": 9},
         {("every.from", "missing"), ("every.to", "missing"), ("every.form", "unknown")}),
        ({"sun": [{"event": "noon"}], "seconds": 60}, {("sun.1.event", "not_a_choice")}),
        ({"times": ["06:00"], "seconds": 60, "weekdays": [8]}, {("weekdays.1", "too_high")}),
    ],
)  # fmt: skip
def test_settings_that_are_wrong_are_named(raw, problems):
    with pytest.raises(SettingsError) as caught:
        schedule.parse(raw)

    assert {(problem.field, problem.code) for problem in caught.value.problems} == problems


def live_refused(raw, status, *, minutes, switches=(VALVE,), refuses=lambda second: True, why=""):
    """Look every ten seconds at outputs whose commands end so; answer what was asked when."""
    settings, told, asked = schedule.parse(raw), {one.output_id: one for one in switches}, []
    memory = {"done_until": at("05:59").isoformat()}
    for second in range(0, minutes * 60 + 1, 10):
        now = at("06:00") + timedelta(seconds=second)
        plan = schedule.decide(settings, memory, Snapshot(now, tuple(told.values())))
        memory = plan.memory
        for one in plan.actions:
            asked.append((second, one.output_id, one.key))
            ended = status if one.output_id == 1 and refuses(second) else "done"
            told[one.output_id] = replace(
                told[one.output_id], last_key=one.key, last_status=ended, last_why=why
            )
    return asked


def test_the_next_valve_waits_for_the_litres_of_the_one_before_and_not_for_its_minutes():
    valves = tuple(replace(VALVE, output_id=number, code=f"v{number}") for number in (1, 2, 3))
    raw = {"times": ["06:00"], "litres": 12, "seconds": 900, "pause_seconds": 5}
    settings, told, asked = schedule.parse(raw), {one.output_id: one for one in valves}, []
    memory, ends_at = {"done_until": at("05:59").isoformat()}, {}

    for second in range(0, 1800, 10):
        now = at("06:00") + timedelta(seconds=second)
        for output_id, end in ends_at.items():
            is_over = now >= end
            told[output_id] = replace(
                told[output_id],
                last_status="done" if is_over else "started",
                is_on=not is_over,
                is_busy=not is_over,
                state_at=end if is_over else now,
            )
        plan = schedule.decide(settings, memory, Snapshot(now, tuple(told.values())))
        memory = plan.memory
        for one in plan.actions:
            asked.append((second, one.output_id))
            told[one.output_id] = replace(told[one.output_id], last_key=one.key)
            ends_at[one.output_id] = now + timedelta(seconds=122)  # by the meter

    # 122 seconds and a pause of 5 are over at the look after.
    assert asked == [(0, 1), (130, 2), (260, 3)]


@pytest.mark.parametrize("status", ["rejected", "expired"])
def test_a_watering_that_was_not_taken_is_tried_again_while_patience_lasts(status):
    asked = live_refused(TWICE_A_DAY, status, minutes=60)

    assert [second for second, _, _ in asked] == [0, 20, 50, 100, 190, 360]
    assert len({key for _, _, key in asked}) == 6


def test_a_watering_that_is_taken_at_the_second_try_is_not_given_twice():
    valves = (VALVE, Switch(2, "valve-2"))

    asked = live_refused(
        TWICE_A_DAY, "rejected", minutes=60, switches=valves, refuses=lambda second: second < 20
    )

    assert [(second, output) for second, output, _ in asked] == [(0, 1), (20, 1), (150, 2)]


def test_a_valve_that_refuses_does_not_keep_the_others_dry():
    valves = (VALVE, Switch(2, "valve-2"))

    asked = live_refused(TWICE_A_DAY, "rejected", minutes=60, switches=valves)

    assert [second for second, output, _ in asked if output == 2] == [680]


@pytest.mark.parametrize(
    ("status", "why"), [("unknown", "no_ack"), ("aborted", "no_flow"), ("rejected", "stop")]
)
def test_a_watering_that_may_have_begun_or_was_stopped_is_not_tried_again(status, why):
    for together in (False, True):
        raw = TWICE_A_DAY | {"together": together}

        assert len(live_refused(raw, status, minutes=30, why=why)) == 1


def test_of_fans_that_run_together_only_the_one_that_refused_is_asked_again():
    fans = (Switch(1, "fan-1", kind="fan"), Switch(2, "fan-2", kind="fan"))

    asked = live_refused(
        TWICE_A_DAY | {"together": True}, "expired", minutes=30, switches=fans,
        refuses=lambda second: second < 50,
    )  # fmt: skip

    assert [(second, output) for second, output, _ in asked] == [(0, 1), (0, 2), (20, 1), (50, 1)]


def test_of_fans_that_run_together_one_that_an_interlock_left_out_is_asked_again():
    fans = (Switch(1, "fan-1", kind="fan"), Switch(2, "fan-2", kind="fan"))
    settings = schedule.parse(TWICE_A_DAY | {"together": True})
    memory = {"done_until": at("05:59").isoformat()}
    begun = schedule.decide(settings, memory, Snapshot(at("06:00"), fans))
    runs = replace(fans[0], last_key=begun.actions[0].key, last_status="started", is_busy=True)

    plans, memory = [], begun.memory
    for second in (10, 20):
        now = at("06:00") + timedelta(seconds=second)
        plans.append(schedule.decide(settings, memory, Snapshot(now, (runs, fans[1]))))
        memory = plans[-1].memory

    assert (plans[0].reason, plans[0].facts["reason"]) == ("not_taken", "held_back")
    assert [one.output_id for one in plans[1].actions] == [2]


@pytest.mark.parametrize("together", [False, True])
def test_litres_that_nobody_can_count_open_nothing(together):
    settings = schedule.parse({"times": ["06:00"], "litres": 12, "together": together})
    memory, blind = {"done_until": at("05:59").isoformat()}, replace(VALVE, litres_per_minute=None)

    plan = schedule.decide(settings, memory, Snapshot(at("06:00"), (blind,)))
    metered = schedule.decide(
        settings, memory, Snapshot(at("06:00"), (replace(blind, is_metered=True),))
    )

    assert (plan.verdict, plan.reason, plan.actions) == (Verdict.BLOCKED, "no_measure", ())
    assert [(one.litres, one.seconds) for one in metered.actions] == [(12.0, 900)]


def test_a_device_that_takes_no_litres_is_given_seconds():
    settings = schedule.parse({"times": ["06:00"], "litres": 12, "seconds": 90})
    memory, foreign = {"done_until": at("05:59").isoformat()}, replace(VALVE, takes_litres=False)

    plan = schedule.decide(settings, memory, Snapshot(at("06:00"), (foreign,)))

    assert [(one.litres, one.seconds) for one in plan.actions] == [(None, 90)]
