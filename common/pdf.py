"""Printed pages: Vietnamese text, lines and QR pictures on a PDF sheet, quick enough for thousands.

A thin layer over ReportLab's canvas (docs/adr/0004-reportlab-for-all-pdf.md). Lengths are points,
measured from the bottom left corner. Everything is grey or black: the commune's printers are.
"""

import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import IO, Final, NamedTuple

from django.conf import settings
from reportlab import rl_config
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

from common import qr

REGULAR: Final = "BeVietnamPro-Regular"
BOLD: Final = "BeVietnamPro-Bold"
A4: Final = (210 * mm, 297 * mm)
A5: Final = (148 * mm, 210 * mm)

_FONT_FOLDER: Final = "static/vendor/be-vietnam-pro-1.002"
_SMALLEST: Final = 0.75  # of the wished size: below that a cut text is easier to read
_STEPS: Final = 6
_REMEMBERED: Final = 4096  # texts for each file: labels and villages return, names do not
_ELLIPSIS: Final = "…"
_SPACES: Final = str.maketrans("\u00a0\u2009\u202f", "   ")  # the fonts have the plain one only

# ReportLab would write compressed streams as letters, for mail systems of the nineties: that is a
# fifth of the time and of the size of a file.
rl_config.useA85 = 0


class Style(NamedTuple):
    """How text looks: font, size in points, and grey from 0 (black) to 1 (white)."""

    font: str = REGULAR
    size: float = 9.0
    grey: float = 0.0


@lru_cache(maxsize=1)
def fonts() -> dict[str, TTFont]:
    """Give the portal's fonts by name; ReportLab learns them once for each process."""
    folder = settings.BASE_DIR / _FONT_FOLDER
    by_name = {name: TTFont(name, str(folder / f"{name}.ttf")) for name in (REGULAR, BOLD)}
    for font in by_name.values():
        pdfmetrics.registerFont(font)
    return by_name


def composed(words: str) -> str:
    """Compose letters and their marks (NFC), which the fonts hold as one; plain spaces only."""
    return unicodedata.normalize("NFC", words).translate(_SPACES)


def width_of(words: str, style: Style) -> float:
    """Measure one line of text, in points."""
    return float(fonts()[style.font].stringWidth(composed(words), style.size))


def fit(words: str, style: Style, width: float) -> tuple[str, Style]:
    """Make a line fit a width: a little smaller if that is enough, else cut short with "…"."""
    wanted = width_of(words, style)
    if wanted <= width:
        return words, style
    smaller = style._replace(size=style.size * max(width / wanted, _SMALLEST))
    if wanted * _SMALLEST <= width:
        return words, smaller
    letters = composed(words)
    while letters and width_of(letters.rstrip() + _ELLIPSIS, smaller) > width:
        letters = letters[:-1]
    return letters.rstrip() + _ELLIPSIS, smaller


def wrap(words: str, style: Style, width: float) -> list[str]:
    """Break text into lines no wider than `width`; a single longer word stands alone."""
    lines: list[str] = []
    for word in words.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and width_of(longer, style) <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


