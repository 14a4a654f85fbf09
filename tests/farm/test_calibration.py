"""A probe is calibrated by whoever stands at it, and drives nothing while it is out of the tank."""

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse

from farm import frames
from farm.errors import CommandRefusedError, SafetyError
from farm.models import Alarm, Channel, Command, Flag, Rule
from farm.services import alarms, commands, rule_snapshots, safety_facts, stops
from farm.services.calibration import begin_calibration, end_calibration
from farm.simulator.houses import HOUSES
from farm.simulator.reports import encode
from farm.simulator.world import World
from tests.farm.api_program import Program
from tests.farm.controllers import PERSON, ack, after, make_house, send, status, steps
from tests.farm.factories import (
    NOON,
    make_channel,
    make_limit,
    make_node,
    make_rule,
    make_user,
    measure,
)
from tests.farm.pages import key_of, member, noon, words_of

__all__ = ["member", "noon"]
pytestmark = pytest.mark.django_db


@pytest.fixture
def house():
    return make_house()


@pytest.fixture
def probe(house):
    channel = make_channel(node=house.node, zone=house.zone, code="ph", quantity="ph", unit="pH")
    measure(channel, 6.6, t=NOON)
    return channel


def calibrate(channel, value=7.0, *, at=NOON, source=PERSON, **fields):
    return commands.request_calibrate(channel=channel, value=value, source=source, at=at, **fields)


# Asking


def test_it_goes_out_as_the_contract_says(house, probe):
    user = make_user()
    command = calibrate(probe, by=user)

    message = send().messages[0][1]

    noon_ms = round(NOON.timestamp() * 1000)
    assert message == {
        "id": command.pk, "op": "calibrate", "ch": "ph", "v": 7.0, "t": noon_ms,
        "exp": noon_ms + 15_000, "by": f"user:{user.pk}", "gen": 0,
    }  # fmt: skip
    ack(command, "done")
    assert steps(command) == ["queued", "sent", "done"]


def test_a_sensor_that_is_scaled_here_is_told_its_own_measure(probe):
    probe.scale, probe.offset = 2.0, 1.0
    probe.save()

    assert calibrate(probe, 7.0).value == 3.0


@pytest.mark.parametrize(
    ("value", "reason"),
    [(0.5, "value"), (14.0, "value"), (float("nan"), "value"), (4.0, "too_far"),
     (9.18, "too_far")],
)  # fmt: skip
def test_a_value_that_cannot_be_meant_is_refused(probe, value, reason):
    with pytest.raises(CommandRefusedError) as refusal:
        calibrate(probe, value)

    assert refusal.value.facts["reason"] == reason
    assert not Command.objects.exists()
    probe.refresh_from_db()
    assert probe.calibrating_until is None


@pytest.mark.parametrize("shown", [0.8, 2.8])
def test_an_ec_probe_may_show_half_or_twice(house, shown):
    channel = make_channel(node=house.node, code="ec", quantity="ec", unit="mS/cm")
    measure(channel, shown, t=NOON)

    assert calibrate(channel, 1.413).status == "queued"


@pytest.mark.parametrize("shown", [0.7, 2.9])
def test_an_ec_probe_further_off_is_in_the_wrong_bottle(house, shown):
    channel = make_channel(node=house.node, code="ec", quantity="ec", unit="mS/cm")
    measure(channel, shown, t=NOON)

    with pytest.raises(CommandRefusedError) as refusal:
        calibrate(channel, 1.413)
    assert refusal.value.facts["reason"] == "too_far"


def test_only_probes_are_calibrated(probe):
    probe.quantity = Channel.Quantity.AIR_TEMPERATURE
    probe.save()

    with pytest.raises(CommandRefusedError) as refusal:
        calibrate(probe)

    assert refusal.value.facts["reason"] == "kind"
    with pytest.raises(CommandRefusedError):
        begin_calibration(channel=probe, at=NOON)
    assert not Command.objects.exists()


