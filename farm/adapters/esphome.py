"""ESPHome: <prefix>/<component>/<object>/state and …/command (esphome.io, MQTT client component).

On the device: `reboot_timeout: 0s`, switches ALWAYS_OFF, and for each zone a sprinkler (or a script
of on, delay and off) with a number "<zone> duration" in seconds. A channel's code is the sensor's
object id, an output's code the switch's, with - for _.
"""

import math
from typing import ClassVar

from farm.adapters.protocol import STOP_QOS, Heard, Outgoing, Switched, check_seconds
from farm.json_fields import FrameError

_SWITCH = {b"ON": True, b"OFF": False}


class Esphome:
    """Sets the zone's duration, then switches the zone on; the device counts."""

    longest_seconds: ClassVar[int] = 86_400

    def hears(self, prefix: str, topic: str) -> bool:
        return topic == f"{prefix}/status" or (
            topic.startswith(f"{prefix}/") and topic.endswith("/state")
        )

    def hear(self, prefix: str, topic: str, payload: bytes) -> Heard:
        """Read a state.

        >>> Esphome().hear("esphome/nm1", "esphome/nm1/sensor/air_t/state", b"28.4").values
        {'air_t': 28.4}
        """
        rest = topic.removeprefix(f"{prefix}/").split("/")
        if rest == ["status"]:
            return Heard(is_online=_presence(payload))
        if len(rest) != 3:
            return Heard()
        component, name, _ = rest
        if component == "sensor":
            return Heard(values={name: _number(payload)})
        if component == "binary_sensor":
            return Heard(values={name: float(_is_on(payload))})
        if component == "switch":
            return Heard(outputs=(Switched(name, _is_on(payload)),))
        return Heard()

    def output_key(self, code: str) -> str:
        return code.replace("-", "_")

    def run(self, prefix: str, key: str, seconds: int) -> tuple[Outgoing, ...]:
        """Set the duration, then switch on.

        The duration goes with QoS 1: were it lost and the "on" not, the zone would run as long as
        it did the last time.
        """
        check_seconds(seconds, longest=self.longest_seconds)
        return (
            Outgoing(f"{prefix}/number/{key}_duration/command", str(seconds).encode(), STOP_QOS),
            Outgoing(f"{prefix}/switch/{key}/command", b"ON"),
        )

    def stop(self, prefix: str, key: str) -> tuple[Outgoing, ...]:
        return (Outgoing(f"{prefix}/switch/{key}/command", b"OFF", STOP_QOS),)


def _presence(payload: bytes) -> bool:
    if payload not in (b"online", b"offline"):
        raise FrameError("malformed", "status is neither online nor offline")
    return payload == b"online"


def _is_on(payload: bytes) -> bool:
    if payload not in _SWITCH:
        raise FrameError("malformed", "a state is neither ON nor OFF")
    return _SWITCH[payload]


def _number(payload: bytes) -> float | None:
    """Read a sensor's state; "nan" is what ESPHome says of a sensor that failed."""
    try:
        number = float(payload.decode("ascii"))
    except ValueError as error:
        raise FrameError("malformed", "a sensor's state is no number") from error
    return number if math.isfinite(number) else None