class Sheet:
    """A PDF being drawn, page after page.

    Text goes to the page as ready-made operators. ReportLab's own drawString costs twice as much
    for a new text and sixteen times as much for one that returns.
    """

    def __init__(self, target: IO[bytes], *, size: tuple[float, float], title: str) -> None:
        self._fonts = fonts()
        self._canvas = Canvas(
            target,
            size,
            pageCompression=1,
            initialFontName=REGULAR,  # type: ignore[arg-type]  # the stub has the size's type here
        )
        self._document = self._canvas._doc  # type: ignore[attr-defined]  # splitString asks for it
        self._canvas.setTitle(composed(title))
        self._canvas.setAuthor(settings.PORTAL_NAME)
        self._canvas.setCreator(settings.PORTAL_NAME)
        self._write = self._canvas.addLiteral
        self._shown: dict[tuple[str, str, float], str] = {}
        self.width, self.height = size

    def text(self, x: float, y: float, words: str, style: Style) -> None:
        """Write one line, its baseline beginning at (x, y)."""
        self._write(f"BT {style.grey:g} g {x:.2f} {y:.2f} Td {self._show(words, style)} ET")

    def text_within(self, x: float, y: float, words: str, style: Style, width: float) -> None:
        """Write one line that must not be wider than `width`: see fit."""
        self.text(x, y, *fit(words, style, width))

    def text_right(self, x: float, y: float, words: str, style: Style) -> None:
        """Write one line that ends at x."""
        self.text(x - width_of(words, style), y, words, style)

    def text_centred(self, x: float, y: float, words: str, style: Style) -> None:
        """Write one line with its middle at x."""
        self.text(x - width_of(words, style) / 2, y, words, style)

    def paragraph(self, x: float, y: float, words: str, style: Style, width: float) -> float:
        """Write text in as many lines as it needs; give the baseline of the line after it."""
        for line in wrap(words, style, width):
            self.text_within(x, y, line, style, width)
            y -= style.size * 1.4
        return y

    def line(self, start: tuple[float, float], end: tuple[float, float], grey: float = 0.6) -> None:
        """Draw a hairline."""
        self._write(f"{grey:g} G 0.5 w {_point(start)} m {_point(end)} l S")

    def cut_line(self, start: tuple[float, float], end: tuple[float, float]) -> None:
        """Draw a dashed line for the scissors."""
        self._write(f"q 0.45 G 0.6 w [4 3] 0 d {_point(start)} m {_point(end)} l S Q")

    def box(self, corner: tuple[float, float], size: tuple[float, float], grey: float) -> None:
        """Fill a rectangle whose bottom left corner is given."""
        self._write(f"{grey:g} g {_point(corner)} {_point(size)} re f")

    def qr(self, x: float, y: float, payload: str, side: float) -> None:
        """Draw a QR picture in a square that includes its quiet zone."""
        self._write(qr.pdf_operators(payload, left=x, bottom=y, side=side))

    def watermark(self, words: str, size: float) -> None:
        """Write a word across the whole page, light grey; draw it before what must stay legible."""
        style = Style(BOLD, size, 0.82)
        self._write(f"q 0.7071 0.7071 -0.7071 0.7071 {self.width / 2:.2f} {self.height / 2:.2f} cm")
        self.text(-width_of(words, style) / 2, -size / 3, words, style)
        self._write("Q")

    @contextmanager
    def form(self, name: str) -> Iterator[None]:
        """Draw something once that `place` then puts on any page for a few bytes."""
        self._canvas.beginForm(name, 0, 0, self.width, self.height)
        yield
        self._canvas.endForm()

    def place(self, name: str, x: float, y: float) -> None:
        """Put a form on the page, its origin at (x, y)."""
        self._write(f"q 1 0 0 1 {x:.2f} {y:.2f} cm")
        self._canvas.doForm(name)
        self._write("Q")

    def end_page(self) -> None:
        """Finish the page; what is drawn next stands on a new one."""
        self._canvas.showPage()

    def save(self) -> None:
        """Write the whole file to its target. Nothing can be drawn afterwards."""
        self._canvas.save()

    def _show(self, words: str, style: Style) -> str:
        """Give the operators that choose the font and show the text, in hexadecimal."""
        size = style.size
        key = (words, style.font, size)
        shown = self._shown.get(key)
        if shown is None:
            document, font = self._document, self._fonts[style.font]
            subsets = font.splitString(composed(words), document)
            shown = " ".join(
                f"{font.getSubsetInternalName(subset, document)} {size:.2f} Tf <{codes.hex()}> Tj"
                for subset, codes in subsets
            )
            if len(self._shown) < _REMEMBERED:
                self._shown[key] = shown
        return shown


def _point(pair: tuple[float, float]) -> str:
    return f"{pair[0]:.2f} {pair[1]:.2f}"
