"""The list of banks, with the State Bank's BINs: loaded from data, kept by officials."""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any, NamedTuple

from django.db import transaction
from django.utils.translation import gettext as _

from common.reference_table import RowProblem, RowReader, TableRefusedError, readers
from payments.models import Bank

BIN_LENGTH = 6


class BanksLoaded(NamedTuple):
    """What a list of banks did; `kept` are those that we have as new or newer."""

    new: int
    changed: int
    kept: int


@transaction.atomic
def load_banks(*, banks: Iterable[Mapping[str, str]]) -> BanksLoaded:
    """Take over a list of banks (columns of payments/data/banks.csv).

    A bank that we know is changed only when the list's `as_of` is later than ours, so what an
    official corrected since stays, and the same list twice changes nothing. Nothing is ever taken
    off the list. Raises TableRefusedError, row by row, and then changes nothing.
    """
    problems: list[RowProblem] = []
    rows = [_bank(row) for row in readers("banks", banks, problems)]
    _refuse_doubles(rows)
    if problems:
        raise TableRefusedError(problems)

    known = {bank.bin: bank for bank in Bank.objects.select_for_update()}
    new = [Bank(**values) for _row, values in rows if values["bin"] not in known]
    changed = 0
    for _row, values in rows:
        bank = known.get(values["bin"])
        if bank is not None and bank.as_of < values["as_of"]:
            for name, value in values.items():
                setattr(bank, name, value)
            bank.save(update_fields=[*values, "updated_at"])
            changed += 1
    Bank.objects.bulk_create(new)
    return BanksLoaded(len(new), changed, len(rows) - len(new) - changed)


def _bank(row: RowReader) -> tuple[RowReader, dict[str, Any]]:
    return row, {
        "bin": _bin(row),
        "short_name": row.text("short_name", max_length=40),
        "name": row.text("name", max_length=160),
        "app_code": row.text("app_code", max_length=20, is_required=False),
        "source": row.text("source", max_length=200),
        "as_of": _as_of(row),
    }


def _bin(row: RowReader) -> str:
    value = row.text("bin", max_length=BIN_LENGTH)
    if not (len(value) == BIN_LENGTH and value.isascii() and value.isdigit()):
        row.refuse("bin", _("A BIN has six digits."))
    return value


def _as_of(row: RowReader) -> date | None:
    day = row.day("as_of")
    if day is None and not (row.cells.get("as_of") or "").strip():
        row.refuse("as_of", _("This must not be empty."))
    return day


def _refuse_doubles(rows: list[tuple[RowReader, dict[str, Any]]]) -> None:
    seen: set[str] = set()
    for row, values in rows:
        if values["bin"] in seen:
            row.refuse("bin", _("This BIN stands twice in the list."))
        seen.add(values["bin"])
