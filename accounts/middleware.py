"""Officials prove twice who they are, and are signed out when they walk away."""

from collections.abc import Callable

from allauth.account.authentication import get_authentication_records
from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

BACK_OFFICE = "/quan-tri/"
SIGNED_IN_AT = "official_signed_in_at"
LAST_SEEN_AT = "official_last_seen_at"


class OfficialsSecondFactorMiddleware:
    """Let nobody into the back office without a second factor given in this session.

    Officials' sessions end after OFFICIALS_IDLE_SECONDS without a click and after
    OFFICIALS_SESSION_SECONDS in any case (OWASP ASVS 5.0, 7.3.1 and 7.3.2).
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self._turned_away(request) or self.get_response(request)

    def _turned_away(self, request: HttpRequest) -> HttpResponse | None:
        user = request.user
        is_official = user.is_authenticated and user.is_staff
        if is_official and _has_expired(request):
            logout(request)
            messages.info(request, _("You were signed out because the page was left alone."))
            return redirect(_login_url())
        if not request.path.startswith(BACK_OFFICE):
            return None
        if not user.is_authenticated:
            return redirect(f"{_login_url()}?next={request.path}")
        return self._without_second_factor(request) if is_official else None

    def _without_second_factor(self, request: HttpRequest) -> HttpResponse | None:
        if is_mfa_enabled(request.user):
            if gave_second_factor(request):
                return None
            logout(request)
            return redirect(f"{_login_url()}?next={request.path}")
        messages.warning(
            request, _("Officials need a second factor. Set it up once; it takes a minute.")
        )
        return redirect("mfa_index")


def gave_second_factor(request: HttpRequest) -> bool:
    """Whether this session was opened with TOTP, a passkey or a recovery code."""
    records = get_authentication_records(request, request.user)
    return any(record.get("method") == "mfa" for record in records)


def _login_url() -> str:
    return reverse(settings.LOGIN_URL)


def _has_expired(request: HttpRequest) -> bool:
    now = timezone.now().timestamp()
    begun = request.session.setdefault(SIGNED_IN_AT, now)
    seen = request.session.get(LAST_SEEN_AT, now)
    if (
        now - begun > settings.OFFICIALS_SESSION_SECONDS
        or now - seen > settings.OFFICIALS_IDLE_SECONDS
    ):
        return True
    # Written once a minute, so that a page with ten requests is not ten session writes.
    # A page that asks by itself how far an import is, is no sign of anybody sitting there.
    is_click = "HTTP_HX_REQUEST" not in request.META
    if LAST_SEEN_AT not in request.session or (is_click and now - seen > 60):
        request.session[LAST_SEEN_AT] = now
    return False
