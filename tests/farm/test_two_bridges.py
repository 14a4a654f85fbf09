"""Two bridges that share one subscription, as real processes: together they do the work of one.

Who took what is told by the broker's own log: it writes down each message that it hands to a
client, and each PUBACK by which that client says that it has committed it.
"""

import contextlib
import json
import re
import signal
import subprocess
import threading
from collections import Counter
from datetime import timedelta
from typing import NamedTuple

import pytest
from django.db import connection
from django.utils import timezone
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from farm.models import Alarm, BootSequence, Channel, Output, QuarantinedFrame, Reading
from tests.farm.broker import Mosquitto, mosquitto_or_skip, start_bridge
from tests.farm.factories import make_channel, make_greenhouse, make_node
from tests.waiting import PATIENCE, wait_until

pytestmark = [
    pytest.mark.services,
    pytest.mark.postgres,
    pytest.mark.slow,  # a broker and two processes start, and thousands of frames pass
    pytest.mark.django_db(transaction=True),
]
NODES = ("n0", "n1", "n2", "n3", "n4", "n5")
CODES = ("air_t", "rh_2")
FRAMES = 800  # of each controller
FARM = "farm/v1/+/+/#"
MESSAGES = len(NODES) * FRAMES
SENT = re.compile(r"Sending PUBLISH to (\w+) \(d(\d), q1, r(\d), m(\d+), '([^']+)'")
SUBSCRIBED = re.compile(r": (\w+) 1 (\S+)$")
CONFIRMED = re.compile(r"Received PUBACK from (\w+) \(Mid: (\d+)")


class Handed(NamedTuple):
    """One message that the broker handed to a client."""

    client: str
    topic: str
    is_repeated: bool
    is_retained: bool

    @property
    def is_frame(self):
        return self.topic.endswith("/tele")


class WatchedMosquitto(Mosquitto):
    """A broker that writes down whom it gave what, and who confirmed it."""

    def __init__(self, folder):
        super().__init__(folder)
        self._log = folder / "log"
        self._log.touch()
        with self.settings.open("a", encoding="utf-8") as settings:
            # This broker is not killed: to write all down at each change would take the longest.
            settings.write(f"log_type all\nlog_dest file {self._log}\nautosave_interval 0\n")
            settings.write("autosave_on_changes false\n")
        self.subscribed, self.handed, self.confirmed = set(), [], []
        self._waiting = {}
        self._unread, self._rest = self._log.open(encoding="utf-8"), ""

    def __exit__(self, *_):
        super().__exit__()
        self._unread.close()

    def read_on(self):
        """Read what has been written since the last time."""
        *lines, self._rest = (self._rest + self._unread.read()).split("\n")
        for line in lines:
            if sent := SENT.search(line):
                client, is_repeated, is_retained, number, topic = sent.groups()
                one = Handed(client, topic, is_repeated == "1", is_retained == "1")
                self.handed.append(one)
                self._waiting[client, number] = one
            elif puback := CONFIRMED.search(line):
                self.confirmed.append(self._waiting.pop(puback.groups()))
            elif subscribed := SUBSCRIBED.search(line):
                self.subscribed.add(subscribed.groups())
        return self

    def confirmed_frames(self):
        """Count the frames that each bridge has confirmed."""
        return Counter(one.client for one in self.read_on().confirmed if one.is_frame)

    def unconfirmed_frames(self, client):
        """Count the frames that a bridge was given and has not confirmed."""
        self.read_on()
        return sum(one.is_frame for (name, _), one in self._waiting.items() if name == client)


@pytest.fixture
def broker(tmp_path):
    mosquitto_or_skip()
    folder = tmp_path / "broker"
    folder.mkdir()
    with WatchedMosquitto(folder) as running:
        yield running


@pytest.fixture
def house():
    return make_greenhouse(code="nm1")


@pytest.fixture
def nodes(house):
    """Controllers that are known, with channels for anything."""
    for name in NODES:
        node = make_node(greenhouse=house, name=name, boot=1)
        for code in CODES:
            make_channel(node=node, code=code, quantity="other")


