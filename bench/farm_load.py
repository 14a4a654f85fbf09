"""Frames for the greenhouse benchmark, and a publisher fast enough not to be what is measured."""

import json
import socket
import threading
import time
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

NODES = 40
CHANNELS = tuple(f"c{number}" for number in range(10))
HOUSE = "bench"
FRAME_SECONDS = 30  # as a real controller reports


class Frame(NamedTuple):
    """One telemetry message: where it goes, what it says, and its moment in epoch milliseconds."""

    node: str
    topic: str
    payload: bytes
    t_ms: int

    @property
    def moment(self) -> datetime:
        return datetime.fromtimestamp(self.t_ms / 1000, UTC)


def node_names() -> list[str]:
    """Name the controllers of the corpus."""
    return [f"n{number:02d}" for number in range(NODES)]


def frame(node: str, *, seq: int, t_ms: int, boot: int = 1) -> Frame:
    """Write one frame of ten values, as farm/v1 says."""
    values = {
        code: round(20 + (seq * 7 + place) % 100 / 10, 1) for place, code in enumerate(CHANNELS)
    }
    text = json.dumps({"t": t_ms, "boot": boot, "seq": seq, "m": values}, separators=(",", ":"))
    return Frame(node, f"farm/v1/{HOUSE}/{node}/tele", text.encode(), t_ms)


def corpus(count: int, *, first_seq: int, until_ms: int) -> list[Frame]:
    """Write `count` frames of all nodes in turn, thirty seconds apart, the last at `until_ms`."""
    rounds = -(-count // NODES)
    names = node_names()
    return [
        frame(
            names[number % NODES],
            seq=first_seq + number // NODES,
            t_ms=until_ms - (rounds - 1 - number // NODES) * FRAME_SECONDS * 1000,
        )
        for number in range(count)
    ]


class Publisher:
    """One MQTT 3.1.1 connection that writes QoS 1 messages and counts their acknowledgements."""

    def __init__(self, port: int, name: str) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        body = b"\x00\x04MQTT\x04\x02\x00\x3c" + _text(name)
        self._socket.sendall(b"\x10" + _length(len(body)) + body)
        self._socket.recv(4)
        self._next = 0
        self.acknowledged = 0
        self._reader = threading.Thread(target=self._count, daemon=True)
        self._reader.start()

    def send(self, messages: Iterable[tuple[str, bytes]]) -> int:
        """Write all messages as fast as the broker takes them; answer how many they were."""
        packets = []
        for topic, payload in messages:
            self._next += 1
            body = _text(topic) + (self._next % 65_535 + 1).to_bytes(2, "big") + payload
            packets.append(b"\x32" + _length(len(body)) + body)
        self._socket.sendall(b"".join(packets))
        return len(packets)

    def wait(self, count: int, *, seconds: float = 120) -> None:
        """Wait until the broker has taken `count` messages in all."""
        deadline = time.monotonic() + seconds
        while self.acknowledged < count:
            if time.monotonic() > deadline:
                raise TimeoutError(f"the broker took {self.acknowledged} of {count} messages")
            time.sleep(0.002)

    def close(self) -> None:
        self._socket.sendall(b"\xe0\x00")
        self._socket.close()

    def _count(self) -> None:
        rest = b""
        try:
            while chunk := self._socket.recv(65_536):
                rest += chunk
                self.acknowledged += len(rest) // 4  # each PUBACK has four bytes
                rest = rest[len(rest) - len(rest) % 4 :]
        except OSError:
            return


def publish(port: int, frames: Sequence[Frame], *, connections: int = 4) -> float:
    """Send the frames over a few connections, each node's in order; answer the seconds it took."""
    publishers = [Publisher(port, f"load-{number}") for number in range(connections)]
    started = time.monotonic()
    threads = [
        threading.Thread(
            target=publisher.send,
            args=(
                [
                    (frame.topic, frame.payload)
                    for frame in frames
                    if int(frame.node[1:]) % connections == place
                ],
            ),
        )
        for place, publisher in enumerate(publishers)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for place, publisher in enumerate(publishers):
        publisher.wait(sum(int(frame.node[1:]) % connections == place for frame in frames))
    took = time.monotonic() - started
    for publisher in publishers:
        publisher.close()
    return took


def _text(words: str) -> bytes:
    encoded = words.encode()
    return len(encoded).to_bytes(2, "big") + encoded


def _length(number: int) -> bytes:
    """MQTT 3.1.1 §2.2.3: seven bits a byte, lowest first."""
    encoded = bytearray()
    while True:
        number, low = divmod(number, 128)
        encoded.append(low | (0x80 if number else 0))
        if not number:
            return bytes(encoded)
