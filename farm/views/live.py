"""Parts of pages that ask again by themselves: 304 while nothing that they show has changed."""

from collections.abc import Callable
from functools import wraps
from hashlib import sha256
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import get_conditional_response
from django.utils.translation import get_language

from farm.access import farm_member_required

PRIVATE = "private, no-cache"


def live_part(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Guard a part of a page; whoever was signed out meanwhile gets the whole page anew.

    A redirect would put the sign-in into the place of the part.
    """
    guarded = farm_member_required(view)

    @wraps(view)
    def part(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not request.user.is_authenticated:
            return HttpResponse(headers={"HX-Refresh": "true"})
        return guarded(request, *args, **kwargs)

    return part


def version_of(request: HttpRequest, seen: object) -> str:
    """Name the state that a page shows; `seen` is plain values.

    Another language is another page, and so is one with other buttons. The page itself cannot be
    compared: its forms carry a new token each time.
    """
    may_run = getattr(request, "may_run_the_farm", False)
    return f'"{sha256(repr((get_language(), may_run, seen)).encode()).hexdigest()[:32]}"'


def answer_live(
    request: HttpRequest, template: str, context: dict[str, Any], *, seen: object
) -> HttpResponse:
    """Answer 304 while the asker has this version, else with the part and its version."""
    etag = version_of(request, seen)
    answer = get_conditional_response(request, etag=etag)
    response = answer or render(request, template, context | {"etag": etag})
    response["ETag"] = etag
    response["Cache-Control"] = PRIVATE
    return response
