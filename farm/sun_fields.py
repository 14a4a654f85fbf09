"""A timetable's starts by the sun on a form: at, before or after its rising or setting."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from django import forms
from django.utils.translation import gettext_lazy as _

from farm.control.schedule import SunTime

MOST_MINUTES = 300
EVENTS = ("sunrise", "sunset")
SIGNS = {"at": 0, "before": -1, "after": 1}
CHOICES = {
    "sunrise": [
        ("", _("not by the sunrise")),
        ("at", _("at sunrise")),
        ("before", _("before sunrise")),
        ("after", _("after sunrise")),
    ],
    "sunset": [
        ("", _("not by the sunset")),
        ("at", _("at sunset")),
        ("before", _("before sunset")),
        ("after", _("after sunset")),
    ],
}
LABELS = {"sunrise": _("Or by the sunrise"), "sunset": _("Or by the sunset")}
MINUTES = {
    "sunrise": _("How many minutes before or after sunrise"),
    "sunset": _("How many minutes before or after sunset"),
}
WRONG_MINUTES = _("Write the minutes before or after as a whole number from 1 to 300.")
NO_MINUTES = _("Write how many minutes before or after, or choose exactly at the time.")
NO_SIDE = _("Choose before or after, or leave the minutes empty.")


class Row(NamedTuple):
    """One start by the sun: a choice and its minutes; `offset` is what stands, None for nothing."""

    event: str
    number: int
    offset: int | None

    @property
    def name(self) -> str:
        return f"{self.event}_{self.number}"

    @property
    def minutes_name(self) -> str:
        return f"{self.name}_minutes"

    @property
    def names(self) -> tuple[str, str]:
        return self.name, self.minutes_name

    def fields(self, *, hint: str) -> dict[str, forms.Field]:
        """Make the two fields, with a hint before them."""
        wrong = dict.fromkeys(("invalid", "min_value", "max_value"), WRONG_MINUTES)
        return {
            self.name: forms.ChoiceField(
                label=LABELS[self.event],
                choices=CHOICES[self.event],
                required=False,
                help_text=hint,
            ),
            self.minutes_name: forms.IntegerField(
                label=MINUTES[self.event],
                required=False,
                min_value=1,
                max_value=MOST_MINUTES,
                error_messages=wrong,
            ),
        }

    def initial(self) -> dict[str, Any]:
        """Give what stands, as it is filled in."""
        if self.offset is None:
            return {}
        side = SunTime(self.event, self.offset).side
        return {self.name: side, self.minutes_name: abs(self.offset) or None}

    def read(self, given: Mapping[str, Any]) -> dict[str, Any] | None:
        """Read what was filled in as the programme's setting; None when nothing was."""
        side = given.get(self.name)
        if not side:
            return None
        minutes = SIGNS[side] * (given.get(self.minutes_name) or 0)
        return {"event": self.event, "offset_minutes": minutes}

    def mistake(self, given: Mapping[str, Any]) -> str:
        """Say what does not fit together; "" when all is well or the minutes are wrong already."""
        side, minutes = given.get(self.name), given.get(self.minutes_name)
        if minutes and side not in ("before", "after"):
            return str(NO_SIDE)
        is_missing = side in ("before", "after") and minutes is None
        return str(NO_MINUTES) if is_missing and self.minutes_name in given else ""


def rows_of(standing: object) -> tuple[Row, ...]:
    """Make a row for each start that stands, one of rising and one of setting at least."""
    starts = (
        [one for one in standing if isinstance(one, dict)] if isinstance(standing, list) else []
    )
    rows: list[Row] = []
    for event in EVENTS:
        found = [one.get("offset_minutes", 0) for one in starts if one.get("event") == event]
        offsets = [int(offset) for offset in found if isinstance(offset, int | float)]
        rows += [Row(event, number, offset) for number, offset in enumerate(offsets or [None], 1)]
    return tuple(rows)
