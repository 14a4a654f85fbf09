"""The bridge against a real broker."""

import os
import queue
import signal
import subprocess
import sys
import threading
import uuid
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.db import DataError, InterfaceError, OperationalError
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from common.mqtt import Bridge
from common.mqtt_handlers import Handler, Message, offer
from common.pumps import Pump
from commune_portal.mqtt import STATUS_TOPIC
from tests.conftest import NOON
from tests.waiting import wait_until

ROOT = Path(__file__).resolve().parents[2]
WAIT = 10
START = 60  # of a whole process on a busy machine


@pytest.fixture
def topic():
    return f"test/{uuid.uuid4().hex}"


@pytest.fixture
def other_side(mqtt_url):
    """Another client of the broker: gives (client, queue of what it hears)."""
    parts = urlsplit(mqtt_url)
    heard = queue.Queue()
    client = Client(CallbackAPIVersion.VERSION2)
    client.on_message = lambda _client, _userdata, message: heard.put(message)
    client.on_subscribe = lambda *_: heard.put("subscribed")
    client.connect(parts.hostname, parts.port or 1883)
    client.loop_start()
    yield client, heard
    client.disconnect()
    client.loop_stop()


def one_by_one(take):
    """Make a handler's function of one that takes (topic, payload)."""

    def take_many(messages):
        for message in messages:
            take(message.topic, message.payload)

    return take_many


@contextmanager
def running(bridge):
    """Run a bridge beside the test; entered when it has connected."""
    stopping, connected = threading.Event(), threading.Event()
    thread = threading.Thread(target=bridge.run, args=(stopping,), kwargs={"pulse": connected.set})
    thread.start()
    try:
        assert connected.wait(WAIT)
        yield
    finally:
        stopping.set()
        thread.join(WAIT)
        assert not thread.is_alive()


def status_heard(heard):
    return heard.get(timeout=WAIT).payload


def test_the_bridge_says_online_and_offline_for_all_who_come_later(mqtt_url, topic, other_side):
    client, heard = other_side
    client.subscribe(topic, qos=1)
    assert heard.get(timeout=WAIT) == "subscribed"

    with running(Bridge(mqtt_url, [], status_topic=topic)):
        first = status_heard(heard)
    last = status_heard(heard)

    assert (first, last) == (b"online", b"offline")
    client.publish(topic, b"", qos=1, retain=True).wait_for_publish(WAIT)


def test_a_handler_gets_what_its_reader_made_of_a_message_or_the_bare_message(
    mqtt_url, topic, other_side
):
    taken = queue.Queue()
    threads = set()

    def read(_topic, payload):
        threads.add(threading.current_thread().name)
        return int(payload)

    def take_many(messages):
        threads.add(threading.current_thread().name)
        for message in messages:
            taken.put((message.payload, message.read))

    with running(Bridge(mqtt_url, [Handler(f"{topic}/#", take_many, read=read)])):
        for payload in (b"7", b"seven"):
            other_side[0].publish(f"{topic}/a", payload, qos=1)
        heard = [taken.get(timeout=WAIT) for _ in range(2)]

    assert heard == [(b"7", 7), (b"seven", None)]
    assert len(threads) == 2


def test_a_message_goes_to_every_handler_of_its_topic_and_to_no_other(mqtt_url, topic, other_side):
    taken = queue.Queue()
    handlers = [
        Handler(f"{topic}/+/soil", one_by_one(lambda *said: taken.put(("soil", *said)))),
        Handler(f"{topic}/#", one_by_one(lambda *said: taken.put(("all", *said)))),
        Handler(f"{topic}/+/air", one_by_one(lambda *said: taken.put(("air", *said)))),
    ]

    with running(Bridge(mqtt_url, handlers, status_topic=f"{topic}-status")):
        other_side[0].publish(f"{topic}/1/soil", b"42", qos=1)
        first, second = taken.get(timeout=WAIT), taken.get(timeout=WAIT)

    assert first == ("soil", f"{topic}/1/soil", b"42")
    assert second == ("all", f"{topic}/1/soil", b"42")
    assert taken.empty()


