"""What crops want: stages and sources, for the cooperative to read and to correct."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from accounts.access import SignedInRequest
from farm import batch_words
from farm.access import farm_member_required
from farm.crop_forms import CropForm, StageForm
from farm.models import CropProfile, CropStage
from farm.services.crop_profiles import change_profile, change_stage

require_form = require_http_methods(["GET", "POST"])


@require_GET
@farm_member_required
def crop_list(request: SignedInRequest) -> HttpResponse:
    """List the crops."""
    context = {"here": "batches", "crops": CropProfile.objects.order_by("name", "pk")}
    return render(request, "farm/batch_crops.html", context)


@require_GET
@farm_member_required
def crop_detail(request: SignedInRequest, code: str) -> HttpResponse:
    """Show a crop's stages, each with its targets and its source."""
    crop = get_object_or_404(CropProfile, code=code)
    stages = [
        (stage, batch_words.stage_targets(stage)) for stage in crop.stages.order_by("position")
    ]
    context = {
        "here": "batches",
        "crop": crop,
        "stages": stages,
        "soil": batch_words.soil_facts(crop),
    }
    return render(request, "farm/batch_crop.html", context)


@require_form
@farm_member_required
def crop_edit(request: SignedInRequest, code: str) -> HttpResponse:
    """Correct a crop and its figures for soil."""
    crop = get_object_or_404(CropProfile, code=code)
    form = CropForm(request.POST or None, instance=crop)
    if request.method == "POST" and form.is_valid():
        change_profile(profile=crop, **form.cleaned_data)
        return _saved(request, crop)
    return _form_page(request, crop, form, title=crop.name)


@require_form
@farm_member_required
def stage_edit(request: SignedInRequest, code: str, position: int) -> HttpResponse:
    """Correct what a crop wants in one stage."""
    stage = get_object_or_404(
        CropStage.objects.select_related("profile"), profile__code=code, position=position
    )
    form = StageForm(request.POST or None, instance=stage)
    if request.method == "POST" and form.is_valid():
        change_stage(stage=stage, **form.cleaned_data)
        return _saved(request, stage.profile)
    return _form_page(request, stage.profile, form, title=f"{stage.profile.name}: {stage.name}")


def _saved(request: SignedInRequest, crop: CropProfile) -> HttpResponse:
    messages.success(request, _("Saved. From now on no file changes this crop."))
    return redirect("farm_crop", crop.code)


def _form_page(
    request: SignedInRequest, crop: CropProfile, form: CropForm | StageForm, *, title: str
) -> HttpResponse:
    context = {
        "here": "batches",
        "form": form,
        "title": title,
        "submit": _("Save"),
        "back_url": reverse("farm_crop", args=[crop.code]),
        "back_words": crop.name,
    }
    return render(request, "farm/batch_form.html", context, status=422 if form.errors else 200)
