"""OpenSprinkler: commands as its web address takes them, stations as JSON (firmware, mqtt.cpp).

The prefix of a node is the device's publish topic; its subscribe topic has to be <prefix>/cmd. The
number at the end of an output's code is the station's, from 0 as the device counts; a channel's
code is <station>.flow.
"""

import re
from typing import ClassVar

from farm import json_fields
from farm.adapters.protocol import STOP_QOS, CannotDoError, Heard, Outgoing, Switched, check_seconds
from farm.json_fields import FrameError

_STATION = re.compile(r"station/([0-9]{1,3})\Z")
_LAST_NUMBER = re.compile(r"([0-9]{1,3})\Z")


class OpenSprinkler:
    """Starts a station with a time of its own, as somebody at its buttons would.

    `password_hash` is the MD5 that the device wants with each command; "" where it asks for none.
    """

    longest_seconds: ClassVar[int] = 64_800

    def __init__(self, password_hash: str = "") -> None:
        self._password_hash = password_hash

    def hears(self, prefix: str, topic: str) -> bool:
        return topic == f"{prefix}/availability" or bool(
            topic.startswith(f"{prefix}/") and _STATION.match(topic.removeprefix(f"{prefix}/"))
        )

    def hear(self, prefix: str, topic: str, payload: bytes) -> Heard:
        """Read a station's state; at its end the device says how long it ran.

        >>> OpenSprinkler().hear("os", "os/station/3", b'{"state":0,"duration":118}').outputs
        (Switched(key='3', is_on=False, flow_litres_per_minute=None, ran_seconds=118.0),)
        """
        match = _STATION.match(topic.removeprefix(f"{prefix}/"))
        if match is None:
            return Heard(is_online=_presence(payload))
        document = json_fields.read_object(payload)
        state = document.get("state")
        if state not in (0, 1):
            raise FrameError("malformed", "state is neither 0 nor 1")
        flow = json_fields.number(document.get("flow"))
        ran = json_fields.number(document.get("duration")) if state == 0 else None
        values = {} if flow is None else {f"{match[1]}.flow": flow}
        return Heard(values, (Switched(match[1], state == 1, None, ran),))

    def output_key(self, code: str) -> str:
        found = _LAST_NUMBER.search(code)
        return str(int(found[1])) if found else ""

    def run(self, prefix: str, key: str, seconds: int) -> tuple[Outgoing, ...]:
        check_seconds(seconds, longest=self.longest_seconds)
        return (self._order(prefix, key, f"en=1&t={seconds}"),)

    def stop(self, prefix: str, key: str) -> tuple[Outgoing, ...]:
        return (self._order(prefix, key, "en=0", STOP_QOS),)

    def _order(self, prefix: str, key: str, words: str, qos: int = 0) -> Outgoing:
        """Write a command; the last & ends the number where firmware forgets to end the text."""
        if not key:
            raise CannotDoError("unknown_output")
        password = f"pw={self._password_hash}&" if self._password_hash else ""
        return Outgoing(f"{prefix}/cmd", f"cm?{password}sid={key}&{words}&".encode(), qos)


def _presence(payload: bytes) -> bool:
    if payload not in (b"online", b"offline"):
        raise FrameError("malformed", "availability is neither online nor offline")
    return payload == b"online"
