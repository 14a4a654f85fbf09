"""Errors as RFC 9457 problem documents, each with a `code` and what a retry would do."""

import json
from typing import NamedTuple, Self

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from common.errors import DomainError

TITLES = {
    400: "Bad request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not found",
    405: "Method not allowed",
    409: "Conflict",
    413: "Content too large",
    415: "Unsupported media type",
    422: "Refused",
    429: "Too many requests",
    500: "Internal error",
    503: "Not available",
}


class Problem(NamedTuple):
    """What went wrong, for a program (`code`, `retry`) and for the person who reads its log."""

    status: int
    code: str
    detail: str
    retry: str = "never"
    errors: tuple[tuple[str, str], ...] = ()
    headers: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of(cls, error: DomainError) -> Self:
        """Tell a partner of a broken rule."""
        return cls(error.http_status, error.code, str(error), error.retry)

    @classmethod
    def rate_limited(cls, wait: int) -> Self:
        """Tell a caller that is too quick; it may come back in `wait` seconds."""
        return cls(
            429,
            "rate-limited",
            _("Too many calls. Please wait %(seconds)s seconds.") % {"seconds": wait},
            "later",
            headers=(("Retry-After", str(wait)),),
        )


class ProblemError(Exception):
    """Ends a call with a problem document."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.code)
        self.problem = problem


def refuse(status: int, code: str, detail: str, *, retry: str = "never") -> ProblemError:
    """Build the error that ends a call with this problem."""
    return ProblemError(Problem(status, code, detail, retry))


def problem_response(request: HttpRequest, problem: Problem) -> HttpResponse:
    """Write a problem as application/problem+json."""
    document: dict[str, object] = {
        "type": f"/api/docs/#{problem.code}",
        "title": TITLES[problem.status],
        "status": problem.status,
        "detail": problem.detail,
        "instance": request.path,
        "code": problem.code,
        "retry": problem.retry,
        "trace_id": request.META.get("REQUEST_ID", ""),
    }
    if problem.errors:
        document["errors"] = [
            {"field": field, "detail": detail} for field, detail in problem.errors
        ]
    response = HttpResponse(
        json.dumps(document, ensure_ascii=False),
        status=problem.status,
        content_type="application/problem+json",
    )
    for name, value in problem.headers:
        response[name] = value
    if problem.status == 401:
        response["WWW-Authenticate"] = 'Bearer realm="payments"'
    return response
