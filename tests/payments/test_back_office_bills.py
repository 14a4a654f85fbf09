"""Bills, billers, slips, partners and receipts in the back office."""

import re
from datetime import date

import pytest
from django.contrib import admin
from django.urls import reverse
from django.utils import translation

from accounts.roles import Role
from common.search import mark_blind_pattern
from payments.models import (
    Bank,
    Bill,
    Biller,
    CustomerLink,
    Receipt,
    SlipRun,
)
from payments.services import slips
from payments.services.partners import add_hmac_secret
from tests.accounts.back_office import office
from tests.payments.factories import (
    NOON,
    make_bank,
    make_bill,
    make_household,
    make_partner,
    make_village,
    pay,
)
from tests.payments.office_pages import listing, page, words

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def english():
    """Workers' sentences too: outside a request they come in the portal's own language."""
    with translation.override("en"):
        yield


@pytest.fixture(autouse=True)
def files_of_tests(tmp_path, settings):
    settings.MEDIA_ROOT = tmp_path


@pytest.mark.parametrize(
    "typed",
    [
        "{code}",
        "{spaced}",
        "{lower}",
        "pd0001",
        "HD-77",
        "nguyen thi dao",
        "NGUYỄN THỊ ĐÀO",
        "thi dao",
        "xy-0042",
    ],
)
def test_a_bill_is_found_in_any_way_that_people_name_it(typed):
    house = make_household(
        code="XY-0042", representative="Trần Văn Ba", search_key="tran van ba xy-0042"
    )
    bill = make_bill(
        payer_name="Nguyễn Thị Đào", reference="HD-77", customer_code="PD0001", household=house
    )
    make_bill(payer_name="Lê Văn An", reference="HD-88", customer_code="PD0002")
    code = bill.payment_code
    typed = typed.format(code=code, spaced=f"{code[:4]} {code[4:]}", lower=code.lower())

    answer = office(Role.CASHIER).get(listing(Bill), {"q": typed})

    found = answer.context["cl"].result_list
    assert [row.pk for row in found] == [bill.pk]


def test_marks_are_ignored_composed_or_not():
    pattern = mark_blind_pattern("dang hoa")

    assert re.search(pattern, "Đặng  Hoà")
    assert re.search(pattern, "Đặng Hoà")
    assert not re.search(pattern, "Đăng Hà")


def test_overdue_bills_are_a_filter(monkeypatch):
    monkeypatch.setattr("payments.admin.bills.timezone.localdate", lambda: date(2026, 12, 1))
    late, paid = make_bill(), make_bill()
    make_bill(due_date=date(2026, 12, 1))
    pay(paid, make_partner())

    answer = office(Role.CASHIER).get(listing(Bill), {"due": "overdue"})

    assert [row.pk for row in answer.context["cl"].result_list] == [late.pk]


def test_a_bill_shows_its_receipts_payments_and_postings():
    bill = make_bill()
    pay(bill, make_partner(), bank_ref="FT-4711")

    text = words(office(Role.FINANCE_OFFICER).get(page(bill)))

    assert all(part in text for part in ("FT-4711", str(Receipt.objects.get()), "-385.000 ₫"))


def test_a_bill_is_cancelled_with_a_reason_and_a_trace():
    browser, bill = office(Role.FINANCE_OFFICER), make_bill()
    address = f"{listing(Bill)}{bill.pk}/cancel/"

    empty = browser.post(address, {"reason": ""})
    answer = browser.post(address, {"reason": "Issued twice"}, follow=True)

    bill.refresh_from_db()
    assert empty.status_code == 200
    assert (bill.status, bill.cancel_reason) == ("cancelled", "Issued twice")
    assert "The bill is cancelled" in words(answer)
    assert "Issued twice" in words(browser.get(page(bill, "history")))


def test_a_bill_with_money_is_not_cancelled_and_a_sentence_says_so():
    browser, bill = office(Role.FINANCE_OFFICER), make_bill()
    pay(bill, make_partner(), amount=5_000)
    address = f"{listing(Bill)}{bill.pk}/cancel/"

    answer = browser.post(
        address, {"reason": "x"}, follow=True, headers={"referer": f"http://testserver{address}"}
    )

    bill.refresh_from_db()
    assert bill.status == "part_paid"
    assert "Money was paid on this bill, so it cannot be cancelled." in words(answer)


def test_a_cashier_cancels_nothing():
    bill = make_bill()

    answer = office(Role.CASHIER).post(f"{listing(Bill)}{bill.pk}/cancel/", {"reason": "x"})

    assert answer.status_code == 403
    assert Bill.objects.get().status == "open"


def biller_form(**changes):
    fields = {
        "code": "nuoc",
        "name": "Nước sạch",
        "service": "water",
        "bank": make_bank().pk,
        "account_number": "3512 2010-00123",
        "account_name": "NUOC SACH",
        "amount_rule": "exact",
        "customer_code_pattern": "N[0-9]{4,10}",
        "is_active": "on",
        "import_profile-TOTAL_FORMS": 0,
        "import_profile-INITIAL_FORMS": 0,
    }
    return fields | changes


