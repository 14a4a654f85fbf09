"""paho with fewer calls of the kernel: packets are read, and acknowledged, many at a time."""

import socket
import ssl
from collections.abc import Iterable
from struct import Struct
from typing import Any, cast

from paho.mqtt.client import PUBACK, Client

PIECE_BYTES = 65_536
ACKNOWLEDGEMENT = Struct("!BBH").pack  # MQTT 3.1.1 §3.4: PUBACK, two bytes follow, the number


class ReadAhead:
    """A socket read in large pieces: paho asks for each packet in four, one system call each.

    paho looks at `pending` before it waits, because a TLS socket keeps bytes back as well.
    """

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._ahead = b""
        self._at = 0

    def recv(self, size: int) -> bytes:
        """Read up to so many bytes; raises BlockingIOError when none are there, as sockets do."""
        if self._at == len(self._ahead):
            self._ahead, self._at = self._sock.recv(PIECE_BYTES), 0
        piece = self._ahead[self._at : self._at + size]
        self._at += len(piece)
        return piece

    def pending(self) -> int:
        """Tell how many bytes can be read without waiting."""
        kept: int = self._sock.pending() if isinstance(self._sock, ssl.SSLSocket) else 0
        return len(self._ahead) - self._at + kept

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)


class ReadingClient(Client):
    """paho's client on a socket that reads ahead, which acknowledges a batch by one write."""

    def ack_all(self, mids: Iterable[int]) -> None:
        """Acknowledge messages of QoS 1.

        paho's own `ack` asks the kernel twice for each, and each time the interpreter is free for
        the other thread, which does not give it back for milliseconds.
        """
        packets = b"".join([ACKNOWLEDGEMENT(PUBACK, 2, mid) for mid in mids])
        if packets:
            self._packet_queue(PUBACK, packets, 0, 1)

    def _create_socket(self) -> Any:
        return ReadAhead(cast("socket.socket", super()._create_socket()))
