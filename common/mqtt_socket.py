"""A socket that paho reads in large pieces, because it asks for each packet in four."""

import socket
import ssl
from typing import Any, cast

from paho.mqtt.client import Client

PIECE_BYTES = 65_536


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
    """paho's client on a socket that reads ahead."""

    def _create_socket(self) -> Any:
        return ReadAhead(cast("socket.socket", super()._create_socket()))
