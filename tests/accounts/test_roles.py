"""Each role is a group that may do exactly what accounts.roles says, and nothing else."""

import importlib

import pytest
from django.apps import apps
from django.contrib.auth.models import Group, Permission
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from accounts.roles import PERMISSIONS, Role
from accounts.services import give_role, grant_roles
from tests.accounts.factories import make_person

pytestmark = pytest.mark.django_db

MONEY_THAT_STANDS = ("entry", "posting", "payment", "reversal", "receipt", "account", "apicall")


def held_by(group: Group) -> set[str]:
    rows = group.permissions.values_list("content_type__app_label", "codename")
    return {f"{app}.{codename}" for app, codename in rows}


@pytest.mark.parametrize("role", Role)
def test_a_role_has_exactly_its_permissions(role):
    wanted = {f"{app}.{action}_{model}" for app, action, model in PERMISSIONS[role]}

    assert held_by(Group.objects.get(name=role)) == wanted


def test_each_role_is_a_group_from_a_migration():
    migration = importlib.import_module("accounts.migrations.0002_roles")

    assert set(migration.ROLES) == set(Role.values) == set(PERMISSIONS)


def test_no_role_names_a_table_that_does_not_exist():
    named = {
        (app, model) for permissions in PERMISSIONS.values() for app, _action, model in permissions
    }

    assert [name for name in sorted(named) if name[1] not in apps.all_models[name[0]]] == []


def test_nobody_may_touch_money_that_stands_nor_hand_out_rights():
    granted = Permission.objects.filter(group__isnull=False)

    writing = granted.exclude(codename__startswith="view_")
    assert not writing.filter(content_type__model__in=MONEY_THAT_STANDS).exists()
    assert not granted.filter(content_type__app_label__in=("auth", "accounts", "mfa")).exists()


def test_a_right_that_was_added_by_hand_is_taken_away_again():
    cashier = Group.objects.get(name=Role.CASHIER)
    cashier.permissions.add(Permission.objects.get(codename="delete_receipt"))

    grant_roles()

    assert held_by(cashier) == {
        f"{app}.{action}_{model}" for app, action, model in PERMISSIONS[Role.CASHIER]
    }


def test_a_right_and_a_role_that_got_lost_come_back():
    Group.objects.get(name=Role.AUDITOR).delete()
    Group.objects.get(name=Role.CASHIER).permissions.clear()

    grant_roles()

    assert len(held_by(Group.objects.get(name=Role.AUDITOR))) == len(set(PERMISSIONS[Role.AUDITOR]))
    assert "payments.view_bill" in held_by(Group.objects.get(name=Role.CASHIER))


def test_granting_what_is_granted_changes_nothing(django_assert_num_queries):
    before = set(Group.permissions.through.objects.values_list("pk", flat=True))

    with django_assert_num_queries(6):  # two of them open and close the transaction
        grant_roles()

    assert set(Group.permissions.through.objects.values_list("pk", flat=True)) == before


def test_groups_that_officials_made_themselves_are_left_alone():
    own = Group.objects.create(name="Tổ công nghệ")
    own.permissions.add(Permission.objects.get(codename="view_village"))

    grant_roles()

    assert held_by(own) == {"addresses.view_village"}


def test_a_role_lets_its_holder_do_what_it_says():
    clerk = give_role(user=make_person(), role=Role.ONE_STOP_CLERK)

    assert clerk.has_perm("residents.change_household")
    assert not clerk.has_perm("payments.change_bill")


def test_giving_a_role_again_changes_nothing():
    person = give_role(user=make_person(), role=Role.VILLAGE_HEAD)

    give_role(user=person, role=Role.VILLAGE_HEAD)

    assert list(person.groups.values_list("name", flat=True)) == ["village_head"]


@pytest.mark.slow  # takes migrations back and runs them again
@pytest.mark.django_db(transaction=True)
def test_the_groups_can_be_taken_back_and_made_again():
    MigrationExecutor(connection).migrate([("accounts", "0001_initial")])
    assert not Group.objects.filter(name__in=Role.values).exists()

    MigrationExecutor(connection).migrate([("accounts", "0002_roles")])

    assert set(Group.objects.values_list("name", flat=True)) >= set(Role.values)
    grant_roles()
