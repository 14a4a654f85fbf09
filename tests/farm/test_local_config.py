"""What a controller may do alone comes from the programmes, and reaches it in its config."""

from datetime import timedelta

import pytest

from farm import frames, local_config
from farm.local_config import Programme, Sensor, Switch
from farm.models import NodeConfig
from farm.services import automation, config, nodes, stops
from tests.farm.controllers import Broker, after, make_house
from tests.farm.factories import NOON, make_channel, make_limit, make_node, make_rule, make_user

HANOI = timedelta(hours=7)
FAN = Switch("fan-1", 86_400)
COOL = {"on_at": 30.0, "off_at": 28.0}
SETPOINT = {"ch": "air_t", "on": 30.0, "off": 28.0, "min_on_s": 120, "min_off_s": 180}


@pytest.fixture
def house(db):
    return make_house()


def level(*programmes, tank_lows=()):
    return local_config.level_of(programmes, tank_lows=tank_lows, utc_offset=HANOI)


def entries(parameters, *switches):
    return level(Programme("schedule", parameters, switches or (FAN,))).get("schedule", [])


def cool(house, **changes):
    fields = {"kind": "hysteresis", "sensor": house.air, "parameters": COOL}
    fields |= {"zone": house.zone, "outputs": [house.fan]}
    return make_rule(**fields | changes)


def kept(house):
    return NodeConfig.objects.get(node=house.node)


def test_a_corrected_sensor_gets_setpoints_as_the_controller_sees_them():
    made = level(Programme("hysteresis", COOL, (FAN,), Sensor("air_t", scale=1.0, offset=-2.0)))

    assert made == {
        "setpoints": {"fan-1": SETPOINT | {"on": 32.0, "off": 30.0}},
        "limits": {"max_s": {"fan-1": 86_400}},
    }


def test_the_oldest_programme_of_an_output_is_its_thermostat():
    warmer = {"on_at": 35.0, "off_at": 33.0}
    programmes = [Programme("hysteresis", one, (FAN,), Sensor("air_t")) for one in (COOL, warmer)]

    assert level(*programmes)["setpoints"] == {"fan-1": SETPOINT}


@pytest.mark.parametrize(
    "programme",
    [
        Programme("hysteresis", COOL, (FAN,), sensor=None),
        Programme("hysteresis", {"on_at": "hot"}, (FAN,), Sensor("air_t")),
        Programme("hysteresis", COOL, (Switch("fan-1", 0),), Sensor("air_t")),
        Programme("hysteresis", COOL, (Switch("valve-1", 900, False),), Sensor("air_t")),
        Programme("light_sum", {}, (FAN,), Sensor("sun")),
        Programme("schedule", {"times": ["06:00"], "litres": 5}, (FAN,)),
        Programme(
            "schedule", {"sun": [{"event": "sunset", "offset_minutes": 0}], "seconds": 60}, (FAN,)
        ),
    ],
)
def test_what_a_controller_could_not_do_alike_is_left_out(programme):
    assert level(programme) == {}


def test_times_are_told_in_utc_with_the_days_on_which_they_fall_there():
    raw = {"times": ["05:30", "13:00"], "seconds": 600, "weekdays": [1, 5]}

    assert entries(raw) == [
        {"out": "fan-1", "at": "22:30", "days": [4, 7], "s": 600},
        {"out": "fan-1", "at": "06:00", "days": [1, 5], "s": 600},
    ]


def test_a_timetable_by_clock_and_sun_goes_down_with_the_clocks_times_alone():
    sun = [{"event": "sunrise", "offset_minutes": -15}, {"event": "sunset", "offset_minutes": 0}]

    made = entries({"times": ["13:00"], "sun": sun, "seconds": 600})

    assert made == [{"out": "fan-1", "at": "06:00", "s": 600}]


def test_again_and_again_is_one_entry():
    raw = {"every": {"minutes": 30, "from": "05:00", "to": "21:00"}, "seconds": 900}

    assert entries(raw) == [{"out": "fan-1", "at": "22:00", "s": 900, "every": 30, "n": 33}]


def test_outputs_in_turn_begin_one_after_the_other_also_behind_one_that_has_no_part():
    raw = {"times": ["12:00"], "seconds": 90, "pause_seconds": 10, "order": ["valve-1", "fan-2"]}
    switches = (Switch("fan-1", 60), Switch("fan-2", 86_400), Switch("valve-1", 900, False))

    assert entries(raw, *switches) == [
        {"out": "fan-2", "at": "05:02", "s": 90},
        {"out": "fan-1", "at": "05:04", "s": 60},
    ]


