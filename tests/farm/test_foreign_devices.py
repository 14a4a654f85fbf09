"""Devices that acknowledge nothing: their states are the acks, and nothing is sent twice."""

import os
import threading
from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from common.mqtt import Bridge
from common.mqtt_handlers import Handler, Message
from farm import foreign
from farm.models import (
    Alarm,
    Command,
    CommandEvent,
    DirtyHour,
    Flag,
    LatestReading,
    Node,
    Output,
    QuarantinedFrame,
    Reading,
)
from farm.services import commands, foreign_devices, stops
from tests.farm.factories import (
    NOON,
    make_channel,
    make_node,
    make_output,
    make_partition,
    make_rule,
    make_user,
    make_zone,
)
from tests.farm.foreign_device import TasmotaValve

PERSON = Command.Source.PERSON


@pytest.fixture
def valve(db) -> TasmotaValve:
    make_partition(NOON)
    return TasmotaValve("van-1", NOON)


@pytest.fixture
def output(valve) -> Output:
    node = make_node(name="v1", protocol=Node.Protocol.TASMOTA, topic="van-1", boot=None)
    return make_output(node=node, code="valve-1", max_seconds=900)


def deliver(valve: TasmotaValve) -> None:
    """Hand what the device said to the bridge, as one batch."""
    foreign.take_many(valve.take_words())


def send(valve: TasmotaValve) -> int:
    return foreign_devices.send_due(publish=valve.publish, adapters=foreign.ADAPTERS, at=valve.now)


def turn(valve: TasmotaValve, *, seconds: int) -> None:
    """Let the device, the bridge and the clock work, second by second."""
    for _ in range(seconds):
        valve.pass_time(1)
        deliver(valve)
        commands.advance(at=valve.now)
        send(valve)
        deliver(valve)


def ask(output: Output, seconds: int, valve: TasmotaValve, **more) -> Command:
    return commands.request_run(output=output, seconds=seconds, source=PERSON, at=valve.now, **more)


def steps(command: Command) -> list[str]:
    return list(
        CommandEvent.objects.filter(command=command).order_by("pk").values_list("step", flat=True)
    )


@pytest.mark.django_db(transaction=True)
def test_a_run_starts_and_ends_by_what_the_device_shows(valve, output):
    command = ask(output, 40, valve)

    turn(valve, seconds=45)

    command.refresh_from_db()
    output.refresh_from_db()
    assert (command.status, command.ran_seconds, command.sends) == ("done", 40.0, 1)
    assert steps(command) == ["queued", "sent", "started", "done"]
    assert (valve.runs, valve.on_seconds) == (1, 40.0)
    assert (output.is_on, output.state_source) == (False, "cmd")
    assert valve.heard == [("cmnd/van-1/Backlog", b"PulseTime1 140; Power1 ON", 0, False)]


@pytest.mark.django_db(transaction=True)
def test_a_run_without_an_answer_is_never_sent_again_but_stopped(valve, output):
    valve.is_deaf = True
    command = ask(output, 120, valve)

    turn(valve, seconds=60)

    command.refresh_from_db()
    assert (command.status, command.sends) == ("unknown", 1)
    topics = [topic for topic, *_ in valve.heard]
    assert topics == ["cmnd/van-1/Backlog", *["cmnd/van-1/Power1"] * 3]
    assert Alarm.objects.get(kind="command_unknown").output == output


@pytest.mark.django_db(transaction=True)
def test_a_run_whose_start_was_not_heard_is_stopped_within_its_time(valve, output):
    valve.is_mute = True
    command = ask(output, 600, valve)

    turn(valve, seconds=25)
    valve.is_mute = False
    turn(valve, seconds=10)

    command.refresh_from_db()
    assert command.status == "unknown"
    assert (valve.runs, valve.is_on) == (1, False)
    assert valve.on_seconds == 14.0
    stop = Command.objects.get(op="stop")
    assert (stop.status, stop.source, stop.sends) == ("done", "safety", 3)
    assert not Alarm.objects.filter(kind="command_unknown", cleared_at=None).exists()


@pytest.mark.django_db(transaction=True)
def test_a_process_that_dies_before_it_publishes_has_sent_nothing_and_nobody_does_later(
    valve, output
):
    def die(*_message) -> None:
        raise RuntimeError

    command = ask(output, 120, valve)
    with pytest.raises(RuntimeError):
        foreign_devices.send_due(publish=die, adapters=foreign.ADAPTERS, at=valve.now)

    turn(valve, seconds=25)

    command.refresh_from_db()
    assert (command.status, command.sends, valve.runs) == ("unknown", 1, 0)
    assert {topic for topic, *_ in valve.heard} == {"cmnd/van-1/Power1"}


@pytest.mark.django_db(transaction=True)
def test_a_stop_ends_the_run_as_broken_off(valve, output):
    command = ask(output, 600, valve)
    turn(valve, seconds=20)

    stop = commands.request_stop(output=output, source=PERSON, at=valve.now)
    turn(valve, seconds=3)

    command.refresh_from_db()
    stop.refresh_from_db()
    assert (command.status, command.why, command.ran_seconds) == ("aborted", "stop", 20.0)
    assert stop.status == "done"
    assert valve.heard[-1] == ("cmnd/van-1/Power1", b"OFF", 1, False)
    assert valve.is_on is False


