"""Numbers and days as people here type them: 12,5 kg, 2h30, 200k, 2.800 cây."""

import re
from typing import Any, Final

from django import forms
from django.utils.translation import gettext_lazy as _

from common.text import fold, vnd

# Units are compared without marks and spaces, as fold() leaves them.
KILOGRAMS: Final = ("kg", "ky", "ki", "kilo", "can")
SQUARE_METRES: Final = ("m2", "metvuong", "met")
HOURS: Final = ("h", "g", "gio", "tieng", "hours", "hour")
DAYS: Final = ("ngay", "days", "day")
PLANTS: Final = ("cay", "plants", "plant")
_DONG: Final = ("₫", "d", "dong", "vnd")
_TIMES: Final = {
    "k": 1_000, "nghin": 1_000, "ngan": 1_000, "tr": 1_000_000, "trieu": 1_000_000,
    "ty": 1_000_000_000, "ti": 1_000_000_000,
}  # fmt: skip

GROUPED = re.compile(r"[1-9][0-9]{0,2}(\.[0-9]{3}){1,3}")
# A scale shows 1.500 for one and a half kilograms; written, it is fifteen hundred.
AMBIGUOUS = re.compile(r"[1-9][0-9]{0,2}[.][0-9]{3}")
# Digits are bounded everywhere: no figure here has more, and Python reads no number of thousands.
_COUNT = re.compile(r"[0-9]{1,9}")
_FIGURE = re.compile(r"[0-9]{1,9}([.,][0-9]{1,20})?")
_HOURS_AND_MINUTES = re.compile(
    r"([0-9]{1,3})(?:h|g|gio|tieng|:)([0-5]?[0-9])(?:p|ph|phut|min|['\u2019\u2032])?"
)
_MINUTES = re.compile(r"([0-9]{1,4})(?:p|ph|phut|min|minutes|['\u2019\u2032])")
_HOURS_AND_A_HALF = re.compile(r"([0-9]{1,3})(?:h|g|gio|tieng)ruoi")
# 2.30 is said for 2h30, and is a decimal number as well: 2h18.
_CLOCK_OR_DECIMAL = re.compile(r"([0-9]{1,3})[.,]([0-5][0-9])")
# What stands behind the sign of decimals is no part of a đồng. With three digits it is one more
# thousand, and 1.000.00 may lack a digit, so a tail has another sign than the thousands.
_WHOLE_DONG = re.compile(
    r"(?P<whole>[0-9]{1,12})(?:[.,]0{1,2})?"
    r"|(?P<dots>[1-9][0-9]{0,2}(?:\.[0-9]{3}){1,3})(?:,0{1,2})?"
    r"|(?P<commas>[1-9][0-9]{0,2}(?:,[0-9]{3}){1,3})(?:\.0{1,2})?"
)
_SCALE = "(k|nghin|ngan|trieu|tr|ty|ti)"
_SHORT_DONG = re.compile(rf"([0-9]{{1,6}})(?:[.,]([0-9]{{1,2}}))?{_SCALE}")
_GROUPED_SHORT_DONG = re.compile(rf"([1-9][0-9]{{0,2}})[.,]([0-9]{{3}}){_SCALE}")
# 1tr2 and 1 triệu rưỡi are said for 1.200.000 and 1.500.000, 1 triệu 200 nghìn is said in full.
_AND_A_PART = re.compile(r"([0-9]{1,4})(trieu|tr|ty|ti)([0-9]{1,3}|ruoi)")
_AND_SMALLER = re.compile(rf"([0-9]{{1,4}})(trieu|tr|ty|ti)([0-9]{{1,3}}){_SCALE}")


def _without_unit(value: Any, units: tuple[str, ...], after: tuple[str, ...] = ()) -> str:
    """Give what was typed without marks, spaces and the unit that may stand after it.

    The unit follows a digit, or one of the words `after`.
    """
    typed = fold(str(value if value is not None else "")).replace(" ", "")
    for unit in sorted(units, key=len, reverse=True):
        figure = typed.removesuffix(unit)
        if figure != typed and (figure[-1:].isdigit() or figure.endswith(after)):
            return figure
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
        if typed and not _FIGURE.fullmatch(typed):
            raise forms.ValidationError(self.error_messages["invalid"], code="invalid")
        return super().to_python(typed.replace(",", "."))


