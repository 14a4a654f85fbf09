"""The way of a bill file: refused whole, checked, approved, taken over, failed, sent back."""

import io
from datetime import timedelta

import pytest
from django.db import DatabaseError, IntegrityError
from django.utils import timezone, translation
from openpyxl import Workbook, load_workbook

from common import import_flow
from common.import_flow import FileTooLargeError
from payments import tasks
from payments.errors import ImportNotReadyError
from payments.models import Bill, BillImport
from payments.services import imports
from tests.payments.bill_files import (
    HEADINGS,
    HOA,
    MAI,
    checked,
    counts,
    lines,
    make_profile,
    receive,
    taken_in,
    work,
)
from tests.payments.factories import NOON, make_bill, make_biller, make_partner, pay

pytestmark = pytest.mark.django_db
Status = BillImport.Status


@pytest.fixture(autouse=True)
def _files_and_words(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    with translation.override("en"):
        yield


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (lines(headings=HEADINGS), "no rows below"),
        (lines("A;B;5", headings="Số hoá đơn;Mã KH;Tiền"), "“Mã khách hàng”, “Tên khách hàng”"),
        (lines(HOA) + b"\nHD2;PD2;Ph\xb9m;5;;;", "not in Unicode"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "neither a CSV nor an Excel"),
    ],
    ids=["no rows", "missing columns", "old encoding", "picture"],
)
def test_a_file_that_is_no_bill_file_fails_with_one_clear_sentence(content, words):
    bill_import = receive(make_profile().biller, content)

    work()

    bill_import.refresh_from_db()
    assert bill_import.status == Status.FAILED
    assert words in bill_import.error
    assert bill_import.finished_at == NOON
    with pytest.raises(ImportNotReadyError):
        imports.approve_bill_file(bill_import_id=bill_import.pk, at=NOON)


def test_a_file_that_is_too_large_or_has_no_profile_is_not_taken_at_all(settings):
    settings.IMPORT_FILE_MAX_BYTES = 10

    with pytest.raises(FileTooLargeError):
        receive(make_profile().biller, lines(HOA))
    with pytest.raises(ImportNotReadyError):
        receive(make_biller(), b"x")
    assert not BillImport.objects.exists()


def test_a_pattern_that_could_hang_the_worker_fails_the_file():
    biller = make_profile(biller=make_biller(customer_code_pattern="(P+)+D")).biller

    bill_import = checked(biller, HOA)

    assert bill_import.status == Status.FAILED
    assert "pattern" in bill_import.error


def test_a_file_is_approved_only_after_its_check_and_twice_is_as_good_as_once():
    bill_import = receive(make_profile().biller, lines(HOA))
    with pytest.raises(ImportNotReadyError):
        imports.approve_bill_file(bill_import_id=bill_import.pk, at=NOON)
    work()

    for _ in range(2):
        imports.approve_bill_file(bill_import_id=bill_import.pk, at=NOON)
    work()
    done = imports.approve_bill_file(bill_import_id=bill_import.pk, at=NOON)
    work()

    assert done.status == Status.DONE
    assert Bill.objects.count() == 1


def test_what_changed_between_check_and_taking_over_is_counted_anew():
    biller = make_profile().biller
    bill_import = checked(biller, HOA, MAI)
    make_bill(biller=biller, reference="HD1", amount=385_000, period="11/2026")

    imports.approve_bill_file(bill_import_id=bill_import.pk, at=NOON)
    work()

    bill_import.refresh_from_db()
    assert counts(bill_import) == (1, 0, 1, 0)


def test_a_payment_between_reading_and_writing_is_respected(monkeypatch):
    biller = make_profile().biller
    taken_in(biller, HOA)
    bill_import = checked(biller, HOA.replace("385", "384"))
    imports.approve_bill_file(bill_import_id=bill_import.pk, at=NOON)
    known_rows, partner = imports.known_rows, make_partner()

    def read_and_then_be_paid(*args):
        known = known_rows(*args)
        pay(Bill.objects.get(), partner)
        return known

    monkeypatch.setattr(imports, "known_rows", read_and_then_be_paid)
    work()

    bill_import.refresh_from_db()
    bill = Bill.objects.get()
    assert counts(bill_import) == (0, 0, 0, 1)
    assert (bill.amount, bill.paid, bill.status) == (385_000, 385_000, Bill.Status.PAID)


def test_more_new_bills_than_the_check_saw_get_codes_too():
    biller = make_profile().biller
    bill_import = checked(biller, HOA, MAI)
    BillImport.objects.update(new_count=0)

    imports.approve_bill_file(bill_import_id=bill_import.pk, at=NOON)
    work()

    assert Bill.objects.values("payment_code").distinct().count() == 2


def test_a_failure_in_the_middle_leaves_nothing_and_is_tried_again(monkeypatch):
    monkeypatch.setattr(import_flow, "CHUNK", 1)
    monkeypatch.setattr(import_flow.chunks, "__defaults__", (1,))
    bill_import = checked(make_profile().biller, HOA, MAI)
    imports.approve_bill_file(bill_import_id=bill_import.pk, at=NOON)
    create, calls = imports._create, []

    def fail_at_the_second_chunk(verdicts, biller, codes):
        calls.append(verdicts)
        if len(calls) == 2:
            raise IntegrityError
        create(verdicts, biller, codes)

    monkeypatch.setattr(imports, "_create", fail_at_the_second_chunk)
    work()
    bill_import.refresh_from_db()
    after_failure = (Bill.objects.count(), bill_import.status, bill_import.claimed_until)
    work(at=NOON + timedelta(minutes=1))
    bill_import.refresh_from_db()

    assert after_failure == (0, Status.APPLYING, None)
    assert (Bill.objects.count(), bill_import.status) == (2, Status.DONE)


