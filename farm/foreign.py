"""Other people's devices at the broker: bytes become words of ours here, as farm.mqtt does it.

The topics of FOREIGN_TOPICS are heard as a whole, and whose message it is, is looked up in the
rows: a device that somebody registers is heard from its next message on, without a new start. What
belongs to nobody registered is none of our business, and passed over.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

from django.conf import settings
from django.utils import timezone

from common.mqtt_handlers import Handler, Message
from common.pumps import Publish, Pump
from farm.adapters.families import adapters
from farm.adapters.protocol import Adapter, Heard
from farm.json_fields import FrameError
from farm.models import Node, Output
from farm.mqtt import react
from farm.services import foreign_devices, foreign_readings, ingest
from farm.services.foreign_readings import ForeignValue

ADAPTERS = adapters(opensprinkler_hash=settings.OPENSPRINKLER_PASSWORD_HASH)
# Where the families say whether a device is there; each of several bridges hears it for itself.
PRESENCE = ("+/status", "+/LWT", "+/availability", "availability")


class _Word(NamedTuple):
    """One message of a device that we know."""

    message: Message
    node: Node
    adapter: Adapter
    heard: Heard


def take_many(messages: Sequence[Message]) -> None:
    """Take messages of foreign devices in order; their values are stored together."""
    outputs: dict[int, list[Output]] = {}
    values: list[ForeignValue] = []
    for word in _words(messages):
        message, node = word.message, word.node
        if word.heard.is_online is not None:
            foreign_devices.take_presence(
                node=node, is_online=word.heard.is_online, at=message.received_at
            )
            node.is_online = word.heard.is_online
        if word.heard.outputs:
            of_node = outputs.setdefault(node.pk, _outputs(node))
            _take_outputs(word, of_node, message.received_at)
        if not message.is_retained:
            # What the broker had kept may be of any age, and must never look live.
            values += [
                ForeignValue(node, code, value, message.topic, message.received_at)
                for code, value in word.heard.values.items()
            ]
    if values:
        react(foreign_readings.store_values(arrived=values, at=values[-1].received_at))


def _words(messages: Sequence[Message]) -> Iterator[_Word]:
    nodes = list(
        Node.objects.exclude(protocol=Node.Protocol.FARM_V1)
        .exclude(topic="")
        .filter(greenhouse__is_active=True)
        .select_related("greenhouse")
        .order_by("pk")
    )
    for message in messages if nodes else ():
        for node in nodes:
            adapter = ADAPTERS[node.protocol]
            if adapter.hears(node.topic, message.topic):
                heard = _heard(adapter, node, message)
                if heard is not None:
                    yield _Word(message, node, adapter, heard)


def _heard(adapter: Adapter, node: Node, message: Message) -> Heard | None:
    try:
        return adapter.hear(node.topic, message.topic, message.payload)
    except FrameError as error:
        ingest.quarantine(
            topic=message.topic,
            payload=message.payload,
            reason=error.reason,
            detail=error.detail,
            at=message.received_at,
            node=node,
        )
        return None


def _outputs(node: Node) -> list[Output]:
    return list(Output.objects.filter(node=node, is_active=True).order_by("pk"))


def _take_outputs(word: _Word, outputs: Sequence[Output], at: datetime) -> None:
    """Hand on what the message says of outputs that somebody has set up."""
    for switched in word.heard.outputs:
        for output in outputs:
            if word.adapter.output_key(output.code) == switched.key:
                foreign_devices.take_switched(
                    node=word.node,
                    output=output,
                    switched=switched,
                    is_retained=word.message.is_retained,
                    at=at,
                )
    if not word.message.is_retained:
        ingest.note_heard(node_ids=[word.node.pk], at=at)


def send_commands(publish: Publish) -> None:
    foreign_devices.send_due(publish=publish, adapters=ADAPTERS, at=timezone.now())


def handler_of(topic: str) -> Handler:
    """Make the handler of a topic filter such as zigbee2mqtt/#."""
    root = topic.removesuffix("#")
    levels = tuple(f"{root}{name}" for name in PRESENCE) if topic.endswith("/#") else ()
    return Handler(topic=topic, take_many=take_many, levels=levels)


HANDLERS = tuple(handler_of(topic) for topic in settings.FOREIGN_TOPICS)
PUMPS = (Pump(0.5, send_commands, is_eager=True),)
