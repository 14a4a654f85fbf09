"""A whole house under a virtual clock: weather, water, controllers, links and a server to talk to.

    world = World(LETTUCE, seed=7, begins=...)
    world.run(until=..., server=server)

`server` is anything with `hear` and `say`, from a few lines in a test to the real services.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Protocol

from farm.simulator.climate import Sky
from farm.simulator.clock import DeviceClock
from farm.simulator.houses import House
from farm.simulator.link import CALM, Link, Weather
from farm.simulator.node import TICK_TOPIC, Node
from farm.simulator.physics import Greenhouse
from farm.simulator.reports import Outgoing, encode
from farm.simulator.sensors import Sensors

TICK_MS = 20_000
IDLE_STEP_MS = 30_000
WATERING_STEP_MS = 5_000


class Server(Protocol):
    """Whoever answers the controllers."""

    def hear(self, message: Outgoing, at_ms: int) -> None: ...

    def say(self, at_ms: int) -> Iterable[Outgoing]: ...


class SilentServer:
    """Only ticks, by way of the world; listens to nothing."""

    def hear(self, message: Outgoing, at_ms: int) -> None:
        """Forget it."""

    def say(self, at_ms: int) -> Iterable[Outgoing]:
        return ()


@dataclass(slots=True)
class Station:
    """A controller with its sensors and both directions of its link."""

    node: Node
    sensors: Sensors
    up: Link[Outgoing]
    down: Link[Outgoing]


@dataclass(slots=True)
class World:
    """One house that lives through virtual time."""

    house: House
    begins: datetime
    seed: int = 7
    weather: Weather = CALM
    clock: DeviceClock = field(default_factory=DeviceClock)
    ticks: bool = True
    greenhouse: Greenhouse = field(init=False)
    stations: dict[str, Station] = field(init=False)
    now_ms: int = field(init=False)
    _ticked_ms: int = 0
    _retained: dict[str, Outgoing] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.now_ms = int(self.begins.timestamp() * 1000)
        self.greenhouse = Greenhouse(self.house.plan, Sky(self.seed), zones=self.house.zones)
        self.stations = {}
        for number, spec in enumerate(self.house.nodes):
            links = (
                Link[Outgoing](self.seed * 10 + number + side * 5, self.weather) for side in (0, 1)
            )
            node = Node(spec, clock=self.clock)
            node.power_on(real_ms=self.now_ms)
            self.stations[spec.name] = Station(node, Sensors(spec, seed=self.seed), *links)
            self.connect(spec.name)

    def run(self, *, until: datetime, server: Server | None = None) -> None:
        """Let the virtual time go on to a moment."""
        server = server or SilentServer()
        end = int(until.timestamp() * 1000)
        while self.now_ms < end:
            self._step_to(min(end, self._next_ms()), server)

    def each_step(
        self, *, until: datetime, server: Server, look: Callable[[], None]
    ) -> Iterator[None]:
        """Do as `run`, and look at the world after each step."""
        end = int(until.timestamp() * 1000)
        while self.now_ms < end:
            self._step_to(min(end, self._next_ms()), server)
            look()
            yield

    def connect(self, name: str) -> None:
        """Let a controller reach the broker: birth, status, and the retained config comes."""
        station = self.stations[name]
        station.up.mend()
        station.down.mend()
        for message in station.node.connected():
            station.up.send(message, at_ms=self.now_ms)
        config = self._retained.get(f"{station.node.spec.base}/cfg")
        if config is not None:
            station.down.send(config, at_ms=self.now_ms)

    def disconnect(self, name: str, server: Server) -> None:
        """Cut a controller off; the broker tells its last will."""
        station = self.stations[name]
        station.node.disconnected()
        station.up.cut()
        station.down.cut()
        server.hear(station.node.will(), self.now_ms)

    def reboot(self, name: str) -> None:
        """Take a controller's power away and give it back at once."""
        node = self.stations[name].node
        node.power_off(real_ms=self.now_ms)
        node.power_on(real_ms=self.now_ms)
        self.connect(name)

    def _next_ms(self) -> int:
        """Step as far as nothing happens: to the next timer, arrival or frame."""
        is_watering = self.greenhouse.flow_lpm > 0 or any(
            run.is_watering
            for station in self.stations.values()
            for run in station.node.switches.running.values()
        )
        step = WATERING_STEP_MS if is_watering else IDLE_STEP_MS
        moments = [(self.now_ms // step + 1) * step]
        for station in self.stations.values():
            timers = (station.node.next_timer_ms(), station.up.next_ms(), station.down.next_ms())
            moments.extend(timer for timer in timers if timer is not None and timer > self.now_ms)
        return min(moments)

    def _step_to(self, moment_ms: int, server: Server) -> None:
        seconds = (moment_ms - self.now_ms) / 1000
        at = datetime.fromtimestamp(moment_ms / 1000, UTC)
        on = {
            code: one.node.strength(code)
            for one in self.stations.values()
            for code in one.node.switches.running
        }
        self.greenhouse.step(seconds, at, on)
        self.now_ms = moment_ms
        truth = self.greenhouse.measured()
        for station in self.stations.values():
            sensed = station.sensors.read(
                truth, at_s=moment_ms / 1000, faults=self.greenhouse.faults
            )
            for message in station.node.advance(real_ms=moment_ms, sensed=sensed):
                station.up.send(message, at_ms=moment_ms)
        self._carry(server)

    def _carry(self, server: Server) -> None:
        """Move what the server says down, and what the controllers say up."""
        for message in self._spoken(server):
            self._post(message)
        for station in self.stations.values():
            for message in station.down.due(at_ms=self.now_ms):
                for answer in station.node.receive(topic=message.topic, payload=message.payload):
                    station.up.send(answer, at_ms=self.now_ms)
            for message in station.up.due(at_ms=self.now_ms):
                server.hear(message, self.now_ms)

    def _post(self, message: Outgoing) -> None:
        if message.is_retained:
            self._retained[message.topic] = message
        for station in self.stations.values():
            if message.topic == TICK_TOPIC or message.topic.startswith(station.node.spec.base):
                station.down.send(message, at_ms=self.now_ms)

    def _spoken(self, server: Server) -> Iterator[Outgoing]:
        if self.ticks and self.now_ms - self._ticked_ms >= TICK_MS:
            self._ticked_ms = self.now_ms
            yield Outgoing(
                TICK_TOPIC, encode({"t": self.now_ms, "n": self.now_ms // TICK_MS}), qos=0
            )
        yield from server.say(self.now_ms)
