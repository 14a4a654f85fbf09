"""Calibrating a pH or EC probe, step by step, with the controller's answers as they come."""

from typing import Any
from uuid import uuid4

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from accounts.access import SignedInRequest
from farm.access import farm_member_required
from farm.errors import CommandRefusedError
from farm.forms import CalibrationForm
from farm.models import Channel, Command
from farm.selectors import calibration as selectors
from farm.services import calibration
from farm.views.live import answer_live, live_part, version_of

# A probe in a bottle is watched until its number stands still.
SECONDS = 3


@require_GET
@farm_member_required
@never_cache
def farm_calibration(request: SignedInRequest, pk: int) -> HttpResponse:
    """Show the steps, what the probe shows now, and what the controller answered."""
    channel = _probe_or_404(pk)
    context = _context(channel)
    context |= {
        "etag": version_of(request, context["page"]),
        "solutions": selectors.SOLUTIONS[Channel.Quantity(channel.quantity)],
        "page_key": uuid4().hex,
        "here": "devices",
    }
    return render(request, "farm/calibration.html", context)


@require_GET
@live_part
def farm_calibration_live(request: HttpRequest, pk: int) -> HttpResponse:
    """Answer the open page with what is new of the probe, or 304."""
    context = _context(_probe_or_404(pk))
    return answer_live(request, "farm/_calibration.html", context, seen=context["page"])


@require_POST
@farm_member_required
def farm_calibration_begin(request: SignedInRequest, pk: int) -> HttpResponse:
    """Keep the programmes from going by this probe, because somebody takes it out."""
    calibration.begin_calibration(channel=_probe_or_404(pk), at=timezone.now())
    return redirect("farm_calibration", pk=pk)


@require_POST
@farm_member_required
def farm_calibrate(request: SignedInRequest, pk: int) -> HttpResponse:
    """Tell the controller what the probe stands in; the same form sent twice is one command."""
    channel = _probe_or_404(pk)
    form = CalibrationForm(request.POST)
    if not form.is_valid():
        raise CommandRefusedError(_("Write the number that stands on the bottle."))
    calibration.request_calibrate(
        channel=channel,
        value=form.cleaned_data["value"],
        source=Command.Source.PERSON,
        at=timezone.now(),
        by=request.user,
        caller_key=form.cleaned_data["key"],
    )
    return redirect("farm_calibration", pk=pk)


@require_POST
@farm_member_required
def farm_calibration_end(request: SignedInRequest, pk: int) -> HttpResponse:
    """Give the probe back to the programmes: it is in the tank again."""
    calibration.end_calibration(channel=_probe_or_404(pk), at=timezone.now())
    messages.success(request, _("Programmes go by this probe again in two minutes."))
    return redirect("farm_devices")


def _probe_or_404(pk: int) -> Channel:
    return get_object_or_404(selectors.probes(), pk=pk)


def _context(channel: Channel) -> dict[str, Any]:
    page = selectors.calibration_page(channel, now=timezone.now())
    return {"page": page, "seconds": SECONDS}
