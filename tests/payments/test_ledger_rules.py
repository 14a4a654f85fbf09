"""The ledger's rules where they are held: in PostgreSQL itself, and in code everywhere."""

import pytest
from django.db import IntegrityError, connection, transaction

from common.append_only import AppendOnlyError
from payments.errors import BillHasMoneyError, BillNotPayableError
from payments.models import Account, Bill, Entry, Payment, Posting, Receipt, Reversal
from payments.services.bills import cancel_bill, restate_bill
from payments.services.reversals import ReversalReport, reverse_payment
from tests.payments.factories import NOON, make_bill, make_partner, pay

pytestmark = pytest.mark.django_db

needs_triggers = pytest.mark.skipif(
    "__import__('django.db').db.connection.vendor != 'postgresql'",
    reason="the rules are triggers of PostgreSQL",
)


@pytest.fixture
def paid_bill():
    bill = make_bill()
    pay(bill, make_partner())
    return bill


@pytest.mark.parametrize("model", [Entry, Posting, Payment, Receipt], ids=lambda m: m.__name__)
def test_code_cannot_change_or_delete_what_was_booked(paid_bill, model):
    row = model.objects.first()

    with pytest.raises(AppendOnlyError):
        row.save()
    with pytest.raises(AppendOnlyError):
        row.delete()
    with pytest.raises(AppendOnlyError):
        model.objects.update(pk=5)
    with pytest.raises(AppendOnlyError):
        model.objects.all().delete()


@needs_triggers
@pytest.mark.parametrize(
    "model", [Entry, Posting, Payment, Receipt, Reversal], ids=lambda m: m.__name__
)
@pytest.mark.parametrize(
    "statement", ["UPDATE {} SET id = id", "DELETE FROM {}", "TRUNCATE {} CASCADE"]
)
def test_the_database_refuses_to_change_what_was_booked(paid_bill, model, statement):
    if model is Reversal:
        payment = Payment.objects.get()
        reverse_payment(
            partner=payment.partner,
            key="r",
            report=ReversalReport(str(payment.pk), "duplicate"),
            at=NOON,
        )

    with (
        pytest.raises(IntegrityError, match="append-only"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(statement.format(model._meta.db_table))


@needs_triggers
@pytest.mark.parametrize("amounts", [[], [100], [100, -99], [100, -50, -49]])
def test_the_database_refuses_an_entry_that_does_not_balance(amounts):
    pot = Account.objects.create(code="unapplied", kind="unapplied")

    with pytest.raises(IntegrityError, match="does not balance"), transaction.atomic():
        entry = Entry.objects.create(
            kind="payment", source="test", external_id="1", occurred_at=NOON, booked_at=NOON
        )
        for amount in amounts:
            Posting.objects.create(entry=entry, account=pot, amount=amount)
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


@needs_triggers
def test_the_database_refuses_another_leg_on_an_old_entry(paid_bill):
    entry = Entry.objects.get()
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")

    with pytest.raises(IntegrityError, match="does not balance"), transaction.atomic():
        Posting.objects.create(entry=entry, account=Account.objects.first(), amount=5)


@pytest.mark.parametrize(
    "change",
    [
        {"paid": 385_001},
        {"amount": 0},
        {"amount": 500_000_000},
        {"status": "paid"},
        {"status": "part_paid"},
        {"status": "open", "paid": 5},
        {"status": "cancelled", "paid": 5},
        {"settled_at": NOON},
    ],
    ids=str,
)
def test_the_database_refuses_a_bill_that_contradicts_itself(change):
    bill = make_bill()

    with pytest.raises(IntegrityError), transaction.atomic():
        Bill.objects.filter(pk=bill.pk).update(**change)


def test_an_entry_is_reversed_at_most_once(paid_bill):
    entry = Entry.objects.get()
    fields = {
        "kind": "reversal",
        "source": "t",
        "occurred_at": NOON,
        "booked_at": NOON,
        "reverses": entry,
    }
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL DEFERRED")
    first = Entry(external_id="1", **fields)

    with pytest.raises(IntegrityError), transaction.atomic():
        first.save()
        Entry.objects.create(external_id="2", **fields)


def test_a_bill_with_money_on_it_is_neither_cancelled_nor_lowered_below_it():
    bill = make_bill(amount=100_000)
    pay(bill, make_partner(), amount=40_000)

    with pytest.raises(BillHasMoneyError):
        cancel_bill(bill_id=bill.pk, reason="sai")
    with pytest.raises(BillHasMoneyError):
        restate_bill(bill_id=bill.pk, amount=39_999, at=NOON)

    bill.refresh_from_db()
    assert (bill.status, bill.amount) == (Bill.Status.PART_PAID, 100_000)
    assert restate_bill(bill_id=bill.pk, amount=40_000, at=NOON).status == Bill.Status.PAID
    assert restate_bill(bill_id=bill.pk, amount=50_000, at=NOON).status == Bill.Status.PART_PAID


def test_a_cancelled_bill_stays_cancelled():
    bill = make_bill()
    cancel_bill(bill_id=bill.pk, reason="sai")
    cancel_bill(bill_id=bill.pk, reason="lại")

    with pytest.raises(BillNotPayableError):
        restate_bill(bill_id=bill.pk, amount=5, at=NOON)

    bill.refresh_from_db()
    assert (bill.status, bill.cancel_reason) == (Bill.Status.CANCELLED, "sai")
