"""The work list of money that fits no bill: apply it to the right one, or send it back."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from payments.errors import BillNotPayableError, NothingLeftError
from payments.models import Bill, Entry, Posting, UnappliedMoney
from payments.services.booking import apply_to_bill, bank_account, unapplied_account


@transaction.atomic
def apply_unapplied(
    *, unapplied_id: int, bill_id: int, form_token: str, actor: User, at: datetime
) -> Entry:
    """Apply as much of the money as the bill still takes, and issue its receipt.

    The same `form_token` again (a double click) returns the first entry. Raises
    NothingLeftError or BillNotPayableError.
    """
    unapplied = UnappliedMoney.objects.select_for_update().get(pk=unapplied_id)
    known: Entry | None = Entry.objects.filter(source="application", external_id=form_token).first()
    if known is not None:
        return known
    if not unapplied.remaining:
        raise NothingLeftError(_("Nothing of this money is left."))
    bill = Bill.objects.locked().select_related("biller").get(pk=bill_id)
    if bill.status not in (Bill.Status.OPEN, Bill.Status.PART_PAID):
        raise BillNotPayableError(_("This bill takes no more money."))
    amount = min(unapplied.remaining, bill.balance)
    entry = _spend(
        unapplied,
        amount=amount,
        kind=Entry.Kind.APPLICATION,
        source="application",
        form_token=form_token,
        reason="",
        actor=actor,
        at=at,
    )
    apply_to_bill(bill=bill, entry=entry, amount=amount, at=at)
    return entry


@transaction.atomic
def return_unapplied(
    *, unapplied_id: int, form_token: str, reason: str, actor: User, at: datetime
) -> Entry:
    """Book that what is left of the money was sent back to its payer through the bank.

    The same `form_token` again returns the first entry. Raises NothingLeftError.
    """
    unapplied = UnappliedMoney.objects.select_for_update().get(pk=unapplied_id)
    known: Entry | None = Entry.objects.filter(source="return", external_id=form_token).first()
    if known is not None:
        return known
    if not unapplied.remaining:
        raise NothingLeftError(_("Nothing of this money is left."))
    amount = unapplied.remaining
    entry = _spend(
        unapplied,
        amount=amount,
        kind=Entry.Kind.RETURN,
        source="return",
        form_token=form_token,
        reason=reason,
        actor=actor,
        at=at,
    )
    Posting.objects.create(
        entry=entry, account=bank_account(unapplied.entry.payment.partner), amount=-amount
    )
    return entry


def _spend(  # noqa: PLR0913  # all of it is the entry's own content, named by keyword
    unapplied: UnappliedMoney,
    *,
    amount: int,
    kind: Entry.Kind,
    source: str,
    form_token: str,
    reason: str,
    actor: User,
    at: datetime,
) -> Entry:
    entry = Entry.objects.create(
        kind=kind,
        source=source,
        external_id=form_token,
        occurred_at=at,
        booked_at=at,
        actor=actor,
        reason=reason,
    )
    Posting.objects.create(
        entry=entry, account=unapplied_account(), amount=amount, unapplied=unapplied
    )
    unapplied.remaining -= amount
    unapplied.save(update_fields=["remaining", "updated_at"])
    return entry
