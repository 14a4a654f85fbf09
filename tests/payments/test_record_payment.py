"""Booking a bank's report: every way money can arrive has one defined end."""

from datetime import UTC, datetime

import pytest
from django.db import connection

from accounts.models import User
from payments import books
from payments.errors import IdempotencyKeyReusedError
from payments.models import (
    Bill,
    Entry,
    Payment,
    Posting,
    Receipt,
    ReceiptSeries,
    UnappliedMoney,
)
from payments.payment_code import new_code
from payments.services.bills import cancel_bill
from payments.services.booking import NOBODY, _book_in_python
from payments.services.unapplied import apply_unapplied
from tests.payments.factories import NOON, make_bill, make_partner, make_report, pay

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _books_are_right():
    yield
    # One test begins a series in its middle, to see large numbers: that gap is its own.
    assert [line for line in books.discrepancies() if "highest 1234567" not in line] == []


def test_the_exact_amount_pays_the_bill_and_issues_receipt_number_one():
    bill, partner = make_bill(), make_partner()

    booking = pay(bill, partner)

    bill.refresh_from_db()
    assert (bill.status, bill.paid, bill.settled_at) == (Bill.Status.PAID, 385_000, NOON)
    assert booking.receipt_number == f"2026-{bill.biller.code}-000001"
    assert (booking.applied, booking.unapplied, booking.unapplied_reason) == (385_000, 0, "")
    assert list(Posting.objects.order_by("amount").values_list("amount", "account__code")) == [
        (-385_000, f"biller:{bill.biller.code}"),
        (385_000, f"bank:{partner.code}"),
    ]


def test_a_repeated_report_gets_the_first_booking_and_changes_nothing():
    bill, partner = make_bill(), make_partner()
    first = pay(bill, partner, bank_ref="FT-X")

    again = pay(bill, partner, bank_ref="FT-X")

    assert again == first._replace(is_replay=True)
    assert (Entry.objects.count(), Payment.objects.count(), Receipt.objects.count()) == (1, 1, 1)


def test_the_same_bank_reference_under_a_new_key_is_the_same_money():
    bill, partner = make_bill(), make_partner()
    first = pay(bill, partner, bank_ref="FT-X", key="k-1")

    again = pay(bill, partner, bank_ref="FT-X", key="k-2")

    assert again == first._replace(is_replay=True)


@pytest.mark.parametrize("change", [{"amount": 1}, {"memo": "khac"}, {"channel": "atm"}])
def test_a_key_that_stands_for_another_report_is_refused_and_leaves_no_trace(change):
    bill, partner = make_bill(), make_partner()
    pay(bill, partner, bank_ref="FT-X", key="k-1")

    with pytest.raises(IdempotencyKeyReusedError):
        pay(bill, partner, key="k-1", **{"bank_ref": "FT-X"} | change)

    assert Entry.objects.count() == 1


def test_two_banks_may_use_the_same_reference_and_key():
    bill = make_bill(amount=100_000)

    first = pay(bill, make_partner(), bank_ref="1", amount=40_000)
    second = pay(bill, make_partner(), bank_ref="1", amount=60_000)

    bill.refresh_from_db()
    assert (bill.status, bill.paid) == (Bill.Status.PAID, 100_000)
    assert (first.is_replay, second.is_replay) == (False, False)


def test_too_little_leaves_the_bill_partly_paid():
    bill = make_bill()

    booking = pay(bill, make_partner(), amount=85_000)

    bill.refresh_from_db()
    assert (bill.status, bill.paid, bill.balance) == (Bill.Status.PART_PAID, 85_000, 300_000)
    assert (booking.applied, booking.unapplied) == (85_000, 0)


def test_too_much_pays_the_bill_and_parks_the_rest():
    bill = make_bill()

    booking = pay(bill, make_partner(), amount=400_000)

    bill.refresh_from_db()
    assert (bill.status, bill.paid) == (Bill.Status.PAID, 385_000)
    assert (booking.applied, booking.unapplied, booking.unapplied_reason) == (
        385_000,
        15_000,
        "excess",
    )
    assert UnappliedMoney.objects.get().remaining == 15_000


