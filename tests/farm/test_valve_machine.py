"""Whatever the link, the power and the clocks do, a valve is open no longer than it was told to."""

import json
from collections import Counter

import hypothesis.strategies as st
from hypothesis import settings
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    multiple,
    rule,
)

from farm.simulator.board import LEASE_MS
from farm.simulator.clock import VARIANTS, DeviceClock
from farm.simulator.node import TICK_TOPIC, Node
from farm.simulator.reports import encode
from farm.simulator.specs import ChannelSpec, NodeSpec, OutputSpec

BEGINNING_MS = 1_795_300_000_000
VALID_MS = 15_000
LONGEST_S = 300
SPEC = NodeSpec(
    house="nm1",
    name="n7f3a",
    channels=(
        ChannelSpec("tank", "L", "tank_volume"),
        ChannelSpec("flow", "L/min", "flow"),
    ),
    outputs=(
        OutputSpec("valve-1", "valve", LONGEST_S, flow_lpm=(4, 8), needs=("tank_ok",)),
        OutputSpec("valve-2", "valve", LONGEST_S, flow_lpm=(4, 8)),
    ),
)
SECONDS = st.one_of(st.integers(1, 6), st.integers(1, LONGEST_S + 9))
VALVES = ("valve-1", "valve-2")


class ServerRows:
    """What the server has written down: it forgets nothing and tells the same again."""

    def __init__(self):
        self.seconds = {}
        self.asked_ms = {}
        self.output = {}
        self.payloads = {}
        self.stops = []  # (asked_ms, output or None for all, reached_ms)
        self.words = {}

    def write(self, at_ms, **fields):
        command = f"{len(self.payloads):026d}"
        self.asked_ms[command] = at_ms
        said = {"id": command, "t": at_ms, "exp": at_ms + VALID_MS} | fields
        self.payloads[command] = encode(said)
        if fields["op"] == "run":
            self.seconds[command], self.output[command] = fields["s"], fields["out"]
        return command

    def hear(self, messages):
        for message in messages:
            if message.topic == f"{SPEC.base}/ack":
                said = json.loads(message.payload)
                word = said["last"] if said["st"] == "duplicate" else said["st"]
                self.words.setdefault(said["id"], []).append(word)


