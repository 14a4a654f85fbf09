"""Which adapter speaks with which family of devices (the values of Node.Protocol)."""

from collections.abc import Mapping

from farm.adapters.esphome import Esphome
from farm.adapters.opensprinkler import OpenSprinkler
from farm.adapters.protocol import Adapter
from farm.adapters.tasmota import Tasmota
from farm.adapters.zigbee2mqtt import Zigbee2Mqtt


def adapters(*, opensprinkler_hash: str = "") -> Mapping[str, Adapter]:
    """Give the adapter of each protocol but farm/v1.

    >>> sorted(adapters())
    ['esphome', 'opensprinkler', 'tasmota', 'zigbee2mqtt']
    """
    return {
        "esphome": Esphome(),
        "tasmota": Tasmota(),
        "zigbee2mqtt": Zigbee2Mqtt(),
        "opensprinkler": OpenSprinkler(opensprinkler_hash),
    }
