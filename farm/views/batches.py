"""Batches on a phone: what grows, its book, what it came to."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.access import SignedInRequest
from common.text import vnd
from farm import batch_words
from farm.access import farm_member_required
from farm.batch_forms import (
    CheckedForm,
    CostForm,
    EndForm,
    HarvestForm,
    LabourForm,
    PlantingForm,
    SowForm,
)
from farm.models import Batch
from farm.selectors import batches as selectors
from farm.services import batch_stages, batches
from farm.words import number

PAGE_LENGTH = 20
require_form = require_http_methods(["GET", "POST"])


@require_GET
@farm_member_required
def batch_list(request: SignedInRequest) -> HttpResponse:
    """Show what grows, or, with ?xem=da-xong, what is over."""
    is_over = request.GET.get("xem") == "da-xong"
    found = selectors.ended_batches() if is_over else selectors.growing_batches()
    page = Paginator(found, PAGE_LENGTH).get_page(request.GET.get("trang"))
    rows = selectors.rows_of(list(page.object_list), on=timezone.localdate())
    context = {"here": "batches", "page": page, "rows": rows, "is_over": is_over}
    return render(request, "farm/batch_list.html", context)


@require_GET
@farm_member_required
def batch_detail(request: SignedInRequest, code: str) -> HttpResponse:
    """Show one batch: its stage beside what is measured, its figures, how it compares."""
    now = timezone.now()
    page = selectors.batch_page(_batch(code), on=timezone.localdate(now))
    context = {
        "here": "batches",
        "page": page,
        "batch": page.batch,
        "values": selectors.values_for(page.batch, on=timezone.localdate(now), now=now),
        "targets": batch_words.stage_targets(page.stage, method=page.batch.method)
        if page.stage
        else (),
        "facts": batch_words.facts_of(page.figures),
        "comparisons": batch_words.rows_of(page.comparisons),
        "today": timezone.localdate(now),
    }
    return render(request, "farm/batch.html", context)


@require_form
@farm_member_required
def batch_new(request: SignedInRequest) -> HttpResponse:
    """Begin a batch."""
    form = SowForm(request.POST or None, today=timezone.localdate())
    if request.method == "POST" and form.is_valid():
        batch = batches.sow_batch(at=timezone.now(), **_said(form, "plants"))
        messages.success(request, _("Batch %(code)s has begun.") % {"code": batch.code})
        return redirect("farm_batch", batch.code)
    return _form_page(request, form, title=_("New batch"), submit=_("Begin this batch"))


@require_form
@farm_member_required
def batch_harvest(request: SignedInRequest, code: str) -> HttpResponse:
    """Note what was picked."""

    def record(batch: Batch, **said: Any) -> str:
        entry = batches.record_harvest(batch=batch, **said)
        return _("Written down: %(kg)s kg.") % {"kg": number(entry.kg, 1)}

    return _entry(
        request, code, HarvestForm, record, title=_("Harvest"), submit=_("Write down the harvest")
    )


@require_form
@farm_member_required
def batch_cost(request: SignedInRequest, code: str) -> HttpResponse:
    """Note money that was spent."""

    def record(batch: Batch, **said: Any) -> str:
        entry = batches.record_cost(batch=batch, **said)
        return _("Written down: %(amount)s.") % {"amount": vnd(entry.vnd)}

    return _entry(request, code, CostForm, record, title=_("Cost"), submit=_("Write down the cost"))


@require_form
@farm_member_required
def batch_labour(request: SignedInRequest, code: str) -> HttpResponse:
    """Note hours that were worked."""

    def record(batch: Batch, **said: Any) -> str:
        entry = batches.record_labour(batch=batch, **said)
        return _("Written down: %(amount)s.") % {"amount": batch_words.hours_words(entry.hours)}

    return _entry(
        request, code, LabourForm, record, title=_("Labour"), submit=_("Write down the hours")
    )


@require_form
@farm_member_required
def batch_plant_out(request: SignedInRequest, code: str) -> HttpResponse:
    """Note that the seedlings went to their place."""
    batch = _batch(code)
    form = PlantingForm(request.POST or None, batch=batch, today=timezone.localdate())
    if request.method == "POST" and form.is_valid():
        batches.plant_out(batch=batch, at=timezone.now(), **_said(form, leave_out=("key",)))
        messages.success(request, _("The day of planting out is written down."))
        return redirect("farm_batch", batch.code)
    return _form_page(
        request, form, batch=batch, title=_("Planting out"), submit=_("Write down the day")
    )


@require_form
@farm_member_required
def batch_end(request: SignedInRequest, code: str) -> HttpResponse:
    """Close a batch."""
    batch = _batch(code)
    form = EndForm(request.POST or None, batch=batch, today=timezone.localdate())
    if request.method == "POST" and form.is_valid():
        said = _said(form, leave_out=("key", "how"))
        batches.end_batch(
            batch=batch, is_lost=form.cleaned_data["how"] == "lost", at=timezone.now(), **said
        )
        messages.success(request, _("The batch is closed. Here is what it came to."))
        return redirect("farm_batch", batch.code)
    return _form_page(
        request,
        form,
        batch=batch,
        title=_("End this batch"),
        submit=_("Close the batch"),
        lead=_("Afterwards no later day can be written into its book."),
    )


@require_POST
@farm_member_required
def batch_reopen(request: SignedInRequest, code: str) -> HttpResponse:
    """Take back an end that was a mistake."""
    batch = batches.reopen_batch(batch=_batch(code))
    messages.success(request, _("The batch goes on."))
    return redirect("farm_batch", batch.code)


@require_POST
@farm_member_required
def batch_follow_stage(request: SignedInRequest, code: str) -> HttpResponse:
    """Set the alarm limits of the zone to what the stage wants."""
    batch = _batch(code)
    limits = batch_stages.apply_stage_targets(batch=batch, day=timezone.localdate())
    words = ngettext(
        "%(count)s sensor now raises an alarm by this stage.",
        "%(count)s sensors now raise an alarm by this stage.",
        len(limits),
    )
    messages.success(request, words % {"count": len(limits)})
    return redirect("farm_batch", batch.code)


@require_GET
@farm_member_required
def batch_book(request: SignedInRequest, code: str) -> HttpResponse:
    """Show the book, struck entries too."""
    batch = _batch(code)
    context = {"here": "batches", "batch": batch, "lines": selectors.book_of(batch)}
    return render(request, "farm/batch_book.html", context)


@require_POST
@farm_member_required
def batch_strike(request: SignedInRequest, code: str, kind: str, key: Any) -> HttpResponse:
    """Strike a mistake out of the book."""
    batch = _batch(code)
    line = get_object_or_404(batches.KINDS[kind], pk=key, batch=batch)
    batches.strike_out(batch=batch, kind=kind, key=line.pk, at=timezone.now())
    messages.success(request, _("Struck out. The entry stays readable and no longer counts."))
    return redirect("farm_batch_book", batch.code)


def _batch(code: str) -> Batch:
    return get_object_or_404(selectors.batches(), code=code)


def _said(form: CheckedForm, *if_given: str, leave_out: tuple[str, ...] = ()) -> dict[str, Any]:
    """Give what was filled in, without what was left empty and has a default."""
    return {
        name: value
        for name, value in form.cleaned_data.items()
        if name not in leave_out and not (name in if_given and value is None)
    }


def _entry(  # what differs between the three kinds of entries
    request: SignedInRequest,
    code: str,
    form_class: type[CheckedForm],
    record: Callable[..., str],
    *,
    title: str,
    submit: str,
) -> HttpResponse:
    batch = _batch(code)
    form = form_class(request.POST or None, batch=batch, today=timezone.localdate())
    if request.method == "POST" and form.is_valid():
        done = record(batch, by=request.user, at=timezone.now(), **form.cleaned_data)
        messages.success(request, done)
        return redirect("farm_batch", batch.code)
    return _form_page(request, form, batch=batch, title=title, submit=submit)


def _form_page(  # the words of one page
    request: HttpRequest,
    form: CheckedForm,
    *,
    title: str,
    submit: str,
    batch: Batch | None = None,
    lead: str = "",
) -> HttpResponse:
    context = {
        "here": "batches",
        "form": form,
        "batch": batch,
        "title": title,
        "submit": submit,
        "lead": lead,
        "back_url": reverse("farm_batch", args=[batch.code]) if batch else reverse("farm_batches"),
    }
    status = 422 if form.errors else 200
    return render(request, "farm/batch_form.html", context, status=status)
