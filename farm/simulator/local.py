"""What a controller does by itself while the server is silent: thermostat and timetable."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from farm.simulator.specs import NodeSpec, OutputSpec, Sensed

REST_MS = 15 * 60_000  # after a stop by hand the thermostat keeps still for so long
MINUTE_MS = 60_000
DAY_MINUTES = 1440
DAY_MS = DAY_MINUTES * MINUTE_MS


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
    # When each output was seen to change: nothing yet, so that the first start need not wait.
    _changed_ms: dict[str, int] = field(default_factory=dict)
    _seen_on: set[str] | None = None

    def hand_over(self) -> None:
        """Give way to the server: what it switches meanwhile is not watched."""
        self._changed_ms.clear()
        self._seen_on = self._last_minute = None

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
        self._note_changes(on, up_ms)
        for output in self.spec.outputs:
            if output.fail == "local" and self._resting_until.get(output.code, 0) <= up_ms:
                since_ms = up_ms - self._changed_ms.get(output.code, -DAY_MS)
                yield from self._thermostat(output, config, sensed, output.code in on, since_ms)
        if t_ms is not None:
            yield from self._timetable(config, t_ms)

    def _note_changes(self, on: set[str], up_ms: int) -> None:
        if self._seen_on is not None:
            self._changed_ms |= dict.fromkeys(on ^ self._seen_on, up_ms)
        self._seen_on = set(on)

    def _thermostat(
        self,
        output: OutputSpec,
        config: dict[str, Any],
        sensed: Sensed,
        is_on: bool,  # noqa: FBT001  # what it does now, not a way to do it
        since_ms: int,
    ) -> Iterator[Wish]:
        setpoint = _section(config, "setpoints").get(output.code)
        if not isinstance(setpoint, dict):
            return
        value = sensed.get(str(setpoint.get("ch")))
        if value is None:  # a dead sensor drives nothing
            if is_on:
                yield Wish(output, "local", None)
            return
        least_seconds = _number(setpoint.get("min_on_s" if is_on else "min_off_s"), 0.0)
        if since_ms >= least_seconds * 1000 and _is_beyond(value, setpoint, is_on=is_on):
            yield Wish(output, "local", None if is_on else _most_seconds(output, config))

    def _timetable(self, config: dict[str, Any], t_ms: int) -> Iterator[Wish]:
        """Start what the minutes since the last look have brought; each minute once."""
        minute = t_ms // MINUTE_MS
        last, self._last_minute = self._last_minute, minute
        if last is None or not last < minute <= last + 5:  # the first look, or a clock that jumped
            return
        entries = config.get("schedule")
        for entry in entries if isinstance(entries, list) else ():
            output = self.spec.output(entry.get("out")) if isinstance(entry, dict) else None
            if output is None or output.fail != "local":
                continue
            if any(_is_start(entry, now) for now in range(last + 1, minute + 1)):
                seconds = min(_number(entry.get("s"), 0.0), _most_seconds(output, config))
                if seconds >= 1:
                    yield Wish(output, "sched", seconds)


def _section(config: dict[str, Any], name: str) -> dict[str, Any]:
    section = config.get(name)
    return section if isinstance(section, dict) else {}


def _number(value: object, otherwise: float = float("nan")) -> float:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number else otherwise  # type: ignore[arg-type]  # is_number says so


def _is_beyond(value: float, setpoint: dict[str, Any], *, is_on: bool) -> bool:
    """Tell whether the value is where the output changes; a fan's `on` is above its `off`.

    >>> _is_beyond(31, {"on": 30, "off": 28}, is_on=False)
    True
    >>> _is_beyond(31, {"on": 15, "off": 18}, is_on=True)
    True
    """
    on, off = _number(setpoint.get("on")), _number(setpoint.get("off"))
    if is_on:
        return value <= off if on > off else value >= off
    return value >= on if on > off else value <= on


def _most_seconds(output: OutputSpec, config: dict[str, Any]) -> float:
    limits = _section(_section(config, "limits"), "max_s")
    return min(_number(limits.get(output.code), output.max_seconds), output.max_seconds)


def _is_start(entry: dict[str, Any], minute: int) -> bool:
    """Tell whether an entry of the timetable begins at this minute since 1970.

    >>> entry = {"at": "22:00", "every": 30, "n": 5, "days": [4]}  # 1970 began on a Thursday
    >>> [_is_start(entry, minute) for minute in (22 * 60, 24 * 60, 24 * 60 + 30, 46 * 60)]
    [True, True, False, False]
    """
    first = _minute_of(entry)
    since = (minute - first) % DAY_MINUTES
    every, count = int(_number(entry.get("every"), 0.0)), _number(entry.get("n"), 1.0)
    is_again = every >= 1 and since % every == 0 and since // every < count
    if first < 0 or (since and not is_again):
        return False
    days = entry.get("days")
    return not isinstance(days, list) or ((minute - since) // DAY_MINUTES + 3) % 7 + 1 in days


def _minute_of(entry: dict[str, Any]) -> int:
    """Read "HH:MM" in UTC as a minute of the day; -1 when it is not one.

    >>> _minute_of({"at": "23:30"}), _minute_of({"at": "noon"}), _minute_of({"at": "25:00"})
    (1410, -1, -1)
    """
    hours, _, minutes = str(entry.get("at")).partition(":")
    if not (hours.isdecimal() and minutes.isdecimal()):
        return -1
    return int(hours) * 60 + int(minutes) if int(hours) < 24 and int(minutes) < 60 else -1