@pytest.mark.slow  # the bridge waits a second before it asks again
def test_what_the_database_could_not_take_comes_again(mqtt_url, topic, other_side):
    tries = queue.Queue()

    def take(where, payload):
        tries.put(payload)
        if tries.qsize() == 1:
            raise OperationalError

    bridge = Bridge(
        f"{mqtt_url}?client_id={uuid.uuid4().hex}",
        [Handler(topic, one_by_one(take))],
        status_topic=f"{topic}-s",
    )
    with running(bridge):
        other_side[0].publish(topic, b"one", qos=1)
        wait_until(lambda: tries.qsize() >= 2, seconds=WAIT)

    assert list(tries.queue) == [b"one", b"one"]


def test_a_message_that_breaks_a_handler_does_not_block_the_next(mqtt_url, topic, other_side):
    taken = queue.Queue()

    def take(where, payload):
        taken.put(int(payload))

    with running(
        Bridge(mqtt_url, [Handler(topic, one_by_one(take))], status_topic=f"{topic}-status")
    ):
        other_side[0].publish(topic, b"no number", qos=1)
        other_side[0].publish(topic, b"7", qos=1)
        number = taken.get(timeout=WAIT)

    assert number == 7


def test_what_comes_together_is_handed_over_together_and_in_order(mqtt_url, topic, other_side):
    batches = queue.Queue()
    first_is_there, go_on = threading.Event(), threading.Event()

    def take_many(messages):
        batches.put([int(message.payload) for message in messages])
        first_is_there.set()
        go_on.wait(WAIT)

    with running(Bridge(mqtt_url, [Handler(topic, take_many)], status_topic=f"{topic}-status")):
        other_side[0].publish(topic, b"0", qos=1)
        assert first_is_there.wait(WAIT)
        for number in range(1, 19):  # as many as a broker has in flight by default, less the first
            other_side[0].publish(topic, str(number).encode(), qos=1).wait_for_publish(WAIT)
        go_on.set()
        first, second = batches.get(timeout=WAIT), batches.get(timeout=WAIT)

    assert (first, second) == ([0], list(range(1, 19)))


def test_the_broker_is_listened_to_while_a_batch_is_at_work(mqtt_url, topic, other_side):
    client, heard = other_side
    is_at_work, go_on = threading.Event(), threading.Event()

    def take_many(messages):
        is_at_work.set()
        go_on.wait(WAIT)

    bridge = Bridge(mqtt_url, [Handler(f"{topic}/in", take_many)], status_topic=f"{topic}/status")
    with running(bridge):
        client.publish(f"{topic}/in", b"1", qos=1)
        assert is_at_work.wait(WAIT)
        client.subscribe(f"{topic}/status", qos=1)
        while heard.get(timeout=WAIT) != "subscribed":
            pass
        client.publish(f"{topic}/status", b"offline", qos=1)
        while status_heard(heard) != b"offline":
            pass
        answer = status_heard(heard)
        go_on.set()

    assert answer == b"online"
    client.publish(f"{topic}/status", b"", qos=1, retain=True).wait_for_publish(WAIT)


def test_a_message_that_cannot_be_sent_stops_neither_the_next_nor_the_bridge(
    mqtt_url, topic, other_side
):
    client, heard = other_side
    client.subscribe(f"{topic}/out", qos=1)
    assert heard.get(timeout=WAIT) == "subscribed"

    def speak(publish):
        publish(f"{topic}/+/set", b"nobody", 1, False)
        publish(f"{topic}/out", b"somebody", 1, False)

    handler = Handler(f"{topic}/in", lambda messages: None)
    bridge = Bridge(
        mqtt_url, [handler], pumps=[Pump(3600, speak, is_eager=True)], status_topic=f"{topic}-s"
    )
    with running(bridge):
        first = heard.get(timeout=WAIT).payload
        client.publish(f"{topic}/in", b"1", qos=1)
        second = heard.get(timeout=WAIT).payload

    assert (first, second) == (b"somebody", b"somebody")


