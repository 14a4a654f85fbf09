"""The description by which Home Assistant shows a controller; knows no Django.

Device-based discovery: one retained message for each controller (Home Assistant 2024.11 and newer,
home-assistant.io/integrations/mqtt). Read-only on purpose: Home Assistant knows no duration, and a
valve without one is what farm/v1 is there to prevent.
"""

import json
import re
from collections import Counter
from collections.abc import Container, Sequence
from dataclasses import dataclass
from typing import Any
from zlib import crc32

STATUS_TOPIC = "homeassistant/status"
CONFIG_TOPICS = "homeassistant/device/+/config"
_CONFIG = re.compile(r"homeassistant/device/pl-([a-z0-9-]{1,24})/config\Z")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
ORIGIN = {"name": "phuloc-farm", "sw": "1.0"}

# Quantity: device class of Home Assistant's sensors (home-assistant.io/integrations/sensor).
_CLASSES = {
    "air_temperature": "temperature",
    "leaf_temperature": "temperature",
    "water_temperature": "temperature",
    "relative_humidity": "humidity",
    "ec": "conductivity",
    "ph": "ph",
    "tank_volume": "volume_storage",
    "flow": "volume_flow_rate",
    "solar_radiation": "irradiance",
    "co2": "carbon_dioxide",
    "substrate_moisture": "moisture",
    "wind_speed": "wind_speed",
}
# Units of farm/v1 that Home Assistant spells otherwise; pH has none there.
_UNITS = {"degC": "°C", "pH": "", "W/m2": "W/m²", "umol/m2/s": "µmol/m²/s"}


@dataclass(frozen=True, slots=True)
class Sensor:
    """A channel: its code in messages, quantity, unit, and how long a value holds."""

    code: str
    quantity: str
    unit: str
    stale_seconds: int
    label: str = ""
    scale: float = 1.0  # what we show is what is sent, times this,
    offset: float = 0.0  # and this more


@dataclass(frozen=True, slots=True)
class Switch:
    """An output: its code in topics."""

    code: str
    label: str = ""


@dataclass(frozen=True, slots=True)
class Controller:
    """A node as Home Assistant shall show it."""

    house: str
    node: str
    name: str
    maker: str
    firmware: str
    sensors: Sequence[Sensor] = ()
    switches: Sequence[Switch] = ()


def config_topic(node: str) -> str:
    """Give the topic of a node's description.

    >>> config_topic("n7f3a")
    'homeassistant/device/pl-n7f3a/config'
    """
    return f"homeassistant/device/pl-{node}/config"


def node_of(topic: str) -> str:
    """Read the node out of such a topic; "" for what is not ours.

    >>> node_of("homeassistant/device/pl-n7f3a/config"), node_of("homeassistant/device/x/config")
    ('n7f3a', '')
    """
    match = _CONFIG.match(topic)
    return match[1] if match else ""


def document(controller: Controller) -> dict[str, Any]:
    """Describe a controller with its sensors, and its outputs as what is running or not."""
    base = f"farm/v1/{controller.house}/{controller.node}"
    components: dict[str, dict[str, Any]] = {}
    sensors = _keys([sensor.code for sensor in controller.sensors])
    for sensor in controller.sensors:
        key = sensors[sensor.code]
        components[key] = _sensor(sensor, base) | {"uniq_id": f"{controller.node}_{key}"}
    switches = _keys([switch.code for switch in controller.switches])
    for switch in controller.switches:
        key = _free_key(switch.code, switches[switch.code], components)
        components[key] = _switch(switch, base) | {"uniq_id": f"{controller.node}_{key}"}
    return {
        "dev": {
            "ids": [f"pl-{controller.node}"],
            "name": controller.name,
            "mf": controller.maker,
            "sw": controller.firmware,
        },
        "o": ORIGIN,
        "avty": [{"t": f"{base}/status"}],
        "cmps": components,
    }


def _free_key(code: str, key: str, taken: Container[str]) -> str:
    """Name an output that a channel is named like; both of them shall be there."""
    longer = f"out_{code.replace('-', '_')}"
    choices = (key, longer, f"{longer}_{crc32(code.encode()):08x}")
    return next(choice for choice in choices if choice not in taken)


def _keys(codes: Sequence[str]) -> dict[str, str]:
    """Name each code as Home Assistant can; what would be named alike gets a mark of its own.

    >>> _keys(["valve-1", "t.1", "t_1"])
    {'valve-1': 'valve1', 't.1': 't_1_f6601088', 't_1': 't_1'}
    """
    plain = {code: code.replace("-", "").replace(".", "_") for code in codes}
    alike = Counter(plain.values())
    return {
        code: key if alike[key] == 1 or key == code else f"{key}_{crc32(code.encode()):08x}"
        for code, key in plain.items()
    }


def payload(controller: Controller) -> bytes:
    return json.dumps(document(controller), ensure_ascii=False, separators=(",", ":")).encode()


def _sensor(sensor: Sensor, base: str) -> dict[str, Any]:
    place = f".{sensor.code}" if _NAME.match(sensor.code) else f"['{sensor.code}']"
    value = f"value_json.m{place}"
    if (sensor.scale, sensor.offset) != (1.0, 0.0):
        # What is no number (null, or not in this frame) stays as it is.
        value = f"{value} * {sensor.scale} + {sensor.offset} if {value} is number else {value}"
    said = {
        "p": "sensor",
        "name": sensor.label,
        "dev_cla": _CLASSES.get(sensor.quantity, ""),
        "stat_cla": "measurement",
        "unit_of_meas": _UNITS.get(sensor.unit, sensor.unit),
        "stat_t": f"{base}/tele",
        "val_tpl": f"{{{{ {value} }}}}",
        # Readings are not retained, and one that is not followed by another runs out.
        "exp_aft": sensor.stale_seconds,
    }
    return {key: value for key, value in said.items() if value != ""}


def _switch(switch: Switch, base: str) -> dict[str, Any]:
    said = {
        "p": "binary_sensor",
        "name": switch.label,
        "dev_cla": "running",
        "stat_t": f"{base}/out/{switch.code}/state",
        "val_tpl": "{{ 'ON' if value_json.on else 'OFF' }}",
    }
    return {key: value for key, value in said.items() if value != ""}
