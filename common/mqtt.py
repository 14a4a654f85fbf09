"""One connection to the MQTT broker, for every app: it delivers bytes and knows no payload.

Speaks MQTT 3.1.1. Messages are handed over in batches and acknowledged only when all handlers have
taken them (and so committed): what is lost between the two comes again from the broker.

Two threads, so that reading goes on while the database works. The one that runs the bridge alone
touches the connection; the worker runs handlers, pumps and pulse, one job at a time, and alone
touches the database. What the worker wants sent it puts into a queue.
"""

import logging
import threading
import time
import uuid
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from datetime import UTC, datetime
from queue import Empty, SimpleQueue
from typing import Any, NamedTuple
from urllib.parse import parse_qs, unquote, urlsplit

from django.db import close_old_connections, connections
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion

from common.mqtt_handlers import Handler, Message, matches, offer
from common.mqtt_socket import Published, ReadingClient
from common.pumps import DATABASE_ERRORS, Pump, Pumps

logger = logging.getLogger(__name__)
STATUS_TOPIC = "portal/status"
KEEPALIVE_SECONDS = 30
PULSE_SECONDS = 15.0
LONGEST_PAUSE_SECONDS = 60.0
# Measured: 1,000 are a seventh slower, 4,000 hardly quicker and 9 MB more. Reading goes by pieces,
# so a batch may be longer by what one piece holds.
LONGEST_BATCH = 2000
# Nor may messages of a megabyte each fill our memory: an ordinary batch has a quarter of this.
MOST_BATCH_BYTES = 2 << 20
# Measured: a fixed wait of 50 ms costs two thirds of the rate, none makes batches of one.
LINGER_SECONDS = 0.004
# How long what the worker wants sent may lie: nothing wakes the thread that waits for the socket.
BUSY_SECONDS = 0.002
# What we publish; beyond it paho keeps messages back, and beyond the queue it refuses them.
MOST_IN_FLIGHT = 100
MOST_QUEUED = 10_000


def pause_seconds(failures: int) -> float:
    """How long to wait before the next try after so many failures: 0, 1, 2, 4 … 60 seconds.

    >>> [pause_seconds(failures) for failures in (0, 1, 2, 3, 99)]
    [0.0, 1.0, 2.0, 4.0, 60.0]
    """
    return min(2.0 ** min(failures - 1, 10), LONGEST_PAUSE_SECONDS) if failures else 0.0


class _Waiting(NamedTuple):
    """A message that came in and is not yet acknowledged."""

    message: Message
    mid: int
    qos: int


class _Job(NamedTuple):
    """What the worker is at: a batch, empty when only pumps were due, and the session it is of."""

    batch: list[_Waiting]
    session: int
    done: Future[bool]  # whether the batch was taken


