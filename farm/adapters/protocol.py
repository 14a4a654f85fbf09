"""What an adapter of other people's devices does: their words into ours and back; knows no Django.

Such a device acknowledges nothing: that it shows "on" is its start, "off" its end. Whatever it is
told to do is bounded on the device itself, and an adapter that cannot do so refuses.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

from farm import json_fields

# A run that lay at the broker until the device came back would surprise whoever is there: brokers
# keep nothing of QoS 0 for clients that are away. A stop that comes late does no harm.
RUN_QOS = 0
STOP_QOS = 1
DEEPEST = 3


class CannotDoError(Exception):
    """The device has no way to do this safely; `reason` is a short code for the command's row."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One message to a device; never retained."""

    topic: str
    payload: bytes
    qos: int = RUN_QOS


@dataclass(frozen=True, slots=True)
class Switched:
    """What an output shows; `key` is its name in the device's own words (Adapter.output_key)."""

    key: str
    is_on: bool
    flow_litres_per_minute: float | None = None
    ran_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Heard:
    """What one message says: values by channel code, outputs, and whether the device is there.

    None as value: the sensor failed.
    """

    values: Mapping[str, float | None] = field(default_factory=dict)
    outputs: tuple[Switched, ...] = ()
    is_online: bool | None = None


class Adapter(Protocol):
    """One family of devices. `prefix` is what Node.topic says of one of them."""

    longest_seconds: ClassVar[int]

    def hears(self, prefix: str, topic: str) -> bool:
        """Tell whether a topic is one of this device's."""

    def hear(self, prefix: str, topic: str, payload: bytes) -> Heard:
        """Read a message. Raises FrameError when it is not as the family writes it."""

    def output_key(self, code: str) -> str:
        """Give the device's own name of the output that we call `code`."""

    def run(self, prefix: str, key: str, seconds: int) -> tuple[Outgoing, ...]:
        """Write what lets an output run for so long and no longer. Raises CannotDoError."""

    def stop(self, prefix: str, key: str) -> tuple[Outgoing, ...]:
        """Write what switches an output off."""


def check_seconds(seconds: int, *, longest: int) -> None:
    """Raise CannotDoError for a run that the device's own timer cannot hold.

    >>> check_seconds(12, longest=64_800)
    """
    if seconds < 1:
        raise CannotDoError("too_short")
    if seconds > longest:
        raise CannotDoError("max_s")


def numbers_in(document: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, float | None]]:
    """Give the numbers of a JSON object by their place in it, at most DEEPEST levels down.

    >>> dict(numbers_in({"Time": "12:00", "AM2301": {"Temperature": 23.4}, "battery": None}))
    {'AM2301.Temperature': 23.4, 'battery': None}
    """
    for name, value in document.items():
        place = f"{path}{name}"
        if isinstance(value, dict) and place.count(".") < DEEPEST:
            yield from numbers_in(value, f"{place}.")
        elif value is None or (isinstance(value, int | float) and not isinstance(value, bool)):
            yield place, json_fields.number(value)
