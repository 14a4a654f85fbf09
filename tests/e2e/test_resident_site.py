"""The resident site in a real browser at phone size: for every eye, and without scripts too."""

import io
import re

import pytest
import zxingcpp
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.urls import reverse
from PIL import Image
from playwright.sync_api import expect

from notifications.models import Message
from notifications.services import put_in_inbox
from payments.qr_payload import bill_payload
from tests.accounts.factories import PASSWORD, make_official, make_person
from tests.e2e.conftest import SMALLEST
from tests.payments.factories import NOON, make_bill, make_biller, make_household, make_partner, pay

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,  # a browser has to start, load pages and look at them
    pytest.mark.django_db(transaction=True),
]
FOR_STRANGERS = ("home", "account_request_login_code", "account_login", "account_signup")
FOR_RESIDENTS = (
    "home", "bill_list", "paid_bill_list", "receipt_list", "inbox", "account", "account_logout",
)  # fmt: skip
WCAG = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
COLOURS = {"runOnly": ["color-contrast"]}  # the only rule that the dark scheme can break


@pytest.fixture
def person():
    return make_person()


@pytest.fixture
def bill(person):
    """The first of two bills to pay, of a household with a paid one, its receipt and a message."""
    household, biller, partner = make_household(phone=person.phone), make_biller(), make_partner()
    pay(make_bill(household=household, biller=biller), partner)
    make_bill(
        household=household, biller=make_biller(name="Nhà máy nước sạch Hậu Lộc", service="water")
    )
    put_in_inbox(
        user=person,
        kind="receipt",
        title="Paid",
        text="Thank you",
        link="/",
        at=NOON,
        dedupe_key="1",
    )
    return make_bill(household=household, biller=biller, due_date=None)


@pytest.fixture
def resident(page, sign_in, person):
    """The page of somebody who has signed in."""
    sign_in(page.context, person)
    return page


def assert_fit_for_everybody(page):
    """Nothing for axe to find in light and dark, nothing to scroll sideways on a small phone."""
    for scheme, rules in (("light", WCAG), ("dark", COLOURS)):
        page.emulate_media(color_scheme=scheme)
        report = Axe().run(page, options=rules)
        assert report.violations_count == 0, f"{page.url} {scheme}\n{report.generate_report()}"
    page.set_viewport_size(SMALLEST)
    assert page.evaluate("document.documentElement.scrollWidth") == SMALLEST["width"], page.url


def targets_too_small(page) -> list[str]:
    """Buttons, tabs and the like under 44 px; links within sentences are as high as their line."""
    return page.eval_on_selector_all(
        "button:not([hidden]), .button, .places a, .tabs a, "
        "input:not([hidden], [type=hidden], [type=checkbox])",
        """elements => elements.filter(e => e.getBoundingClientRect().height < 43.5)
                               .map(e => e.outerHTML.slice(0, 80))""",
    )


@pytest.mark.parametrize("name", FOR_STRANGERS)
def test_a_stranger_can_use_the_page(page, live_server, complaints, name):
    page.goto(live_server.url + reverse(name))

    assert_fit_for_everybody(page)
    assert targets_too_small(page) == []
    assert complaints == []


@pytest.mark.parametrize("name", FOR_RESIDENTS)
def test_a_resident_can_use_the_page(resident, live_server, bill, complaints, name):
    resident.goto(live_server.url + reverse(name))

    assert_fit_for_everybody(resident)
    assert targets_too_small(resident) == []
    assert complaints == []


def test_what_axe_and_the_ruler_look_for_would_be_found(page, live_server):
    page.goto(live_server.url)
    page.evaluate("""() => {
        document.querySelector("main").innerHTML +=
          '<img src="/x.png"><button type="button" id="low">.</button>';
        document.getElementById("low").style.cssText = "height: 20px; min-height: 0; padding: 0";
    }""")

    assert "image-alt" in Axe().run(page, options=WCAG).generate_report()
    assert len(targets_too_small(page)) == 1


def test_a_resident_can_use_the_pages_of_bills_and_receipts(
    resident, live_server, bill, complaints, settings
):
    settings.BANK_APP_LINK = "https://bank.test/{app}/{bank}/{account}/{amount}/{memo}"
    paid = bill.biller.bills.exclude(pk=bill.pk).get()

    for url in (
        reverse("bill", args=[bill.payment_code]),
        reverse("bill", args=[paid.payment_code]),
        reverse("receipt_check", args=[paid.receipts.get().token]),
    ):
        resident.goto(live_server.url + url)
        assert_fit_for_everybody(resident)
        assert targets_too_small(resident) == []
    assert complaints == []


def test_empty_pages_are_fit_too(resident, live_server, complaints):
    for name in ("home", "bill_list", "paid_bill_list", "receipt_list", "inbox", "account"):
        resident.goto(live_server.url + reverse(name))
        assert_fit_for_everybody(resident)
    assert complaints == []


