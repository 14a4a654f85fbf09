"""The first page and the menu of the back office."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from accounts.roles import Role
from notifications.services import send_sign_in_code, send_sms
from payments.services.bills import cancel_bill
from payments.services.reversals import ReversalReport, reverse_payment
from tests.accounts.back_office import office
from tests.payments.factories import NOON, make_bill, make_partner, pay

pytestmark = pytest.mark.django_db
ALL = {"unappliedmoney", "bill", "payment", "household", "user"}


@pytest.fixture(autouse=True)
def sunday_noon(monkeypatch):
    monkeypatch.setattr(timezone, "now", lambda: NOON)


def words(answer):
    return " ".join(re.sub(r"<[^>]+>", " ", answer.content.decode()).split())


def menu(answer):
    places = [
        item["link"].removeprefix("/quan-tri/").strip("/")
        for group in answer.context["sidebar_navigation"]
        for item in group["items"]
    ]
    return ALL & {place.rpartition("/")[2] for place in places}


@pytest.mark.parametrize(
    ("role", "places"),
    [
        (None, ALL),
        (Role.FINANCE_OFFICER, ALL - {"user"}),
        (Role.AUDITOR, ALL - {"user"}),
        (Role.CASHIER, {"unappliedmoney", "bill"}),
        (Role.POLICE_OFFICER, {"household"}),
        (Role.VILLAGE_HEAD, set()),
    ],
)
def test_the_menu_holds_what_a_role_may_open(role, places):
    assert menu(office(role).get("/quan-tri/")) == places


def test_every_place_of_the_menu_opens():
    browser = office()
    groups = browser.get("/quan-tri/").context["sidebar_navigation"]

    for item in (item for group in groups for item in group["items"]):
        assert browser.get(item["link"]).status_code == 200, item["link"]


def test_the_month_counts_what_was_collected_and_how():
    partner = make_partner()
    pay(make_bill(), partner, channel="qr")
    pay(make_bill(amount=15_000), partner, channel="counter")
    pay(make_bill(), partner, channel="mobile_app")
    last_month = datetime(2026, 10, 31, 16, 59, tzinfo=UTC)  # 23:59 in Thanh Hoá
    pay(make_bill(), partner, at=last_month)
    taken_back = pay(make_bill(), partner)
    report = ReversalReport(taken_back.payment_id, "duplicate")
    reverse_payment(partner=partner, key="r1", report=report, at=NOON)

    text = words(office(Role.FINANCE_OFFICER).get("/quan-tri/"))

    assert "Collected in 11/2026 Money 785.000 ₫ Payments 3" in text
    assert "67 % 2 of 3 payments" in text


def test_without_payments_there_is_no_share():
    text = words(office(Role.FINANCE_OFFICER).get("/quan-tri/"))

    assert "Money 0 ₫ Payments 0 Paid electronically – 0 of 0 payments" in text


def test_open_and_overdue_bills_are_counted():
    pay(make_bill(due_date=NOON.date() - timedelta(days=1)), make_partner(), amount=85_000)
    make_bill(amount=15_000, due_date=NOON.date())
    pay(make_bill(), make_partner())
    cancel_bill(bill_id=make_bill().pk, reason="x")

    text = words(office(Role.CASHIER).get("/quan-tri/"))

    assert "Awaiting payment 2 315.000 ₫" in text
    assert "Overdue 1 300.000 ₫" in text


def test_unapplied_money_waits_in_the_menu_and_on_the_page():
    partner = make_partner()
    browser = office(Role.CASHIER)
    quiet = words(browser.get("/quan-tri/"))
    for memo in ("one", "two"):
        pay(None, partner, amount=50_000, memo=memo)

    answer = browser.get("/quan-tri/")

    badges = [
        item.get("badge")
        for group in answer.context["sidebar_navigation"]
        for item in group["items"]
        if "unappliedmoney" in item["link"]
    ]
    assert "All money has found its bill." in quiet
    assert badges == [2]
    assert "2 payments fit no bill yet, 100.000 ₫ in all." in words(answer)


def test_the_first_page_asks_few_questions(django_assert_max_num_queries):
    browser, partner = office(Role.FINANCE_OFFICER), make_partner()
    for _ in range(10):
        pay(make_bill(), partner, amount=1_000_000)

    browser.get("/quan-tri/")  # the first click of a minute also writes down when it was

    with django_assert_max_num_queries(10):
        assert browser.get("/quan-tri/").status_code == 200


def test_the_log_of_messages_never_shows_a_code(settings):
    settings.DEMO = True
    send_sign_in_code(phone="+84912345678", code="471147", at=NOON)
    send_sms(phone="+84912345678", text="Nước lên, mời bà con về", kind="flood", at=NOON)
    browser = office()

    listing = browser.get("/quan-tri/notifications/message/", {"q": "0912 345 678"})
    pages = [
        browser.get(f"/quan-tri/notifications/message/{row.pk}/change/").content.decode()
        for row in listing.context["cl"].result_list
    ]

    assert len(pages) == 2
    assert not any("471147" in page for page in [*pages, listing.content.decode()])
    assert any("Nước lên, mời bà con về" in page for page in pages)
    assert any("Not shown: it is a secret." in page for page in pages)
