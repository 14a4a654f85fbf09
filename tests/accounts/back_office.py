"""Officials of each role who have signed in with their second factor."""

import time

from django.test import Client

from accounts.models import User
from accounts.roles import Role
from accounts.services import give_role
from tests.accounts.factories import make_official

BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


def enter(client: Client, user: User) -> Client:
    """Sign somebody in as allauth does after a password and an authenticator's code."""
    client.force_login(user, backend=BACKEND)
    session = client.session
    session["account_authentication_methods"] = [
        {"method": "mfa", "type": "totp", "at": time.time()}
    ]
    session["account_authentication_methods_user"] = str(user.pk)
    session.save()
    client.cookies["django_language"] = "en"
    return client


def office(role: Role | None = None) -> Client:
    """A browser of an official with this role; of a superuser without one."""
    return enter(Client(), make_holder(role))


def make_holder(role: Role | None) -> User:
    user = make_official(is_superuser=role is None)
    return give_role(user=user, role=role) if role else user
