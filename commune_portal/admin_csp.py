"""The back office's own Content Security Policy: what its theme needs, for its pages alone."""

from collections.abc import Callable

from csp.constants import UNSAFE_EVAL, UNSAFE_INLINE
from csp.decorators import csp_update
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from accounts.middleware import BACK_OFFICE


class BackOfficeCspMiddleware:
    """Let the theme's Alpine evaluate its attributes, and its pages set styles, below /quan-tri/.

    Inline scripts stay forbidden there too. Residents' pages keep the strict policy of the
    settings. Stands after CSPMiddleware, which reads what is noted on the response.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        relaxed = csp_update({"script-src": [UNSAFE_EVAL], "style-src": [UNSAFE_INLINE]})
        self.get_office_response = relaxed(get_response)

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.path.startswith(BACK_OFFICE):
            return self.get_office_response(request)
        return self.get_response(request)
