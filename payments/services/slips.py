"""Printed slips: an order is a row, a worker makes the file."""

import re
import tempfile
from datetime import datetime
from typing import Final

from django.core.files import File
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from addresses.models import Village
from common import nudge, progress
from common.text import fold
from payments.models import Bill, Biller, SlipRun
from payments.qr_payload import bill_payload
from payments.slips import Slip, write_slips
from payments.vietqr import VietQRError

GIVE_UP_AFTER: Final = 3  # attempts: the third worker that dies on the same run is no accident
_REPORT_EVERY: Final = 100
_NUMBER: Final = re.compile(r"\d+")

SortKey = tuple[str, str, str, int, str, int]


def progress_name(run_id: int) -> str:
    """Name the work under which common.progress knows this run."""
    return f"slip-run-{run_id}"


@transaction.atomic
def order_slips(
    *,
    village: Village | None,
    biller: Biller | None,
    slips_per_page: int,
    ordered_by: User | None,
    at: datetime,
) -> SlipRun:
    """Order slips for what is still owed in a village, to a biller, or both; None means all."""
    run = SlipRun.objects.create(
        village=village,
        biller=biller,
        slips_per_page=slips_per_page,
        ordered_by=ordered_by,
        due_at=at,
    )
    nudge.after_commit("payments.tasks.print_slips")
    return run


def print_run(*, run: SlipRun, at: datetime) -> SlipRun:
    """Make the file of a run that the caller has claimed; words are in the active language.

    A worker that dies on the way leaves the row as it is, to be claimed again when the lease ends:
    the row names the file only once all of it is stored. Not one transaction, for it takes long.
    """
    if run.attempts > GIVE_UP_AFTER:
        return _close(
            run,
            SlipRun.Status.FAILED,
            at=at,
            why=_("The slips could not be made. Please order them again."),
        )
    run.status = SlipRun.Status.PRINTING
    run.save(update_fields=["status", "updated_at"])
    billers = Biller.objects.select_related("bank").in_bulk()
    try:
        slips = _slips_of(run, billers)
    except VietQRError:
        return _close(
            run,
            SlipRun.Status.FAILED,
            at=at,
            why=_(
                "A biller's bank number or account cannot be written as a QR code. "
                "Please correct it and order again."
            ),
        )
    if not slips:
        return _close(
            run,
            SlipRun.Status.DONE,
            at=at,
            why=_("Nothing is owed here, so there is nothing to print."),
        )
    _store(run, slips, billers)
    run.slip_count = len(slips)
    return _close(run, SlipRun.Status.DONE, at=at)


def _slips_of(run: SlipRun, billers: dict[int, Biller]) -> list[Slip]:
    """Gather the slips in the order in which somebody walks: village, lane, given name.

    Sorted here and not by the database, so that lane 2 stands before lane 10, everywhere alike.
    """
    bills = Bill.objects.payable().select_related("household__village")
    if run.village_id:
        bills = bills.filter(household__village=run.village_id)
    if run.biller_id:
        bills = bills.filter(biller=run.biller_id)
    keyed: list[tuple[SortKey, Slip]] = []
    for bill in bills.iterator(chunk_size=500):
        bill.biller = billers[bill.biller_id]
        keyed.append((_walking_order(bill), _slip(bill)))
    keyed.sort(key=lambda pair: pair[0])
    return [slip for _key, slip in keyed]


def _walking_order(bill: Bill) -> SortKey:
    house = bill.household
    if house is None:
        return ("~", "", "", 0, bill.payer_name, bill.pk)  # after every village code
    lane = _NUMBER.sub(lambda number: number[0].zfill(6), fold(house.lane))
    return (
        house.village.code,
        lane,
        house.representative_sort_key,
        house.pk,
        bill.biller.name,
        bill.pk,
    )


def _slip(bill: Bill) -> Slip:
    biller, house = bill.biller, bill.household
    subject = [
        biller.get_service_display(),
        bill.period,
        f"{biller.customer_code_label or _('Customer code')}: {bill.customer_code}",
    ]
    address = (
        [house.village.name, house.lane, _("household %(code)s") % {"code": house.code}]
        if house
        else []
    )
    return Slip(
        pile=house.village.name if house else "",
        biller_id=bill.biller_id,
        household=house.representative if house else bill.payer_name,
        address="  ·  ".join(filter(None, address)),
        payer=_("In the name of: %(name)s") % {"name": bill.payer_name},
        subject="  ·  ".join(filter(None, subject)),
        amount=bill.amount,
        balance=bill.balance,
        due_date=bill.due_date,
        payment_code=bill.payment_code,
        payload=bill_payload(bill),
    )


def _store(run: SlipRun, slips: list[Slip], billers: dict[int, Biller]) -> None:
    """Draw into a file that vanishes with this process, then give the storage the whole of it."""
    work, done = progress_name(run.pk), 0

    def count() -> None:
        nonlocal done
        done += 1
        if done % _REPORT_EVERY == 0:
            progress.report(work, done=done, total=len(slips))

    used = {slip.biller_id: billers[slip.biller_id] for slip in slips}
    progress.report(work, done=0, total=len(slips))
    with tempfile.TemporaryFile() as target:
        write_slips(target, slips, billers=used, slips_per_page=run.slips_per_page, on_slip=count)
        target.seek(0)
        name = f"phieu-{run.pk}.pdf"
        run.file.storage.delete(run.file.field.generate_filename(run, name))
        run.file.save(name, File(target), save=False)
    progress.report(work, done=len(slips), total=len(slips))


def _close(run: SlipRun, status: SlipRun.Status, *, at: datetime, why: str = "") -> SlipRun:
    """Write down how the run ended, with a sentence for its orderer when no file came out."""
    run.status, run.last_error = status, why
    run.save(update_fields=["status", "slip_count", "file", "last_error", "updated_at"])
    run.finish(at=at)
    return run
