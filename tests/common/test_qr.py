"""QR pictures: the same modules as another encoder draws, and every picture is read back."""

import io
import re
import zlib
from xml.etree import ElementTree as ET

import pytest
import qrcode
import zxingcpp
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw
from qrcode.util import QRData

from common import qr

SLIP = (
    "00020101021238570010A00000072701270006970403011300110123456780208QRIBFTTA"
    "530370454061800005802VN62120808PL26A7K963047405"
)
LINK = "https://xa.example.vn/hoa-don/PL3G63DG8S3?ky=2026-11"
NAME = "Uỷ ban nhân dân xã Ea Súp, đường Âu Cơ"
LIKE_JAPANESE = "ềA" * 120  # its UTF-8 bytes are Shift JIS too
LONG = f"{LINK}&chu-ky={'aZ09_-' * 40}"

texts = st.text(alphabet="0123456789ABCXYZ $%*+-./:abcxyz&?=độ", min_size=1, max_size=130)


def read(picture: Image.Image) -> str:
    found = zxingcpp.read_barcode(picture)
    return found.text if found else "nothing"


def painted(boxes, size, module=4) -> Image.Image:
    """Paint (x, y, width) boxes one module high, in modules, on white paper."""
    picture = Image.new("L", (size * module, size * module), 255)
    draw = ImageDraw.Draw(picture)
    for x, y, width in boxes:
        corner = ((x + width) * module - 1, (y + 1) * module - 1)
        draw.rectangle(((x * module, y * module), corner), fill=0)
    return picture


def svg_boxes(svg: str):
    """Walk the one dark path of an SVG as a renderer would."""
    path = re.search(r'stroke="#000" d="M(\d+) (\d+)\.5([^"]*)"', svg)
    x, y = int(path[1]), int(path[2])
    for dx, dy, length in re.findall(r"m(-?\d+) (\d+)h(\d+)", path[3]):
        x, y = x + int(dx), y + int(dy)
        yield x, y, int(length)
        x += int(length)


def by_qrcode(payload: str) -> list[str]:
    """Draw the same segments with the qrcode package."""
    code = qrcode.QRCode(error_correction=qrcode.ERROR_CORRECT_M, mask_pattern=1, border=0)
    for mode, part in qr._segments(payload.encode()):
        code.add_data(QRData(part, mode=(1, 2, 4)[mode]))
    return ["".join("01"[dark] for dark in row) for row in code.get_matrix()]


@pytest.mark.parametrize("version", range(1, 10))
@pytest.mark.parametrize("sample", ["7", "A", "a", "9A", "1234a"])
def test_every_version_has_the_modules_of_another_encoder(version, sample):
    size = 17 + 4 * version
    fitting = (sample * n for n in range(1, 440))
    payload = next(text for text in fitting if len(qr.matrix(text)) == size)

    assert qr.matrix(payload) == by_qrcode(payload)


@pytest.mark.parametrize("payload", [SLIP, LINK, NAME, "0", "Z", "?", "\x00", "1" * 432])
def test_our_texts_have_the_modules_of_another_encoder(payload):
    assert qr.matrix(payload) == by_qrcode(payload)


@given(texts)
@settings(max_examples=40)
def test_any_text_has_the_modules_of_another_encoder(payload):
    assert qr.matrix(payload) == by_qrcode(payload)


def test_the_codewords_of_the_standard():
    """ISO/IEC 18004:2015, annex I: 01234567 as version 1-M."""
    codewords = qr._codewords(qr._message(b"01234567"), 16)

    assert codewords.hex() == "10200c566180ec11ec11ec11ec11ec11"


@pytest.mark.parametrize(
    ("payload", "size"),
    [
        (SLIP, 37),  # version 5, where one mode for all needs 6
        ("0" * 15, 21),
        ("A" * 20, 21),
        ("A" * 21, 25),
        ("0" * 432, 53),
        ("0" * 434, 57),
        ("a" * 180, 53),
        ("a" * 181, 57),
    ],
)
def test_a_symbol_is_as_small_as_it_can_be(payload, size):
    symbol = qr.symbol(payload)

    assert symbol.size == size
    assert len(qr.matrix(payload)) == size


