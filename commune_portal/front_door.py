"""Where web servers come in: banks by the short lane, everybody else by Django's handler."""

from collections.abc import Callable, Iterable
from typing import Any
from wsgiref.types import StartResponse

from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpResponse
from django.middleware.security import SecurityMiddleware

from common.middleware import current_request_id, request_id_for
from commune_portal.middleware import PREFIX, answer_partner

WsgiApplication = Callable[[dict[str, Any], StartResponse], Any]


class FrontDoor:
    """A WSGI application that spares a bank's call Django's request handler.

    The handler's signals and layers cost a third of such a call (measured in bench/). The lane's
    views catch everything and look after their database session; settings.MIDDLEWARE holds the
    same three steps for tests and servers that do not come in here, and a test holds both to the
    same answer.
    """

    def __init__(self, pages: WsgiApplication) -> None:
        self.pages = pages
        self.security = SecurityMiddleware(lambda request: HttpResponse())
        # They depend on settings and scheme alone, so they are written once for each scheme.
        self.headers_by_scheme: dict[str, list[tuple[str, str]]] = {}

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        if not environ.get("PATH_INFO", "").startswith(PREFIX):
            answer: Iterable[bytes] = self.pages(environ, start_response)
            return answer
        request = WSGIRequest(environ)
        request_id = environ["REQUEST_ID"] = request_id_for(environ)
        token = current_request_id.set(request_id)
        try:
            response = answer_partner(request)
        finally:
            current_request_id.reset(token)
        start_response(
            f"{response.status_code} {response.reason_phrase}",
            [*response.items(), *self._security_headers(request), ("X-Request-ID", request_id)],
        )
        return [response.content]

    def _security_headers(self, request: WSGIRequest) -> list[tuple[str, str]]:
        scheme = str(request.scheme)
        headers = self.headers_by_scheme.get(scheme)
        if headers is None:
            bare = HttpResponse()
            del bare["Content-Type"]
            headers = list(self.security.process_response(request, bare).items())
            self.headers_by_scheme[scheme] = headers
        return headers
