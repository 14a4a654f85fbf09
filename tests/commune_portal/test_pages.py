"""Pages of the portal itself: the door, the demo's help, error pages, what phones ask for."""

import json

import pytest
from django.contrib.staticfiles import finders
from django.template.loader import render_to_string
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from PIL import Image

from common.phone import to_e164
from commune_portal import views
from commune_portal.demo.accounts import DEMO_ACCOUNTS, OFFICIALS, RESIDENT_WITH_BILLS
from commune_portal.demo_people import demo_people
from notifications.models import Message
from notifications.services import put_in_inbox, send_sign_in_code
from tests.accounts.factories import make_person
from tests.payments.factories import NOON


@pytest.fixture
def english(client):
    client.cookies["django_language"] = "en"
    return client


@pytest.mark.django_db
def test_the_door_says_what_this_is_and_leads_to_the_bills(english):
    page = english.get("/").content.decode()

    assert "See what your household owes, and pay it from your phone" in page
    assert f'href="{reverse("bill_list")}"' in page
    assert 'class="places"' not in page


@pytest.mark.django_db
def test_there_is_no_demo_page_where_people_are_real(english, settings):
    settings.DEMO = False

    assert english.get(reverse("demo_help")).status_code == 404


@pytest.mark.django_db
def test_the_demo_page_names_every_account_and_what_opens_it(english, settings):
    settings.DEMO = True
    send_sign_in_code(phone=to_e164(RESIDENT_WITH_BILLS.phone), code="123456", at=timezone.now())
    send_sign_in_code(phone=to_e164(RESIDENT_WITH_BILLS.phone), code="654321", at=timezone.now())

    page = english.get(reverse("demo_help")).content.decode()

    assert all(account.full_name in page for account in DEMO_ACCOUNTS)
    assert "<code>654321</code>" in page
    assert "123456" not in page
    assert OFFICIALS[0].password in page


@pytest.mark.django_db
def test_the_second_code_of_the_demo_is_the_one_of_its_moment():
    first, later = demo_people(at=NOON), demo_people(at=NOON.replace(second=30))

    codes = [(a.totp_code, b.totp_code) for a, b in zip(first, later, strict=True) if a.totp_code]
    assert len(codes) == len(OFFICIALS)
    assert all(len(now) == 6 and now != then for now, then in codes)


def code_page(client) -> str:
    """Ask for a code as the demo's resident, and read the page that takes it."""
    answer = client.post(
        reverse("account_request_login_code"), {"phone": RESIDENT_WITH_BILLS.phone}, follow=True
    )
    return answer.content.decode()


@pytest.mark.django_db
@pytest.mark.parametrize("is_demo", [True, False])
def test_only_the_demo_shows_the_code_that_a_text_message_would_bring(english, settings, is_demo):
    settings.DEMO = is_demo
    make_person(phone=to_e164(RESIDENT_WITH_BILLS.phone))

    page = code_page(english)

    [code] = [person.sms_code for person in demo_people(at=NOON) if person.sms_code]
    assert (f"<strong>{code}</strong>" in page) is is_demo


@pytest.mark.django_db
def test_the_manifest_names_icons_that_exist(english):
    manifest = json.loads(english.get(reverse("manifest")).content)

    assert (manifest["start_url"], manifest["display"]) == ("/", "standalone")
    assert [icon["sizes"] for icon in manifest["icons"]] == ["192x192", "512x512"]
    for icon in manifest["icons"]:
        with Image.open(finders.find(icon["src"].removeprefix("/static/"))) as picture:
            assert icon["sizes"] == f"{picture.width}x{picture.height}"


def test_the_error_page_of_the_server_needs_no_database(rf):
    request = rf.get("/")
    request.META["REQUEST_ID"] = "abc12345"

    answer = views.server_error(request)

    assert answer.status_code == 500
    assert "<code>abc12345</code>" in answer.content.decode()


@pytest.mark.django_db
def test_an_unknown_address_gets_our_page(english):
    answer = english.get("/khong-co/")

    assert answer.status_code == 404
    assert "There is no such page" in answer.content.decode()


@pytest.mark.django_db
def test_a_form_from_elsewhere_gets_our_page():
    strict = Client(enforce_csrf_checks=True)
    strict.cookies["django_language"] = "en"

    answer = strict.post(reverse("account_request_login_code"), {"phone": "0912345678"})

    assert answer.status_code == 403
    assert "This form was open for too long" in answer.content.decode()


@pytest.mark.django_db
@pytest.mark.parametrize("template", ["400.html", "403.html", "429.html"])
def test_the_other_error_pages_stand_without_a_request(template):
    assert "<h1>" in render_to_string(template)


@pytest.mark.django_db
def test_the_inbox_shows_own_messages_and_takes_the_mark_off(english):
    person, other = make_person(), make_person(phone="+84903333444")
    for owner, title in ((person, "Tiền đã đến"), (other, "Của người khác")):
        put_in_inbox(
            user=owner,
            kind="receipt",
            title=title,
            text="…",
            link="/bien-lai/",
            at=NOON,
            dedupe_key=title,
        )
    english.force_login(person, backend="allauth.account.auth_backends.AuthenticationBackend")

    before = english.get(reverse("inbox")).content.decode()
    english.post(reverse("inbox_read"))
    after = english.get(reverse("inbox")).content.decode()

    assert "Tiền đã đến" in before
    assert "Của người khác" not in before
    assert ("Unread" in before, "Unread" in after) == (True, False)
    assert Message.objects.filter(read_at__isnull=True).get().user == other


@pytest.mark.django_db
def test_every_page_forbids_inline_code(english):
    policy = english.get("/")["Content-Security-Policy"]

    assert "script-src 'self'" in policy
    assert "style-src 'self'" in policy
    assert "unsafe" not in policy


@pytest.mark.django_db
@pytest.mark.parametrize("cookie", ["", "xx", "en-GB"])
def test_a_phone_set_to_english_is_spoken_to_in_vietnamese(client, cookie):
    client.cookies["django_language"] = cookie

    answer = client.get("/", headers={"Accept-Language": "en"})

    assert answer["Content-Language"] == "vi"
    assert '<html lang="vi"' in answer.content.decode()
