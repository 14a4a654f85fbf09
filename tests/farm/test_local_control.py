"""A controller that has lost the server cools by its own config, and gives way when it is back."""

import json

import pytest

from farm.simulator.node import TICK_TOPIC, Node
from farm.simulator.reports import encode
from farm.simulator.specs import ChannelSpec, NodeSpec, OutputSpec

SPEC = NodeSpec(
    "nm1",
    "n5c21",
    (ChannelSpec("air_t", "degC", "air_temperature"),),
    (OutputSpec("fan-1", "fan", 86_400, fail="local"), OutputSpec("valve-1", "valve", 900)),
)
NOON_MS = 1_795_323_600_000  # 12:00 in Thanh Hoá, 05:00 UTC, a Sunday
SETPOINT = {"ch": "air_t", "on": 30, "off": 28, "min_on_s": 120, "min_off_s": 180}
LEVEL = {"estop": False, "setpoints": {"fan-1": SETPOINT}}
HOT, COOL = 36.0, 26.0


class Bench:
    """One controller on the table: a dial for the heat, and somebody who plays the server."""

    def __init__(self, **level):
        self.node = Node(SPEC)
        self.node.power_on(real_ms=NOON_MS)
        self.node.connected()
        self.rev = self.asked = 0
        self.seconds = 0
        self.pass_time(1, HOT)
        self.configure(**(LEVEL | level))
        self.tick()

    @property
    def now_ms(self):
        return NOON_MS + self.seconds * 1000

    @property
    def fan(self):
        return self.node.as_told("fan-1")

    def pass_time(self, seconds, heat, step=10):
        """Let time pass; answer how often each output was told to be on or off, and by what."""
        said, end = [], self.seconds + seconds
        while self.seconds < end:
            self.seconds = min(end, self.seconds + step)
            said += self.node.advance(real_ms=self.now_ms, sensed={"air_t": heat})
        return [json.loads(one.payload) for one in said if one.topic.endswith("fan-1/state")]

    def configure(self, **level):
        self.rev += 1
        payload = encode({**level, "rev": self.rev})
        return self.node.receive(topic=f"{SPEC.base}/cfg", payload=payload, is_retained=True)

    def tick(self):
        self.node.receive(topic=TICK_TOPIC, payload=encode({"t": self.now_ms, "n": 1}))

    def ask(self, op, **fields):
        self.asked += 1
        said = {"id": f"{self.asked:026d}", "op": op, "t": self.now_ms, "exp": self.now_ms + 15_000}
        answers = self.node.receive(topic=f"{SPEC.base}/cmd", payload=encode(said | fields))
        return [json.loads(one.payload).get("st") for one in answers if one.topic.endswith("ack")]


def test_at_36_degrees_the_fan_runs_by_its_setpoints_once_the_link_is_lost():
    bench = Bench()
    bench.node.disconnected()
    bench.pass_time(80, HOT)
    assert bench.fan["on"] is False

    bench.pass_time(20, HOT)

    assert (bench.fan["on"], bench.fan["src"]) == (True, "local")
    bench.pass_time(3600, 29.0)
    assert bench.fan["on"] is True
    bench.pass_time(20, 28.0)
    assert (bench.fan["on"], bench.fan["src"]) == (False, "local")
    assert {one.output for one in bench.node.switches.openings} == {"fan-1"}


def test_a_commanded_fan_goes_on_by_the_thermostat_without_a_pause():
    bench = Bench()
    assert bench.ask("run", out="fan-1", s=900) == ["accepted", "started"]

    bench.pass_time(100, HOT)

    command = bench.node.switches.openings[-1]
    assert (command.source, command.ended_ms) == ("cmd", NOON_MS + 91_000)
    assert (bench.fan["on"], bench.fan["src"]) == (True, "local")


def test_it_stops_obeying_its_setpoints_when_the_link_is_back_and_obeys_commands():
    bench = Bench()
    bench.pass_time(100, HOT)
    bench.tick()
    assert bench.fan["on"] is False
    bench.pass_time(60, HOT)
    assert bench.fan["on"] is False

    bench.tick()
    assert bench.ask("run", out="fan-1", s=900) == ["accepted", "started"]
    bench.pass_time(30, COOL)

    assert (bench.fan["on"], bench.fan["src"]) == (True, "cmd")
    assert "aborted" in bench.ask("stop", out="fan-1")
    assert bench.fan["on"] is False


def test_it_stays_on_and_off_for_its_least_times():
    bench = Bench()
    bench.pass_time(100, HOT)  # on by itself after 90

    on = bench.pass_time(100, COOL)
    assert [one["on"] for one in on] == [True]  # said again after a minute
    bench.pass_time(30, COOL)
    assert bench.fan["on"] is False
    bench.pass_time(170, HOT)
    assert bench.fan["on"] is False
    bench.pass_time(30, HOT)
    assert bench.fan["on"] is True


def test_a_heater_has_its_setpoints_the_other_way_round():
    bench = Bench(setpoints={"fan-1": {"ch": "air_t", "on": 15, "off": 18}})
    bench.pass_time(100, 14.0)
    assert bench.fan["on"] is True

    bench.pass_time(20, 18.5)

    assert bench.fan["on"] is False


def test_a_dead_sensor_switches_off_at_once():
    bench = Bench()
    bench.pass_time(100, HOT)

    bench.pass_time(10, None)

    assert bench.fan["on"] is False


def test_the_emergency_stop_in_the_config_beats_local_control():
    bench = Bench()
    bench.pass_time(100, HOT)
    assert bench.fan["on"] is True

    bench.configure(**LEVEL | {"estop": True})
    assert (bench.fan["on"], bench.fan["src"]) == (False, "interlock")
    bench.pass_time(3600, HOT)
    assert bench.fan["on"] is False

    bench.configure(**LEVEL)
    bench.pass_time(200, HOT)
    assert (bench.fan["on"], bench.fan["src"]) == (True, "local")


def test_what_waters_starts_nothing_whatever_the_config_says():
    bench = Bench(
        setpoints={"valve-1": SETPOINT}, schedule=[{"out": "valve-1", "at": "05:05", "s": 60}]
    )

    bench.pass_time(1200, HOT)

    assert list(bench.node.switches.openings) == []
    assert not bench.node.is_on("valve-1")


@pytest.mark.parametrize(("days", "begun"), [(None, 3), ([7], 3), ([1, 6], 0)])
def test_a_timetable_runs_on_its_days_as_often_as_it_says(days, begun):
    entry = {"out": "fan-1", "at": "05:10", "s": 120, "every": 20, "n": 3}
    bench = Bench(setpoints={}, schedule=[entry if days is None else entry | {"days": days}])

    bench.pass_time(2 * 3600, HOT)

    runs = [(one.source, one.seconds) for one in bench.node.switches.openings]
    assert runs == [("sched", 120.0)] * begun


def test_no_run_of_its_own_is_longer_than_the_config_lets_it():
    bench = Bench(limits={"max_s": {"fan-1": 300}})

    bench.pass_time(1200, HOT)

    runs = [one.seconds for one in bench.node.switches.openings]
    assert runs
    assert max(runs) == 300
