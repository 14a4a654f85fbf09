"""What a controller does by itself while the server is silent: thermostat and timetable."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from farm.simulator.specs import NodeSpec, OutputSpec, Sensed

REST_MS = 15 * 60_000  # after a stop by hand the thermostat keeps still for so long
MINUTE_MS = 60_000
DAY_MINUTES = 1440


@dataclass(frozen=True, slots=True)
class Wish:
    """Switch on for so many seconds, or off (None)."""

    output: OutputSpec
    source: str
    seconds: float | None


@dataclass(slots=True)
class LocalControl:
    """Reads `setpoints` and `schedule` of the config; asked only while there is no lease."""

    spec: NodeSpec
    _resting_until: dict[str, int] = field(default_factory=dict)
    _last_minute: int | None = None

    def rest(self, output: str, up_ms: int) -> None:
        """Somebody stopped it: do not switch it on again at once."""
        self._resting_until[output] = up_ms + REST_MS

    def wishes(
        self,
        config: dict[str, Any],
        sensed: Sensed,
        on: set[str],
        *,
        up_ms: int,
        t_ms: int | None,
    ) -> Iterator[Wish]:
        """Say what should change now."""
        for output in self.spec.outputs:
            if output.fail == "local" and self._resting_until.get(output.code, 0) <= up_ms:
                yield from self._thermostat(output, config, sensed, is_on=output.code in on)
        if t_ms is not None:
            yield from self._timetable(config, t_ms)

    def _thermostat(
        self, output: OutputSpec, config: dict[str, Any], sensed: Sensed, *, is_on: bool
    ) -> Iterator[Wish]:
        setpoint = _section(config, "setpoints").get(output.code)
        if not isinstance(setpoint, dict):
            return
        value = sensed.get(str(setpoint.get("ch")))
        if value is None:  # a dead sensor drives nothing
            if is_on:
                yield Wish(output, "local", None)
        elif not is_on and value >= _number(setpoint.get("on")):
            yield Wish(output, "local", output.max_seconds)
        elif is_on and value <= _number(setpoint.get("off")):
            yield Wish(output, "local", None)

    def _timetable(self, config: dict[str, Any], t_ms: int) -> Iterator[Wish]:
        """Start what the minutes since the last look have brought; each minute once."""
        minute = t_ms // MINUTE_MS
        last, self._last_minute = self._last_minute, minute
        if last is None or not last < minute <= last + 5:  # the first look, or a clock that jumped
            return
        entries = config.get("schedule")
        for entry in entries if isinstance(entries, list) else ():
            output = self.spec.output(entry.get("out")) if isinstance(entry, dict) else None
            if output is None or output.kind == "doser":
                continue
            if any(now % DAY_MINUTES == _minute_of(entry) for now in range(last + 1, minute + 1)):
                seconds = min(_number(entry.get("s"), 0.0), output.max_seconds)
                if seconds >= 1:
                    yield Wish(output, "sched", seconds)


def _section(config: dict[str, Any], name: str) -> dict[str, Any]:
    section = config.get(name)
    return section if isinstance(section, dict) else {}


def _number(value: object, otherwise: float = float("nan")) -> float:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number else otherwise  # type: ignore[arg-type]  # is_number says so


def _minute_of(entry: dict[str, Any]) -> int:
    """Read "HH:MM" in UTC as a minute of the day; -1 when it is not one.

    >>> _minute_of({"at": "23:30"}), _minute_of({"at": "noon"})
    (1410, -1)
    """
    hours, _, minutes = str(entry.get("at")).partition(":")
    return int(hours) * 60 + int(minutes) if hours.isdigit() and minutes.isdigit() else -1