class HoursField(FigureField):
    """Hours as a number, or as people say them: 2h30, 2 giờ 30, 45 phút."""

    # Letters have to be typed, so the keyboard of digits alone would be in the way.
    widget = forms.TextInput(attrs={"autocomplete": "off"})
    default_error_messages = {
        "invalid": _("Write hours, like 2,5 or 2h30."),
        "clock": _("Is this %(decimal)s or %(clock)s? Write it like 2h30."),
    }

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
        self._refuse_clock(_without_unit(value, HOURS))
        return super().to_python(value)

    def _refuse_clock(self, typed: str) -> None:
        """Ask whether two decimals are minutes, where that makes another time of them."""
        either = _CLOCK_OR_DECIMAL.fullmatch(typed)
        if either is None or either[2] == "00":
            return
        minutes = round(int(either[2]) * 0.6)
        meanings = {
            "decimal": f"{int(either[1])}h{minutes:02d}",
            "clock": f"{int(either[1])}h{either[2]}",
        }
        raise forms.ValidationError(self.error_messages["clock"], code="clock", params=meanings)


class DongField(forms.IntegerField):
    """Whole đồng, with or without dots and the sign; 200k and 1,2 triệu are understood."""

    # Letters have to be typed, so the keyboard of digits alone would be in the way.
    widget = forms.TextInput(attrs={"autocomplete": "off"})
    default_error_messages = {
        "invalid": _("Write whole đồng, like 250.000 or 250k."),
        "ambiguous": _("Is this %(small)s or %(large)s? Write it in full."),
    }

    def to_python(self, value: Any) -> int | None:
        """Read an amount, in full or in thousands, millions and billions."""
        typed = _without_unit(value, _DONG, after=tuple(_TIMES))
        if not typed:
            return None
        if whole := _WHOLE_DONG.fullmatch(typed):
            return int(re.sub("[.,]", "", whole["whole"] or whole["dots"] or whole["commas"]))
        self._refuse_grouped_millions(typed)
        amount = _short_amount(typed)
        if amount is None:
            raise forms.ValidationError(self.error_messages["invalid"], code="invalid")
        return amount

    def _refuse_grouped_millions(self, typed: str) -> None:
        """Ask what 1.000 triệu is: a million written out, or a thousand of them."""
        grouped = _GROUPED_SHORT_DONG.fullmatch(typed)
        if grouped is None or _TIMES[grouped[3]] == _TIMES["k"]:
            return
        large = int(grouped[1] + grouped[2]) * _TIMES[grouped[3]]
        meanings = {"small": vnd(large // 1000), "large": vnd(large)}
        raise forms.ValidationError(
            self.error_messages["ambiguous"], code="ambiguous", params=meanings
        )


def _short_amount(typed: str) -> int | None:
    """Read 200k, 1,2tr, 1tr2 or 1tr200k; None for anything else."""
    if short := _SHORT_DONG.fullmatch(typed):
        return _times(short[1], short[2] or "", _TIMES[short[3]])
    if grouped := _GROUPED_SHORT_DONG.fullmatch(typed):
        return int(grouped[1] + grouped[2]) * _TIMES[grouped[3]]
    if part := _AND_A_PART.fullmatch(typed):
        return _times(part[1], part[3].replace("ruoi", "5"), _TIMES[part[2]])
    both = _AND_SMALLER.fullmatch(typed)
    if both is None or _TIMES[both[4]] * 1000 > _TIMES[both[2]]:
        return None
    return int(both[1]) * _TIMES[both[2]] + int(both[3]) * _TIMES[both[4]]


def _times(whole: str, decimals: str, times: int) -> int:
    return int(whole) * times + int(decimals.ljust(3, "0")) * times // 1000


class CountField(forms.IntegerField):
    """How many of something: 2.800, 2800 and 2800 cây are the same."""

    default_error_messages = {"invalid": _("Write a whole number, like 2800.")}

    def __init__(self, *, units: tuple[str, ...] = (), **kwargs: Any) -> None:
        # A unit has to be typed, so the keyboard of digits alone would be in the way.
        keyboard = {} if units else {"inputmode": "numeric"}
        widget = forms.TextInput(attrs={"autocomplete": "off", **keyboard})
        super().__init__(widget=widget, **kwargs)
        self.units = units

    def to_python(self, value: Any) -> int | None:
        """Read a count with dots between its thousands or without."""
        typed = _without_unit(value, self.units)
        if GROUPED.fullmatch(typed):
            typed = typed.replace(".", "")
        if typed and not _COUNT.fullmatch(typed):
            raise forms.ValidationError(self.error_messages["invalid"], code="invalid")
        return super().to_python(typed)


class DayField(forms.DateField):
    """A day, chosen in the phone's own calendar."""

    default_error_messages = {"invalid": _("This is not a day. Write it like 22/11/2026.")}

    def __init__(self, **kwargs: Any) -> None:
        widget = forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})
        super().__init__(widget=widget, **kwargs)
