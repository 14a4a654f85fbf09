"""What a sensor measured over a day, a week or a season, and what is computed of two."""

from datetime import datetime, timedelta
from json import dumps
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import get_conditional_response
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from accounts.access import SignedInRequest
from farm.access import farm_member_required
from farm.forms import day_asked
from farm.models import Channel
from farm.selectors import charts, deficit_charts
from farm.views.live import PRIVATE, live_part, version_of


@require_GET
@farm_member_required
@never_cache
def farm_chart(request: SignedInRequest, pk: int) -> HttpResponse:
    """Show a channel's chart, as a picture and as figures."""
    channel = get_object_or_404(charts.chartable_channels(), pk=pk)
    span, end = _asked(request)
    context = {
        "chart": charts.chart_of(channel, span, end=end),
        "rows": charts.table_of(channel, span, end=end),
        "numbers": reverse("farm_chart_data", args=[pk]),
    }
    return _page(request, channel, span, context)


@require_GET
@live_part
def farm_chart_data(request: HttpRequest, pk: int) -> HttpResponse:
    """Answer the chart's script with at most 300 points, or 304."""
    channel = get_object_or_404(charts.chartable_channels(), pk=pk)
    span, end = _asked(request)
    return _numbers(request, charts.chart_of(channel, span, end=end))


@require_GET
@farm_member_required
@never_cache
def farm_deficit_chart(request: SignedInRequest, pk: int) -> HttpResponse:
    """Show the VPD of the place where an air temperature is measured."""
    pair = _pair_or_404(pk)
    span, end = _asked(request)
    context = {
        "chart": deficit_charts.chart_of(pair, span, end=end),
        "rows": deficit_charts.table_of(pair, span, end=end),
        "numbers": reverse("farm_deficit_chart_data", args=[pk]),
        "parts": pair,
    }
    return _page(request, pair.air, span, context)


@require_GET
@live_part
def farm_deficit_chart_data(request: HttpRequest, pk: int) -> HttpResponse:
    """Answer the chart's script with at most 300 points, or 304."""
    pair = _pair_or_404(pk)
    span, end = _asked(request)
    return _numbers(request, deficit_charts.chart_of(pair, span, end=end))


def _pair_or_404(pk: int) -> deficit_charts.Pair:
    pair = deficit_charts.pair_of(get_object_or_404(charts.chartable_channels(), pk=pk))
    if pair is None:
        raise Http404
    return pair


def _page(
    request: SignedInRequest, channel: Channel, span: charts.Span, context: dict[str, Any]
) -> HttpResponse:
    context |= {
        "channel": channel,
        "spark": charts.spark_of(context["chart"]),
        "spans": charts.SPANS.values(),
        "span": span,
        "asked": request.GET.urlencode(),
        "here": "houses",
    }
    return render(request, "farm/chart.html", context)


def _numbers(request: HttpRequest, chart: charts.Chart) -> HttpResponse:
    etag = version_of(request, chart)
    answer = get_conditional_response(request, etag=etag)
    body = dumps(chart._asdict() | {"runs": chart.runs, "bands": chart.bands})
    response = answer or HttpResponse(body, content_type="application/json")
    response["ETag"] = etag
    response["Cache-Control"] = PRIVATE
    return response


def _asked(request: HttpRequest) -> tuple[charts.Span, datetime]:
    """Read which span is asked for, and its end: a day in the past, or the minute after now.

    Whole minutes let a chart without new values stay the same for a while.
    """
    span = charts.SPANS.get(request.GET.get("khoang", ""), charts.SPANS["ngay"])
    now = timezone.now()
    this_minute = now.replace(second=0, microsecond=0) + timedelta(minutes=1)
    if not request.GET.get("den"):
        return span, this_minute
    return span, min(day_asked(request.GET["den"], now=now) + timedelta(days=1), this_minute)
