"""What can happen to the population register: entries by hand, and whole files."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import IO, Any, Final, cast

from django.core.files import File
from django.db import transaction
from django.db.models import Model
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from addresses.models import Village
from common import import_flow, nudge, progress
from common import phone as phone_numbers
from common.import_flow import Findings, Kind
from common.tabular import Table, open_table
from common.text import fold, name_sort_key
from residents.errors import BadRegisterEntryError, RegisterNotReadyError
from residents.models import Household, RegisterImport, Resident
from residents.register_rows import (
    COLUMNS,
    KnownRows,
    RowReader,
    Verdict,
    judge,
    known_rows,
    villages_by_name,
)

TASK: Final = "residents.tasks.take_in_register_files"
Status = RegisterImport.Status


@transaction.atomic
def save_household(
    *,
    code: str,
    village: Village,
    representative: str,
    phone: str = "",
    lane: str = "",
    is_active: bool = True,
) -> Household:
    """Add the household with this code, or change it; `phone` in any usual spelling.

    Raises BadRegisterEntryError for what is no Vietnamese phone number.
    """
    household = Household.objects.select_for_update().filter(code=code).first() or Household(
        code=code
    )
    household.village, household.representative = village, representative
    household.phone, household.lane, household.is_active = _e164(phone), lane, is_active
    _set_household_keys(household)
    household.save()
    return household


@transaction.atomic
def save_resident(  # noqa: PLR0913  # one argument for each fact of a person
    *,
    code: str,
    household: Household,
    full_name: str,
    sex: str,
    birth_date: date | None = None,
    residence: str = Resident.Residence.PERMANENT,
    phone: str = "",
) -> Resident:
    """Add the resident with this code, or change them; `phone` in any usual spelling.

    Raises BadRegisterEntryError for what is no Vietnamese phone number.
    """
    resident = Resident.objects.select_for_update().filter(code=code).first() or Resident(code=code)
    resident.household, resident.full_name, resident.sex = household, full_name, sex
    resident.birth_date, resident.residence, resident.phone = birth_date, residence, _e164(phone)
    _set_resident_keys(resident)
    resident.save()
    return resident


@transaction.atomic
def receive_register_file(
    *, file: File[bytes], file_name: str, uploaded_by: User | None, at: datetime
) -> RegisterImport:
    """Keep a register file and have it checked; sent twice meanwhile, it is kept once.

    Raises FileTooLargeError.
    """
    register_import = RegisterImport(uploaded_by=uploaded_by)
    import_flow.measure(register_import, file=file, file_name=file_name, at=at)
    same: RegisterImport | None = (
        RegisterImport.objects.same_file_as(register_import)
        .filter(status__in=(Status.CHECKING, Status.APPLYING))
        .first()
    )
    if same is not None:
        return same
    register_import.file = file
    register_import.save()
    nudge.after_commit(TASK)
    return register_import


@transaction.atomic
def approve_register_file(*, register_import_id: int, at: datetime) -> RegisterImport:
    """Have a checked file without problems taken over; approving twice is as good as once.

    Raises RegisterNotReadyError before the check has ended, and while any row is refused.
    """
    register_import: RegisterImport = RegisterImport.objects.select_for_update().get(
        pk=register_import_id
    )
    if register_import.status in {Status.APPLYING, Status.DONE}:
        return register_import
    if register_import.status != Status.CHECKED:
        raise RegisterNotReadyError(_("This file cannot be taken over: it has not been checked."))
    if register_import.refused_count:
        raise RegisterNotReadyError(
            _("Some rows are refused, so nothing is taken over. Mend the file and send it again.")
        )
    import_flow.queue_taking_over(register_import, at=at)
    nudge.after_commit(TASK)
    return register_import


def proceed(*, register_import: RegisterImport, at: datetime) -> None:
    """Do the next step of a claimed import: check it, or take it over."""
    step = take_in if register_import.status == Status.APPLYING else check_register_file
    import_flow.run(
        lambda: step(register_import=register_import, at=at), row=register_import, at=at
    )


def check_register_file(*, register_import: RegisterImport, at: datetime) -> RegisterImport:
    """Find out what taking the file over would do; change nothing but the import's own row.

    Raises UnreadableTableError, MissingColumnError.
    """
    findings = _go_through(register_import, at=at, is_dry_run=True)
    return import_flow.finish(register_import, findings, status=Status.CHECKED, at=at)


def take_in(*, register_import: RegisterImport, at: datetime) -> RegisterImport:
    """Take over all rows of an approved file in one transaction.

    When a row is refused that was good at the check, nothing is taken over and the file goes back
    to being checked, with its problems. Raises UnreadableTableError, MissingColumnError.
    """
    with transaction.atomic():
        current: RegisterImport = RegisterImport.objects.select_for_update().get(
            pk=register_import.pk
        )
        if current.status != Status.APPLYING:
            return current
        save_point = transaction.savepoint()
        findings = _go_through(current, at=at, is_dry_run=False)
        is_refused = bool(findings.counts[Kind.REFUSED])
        if is_refused:
            transaction.savepoint_rollback(save_point)
        status = Status.CHECKED if is_refused else Status.DONE
        return import_flow.finish(current, findings, status=status, at=at)


def write_problem_file(register_import: RegisterImport, *, into: IO[bytes]) -> None:
    """Write the whole file again, problems beside their rows, to be mended and sent once more."""
    with register_import.file.open("rb") as file:
        import_flow.write_problem_file(_table(file), register_import, into, only_refused=False)


def _table(file: File[bytes]) -> Table:
    return open_table(cast("IO[bytes]", file), columns=COLUMNS)


def _go_through(register_import: RegisterImport, *, at: datetime, is_dry_run: bool) -> Findings:
    """Judge the file chunk by chunk, two queries each; write what is good unless told not to."""
    findings, made = Findings(), set[str]()
    with register_import.file.open("rb") as file:
        table = _table(file)
        headings = {key: table.headings[place] for key, place in table.places.items()}
        today = timezone.localdate(at)
        villages = villages_by_name(Village.objects.valid_on(today))
        reader = RowReader(headings, villages, today)
        for chunk in import_flow.chunks(table.rows):
            rows = []
            for line in chunk:
                row, problems = reader.read(line)
                if row is None:
                    findings.add(Kind.REFUSED, problems)
                    # The rows below need not be told that their household is missing.
                    made.add(line["household_code"])
                else:
                    rows.append(row)
            known = known_rows(rows)
            verdicts = [judge(row, known, made, headings) for row in rows]
            # After the first refusal nothing will stay, so nothing more needs writing.
            if not is_dry_run and not findings.counts[Kind.REFUSED]:
                _write([v for v in verdicts if v.kind != Kind.REFUSED], known)
            for verdict in verdicts:
                findings.add(verdict.kind, verdict.problems)
            total = max(register_import.row_count or table.row_hint, findings.rows)
            progress.report(register_import.work, done=findings.rows, total=total)
    return findings


def _write(verdicts: list[Verdict], known: KnownRows) -> None:
    households = dict(known.households)
    touched: dict[str, Household] = {}
    for verdict in verdicts:
        code = verdict.row.household_code
        if verdict.household_changes:
            touched[code] = households.setdefault(code, Household(code=code))
            _set(touched[code], verdict.household_changes)
    for household in touched.values():
        _set_household_keys(household)
    _save_all(Household, touched.values())
    residents = []
    for verdict in verdicts:
        if verdict.row.code and verdict.resident_changes:
            resident = known.residents.get(verdict.row.code) or Resident(code=verdict.row.code)
            facts = {
                **verdict.resident_changes,
                "household": households[verdict.row.household_code],
            }
            _set(resident, facts)
            _set_resident_keys(resident)
            residents.append(resident)
    _save_all(Resident, residents)


def _set(row: Household | Resident, facts: dict[str, Any]) -> None:
    for name, value in facts.items():
        setattr(row, name, value)


def _save_all(model: type[Model], rows: Iterable[Model]) -> None:
    """Insert the new rows and overwrite the known ones, in one statement each."""
    new: list[Model] = []
    known: list[Model] = []
    for row in rows:
        (known if row.pk else new).append(row)
    names = [field.name for field in model._meta.concrete_fields]
    model._default_manager.bulk_create(new)
    model._default_manager.bulk_create(
        known,
        update_conflicts=True,
        unique_fields=["pk"],
        update_fields=[name for name in names if name not in {"id", "code", "created_at"}],
    )


def _set_household_keys(household: Household) -> None:
    household.representative_sort_key = name_sort_key(household.representative)
    household.search_key = fold(f"{household.representative} {household.code}")[:300]


def _set_resident_keys(resident: Resident) -> None:
    resident.sort_key = name_sort_key(resident.full_name)
    resident.search_key = fold(f"{resident.full_name} {resident.code}")[:200]


def _e164(phone: str) -> str:
    try:
        return phone_numbers.to_e164(phone) if phone else ""
    except phone_numbers.PhoneError as error:
        raise BadRegisterEntryError(_("This is not a Vietnamese phone number.")) from error
