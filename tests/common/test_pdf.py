"""Printed pages: Vietnamese is in the text layer as it was, and lines keep to their width."""

import unicodedata
from io import BytesIO

import pytest
from pypdf import PdfReader

from common.pdf import A4, A5, BOLD, REGULAR, Sheet, Style, fit, width_of, wrap
from common.text import vnd
from tests.paper import page_codes, page_sizes, page_texts

VOWELS = "aáàảãạăắằẳẵặâấầẩẫậeéèẻẽẹêếềểễệiíìỉĩịoóòỏõọôốồổỗộơớờởỡợuúùủũụưứừửữựyýỳỷỹỵđ"
TEN = Style(REGULAR, 10)


def drawn(draw, *, size=A4) -> bytes:
    target = BytesIO()
    sheet = Sheet(target, size=size, title="Phiếu")
    draw(sheet)
    sheet.end_page()
    sheet.save()
    return target.getvalue()


@pytest.mark.parametrize("font", [REGULAR, BOLD])
@pytest.mark.parametrize("letters", [VOWELS, VOWELS.upper()])
def test_every_vietnamese_letter_is_in_the_text_layer(font, letters):
    pdf = drawn(lambda sheet: sheet.text(20, 700, letters, Style(font, 6)))

    assert page_texts(pdf) == [letters]


def test_letters_that_come_in_parts_are_put_together():
    parts = unicodedata.normalize("NFD", "Nguyễn Thị Hoà")

    pdf = drawn(lambda sheet: sheet.text(20, 700, parts, TEN))

    assert page_texts(pdf) == ["Nguyễn Thị Hoà"]
    assert width_of(parts, TEN) == width_of("Nguyễn Thị Hoà", TEN)


def test_signs_that_mean_something_in_a_pdf_are_plain_text():
    pdf = drawn(lambda sheet: sheet.text(20, 700, r"(a\b) <c> Tj ET", TEN))

    assert page_texts(pdf) == [r"(a\b) <c> Tj ET"]


def test_money_keeps_its_sign_and_a_plain_space():
    pdf = drawn(lambda sheet: sheet.text(20, 700, vnd(1_234_567), TEN))

    assert page_texts(pdf) == ["1.234.567 ₫"]


def test_only_our_two_fonts_are_in_the_file_and_both_are_embedded():
    def draw(sheet):
        sheet.text(20, 700, "thường", TEN)
        sheet.text(20, 600, "đậm", Style(BOLD, 10))

    [page] = PdfReader(BytesIO(drawn(draw))).pages

    descriptors = {
        font["/BaseFont"].split("+")[1]: font["/FontDescriptor"]
        for font in (font.get_object() for font in page["/Resources"]["/Font"].values())
    }
    assert descriptors.keys() == {REGULAR, BOLD}
    assert all("/FontFile2" in descriptor for descriptor in descriptors.values())


def test_a_line_that_fits_is_left_alone():
    assert fit("Ngõ 2", TEN, 200) == ("Ngõ 2", TEN)


def test_a_line_a_little_too_long_shrinks_to_the_width():
    width = width_of("Nguyễn Thị Ánh", TEN) * 0.9

    words, style = fit("Nguyễn Thị Ánh", TEN, width)

    assert (words, style.size) == ("Nguyễn Thị Ánh", pytest.approx(9))


def test_a_line_far_too_long_shrinks_to_three_quarters_and_is_cut():
    words, style = fit("Nguyễn Thị Ánh Nguyệt", TEN, 60)

    assert (words, style.size) == ("Nguyễn Thị Án…", 7.5)
    assert width_of(words, style) <= 60


def test_wrapped_text_keeps_its_words_and_its_width():
    sentence = "Không có điện thoại thông minh? Mang phiếu này ra quầy ngân hàng."

    lines = wrap(sentence, TEN, 150)

    assert " ".join(lines) == sentence
    assert len(lines) == 3
    assert all(width_of(line, TEN) <= 150 for line in lines)


def test_a_paragraph_tells_where_the_next_line_goes():
    def draw(sheet):
        assert sheet.paragraph(20, 700, "một hai", TEN, 25) == pytest.approx(672)

    assert page_texts(drawn(draw)) == ["một\nhai"]


def test_a_form_is_drawn_once_and_shown_wherever_it_is_placed():
    def draw(sheet):
        with sheet.form("nhan"):
            sheet.text(0, 0, "Hạn trả", TEN)
        sheet.place("nhan", 20, 700)
        sheet.place("nhan", 20, 600)

    assert page_texts(drawn(draw))[0].count("Hạn trả") == 2


def test_a_code_is_read_from_the_printed_page():
    pdf = drawn(lambda sheet: sheet.qr(100, 100, "00020101021238", 120), size=A5)

    assert page_codes(pdf) == [["00020101021238"]]
    assert page_sizes(pdf) == [(148, 210)]
