"""Watering by light: a shot for each so much sun, none at night, none by a sensor that is gone."""

import math
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from farm.control import light_sum
from farm.control.plan import Snapshot, Switch, Value, Verdict
from farm.control.settings import SettingsError

LOCAL = ZoneInfo("Asia/Ho_Chi_Minh")
DAY = datetime(2026, 11, 22, tzinfo=LOCAL)
VALVE = Switch(1, "valve-1", litres_per_minute=6.0, max_seconds=1200)
RAW = {"j_per_cm2": 150, "drain_percent": 20, "from": "06:00", "to": "17:00"}


def at(clock):
    hour, minute = map(int, clock.split(":"))
    return DAY + timedelta(hours=hour, minutes=minute)


def sun(now):
    """A clear day: 800 W/m² at noon, dark before six and after eighteen."""
    hour = now.hour + now.minute / 60
    return max(0.0, 800 * math.sin(math.pi * (hour - 6) / 12)) if 6 <= hour <= 18 else 0.0


class Bed:
    """A zone of 20 m² that is looked at once a minute, with a reading each time."""

    def __init__(self, raw, *, light=sun, **snapshot):
        self.settings, self.memory, self.light = light_sum.parse(raw), {}, light
        self.snapshot = Snapshot(DAY, (VALVE,), area_m2=20.0, **snapshot)

    def look(self, now, **changes):
        watts = self.light(now)
        snapshot = replace(
            self.snapshot,
            **{
                "now": now,
                "sensor": Value(watts, now),
                "light": [] if watts is None else [(now.timestamp(), watts)],
            }
            | changes,
        )
        plan = light_sum.decide(self.settings, self.memory, snapshot)
        self.memory = plan.memory
        return plan

    def live(self, begin, end, **changes):
        plans, now = [], begin
        while now <= end:
            plans.append((now, self.look(now, **changes)))
            now += timedelta(minutes=1)
        return [(now, plan) for now, plan in plans if plan.verdict is Verdict.ACT]


def test_a_clear_day_of_2200_joules_is_watered_14_times():
    shots = Bed(RAW).live(at("00:00"), at("23:59"))

    assert [f"{now:%H:%M}" for now, _ in shots] == [
        "08:02", "08:55", "09:37", "10:14", "10:48", "11:21", "11:53",
        "12:25", "12:57", "13:30", "14:06", "14:45", "15:31", "16:36",
    ]  # fmt: skip
    assert all(150 <= plan.facts["light"] < 155 for _, plan in shots)


def test_a_shot_is_as_large_as_what_the_plants_took_and_what_should_drain():
    plan = Bed(RAW).live(at("06:00"), at("08:30"))[0][1]

    # 152.2 J/cm² x 0.2 L/m² for 100 J/cm² / (1 - 0.2) x 20 m², and a quarter more of time
    assert (plan.facts["light"], plan.facts["litres"]) == (152.2, 7.61)
    assert (plan.actions[0].litres, plan.actions[0].seconds) == (7.61, 96)


def test_two_valves_share_the_water_one_after_the_other():
    bed = Bed(RAW)
    bed.snapshot = replace(bed.snapshot, switches=(VALVE, replace(VALVE, output_id=2)))

    (first_at, first), (second_at, second) = bed.live(at("06:00"), at("08:30"))[:2]

    assert first.actions[0].litres == pytest.approx(first.facts["litres"] / 2, abs=0.01)
    assert second.reason == "next_output"
    assert (first.actions[0].output_id, second.actions[0].output_id) == (1, 2)
    assert second_at - first_at >= timedelta(seconds=first.actions[0].seconds)


def test_nothing_is_watered_at_night_whatever_the_sensor_says():
    lamp = Bed(RAW, light=lambda now: 800.0)

    assert lamp.live(at("17:00"), at("23:59")) == []
    assert lamp.look(at("23:59")).reason == "night"


def test_the_least_pause_holds_even_in_the_strongest_sun():
    shots = Bed(RAW | {"least_pause_minutes": 45}).live(at("10:00"), at("14:00"))
    times = [now for now, _ in shots]

    pauses = {later - earlier for earlier, later in pairwise(times)}
    assert min(pauses) == timedelta(minutes=45)


def test_a_dark_day_is_watered_after_the_longest_pause():
    dark = Bed(RAW | {"longest_pause_minutes": 180}, light=lambda now: 10.0)

    shots = dark.live(at("06:00"), at("17:00"))

    assert [(f"{now:%H:%M}", plan.reason) for now, plan in shots] == [
        ("09:00", "longest_pause"),
        ("12:00", "longest_pause"),
        ("15:00", "longest_pause"),
    ]
    # Half of the least threshold: 50 J/cm².
    assert shots[0][1].facts["litres"] == 2.5


def test_a_sensor_that_is_too_old_waters_nothing():
    bed = Bed(RAW | {"longest_pause_minutes": 30})
    old = Value(800.0, at("11:00"), stale_seconds=180)

    plan = bed.look(at("12:00"), sensor=old, light=[])

    assert (plan.verdict, plan.reason, plan.actions) == (Verdict.BLOCKED, "stale_sensor", ())
    assert plan.facts == {"since": at("11:00").isoformat()}