class Bridge:
    """Keeps the connection up for ever, and hands the messages to their handlers.

    `url` is mqtt://user:password@host:1883 or mqtts://…; with ?client_id=NAME the broker keeps
    QoS 1 messages for us while we are away (one process per name), without it the session is
    forgotten at each disconnect. With ?share=NAME, too, several bridges take turns: each message
    goes to one of those with the same NAME (each with a client_id of its own).
    """

    def __init__(
        self,
        url: str,
        handlers: Sequence[Handler],
        *,
        pumps: Sequence[Pump] = (),
        status_topic: str = STATUS_TOPIC,
    ) -> None:
        parts = urlsplit(url)
        options = parse_qs(parts.query)
        client_id = options.get("client_id", [""])[0]
        self.handlers = handlers
        readers = [(handler.topic, handler.read) for handler in handlers if handler.read]
        if len(readers) > 1:
            raise ValueError("a message is read once: one handler may do it")
        self._reader = readers[0] if readers else None
        self.status_topic = status_topic
        self._share = options.get("share", [""])[0]
        self._pumps = Pumps(pumps)
        self._waiting: list[_Waiting] = []
        self._waiting_bytes = 0
        self._to_publish: SimpleQueue[tuple[str, bytes, int, bool]] = SimpleQueue()
        self._job: _Job | None = None
        self._session = 0
        self._connected = threading.Event()
        self._is_leaving = False
        self._refused = 0
        self._host = parts.hostname or "127.0.0.1"
        self._port = parts.port or (8883 if parts.scheme == "mqtts" else 1883)
        self._client = ReadingClient(
            CallbackAPIVersion.VERSION2,
            client_id=client_id or f"portal-{uuid.uuid4().hex[:12]}",
            clean_session=not client_id,
            protocol=MQTTProtocolVersion.MQTTv311,
            reconnect_on_failure=False,
            manual_ack=True,
        )
        # paho refuses both once it has connected.
        self._client.max_inflight_messages_set(MOST_IN_FLIGHT)
        self._client.max_queued_messages_set(MOST_QUEUED)
        if parts.username:
            self._client.username_pw_set(unquote(parts.username), unquote(parts.password or ""))
        if parts.scheme == "mqtts":
            self._client.tls_set()
        self._client.will_set(status_topic, b"offline", qos=1, retain=True)
        self._client.on_connect = self._on_connect
        self._client.on_subscribe = self._on_subscribe
        self._client.on_disconnect = self._on_disconnect
        self._client.on_published = self._on_published

    def run(self, until: threading.Event, *, pulse: Callable[[], None]) -> None:
        """Stay connected until the event is set, calling `pulse` every PULSE_SECONDS."""
        pulses = Pumps([Pump(PULSE_SECONDS, lambda _publish: pulse())])
        failures = 0
        with ThreadPoolExecutor(1, thread_name_prefix="mqtt-worker") as worker:
            while not until.is_set():
                if self._connected.is_set():
                    self._turn(worker, pulses)
                    continue
                self._end_job()
                until.wait(pause_seconds(failures + self._refused))
                failures = 0 if self._connect() else failures + 1
                self._pumps.start_over()
            self._end_job()
            worker.submit(connections.close_all)
        self._say_goodbye()

    def _turn(self, worker: ThreadPoolExecutor, pulses: Pumps) -> None:
        """Read what comes, send what is to be sent, and keep the worker at work."""
        job = self._job
        if job is None:
            self._gather(min(self._pumps.rest_seconds(), pulses.rest_seconds()))
            self._start_job(worker, pulses)
        elif self._has_room():
            self._client.loop(timeout=BUSY_SECONDS)
            self._drain()
        else:
            wait([job.done], BUSY_SECONDS)
            self._client.loop_misc()
        self._send()
        if job is not None and job.done.done():
            self._job = None
            if job.done.result():
                self._start_job(worker, pulses)  # it works while we acknowledge
            self._settle(job)

    def _start_job(self, worker: ThreadPoolExecutor, pulses: Pumps) -> None:
        """Give the worker what waits, and the pumps that are due; nothing when there is neither."""
        is_due = not (self._pumps.rest_seconds() and pulses.rest_seconds())
        if not self._connected.is_set() or not (self._waiting or is_due):
            return
        batch, self._waiting, self._waiting_bytes = self._waiting, [], 0
        done = worker.submit(self._work, [one.message for one in batch], pulses)
        self._job = _Job(batch, self._session, done)

    def _work(self, batch: Sequence[Message], pulses: Pumps) -> bool:
        """Do one job, in the worker: hand over what came, then what is due; True when taken."""
        if not self._hand_over(batch):
            return False
        # What is sent without a connection may be lost: it stays a row until there is one.
        if self._connected.is_set():
            self._pumps.run(self._publish, after_batch=bool(batch))
            pulses.run(self._publish, after_batch=False)
        return True

    def _end_job(self) -> None:
        """Wait for the worker, if it is at something, and settle that."""
        if self._job is not None:
            job, self._job = self._job, None
            wait([job.done])
            self._settle(job)

    def _settle(self, job: _Job) -> None:
        """Acknowledge what was taken, if the broker still knows it by these numbers."""
        if not job.done.result():
            self._refused += 1
            self._client.disconnect()  # a reconnect makes the broker repeat the batch
        elif job.batch:
            self._refused = 0
            if job.session == self._session:
                self._client.ack_all([mid for _, mid, qos in job.batch if qos == 1])
        self._send()

    def _gather(self, timeout: float) -> None:
        """Wait for a message, then drain the socket: what came with it makes one batch."""
        self._client.loop(timeout=timeout)
        deadline = time.monotonic() + LINGER_SECONDS
        while self._drain() and (left := deadline - time.monotonic()) > 0:
            self._client.loop(timeout=left)

    def _drain(self) -> bool:
        """Read what is there; whether there are messages, and room for more."""
        before = -1
        while before < len(self._waiting) and self._has_room():
            before = len(self._waiting)
            self._client.loop_read()
        return bool(self._waiting) and self._has_room()

    def _has_room(self) -> bool:
        return len(self._waiting) < LONGEST_BATCH and self._waiting_bytes < MOST_BATCH_BYTES

    def _hand_over(self, messages: Sequence[Message]) -> bool:
        """Give the messages to their handlers; False when the database could not take them."""
        try:
            for handler in self.handlers:
                of_it = [one for one in messages if matches(handler.topic, one.topic)]
                if of_it:
                    offer(handler.take_many, of_it)
        except DATABASE_ERRORS:
            logger.exception("mqtt messages wait for the database: %d", len(messages))
            close_old_connections()
            return False
        return True

    def _publish(self, topic: str, payload: bytes, qos: int, retain: bool) -> None:  # noqa: FBT001 - as every MQTT client orders them
        self._to_publish.put((topic, payload, qos, retain))

    def _send(self) -> None:
        """Send what the worker has put into the queue."""
        while True:
            try:
                topic, payload, qos, retain = self._to_publish.get_nowait()
            except Empty:
                return
            try:
                outcome = self._client.publish(topic, payload, qos=qos, retain=retain)
            except ValueError:  # a topic that no message can have
                logger.exception("mqtt publish refused: %s", topic)
                continue
            if outcome.rc != MQTTErrorCode.MQTT_ERR_SUCCESS:
                logger.warning("mqtt publish to %s waits: %s", topic, outcome.rc.name)

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
        self._is_leaving = True
        if self._connected.is_set():
            farewell = self._client.publish(self.status_topic, b"offline", qos=1, retain=True)
            deadline = time.monotonic() + 1
            while not farewell.is_published() and time.monotonic() < deadline:
                self._client.loop(timeout=0.1)
        self._client.disconnect()

    def _filters(self) -> list[tuple[str, int]]:
        """List what to subscribe to, each with QoS 1: nothing else is acknowledged (`ack_all`)."""
        share = f"$share/{self._share}/" if self._share else ""
        filters = [f"{share}{handler.topic}" for handler in self.handlers]
        if share:
            filters += [level for handler in self.handlers for level in handler.levels]
        return [(name, 1) for name in (*filters, self.status_topic)]

    def _on_connect(
        self, client: Client, userdata: Any, flags: Any, reason: Any, properties: Any
    ) -> None:
        if reason.is_failure:
            logger.error("mqtt broker refused us: %s", reason)
            return
        self._connected.set()
        # Here and not once: a broker that lost our session has lost the subscriptions with it.
        client.subscribe(self._filters())
        client.publish(self.status_topic, b"online", qos=1, retain=True)
        logger.info("mqtt connected")

    def _on_subscribe(
        self, client: Client, userdata: Any, mid: int, reasons: Sequence[Any], properties: Any
    ) -> None:
        for (name, _), reason in zip(self._filters(), reasons, strict=False):
            if reason.is_failure:  # the broker's rules: all seems well, and nothing comes
                logger.error("mqtt broker does not let us subscribe to %s: %s", name, reason)

    def _on_disconnect(
        self, client: Client, userdata: Any, flags: Any, reason: Any, properties: Any
    ) -> None:
        self._connected.clear()
        # They come again under other numbers: to acknowledge these would be to lose others.
        self._waiting, self._waiting_bytes = [], 0
        self._session += 1
        logger.info("mqtt disconnected: %s", reason)

    def _on_published(self, published: Sequence[Published]) -> None:
        session = self._session
        for topic, payload, mid, qos, is_retained in published:
            if topic == self.status_topic:
                self._answer(payload)
                self._client.ack(mid, qos)
                if session != self._session:
                    return  # the answer found the line cut: the rest comes again, under new numbers
                continue
            at = datetime.now(UTC)
            said = Message(topic, payload, is_retained, at, self._read(topic, payload))
            self._waiting.append(_Waiting(said, mid, qos))
            self._waiting_bytes += len(topic) + len(payload)

    def _answer(self, status: bytes) -> None:
        """Say that we are here to the last word of another bridge, or of our former connection."""
        if status == b"offline" and not self._is_leaving:
            self._client.publish(self.status_topic, b"online", qos=1, retain=True)

    def _read(self, topic: str, payload: bytes) -> Any:
        """Let the handler that wants to read the message do it; None when it cannot."""
        if self._reader is None or not matches(self._reader[0], topic):
            return None
        try:
            return self._reader[1](topic, payload)
        except Exception:  # noqa: BLE001  # the handler meets the message again, and there it is told
            return None
