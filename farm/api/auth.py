"""Who calls the farm's API: a member's key, or the member signed in to the pages."""

import re
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from rest_framework import authentication, exceptions, permissions, throttling
from rest_framework.request import Request

from accounts.models import User
from common import ratelimit
from common.net import client_ip
from farm.access import SAFE_METHODS, may_run_the_farm, may_see_the_farm
from farm.models import ApiToken
from farm.services import api_tokens

BEARER = re.compile(r"Bearer ([\x21-\x7e]{20,200})")
CALLS_PER_MINUTE = 240
WRONG_KEYS_PER_MINUTE = 30


class MemberRequest(Request):
    """A request whose person is known to run the farm."""

    user: User


class CsrfFailedError(exceptions.PermissionDenied):
    default_code = "csrf_failed"


class TokenAuthentication(authentication.BaseAuthentication):
    """`Authorization: Bearer plf_…`, a key made at /nha-mang/khoa-api/."""

    def authenticate(self, request: Request) -> tuple[User, ApiToken] | None:
        header = request.META.get("HTTP_AUTHORIZATION", "")
        if not header:
            return None
        match = BEARER.fullmatch(header)
        token = api_tokens.use_token(secret=match[1], at=timezone.now()) if match else None
        if token is None:
            wait = ratelimit.take(f"farm-key:{client_ip(request)}", limit=WRONG_KEYS_PER_MINUTE)
            if wait:
                raise exceptions.Throttled(wait)
            raise exceptions.AuthenticationFailed(
                _("This key is not known, has run out or was taken back.")
            )
        return token.user, token

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="farm"'


class SessionAuthentication(authentication.SessionAuthentication):
    """The signed-in session, with its CSRF token where something is changed."""

    def enforce_csrf(self, request: Request) -> None:
        try:
            super().enforce_csrf(request)
        except exceptions.PermissionDenied as error:
            raise CsrfFailedError(_("Send the page's CSRF token as X-CSRFToken.")) from error


class IsFarmMember(permissions.BasePermission):
    """Let in whom the greenhouse pages let in, to look or to switch."""

    message = gettext_lazy("Only the cooperative's members may do this.")

    def has_permission(self, request: Request, view: Any) -> bool:
        person = request.user
        is_allowed = may_see_the_farm if request.method in SAFE_METHODS else may_run_the_farm
        return isinstance(person, User) and is_allowed(person)


class IsFarmViewer(IsFarmMember):
    """Let in everybody who sees the farm, as its pages do: to stop, and to have seen an alarm."""

    def has_permission(self, request: Request, view: Any) -> bool:
        return isinstance(request.user, User) and may_see_the_farm(request.user)


def refuse_viewers(request: MemberRequest) -> None:
    """Refuse what only who runs the farm may do, where part of a call is open to viewers."""
    if not may_run_the_farm(request.user):
        raise exceptions.PermissionDenied(IsFarmMember.message)


class PerPerson(throttling.BaseThrottle):
    """So many calls a minute for each person, over all keys."""

    def __init__(self) -> None:
        self._seconds = 0

    def allow_request(self, request: Request, view: Any) -> bool:
        self._seconds = ratelimit.take(f"farm-api:{request.user.pk}", limit=CALLS_PER_MINUTE)
        return not self._seconds

    def wait(self) -> float:
        return self._seconds
