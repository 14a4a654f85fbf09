"""Adapters' words, by tables: what devices of each family publish, and what they are told."""

import pytest

from farm.adapters.esphome import Esphome
from farm.adapters.opensprinkler import OpenSprinkler
from farm.adapters.protocol import CannotDoError, Heard, Outgoing, Switched
from farm.adapters.tasmota import Tasmota, pulse_time
from farm.adapters.zigbee2mqtt import Zigbee2Mqtt
from farm.json_fields import FrameError

ESPHOME, TASMOTA, ZIGBEE, SPRINKLER = Esphome(), Tasmota(), Zigbee2Mqtt(), OpenSprinkler("a6d82b")
PREFIX = {
    ESPHOME: "esphome/nm1",
    TASMOTA: "tasmota_37A1F5",
    ZIGBEE: "zigbee2mqtt/Van giàn 1",
    SPRINKLER: "opensprinkler",
}
NOTHING = Heard()


@pytest.mark.parametrize(
    ("adapter", "topic", "payload", "heard"),
    [
        (ESPHOME, "esphome/nm1/status", b"online", Heard(is_online=True)),
        (ESPHOME, "esphome/nm1/status", b"offline", Heard(is_online=False)),
        (ESPHOME, "esphome/nm1/sensor/air_t/state", b"28.4", Heard({"air_t": 28.4})),
        (ESPHOME, "esphome/nm1/sensor/air_t/state", b"nan", Heard({"air_t": None})),
        (ESPHOME, "esphome/nm1/binary_sensor/tank_low/state", b"ON", Heard({"tank_low": 1.0})),
        (
            ESPHOME,
            "esphome/nm1/switch/valve_1/state",
            b"OFF",
            Heard(outputs=(Switched("valve_1", is_on=False),)),
        ),
        (ESPHOME, "esphome/nm1/number/valve_1_duration/state", b"120", NOTHING),
        (TASMOTA, "tele/tasmota_37A1F5/LWT", b"Online", Heard(is_online=True)),
        (TASMOTA, "tele/tasmota_37A1F5/LWT", b"Offline", Heard(is_online=False)),
        (
            TASMOTA,
            "tele/tasmota_37A1F5/SENSOR",
            b'{"Time":"06:59:52","DHT11":{"Temperature":23.0},"DS18B20":{"Temperature":null}}',
            Heard({"DHT11.Temperature": 23.0, "DS18B20.Temperature": None}),
        ),
        (
            TASMOTA,
            "stat/tasmota_37A1F5/RESULT",
            b'{"POWER":"ON"}',
            Heard(outputs=(Switched("1", is_on=True),)),
        ),
        (
            TASMOTA,
            "tele/tasmota_37A1F5/STATE",
            b'{"Time":"2021-06-13T06:59:52","POWER1":"OFF","POWER2":"ON","Wifi":{"RSSI":48}}',
            Heard(outputs=(Switched("1", is_on=False), Switched("2", is_on=True))),
        ),
        (
            TASMOTA,
            "stat/tasmota_37A1F5/RESULT",
            b'{"PulseTime1":{"Set":220,"Remaining":0}}',
            NOTHING,
        ),
        (
            ZIGBEE,
            "zigbee2mqtt/Van giàn 1",
            b'{"battery":88,"flow":0.36,"state":"ON","current_device_status":"normal_state"}',
            Heard({"battery": 88.0, "flow": 0.36}, (Switched("state", True, 6.0),)),
        ),
        (
            ZIGBEE,
            "zigbee2mqtt/Van giàn 1/availability",
            b'{"state":"online"}',
            Heard(is_online=True),
        ),
        (ZIGBEE, "zigbee2mqtt/Van giàn 1/availability", b"offline", Heard(is_online=False)),
        (SPRINKLER, "opensprinkler/availability", b"online", Heard(is_online=True)),
        (
            SPRINKLER,
            "opensprinkler/station/3",
            b'{"state":1,"duration":120}',
            Heard(outputs=(Switched("3", is_on=True),)),
        ),
        (
            SPRINKLER,
            "opensprinkler/station/3",
            b'{"state":0,"duration":118,"flow":5.25}',
            Heard({"3.flow": 5.25}, (Switched("3", False, None, 118.0),)),
        ),
    ],
)
def test_what_a_device_publishes_is_read(adapter, topic, payload, heard):
    assert adapter.hears(PREFIX[adapter], topic)
    assert adapter.hear(PREFIX[adapter], topic, payload) == heard


@pytest.mark.parametrize(
    ("adapter", "topic"),
    [
        (ESPHOME, "esphome/nm10/status"),
        (ESPHOME, "esphome/nm1/switch/valve_1/command"),
        (TASMOTA, "tele/tasmota_37A1F/SENSOR"),
        (TASMOTA, "stat/tasmota_37A1F5/POWER1"),
        (ZIGBEE, "zigbee2mqtt/Van giàn 1/set"),
        (ZIGBEE, "zigbee2mqtt/Van giàn 10"),
        (SPRINKLER, "opensprinkler/station/3/alert/flow"),
        (SPRINKLER, "opensprinkler/cmd"),
    ],
)
def test_what_is_another_devices_or_our_own_word_is_not_heard(adapter, topic):
    assert not adapter.hears(PREFIX[adapter], topic)