def test_nothing_is_sent_between_a_lost_connection_and_the_next(
    mqtt_url, topic, other_side, caplog
):
    caplog.set_level("INFO", logger="common.mqtt")
    is_at_work, go_on, spoke = threading.Event(), threading.Event(), queue.Queue()
    name = uuid.uuid4().hex

    def take_many(messages):
        is_at_work.set()
        go_on.wait(WAIT)

    def connections():
        return caplog.text.count("mqtt connected")

    bridge = Bridge(
        f"{mqtt_url}?client_id={name}",
        [Handler(f"{topic}/in", take_many)],
        pumps=[Pump(3600, lambda publish: spoke.put(connections()), is_eager=True)],
        status_topic=f"{topic}-s",
    )
    with running(bridge):
        assert spoke.get(timeout=WAIT) == 1
        other_side[0].publish(f"{topic}/in", b"1", qos=1)
        assert is_at_work.wait(WAIT)
        parts = urlsplit(mqtt_url)
        twin = Client(CallbackAPIVersion.VERSION2, client_id=name, reconnect_on_failure=False)
        twin.connect(parts.hostname, parts.port or 1883)  # the broker drops the older of the two
        twin.loop_start()
        wait_until(lambda: "mqtt disconnected" in caplog.text, seconds=WAIT)
        go_on.set()
        next_word_in = spoke.get(timeout=WAIT)
        twin.loop_stop()

    assert next_word_in == 2


def test_what_the_worker_took_is_acknowledged_before_the_bridge_leaves(mqtt_url, topic, other_side):
    taken, is_at_it = queue.Queue(), threading.Event()

    def take(where, payload):
        is_at_it.set()
        taken.put(payload)

    url = f"{mqtt_url}?client_id={uuid.uuid4().hex}"
    handler = Handler(topic, one_by_one(take))
    with running(Bridge(url, [handler], status_topic=f"{topic}-status")):
        other_side[0].publish(topic, b"one", qos=1)
        assert is_at_it.wait(WAIT)
    with running(Bridge(url, [handler], status_topic=f"{topic}-status")):
        other_side[0].publish(topic, b"two", qos=1)
        heard = [taken.get(timeout=WAIT), taken.get(timeout=WAIT)]

    assert heard == [b"one", b"two"]
    assert taken.empty()


def test_of_a_batch_only_the_message_that_breaks_it_is_dropped():
    taken = []

    def take_many(messages):
        numbers = [int(message.payload) for message in messages]
        taken.extend(numbers)

    payloads = [b"1", b"2", b"none", b"3", b"4"]
    offer(take_many, [Message("t", payload, False, NOON) for payload in payloads])

    assert taken == [1, 2, 3, 4]


def test_a_value_that_the_database_refuses_does_not_stop_the_others():
    taken = []

    def take_many(messages):
        if any(message.payload == b"too much" for message in messages):
            raise DataError
        taken.extend(message.payload for message in messages)

    offer(take_many, [Message("t", payload, False, NOON) for payload in (b"1", b"too much", b"2")])

    assert taken == [b"1", b"2"]


@pytest.mark.parametrize("error", [OperationalError, InterfaceError])
def test_a_database_that_is_away_is_nobodys_fault(error):
    def take_many(messages):
        raise error

    with pytest.raises(error):
        offer(take_many, [Message("t", b"1", False, NOON)])


def test_retained_messages_are_told_from_live_ones(mqtt_url, topic, other_side):
    taken = queue.Queue()
    other_side[0].publish(topic, b"old", qos=1, retain=True).wait_for_publish(WAIT)

    with running(
        Bridge(
            mqtt_url,
            [Handler(topic, lambda messages: [taken.put(one) for one in messages])],
            status_topic=f"{topic}-status",
        )
    ):
        old = taken.get(timeout=WAIT)
        other_side[0].publish(topic, b"new", qos=1)
        new = taken.get(timeout=WAIT)

    assert [(one.payload, one.is_retained) for one in (old, new)] == [
        (b"old", True),
        (b"new", False),
    ]
    other_side[0].publish(topic, b"", qos=1, retain=True).wait_for_publish(WAIT)