@pytest.mark.django_db(transaction=True)
def test_a_device_that_goes_off_before_its_time_is_found_out(valve, output):
    command = ask(output, 600, valve)
    turn(valve, seconds=50)

    valve.reboot()
    turn(valve, seconds=1)

    command.refresh_from_db()
    assert (command.status, command.why, command.ran_seconds) == ("aborted", "off", 49.0)


@pytest.mark.django_db(transaction=True)
def test_a_stop_of_what_is_off_needs_no_answer(valve, output):
    valve.is_mute = True

    stop = commands.request_stop(output=output, source=PERSON, at=valve.now)
    send(valve)

    stop.refresh_from_db()
    assert stop.status == "done"
    assert len(valve.heard) == 1


@pytest.mark.django_db(transaction=True)
def test_everything_of_a_device_is_stopped_at_once(valve, output):
    other = make_output(node=output.node, code="valve-2")
    command = ask(output, 600, valve)
    turn(valve, seconds=5)
    person = make_user()

    stops.stop_house(greenhouse=output.node.greenhouse, by=person, reason="vỡ ống", at=valve.now)
    turn(valve, seconds=2)

    command.refresh_from_db()
    stop = Command.objects.get(op="stop_all")
    assert (command.status, stop.status, valve.is_on) == ("aborted", "done", False)
    assert [topic for topic, *_ in valve.heard[1:]] == ["cmnd/van-1/Power1", "cmnd/van-1/Power2"]
    assert other.is_on is False


@pytest.mark.django_db(transaction=True)
def test_a_device_that_comes_back_into_a_stopped_house_is_stopped(valve, output):
    Node.objects.update(is_online=False)
    house = output.node.greenhouse
    stops.stop_house(greenhouse=house, by=make_user(), reason="vỡ ống", at=valve.now)
    Command.objects.update(status="expired")

    valve.say("tele/van-1/LWT", b"Online", is_retained=True)
    deliver(valve)
    send(valve)

    assert Node.objects.get().is_online is True
    assert ("cmnd/van-1/Power1", b"OFF", 1, False) in valve.heard


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("more", "changes", "why"),
    [
        ({"litres": 5.0}, {}, "no_litres"),
        ({}, {"is_online": False}, "offline"),
        ({}, {"protocol": Node.Protocol.OPENSPRINKLER}, "max_s"),
    ],
)
def test_what_the_device_cannot_do_is_refused_with_the_reason(valve, output, more, changes, why):
    output.max_seconds = 86_400
    output.save()
    command = ask(output, 70_000, valve, **more)
    Node.objects.update(**changes)

    sent = send(valve)

    command.refresh_from_db()
    assert (sent, command.status, command.why) == (0, "rejected", why)
    assert valve.heard == []


@pytest.mark.django_db(transaction=True)
def test_a_command_that_is_too_old_is_not_sent(valve, output):
    command = ask(output, 60, valve)
    valve.now += timedelta(seconds=16)

    send(valve)
    commands.advance(at=valve.now)

    command.refresh_from_db()
    assert (command.status, valve.heard) == ("expired", [])


def test_a_retained_state_ends_only_what_we_have_seen_begin(valve, output):
    valve.say("tele/van-1/STATE", b'{"POWER1":"ON"}', is_retained=True)
    deliver(valve)
    output.refresh_from_db()
    assert (output.is_on, output.state_heard_at) == (False, NOON)

    Output.objects.update(is_on=True)
    valve.say("tele/van-1/STATE", b'{"POWER1":"OFF"}', is_retained=True)
    deliver(valve)

    output.refresh_from_db()
    assert output.is_on is False


def test_values_of_registered_channels_become_readings_of_the_moment(valve, output):
    air = make_channel(node=output.node, code="DHT11.Temperature", scale=1.0, offset=-0.5)
    valve.now += timedelta(milliseconds=400)

    for _ in range(2):  # the broker says it twice
        valve.say("tele/van-1/SENSOR", b'{"DHT11":{"Temperature":28.5,"Humidity":71}}')
    deliver(valve)

    reading = Reading.objects.get()
    assert (reading.channel_id, reading.t, reading.v) == (air.pk, NOON, 28.0)
    assert reading.flags == Flag.ESTIMATED
    assert LatestReading.objects.get().t == NOON
    assert DirtyHour.objects.count() == 1
    assert QuarantinedFrame.objects.count() == 0


def test_a_retained_value_never_looks_live(valve, output):
    make_channel(node=output.node, code="DHT11.Temperature")

    valve.say("tele/van-1/SENSOR", b'{"DHT11":{"Temperature":28.5}}', is_retained=True)
    deliver(valve)

    assert not LatestReading.objects.exists()
    assert not Reading.objects.exists()


