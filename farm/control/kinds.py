"""Which programme reads which settings and decides by which rules."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from farm.control import dosing, dosing_settings, hysteresis, light_sum, schedule
from farm.control.plan import Memory, Plan, Snapshot


class Kind(NamedTuple):
    """How one kind of programme is read and decided."""

    parse: Callable[[object], Any]
    decide: Callable[[Any, Memory, Snapshot], Plan]


# The values of Rule.Kind.
KINDS: Mapping[str, Kind] = {
    "schedule": Kind(schedule.parse, schedule.decide),
    "light_sum": Kind(light_sum.parse, light_sum.decide),
    "hysteresis": Kind(hysteresis.parse, hysteresis.decide),
    "dosing": Kind(dosing_settings.parse, dosing.decide),
}
