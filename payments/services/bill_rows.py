"""What one row of a biller's file says, and what taking it over would mean.

The dry run and the taking over both ask `judge`, so that they cannot differ.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final, NamedTuple

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from common.cells import CellError, NumberText, read_amount, read_day
from common.import_flow import Kind, Problem
from common.row_cells import RowCells
from common.tabular import Column, Row
from payments import customer_code
from payments.errors import ImportNotReadyError
from payments.models import Bill, Biller, CustomerLink, ImportProfile
from residents.models import Household

MAX_AMOUNT: Final = 499_999_999  # VietQR carries no more; bill_amount_fits_vietqr
OPEN: Final = (Bill.Status.OPEN, Bill.Status.PART_PAID)
# "1.23457E+17": Excel has shortened a long number, its last digits are lost.
_FIRST_OF_MONTH: Final = re.compile(r"([0-9]{4})-([0-9]{2})-01")


class BillRow(NamedTuple):
    """One readable row. `facts` maps fields of Bill to what the file says of them."""

    number: int
    reference: str
    customer_code: str
    household_code: str
    facts: dict[str, Any]


class KnownRows(NamedTuple):
    """What the database knows of a chunk of rows."""

    bills: dict[str, Bill]
    household_ids: dict[str, int]
    linked_household_ids: dict[str, int]


class Verdict(NamedTuple):
    """What taking one row over means; `changes` maps fields of Bill to their new values."""

    kind: Kind
    row: BillRow
    bill: Bill | None = None
    changes: dict[str, Any] = {}
    link_household_id: int | None = None
    problems: Sequence[Problem] = ()


class JudgedRows(NamedTuple):
    """A chunk of rows, and what they are judged by."""

    rows: list[BillRow]
    known: KnownRows
    headings: dict[str, str]

    def verdicts(self) -> list[Verdict]:
        return [judge(row, self.known, self.headings) for row in self.rows]


def columns_of(profile: ImportProfile) -> list[Column]:
    """List the columns that the biller's profile names; an unnamed one is not looked for."""
    names = (
        "reference",
        "customer_code",
        "payer_name",
        "amount",
        "due_date",
        "period",
        "household_code",
    )
    headings = {name: getattr(profile, f"{name}_column") for name in names}
    return [Column(name, heading) for name, heading in headings.items() if heading]


