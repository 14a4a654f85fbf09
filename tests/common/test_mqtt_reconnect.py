"""A message's number is of one connection: in the next it may be that of another message.

So what came over a line that was cut is acknowledged on no other; it comes again, newly numbered.
"""

import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager

import pytest

from common.mqtt import Bridge
from common.mqtt_handlers import Handler
from common.mqtt_socket import Published, ReadAhead
from common.pumps import Pumps
from tests.common.packets import packet
from tests.waiting import wait_until

WAIT = 10
STATUS = "t/status"
# MQTT 3.1.1 §2.2.1: the kind of a packet is the upper half of its first byte.
CONNECT, PUBLISH, PUBACK, SUBSCRIBE = 0x10, 0x30, 0x40, 0x80
CONNACK_ACCEPTED = b"\x20\x02\x00\x00"
SUBACK_OF_TWO = b"\x90\x04%b\x01\x01"


def puback(mid):
    return b"\x40\x02" + mid.to_bytes(2, "big")


class Connection:
    """The broker's end of one connection, with nothing in between that acts by itself."""

    def __init__(self, listener):
        self._socket, _ = listener.accept()
        self._socket.settimeout(WAIT)
        self._stream = self._socket.makefile("rb")
        self.wait_for(CONNECT)
        self._socket.sendall(CONNACK_ACCEPTED)
        subscription = self.wait_for(SUBSCRIBE)
        self._socket.sendall(SUBACK_OF_TWO % subscription[:2])
        self.wait_for(PUBLISH)  # "online"

    def wait_for(self, kind):
        """Read on to a packet of this kind; give what it holds."""
        while True:
            first, length = self._stream.read(2)
            body = self._stream.read(length)  # none that the bridge sends here is longer than 127
            if first & 0xF0 == PUBLISH:
                topic_end = 2 + int.from_bytes(body[:2], "big")
                self._socket.sendall(puback(int.from_bytes(body[topic_end : topic_end + 2], "big")))
            if first & 0xF0 == kind:
                return body

    def acknowledged(self):
        """Give the number that is acknowledged next."""
        return int.from_bytes(self.wait_for(PUBACK), "big")

    def publish(self, topic, mid, payload=b"x", *, is_repeated=False):
        said = Published(topic, payload, mid, 1, False)
        self._socket.sendall(packet(said, is_repeated=is_repeated))

    def close(self):
        self._stream.close()
        self._socket.close()


@pytest.fixture
def broker():
    """Take connections, one after another, as it is told to."""
    with socket.create_server(("127.0.0.1", 0)) as listener, ExitStack() as stack:
        listener.settimeout(WAIT)
        yield Broker(listener, stack)


class Broker:
    def __init__(self, listener, stack):
        self._listener, self._stack = listener, stack
        self.port = listener.getsockname()[1]

    def take_connection(self):
        return self._stack.enter_context(closing(Connection(self._listener)))


@contextmanager
def running(bridge):
    """Run a bridge beside the test; gives the event that stops it."""
    stopping = threading.Event()
    thread = threading.Thread(target=bridge.run, args=(stopping,), kwargs={"pulse": lambda: None})
    thread.start()
    try:
        yield stopping
    finally:
        stopping.set()
        thread.join(WAIT)
        assert not thread.is_alive()


def test_what_waited_when_the_line_was_cut_is_taken_when_it_comes_again(broker, caplog):
    caplog.set_level("INFO", logger="common.mqtt")
    is_at_work, go_on, taken = threading.Event(), threading.Event(), []

    def take_many(messages):
        taken.extend(message.topic for message in messages)
        is_at_work.set()
        go_on.wait(WAIT)

    url = f"mqtt://127.0.0.1:{broker.port}?client_id=t"
    with running(Bridge(url, [Handler("a/#", take_many)], status_topic=STATUS)) as stopping:
        first = broker.take_connection()
        first.publish("a/1", mid=1)
        assert is_at_work.wait(WAIT)
        first.publish("a/2", mid=2)
        first.publish(STATUS, mid=3, payload=b"offline")
        first.wait_for(PUBLISH)  # the answer: so what came before it has been read
        first.close()
        wait_until(lambda: "mqtt disconnected" in caplog.text, seconds=WAIT)
        go_on.set()
        second = broker.take_connection()
        second.publish("a/1", mid=2, is_repeated=True)
        second.publish("a/2", mid=1, is_repeated=True)
        acknowledged = [second.acknowledged(), second.acknowledged()]
        stopping.set()
        second.wait_for(PUBLISH)  # "offline"

    assert taken == ["a/1", "a/1", "a/2"]
    assert acknowledged == [2, 1]


@contextmanager
def line_of(bridge):
    """Put the bridge at one end of a pair of sockets, connected; give the other end."""
    far, near = socket.socketpair()
    far.settimeout(WAIT)
    near.setblocking(False)
    bridge._client._sock = ReadAhead(near)
    bridge._connected.set()
    with closing(far), closing(near):
        yield far


def bring(bridge, far, topic, mid):
    far.sendall(packet(Published(topic, b"x", mid, 1, False)))
    bridge._client.loop_read()


def test_a_batch_that_was_taken_over_a_cut_line_is_not_acknowledged_on_the_next():
    """The bridge ends its job before it connects again: this is the net below that."""
    go_on, taken = threading.Event(), []

    def take_many(messages):
        go_on.wait(WAIT)
        taken.extend(message.topic for message in messages)

    bridge = Bridge("mqtt://127.0.0.1?client_id=t", [Handler("a/#", take_many)])
    with ThreadPoolExecutor(1) as worker:
        with line_of(bridge) as far:
            bring(bridge, far, "a/1", mid=1)
            bridge._start_job(worker, Pumps([]))
            far.close()
            bridge._client.loop_read()
        assert not bridge._connected.is_set()
        with line_of(bridge) as far:
            go_on.set()
            bridge._end_job()
            bring(bridge, far, "a/2", mid=7)
            bridge._start_job(worker, Pumps([]))
            bridge._end_job()
            said = far.recv(100)

    assert taken == ["a/1", "a/2"]
    assert said == puback(7)
