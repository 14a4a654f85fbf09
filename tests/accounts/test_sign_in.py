"""Residents sign in with a number and a code, officials with a password and a second factor."""

import re

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from notifications.models import Message
from tests.accounts.factories import PASSWORD, make_official, make_person, totp_code
from tests.payments.factories import make_household

pytestmark = pytest.mark.django_db
ASK = reverse("account_request_login_code")
CONFIRM = reverse("account_confirm_login_code")
PASSWORD_PAGE = reverse("account_login")
SECOND_FACTOR = reverse("mfa_authenticate")


@pytest.fixture(autouse=True)
def english(client):
    client.cookies["django_language"] = "en"


def last_code() -> str:
    return re.search(r"\d{6}", Message.objects.latest("pk").text)[0]


def signed_in_as(client) -> User | None:
    return User.objects.filter(pk=client.session.get("_auth_user_id")).first()


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 1_000_000:06d}"


@pytest.mark.parametrize(
    "spelling", ["0912345678", "0912 345 678", "84-912.345.678", "+84912345678", "0084912345678"]
)
def test_any_usual_spelling_of_the_number_and_its_code_open_the_account(client, spelling):
    person = make_person()

    client.post(ASK, {"phone": spelling})
    answer = client.post(CONFIRM, {"code": last_code()})

    assert (answer.status_code, answer.url) == (302, "/")
    assert signed_in_as(client) == person


def test_the_register_opens_an_account_for_a_number_that_it_knows(client):
    make_household(phone="+84912345678", representative="Lê Thị Hoa")

    client.post(ASK, {"phone": "0912345678"})
    client.post(CONFIRM, {"code": last_code()})

    person = signed_in_as(client)
    assert (person.full_name, person.is_phone_verified) == ("Lê Thị Hoa", True)


def test_an_unknown_number_gets_a_message_without_a_code_and_the_same_page(client):
    answer = client.post(ASK, {"phone": "0903 333 444"}, follow=True)

    message = Message.objects.get()
    assert answer.redirect_chain == [(CONFIRM, 302)]
    assert (message.kind, message.phone) == ("unknown-number", "+84903333444")
    assert not re.search(r"\d{6}", message.text)
    assert not User.objects.exists()


def test_an_unknown_number_may_ask_again_without_harm(client):
    client.post(ASK, {"phone": "0903 333 444"})

    answer = client.post(CONFIRM, {"action": "resend"})

    assert answer.status_code == 302
    assert not User.objects.exists()


def test_what_is_no_number_is_told_beside_the_field_and_kept(client):
    answer = client.post(ASK, {"phone": "12345"})

    page = answer.content.decode()
    assert answer.status_code == 200
    assert '<li><a href="#id_phone">This is not a Vietnamese phone number.' in page
    assert 'value="12345"' in page
    assert not Message.objects.exists()


def test_a_wrong_code_is_told_and_the_right_one_still_works(client):
    person = make_person()
    client.post(ASK, {"phone": "0912345678"})

    answer = client.post(CONFIRM, {"code": wrong(last_code())})

    assert answer.status_code == 200
    assert '<li><a href="#id_code">' in answer.content.decode()
    assert signed_in_as(client) is None
    client.post(CONFIRM, {"code": last_code()})
    assert signed_in_as(client) == person


def test_a_code_works_once(client, django_user_model):
    make_person()
    client.post(ASK, {"phone": "0912345678"})
    code = last_code()
    client.post(CONFIRM, {"code": code})
    client.post(reverse("account_logout"))

    answer = client.post(CONFIRM, {"code": code})

    assert (answer.status_code, answer.url) == (302, ASK)
    assert signed_in_as(client) is None


def test_a_new_code_replaces_the_old_one(client):
    person = make_person()
    client.post(ASK, {"phone": "0912345678"})
    old = last_code()
    client.post(CONFIRM, {"action": "resend"})
    new = last_code()

    client.post(CONFIRM, {"code": new if new == old else old})

    assert (signed_in_as(client) is None) == (new != old)
    client.post(CONFIRM, {"code": new})
    assert signed_in_as(client) == person