@dataclass(slots=True)
class RowReader:
    """Reads the rows of one file and remembers what must not be said twice in it."""

    biller: Biller
    headings: dict[str, str]
    row_of_reference: dict[str, int] = field(default_factory=dict)
    household_of_customer: dict[str, tuple[int, str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse a biller whose pattern could hang the worker, before any row is read."""
        try:
            customer_code.compiled(self.biller.customer_code_pattern)
        except customer_code.UnsafePatternError as error:
            raise ImportNotReadyError(
                _("The biller's pattern of customer codes cannot be used. Please correct it.")
            ) from error

    def read(self, row: Row) -> tuple[BillRow | None, list[Problem]]:
        """Give what the row says, or else all that is wrong with it."""
        cells = _Cells(row, self.headings)
        reference = cells.text("reference", limit=40, is_required=True)
        if reference:
            self._refuse_repeated(cells, reference)
        code = cells.text("customer_code", limit=customer_code.MAX_LENGTH, is_required=True)
        if code and not customer_code.fits(code, self.biller.customer_code_pattern):
            cells.refuse("customer_code", _("The customer code does not look like this biller's."))
        household_code = cells.text("household_code", limit=20, is_required=False)
        if code and household_code:
            self._refuse_second_household(cells, code, household_code)
        facts: dict[str, Any] = {
            "customer_code": code,
            "payer_name": cells.text("payer_name", limit=120, is_required=True),
            "amount": cells.amount("amount"),
        }
        if "due_date" in self.headings:
            facts["due_date"] = cells.day("due_date")
        if "period" in self.headings:
            facts["period"] = cells.period("period")
        if cells.problems:
            return None, cells.problems
        return BillRow(row.number, reference, code, household_code, facts), []

    def _refuse_repeated(self, cells: "_Cells", reference: str) -> None:
        first = self.row_of_reference.setdefault(reference, cells.row.number)
        if first != cells.row.number:
            cells.refuse(
                "reference", _("Row %(row)s already has this bill number.") % {"row": first}
            )

    def _refuse_second_household(self, cells: "_Cells", code: str, household_code: str) -> None:
        """Refuse what would move a customer back and forth each time the file is sent."""
        first, household = self.household_of_customer.setdefault(
            code, (cells.row.number, household_code)
        )
        if household != household_code:
            cells.refuse(
                "household_code",
                _("Row %(row)s gives this customer to household %(household)s.")
                % {"row": first, "household": household},
            )


class _Cells(RowCells):
    """The cells of one row, with the kinds of cell that such a file has."""

    def amount(self, key: str) -> int:
        try:
            return read_amount(self.row[key], maximum=MAX_AMOUNT)
        except CellError as error:
            self.refuse(key, error.sentence)
            return 0

    def day(self, key: str) -> date | None:
        if not self.row[key]:
            return None
        try:
            return read_day(self.row[key])
        except CellError as error:
            self.refuse(key, error.sentence)
            return None

    def period(self, key: str) -> str:
        """Read a period; Excel turns a typed 11/2026 into the first of November."""
        text = self.text(key, limit=40, is_required=False)
        found = None if isinstance(self.row[key], NumberText) else _FIRST_OF_MONTH.fullmatch(text)
        return f"{found[2]}/{found[1]}" if found else text


def known_rows(biller: Biller, rows: list[BillRow]) -> KnownRows:
    """Look a chunk of rows up: three queries, two when no row names a household."""
    bills = Bill.objects.filter(biller=biller, reference__in=[row.reference for row in rows])
    links = CustomerLink.objects.filter(
        biller=biller, customer_code__in={row.customer_code for row in rows}
    )
    household_codes = {row.household_code for row in rows if row.household_code}
    households = Household.objects.filter(code__in=household_codes)
    return KnownRows(
        bills={bill.reference: bill for bill in bills},
        household_ids=dict(households.values_list("code", "pk")),
        linked_household_ids=dict(links.values_list("customer_code", "household_id")),
    )


def judge(row: BillRow, known: KnownRows, headings: dict[str, str]) -> Verdict:
    """Say what taking this row over would mean, by what the database knows now."""
    named = known.household_ids.get(row.household_code)
    if row.household_code and named is None:
        return _refused(row, headings, "household_code", _("There is no household with this code."))
    linked = known.linked_household_ids.get(row.customer_code)
    bill = known.bills.get(row.reference)
    link = named if named != linked else None
    if bill is None:
        return Verdict(Kind.NEW, row, None, {**row.facts, "household_id": named or linked}, link)
    changes = {name: value for name, value in row.facts.items() if getattr(bill, name) != value}
    if changes or _is_moved(bill, named):
        if refusal := _refusal(bill, changes):
            return _refused(row, headings, refusal[0], refusal[1])
    elif linked is not None:
        # Old files come back: a row that changes nothing on its bill moves no customer either.
        link = None
    if (named or linked) and (bill.household_id is None or _is_moved(bill, named)):
        changes["household_id"] = named or linked
    kind = Kind.CHANGED if changes or link else Kind.UNCHANGED
    return Verdict(kind, row, bill, changes, link)


def _is_moved(bill: Bill, named: int | None) -> bool:
    """Whether the file names another household; a link alone fills in, it never moves a bill."""
    return None not in {bill.household_id, named} and bill.household_id != named


def _refusal(bill: Bill, changes: dict[str, Any]) -> tuple[str, str | Promise] | None:
    """Why a bill may not be changed so: the column, and the sentence."""
    changed = "amount" if "amount" in changes else "reference"
    if bill.status == Bill.Status.CANCELLED:
        return changed, _("This bill was cancelled, so it can no longer be changed.")
    if bill.status == Bill.Status.PAID:
        return changed, _("This bill is already paid, so it can no longer be changed.")
    if changes.get("amount", bill.amount) < bill.paid:
        return changed, _("More than this amount was already paid on the bill.")
    return None


def _refused(row: BillRow, headings: dict[str, str], key: str, sentence: str | Promise) -> Verdict:
    values = {"reference": row.reference, "household_code": row.household_code, **row.facts}
    problem = Problem(row.number, headings[key], str(values[key]), sentence)
    return Verdict(Kind.REFUSED, row, problems=[problem])
