"""What happened in a greenhouse on a day."""

from datetime import timedelta

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from accounts.access import SignedInRequest
from farm.access import farm_member_required
from farm.forms import day_asked, is_day
from farm.selectors import dashboard
from farm.selectors.day_log import day_log
from farm.views.dashboard import house_or_404


@require_GET
@farm_member_required
def farm_log(request: SignedInRequest) -> HttpResponse:
    """Lead to the first house's day, the one that was asked for; its page leads to the others."""
    first = dashboard.active_houses().first()
    if first is None:
        return redirect("farm_home")
    asked = request.GET.urlencode()
    return redirect(
        reverse("farm_log_of_house", args=[first.code]) + (f"?{asked}" if asked else "")
    )


@require_GET
@farm_member_required
@never_cache
def farm_log_of_house(request: SignedInRequest, code: str) -> HttpResponse:
    """Show a day of one house; ?ngay= another day, ?tatca=1 also when nothing was needed."""
    house = house_or_404(code)
    now = timezone.now()
    asked = request.GET.get("ngay", "")
    begin = day_asked(asked, now=now)
    end = begin + timedelta(days=1)
    day_before = (begin - timedelta(days=1)).date()
    with_idle = request.GET.get("tatca") == "1"
    context = {
        "house": house,
        "houses": dashboard.active_houses(),
        "log": day_log(house, begin=begin, end=end, with_idle=with_idle),
        "day": begin.date(),
        "is_no_day": bool(asked) and not is_day(asked),
        "day_before": day_before if is_day(day_before.isoformat()) else None,
        "day_after": end.date() if end <= now else None,
        "with_idle": with_idle,
        "here": "log",
    }
    return render(request, "farm/day_log.html", context)
