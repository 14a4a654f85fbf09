"""How strong a fan or a lamp is: asked for with an end, and held back as a run is."""

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse

from farm import frames
from farm.errors import CommandRefusedError, OutputLockedError
from farm.models import Alarm, Command, Output
from farm.services import commands, nodes
from farm.simulator.houses import HOUSES
from farm.simulator.node import TICK_TOPIC, Node
from farm.simulator.reports import encode
from farm.simulator.specs import NodeSpec, OutputSpec
from farm.simulator.world import World
from tests.farm.api_program import Program
from tests.farm.controllers import (
    ack,
    after,
    make_house,
    make_rule,
    run,
    send,
    set_strength,
    status,
    steps,
)
from tests.farm.factories import NOON, make_node
from tests.farm.pages import key_of, member, noon, words_of

__all__ = ["member", "noon"]
pytestmark = pytest.mark.django_db


@pytest.fixture
def house():
    return make_house()


def test_a_strength_goes_out_with_its_end(house):
    command = set_strength(house.fan, 40, 3600)

    message = send().messages[0][1]

    assert (message["op"], message["out"], message["v"], message["s"]) == ("set", "fan-1", 40, 3600)
    ack(command, "done")
    assert steps(command) == ["queued", "sent", "done"]


@pytest.mark.parametrize(
    ("percent", "seconds", "reason"),
    [(-1, 60, "value"), (101, 60, "value"), (float("nan"), 60, "value"), (40, 0, "seconds"),
     (40, 86_401, "seconds")],
)  # fmt: skip
def test_a_strength_that_cannot_be_is_refused(house, percent, seconds, reason):
    with pytest.raises(CommandRefusedError) as refusal:
        set_strength(house.fan, percent, seconds)

    assert refusal.value.facts["reason"] == reason
    assert not Command.objects.exists()


def test_what_knows_only_on_and_off_is_not_asked(house):
    Output.objects.filter(pk=house.light.pk).update(is_dimmable=False)
    for output in (house.light, house.valve):
        with pytest.raises(CommandRefusedError) as refusal:
            set_strength(output)
        assert refusal.value.facts["reason"] == "no_level"

    assert not Command.objects.exists()


def test_the_database_takes_no_strength_without_an_end(house):
    command = set_strength(house.fan)

    with pytest.raises(IntegrityError), transaction.atomic():
        Command.objects.filter(pk=command.pk).update(seconds=None)


def test_the_emergency_stop_keeps_one_back_that_waits(house):
    command = set_strength(house.fan)
    house.greenhouse.is_stopped, house.greenhouse.stopped_at = True, NOON
    house.greenhouse.save()

    assert send().ids == []
    assert status(command) == "rejected"


def test_the_same_key_again_is_the_same_command(house):
    first = set_strength(house.fan, caller_key="a")

    assert set_strength(house.fan, caller_key="a") == first
    with pytest.raises(CommandRefusedError):
        run(house.fan, 60, caller_key="a")


def test_a_strength_without_an_answer_is_unknown_and_stops_nothing(house):
    command = set_strength(house.fan, 40, 3600)
    send()
    ack(command, "accepted")

    commands.advance(at=after(14))
    assert status(command) == "accepted"
    commands.advance(at=after(15))

    assert status(command) == "unknown"
    assert not Command.objects.filter(op="stop").exists()
    assert Alarm.objects.get(kind="command_unknown").cleared_at is None
    ack(command, "done", at=after(60))
    assert Alarm.objects.get(kind="command_unknown").cleared_at == after(60)


def test_a_programme_may_set_it_too_and_not_over_a_persons_hand(house):
    rule = make_rule(house.fan)
    assert set_strength(house.fan, source="schedule", rule=rule).status == "queued"
    Output.objects.filter(pk=house.fan.pk).update(lock="manual")

    with pytest.raises(OutputLockedError):
        set_strength(house.fan, source="schedule", rule=rule)
    assert set_strength(house.fan).status == "queued"


