"""Tables of a greenhouse to take home, for Excel."""

from collections.abc import Iterator
from datetime import timedelta
from itertools import chain, islice

from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import get_language, override
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from accounts.access import SignedInRequest
from farm.access import farm_member_required
from farm.csv_lines import Cell, Style, csv_pieces
from farm.export_forms import (
    ALARMS,
    COSTS,
    HARVESTS,
    LABOUR,
    LEVELS,
    READINGS,
    RUNS,
    WATER,
    ExportForm,
)
from farm.models import Greenhouse
from farm.selectors import book_exports, exports
from farm.views.dashboard import house_or_404

DAYS_BY_DEFAULT = 7
BY_DAY = {
    HARVESTS: book_exports.harvest_lines,
    COSTS: book_exports.cost_lines,
    LABOUR: book_exports.labour_lines,
    WATER: book_exports.water_lines,
}
BY_MOMENT = {ALARMS: exports.alarm_lines, RUNS: book_exports.run_lines}


@require_GET
@farm_member_required  # type: ignore[arg-type]  # what streams is no HttpResponse to Django
@never_cache
def farm_export(request: SignedInRequest, code: str) -> HttpResponseBase:
    """Ask which table, then stream it."""
    house = house_or_404(code)
    today = timezone.localdate()
    first = {
        "table": READINGS,
        "since": today - timedelta(days=DAYS_BY_DEFAULT - 1),
        "until": today,
        "style": Style.VIETNAMESE.value,
    }
    form = ExportForm(request.GET or None, house=house, initial=first)
    if form.is_bound and form.is_valid():
        lines = _lines(house, form)
        beginning = list(islice(lines, 2))
        if len(beginning) > 1:
            return _table(house, form, chain(beginning, lines))
        form.add_error("until", _("There is nothing in these days."))
    return _page(request, house, form)


def _page(request: SignedInRequest, house: Greenhouse, form: ExportForm) -> HttpResponse:
    context = {"house": house, "form": form, "here": "houses"}
    return render(request, "farm/export.html", context)


def _table(
    house: Greenhouse, form: ExportForm, lines: Iterator[list[Cell]]
) -> StreamingHttpResponse:
    """Stream the table under a name that sorts by house and day."""
    asked = form.cleaned_data
    name = f"{house.code}-{asked['table']}-{asked['since']:%Y%m%d}-{asked['until']:%Y%m%d}.csv"
    return StreamingHttpResponse(
        csv_pieces(in_language(get_language(), lines), style=Style(asked["style"])),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _lines(house: Greenhouse, form: ExportForm) -> Iterator[list[Cell]]:
    asked = form.cleaned_data
    since, until = form.span()
    if asked["table"] in BY_DAY:
        return BY_DAY[asked["table"]](house, since=asked["since"], until=asked["until"])
    if asked["table"] in BY_MOMENT:
        return BY_MOMENT[asked["table"]](house, since=since, until=until)
    channels = list(asked["channels"] or exports.exportable_channels(house))
    level = LEVELS.get(asked["level"])
    if level is None:
        return exports.reading_lines(house, channels, since=since, until=until)
    return exports.rollup_lines(house, channels, level, since=since, until=until)


def in_language(language: str | None, lines: Iterator[list[Cell]]) -> Iterator[list[Cell]]:
    """Make each line in the reader's language: the answer streams when the request is over."""
    while True:
        with override(language):
            line = next(lines, None)
        if line is None:
            return
        yield line
