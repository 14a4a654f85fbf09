"""The figures on the back office's first page, in đồng and counts. Each function is one query."""

from datetime import date, datetime
from typing import NamedTuple

from django.db.models import Count, F, Q, Sum

from payments.models import Bill, BillImport, Payment, UnappliedMoney
from payments.models.ledger import Channel


class Collected(NamedTuple):
    """What banks have reported and not taken back."""

    amount: int
    payments: int
    electronic: int

    @property
    def electronic_percent(self) -> int | None:
        """Payments that were not made in cash at a counter; None when there are none at all."""
        return round(100 * self.electronic / self.payments) if self.payments else None


class Owing(NamedTuple):
    """Bills that wait for money, and those of them whose day is over."""

    bills: int
    amount: int
    overdue_bills: int
    overdue_amount: int


class Unapplied(NamedTuple):
    """Money that fits no bill yet, in so many sums."""

    sums: int
    amount: int


def collected_since(moment: datetime) -> Collected:
    """Sum up the payments booked since then."""
    found = Payment.objects.filter(booked_at__gte=moment, reversal__isnull=True).aggregate(
        amount=Sum("amount", default=0),
        payments=Count("pk"),
        electronic=Count("pk", filter=~Q(channel=Channel.COUNTER)),
    )
    return Collected(**found)


def owing(*, on: date) -> Owing:
    """Sum up the bills that take money still."""
    balance, overdue = F("amount") - F("paid"), Q(due_date__lt=on)
    found = Bill.objects.payable().aggregate(
        bills=Count("pk"),
        owed=Sum(balance, default=0),
        overdue_bills=Count("pk", filter=overdue),
        overdue_owed=Sum(balance, filter=overdue, default=0),
    )
    return Owing(found["bills"], found["owed"], found["overdue_bills"], found["overdue_owed"])


def unapplied() -> Unapplied:
    """Sum up the work list."""
    found = UnappliedMoney.objects.filter(remaining__gt=0).aggregate(
        sums=Count("pk"), amount=Sum("remaining", default=0)
    )
    return Unapplied(**found)


def last_imports(limit: int = 5) -> list[BillImport]:
    """Give the latest bill files with their billers."""
    return list(BillImport.objects.select_related("biller").order_by("-pk")[:limit])