@pytest.mark.parametrize(
    ("prepare", "reason"),
    [
        (lambda bill, partner: cancel_bill(bill_id=bill.pk, reason="sai"), "bill_cancelled"),
        (pay, "already_paid"),
    ],
    ids=["cancelled", "paid"],
)
def test_money_for_a_bill_that_takes_none_is_booked_as_unapplied(prepare, reason):
    bill, partner = make_bill(), make_partner()
    prepare(bill, partner)

    booking = pay(bill, partner)

    assert (booking.applied, booking.unapplied, booking.unapplied_reason) == (0, 385_000, reason)
    assert booking.receipt_number == ""
    assert booking.payment_code == bill.payment_code


def test_money_without_a_code_and_with_an_unknown_code_is_booked_as_unapplied():
    bill, partner = make_bill(), make_partner()
    nothing = pay(None, partner, memo="chuyen tien an cuoi")
    unknown = pay(None, partner, payment_code=new_code(999_999))

    assert (nothing.unapplied_reason, unknown.unapplied_reason) == ("no_code", "unknown_bill")
    bill.refresh_from_db()
    assert bill.paid == 0


def test_the_code_is_found_in_a_memo_that_the_bank_has_garbled():
    bill = make_bill()
    code = bill.payment_code

    booking = pay(
        bill, make_partner(), payment_code="", memo=f"MBVCB.881.{code.lower()} GD 0912 CT TU 0351"
    )

    assert booking.payment_code == code
    bill.refresh_from_db()
    assert bill.status == Bill.Status.PAID


def test_receipts_of_one_biller_are_numbered_without_gaps_by_local_year():
    bill = make_bill(amount=100)
    partner = make_partner()
    new_year = datetime(2026, 12, 31, 17, 0, tzinfo=UTC)  # midnight in Viet Nam

    before = pay(bill, partner, amount=30, at=datetime(2026, 12, 31, 16, 59, 59, tzinfo=UTC))
    after = pay(bill, partner, amount=30, at=new_year)
    later = pay(bill, partner, amount=40, at=new_year)

    code = bill.biller.code
    assert [booking.receipt_number for booking in (before, after, later)] == [
        f"2026-{code}-000001",
        f"2027-{code}-000001",
        f"2027-{code}-000002",
    ]


def test_the_largest_amount_is_booked_to_the_dong():
    booking = pay(make_bill(amount=499_999_999), make_partner(), amount=999_999_999_999)

    assert (booking.applied, booking.unapplied) == (499_999_999, 999_500_000_000)


def test_python_and_the_database_book_alike():
    if connection.vendor != "postgresql":
        pytest.skip("payments_book exists on PostgreSQL only")
    partner = make_partner()
    for amount in (100, 385_000, 500_000):
        by_function = make_bill()
        by_python = make_bill()

        one = pay(by_function, partner, amount=amount)
        report = make_report(by_python, amount=amount)
        two = _book_in_python(
            partner=partner, key=report.bank_ref, report=report, at=NOON, caller=NOBODY
        )

        by_function.refresh_from_db()
        by_python.refresh_from_db()
        assert (one.applied, one.unapplied, one.unapplied_reason) == (
            two.applied,
            two.unapplied,
            two.unapplied_reason,
        )
        assert (by_function.status, by_function.paid) == (by_python.status, by_python.paid)


def test_the_answer_to_a_repeat_stays_the_first_after_the_excess_was_used():
    bill, partner = make_bill(), make_partner()
    first = pay(bill, partner, amount=400_000, bank_ref="FT-X")
    official = User.objects.create_user("0912000111", full_name="Trần Văn An")
    apply_unapplied(
        unapplied_id=UnappliedMoney.objects.get().pk,
        bill_id=make_bill(biller=bill.biller).pk,
        form_token="t1",
        actor=official,
        at=NOON,
    )

    again = pay(bill, partner, amount=400_000, bank_ref="FT-X")

    assert again == first._replace(is_replay=True)


def test_receipts_beyond_a_million_keep_all_their_digits():
    bill, partner = make_bill(), make_partner()
    ReceiptSeries.objects.create(code=f"2026-{bill.biller.code}", last_number=1_234_566)

    first = pay(bill, partner, bank_ref="FT-X")
    again = pay(bill, partner, bank_ref="FT-X")

    assert first.receipt_number == f"2026-{bill.biller.code}-1234567"
    assert again.receipt_number == first.receipt_number
    assert str(Receipt.objects.get()) == first.receipt_number
