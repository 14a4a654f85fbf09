"""Tables that people send: CSV in whatever dialect and XLSX, row by row, with flat memory."""

import codecs
import csv
import io
import re
import unicodedata
import warnings
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import IO, Any, Final, NamedTuple

from django.utils.translation import gettext_lazy as _
from openpyxl import load_workbook
from openpyxl.utils.exceptions import InvalidFileException

from common.cells import NumberText
from common.errors import DomainError
from common.text import fold

MAX_COLUMNS: Final = 200
MAX_ROWS: Final = 200_000
MAX_CELL_LENGTH: Final = 2_000
MAX_UNPACKED_BYTES: Final = 500 * 1024 * 1024
# Excel keeps all texts of a book in one part, which has to be in memory as a whole.
MAX_SHARED_TEXT_BYTES: Final = 60 * 1024 * 1024
ROWS_SEARCHED_FOR_HEADINGS: Final = 20
SPREADSHEET_DIGITS: Final = 15

_OLD_OR_LOCKED_EXCEL: Final = b"\xd0\xcf\x11\xe0"
_INVISIBLE: Final = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]"
)
_FORMULA_STARTS: Final = ("=", "+", "-", "@")
# openpyxl has no error of its own for a broken book: whatever its XML leads to is raised.
_BROKEN_BOOK: Final = (
    InvalidFileException,
    zipfile.BadZipFile,
    zlib.error,
    AttributeError,
    EOFError,
    LookupError,
    NotImplementedError,
    OSError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
)

# About styles, drawings and rules of a sheet, which are not read here.
warnings.filterwarnings("ignore", category=UserWarning, module="openpyxl")


class UnreadableTableError(DomainError):
    """The file is no table that we can read."""

    code = "unreadable-table"


class MissingColumnError(DomainError):
    """A column that must be there is not in the file, or is there twice."""

    code = "missing-column"


class Column(NamedTuple):
    """A column that the caller looks for, by its heading; marks, case and spaces do not count."""

    key: str
    heading: str
    is_required: bool = True
    other_headings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the table: its number as people see it, and its cells."""

    number: int
    cells: list[str]
    places: Mapping[str, int]

    def __getitem__(self, key: str) -> str:
        """Give the text of the column `key`; "" where the row or the whole column is missing."""
        place = self.places.get(key, MAX_COLUMNS)
        return self.cells[place] if place < len(self.cells) else ""


@dataclass(frozen=True, slots=True)
class Table:
    """An open table: what stands above the rows, and the rows that are not blank."""

    preamble: list[list[str]]
    headings: list[str]
    places: Mapping[str, int]
    row_hint: int
    rows: Iterator[Row]


def open_table(
    file: IO[bytes],
    *,
    columns: Sequence[Column],
    header_row: int = 0,
    encoding: str = "utf-8-sig",
) -> Table:
    """Open a CSV or XLSX file, told apart by what is in it, and find its columns.

    `header_row` counts from 1; 0 looks for the headings in the first rows. `row_hint` guesses how
    many rows will come, 0 when nobody knows. Text is NFC, stripped, with single spaces; numbers
    and days of a spreadsheet become NumberText("12345") and "2026-11-22".

    Raises UnreadableTableError and MissingColumnError, the first also while rows are read.
    """
    file.seek(0)
    start = file.read(4)
    file.seek(0)
    if start == _OLD_OR_LOCKED_EXCEL:
        raise UnreadableTableError(
            _("This is an old or locked Excel file. Save it as .xlsx without a password.")
        )
    if not start:
        raise UnreadableTableError(_("The file is empty."))
    hint, lines = _xlsx(file) if start == b"PK\x03\x04" else _csv(file, encoding, columns)
    numbered = enumerate(lines, start=1)
    preamble, headings, places = _find_headings(numbered, columns, header_row)
    return Table(
        preamble, headings, places, max(0, hint - len(preamble) - 1), _rows(numbered, places)
    )


def _rows(lines: Iterator[tuple[int, list[str]]], places: Mapping[str, int]) -> Iterator[Row]:
    count = 0
    for number, cells in lines:
        if not any(cells):
            continue
        count += 1
        if count > MAX_ROWS:
            raise UnreadableTableError(
                _("The file has more than %(maximum)s rows. Please split it.")
                % {"maximum": MAX_ROWS}
            )
        yield Row(number, cells, places)
    if not count:
        raise UnreadableTableError(_("The file has no rows below its headings."))


def _find_headings(
    lines: Iterator[tuple[int, list[str]]], columns: Sequence[Column], header_row: int
) -> tuple[list[list[str]], list[str], dict[str, int]]:
    """Give the rows above the headings, the headings, and the place of each column's key."""
    above: list[list[str]] = []
    for number, cells in lines:
        is_here = (
            number == header_row if header_row else not _missing(_places(cells, columns), columns)
        )
        if is_here:
            return above, cells, _checked_places(cells, columns)
        above.append(cells)
        if number >= (header_row or ROWS_SEARCHED_FOR_HEADINGS):
            break
    if not any(map(any, above)) or header_row:
        raise UnreadableTableError(_("The file has no row of headings."))
    best = min(above, key=lambda cells: len(_missing(_places(cells, columns), columns)))
    _checked_places(best, columns)
    raise UnreadableTableError(_("The file has no row of headings."))


