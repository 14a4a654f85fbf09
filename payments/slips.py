"""The printed payment slip: three or four on an A4 sheet, to be cut apart and carried round."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import IO, Final, NamedTuple

from django.utils.formats import date_format
from django.utils.translation import gettext as _
from reportlab.lib.units import mm

from common.pdf import A4, BOLD, REGULAR, Sheet, Style, fit
from common.templatetags.portal import spaced
from common.text import amount_in_words_vi, vnd
from payments.models import Biller

_MARGIN: Final = 10 * mm
_GAP: Final = 5 * mm
_GREY: Final = 0.35  # as light as a worn-out printer still shows


class Slip(NamedTuple):
    """What one slip says, ready to be drawn. `pile` names the village whose slips lie together."""

    pile: str
    biller_id: int
    household: str
    address: str
    payer: str
    subject: str
    amount: int
    balance: int
    due_date: date | None
    payment_code: str
    payload: str


class Layout(NamedTuple):
    """Measures of a slip, in points; `scale` is that of the text."""

    height: float
    scale: float
    qr_side: float

    @property
    def text_width(self) -> float:
        """From the left margin to the gap before the QR picture."""
        return A4[0] - 2 * _MARGIN - self.qr_side - _GAP

    def at(self, share: float) -> float:
        """Give the height above the slip's lower edge, of a place so many thousandths down."""
        return self.height * (1 - share / 1000)

    def style(self, size: float, font: str = REGULAR, grey: float = 0.0) -> Style:
        return Style(font, size * self.scale, grey)


# The dark part of the picture is 84 to 86 % of its side: 40 mm and 52 mm.
LAYOUTS: Final = {
    3: Layout(height=A4[1] / 3, scale=1.2, qr_side=61 * mm),
    4: Layout(height=A4[1] / 4, scale=1.0, qr_side=48 * mm),
}


def write_slips(
    target: IO[bytes],
    slips: Sequence[Slip],
    *,
    billers: Mapping[int, Biller],
    slips_per_page: int,
    on_slip: Callable[[], None] = lambda: None,
) -> None:
    """Write the slips in their order, each pile beginning on a new sheet.

    `billers` by id, with their bank loaded. Words are in the active language. `on_slip` is called
    after each slip.
    """
    sheet = Sheet(target, size=A4, title=_("Payment slips"))
    layout = LAYOUTS[slips_per_page]
    for biller in billers.values():
        with sheet.form(f"biller{biller.pk}"):
            _draw_printed_part(sheet, layout, biller)
    in_pile = Counter(slip.pile for slip in slips)
    drawn: Counter[str] = Counter()
    place = 0
    for slip in slips:
        if place == slips_per_page or (place and not drawn[slip.pile]):
            sheet.end_page()
            place = 0
        place += 1
        drawn[slip.pile] += 1
        counted = f"{slip.pile}  {drawn[slip.pile]}/{in_pile[slip.pile]}"
        bottom = A4[1] - place * layout.height
        _draw_slip(sheet, layout, slip, bottom=bottom, counted=counted)
        if place < slips_per_page:
            sheet.cut_line((0, bottom), (A4[0], bottom))
        on_slip()
    sheet.end_page()
    sheet.save()


def _draw_printed_part(sheet: Sheet, layout: Layout, biller: Biller) -> None:
    """Draw what all slips of a biller share."""
    label, width = layout.style(7.5, grey=_GREY), layout.text_width
    right = _MARGIN + width
    sheet.text_within(_MARGIN, layout.at(110), biller.name, layout.style(10.5, BOLD), width)
    sheet.line((_MARGIN, layout.at(382)), (right, layout.at(382)))
    sheet.text(_MARGIN, layout.at(432), _("Amount to pay"), label)
    sheet.text_right(right, layout.at(432), _("Pay by"), label)
    sheet.line((_MARGIN, layout.at(610)), (right, layout.at(610)))

    sheet.text(_MARGIN, layout.at(660), _("Receiver"), label)
    sheet.text(_MARGIN, layout.at(712), _("Account number"), label)
    value = _MARGIN + 22 * mm * layout.scale
    room = right - value
    account = f"{spaced(biller.account_number)}  ·  {biller.bank.short_name}"
    sheet.text_within(value, layout.at(660), biller.account_name, layout.style(9, BOLD), room)
    sheet.text_within(value, layout.at(712), account, layout.style(9, BOLD), room)

    y = layout.at(784)
    for number, sentence in enumerate(_how_to(biller), start=1):
        sheet.text(_MARGIN, y, f"{number}.", label)
        y = sheet.paragraph(_MARGIN + 4 * mm, y, sentence, layout.style(7.5), width - 4 * mm)
    sheet.text_centred(A4[0] - _MARGIN - layout.qr_side / 2, layout.at(765), _("Message"), label)


def _how_to(biller: Biller) -> tuple[str, str, str]:
    return (
        _("Open your bank's app, choose to scan a QR code and point the phone at this one."),
        _("Check that the receiver is %(name)s, then confirm.") % {"name": biller.account_name},
        _("No smartphone? Take this slip to a bank counter, or to your village's digital team."),
    )


def _draw_slip(sheet: Sheet, layout: Layout, slip: Slip, *, bottom: float, counted: str) -> None:
    """Draw one slip whose lower edge is at `bottom`; `counted` is its place in the pile."""
    width, right = layout.text_width, _MARGIN + layout.text_width
    middle = A4[0] - _MARGIN - layout.qr_side / 2
    small, words = layout.style(8, grey=_GREY), layout.style(8.5)
    sheet.place(f"biller{slip.biller_id}", 0, bottom)

    def down(share: float) -> float:
        return bottom + layout.at(share)

    sheet.text_within(_MARGIN, down(164), slip.subject, words, width)
    sheet.text_within(_MARGIN, down(250), slip.household, layout.style(12.5, BOLD), width)
    sheet.text_within(_MARGIN, down(304), slip.address, words, width)
    sheet.text_within(_MARGIN, down(354), slip.payer, small, width)
    sheet.text(_MARGIN, down(517), vnd(slip.balance), layout.style(19, BOLD))
    sheet.text_right(right, down(505), _due(slip.due_date), layout.style(12, BOLD))
    sheet.text_within(_MARGIN, down(577), _in_words(slip), words, width)

    sheet.qr(
        A4[0] - _MARGIN - layout.qr_side, down(60) - layout.qr_side, slip.payload, layout.qr_side
    )
    sheet.text_centred(middle, down(822), spaced(slip.payment_code), layout.style(11.5, BOLD))
    sheet.text_centred(
        middle, down(888), *fit(counted.strip(), layout.style(7, grey=_GREY), layout.qr_side)
    )


def _due(day: date | None) -> str:
    return date_format(day, "SHORT_DATE_FORMAT") if day else "–"


def _in_words(slip: Slip) -> str:
    """Spell the balance; of a bill paid in part, say also what it was."""
    in_words = amount_in_words_vi(slip.balance).capitalize()
    if slip.balance == slip.amount:
        return in_words
    already = _("%(paid)s of %(amount)s is already paid")
    paid = {"paid": vnd(slip.amount - slip.balance), "amount": vnd(slip.amount)}
    return f"{in_words}  ({already % paid})"
