"""What happens to a receipt after it was issued: the household hears of it."""

import logging
from collections.abc import Iterable
from datetime import datetime

from django.db import DatabaseError, transaction
from django.db.models import Max
from django.urls import reverse
from django.utils.text import Truncator
from django.utils.translation import gettext as _

from accounts.models import User
from common.text import vnd
from notifications import services as notifications
from payments.models import Receipt, ReceiptNotice
from residents import selectors as residents
from residents.models import Household

logger = logging.getLogger(__name__)
# Numbers are given before commit, so a receipt may appear behind newer ones; this far back we look.
LATE_COMMITS = 10_000


def tell_households(*, limit: int, at: datetime) -> int:
    """Put up to `limit` receipts, oldest first, into their households' inboxes; answer how many.

    Each receipt is told in its own transaction: two workers at once tell each of them once, and
    one that cannot be told does not keep the others waiting.
    """
    newest_told = ReceiptNotice.objects.aggregate(newest=Max("receipt_id"))["newest"] or 0
    waiting = (
        Receipt.objects.filter(pk__gt=newest_told - LATE_COMMITS, notice__isnull=True)
        .select_related("bill__biller", "bill__household", "series")
        .order_by("pk")[:limit]
    )
    told = 0
    for receipt in waiting:
        try:
            told += _tell(receipt, at=at)
        except DatabaseError:
            logger.exception("a household cannot be told of receipt %s", receipt.pk)
    return told


@transaction.atomic
def _tell(receipt: Receipt, *, at: datetime) -> bool:
    _notice, is_new = ReceiptNotice.objects.get_or_create(receipt=receipt, defaults={"told_at": at})
    if not is_new or receipt.bill.household is None:
        return is_new
    for user in _people(receipt.bill.household):
        notifications.put_in_inbox(
            user=user,
            kind="receipt",
            title=_("%(biller)s: %(amount)s received")
            % {
                "biller": Truncator(receipt.bill.biller.name).chars(60),
                "amount": vnd(receipt.amount),
            },
            text=_("Receipt %(number)s. Thank you.") % {"number": receipt},
            link=reverse("receipt_check", args=[receipt.token]),
            at=at,
            dedupe_key=f"receipt-{receipt.pk}-{user.pk}",
        )
    return True


def _people(household: Household) -> Iterable[User]:
    """Find the accounts of the household's numbers that have proven to be theirs."""
    return User.objects.filter(phone__in=residents.phones_of(household), is_phone_verified=True)
