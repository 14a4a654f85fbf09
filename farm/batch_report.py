"""A batch on paper: what it was, what it came to, how that compares, and its book."""

from collections.abc import Sequence
from datetime import datetime
from io import BytesIO
from typing import Final

from django.utils.translation import gettext as _
from reportlab.lib.units import mm

from common.pdf import A4, BOLD, Sheet, Style, wrap
from farm import batch_words
from farm.batch_labels import grower_of, trace_url
from farm.models import Batch
from farm.selectors.batches import BatchPage, BookLine, Traced
from farm.words import moment, number

_MARGIN: Final = 16 * mm
_WIDTH: Final = A4[0] - 2 * _MARGIN
_RIGHT: Final = _MARGIN + _WIDTH
_BOTTOM: Final = 20 * mm
_QR_SIDE: Final = 30 * mm
_LABEL: Final = Style(size=9, grey=0.35)
_VALUE: Final = Style(size=9.5)
_STRONG: Final = Style(BOLD, 9.5)
_LINE: Final = 5.2 * mm


class _Paper:
    """A sheet with a place to write on; it turns the page by itself."""

    def __init__(self, sheet: Sheet, foot: str) -> None:
        self.sheet, self.foot = sheet, foot
        self.page = 1
        self.y = A4[1] - _MARGIN

    def need(self, height: float) -> None:
        """Turn the page unless so much is free."""
        if self.y - height < _BOTTOM:
            self.end_page()
            self.page += 1
            self.y = A4[1] - _MARGIN - 4 * mm

    def end_page(self) -> None:
        words = _("%(foot)s, page %(page)d") % {"foot": self.foot, "page": self.page}
        self.sheet.text(_MARGIN, 12 * mm, words, Style(size=8, grey=0.35))
        self.sheet.end_page()

    def heading(self, words: str, *, below: float = 14 * mm) -> None:
        """Write a heading that keeps together with what comes after it."""
        self.need(12 * mm + below)
        self.y -= 10 * mm
        self.sheet.text(_MARGIN, self.y, words, Style(BOLD, 12))
        self.sheet.line((_MARGIN, self.y - 2 * mm), (_RIGHT, self.y - 2 * mm))
        self.y -= 7 * mm

    def row(self, cells: Sequence[str], stops: Sequence[float], styles: Sequence[Style]) -> None:
        """Write one line of a table; each cell breaks into as many lines as it needs."""
        ends = [*stops[1:], _RIGHT + 2 * mm]
        columns = [
            wrap(cell, style, end - stop - 2 * mm)
            for cell, style, stop, end in zip(cells, styles, stops, ends, strict=True)
        ]
        height = max(1, *(len(lines) for lines in columns))
        self.need(height * _LINE)
        for lines, style, stop, end in zip(columns, styles, stops, ends, strict=True):
            for down, line in enumerate(lines):
                self.sheet.text_within(
                    stop, self.y - down * 4.4 * mm, line, style, end - stop - 2 * mm
                )
        self.y -= (height - 1) * 4.4 * mm + _LINE


def render_report(
    page: BatchPage, *, book: Sequence[BookLine], traced: Traced, at: datetime
) -> bytes:
    """Draw the report in the active language. No query."""
    batch = page.batch
    target = BytesIO()
    title = _("Report of batch %(code)s") % {"code": batch.code}
    sheet = Sheet(target, size=A4, title=title)
    paper = _Paper(sheet, f"{title}, {moment(at)}")
    _draw_head(paper, batch, traced)
    _draw_facts(paper, _about(batch))
    paper.heading(_("What it came to"))
    _draw_facts(paper, _shown(batch_words.facts_of(page.figures)))
    _draw_comparisons(paper, page)
    _draw_claims(paper, page)
    _draw_book(paper, book)
    paper.end_page()
    sheet.save()
    return target.getvalue()


