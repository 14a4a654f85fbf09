"""A small house for tests of commands: a tank, a pump that circulates, a valve, a doser, a fan."""

import json
from dataclasses import dataclass
from datetime import timedelta

from farm import frames
from farm.models import Channel, Command, CommandEvent, Greenhouse, Node, Output, Rule, Zone
from farm.services import commands
from tests.farm.factories import (
    NOON,
    make_channel,
    make_greenhouse,
    make_node,
    make_output,
    make_zone,
    measure,
)

PERSON = Command.Source.PERSON
SCHEDULE = Command.Source.SCHEDULE


def after(seconds: float):
    """Give the moment so many seconds after noon."""
    return NOON + timedelta(seconds=seconds)


@dataclass
class House:
    greenhouse: Greenhouse
    zone: Zone
    node: Node
    valve: Output
    pump: Output
    doser: Output
    fan: Output
    light: Output
    tank: Channel
    air: Channel


def make_house() -> House:
    """Build a house in which everything is allowed at noon."""
    greenhouse = make_greenhouse()
    zone = make_zone(
        greenhouse=greenhouse, reservoir_l=400, daily_litre_cap=100, daily_dose_cap_ml=50
    )
    node = make_node(greenhouse=greenhouse, last_ping_ok_at=NOON)
    place = {"node": node, "zone": zone}
    tank = make_channel(
        **place, code="tank", quantity=Channel.Quantity.TANK_VOLUME, unit="L", stale_seconds=100_000
    )
    air = make_channel(**place, code="air_t", stale_seconds=100_000)
    measure(tank, 400.0, t=NOON)
    measure(air, 28.0, t=NOON)
    return House(
        greenhouse=greenhouse,
        zone=zone,
        node=node,
        valve=make_output(**place, code="valve-1", flow_low=4, flow_high=8),
        pump=make_output(**place, code="pump", kind="pump", is_on=True, state_flow=20),
        doser=make_output(
            **place, code="dose-a", kind="doser", max_seconds=20, ml_per_second=1.2, dose_kind="a"
        ),
        fan=make_output(
            **place, code="fan-1", kind="fan", max_seconds=86_400, fail="local", is_dimmable=True
        ),
        light=make_output(**place, code="lamp", kind="light", max_seconds=86_400, is_dimmable=True),
        tank=tank,
        air=air,
    )


def make_rule(output: Output, **changes) -> Rule:
    fields = {"zone": output.zone, "name": "Tưới sáng", "kind": Rule.Kind.SCHEDULE}
    return Rule.objects.create(**fields | changes)


class Broker:
    """Collects what is published."""

    def __init__(self):
        self.messages = []

    def publish(self, topic, payload, qos, retain):
        self.messages.append((topic, json.loads(payload), qos, retain))

    @property
    def sent(self):
        """The commands as (op, out), in order."""
        return [(one["op"], one.get("out")) for topic, one, *_ in self.messages]

    @property
    def ids(self):
        return [one["id"] for _, one, *_ in self.messages]


def send(at=NOON) -> Broker:
    """Send what is due, and give what was published."""
    broker = Broker()
    commands.send_due(publish=broker.publish, at=at)
    return broker


def ack(command, st, *, at=NOON, **fields) -> Command | None:
    """Let the controller say a word on a command."""
    fields = {"boot": 17, "t_ms": round(at.timestamp() * 1000)} | fields
    return commands.take_ack(
        node=command.node, ack=frames.Ack(id=command.pk, st=st, **fields), at=at
    )


def run(output, seconds=120, *, at=NOON, source=PERSON, **fields) -> Command:
    return commands.request_run(output=output, seconds=seconds, source=source, at=at, **fields)


def dose(output, ml=6.0, *, at=NOON, source=PERSON, **fields) -> Command:
    return commands.request_dose(output=output, ml=ml, source=source, at=at, **fields)


def set_strength(output, percent=40, seconds=600, *, at=NOON, source=PERSON, **fields) -> Command:
    return commands.request_set(
        output=output, percent=percent, seconds=seconds, source=source, at=at, **fields
    )


def started(output, seconds=120, *, at=NOON, **fields) -> Command:
    """Give a run that the controller has started."""
    command = run(output, seconds, at=at, **fields)
    send(at)
    ack(command, "accepted", at=at)
    return ack(command, "started", at=at)


def status(command) -> str:
    return Command.objects.values_list("status", flat=True).get(pk=command.pk)


def steps(command) -> list[str]:
    return list(
        CommandEvent.objects.filter(command=command).order_by("pk").values_list("step", flat=True)
    )
