"""The short lane for partner banks, and the language that pages speak."""

import threading
import time
from collections.abc import Callable
from functools import lru_cache

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connections
from django.http import HttpRequest, HttpResponse
from django.urls import ResolverMatch, resolve
from django.utils import translation

PREFIX = "/api/payments/v1/"
URLCONF = "payments.api.urls"
PING_AFTER_SECONDS = 1.0


_this_thread = threading.local()


class PartnerApiLane:
    """Call the bank API's views at once; every other request takes the whole road.

    The rest of the middleware serves people with browsers and costs more than the API's own
    work (measured in bench/). Its views carry their own authentication, limits and log.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.path_info.startswith(PREFIX):
            return self.get_response(request)
        return answer_partner(request)


def answer_partner(request: HttpRequest) -> HttpResponse:
    """Answer a call below PREFIX; an unknown address there has a view of its own."""
    match = request.resolver_match = _match(request.path_info)
    _look_after_the_session()
    response: HttpResponse = match.func(request, *match.args, **match.kwargs)
    return response


@lru_cache(maxsize=256)
def _match(path: str) -> ResolverMatch:
    return resolve(path[len(PREFIX) - 1 :], URLCONF)


def _look_after_the_session() -> None:
    """Close a database session that is too old; believe that one in steady use still lives.

    Should it have died since, the call is answered 503 with retry "same_key", and the thread's
    next call gets a new session.
    """
    connection = connections[DEFAULT_DB_ALIAS]  # each look at django.db.connection finds it anew
    now = time.monotonic()
    if now - getattr(_this_thread, "called_at", 0.0) < PING_AFTER_SECONDS:
        connection.health_check_done = True  # type: ignore[attr-defined]  # unknown to the stubs
    elif not connection.in_atomic_block:
        connection.close_if_unusable_or_obsolete()
    _this_thread.called_at = now


class ChosenLanguageMiddleware:
    """Speak Vietnamese until somebody chooses otherwise.

    A cheap phone is often set to English by whoever sold it, so what the browser prefers says
    nothing about its owner; only the switch on the page does.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        chosen = request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME, "")
        language = chosen if chosen in dict(settings.LANGUAGES) else settings.LANGUAGE_CODE
        with translation.override(language):
            request.LANGUAGE_CODE = language
            response = self.get_response(request)
        response.headers.setdefault("Content-Language", language)
        return response
