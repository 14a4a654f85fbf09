"""Booking money that has moved, exactly once, whatever the sender repeats or garbles.

On PostgreSQL the whole booking is one call of the function `payments_book` (migration 0006),
because it is the portal's hottest write; elsewhere `_book_in_python` takes the same steps.
One test suite runs against both (docs/adr/0005).
"""

import hashlib
import json
import secrets
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from django.db import connection, transaction
from django.utils.translation import gettext_lazy as _

from common.database_function import DatabaseFunction
from common.ids import uuid7
from payments import payment_code
from payments.errors import IdempotencyKeyReusedError
from payments.models import (
    Account,
    BankPartner,
    Bill,
    Biller,
    Entry,
    Payment,
    Posting,
    Receipt,
    ReceiptSeries,
    UnappliedMoney,
)
from payments.services.bills import project_status
from payments.services.calls import NOBODY, Caller, log_call

LOCAL_TIME = ZoneInfo("Asia/Ho_Chi_Minh")
UNAPPLIED = "unapplied"
# It takes the fields of its type payments_report in order.
BOOK = DatabaseFunction("payments_book")


class PaymentReport(NamedTuple):
    """What a bank says about money that has moved; `amount` in đồng, greater than zero."""

    bank_ref: str
    amount: int
    paid_at: datetime
    channel: str = "other"
    payment_code: str = ""
    memo: str = ""
    payer_account_masked: str = ""
    inquiry_id: str = ""  # a UUID as RFC 9562 writes it

    def fingerprint(self) -> str:
        """SHA-256 over what the report means, so that spacing or key order does not matter."""
        meaning = [
            self.bank_ref,
            self.amount,
            int(self.paid_at.timestamp() * 1_000_000),
            self.channel,
            self.payment_code,
            self.memo,
            self.payer_account_masked,
            self.inquiry_id,
        ]
        return hashlib.sha256(json.dumps(meaning).encode()).hexdigest()

    def candidate_codes(self) -> list[str]:
        """Payment codes that the report names, the explicit one first, then those in the memo."""
        named = payment_code.normalise(self.payment_code)
        if payment_code.is_valid(named):
            return [named]
        return payment_code.find_codes(f"{self.payment_code} {self.memo}")


class Booking(NamedTuple):
    """How a report was booked. Every field but `is_replay` is the same for each repeat."""

    payment_id: str
    bank_ref: str
    amount: int
    applied: int
    payment_code: str
    unapplied: int
    unapplied_reason: str
    receipt_number: str
    receipt_token: str
    paid_at: datetime
    booked_at: datetime
    is_replay: bool = False


@dataclass(slots=True)
class _Split:
    """Where the money of one report goes."""

    bill: Bill | None
    applied: int
    reason: str = ""
    entry: Entry = field(init=False)


def record_payment(
    *,
    partner: BankPartner,
    key: str,
    report: PaymentReport,
    at: datetime,
    caller: Caller = NOBODY,
) -> Booking:
    """Book a report once; a repeat gets the first booking back.

    Money that fits no bill becomes unapplied money: nothing that moved is ever refused.
    The call is logged with its answer in the same transaction, unless `caller` has no request id.
    Raises IdempotencyKeyReusedError when the key, or the bank's reference, already stands for
    a report with another meaning; nothing is booked then.
    """
    book = _book_in_database if connection.vendor == "postgresql" else _book_in_python
    booking = book(partner=partner, key=key, report=report, at=at, caller=caller)
    if booking is None:
        raise IdempotencyKeyReusedError(
            _("This key or bank reference already stands for another report.")
        )
    return booking


def _book_in_database(
    *, partner: BankPartner, key: str, report: PaymentReport, at: datetime, caller: Caller
) -> Booking | None:
    own_id = str(uuid7())
    answer = BOOK.answer(
        str(partner.pk),
        partner.code,
        key,
        report.fingerprint(),
        report.bank_ref,
        str(report.amount),
        report.paid_at.isoformat(),
        report.channel,
        report.memo,
        report.payer_account_masked,
        report.candidate_codes(),
        own_id,
        secrets.token_urlsafe(16),
        at.isoformat(),
        caller.request_id,
        caller.path,
        caller.ip,
        report.inquiry_id or None,
    )
    if answer is None:
        return None
    payment_id, applied, code, reason, receipt_number, receipt_token, paid_at, booked_at = answer
    return Booking(
        payment_id=payment_id,
        bank_ref=report.bank_ref,
        amount=report.amount,
        applied=int(applied),
        payment_code=code,
        unapplied=report.amount - int(applied),
        unapplied_reason=reason,
        receipt_number=receipt_number,
        receipt_token=receipt_token,
        paid_at=datetime.fromisoformat(paid_at),
        booked_at=datetime.fromisoformat(booked_at),
        is_replay=payment_id != own_id,
    )


@transaction.atomic
def _book_in_python(
    *, partner: BankPartner, key: str, report: PaymentReport, at: datetime, caller: Caller
) -> Booking | None:
    known = (
        Payment.objects.filter(partner=partner, idempotency_key=key).first()
        or Payment.objects.filter(partner=partner, bank_ref=report.bank_ref).first()
    )
    if known is None:
        booking = booking_of(_create(partner=partner, key=key, report=report, at=at))
    elif known.fingerprint == report.fingerprint():
        booking = booking_of(known)._replace(is_replay=True)
    else:
        return None
    log_call(
        status=200 if known else 201,
        code="replayed" if known else "booked",
        subject=report.bank_ref,
        partner=partner,
        caller=caller,
        at=at,
    )
    return booking


