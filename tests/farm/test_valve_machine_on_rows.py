"""The same promises with the real command services between a person and the valve."""

from collections import Counter
from datetime import UTC, datetime

import hypothesis.strategies as st
import pytest
from django.db import transaction
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from common.errors import DomainError
from common.mqtt_handlers import Message
from farm.models import Command, Output
from farm.mqtt import Farm
from farm.services import commands
from farm.simulator.node import TICK_TOPIC
from farm.simulator.node import Node as Controller
from farm.simulator.reports import encode
from farm.simulator.specs import ChannelSpec, NodeSpec, OutputSpec
from tests.farm.factories import make_greenhouse, make_node, make_zone

BEGINNING_MS = 1_795_300_000_000
LONGEST_S = 120
SPEC = NodeSpec(
    house="nm1",
    name="n7f3a",
    channels=(ChannelSpec("tank", "L", "tank_volume"), ChannelSpec("flow", "L/min", "flow")),
    outputs=(OutputSpec("valve-1", "valve", LONGEST_S, flow_lpm=(4, 8)),),
    tele_seconds=3600,
)


class ValveOnRows(RuleBasedStateMachine):
    """Everything between the two goes through lists that lose, double and swap."""

    @initialize()
    def power_up(self):
        # Each example leaves the database as it found it; durable blocks allow a test's own.
        self.rows = transaction.atomic()
        self.rows._from_testcase = True
        self.rows.__enter__()
        self.now_ms, self.up, self.down = BEGINNING_MS, [], []
        house = make_greenhouse(code="nm1")
        make_zone(greenhouse=house)
        make_node(greenhouse=house, name=SPEC.name, boot=None, born_at=None)
        self.farm, self.controller = Farm(), Controller(SPEC)
        self.controller.power_on(real_ms=self.now_ms)
        self.up += self.controller.connected()
        self.settle()

    def teardown(self):
        """Let everything come to rest: then nothing is open, in rows or in the greenhouse."""
        if not hasattr(self, "rows"):
            return
        try:
            # QoS 1 only loses what a broken connection loses, and each new one tells the states.
            self.up += self.controller.connected()
            for _ in range(12):
                self.pass_time(15)
                self.settle()
            open_rows = list(Command.objects.open().exclude(op=Command.Op.PING))
            assert open_rows == []
            assert not self.controller.is_on("valve-1")
            assert Output.objects.get(code="valve-1").is_on is False
            self.a_row_that_is_done_ran_as_long_as_it_says()
        finally:
            transaction.set_rollback(True)
            self.rows.__exit__(None, None, None)

    @property
    def at(self):
        return datetime.fromtimestamp(self.now_ms / 1000, UTC)

    # People and processes

    @rule(seconds=st.integers(1, LONGEST_S))
    def ask_for_water(self, seconds):
        try:
            commands.request_run(
                output=Output.objects.get(code="valve-1"),
                seconds=seconds,
                source=Command.Source.PERSON,
                at=self.at,
            )
        except DomainError:
            return
        self.send()

    @rule()
    def ask_to_stop(self):
        commands.request_stop(
            output=Output.objects.get(code="valve-1"), source=Command.Source.PERSON, at=self.at
        )

    @rule()
    def send(self):
        commands.send_due(
            publish=lambda topic, payload, _qos, _retain: self.down.append((topic, payload)),
            at=self.at,
        )

    @rule()
    def start_the_bridge_again(self):
        self.farm = Farm()
        commands.advance(at=self.at)

    # The link

    @rule(number=st.integers(0, 3), copies=st.integers(0, 2))
    def reach_the_controller(self, number, copies):
        if number < len(self.down):
            topic, payload = self.down.pop(number)
            for _ in range(copies):
                self.up += self.controller.receive(topic=topic, payload=payload)

    @rule(number=st.integers(0, 3), copies=st.integers(0, 2))
    def reach_the_server(self, number, copies):
        if number < len(self.up):
            message = self.up.pop(number)
            for _ in range(copies):
                self.hear(message)

    @rule()
    def settle(self):
        """For once the link is good, in both directions."""
        self.tick()
        self.send()
        while self.down or self.up:
            for topic, payload in self.down:
                self.up += self.controller.receive(topic=topic, payload=payload)
            self.down = []
            heard, self.up = self.up, []
            for message in heard:
                self.hear(message)
        commands.advance(at=self.at)

    def tick(self):
        tick = encode({"t": self.now_ms, "n": self.now_ms // 20_000})
        self.up += self.controller.receive(topic=TICK_TOPIC, payload=tick)

    def hear(self, message):
        self.farm.take_many([Message(message.topic, message.payload, False, self.at)])

    # The world

    @rule(seconds=st.integers(1, 40))
    def pass_time(self, seconds):
        self.now_ms += seconds * 1000
        flow = 6.0 if self.controller.is_on("valve-1") else 0.0
        self.up += self.controller.advance(
            real_ms=self.now_ms, sensed={"tank": 400.0, "flow": flow}
        )
        commands.advance(at=self.at)

    @rule()
    def cut_the_power(self):
        self.controller.power_off(real_ms=self.now_ms)
        self.now_ms += 2000
        self.controller.power_on(real_ms=self.now_ms)
        self.up += self.controller.connected()

    # What must hold

    @invariant()
    def no_valve_is_open_longer_than_its_row_says(self):
        if not hasattr(self, "rows"):
            return
        asked = dict(Command.objects.filter(op=Command.Op.RUN).values_list("pk", "seconds"))
        openings = self.controller.switches.openings

        assert all(one.seconds <= asked[one.command] for one in openings)
        assert max(Counter(one.command for one in openings).values(), default=0) <= 1

    @invariant()
    def a_row_that_is_done_ran_as_long_as_it_says(self):
        if not hasattr(self, "rows"):
            return
        ran = {one.command: one.seconds for one in self.controller.switches.openings}
        for command in Command.objects.filter(op=Command.Op.RUN):
            if command.status == Command.Status.DONE:
                assert ran[command.pk] == pytest.approx(command.ran_seconds, abs=0.06)
            if command.status in {Command.Status.REJECTED, Command.Status.EXPIRED}:
                assert command.pk not in ran


@pytest.mark.django_db
class TestValveOnRows(ValveOnRows.TestCase):
    settings = settings(max_examples=12, stateful_step_count=20, deadline=None)
