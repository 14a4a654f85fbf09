"""Questions about bills and receipts; what residents see goes through their households."""

from collections.abc import Iterable
from datetime import date
from itertools import groupby
from typing import NamedTuple
from urllib.parse import quote

from django.conf import settings
from django.db.models import Count, F, Min, Prefetch, QuerySet, Sum

from accounts.models import User
from payments.models import Bank, Bill, Receipt
from residents.models import Household


class HouseholdBills(NamedTuple):
    """What one household still owes, the most pressing bill first."""

    household: Household
    bills: list[Bill]
    total: int


class Owed(NamedTuple):
    """What all households of a person owe together; `next_due` is None without a due date."""

    bill_count: int
    total: int
    next_due: date | None


class BankAppLink(NamedTuple):
    """An address that opens one bank's app with the transfer filled in."""

    bank: str
    url: str


def visible_bills(person: User) -> QuerySet[Bill]:
    """Every bill of the person's households. One query, with biller, bank and village."""
    return Bill.objects.filter(household__in=Household.objects.visible_to(person)).select_related(
        "biller__bank", "household__village"
    )


def household_bills(person: User) -> list[HouseholdBills]:
    """Group what is owed by household, the most pressing bill first. One query."""
    bills = (
        visible_bills(person)
        .payable()  # type: ignore[attr-defined]  # stubs lose the class of a chained queryset
        .order_by("household_id", F("due_date").asc(nulls_last=True), "pk")
    )
    groups = []
    for _household_id, members in groupby(bills, key=lambda bill: bill.household_id):
        owed = list(members)
        groups.append(HouseholdBills(owed[0].household, owed, sum(bill.balance for bill in owed)))
    return groups


def owed_by(person: User) -> Owed:
    """How many bills, how much in all, and when the next is due. One query."""
    found = (
        Bill.objects.payable()
        .filter(household__in=Household.objects.visible_to(person))
        .aggregate(
            bill_count=Count("pk"),
            total=Sum(F("amount") - F("paid"), default=0),
            next_due=Min("due_date"),
        )
    )
    return Owed(**found)


def paid_bills(person: User) -> QuerySet[Bill]:
    """Bills that are settled, the latest first, with `receipts` loaded. Two queries."""
    return (
        visible_bills(person)
        .filter(status=Bill.Status.PAID)
        .prefetch_related(Prefetch("receipts", valid_receipts()))
        .order_by("-settled_at", "-pk")
    )


def valid_receipts() -> QuerySet[Receipt]:
    """Receipts that still count, the latest first: no reversal took back what they prove."""
    return (
        Receipt.objects.filter(entry__reversed_by__isnull=True)
        .select_related("series")
        .order_by("-issued_at", "-pk")
    )


def receipts_of(person: User) -> QuerySet[Receipt]:
    """Every receipt of the person's households, voided ones too, the latest first. One query."""
    return (
        Receipt.objects.filter(bill__household__in=Household.objects.visible_to(person))
        .select_related("series", "bill__biller", "entry__reversed_by")
        .order_by("-issued_at", "-pk")
    )


def all_receipts() -> QuerySet[Receipt]:
    """Receipts with what a check of one needs. One query."""
    return Receipt.objects.select_related("series", "bill__biller", "entry__reversed_by")


def is_void(receipt: Receipt) -> bool:
    """Whether a reversal took back what this receipt proves. No query after receipts_of."""
    return hasattr(receipt.entry, "reversed_by")


def bank_app_links(bill: Bill) -> list[BankAppLink]:
    """Links that open a bank's app on this phone; none without BANK_APP_LINK. At most one query.

    The setting is a template such as `https://bank.example/pay?app={app}&ba={account}@{bank}
    &am={amount}&tn={memo}`; every value is percent-encoded.
    """
    if not settings.BANK_APP_LINK:
        return []
    banks = Bank.objects.filter(is_active=True).exclude(app_code="").order_by("short_name")
    return list(_links(bill, banks))


def _links(bill: Bill, banks: Iterable[Bank]) -> Iterable[BankAppLink]:
    biller = bill.biller
    transfer = {
        "account": quote(biller.account_number, safe=""),
        "bank": quote(biller.bank.app_code or biller.bank.bin, safe=""),
        "amount": bill.balance,
        "memo": bill.payment_code,
    }
    for bank in banks:
        url = settings.BANK_APP_LINK.format(app=quote(bank.app_code, safe=""), **transfer)
        yield BankAppLink(bank.short_name, url)
