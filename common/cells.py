"""What people write into the cells of a table, read strictly: amounts of money and days.

A number that could mean two things is refused, never guessed: a wrong amount on a bill costs more
than a row that comes back.
"""

import re
from datetime import date
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

_CURRENCY: Final = re.compile(r"(?i)\s*(₫|đồng|dong|vnđ|vnd|đ|d)\.?$")
_SPACES: Final = re.compile(r"[\s\u00a0\u2007\u2009\u202f]+")
_NEGATIVE: Final = re.compile(r"^[-\u2212–(]")
_PLAIN: Final = re.compile(r"[0-9]{1,18}")
# Groups of three behind one and the same sign; "0.385" is no grouped number.
_GROUPED: Final = re.compile(r"[1-9][0-9]{0,2}(?:([., ])[0-9]{3})(?:\1[0-9]{3})*")
# One or two digits behind the last sign are a fraction, in whichever country's spelling.
_FRACTION: Final = re.compile(r"(?P<whole>[0-9][0-9., ]*?)[.,](?P<fraction>[0-9]{1,2})")

_DAY_FIRST: Final = re.compile(r"([0-9]{1,2})[/.-]([0-9]{1,2})[/.-]([0-9]{4})")
_YEAR_FIRST: Final = re.compile(r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})")
_TIME_OF_DAY: Final = re.compile(r"[ T][0-9]{1,2}:[0-9]{2}(:[0-9]{2}(\.[0-9]+)?)?$")
_ONLY_YEAR: Final = re.compile(r"[0-9]{4}")


class CellError(ValueError):
    """The text of one cell cannot be taken; `sentence` says why, to the person who wrote it."""

    def __init__(self, sentence: str | Promise) -> None:
        super().__init__(sentence)
        self.sentence = sentence


class NumberText(str):
    """A number that the spreadsheet itself kept as a number: its point is always a decimal one."""

    __slots__ = ()


def read_amount(text: str, *, maximum: int) -> int:
    """Read whole đồng from 1 to `maximum`. Raises CellError.

    >>> read_amount("385.000 ₫", maximum=10**9), read_amount("385,000", maximum=10**9)
    (385000, 385000)
    >>> read_amount("385.000,00", maximum=10**9)
    385000
    """
    amount = _number_cell(text) if isinstance(text, NumberText) else _written_amount(text)
    if amount == 0:
        raise CellError(_("The amount is 0."))
    if amount > maximum:
        raise CellError(_("The amount is too large."))
    return amount


def _number_cell(number: NumberText) -> int:
    if number.startswith("-"):
        raise CellError(_("The amount is below 0."))
    if _PLAIN.fullmatch(number):
        return int(number)
    if re.fullmatch(r"[0-9]+\.[0-9]+", number):
        raise CellError(_("The amount is not in whole đồng."))
    raise CellError(_("The amount is too large."))


def _written_amount(text: str) -> int:
    written = _CURRENCY.sub("", _SPACES.sub(" ", text).strip())
    if not written:
        raise CellError(_("The amount is missing."))
    if _NEGATIVE.match(written) and any(character.isdigit() for character in written):
        raise CellError(_("The amount is below 0."))
    if _PLAIN.fullmatch(written):
        return int(written)
    if _GROUPED.fullmatch(written):
        return _digits(written)
    return _amount_with_fraction(written)


def _amount_with_fraction(written: str) -> int:
    found = _FRACTION.fullmatch(written)
    whole = found["whole"] if found else ""
    sign = written[len(whole)] if found else ""
    is_number = _PLAIN.fullmatch(whole) or (_GROUPED.fullmatch(whole) and sign not in whole)
    if not found or not is_number:
        raise CellError(_("This is not an amount. Write it like 385000 or 385.000."))
    if int(found["fraction"]):
        raise CellError(_("The amount is not in whole đồng."))
    return _digits(whole)


def _digits(text: str) -> int:
    return int(re.sub(r"[., ]", "", text))


def read_day(text: str) -> date:
    """Read a day, written 22/11/2026 (day first, always) or 2026-11-22. Raises CellError.

    >>> read_day("1/2/2026")
    datetime.date(2026, 2, 1)
    """
    written = _TIME_OF_DAY.sub("", text.strip())
    if found := _DAY_FIRST.fullmatch(written):
        day, month, year = map(int, found.groups())
    elif found := _YEAR_FIRST.fullmatch(written):
        year, month, day = map(int, found.groups())
    elif _ONLY_YEAR.fullmatch(written):
        raise CellError(_("Only the year is given. Write the whole day, like 22/11/2026."))
    else:
        raise CellError(_("This is not a day. Write it like 22/11/2026."))
    if not 1900 <= year <= 2100:
        raise CellError(_("The year cannot be right."))
    try:
        return date(year, month, day)
    except ValueError as error:
        raise CellError(
            _("There is no such day. Write day, month, year, like 22/11/2026.")
        ) from error
