"""Tables that people send: CSV in whatever dialect and XLSX, row by row, with flat memory."""

import csv
import io
import unicodedata
import zipfile
from collections.abc import Iterator
from datetime import date, datetime
from typing import IO

from django.utils.translation import gettext_lazy as _
from openpyxl import load_workbook
from openpyxl.utils.exceptions import InvalidFileException

from common.errors import DomainError

MAX_COLUMNS = 200
MAX_UNPACKED_BYTES = 500 * 1024 * 1024


class UnreadableTableError(DomainError):
    """The file is no table that we can read."""

    code = "unreadable-table"


class MissingColumnError(DomainError):
    """A column that the profile names is not in the file."""

    code = "missing-column"


Row = dict[str, str]


def rows(file: IO[bytes], *, file_name: str, header_row: int = 1, encoding: str = "utf-8-sig") -> Iterator[tuple[int, Row]]:
    """Yield (row number as people see it, heading → text) for each row below the headings.

    Text is NFC and stripped; numbers and days of a spreadsheet become "12345" and "2026-11-22".
    Blank rows are left out. Raises UnreadableTableError.
    """
    table = _xlsx(file) if file_name.lower().endswith((".xlsx", ".xlsm")) else _csv(file, encoding)
    headings: list[str] = []
    for number, cells in enumerate(table, start=1):
        if number < header_row:
            continue
        if number == header_row:
            headings = [heading.strip() for heading in cells]
            continue
        if any(cells):
            yield number, {
                heading: cell for heading, cell in zip(headings, cells, strict=False) if heading
            }
    if not any(headings):
        raise UnreadableTableError(_("The file has no row of headings."))


def _clean(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.date().isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return unicodedata.normalize("NFC", str(value)).strip()


def _xlsx(file: IO[bytes]) -> Iterator[list[str]]:
    try:
        with zipfile.ZipFile(file) as archive:
            if sum(member.file_size for member in archive.infolist()) > MAX_UNPACKED_BYTES:
                raise UnreadableTableError(_("The spreadsheet is too large when unpacked."))
        file.seek(0)
        book = load_workbook(file, read_only=True, data_only=True)
        sheet = book.worksheets[0]
    except (InvalidFileException, zipfile.BadZipFile, KeyError, OSError, IndexError) as error:
        raise UnreadableTableError(_("This is not a readable Excel file.")) from error
    for cells in sheet.iter_rows(values_only=True, max_col=MAX_COLUMNS):
        yield [_clean(cell) for cell in cells]
    book.close()


def _csv(file: IO[bytes], encoding: str) -> Iterator[list[str]]:
    try:
        text = io.TextIOWrapper(file, encoding=encoding, newline="")
        sample = text.read(8192)
    except (UnicodeDecodeError, LookupError) as error:
        raise UnreadableTableError(
            _("The file's letters cannot be read. Save it as CSV UTF-8 or as Excel.")
        ) from error
    if "\0" in sample:
        raise UnreadableTableError(_("This is neither a CSV nor an Excel file."))
    text.seek(0)
    first_line = sample.split("\n", 1)[0]
    delimiter = max(",;\t", key=first_line.count)
    try:
        for cells in csv.reader(text, delimiter=delimiter):
            yield [_clean(cell) for cell in cells[:MAX_COLUMNS]]
    except (UnicodeDecodeError, csv.Error) as error:
        raise UnreadableTableError(
            _("The file's letters cannot be read. Save it as CSV UTF-8 or as Excel.")
        ) from error
    text.detach()
