"""What can happen to a bill: issued, restated by its biller, cancelled."""

from datetime import date, datetime

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from payments import payment_code
from payments.errors import BillHasMoneyError, BillNotPayableError
from payments.models import Bill, Biller, ReceiptSeries
from residents.models import Household

PAYMENT_CODES = "payment-code"


@transaction.atomic
def reserve_payment_codes(*, count: int) -> list[str]:
    """Take `count` payment codes that no bill has had before.

    They come from a locked counter, so no two callers ever get the same; the counter's numbers
    are scrambled by payment_code.new_code, so neighbours cannot be guessed by adding one.
    """
    ReceiptSeries.objects.get_or_create(code=PAYMENT_CODES)
    series = ReceiptSeries.objects.select_for_update().get(code=PAYMENT_CODES)
    first = series.last_number + 1
    series.last_number += count
    series.save(update_fields=["last_number"])
    return [payment_code.new_code(number) for number in range(first, first + count)]


@transaction.atomic
def issue_bill(  # noqa: PLR0913  # each is a fact of the bill, named by keyword
    *,
    biller: Biller,
    reference: str,
    customer_code: str,
    payer_name: str,
    amount: int,
    household: Household | None = None,
    period: str = "",
    due_date: date | None = None,
) -> Bill:
    """Issue one bill of `amount` đồng; the same reference of the same biller returns the first."""
    known = Bill.objects.filter(biller=biller, reference=reference).first()
    if known is not None:
        return known
    [code] = reserve_payment_codes(count=1)
    return Bill.objects.create(
        biller=biller,
        reference=reference,
        payment_code=code,
        customer_code=customer_code,
        payer_name=payer_name,
        household=household,
        amount=amount,
        period=period,
        due_date=due_date,
    )


@transaction.atomic
def cancel_bill(*, bill_id: int, reason: str) -> Bill:
    """Take a bill back that nobody has paid on; cancelling twice changes nothing.

    Raises BillHasMoneyError while there is money on it: reverse or return that first.
    """
    bill = Bill.objects.locked().get(pk=bill_id)
    if bill.status == Bill.Status.CANCELLED:
        return bill
    if bill.paid:
        raise BillHasMoneyError(_("Money was paid on this bill, so it cannot be cancelled."))
    bill.status, bill.cancel_reason = Bill.Status.CANCELLED, reason
    bill.save(update_fields=["status", "cancel_reason", "updated_at"])
    return bill


@transaction.atomic
def restate_bill(*, bill_id: int, amount: int, at: datetime) -> Bill:
    """Correct what is owed; never below what was paid already.

    Raises BillNotPayableError for a cancelled bill, BillHasMoneyError below the money on it.
    """
    bill = Bill.objects.locked().get(pk=bill_id)
    if bill.status == Bill.Status.CANCELLED:
        raise BillNotPayableError(_("This bill was cancelled."))
    if amount < bill.paid:
        raise BillHasMoneyError(_("More than that was already paid on this bill."))
    bill.amount = amount
    project_status(bill, at=at)
    bill.save(update_fields=["amount", "status", "settled_at", "updated_at"])
    return bill


def project_status(bill: Bill, *, at: datetime) -> None:
    """Let `status` and `settled_at` follow `amount` and `paid`; saves nothing."""
    if bill.paid == bill.amount:
        bill.status = Bill.Status.PAID
        bill.settled_at = bill.settled_at or at
        return
    bill.status = Bill.Status.PART_PAID if bill.paid else Bill.Status.OPEN
    bill.settled_at = None
