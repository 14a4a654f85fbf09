"""The officials' side of bills and money: who sees what, and that nothing is edited by hand."""

import re
from datetime import date
from uuid import uuid4

import pytest
from django.contrib import admin
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import translation

from accounts.roles import Role
from common import progress
from common.search import mark_blind_pattern
from payments import matching
from payments.books import discrepancies
from payments.models import (
    Account,
    ApiCall,
    Bank,
    BankPartner,
    Bill,
    Biller,
    BillImport,
    CustomerLink,
    Entry,
    ImportProfile,
    Payment,
    Posting,
    Receipt,
    Reversal,
    SlipRun,
    UnappliedMoney,
)
from payments.services import imports, slips
from payments.services.partners import add_hmac_secret
from tests.accounts.back_office import enter, make_holder, office
from tests.accounts.factories import make_person
from tests.payments.factories import (
    NOON,
    make_bank,
    make_bill,
    make_biller,
    make_household,
    make_partner,
    make_village,
    pay,
)

pytestmark = pytest.mark.django_db
MONEY_ROWS = (Account, ApiCall, Bill, Entry, Payment, Posting, Receipt, Reversal, UnappliedMoney)
HEADINGS = "Số HĐ,Mã KH,Họ tên,Số tiền"


@pytest.fixture(autouse=True)
def english():
    """Workers' sentences too: outside a request they come in the portal's own language."""
    with translation.override("en"):
        yield


@pytest.fixture(autouse=True)
def files_of_tests(tmp_path, settings):
    settings.MEDIA_ROOT = tmp_path


def listing(model):
    return reverse(f"admin:payments_{model._meta.model_name}_changelist")


def page(row, name="change"):
    return reverse(f"admin:payments_{row._meta.model_name}_{name}", args=[row.pk])


def words(answer):
    text = re.sub(r"<(script|style).*?</\1>", " ", answer.content.decode(), flags=re.DOTALL)
    return " ".join(re.sub(r"<[^>]+>", " ", text).replace("\u2009", "").split())


def make_profile(biller):
    return ImportProfile.objects.create(
        biller=biller,
        reference_column="Số HĐ",
        customer_code_column="Mã KH",
        payer_name_column="Họ tên",
        amount_column="Số tiền",
    )


def make_unapplied(*, amount=385_000, memo="tien dien nha toi", partner=None):
    pay(None, partner or make_partner(), amount=amount, memo=memo)
    return UnappliedMoney.objects.latest("pk")


# Who sees what


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


# Pages hold together


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
        with django_assert_max_num_queries(9):
            assert browser.get(listing(model)).status_code == 200


# Bills


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


# Billers


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


# Import of bills


def upload(browser, text, *, name="dien.csv", biller=None):
    biller = biller or make_biller()
    make_profile(biller)
    file = SimpleUploadedFile(name, text.encode())
    return browser.post(f"{listing(BillImport)}add/", {"biller": biller.pk, "file": file})


def test_a_bill_file_goes_all_the_way():
    browser = office(Role.FINANCE_OFFICER)

    sent = upload(browser, f"{HEADINGS}\nA1,KH1,Lê Hoa,385000\nA2,KH2,Lê Ba,ba trăm\n")
    bill_import = BillImport.objects.get()
    waiting = browser.get(sent.url)
    imports.proceed(bill_import=bill_import, at=NOON)
    checked = browser.get(sent.url)
    refused = browser.get(page(bill_import, "refused"))
    approved = browser.post(page(bill_import, "approve"))
    bill_import.refresh_from_db()
    imports.proceed(bill_import=bill_import, at=NOON)
    done = browser.get(sent.url)

    assert 'hx-trigger="every 1s"' in waiting.content.decode()
    assert "Take over 1 row" in words(checked)
    assert "This is not an amount." in words(checked)
    assert not BillImport.objects.exclude(uploaded_by__is_staff=True).exists()
    assert refused.content.decode("utf-8-sig").splitlines()[1].startswith("A2,KH2,Lê Ba,ba trăm,")
    assert approved.url == sent.url
    assert "The file has been taken over" in words(done)
    assert 'hx-trigger="every 1s"' not in done.content.decode()
    assert Bill.objects.get().amount == 385_000


