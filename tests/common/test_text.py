"""Vietnamese text: what searching, sorting, memos and money must get right."""

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.text import (
    NAME_SORT_KEY_MAX,
    amount_in_words_vi,
    fold,
    name_sort_key,
    plain_memo,
    vnd,
    without_marks,
)

VIETNAMESE = (
    "aàảãáạăằẳẵắặâầẩẫấậbcdđeèẻẽéẹêềểễếệghiìỉĩíịklmnoòỏõóọôồổỗốộơờởỡớợpqrstuùủũúụưừửữứựvxyỳỷỹýỵ"
)
names = st.text(alphabet=VIETNAMESE + VIETNAMESE.upper() + "  ", max_size=40)


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_every_vietnamese_letter_loses_its_marks(form):
    marked = unicodedata.normalize(form, VIETNAMESE)

    assert re.fullmatch("[a-z]+", without_marks(marked))
    assert without_marks(marked.upper()) == without_marks(marked).upper()
    assert len(without_marks(marked)) == len(VIETNAMESE)


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("Nguyễn Văn Đạt", "Nguyen Van Dat"),
        ("aAeEoOiIuUyYđĐ", "aAeEoOiIuUyYdD"),
        ("Ðặng ðào", "Dang dao"),  # U+00D0, U+00F0, from files in older fonts
        ("\uff21\uff22\uff11", "AB1"),  # full width
        ("1.234 ₫", "1.234 ₫"),
        ("", ""),
    ],
)
def test_without_marks(text, plain):
    assert without_marks(text) == plain


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("  ĐẶNG \t Văn\u00a0Hoà ", "dang van hoa"),
        ("đặng văn hòa", "dang van hoa"),
        ("THÔN 3", "thon 3"),
        ("Straße", "strasse"),
        ("İ ℡", "i tel"),
        ("   ", ""),
    ],
)
def test_fold(text, key):
    assert fold(text) == key


@given(st.text())
def test_folding_twice_is_folding_once(text):
    assert fold(fold(text)) == fold(text)


@given(st.text())
def test_composed_and_decomposed_text_fold_alike(text):
    assert fold(unicodedata.normalize("NFC", text)) == fold(unicodedata.normalize("NFD", text))


@given(names)
def test_case_makes_no_difference_to_the_search_key(name):
    assert fold(name.upper()) == fold(name.lower())


@pytest.mark.parametrize(
    ("text", "memo"),
    [
        ("Tiền nước tháng 11/2026", "TIEN NUOC THANG 11"),
        ("PL26A7K9MX2 - Đỗ Văn Ơn", "PL26A7K9MX2 DO VAN"),
        ("  điện; nước  ", "DIEN NUOC"),
        ("₫!?", ""),
        ("AAAAAAAAAAAAAAAAAA BBB", "AAAAAAAAAAAAAAAAAA"),
    ],
)
def test_plain_memo(text, memo):
    assert plain_memo(text) == memo


@given(st.text())
def test_a_plain_memo_is_one_that_banks_carry(text):
    assert re.fullmatch(r"([A-Z0-9]([A-Z0-9 ]{0,17}[A-Z0-9])?)?", plain_memo(text))


@pytest.mark.parametrize(
    "in_order",
    [
        # the alphabet, with f j w z between
        list("0189aăâbcdđeêfghijklmnoôơpqrstuưvwxyz"),
        # tones: ngang huyền hỏi ngã sắc nặng
        ["ma", "mà", "mả", "mã", "má", "mạ"],
        # letters before tones, a whole word long
        ["Lan", "Làn", "Lán", "Lanh", "Lành", "Lăn", "Lân", "Lê"],
        ["An", "Anh", "Ánh", "Ân", "Ba", "Dung", "Dũng", "Đào", "Đức"],
        ["Thu", "Thuý", "Thư", "Trang", "Uyên", "Ước", "Vân", "Yến"],
        # given name, then middle names, then family name
        ["Trần Văn An", "Lê Xuân An", "Nguyễn Xuân An", "Bùi Thị Bình"],
        ["An", "Lê An", "Lê Thị An", "Lê Thị Hoài An", "Lê Văn An"],
        # a short name before one that it begins, also across words
        ["Lê Văn A", "Lê Văn Ả", "Lê Văn Á", "Lê Văn An"],
        # an ethnic minority name with an apostrophe, and another script, last
        ["H'Hen Niê", "Nguyễn Thị Yến", "Борис", "Иван"],
    ],
)
def test_names_stand_in_vietnamese_order(in_order):
    keys = [name_sort_key(name) for name in in_order]

    assert keys == sorted(keys)
    assert len(set(keys)) == len(keys)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Nguyễn Thị Hoà", "nguyễn  thị HÒA "),
        ("Ðức", "Đức"),
        ("H'Hen", "HHen"),
        ("Muñoz", "Munoz"),
        (unicodedata.normalize("NFD", "Lê Thị Thuỷ"), unicodedata.normalize("NFC", "Lê Thị Thuỷ")),
    ],
)
def test_spellings_of_one_name_share_a_key(one, other):
    assert name_sort_key(one) == name_sort_key(other)


