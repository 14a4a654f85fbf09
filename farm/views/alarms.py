"""Alarms: what is wrong, who has seen it, who is told, and beyond which values it is one."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.access import SignedInRequest
from farm.access import (
    farm_member_required,
    farm_members_only,
    farm_viewer_required,
    may_run_the_farm,
)
from farm.forms import LimitForm, WatchForm
from farm.models import Alarm, AlarmLimit, Watch
from farm.selectors import alarm_list, charts
from farm.services import alarms, watches
from farm.views.dashboard import house_or_404
from farm.views.live import answer_live, live_part, version_of

PAGE_LENGTH = 20
require_form = require_http_methods(["GET", "HEAD", "POST"])


@require_GET
@farm_member_required
@never_cache
def farm_alarms(request: SignedInRequest) -> HttpResponse:
    """Show the alarms that stand, those that were, and who is told."""
    now = timezone.now()
    standing = alarm_list.standing_alarms(now=now)
    page = Paginator(alarm_list.past_alarms(), PAGE_LENGTH).get_page(request.GET.get("trang"))
    context = {
        "standing": standing,
        "etag": version_of(request, standing),
        "page": page,
        "past": alarm_list.alarm_rows(list(page.object_list), now=now),
        "houses": alarm_list.house_watches(request.user),
        "here": "alarms",
    }
    return render(request, "farm/alarms.html", context)


@require_GET
@live_part
def farm_alarms_live(request: HttpRequest) -> HttpResponse:
    """Answer the open page with the alarms that stand, or 304."""
    standing = alarm_list.standing_alarms(now=timezone.now())
    return answer_live(request, "farm/_standing_alarms.html", {"standing": standing}, seen=standing)


@require_POST
@farm_viewer_required
def farm_alarm_seen(request: SignedInRequest, pk: int) -> HttpResponse:
    """Note that a person has seen the alarm, and go back to where they were."""
    alarm = get_object_or_404(Alarm, pk=pk)
    alarms.acknowledge(alarm=alarm, by=request.user, at=timezone.now())
    messages.success(request, _("Noted: you have seen it."))
    back = request.headers.get("Referer", "")
    is_ours = url_has_allowed_host_and_scheme(
        back, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return redirect(back if is_ours else "farm_alarms")


@require_form
@farm_member_required
@never_cache
def farm_limits(request: SignedInRequest, pk: int) -> HttpResponse:
    """Show a sensor's alarm limits and add one."""
    channel = get_object_or_404(charts.chartable_channels(), pk=pk)
    form = LimitForm(request.POST or None, instance=AlarmLimit(channel=channel))
    if request.method == "POST" and form.is_valid():
        watches.set_limit(channel=channel, limit=form.save(commit=False), at=timezone.now())
        messages.success(request, _("Saved."))
        return redirect("farm_limits", pk=pk)
    context = {
        "channel": channel,
        "limits": alarm_list.limits_of([channel]),
        "form": form,
        "here": "alarms",
    }
    return render(request, "farm/limits.html", context)


@require_form
@farm_members_only
@never_cache
def farm_limit(request: SignedInRequest, pk: int) -> HttpResponse:
    """Change one limit, or take it away with the button for it."""
    limit = get_object_or_404(AlarmLimit.objects.select_related("channel__zone"), pk=pk)
    form = LimitForm(request.POST or None, instance=limit)
    if request.method == "POST" and "drop" in request.POST:
        watches.drop_limit(limit=limit, at=timezone.now())
        messages.success(request, _("The limit is gone."))
        return redirect("farm_limits", pk=limit.channel_id)
    if request.method == "POST" and form.is_valid():
        watches.set_limit(channel=limit.channel, limit=form.save(commit=False), at=timezone.now())
        messages.success(request, _("Saved."))
        return redirect("farm_limits", pk=limit.channel_id)
    context = {"channel": limit.channel, "limit": limit, "form": form, "here": "alarms"}
    return render(request, "farm/limit.html", context)


@require_POST
@farm_member_required
def farm_watch_join(request: SignedInRequest, code: str) -> HttpResponse:
    """Put oneself on watch over a house, then say when and how to be told."""
    watch = watches.go_on_watch(greenhouse=house_or_404(code), user=request.user)
    return redirect("farm_watch", pk=watch.pk)


@require_form
@farm_viewer_required
@never_cache
def farm_watch(request: SignedInRequest, pk: int) -> HttpResponse:
    """Change when and how somebody is told, or take them off watch; one's own watch is one's own.

    Who has become a mere viewer is still called at night, and has to be able to end that.
    """
    watch = get_object_or_404(Watch.objects.select_related("greenhouse", "user"), pk=pk)
    if watch.user_id != request.user.pk and not may_run_the_farm(request.user):
        raise PermissionDenied
    form = WatchForm(request.POST or None, instance=watch)
    if request.method == "POST" and "leave" in request.POST:
        watches.leave_watch(watch=watch)
        messages.success(request, _("%(person)s is off watch.") % {"person": watch.user})
        return redirect("farm_alarms")
    if request.method == "POST" and form.is_valid():
        watches.change_watch(watch=watch, **form.cleaned_data)
        messages.success(request, _("Saved."))
        return redirect("farm_alarms")
    context = {"watch": watch, "form": form, "here": "alarms"}
    return render(request, "farm/watch.html", context)
