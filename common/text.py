"""Vietnamese text: search keys, the order of names, bank memos, and money in figures and words."""

import re
import unicodedata
from typing import Final

NAME_SORT_KEY_MAX: Final = 255

# A bank transfer carries at most this many characters of content
# (api.vietqr.vn, "Generate VietQR Code": 19, no marks, no special characters).
MEMO_MAX: Final = 19

# A stroke is not a combining mark, so NFKD leaves these whole. U+00D0/U+00F0 (Icelandic eth) and
# U+0189/U+0256 (African d) look the same and stand for đ in files converted from older fonts.
_STROKED_D: Final = str.maketrans({"đ": "d", "Đ": "D", "Ð": "D", "ð": "d", "Ɖ": "D", "ɖ": "d"})
_TO_DYET: Final = str.maketrans({"ð": "đ", "ɖ": "đ"})

# Breve, circumflex and horn make another letter (ă â ơ); the other marks are tones.
_SHAPES: Final = frozenset("\u0306\u0302\u031b")
# Ngang (no mark) is "01". TCVN dictionaries: ngang, huyền, hỏi, ngã, sắc, nặng.
_LEVEL_TONE: Final = "01"
_TONES: Final = {"\u0300": "02", "\u0309": "03", "\u0303": "04", "\u0301": "05", "\u0323": "06"}
_END_OF_MIDDLE_NAMES: Final = "00"
_VOWELS: Final = frozenset("aeiouy")
_ALPHABET: Final = "0123456789aăâbcdđeêfghijklmnoôơpqrstuưvwxyz"
# Two decimal digits each: any collation of any database sorts equal-length digit strings alike.
_WEIGHTS: Final = {
    unicodedata.normalize("NFD", letter): f"{weight:02d}"
    for weight, letter in enumerate(_ALPHABET, start=10)
}

_DIGITS: Final = ("không", "một", "hai", "ba", "bốn", "năm", "sáu", "bảy", "tám", "chín")
_AFTER_TENS: Final = {1: "mốt", 4: "tư", 5: "lăm"}
_GROUPS: Final = ("", "nghìn", "triệu", "tỷ")


def without_marks(text: str) -> str:
    """Write text without diacritics: "Nguyễn Văn Đạt" becomes "Nguyen Van Dat".

    Case and spaces stay. Compatibility forms (full width, ligatures) are spelled out (NFKD).
    """
    decomposed = unicodedata.normalize("NFKD", text)
    return "".join(c for c in decomposed if not unicodedata.combining(c)).translate(_STROKED_D)


def fold(text: str) -> str:
    """Give the key under which text is stored for searching and looked for.

    Two spellings share a key when they differ only in marks, case, đ/d, composed or decomposed
    Unicode, or the amount of white space. Folding a key again changes nothing.

    >>> fold("  ĐẶNG  Văn Hoà ")
    'dang van hoa'
    """
    # Marks first: decomposing can uncover capitals (℡ is TEL).
    return " ".join(without_marks(text).casefold().split())


def plain_memo(text: str, *, limit: int = MEMO_MAX) -> str:
    """Turn any text into a transfer memo that every bank carries unharmed: ``[A-Z0-9 ]``.

    Marks go, other signs become one space, and the end is cut at ``limit`` characters. The answer
    may be empty. Source: payments reference, VietQR.vn cap of 19 characters.

    >>> plain_memo("Tiền nước tháng 11/2026")
    'TIEN NUOC THANG 11'
    """
    spaced = re.sub(r"[^A-Z0-9]+", " ", without_marks(text).upper()).strip()
    return spaced[:limit].rstrip()