class ValveMachine(RuleBasedStateMachine):
    """A valve node, a link that does what it likes, and a server that keeps asking."""

    on_the_way = Bundle("on_the_way")

    @initialize(clock=st.sampled_from(VARIANTS))
    def power_up(self, clock):
        self.now_ms = BEGINNING_MS
        self.sensed = {"tank": 400.0, "flow": 6.0}
        self.server = ServerRows()
        self.node = Node(SPEC, clock=DeviceClock(clock))
        self.node.power_on(real_ms=self.now_ms)
        self.server.hear(self.node.connected())
        self.heard_tick_ms = None
        self.hear_tick()
        self.let_time_pass(seconds=1)

    # What the server does

    @rule(target=on_the_way, output=st.sampled_from(VALVES), seconds=SECONDS)
    def ask_for_a_run(self, output, seconds):
        return self.server.write(self.now_ms, op="run", out=output, s=seconds)

    @rule(target=on_the_way, output=st.sampled_from(VALVES), seconds=SECONDS)
    def ask_and_be_heard(self, output, seconds):
        command = self.server.write(self.now_ms, op="run", out=output, s=seconds)
        self.deliver(command)
        return command

    @rule(target=on_the_way, output=st.sampled_from((*VALVES, None)))
    def ask_to_stop(self, output):
        fields = {"op": "stop", "out": output} if output else {"op": "stop_all"}
        return self.server.write(self.now_ms, **fields)

    @rule(target=on_the_way)
    def start_the_server_again(self):
        """It knows its rows and sends whatever may still be open, in any order."""
        return multiple(*reversed(list(self.server.payloads)[-4:]))

    @rule()
    def hear_tick(self):
        self.heard_tick_ms = self.now_ms
        tick = encode({"t": self.now_ms, "n": 1})
        self.server.hear(self.node.receive(topic=TICK_TOPIC, payload=tick))

    @rule(rev=st.integers(1, 5), is_stopped=st.sampled_from((False, False, False, True)))
    def hear_config(self, rev, is_stopped):
        config = encode({"rev": rev, "estop": is_stopped})
        self.server.hear(self.node.receive(topic=f"{SPEC.base}/cfg", payload=config))

    # What the link does

    @rule(command=consumes(on_the_way))
    def arrive(self, command):
        self.deliver(command)

    @rule(command=on_the_way)
    def arrive_and_come_again(self, command):
        self.deliver(command)

    @rule(command=consumes(on_the_way))
    def lose(self, command):
        """Nothing comes."""

    @rule(output=st.sampled_from(VALVES), seconds=st.integers(1, 6), is_crowded=st.booleans())
    def come_again_after_the_end(self, output, seconds, is_crowded):
        command = self.server.write(self.now_ms, op="run", out=output, s=seconds)
        self.deliver(command)
        self.let_time_pass(seconds=seconds + 1)
        if is_crowded:
            self.crowd_out_the_memory()
        self.deliver(command)

    @rule(output=st.sampled_from(VALVES), by_all=st.booleans(), power=st.booleans())
    def overtake_a_run_with_its_stop(self, output, by_all, power):
        run = self.server.write(self.now_ms, op="run", out=output, s=60)
        stop = {"op": "stop_all"} if by_all else {"op": "stop", "out": output}
        self.deliver(self.server.write(self.now_ms, **stop))
        if power:
            self.cut_the_power(away_ms=0, is_heard=True)
        self.deliver(run)

    @rule(output=st.sampled_from(VALVES))
    def lose_power_in_the_middle(self, output):
        command = self.server.write(self.now_ms, op="run", out=output, s=60)
        self.deliver(command)
        self.cut_the_power(away_ms=0, is_heard=True)
        self.deliver(command)

    @rule()
    def crowd_out_the_memory(self):
        for _ in range(70):
            self.deliver(self.server.write(self.now_ms, op="ping"))

    @rule()
    def break_the_connection(self):
        self.node.disconnected()

    @rule()
    def connect_again(self):
        self.server.hear(self.node.connected())

    # What the world does

    @rule(seconds=st.sampled_from((0.5, 3.0, 7.0, 7.0, 20.0, 100.0, 400.0)))
    def let_time_pass(self, seconds):
        self.now_ms += int(seconds * 1000)
        self.server.hear(self.node.advance(real_ms=self.now_ms, sensed=self.sensed))

    @rule(flow=st.sampled_from((0.0, 6.0, 30.0)), tank=st.sampled_from((0.0, 400.0, None)))
    def change_the_water(self, flow, tank):
        self.sensed = {"tank": tank, "flow": flow}

    @rule(away_ms=st.sampled_from((0, 900, 30_000)), is_heard=st.booleans())
    def cut_the_power(self, away_ms, is_heard):
        self.node.power_off(real_ms=self.now_ms)
        self.now_ms += away_ms
        self.node.power_on(real_ms=self.now_ms)
        self.heard_tick_ms = None
        self.server.hear(self.node.connected())
        if is_heard:
            self.hear_tick()

    # What must hold

    @invariant()
    def no_valve_is_open_longer_than_it_was_told(self):
        for opening in self.openings():
            assert opening["seconds"] <= self.server.seconds[opening["command"]]
            assert opening["seconds"] <= LONGEST_S

    @invariant()
    def no_command_runs_twice(self):
        runs = Counter(opening["command"] for opening in self.openings())

        assert [command for command, times in runs.items() if times > 1] == []

    @invariant()
    def a_stop_ends_all_that_was_asked_before_it(self):
        for asked_ms, output, reached_ms in self.server.stops if self.is_up() else ():
            for opening in self.openings():
                is_meant = output in {None, opening["output"]}
                if is_meant and self.server.asked_ms[opening["command"]] <= asked_ms:
                    assert opening["ended_ms"] <= reached_ms

    @invariant()
    def without_the_server_nothing_begins_and_all_is_shut_in_the_end(self):
        if not self.is_up():
            return
        silent_ms = self.now_ms - (self.heard_tick_ms or self.node.switches.booted_ms)
        if silent_ms > LEASE_MS + LONGEST_S * 1000 or self.heard_tick_ms is None:
            assert self.node.switches.running == {}

    @invariant()
    def an_emergency_stop_holds_everything(self):
        if self.is_up() and self.node.is_stopped:
            assert self.node.switches.running == {}

    @invariant()
    def what_is_told_as_ended_is_never_told_otherwise(self):
        """But for a copy that comes when the controller has forgotten the first: refused."""
        for words in self.words_on_runs():
            acted = [word for word in words if word in {"done", "aborted"}]
            refused = [word for word in words if word in {"rejected", "expired"}]
            assert len(set(acted)) <= 1
            if acted:
                after = words[words.index(acted[0]) :]
                assert set(after) <= {acted[0], *refused}
            if words and words[0] in {"rejected", "expired"}:
                assert acted == []

    def is_up(self):
        return hasattr(self, "node")

    def words_on_runs(self):
        words = self.server.words if self.is_up() else {}
        return [words[command] for command in words if command in self.server.seconds]

    def deliver(self, command):
        payload = self.server.payloads[command]
        said = json.loads(payload)
        self.server.hear(self.node.receive(topic=f"{SPEC.base}/cmd", payload=payload))
        if said["op"] in {"stop", "stop_all"}:
            self.server.stops.append((said["t"], said.get("out"), self.now_ms))

    def openings(self):
        """Each time that a valve was open, or is."""
        if not self.is_up():
            return []
        switches = self.node.switches
        past = [
            {
                "output": one.output, "command": one.command, "began_ms": one.began_ms,
                "ended_ms": one.ended_ms, "seconds": one.seconds,
            }
            for one in switches.openings
        ]  # fmt: skip
        now = [
            {
                "output": run.output.code, "command": run.command,
                "began_ms": switches.booted_ms + run.began_ms, "ended_ms": self.now_ms,
                "seconds": (self.node.up_ms - run.began_ms) / 1000,
            }
            for run in switches.running.values()
        ]  # fmt: skip
        return past + now


TestValves = ValveMachine.TestCase
TestValves.settings = settings(max_examples=80, stateful_step_count=40, deadline=None)
