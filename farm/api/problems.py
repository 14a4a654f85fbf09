"""Errors of the farm's API as RFC 9457 problem documents, each with a stable `code`."""

import json
import logging
from collections.abc import Iterator
from typing import Any, NamedTuple

from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.db import DatabaseError
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from rest_framework import exceptions
from rest_framework.views import set_rollback

from common.errors import DomainError

logger = logging.getLogger(__name__)
CONTENT_TYPE = "application/problem+json"
TITLES = {
    400: "Bad request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not found",
    405: "Method not allowed",
    409: "Conflict",
    413: "Too large",
    415: "Unsupported media type",
    422: "Refused",
    429: "Too many requests",
    500: "Internal error",
    503: "Not available",
}
# What Django REST framework calls its refusals, in words of ours.
_CODES = {
    "authentication_failed": "token-invalid",
    "not_authenticated": "token-missing",
    "permission_denied": "not-a-member",
    "csrf_failed": "csrf-failed",
    "parse_error": "malformed",
    "invalid": "invalid",
    "not_found": "not-found",
    "method_not_allowed": "method-not-allowed",
    "unsupported_media_type": "not-json",
    "throttled": "rate-limited",
}


class Problem(NamedTuple):
    """What went wrong, for a program and for the person who reads its log."""

    status: int
    code: str
    detail: str | Promise
    errors: tuple[tuple[str, str], ...] = ()
    facts: tuple[tuple[str, Any], ...] = ()
    headers: tuple[tuple[str, str], ...] = ()


# What Django itself refuses with.
_DJANGOS: dict[type[Exception], Problem] = {
    Http404: Problem(404, "not-found", gettext_lazy("There is nothing at this address.")),
    PermissionDenied: Problem(
        403, "not-a-member", gettext_lazy("Only the cooperative's members may do this.")
    ),
    RequestDataTooBig: Problem(
        413, "too-large", gettext_lazy("This is more than one call may send.")
    ),
}


def answer_problem(error: Exception, context: dict[str, Any]) -> HttpResponse:
    """Turn whatever ended a call into its problem document."""
    set_rollback()
    return problem_response(context["request"], _problem(error))


def problem_response(request: HttpRequest, problem: Problem) -> HttpResponse:
    """Write a problem as application/problem+json."""
    document: dict[str, Any] = {
        "type": f"/api/farm/v1#{problem.code}",
        "title": TITLES.get(problem.status, "Refused"),
        "status": problem.status,
        "detail": str(problem.detail),
        "instance": request.path,
        "code": problem.code,
        "trace_id": request.META.get("REQUEST_ID", ""),
        **dict(problem.facts),
    }
    if problem.errors:
        document["errors"] = [{"field": field, "detail": said} for field, said in problem.errors]
    # JSON can name half a character (a lone surrogate); an answer that quotes it cannot hold it.
    return HttpResponse(
        json.dumps(document, ensure_ascii=False).encode(errors="replace"),
        status=problem.status,
        content_type=CONTENT_TYPE,
        headers=dict(problem.headers),
    )


def _problem(error: Exception) -> Problem:
    if isinstance(error, DomainError):
        # Interlocks name themselves: a program can tell a locked output from a low tank.
        facts = [(name, str(error.facts[name])) for name in ("interlock",) if name in error.facts]
        return Problem(error.http_status, error.code, str(error), facts=tuple(facts))
    for kind, problem in _DJANGOS.items():
        if isinstance(error, kind):
            return problem
    if isinstance(error, exceptions.APIException):
        return _refusal(error)
    logger.error("a call of the farm's API failed", exc_info=error)
    if isinstance(error, DatabaseError):
        return Problem(503, "not-available", _("Please send the same call again."))
    return Problem(500, "internal", _("Please send the same call again."))


def _refusal(error: exceptions.APIException) -> Problem:
    code = _CODES.get(error.default_code, error.default_code)
    headers = []
    wait = getattr(error, "wait", None)
    if wait is not None:
        headers.append(("Retry-After", str(round(wait))))
    challenge = getattr(error, "auth_header", None)
    if challenge:
        headers.append(("WWW-Authenticate", challenge))
    if isinstance(error, exceptions.ValidationError):
        errors = tuple(_fields(error.detail))
        sentence = _("Some of what was sent cannot be taken.")
        return Problem(400, code, sentence, errors=errors)
    detail = str(error.detail)
    if isinstance(error, exceptions.NotAuthenticated):
        detail = _("Send a key, as Authorization: Bearer …, or sign in.")
    return Problem(error.status_code, code, detail, headers=tuple(headers))


def _fields(detail: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Flatten the serializer's findings to (field, sentence)."""
    if isinstance(detail, dict):
        for name, part in detail.items():
            yield from _fields(part, f"{path}.{name}" if path else str(name))
    elif isinstance(detail, list):
        for part in detail:
            yield from _fields(part, path)
    else:
        yield path, str(detail)
