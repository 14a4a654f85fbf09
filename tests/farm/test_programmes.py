"""Programmes at work: rows in, commands and reasons out, once for each moment."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import translation

from farm import explain
from farm.errors import RuleInvalidError
from farm.models import Alarm, Channel, Command, Decision, Flag, Output, Rule
from farm.services import automation, commands, stops
from tests.farm.factories import (
    NOON,
    make_channel,
    make_greenhouse,
    make_node,
    make_output,
    make_rule,
    make_user,
    make_zone,
    measure,
)

pytestmark = pytest.mark.django_db


def later(**duration):
    return NOON + timedelta(**duration)


def finish(command, *, at, status="done", **fields):
    """Let the device say that it has done it."""
    fields = {"status": status, "ended_at": at, "ran_seconds": command.seconds} | fields
    Command.objects.filter(pk=command.pk).update(**fields)


def go_by(begin, end, *, each=lambda at: None, step=None):
    """Let a while go by: devices finish what they were told, and the programmes look.

    Time jumps to whatever comes next, or goes in steps.
    """
    at = begin
    while at <= end:
        for command in Command.objects.open().exclude(op="stop"):
            if _end_of(command) <= at:
                finish(command, at=at)
        each(at)
        automation.run_due(at=at)
        at = at + step if step else max(at + timedelta(seconds=1), _next_moment(end))


def _end_of(command):
    return command.created_at + timedelta(seconds=command.seconds or 0)


def _next_moment(end):
    looks = Rule.objects.filter(is_enabled=True).values_list("next_look_at", flat=True)
    ends = [_end_of(command) for command in Command.objects.open().exclude(op="stop")]
    return min([look for look in looks if look] + ends, default=end + timedelta(seconds=1))


def make_fans(*, temperature=25.0, **parameters):
    zone = make_zone()
    node = make_node(greenhouse=zone.greenhouse)
    sensor = make_channel(node=node, zone=zone)
    fan = make_output(node=node, zone=zone, kind=Output.Kind.FAN, max_seconds=86_400, code="fan-1")
    rule = make_rule(
        zone=zone,
        name="Quạt",
        kind=Rule.Kind.HYSTERESIS,
        sensor=sensor,
        outputs=[fan],
        parameters={"on_at": 32.0, "off_at": 29.0} | parameters,
    )
    measure(sensor, temperature, t=NOON)
    return rule


def make_feeder(*, ec=1.2, ph=6.0, litres=400.0, **changes):
    zone = make_zone(reservoir_l=500.0, daily_dose_cap_ml=3000.0)
    node = make_node(greenhouse=zone.greenhouse)
    channels = {
        quantity: make_channel(node=node, zone=zone, quantity=quantity, code=quantity)
        for quantity in ("ec", "ph", "tank_volume")
    }
    make_output(
        node=node, zone=zone, kind=Output.Kind.PUMP, code="pump", is_on=True,
        flow_low=40.0, flow_high=40.0, max_seconds=86_400,
    )  # fmt: skip
    dosers = [
        make_output(
            node=node, zone=zone, kind=Output.Kind.DOSER, code=f"dose-{kind}", dose_kind=kind,
            ml_per_second=1.2, max_seconds=200,
        )
        for kind in ("a", "b")
    ]  # fmt: skip
    measure_tank(channels.values(), at=NOON, ec=ec, ph=ph, tank_volume=litres)
    parameters = {
        "ec": {"low": 1.6, "target": 1.8, "high": 2.0},
        "most_ml": 200,
        "daily_ml": 1000,
    }
    return make_rule(
        zone=zone,
        name="Châm phân",
        kind=Rule.Kind.DOSING,
        outputs=dosers,
        **{"parameters": parameters} | changes,
    )


def measure_tank(channels, *, at, **values):
    for channel in channels:
        if channel.quantity in values:
            measure(channel, values[channel.quantity], t=at)


def keep_pump_on(rule, at):
    Output.objects.filter(zone=rule.zone, kind="pump").update(is_on=True, state_heard_at=at)
    for channel in Channel.objects.filter(zone=rule.zone).select_related("latest"):
        measure(channel, channel.latest.v, t=at)


def take_turn(turn):
    return turn()


def words_of(decision):
    with translation.override("en"):
        return explain.decision_words(decision)


def test_a_timetable_waters_at_its_time_and_says_why():
    rule = make_rule()

    go_by(NOON, later(hours=1))

    command = Command.objects.get()
    assert (command.op, command.seconds, command.source) == ("run", 120, "schedule")
    assert (command.rule, command.generation, command.created_at) == (rule, 1, later(minutes=30))
    decision = Decision.objects.get(verdict="act")
    assert decision.command == command
    assert words_of(decision) == "Watered for 2 minutes at 12:30 because it was time (12:30)"


def test_a_day_of_a_timetable_is_one_run_for_each_time():
    make_rule(parameters={"times": ["06:00", "12:30", "16:30"], "seconds": 60})

    go_by(NOON, later(hours=24))

    starts = Command.objects.order_by("created_at").values_list("created_at", flat=True)
    assert [f"{at:%H:%M}" for at in starts] == ["05:30", "09:30", "23:00"]


def test_a_run_by_the_sun_says_so():
    house = make_greenhouse(latitude=19.92, longitude=105.92)
    sun = [{"event": "sunset", "offset_minutes": -30}]
    make_rule(zone=make_zone(greenhouse=house), parameters={"sun": sun, "seconds": 120})

    go_by(NOON, later(hours=6))

    decision = Decision.objects.get(verdict="act")
    assert words_of(decision) == (
        "Watered for 2 minutes at 16:46 because it was 30 minutes before sunset (16:46)"
    )


def test_looking_twice_at_the_same_moment_is_one_run():
    make_rule()
    automation.run_due(at=NOON)

    acts = [automation.run_due(at=later(minutes=30)) for _ in range(3)]

    assert acts == [1, 0, 0]
    assert Command.objects.count() == 1


def test_a_memory_that_was_lost_does_not_run_the_same_start_again():
    rule = make_rule()
    memory = rule.memory
    automation.run_due(at=later(minutes=30))

    Rule.objects.update(memory=memory, next_look_at=None)
    automation.run_due(at=later(minutes=31))

    assert Command.objects.count() == 1


def test_an_output_that_an_interlock_leaves_out_is_named_and_asked_again():
    zone = make_zone()
    node = make_node(greenhouse=zone.greenhouse)
    fans = [
        make_output(node=node, zone=zone, kind=Output.Kind.FAN, code=code, label=code)
        for code in ("fan-1", "fan-2")
    ]
    make_rule(
        zone=zone, outputs=fans, parameters={"times": ["12:30"], "seconds": 600, "together": True}
    )
    Output.objects.filter(code="fan-2").update(lock="off")

    go_by(NOON, later(minutes=30, seconds=5))
    Output.objects.filter(code="fan-2").update(lock="auto")
    go_by(later(minutes=30, seconds=10), later(minutes=31))

    assert [words_of(one) for one in Decision.objects.filter(verdict="blocked")] == [
        "fan-2 was left out at 12:30: This output is locked off"
    ]
    runs = Command.objects.filter(op="run").order_by("created_at")
    assert [run.output.code for run in runs] == ["fan-1", "fan-2"]


def test_of_many_outputs_that_run_together_none_runs_twice():
    zone = make_zone()
    node = make_node(greenhouse=zone.greenhouse)
    fans = [
        make_output(node=node, zone=zone, kind=Output.Kind.FAN, code=f"fan-{number}")
        for number in range(45)
    ]
    make_rule(
        zone=zone, outputs=fans, parameters={"times": ["12:30"], "seconds": 600, "together": True}
    )

    go_by(NOON, later(minutes=32))

    assert Command.objects.filter(op="run").count() == 45


def test_an_output_that_is_left_out_again_for_the_same_reason_is_not_written_again():
    rule = make_fans()
    fan = make_output(
        node=rule.sensor.node, zone=rule.zone, kind=Output.Kind.FAN, max_seconds=86_400,
        code="fan-2", lock="off",
    )  # fmt: skip
    rule.outputs.add(fan)
    measure(rule.sensor, 35.0, t=NOON)

    go_by(
        NOON, later(hours=2), each=lambda at: measure(rule.sensor, 35.0, t=at),
        step=timedelta(minutes=1),
    )  # fmt: skip

    blocked = Decision.objects.filter(verdict="blocked")
    assert [one.reason for one in blocked] == ["output_locked"]
    assert Command.objects.filter(op="run").count() > 3


def test_a_feeding_programme_that_was_off_gives_no_b_for_the_a_of_then():
    rule = make_feeder()
    go_by(NOON, later(minutes=10), each=lambda at: keep_pump_on(rule, at))

    for is_enabled in (False, True):
        automation.change_rule(
            rule=rule, by=make_user(), at=later(minutes=10), is_enabled=is_enabled
        )

    rule.refresh_from_db()
    assert "b_waits" not in rule.memory


def test_an_interlock_holds_a_run_back_and_the_reason_is_written_once():
    rule = make_rule()
    stops.stop_house(greenhouse=rule.zone.greenhouse, by=make_user(), reason="thử", at=NOON)

    go_by(NOON, later(minutes=35))

    assert not Command.objects.filter(op="run").exists()
    decision = Decision.objects.get(verdict="blocked")
    assert (decision.reason, decision.command) == ("estop", None)
    assert words_of(decision) == "Held back at 12:30: The house is under an emergency stop"


def test_a_run_that_was_held_back_comes_when_the_interlock_opens_in_time():
    rule = make_rule()
    Output.objects.update(lock="manual", lock_until=later(minutes=34))

    go_by(NOON, later(minutes=45))

    assert Command.objects.get().created_at == later(minutes=34)
    reasons = Decision.objects.filter(rule=rule).order_by("pk").values_list("verdict", "reason")
    assert ("blocked", "manual_only") in reasons


def test_a_hot_house_starts_the_fan_with_the_batch_that_says_so():
    rule = make_fans()
    automation.react(channel_ids={rule.sensor_id}, at=NOON)
    measure(rule.sensor, 32.4, t=later(seconds=30))

    acts = automation.react(channel_ids={rule.sensor_id}, at=later(seconds=30))

    command = Command.objects.get()
    assert (acts, command.op, command.seconds, command.source) == (1, "run", 900, "hysteresis")
    assert words_of(Decision.objects.get(verdict="act")) == (
        "Switched on for 15 minutes at 12:00 because air temperature was 32.4 °C, above 32 °C"
    )


WHY = {
    "beyond": ("was 25.2 °C, above 20 °C", "was 17.5 °C, below 20 °C"),
    "renewed": ("is still 25.2 °C, not yet below 18 °C", "is still 17.5 °C, not yet above 22 °C"),
    "back_inside": ("was down to 25.2 °C, below 18 °C", "was up to 17.5 °C, above 22 °C"),
    "not_needed": ("is 25.2 °C, it starts above 20 °C", "is 17.5 °C, it starts below 20 °C"),
}


@pytest.mark.parametrize(("reason", "sentences"), WHY.items())
@pytest.mark.parametrize("is_reversed", [False, True])
def test_what_goes_on_below_a_limit_says_below(reason, sentences, is_reversed):
    rule = make_fans()
    value, off_at = (17.5, 22) if is_reversed else (25.2, 18)
    decision = Decision(
        rule=rule,
        at=NOON,
        verdict="skip" if reason == "not_needed" else "act",
        reason=reason,
        facts={"value": value, "on_at": 20.0, "off_at": off_at, "seconds": 900},
        generation=1,
    )

    said = words_of(decision)

    assert said.split("air temperature ")[1] == sentences[is_reversed]


def test_a_value_is_not_given_the_unit_of_a_sensor_that_came_later():
    rule = make_fans(temperature=32.4)
    automation.run_due(at=NOON)
    humidity = make_channel(
        node=rule.sensor.node, quantity=Channel.Quantity.RELATIVE_HUMIDITY, unit="%"
    )

    automation.change_rule(rule=rule, by=make_user(), at=later(minutes=1), sensor=humidity)
    automation.change_rule(rule=rule, by=make_user(), at=later(minutes=2), name="Phun sương")

    decision = Decision.objects.select_related("rule__sensor").get(verdict="act")
    assert words_of(decision) == (
        "Switched on for 15 minutes at 12:00 because the value was 32.4, above 32"
    )


def test_a_pump_runs_and_does_not_water():
    zone = make_zone()
    pump = make_output(node=make_node(greenhouse=zone.greenhouse), kind=Output.Kind.PUMP)
    make_rule(zone=zone, outputs=[pump])

    go_by(NOON, later(minutes=35))

    assert words_of(Decision.objects.get(verdict="act")) == (
        "Ran for 2 minutes at 12:30 because it was time (12:30)"
    )


def test_a_hot_afternoon_of_a_fan():
    rule = make_fans()
    temperature = {0: 33.0, 40: 31.0, 60: 28.5}

    def measured(at):
        minute = (at - NOON).total_seconds() / 60
        measure(rule.sensor, temperature[max(m for m in temperature if m <= minute)], t=at)
        automation.react(channel_ids={rule.sensor_id}, at=at)

    go_by(NOON, later(minutes=80), each=measured, step=timedelta(seconds=150))

    done = Decision.objects.filter(verdict="act").order_by("pk").values_list("reason", "at")
    assert [(reason, (at - NOON).total_seconds() / 60) for reason, at in done] == [
        ("beyond", 0), *[("renewed", 7.5 * number) for number in range(1, 8)], ("back_inside", 60),
    ]  # fmt: skip
    assert Command.objects.filter(op="stop").count() == 1


@pytest.mark.parametrize(
    ("flags", "reason"),
    [
        (Flag.OUT_OF_RANGE, "stale_sensor"),
        (Flag.CALIBRATING, "in_hand"),
        (Flag.CALIBRATING | Flag.OUT_OF_RANGE, "in_hand"),
    ],
)
def test_a_value_that_is_not_sensible_starts_nothing_and_the_log_says_why(flags, reason):
    rule = make_fans()
    measure(rule.sensor, 80.0, t=later(seconds=30), flags=flags)

    automation.react(channel_ids={rule.sensor_id}, at=later(seconds=30))

    assert not Command.objects.exists()
    decision = Decision.objects.get()
    assert decision.reason == reason
    if reason == "in_hand":
        assert explain.decision_words(decision) == (
            "Bị giữ lại lúc 12:00: đầu đo đang được hiệu chuẩn"
        )


def test_a_sensor_that_went_silent_is_written_down_once_and_switches_nothing():
    make_fans(temperature=35.0)

    go_by(later(minutes=4), later(minutes=60))

    assert not Command.objects.exists()
    assert list(Decision.objects.values_list("verdict", "reason")) == [("blocked", "stale_sensor")]


def test_new_values_are_held_against_their_limits_too():
    rule = make_fans()
    rule.sensor.limits.create(high=35.0, delay_seconds=0)
    measure(rule.sensor, 36.0, t=later(seconds=30))

    automation.react(channel_ids={rule.sensor_id}, at=later(seconds=30))

    assert Alarm.objects.get().kind == "limit"


def test_values_nobody_goes_by_cost_one_query():
    channel = make_channel()

    with CaptureQueriesContext(connection) as queries:
        automation.react(channel_ids={channel.pk}, at=NOON)

    assert len(queries) == 1


def test_light_waters_and_the_sentence_has_the_numbers():
    house = make_greenhouse()
    zone = make_zone(greenhouse=house, area_m2=20.0)
    node = make_node(greenhouse=house)
    sun = make_channel(node=node, quantity=Channel.Quantity.SOLAR_RADIATION, unit="W/m2")
    drain = make_channel(node=node, zone=zone, quantity=Channel.Quantity.DRAIN_VOLUME)
    valve = make_output(node=node, zone=zone, flow_low=6.0, flow_high=6.0)
    make_rule(
        zone=zone,
        kind=Rule.Kind.LIGHT_SUM,
        sensor=sun,
        outputs=[valve],
        parameters={"j_per_cm2": 150, "drain_percent": 20},
    )

    def measured(at):
        measure(sun, 500.0, t=at)
        minutes = (at - NOON).total_seconds() / 60
        measure(drain, 0.0 if minutes < 55 else 1.35, t=at)
        automation.react(channel_ids={sun.pk, drain.pk}, at=at)

    go_by(NOON, later(minutes=105), each=measured, step=timedelta(seconds=150))

    runs = Command.objects.order_by("created_at")
    # 500 W/m² are 3 J/cm² a minute
    assert [run.created_at for run in runs] == [later(minutes=50), later(minutes=100)]
    assert [run.litres for run in runs] == [7.5, 7.5]
    second = Decision.objects.filter(verdict="act").order_by("pk").last()
    assert words_of(second) == (
        "Watered with 7.5 litres (off after 1 min 34 s at the latest) at 13:40 "
        "because the sun had given 150 J/cm², and 150 are enough for a watering; "
        "the watering before was at 12:50; 14.4 % of the water drained"
    )


def test_a_weak_tank_is_fed_with_a_then_b():
    rule = make_feeder()

    go_by(NOON, later(minutes=30), each=lambda at: keep_pump_on(rule, at))

    doses = Command.objects.filter(op="dose").order_by("created_at")
    assert [(one.output.dose_kind, one.ml) for one in doses] == [("a", 200.0), ("b", 200.0)]
    # 400 L at 40 L/min are mixed in 20 minutes, after a dose of 167 seconds
    assert doses[1].created_at - doses[0].created_at >= timedelta(seconds=1200 + 166)
    assert words_of(Decision.objects.filter(verdict="act").order_by("pk")[0]) == (
        "Dosed 200 ml of fertiliser A at 12:00 because EC was 1.2 mS/cm, too weak"
    )


def test_a_change_between_a_and_b_does_not_lose_b():
    rule = make_feeder()
    go_by(NOON, later(minutes=10), each=lambda at: keep_pump_on(rule, at))

    automation.change_rule(rule=rule, by=make_user(), at=later(minutes=10), name="Châm phân 2")
    go_by(later(minutes=10), later(minutes=30), each=lambda at: keep_pump_on(rule, at))

    doses = Command.objects.filter(op="dose").order_by("created_at")
    assert [(one.output.dose_kind, one.generation) for one in doses] == [("a", 1), ("b", 2)]


def test_feeding_without_effect_is_locked_with_an_urgent_alarm():
    rule = make_feeder(
        parameters={
            "ec": {"low": 1.6, "target": 1.8, "high": 2.0},
            "most_ml": 100,
            "daily_ml": 1000,
        }
    )

    go_by(NOON, later(hours=3), each=lambda at: keep_pump_on(rule, at))

    assert Command.objects.filter(op="dose").count() == 6
    alarm = Alarm.objects.get(kind="dose_without_effect")
    assert (alarm.severity, alarm.cleared_at, alarm.zone) == (3, None, rule.zone)
    rule.refresh_from_db()
    changed = automation.change_rule(
        rule=rule, by=make_user(), at=later(hours=4), name="Châm phân, bình mới"
    )
    alarm.refresh_from_db()
    assert "locked" not in changed.memory
    assert alarm.cleared_at == later(hours=4)


def test_a_standing_pump_means_no_dose():
    rule = make_feeder()
    Output.objects.filter(kind="pump").update(is_on=False)

    go_by(NOON, later(minutes=2))

    assert not Command.objects.exists()
    assert Decision.objects.get(rule=rule).reason == "no_circulation"


def test_a_programme_that_is_switched_off_never_doses_again():
    rule = make_feeder()
    automation.run_due(at=NOON)
    dose = Command.objects.get(op="dose")

    automation.change_rule(rule=rule, by=make_user(), at=later(seconds=1), is_enabled=False)
    sent = []
    commands.send_due(publish=lambda *message: sent.append(message), at=later(seconds=2))
    go_by(
        later(seconds=3),
        later(hours=24),
        step=timedelta(hours=1),
        each=lambda at: keep_pump_on(rule, at),
    )

    dose.refresh_from_db()
    assert dose.status not in Command.OPEN
    assert not any(b'"dose"' in message[1] for message in sent)
    assert Command.objects.filter(op="dose").count() == 1


def test_a_dose_of_an_older_generation_is_not_sent():
    rule = make_feeder()
    automation.run_due(at=NOON)

    automation.change_rule(rule=rule, by=make_user(), at=later(seconds=1), name="Châm phân 2")
    sent = []
    commands.send_due(publish=lambda *message: sent.append(message), at=later(seconds=2))

    assert sent == []
    assert Command.objects.get(op="dose").status not in Command.OPEN


def test_switching_off_stops_what_runs():
    rule = make_rule()
    automation.run_due(at=later(minutes=30))
    Command.objects.update(status="started", started_at=later(minutes=30))

    automation.change_rule(rule=rule, by=make_user(), at=later(minutes=31), is_enabled=False)

    stop = Command.objects.get(op="stop")
    assert (stop.output, stop.why) == (rule.outputs.get(), "rule_off")


def test_each_change_is_a_new_generation_and_none_is_none():
    rule = make_rule()

    same = automation.change_rule(rule=rule, by=make_user(), at=NOON, name=rule.name)
    changed = automation.change_rule(
        rule=rule, by=make_user(), at=NOON, parameters={"times": ["13:00"], "seconds": 60}
    )
    off = automation.change_rule(rule=rule, by=make_user(), at=NOON, is_enabled=False)

    assert (same.generation, changed.generation, off.generation) == (1, 2, 3)


def test_what_was_learned_and_used_survives_a_change():
    rule = make_feeder()
    rule.memory |= {"slopes": {"ec": 0.2}, "day": "2026-11-22", "ml": {"a": 900}, "locked": {}}
    rule.save()

    changed = automation.change_rule(rule=rule, by=make_user(), at=NOON, name="Khác")

    assert changed.memory == {
        "slopes": {"ec": 0.2},
        "day": "2026-11-22",
        "ml": {"a": 900},
        "done_until": NOON.isoformat(),
    }


@pytest.mark.parametrize(
    ("changes", "errors"),
    [
        ({"parameters": {"times": ["26:00"]}}, [("times.1", "not_a_time"), ("seconds", "missing")]),
        ({"parameters": {"times": ["06:00"], "seconds": 901}}, [("seconds", "too_high")]),
        ({"outputs": []}, [("outputs", "missing")]),
        ({"kind": "magic"}, [("kind", "not_a_choice")]),
        (
            {"parameters": {"sun": [{"event": "sunset"}], "seconds": 60}},
            [("sun", "no_place")],
        ),
        (
            {"kind": "hysteresis", "parameters": {"on_at": 30, "off_at": 28}},
            [("sensor", "missing")],
        ),
    ],
)
def test_a_programme_that_cannot_work_is_refused_with_every_reason(changes, errors):
    with pytest.raises(RuleInvalidError) as caught:
        make_rule(**changes)

    assert [(one["field"], one["code"]) for one in caught.value.facts["errors"]] == errors
    assert not Rule.objects.exists()


def refusals(**changes):
    with pytest.raises(RuleInvalidError) as caught:
        make_rule(**changes)
    return [(one["field"], one["code"]) for one in caught.value.facts["errors"]]


LITRES = {"times": ["12:30"], "litres": 12}


def test_litres_that_nothing_can_count_are_refused():
    assert refusals(parameters=LITRES) == [("litres", "not_counted")]


@pytest.mark.parametrize("protocol", ["tasmota", "zigbee2mqtt", "esphome", "opensprinkler"])
@pytest.mark.parametrize("more", [{}, {"seconds": 60}])
def test_litres_for_a_device_that_takes_none_are_refused(protocol, more):
    zone = make_zone()
    node = make_node(greenhouse=zone.greenhouse, protocol=protocol)
    valve = make_output(node=node, zone=zone, flow_low=6.0, flow_high=6.0)
    make_channel(node=node, quantity=Channel.Quantity.FLOW)

    refused = refusals(zone=zone, outputs=[valve], parameters=LITRES | more)

    assert refused == [("litres", "not_taken")]


@pytest.mark.parametrize("can_tell", ["flow", "meter", "seconds"])
def test_litres_are_taken_where_something_ends_the_run(can_tell):
    zone = make_zone()
    node = make_node(greenhouse=zone.greenhouse)
    valve = make_output(node=node, zone=zone, flow_low=6.0 if can_tell == "flow" else None)
    if can_tell == "meter":
        make_channel(node=node, quantity=Channel.Quantity.FLOW)
    more = {"seconds": 60} if can_tell == "seconds" else {}

    rule = make_rule(zone=zone, outputs=[valve], parameters=LITRES | more)

    assert rule.pk


@pytest.mark.parametrize("parameters", [{"litres": 10}, {}])
def test_a_shot_by_the_light_that_nothing_can_count_is_refused(parameters):
    zone = make_zone(area_m2=20.0)
    node = make_node(greenhouse=zone.greenhouse)
    sun = make_channel(node=node, quantity=Channel.Quantity.SOLAR_RADIATION, unit="W/m2")
    valve = make_output(node=node, zone=zone)

    refused = refusals(
        zone=zone, kind="light_sum", sensor=sun, outputs=[valve], parameters=parameters
    )

    assert refused == [("litres", "not_counted")]


def test_a_watering_that_the_bridge_could_not_send_is_told_and_tried_again():
    make_rule()

    def bridge_is_back_after_a_minute(at):
        commands.advance(at=at)
        if at >= later(minutes=31):
            Command.objects.filter(status="queued").update(status="started", started_at=at)

    go_by(
        later(minutes=30),
        later(minutes=40),
        each=bridge_is_back_after_a_minute,
        step=timedelta(seconds=5),
    )

    asked = Command.objects.filter(op="run").order_by("created_at")
    runs = asked.values_list("status", flat=True)
    assert list(runs) == ["expired", "expired", "done"]
    assert Alarm.objects.get(kind="command_refused").facts["reason"] == "not_sent"
    words = [words_of(one) for one in Decision.objects.order_by("pk")]
    assert (
        "Did nothing at 12:30: the command came to nothing: the link was down, it was never sent; "
        "the next try is at 12:30"
    ) in words
    assert "Watered for 2 minutes at 12:31 because the command before came to nothing" in words


def test_a_fan_that_refuses_is_asked_again_soon():
    rule = make_fans(temperature=36.0)

    def refuse(at):
        for command in Command.objects.filter(status="queued"):
            finish(command, at=at, status="rejected", why="busy", ran_seconds=None)
        measure(rule.sensor, 36.0, t=at)

    go_by(NOON, later(minutes=4), each=refuse, step=timedelta(seconds=10))

    asked = Command.objects.order_by("created_at").values_list("created_at", flat=True)
    assert [(at - NOON).total_seconds() for at in asked] == [0, 50, 130]


def test_a_doser_obeys_no_timetable():
    zone = make_zone()
    doser = make_output(node=make_node(greenhouse=zone.greenhouse), kind=Output.Kind.DOSER)

    with pytest.raises(RuleInvalidError) as caught:
        make_rule(zone=zone, outputs=[doser])

    assert [one["code"] for one in caught.value.facts["errors"]] == ["doser"]


def test_an_output_of_another_house_is_refused():
    with pytest.raises(RuleInvalidError):
        make_rule(zone=make_zone(), outputs=[make_output()])


def test_settings_that_were_broken_behind_our_back_do_nothing_and_say_so():
    rule = make_rule()
    Rule.objects.update(parameters={"tmies": []}, next_look_at=None)

    automation.run_due(at=later(minutes=30))

    assert Decision.objects.get().reason == "rule_invalid"
    assert Alarm.objects.get().kind == "rule_broken"
    assert not Command.objects.exists()
    automation.change_rule(
        rule=rule,
        by=make_user(),
        at=later(minutes=31),
        parameters={"times": ["13:00"], "seconds": 60},
    )
    assert Alarm.objects.get().cleared_at == later(minutes=31)


def test_one_broken_memory_does_not_stop_the_others():
    broken, good = make_rule(), make_rule()
    Rule.objects.filter(pk=broken.pk).update(memory={"done_until": "yesterday"})

    acts = automation.run_due(at=later(minutes=30))

    assert acts == 1
    assert Command.objects.get().rule == good
    assert Alarm.objects.get().key == f"rule:{broken.pk}:rule_broken"


def test_looking_costs_as_many_queries_for_ten_outputs_as_for_two():
    counts = []
    for number in (2, 10):
        zone = make_zone()
        node = make_node(greenhouse=zone.greenhouse)
        make_rule(zone=zone, outputs=[make_output(node=node, zone=zone) for _ in range(number)])
        Rule.objects.exclude(zone=zone).update(is_enabled=False)
        automation.run_due(at=NOON)
        with CaptureQueriesContext(connection) as queries:
            automation.run_due(at=later(minutes=number))
            Rule.objects.filter(zone=zone).update(next_look_at=None)
            automation.run_due(at=later(minutes=number + 1))
        counts.append(len(queries))

    assert counts[0] == counts[1]


@pytest.mark.django_db(transaction=True)
@pytest.mark.postgres
def test_two_bridges_that_look_at_once_run_once(together):
    make_rule()
    automation.run_due(at=NOON)

    acts = together(lambda: automation.run_due(at=later(minutes=30)), times=3)

    assert sum(acts) == 1
    assert Command.objects.count() == 1
    assert Decision.objects.filter(verdict="act").count() == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.postgres
def test_two_bridges_that_react_at_once_start_the_fan_once(together):
    rule = make_fans(temperature=33.0)

    together(lambda: automation.react(channel_ids={rule.sensor_id}, at=NOON), times=3)

    assert Command.objects.count() == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.postgres
def test_a_dose_and_the_switching_off_at_once_leave_nothing_to_send(together):
    rule = make_feeder()
    turns = iter(
        [
            lambda: automation.run_due(at=NOON),
            lambda: automation.change_rule(rule=rule, by=by, at=NOON, is_enabled=False),
        ]
    )
    by = make_user()

    together(lambda: take_turn(next(turns)))
    sent = []
    commands.send_due(publish=lambda *message: sent.append(message), at=later(seconds=1))

    assert not any(b'"dose"' in message[1] for message in sent)
