"""Accounts in the back office: only a superuser opens them, and through the services."""

import re

import pytest
from allauth.mfa.models import Authenticator
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from accounts.models import User
from accounts.roles import Role
from tests.accounts.back_office import BACKEND, enter, make_holder, office
from tests.accounts.factories import make_official, make_person

pytestmark = pytest.mark.django_db
LISTING = reverse("admin:accounts_user_changelist")


def page(user, name="change"):
    return reverse(f"admin:accounts_user_{name}", args=[user.pk])


def button(user, name):
    return f"{LISTING}{user.pk}/{name}/"


def account_form(user, **changes):
    fields = {"phone": user.phone, "full_name": user.full_name, "is_active": "on"}
    return fields | changes


def roles_of(user):
    return sorted(user.groups.values_list("name", flat=True))


@pytest.mark.parametrize("role", [*Role])
def test_nobody_below_a_superuser_sees_or_grants_anything(role):
    browser, person = office(role), make_person()

    answers = [
        browser.get(LISTING),
        browser.get(page(person)),
        browser.get(f"{LISTING}add/"),
        browser.post(page(person), account_form(person, is_staff="on", roles_held=[role])),
        browser.post(button(person, "reset_second_factor")),
        browser.post(button(person, "reset_password")),
    ]

    person.refresh_from_db()
    assert [answer.status_code for answer in answers] == [403] * 6
    assert (person.is_staff, roles_of(person)) == (False, [])


def test_a_permission_given_by_hand_opens_no_account_either():
    clerk, person = make_holder(Role.ONE_STOP_CLERK), make_person()
    clerk.user_permissions.set(Permission.objects.filter(content_type__app_label="accounts"))

    answer = enter(Client(), clerk).post(page(person), account_form(person, is_staff="on"))

    assert answer.status_code == 403
    assert not User.objects.get(pk=person.pk).is_staff


def test_somebody_becomes_an_official_with_a_password_shown_once():
    browser = office()

    answer = browser.post(
        f"{LISTING}add/",
        {"phone": "0912 345 678", "full_name": "Phạm Thị Hà", "role": "finance_officer"},
    )

    user = User.objects.get(phone="+84912345678")
    password = re.search(r'class="office-secret">([^<]+)<', answer.content.decode())[1]
    assert (user.is_staff, roles_of(user)) == (True, ["finance_officer"])
    assert user.check_password(password)
    assert "no-store" in answer.headers["Cache-Control"]
    assert password not in browser.get(page(user)).content.decode()


def test_a_resident_becomes_an_official_and_stays_the_same_person():
    person = make_person(phone="+84912345678")

    office().post(
        f"{LISTING}add/", {"phone": "84912345678", "full_name": "Lê Thị Hoa", "role": "cashier"}
    )

    person.refresh_from_db()
    assert (person.is_staff, roles_of(person)) == (True, ["cashier"])


def test_roles_are_set_and_taken_away():
    user = make_holder(Role.CASHIER)
    form = account_form(user, is_staff="on", roles_held=["finance_officer", "auditor"])

    office().post(page(user), form)

    assert roles_of(user) == ["auditor", "finance_officer"]


def test_who_is_no_official_any_more_holds_no_role():
    user = make_holder(Role.CASHIER)

    office().post(page(user), account_form(user, roles_held=["cashier"]))

    user.refresh_from_db()
    assert (user.is_staff, roles_of(user)) == (False, [])


def test_a_role_that_does_not_exist_is_refused():
    user = make_holder(Role.CASHIER)

    office().post(page(user), account_form(user, is_staff="on", roles_held=["god"]))

    assert roles_of(user) == ["cashier"]


def test_a_new_number_is_taken_in_any_spelling_and_must_be_proven():
    person = make_person()

    office().post(page(person), account_form(person, phone="0987.654.321"))

    person.refresh_from_db()
    assert (person.phone, person.is_phone_verified) == ("+84987654321", False)


def test_a_name_alone_leaves_the_number_proven():
    person = make_person()

    office().post(page(person), account_form(person, full_name="Lê Thị Hoà"))

    person.refresh_from_db()
    assert (person.full_name, person.is_phone_verified) == ("Lê Thị Hoà", True)


def test_a_superuser_cannot_shut_themselves_out():
    user = make_holder(None)
    browser = enter(Client(), user)

    browser.post(page(user), {"phone": user.phone, "full_name": "Tôi"})

    user.refresh_from_db()
    assert (user.full_name, user.is_active, user.is_staff) == ("Tôi", True, True)


def test_a_lost_phone_is_forgotten_after_a_question():
    user, browser = make_official(), office()

    question = browser.get(button(user, "reset_second_factor"))
    kept = Authenticator.objects.filter(user=user).count()
    browser.post(button(user, "reset_second_factor"))

    assert "until they have set up a new one" in question.content.decode()
    assert (kept, Authenticator.objects.filter(user=user).count()) == (1, 0)
    assert "Second factor reset." in browser.get(page(user, "history")).content.decode()


def test_a_new_password_ends_the_old_sessions():
    user, session = make_official(), Client()
    session.force_login(user, backend=BACKEND)

    answer = office().post(button(user, "reset_password"))

    password = re.search(r'class="office-secret">([^<]+)<', answer.content.decode())[1]
    user.refresh_from_db()
    assert user.check_password(password)
    assert session.get("/quan-tri/").url == "/dang-nhap/mat-khau/?next=/quan-tri/"


def test_no_account_is_deleted():
    person = make_person()

    assert office().post(page(person, "delete"), {"post": "yes"}).status_code == 403
    assert User.objects.filter(pk=person.pk).exists()


@pytest.mark.parametrize("typed", ["0912 345 678", "+84912345678", "hoa", "LÊ THỊ"])
def test_an_account_is_found_by_number_or_name(typed):
    person = make_person()

    answer = office().get(LISTING, {"q": typed})

    assert person.pk in [row.pk for row in answer.context["cl"].result_list]


def test_ten_accounts_cost_as_many_queries_as_two(django_assert_num_queries):
    browser = office()
    make_holder(Role.CASHIER)
    browser.get(LISTING)

    def fill_and_look(queries):
        with django_assert_num_queries(queries):
            assert browser.get(LISTING).status_code == 200

    few = 7
    fill_and_look(few)
    for _ in range(8):
        make_holder(Role.AUDITOR)
    fill_and_look(few)
