"""Controllers of a greenhouse for demos and trials: farm/v1 over real MQTT, no database."""

import logging
import queue
import signal
import threading
import time
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Any
from urllib.parse import unquote, urlsplit

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from farm.simulator.autopilot import warm_up
from farm.simulator.climate import Sky
from farm.simulator.clock import VARIANTS, DeviceClock
from farm.simulator.flash import Flash
from farm.simulator.houses import HOUSES, House
from farm.simulator.node import Node
from farm.simulator.physics import Greenhouse
from farm.simulator.reports import Outgoing
from farm.simulator.sensors import Sensors
from farm.simulator.specs import NodeSpec

logger = logging.getLogger(__name__)
STEP_SECONDS = 0.1
KEEPALIVE_SECONDS = 30
GOODBYE_SECONDS = 1.0
BOOTS_BEGAN_AT = 1_700_000_000
HOUSE_FAULTS = {"leak", "empty-tank", "blocked-pipe", "empty-stock", "dead-fan"}
SENSOR_FAULTS = {"dead-sensor", "stuck-sensor", "drifting-sensor", "minus999"}


class Change(Enum):
    """What became of a connection; paho tells it in another thread."""

    CAME = 1
    WENT = 2


class Controller:
    """One node with a connection of its own, as the real ones have."""

    def __init__(self, spec: NodeSpec, *, url: str, seed: int, clock: DeviceClock) -> None:
        # The boot number must never come twice; a real controller counts it in flash.
        flash = Flash(boot=int(time.time()) - BOOTS_BEGAN_AT)
        self.node = Node(spec, clock=clock, flash=flash)
        self.sensors = Sensors(spec, seed=seed)
        self._arrived: queue.SimpleQueue[MQTTMessage | Change] = queue.SimpleQueue()
        parts = urlsplit(url)
        self._client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=spec.name,
            clean_session=True,
            protocol=MQTTProtocolVersion.MQTTv311,
        )
        user, password = parts.username or spec.name, parts.password
        self._client.username_pw_set(unquote(user), unquote(password) if password else None)
        if parts.scheme == "mqtts":
            self._client.tls_set()
        will = self.node.will()
        self._client.will_set(will.topic, will.payload, will.qos, will.is_retained)
        self._client.on_connect = self._on_connect
        self._client.on_disconnect = self._on_disconnect
        self._client.on_message = lambda _client, _userdata, message: self._arrived.put(message)
        self._client.reconnect_delay_set(1, 30)
        port = parts.port or (8883 if parts.scheme == "mqtts" else 1883)
        self._address = (parts.hostname or "127.0.0.1", port)

    def begin(self, *, real_ms: int) -> None:
        """Boot, and go on trying to reach the broker for ever."""
        self.node.power_on(real_ms=real_ms)
        self._client.connect_async(*self._address, keepalive=KEEPALIVE_SECONDS)
        self._client.loop_start()

    def step(self, *, real_ms: int, truth: dict[str, float], faults: set[str]) -> None:
        """Let the node live to this moment and take what has come."""
        sensed = self.sensors.read(truth, at_s=real_ms / 1000, faults=faults)
        self._publish(self.node.advance(real_ms=real_ms, sensed=sensed))
        while not self._arrived.empty():
            self._take(self._arrived.get())

    def end(self, *, real_ms: int) -> None:
        """Lose power as a node does that says goodbye: a clean end leaves no last will."""
        self.node.power_off(real_ms=real_ms)
        if self._client.is_connected():
            will = self.node.will()
            farewell = self._client.publish(will.topic, will.payload, will.qos, will.is_retained)
            farewell.wait_for_publish(GOODBYE_SECONDS)
        self._client.disconnect()
        self._client.loop_stop()

    def _take(self, arrived: MQTTMessage | Change) -> None:
        """Handle a message, or that the connection came or went."""
        if arrived is Change.CAME:
            self._publish(self.node.connected())
        elif arrived is Change.WENT:
            self.node.disconnected()
        else:
            answers = self.node.receive(
                topic=arrived.topic,
                payload=bytes(arrived.payload),
                is_retained=arrived.retain,
            )
            self._publish(answers)

    def _publish(self, messages: list[Outgoing]) -> None:
        for message in messages:
            self._client.publish(message.topic, message.payload, message.qos, message.is_retained)

    def _on_connect(
        self, client: Client, userdata: Any, flags: Any, reason: Any, properties: Any
    ) -> None:
        if reason.is_failure:
            logger.error("%s: the broker refused us: %s", self.node.spec.name, reason)
            return
        client.subscribe(list(self.node.subscriptions))
        self._arrived.put(Change.CAME)
        logger.info("%s connected", self.node.spec.name)

    def _on_disconnect(
        self, client: Client, userdata: Any, flags: Any, reason: Any, properties: Any
    ) -> None:
        self._arrived.put(Change.WENT)
        logger.info("%s disconnected: %s", self.node.spec.name, reason)


