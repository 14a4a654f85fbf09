"""What a simulated controller says of the flow behind its outputs."""

import pytest

from farm.simulator.houses import LETTUCE
from farm.simulator.node import TICK_TOPIC, Node
from farm.simulator.reports import encode

NOON_MS = 1_795_323_600_000
SPEC = LETTUCE.nodes[1]


class Bench:
    """The watering controller on the table, with a tap in the place of its meter."""

    def __init__(self):
        self.node = Node(SPEC)
        self.node.power_on(real_ms=NOON_MS)
        self.node.connected()
        self.node.receive(topic=TICK_TOPIC, payload=encode({"t": NOON_MS, "n": 1}))
        self.sense(0.0)

    def sense(self, flow):
        self.node.advance(real_ms=NOON_MS + 1000, sensed={"tank": 400.0, "flow": flow})

    def run(self, code):
        said = {"id": f"{code:0>26}", "op": "run", "out": code, "s": 60}
        said |= {"t": NOON_MS, "exp": NOON_MS + 15_000}
        self.node.receive(topic=f"{SPEC.base}/cmd", payload=encode(said))


@pytest.fixture
def bench():
    return Bench()


def test_a_pump_and_a_doser_say_nothing_of_a_flow_that_no_meter_measures(bench):
    bench.run("pump")
    bench.run("dose-a")
    bench.sense(6.0)

    assert bench.node.as_told("pump")["on"] is True
    assert "flow" not in bench.node.as_told("pump")
    assert "flow" not in bench.node.as_told("dose-a")


def test_open_valves_share_what_the_one_meter_shows(bench):
    bench.run("valve-1")
    bench.sense(6.0)
    assert bench.node.as_told("valve-1")["flow"] == 6.0

    bench.run("valve-2")
    bench.sense(12.6)

    told = [bench.node.as_told(code)["flow"] for code in ("valve-1", "valve-2")]
    assert told == [6.3, 6.3]


def test_a_shut_valve_lets_nothing_through_and_a_dead_meter_says_nothing(bench):
    bench.run("valve-1")
    bench.sense(6.0)
    assert bench.node.as_told("valve-2")["flow"] == 0.0

    bench.sense(None)

    assert "flow" not in bench.node.as_told("valve-1")
