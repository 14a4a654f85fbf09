"""Real processes, killed at work: what the broker has taken is stored once, whatever dies."""

import contextlib
import json
import queue
import sqlite3
import threading
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from common.mqtt import Bridge
from commune_portal.mqtt import HANDLERS, PUMPS, STATUS_TOPIC
from farm.models import BootSequence, Reading
from farm.services import frame_gaps
from tests.farm.broker import Mosquitto, mosquitto_or_skip, start_bridge
from tests.farm.factories import make_channel, make_greenhouse, make_node
from tests.waiting import PATIENCE as WAIT
from tests.waiting import wait_until

pytestmark = [
    pytest.mark.services,
    pytest.mark.slow,  # processes and brokers start, die and start again
    pytest.mark.django_db(transaction=True),
]
FRAMES = 2000
CODES = ("air_t", "rh_2", "ec_3")


@pytest.fixture
def broker(tmp_path):
    mosquitto_or_skip()
    folder = tmp_path / "broker"
    folder.mkdir()
    with Mosquitto(folder) as running:
        yield running


@pytest.fixture
def node():
    node = make_node(greenhouse=make_greenhouse(code="nm1"), name="n7", boot=1)
    for code in CODES:
        make_channel(node=node, code=code, quantity="other")
    return node


class Database:
    """The rows as the test made them, where another process can reach them, too."""

    def __init__(self, folder):
        self.file = folder / "portal.sqlite3"
        if connection.vendor == "postgresql":
            parts = connection.settings_dict
            self.url = (
                f"postgres://{parts['USER']}:{parts['PASSWORD']}@{parts['HOST']}:"
                f"{parts['PORT'] or 5432}/{parts['NAME']}"
            )
        else:
            self.url = f"sqlite:///{self.file}"
            with contextlib.closing(sqlite3.connect(self.file)) as copy:
                connection.connection.backup(copy)

    def ask(self, question):
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute(question)
                return cursor.fetchone()[0]
        with contextlib.closing(sqlite3.connect(self.file, timeout=20)) as reader:
            return reader.execute(question).fetchone()[0]

    def count(self):
        return self.ask("SELECT count(*) FROM farm_reading")

    def break_off(self):
        """End every other session, as a restart of the server does."""
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                    "WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )


@contextlib.contextmanager
def controller(broker, *filters):
    """A client that, like a controller, repeats what the broker has not confirmed."""
    heard = queue.Queue()
    client = Client(CallbackAPIVersion.VERSION2, client_id="n7", clean_session=False)
    client.reconnect_delay_set(0.1, 0.5)
    client.max_queued_messages_set(0)
    client.on_message = lambda _c, _u, message: heard.put(message)
    client.on_connect = lambda *_: client.subscribe([(one, 1) for one in filters or ("none",)])
    client.connect("127.0.0.1", broker.port)
    client.loop_start()
    try:
        yield client, heard
    finally:
        client.disconnect()
        client.loop_stop()


def tele(seq, began):
    """Every other frame has no clock: no key tells its doubles."""
    values = dict.fromkeys(CODES, seq / 2)
    stamp = (
        {"t": round((began.timestamp() + seq) * 1000)}
        if seq % 2
        else {"up": seq * 1000 + 500, "now": 2 * FRAMES * 1000}
    )
    return json.dumps(stamp | {"boot": 1, "seq": seq, "m": values}).encode()


def test_a_killed_bridge_a_restarted_broker_and_a_broken_database_lose_and_double_nothing(
    broker, node, tmp_path
):
    database = Database(tmp_path)
    began = timezone.now() - timedelta(seconds=FRAMES)
    bridge = start_bridge(broker, database.url)
    try:
        with controller(broker, STATUS_TOPIC) as (client, heard):
            assert heard.get(timeout=WAIT).payload == b"online"
            for seq in range(FRAMES):
                client.publish("farm/v1/nm1/n7/tele", tele(seq, began), qos=1)
            wait_until(lambda: database.count() > 0)
            bridge.kill()
            bridge.wait(WAIT)
            after_the_kill = database.count()
            bridge = start_bridge(broker, database.url)
            wait_until(lambda: database.count() > after_the_kill)
            database.break_off()
            broker.stop()
            broker.start()
            wait_until(lambda: database.count() >= FRAMES * len(CODES))
            wait_until(client.is_connected)
            last = client.publish("farm/v1/nm1/n7/tele", tele(FRAMES, began), qos=1)
            last.wait_for_publish(WAIT)
            wait_until(lambda: database.ask("SELECT max(v) FROM farm_reading") == FRAMES / 2)
    finally:
        bridge.terminate()
        ended = bridge.wait(WAIT)

    assert after_the_kill < FRAMES * len(CODES)
    assert database.count() == (FRAMES + 1) * len(CODES)
    assert database.ask("SELECT sum(v) FROM farm_reading") == len(CODES) * sum(
        seq / 2 for seq in range(FRAMES + 1)
    )
    assert ended == 0


@pytest.mark.postgres
def test_what_a_broker_killed_with_9_has_forgotten_is_asked_for_again(broker, node, monkeypatch):
    monkeypatch.setattr(frame_gaps, "GAP_PATIENCE", timedelta(seconds=0.2))
    began = timezone.now() - timedelta(seconds=FRAMES)
    stopping, connected = threading.Event(), threading.Event()
    bridge = Bridge(
        f"mqtt://127.0.0.1:{broker.port}/?client_id=farm",
        HANDLERS,
        pumps=PUMPS,
        status_topic=STATUS_TOPIC,
    )

    def run():
        bridge.run(stopping, pulse=connected.set)
        connection.close()

    def next_resend():
        while (order := json.loads(heard.get(timeout=WAIT).payload))["op"] != "resend":
            pass
        return order

    thread = threading.Thread(target=run)
    try:
        with controller(broker, "farm/v1/nm1/n7/cmd") as (client, heard):
            client.publish("farm/v1/nm1/n7/status", b"online", qos=1).wait_for_publish(WAIT)
            thread.start()
            assert connected.wait(WAIT)
            client.publish("farm/v1/nm1/n7/tele", tele(0, began), qos=1)
            wait_until(lambda: Reading.objects.count() == 3)

            broker.kill()
            wait_until(lambda: not client.is_connected())
            broker.start()
            wait_until(client.is_connected)
            # 1 to 4 came to the broker alone and died with it.
            client.publish("farm/v1/nm1/n7/tele", tele(5, began), qos=1)
            order = next_resend()
            for seq in range(order["from"], order["to"] + 1):
                client.publish("farm/v1/nm1/n7/tele", tele(seq, began), qos=1)
            wait_until(lambda: Reading.objects.count() == 6 * 3)
    finally:
        stopping.set()
        thread.join(WAIT)

    assert (order["from"], order["to"]) == (1, 4)
    assert BootSequence.objects.get().ranges == [[0, 5]]
