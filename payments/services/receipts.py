"""What happens to a receipt after it was issued: the household hears of it."""

from datetime import datetime

from django.db import transaction
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.models import User
from common.text import vnd
from notifications import services as notifications
from payments.models import Receipt, ReceiptNotice
from residents import selectors as residents


def tell_households(*, limit: int, at: datetime) -> int:
    """Put up to `limit` receipts, oldest first, into their households' inboxes; answer how many.

    Each receipt is told in its own transaction; two workers at once tell each of them once.
    """
    waiting = (
        Receipt.objects.filter(notice__isnull=True)
        .select_related("bill__biller", "bill__household", "series")
        .order_by("pk")[:limit]
    )
    return sum(_tell(receipt, at=at) for receipt in waiting)


@transaction.atomic
def _tell(receipt: Receipt, *, at: datetime) -> bool:
    _notice, is_new = ReceiptNotice.objects.get_or_create(receipt=receipt, defaults={"told_at": at})
    if not is_new or receipt.bill.household is None:
        return is_new
    for user in User.objects.filter(phone__in=residents.phones_of(receipt.bill.household)):
        notifications.put_in_inbox(
            user=user,
            kind="receipt",
            title=_("%(biller)s: %(amount)s received")
            % {"biller": receipt.bill.biller.name, "amount": vnd(receipt.amount)},
            text=_("Receipt %(number)s. Thank you.") % {"number": receipt},
            link=reverse("receipt_check", args=[receipt.token]),
            at=at,
            dedupe_key=f"receipt-{receipt.pk}-{user.pk}",
        )
    return True