def test_the_progress_of_an_import_comes_without_the_page_around_it():
    browser = office(Role.FINANCE_OFFICER)
    address = upload(browser, f"{HEADINGS}\nA1,KH1,Lê Hoa,385000\n").url
    progress.report(BillImport.objects.get().work, done=400, total=2_000)

    answer = browser.get(address, headers={"HX-Request": "true"})

    assert "Row 400 of 2000 (20 %)" in words(answer)
    assert "<html" not in answer.content.decode()


def test_a_file_without_its_columns_is_told_in_a_sentence():
    browser = office(Role.FINANCE_OFFICER)
    address = upload(browser, "a,b\n1,2\n").url
    imports.proceed(bill_import=BillImport.objects.get(), at=NOON)

    text = words(browser.get(address))

    assert "This file could not be taken in" in text
    assert "The file lacks the columns" in text or "The file lacks the column" in text


def test_an_import_is_approved_by_those_who_may_import_only():
    upload(office(Role.FINANCE_OFFICER), f"{HEADINGS}\nA1,KH1,Lê Hoa,385000\n")
    bill_import = BillImport.objects.get()
    imports.proceed(bill_import=bill_import, at=NOON)
    auditor = office(Role.AUDITOR)

    answer = auditor.post(page(bill_import, "approve"))

    assert answer.status_code == 403
    assert auditor.get(page(bill_import, "approve")).status_code == 405
    assert BillImport.objects.get().status == "checked"


def test_refused_rows_are_paged():
    browser = office(Role.FINANCE_OFFICER)
    rows = "".join(f"A{number},KH1,Lê Hoa,0\n" for number in range(60))
    address = upload(browser, f"{HEADINGS}\n{rows}").url
    imports.proceed(bill_import=BillImport.objects.get(), at=NOON)

    second = browser.get(address, {"trang": 2})

    assert len(second.context["problems"]) == 10
    assert "Page 2 of 2" in words(second)


def test_only_tables_are_taken():
    browser = office(Role.FINANCE_OFFICER)

    answer = upload(browser, "x", name="bills.pdf")

    assert answer.status_code == 200
    assert not BillImport.objects.exists()


# Money without a bill


def test_the_work_list_shows_open_money_first_and_why():
    partner = make_partner()
    bill = make_bill()
    seen_to = make_unapplied(partner=partner)
    waiting = make_unapplied(partner=partner, memo="PHAM THI LAN")
    browser = office(Role.FINANCE_OFFICER)
    browser.post(page(seen_to, "apply"), {"code": bill.payment_code, "token": uuid4()})

    answer = browser.get(listing(UnappliedMoney))

    assert [row.pk for row in answer.context["cl"].result_list] == [waiting.pk, seen_to.pk]
    assert "No payment code in the message" in words(answer)
    assert "PHAM THI LAN" in words(answer)


def test_money_is_applied_after_a_look_at_what_will_be_booked():
    browser, bill, money = office(Role.FINANCE_OFFICER), make_bill(), make_unapplied(amount=400_000)
    spaced = f"{bill.payment_code[:5].lower()} {bill.payment_code[5:]}"

    check = browser.get(page(money, "apply"), {"code": spaced})
    token = re.search(r'name="token" value="([^"]+)"', check.content.decode())[1]
    answer = browser.post(
        page(money, "apply"), {"code": bill.payment_code, "token": token}, follow=True
    )

    bill.refresh_from_db()
    money.refresh_from_db()
    assert "Will be applied 385.000 ₫ Stays on the work list 15.000 ₫" in words(check)
    assert (bill.status, money.remaining) == ("paid", 15_000)
    assert f"385.000 ₫ was applied to bill {bill.payment_code}." in words(answer)
    assert Entry.objects.get(kind="application").actor.full_name == "Nguyễn Văn Tài"
    assert discrepancies() == []


def test_a_double_click_books_once():
    browser, bill, money = office(Role.FINANCE_OFFICER), make_bill(), make_unapplied(amount=800_000)
    form = {"code": bill.payment_code, "token": str(uuid4())}

    answers = [browser.post(page(money, "apply"), form).status_code for _ in range(2)]

    money.refresh_from_db()
    assert answers == [302, 302]
    assert money.remaining == 415_000
    assert Entry.objects.filter(kind="application").count() == 1


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("PL123", "This is no payment code."),
        ("PLESP1GV581", "There is no bill with this payment code."),
        ("", "Payment code of the bill"),
    ],
)
def test_a_wrong_code_is_told_beside_the_field(typed, sentence):
    browser, money = office(Role.FINANCE_OFFICER), make_unapplied()

    answer = browser.get(page(money, "apply"), {"code": typed})

    assert sentence in words(answer)