class Simulation:
    """One house and its controllers, in real time; `speed` hurries the weather and the water."""

    def __init__(self, house: House, *, seed: int, speed: float, faults: set[str]) -> None:
        self.house = house
        self.speed = speed
        self.began = datetime.now(UTC)
        self.greenhouse = Greenhouse(house.plan, Sky(seed), zones=house.zones)
        warm_up(self.greenhouse, until=self.began, hours=18)
        self.greenhouse.faults = faults
        self._lived = 0.0

    def step(self, controllers: list[Controller]) -> None:
        """Let the house live on to now, and its controllers with it."""
        now = datetime.now(UTC)
        elapsed = (now - self.began).total_seconds()
        seconds, self._lived = elapsed - self._lived, max(elapsed, self._lived)
        if seconds > 0:
            on = {
                code: one.node.strength(code)
                for one in controllers
                for code in one.node.switches.running
            }
            at = self.began + timedelta(seconds=elapsed * self.speed)
            self.greenhouse.step(min(seconds, 60.0) * self.speed, at, on)
        truth = self.greenhouse.measured()
        for controller in controllers:
            controller.step(
                real_ms=int(now.timestamp() * 1000), truth=truth, faults=self.greenhouse.faults
            )


class Command(BaseCommand):
    help = "Play the controllers of a greenhouse over MQTT (farm/v1), until SIGTERM."
    requires_system_checks = ()  # touches no database

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--house", action="append", choices=sorted(HOUSES), help="again for another one"
        )
        parser.add_argument("--seed", type=int, default=7, help="of the weather and the noise")
        parser.add_argument("--speed", type=float, default=1.0, help="of the weather and the water")
        parser.add_argument("--clock", choices=VARIANTS, default="ntp", help="that nodes have")
        parser.add_argument("--url", default=settings.MQTT_URL, help="of the broker")
        parser.add_argument(
            "--fault",
            action="append",
            default=[],
            help=f"{', '.join(sorted(HOUSE_FAULTS))}, or KIND:CHANNEL, where KIND is "
            f"{', '.join(sorted(SENSOR_FAULTS))}",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if not 0 < options["speed"] <= 1000:
            raise CommandError("--speed: more than 0, at most 1000.")
        faults = set(options["fault"])
        for fault in faults:
            refuse_unknown(fault)
        stopping = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stopping.set())
        houses = [HOUSES[code] for code in options["house"] or ["nm1"]]
        clock = DeviceClock(options["clock"])
        plays = [
            (
                Simulation(house, seed=options["seed"], speed=options["speed"], faults=set(faults)),
                [
                    Controller(spec, url=options["url"], seed=options["seed"], clock=clock)
                    for spec in house.nodes
                ],
            )
            for house in houses
        ]
        live(plays, stopping)


def live(plays: list[tuple[Simulation, list[Controller]]], stopping: threading.Event) -> None:
    """Let the houses live until the event is set, then say goodbye for each controller."""
    controllers = [controller for _simulation, some in plays for controller in some]
    for controller in controllers:
        controller.begin(real_ms=time.time_ns() // 1_000_000)
    while not stopping.wait(STEP_SECONDS):
        for simulation, some in plays:
            simulation.step(some)
    for controller in controllers:
        controller.end(real_ms=time.time_ns() // 1_000_000)


def refuse_unknown(fault: str) -> None:
    """Stop with a sentence on a fault that nothing would answer to."""
    kind, _, channel = fault.partition(":")
    if fault not in HOUSE_FAULTS and not (kind in SENSOR_FAULTS and channel):
        raise CommandError(f"--fault: {fault} is not known; --help lists them.")