def test_a_timetable_is_never_longer_than_the_contract_says():
    raw = {"times": [f"{hour:02}:{half}" for hour in range(24) for half in ("00", "30")]}

    made = entries(raw | {"seconds": 60, "together": True}, FAN, Switch("fan-2", 60))

    assert len(made) == 64


def test_the_highest_limit_of_the_tank_is_the_controllers():
    assert level(tank_lows=[40.0, 60.0]) == {"limits": {"tank_low": 60.0}}


def test_a_new_programme_reaches_its_controller_retained(house):
    cool(house)
    broker = Broker()

    config.publish_due(publish=broker.publish, at=NOON)

    document = {"estop": False, "rev": 1, "setpoints": {"fan-1": SETPOINT}}
    document["limits"] = {"max_s": {"fan-1": 86_400}}
    topic = f"farm/v1/{house.greenhouse.code}/{house.node.name}/cfg"
    assert broker.messages == [(topic, document, 1, True)]


def test_only_outputs_that_may_run_alone_and_sensors_of_their_controller_stand_in_it(house):
    elsewhere = make_channel(node=make_node(greenhouse=house.greenhouse), code="air_t")
    cool(house, outputs=[house.pump, house.light])
    cool(house, sensor=elsewhere)
    make_rule(zone=house.zone, outputs=[house.valve])

    assert kept(house).document == {"estop": False}


def test_the_rev_grows_only_when_something_has_changed(house):
    rule = cool(house)
    config.refresh_config(node=house.node, at=after(1))
    nodes.record_birth(node=house.node, birth=frames.Birth(boot=18), at=after(2))
    assert kept(house).rev == 1

    by = make_user()
    automation.change_rule(rule=rule, by=by, at=after(3), parameters=COOL | {"on_at": 31.0})
    assert (kept(house).rev, kept(house).document["setpoints"]["fan-1"]["on"]) == (2, 31.0)
    automation.change_rule(rule=rule, by=by, at=after(4), is_enabled=False)
    assert (kept(house).rev, kept(house).document) == (3, {"estop": False})


def test_an_output_that_leaves_a_programme_loses_its_local_control(house):
    rule = cool(house)

    automation.change_rule(rule=rule, by=make_user(), at=after(1), outputs=[house.light])

    assert kept(house).document == {"estop": False}


@pytest.mark.parametrize("lock", ["off", "manual"])
def test_a_locked_output_has_no_local_control_until_the_lock_runs_out(house, lock):
    cool(house)

    stops.lock_output(
        output=house.fan, lock=lock, until=after(600), reason="", by=make_user(), at=after(1)
    )

    assert kept(house).document == {"estop": False}
    config.publish_due(publish=Broker().publish, at=after(599))
    assert kept(house).document == {"estop": False}
    config.publish_due(publish=Broker().publish, at=after(601))
    assert kept(house).document["setpoints"] == {"fan-1": SETPOINT}


def test_a_refresh_never_loses_the_emergency_stop(house):
    rule = cool(house)
    stops.stop_house(greenhouse=house.greenhouse, by=None, reason="cháy", at=after(1))
    assert kept(house).document["setpoints"] == {"fan-1": SETPOINT}

    automation.change_rule(rule=rule, by=make_user(), at=after(2), parameters=COOL | {"on_at": 33})
    nodes.record_birth(node=house.node, birth=frames.Birth(boot=18), at=after(3))

    assert kept(house).document["estop"] is True
    stops.release_house(greenhouse=house.greenhouse, by=make_user(), reason="xong", at=after(9))
    assert kept(house).document["estop"] is False
    assert kept(house).document["setpoints"]["fan-1"]["on"] == 33


def test_a_limit_of_the_tank_that_somebody_changes_reaches_the_controller(house):
    limit = make_limit(channel=house.tank, high=None, low=45.0)

    config.publish_due(publish=Broker().publish, at=limit.updated_at)

    assert kept(house).document == {"estop": False, "limits": {"tank_low": 45.0}}
    limit.delete()
    config.publish_due(publish=Broker().publish, at=after(9))
    assert kept(house).document == {"estop": False}