def shortest_message(payload: str) -> int:
    """Count the bits of the best cut, by trying every mode for every part of the text."""
    best = [0] + [1 << 30] * len(payload)
    for end in range(1, len(payload) + 1):
        for start in range(end):
            part, length = payload[start:end], end - start
            ways = [12 + 8 * length]
            if set(part) <= set("0123456789AB:"):
                ways.append(13 + -(-length * 11 // 2))
            if part.isdigit():
                ways.append(14 + -(-length * 10 // 3))
            best[end] = min(best[end], best[start] + min(ways))
    return best[-1]


@given(st.lists(st.tuples(st.sampled_from("0Aa"), st.integers(1, 18)), min_size=1, max_size=7))
@settings(max_examples=60)
@example([("A", 11), ("0", 10), ("A", 3), ("a", 13)])  # segments end on whole bits
def test_no_other_cut_or_choice_of_modes_is_shorter(lengths):
    payload = "".join(kind * length for kind, length in lengths)

    assert len(qr._message(payload.encode())) == shortest_message(payload)


def test_modes_change_where_it_pays():
    assert list(qr._segments(b"ABCDEF0123456789012345abcd")) == [
        (1, b"ABCDEF"),
        (0, b"0123456789012345"),
        (2, b"abcd"),
    ]


@pytest.mark.parametrize("payload", [SLIP, LINK, NAME, LONG, "0"])
def test_runs_are_the_dark_modules(payload):
    drawn = qr.matrix(payload)
    rows = [["0"] * len(drawn) for _ in drawn]

    for x, y, length in qr.runs(payload):
        assert x == 0 or rows[y][x - 1] == "0"
        rows[y][x : x + length] = "1" * length

    assert ["".join(row) for row in rows] == drawn


@pytest.mark.parametrize("payload", [SLIP, LINK, NAME, LONG, LIKE_JAPANESE, "0"])
def test_every_kind_of_picture_is_read_back(payload):
    size = qr.symbol(payload).size
    boxes = [(x + 4, y + 4, length) for x, y, length in qr.runs(payload)]

    assert read(painted(boxes, size + 8)) == payload
    assert list(svg_boxes(qr.svg(payload))) == boxes
    assert read(Image.open(io.BytesIO(qr.png(payload)))) == payload


@given(texts)
@settings(max_examples=40)
def test_any_text_is_read_back(payload):
    assert read(Image.open(io.BytesIO(qr.png(payload, scale=3)))) == payload


def test_a_text_too_long_for_our_tables_is_still_drawn():
    assert qr.symbol(LONG).size > 53


@pytest.mark.parametrize("payload", ["", "a" * 2332, "0" * 10_000, "\ud800"])
def test_what_no_symbol_holds_is_refused(payload):
    with pytest.raises(ValueError, match=r"."):
        qr.symbol(payload)


def test_the_longest_text_is_read_back():
    payload = "a" * 2331

    assert read(Image.open(io.BytesIO(qr.png(payload, scale=2)))) == payload


def test_an_svg_stands_in_a_page_under_a_strict_policy():
    drawn = qr.svg(SLIP, title='Trả "180.000 ₫" <nhanh> & gọn', side=320)

    root = ET.fromstring(drawn)  # noqa: S314 - our own text

    assert root.attrib["viewBox"] == "0 0 45 45"
    assert (root.attrib["width"], root.attrib["height"]) == ("320", "320")
    assert root.attrib["role"] == "img"
    assert root[0].text == 'Trả "180.000 ₫" <nhanh> & gọn'
    assert [child.tag.split("}")[1] for child in root] == ["title", "path", "path"]
    assert "style" not in drawn
    assert len(drawn) < 3_000


def test_an_svg_without_a_title_has_no_role():
    root = ET.fromstring(qr.svg(SLIP))  # noqa: S314 - our own text

    assert "role" not in root.attrib
    assert len(root) == 2


@pytest.mark.parametrize("scale", [1, 3, 12, 64])
def test_a_png_is_black_on_white_with_its_quiet_zone(scale):
    picture = Image.open(io.BytesIO(qr.png(SLIP, scale=scale)))

    assert picture.mode == "1"
    assert picture.size == (45 * scale, 45 * scale)
    assert picture.crop((0, 0, 45 * scale, 4 * scale)).getextrema() == (255, 255)
    small = picture.resize((45, 45), Image.Resampling.NEAREST).crop((4, 4, 41, 41))
    dark = ["".join("01"[not small.getpixel((x, y))] for x in range(37)) for y in range(37)]
    assert dark == qr.matrix(SLIP)


@pytest.mark.parametrize("scale", [0, -1, 65])
def test_a_scale_out_of_range_is_refused(scale):
    with pytest.raises(ValueError, match="scale"):
        qr.png(SLIP, scale=scale)


def test_a_png_of_a_slip_is_light():
    assert len(qr.png(SLIP)) < 1_000
    assert zlib.crc32(qr.png(SLIP)[12:29]) == int.from_bytes(qr.png(SLIP)[29:33])


def test_pdf_operators_draw_the_runs_from_the_bottom():
    operators = qr.pdf_operators(SLIP, left=10, bottom=20, side=90)

    placed = re.fullmatch(r"q 0 g 2\.0000 0 0 2\.0000 18\.0000 28\.0000 cm (.*) f Q", operators)
    boxes = re.findall(r"(\d+) (\d+) (\d+) 1 re", placed[1])
    assert [(int(x), 36 - int(y), int(width)) for x, y, width in boxes] == qr.runs(SLIP)
