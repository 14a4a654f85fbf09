"""A simulated house is fed: by hand and by its programme, while its own pump stirs the tank."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from common.mqtt_handlers import Message
from farm.models import Channel, Command, Output, Rule
from farm.mqtt import FARM, PUMPS, tick
from farm.services import commands
from farm.simulator.houses import LETTUCE
from farm.simulator.reports import Outgoing
from farm.simulator.world import World
from tests.farm.controllers import after
from tests.farm.factories import NOON, make_greenhouse, make_node, make_rule, make_zone

pytestmark = pytest.mark.django_db
LOOKS_EVERY = timedelta(seconds=5)


class Portal:
    """The bridge's handler and pumps, under the clock of the simulated world."""

    def __init__(self):
        self.now = NOON
        self.heard, self.said = [], []

    def hear(self, message, at_ms):
        at = datetime.fromtimestamp(at_ms / 1000, UTC)
        self.heard.append(Message(message.topic, message.payload, False, at))

    def say(self, at_ms):
        said, self.said = self.said, []
        return said

    def publish(self, topic, payload, qos, retain):
        self.said.append(Outgoing(topic, payload, qos, is_retained=retain))

    def look(self, now):
        self.now = now
        heard, self.heard = self.heard, []
        FARM.take_many(heard)
        for pump in PUMPS:
            if pump.run is not tick:
                pump.run(self.publish)


class Life:
    """A house and the portal, moved on together."""

    def __init__(self, portal):
        self.portal = portal
        self.world = World(LETTUCE, begins=NOON)

    def live(self, until):
        while self.portal.now < until:
            now = min(until, self.portal.now + LOOKS_EVERY)
            self.world.run(until=now, server=self.portal)
            self.portal.look(now)

    def ask(self, code, request, **asked):
        return request(
            output=Output.objects.get(code=code),
            source=Command.Source.PERSON,
            at=self.portal.now,
            **asked,
        )


@pytest.fixture
def life(monkeypatch):
    portal = Portal()
    monkeypatch.setattr(timezone, "now", lambda: portal.now)
    house = make_greenhouse(code="nm1")
    make_zone(greenhouse=house, reservoir_l=1000, daily_dose_cap_ml=500)
    for spec in LETTUCE.nodes:
        make_node(greenhouse=house, name=spec.name, boot=None, born_at=None)
    life = Life(portal)
    life.world.run(until=after(35), server=portal)
    portal.now = after(35)
    life.live(after(40))
    life.ask("pump", commands.request_run, seconds=1200)
    life.live(after(60))
    return life


def test_a_dose_by_hand_is_given_while_the_pump_runs_and_mixes_in(life):
    before = life.world.greenhouse.tank.ec

    dose = life.ask("dose-a", commands.request_dose, ml=24.0)
    life.live(after(120))
    life.world.run(until=after(900), server=life.portal)

    dose.refresh_from_db()
    assert (dose.status, dose.ran_seconds) == ("done", 20.0)
    # 24 ml into 800 litres at 0.2 mS/cm for each ml in a litre.
    assert life.world.greenhouse.tank.ec - before == pytest.approx(0.006, abs=0.0005)


def test_a_feeding_programme_doses_while_the_pump_runs(life):
    zone = Output.objects.get(code="dose-a").zone
    Output.objects.filter(code="dose-a").update(dose_kind="a")
    Output.objects.filter(code="dose-b").update(dose_kind="b")
    make_rule(
        zone=zone,
        name="Châm phân bồn",
        kind=Rule.Kind.DOSING,
        sensor=Channel.objects.get(code="ec"),
        outputs=Output.objects.filter(code__in=("dose-a", "dose-b")),
        parameters={
            "ec": {"low": 1.8, "target": 1.9, "high": 2.1}, "most_ml": 60, "daily_ml": 2000
        },
        at=life.portal.now,
    )  # fmt: skip

    life.live(after(160))

    doses = Command.objects.filter(op="dose").values_list("output__code", "ml", "status")
    assert list(doses) == [("dose-a", 60.0, "done")]
