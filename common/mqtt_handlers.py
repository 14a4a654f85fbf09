"""What the apps know of MQTT: messages, and who takes them; no connection."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple

from django.db import DataError, IntegrityError
from paho.mqtt.client import topic_matches_sub

from common.pumps import DATABASE_ERRORS

logger = logging.getLogger(__name__)
# MQTT allows 65,535 bytes: whoever makes up such topics must not fill our memory.
LONGEST_REMEMBERED_TOPIC = 200


class Message(NamedTuple):
    """What came in. `is_retained`: the broker had kept it, it may be of any age."""

    topic: str
    payload: bytes
    is_retained: bool
    received_at: datetime
    read: Any = None  # what its handler's `read` made of it


@dataclass(frozen=True, slots=True)
class Handler:
    """Who takes the messages of a topic filter: called with those that came together, in order.

    It is called again with the same messages when the database failed it, when the connection
    broke before the acknowledgement, or when one of them broke it, so it must be harmless twice.
    `levels` are filters that each of several bridges hears for itself: a shared subscription
    brings no retained message. `read`, if there is one, is asked for each message by the thread
    that listens, while the other waits for the database, which it must not touch.
    """

    topic: str
    take_many: Callable[[Sequence[Message]], None]
    levels: tuple[str, ...] = ()
    read: Callable[[str, bytes], Any] | None = None


def matches(name: str, topic: str) -> bool:
    """Tell whether a filter takes a topic; controllers say the same few topics all day."""
    if len(topic) > LONGEST_REMEMBERED_TOPIC:
        return topic_matches_sub(name, topic)
    return _matches(name, topic)


@lru_cache(maxsize=4096)
def _matches(name: str, topic: str) -> bool:
    return topic_matches_sub(name, topic)


def offer(take_many: Callable[[Sequence[Message]], None], messages: Sequence[Message]) -> None:
    """Hand over messages; of a batch that breaks the code, drop only the one that breaks it.

    A database that is away is no fault of the message: that is raised. A value that the database
    refuses is: waiting would make the broker repeat it for ever.
    """
    try:
        take_many(messages)
    except Exception as error:
        if isinstance(error, DATABASE_ERRORS) and not isinstance(error, DataError | IntegrityError):
            raise
        if len(messages) == 1:
            logger.exception("mqtt message dropped: %s", messages[0].topic)
            return
        middle = len(messages) // 2
        offer(take_many, messages[:middle])
        offer(take_many, messages[middle:])
