"""farm/v1 at the broker: bytes become dataclasses here, and nothing past it knows a broker.

Frames of a batch are stored together; everything else is handed on one by one, in order. What is
not as the contract says goes into quarantine with the reason, and never stops the rest.
"""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from django.utils import timezone

from common.mqtt_handlers import Handler, Message
from common.pumps import DATABASE_ERRORS, Publish, Pump
from farm import frames, outgoing
from farm.frames import Topic
from farm.json_fields import FrameError
from farm.models import Alarm, Greenhouse, Node, QuarantinedFrame
from farm.services import alarms, automation, commands, config, frame_gaps, ingest, nodes, silence
from farm.services.ingest import ArrivedFrame

logger = logging.getLogger(__name__)
PREFIX = "farm/v1/"
SERVER_STATUS = "farm/v1/server/status"
SERVER_TICK = "farm/v1/server/tick"
TICK_SECONDS = 20
LISTENING_GAP = timedelta(seconds=60)
Reason = QuarantinedFrame.Reason


class _Word(NamedTuple):
    """One message of a controller that we know."""

    message: Message
    topic: Topic
    node: Node


class Farm:
    """Takes the messages of all controllers.

    It remembers which old commands to clear away, and since when it has been listening.
    """

    def __init__(self) -> None:
        self._topics_to_clear: dict[str, None] = {}
        self._listening_since: datetime | None = None
        self._listened_at: datetime | None = None

    def take_many(self, messages: Sequence[Message]) -> None:
        """Take messages in order, frames together as far as nothing else comes between."""
        words = list(self._words(messages))
        if not words:
            return
        waiting: list[ArrivedFrame] = []
        touched: set[int] = set()
        node_by_id = {word.node.pk: word.node for word in words}
        for word in words:
            if word.topic.kind in _FRAMES:
                waiting += _frames_of(word)
                continue
            if any(one.node_id == word.node.pk for one in waiting):
                touched |= _store(waiting, node_by_id)
                waiting = []
            _hand_on(word)
            self._look_at_event(word)
            node_by_id.pop(word.node.pk, None)  # it may just have told of another boot
        touched |= _store(waiting, node_by_id)
        # Frames have been noted with their readings.
        heard = {word.node.pk for word in words if _is_own_voice(word)}
        if heard:
            ingest.note_heard(node_ids=heard, at=words[-1].message.received_at)
        react(touched)

    def _look_at_event(self, word: _Word) -> None:
        """Clear a command that lies at the broker although we did not see it lie there.

        Published while we are connected it comes to us as any other; the controller that finds it
        at its next connect says so.
        """
        if word.topic.kind != "event" or word.message.is_retained:
            return
        try:
            event = frames.parse_event(word.message.payload)
        except FrameError:
            return  # it has been set aside
        if event.kind == frames.RETAINED_COMMAND and event.is_raised:
            self._topics_to_clear[f"{PREFIX}{word.topic.house}/{word.topic.node}/cmd"] = None

    def clear_old_commands(self, publish: Publish) -> None:
        """Take retained commands off the broker: an empty retained message does."""
        for topic in list(self._topics_to_clear):
            publish(topic, b"", 1, True)  # noqa: FBT003 - topic, payload, QoS, retained
            del self._topics_to_clear[topic]

    def watch_silence(self, _publish: Publish) -> None:
        """Look for sensors that have fallen silent while we were listening.

        Pumps run while we are connected: a longer pause between two looks was our own.
        """
        now = timezone.now()
        if self._listened_at is None or now - self._listened_at > LISTENING_GAP:
            self._listening_since = now
        self._listened_at = now
        silence.watch_silence(at=now, listening_since=self._listening_since or now)

    def _words(self, messages: Sequence[Message]) -> Iterator[_Word]:
        """Leave out what the server itself said, and set aside what nobody known has said."""
        parsed = [(message, frames.parse_topic(message.topic)) for message in messages]
        names = {topic.node for _, topic in parsed if topic is not None}
        known = Node.objects.filter(name__in=names).select_related("greenhouse")
        node_by_name = {node.name: node for node in known}
        for message, topic in parsed:
            if message.topic.startswith(f"{PREFIX}{frames.SERVER}/"):
                continue
            if topic is None:
                _set_aside(message, Reason.MALFORMED, "no topic of farm/v1")
            elif topic.kind in ("cmd", "cfg"):
                self._look_at_command(message, topic, node_by_name.get(topic.node))
            elif (node := node_by_name.get(topic.node)) is None:
                _set_aside(message, Reason.UNKNOWN_NODE, topic.node)
            elif node.greenhouse.code != topic.house:
                _set_aside(message, Reason.WRONG_HOUSE, f"belongs to {node.greenhouse.code}", node)
            else:
                yield _Word(message, topic, node)

    def _look_at_command(self, message: Message, topic: Topic, node: Node | None) -> None:
        """Pass over our own commands; one that the broker kept would run again at each connect."""
        if topic.kind == "cfg" or not message.is_retained or not message.payload:
            return
        self._topics_to_clear[message.topic] = None
        _set_aside(message, Reason.RETAINED_COMMAND, "cleared", node)
        house = Greenhouse.objects.filter(code=topic.house).first()
        if house is None:
            return
        alarms.raise_alarm(
            key=f"retained_command:{message.topic}"[:80],
            kind="retained_command",
            severity=Alarm.Severity.WARNING,
            greenhouse=house,
            node=node,
            facts={"topic": message.topic},
            at=message.received_at,
        )


def _set_aside(message: Message, reason: str, detail: str, node: Node | None = None) -> None:
    ingest.quarantine(
        topic=message.topic,
        payload=message.payload,
        reason=reason,
        detail=detail,
        at=message.received_at,
        node=node,
    )


