"""The receipt as an A5 sheet, with a code that leads to the commune's own word on it."""

from datetime import datetime
from io import BytesIO
from typing import Final

from django.conf import settings
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from reportlab.lib.units import mm

from common.pdf import A5, BOLD, Sheet, Style
from common.templatetags.portal import spaced
from common.text import amount_in_words_vi, vnd
from payments import selectors
from payments.models import Payment, Posting, Receipt, Reversal

_MARGIN: Final = 14 * mm
_WIDTH: Final = A5[0] - 2 * _MARGIN
_VALUES: Final = _MARGIN + 38 * mm
_QR_SIDE: Final = 38 * mm
_GREY: Final = 0.35
_LABEL: Final = Style(size=8.5, grey=_GREY)
_VALUE: Final = Style(size=9.5)


def render_receipt(receipt: Receipt) -> bytes:
    """Draw the receipt in the active language; a voided one says so across the page.

    At most three queries for a receipt of selectors.all_receipts.
    """
    target = BytesIO()
    sheet = Sheet(target, size=A5, title=_("Receipt %(number)s") % {"number": receipt})
    is_void = selectors.is_void(receipt)
    if is_void:
        sheet.watermark(_("VOID"), 84)
    y = _draw_head(sheet, receipt)
    y = _draw_amount(sheet, receipt, y)
    y = _draw_facts(sheet, _facts(receipt), y)
    if is_void:
        sheet.paragraph(_MARGIN, y - 3 * mm, _why_void(receipt), Style(BOLD, 9.5), _WIDTH)
    _draw_check(sheet, receipt)
    sheet.end_page()
    sheet.save()
    return target.getvalue()


def _draw_head(sheet: Sheet, receipt: Receipt) -> float:
    biller, right = receipt.bill.biller, _MARGIN + _WIDTH
    top = A5[1] - _MARGIN
    commune = _("Commune %(name)s") % {"name": settings.PORTAL_NAME}
    sheet.text(_MARGIN, top - 3 * mm, commune, Style(size=9.5, grey=_GREY))
    sheet.text(_MARGIN, top - 13 * mm, _("Receipt"), Style(BOLD, 22))
    sheet.text_right(right, top - 8.5 * mm, _("Number"), _LABEL)
    sheet.text_right(right, top - 13 * mm, str(receipt), Style(BOLD, 10.5))
    sheet.text_within(_MARGIN, top - 21 * mm, biller.name, Style(BOLD, 11), _WIDTH)
    return top - 25 * mm


def _draw_amount(sheet: Sheet, receipt: Receipt, y: float) -> float:
    right = _MARGIN + _WIDTH
    sheet.line((_MARGIN, y), (right, y))
    sheet.text(_MARGIN, y - 6 * mm, _("Amount received"), _LABEL)
    sheet.text(_MARGIN, y - 15 * mm, vnd(receipt.amount), Style(BOLD, 24))
    in_words = amount_in_words_vi(receipt.amount).capitalize()
    y = sheet.paragraph(_MARGIN, y - 21 * mm, in_words, _VALUE, _WIDTH)
    sheet.line((_MARGIN, y), (right, y))
    return y - 7 * mm


def _draw_facts(sheet: Sheet, facts: list[tuple[str, str]], y: float) -> float:
    for label, value in facts:
        if value:
            sheet.text_within(_MARGIN, y, label, _LABEL, _VALUES - _MARGIN - 2 * mm)
            y = sheet.paragraph(_VALUES, y, value, _VALUE, A5[0] - _MARGIN - _VALUES) - 1.2 * mm
    return y


def _facts(receipt: Receipt) -> list[tuple[str, str]]:
    bill, payment = receipt.bill, _payment_behind(receipt)
    biller = bill.biller
    facts = [
        (_("Payer"), receipt.payer_name),
        (_("Paid for"), f"{biller.get_service_display()} {bill.period}".strip()),
        (biller.customer_code_label or _("Customer code"), bill.customer_code),
        (_("Bill number"), bill.reference),
        (_("Payment code"), spaced(bill.payment_code)),
        (_("Status"), _("Void") if selectors.is_void(receipt) else _("Valid")),
    ]
    if payment is not None:
        through = f"{payment.get_channel_display()}  ·  {payment.partner.name}"
        facts += [
            (_("Paid at"), _moment(payment.paid_at)),
            (_("Paid through"), through),
            (_("Bank's reference"), payment.bank_ref),
            (_("From account"), payment.payer_account_masked),
        ]
    return [*facts, (_("Receipt issued at"), _moment(receipt.issued_at))]


def _payment_behind(receipt: Receipt) -> Payment | None:
    """Find the bank's report, also of money that an official put on the bill afterwards."""
    payments = Payment.objects.select_related("partner")
    direct: Payment | None = payments.filter(entry=receipt.entry_id).first()
    if direct is not None:
        return direct
    taken_from = Posting.objects.filter(entry=receipt.entry_id, unapplied__isnull=False)
    applied: Payment | None = payments.filter(
        entry__in=taken_from.values("unapplied__entry")
    ).first()
    return applied


def _why_void(receipt: Receipt) -> str:
    reversal = receipt.entry.reversed_by
    reasons = dict(Reversal.ReasonCode.choices)
    return _("Void since %(moment)s: %(reason)s. The money was taken back.") % {
        "moment": _moment(reversal.booked_at),
        "reason": reasons.get(reversal.reason, reversal.reason),
    }


def _draw_check(sheet: Sheet, receipt: Receipt) -> None:
    """Draw the code of the public page, and what it is for."""
    url = settings.PUBLIC_URL + reverse("receipt_check", args=[receipt.token])
    x, y = A5[0] - _MARGIN - _QR_SIDE, _MARGIN - 4 * mm
    sheet.qr(x + 3 * mm, y, url, _QR_SIDE)
    asks = _("Scan to see on the commune's own page whether this receipt counts.")
    sheet.paragraph(_MARGIN, y + 21 * mm, asks, _LABEL, x - _MARGIN - 6 * mm)


def _moment(at: datetime) -> str:
    return date_format(timezone.localtime(at), "DATETIME_FORMAT")
