"""Typed readers of environment variables: a bad value stops the process with one clear sentence."""

import os
import sys
from pathlib import Path
from typing import NoReturn

TRUE = frozenset({"1", "true", "yes", "on"})
FALSE = frozenset({"0", "false", "no", "off", ""})


def stop(sentence: str) -> NoReturn:
    """End the process with one clear sentence."""
    sys.exit(f"configuration: {sentence}")


def text(name: str, default: str | None = None) -> str:
    """Read NAME, or the file that NAME_FILE points to; without a default it is required."""
    file_name = os.environ.get(f"{name}_FILE")
    if file_name:
        try:
            return Path(file_name).read_text(encoding="utf-8").strip()
        except OSError as error:
            stop(f"{name}_FILE points to {file_name}, which cannot be read ({error.strerror}).")
    value = os.environ.get(name)
    if value is None or (value == "" and default is None):
        if default is None:
            stop(f"{name} is required. docs/configuration.md says what it is for.")
        return default
    return value


def flag(name: str, *, default: bool) -> bool:
    """Read a yes/no: 1, true, yes, on or 0, false, no, off."""
    value = text(name, "true" if default else "false").strip().lower()
    if value in TRUE:
        return True
    if value in FALSE:
        return False
    stop(f"{name}={value!r} is neither true nor false.")


def integer(name: str, default: int, *, low: int = 0, high: int = 2**31) -> int:
    """Read a whole number between `low` and `high`."""
    value = text(name, str(default))
    try:
        number = int(value)
    except ValueError:
        stop(f"{name}={value!r} is not a whole number.")
    if not low <= number <= high:
        stop(f"{name}={number} is not between {low} and {high}.")
    return number


def words(name: str, default: str = "") -> list[str]:
    """Read a comma-separated list; empty items are dropped."""
    return [word.strip() for word in text(name, default).split(",") if word.strip()]
