"""Tables of facts that come with the portal as CSV: taken over whole, or refused row by row."""

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import NamedTuple

from django.utils.functional import Promise
from django.utils.translation import gettext as _

from common.errors import DomainError

HEADINGS_ROW = 1


class RowProblem(NamedTuple):
    """Why one row cannot be taken over."""

    table: str
    row_number: int
    column: str
    value: str
    sentence: str

    def __str__(self) -> str:
        return _("%(table)s, row %(row)d, %(column)s “%(value)s”: %(sentence)s") % {
            "table": self.table,
            "row": self.row_number,
            "column": self.column,
            "value": self.value,
            "sentence": self.sentence,
        }


class TableRefusedError(DomainError):
    """Rows of the table are wrong; nothing of it was taken over. `problems` says which and why."""

    code = "table-refused"

    def __init__(self, problems: Iterable[RowProblem]) -> None:
        self.problems = list(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


@dataclass(frozen=True, slots=True)
class RowReader:
    """One row on its way in; what is wrong with it is added to `problems`, shared by its table."""

    table: str
    number: int
    cells: Mapping[str, str]
    problems: list[RowProblem]

    def text(self, column: str, *, max_length: int, is_required: bool = True) -> str:
        """Read a cell, stripped; note a problem when it is empty or too long."""
        value = (self.cells.get(column) or "").strip()
        if is_required and not value:
            self.refuse(column, _("This must not be empty."))
        if len(value) > max_length:
            self.refuse(column, _("This is longer than %(max)d characters.") % {"max": max_length})
        return value

    def day(self, column: str) -> date | None:
        """Read a day written as 2025-07-01, or nothing."""
        value = self.text(column, max_length=10, is_required=False)
        if not value:
            return None
        try:
            return date.fromisoformat(value)
        except ValueError:
            self.refuse(column, _("This is not a day. Write it like 2025-07-01."))
            return None

    def refuse(self, column: str, sentence: str | Promise) -> None:
        """Note that this cell cannot be taken over."""
        self.problems.append(
            RowProblem(self.table, self.number, column, self.cells.get(column) or "", str(sentence))
        )


def readers(
    table: str, rows: Iterable[Mapping[str, str]], problems: list[RowProblem]
) -> list[RowReader]:
    """Give each row its number as people see it in a spreadsheet: the headings are row 1."""
    return [
        RowReader(table, number, cells, problems)
        for number, cells in enumerate(rows, start=HEADINGS_ROW + 1)
    ]


def read_csv(path: Path) -> list[dict[str, str]]:
    """Read a CSV file in UTF-8 whose first row holds the headings."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))
