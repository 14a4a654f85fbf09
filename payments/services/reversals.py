"""Taking back a payment that a bank reported: once, on the same day, with everything it paid."""

import hashlib
import json
from datetime import datetime
from typing import NamedTuple

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from payments.errors import (
    AlreadyReversedError,
    IdempotencyKeyReusedError,
    MoneyReturnedError,
    PaymentNotFoundError,
    ReversalWindowClosedError,
)
from payments.models import BankPartner, Bill, Entry, Payment, Posting, Reversal, UnappliedMoney
from payments.services.bills import project_status
from payments.services.booking import LOCAL_TIME


class ReversalReport(NamedTuple):
    """What a bank says about a payment it takes back."""

    payment_id: str
    reason_code: str
    note: str = ""

    def fingerprint(self) -> str:
        """SHA-256 over what the report means."""
        return hashlib.sha256(json.dumps(list(self)).encode()).hexdigest()


class ReversalResult(NamedTuple):
    """The reversal, and whether this report of it was a repeat."""

    reversal: Reversal
    is_replay: bool


@transaction.atomic
def reverse_payment(
    *, partner: BankPartner, key: str, report: ReversalReport, at: datetime
) -> ReversalResult:
    """Take a payment back on its day of booking; a repeat gets the first reversal.

    Money of it that an official has since applied to another bill is taken back too. Raises
    PaymentNotFoundError, AlreadyReversedError, ReversalWindowClosedError, MoneyReturnedError or
    IdempotencyKeyReusedError, and changes nothing then.
    """
    payment = Payment.objects.of_partner(partner).filter(pk=report.payment_id).first()
    if payment is None:
        raise PaymentNotFoundError(_("You have reported no such payment."))
    entries = _lock_money_of(payment)
    known = _known_reversal(partner=partner, key=key, payment=payment)
    if known is not None:
        if known.idempotency_key != key:
            raise AlreadyReversedError(_("This payment was already taken back."))
        if known.fingerprint != report.fingerprint():
            raise IdempotencyKeyReusedError(_("This key already stands for another report."))
        return ReversalResult(known, is_replay=True)
    if payment.booked_at.astimezone(LOCAL_TIME).date() != at.astimezone(LOCAL_TIME).date():
        raise ReversalWindowClosedError(
            _("A payment can be taken back on the day it was booked only. Please open a case.")
        )
    if any(entry.kind == Entry.Kind.RETURN for entry in entries):
        raise MoneyReturnedError(_("Part of this money was already returned to the payer."))
    booked = [
        _reverse_entry(entry, source=f"reversal:{partner.code}", reason=report.reason_code, at=at)
        for entry in entries
    ]
    try:
        with transaction.atomic():
            reversal = Reversal.objects.create(
                payment=payment,
                partner=partner,
                idempotency_key=key,
                fingerprint=report.fingerprint(),
                entry=booked[-1],
                reason_code=report.reason_code,
                note=report.note,
                booked_at=at,
            )
    except IntegrityError:
        raise IdempotencyKeyReusedError(_("This key already stands for another report.")) from None
    return ReversalResult(reversal, is_replay=False)


def _known_reversal(*, partner: BankPartner, key: str, payment: Payment) -> Reversal | None:
    by_key = Reversal.objects.filter(partner=partner, idempotency_key=key).first()
    return by_key or Reversal.objects.filter(payment=payment).first()


def _lock_money_of(payment: Payment) -> list[Entry]:
    """Lock what the payment touched (unapplied money first, then bills in key order).

    Answers the entries to undo, the payment's own entry last.
    """
    unapplied = UnappliedMoney.objects.select_for_update().filter(entry=payment.entry_id).first()
    later = (
        list(
            Entry.objects.filter(postings__unapplied=unapplied, reversed_by__isnull=True)
            .exclude(pk=payment.entry_id)
            .exclude(kind=Entry.Kind.REVERSAL)
            .order_by("pk")
        )
        if unapplied
        else []
    )
    entries = [*later, payment.entry]
    bills = Posting.objects.filter(entry__in=entries, bill__isnull=False).values("bill")
    # Evaluated for its locks: they are held until the transaction ends.
    list(Bill.objects.locked().filter(pk__in=bills))
    return entries


def _reverse_entry(entry: Entry, *, source: str, reason: str, at: datetime) -> Entry:
    mirror = Entry.objects.create(
        kind=Entry.Kind.REVERSAL,
        source=source,
        external_id=str(entry.pk),
        occurred_at=at,
        booked_at=at,
        reverses=entry,
        reason=reason,
    )
    for posting in entry.postings.order_by("pk"):
        Posting.objects.create(
            entry=mirror,
            account_id=posting.account_id,
            amount=-posting.amount,
            bill_id=posting.bill_id,
            unapplied_id=posting.unapplied_id,
        )
        if posting.bill_id:
            _lower_paid(bill_id=posting.bill_id, amount=-posting.amount, at=at)
        if posting.unapplied_id:
            _move_remaining(unapplied_id=posting.unapplied_id, amount=posting.amount)
    return mirror


def _lower_paid(*, bill_id: int, amount: int, at: datetime) -> None:
    bill = Bill.objects.get(pk=bill_id)
    bill.paid -= amount
    project_status(bill, at=at)
    bill.save(update_fields=["paid", "status", "settled_at", "updated_at"])


def _move_remaining(*, unapplied_id: int, amount: int) -> None:
    unapplied = UnappliedMoney.objects.get(pk=unapplied_id)
    unapplied.remaining += amount
    unapplied.save(update_fields=["remaining", "updated_at"])