def test_a_device_that_takes_no_such_command_is_not_asked(house):
    foreign = make_node(greenhouse=house.greenhouse, protocol="tasmota")
    channel = make_channel(node=foreign, quantity="ph")

    with pytest.raises(CommandRefusedError):
        calibrate(channel)


@pytest.mark.parametrize("source", ["schedule", "dosing", "safety", "system"])
def test_no_programme_calibrates(probe, source):
    with pytest.raises(CommandRefusedError) as refusal:
        calibrate(probe, source=source)

    assert refusal.value.facts["reason"] == "source"


def test_one_at_a_time_and_once_per_key(probe):
    first = calibrate(probe, caller_key="a")

    assert calibrate(probe, caller_key="a") == first
    with pytest.raises(CommandRefusedError) as refusal:
        calibrate(probe, caller_key="b")
    assert refusal.value.facts["reason"] == "busy"


def test_a_key_of_another_probe_is_refused(house, probe):
    calibrate(probe, caller_key="a")
    other = make_channel(node=house.node, quantity="ph")

    with pytest.raises(CommandRefusedError) as refusal:
        calibrate(other, caller_key="a")
    assert refusal.value.facts["reason"] == "caller_key"


def test_a_controller_that_is_away_or_deaf_is_not_asked(house, probe):
    alarm = alarms.raise_alarm(
        key=f"node_deaf:{house.node.pk}", kind="node_deaf", severity=Alarm.Severity.URGENT,
        greenhouse=house.greenhouse, node=house.node, at=NOON,
    )  # fmt: skip
    with pytest.raises(SafetyError):
        calibrate(probe)
    alarms.clear_alarm(key=alarm.key, at=NOON)
    house.node.is_online = False
    house.node.save()

    with pytest.raises(SafetyError):
        calibrate(probe)
    assert not Command.objects.exists()


def test_an_emergency_stop_does_not_concern_it(house, probe):
    command = calibrate(probe)

    stops.stop_house(greenhouse=house.greenhouse, by=make_user(), reason="", at=after(1))

    assert ("calibrate", None) in send(after(2)).sent
    assert status(command) == "sent"


def test_without_an_answer_it_is_unknown_and_stops_nothing(probe):
    command = calibrate(probe)
    send()
    send(after(6))

    commands.advance(at=after(20))

    assert status(command) == "unknown"
    assert not Command.objects.filter(op__in=("stop", "stop_all")).exists()
    assert Alarm.objects.get(kind="command_unknown").facts["op"] == "calibrate"
    ack(command, "done", at=after(60))
    assert Alarm.objects.get(kind="command_unknown").cleared_at == after(60)


def test_the_database_takes_none_without_a_probe(probe):
    command = calibrate(probe)

    with pytest.raises(IntegrityError), transaction.atomic():
        Command.objects.filter(pk=command.pk).update(channel=None)


# While it is in somebody's hand


def seen(rule):
    """Give the value that a programme would go by."""
    latest = rule.sensor.latest
    latest.refresh_from_db()
    rule.sensor.refresh_from_db()
    return rule_snapshots._value(rule.sensor, latest).v


def test_no_programme_goes_by_a_probe_from_begin_until_it_is_back(house, probe):
    rule = make_rule(zone=house.zone, outputs=[house.valve], sensor=probe)
    assert seen(rule) == 6.6

    begin_calibration(channel=probe, at=after(10))
    assert seen(rule) is None
    measure(probe, 7.0, t=after(120))
    assert seen(rule) is None
    end_calibration(channel=probe, at=after(300))
    measure(probe, 6.9, t=after(330))
    assert seen(rule) is None
    measure(probe, 5.9, t=after(420))

    assert seen(rule) == 5.9


def test_whoever_forgets_to_end_it_gets_the_programmes_back(probe):
    begin_calibration(channel=probe, at=NOON)

    probe.refresh_from_db()
    assert probe.is_in_hand(after(1799))
    assert not probe.is_in_hand(after(1800))
    end_calibration(channel=probe, at=after(2000))
    probe.refresh_from_db()
    assert not probe.is_in_hand(after(2001))


