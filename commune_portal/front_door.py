"""Where web servers come in: banks by the short lane, everybody else by Django's handler."""

from collections.abc import Callable, Iterable
from typing import Any, cast
from wsgiref.types import StartResponse

from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpRequest, HttpResponse
from django.middleware.security import SecurityMiddleware

from common.middleware import RequestIdMiddleware
from commune_portal.middleware import PREFIX, answer_partner

WsgiApplication = Callable[[dict[str, Any], StartResponse], Any]


class FrontDoor:
    """A WSGI application that spares a bank's call Django's request handler.

    The handler's signals and layers cost a third of such a call (measured in bench/). The lane's
    views catch everything and look after their database session; settings.MIDDLEWARE holds the
    same three steps for tests and servers that do not come in here.
    """

    def __init__(self, pages: WsgiApplication) -> None:
        self.pages = pages
        secured = SecurityMiddleware(answer_partner)  # a coroutine only for a coroutine
        self.lane = RequestIdMiddleware(cast("Callable[[HttpRequest], HttpResponse]", secured))

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        if not environ.get("PATH_INFO", "").startswith(PREFIX):
            answer: Iterable[bytes] = self.pages(environ, start_response)
            return answer
        response = self.lane(WSGIRequest(environ))
        status = f"{response.status_code} {response.reason_phrase}"
        start_response(status, list(response.items()))
        return [response.content]
