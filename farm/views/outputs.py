"""Switching something by hand: run, dose, stop, lock."""

from uuid import uuid4

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.access import SignedInRequest
from farm.access import farm_member_required, farm_viewer_required
from farm.errors import CommandRefusedError
from farm.forms import DoseForm, LockForm, RunForm, StrengthForm
from farm.models import Command, Output
from farm.selectors import dashboard, outputs
from farm.services import commands, stops, watching

BY_HAND = Command.Source.PERSON


@require_GET
@farm_member_required
@never_cache
def farm_output(request: SignedInRequest, pk: int) -> HttpResponse:
    """Show one output: how it stands, what it may be told, and what it did lately."""
    output = _output_or_404(pk)
    context = {
        "page": outputs.output_page(output, now=timezone.now()),
        "page_key": uuid4().hex,
        "here": "houses",
    }
    return render(request, "farm/output.html", context)


@require_POST
@farm_member_required
def farm_run(request: SignedInRequest, pk: int) -> HttpResponse:
    """Run an output for so many seconds; the same form sent twice is one command."""
    output = _output_or_404(pk)
    form = RunForm(request.POST)
    if not form.is_valid():
        raise CommandRefusedError(_("This run cannot be asked for. Please load the page again."))
    commands.request_run(
        output=output,
        seconds=form.cleaned_data["seconds"],
        source=BY_HAND,
        at=timezone.now(),
        by=request.user,
        caller_key=form.cleaned_data["key"],
    )
    return _back_to_house(output)


@require_http_methods(["GET", "HEAD", "POST"])
@farm_member_required
@never_cache
def farm_dose(request: SignedInRequest, pk: int) -> HttpResponse:
    """Dose so many ml; the same form sent twice is one command. What is wrong is asked again."""
    output = get_object_or_404(dashboard.switchable_outputs().filter(kind=Output.Kind.DOSER), pk=pk)
    fresh_key = f"{uuid4().hex}-{pk}"
    form = DoseForm(request.POST or None, initial={"key": fresh_key})
    if not form.is_valid():
        # Nobody can mend a key on the page: it would stay a dead end.
        key = fresh_key if form.has_error("key") else form["key"].value()
        context = {"output": output, "form": form, "key": key, "here": "houses"}
        return render(request, "farm/dose.html", context)
    commands.request_dose(
        output=output,
        ml=form.cleaned_data["ml"],
        source=BY_HAND,
        at=timezone.now(),
        by=request.user,
        caller_key=form.cleaned_data["key"],
    )
    return _back_to_house(output)


@require_POST
@farm_member_required
def farm_set(request: SignedInRequest, pk: int) -> HttpResponse:
    """Set how strong an output is for a while; the same form sent twice is one command."""
    output = _output_or_404(pk)
    form = StrengthForm(request.POST)
    if not form.is_valid():
        raise CommandRefusedError(_("Choose a strength and for how long. Please try again."))
    commands.request_set(
        output=output,
        percent=form.cleaned_data["percent"],
        seconds=form.cleaned_data["seconds"],
        source=BY_HAND,
        at=timezone.now(),
        by=request.user,
        caller_key=form.cleaned_data["key"],
    )
    return redirect("farm_output", pk=pk)


@require_POST
@farm_viewer_required
def farm_halt(request: SignedInRequest, pk: int) -> HttpResponse:
    """Stop an output now, whoever switched it on."""
    output = _output_or_404(pk)
    commands.request_stop(
        output=output, source=BY_HAND, at=timezone.now(), by=request.user, why="person"
    )
    messages.info(request, _("Stop sent to %(output)s.") % {"output": output})
    return _back_to_house(output)


@require_http_methods(["GET", "HEAD", "POST"])
@farm_member_required
@never_cache
def farm_lock(request: SignedInRequest, pk: int) -> HttpResponse:
    """Lock an output with a reason and a time, or give it free."""
    output = _output_or_404(pk)
    now = timezone.now()
    form = LockForm(request.POST or None, now=now, initial={"lock": output.lock_at(now)})
    if request.method == "POST" and form.is_valid():
        stops.lock_output(
            output=output,
            lock=form.cleaned_data["lock"],
            until=form.cleaned_data["until"],
            reason=form.cleaned_data["reason"],
            by=request.user,
            at=now,
        )
        messages.success(request, _("Saved."))
        return _back_to_house(output)
    return render(request, "farm/lock.html", {"output": output, "form": form, "here": "houses"})


@require_POST
@farm_member_required
def farm_settle(request: SignedInRequest, pk: str) -> HttpResponse:
    """Note that a person has looked what became of a command without an answer."""
    command = get_object_or_404(outputs.unsettled_commands(), pk=pk)
    commands.settle_unknown(command=command, at=timezone.now(), by=request.user)
    messages.success(request, _("Noted: somebody has looked."))
    return redirect("farm_output", pk=command.output_id)


@require_POST
@farm_member_required
def farm_looked(request: SignedInRequest, pk: int) -> HttpResponse:
    """Take off the latch that a run without water has left, because somebody has looked."""
    output = _output_or_404(pk)
    was_latched = watching.clear_no_flow(
        output=output,
        by=request.user,
        reason=request.POST.get("reason", ""),
        at=timezone.now(),
    )
    if was_latched:
        messages.success(request, _("Noted: somebody has looked."))
    else:
        messages.info(request, _("Nothing changed: this was no longer held back."))
    return redirect("farm_output", pk=pk)


def _output_or_404(pk: int) -> Output:
    return get_object_or_404(dashboard.switchable_outputs(), pk=pk)


def _back_to_house(output: Output) -> HttpResponse:
    house = reverse("farm_house", args=[output.node.greenhouse.code])
    return redirect(f"{house}#zone-{output.zone_id}" if output.zone_id else house)
