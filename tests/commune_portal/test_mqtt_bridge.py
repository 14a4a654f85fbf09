"""The bridge against a real broker."""

import os
import queue
import signal
import subprocess
import sys
import threading
import time
import uuid
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.db import OperationalError
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from common.mqtt import STATUS_TOPIC, Bridge, Handler

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


def test_a_message_goes_to_every_handler_of_its_topic_and_to_no_other(mqtt_url, topic, other_side):
    taken = queue.Queue()
    handlers = [
        Handler(f"{topic}/+/soil", lambda where, payload: taken.put(("soil", where, payload))),
        Handler(f"{topic}/#", lambda where, payload: taken.put(("all", where, payload))),
        Handler(f"{topic}/+/air", lambda where, payload: taken.put(("air", where, payload))),
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
        [Handler(topic, take)],
        status_topic=f"{topic}-s",
    )
    with running(bridge):
        other_side[0].publish(topic, b"one", qos=1)
        deadline = time.monotonic() + WAIT
        while tries.qsize() < 2 and time.monotonic() < deadline:
            threading.Event().wait(0.05)

    assert list(tries.queue) == [b"one", b"one"]


def test_a_message_that_breaks_a_handler_does_not_block_the_next(mqtt_url, topic, other_side):
    taken = queue.Queue()

    def take(where, payload):
        taken.put(int(payload))

    with running(Bridge(mqtt_url, [Handler(topic, take)], status_topic=f"{topic}-status")):
        other_side[0].publish(topic, b"no number", qos=1)
        other_side[0].publish(topic, b"7", qos=1)
        number = taken.get(timeout=WAIT)

    assert number == 7


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

        assert status_heard(heard) == b"offline"
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
