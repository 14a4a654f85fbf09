"""The way of a table file: received, checked by a worker, approved, taken over by a worker.

The app supplies the verdict on its rows; here is what is the same for all files. The row of the
import is the promise; a worker that is killed leaves it to the next one when its lease ends.
"""

import csv
import hashlib
import io
import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import chain, islice
from typing import IO, Any, Final, NamedTuple, TypeVar, cast

from django.conf import settings
from django.core.files import File
from django.db import DatabaseError, models, transaction
from django.utils.functional import Promise
from django.utils.text import Truncator
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from openpyxl import Workbook

from common.cells import NumberText
from common.errors import DomainError
from common.file_import import FileImport
from common.tabular import Table, harmless

CHUNK: Final = 1_000
# As many as the largest file that is promised to go through, so each refused row can be given back.
STORED_PROBLEMS: Final = 20_000
ATTEMPTS: Final = 5

logger = logging.getLogger(__name__)
Import = TypeVar("Import", bound=FileImport)
Item = TypeVar("Item")


class FileTooLargeError(DomainError):
    """The file has more bytes than are taken."""

    code = "file-too-large"
    http_status = 413


class Kind(StrEnum):
    """What taking over one row would mean."""

    NEW = "new"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    REFUSED = "refused"


class Problem(NamedTuple):
    """One thing that is wrong with one row."""

    row_number: int
    column: str
    value: str
    sentence: str | Promise


@dataclass(slots=True)
class Findings:
    """What a pass over the file found: counts of rows, and problems up to STORED_PROBLEMS."""

    counts: dict[Kind, int] = field(default_factory=lambda: dict.fromkeys(Kind, 0))
    problems: list[Problem] = field(default_factory=list)

    @property
    def rows(self) -> int:
        return sum(self.counts.values())

    def add(self, kind: Kind, problems: Iterable[Problem] = ()) -> None:
        self.counts[kind] += 1
        self.problems.extend(islice(problems, STORED_PROBLEMS - len(self.problems)))


def chunks(items: Iterable[Item], size: int = CHUNK) -> Iterator[list[Item]]:
    """Cut a stream into lists of `size`; only one of them is in memory."""
    stream = iter(items)
    while chunk := list(islice(stream, size)):
        yield chunk


def measure(row: FileImport, *, file: File[bytes], file_name: str, at: datetime) -> None:
    """Fill a new import's row from its file; saves nothing. Raises FileTooLargeError."""
    if file.size > settings.IMPORT_FILE_MAX_BYTES:
        raise FileTooLargeError(
            _("The file is larger than %(maximum)s MB. Please split it.")
            % {"maximum": settings.IMPORT_FILE_MAX_BYTES // 2**20}
        )
    digest = hashlib.sha256()
    file.seek(0)
    for block in file.chunks():
        digest.update(block)
    file.seek(0)
    row.digest, row.file_name, row.due_at = digest.hexdigest(), file_name[-200:], at


def queue_taking_over(row: FileImport, *, at: datetime) -> None:
    """Promise that a worker takes the checked file over. The caller holds the row's lock."""
    row.status, row.due_at = FileImport.Status.APPLYING, at
    row.finished_at, row.claimed_until, row.attempts = None, None, 0
    row.save(
        update_fields=["status", "due_at", "finished_at", "claimed_until", "attempts", "updated_at"]
    )


@transaction.atomic
def finish(row: Import, findings: Findings, *, status: FileImport.Status, at: datetime) -> Import:
    """Store what a pass found and end this step, unless another worker has ended it."""
    current = _locked(row)
    if current.status != row.status:
        return current
    for kind, count in findings.counts.items():
        setattr(current, f"{kind}_count", count)
    current.row_count = findings.rows
    current.status, current.finished_at, current.error = status, at, ""
    current.save()
    problems = _problems_of(row)
    problems.filter(file_import=row.pk).delete()
    for chunk in chunks(findings.problems):
        problems.bulk_create(
            problems.model(
                file_import_id=row.pk,
                row_number=problem.row_number,
                column=problem.column[:80],
                value=problem.value[:200],
                sentence=Truncator(str(problem.sentence)).chars(300),
            )
            for problem in chunk
        )
    return current


def run(step: Callable[[], object], *, row: FileImport, at: datetime) -> None:
    """Do one step of a claimed import; what goes wrong ends in a sentence on the import's row.

    A file that cannot be read fails at once. A busy database gets the row again a little later,
    ATTEMPTS times; so does a worker that died.
    """
    if row.attempts > ATTEMPTS:
        _fail(row, _("This file was given up after several tries. Nothing was changed."), at=at)
        return
    try:
        step()
    except DomainError as error:
        _fail(row, error.message, at=at)
    except DatabaseError as error:
        logger.warning("%s will be tried again: %s", row.work, type(error).__name__)
        row.postpone(until=at + timedelta(seconds=2**row.attempts), error=type(error).__name__)


@transaction.atomic
def _fail(row: FileImport, sentence: str | Promise, *, at: datetime) -> None:
    current = _locked(row)
    if current.status == row.status:
        current.status, current.finished_at = FileImport.Status.FAILED, at
        current.error = Truncator(str(sentence)).chars(300)
        current.save()


def _locked(row: Import) -> Import:
    imports = cast("models.QuerySet[Import]", type(row)._default_manager.all())
    return imports.select_for_update().get(pk=row.pk)


def _problems_of(row: FileImport) -> models.QuerySet[Any]:
    relation: Any = type(row)._meta.fields_map["problems"]
    return cast("models.QuerySet[Any]", relation.related_model._default_manager.all())


def write_problem_file(
    table: Table, row: FileImport, into: IO[bytes], *, only_refused: bool
) -> None:
    """Write the sent table again with a column of reasons, to be mended and sent once more.

    XLSX when `row.file_name` says so, CSV (UTF-8) otherwise. What stood above the headings stays
    there. With `only_refused` the good rows are left out.
    """
    reasons: dict[int, list[str]] = defaultdict(list)
    stored = _problems_of(row).filter(file_import=row.pk).order_by("row_number", "pk")
    for number, sentence in stored.values_list("row_number", "sentence"):
        reasons[number].append(sentence)
    width = len(table.headings)
    lines = chain(
        table.preamble,
        [[*table.headings, gettext("Problem")]],
        (
            [*_exactly(line.cells, width), " ".join(reasons.get(line.number, ()))]
            for line in table.rows
            if line.number in reasons or not only_refused
        ),
    )
    write = _write_xlsx if row.file_name.lower().endswith((".xlsx", ".xlsm")) else _write_csv
    write(lines, into)


def _exactly(cells: list[str], width: int) -> list[str]:
    """Cut or fill a row, so that the reason stands below its own heading."""
    return [*cells[:width], *[""] * (width - len(cells))]


def _write_xlsx(lines: Iterable[list[str]], into: IO[bytes]) -> None:
    book = Workbook(write_only=True)
    sheet = book.create_sheet()
    for line in lines:
        # A number must stay one: as text, its decimal point would be read as a thousands sign.
        sheet.append(
            [float(cell) if isinstance(cell, NumberText) else harmless(cell) for cell in line]
        )
    book.save(into)


def _write_csv(lines: Iterable[list[str]], into: IO[bytes]) -> None:
    # The byte order mark tells Excel that this is Unicode.
    text = io.TextIOWrapper(into, encoding="utf-8-sig", newline="")
    csv.writer(text).writerows([harmless(cell) for cell in line] for line in lines)
    text.flush()
    text.detach()
