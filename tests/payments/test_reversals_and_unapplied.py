"""Money that fits no bill is looked after; money that a bank takes back leaves no trace."""

from datetime import timedelta

import pytest

from accounts.models import User
from payments import books
from payments.errors import (
    AlreadyReversedError,
    BillNotPayableError,
    IdempotencyKeyReusedError,
    MoneyReturnedError,
    NothingLeftError,
    PaymentNotFoundError,
    ReversalWindowClosedError,
)
from payments.models import Bill, Entry, Receipt, UnappliedMoney
from payments.services.bills import cancel_bill
from payments.services.reversals import ReversalReport, reverse_payment
from payments.services.unapplied import apply_unapplied, return_unapplied
from tests.payments.factories import NOON, make_bill, make_partner, pay

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _books_are_right(db):
    yield
    assert books.discrepancies() == []


@pytest.fixture
def official(db):
    return User.objects.create_user("0912000111", full_name="Trần Văn An")


def take_back(booking, partner, *, key="r1", at=NOON, reason="duplicate"):
    report = ReversalReport(booking.payment_id, reason)
    return reverse_payment(partner=partner, key=key, report=report, at=at)


def test_excess_is_applied_to_another_bill_with_a_receipt_of_its_own(official):
    partner, first, second = make_partner(), make_bill(), make_bill(amount=10_000)
    pay(first, partner, amount=400_000)
    money = UnappliedMoney.objects.get()

    entry = apply_unapplied(
        unapplied_id=money.pk, bill_id=second.pk, form_token="t", actor=official, at=NOON
    )

    second.refresh_from_db()
    money.refresh_from_db()
    assert (second.status, money.remaining, entry.actor) == (Bill.Status.PAID, 5_000, official)
    assert entry.receipt.amount == 10_000


def test_a_double_click_applies_and_returns_once(official):
    partner, bill = make_partner(), make_bill(amount=10_000)
    pay(None, partner, amount=30_000)
    money = UnappliedMoney.objects.get()
    click = {"unapplied_id": money.pk, "actor": official, "at": NOON}

    applied = [apply_unapplied(bill_id=bill.pk, form_token="a", **click) for _ in range(2)]
    returned = [return_unapplied(reason="sai", form_token="b", **click) for _ in range(2)]

    assert applied[0] == applied[1]
    assert returned[0] == returned[1]
    money.refresh_from_db()
    assert (money.remaining, Entry.objects.count()) == (0, 3)


def test_what_is_used_up_and_what_takes_nothing_is_refused(official):
    partner, bill, cancelled = make_partner(), make_bill(), make_bill()
    cancel_bill(bill_id=cancelled.pk, reason="sai")
    pay(None, partner, amount=30_000)
    money = UnappliedMoney.objects.get()
    click = {"unapplied_id": money.pk, "actor": official, "at": NOON}

    with pytest.raises(BillNotPayableError):
        apply_unapplied(bill_id=cancelled.pk, form_token="a", **click)
    return_unapplied(reason="sai", form_token="b", **click)
    with pytest.raises(NothingLeftError):
        apply_unapplied(bill_id=bill.pk, form_token="c", **click)
    with pytest.raises(NothingLeftError):
        return_unapplied(reason="sai", form_token="d", **click)

    assert Entry.objects.count() == 2


def test_a_reversal_takes_back_what_officials_have_since_applied(official):
    partner, first, second = make_partner(), make_bill(), make_bill(amount=10_000)
    booking = pay(first, partner, amount=400_000)
    money = UnappliedMoney.objects.get()
    apply_unapplied(
        unapplied_id=money.pk, bill_id=second.pk, form_token="t", actor=official, at=NOON
    )

    take_back(booking, partner)

    first.refresh_from_db()
    second.refresh_from_db()
    money.refresh_from_db()
    assert [first.status, first.paid, second.status, second.paid] == ["open", 0, "open", 0]
    assert money.remaining == 0
    assert Receipt.objects.filter(entry__reversed_by__isnull=False).count() == 2


def test_money_that_was_returned_cannot_be_taken_back(official):
    partner, bill = make_partner(), make_bill()
    booking = pay(bill, partner, amount=400_000)
    money = UnappliedMoney.objects.get()
    return_unapplied(unapplied_id=money.pk, reason="", form_token="t", actor=official, at=NOON)

    with pytest.raises(MoneyReturnedError):
        take_back(booking, partner)

    bill.refresh_from_db()
    assert bill.status == Bill.Status.PAID


def test_a_payment_is_taken_back_on_its_local_day_only():
    partner, bill = make_partner(), make_bill()
    last_minute = NOON + timedelta(hours=11, minutes=59)  # 23:59 in Viet Nam
    booking = pay(bill, partner)

    with pytest.raises(ReversalWindowClosedError):
        take_back(booking, partner, at=last_minute + timedelta(minutes=1))
    assert take_back(booking, partner, at=last_minute).is_replay is False


def test_a_bill_paid_again_after_a_reversal_is_paid():
    partner, bill = make_partner(), make_bill()
    take_back(pay(bill, partner), partner)

    again = pay(bill, partner)

    bill.refresh_from_db()
    assert (bill.status, again.receipt_number[-6:]) == (Bill.Status.PAID, "000002")


def test_repeats_of_a_reversal_get_the_first_and_strangers_nothing():
    partner, other, bill, second = make_partner(), make_partner(), make_bill(), make_bill()
    booking, another = pay(bill, partner), pay(second, partner)
    first = take_back(booking, partner)

    again = take_back(booking, partner)

    assert (again.reversal, again.is_replay) == (first.reversal, True)
    with pytest.raises(AlreadyReversedError):
        take_back(booking, partner, key="r2")
    with pytest.raises(IdempotencyKeyReusedError):
        take_back(booking, partner, reason="fraud")
    with pytest.raises(IdempotencyKeyReusedError):
        take_back(another, partner, key="r1")
    with pytest.raises(PaymentNotFoundError):
        take_back(another, other)


def test_the_books_name_whatever_does_not_add_up():
    bill = make_bill()
    pay(bill, make_partner(), amount=85_000)
    Bill.objects.filter(pk=bill.pk).update(paid=85_001)

    found = books.discrepancies()

    Bill.objects.filter(pk=bill.pk).update(paid=85_000)
    assert found == [f"bill {bill.payment_code} says 85001 paid, its postings 85000"]
