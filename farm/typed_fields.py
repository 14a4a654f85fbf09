"""Numbers and days as people here type them: 12,5 kg, 2h30, 200k, 2.800 cây."""

import re
from typing import Any, Final

from django import forms
from django.utils.translation import gettext_lazy as _

from common.text import fold

# Units are compared without marks and spaces, as fold() leaves them.
KILOGRAMS: Final = ("kg", "ky", "ki", "kilo", "can")
SQUARE_METRES: Final = ("m2", "metvuong", "met")
HOURS: Final = ("h", "g", "gio", "tieng", "hours", "hour")
DAYS: Final = ("ngay", "days", "day")
PLANTS: Final = ("cay", "plants", "plant")
_DONG: Final = ("₫", "d", "dong", "vnd")
_THOUSANDS: Final = {"k": 1_000, "nghin": 1_000, "ngan": 1_000, "tr": 1_000_000, "trieu": 1_000_000}

GROUPED = re.compile(r"[1-9]\d{0,2}(\.\d{3})+")
# A scale shows 1.500 for one and a half kilograms; written, it is fifteen hundred.
AMBIGUOUS = re.compile(r"[1-9]\d{0,2}[.]\d{3}")
_HOURS_AND_MINUTES = re.compile(r"(\d{1,3})(?:h|g|gio|tieng|:)([0-5]?\d)(?:p|ph|phut|min)?")
_MINUTES = re.compile(r"(\d{1,4})(?:p|ph|phut|min|minutes)")
_HOURS_AND_A_HALF = re.compile(r"(\d{1,3})(?:h|g|gio|tieng)ruoi")
_SHORT_DONG = re.compile(r"(\d+(?:[.,]\d{1,2})?|[1-9]\d{0,2}(?:\.\d{3})+)(k|nghin|ngan|tr|trieu)")
_MILLION_AND_TENTH = re.compile(r"(\d+)tr(\d)")  # 1tr2 is said for 1.200.000


def _without_unit(value: Any, units: tuple[str, ...]) -> str:
    """Give what was typed without marks, spaces and the unit that may stand after it."""
    typed = fold(str(value if value is not None else "")).replace(" ", "")
    for unit in sorted(units, key=len, reverse=True):
        if typed.endswith(unit) and typed[: -len(unit)][-1:].isdigit():
            return typed.removesuffix(unit)
    return typed


class FigureField(forms.FloatField):
    """A number as people here write it: 12,5 and 12.5 are the same; 1.500 has to be asked."""

    widget = forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"})
    default_error_messages = {
        "invalid": _("Write a number, like 12,5."),
        "ambiguous": _("Is this %(small)s or %(large)s? Write it without the dot."),
    }

    def __init__(self, *, units: tuple[str, ...] = (), **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.units = units

    def prepare_value(self, value: Any) -> Any:
        """Show a figure that is known with a comma, which can be read back in one way only."""
        return (
            str(value).removesuffix(".0").replace(".", ",") if isinstance(value, float) else value
        )

    def to_python(self, value: Any) -> Any:
        """Read a number with its unit or without."""
        typed = _without_unit(value, self.units)
        if AMBIGUOUS.fullmatch(typed):
            meanings = {
                "small": typed.replace(".", ",").rstrip("0").rstrip(","),
                "large": typed.replace(".", ""),
            }
            raise forms.ValidationError(
                self.error_messages["ambiguous"], code="ambiguous", params=meanings
            )
        if GROUPED.fullmatch(typed.partition(",")[0]):
            typed = typed.replace(".", "")
        return super().to_python(typed.replace(",", "."))


class HoursField(FigureField):
    """Hours as a number, or as people say them: 2h30, 2 giờ 30, 45 phút."""

    # Letters have to be typed, so the keyboard of digits alone would be in the way.
    widget = forms.TextInput(attrs={"autocomplete": "off"})
    default_error_messages = {"invalid": _("Write hours, like 2,5 or 2h30.")}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(units=HOURS, **kwargs)

    def to_python(self, value: Any) -> Any:
        """Read hours and minutes, else a number."""
        typed = _without_unit(value, ())
        if both := _HOURS_AND_MINUTES.fullmatch(typed):
            return int(both[1]) + int(both[2]) / 60
        if minutes := _MINUTES.fullmatch(typed):
            return int(minutes[1]) / 60
        if half := _HOURS_AND_A_HALF.fullmatch(typed):
            return int(half[1]) + 0.5
        return super().to_python(value)


class DongField(forms.IntegerField):
    """Whole đồng, with or without dots and the sign; 200k and 1,2 triệu are understood."""

    widget = forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"})
    default_error_messages = {"invalid": _("Write whole đồng, like 250.000 or 250k.")}

    def to_python(self, value: Any) -> int | None:
        """Read an amount, in full or in thousands and millions."""
        typed = _without_unit(value, _DONG)
        if short := _SHORT_DONG.fullmatch(typed):
            return self._in_full(short[1], _THOUSANDS[short[2]])
        if million := _MILLION_AND_TENTH.fullmatch(typed):
            return int(million[1]) * 1_000_000 + int(million[2]) * 100_000
        return super().to_python(re.sub(r"[.,₫]", "", typed))

    def _in_full(self, number: str, times: int) -> int:
        if GROUPED.fullmatch(number):
            number = number.replace(".", "")
        whole, _sign, part = number.replace(",", ".").partition(".")
        return int(whole) * times + int(part.ljust(2, "0") or 0) * times // 100


class CountField(forms.IntegerField):
    """How many of something: 2.800, 2800 and 2800 cây are the same."""

    widget = forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"})

    def __init__(self, *, units: tuple[str, ...] = (), **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.units = units

    def to_python(self, value: Any) -> int | None:
        """Read a count with dots between its thousands or without."""
        typed = _without_unit(value, self.units)
        return super().to_python(typed.replace(".", "") if GROUPED.fullmatch(typed) else typed)


class DayField(forms.DateField):
    """A day, chosen in the phone's own calendar."""

    default_error_messages = {"invalid": _("This is not a day. Write it like 22/11/2026.")}

    def __init__(self, **kwargs: Any) -> None:
        widget = forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})
        super().__init__(widget=widget, **kwargs)