def test_a_paid_bill_takes_no_more_and_nothing_is_half_done():
    browser, bill, money = office(Role.FINANCE_OFFICER), make_bill(), make_unapplied()
    pay(bill, make_partner())
    address = page(money, "apply")

    check = browser.get(address, {"code": bill.payment_code})
    answer = browser.post(
        address,
        {"code": bill.payment_code, "token": uuid4()},
        follow=True,
        headers={"referer": f"http://testserver{address}"},
    )

    money.refresh_from_db()
    assert "This bill takes no more money." in words(check)
    assert "This bill takes no more money." in words(answer)
    assert money.remaining == 385_000
    assert discrepancies() == []


def test_money_goes_back_after_a_reason_and_a_second_look():
    browser, money = office(Role.FINANCE_OFFICER), make_unapplied()
    address = page(money, "return")
    token = str(uuid4())

    look = browser.post(address, {"reason": "Not for us", "token": token})
    untouched = UnappliedMoney.objects.get().remaining
    browser.post(address, {"reason": "Not for us", "token": token, "confirmed": "1"})
    again = browser.post(address, {"reason": "Not for us", "token": token, "confirmed": "1"})

    entry = Entry.objects.get(kind="return")
    assert "Return 385.000 ₫" in words(look)
    assert untouched == 385_000
    assert (entry.reason, entry.actor.is_staff) == ("Not for us", True)
    assert again.status_code == 302
    assert UnappliedMoney.objects.get().remaining == 0
    assert discrepancies() == []


def test_money_that_is_used_up_shows_what_became_of_it():
    browser, bill, money = office(Role.FINANCE_OFFICER), make_bill(), make_unapplied()
    browser.post(page(money, "apply"), {"code": bill.payment_code, "token": uuid4()})

    text = words(browser.get(page(money)))

    assert "Another bill" not in text
    assert bill.payment_code in text
    assert "Nguyễn Văn Tài" in text


# What a stray transfer may be for


def reasons(money):
    found = matching.guesses(
        UnappliedMoney.objects.select_related("entry__payment", "bill").get(pk=money.pk)
    )
    return [(guess.bill.pk, [str(reason) for reason in guess.reasons]) for guess in found]


def one_sign_off(code, slip):
    return {
        "wrong": code[:5] + ("0" if code[5] != "0" else "1") + code[6:],
        "left out": code[:5] + code[6:],
        "doubled": code[:5] + code[5] + code[5:],
        "swapped": code[:5] + code[6] + code[5] + code[7:],
    }[slip]


@pytest.mark.parametrize("slip", ["wrong", "left out", "doubled", "swapped"])
def test_a_code_with_one_slip_of_the_hand_is_recognised(slip):
    bill = make_bill(due_date=None)
    money = make_unapplied(amount=7_000, memo=f"CK {one_sign_off(bill.payment_code, slip)} CAM ON")

    assert reasons(money) == [
        (bill.pk, ["its payment code is in the message, one sign off"]),
    ]


def test_the_likeliest_bill_stands_first():
    same_amount = make_bill(payer_name="Lê Văn An", customer_code="X1", due_date=None)
    named = make_bill(payer_name="Phạm Thị Lan", customer_code="PD88", due_date=None)
    make_bill(amount=1_000, customer_code="X2", due_date=None)

    money = make_unapplied(memo="pham thi lan nop PD88")

    assert reasons(money) == [
        (
            named.pk,
            [
                "its customer code is in the message",
                "the payer's name is in the message",
                "the amount is the same",
            ],
        ),
        (same_amount.pk, ["the amount is the same"]),
    ]


def test_a_household_named_in_the_message_brings_its_bills():
    house = make_household(representative="Lê Thị Hoa", search_key="le thi hoa h1")
    bill = make_bill(
        household=house, payer_name="Lê Văn Bốn", customer_code="X1", amount=9_000, due_date=None
    )

    money = make_unapplied(memo="LE THI HOA nop tien")

    assert reasons(money) == [(bill.pk, ["the payer's name is in the message"])]


def test_guesses_cost_the_same_however_many_there_are(django_assert_num_queries):
    for _ in range(10):
        make_bill(household=make_household())
    make_unapplied()
    money = UnappliedMoney.objects.select_related("entry__payment", "bill").get()

    with django_assert_num_queries(1):
        assert len(matching.guesses(money)) == matching.LIMIT


# Slips, partners, receipts


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
