"""What a controller keeps when its power goes: boot count, last commands, config, frames."""

from collections import deque
from dataclasses import dataclass, field
from typing import Any

KEPT_COMMANDS = 64  # farm/v1: "the last 64 ids + result"
KEPT_FRAMES = 2880  # a day at one frame in 30 s; older ones are overwritten
ENDED = frozenset({"done", "aborted", "rejected", "expired"})


@dataclass(slots=True)
class Result:
    """The last word on one command; `is_told` once it went out on a live connection."""

    id: str
    status: str
    why: str | None = None
    ran_seconds: float | None = 0.0
    litres: float | None = 0.0
    is_told: bool = False
    asked_t_ms: int = 0


@dataclass(frozen=True, slots=True)
class LoggedFrame:
    """One frame as measured; `t_ms` is None where the controller had no clock."""

    boot: int
    seq: int
    up_ms: int
    t_ms: int | None
    values: dict[str, float | None]
    quality: dict[str, str]


@dataclass(slots=True)
class Flash:
    """Survives reboots; everything else of a controller starts anew."""

    boot: int = 0
    results: dict[str, Result] = field(default_factory=dict)
    config: dict[str, Any] = field(default_factory=dict)
    frames: deque[LoggedFrame] = field(default_factory=lambda: deque(maxlen=KEPT_FRAMES))
    unsent: deque[LoggedFrame] = field(default_factory=lambda: deque(maxlen=KEPT_FRAMES))
    # Newest stop by output, "" for all: a run that was asked before it must not start after it.
    stopped_t_ms: dict[str, int] = field(default_factory=dict)

    # The newest command that was forgotten for want of room: none as old may start any more,
    # for nobody could tell whether it ran.
    forgotten_t_ms: int = -1

    def keep(self, result: Result) -> None:
        """Remember a command before it is acted on; the oldest ended one makes room."""
        self.results[result.id] = result
        if len(self.results) > KEPT_COMMANDS:
            ended = (key for key, kept in self.results.items() if kept.status in ENDED)
            forgotten = self.results.pop(next(ended, next(iter(self.results))))
            self.forgotten_t_ms = max(self.forgotten_t_ms, forgotten.asked_t_ms)

    def note_stop(self, output: str, t_ms: int) -> None:
        self.stopped_t_ms[output] = max(t_ms, self.stopped_t_ms.get(output, 0))

    def is_stopped_since(self, output: str, t_ms: int) -> bool:
        """Tell whether a stop was asked at or after the moment a run was asked."""
        return t_ms <= max(self.stopped_t_ms.get(output, -1), self.stopped_t_ms.get("", -1))