@pytest.mark.parametrize(
    ("adapter", "topic", "payload", "reason"),
    [
        (ESPHOME, "esphome/nm1/sensor/air_t/state", b"unknown", "malformed"),
        (ESPHOME, "esphome/nm1/sensor/air_t/state", b"\xff", "malformed"),
        (ESPHOME, "esphome/nm1/switch/valve_1/state", b"", "malformed"),
        (ESPHOME, "esphome/nm1/status", b"Online", "malformed"),
        (TASMOTA, "tele/tasmota_37A1F5/LWT", b"online", "malformed"),
        (TASMOTA, "tele/tasmota_37A1F5/SENSOR", b"{", "not_json"),
        (TASMOTA, "tele/tasmota_37A1F5/SENSOR", b"\xff\xfe", "not_utf8"),
        (ZIGBEE, "zigbee2mqtt/Van giàn 1", b"[1]", "malformed"),
        (ZIGBEE, "zigbee2mqtt/Van giàn 1/availability", b"\xff", "malformed"),
        (SPRINKLER, "opensprinkler/station/3", b'{"state":[]}', "malformed"),
        (SPRINKLER, "opensprinkler/station/3", b" " * 40_000, "too_large"),
    ],
)
def test_what_is_not_as_the_family_writes_it_is_told_by_the_reason(adapter, topic, payload, reason):
    with pytest.raises(FrameError) as refused:
        adapter.hear(PREFIX[adapter], topic, payload)

    assert refused.value.reason == reason


@pytest.mark.parametrize(
    ("adapter", "code", "seconds", "outgoing"),
    [
        (
            ESPHOME,
            "valve-1",
            120,
            (
                Outgoing("esphome/nm1/number/valve_1_duration/command", b"120", 1),
                Outgoing("esphome/nm1/switch/valve_1/command", b"ON", 0),
            ),
        ),
        (
            TASMOTA,
            "valve-2",
            120,
            (Outgoing("cmnd/tasmota_37A1F5/Backlog", b"PulseTime2 220; Power2 ON", 0),),
        ),
        (
            TASMOTA,
            "pump",
            5,
            (Outgoing("cmnd/tasmota_37A1F5/Backlog", b"PulseTime1 50; Power1 ON", 0),),
        ),
        (
            ZIGBEE,
            "valve",
            600,
            (
                Outgoing(
                    "zigbee2mqtt/Van giàn 1/set",
                    b'{"cyclic_timed_irrigation":{"current_count":0,"total_number":1,'
                    b'"irrigation_duration":600,"irrigation_interval":0}}',
                    0,
                ),
            ),
        ),
        (
            SPRINKLER,
            "station-3",
            120,
            (Outgoing("opensprinkler/cmd", b"cm?pw=a6d82b&sid=3&en=1&t=120&", 0),),
        ),
    ],
)
def test_a_run_is_bounded_on_the_device_and_not_kept_by_the_broker(
    adapter, code, seconds, outgoing
):
    assert adapter.run(PREFIX[adapter], adapter.output_key(code), seconds) == outgoing


@pytest.mark.parametrize(
    ("adapter", "code", "outgoing"),
    [
        (ESPHOME, "valve-1", Outgoing("esphome/nm1/switch/valve_1/command", b"OFF", 1)),
        (TASMOTA, "valve-2", Outgoing("cmnd/tasmota_37A1F5/Power2", b"OFF", 1)),
        (ZIGBEE, "valve", Outgoing("zigbee2mqtt/Van giàn 1/set", b'{"state":"OFF"}', 1)),
        (SPRINKLER, "station-3", Outgoing("opensprinkler/cmd", b"cm?pw=a6d82b&sid=3&en=0&", 1)),
    ],
)
def test_a_stop_waits_for_the_device(adapter, code, outgoing):
    assert adapter.stop(PREFIX[adapter], adapter.output_key(code)) == (outgoing,)


@pytest.mark.parametrize(
    ("adapter", "longest"),
    [(ESPHOME, 86_400), (TASMOTA, 64_800), (ZIGBEE, 86_400), (SPRINKLER, 64_800)],
)
def test_a_run_beyond_the_devices_own_timer_is_refused(adapter, longest):
    key = adapter.output_key("valve-1")

    assert adapter.run("p", key, longest)
    for seconds, reason in ((longest + 1, "max_s"), (0, "too_short")):
        with pytest.raises(CannotDoError) as refused:
            adapter.run("p", key, seconds)
        assert refused.value.reason == reason


def test_a_station_without_a_number_is_refused():
    with pytest.raises(CannotDoError) as refused:
        SPRINKLER.run("p", SPRINKLER.output_key("valve"), 60)

    assert refused.value.reason == "unknown_output"


def test_pulse_times_grow_with_the_seconds_and_stay_in_tasmotas_range():
    written = [pulse_time(seconds) for seconds in range(1, 64_801)]

    assert written[:13] == [10, 20, 30, 40, 50, 60, 70, 80, 90, 100, 110, 112, 113]
    assert written[-1] == 64_900
    assert written == sorted(set(written))