def test_asking_alone_keeps_the_programmes_away_for_ten_minutes(probe):
    calibrate(probe)

    probe.refresh_from_db()
    assert probe.calibrating_until == after(600)
    begin_calibration(channel=probe, at=after(60))
    probe.refresh_from_db()
    assert probe.calibrating_until == after(1860)


def test_asking_never_shortens_what_was_begun(probe):
    begin_calibration(channel=probe, at=NOON)

    calibrate(probe, at=after(60))

    probe.refresh_from_db()
    assert probe.calibrating_until == after(1800)


@pytest.mark.parametrize("is_marked", [True, False])
def test_a_rule_is_held_back_by_safety_too(house, probe, is_marked):
    rule = Rule.objects.create(zone=house.zone, name="x", kind="dosing", sensor=probe)
    if is_marked:
        measure(probe, 6.6, t=NOON, flags=Flag.CALIBRATING)
    else:
        begin_calibration(channel=probe, at=NOON)
    rule.sensor.refresh_from_db()

    facts = safety_facts.collect(output=house.doser, source="dosing", rule=rule, at=after(1))

    assert facts.is_sensor_stale


@pytest.mark.parametrize("is_marked", [True, False])
def test_a_bottle_gives_no_alarm(probe, is_marked):
    make_limit(channel=probe, low=5.0, delay_seconds=0)
    if not is_marked:
        begin_calibration(channel=probe, at=NOON)
    measure(probe, 4.0, t=after(60), flags=Flag.CALIBRATING if is_marked else 0)

    assert alarms.watch_limits(channel_ids=[probe.pk], at=after(61)) == 0
    assert not Alarm.objects.exists()
    end_calibration(channel=probe, at=after(70))
    measure(probe, 4.0, t=after(600))
    assert alarms.watch_limits(channel_ids=[probe.pk], at=after(601)) == 1


# The simulated controller


def ask(world, value, *, number=1, code="ph"):
    node = world.stations["n7f3a"].node
    said = {"id": f"{number:026d}", "op": "calibrate", "ch": code, "v": value}
    said |= {"t": world.now_ms, "exp": world.now_ms + 15_000}
    answers = node.receive(topic=f"{node.spec.base}/cmd", payload=encode(said))
    return [frames.parse_ack(one.payload) for one in answers if one.topic.endswith("/ack")]


class Listener:
    """A server that only keeps the frames with the pH probe."""

    def __init__(self):
        self.frames = []

    def hear(self, message, at_ms):
        if frames.parse_topic(message.topic).kind == "tele":
            frame = frames.parse_tele(message.payload)
            if "ph" in frame.values:
                self.frames.append(frame)

    def say(self, at_ms):
        return ()


def test_the_simulator_takes_a_probes_drift_away_and_marks_the_minute():
    world, server = World(HOUSES["nm1"], begins=NOON), Listener()
    world.greenhouse.faults.add("drifting-sensor:ph")
    world.run(until=after(3 * 86_400), server=server)
    truth = world.greenhouse.ph
    assert server.frames[-1].values["ph"] > truth + 0.3

    for number in (1, 2):
        (answer,) = ask(world, truth, number=number)
        assert (answer.st, answer.why) == ("done", "")
    server.frames.clear()
    world.run(until=after(3 * 86_400 + 180), server=server)

    assert server.frames[-1].values["ph"] == pytest.approx(truth, abs=0.1)
    marked = [frame.quality for frame in server.frames]
    assert marked[0] == {"ph": "cal"}
    assert marked[-1] == {}


def test_the_simulator_refuses_a_probe_that_shows_nothing():
    world = World(HOUSES["nm1"], begins=NOON)
    world.greenhouse.faults.add("dead-sensor:ph")
    world.run(until=after(60))

    answers = [*ask(world, 7.0), *ask(world, 7.0, number=2, code="nowhere")]

    assert [(one.st, one.why) for one in answers] == [("rejected", "no_value")] * 2