def test_a_sensor_that_says_it_failed_waters_nothing():
    plan = Bed(RAW).look(at("12:00"), sensor=Value(None, at("12:00")), light=[])

    assert (plan.verdict, plan.reason) == (Verdict.BLOCKED, "stale_sensor")


def test_ppfd_counts_as_the_sunlight_that_it_comes_from():
    by_watts = Bed(RAW).live(at("06:00"), at("12:00"))
    by_photons = Bed(RAW, light=lambda now: sun(now) * 4.57 * 0.45, light_is_ppfd=True)

    found = by_photons.live(at("06:00"), at("12:00"))

    assert [now for now, _ in found] == [now for now, _ in by_watts]


@pytest.mark.parametrize("light_is_ppfd", [True, False])
@pytest.mark.parametrize("bad", [-999.0, float("nan"), float("inf")])
def test_a_light_sensor_that_fails_counts_no_light(bad, light_is_ppfd):
    bed = Bed(RAW, light=lambda _: bad, light_is_ppfd=light_is_ppfd)

    bed.live(at("06:00"), at("07:00"))

    assert bed.memory.get("light", 0.0) == 0.0


@pytest.mark.parametrize(
    ("drain", "threshold"), [(35.0, 160.0), (20.0, 150.0), (5.0, 140.0), (None, 150.0)]
)
def test_the_drain_moves_the_next_threshold_by_one_step(drain, threshold):
    bed = Bed(RAW, drain_percent=drain)

    shots = bed.live(at("06:00"), at("09:00"))

    assert shots[0][1].facts["next_threshold"] == 150.0
    assert shots[1][1].facts["next_threshold"] == threshold
    assert shots[1][1].facts.get("drain_percent") == drain


def test_the_threshold_never_leaves_its_bounds():
    wet = Bed(RAW | {"most_j_per_cm2": 175}, drain_percent=90.0)

    shots = wet.live(at("06:00"), at("17:00"))

    assert [plan.facts["next_threshold"] for _, plan in shots][:5] == [150, 160, 170, 175, 175]


def test_a_shot_that_was_refused_comes_when_the_interlock_opens():
    bed = Bed(RAW)
    bed.live(at("06:00"), at("08:01"))
    refused = bed.look(at("08:02"))
    bed.memory = refused.refused_memory

    plan = bed.look(at("08:03"))

    assert (refused.verdict, plan.verdict) == (Verdict.ACT, Verdict.ACT)
    assert plan.facts["light"] > refused.facts["light"]


def test_the_light_of_a_shot_that_no_device_took_counts_for_the_next_one():
    bed = Bed(RAW | {"least_pause_minutes": 60})
    [(_, shot)] = bed.live(at("06:00"), at("08:02"))

    reasons, now = [], at("08:03")
    while "given_up" not in reasons:
        last_key = bed.memory["turn"].get("key", "")
        away = replace(VALVE, last_key=last_key, last_status="expired", last_why="no_ack")
        reasons.append(bed.look(now, switches=(away,)).reason)
        now += timedelta(minutes=1)
    light_by_then = bed.memory["light"]
    [(clock, next_shot)] = bed.live(now, at("09:03"))

    assert light_by_then > shot.facts["light"]
    assert clock == at("09:02")
    assert next_shot.facts["light"] > light_by_then


def test_of_two_valves_the_one_that_was_left_out_gives_back_its_half():
    bed = Bed(RAW)
    bed.snapshot = replace(bed.snapshot, switches=(VALVE, replace(VALVE, output_id=2)))
    [(_, shot)] = bed.live(at("06:00"), at("08:02"))

    assert bed.memory["light_of_each"] == pytest.approx(shot.facts["light"] / 2, abs=0.05)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"j_per_cm2": 90}, ("j_per_cm2", "too_low")),
        ({"j_per_cm2": 250}, ("j_per_cm2", "too_high")),
        ({"from": "17:00"}, ("to", "too_early")),
        ({"least_pause_minutes": 60, "longest_pause_minutes": 30},
         ("longest_pause_minutes", "too_low")),
        ({"inside": "yes"}, ("inside", "not_yes_or_no")),
    ],
)  # fmt: skip
def test_settings_that_are_wrong_are_named(change, problem):
    with pytest.raises(SettingsError) as caught:
        light_sum.parse(RAW | change)

    assert [(one.field, one.code) for one in caught.value.problems] == [problem]


def test_a_shot_in_litres_that_nobody_can_count_opens_nothing():
    bed = Bed(RAW, light=lambda now: 800.0)
    blind = (replace(VALVE, litres_per_minute=None),)

    shots = bed.live(at("10:00"), at("11:30"), switches=blind)

    assert shots == []
    assert bed.look(at("11:31"), switches=blind).reason == "no_measure"