def read_frames(topic: str, payload: bytes) -> frames.Read | FrameError | None:
    """Read the frames of a message, or say why they cannot be; None when it should hold none."""
    kind = getattr(frames.parse_topic(topic), "kind", "")
    try:
        if kind == "batch":
            return frames.parse_batch(payload)
        return ((frames.parse_tele(payload),), ()) if kind == "tele" else None
    except FrameError as error:
        return error


def _frames_of(word: _Word) -> list[ArrivedFrame]:
    """Read the frames of a message; none when it is not as the contract says."""
    message, is_buffered = word.message, word.topic.kind == "batch"
    if message.is_retained:
        _set_aside(message, Reason.MALFORMED, "readings are not retained", word.node)
        return []
    read = message.read or read_frames(message.topic, message.payload)
    if isinstance(read, FrameError):
        _set_aside(message, read.reason, read.detail, word.node)
        return []
    good, faults = read or ((), ())
    for fault, entry in faults:
        _set_aside(message._replace(payload=entry), fault.reason, fault.detail, word.node)
    return [ArrivedFrame(word.node.pk, one, message.received_at, is_buffered) for one in good]


def _store(waiting: Sequence[ArrivedFrame], node_by_id: Mapping[int, Node]) -> set[int]:
    if not waiting:
        return set()
    return ingest.store_frames(arrived=waiting, at=waiting[-1].received_at, nodes=node_by_id)


def _hand_on(word: _Word) -> None:
    if word.message.is_retained and word.topic.kind in _NEWS:
        # It would come again with each connection, long after it was true.
        _set_aside(word.message, Reason.MALFORMED, "news is not retained", word.node)
        return
    try:
        _SERVICES[word.topic.kind](word, word.message.received_at)
    except FrameError as error:
        _set_aside(word.message, error.reason, error.detail, word.node)


def react(channel_ids: set[int]) -> None:
    """Let the rules see the new values; what goes wrong there takes no reading with it."""
    if not channel_ids:
        return
    try:
        automation.react(channel_ids=channel_ids, at=timezone.now())
    except DATABASE_ERRORS:
        raise
    except Exception:
        logger.exception("the rules could not react to %d channels", len(channel_ids))


def _is_own_voice(word: _Word) -> bool:
    """Tell whether the controller itself has just said this, not the broker for it."""
    return (
        word.topic.kind not in _FRAMES
        and not word.message.is_retained
        and word.message.payload != b"offline"
    )


def _take_status(word: _Word, at: datetime) -> None:
    is_online = frames.parse_status(word.message.payload)
    nodes.record_status(node=word.node, is_online=is_online, at=at)


def _take_birth(word: _Word, at: datetime) -> None:
    birth = frames.parse_birth(word.message.payload)
    nodes.record_birth(node=word.node, birth=birth, at=at)


def _take_state(word: _Word, at: datetime) -> None:
    state = frames.parse_state(word.message.payload)
    nodes.record_output_state(node=word.node, output_code=word.topic.output, state=state, at=at)


def _take_ack(word: _Word, at: datetime) -> None:
    commands.take_ack(node=word.node, ack=frames.parse_ack(word.message.payload), at=at)


def _take_event(word: _Word, at: datetime) -> None:
    nodes.record_event(node=word.node, event=frames.parse_event(word.message.payload), at=at)


def _take_config_ack(word: _Word, at: datetime) -> None:
    ack = frames.parse_config_ack(word.message.payload)
    nodes.record_config_ack(node=word.node, ack=ack, at=at)


_FRAMES = ("tele", "batch")
_NEWS = ("ack", "event")
_SERVICES: dict[str, Callable[[_Word, datetime], None]] = {
    "status": _take_status,
    "birth": _take_birth,
    "state": _take_state,
    "ack": _take_ack,
    "event": _take_event,
    "cfg_ack": _take_config_ack,
}


def tick(publish: Publish) -> None:
    """Tell the time: controllers without a clock set theirs by it, and all see that we are here."""
    t_ms = round(timezone.now().timestamp() * 1000)
    # Grows over restarts and is the same from each of several bridges.
    publish(SERVER_TICK, outgoing.tick_payload(t_ms, t_ms // (TICK_SECONDS * 1000)), 0, False)  # noqa: FBT003


def send_commands(publish: Publish) -> None:
    commands.send_due(publish=publish, at=timezone.now())


def publish_configs(publish: Publish) -> None:
    config.publish_due(publish=publish, at=timezone.now())


def advance_commands(_publish: Publish) -> None:
    commands.advance(at=timezone.now())


def run_rules(_publish: Publish) -> None:
    automation.run_due(at=timezone.now())


def ask_for_gaps(_publish: Publish) -> None:
    frame_gaps.ask_for_gaps(at=timezone.now())


FARM = Farm()
HANDLERS = (
    Handler(
        topic="farm/v1/+/+/#",
        take_many=FARM.take_many,
        levels=(
            "farm/v1/+/+/status",
            "farm/v1/+/+/birth",
            "farm/v1/+/+/out/+/state",
            "farm/v1/+/+/cfg/ack",
            "farm/v1/+/+/cmd",
        ),
        read=read_frames,
    ),
)
PUMPS = (
    Pump(TICK_SECONDS, tick),
    Pump(0.2, send_commands, is_eager=True),
    Pump(0.5, advance_commands),
    Pump(1, FARM.clear_old_commands),
    Pump(1, publish_configs),
    Pump(5, run_rules),
    Pump(5, ask_for_gaps),
    Pump(15, FARM.watch_silence),
)
