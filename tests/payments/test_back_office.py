"""The officials' side of bills and money: who sees what, and that nothing is edited by hand."""

from uuid import uuid4

import pytest
from django.contrib import admin
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import translation

from accounts.roles import Role
from payments.models import (
    Account,
    ApiCall,
    Bank,
    BankPartner,
    Bill,
    Biller,
    BillImport,
    Entry,
    Payment,
    Posting,
    Receipt,
    Reversal,
    SlipRun,
    UnappliedMoney,
)
from payments.services import imports, slips
from tests.accounts.back_office import enter, make_holder, office
from tests.accounts.factories import make_person
from tests.payments.factories import (
    NOON,
    make_bill,
    make_biller,
    make_household,
    make_partner,
    make_village,
    pay,
)
from tests.payments.office_pages import HEADINGS, listing, make_profile, make_unapplied, page, words

pytestmark = pytest.mark.django_db
MONEY_ROWS = (Account, ApiCall, Bill, Entry, Payment, Posting, Receipt, Reversal, UnappliedMoney)


@pytest.fixture(autouse=True)
def english():
    """Workers' sentences too: outside a request they come in the portal's own language."""
    with translation.override("en"):
        yield


@pytest.fixture(autouse=True)
def files_of_tests(tmp_path, settings):
    settings.MEDIA_ROOT = tmp_path


def test_a_stranger_is_sent_to_the_sign_in(client):
    answer = client.get(listing(Bill))

    assert (answer.status_code, answer.url) == (302, f"/dang-nhap/mat-khau/?next={listing(Bill)}")


@pytest.mark.parametrize("address", ["/quan-tri/", "/quan-tri/payments/bill/", "/quan-tri/login/"])
def test_a_resident_gets_nowhere(client, address):
    enter(client, make_person())

    answer = client.get(address, follow=True)

    assert answer.status_code == 403


@pytest.mark.parametrize("model", [*MONEY_ROWS, Bank, Biller, BillImport, SlipRun, BankPartner])
def test_an_auditor_sees_all_of_the_books_and_changes_none(model):
    browser = office(Role.AUDITOR)

    assert browser.get(listing(model)).status_code == 200
    assert browser.get(f"{listing(model)}add/").status_code == 403


def test_an_auditor_sees_unapplied_money_without_a_button():
    browser, money = office(Role.AUDITOR), make_unapplied()

    answer = browser.get(page(money))

    assert "tien dien nha toi" in words(answer)
    assert page(money, "return") not in answer.content.decode()
    assert browser.get(page(money, "return")).status_code == 403
    assert browser.post(page(money, "apply"), {"code": "x", "token": uuid4()}).status_code == 403


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("payments_bill_changelist", 200),
        ("payments_receipt_changelist", 200),
        ("payments_sliprun_add", 200),
        ("payments_payment_changelist", 403),
        ("payments_billimport_changelist", 403),
        ("residents_household_changelist", 403),
        ("residents_resident_changelist", 403),
        ("accounts_user_changelist", 403),
    ],
)
def test_a_cashier_sees_bills_but_not_the_population(address, status):
    make_village()

    answer = office(Role.CASHIER).get(reverse(f"admin:{address}"))

    assert answer.status_code == status


@pytest.mark.parametrize("role", [Role.VILLAGE_HEAD, Role.COOPERATIVE_MEMBER])
def test_a_role_without_rights_sees_an_empty_office(role):
    browser = office(role)

    assert "Unapplied money" not in words(browser.get("/quan-tri/"))
    assert browser.get(listing(Bill)).status_code == 403


@pytest.mark.parametrize("model", MONEY_ROWS)
def test_not_even_a_superuser_edits_money(rf, model):
    request = rf.get("/quan-tri/")
    request.user = make_holder(None)
    model_admin = admin.site.get_model_admin(model)

    assert not model_admin.has_add_permission(request)
    assert not model_admin.has_change_permission(request)
    assert not model_admin.has_delete_permission(request)
    assert "delete_selected" not in model_admin.get_actions(request)


def test_a_bill_cannot_be_posted_over_or_deleted():
    browser, bill = office(), make_bill()

    over = browser.post(page(bill), {"amount": 1, "status": "paid"})
    away = browser.post(page(bill, "delete"), {"post": "yes"})

    assert (over.status_code, away.status_code) == (403, 403)
    assert Bill.objects.get().amount == 385_000


def test_back_office_pages_keep_inline_scripts_forbidden():
    policy = office().get("/quan-tri/").headers["Content-Security-Policy"]

    script = next(part for part in policy.split("; ") if part.startswith("script-src"))
    assert script == "script-src 'self' 'unsafe-eval'"


def test_residents_pages_keep_the_strict_policy(client):
    policy = client.get("/dang-nhap/").headers["Content-Security-Policy"]

    assert "unsafe" not in policy


@pytest.mark.parametrize(
    "model", [Bill, UnappliedMoney, Payment, Receipt, Entry, Posting, Reversal]
)
def test_ten_rows_cost_as_many_queries_as_two(model):
    browser, partner, biller = office(), make_partner(), make_biller()

    def fill(count):
        for _ in range(count):
            bill = make_bill(biller=biller, household=make_household())
            pay(bill, partner, amount=bill.amount + 1_000)

    def queries():
        with CaptureQueriesContext(connection) as captured:
            assert browser.get(listing(model)).status_code == 200
        return len(captured)

    fill(2)
    queries()
    few = queries()
    fill(8)
    assert queries() == few


@pytest.mark.parametrize("count", [2, 10])
def test_lists_of_runs_and_imports_do_not_ask_row_by_row(count, django_assert_max_num_queries):
    browser, biller = office(), make_biller()
    make_profile(biller)
    for number in range(count):
        file = SimpleUploadedFile(f"{number}.csv", f"{HEADINGS}\n{number}".encode())
        imports.receive_bill_file(
            biller=biller, file=file, file_name="a.csv", uploaded_by=make_holder(None), at=NOON
        )
        slips.order_slips(
            village=None, biller=biller, slips_per_page=4, ordered_by=make_holder(None), at=NOON
        )

    for model in (BillImport, SlipRun):
        with django_assert_max_num_queries(10):
            assert browser.get(listing(model)).status_code == 200