def test_the_second_factor_can_be_set_up(page, live_server, complaints):
    official = make_official(has_totp=False)
    page.goto(live_server.url + reverse("account_login"))
    page.get_by_label("Phone number").fill(official.phone)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.goto(live_server.url + reverse("mfa_activate_totp"))
    assert_fit_for_everybody(page)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("heading", name="Set up the app")).to_be_visible()

    for name in ("mfa_index", "mfa_activate_totp", "mfa_add_webauthn", "account_change_password"):
        page.goto(live_server.url + reverse(name))
        assert_fit_for_everybody(page)
        assert targets_too_small(page) == []
    assert complaints == []


def test_a_passkey_can_be_added_and_then_opens_the_back_office(page, live_server, complaints):
    official = make_official(has_totp=False)
    security_key = page.context.new_cdp_session(page)
    security_key.send("WebAuthn.enable")
    security_key.send(
        "WebAuthn.addVirtualAuthenticator",
        {
            "options": {
                "protocol": "ctap2",
                "transport": "internal",
                "hasResidentKey": True,
                "hasUserVerification": True,
                "isUserVerified": True,
            }
        },
    )
    page.goto(live_server.url + reverse("account_login"))
    page.get_by_label("Phone number").fill(official.phone)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()

    page.goto(live_server.url + reverse("mfa_add_webauthn"))
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Continue").click()
    page.get_by_label("Let me sign in with it alone").check()
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("heading", name="Recovery codes")).to_be_visible()
    page.context.clear_cookies(name=settings.SESSION_COOKIE_NAME)
    page.goto(live_server.url + reverse("account_login"))
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.get_by_role("link", name="Open the back office")).to_be_visible()

    assert page.goto(live_server.url + reverse("admin:index")).status == 200
    assert complaints == []


def test_the_picture_on_the_screen_is_the_bill(resident, live_server, bill):
    resident.goto(live_server.url + reverse("bill", args=[bill.payment_code]))

    shot = Image.open(io.BytesIO(resident.locator(".qr").screenshot()))

    [code] = zxingcpp.read_barcodes(shot)
    assert code.text == bill_payload(bill)
    assert resident.locator(".qr").bounding_box()["width"] >= 320


def test_the_open_bill_says_by_itself_that_it_is_paid(resident, live_server, bill):
    resident.goto(live_server.url + reverse("bill", args=[bill.payment_code]))

    pay(bill, make_partner())

    expect(resident.get_by_role("heading", name="Paid")).to_be_visible(timeout=10_000)
    expect(resident.locator("#told")).to_have_text("Paid. Thank you!")
    receipt = resident.get_by_role("link", name=re.compile(r"Receipt \d"))
    expect(receipt).to_have_attribute(
        "href", reverse("receipt_check", args=[bill.receipts.get().token])
    )


def test_a_copy_button_copies_and_says_so(resident, live_server, bill):
    resident.context.grant_permissions(["clipboard-read", "clipboard-write"])
    resident.goto(live_server.url + reverse("bill", args=[bill.payment_code]))

    resident.get_by_role("button", name="Copy the message").click()

    expect(resident.locator("#told")).to_have_text("Copied")
    assert resident.evaluate("navigator.clipboard.readText()") == bill.payment_code


def test_the_picture_can_be_saved(resident, live_server, bill):
    resident.goto(live_server.url + reverse("bill", args=[bill.payment_code]))

    with resident.expect_download() as download:
        resident.get_by_role("link", name="Save the picture").click()

    [code] = zxingcpp.read_barcodes(Image.open(download.value.path()))
    assert download.value.suggested_filename == f"{bill.payment_code}.png"
    assert code.text == bill_payload(bill)


def test_everything_works_without_javascript(new_context, live_server, bill):
    page = new_context(java_script_enabled=False).new_page()

    page.goto(live_server.url)
    page.get_by_role("link", name="See my household's bills").click()
    page.get_by_label("Phone number").fill("0912 345 678")
    page.get_by_role("button", name="Send me a code").click()
    code = re.search(r"\d{6}", Message.objects.filter(kind="sign-in-code").latest("pk").text)[0]
    page.get_by_label("Code").fill(code)
    page.get_by_role("button", name="Continue").click()
    page.locator(f'a[href="{reverse("bill", args=[bill.payment_code])}"]').click()

    shot = Image.open(io.BytesIO(page.locator(".qr").screenshot()))
    assert zxingcpp.read_barcodes(shot)[0].text == bill_payload(bill)
    expect(page.get_by_role("link", name="I have paid, look again")).to_be_visible()
    expect(page.get_by_role("button", name="Copy the amount")).to_be_hidden()

    pay(bill, make_partner())
    page.get_by_role("link", name="I have paid, look again").click()

    expect(page.get_by_role("heading", name="Paid")).to_be_visible()


def test_a_bill_costs_few_requests_and_no_other_origin(resident, live_server, bill):
    asked = []
    resident.on("request", lambda request: asked.append(request.url))
    resident.goto(live_server.url + reverse("bill", args=[bill.payment_code]))
    resident.wait_for_load_state("load")

    assert len(asked) <= 8
    assert {url for url in asked if not url.startswith(live_server.url)} == set()
