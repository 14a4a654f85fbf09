"""The receipt on paper: what it proves, and how anybody can check it."""

import re

import pytest
from django.urls import reverse

from accounts.models import User
from payments import selectors
from payments.models import Receipt, UnappliedMoney
from payments.receipt_pdf import render_receipt
from payments.services.reversals import ReversalReport, reverse_payment
from payments.services.unapplied import apply_unapplied
from tests.paper import page_codes, page_sizes, page_texts
from tests.payments.factories import NOON, make_bill, make_biller, make_partner, pay

pytestmark = pytest.mark.django_db


def receipt_of(bill) -> Receipt:
    return selectors.all_receipts().get(bill=bill)


def text_of(receipt: Receipt) -> str:
    [text] = page_texts(render_receipt(receipt))
    return re.sub(" +", " ", text)


def test_a_receipt_says_what_was_paid_by_whom_and_how(settings):
    settings.PORTAL_NAME = "Phú Lộc"
    biller = make_biller(code="dien", customer_code_label="Mã khách hàng")
    bill = make_bill(biller=biller, payer_name="Nguyễn Thị Ánh", amount=1_385_500, reference="HD77")
    partner = make_partner(name="Agribank Hậu Lộc")
    pay(bill, partner, bank_ref="FT26326777", payer_account_masked="****4567")

    pdf = render_receipt(receipt_of(bill))

    text = re.sub(" +", " ", "".join(page_texts(pdf)))
    for words in (
        "Phú Lộc",
        "2026-dien-000001",
        "Điện lực Hậu Lộc",
        "1.385.500 ₫",
        "Một triệu ba trăm tám mươi lăm nghìn năm trăm đồng",
        "Nguyễn Thị Ánh",
        "11/2026",
        "Mã khách hàng",
        "PD0001",
        "HD77",
        "12:00 22/11/2026",
        "Agribank Hậu Lộc",
        "FT26326777",
        "****4567",
    ):
        assert words in text
    assert page_sizes(pdf) == [(148, 210)]


def test_the_code_leads_to_the_public_page_of_the_receipt(settings):
    settings.PUBLIC_URL = "https://phuloc.example.vn"
    bill = make_bill()
    pay(bill, make_partner())
    receipt = receipt_of(bill)

    codes = page_codes(render_receipt(receipt))

    page = reverse("receipt_check", args=[receipt.token])
    assert codes == [[f"https://phuloc.example.vn{page}"]]


def test_a_receipt_whose_payment_was_taken_back_says_so_and_can_still_be_checked():
    bill, partner = make_bill(), make_partner()
    booking = pay(bill, partner)
    before = text_of(receipt_of(bill))
    report = ReversalReport(booking.payment_id, "duplicate")
    reverse_payment(partner=partner, key="R1", report=report, at=NOON)

    receipt = receipt_of(bill)
    pdf = render_receipt(receipt)

    after = re.sub(" +", " ", "".join(page_texts(pdf)))
    assert len(after) > len(before) + 40
    assert before.count("12:00 22/11/2026") + 1 == after.count("12:00 22/11/2026")
    assert str(receipt) in after
    [[url]] = page_codes(pdf)
    assert url.endswith(reverse("receipt_check", args=[receipt.token]))


def test_money_that_an_official_applied_later_names_the_transfer_it_came_by():
    bill = make_bill(amount=50_000)
    pay(None, make_partner(name="Vietcombank Hậu Lộc"), bank_ref="FTLOST")
    unapplied = UnappliedMoney.objects.get()
    official = User.objects.create_user("0912000111")
    apply_unapplied(
        unapplied_id=unapplied.pk, bill_id=bill.pk, form_token="t", actor=official, at=NOON
    )

    text = text_of(receipt_of(bill))

    assert "FTLOST" in text
    assert "Vietcombank Hậu Lộc" in text


def test_a_receipt_costs_at_most_three_queries(django_assert_max_num_queries):
    bill = make_bill()
    pay(bill, make_partner())
    receipt = receipt_of(bill)

    with django_assert_max_num_queries(3):
        render_receipt(receipt)
