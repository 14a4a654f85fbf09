"""What is switched on, why, and when it must go off: counted from the boot, by no clock."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from farm.simulator.specs import OutputSpec

GRACE_MS = 10_000  # a pipe needs so long to fill before its flow is judged
KEPT_OPENINGS = 20_000


@dataclass(slots=True)
class Run:
    """One output that is on. `deadline_ms` and `litre_limit` end it, whichever comes first."""

    output: OutputSpec
    source: str
    began_ms: int
    deadline_ms: int
    command: str = ""
    asked_t_ms: int = 0
    litre_limit: float | None = None
    ml: float | None = None
    litres: float = 0.0
    told_ms: int = 0
    measured_ms: int = 0

    def ran_seconds(self, up_ms: int) -> float:
        return (up_ms - self.began_ms) / 1000

    def ran_litres(self, up_ms: int) -> float:
        """Give what passed the meter, or what the doser's own rate gives."""
        if self.ml is not None and self.output.ml_per_second:
            return self.output.ml_per_second * self.ran_seconds(up_ms) / 1000
        return self.litres

    def ends_ms(self, lpm: float) -> int:
        """Tell when it ends, should the flow stay as it is.

        >>> valve = OutputSpec("valve-1", "valve", 900)
        >>> Run(valve, "cmd", 0, 120_000, litre_limit=6.0).ends_ms(6.0)
        60000
        """
        if self.litre_limit is None or lpm <= 0:
            return self.deadline_ms
        left_ms = max(0.0, self.litre_limit - self.litres) / lpm * 60_000
        return min(self.deadline_ms, self.measured_ms + int(left_ms))

    def measure(self, lpm: float, up_ms: int) -> None:
        """Count the litres since the last look."""
        self.litres += lpm * (up_ms - max(self.measured_ms, self.began_ms)) / 60_000
        self.measured_ms = up_ms

    @property
    def is_watering(self) -> bool:
        return self.output.flow_lpm is not None


@dataclass(frozen=True, slots=True)
class Level:
    """How strong an output is, and until when; then it is at its full strength again."""

    percent: float
    ends_ms: int


@dataclass(frozen=True, slots=True)
class Opening:
    """One time that an output was on, in milliseconds of the true time."""

    output: str
    command: str
    source: str
    began_ms: int
    ended_ms: int

    @property
    def seconds(self) -> float:
        return (self.ended_ms - self.began_ms) / 1000


@dataclass(slots=True)
class Switches:
    """All outputs of a controller, and what each did, for those who check it."""

    booted_ms: int
    running: dict[str, Run] = field(default_factory=dict)
    openings: deque[Opening] = field(default_factory=lambda: deque(maxlen=KEPT_OPENINGS))

    def on(self, run: Run) -> None:
        self.running[run.output.code] = run

    def off(self, code: str, *, up_ms: int) -> Run:
        """Switch off, and write down how long it was on."""
        run = self.running.pop(code)
        self.openings.append(
            Opening(
                code,
                run.command,
                run.source,
                self.booted_ms + run.began_ms,
                self.booted_ms + up_ms,
            )
        )
        return run

    def of_command(self, command: str) -> Run | None:
        return next((run for run in self.running.values() if run.command == command), None)

    def watering(self) -> Iterator[Run]:
        return (run for run in list(self.running.values()) if run.is_watering)

    def share_of(self, lpm: float) -> float:
        """Tell what one open valve has of the one meter."""
        return lpm / max(1, sum(1 for _ in self.watering()))

    def next_end_ms(self, lpm: float) -> int | None:
        """Tell when the next output goes off by itself."""
        share = self.share_of(lpm)
        return min((run.ends_ms(share) for run in self.running.values()), default=None)

    def due(self, lpm: float, up_ms: int) -> list[Run]:
        """List what has run as long, or as many litres, as it was asked."""
        share = self.share_of(lpm)
        return [run for run in self.running.values() if run.ends_ms(share) <= up_ms]

    def measure(self, lpm: float, up_ms: int) -> None:
        """Share the one meter among the open valves."""
        share = self.share_of(lpm)
        for run in self.watering():
            run.measure(share, up_ms)
