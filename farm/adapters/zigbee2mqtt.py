"""Zigbee2MQTT valves that count by themselves, as SONOFF's SWV (zigbee2mqtt.io/devices/SWV.html).

The prefix of a node is base topic and friendly name: zigbee2mqtt/van-1. In Zigbee2MQTT: switch
`availability` on. A channel's code is the property's name. The SWV tells its flow in m³/h.
"""

import json
from typing import ClassVar

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

STATE = "state"
LITRES_PER_MINUTE_OF_M3_PER_HOUR = 1000 / 60


class Zigbee2Mqtt:
    """Hands the valve one timed irrigation; it closes by itself, whatever becomes of the hub."""

    longest_seconds: ClassVar[int] = 86_400

    def hears(self, prefix: str, topic: str) -> bool:
        return topic in (prefix, f"{prefix}/availability")

    def hear(self, prefix: str, topic: str, payload: bytes) -> Heard:
        """Read a device's state or its availability.

        >>> Zigbee2Mqtt().hear("z/v", "z/v", b'{"state":"ON","flow":0.3}').outputs[0]
        Switched(key='state', is_on=True, flow_litres_per_minute=5.0, ran_seconds=None)
        """
        if topic != prefix:
            return Heard(is_online=_presence(payload))
        document = json_fields.read_object(payload)
        values = dict(numbers_in(document))
        if document.get(STATE) not in ("ON", "OFF"):
            return Heard(values=values)
        flow = values.get("flow")
        litres = None if flow is None else round(flow * LITRES_PER_MINUTE_OF_M3_PER_HOUR, 3)
        return Heard(values, (Switched(STATE, document[STATE] == "ON", litres),))

    def output_key(self, code: str) -> str:
        """Give the one valve of the device, whatever we call it."""
        return STATE

    def run(self, prefix: str, key: str, seconds: int) -> tuple[Outgoing, ...]:
        check_seconds(seconds, longest=self.longest_seconds)
        order = {
            "cyclic_timed_irrigation": {
                "current_count": 0,
                "total_number": 1,
                "irrigation_duration": seconds,
                "irrigation_interval": 0,
            }
        }
        return (Outgoing(f"{prefix}/set", json.dumps(order, separators=(",", ":")).encode()),)

    def stop(self, prefix: str, key: str) -> tuple[Outgoing, ...]:
        return (Outgoing(f"{prefix}/set", b'{"state":"OFF"}', STOP_QOS),)


def _presence(payload: bytes) -> bool:
    """Read `online`, or {"state": "online"} as Zigbee2MQTT writes it since version 1.17."""
    word: object = payload.decode("utf-8", "replace")
    if payload.startswith(b"{"):
        word = json_fields.read_object(payload).get(STATE)
    if word not in ("online", "offline"):
        raise FrameError("malformed", "availability is neither online nor offline")
    return word == "online"