def test_after_five_wrong_codes_the_right_one_is_too_late(client):
    make_person()
    client.post(ASK, {"phone": "0912345678"})
    code = last_code()

    for _ in range(5):
        client.post(CONFIRM, {"code": wrong(code)})
    client.post(CONFIRM, {"code": code})

    assert signed_in_as(client) is None


def test_a_fourth_code_within_five_minutes_is_refused(client):
    make_person()
    for _ in range(3):
        Client().post(ASK, {"phone": "0912345678"})

    answer = client.post(ASK, {"phone": "0912 345 678"})

    assert answer.status_code == 200
    assert "error-summary" in answer.content.decode()
    assert Message.objects.count() == 3


def test_signing_in_leads_back_to_the_page_that_asked(client):
    make_person()
    asked = client.get(reverse("bill_list"))
    assert asked.url == f"{ASK}?next=/hoa-don/"

    confirm = client.post(ASK, {"phone": "0912345678", "next": "/hoa-don/"}).url
    answer = client.post(confirm, {"code": last_code(), "next": "/hoa-don/"})

    assert answer.url == "/hoa-don/"


def test_nobody_can_sign_up_by_themselves(client):
    answer = client.post(reverse("account_signup"), {"phone": "0912345678", "password1": PASSWORD})

    assert answer.status_code == 200
    assert "You do not need to register" in answer.content.decode()
    assert not User.objects.exists()


def test_an_official_needs_password_and_second_factor_for_the_back_office(client):
    official = make_official()

    first = client.post(PASSWORD_PAGE, {"login": official.phone, "password": PASSWORD})
    turned_away = client.get("/quan-tri/")
    second = client.post(SECOND_FACTOR, {"code": totp_code()})

    assert first.url == SECOND_FACTOR
    assert turned_away.url == f"{PASSWORD_PAGE}?next=/quan-tri/"
    assert second.status_code == 302
    assert client.get("/quan-tri/").status_code == 200


def test_an_official_who_signs_in_by_code_is_asked_for_the_second_factor_too(client):
    official = make_official()

    client.post(ASK, {"phone": official.phone})
    answer = client.post(CONFIRM, {"code": last_code()})

    assert answer.url == SECOND_FACTOR
    assert signed_in_as(client) is None


def test_an_official_without_second_factor_is_led_to_set_it_up(client):
    official = make_official(has_totp=False)
    client.post(PASSWORD_PAGE, {"login": official.phone, "password": PASSWORD})

    answer = client.get("/quan-tri/")

    assert answer.url == reverse("mfa_index")


def test_a_wrong_second_factor_opens_nothing(client):
    official = make_official()
    client.post(PASSWORD_PAGE, {"login": official.phone, "password": PASSWORD})

    answer = client.post(SECOND_FACTOR, {"code": wrong(totp_code())})

    assert answer.status_code == 200
    assert signed_in_as(client) is None


def test_after_five_wrong_passwords_the_right_one_is_locked_out(client):
    official = make_official()
    spellings = [official.phone, f"0{official.phone[3:]}"] * 3

    for spelling in spellings[:5]:
        answer = client.post(PASSWORD_PAGE, {"login": spelling, "password": "sai-mat-khau"})
    last = client.post(PASSWORD_PAGE, {"login": official.phone, "password": PASSWORD})

    assert (answer.status_code, last.status_code) == (429, 429)
    assert "Sign-in is locked for a while" in last.content.decode()
    assert signed_in_as(client) is None


def test_a_locked_account_locks_nobody_else_behind_the_same_address(client):
    official, colleague = make_official(), make_official()
    for _ in range(5):
        client.post(PASSWORD_PAGE, {"login": official.phone, "password": "sai-mat-khau"})

    answer = client.post(PASSWORD_PAGE, {"login": colleague.phone, "password": PASSWORD})

    assert answer.status_code == 302