def test_the_birth_says_what_can_be_set_and_the_state_how_strong_it_is():
    node = make_node(boot=None, born_at=None)
    outputs = {
        "fan-1": frames.OutputSpec("fan", 600, dim=True),
        "lamp": frames.OutputSpec("light", 600),
        "valve-1": frames.OutputSpec("valve", 600, dim=True),
    }
    nodes.record_birth(node=node, birth=frames.Birth(boot=1, outputs=outputs), at=NOON)

    state = frames.parse_state(b'{"on":true,"boot":1,"src":"cmd","v":40}')
    nodes.record_output_state(node=node, output_code="fan-1", state=state, at=NOON)

    can = dict(Output.objects.values_list("code", "is_dimmable"))
    assert can == {"fan-1": True, "lamp": False, "valve-1": False}
    assert Output.objects.get(code="fan-1").state_level == 40.0


# The simulated controller

FAN = OutputSpec("fan-1", "fan", 86_400, is_dimmable=True)
NOON_MS = 1_795_323_600_000


class Bench:
    """One controller with a fan that can be set and a relay that cannot."""

    def __init__(self):
        spec = NodeSpec("nm1", "n5c21", (), (FAN, OutputSpec("fan-2", "fan", 600)))
        self.node = Node(spec)
        self.node.power_on(real_ms=NOON_MS)
        self.node.connected()
        self.asked = 0
        self.pass_time(1)

    def pass_time(self, seconds):
        now_ms = NOON_MS + self.node.up_ms + int(seconds * 1000)
        self.node.receive(topic=TICK_TOPIC, payload=encode({"t": now_ms, "n": 1}))
        return self.node.advance(real_ms=now_ms, sensed={})

    def ask(self, op, **fields):
        self.asked += 1
        t_ms = NOON_MS + self.node.up_ms
        said = {"id": f"{self.asked:026d}", "op": op, "t": t_ms, "exp": t_ms + 15_000} | fields
        topic = f"{self.node.spec.base}/cmd"
        answers = self.node.receive(topic=topic, payload=encode(said))
        acks = [frames.parse_ack(one.payload) for one in answers if one.topic.endswith("/ack")]
        return [(one.st, one.why) for one in acks]


def test_the_controller_holds_a_strength_for_its_time_and_goes_back():
    bench = Bench()

    assert bench.ask("set", out="fan-1", v=40, s=60) == [("done", "")]
    assert bench.node.strength("fan-1") == 0.4
    assert not bench.node.is_on("fan-1")
    assert bench.node.as_told("fan-1")["v"] == 40
    bench.pass_time(59)
    assert bench.node.strength("fan-1") == 0.4
    told = bench.pass_time(1)

    assert bench.node.strength("fan-1") == 1.0
    assert [one.topic for one in told if one.topic.endswith("state")] == [
        "farm/v1/nm1/n5c21/out/fan-1/state"
    ]


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"out": "fan-2", "v": 40, "s": 60}, "no_level"),
        ({"out": "fan-1", "v": 140, "s": 60}, "value"),
        ({"out": "fan-1", "v": 40}, "no_duration"),
        ({"out": "fan-1", "v": 40, "s": 86_401}, "too_long"),
        ({"out": "fan-9", "v": 40, "s": 60}, "unknown_output"),
    ],
)
def test_the_controller_refuses_what_it_cannot_hold(fields, why):
    bench = Bench()

    assert bench.ask("set", **fields) == [("rejected", why)]
    assert bench.node.strength("fan-1") == 1.0


def test_a_stopped_controller_changes_no_strength():
    bench = Bench()
    level = encode({"rev": 1, "estop": True})
    bench.node.receive(topic=f"{bench.node.spec.base}/cfg", payload=level)

    assert bench.ask("set", out="fan-1", v=40, s=60) == [("rejected", "estop")]


