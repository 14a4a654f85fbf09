"""The work list of money that fits no bill, and guesses which bill it may be for."""

import re
from uuid import uuid4

import pytest
from django.utils import translation

from accounts.roles import Role
from payments import matching
from payments.books import discrepancies
from payments.models import (
    Entry,
    UnappliedMoney,
)
from tests.accounts.back_office import office
from tests.payments.factories import (
    make_bill,
    make_household,
    make_partner,
    pay,
)
from tests.payments.office_pages import listing, make_unapplied, page, words

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def english():
    """Workers' sentences too: outside a request they come in the portal's own language."""
    with translation.override("en"):
        yield


@pytest.fixture(autouse=True)
def files_of_tests(tmp_path, settings):
    settings.MEDIA_ROOT = tmp_path


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
