"""Bill files that are approved, worked on or sent at the same moment (PostgreSQL)."""

from datetime import timedelta

import pytest
from django.core.files.base import ContentFile
from django.db import OperationalError, connection

from payments.errors import ImportNotReadyError
from payments.models import Bill, BillImport, ImportProfile, Payment
from payments.services import bills, imports
from tests.at_once import at_once
from tests.payments.factories import NOON, make_biller, make_partner, pay

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.postgres,
    pytest.mark.skipif(
        "__import__('django.db').db.connection.vendor != 'postgresql'",
        reason="row locks need PostgreSQL",
    ),
]
LEASE = timedelta(minutes=10)


@pytest.fixture(autouse=True)
def _files(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path


def profiled_biller():
    biller = make_biller()
    ImportProfile.objects.create(
        biller=biller,
        reference_column="ref",
        customer_code_column="code",
        payer_name_column="name",
        amount_column="amount",
    )
    return biller


def receive(biller, *rows):
    content = "\n".join(["ref,code,name,amount", *rows]).encode()
    return imports.receive_bill_file(
        biller=biller,
        file=ContentFile(content, "f.csv"),
        file_name="f.csv",
        uploaded_by=None,
        at=NOON,
    )


def work(at=NOON):
    for bill_import in BillImport.objects.claim(limit=1, at=at, lease=LEASE):
        imports.proceed(bill_import=bill_import, at=at)


def approved(biller, *rows):
    bill_import = receive(biller, *rows)
    imports.check_bill_file(bill_import=bill_import, at=NOON)
    return imports.approve_bill_file(bill_import_id=bill_import.pk, at=NOON)


def numbered(count, amount=5_000):
    return [f"HD{number},KH{number},Hoa,{amount}" for number in range(count)]


def test_one_file_sent_twice_at_once_is_kept_once():
    biller = profiled_biller()

    imports_kept = at_once(*[lambda: receive(biller, *numbered(3))] * 4)

    assert {kept.pk for kept in imports_kept} == {BillImport.objects.get().pk}


def test_one_import_approved_twice_at_once_is_taken_over_once():
    bill_import = receive(profiled_biller(), *numbered(50))
    work()

    at_once(
        *[lambda: imports.approve_bill_file(bill_import_id=bill_import.pk, at=NOON)] * 4,
    )
    at_once(*[work] * 4)

    bill_import.refresh_from_db()
    assert (bill_import.status, bill_import.new_count) == (BillImport.Status.DONE, 50)
    assert Bill.objects.count() == 50


def test_two_workers_on_one_import_after_a_lost_lease_write_it_once():
    bill_import = approved(profiled_biller(), *numbered(50))

    at_once(*[lambda: imports.take_in(bill_import=bill_import, at=NOON)] * 2)

    bill_import.refresh_from_db()
    assert (bill_import.status, bill_import.new_count) == (BillImport.Status.DONE, 50)
    assert Bill.objects.count() == 50


def test_two_files_of_one_biller_at_once_make_each_bill_once():
    biller = profiled_biller()
    first = approved(biller, *numbered(60))
    second = approved(biller, *numbered(80))

    outcomes = at_once(
        lambda: imports.take_in(bill_import=first, at=NOON),
        lambda: imports.take_in(bill_import=second, at=NOON),
    )

    assert sum(outcome.new_count for outcome in outcomes) == 80
    assert sum(outcome.unchanged_count for outcome in outcomes) == 60
    assert Bill.objects.count() == 80


def test_a_bill_issued_while_a_file_brings_it_exists_once_and_the_file_is_taken_over():
    biller = profiled_biller()
    bill_import = approved(biller, *numbered(40))

    at_once(
        work,
        *[
            lambda n=n: bills.issue_bill(
                biller=biller,
                reference=f"HD{n}",
                customer_code=f"KH{n}",
                payer_name="Hoa",
                amount=5_000,
            )
            for n in range(4)
        ],
    )
    for minute in range(1, 4):
        work(at=NOON + timedelta(minutes=minute))

    bill_import.refresh_from_db()
    assert bill_import.status == BillImport.Status.DONE
    assert Bill.objects.count() == 40


def test_a_payment_during_an_import_is_never_overwritten():
    biller = profiled_biller()
    approved(biller, *numbered(30))
    work()
    lowered = approved(biller, *numbered(30, amount=4_000))
    partner, paid = make_partner(), list(Bill.objects.order_by("pk")[:4])

    at_once(
        lambda: imports.take_in(bill_import=lowered, at=NOON),
        *[lambda bill=bill: pay(bill, partner, amount=5_000) for bill in paid],
    )

    lowered.refresh_from_db()
    assert Payment.objects.count() == 4
    for bill in Bill.objects.filter(pk__in=[bill.pk for bill in paid]):
        assert bill.status == Bill.Status.PAID
        assert (bill.amount, bill.paid) in {(5_000, 5_000), (4_000, 4_000)}
    assert lowered.changed_count + lowered.refused_count == 30


def test_a_bill_that_a_file_changes_cannot_be_paid_before_the_file_is_taken_over():
    biller = profiled_biller()
    approved(biller, *numbered(1))
    work()
    raised = approved(biller, *numbered(1, amount=6_000))
    partner, bill = make_partner(), Bill.objects.get()
    change, outcomes = imports._change, []

    def pay_impatiently():
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '200ms'")
        return pay(bill, partner)

    def try_to_pay_before_the_change(*args, **options):
        outcomes.extend(at_once(pay_impatiently))
        change(*args, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(imports, "_change", try_to_pay_before_the_change)
        imports.take_in(bill_import=raised, at=NOON)

    assert [type(outcome) for outcome in outcomes] == [OperationalError]
    bill.refresh_from_db()
    assert (bill.amount, bill.paid, bill.status) == (6_000, 0, Bill.Status.OPEN)


def test_bills_that_a_file_does_not_change_can_be_paid_while_it_is_taken_over():
    biller = profiled_biller()
    approved(biller, *numbered(3))
    work()
    again = approved(biller, *numbered(4))
    partner, bill = make_partner(), Bill.objects.order_by("pk").first()
    finish, paid = imports.import_flow.finish, []

    def pay_before_the_end(*args, **options):
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '2s'")
        paid.extend(at_once(lambda: pay(bill, partner)))
        return finish(*args, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(imports.import_flow, "finish", pay_before_the_end)
        imports.take_in(bill_import=again, at=NOON)

    assert [booking.applied for booking in paid] == [5_000]
    assert Bill.objects.count() == 4


def test_a_file_sent_while_another_of_the_biller_is_taken_over_is_refused_in_words():
    biller = profiled_biller()
    first = approved(biller, *numbered(1))
    finish, outcomes = imports.import_flow.finish, []

    def send_impatiently():
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '50ms'")
        return receive(biller, *numbered(2))

    def send_before_the_end(*args, **options):
        outcomes.extend(at_once(send_impatiently))
        return finish(*args, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(imports.import_flow, "finish", send_before_the_end)
        imports.take_in(bill_import=first, at=NOON)

    assert [type(outcome) for outcome in outcomes] == [ImportNotReadyError]
    assert BillImport.objects.count() == 1
