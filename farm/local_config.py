"""What a controller may do alone: the programmes as its config carries them (docs/farm-v1.md).

A controller reads its own sensors and knows UTC only, so values go back to what it measures
itself, and times of the day from the house's clock to UTC. What it could not do alike is left
out: runs by litres, times by the sun, sensors of another controller.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import time, timedelta
from math import ceil
from typing import Any

from farm.control import hysteresis, schedule
from farm.control.settings import SettingsError

DAY_MINUTES = 1440
# A small controller has little memory: the contract promises no more.
MOST_ENTRIES = 64


@dataclass(frozen=True, slots=True)
class Sensor:
    """A sensor of this controller, and how the server corrects what it sends."""

    code: str
    scale: float = 1.0
    offset: float = 0.0

    def as_sent(self, value: float) -> float:
        """Turn a corrected value into the one that the controller itself sees.

        >>> Sensor("air_t", scale=2.0, offset=-1.0).as_sent(29.0)
        15.0
        """
        return round((value - self.offset) / self.scale, 4)


@dataclass(frozen=True, slots=True)
class Switch:
    """An output of a programme; others than `may_run_alone` only keep their place in the turn."""

    code: str
    max_seconds: int
    may_run_alone: bool = True


@dataclass(frozen=True, slots=True)
class Programme:
    """A programme that is on; `sensor` is None where it is another controller's."""

    kind: str
    parameters: Any
    switches: tuple[Switch, ...]
    sensor: Sensor | None = None


def level_of(
    programmes: Sequence[Programme], *, tank_lows: Iterable[float], utc_offset: timedelta
) -> dict[str, Any]:
    """Make the words `limits`, `setpoints` and `schedule`; one that is empty is left out.

    >>> fans = Programme("hysteresis", {"on_at": 30, "off_at": 28}, (Switch("fan-1", 900),),
    ...     Sensor("air_t"))
    >>> level_of([fans], tank_lows=[], utc_offset=timedelta(hours=7))["setpoints"]
    {'fan-1': {'ch': 'air_t', 'on': 30.0, 'off': 28.0, 'min_on_s': 120, 'min_off_s': 180}}
    """
    setpoints: dict[str, Any] = {}
    entries: list[dict[str, Any]] = []
    for programme in programmes:
        settings = _settings(programme)
        if isinstance(settings, hysteresis.Settings):
            # One thermostat for an output: the oldest programme's.
            setpoints = {**_setpoints(programme, settings), **setpoints}
        elif isinstance(settings, schedule.Settings):
            entries += _entries(programme, settings, utc_offset)
    entries = entries[:MOST_ENTRIES]
    used = {*setpoints, *(entry["out"] for entry in entries)}
    lows = list(tank_lows)
    limits: dict[str, Any] = {"tank_low": max(lows)} if lows else {}
    if used:
        switches = [switch for programme in programmes for switch in programme.switches]
        most = {one.code: one.max_seconds for one in switches if _is_free(one)}
        limits["max_s"] = {code: most[code] for code in sorted(used)}
    level = {"limits": limits, "setpoints": setpoints, "schedule": entries}
    return {name: word for name, word in level.items() if word}


def _settings(programme: Programme) -> hysteresis.Settings | schedule.Settings | None:
    """Read the settings; a programme that cannot run here cannot run there either."""
    try:
        if programme.kind == "hysteresis":
            return hysteresis.parse(programme.parameters)
        if programme.kind == "schedule":
            return schedule.parse(programme.parameters)
    except SettingsError:
        pass
    return None


def _is_free(switch: Switch) -> bool:
    return switch.may_run_alone and switch.max_seconds > 0


def _setpoints(programme: Programme, settings: hysteresis.Settings) -> dict[str, Any]:
    sensor = programme.sensor
    if sensor is None:
        return {}
    setpoint = {
        "ch": sensor.code,
        "on": sensor.as_sent(settings.on_at),
        "off": sensor.as_sent(settings.off_at),
        "min_on_s": settings.least_on_seconds,
        "min_off_s": settings.least_off_seconds,
    }
    return {switch.code: dict(setpoint) for switch in programme.switches if _is_free(switch)}


def _entries(
    programme: Programme, settings: schedule.Settings, utc_offset: timedelta
) -> Iterator[dict[str, Any]]:
    if settings.seconds is None:
        return
    place = {code: number for number, code in enumerate(settings.order)}
    in_turn = sorted(
        programme.switches, key=lambda switch: (place.get(switch.code, len(place)), switch.code)
    )
    for number, switch in enumerate(in_turn):
        wait = 0 if settings.is_together else number * (settings.seconds + settings.pause_seconds)
        shift = ceil(wait / 60) - int(utc_offset.total_seconds()) // 60
        seconds = min(settings.seconds, switch.max_seconds)
        if _is_free(switch):
            for minute, again in _starts(settings):
                at = _at(minute + shift, settings.weekdays)
                yield {"out": switch.code, **at, "s": seconds, **again}


def _starts(settings: schedule.Settings) -> Iterator[tuple[int, dict[str, int]]]:
    """Give the minutes of the house's day, with how often each comes again."""
    for clock in settings.times:
        yield _minute(clock), {}
    if settings.every is not None:
        first, last = _minute(settings.every.start), _minute(settings.every.end)
        count = (last - first) // settings.every.minutes + 1
        yield first, {"every": settings.every.minutes, "n": count}


def _minute(clock: time) -> int:
    return clock.hour * 60 + clock.minute


def _at(minute: int, weekdays: frozenset[int]) -> dict[str, Any]:
    """Name a minute of the UTC day, and the days where it is not every one.

    >>> _at(-90, frozenset({1, 5}))
    {'at': '22:30', 'days': [4, 7]}
    """
    days_on, minute = divmod(minute, DAY_MINUTES)
    named: dict[str, Any] = {"at": f"{minute // 60:02}:{minute % 60:02}"}
    if len(weekdays) < 7:
        named["days"] = sorted((day - 1 + days_on) % 7 + 1 for day in weekdays)
    return named
