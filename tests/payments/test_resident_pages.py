"""What a household sees of its bills and receipts, and what nobody else may see."""

from datetime import timedelta

import pytest
import zxingcpp
from django.urls import reverse
from django.utils import timezone
from PIL import Image

from accounts.models import User
from payments import selectors
from payments.models import Bank, Bill, Payment, Receipt
from payments.qr_payload import bill_payload
from payments.services import bills
from payments.services.reversals import ReversalReport, reverse_payment
from tests.accounts.factories import make_official, make_person
from tests.payments.factories import (
    NOON,
    make_bank,
    make_bill,
    make_biller,
    make_household,
    make_partner,
    pay,
)

pytestmark = pytest.mark.django_db
BILLS = reverse("bill_list")
PAID = reverse("paid_bill_list")
RECEIPTS = reverse("receipt_list")


@pytest.fixture
def person(client) -> User:
    """A resident who has signed in and reads English."""
    client.cookies["django_language"] = "en"
    resident = make_person()
    client.force_login(resident, backend="allauth.account.auth_backends.AuthenticationBackend")
    return resident


@pytest.fixture
def bill(person) -> Bill:
    return make_bill(household=make_household(phone=person.phone), amount=385_000)


def text_of(answer) -> str:
    return " ".join(answer.content.decode().replace("\u00a0", " ").split())


def address(name: str, bill: Bill) -> str:
    return reverse(name, args=[bill.payment_code])


def paid(bill: Bill) -> Receipt:
    pay(bill, make_partner())
    bill.refresh_from_db()
    return bill.receipts.get()


def taken_back(receipt: Receipt) -> None:
    payment = Payment.objects.get(entry=receipt.entry)
    report = ReversalReport(payment_id=str(payment.pk), reason_code="duplicate")
    reverse_payment(
        partner=payment.partner, key="back", report=report, at=NOON + timedelta(minutes=5)
    )


def test_owed_bills_are_listed_with_their_sum(client, person):
    household = make_household(phone=person.phone)
    make_bill(household=household, amount=285_000)
    make_bill(household=household, amount=100_000)

    page = text_of(client.get(BILLS))

    assert "2 bills to pay, 385.000 ₫ in all" in page
    assert page.count('class="whole"') == 2


def test_the_home_page_says_what_the_household_owes(client, person):
    household = make_household(phone=person.phone)
    make_bill(household=household, amount=285_000)
    make_bill(household=household, amount=100_000)

    page = text_of(client.get("/"))

    assert "Your household still has 2 bills, <strong>385.000 ₫</strong> in all" in page


def test_bills_of_several_households_stand_in_groups_with_their_own_sums(client, person):
    make_bill(
        household=make_household(phone=person.phone, representative="Lê Văn Ba"), amount=70_000
    )
    make_bill(
        household=make_household(phone=person.phone, representative="Mai Thị Tư"), amount=5_000
    )

    groups = selectors.household_bills(person)
    page = text_of(client.get(BILLS))

    assert [(group.household.representative, group.total) for group in groups] == [
        ("Lê Văn Ba", 70_000),
        ("Mai Thị Tư", 5_000),
    ]
    assert "Lê Văn Ba" in page
    assert "Mai Thị Tư" in page


@pytest.mark.parametrize(
    ("days", "words"),
    [
        (-3, "3 days overdue"),
        (-1, "1 day overdue"),
        (0, "Due today"),
        (1, "Due tomorrow"),
        (8, "Due in 8 days"),
    ],
)
def test_the_due_date_is_said_in_words(client, person, days, words):
    due = timezone.localdate() + timedelta(days)
    make_bill(household=make_household(phone=person.phone), due_date=due)

    page = text_of(client.get(BILLS))

    assert words in page
    assert ("due late" in page) == (days < 0)


def test_an_empty_list_says_what_will_come(client, person):
    make_household(phone=person.phone)

    page = text_of(client.get(BILLS))

    assert "Every bill of your household is paid" in page
    assert "New bills for electricity" in page


def test_a_person_without_household_is_told_what_to_do(client, person):
    page = text_of(client.get(BILLS))

    assert "We do not know your household yet" in page
    assert "0912 345 678" in page


@pytest.mark.parametrize("name", ["bill", "bill_state", "bill_qr_svg", "bill_qr_png"])
def test_a_bill_of_another_household_is_not_there(client, person, name):
    foreign = make_bill(household=make_household(phone="+84903333444"))

    assert client.get(address(name, foreign)).status_code == 404
    assert foreign.payment_code not in text_of(client.get(BILLS))


