"""A biller's file: what each row means, and what is there once it was taken over."""

import io
from datetime import date

import pytest
from django.utils import translation
from openpyxl import Workbook

from payments import payment_code
from payments.models import Bill, BillImport, CustomerLink
from payments.services import bills, imports
from tests.payments.bill_files import (
    HEADINGS,
    HOA,
    MAI,
    checked,
    counts,
    lines,
    make_profile,
    receive,
    sentences,
    taken_in,
    work,
)
from tests.payments.factories import NOON, make_biller, make_household, make_partner, pay

pytestmark = pytest.mark.django_db
Status = BillImport.Status


@pytest.fixture(autouse=True)
def _files_and_words(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    with translation.override("en"):
        yield


def test_a_dry_run_counts_what_would_happen_and_writes_no_bill():
    biller = make_profile().biller
    taken_in(biller, HOA, MAI)

    bill_import = checked(
        biller, HOA, MAI.replace("128.500", "130.000"), "HD3;PD3;Tư;9.000;;;", "HD4;PD4;Ba;0;;;"
    )

    assert bill_import.status == Status.CHECKED
    assert (bill_import.row_count, counts(bill_import)) == (4, (1, 1, 1, 1))
    assert sentences(bill_import) == [(5, "The amount is 0.")]
    assert sorted(Bill.objects.values_list("reference", "amount")) == [
        ("HD1", 385_000),
        ("HD2", 128_500),
    ]


def test_an_approved_file_becomes_bills_with_payment_codes():
    biller = make_profile().biller

    bill_import = taken_in(biller, HOA, MAI)

    assert (bill_import.status, counts(bill_import)) == (Status.DONE, (2, 0, 0, 0))
    hoa, mai = Bill.objects.order_by("reference")
    assert (hoa.reference, hoa.customer_code, hoa.payer_name) == ("HD1", "PD0001", "Lê Thị Hoa")
    assert (hoa.amount, hoa.due_date, hoa.period) == (385_000, date(2026, 11, 30), "11/2026")
    assert (hoa.biller, hoa.household, hoa.paid, hoa.status) == (biller, None, 0, Bill.Status.OPEN)
    assert payment_code.is_valid(hoa.payment_code)
    assert hoa.payment_code != mai.payment_code


def test_an_excel_file_is_taken_in_as_well():
    biller = make_profile(header_row=3).biller
    book = Workbook()
    for line in (
        ["BẢNG KÊ TIỀN ĐIỆN"],
        [],
        HEADINGS.split(";"),
        [
            "HD1",
            "PD0001",
            "Lê Thị Hoa",
            385000.0,
            NOON.replace(tzinfo=None),
            date(2026, 11, 1),
            None,
        ],
    ):
        book.active.append(line)
    content = io.BytesIO()
    book.save(content)

    bill_import = receive(biller, content.getvalue(), "tien-dien.xlsx")
    work()
    imports.approve_bill_file(bill_import_id=bill_import.pk, at=NOON)
    work()

    bill = Bill.objects.get()
    assert (bill.amount, bill.due_date, bill.period) == (385_000, date(2026, 11, 22), "11/2026")


def test_the_same_file_twice_changes_nothing():
    make_household(code="HO01")
    biller = make_profile().biller
    rows = (HOA + "HO01", MAI, "HD3;PD0001;Lê Thị Hoa;7.000;;;")
    taken_in(biller, *rows)
    before = list(Bill.objects.order_by("pk").values())

    again = taken_in(biller, *rows)

    assert counts(again) == (0, 0, 3, 0)
    assert list(Bill.objects.order_by("pk").values()) == before
    assert BillImport.objects.taken_over().same_file_as(again).count() == 1


def test_a_customer_named_late_in_the_file_gets_the_earlier_bill_too():
    household = make_household(code="HO01")
    biller = make_profile().biller
    rows = ("HD3;PD0001;Lê Thị Hoa;7.000;;;", HOA + "HO01")
    taken_in(biller, *rows)

    again = taken_in(biller, *rows)

    assert counts(again) == (0, 0, 2, 0)
    assert set(Bill.objects.values_list("household", flat=True)) == {household.pk}


def test_the_same_file_sent_again_before_it_was_checked_is_kept_once():
    biller = make_profile().biller

    first, second = receive(biller, lines(HOA)), receive(biller, lines(HOA))

    assert first == second
    assert BillImport.objects.count() == 1


def test_the_second_row_with_a_bill_number_is_refused_and_names_the_first():
    bill_import = taken_in(make_profile().biller, HOA, MAI, HOA.replace("385", "999"))

    assert counts(bill_import) == (2, 0, 0, 1)
    assert sentences(bill_import) == [(4, "Row 2 already has this bill number.")]
    assert Bill.objects.get(reference="HD1").amount == 385_000


def test_all_that_is_wrong_with_a_row_is_told_at_once():
    biller = make_profile(biller=make_biller(customer_code_pattern="PD[0-9]{4}")).biller

    bill_import = checked(biller, ";XX1;;385,5;31/02/2026;11/2026;")

    assert list(bill_import.problems.order_by("pk").values_list("column", "value", "sentence")) == [
        ("Số hoá đơn", "", "This cell is empty."),
        ("Mã khách hàng", "XX1", "The customer code does not look like this biller's."),
        ("Tên khách hàng", "", "This cell is empty."),
        ("Số tiền", "385,5", "The amount is not in whole đồng."),
        ("Hạn nộp", "31/02/2026", "There is no such day. Write day, month, year, like 22/11/2026."),
    ]
    assert counts(bill_import) == (0, 0, 0, 1)


@pytest.mark.parametrize(
    ("column", "text", "sentence"),
    [
        (0, "X" * 41, "This is longer than 40 characters."),
        (0, "1,23457E+17", "Excel has shortened this number. Format the column as text."),
        (1, "X" * 41, "The customer code does not look like this biller's."),
        (2, "X" * 121, "This is longer than 120 characters."),
        (3, "500.000.000", "The amount is too large."),
        (3, "-5", "The amount is below 0."),
        (4, "hôm nay", "This is not a day. Write it like 22/11/2026."),
        (5, "X" * 41, "This is longer than 40 characters."),
        (6, "HO99", "There is no household with this code."),
    ],
)
def test_a_row_that_cannot_be_a_bill_is_refused(column, text, sentence):
    cells = HOA.split(";")
    cells[column] = text

    bill_import = taken_in(make_profile().biller, ";".join(cells))

    assert sentence in [problem for _, problem in sentences(bill_import)]
    assert counts(bill_import) == (0, 0, 0, 1)
    assert not Bill.objects.exists()


def test_a_bill_without_payments_follows_its_biller():
    biller = make_profile().biller
    taken_in(biller, HOA)

    bill_import = taken_in(biller, "HD1;PD0009;Lê Văn Hoa;400.000;15/12/2026;11-12/2026;")

    assert counts(bill_import) == (0, 1, 0, 0)
    bill = Bill.objects.get()
    assert (bill.amount, bill.status) == (400_000, Bill.Status.OPEN)
    assert (bill.customer_code, bill.payer_name) == ("PD0009", "Lê Văn Hoa")
    assert (bill.due_date, bill.period) == (date(2026, 12, 15), "11-12/2026")


def test_a_column_that_the_profile_does_not_name_keeps_what_is_known():
    profile = make_profile()
    taken_in(profile.biller, HOA)
    profile.due_date_column = profile.period_column = profile.household_code_column = ""
    profile.save()

    bill_import = taken_in(
        profile.biller,
        "HD1;PD0001;Lê Thị Hoa;385.000",
        headings="Số hoá đơn;Mã khách hàng;Tên khách hàng;Số tiền",
    )

    assert counts(bill_import) == (0, 0, 1, 0)
    assert Bill.objects.get().due_date == date(2026, 11, 30)


def partly_paid(biller, *, amount=100_000):
    biller.amount_rule = biller.AmountRule.AT_MOST
    biller.save()
    taken_in(biller, HOA)
    pay(Bill.objects.get(), make_partner(), amount=amount)


def test_a_partly_paid_bill_lowered_to_what_was_paid_is_paid():
    biller = make_profile().biller
    partly_paid(biller)

    bill_import = taken_in(biller, HOA.replace("385.000", "100.000"))

    bill = Bill.objects.get()
    assert counts(bill_import) == (0, 1, 0, 0)
    assert (bill.amount, bill.paid, bill.status) == (100_000, 100_000, Bill.Status.PAID)
    assert bill.settled_at == NOON


def test_a_partly_paid_bill_is_raised_and_stays_partly_paid():
    biller = make_profile().biller
    partly_paid(biller)

    taken_in(biller, HOA.replace("385.000", "400.000"))

    bill = Bill.objects.get()
    assert (bill.amount, bill.status) == (400_000, Bill.Status.PART_PAID)


def test_a_bill_is_not_lowered_below_what_was_paid_on_it():
    biller = make_profile().biller
    partly_paid(biller)

    bill_import = taken_in(biller, HOA.replace("385.000", "99.999"))

    assert sentences(bill_import) == [(2, "More than this amount was already paid on the bill.")]
    assert Bill.objects.get().amount == 385_000


def test_a_paid_bill_is_left_as_it_is():
    biller = make_profile().biller
    taken_in(biller, HOA)
    pay(Bill.objects.get(), make_partner())

    same, changed = taken_in(biller, HOA), taken_in(biller, HOA.replace("385", "386"))

    assert (counts(same), counts(changed)) == ((0, 0, 1, 0), (0, 0, 0, 1))
    assert sentences(changed) == [(2, "This bill is already paid, so it can no longer be changed.")]
    assert Bill.objects.get().amount == 385_000


def test_a_cancelled_bill_is_left_as_it_is():
    biller = make_profile().biller
    taken_in(biller, HOA)
    bills.cancel_bill(bill_id=Bill.objects.get().pk, reason="nhầm")

    changed = taken_in(biller, HOA.replace("Hoa", "Huệ"))

    assert sentences(changed) == [(2, "This bill was cancelled, so it can no longer be changed.")]
    assert Bill.objects.get().payer_name == "Lê Thị Hoa"


def test_a_household_code_links_the_customer_to_the_household_for_later_bills():
    household = make_household(code="HO01")
    biller = make_profile().biller

    taken_in(biller, HOA + "HO01")
    taken_in(biller, "HD9;PD0001;Lê Thị Hoa;90.000;;12/2026;")

    assert CustomerLink.objects.get(biller=biller, customer_code="PD0001").household == household
    assert set(Bill.objects.values_list("reference", "household")) == {
        ("HD1", household.pk),
        ("HD9", household.pk),
    }


def test_a_household_that_is_named_later_is_added_even_to_a_paid_bill():
    household = make_household(code="HO01")
    biller = make_profile().biller
    taken_in(biller, HOA)
    pay(Bill.objects.get(), make_partner())

    bill_import = taken_in(biller, HOA + "HO01")

    bill = Bill.objects.get()
    assert counts(bill_import) == (0, 1, 0, 0)
    assert (bill.household, bill.status, bill.paid) == (household, Bill.Status.PAID, 385_000)


def test_a_customer_who_moves_takes_open_bills_along_but_no_paid_ones():
    make_household(code="HO01")
    new = make_household(code="HO02")
    biller = make_profile().biller
    taken_in(biller, HOA + "HO01", MAI + "HO01")
    pay(Bill.objects.get(reference="HD1"), make_partner())

    bill_import = taken_in(biller, HOA + "HO02", MAI + "HO02")

    assert counts(bill_import) == (0, 1, 0, 1)
    assert Bill.objects.get(reference="HD1").household.code == "HO01"
    assert Bill.objects.get(reference="HD2").household == new
    assert CustomerLink.objects.get(customer_code="PD0002").household == new
    assert CustomerLink.objects.get(customer_code="PD0001").household.code == "HO01"


def test_an_old_file_that_comes_back_does_not_move_a_customer_back():
    make_household(code="HO01")
    new = make_household(code="HO02")
    biller = make_profile().biller
    taken_in(biller, HOA + "HO01")
    taken_in(biller, "HD9;PD0001;Lê Thị Hoa;90.000;;12/2026;HO02")

    bill_import = taken_in(biller, HOA + "HO01")

    assert counts(bill_import) == (0, 0, 1, 0)
    assert CustomerLink.objects.get().household == new


def test_one_customer_in_two_households_of_one_file_is_refused():
    make_household(code="HO01")
    make_household(code="HO02")

    bill_import = taken_in(
        make_profile().biller, HOA + "HO01", "HD9;PD0001;Lê Thị Hoa;90.000;;12/2026;HO02"
    )

    assert sentences(bill_import) == [(3, "Row 2 gives this customer to household HO01.")]
    assert Bill.objects.count() == 1


def test_two_billers_may_use_the_same_numbers():
    first, second = make_profile().biller, make_profile().biller

    taken_in(first, HOA)
    bill_import = taken_in(second, HOA)

    assert counts(bill_import) == (1, 0, 0, 0)
    assert Bill.objects.count() == 2
