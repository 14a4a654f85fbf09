"""Home Assistant sees the controllers as the rows say, and can switch nothing."""

import json

import pytest

from common.mqtt_handlers import Message
from farm import discovery
from farm.discovery import Controller, Sensor, Switch
from farm.home_assistant import Descriptions
from farm.models import Channel, Greenhouse, Node, Output
from tests.farm.factories import NOON, make_channel, make_greenhouse, make_node, make_output

# The example of the contract's reference, to the letter.
EXAMPLE = (
    '{"dev":{"ids":["pl-n7f3a"],"name":"Nha mang 1","mf":"Phu Loc","sw":"pl-0.3.1"},'
    '"o":{"name":"phuloc-farm","sw":"1.0"},"avty":[{"t":"farm/v1/nm1/n7f3a/status"}],'
    '"cmps":{"air_t":{"p":"sensor","uniq_id":"n7f3a_air_t","dev_cla":"temperature",'
    '"stat_cla":"measurement","unit_of_meas":"°C","stat_t":"farm/v1/nm1/n7f3a/tele",'
    '"val_tpl":"{{ value_json.m.air_t }}","exp_aft":180},"valve1":{"p":"binary_sensor",'
    '"uniq_id":"n7f3a_valve1","dev_cla":"running",'
    '"stat_t":"farm/v1/nm1/n7f3a/out/valve-1/state",'
    "\"val_tpl\":\"{{ 'ON' if value_json.on else 'OFF' }}\"}}}"
)
TOPIC = "homeassistant/device/pl-n7f3a/config"


def controller(**changes) -> Controller:
    fields = {
        "house": "nm1",
        "node": "n7f3a",
        "name": "Nha mang 1",
        "maker": "Phu Loc",
        "firmware": "pl-0.3.1",
        "sensors": [Sensor("air_t", "air_temperature", "degC", 180)],
        "switches": [Switch("valve-1")],
    }
    return Controller(**fields | changes)


def test_the_example_of_the_contract_comes_out_to_the_letter():
    assert json.loads(discovery.payload(controller())) == json.loads(EXAMPLE)


def test_no_component_can_be_commanded():
    components = discovery.document(controller())["cmps"].values()

    assert {component["p"] for component in components} == {"sensor", "binary_sensor"}
    assert not any("cmd_t" in component for component in components)


@pytest.mark.parametrize(
    ("sensor", "expected"),
    [
        (
            Sensor("ph", "ph", "pH", 600, "pH bồn"),
            {
                "p": "sensor",
                "name": "pH bồn",
                "dev_cla": "ph",
                "stat_cla": "measurement",
                "stat_t": "farm/v1/nm1/n7f3a/tele",
                "val_tpl": "{{ value_json.m.ph }}",
                "exp_aft": 600,
                "uniq_id": "n7f3a_ph",
            },
        ),
        (
            Sensor("do.2", "dissolved_oxygen", "mg/L", 180),
            {
                "p": "sensor",
                "stat_cla": "measurement",
                "unit_of_meas": "mg/L",
                "stat_t": "farm/v1/nm1/n7f3a/tele",
                "val_tpl": "{{ value_json.m['do.2'] }}",
                "exp_aft": 180,
                "uniq_id": "n7f3a_do_2",
            },
        ),
    ],
)
def test_a_sensor_without_class_or_unit_says_none(sensor, expected):
    document = discovery.document(controller(sensors=[sensor], switches=[]))

    assert list(document["cmps"].values()) == [expected]


def test_a_value_is_shown_as_the_portal_shows_it_and_what_is_no_number_as_it_is():
    sensor = Sensor("ec", "ec", "mS/cm", 600, scale=1.1, offset=-0.2)

    described = discovery.document(controller(sensors=[sensor]))["cmps"]["ec"]

    assert described["val_tpl"] == (
        "{{ value_json.m.ec * 1.1 + -0.2 if value_json.m.ec is number else value_json.m.ec }}"
    )