def test_pumps_run_in_time_and_eager_ones_after_each_batch_though_another_fails(
    mqtt_url, topic, other_side
):
    client, heard = other_side
    client.subscribe(f"{topic}/out", qos=1)
    assert heard.get(timeout=WAIT) == "subscribed"
    pumps = [
        Pump(3600, lambda publish: 1 / 0),
        Pump(3600, lambda publish: publish(f"{topic}/out", b"eager", 1, False), is_eager=True),
        Pump(3600, lambda publish: publish(f"{topic}/out", b"lazy", 1, False)),
    ]
    handler = Handler(f"{topic}/in", lambda messages: None)

    with running(Bridge(mqtt_url, [handler], pumps=pumps, status_topic=f"{topic}-status")):
        at_once = [heard.get(timeout=WAIT).payload for _ in range(2)]
        client.publish(f"{topic}/in", b"1", qos=1)
        after_a_batch = heard.get(timeout=WAIT).payload

    assert (at_once, after_a_batch) == ([b"eager", b"lazy"], b"eager")
    assert heard.empty()


def test_of_several_bridges_each_message_goes_to_one(mqtt_url, topic, other_side):
    taken = queue.Queue()
    url = f"{mqtt_url}?share={topic.replace('/', '-')}"

    def bridge(name):
        handler = Handler(
            f"{topic}/#",
            lambda messages: [taken.put((name, int(one.payload))) for one in messages],
        )
        return Bridge(url, [handler], status_topic=f"{topic}-status")

    with running(bridge("a")), running(bridge("b")):
        for number in range(20):
            other_side[0].publish(f"{topic}/{number}", str(number).encode(), qos=1)
        got = [taken.get(timeout=WAIT) for _ in range(20)]

    assert sorted(number for _, number in got) == list(range(20))
    assert {name for name, _ in got} == {"a", "b"}
    assert taken.empty()


def test_the_bridge_that_stays_says_so_when_another_leaves(mqtt_url, topic, other_side):
    client, heard = other_side
    client.subscribe(topic, qos=1)
    assert heard.get(timeout=WAIT) == "subscribed"

    with running(Bridge(mqtt_url, [], status_topic=topic)):
        with running(Bridge(mqtt_url, [], status_topic=topic)):
            pass
        said = [heard.get(timeout=WAIT).payload for _ in range(4)]

    assert said == [b"online", b"online", b"offline", b"online"]
    client.publish(topic, b"", qos=1, retain=True).wait_for_publish(WAIT)


@pytest.mark.slow  # starts the real process
def test_a_killed_bridge_is_announced_as_offline_by_the_broker(mqtt_url, other_side, tmp_path):
    client, heard = other_side
    client.subscribe(STATUS_TOPIC, qos=1)
    while heard.get(timeout=WAIT) != "subscribed":
        pass
    process = subprocess.Popen(
        [sys.executable, "manage.py", "mqtt_bridge"],
        cwd=ROOT,
        env=os.environ | {"MQTT_URL": mqtt_url, "DATABASE_URL": f"sqlite:///{tmp_path / 'none'}"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        while heard.get(timeout=START).payload != b"online":
            pass

        process.send_signal(signal.SIGKILL)
        process.wait(WAIT)

        # It says "online" twice where an "offline" of before was kept.
        while status_heard(heard) != b"offline":
            pass
    finally:
        process.kill()
        process.wait(WAIT)


@pytest.mark.slow  # starts the real process
def test_the_process_ends_cleanly_within_seconds_of_sigterm_without_any_broker(tmp_path):
    process = subprocess.Popen(
        [sys.executable, "manage.py", "mqtt_bridge"],
        cwd=ROOT,
        env=os.environ
        | {
            "LOG_LEVEL": "INFO",
            "MQTT_URL": "mqtt://127.0.0.1:9",
            "DATABASE_URL": f"sqlite:///{tmp_path / 'none'}",
        },
        stderr=subprocess.PIPE,
        text=True,
    )
    for line in process.stderr:
        if "broker is away" in line:
            break

    process.terminate()

    assert process.wait(5) == 0
    process.stderr.close()