def name_sort_key(full_name: str) -> str:
    """Give the string that sorts people as Vietnamese lists do: given, middle, then family name.

    The given name is the last word. Words compare letter by letter in the Vietnamese alphabet
    (a ă â b c d đ e ê … o ô ơ … u ư), and only then by tone (ngang huyền hỏi ngã sắc nặng), so
    where the tone mark stands (hoà, hòa) makes no difference. f j w z stand where English has
    them; other scripts come last; punctuation is passed over.

    The key is made of decimal digits only, at most NAME_SORT_KEY_MAX, so SQLite and PostgreSQL
    under any collation agree on its order. A name without a letter or digit has the key "".
    """
    decomposed = unicodedata.normalize("NFKD", full_name).casefold().translate(_TO_DYET)
    words = [key for word in decomposed.split() if (key := _word_key(word))]
    if len(words) > 1:
        # The end of the middle names weighs least: "Lê Thị An" stands before "Lê Thị Hoài An".
        words = [words[-1], *words[1:-1], _END_OF_MIDDLE_NAMES, words[0]]
    return "".join(words)[:NAME_SORT_KEY_MAX]


def _word_key(word: str) -> str:
    """Weigh the letters of one decomposed word, then its tone; the tone also ends the word.

    Tone weights are below all letter weights, so a word sorts before those it begins.
    """
    weights: list[str] = []
    tone = _LEVEL_TONE
    for letter, marks in re.findall(r"([^\W_])([\u0300-\u036f]*)", word):
        shape = "".join(mark for mark in marks if mark in _SHAPES)
        weights.append(_WEIGHTS.get(letter + shape) or _WEIGHTS.get(letter) or _foreign(letter))
        if letter in _VOWELS:
            tone = next((_TONES[mark] for mark in marks if mark in _TONES), tone)
    return "".join((*weights, tone)) if weights else ""


def _foreign(letter: str) -> str:
    """Place a letter of another script after all of ours, in code point order."""
    return f"99{ord(letter):07d}"


def vnd(amount: int) -> str:
    r"""Write whole đồng as Vietnamese readers expect, with a space that does not break.

    A negative amount (a reversal) keeps its sign. TypeError for anything but a whole number.

    >>> vnd(1_234_567)
    '1.234.567\xa0₫'
    """
    return f"{_whole(amount):,}".replace(",", ".") + "\u00a0₫"


def amount_in_words_vi(amount: int) -> str:
    """Spell 0 to 999,999,999,999 đồng in Vietnamese, for receipts and slips.

    TypeError for anything but a whole number; ValueError outside that range.

    >>> amount_in_words_vi(1_234_500)
    'một triệu hai trăm ba mươi tư nghìn năm trăm đồng'
    """
    if not 0 <= _whole(amount) < 10**12:
        raise ValueError(f"amount {amount} cannot be spelled: it must be 0 to 999,999,999,999")
    if amount == 0:
        return "không đồng"
    words: list[str] = []
    for power in range(len(_GROUPS) - 1, -1, -1):
        group = amount // 1000**power % 1000
        if group:
            # Groups after the first are read in full: 1.000.005 is "… không trăm linh năm".
            words += [*_group_in_words(group, in_full=bool(words)), _GROUPS[power]]
    return " ".join(filter(None, (*words, "đồng")))


def _group_in_words(group: int, *, in_full: bool) -> list[str]:
    """Spell 1 to 999; ``in_full`` also names a hundreds digit that is zero."""
    hundreds, rest = divmod(group, 100)
    tens, units = divmod(rest, 10)
    words = [_DIGITS[hundreds], "trăm"] if hundreds or in_full else []
    if tens > 1:
        words += [_DIGITS[tens], "mươi"]
    elif tens:
        words.append("mười")
    elif units and words:
        words.append("linh")
    if units:
        words.append(_units_in_words(tens, units))
    return words


def _units_in_words(tens: int, units: int) -> str:
    """Name the last digit: mốt and tư follow mươi only, lăm follows mười too."""
    if tens > 1 or (tens == 1 and units == 5):
        return _AFTER_TENS.get(units, _DIGITS[units])
    return _DIGITS[units]


def _whole(amount: int) -> int:
    """Refuse what Python would take for a whole number of đồng, or round without a word."""
    if isinstance(amount, bool) or not isinstance(amount, int):
        raise TypeError(f"an amount is a whole number of đồng, not {type(amount).__name__}")
    return amount