def test_a_failed_sensor_and_an_impossible_value_are_told_apart(valve, output):
    make_channel(node=output.node, code="DHT11.Temperature")
    make_channel(node=output.node, code="DS18B20.Temperature", quantity="water_temperature")

    valve.say("tele/van-1/SENSOR", b'{"DHT11":{"Temperature":null},"DS18B20":{"Temperature":85.0}}')
    deliver(valve)

    assert LatestReading.objects.get().v is None
    complaint = QuarantinedFrame.objects.get()
    assert (complaint.reason, complaint.detail) == ("impossible", "DS18B20.Temperature")
    assert (complaint.topic, bytes(complaint.payload)) == ("tele/van-1/SENSOR", b"85.0")


def test_what_a_device_should_not_say_goes_into_quarantine(valve, output):
    valve.say("tele/van-1/LWT", b"???")
    deliver(valve)

    assert QuarantinedFrame.objects.get().reason == "malformed"
    assert QuarantinedFrame.objects.get().node == output.node


def test_a_stranger_is_passed_over(valve, output, django_assert_num_queries):
    valve.say("tele/someone-else/SENSOR", b"{")

    with django_assert_num_queries(1):
        deliver(valve)

    assert QuarantinedFrame.objects.count() == 0


def test_a_device_that_went_is_an_alarm_until_it_is_back(valve, output):
    valve.say("tele/van-1/LWT", b"Offline")
    deliver(valve)
    assert Alarm.objects.get().kind == "node_offline"

    valve.say("tele/van-1/LWT", b"Online")
    deliver(valve)

    assert Alarm.objects.get().cleared_at == NOON
    assert Node.objects.get().is_online is True


def test_the_topics_of_all_families_are_heard_and_their_presence_by_each_bridge():
    assert [handler.topic for handler in foreign.HANDLERS] == [
        "esphome/#",
        "tele/#",
        "stat/#",
        "zigbee2mqtt/#",
        "opensprinkler/#",
    ]
    assert foreign.HANDLERS[1].levels == (
        "tele/+/status",
        "tele/+/LWT",
        "tele/+/availability",
        "tele/availability",
    )


@pytest.mark.services
@pytest.mark.django_db(transaction=True)
def test_over_a_real_broker_a_run_reaches_the_device_and_its_state_comes_back(mqtt_url):
    root = f"esphome-{os.getpid()}"
    node = make_node(protocol=Node.Protocol.ESPHOME, topic=f"{root}/nm1", boot=None)
    output = make_output(node=node, code="valve-1")
    device = Client(CallbackAPIVersion.VERSION2)
    heard, stopping = [], threading.Event()

    def obey(client: Client, _userdata: object, message: Message) -> None:
        heard.append((message.topic.removeprefix(f"{root}/nm1/"), message.payload))
        if message.payload == b"ON":
            client.publish(f"{root}/nm1/switch/valve_1/state", b"ON", retain=True)

    def look() -> None:
        if Output.objects.filter(pk=output.pk, is_on=True).exists():
            stopping.set()

    device.on_message = obey
    host = mqtt_url.removeprefix("mqtt://").split(":")[0]
    device.connect(host)
    device.subscribe(f"{root}/nm1/+/+/command", qos=1)
    device.loop_start()
    command = commands.request_run(output=output, seconds=60, source=PERSON, at=timezone.now())
    handler = Handler(f"{root}/#", foreign.take_many)
    bridge = Bridge(mqtt_url, [handler], pumps=foreign.PUMPS, status_topic=f"{root}/portal")
    # The pulse is too slow to wait for: the device's state ends the test.
    handler_looks = Handler(f"{root}/nm1/switch/#", lambda _messages: look())
    bridge.handlers = [handler, handler_looks]
    guard = threading.Timer(10, stopping.set)
    guard.start()

    bridge.run(stopping, pulse=lambda: None)

    guard.cancel()
    device.publish(f"{root}/nm1/switch/valve_1/state", b"", retain=True).wait_for_publish(5)
    device.disconnect()
    device.loop_stop()
    command.refresh_from_db()
    assert heard == [
        ("number/valve_1_duration/command", b"60"),
        ("switch/valve_1/command", b"ON"),
    ]
    assert command.status == "started"


@pytest.mark.django_db(transaction=True)
def test_a_programmes_run_that_a_device_away_cannot_take_is_an_alarm(valve, output):
    rule = make_rule(zone=make_zone(greenhouse=output.node.greenhouse), outputs=[output])
    commands.request_run(
        output=output, seconds=60, source=Command.Source.SCHEDULE, rule=rule, at=valve.now
    )
    Node.objects.update(is_online=False)

    send(valve)

    alarm = Alarm.objects.get(kind="command_refused")
    assert (alarm.output, alarm.facts["reason"]) == (output, "offline")


@pytest.mark.django_db
@pytest.mark.parametrize("topic", ["zigbee2mqtt/van+1", "tele/#"])
def test_a_prefix_that_no_message_can_be_sent_under_is_refused(topic):
    node = make_node(protocol="zigbee2mqtt", topic=topic)

    with pytest.raises(ValidationError) as refused:
        node.full_clean()

    assert refused.value.message_dict == {
        "topic": ["Đầu chủ đề MQTT không được có dấu + hay dấu #."]
    }
