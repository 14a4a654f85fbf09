"""What partners get to see, as plain JSON values. Amounts are whole đồng, moments UTC."""

from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from payments.api.problems import Problem
from payments.models import Bill, Biller, Payment, Reversal
from payments.services.booking import Booking, booking_of
from payments.services.inquiries import OwedBill

Owed = list[dict[str, Any]]


def masked_name(name: str) -> str:
    """Show enough of a name for the payer to know it, not enough to look a person up.

    >>> masked_name("Lê Thị Hoa")
    'L** T** Hoa'
    """
    *others, given = name.split() or [""]
    return " ".join([*(f"{word[0]}**" for word in others), given])


def biller(row: Biller) -> dict[str, Any]:
    """One biller, with how it names its customers."""
    return {
        "code": row.code,
        "name": row.name,
        "service": row.service,
        "amount_rule": row.amount_rule,
        "customer_code": {"label": row.customer_code_label, "pattern": row.customer_code_pattern},
        "settlement_account": {
            "bank_bin": row.bank.bin,
            "number": row.account_number,
            "name": row.account_name,
        },
    }


def one_bill(bill: OwedBill | None, *, amount: int | None) -> Owed | Problem:
    """Answer for a bill asked for by its payment code; only here may anything be refused."""
    if bill is None:
        return Problem(404, "bill-not-found", _("No bill has this payment code."))
    if bill.status == Bill.Status.CANCELLED:
        return Problem(409, "bill-cancelled", _("This bill was cancelled."))
    if bill.status == Bill.Status.PAID:
        return Problem(409, "bill-already-paid", _("This bill is paid already."))
    answer = _owed(bill)
    if amount is not None and not answer["min_amount"] <= amount <= answer["max_amount"]:
        return Problem(
            422,
            "amount-out-of-rule",
            _("This biller takes between %(low)s and %(high)s đồng for this bill.")
            % {"low": answer["min_amount"], "high": answer["max_amount"]},
            "after_fix",
        )
    return [answer]


def bills_of_customer(bills: list[OwedBill] | None) -> Owed | Problem:
    """Answer with what a biller's customer owes; an empty list when nothing is due."""
    if bills is None:
        return Problem(404, "customer-not-found", _("This biller knows no such customer."))
    return [_owed(bill) for bill in bills]


# The largest amount that one VietQR transfer can carry (NAPAS247, below 500 million đồng).
LARGEST_TRANSFER = 499_999_999


def _owed(bill: OwedBill) -> dict[str, Any]:
    balance = bill.amount - bill.paid
    low = 1 if bill.amount_rule in (Biller.AmountRule.AT_MOST, Biller.AmountRule.ANY) else balance
    high = (
        LARGEST_TRANSFER
        if bill.amount_rule in (Biller.AmountRule.AT_LEAST, Biller.AmountRule.ANY)
        else balance
    )
    return {
        "payment_code": bill.payment_code,
        "biller": bill.biller,
        "biller_name": bill.biller_name,
        "reference": bill.reference,
        "customer_code": bill.customer_code,
        "payer_name_masked": masked_name(bill.payer_name),
        "period": bill.period,
        "due_date": bill.due_date.isoformat() if bill.due_date else None,
        "status": bill.status,
        "amount": bill.amount,
        "paid": bill.paid,
        "balance": balance,
        "amount_rule": bill.amount_rule,
        "min_amount": low,
        "max_amount": high,
    }


def booking(row: Booking, *, reversal: Reversal | None = None) -> dict[str, Any]:
    """How money was booked. For one payment this is the same bytes at every repeat."""
    return {
        "id": row.payment_id,
        "bank_ref": row.bank_ref,
        "status": "reversed" if reversal else "booked",
        "amount": row.amount,
        "allocation": {
            "payment_code": row.payment_code or None,
            "applied": row.applied,
            "unapplied": row.unapplied,
            "unapplied_reason": row.unapplied_reason or None,
        },
        "receipt": (
            {
                "number": row.receipt_number,
                "url": f"{settings.PUBLIC_URL}/bien-lai/{row.receipt_token}/",
            }
            if row.receipt_number
            else None
        ),
        "paid_at": _moment(row.paid_at),
        "booked_at": _moment(row.booked_at),
        "reversed_at": _moment(reversal.booked_at) if reversal else None,
    }


def with_details(payments: QuerySet[Payment]) -> QuerySet[Payment]:
    """Load with a set of payments what `payment` reads of each."""
    return payments.select_related("bill", "reversal").order_by("pk")


def payment(row: Payment) -> dict[str, Any]:
    """Show a payment as it stands now, taken back or not."""
    return booking(booking_of(row), reversal=getattr(row, "reversal", None))


def reversal(row: Reversal) -> dict[str, Any]:
    """Show how a payment was taken back."""
    return {
        "id": str(row.pk),
        "payment_id": str(row.payment_id),
        "reason_code": row.reason_code,
        "note": row.note,
        "reversed_at": _moment(row.booked_at),
    }


def _moment(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
