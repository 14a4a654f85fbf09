"""Strict reading of what a programme is set to: every mistake is named, nothing is guessed."""

import math
from collections.abc import Callable, Iterable, Mapping
from datetime import time
from typing import Any, NamedTuple, TypeVar

Read = TypeVar("Read")
REQUIRED: Any = object()


class Problem(NamedTuple):
    """What is wrong with one field: a stable code and the numbers that explain it."""

    field: str
    code: str  # missing, unknown, not_a_number, too_low, too_high, not_a_time, not_a_choice, …
    facts: Mapping[str, Any] = {}


class SettingsError(ValueError):
    """The settings do not say what the programme needs; `problems` lists why."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__(", ".join(f"{problem.field}: {problem.code}" for problem in self.problems))


class SettingsReader:
    """Takes fields out of a JSON object one by one; `finish` raises when anything was wrong."""

    def __init__(self, raw: object, *, prefix: str = "") -> None:
        """Read from this object; `prefix` names it in the problems."""
        self._raw = dict(raw) if isinstance(raw, Mapping) else {}
        self._prefix = prefix
        self.problems = [] if isinstance(raw, Mapping) else [Problem(prefix, "not_an_object")]

    def number(
        self, name: str, default: Any = REQUIRED, *, low: float = -math.inf, high: float = math.inf
    ) -> Any:
        return self._take(name, default, lambda value: self._number(name, value, low, high))

    def integer(
        self, name: str, default: Any = REQUIRED, *, low: float = -math.inf, high: float = math.inf
    ) -> Any:
        found = self.number(name, default, low=low, high=high)
        if found is None or found is default or found == int(found):
            return found if found is None else int(found)
        self.complain(name, "not_whole")
        return int(found)

    def flag(self, name: str, *, default: bool) -> bool:
        found = self._take(name, default, lambda value: value)
        if not isinstance(found, bool):
            self.complain(name, "not_yes_or_no")
            return default
        return found

    def clock(self, name: str, default: Any = REQUIRED) -> Any:
        return self._take(name, default, lambda value: self._time(name, value))

    def choice(self, name: str, default: Any, choices: Iterable[str]) -> Any:
        allowed = list(choices)
        found = self._take(name, default, lambda value: value)
        if found not in allowed:
            self.complain(name, "not_a_choice", choices=allowed)
        return found

    def many(self, name: str, read: Callable[[str, Any], Read | None]) -> tuple[Read, ...]:
        """Read a list; each of its items is named in the problems by its number."""
        found = self._take(name, [], lambda value: value)
        if not isinstance(found, list):
            self.complain(name, "not_a_list")
            return ()
        items = [read(f"{name}.{number}", item) for number, item in enumerate(found, start=1)]
        return tuple(item for item in items if item is not None)

    def part(self, name: str) -> "SettingsReader | None":
        """Read an object inside; None when it is not there."""
        found = self._take(name, None, lambda value: value)
        if found is None:
            return None
        inside = SettingsReader(found, prefix=f"{self._prefix}{name}.")
        # One list for all, so that every mistake is told at once.
        self.problems.extend(inside.problems)
        inside.problems = self.problems
        return inside

    def complain(self, name: str, code: str, **facts: Any) -> None:
        """Note what is wrong; what was there and could not be read is not also missing."""
        field = f"{self._prefix}{name}"
        told = {problem.field for problem in self.problems}
        if code == "missing" and any(one == field or one.startswith(f"{field}.") for one in told):
            return
        self.problems.append(Problem(field, code, facts))

    def finish(self) -> None:
        """Raise when something was wrong or was not asked for."""
        self.leave_nothing()
        if self.problems:
            raise SettingsError(self.problems)

    def leave_nothing(self) -> None:
        """Complain of fields that nobody reads: a misspelt limit must not look as if it held."""
        for name in self._raw:
            self.complain(name, "unknown")
        self._raw = {}

    def read_number(self, name: str, value: Any, *, low: float, high: float) -> float | None:
        """Read one number of a list."""
        return self._number(name, value, low, high)

    def read_time(self, name: str, value: Any) -> time | None:
        """Read one time of a list."""
        return self._time(name, value)

    def _take(self, name: str, default: Any, read: Callable[[Any], Any]) -> Any:
        value = self._raw.pop(name, None)
        if value is not None:
            return read(value)
        if default is REQUIRED:
            self.complain(name, "missing")
            return None
        return default

    def _number(self, name: str, value: Any, low: float, high: float) -> float | None:
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if not is_number or not math.isfinite(value):
            self.complain(name, "not_a_number")
            return None
        if value < low:
            self.complain(name, "too_low", low=low)
            return None
        if value > high:
            self.complain(name, "too_high", high=high)
            return None
        return float(value)

    def _time(self, name: str, value: Any) -> time | None:
        try:
            found = time.fromisoformat(value)
        except (TypeError, ValueError):
            found = None
        if found is None or found.tzinfo is not None:
            self.complain(name, "not_a_time", value=str(value))
            return None
        return found
