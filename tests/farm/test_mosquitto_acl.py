"""The production ACL, in a broker of its own: a controller speaks only for itself."""

import queue
from contextlib import contextmanager

import pytest
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from tests.farm.broker import ROOT, Mosquitto, mosquitto_or_skip

pytestmark = [pytest.mark.services, pytest.mark.slow]  # starts brokers and waits for silence
WAIT = 10
BASE = "farm/v1/nm1/n7"
SAYS = [
    "status", "birth", "tele", "tele/batch", "out/valve-1/state", "ack", "event", "cfg/ack",
]  # fmt: skip
USERS = ("portal", "n7", "n8")


@pytest.fixture(scope="module")
def broker(tmp_path_factory):
    mosquitto_or_skip()
    folder = tmp_path_factory.mktemp("acl")
    acl = folder / "acl"
    acl.write_text((ROOT / "deploy/mosquitto/acl").read_text(encoding="utf-8"), encoding="utf-8")
    acl.chmod(0o700)
    with Mosquitto(folder, users=USERS, acl=acl) as running:
        yield running


@contextmanager
def client_of(broker, user, *filters):
    """Connect as a user; gives (client, queue of what it hears as (topic, payload))."""
    heard, ready = queue.Queue(), queue.Queue()
    client = Client(CallbackAPIVersion.VERSION2, client_id=f"test-{user}")
    client.username_pw_set(user, user)
    client.on_message = lambda _c, _u, message: heard.put((message.topic, message.payload))
    client.on_subscribe = lambda *_: ready.put(True)
    client.on_connect = lambda *_: ready.put(True)
    client.connect("127.0.0.1", broker.port)
    client.loop_start()
    assert ready.get(timeout=WAIT)
    if filters:
        client.subscribe([(one, 1) for one in filters])
        assert ready.get(timeout=WAIT)
    try:
        yield client, heard
    finally:
        client.disconnect()
        client.loop_stop()


def heard_until_end(heard):
    topics = []
    while (one := heard.get(timeout=WAIT))[1] != b"end":
        topics.append(one[0])
    return topics


def test_a_controller_says_all_that_the_contract_lets_it_and_nothing_else(broker):
    refused = [
        "farm/v1/nm1/n8/tele", "farm/v1/nm1/n7/cmd", "farm/v1/nm1/n7/cfg", "farm/v1/server/tick",
        "farm/v1/server/status", "farm/v1/nm1/n7/out/valve-1/cmd", "farm/v1/nm1/n7/tele/other",
        "portal/status", "homeassistant/device/n7/config",
    ]  # fmt: skip

    with client_of(broker, "portal", "#") as (portal, heard), client_of(broker, "n7") as (node, _):
        for topic in [*refused, *(f"{BASE}/{kind}" for kind in SAYS)]:
            node.publish(topic, b"x", qos=1).wait_for_publish(WAIT)
        portal.publish("test/end", b"end", qos=1)
        topics = heard_until_end(heard)

    assert topics == [f"{BASE}/{kind}" for kind in SAYS]


def test_a_controller_hears_its_commands_its_config_and_the_server_and_nothing_else(broker):
    told = [f"{BASE}/cmd", f"{BASE}/cfg", "farm/v1/server/tick", "farm/v1/server/status"]
    not_told = ["farm/v1/nm1/n8/cmd", "farm/v1/nm1/n8/cfg", "farm/v1/nm1/n8/tele", f"{BASE}/tele"]

    with (
        client_of(broker, "n7", "#", f"{BASE}/#", "farm/v1/server/#") as (_, heard),
        client_of(broker, "portal") as (portal, _),
    ):
        for topic in [*not_told, *told]:
            portal.publish(topic, b"x", qos=1).wait_for_publish(WAIT)
        portal.publish("farm/v1/server/status", b"end", qos=1).wait_for_publish(WAIT)
        topics = heard_until_end(heard)

    assert sorted(set(topics)) == sorted(told)


def test_nobody_comes_in_without_a_password(broker):
    answers = queue.Queue()
    client = Client(CallbackAPIVersion.VERSION2)
    client.on_connect = lambda _c, _u, _f, reason, _p: answers.put(reason.is_failure)
    client.connect("127.0.0.1", broker.port)
    client.loop_start()

    assert answers.get(timeout=WAIT) is True
    client.disconnect()
    client.loop_stop()
