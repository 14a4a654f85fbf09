"""Where a batch's produce leads: the address behind its code, and labels to stick on it."""

from io import BytesIO
from typing import Final

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _
from reportlab.lib.units import mm

from common.pdf import A4, BOLD, Sheet, Style
from farm.batch_words import day_words, variety_words
from farm.selectors.batches import Traced

COLUMNS: Final = 3
ROWS: Final = 8  # 24 labels of 70 × 37 mm: a sheet that every stationer has
_WIDTH: Final = A4[0] / COLUMNS
_HEIGHT: Final = A4[1] / ROWS
_QR_SIDE: Final = 31 * mm
_EDGE: Final = 3 * mm
_SMALL: Final = Style(size=7, grey=0.3)


def trace_url(token: str) -> str:
    """Give the public page's full address."""
    return settings.PUBLIC_URL + reverse("farm_trace", args=[token])


def grower_of(traced: Traced) -> str:
    """Name who grew it: the cooperative of the house, else that of the commune."""
    house = traced.batch.zone.greenhouse
    return house.run_by or _("Cooperative of %(commune)s") % {"commune": settings.PORTAL_NAME}


def render_labels(traced: Traced) -> bytes:
    """Draw an A4 sheet of labels in the active language. No query."""
    batch = traced.batch
    target = BytesIO()
    sheet = Sheet(target, size=A4, title=_("Labels of batch %(code)s") % {"code": batch.code})
    with sheet.form("label"):
        _draw_label(sheet, traced)
    for row in range(ROWS):
        for column in range(COLUMNS):
            sheet.place("label", column * _WIDTH, A4[1] - (row + 1) * _HEIGHT)
    for row in range(1, ROWS):
        sheet.cut_line((0, row * _HEIGHT), (A4[0], row * _HEIGHT))
    for column in range(1, COLUMNS):
        sheet.cut_line((column * _WIDTH, 0), (column * _WIDTH, A4[1]))
    sheet.end_page()
    sheet.save()
    return target.getvalue()


def _draw_label(sheet: Sheet, traced: Traced) -> None:
    batch = traced.batch
    sheet.qr(_EDGE, (_HEIGHT - _QR_SIDE) / 2, trace_url(batch.token), _QR_SIDE)
    left = _EDGE + _QR_SIDE + 1 * mm
    room = _WIDTH - left - _EDGE
    y = _HEIGHT - 9 * mm
    sheet.text_within(left, y, batch.profile.name, Style(BOLD, 12), room)
    variety = variety_words(batch)
    if variety:
        y -= 4.5 * mm
        sheet.text_within(left, y, variety, Style(size=8), room)
    y -= 5 * mm
    sheet.text_within(left, y, batch.code, Style(BOLD, 8), room)
    if traced.last_harvest is not None:
        y -= 4 * mm
        picked = _("Picked %(day)s") % {"day": day_words(traced.last_harvest)}
        sheet.text_within(left, y, picked, Style(size=7.5), room)
    y = sheet.paragraph(left, y - 4 * mm, grower_of(traced), _SMALL, room)
    sheet.text_within(left, y, _("Scan: how it grew"), _SMALL, room)
