"""What a programme sees and what it makes of it: plain values, so that a day runs in a test."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from math import ceil
from typing import Any

Memory = Mapping[str, Any]
# Why a command was refused because somebody wanted it so.
MEANT = frozenset({"stop", "stopped", "estop", "locked", "generation", "person", "rule_off"})
_NOT_TAKEN = frozenset({"rejected", "expired"})


class Verdict(StrEnum):
    """The values of Decision.Verdict."""

    ACT = "act"
    SKIP = "skip"
    BLOCKED = "blocked"


@dataclass(frozen=True, slots=True)
class Value:
    """The newest value of a sensor; None when the sensor itself has failed."""

    v: float | None
    t: datetime
    stale_seconds: float = 180.0
    is_in_hand: bool = False  # somebody calibrates, or it was measured while somebody did

    def fresh(self, now: datetime) -> float | None:
        """Give the value as long as one may act upon it."""
        return self.v if now - self.t <= timedelta(seconds=self.stale_seconds) else None


def why_silent(value: Value | None) -> str:
    """Name why there is no value to act upon."""
    return "in_hand" if value is not None and value.is_in_hand else "stale_sensor"


@dataclass(frozen=True, slots=True)
class Switch:
    """An output of the programme, as its device last told it."""

    output_id: int
    code: str
    kind: str = "valve"
    dose_kind: str = ""
    max_seconds: int = 900
    # What flows through it, from the device's own band.
    litres_per_minute: float | None = None
    # Its controller can be told litres, and has a meter that counts them.
    takes_litres: bool = True
    is_metered: bool = False
    ml_per_second: float | None = None
    is_on: bool | None = None
    state_at: datetime | None = None
    # A command for it is still under way.
    is_busy: bool = False
    # This programme's newest command for it, and how it stands.
    last_key: str = ""
    last_status: str = ""
    last_why: str = ""

    @property
    def was_not_taken(self) -> bool:
        """Whether the newest command surely never began, and nobody wanted it so."""
        return was_not_taken(self.last_status, self.last_why)

    @property
    def can_measure(self) -> bool:
        """Whether anything ends a run that is asked for in litres."""
        return bool(self.litres_per_minute) or (self.takes_litres and self.is_metered)

    @property
    def is_busy_valve(self) -> bool:
        """Whether it takes no other run until its device says that it is shut."""
        return self.kind == "valve" and self.is_busy

    @property
    def most_ml(self) -> float:
        """The largest dose that the device gives in one run."""
        return self.max_seconds * self.ml_per_second if self.ml_per_second else 0.0


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All that a programme may go by at one moment; `now` is local time."""

    now: datetime
    switches: tuple[Switch, ...]
    sensor: Value | None = None
    # Newest values around the zone by their quantity.
    values: Mapping[str, Value] = field(default_factory=dict)
    # (seconds since 1970, W/m² or µmol/m²/s) since the memory's `light_until`, oldest first.
    light: Sequence[tuple[float, float]] = ()
    light_is_ppfd: bool = False
    drain_percent: float | None = None
    area_m2: float = 0.0
    reservoir_l: float = 0.0
    mixing_seconds: float = 900.0
    is_circulating: bool | None = None
    latitude_degrees: float | None = None
    longitude_degrees: float | None = None


@dataclass(frozen=True, slots=True)
class Action:
    """One thing to ask of an output; the same `key` is the same thing, asked once or ten times."""

    output_id: int
    deed: str  # run, dose, stop
    key: str
    seconds: int = 0
    litres: float | None = None
    ml: float = 0.0


@dataclass(frozen=True, slots=True)
class Cry:
    """An alarm that the plan wants to be open; `about` tells two of one kind apart."""

    kind: str
    severity: int  # Alarm.Severity
    facts: Mapping[str, Any] = field(default_factory=dict)
    about: str = ""

    @property
    def name(self) -> str:
        return f"{self.kind}:{self.about}" if self.about else self.kind


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do, why, and what to remember if it can be done.

    When an interlock refuses all of it, `refused_memory` is kept instead.
    """

    verdict: Verdict
    reason: str
    memory: Memory
    facts: Mapping[str, Any] = field(default_factory=dict)
    actions: tuple[Action, ...] = ()
    next_look_at: datetime | None = None
    cries: tuple[Cry, ...] = ()
    refused_memory: Memory | None = None


def was_not_taken(status: str, why: str) -> bool:
    """Tell whether a command surely never began, and nobody wanted it so.

    >>> was_not_taken("rejected", "no_tick"), was_not_taken("rejected", "stop")
    (True, False)
    >>> was_not_taken("unknown", "no_ack")
    False
    """
    return status in _NOT_TAKEN and why not in MEANT


def moment(memory: Memory, name: str) -> datetime | None:
    """Read a moment that the memory keeps as text."""
    text = memory.get(name)
    return datetime.fromisoformat(text) if text else None


def run_seconds(switch: Switch, *, seconds: int | None, litres: float | None) -> int:
    """Bound a run by seconds: as set, or by the litres with a quarter of patience on top.

    >>> run_seconds(Switch(1, "valve-1", litres_per_minute=6.0), seconds=None, litres=12.0)
    150
    """
    most = switch.max_seconds
    if seconds is not None:
        return min(seconds, most)
    if litres is None or not switch.litres_per_minute:
        return most
    return max(1, min(most, ceil(litres / switch.litres_per_minute * 60 * 1.25)))


def run_action(
    switch: Switch, *, name: str, seconds: int | None, litres: float | None, tries: int = 0
) -> Action:
    """Ask for a run of a start; each try is a command of its own."""
    key = f"{name}-{switch.output_id}"
    return Action(
        switch.output_id,
        "run",
        key=f"{key}-{tries}" if tries else key,
        seconds=run_seconds(switch, seconds=seconds, litres=litres),
        litres=litres if switch.takes_litres else None,
    )


def measures_nothing(snapshot: Snapshot, *, seconds: int | None, litres: float | None) -> bool:
    """Tell whether a run in litres would only end at its device's longest time."""
    is_by_litres = litres is not None and seconds is None
    return is_by_litres and not all(switch.can_measure for switch in snapshot.switches)
