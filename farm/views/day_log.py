"""What happened in a greenhouse on a day."""

from datetime import timedelta

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from accounts.access import SignedInRequest
from farm.access import farm_member_required
from farm.forms import day_asked
from farm.selectors import dashboard
from farm.selectors.day_log import day_log
from farm.views.dashboard import house_or_404


@require_GET
@farm_member_required
def farm_log(request: SignedInRequest) -> HttpResponse:
    """Lead to the first house's day; its page leads to the others."""
    first = dashboard.active_houses().first()
    return redirect("farm_log_of_house", first.code) if first else redirect("farm_home")


@require_GET
@farm_member_required
@never_cache
def farm_log_of_house(request: SignedInRequest, code: str) -> HttpResponse:
    """Show a day of one house; ?ngay= another day, ?tatca=1 also when nothing was needed."""
    house = house_or_404(code)
    now = timezone.now()
    begin = day_asked(request.GET.get("ngay"), now=now)
    end = begin + timedelta(days=1)
    with_idle = request.GET.get("tatca") == "1"
    context = {
        "house": house,
        "houses": dashboard.active_houses(),
        "log": day_log(house, begin=begin, end=end, with_idle=with_idle),
        "day": begin.date(),
        "day_before": (begin - timedelta(days=1)).date(),
        "day_after": end.date() if end <= now else None,
        "with_idle": with_idle,
        "here": "log",
    }
    return render(request, "farm/day_log.html", context)