def _draw_head(paper: _Paper, batch: Batch, traced: Traced) -> None:
    sheet, top = paper.sheet, A4[1] - _MARGIN
    room = _WIDTH - _QR_SIDE - 5 * mm
    sheet.text_within(_MARGIN, top - 4 * mm, grower_of(traced), _LABEL, room)
    sheet.text_within(_MARGIN, top - 13 * mm, batch.profile.name, Style(BOLD, 20), room)
    number_words = _("Batch %(code)s") % {"code": batch.code}
    sheet.text_within(_MARGIN, top - 20 * mm, number_words, Style(BOLD, 12), room)
    place = f"{batch.zone.name}, {batch.zone.greenhouse.name}"
    sheet.text_within(_MARGIN, top - 26 * mm, place, _VALUE, room)
    sheet.qr(_RIGHT - _QR_SIDE + 3 * mm, top - _QR_SIDE, trace_url(batch.token), _QR_SIDE)
    paper.y = top - _QR_SIDE - 6 * mm


def _about(batch: Batch) -> list[tuple[str, str]]:
    area = _("%(number)s m²") % {"number": number(batch.area_m2, 1)}
    rows = [
        (_("Variety"), batch.variety),
        (_("Growing method"), batch.get_method_display()),
        (_("Area"), area),
        (_("Plants"), number(batch.plants, 0) if batch.plants else ""),
        (_("Sown"), batch_words.day_words(batch.sown_date)),
        (_("Planted out"), batch_words.day_words(batch.transplanted_date)),
        (_("Ended on"), batch_words.day_words(batch.ended_date)),
        (_("Status"), batch.get_status_display()),
        (_("Note"), batch.note),
    ]
    return [row for row in rows if row[1]]


def _shown(facts: Sequence[batch_words.Fact]) -> list[tuple[str, str]]:
    return [
        (fact.label, (f"{fact.value} ({fact.note})" if fact.note else fact.value))
        if fact.value
        else (fact.label, batch_words.no_figure())
        for fact in facts
    ]


def _draw_facts(paper: _Paper, facts: Sequence[tuple[str, str]]) -> None:
    for label, value in facts:
        paper.row((label, value), (_MARGIN, _MARGIN + 45 * mm), (_LABEL, _VALUE))


def _draw_comparisons(paper: _Paper, page: BatchPage) -> None:
    stops = tuple(_MARGIN + offset * mm for offset in (0, 42, 76, 130))
    paper.heading(_("Compared"), below=30 * mm)
    heads = ("", _("This batch"), _("Earlier batches (median)"), _("In soil"))
    paper.row(heads, stops, (_LABEL,) * 4)
    for row in batch_words.rows_of(page.comparisons):
        earlier = _with_change(row.earlier, row.earlier_batches)
        cells = (row.label, row.own, earlier, _with_change(row.soil, row.soil_batches))
        paper.row(cells, stops, (_VALUE, _STRONG, _VALUE, _VALUE))
    if page.batch.profile.soil_source:
        source = _("Source of the figures for soil: %(source)s") % {
            "source": page.batch.profile.soil_source
        }
        paper.row((source,), (_MARGIN,), (Style(size=8, grey=0.35),))


def _with_change(other: batch_words.ComparedTo, of_batches: str) -> str:
    value = f"{other.value} {of_batches}".rstrip()
    if not other.words:
        return value
    return _("%(value)s: %(change)s") % {"value": value, "change": other.words}


def _draw_claims(paper: _Paper, page: BatchPage) -> None:
    paper.heading(_("Less labour, shorter growth, better yield?"))
    for row in batch_words.rows_of(page.comparisons):
        stops = (_MARGIN, _MARGIN + 45 * mm)
        paper.row((row.question, row.answer), stops, (_LABEL, _VALUE))


def _draw_book(paper: _Paper, book: Sequence[BookLine]) -> None:
    stops = tuple(_MARGIN + offset * mm for offset in (0, 24, 66, 100))
    paper.heading(_("The book"))
    standing = [line for line in reversed(book) if line.entry.struck_at is None]
    for line in standing:
        what, amount = batch_words.entry_words(line.entry)
        cells = (batch_words.day_words(line.entry.day), what, amount, line.entry.note)
        paper.row(cells, stops, (_VALUE,) * 4)
    if not standing:
        paper.row((_("Nothing is written down yet."),), (_MARGIN,), (_VALUE,))
