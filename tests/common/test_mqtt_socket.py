"""What a client makes of the broker's bytes, however they are cut: its own way beside paho's."""

import socket
import threading
from contextlib import closing
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion

from common.mqtt import Bridge
from common.mqtt_handlers import Handler
from common.mqtt_socket import Published, ReadAhead, ReadingClient
from tests.common.packets import packet
from tests.waiting import wait_until

PINGRESP = b"\xd0\x00"
OPTIONS = {"client_id": "t", "protocol": MQTTProtocolVersion.MQTTv311, "manual_ack": True}


@st.composite
def messages(draw):
    qos = draw(st.sampled_from([0, 1]))
    size = draw(st.sampled_from([0, 1, 100, 127, 128, 300, 16_300, 16_384, 20_000]))
    return Published(
        topic=draw(st.text("abc/é€", min_size=1, max_size=90)),
        payload=draw(st.binary(min_size=1, max_size=1)) * size,
        mid=draw(st.integers(1, 65_535)) if qos else 0,
        qos=qos,
        is_retained=draw(st.booleans()),
    )


class Line:
    """A client at one end of a pair of sockets, and what it was given."""

    def __init__(self):
        self.broker, near = socket.socketpair()
        near.setblocking(False)
        self.client = ReadingClient(CallbackAPIVersion.VERSION2, **OPTIONS)
        self.client._sock = ReadAhead(near)
        self.heard: list[Published] = []
        self.client.on_published = self.heard.extend

    def close(self):
        self.broker.close()
        if self.client._sock is not None:
            self.client._sock.close()

    def bring(self, data: bytes) -> None:
        """Let the bytes arrive and be read, as far as they make packets."""
        self.broker.sendall(data)
        self.read()

    def read(self):
        before = None
        while self.client._sock is not None and before != (
            before := (len(self.heard), self.client._sock.pending())
        ):
            self.client.loop_read()


def as_paho_reads(data: bytes) -> list[Published]:
    """Read the same bytes with paho alone."""
    broker, near = socket.socketpair()
    near.setblocking(False)
    heard = []

    def note(_client, _userdata, message: MQTTMessage):
        heard.append(
            Published(message.topic, message.payload, message.mid, message.qos, message.retain)
        )

    client = Client(CallbackAPIVersion.VERSION2, **OPTIONS)
    client.on_message, client._sock = note, near
    with closing(broker), closing(near):
        broker.sendall(data)
        broker.close()
        while client._sock is not None and client.loop_read() == MQTTErrorCode.MQTT_ERR_SUCCESS:
            pass
    return heard


@settings(max_examples=60, deadline=None)
@given(
    sent=st.lists(st.tuples(messages(), st.booleans(), st.booleans()), min_size=1, max_size=6),
    cuts=st.lists(st.integers(0, 130_000), max_size=8),
)
def test_the_same_messages_come_out_however_the_bytes_are_cut(sent, cuts):
    data = b"".join(
        packet(message, is_repeated=again) + PINGRESP * alive for message, again, alive in sent
    )
    places = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    with closing(Line()) as line:
        for begin, end in pairwise(places):
            line.bring(data[begin:end])
        assert line.heard == [message for message, _, _ in sent]
    assert as_paho_reads(data) == line.heard


def test_a_piece_of_many_messages_is_handed_over_in_few_calls():
    sent = [Published(f"a/{number}", b"x" * 50, number, 1, False) for number in range(1, 101)]
    with closing(Line()) as line:
        calls = []
        line.client.on_published = lambda messages: calls.append(list(messages))
        line.broker.sendall(b"".join(packet(message) for message in sent))
        line.client.loop_read()
        line.client.loop_read()
        assert [len(call) for call in calls] == [1, 99]  # paho fills the buffer with the first
        assert calls[0] + calls[1] == sent


