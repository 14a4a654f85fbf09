"""The pages around the second factor: each looks like the site and does what it says."""

import pytest
from allauth.mfa.models import Authenticator
from django.urls import reverse

from accounts.models import User
from tests.accounts.factories import PASSWORD, TOTP_SECRET, make_official, totp_code

pytestmark = pytest.mark.django_db


@pytest.fixture
def official(client) -> User:
    """An official who has signed in with both factors, and just shown again who it is."""
    client.cookies["django_language"] = "en"
    person = make_official()
    client.post(reverse("account_login"), {"login": person.phone, "password": PASSWORD})
    client.post(reverse("mfa_authenticate"), {"code": totp_code()})
    client.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    return person


@pytest.fixture
def passkey(official) -> Authenticator:
    return Authenticator.objects.create(
        user=official,
        type=Authenticator.Type.WEBAUTHN,
        data={"name": "Điện thoại", "credential": {}},
    )


def page_of(client, name: str, **kwargs) -> str:
    answer = client.get(reverse(name, kwargs=kwargs))
    assert answer.status_code == 200
    return answer.content.decode()


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("mfa_index", "Authenticator app"),
        ("mfa_deactivate_totp", "Stop using the authenticator app?"),
        ("mfa_generate_recovery_codes", "Make new recovery codes?"),
        ("mfa_list_webauthn", "No passkeys yet."),
        ("mfa_add_webauthn", "Name of the passkey"),
        ("mfa_reauthenticate", "Show that it is you"),
        ("account_reauthenticate", "Show that it is you"),
        ("account_change_password", "Password until now"),
        ("account_change_phone", "New phone number"),
        ("account_logout", "Do you want to sign out?"),
    ],
)
def test_the_page_is_ours(client, official, name, words):
    page = page_of(client, name)

    assert words in page
    assert 'class="mark"' in page


def test_the_page_of_the_second_factor_is_ours(client):
    client.cookies["django_language"] = "en"
    person = make_official()
    client.post(reverse("account_login"), {"login": person.phone, "password": PASSWORD})

    page = page_of(client, "mfa_authenticate")

    assert "Enter the code of your authenticator app" in page
    assert 'inputmode="numeric"' in page


def test_setting_up_the_app_gives_recovery_codes(client):
    client.cookies["django_language"] = "en"
    person = make_official(has_totp=False)
    client.post(reverse("account_login"), {"login": person.phone, "password": PASSWORD})
    client.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    assert 'src="data:image/svg+xml;base64,' in page_of(client, "mfa_activate_totp")
    session = client.session
    session["mfa.totp.secret"] = TOTP_SECRET
    session.save()

    answer = client.post(reverse("mfa_activate_totp"), {"code": totp_code()}, follow=True)

    assert answer.redirect_chain == [(reverse("mfa_view_recovery_codes"), 302)]
    assert answer.content.decode().count("<li><code>") == 10
    assert Authenticator.objects.filter(user=person, type=Authenticator.Type.TOTP).exists()


@pytest.mark.parametrize("name", ["mfa_edit_webauthn", "mfa_remove_webauthn"])
def test_the_pages_of_one_passkey_are_ours(client, passkey, name):
    page = page_of(client, name, pk=passkey.pk)

    assert 'class="mark"' in page


def test_passkeys_are_listed_by_their_name(client, passkey):
    assert "Điện thoại" in page_of(client, "mfa_list_webauthn")


def test_renaming_a_passkey_leads_back_to_the_list(client, passkey):
    answer = client.post(
        reverse("mfa_edit_webauthn", kwargs={"pk": passkey.pk}), {"name": "Máy bàn"}
    )

    assert answer.url == reverse("mfa_list_webauthn")
    assert "Máy bàn" in page_of(client, "mfa_list_webauthn")
