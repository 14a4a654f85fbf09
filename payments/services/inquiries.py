"""What a bank's customer owes, looked up and written down in one step."""

from datetime import date, datetime
from typing import NamedTuple

from django.db import connection

from common.database_function import DatabaseFunction
from payments import payment_code
from payments.models import BankPartner, Bill, CustomerLink
from payments.services.calls import Caller, log_call

LIMIT = 50
# It takes the fields of its type payments_question in order.
INQUIRE = DatabaseFunction("payments_inquire")


class OwedBill(NamedTuple):
    """One bill as a bank may see it; the payer's name is still whole."""

    payment_code: str
    biller: str
    biller_name: str
    amount_rule: str
    reference: str
    customer_code: str
    payer_name: str
    period: str
    due_date: date | None
    amount: int
    paid: int
    status: str


FIELDS = (
    "payment_code", "biller__code", "biller__name", "biller__amount_rule", "reference",
    "customer_code", "payer_name", "period", "due_date", "amount", "paid", "status",
)  # fmt: skip


def ask_by_payment_code(
    *, code: str, partner: BankPartner, caller: Caller, at: datetime
) -> OwedBill | None:
    """Find a bill by its payment code in any usual spelling, whatever its state.

    The call is logged with its answer, unless `caller` has no request id.
    """
    named = payment_code.normalise(code)
    if connection.vendor == "postgresql":
        answer = INQUIRE.answer(
            named, str(partner.pk), at.isoformat(), caller.request_id, caller.path, caller.ip
        )
        return _owed_bill(answer) if answer else None
    found = Bill.objects.filter(payment_code=named).values_list(*FIELDS).first()
    bill = OwedBill(*found) if found else None
    status, word = _status(bill)
    log_call(status=status, code=word, subject=named, partner=partner, caller=caller, at=at)
    return bill


def _owed_bill(answer: list[str]) -> OwedBill:
    *words, due_date, amount, paid, status = answer
    day = date.fromisoformat(due_date) if due_date else None
    return OwedBill._make([*words, day, int(amount), int(paid), status])


def _status(bill: OwedBill | None) -> tuple[int, str]:
    if bill is None:
        return 404, "bill-not-found"
    if bill.status in (Bill.Status.PAID, Bill.Status.CANCELLED):
        return 409, f"bill-{'already-paid' if bill.status == Bill.Status.PAID else 'cancelled'}"
    return 200, "answered"


def ask_by_customer(
    *, biller: str, customer_code: str, partner: BankPartner, caller: Caller, at: datetime
) -> list[OwedBill] | None:
    """Find what a biller's customer owes, oldest first; None when nobody knows the customer."""
    bills = [
        OwedBill(*row)
        for row in Bill.objects.payable()
        .filter(biller__code=biller, customer_code=customer_code)
        .order_by("due_date", "pk")
        .values_list(*FIELDS)[:LIMIT]
    ]
    is_known = bool(bills) or _knows(biller=biller, customer_code=customer_code)
    word = "answered" if bills else "nothing-due"
    log_call(
        status=200 if is_known else 404,
        code=word if is_known else "customer-not-found",
        subject=f"{biller}/{customer_code}",
        partner=partner,
        caller=caller,
        at=at,
    )
    return bills if is_known else None


def _knows(*, biller: str, customer_code: str) -> bool:
    customer = {"biller__code": biller, "customer_code": customer_code}
    return (
        Bill.objects.filter(**customer).exists() or CustomerLink.objects.filter(**customer).exists()
    )
