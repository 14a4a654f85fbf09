"""A table as the reader's Excel opens it: Unicode, its own comma, nothing that it would run."""

import csv
import io
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from enum import StrEnum

from django.utils import timezone

from common.tabular import harmless

Cell = str | float | datetime | None
BYTE_ORDER_MARK = "\ufeff"
LINES_AT_ONCE = 500


class Style(StrEnum):
    """How a country's Excel splits columns and writes numbers."""

    VIETNAMESE = "vi"
    ENGLISH = "en"


_DELIMITERS = {Style.VIETNAMESE: ";", Style.ENGLISH: ","}


def csv_pieces(lines: Iterable[Sequence[Cell]], *, style: Style) -> Iterator[bytes]:
    r"""Write lines piece by piece; the byte order mark tells Excel that this is Unicode.

    >>> b"".join(csv_pieces([["=1+1", -2.5]], style=Style.VIETNAMESE)).decode("utf-8-sig")
    '"\'=1+1";"-2,5"\r\n'
    """
    text = io.StringIO(BYTE_ORDER_MARK)
    text.seek(0, io.SEEK_END)
    # Every field in quotes: an Excel of the other country would split words at its own delimiter,
    # and run what then begins with a sign.
    writer = csv.writer(text, delimiter=_DELIMITERS[style], quoting=csv.QUOTE_ALL)
    for number, line in enumerate(lines, start=1):
        writer.writerow([_written(cell, style) for cell in line])
        if number % LINES_AT_ONCE == 0:
            yield text.getvalue().encode()
            text.seek(0)
            text.truncate()
    yield text.getvalue().encode()


def _written(cell: Cell, style: Style) -> str:
    """Write a cell: words harmless, numbers as numbers, moments as the clocks here show them."""
    if cell is None:
        return ""
    if isinstance(cell, datetime):
        return f"{timezone.localtime(cell):%Y-%m-%d %H:%M:%S}"
    if isinstance(cell, str):
        return _unrun(cell)
    # Readings are kept in single precision: seven digits are all there are.
    number = f"{cell:.7g}"
    if "e" in number:
        number = f"{cell:.10f}".rstrip("0").rstrip(".")
    return number.replace(".", ",") if style == Style.VIETNAMESE else number


def _unrun(text: str) -> str:
    """Mark what a spreadsheet would run, also behind blanks and with a sign of full width."""
    first = next((sign for sign in text if sign.isprintable() and not sign.isspace()), "")
    plain = unicodedata.normalize("NFKC", first)
    return text if harmless(plain) == plain else f"'{text}"
