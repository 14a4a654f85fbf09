"""The journey that the portal is for: a household sees its bill, pays it, and holds the receipt."""

import io
import json
import re

import pytest
import zxingcpp
from django.core.management import call_command
from django.utils import timezone
from PIL import Image
from playwright.sync_api import expect

from common import ratelimit
from notifications.models import Message
from payments.api import auth
from payments.models import Bill
from payments.qr_payload import bill_payload
from payments.services.partners import create_partner
from payments.vietqr import decode
from tests.payments.factories import make_bill, make_household

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,  # a browser goes through seven pages
    pytest.mark.django_db(transaction=True),
]


@pytest.fixture
def bank_credentials(tmp_path, db):
    """The simulator's credentials, as create_bank_partner --json prints them."""
    auth.forget_sessions()
    ratelimit.forget()
    credentials = create_partner(code="demobank", name="Demo", at=timezone.now())
    path = tmp_path / "bank.json"
    path.write_text(json.dumps(credentials._asdict()))
    return str(path)


def test_sign_in_see_the_bill_scan_pay_and_open_the_receipt(
    page, live_server, complaints, bank_credentials
):
    household = make_household(phone="+84912345678")
    bill = make_bill(household=household)

    page.goto(f"{live_server.url}/hoa-don/")
    page.get_by_role("textbox").first.fill("0912 345 678")
    page.locator("main form button[type=submit]").first.click()
    code = re.search(r"\d{6}", Message.objects.get(phone="+84912345678").text)[0]
    page.locator("input[autocomplete=one-time-code]").fill(code)
    page.locator("main form button[type=submit]").first.click()
    expect(page.locator("main")).to_contain_text("385.000")
    page.locator(f"a[href*='{bill.payment_code}']").first.click()

    picture = page.locator("img[src*='qr']").first
    expect(picture).to_be_visible()
    page.wait_for_load_state("load")
    screen = Image.open(io.BytesIO(picture.screenshot()))
    [scanned] = zxingcpp.read_barcodes(screen)
    bill = Bill.objects.select_related("biller__bank").get(pk=bill.pk)
    assert scanned.text == bill_payload(bill)
    transfer = decode(scanned.text).transfer
    assert (transfer.amount_vnd, transfer.memo) == (385_000, bill.payment_code)

    call_command(
        "simulate_bank", transfer.memo, "--url", live_server.url, "--credentials", bank_credentials
    )

    expect(page.locator("main a[href*='/bien-lai/']").first).to_be_visible(timeout=15_000)
    page.locator("main a[href*='/bien-lai/']").first.click()
    expect(page.locator("main")).to_contain_text(
        f"{timezone.localdate():%Y}-{bill.biller.code}-000001"
    )
    bill.refresh_from_db()
    assert bill.status == Bill.Status.PAID
    assert complaints == []
