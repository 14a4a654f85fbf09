"""The same money reported many times at once: one booking, equal answers (PostgreSQL)."""

import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, transaction

from accounts.models import User
from payments import books
from payments.errors import AlreadyReversedError
from payments.models import Bill, Entry, Payment, Receipt, Reversal, UnappliedMoney
from payments.services.reversals import ReversalReport, reverse_payment
from payments.services.unapplied import apply_unapplied, return_unapplied
from tests.at_once import at_once
from tests.payments.factories import NOON, make_bill, make_biller, make_partner, pay

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.postgres,
    pytest.mark.skipif(
        "not __import__('django.db').db.connection.vendor == 'postgresql'",
        reason="row locks need PostgreSQL",
    ),
]


def test_fifty_equal_reports_at_once_are_booked_once_and_answered_alike():
    bill, partner = make_bill(), make_partner()

    bookings = at_once(*[lambda: pay(bill, partner, bank_ref="FT-X")] * 50)

    assert {booking._replace(is_replay=False) for booking in bookings} == {
        bookings[0]._replace(is_replay=False)
    }
    assert sorted(booking.is_replay for booking in bookings) == [False] + [True] * 49
    assert (Entry.objects.count(), Payment.objects.count(), Receipt.objects.count()) == (1, 1, 1)
    assert books.discrepancies() == []


def waiting_for_accounts() -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_locks"
            " WHERE relation = 'payments_account'::regclass AND NOT granted"
        )
        return cursor.fetchone()[0]


def test_the_first_payments_of_new_partners_and_billers_at_once_share_their_accounts():
    outcomes = []

    for round_number in range(10):
        biller, partner = make_biller(), make_partner(code=f"bank-{round_number}")
        bills = [make_bill(biller=biller) for _ in range(6)]
        calls = [lambda bill=bill, partner=partner: pay(bill, partner) for bill in bills]
        with ThreadPoolExecutor(1) as side:
            # All of them have seen that there is no account before the first may open it.
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("LOCK TABLE payments_account IN SHARE MODE")
                paying = side.submit(at_once, *calls)
                deadline = time.monotonic() + 20
                while waiting_for_accounts() < len(calls) and time.monotonic() < deadline:
                    pass
            outcomes += paying.result()

    assert [outcome for outcome in outcomes if isinstance(outcome, Exception)] == []
    assert Payment.objects.count() == 60
    assert books.discrepancies() == []


def test_different_payments_of_one_bill_at_once_never_pay_more_than_is_owed():
    bill, partner = make_bill(amount=100_000), make_partner()

    bookings = at_once(
        *[lambda ref=ref: pay(bill, partner, bank_ref=ref, amount=30_000) for ref in "ABCDEFGH"]
    )

    bill.refresh_from_db()
    assert (bill.status, bill.paid) == (Bill.Status.PAID, 100_000)
    assert sum(booking.applied for booking in bookings) == 100_000
    assert sum(booking.unapplied for booking in bookings) == 140_000
    assert sorted(booking.receipt_number[-6:] for booking in bookings if booking.applied) == [
        "000001", "000002", "000003", "000004",
    ]  # fmt: skip
    assert books.discrepancies() == []


def test_one_key_for_two_different_reports_at_once_books_one_of_them():
    bill, partner = make_bill(), make_partner()

    outcomes = at_once(
        *[
            lambda ref=ref: pay(bill, partner, bank_ref=ref, key="same", amount=1_000)
            for ref in "AB"
        ]
    )

    assert sorted(type(outcome).__name__ for outcome in outcomes) == [
        "Booking",
        "IdempotencyKeyReusedError",
    ]
    assert Entry.objects.count() == 1
    assert books.discrepancies() == []


def test_a_payment_taken_back_twice_at_once_is_taken_back_once():
    bill, partner = make_bill(), make_partner()
    payment_id = pay(bill, partner).payment_id
    report = ReversalReport(payment_id=payment_id, reason_code="duplicate")

    outcomes = at_once(
        *[
            lambda key=key: reverse_payment(partner=partner, key=key, report=report, at=NOON)
            for key in ("k1", "k2", "k3", "k4")
        ]
    )

    assert [type(outcome) for outcome in outcomes].count(AlreadyReversedError) == 3
    bill.refresh_from_db()
    assert (bill.status, bill.paid, Reversal.objects.count()) == (Bill.Status.OPEN, 0, 1)
    assert books.discrepancies() == []


def test_paying_and_reversing_at_once_keeps_the_books():
    bill, partner = make_bill(amount=100_000), make_partner()
    payment_id = pay(bill, partner, amount=60_000).payment_id
    report = ReversalReport(payment_id=payment_id, reason_code="bank_error")

    at_once(
        *[
            lambda: reverse_payment(partner=partner, key="r", report=report, at=NOON),
            lambda: pay(bill, partner, bank_ref="A", amount=100_000),
            lambda: pay(bill, partner, bank_ref="B", amount=100_000),
        ]
    )

    # Either both payments came after the reversal, or one of them found 40.000 đồng to pay.
    bill.refresh_from_db()
    assert bill.paid in {40_000, 100_000}
    assert Reversal.objects.count() == 1
    assert books.discrepancies() == []


REPORTER = """
import django; django.setup()
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, UTC
from payments.models import BankPartner
from payments.services.booking import PaymentReport, record_payment
at = datetime(2026, 11, 22, 5, tzinfo=UTC)
partner = BankPartner.objects.get(code=sys.argv[1])
report = PaymentReport(bank_ref="FT-P", amount=385000, paid_at=at, payment_code=sys.argv[2])
print("ready", flush=True); sys.stdin.readline()
for _ in range(10):
    booking = record_payment(partner=partner, key="FT-P", report=report, at=at)
    print(booking._replace(is_replay=False), flush=True)
"""


@pytest.mark.slow  # starts five interpreters that must load Django
def test_processes_that_report_the_same_money_at_once_book_it_once():
    bill, partner = make_bill(), make_partner()
    settings = connection.settings_dict
    environment = os.environ | {
        "DATABASE_URL": "postgres://{USER}@{HOST}:{PORT}/{NAME}".format(**settings)
    }
    children = [
        subprocess.Popen(
            [sys.executable, "-c", REPORTER, partner.code, bill.payment_code],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )
        for _ in range(5)
    ]
    for child in children:
        assert child.stdout.readline() == "ready\n"
    for child in children:
        child.stdin.write("go\n")
        child.stdin.flush()

    answers = [line for child in children for line in child.communicate(timeout=60)[0].splitlines()]

    assert len(answers) == 50
    assert len(set(answers)) == 1
    assert (Payment.objects.count(), Receipt.objects.count()) == (1, 1)
    assert books.discrepancies() == []


def test_unapplied_money_is_spent_once_by_two_officials_at_once():
    partner = make_partner()
    pay(None, partner, amount=50_000)
    money = UnappliedMoney.objects.get()
    bill = make_bill(amount=50_000)
    official = User.objects.create_user("0912000111")

    at_once(
        *[
            lambda: apply_unapplied(
                unapplied_id=money.pk, bill_id=bill.pk, form_token="a", actor=official, at=NOON
            ),
            lambda: apply_unapplied(
                unapplied_id=money.pk, bill_id=bill.pk, form_token="b", actor=official, at=NOON
            ),
            lambda: return_unapplied(
                unapplied_id=money.pk, form_token="c", reason="", actor=official, at=NOON
            ),
        ]
    )

    money.refresh_from_db()
    assert money.remaining == 0
    assert Entry.objects.exclude(kind="payment").count() == 1
    assert books.discrepancies() == []
