"""Controllers, what hangs on them, and the messages that were put aside."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from accounts.access import SignedInRequest
from farm.access import farm_member_required
from farm.forms import PlaceForm
from farm.selectors import charts, dashboard, devices
from farm.services import places

require_form = require_http_methods(["GET", "HEAD", "POST"])


@require_GET
@farm_member_required
@never_cache
def farm_devices(request: SignedInRequest) -> HttpResponse:
    """Show every controller with its sensors and outputs, and what could not be believed."""
    context = {
        "devices": devices.devices(now=timezone.now()),
        "quarantined": devices.quarantined(),
        "here": "devices",
    }
    return render(request, "farm/devices.html", context)


@require_form
@farm_member_required
@never_cache
def farm_channel_place(request: SignedInRequest, pk: int) -> HttpResponse:
    """Name a sensor and say in which zone it stands."""
    channel = get_object_or_404(charts.chartable_channels(), pk=pk)
    form = PlaceForm(request.POST or None, thing=channel)
    if request.method == "POST" and form.is_valid():
        places.place_channel(channel=channel, **form.cleaned_data)
        messages.success(request, _("Saved."))
        return redirect("farm_devices")
    context = {"thing": channel, "kind": channel.get_quantity_display(), "form": form}
    return render(request, "farm/place.html", context | {"here": "devices"})


@require_form
@farm_member_required
@never_cache
def farm_output_place(request: SignedInRequest, pk: int) -> HttpResponse:
    """Name an output and say in which zone it stands."""
    output = get_object_or_404(dashboard.switchable_outputs(), pk=pk)
    form = PlaceForm(request.POST or None, thing=output)
    if request.method == "POST" and form.is_valid():
        places.place_output(output=output, **form.cleaned_data)
        messages.success(request, _("Saved."))
        return redirect("farm_devices")
    context = {"thing": output, "kind": output.get_kind_display(), "form": form}
    return render(request, "farm/place.html", context | {"here": "devices"})