def _checked_places(headings: list[str], columns: Sequence[Column]) -> dict[str, int]:
    found = _places(headings, columns)
    if missing := _missing(found, columns):
        raise MissingColumnError(
            _("The file lacks the column %(missing)s. It has: %(found)s.")
            % {
                "missing": ", ".join(f"“{column.heading}”" for column in missing),
                "found": ", ".join(f"“{heading}”" for heading in headings if heading) or "–",
            }
        )
    for column in columns:
        if len(found[column.key]) > 1:
            raise MissingColumnError(
                _("The file has the column “%(heading)s” more than once.")
                % {"heading": column.heading}
            )
    return {key: places[0] for key, places in found.items() if places}


def _places(headings: list[str], columns: Sequence[Column]) -> dict[str, list[int]]:
    """Find where each column stands: by its exact heading, else by any that reads alike."""
    folded = [fold(heading) for heading in headings]
    found: dict[str, list[int]] = {}
    for column in columns:
        exact = unicodedata.normalize("NFC", column.heading).strip()
        alike = {fold(heading) for heading in (column.heading, *column.other_headings)}
        found[column.key] = [at for at, heading in enumerate(headings) if heading == exact] or [
            at for at, heading in enumerate(folded) if heading in alike
        ]
    return found


def _missing(found: Mapping[str, list[int]], columns: Sequence[Column]) -> list[Column]:
    return [column for column in columns if column.is_required and not found[column.key]]


