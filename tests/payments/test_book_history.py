"""Booking many old reports at once leaves the rows that booking them one by one leaves."""

from datetime import timedelta

import pytest
from django.db import transaction

from payments import books
from payments.models import (
    Bill,
    Entry,
    Payment,
    Posting,
    Receipt,
    ReceiptSeries,
    UnappliedMoney,
)
from payments.services import history
from payments.services.bills import cancel_bill
from payments.services.booking import record_payment
from payments.services.history import OldReport, book_history
from tests.payments.factories import NOON, make_bill, make_biller, make_partner, make_report

pytestmark = pytest.mark.django_db


def every_kind_of_report():
    """Reports for three bills, in no order of time: paid, in parts, twice, too much, lost."""
    biller = make_biller(code="dien")
    bills = [make_bill(biller=biller, amount=amount) for amount in (100_000, 200_000, 300_000)]
    cancelled = make_bill(biller=make_biller(code="nuoc"), amount=50_000)
    cancel_bill(bill_id=cancelled.pk, reason="test")
    reports = [
        make_report(bills[2], bank_ref="late", amount=400_000),
        make_report(bills[0], bank_ref="exact"),
        make_report(bills[0], bank_ref="twice"),
        make_report(bills[1], bank_ref="part", amount=150_000),
        make_report(bills[1], bank_ref="rest", amount=50_000),
        make_report(cancelled, bank_ref="cancelled"),
        make_report(None, bank_ref="lost"),
        make_report(None, bank_ref="unknown", payment_code="PLESP1GV581"),
        make_report(None, bank_ref="memo", memo=f"MBVCB 1 {bills[1].payment_code.lower()} CT"),
    ]
    days_ago = (1, 9, 8, 7, 6, 5, 4, 3, 2)
    return [
        OldReport(report.bank_ref, report, NOON - timedelta(days=days))
        for report, days in zip(reports, days_ago, strict=True)
    ]


def booked():
    """Everything that booking writes, by names that both ways share."""
    return {
        "bills": list(Bill.objects.order_by("pk").values_list("paid", "status", "settled_at")),
        "entries": set(Entry.objects.values_list("kind", "source", "external_id", "booked_at")),
        "payments": set(
            Payment.objects.values_list(
                "bank_ref", "bill__payment_code", "amount", "applied", "fingerprint", "booked_at",
                "paid_at", "memo", "channel", "idempotency_key", "entry__external_id",
            )
        ),
        "postings": sorted(
            Posting.objects.values_list("entry__external_id", "account__code", "amount")
        ),
        "receipts": set(
            Receipt.objects.values_list(
                "series__code", "number", "entry__external_id", "amount", "payer_name", "issued_at"
            )
        ),
        "series": set(ReceiptSeries.objects.values_list("code", "last_number")),
        "unapplied": set(
            UnappliedMoney.objects.values_list(
                "entry__external_id", "reason", "amount", "remaining", "bill__payment_code"
            )
        ),
    }  # fmt: skip


def test_the_rows_are_those_of_booking_one_by_one(monkeypatch):
    monkeypatch.setattr(history, "CHUNK", 2)
    partner, reports = make_partner(code="bank"), every_kind_of_report()
    start = transaction.savepoint()
    for key, report, at in sorted(reports, key=lambda old: old.at):
        record_payment(partner=partner, key=key, report=report, at=at)
    one_by_one = booked()
    transaction.savepoint_rollback(start)

    assert book_history(partner=partner, history=reports) == 9

    assert booked() == one_by_one
    assert books.discrepancies() == []


def test_booking_a_history_again_changes_nothing():
    partner, reports = make_partner(code="bank"), every_kind_of_report()
    book_history(partner=partner, history=reports)
    before = booked()

    assert book_history(partner=partner, history=reports) == 0

    assert booked() == before


def test_what_was_reported_by_the_bank_itself_is_left_alone():
    partner, bill = make_partner(), make_bill(amount=100_000)
    report = make_report(bill, bank_ref="FT1")
    record_payment(partner=partner, key="by-bank", report=report, at=NOON)

    assert book_history(partner=partner, history=[OldReport("by-file", report, NOON)]) == 0

    assert Payment.objects.get().idempotency_key == "by-bank"


def test_a_history_that_repeats_itself_is_booked_once():
    partner, bill = make_partner(), make_bill(amount=100_000)
    report = make_report(bill, bank_ref="FT1")

    assert book_history(partner=partner, history=[OldReport("k", report, NOON)] * 2) == 1

    assert Receipt.objects.get().amount == 100_000


def test_forty_reports_cost_one_statement_each_at_most(
    django_assert_max_num_queries,
):
    partner = make_partner()
    reports = [
        OldReport(str(number), make_report(make_bill(biller=biller), bank_ref=str(number)), NOON)
        for biller in (make_biller(),)
        for number in range(40)
    ]

    with django_assert_max_num_queries(40):
        assert book_history(partner=partner, history=reports) == 40