def test_channels_and_outputs_named_alike_are_all_described():
    sensors = [Sensor(code, "ec", "mS/cm", 600) for code in ("t.1", "t_1", "t-2", "t2")]
    switches = [Switch(code) for code in ("v-1", "v1")]

    described = discovery.document(controller(sensors=sensors, switches=switches))["cmps"]

    templates = {key: one["val_tpl"] for key, one in described.items() if one["p"] == "sensor"}
    assert templates == {
        "t_1": "{{ value_json.m.t_1 }}",
        "t_1_f6601088": "{{ value_json.m['t.1'] }}",
        "t2": "{{ value_json.m.t2 }}",
        "t2_444412f1": "{{ value_json.m['t-2'] }}",
    }
    assert len(described) == 6
    assert len({one["uniq_id"] for one in described.values()}) == 6


def test_an_output_gives_way_to_two_channels_that_are_named_as_it_is():
    sensors = [Sensor(code, "ec", "mS/cm", 600) for code in ("out_valve_1", "valve1")]

    described = discovery.document(controller(sensors=sensors))["cmps"]

    assert list(described) == ["out_valve_1", "valve1", "out_valve_1_fc02d082"]


def test_an_output_named_as_a_channel_gets_a_name_of_its_own():
    document = discovery.document(
        controller(sensors=[Sensor("pump", "other", "A", 180)], switches=[Switch("pump")])
    )

    assert list(document["cmps"]) == ["pump", "out_pump"]
    assert document["cmps"]["out_pump"]["uniq_id"] == "n7f3a_out_pump"


@pytest.fixture
def node(db) -> Node:
    house = make_greenhouse(code="nm1", name="Nha mang 1")
    node = make_node(name="n7f3a", greenhouse=house, firmware="pl-0.3.1")
    make_channel(node=node, code="air_t")
    make_output(node=node, code="valve-1")
    make_node(protocol=Node.Protocol.TASMOTA, topic="van-1")
    make_node(born_at=None)
    return node


@pytest.fixture
def published() -> list[tuple[str, bytes, int, bool]]:
    return []


def look(descriptions: Descriptions, published: list) -> list:
    published.clear()
    descriptions.publish_changes(lambda *message: published.append(message))
    return list(published)


def test_a_born_controller_is_described_once_retained(node, published, settings):
    settings.PORTAL_NAME = "Phu Loc"
    descriptions = Descriptions()

    ((topic, payload, qos, is_retained),) = look(descriptions, published)

    assert (topic, qos, is_retained) == (TOPIC, 1, True)
    assert json.loads(payload) == json.loads(EXAMPLE)
    assert look(descriptions, published) == []


def test_a_new_channel_is_described_and_a_home_assistant_that_starts_gets_all_anew(node, published):
    descriptions = Descriptions()
    look(descriptions, published)

    make_channel(node=node, code="rh", quantity=Channel.Quantity.RELATIVE_HUMIDITY, unit="%")
    ((_, payload, _, _),) = look(descriptions, published)
    descriptions.take_many([Message(discovery.STATUS_TOPIC, b"online", False, NOON)])

    assert list(json.loads(payload)["cmps"]) == ["air_t", "rh", "valve1"]
    assert look(descriptions, published) == [(TOPIC, payload, 1, True)]


def test_what_is_out_of_service_is_taken_away_also_after_a_new_start(node, published):
    descriptions = Descriptions()
    look(descriptions, published)
    Greenhouse.objects.update(is_active=False)

    assert look(descriptions, published) == [(TOPIC, b"", 1, True)]

    anew = Descriptions()
    lies_there = [
        Message(TOPIC, b"{}", True, NOON),
        Message("homeassistant/device/someone/config", b"{}", True, NOON),
    ]
    anew.take_many(lies_there)
    assert look(anew, published) == [(TOPIC, b"", 1, True)]
    assert look(anew, published) == []


def test_descriptions_cost_three_queries_however_many(node, published, django_assert_num_queries):
    for _ in range(3):
        make_output(node=make_node(greenhouse=node.greenhouse))

    with django_assert_num_queries(3):
        assert len(look(Descriptions(), published)) == 4
    assert Output.objects.count() == 4