def _create(*, partner: BankPartner, key: str, report: PaymentReport, at: datetime) -> Payment:
    split = _split(report)
    split.entry = Entry.objects.create(
        kind=Entry.Kind.PAYMENT,
        source=f"bank:{partner.code}",
        external_id=report.bank_ref,
        occurred_at=report.paid_at,
        booked_at=at,
    )
    payment = Payment.objects.create(
        partner=partner,
        idempotency_key=key,
        fingerprint=report.fingerprint(),
        bank_ref=report.bank_ref,
        entry=split.entry,
        bill=split.bill,
        inquiry_id=report.inquiry_id or None,
        memo=report.memo,
        channel=report.channel,
        payer_account_masked=report.payer_account_masked,
        amount=report.amount,
        applied=split.applied,
        paid_at=report.paid_at,
        booked_at=at,
    )
    Posting.objects.create(entry=split.entry, account=bank_account(partner), amount=report.amount)
    if split.bill is not None and split.applied:
        apply_to_bill(bill=split.bill, entry=split.entry, amount=split.applied, at=at)
    if report.amount > split.applied:
        _park(split, amount=report.amount - split.applied)
    return payment


def _split(report: PaymentReport) -> _Split:
    codes = report.candidate_codes()
    if not codes:
        return _Split(None, 0, UnappliedMoney.Reason.NO_CODE)
    found = {bill.payment_code: bill for bill in Bill.objects.filter(payment_code__in=codes)}
    bill = next((found[code] for code in codes if code in found), None)
    if bill is None:
        return _Split(None, 0, UnappliedMoney.Reason.UNKNOWN_BILL)
    bill = Bill.objects.locked().select_related("biller").get(pk=bill.pk)
    if bill.status == Bill.Status.CANCELLED:
        return _Split(bill, 0, UnappliedMoney.Reason.BILL_CANCELLED)
    if bill.status == Bill.Status.PAID:
        return _Split(bill, 0, UnappliedMoney.Reason.ALREADY_PAID)
    return _Split(bill, min(report.amount, bill.balance), UnappliedMoney.Reason.EXCESS)


def _park(split: _Split, *, amount: int) -> None:
    unapplied = UnappliedMoney.objects.create(
        entry=split.entry, bill=split.bill, reason=split.reason, amount=amount, remaining=amount
    )
    Posting.objects.create(
        entry=split.entry, account=unapplied_account(), amount=-amount, unapplied=unapplied
    )


def apply_to_bill(*, bill: Bill, entry: Entry, amount: int, at: datetime) -> Receipt:
    """Post `amount` to a locked bill, move its projections and issue the receipt."""
    Posting.objects.create(
        entry=entry, account=biller_account(bill.biller), amount=-amount, bill=bill
    )
    bill.paid += amount
    project_status(bill, at=at)
    bill.save(update_fields=["paid", "status", "settled_at", "updated_at"])
    series = take_receipt_number(biller=bill.biller, at=at)
    return Receipt.objects.create(
        series=series,
        number=series.last_number,
        entry=entry,
        bill=bill,
        amount=amount,
        payer_name=bill.payer_name,
        token=secrets.token_urlsafe(16),
        issued_at=at,
    )


def take_receipt_number(*, biller: Biller, at: datetime) -> ReceiptSeries:
    """Lock the biller's series of the year and take its next number (in `last_number`)."""
    code = f"{at.astimezone(LOCAL_TIME):%Y}-{biller.code}"
    ReceiptSeries.objects.get_or_create(code=code)
    series = ReceiptSeries.objects.select_for_update().get(code=code)
    series.last_number += 1
    series.save(update_fields=["last_number"])
    return series


def bank_account(partner: BankPartner) -> Account:
    """Find or open the pot of money that this bank holds for us."""
    return Account.objects.get_or_create(
        code=f"bank:{partner.code}", defaults={"kind": Account.Kind.BANK, "partner": partner}
    )[0]


def biller_account(biller: Biller) -> Account:
    """Find or open the pot of money collected for this biller."""
    return Account.objects.get_or_create(
        code=f"biller:{biller.code}", defaults={"kind": Account.Kind.BILLER, "biller": biller}
    )[0]


def unapplied_account() -> Account:
    """Find or open the pot of money that fits no bill yet."""
    return Account.objects.get_or_create(code=UNAPPLIED, defaults={"kind": Account.Kind.UNAPPLIED})[
        0
    ]


def booking_of(payment: Payment) -> Booking:
    """Tell again how a payment was booked, from rows that never change. At most four queries."""
    receipt = Receipt.objects.filter(entry=payment.entry_id).select_related("series").first()
    unapplied = UnappliedMoney.objects.filter(entry=payment.entry_id).first()
    return Booking(
        payment_id=str(payment.pk),
        bank_ref=payment.bank_ref,
        amount=payment.amount,
        applied=payment.applied,
        payment_code=payment.bill.payment_code if payment.bill else "",
        unapplied=unapplied.amount if unapplied else 0,
        unapplied_reason=unapplied.reason if unapplied else "",
        receipt_number=str(receipt) if receipt else "",
        receipt_token=receipt.token if receipt else "",
        paid_at=payment.paid_at,
        booked_at=payment.booked_at,
    )
