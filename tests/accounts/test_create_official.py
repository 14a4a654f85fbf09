"""An official's account is opened on the server's console, with a password that is shown once."""

import re
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from accounts.errors import AlreadyOfficialError
from accounts.models import User
from accounts.roles import Role
from accounts.services import open_official
from tests.accounts.factories import make_person

BACKEND = "allauth.account.auth_backends.AuthenticationBackend"

pytestmark = pytest.mark.django_db


def create(phone="0912 345 678", name="Phạm Thị Thu Hà", role="finance_officer"):
    call_command("create_official", phone, name=name, role=role, stdout=(out := StringIO()))
    return out.getvalue()


def test_the_official_can_sign_in_with_the_password_that_is_printed():
    printed = create()

    official = User.objects.get(phone="+84912345678")
    assert official.check_password(re.search(r"password: (\S+)", printed)[1])
    assert (official.full_name, official.is_staff, official.is_superuser) == (
        "Phạm Thị Thu Hà",
        True,
        False,
    )
    assert list(official.groups.values_list("name", flat=True)) == ["finance_officer"]
    assert "0912 345 678" in printed


def test_the_back_office_stays_shut_until_there_is_a_second_factor(client):
    create()
    client.force_login(User.objects.get(), backend=BACKEND)

    assert client.get("/quan-tri/").url == "/bao-mat/"


def test_a_resident_becomes_an_official_under_the_same_account():
    resident = make_person(phone="+84912345678", full_name="Hà")

    create()

    official = User.objects.get()
    assert (official.pk, official.full_name, official.is_staff) == (
        resident.pk,
        "Phạm Thị Thu Hà",
        True,
    )


def test_somebody_who_is_an_official_keeps_password_and_role():
    first = open_official(
        phone="+84912345678", full_name="Hà", role=Role.CASHIER, password="the-first-password"
    )

    with pytest.raises(CommandError):
        create()
    with pytest.raises(AlreadyOfficialError):
        open_official(
            phone="+84912345678", full_name="X", role=Role.CHAIRPERSON, password="another-one"
        )

    first.refresh_from_db()
    assert first.check_password("the-first-password")
    assert list(first.groups.values_list("name", flat=True)) == ["cashier"]


@pytest.mark.parametrize("wrong", [{"phone": "12345"}, {"role": "mayor"}])
def test_a_wrong_number_or_role_makes_no_account(wrong):
    with pytest.raises(CommandError):
        create(**wrong)

    assert not User.objects.exists()