def test_an_unverified_number_opens_no_household(client, person, bill):
    User.objects.filter(pk=person.pk).update(is_phone_verified=False)

    assert client.get(address("bill", bill)).status_code == 404


@pytest.mark.parametrize("name", ["bill", "bill_qr_svg", "bill_qr_png"])
def test_a_stranger_is_sent_to_sign_in(client, name):
    bill = make_bill(household=make_household())

    answer = client.get(address(name, bill))

    assert answer.status_code == 302
    assert answer.url.startswith("/dang-nhap/?next=/hoa-don/")


def test_the_bill_page_says_in_words_what_the_picture_says(client, bill):
    page = text_of(client.get(address("bill", bill)))

    assert bill.biller.account_name in page
    assert "Agribank" in page
    assert f'data-copy="{bill.biller.account_number}"' in page
    assert 'data-copy="385000"' in page
    assert f'data-copy="{bill.payment_code}"' in page


def test_a_code_may_be_typed_in_small_letters(client, bill):
    answer = client.get(reverse("bill", args=[bill.payment_code.lower()]))

    assert answer.status_code == 200


def test_the_png_decodes_to_the_payload_of_the_bill(client, bill, tmp_path):
    answer = client.get(address("bill_qr_png", bill))

    picture = tmp_path / "qr.png"
    picture.write_bytes(answer.content)
    [code] = zxingcpp.read_barcodes(Image.open(picture))
    assert answer["Content-Type"] == "image/png"
    assert code.text == bill_payload(bill)


@pytest.mark.parametrize("name", ["bill_qr_svg", "bill_qr_png"])
def test_an_unchanged_picture_is_not_sent_again(client, bill, name):
    first = client.get(address(name, bill))

    again = client.get(address(name, bill), headers={"If-None-Match": first["ETag"]})

    assert (again.status_code, again.content) == (304, b"")
    assert again["Cache-Control"] == "private, no-cache"


def test_a_part_payment_makes_another_picture(client, bill):
    before = client.get(address("bill_qr_png", bill))["ETag"]

    Bill.objects.filter(pk=bill.pk).update(paid=85_000, status=Bill.Status.PART_PAID)

    assert client.get(address("bill_qr_png", bill))["ETag"] != before
    assert 'data-copy="300000"' in text_of(client.get(address("bill", bill)))


@pytest.mark.parametrize("name", ["bill_qr_svg", "bill_qr_png"])
def test_a_settled_bill_has_no_picture_to_pay_twice(client, bill, name):
    paid(bill)

    assert client.get(address(name, bill)).status_code == 404


def test_the_open_page_is_told_nothing_while_nothing_changes(client, bill):
    state = client.get(address("bill", bill)).context["state"]

    answer = client.get(address("bill_state", bill), {"da": state})

    assert (answer.status_code, answer.content) == (204, b"")


def test_the_open_page_turns_into_paid_with_the_receipt_and_asks_no_more(client, bill):
    state = client.get(address("bill", bill)).context["state"]
    receipt = paid(bill)

    answer = client.get(address("bill_state", bill), {"da": state}, headers={"HX-Request": "true"})

    page = text_of(answer)
    assert reverse("receipt_check", args=[receipt.token]) in page
    assert "Paid. Thank you!" in page
    assert "hx-get" not in page


def test_an_open_page_whose_session_ended_is_reloaded(client, bill):
    client.logout()

    answer = client.get(address("bill_state", bill))

    assert (answer.status_code, answer["HX-Refresh"]) == (200, "true")
    assert answer.content == b""


def test_a_cancelled_bill_asks_not_to_be_paid(client, bill):
    bills.cancel_bill(bill_id=bill.pk, reason="issued twice")

    page = text_of(client.get(address("bill", bill)))

    assert "This bill was cancelled" in page
    assert "qr.png" not in page


def test_bank_links_are_built_from_the_setting_and_encoded(bill, settings):
    settings.BANK_APP_LINK = (
        "https://bank.test/pay?app={app}&ba={account}@{bank}&am={amount}&tn={memo}"
    )
    Bank.objects.filter(pk=bill.biller.bank_id).update(app_code="agri bank")
    bill = Bill.objects.select_related("biller__bank").get(pk=bill.pk)
    make_bank(bin="970436", short_name="Vietcombank", app_code="vcb")
    make_bank(bin="970422", short_name="MB")

    links = selectors.bank_app_links(bill)

    tail = f"ba=3512201000123@agri%20bank&am=385000&tn={bill.payment_code}"
    assert links == [
        ("Agribank", f"https://bank.test/pay?app=agri%20bank&{tail}"),
        ("Vietcombank", f"https://bank.test/pay?app=vcb&{tail}"),
    ]


