"""Tasmota with its usual FullTopic %prefix%/%topic%/ (tasmota.github.io/docs/Commands).

The prefix of a node is its %topic%. On the device: PowerOnState 0, PowerRetain 0, SensorRetain 0.
A channel's code is the place in SENSOR's document, as AM2301.Temperature; the number at the end of
an output's code is the relay's, 1 without one.
"""

import re
from typing import Any, ClassVar

from farm import json_fields
from farm.adapters.protocol import (
    STOP_QOS,
    Heard,
    Outgoing,
    Switched,
    check_seconds,
    numbers_in,
)
from farm.json_fields import FrameError

_POWER = re.compile(r"POWER([1-9][0-9]?)?\Z")
_LAST_NUMBER = re.compile(r"([1-9][0-9]?)\Z")
# PulseTime: 1..111 are tenths of a second, 112..64900 are seconds + 100.
SHORTEST_IN_SECONDS = 12
_OF_TENTHS = 10
_OF_SECONDS = 100


def pulse_time(seconds: int) -> int:
    """Write a duration as PulseTime does.

    >>> pulse_time(1), pulse_time(11), pulse_time(12), pulse_time(120), pulse_time(64800)
    (10, 110, 112, 220, 64900)
    """
    return seconds * _OF_TENTHS if seconds < SHORTEST_IN_SECONDS else seconds + _OF_SECONDS


class Tasmota:
    """Sets PulseTime and switches on in one Backlog; the relay drops by itself."""

    longest_seconds: ClassVar[int] = 64_800

    def hears(self, prefix: str, topic: str) -> bool:
        return topic in {
            f"tele/{prefix}/LWT",
            f"tele/{prefix}/SENSOR",
            f"tele/{prefix}/STATE",
            f"stat/{prefix}/RESULT",
        }

    def hear(self, prefix: str, topic: str, payload: bytes) -> Heard:
        """Read telemetry, a result or the last will.

        >>> Tasmota().hear("van", "stat/van/RESULT", b'{"POWER1":"ON"}').outputs
        (Switched(key='1', is_on=True, flow_litres_per_minute=None, ran_seconds=None),)
        """
        kind = topic.rsplit("/", 1)[-1]
        if kind == "LWT":
            return Heard(is_online=_presence(payload))
        document = json_fields.read_object(payload)
        if kind == "SENSOR":
            return Heard(values=dict(numbers_in(document)))
        return Heard(outputs=tuple(_relays(document)))

    def output_key(self, code: str) -> str:
        """Give the relay's number.

        >>> Tasmota().output_key("valve-2"), Tasmota().output_key("pump")
        ('2', '1')
        """
        found = _LAST_NUMBER.search(code)
        return found[1] if found else "1"

    def run(self, prefix: str, key: str, seconds: int) -> tuple[Outgoing, ...]:
        check_seconds(seconds, longest=self.longest_seconds)
        orders = f"PulseTime{key} {pulse_time(seconds)}; Power{key} ON"
        return (Outgoing(f"cmnd/{prefix}/Backlog", orders.encode()),)

    def stop(self, prefix: str, key: str) -> tuple[Outgoing, ...]:
        return (Outgoing(f"cmnd/{prefix}/Power{key}", b"OFF", STOP_QOS),)


def _presence(payload: bytes) -> bool:
    if payload not in (b"Online", b"Offline"):
        raise FrameError("malformed", "LWT is neither Online nor Offline")
    return payload == b"Online"


def _relays(document: dict[str, Any]) -> list[Switched]:
    found = [(_POWER.match(name), value) for name, value in document.items()]
    return [
        Switched(match[1] or "1", value == "ON") for match, value in found
        if match and value in ("ON", "OFF")
    ]  # fmt: skip
