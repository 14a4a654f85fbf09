"""The greenhouses at a glance, one house with its zones, and the emergency stop."""

import re
from typing import Any
from uuid import uuid4

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from accounts.access import SignedInRequest
from farm.access import farm_member_required, farm_members_only, farm_viewer_required
from farm.forms import ReasonForm
from farm.models import Greenhouse
from farm.selectors import dashboard
from farm.services import stops
from farm.views.live import answer_live, live_part, version_of

# How often an open page asks, in seconds: quicker while somebody waits for an answer.
SECONDS_AT_REST, SECONDS_WHILE_WAITING = 5, 2
PAGE_KEY = re.compile("[0-9a-f]{32}")


@require_GET
@farm_member_required
@never_cache
def farm_home(request: SignedInRequest) -> HttpResponse:
    """Show a card for each greenhouse."""
    cards = dashboard.house_cards(now=timezone.now())
    context = {"cards": cards, "etag": version_of(request, cards), "here": "houses"}
    return render(request, "farm/home.html", context)


@require_GET
@live_part
def farm_home_live(request: HttpRequest) -> HttpResponse:
    """Answer the open page with its cards, or 304."""
    cards = dashboard.house_cards(now=timezone.now())
    return answer_live(request, "farm/_cards.html", {"cards": cards}, seen=cards)


@require_GET
@farm_member_required
@never_cache
def farm_house(request: SignedInRequest, code: str) -> HttpResponse:
    """Show one greenhouse: its zones, what runs, and the buttons."""
    page = dashboard.house_page(house_or_404(code), now=timezone.now())
    context = _house_context(page, page_key=uuid4().hex) | {
        "etag": version_of(request, page),
        "here": "houses",
    }
    return render(request, "farm/house.html", context)


@require_GET
@live_part
def farm_house_live(request: HttpRequest, code: str) -> HttpResponse:
    """Answer the open page with what is new in the house, or 304."""
    page = dashboard.house_page(house_or_404(code), now=timezone.now())
    context = _house_context(page, page_key=_kept_key(request, page))
    return answer_live(request, "farm/_house.html", context, seen=page)


@require_http_methods(["GET", "HEAD", "POST"])
@farm_viewer_required
@never_cache
def farm_stop(request: SignedInRequest, code: str) -> HttpResponse:
    """Ask once more, then stop everything in the house until somebody releases it."""
    house = house_or_404(code)
    form = ReasonForm(request.POST or None, is_needed=False)
    if request.method == "POST" and form.is_valid():
        stops.stop_house(
            greenhouse=house,
            by=request.user,
            reason=form.cleaned_data["reason"],
            at=timezone.now(),
        )
        return redirect("farm_house", code=code)
    return render(request, "farm/stop.html", {"house": house, "form": form, "here": "houses"})


@require_http_methods(["GET", "HEAD", "POST"])
@farm_members_only
@never_cache
def farm_release(request: SignedInRequest, code: str) -> HttpResponse:
    """Ask what was done about it, then let the house work again."""
    house = house_or_404(code)
    form = ReasonForm(request.POST or None, is_needed=True)
    if request.method == "POST" and form.is_valid():
        stops.release_house(
            greenhouse=house,
            by=request.user,
            reason=form.cleaned_data["reason"],
            at=timezone.now(),
        )
        messages.success(request, _("%(house)s may work again.") % {"house": house})
        return redirect("farm_house", code=code)
    return render(request, "farm/release.html", {"house": house, "form": form, "here": "houses"})


def house_or_404(code: str) -> Greenhouse:
    """Give a greenhouse in use by its code."""
    return get_object_or_404(dashboard.active_houses(), code=code)


def _kept_key(request: HttpRequest, page: dashboard.HousePage) -> str:
    """Keep the key of an open page until a command with it is known.

    Whoever got no answer presses again, and a poll in between must not make that a second run.
    """
    key = request.GET.get("ma", "")
    is_free = PAGE_KEY.fullmatch(key) and not dashboard.is_page_key_used(page, key)
    return key if is_free else uuid4().hex


def _house_context(page: dashboard.HousePage, *, page_key: str) -> dict[str, Any]:
    is_busy = bool(page.is_waiting or page.running)
    return {
        "page": page,
        # One key for each page as it was shown: a button tapped twice is one command.
        "page_key": page_key,
        "seconds": SECONDS_WHILE_WAITING if is_busy else SECONDS_AT_REST,
    }