@pytest.fixture
def bridges(broker, tmp_path):
    """Start a bridge by its letter; at the end all leave, and none has complained."""
    complaints = tmp_path / "complaints"
    running = {}
    with complaints.open("wb") as stderr, contextlib.ExitStack() as stack:

        def start(letter):
            running[letter] = start_bridge(
                broker,
                database_url(),
                query=f"client_id={letter}&share=portal",
                log_level="ERROR",
                stderr=stderr,
            )
            stack.callback(end, running[letter])
            return running[letter]

        yield start
    assert complaints.read_text(encoding="utf-8") == ""


def end(bridge):
    bridge.terminate()
    try:
        bridge.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        bridge.kill()
        raise


def database_url():
    """Give the tests' own database where another process can reach it."""
    parts = connection.settings_dict
    place = f"{parts['HOST']}:{parts['PORT'] or 5432}/{parts['NAME']}"
    return f"postgres://{parts['USER']}:{parts['PASSWORD']}@{place}"


@contextlib.contextmanager
def controllers(broker):
    """A client that speaks for all controllers, and repeats what the broker has not confirmed."""
    client = Client(CallbackAPIVersion.VERSION2, client_id="controllers", clean_session=False)
    client.max_queued_messages_set(0)
    client.connect("127.0.0.1", broker.port)
    client.loop_start()
    try:
        yield client
    finally:
        client.disconnect()
        client.loop_stop()


def wait_for_both(broker):
    """Wait until both bridges hold the shared subscription."""
    wanted = {(letter, f"$share/portal/{FARM}") for letter in "ab"}
    wait_until(lambda: wanted <= broker.read_on().subscribed)


def both_have_confirmed(broker):
    shares = broker.confirmed_frames()
    return shares["a"] > 0 and shares["b"] > 0


def retained_by_a_share(broker):
    """Tell how often this broker hands a retained message to a shared subscription.

    Never, says MQTT 5; mosquitto 2.0.11 does it once all the same. Then only a second copy shows
    that the bridge has listened beside its share.
    """
    done = threading.Semaphore(0)
    client = Client(CallbackAPIVersion.VERSION2, client_id="probe")
    client.on_subscribe = lambda *_: done.release()
    client.connect("127.0.0.1", broker.port)
    client.loop_start()
    try:
        # The second answer comes after all that the first subscription has brought.
        for name in (f"$share/probe/{FARM}", "nothing"):
            client.subscribe(name, 1)
            assert done.acquire(timeout=PATIENCE)
    finally:
        client.disconnect()
        client.loop_stop()
    topics = Counter(one.topic for one in broker.read_on().handed if one.client == "probe")
    return max(topics.values(), default=0)


def burst(client):
    """Let all controllers send all of their frames, in turn."""
    began = timezone.now() - timedelta(seconds=FRAMES)
    for seq in range(FRAMES):
        for place, name in enumerate(NODES):
            client.publish(f"farm/v1/nm1/{name}/tele", tele(place, seq, began), qos=1)


def tele(place, seq, began):
    """Every tenth frame has no clock: no key tells its doubles."""
    stamp = (
        {"t": round((began.timestamp() + seq) * 1000)}
        if seq % 10
        else {"up": seq * 1000 + 500, "now": 2 * FRAMES * 1000}
    )
    values = dict.fromkeys(CODES, value(place, seq))
    return json.dumps(stamp | {"boot": 1, "seq": seq, "m": values}).encode()


def value(place, seq):
    """One that no other frame has, and that a single-precision column holds exactly."""
    return place * 1000 + seq / 2


def every_reading_once():
    return sorted(
        (name, code, value(place, seq))
        for place, name in enumerate(NODES)
        for code in CODES
        for seq in range(FRAMES)
    )


def readings():
    channels = {
        channel.pk: (channel.node.name, channel.code)
        for channel in Channel.objects.select_related("node")
    }
    return sorted(
        (*channels[channel_id], v)
        for channel_id, v in Reading.objects.values_list("channel_id", "v")
    )


