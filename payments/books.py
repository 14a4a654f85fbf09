"""Are the books right? Every projection recomputed from the postings and compared."""

from collections.abc import Iterable

from django.db import connection, transaction
from django.db.models import Count, F, Max, OuterRef, Subquery, Sum
from django.db.models.functions import Coalesce

from payments.models import Bill, Entry, Posting, ReceiptSeries, UnappliedMoney
from payments.services.bills import PAYMENT_CODES


@transaction.atomic
def discrepancies(*, patiently: bool = False) -> list[str]:
    """List what does not add up, one line each; empty when the books are right. Five queries.

    With `patiently` a large ledger may take longer than a page's query may.
    """
    if patiently and connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL statement_timeout = '10min'")
    return [
        *_unbalanced_entries(),
        *_total(),
        *_drifted_bills(),
        *_drifted_unapplied(),
        *_gaps_in_receipts(),
    ]


def _total() -> Iterable[str]:
    total = Posting.objects.aggregate(total=Sum("amount"))["total"] or 0
    return [f"all postings sum to {total}"] if total else []


def _unbalanced_entries() -> Iterable[str]:
    rows = Entry.objects.annotate(total=Sum("postings__amount"), legs=Count("postings"))
    for entry in rows.exclude(total=0, legs__gte=2):
        yield f"entry {entry.pk} has {entry.legs} legs that sum to {entry.total}"


def _drifted_bills() -> Iterable[str]:
    posted = (
        Posting.objects.filter(bill=OuterRef("pk"))
        .order_by()
        .values("bill")
        .annotate(total=Sum("amount"))
        .values("total")
    )
    rows = Bill.objects.annotate(posted=-Coalesce(Subquery(posted), 0))
    drifted = rows.exclude(posted=F("paid")).values_list("payment_code", "paid", "posted")
    for code, paid, total in drifted:
        yield f"bill {code} says {paid} paid, its postings {total}"


def _drifted_unapplied() -> Iterable[str]:
    rows = UnappliedMoney.objects.annotate(posted=-Coalesce(Sum("postings__amount"), 0))
    for money in rows.exclude(posted=F("remaining")):
        yield f"unapplied money {money.pk} says {money.remaining} left, its postings {money.posted}"


def _gaps_in_receipts() -> Iterable[str]:
    rows = ReceiptSeries.objects.exclude(code=PAYMENT_CODES).annotate(
        issued=Count("receipts"), highest=Coalesce(Max("receipts__number"), 0)
    )
    for series in rows:
        if not series.issued == series.highest == series.last_number:
            yield (
                f"series {series.code}: {series.issued} receipts, highest {series.highest}, "
                f"counter {series.last_number}"
            )
