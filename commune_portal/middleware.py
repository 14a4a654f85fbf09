"""A short way to the partner banks' API: no session, cookie, language or form check on it."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.urls import Resolver404, resolve

PREFIX = "/api/payments/v1/"


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
        try:
            match = resolve(request.path_info)
        except Resolver404:
            return self.get_response(request)
        request.resolver_match = match
        response: HttpResponse = match.func(request, *match.args, **match.kwargs)
        return response
