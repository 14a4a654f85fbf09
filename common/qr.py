"""QR pictures: SVG for pages, PNG to save on a phone, drawing operators for printed slips.

A QR symbol of a given version, error correction level and mask is its data bits under exclusive-or
alone: Reed-Solomon coding, placement and masking are all linear. So for each version a table is
built once of the modules that each half byte of data turns over; a symbol is then one XOR for each
half byte. docs/adr/0002-qr-pictures.md has the figures; tests hold the modules against those of the
qrcode package, and have zxing read the pictures.

Source: ISO/IEC 18004:2015, whose section numbers stand beside what they rule. Level M throughout:
it mends damage to 15 % of the codewords, the usual choice for print.
"""

import re
import struct
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache, reduce
from html import escape
from itertools import chain, compress, groupby, product
from operator import getitem, itemgetter, sub, xor
from typing import Final

import segno

from common.qr_tables import BLOCKS, MASK, tables_of

QUIET_ZONE: Final = 4  # light modules on every side (6.3.8)
MAX_SCALE: Final = 64

_LONGEST: Final = 432  # digits, in version 9 (table 7); of other text it holds less

# Modes by their place here: numeric, alphanumeric, byte; each can also write what those before can.
_RUN: Final = re.compile(rb"([0-9]+)|([A-Z $%*+./:-]+)|([^0-9A-Z $%*+./:-]+)")
_COMPACT: Final = re.compile(r"[0-9A-Z $%*+./:-]+")
_MODE_BITS: Final = ("0001", "0010", "0100")  # table 2
_COUNT_BITS: Final = (10, 9, 8)  # table 3, versions 1 to 9
_SIXTHS_PER_CHARACTER: Final = (20, 33, 48)  # of a bit: 10 bits for 3, 11 for 2, 8 for 1 (7.4)
_AS_BOOLEANS: Final = bytes.maketrans(b"01", b"\0\1")
_NEVER: Final = 1 << 30
_ALPHANUMERIC: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"  # table 5
_DIGITS_AS_BITS: Final = {
    f"{number:0{width}d}": f"{number:0{bits}b}"
    for width, bits in ((1, 4), (2, 7), (3, 10))
    for number in range(10**width)
}
_PAIR_AS_BITS: Final = {
    **{one: f"{value:06b}" for value, one in enumerate(_ALPHANUMERIC)},
    **{
        one + other: f"{value:011b}"
        for value, (one, other) in enumerate(product(_ALPHANUMERIC, repeat=2))
    },
}


@dataclass(frozen=True, slots=True)
class Symbol:
    """A QR symbol without its quiet zone, ``size`` modules wide and high.

    The binary digits of ``modules`` are the rows from the top, 1 for dark, each row followed by a
    0 so that no two rows run together.
    """

    size: int
    modules: int

    def rows(self) -> list[str]:
        """Give each row, from the top, as a string of ``size`` characters "0" and "1"."""
        stride = self.size + 1
        digits = f"{self.modules:0{self.size * stride}b}"
        return [digits[at : at + self.size] for at in range(0, self.size * stride, stride)]

    def runs(self) -> list[tuple[int, int, int]]:
        """Give each unbroken line of dark modules as (x, y, length), y counted from the top."""
        starts, lengths = self._spans()
        xs, ys = _coordinates(self.size)
        return list(
            zip(map(xs.__getitem__, starts), map(ys.__getitem__, starts), lengths, strict=True)
        )

    def boxes(self) -> str:
        """Give the dark runs as PDF boxes of one module's height, y counted from the bottom."""
        starts, lengths = self._spans()
        corners, widths = _box_words(self.size)
        words = zip(map(corners.__getitem__, starts), map(widths.__getitem__, lengths), strict=True)
        return "".join(chain.from_iterable(words))

    def _spans(self) -> tuple[list[int], list[int]]:
        """Give where in the digits the dark runs start, and how long they are."""
        count = self.size * (self.size + 1)
        # A digit that differs from the one before it starts a run or follows its end.
        changes = f"{self.modules ^ self.modules >> 1:0{count}b}".encode().translate(_AS_BOOLEANS)
        edges = list(compress(range(count), changes))
        starts = edges[::2]
        return starts, list(map(sub, edges[1::2], starts))


