"""Bill files of the billers: checked row by row, then taken over as a whole."""

from collections.abc import Iterator
from datetime import datetime
from typing import IO, Final, cast

from django.core.files import File
from django.db import OperationalError, transaction
from django.db.models import OuterRef, Subquery
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from common import import_flow, nudge, progress
from common.import_flow import Findings, Kind
from common.tabular import Table, open_table
from payments.errors import ImportNotReadyError
from payments.models import Bill, Biller, BillImport, CustomerLink, ImportProfile
from payments.services.bill_rows import JudgedRows, RowReader, Verdict, columns_of, known_rows
from payments.services.bills import project_status, reserve_payment_codes

TASK: Final = "payments.tasks.take_in_bill_files"
Status = BillImport.Status


@transaction.atomic
def receive_bill_file(
    *, biller: Biller, file: File[bytes], file_name: str, uploaded_by: User | None, at: datetime
) -> BillImport:
    """Keep a biller's file and have it checked; sent twice meanwhile, it is kept once.

    Raises FileTooLargeError; ImportNotReadyError for a biller without a column profile, or while
    another file of the biller is being taken over for longer than anybody should wait.
    """
    _profile(biller)
    bill_import = BillImport(biller=biller, uploaded_by=uploaded_by)
    import_flow.measure(bill_import, file=file, file_name=file_name, at=at)
    try:
        _locked_biller(biller.pk)
    except OperationalError as error:
        raise ImportNotReadyError(
            _("Another file of this biller is being taken over. Please send this one in a minute.")
        ) from error
    waiting = BillImport.objects.same_file_as(bill_import).filter(
        biller=biller, status__in=(Status.CHECKING, Status.APPLYING)
    )
    same: BillImport | None = waiting.first()
    if same is not None:
        return same
    bill_import.file = file
    bill_import.save()
    nudge.after_commit(TASK)
    return bill_import


@transaction.atomic
def approve_bill_file(*, bill_import_id: int, at: datetime) -> BillImport:
    """Have the good rows of a checked file taken over; approving twice is as good as once.

    Raises ImportNotReadyError while the file is being checked, or when it could not be read.
    """
    bill_import: BillImport = BillImport.objects.select_for_update().get(pk=bill_import_id)
    if bill_import.status in {Status.APPLYING, Status.DONE}:
        return bill_import
    if bill_import.status != Status.CHECKED:
        raise ImportNotReadyError(_("This file cannot be taken over: it has not been checked."))
    import_flow.queue_taking_over(bill_import, at=at)
    nudge.after_commit(TASK)
    return bill_import


def proceed(*, bill_import: BillImport, at: datetime) -> None:
    """Do the next step of a claimed import: check it, or take it over."""
    step = take_in if bill_import.status == Status.APPLYING else check_bill_file
    import_flow.run(lambda: step(bill_import=bill_import, at=at), row=bill_import, at=at)


def check_bill_file(*, bill_import: BillImport, at: datetime) -> BillImport:
    """Find out what taking the file over would do, and change nothing but the import's own row.

    Raises UnreadableTableError, MissingColumnError.
    """
    findings = Findings()
    with bill_import.file.open("rb") as file:
        for judged in _read(bill_import, file, findings):
            for verdict in judged.verdicts():
                findings.add(verdict.kind, verdict.problems)
    return import_flow.finish(bill_import, findings, status=Status.CHECKED, at=at)


def take_in(*, bill_import: BillImport, at: datetime) -> BillImport:
    """Take over all good rows of an approved file in one transaction: all of them, or none.

    Raises UnreadableTableError, MissingColumnError; IntegrityError when somebody issued one of
    the bills at the same moment, and then trying again is right.
    """
    # Reserved beforehand, so that the codes' counter is not locked while thousands of rows are
    # written. Codes that stay unused are no loss.
    codes = reserve_payment_codes(count=bill_import.new_count)
    with transaction.atomic():
        current: BillImport = BillImport.objects.select_for_update().get(pk=bill_import.pk)
        if current.status != Status.APPLYING:
            return current
        _locked_biller(current.biller_id)
        findings = Findings()
        with current.file.open("rb") as file:
            for judged in _read(current, file, findings):
                _write(current.biller, judged, codes, findings, at=at)
        return import_flow.finish(current, findings, status=Status.DONE, at=at)


def write_problem_file(bill_import: BillImport, *, into: IO[bytes]) -> None:
    """Write the refused rows and why, in the biller's own columns, to be mended and sent again."""
    with bill_import.file.open("rb") as file:
        table = _table(bill_import, file)
        import_flow.write_problem_file(table, bill_import, into, only_refused=True)


