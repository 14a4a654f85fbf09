"""docs/farm-v1.md is what makers of controllers build to: its examples are read by our own code."""

import json
import re
from pathlib import Path

import pytest

from farm import frames, outgoing
from farm.simulator.houses import HOUSES
from farm.simulator.node import Node
from farm.simulator.orders import parse_order
from farm.simulator.specs import NodeSpec, OutputSpec

PAGE = (Path(__file__).parents[2] / "docs" / "farm-v1.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^```json (\w+)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
PARSERS = {
    "birth": frames.parse_birth,
    "tele": frames.parse_tele,
    "state": frames.parse_state,
    "ack": frames.parse_ack,
    "event": frames.parse_event,
    "cfg_ack": frames.parse_config_ack,
}
SPEC = NodeSpec(
    "nm1",
    "n7f3a",
    (),
    (
        OutputSpec("valve-1", "valve", 900),
        OutputSpec("dose-a", "doser", 20, ml_per_second=1.2),
        OutputSpec("fan-1", "fan", 86_400, is_dimmable=True),
    ),
)
NOON_MS = 1_795_323_600_000


def parse_whole_batch(payload):
    read, faults = frames.parse_batch(payload)
    assert faults == ()
    return read


def examples(*kinds):
    return [text for kind, text in EXAMPLES if kind in kinds]


PARSERS["batch"] = parse_whole_batch


@pytest.mark.parametrize(("kind", "text"), [one for one in EXAMPLES if one[0] in PARSERS])
def test_the_server_reads_each_example_of_a_controller(kind, text):
    assert PARSERS[kind](text.encode())


@pytest.mark.parametrize("text", examples("cmd"))
def test_a_controller_reads_each_example_of_a_command(text):
    order = parse_order(text.encode(), SPEC)

    assert order.id == json.loads(text)["id"]
    assert order.op in frames_ops()


def test_every_kind_of_message_has_an_example():
    assert {kind for kind, _text in EXAMPLES} == {*PARSERS, "cmd", "cfg", "tick"}
    assert [json.loads(text)["rev"] for text in examples("cfg")] == [12]
    assert outgoing.tick_payload(1767225600000, 4242) == examples("tick")[0].strip().encode()


def frames_ops():
    return {"run", "dose", "stop", "stop_all", "set", "ping", "resend", "calibrate"}


def test_what_the_simulator_says_is_what_the_server_reads():
    for house in HOUSES.values():
        for spec in house.nodes:
            node = Node(spec)
            node.power_on(real_ms=NOON_MS)
            sensed = {channel.code: 20.0 for channel in spec.channels}
            said = [*node.connected(), *node.advance(real_ms=NOON_MS + 30_000, sensed=sensed)]
            kinds = []
            for message in said:
                topic = frames.parse_topic(message.topic)
                kinds.append(topic.kind)
                if topic.kind != "status":
                    assert PARSERS[topic.kind](message.payload)

            assert kinds[:2] == ["birth", "status"]
            assert kinds[-1] in {"tele", "event"}
            birth = frames.parse_birth(said[0].payload)
            assert set(birth.channels) == set(sensed)
            assert set(birth.outputs) == {output.code for output in spec.outputs}