def symbol(payload: str) -> Symbol:
    """Draw a text as the smallest QR symbol of level M that holds it.

    Text outside ASCII is written in UTF-8. ValueError if it is empty or longer than any symbol
    holds (2,331 bytes, or more of digits and capitals).
    """
    if not payload:
        raise ValueError("an empty text has no QR picture")
    encoded = payload.encode()
    if len(encoded) > _LONGEST:
        return _long_symbol(payload)
    message = _message(encoded)
    for version, (data_lengths, _) in BLOCKS.items():
        capacity = sum(data_lengths)
        if len(message) <= capacity * 8:
            tables = tables_of(version)
            codewords = _codewords(message, capacity).hex()
            modules = reduce(xor, map(getitem, tables.turned_over, codewords), tables.empty)
            return Symbol(tables.size, modules)
    return _long_symbol(payload)


def matrix(payload: str) -> list[str]:
    """Give the rows of the symbol: see Symbol.rows."""
    return symbol(payload).rows()


def runs(payload: str) -> list[tuple[int, int, int]]:
    """Give the dark runs of the symbol: see Symbol.runs."""
    return symbol(payload).runs()


def svg(payload: str, *, title: str = "", side: int = 240) -> str:
    """Draw an SVG picture, ``side`` CSS pixels wide, that also stands inside an HTML page.

    It has no style attribute (strict CSP). A title is for those who cannot see the picture.
    """
    drawn = symbol(payload)
    whole = drawn.size + 2 * QUIET_ZONE
    label = f' role="img"><title>{escape(title)}</title>' if title else ">"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{side}" height="{side}" '
        f'viewBox="0 0 {whole} {whole}" shape-rendering="crispEdges"{label}'
        f'<path fill="#fff" d="M0 0h{whole}v{whole}H0z"/>'
        f'<path stroke="#000" d="M{QUIET_ZONE} {QUIET_ZONE}.5{_stroke(drawn.runs())}"/></svg>'
    )