def _profile(biller: Biller) -> ImportProfile:
    profile = ImportProfile.objects.filter(biller=biller).first()
    if profile is None:
        raise ImportNotReadyError(
            _("“%(biller)s” has no column profile yet. Please make one first.")
            % {"biller": biller.name}
        )
    return profile


def _locked_biller(biller_id: int) -> None:
    """Let one import of a biller go at a time; bills may be issued and paid meanwhile."""
    Biller.objects.select_for_update(no_key=True).get(pk=biller_id)


def _table(bill_import: BillImport, file: File[bytes]) -> Table:
    profile = _profile(bill_import.biller)
    return open_table(
        cast("IO[bytes]", file),
        columns=columns_of(profile),
        header_row=profile.header_row,
        encoding=profile.encoding,
    )


def _read(bill_import: BillImport, file: File[bytes], findings: Findings) -> Iterator[JudgedRows]:
    """Read the file chunk by chunk and look its rows up; three queries a chunk.

    Rows that cannot be read go to the findings at once.
    """
    table = _table(bill_import, file)
    headings = {key: table.headings[place] for key, place in table.places.items()}
    reader = RowReader(bill_import.biller, headings)
    total = bill_import.row_count or table.row_hint
    for chunk in import_flow.chunks(table.rows):
        rows = []
        for row, problems in map(reader.read, chunk):
            if row is None:
                findings.add(Kind.REFUSED, problems)
            else:
                rows.append(row)
        yield JudgedRows(rows, known_rows(bill_import.biller, rows), headings)
        progress.report(bill_import.work, done=findings.rows, total=max(total, findings.rows))


def _write(
    biller: Biller, judged: JudgedRows, codes: list[str], findings: Findings, *, at: datetime
) -> None:
    """Write one chunk and count what was really done."""
    # A payment may have come since the bills were read: what would change is locked, and judged
    # again. The rest stays unlocked, so that payments of it do not wait.
    stale = [v.bill.pk for v in judged.verdicts() if v.bill and v.kind == Kind.CHANGED]
    judged.known.bills.update(
        {bill.reference: bill for bill in Bill.objects.locked().filter(pk__in=stale)}
    )
    verdicts = judged.verdicts()
    _create([v for v in verdicts if v.kind == Kind.NEW], biller, codes)
    _change([v for v in verdicts if v.kind == Kind.CHANGED], at=at)
    _link([v for v in verdicts if v.kind != Kind.REFUSED], biller)
    for verdict in verdicts:
        findings.add(verdict.kind, verdict.problems)


def _create(verdicts: list[Verdict], biller: Biller, codes: list[str]) -> None:
    if len(verdicts) > len(codes):
        codes += reserve_payment_codes(count=len(verdicts) - len(codes))
    Bill.objects.bulk_create(
        Bill(biller=biller, reference=v.row.reference, payment_code=codes.pop(), **v.changes)
        for v in verdicts
    )


def _change(verdicts: list[Verdict], *, at: datetime) -> None:
    bills, names = [], {"status", "settled_at", "updated_at"}
    for verdict in verdicts:
        if verdict.bill is None or not verdict.changes:
            continue
        for name, value in verdict.changes.items():
            setattr(verdict.bill, name, value)
        if "amount" in verdict.changes:
            project_status(verdict.bill, at=at)
        names |= verdict.changes.keys()
        bills.append(verdict.bill)
    # All of them exist and are locked, so each INSERT becomes an UPDATE. Django's bulk_update
    # needs ten times as long for a thousand rows.
    Bill.objects.bulk_create(
        bills,
        update_conflicts=True,
        unique_fields=["pk"],
        update_fields=sorted(names),
    )


def _link(verdicts: list[Verdict], biller: Biller) -> None:
    """Keep which household a customer code belongs to, and give it the bills that had none."""
    households = {
        v.row.customer_code: v.link_household_id
        for v in verdicts
        if v.link_household_id is not None
    }
    if not households:
        return
    CustomerLink.objects.bulk_create(
        (
            CustomerLink(biller=biller, customer_code=code, household_id=household_id)
            for code, household_id in households.items()
        ),
        update_conflicts=True,
        unique_fields=["biller", "customer_code"],
        update_fields=["household", "updated_at"],
    )
    links = CustomerLink.objects.filter(biller=biller, customer_code=OuterRef("customer_code"))
    Bill.objects.filter(biller=biller, customer_code__in=households, household__isnull=True).update(
        household_id=Subquery(links.values("household_id")[:1])
    )
