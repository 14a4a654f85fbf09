"""One connection to the MQTT broker, for every app: it delivers bytes and knows no payload.

Speaks MQTT 3.1.1 without shared subscriptions, which every broker tried understands.
"""

import logging
import threading
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from django.db import DatabaseError
from paho.mqtt.client import Client, MQTTMessage, topic_matches_sub
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion

logger = logging.getLogger(__name__)
STATUS_TOPIC = "portal/status"
KEEPALIVE_SECONDS = 30
PULSE_SECONDS = 15.0
LONGEST_PAUSE_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Handler:
    """Who takes the messages of a topic filter: called with the topic and the bytes.

    It is called again with the same message when it raised DatabaseError or when the connection
    broke before the acknowledgement, so it must be harmless twice.
    """

    topic: str
    take: Callable[[str, bytes], None]


def pause_seconds(failures: int) -> float:
    """How long to wait before the next try after so many failures: 0, 1, 2, 4 … 60 seconds.

    >>> [pause_seconds(failures) for failures in (0, 1, 2, 3, 99)]
    [0.0, 1.0, 2.0, 4.0, 60.0]
    """
    return min(2.0 ** min(failures - 1, 10), LONGEST_PAUSE_SECONDS) if failures else 0.0


class Bridge:
    """Keeps the connection up for ever, and hands each message to its handlers.

    `url` is mqtt://user:password@host:1883 or mqtts://…; with ?client_id=NAME the broker keeps
    QoS 1 messages for us while we are away (one process per name), without it the session is
    forgotten at each disconnect.
    """

    def __init__(
        self, url: str, handlers: Sequence[Handler], *, status_topic: str = STATUS_TOPIC
    ) -> None:
        parts = urlsplit(url)
        client_id = parse_qs(parts.query).get("client_id", [""])[0]
        self.handlers = handlers
        self.status_topic = status_topic
        self._connected = threading.Event()
        self._refused = 0
        self._host = parts.hostname or "127.0.0.1"
        self._port = parts.port or (8883 if parts.scheme == "mqtts" else 1883)
        self._client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=client_id or f"portal-{uuid.uuid4().hex[:12]}",
            clean_session=not client_id,
            protocol=MQTTProtocolVersion.MQTTv311,
            reconnect_on_failure=False,
            manual_ack=True,
        )
        if parts.username:
            self._client.username_pw_set(unquote(parts.username), unquote(parts.password or ""))
        if parts.scheme == "mqtts":
            self._client.tls_set()
        self._client.will_set(status_topic, b"offline", qos=1, retain=True)
        self._client.on_connect = self._on_connect
        self._client.on_disconnect = self._on_disconnect
        self._client.on_message = self._on_message

    def run(self, until: threading.Event, *, pulse: Callable[[], None]) -> None:
        """Stay connected until the event is set, calling `pulse` every PULSE_SECONDS."""
        failures = 0
        next_pulse = 0.0
        while not until.is_set():
            if not self._connected.is_set():
                until.wait(pause_seconds(failures + self._refused))
                failures = 0 if self._connect() else failures + 1
                continue
            self._client.loop(timeout=0.5)
            if self._connected.is_set() and time.monotonic() >= next_pulse:
                pulse()
                next_pulse = time.monotonic() + PULSE_SECONDS
        self._say_goodbye()

    def _connect(self) -> bool:
        """Open the connection and wait for the broker's yes; False when it does not come."""
        try:
            self._client.connect(self._host, self._port, keepalive=KEEPALIVE_SECONDS)
        except OSError as error:
            logger.warning("mqtt broker is away: %s", type(error).__name__)
            return False
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline and not self._connected.is_set():
            if self._client.loop(timeout=0.2) != MQTTErrorCode.MQTT_ERR_SUCCESS:
                break
        return self._connected.is_set()

    def _say_goodbye(self) -> None:
        """Say that we leave, ourselves: the broker tells the last will only of the dead."""
        if self._connected.is_set():
            farewell = self._client.publish(self.status_topic, b"offline", qos=1, retain=True)
            deadline = time.monotonic() + 1
            while not farewell.is_published() and time.monotonic() < deadline:
                self._client.loop(timeout=0.1)
        self._client.disconnect()

    def _on_connect(
        self, client: Client, userdata: Any, flags: Any, reason: Any, properties: Any
    ) -> None:
        if reason.is_failure:
            logger.error("mqtt broker refused us: %s", reason)
            return
        self._connected.set()
        # Here and not once: a broker that lost our session has lost the subscriptions with it.
        if self.handlers:
            client.subscribe([(handler.topic, 1) for handler in self.handlers])
        client.publish(self.status_topic, b"online", qos=1, retain=True)
        logger.info("mqtt connected")

    def _on_disconnect(
        self, client: Client, userdata: Any, flags: Any, reason: Any, properties: Any
    ) -> None:
        self._connected.clear()
        logger.info("mqtt disconnected: %s", reason)

    def _on_message(self, client: Client, userdata: Any, message: MQTTMessage) -> None:
        """Acknowledge what was taken; what the database could not take comes again."""
        for handler in self.handlers:
            if not topic_matches_sub(handler.topic, message.topic):
                continue
            try:
                handler.take(message.topic, bytes(message.payload))
            except DatabaseError:
                logger.exception("mqtt message waits for the database: %s", message.topic)
                self._refused += 1
                client.disconnect()  # a reconnect makes the broker repeat what was not acknowledged
                return
            except Exception:
                # A message that breaks the code breaks it each time: it must not block the rest.
                logger.exception("mqtt message dropped: %s", message.topic)
        self._refused = 0
        client.ack(message.mid, message.qos)