def png(payload: str, *, scale: int = 12) -> bytes:
    """Draw a black and white PNG picture, ``scale`` pixels (1 to 64) for each module."""
    if not 1 <= scale <= MAX_SCALE:
        raise ValueError(f"scale {scale} is not 1 to {MAX_SCALE}")
    drawn = symbol(payload)
    pixels = (drawn.size + 2 * QUIET_ZONE) * scale
    row_bytes = -(-pixels // 8)
    widened = {ord("1"): "0" * scale, ord("0"): "1" * scale}  # in PNG 1 is white
    margin = "1" * (QUIET_ZONE * scale)
    light = b"\0" + b"\xff" * row_bytes
    again = (b"\2" + bytes(row_bytes)) * (scale - 1)  # filter "up": the same as the row above
    lines = []
    for row in drawn.rows():
        bits = f"{margin}{row.translate(widened)}".ljust(row_bytes * 8, "1")
        lines.append(b"\0" + int(bits, 2).to_bytes(row_bytes))
    border = [light] * QUIET_ZONE
    picture = again.join([*border, *lines, *border, b""])
    header = struct.pack(">IIBBBBB", pixels, pixels, 1, 0, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(picture)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_png_chunk(*chunk) for chunk in chunks)


def pdf_operators(payload: str, *, left: float, bottom: float, side: float) -> str:
    """Write the PDF operators that draw the symbol in a square, lengths in points.

    The quiet zone is part of the square and is left as the paper is. Give the answer to
    reportlab's ``canvas.addLiteral``; the graphics state is as before afterwards.
    """
    drawn = symbol(payload)
    module = side / (drawn.size + 2 * QUIET_ZONE)
    margin = module * QUIET_ZONE
    # One path, filled at once: neighbours that share an edge show no hairline between them.
    place = f"{module:.4f} 0 0 {module:.4f} {left + margin:.4f} {bottom + margin:.4f} cm"
    return f"q 0 g {place} {drawn.boxes()}f Q"


def _stroke(dark_runs: Iterable[tuple[int, int, int]]) -> str:
    """Write runs as lines one module thick, each move relative to the end of the last."""
    steps: list[str] = []
    at_x = at_y = 0
    for x, y, length in dark_runs:
        steps.append(f"m{x - at_x} {y - at_y}h{length}")
        at_x, at_y = x + length, y
    return "".join(steps)


def _png_chunk(kind: bytes, content: bytes) -> bytes:
    checked = kind + content
    return struct.pack(">I", len(content)) + checked + struct.pack(">I", zlib.crc32(checked))


def _message(payload: bytes) -> str:
    """Write the shortest bits that say a text, as a string of "0" and "1"."""
    return "".join(
        f"{_MODE_BITS[mode]}{len(part):0{_COUNT_BITS[mode]}b}{_content(mode, part)}"
        for mode, part in _segments(payload)
    )


def _segments(payload: bytes) -> Iterator[tuple[int, bytes]]:
    """Cut a text, with a mode for each part, where the message becomes shortest.

    A run of one kind is never cut within: a mode that is cheaper for some of its characters is
    cheaper for all. Costs count sixths of a bit, and a segment ends on a whole bit.
    """
    parts = [((found.lastindex or 1) - 1, found[0]) for found in _RUN.finditer(payload)]
    costs, paths = [_NEVER] * 3, [""] * 3  # the cheapest way to be in each mode
    entry, entry_path = 0, ""  # the cheapest way to be anywhere, on a whole bit
    for simplest, part in parts:
        for mode in range(3):
            if mode < simplest:
                costs[mode] = _NEVER
                continue
            changed = entry + 6 * (4 + _COUNT_BITS[mode])
            if changed < costs[mode]:
                costs[mode], paths[mode] = changed, entry_path
            costs[mode] += len(part) * _SIXTHS_PER_CHARACTER[mode]
            paths[mode] += str(mode)
        cheapest = min(costs)
        entry, entry_path = -(-cheapest // 6) * 6, paths[costs.index(cheapest)]
    for mode, group in groupby(zip(entry_path, parts, strict=True), key=itemgetter(0)):
        yield int(mode), b"".join(part for _, (_, part) in group)


def _content(mode: int, part: bytes) -> str:
    """Write one segment without its header (7.4.4 to 7.4.6)."""
    if mode == 2:
        return f"{int.from_bytes(part):0{8 * len(part)}b}"
    text, width = part.decode("ascii"), 3 - mode
    bits = _PAIR_AS_BITS if mode else _DIGITS_AS_BITS
    return "".join([bits[text[at : at + width]] for at in range(0, len(text), width)])


def _codewords(message: str, capacity: int) -> bytes:
    """End the message, and fill the symbol with the padding of 7.4.10."""
    ended = message + "0" * min(4, capacity * 8 - len(message))
    length = -(-len(ended) // 8)
    written = int(f"{ended:0<{length * 8}}", 2).to_bytes(length)
    return (written + b"\xec\x11" * capacity)[:capacity]


def _long_symbol(payload: str) -> Symbol:
    """Let segno draw what needs more than version 9."""
    # Left to choose a mode for UTF-8, it may take it for Japanese.
    mode = None if _COMPACT.fullmatch(payload) else "byte"
    drawn = segno.make(
        payload, error="m", mode=mode, encoding="utf-8", mask=MASK, micro=False, boost_error=False
    )
    digits = "".join("".join(map(str, row)) + "0" for row in drawn.matrix)
    return Symbol(len(drawn.matrix), int(digits, 2))


@cache
def _coordinates(size: int) -> tuple[list[int], list[int]]:
    """Give x and y of every digit of Symbol.modules."""
    places = [divmod(at, size + 1) for at in range(size * (size + 1))]
    return [x for _, x in places], [y for y, _ in places]


@cache
def _box_words(size: int) -> tuple[list[str], list[str]]:
    """Give the corner of the box at every digit of Symbol.modules, and the end for every length."""
    corners = [f"{x} {size - 1 - y} " for x, y in zip(*_coordinates(size), strict=True)]
    return corners, [f"{length} 1 re " for length in range(size + 1)]