def test_a_dead_workers_file_comes_back_after_its_lease():
    bill_import = receive(make_profile().biller, lines(HOA))
    list(BillImport.objects.claim(limit=1, at=NOON, lease=timedelta(minutes=10)))

    work(at=NOON + timedelta(minutes=9))
    bill_import.refresh_from_db()
    still_held = bill_import.status
    work(at=NOON + timedelta(minutes=11))
    bill_import.refresh_from_db()

    assert (still_held, bill_import.status) == (Status.CHECKING, Status.CHECKED)


def test_a_file_that_kills_its_workers_is_given_up():
    bill_import = receive(make_profile().biller, lines(HOA))
    BillImport.objects.update(attempts=import_flow.ATTEMPTS)

    work()

    bill_import.refresh_from_db()
    assert bill_import.status == Status.FAILED
    assert bill_import.error == "This file was given up after several tries. Nothing was changed."


def test_a_slow_check_does_not_undo_what_happened_since():
    bill_import = receive(make_profile().biller, lines(HOA))
    slow = BillImport.objects.get(pk=bill_import.pk)
    work()
    imports.approve_bill_file(bill_import_id=bill_import.pk, at=NOON)

    imports.check_bill_file(bill_import=slow, at=NOON)

    assert BillImport.objects.get().status == Status.APPLYING


def test_the_task_takes_the_files_that_wait(django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks():
        bill_import = receive(make_profile().biller, lines(HOA))
    BillImport.objects.update(due_at=timezone.now())

    tasks.take_in_bill_files()
    tasks.take_in_bill_files()

    bill_import.refresh_from_db()
    assert (bill_import.status, bill_import.attempts) == (Status.CHECKED, 1)


def test_progress_can_be_read_from_the_import(monkeypatch):
    bill_import = checked(make_profile().biller, HOA, MAI)

    assert bill_import.progress == (2, 2)
    assert bill_import.progress.percent == 100
    assert not bill_import.is_under_way


def test_the_number_of_queries_does_not_grow_with_the_rows(django_assert_max_num_queries):
    biller = make_profile().biller
    two = receive(biller, lines(HOA, MAI))
    many = receive(biller, lines(*(f"X{n};PD{n};Tên;5000;;;" for n in range(900))))

    with django_assert_max_num_queries(12) as first:
        imports.check_bill_file(bill_import=two, at=NOON)
    with django_assert_max_num_queries(len(first)):
        imports.check_bill_file(bill_import=many, at=NOON)


def test_only_so_many_problems_are_stored_but_all_are_counted(monkeypatch):
    monkeypatch.setattr(import_flow, "STORED_PROBLEMS", 2)

    bill_import = checked(make_profile().biller, *(f"HD{n};P;T;0;;;" for n in range(5)))

    assert (bill_import.refused_count, bill_import.problems.count()) == (5, 2)


def test_refused_rows_come_back_as_a_file_that_can_be_mended_and_sent_again():
    biller = make_profile(header_row=2).biller
    content = ("TIỀN ĐIỆN\n" + HEADINGS + f"\n{HOA}\nHD2;PD2;=HYPERLINK(1);0;;;\n").encode()
    bill_import = receive(biller, content)
    work()
    bill_import.refresh_from_db()
    out = io.BytesIO()

    imports.write_problem_file(bill_import, into=out)

    assert out.getvalue().decode("utf-8-sig").splitlines() == [
        "TIỀN ĐIỆN",
        HEADINGS.replace(";", ",") + ",Problem",
        "HD2,PD2,'=HYPERLINK(1),0,,,,The amount is 0.",
    ]
    mended = receive(biller, out.getvalue().replace(b",0,", b",5000,"))
    work()
    mended.refresh_from_db()
    assert counts(mended) == (1, 0, 0, 0)


def test_refused_rows_of_an_excel_file_come_back_as_excel_with_numbers_and_no_formulas():
    biller = make_profile().biller
    book = Workbook()
    book.active.append(HEADINGS.split(";"))
    book.active.append(["HD1", "PD1", "+Hoa", 385.123, None, None, None])
    content = io.BytesIO()
    book.save(content)
    bill_import = receive(biller, content.getvalue(), "tien-dien.XLSX")
    work()
    bill_import.refresh_from_db()
    out = io.BytesIO()

    imports.write_problem_file(bill_import, into=out)

    row = [cell.value for cell in load_workbook(out).active[2]]
    assert row[2:4] == ["'+Hoa", 385.123]
    assert row[7] == "The amount is not in whole đồng."


def test_a_database_that_is_busy_gives_the_file_up_only_after_several_tries(monkeypatch):
    bill_import = receive(make_profile().biller, lines(HOA))

    def busy(**_):
        raise DatabaseError

    monkeypatch.setattr(imports, "check_bill_file", busy)
    for hour in range(import_flow.ATTEMPTS + 1):
        work(at=NOON + timedelta(hours=hour))

    bill_import.refresh_from_db()
    assert (bill_import.status, bill_import.attempts) == (Status.FAILED, import_flow.ATTEMPTS + 1)