@pytest.mark.parametrize(
    ("name", "key"),
    [("", ""), (" - ", ""), ("An", "203701"), ("Lê Ân", "223701" + "00" + "352801")],
)
def test_the_key_of_a_name(name, key):
    assert name_sort_key(name) == key


@given(st.text())
def test_a_key_is_digits_and_fits_its_column(name):
    key = name_sort_key(name * 9)

    assert re.fullmatch("[0-9]*", key)
    assert len(key) <= NAME_SORT_KEY_MAX


@given(names)
def test_every_letter_of_a_vietnamese_name_has_its_own_weight(name):
    assert "99" not in re.findall("..", name_sort_key(name))


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (0, "0\u00a0₫"),
        (999, "999\u00a0₫"),
        (1_234_567, "1.234.567\u00a0₫"),
        (-50_000, "-50.000\u00a0₫"),
        (10**15, "1.000.000.000.000.000\u00a0₫"),
    ],
)
def test_vnd(amount, text):
    assert vnd(amount) == text


@pytest.mark.parametrize("spell", [vnd, amount_in_words_vi])
@pytest.mark.parametrize("amount", [True, 1.0, "1000", None])
def test_an_amount_that_is_not_a_whole_number_is_refused(spell, amount):
    with pytest.raises(TypeError, match="whole number"):
        spell(amount)


@pytest.mark.parametrize("amount", [-1, 10**12])
def test_an_amount_outside_the_words_is_refused(amount):
    with pytest.raises(ValueError, match="cannot be spelled"):
        amount_in_words_vi(amount)


@pytest.mark.parametrize(
    ("amount", "words"),
    [
        (0, "không"),
        (1, "một"),
        (4, "bốn"),
        (5, "năm"),
        (10, "mười"),
        (11, "mười một"),
        (14, "mười bốn"),
        (15, "mười lăm"),
        (20, "hai mươi"),
        (21, "hai mươi mốt"),
        (24, "hai mươi tư"),
        (25, "hai mươi lăm"),
        (44, "bốn mươi tư"),
        (55, "năm mươi lăm"),
        (71, "bảy mươi mốt"),
        (99, "chín mươi chín"),
        (100, "một trăm"),
        (101, "một trăm linh một"),
        (104, "một trăm linh bốn"),
        (105, "một trăm linh năm"),
        (110, "một trăm mười"),
        (111, "một trăm mười một"),
        (115, "một trăm mười lăm"),
        (121, "một trăm hai mươi mốt"),
        (555, "năm trăm năm mươi lăm"),
        (1_000, "một nghìn"),
        (1_001, "một nghìn không trăm linh một"),
        (1_010, "một nghìn không trăm mười"),
        (1_015, "một nghìn không trăm mười lăm"),
        (1_021, "một nghìn không trăm hai mươi mốt"),
        (1_100, "một nghìn một trăm"),
        (15_000, "mười lăm nghìn"),
        (21_000, "hai mươi mốt nghìn"),
        (105_000, "một trăm linh năm nghìn"),
        (180_000, "một trăm tám mươi nghìn"),
        (1_000_000, "một triệu"),
        (1_000_005, "một triệu không trăm linh năm"),
        (1_000_500, "một triệu năm trăm"),
        (1_005_000, "một triệu không trăm linh năm nghìn"),
        (1_050_000, "một triệu không trăm năm mươi nghìn"),
        (1_234_500, "một triệu hai trăm ba mươi tư nghìn năm trăm"),
        (
            499_999_999,
            "bốn trăm chín mươi chín triệu chín trăm chín mươi chín nghìn chín trăm chín mươi chín",
        ),
        (1_000_000_000, "một tỷ"),
        (1_000_000_001, "một tỷ không trăm linh một"),
        (2_000_500_000, "hai tỷ năm trăm nghìn"),
        (24_015_000_000, "hai mươi tư tỷ không trăm mười lăm triệu"),
        (
            999_999_999_999,
            " ".join(
                f"chín trăm chín mươi chín {group}" for group in ("tỷ", "triệu", "nghìn", "")
            ).rstrip(),
        ),
    ],
)
def test_amounts_in_words(amount, words):
    assert amount_in_words_vi(amount) == f"{words} đồng"


@given(st.integers(0, 10**12 - 1), st.integers(0, 10**12 - 1))
def test_two_amounts_never_read_alike(one, other):
    assert (amount_in_words_vi(one) == amount_in_words_vi(other)) == (one == other)
