"""A request's id from door to log, and broken rules turned into words on the page."""

import re
import uuid
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.http import url_has_allowed_host_and_scheme

from common.errors import DomainError

GetResponse = Callable[[HttpRequest], HttpResponse]

current_request_id: ContextVar[str] = ContextVar("current_request_id", default="")
ACCEPTABLE_ID = re.compile(r"[A-Za-z0-9._-]{8,40}")


def request_id_for(environ: dict[str, Any]) -> str:
    """Keep the caller's own id when it can stand in a log, else make one."""
    offered: str = environ.get("HTTP_X_REQUEST_ID", "")
    return offered if ACCEPTABLE_ID.fullmatch(offered) else uuid.uuid4().hex


class RequestIdMiddleware:
    """Give each request an id, or keep the caller's own, and send it back."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request_id = request.META["REQUEST_ID"] = request_id_for(request.META)
        token = current_request_id.set(request_id)
        try:
            response = self.get_response(request)
        finally:
            current_request_id.reset(token)
        response["X-Request-ID"] = request_id
        return response


class DomainErrorMiddleware:
    """Show a broken rule as a message on the page that the person came from."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Answer a DomainError by going back with its sentence; leave everything else alone."""
        if not isinstance(exception, DomainError):
            return None
        messages.error(request, str(exception))
        back = request.META.get("HTTP_REFERER", "")
        safe = url_has_allowed_host_and_scheme(
            back, allowed_hosts={request.get_host()}, require_https=request.is_secure()
        )
        # A page that fails on GET must not send the browser round in a circle.
        return HttpResponseRedirect(back if safe and request.method == "POST" else "/")