def ranges():
    return dict(BootSequence.objects.values_list("node__name", "ranges"))


def test_a_burst_is_divided_between_two_bridges_and_every_reading_is_there_once(
    broker, nodes, bridges
):
    bridges("a")
    bridges("b")
    wait_for_both(broker)

    with controllers(broker) as client:
        burst(client)
        wait_until(lambda: broker.confirmed_frames().total() >= MESSAGES)

    shares = broker.confirmed_frames()
    assert sum(one.is_frame for one in broker.handed) == MESSAGES
    assert shares["a"] + shares["b"] == MESSAGES
    assert both_have_confirmed(broker)
    assert readings() == every_reading_once()
    assert ranges() == {name: [[0, FRAMES - 1]] for name in NODES}
    assert not QuarantinedFrame.objects.exists()


def test_a_bridge_killed_with_9_in_the_burst_loses_and_doubles_nothing(broker, nodes, bridges):
    killed = bridges("a")
    bridges("b")
    wait_for_both(broker)

    with controllers(broker) as client:
        burst(client)
        wait_until(lambda: both_have_confirmed(broker))
        killed.send_signal(signal.SIGSTOP)  # wherever it is
        wait_until(lambda: broker.unconfirmed_frames("a") > 0)
        killed.kill()
        killed.wait(PATIENCE)
        after_the_kill = Reading.objects.count()
        bridges("a")
        wait_until(lambda: broker.confirmed_frames().total() >= MESSAGES)

    repeated = {one.client for one in broker.handed if one.is_frame and one.is_repeated}
    assert after_the_kill < MESSAGES * len(CODES)
    assert repeated == {"a"}  # it died over messages that it had not confirmed
    assert broker.confirmed_frames().total() == MESSAGES
    assert readings() == every_reading_once()
    assert ranges() == {name: [[0, FRAMES - 1]] for name in NODES}
    assert not QuarantinedFrame.objects.exists()


def test_what_was_retained_before_two_bridges_started_is_heard_by_both_and_recorded_once(
    broker, house, bridges
):
    here = make_node(greenhouse=house, name="n0", boot=1, is_online=False)
    gone = make_node(greenhouse=house, name="n1", boot=1, is_online=True)
    birth = {
        "v": 1, "boot": 2, "t": round(timezone.now().timestamp() * 1000), "seq": 0, "cfg": 0,
        "fw": "pl-0.3.1", "ch": {"air_t": {"u": "degC", "k": "air_temperature"}},
        "out": {"valve-1": {"k": "valve", "max_s": 900, "flow": [4, 8]}}, "buf": 0,
    }  # fmt: skip
    levels = {
        "farm/v1/nm1/n0/birth": json.dumps(birth).encode(),
        "farm/v1/nm1/n0/status": b"online",
        "farm/v1/nm1/n1/status": b"offline",
    }
    with controllers(broker) as client:
        for topic, payload in levels.items():
            client.publish(topic, payload, qos=1, retain=True).wait_for_publish(PATIENCE)
    by_the_share = retained_by_a_share(broker)

    def heard():
        return Counter(
            (one.client, one.topic)
            for one in broker.read_on().confirmed
            if one.client in "ab" and one.topic in levels
        )

    bridges("a")
    bridges("b")
    wait_until(lambda: heard().total() >= 2 * len(levels) * (1 + by_the_share))

    here.refresh_from_db()
    gone.refresh_from_db()
    assert heard() == {(letter, topic): 1 + by_the_share for letter in "ab" for topic in levels}
    assert (here.boot, here.firmware, here.is_online) == (2, "pl-0.3.1", True)
    assert (gone.boot, gone.is_online) == (1, False)
    assert list(Channel.objects.values_list("node", "code")) == [(here.pk, "air_t")]
    assert list(Output.objects.values_list("node", "code")) == [(here.pk, "valve-1")]
    assert list(Alarm.objects.values_list("node", "kind")) == [(gone.pk, "node_offline")]
    assert not QuarantinedFrame.objects.exists()