@pytest.mark.parametrize(
    "broken",
    [
        b"\x30\x01\x00",  # too short for the length of its topic
        b"\x32\x03\x00\x01a",  # no room for the number that QoS 1 has
        b"\x30\x04\x00\x09ab",  # a topic longer than the packet
        b"\x36\x06\x00\x01a\x00\x01b",  # QoS 3, which there is not
    ],
)
def test_a_broken_packet_ends_the_connection_and_the_message_before_it_counts(broken):
    good = Published("a/b", b"1", 7, 1, False)
    with closing(Line()) as line:
        line.broker.sendall(packet(good) * 2 + broken)
        line.read()
        assert line.heard == [good, good]
        assert line.client._sock is None


def test_a_broker_that_hangs_up_is_noticed_after_what_it_said():
    good = Published("a/b", b"1", 7, 1, False)
    with closing(Line()) as line:
        line.broker.sendall(packet(good) * 3)
        line.broker.close()
        line.read()
        line.client.loop_read()
        assert line.heard == [good] * 3
        assert line.client._sock is None


def test_a_topic_that_is_no_text_is_dropped_and_acknowledged_and_the_next_is_taken():
    good = Published("a/b", b"1", 7, 1, False)
    odd = b"\x32\x07\x00\x02\xff\xfe\x00\x09x"
    with closing(Line()) as line:
        line.bring(packet(good) + odd + packet(good))
        line.client.loop_write()
        assert line.heard == [good, good]
        assert line.broker.recv(100) == b"\x40\x02\x00\x09"


def test_what_lies_behind_an_answer_that_found_the_line_cut_is_not_kept():
    """Its number is of a session that has ended; in the next it is that of another message."""
    bridge = Bridge("mqtt://127.0.0.1?client_id=t", [Handler("a/#", lambda _messages: None)])
    broker, near = socket.socketpair()
    near.setblocking(False)
    bridge._client._sock = ReadAhead(near)
    bridge._connected.set()
    parts = [("a/1", b"x"), ("portal/status", b"offline"), ("a/3", b"x")]
    said = [Published(topic, what, mid, 1, False) for mid, (topic, what) in enumerate(parts, 1)]
    with closing(near):
        broker.sendall(b"".join(packet(one) for one in said))
        broker.close()
        for _ in said:
            bridge._client.loop_read()

    assert not bridge._connected.is_set()
    assert bridge._waiting == []


def test_a_subscription_that_the_broker_refuses_is_told(caplog):
    bridge = Bridge("mqtt://127.0.0.1?client_id=t", [Handler("a/#", lambda _messages: None)])
    broker, near = socket.socketpair()
    near.setblocking(False)
    bridge._client._sock = ReadAhead(near)
    with closing(near), closing(broker):
        broker.sendall(b"\x90\x04\x00\x01\x80\x01")  # SUBACK (§3.9): failure, then QoS 1
        bridge._client.loop_read()

    assert [record.getMessage() for record in caplog.records] == [
        "mqtt broker does not let us subscribe to a/#: Unspecified error"
    ]


def test_large_messages_are_left_to_the_broker_while_many_bytes_wait():
    bridge = Bridge("mqtt://127.0.0.1?client_id=t", [Handler("a/#", lambda _messages: None)])
    broker, near = socket.socketpair()
    near.setblocking(False)
    bridge._client._sock = ReadAhead(near)
    large = packet(Published("a/b", bytes(1_000_000), 7, 1, False))
    feeder = threading.Thread(target=broker.sendall, args=(large * 4,))
    with closing(near), closing(broker):
        feeder.start()
        wait_until(lambda: not bridge._drain() and not bridge._has_room())
        waits = [len(one.message.payload) for one in bridge._waiting]
        bridge._waiting, bridge._waiting_bytes = [], 0  # as a batch is taken
        wait_until(lambda: bridge._drain() and len(bridge._waiting) == 1)
        feeder.join()

    assert waits == [1_000_000] * 3