# Pages and programs


def where(name, probe):
    return reverse(name, args=[probe.pk])


def test_a_probe_is_calibrated_step_by_step(client, member, house, probe):
    page = where("farm_calibration", probe)
    assert page in client.get(reverse("farm_devices")).content.decode()
    before = words_of(client.get(page))
    assert "It shows now 6.60 12:00:00 22/11" in before
    assert "go by this probe" in before
    assert "Press the number" not in before

    assert client.post(where("farm_calibration_begin", probe)).url == page
    shown = client.get(page)
    said = words_of(shown)
    assert "leave this probe alone until 12:30" in said
    assert "4.0 6.86 7.0 9.18" in said
    key = key_of(shown, where("farm_calibrate", probe))
    for _ in range(2):
        answer = client.post(where("farm_calibrate", probe), {"value": "6.86", "key": key})
        assert answer.url == page

    command = Command.objects.get()
    assert (command.value, command.by, command.source) == (6.86, member, "person")
    send()
    assert "the controller has it" in words_of(client.get(where("farm_calibration_live", probe)))
    ack(command, "rejected", why="no_value")
    live = words_of(client.get(where("farm_calibration_live", probe)))
    assert "calibrated to 6.86, Lê Thị Hoa sent refused, nothing was done (the sensor shows" in live
    log = words_of(client.get(reverse("farm_log_of_house", args=[house.greenhouse.code])))
    assert f"{probe}, {house.zone}: calibrated to 6.86" in log
    assert client.post(where("farm_calibration_end", probe)).url == reverse("farm_devices")
    probe.refresh_from_db()
    assert probe.calibrating_until == after(120)


def test_a_vietnamese_types_a_comma(client, member, probe):
    client.cookies["django_language"] = "vi"

    client.post(where("farm_calibrate", probe), {"value": "6,86", "key": "a"})

    assert Command.objects.get().value == 6.86


def test_what_is_no_number_asks_for_nothing(client, member, probe):
    answer = client.post(where("farm_calibrate", probe), {"value": "sáu", "key": "a"}, follow=True)

    assert "Write the number that stands on the bottle." in words_of(answer)
    assert not Command.objects.exists()


def test_other_sensors_have_no_such_page(client, member, house):
    assert client.get(where("farm_calibration", house.air)).status_code == 404
    assert (
        where("farm_calibration", house.air)
        not in client.get(reverse("farm_devices")).content.decode()
    )


def test_whoever_is_no_member_gets_nowhere(client, probe):
    assert (
        client.post(where("farm_calibrate", probe), {"value": "7", "key": "a"}).status_code == 302
    )

    assert not Command.objects.exists()


def test_a_program_calibrates_once_per_key(member, probe):
    program = Program(member)
    path = f"channels/{probe.pk}/calibrations"

    answers = [program.post(path, {"value": 7.0}, **{"Idempotency-Key": "k"}) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [202, 202], answers[0].content
    told = answers[0].json()
    assert (told["op"], told["channel"], told["value"], told["source"]) == (
        "calibrate", probe.pk, 7.0, "api",
    )  # fmt: skip
    assert Command.objects.count() == 1
    assert program.post(path, {"value": 6.86}, **{"Idempotency-Key": "k"}).status_code == 422
    assert program.post(path, {"value": 7.0}).status_code == 400
    assert program.post(path, {"value": 2.0}, **{"Idempotency-Key": "m"}).status_code == 422


def test_what_is_too_far_is_told_in_numbers_as_they_are_written_here(probe):
    with pytest.raises(CommandRefusedError) as refused:
        calibrate(probe, 9.18)

    assert str(refused.value) == (
        "Đầu đo đang chỉ 6,6, lệch quá xa 9,18. Có đúng chai không? Nếu đúng thì đầu đo đã hỏng."
    )
