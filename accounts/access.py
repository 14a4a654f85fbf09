"""Who may open a page: the first question of every resident's view."""

from collections.abc import Callable
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django_htmx.middleware import HtmxDetails

from accounts.models import User

SIGN_IN = (
    "account_request_login_code"  # residents have no password; settings.LOGIN_URL asks for one
)


class SignedInRequest(HttpRequest):
    """A request whose person is known."""

    user: User
    htmx: HtmxDetails


def sign_in_required(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Send a stranger to the sign-in by phone number and code, and back afterwards."""
    guarded: Callable[..., Any] = login_required(view, login_url=SIGN_IN)
    return guarded