def test_a_biller_is_added_with_an_account_that_a_qr_code_can_carry():
    browser = office(Role.FINANCE_OFFICER)

    browser.post(f"{listing(Biller)}add/", biller_form())

    biller = Biller.objects.get()
    picture = browser.get(reverse("admin:payments_biller_qr", args=[biller.pk]))
    assert biller.account_number == "3512201000123"
    assert (picture.status_code, picture.headers["Content-Type"]) == (200, "image/svg+xml")
    assert "The app must show the name NUOC SACH at Agribank." in words(browser.get(page(biller)))


@pytest.mark.parametrize(
    ("field", "typed", "sentence"),
    [
        ("account_number", "35/12", "An account number has letters and digits only."),
        ("customer_code_pattern", "(a+)+b", "This pattern cannot be used."),
        ("customer_code_pattern", "[", "This pattern cannot be used."),
    ],
)
def test_a_biller_that_would_make_trouble_is_refused(field, typed, sentence):
    answer = office(Role.FINANCE_OFFICER).post(
        f"{listing(Biller)}add/", biller_form(**{field: typed})
    )

    assert sentence in words(answer)
    assert not Biller.objects.exists()


def test_a_bank_needs_six_digits():
    fields = {"bin": "97040", "short_name": "A", "source": "x", "as_of": "22/11/2026"}

    answer = office(Role.FINANCE_OFFICER).post(f"{listing(Bank)}add/", fields)

    assert "A BIN has six digits." in words(answer)
    assert not Bank.objects.exists()


def test_a_customer_code_brings_the_household_its_bills_without_one():
    browser, house, other = office(Role.FINANCE_OFFICER), make_household(), make_household()
    homeless = make_bill(customer_code="PD7")
    settled = make_bill(customer_code="PD7", biller=homeless.biller, household=other)

    browser.post(
        f"{listing(CustomerLink)}add/",
        {"biller": homeless.biller_id, "customer_code": " PD7 ", "household": house.pk},
    )

    homeless.refresh_from_db()
    settled.refresh_from_db()
    assert CustomerLink.objects.get().household == house
    assert (homeless.household, settled.household) == (house, other)


def test_slips_are_ordered_made_and_handed_over():
    village = make_village(name="Xuân Yên")
    make_bill(household=make_household(village=village))
    browser = office(Role.CASHIER)

    sent = browser.post(
        f"{listing(SlipRun)}add/", {"village": village.pk, "biller": "", "slips_per_page": 4}
    )
    waiting = browser.get(sent.url, headers={"HX-Request": "true"})
    no_file = browser.get(page(SlipRun.objects.get(), "file"))
    slips.print_run(run=SlipRun.objects.get(), at=NOON)
    run = SlipRun.objects.get()
    ready = browser.get(sent.url)
    file = browser.get(page(run, "file"))

    assert (run.village, run.slip_count, run.ordered_by.is_staff) == (village, 1, True)
    assert "Waiting" in words(waiting)
    assert no_file.status_code == 404
    assert page(run, "file") in ready.content.decode()
    assert b"".join(file.streaming_content).startswith(b"%PDF")


def test_a_partner_shows_its_keys_names_and_no_secret():
    partner = make_partner()
    key, secret = add_hmac_secret(partner=partner, at=NOON)

    text = office(Role.AUDITOR).get(page(partner)).content.decode()

    assert key.kid in text
    assert secret not in text
    assert key.sealed_secret not in text


def test_only_a_superuser_shuts_a_partner_out():
    partner = make_partner()
    form = {"keys-TOTAL_FORMS": 0, "keys-INITIAL_FORMS": 0}

    refused = office(Role.FINANCE_OFFICER).post(page(partner), form)
    office().post(page(partner), form | {"name": "Changed"})

    partner.refresh_from_db()
    assert refused.status_code == 403
    assert (partner.is_active, partner.name) == (False, "Agribank Hậu Lộc")


@pytest.mark.parametrize("typed", ["{number}", "{code}", "le thi hoa"])
def test_a_receipt_is_found_and_leads_to_its_document(typed):
    bill = make_bill()
    pay(bill, make_partner())
    pay(make_bill(payer_name="Trần Ba"), make_partner())
    receipt = bill.receipts.select_related("series").get()
    browser = office(Role.CASHIER)

    answer = browser.get(
        listing(Receipt), {"q": typed.format(number=receipt, code=bill.payment_code)}
    )

    assert [row.pk for row in answer.context["cl"].result_list] == [receipt.pk]
    assert (
        reverse("receipt_pdf", args=[receipt.token]) in browser.get(page(receipt)).content.decode()
    )


@pytest.mark.slow  # renders some forty pages of the theme, 0.1 s each
def test_every_page_of_the_office_answers_a_superuser():
    bill, partner = make_bill(), make_partner()
    pay(bill, partner, amount=400_000)
    browser = office()

    for model, model_admin in admin.site._registry.items():
        info = (model._meta.app_label, model._meta.model_name)
        assert browser.get(reverse("admin:{}_{}_changelist".format(*info))).status_code == 200
        row = model._default_manager.first()
        if row is not None:
            address = reverse("admin:{}_{}_change".format(*info), args=[row.pk])
            assert browser.get(address).status_code == 200, address
        assert model_admin.show_full_result_count is False