def _clean(value: object) -> str:
    """Write a cell as text that is stored, compared and shown without surprises."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.date().isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        # As many digits as the spreadsheet itself shows: 423500.00000000006 is 423500 there.
        return NumberText(format(value, f".{SPREADSHEET_DIGITS}g"))
    text = str(value)[:MAX_CELL_LENGTH]
    if not text.isascii() or not text.isprintable():
        text = _INVISIBLE.sub("", unicodedata.normalize("NFC", text))
    text = " ".join(text.split())
    # The mark that `harmless` has set is taken off again when a mended file comes back.
    return text[1:] if text[:1] == "'" and text[1:2] in _FORMULA_STARTS else text


def harmless(text: str) -> str:
    """Keep a spreadsheet from running this text as a formula.

    >>> harmless("=HYPERLINK(1)"), harmless("385.000")
    ("'=HYPERLINK(1)", '385.000')
    """
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text


def _xlsx(file: IO[bytes]) -> tuple[int, Iterator[list[str]]]:
    unreadable = _("This is not a readable Excel file. Please save it again as .xlsx.")
    try:
        _refuse_bombs(file)
        book = load_workbook(file, read_only=True, data_only=True)
        sheet = next(sheet for sheet in book.worksheets if sheet.sheet_state == "visible")
        hint = sheet.max_row or 0
        # Some programs write a wrong size, and rows and columns beyond it would be lost.
        sheet.reset_dimensions()
    except (*_BROKEN_BOOK, StopIteration) as error:
        raise UnreadableTableError(unreadable) from error

    def lines() -> Iterator[list[str]]:
        cells = sheet.iter_rows(values_only=True)
        while True:
            try:
                line: tuple[Any, ...] | None = next(cells, None)
            except _BROKEN_BOOK as error:
                raise UnreadableTableError(unreadable) from error
            if line is None:
                book.close()
                return
            yield [_clean(cell) for cell in line[:MAX_COLUMNS]]

    return hint, lines()


def _refuse_bombs(file: IO[bytes]) -> None:
    """Stop before a small file unpacks to more than a machine holds."""
    with zipfile.ZipFile(file) as archive:
        members = archive.infolist()
    texts = sum(part.file_size for part in members if part.filename.endswith("sharedStrings.xml"))
    if (
        sum(part.file_size for part in members) > MAX_UNPACKED_BYTES
        or texts > MAX_SHARED_TEXT_BYTES
    ):
        raise UnreadableTableError(_("The spreadsheet is too large when unpacked."))
    file.seek(0)


def _csv(
    file: IO[bytes], encoding: str, columns: Sequence[Column]
) -> tuple[int, Iterator[list[str]]]:
    line_count = sum(block.count(b"\n") for block in iter(lambda: file.read(1 << 20), b""))
    file.seek(0)
    start = file.read(4096)
    file.seek(0)
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        encoding = "utf-16"
    elif start.startswith(codecs.BOM_UTF8):
        encoding = "utf-8-sig"
    elif b"\0" in start and "16" not in encoding:
        raise UnreadableTableError(_("This is neither a CSV nor an Excel file."))
    try:
        text = io.TextIOWrapper(file, encoding=encoding, newline="")
    except LookupError as error:
        raise UnreadableTableError(
            _("The encoding “%(encoding)s” of the column profile is unknown.")
            % {"encoding": encoding}
        ) from error
    return line_count, _csv_lines(text, columns)


def _csv_lines(text: io.TextIOWrapper, columns: Sequence[Column]) -> Iterator[list[str]]:
    number = 0
    try:
        sample = text.read(8192)
        text.seek(0)
        for cells in csv.reader(text, delimiter=_delimiter(sample, columns), strict=True):
            number += 1
            yield [_clean(cell) for cell in cells[:MAX_COLUMNS]]
    except UnicodeError as error:
        raise UnreadableTableError(
            _(
                "From row %(number)s on there are letters that cannot be read: the file is not in "
                "Unicode. Save it as “CSV UTF-8” or as Excel (.xlsx)."
            )
            % {"number": number + 1}
        ) from error
    except csv.Error as error:
        raise UnreadableTableError(
            _("Row %(number)s cannot be read: a quotation mark is open or in the wrong place.")
            % {"number": number + 1}
        ) from error
    finally:
        # The file is the caller's to close, who may have done so before the last row.
        if not text.closed:
            text.detach()


def _delimiter(sample: str, columns: Sequence[Column]) -> str:
    """Take the sign that parts one of the first lines into the most known headings."""
    lines = sample.splitlines()[:ROWS_SEARCHED_FOR_HEADINGS]
    known = {
        fold(heading) for column in columns for heading in (column.heading, *column.other_headings)
    }

    def headings_found(sign: str) -> tuple[int, int]:
        parts = [{fold(cell.strip(' "')) for cell in line.split(sign)} for line in lines]
        return max((len(known & cells) for cells in parts), default=0), sample.count(sign)

    return max(";\t,", key=headings_found)
