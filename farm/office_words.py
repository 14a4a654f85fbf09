"""Codes of controllers and commands as the back office says them; unknown ones stay in quotes."""

from collections.abc import Iterable

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from farm import words
from farm.models import Command

STEPS: dict[str, str | Promise] = {
    **{status.value: status.label for status in Command.Status},
    "settled": gettext_lazy("somebody has looked"),
    "overtaken": words.REASONS["overtaken"],
    "duplicate": gettext_lazy("the device knew it already"),
}
ASKERS: dict[str, str | Promise] = {
    "rule": gettext_lazy("a programme"),
    "user": gettext_lazy("a person"),
    "api": gettext_lazy("a program"),
    "state": gettext_lazy("by what the device showed"),
}
NEEDS: dict[str, str | Promise] = {
    "tank_ok": gettext_lazy("enough water in the tank"),
    "circulation": gettext_lazy("the circulation pump is on"),
}
CLOCKS: dict[str, str | Promise] = {
    "ntp": gettext_lazy("from the network"),
    "rtc": gettext_lazy("a clock of its own"),
    "none": gettext_lazy("no clock"),
}
RESETS: dict[str, str | Promise] = {
    "power": gettext_lazy("power came back"),
    "watchdog": gettext_lazy("it hung and started itself anew"),
    "update": gettext_lazy("new firmware"),
}


def step_words(step: str) -> str:
    """Name a step of a command."""
    return _known(STEPS, step)


def why_words(why: str) -> str:
    """Say why a command ended as it did, or who wanted that."""
    kind = why.partition(":")[0]
    return str(ASKERS[kind]) if kind in ASKERS else words.reason_words(why)


def needs_words(needs: Iterable[str]) -> str:
    """Name what a device itself wants before it switches an output on."""
    return ", ".join(_known(NEEDS, str(one)) for one in needs)


def clock_words(clock: str) -> str:
    """Say where a controller's time comes from."""
    return _known(CLOCKS, clock)


def reset_words(reason: str) -> str:
    """Say why a controller started."""
    return _known(RESETS, reason)


def _known(table: dict[str, str | Promise], code: str) -> str:
    if not code:
        return ""
    return str(table[code]) if code in table else _("“%(code)s”") % {"code": code}