def test_without_the_setting_there_are_no_bank_links(bill, django_assert_num_queries):
    with django_assert_num_queries(0):
        assert selectors.bank_app_links(bill) == []


def test_paid_bills_and_receipts_are_listed(client, bill):
    receipt = paid(bill)

    assert address("bill", bill) in text_of(client.get(PAID))
    assert str(receipt) in text_of(client.get(RECEIPTS))
    assert "385.000 ₫" in text_of(client.get("/"))


@pytest.mark.parametrize("url", [PAID, RECEIPTS])
def test_long_lists_come_in_pages(client, person, url):
    household, biller, partner = make_household(phone=person.phone), make_biller(), make_partner()
    for _ in range(21):
        pay(make_bill(household=household, biller=biller), partner)

    first, second = client.get(url), client.get(url, {"trang": 2}, headers={"HX-Request": "true"})

    assert text_of(first).count('class="whole"') == 20
    assert 'hx-get="?trang=2"' in text_of(first)
    assert text_of(second).count('class="whole"') == 1
    assert "<html" not in text_of(second)


def test_anybody_may_check_a_receipt_and_learns_no_name(client, bill):
    receipt = paid(bill)
    client.logout()
    client.cookies["django_language"] = "en"

    answer = client.get(reverse("receipt_check", args=[receipt.token]))

    page = text_of(answer)
    assert "This receipt is genuine" in page
    assert "385.000 ₫" in page
    assert str(receipt) in page
    assert answer["X-Robots-Tag"] == "noindex, nofollow"
    assert '<meta name="robots" content="noindex, nofollow">' in page
    for private in (receipt.payer_name, bill.household.code, bill.customer_code, bill.payment_code):
        assert private not in page


def test_a_receipt_that_was_taken_back_no_longer_counts(client, bill):
    receipt = paid(bill)
    taken_back(receipt)

    page = text_of(client.get(reverse("receipt_check", args=[receipt.token])))

    assert "This receipt no longer counts" in page
    assert "Taken back by the bank" in text_of(client.get(RECEIPTS))


def test_an_invented_receipt_is_not_there(client):
    assert client.get(reverse("receipt_check", args=["x" * 22])).status_code == 404


def test_the_household_may_open_the_pdf(client, bill):
    receipt = paid(bill)

    answer = client.get(reverse("receipt_pdf", args=[receipt.token]))

    assert answer["Content-Type"] == "application/pdf"
    assert answer.content.startswith(b"%PDF-")
    assert answer["Content-Disposition"] == f'inline; filename="bien-lai-{receipt}.pdf"'


def test_no_other_household_may_open_the_pdf(client, bill):
    receipt = paid(bill)
    client.force_login(
        make_person(phone="+84903333444"),
        backend="allauth.account.auth_backends.AuthenticationBackend",
    )

    assert client.get(reverse("receipt_pdf", args=[receipt.token])).status_code == 404


def test_an_official_without_second_factor_may_not_open_the_pdf(client, bill):
    receipt = paid(bill)
    client.force_login(
        make_official(), backend="allauth.account.auth_backends.AuthenticationBackend"
    )

    assert client.get(reverse("receipt_pdf", args=[receipt.token])).status_code == 404


@pytest.mark.parametrize("url", ["/", BILLS, PAID, RECEIPTS])
def test_as_many_queries_for_ten_rows_as_for_two(
    client, person, url, django_assert_max_num_queries
):
    household, biller, partner = make_household(phone=person.phone), make_biller(), make_partner()

    def add(rows):
        for _ in range(rows):
            make_bill(household=household, biller=biller)
            pay(make_bill(household=household, biller=biller), partner)

    def queries():
        with django_assert_max_num_queries(12) as captured:
            client.get(url)
        return len(captured)

    add(2)
    for_two = queries()
    add(8)

    assert queries() == for_two


def test_the_language_switch_is_remembered(client, person):
    del client.cookies["django_language"]

    client.post(reverse("set_language"), {"language": "en", "next": BILLS})
    english = text_of(client.get(BILLS))
    client.post(reverse("set_language"), {"language": "vi", "next": BILLS})
    vietnamese = text_of(client.get(BILLS))

    assert '<html lang="en">' in english
    assert '<html lang="vi">' in vietnamese
