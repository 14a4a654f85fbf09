"""Bills, payments, repeats, reversals, cancellations and officials' work, in any order."""

from datetime import timedelta

import pytest
from django.db import transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)

from accounts.models import User
from common.errors import DomainError
from payments import books
from payments.models import Bill, Payment, Posting, UnappliedMoney
from payments.services.bills import cancel_bill, restate_bill
from payments.services.booking import record_payment
from payments.services.reversals import ReversalReport, reverse_payment
from payments.services.unapplied import apply_unapplied, return_unapplied
from tests.payments.factories import NOON, make_bill, make_biller, make_partner, make_report

AMOUNTS = st.integers(1, 300_000)


class Money(RuleBasedStateMachine):
    """What happens to money; a model of three sums is kept beside the ledger."""

    bills = Bundle("bills")
    paid = Bundle("paid")

    @initialize()
    def begin(self):
        # Each history is a transaction of its own that is rolled back in the end.
        self.history = transaction.atomic()
        self.history.__enter__()
        self.partners = [make_partner(), make_partner()]
        self.biller = make_biller()
        self.official = User.objects.create_user(f"+8491{Payment.objects.count() + 1:07d}")
        self.at = NOON
        self.moved = 0
        self.tokens = 0

    def teardown(self):
        if hasattr(self, "history"):
            transaction.set_rollback(True)
            self.history.__exit__(None, None, None)

    @rule(target=bills, amount=AMOUNTS)
    def issue(self, amount):
        return make_bill(biller=self.biller, amount=amount).pk

    @rule(target=paid, bill=bills, amount=AMOUNTS, bank=st.integers(0, 1))
    def pay_something(self, bill, amount, bank):
        return self._book(make_report(Bill.objects.get(pk=bill), amount=amount), bank)

    @rule(target=paid, bill=bills, bank=st.integers(0, 1))
    def pay_what_is_owed(self, bill, bank):
        row = Bill.objects.get(pk=bill)
        if not row.balance:
            return multiple()
        return self._book(make_report(row, amount=row.balance), bank)

    @rule(target=paid, amount=AMOUNTS)
    def pay_without_a_code(self, amount):
        return self._book(make_report(amount=amount, memo="tien an"), 0)

    def _book(self, report, bank):
        partner = self.partners[bank]
        booking = record_payment(partner=partner, key=report.bank_ref, report=report, at=self.at)
        assert booking.applied + booking.unapplied == report.amount
        self.moved += report.amount
        return partner, report, booking

    @rule(known=paid, key=st.sampled_from(["same", "new"]))
    def repeat(self, known, key):
        partner, report, booking = known
        again = record_payment(
            partner=partner,
            key=report.bank_ref if key == "same" else f"{report.bank_ref}-again",
            report=report,
            at=self.at + timedelta(minutes=5),
        )
        assert again == booking._replace(is_replay=True)

    @rule(known=paid)
    def reverse(self, known):
        partner, _, booking = known
        report = ReversalReport(booking.payment_id, "bank_error")
        try:
            result = reverse_payment(
                partner=partner, key=f"r-{booking.bank_ref}", report=report, at=self.at
            )
        except DomainError:
            return
        if not result.is_replay:
            self.moved -= booking.amount

    @rule(bill=bills)
    def cancel(self, bill):
        had_money = Bill.objects.get(pk=bill).paid > 0
        try:
            cancel_bill(bill_id=bill, reason="sai")
        except DomainError:
            assert had_money
        else:
            assert not had_money

    @rule(bill=bills, amount=AMOUNTS)
    def restate(self, bill, amount):
        try:
            restate_bill(bill_id=bill, amount=amount, at=self.at)
        except DomainError:
            return

    @rule(bill=bills)
    def apply(self, bill):
        money = UnappliedMoney.objects.filter(remaining__gt=0).order_by("pk").first()
        if money is None:
            return
        self.tokens += 1
        try:
            apply_unapplied(
                unapplied_id=money.pk,
                bill_id=bill,
                form_token=f"{id(self)}-{self.tokens}",
                actor=self.official,
                at=self.at,
            )
        except DomainError:
            return

    @rule()
    def send_back(self):
        money = UnappliedMoney.objects.filter(remaining__gt=0).order_by("-pk").first()
        if money is None:
            return
        self.tokens += 1
        return_unapplied(
            unapplied_id=money.pk,
            form_token=f"{id(self)}-{self.tokens}",
            reason="",
            actor=self.official,
            at=self.at,
        )
        self.moved -= money.remaining

    @rule()
    def a_day_goes_by(self):
        self.at += timedelta(days=1)

    @invariant()
    def the_books_are_right(self):
        assert books.discrepancies() == []

    @invariant()
    def the_banks_hold_what_moved(self):
        held = sum(Posting.objects.filter(account__kind="bank").values_list("amount", flat=True))
        assert held == self.moved


@pytest.mark.django_db
@pytest.mark.slow  # ten histories of some thirty steps each
def test_no_order_of_events_makes_the_books_wrong():
    run_state_machine_as_test(
        Money,
        settings=settings(
            max_examples=10,
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