def test_a_boot_forgets_the_strength():
    bench = Bench()
    bench.ask("set", out="fan-1", v=40, s=600)

    bench.node.power_off(real_ms=NOON_MS + 5000)
    bench.node.power_on(real_ms=NOON_MS + 6000)

    assert bench.node.strength("fan-1") == 1.0


def test_a_weaker_fan_cools_less():
    def heat(strength):
        world = World(HOUSES["nm1"], begins=NOON)
        node = world.stations["n5c21"].node
        world.run(until=after(60))
        for number, (op, extra) in enumerate((("set", {"v": strength}), ("run", {}))):
            for fan in ("fan-1", "fan-2"):
                said = {"id": f"{number}{fan}".ljust(26, "0"), "op": op, "out": fan, "s": 7200}
                said |= {"t": world.now_ms, "exp": world.now_ms + 15_000} | extra
                node.receive(topic=f"{node.spec.base}/cmd", payload=encode(said))
        assert node.is_on("fan-1")
        world.run(until=after(3600))
        return world.greenhouse.celsius

    assert heat(100) < heat(10) - 0.1


# Pages and programs


def test_the_outputs_page_sets_it_and_shows_the_answer(client, member, house):
    Output.objects.filter(pk=house.fan.pk).update(state_level=75.0, label="Quạt 1")
    page = client.get(reverse("farm_output", args=[house.fan.pk]))
    where = reverse("farm_set", args=[house.fan.pk])
    asked = {"percent": "50", "seconds": "900", "key": key_of(page, where)}

    for _ in range(2):
        assert client.post(where, asked).url == reverse("farm_output", args=[house.fan.pk])

    command = Command.objects.get()
    assert (command.value, command.seconds, command.by, command.source) == (
        50, 900, member, "person",
    )  # fmt: skip
    send()
    ack(command, "done")
    said = words_of(client.get(reverse("farm_output", args=[house.fan.pk])))
    assert "Strength 75 %" in said
    assert "strength 50 % for 15 minutes, Lê Thị Hoa sent the controller has it done" in said
    log = words_of(client.get(reverse("farm_log_of_house", args=[house.greenhouse.code])))
    assert f"Quạt 1, {house.zone}: strength 50 % for 15 minutes" in log


def test_a_form_without_sense_asks_for_nothing(client, member, house):
    answer = client.post(
        reverse("farm_set", args=[house.fan.pk]),
        {"percent": "200", "seconds": "60", "key": "a"},
        follow=True,
    )

    assert "Choose a strength and for how long. Please try again." in words_of(answer)
    assert not Command.objects.exists()


def test_what_cannot_be_set_has_no_form(client, member, house):
    page = client.get(reverse("farm_output", args=[house.valve.pk]))

    assert "Set its strength" not in words_of(page)


def test_a_program_sets_it_once_per_key(member, house):
    program = Program(member)
    where = f"outputs/{house.fan.pk}/commands"
    body = {"op": "set", "percent": 50, "seconds": 900}

    answers = [program.post(where, body, **{"Idempotency-Key": "k"}) for _ in range(2)]
    other = program.post(where, body | {"percent": 60}, **{"Idempotency-Key": "k"})

    assert [answer.status_code for answer in answers] == [202, 202], answers[0].content
    assert (answers[0].json()["op"], answers[0].json()["value"]) == ("set", 50.0)
    assert other.status_code == 422
    assert Command.objects.count() == 1


@pytest.mark.parametrize(
    "body",
    [
        {"op": "set", "percent": 50},
        {"op": "set", "seconds": 60},
        {"op": "run", "seconds": 60, "percent": 50},
        {"op": "set", "seconds": 60, "percent": 50, "litres": 3},
        {"op": "stop", "percent": 50},
    ],
)
def test_a_program_says_both_strength_and_seconds(member, house, body):
    answer = Program(member).post(
        f"outputs/{house.fan.pk}/commands", body, **{"Idempotency-Key": "k"}
    )

    assert answer.status_code == 400
    assert not Command.objects.exists()
