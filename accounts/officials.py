"""What an administrator does to accounts: roles, a lost phone, a forgotten password."""

import secrets
from collections.abc import Collection

from allauth.mfa.models import Authenticator
from django.contrib.auth.models import Group
from django.db import transaction

from accounts.models import User
from accounts.roles import FIELD_ROLES, Role


def new_password() -> str:
    """Give a password that nobody can guess, to be handed over once."""
    return secrets.token_urlsafe(12)


@transaction.atomic
def change_account(
    *, user: User, full_name: str, is_active: bool, is_staff: bool, roles: Collection[str]
) -> User:
    """Change who the person is to us; somebody who is no official keeps roles of the field only."""
    user.full_name, user.is_active, user.is_staff = full_name, is_active, is_staff
    user.save(update_fields=["full_name", "is_active", "is_staff", "updated_at"])
    wanted = set(roles) if is_staff else set(roles) & FIELD_ROLES
    user.groups.remove(*Group.objects.filter(name__in=set(Role.values) - wanted))
    user.groups.add(*Group.objects.filter(name__in=wanted & set(Role.values)))
    return user


@transaction.atomic
def reset_second_factor(*, user: User) -> int:
    """Forget the person's authenticator, passkeys and recovery codes; tell how many there were.

    The password stays, and the back office stays shut until they have set up a new factor.
    """
    deleted: int = Authenticator.objects.filter(user=user).delete()[0]
    return deleted


@transaction.atomic
def reset_password(*, user: User, password: str) -> User:
    """Set a password, which also ends every session of the account."""
    user.set_password(password)
    user.save(update_fields=["password", "updated_at"])
    return user
