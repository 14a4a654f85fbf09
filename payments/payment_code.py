"""Payment codes: the short mark in a transfer's memo by which money finds its bill again.

A code is ``PL``, eight base-32 characters, and one check character: 11 characters of
``[A-Z0-9]``, which a QR picture packs well and which leave room in a memo of 19.

The alphabet is Douglas Crockford's base 32 (crockford.com/base32.html): no I, L, O or U, and a
reader takes I and L for 1 and O for 0. Crockford's own check symbol needs five more signs that
banks strip, so the check here is a weighted sum in GF(32), the field of 32 elements:

    a⁸·d1 + a⁷·d2 + … + a·d8 + check = a⁸,   a being a generator of the field

Each character has its own weight, none of them zero. One wrong character changes the sum by
weight × difference, never zero. Two characters that change places change it by
(weight - weight') × (d - d'), never zero either, near or far. The check character is itself one of
the 32. (The idea of ISO 7064, whose mod 37,36 would need 36 signs.)
"""

import re
import unicodedata
from typing import Final

PREFIX: Final = "PL"
BODY_LENGTH: Final = 8
CODE_LENGTH: Final = len(PREFIX) + BODY_LENGTH + 1
NUMBERS: Final = 32**BODY_LENGTH

_ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_VALUES: Final = {character: value for value, character in enumerate(_ALPHABET)}
_CONFUSED: Final = str.maketrans("OIL", "011")
_CODE: Final = re.compile(f"{PREFIX}[{_ALPHABET}]{{{BODY_LENGTH + 1}}}")
_BITS: Final = 5 * BODY_LENGTH

# A code may begin anywhere, also inside the beginning of another: hence looking ahead.
_TAIL: Final = rf"[{_ALPHABET}OIL]{{{BODY_LENGTH + 1}}}"
_EXACT_PREFIX: Final = re.compile(rf"(?=(PL{_TAIL}))")
_CONFUSED_PREFIX: Final = re.compile(rf"(?=(P[I1]{_TAIL}))")

# Odd, so that multiplying modulo 2**40 can be undone; digits of the golden ratio and of pi.
_FIRST_FACTOR: Final = 0x9E3779B97F
_SECOND_FACTOR: Final = 0x243F6A8885
_START: Final = 0xA308D31319  # more of pi, so that 0 is scrambled too


def new_code(number: int) -> str:
    """Give the code of the bill with this number, always the same one.

    Each number from 0 to 32**8 - 1 has its own code (ValueError outside), and neighbours look
    nothing alike, so a clerk who mistypes does not land on the next bill. It scrambles, it does
    not hide: anyone with this source can turn a code back into its number.

    >>> new_code(1)
    'PLESP1GV581'
    """
    if isinstance(number, bool) or not 0 <= number < NUMBERS:
        raise ValueError(f"number {number} has no payment code: it must be 0 to 32**8 - 1")
    scrambled = _scramble(number)
    body = "".join(_ALPHABET[scrambled >> shift & 31] for shift in range(_BITS - 5, -1, -5))
    return f"{PREFIX}{body}{_check_character(body)}"


def is_valid(code: str) -> bool:
    """Say whether this is a payment code exactly as ``new_code`` writes them."""
    return bool(_CODE.fullmatch(code)) and _check_character(code[len(PREFIX) : -1]) == code[-1]


def normalise(typed: str) -> str:
    """Write what a person typed as a code would be written; ``is_valid`` then judges it.

    Case, spaces and other separators do not matter; O counts as 0, I and L as 1.

    >>> normalise("pl o23i-4567 8")
    'PL023145678'
    """
    plain = _plain(typed)
    if re.match("P[LI1]", plain):
        return PREFIX + plain[len(PREFIX) :].translate(_CONFUSED)
    return plain


def find_codes(memo: str) -> list[str]:
    """Find the payment codes in a memo as a bank returns it, in order, each once.

    Banks put text before and after the memo, change its case, and lose or add spaces and signs,
    also inside the code. Whatever is found has the right check character; one in 32 chance strings
    of the same shape has it too, so that the bill exists is for the caller to look up.

    >>> find_codes("MBVCB.123.pl esp1 gv58 1 GD 77")
    ['PLESP1GV581']
    """
    plain = _plain(memo)
    # "P1" and "PI" may be the body of a code, so they open one only where no "PL" does.
    return _valid_codes(_EXACT_PREFIX, plain) or _valid_codes(_CONFUSED_PREFIX, plain)


def _valid_codes(pattern: re.Pattern[str], plain: str) -> list[str]:
    candidates = (normalise(found[1]) for found in pattern.finditer(plain))
    return list(dict.fromkeys(code for code in candidates if is_valid(code)))


def _plain(text: str) -> str:
    """Keep only the letters and digits, as capitals; full-width ones count."""
    return re.sub(r"[^A-Z0-9]", "", unicodedata.normalize("NFKC", text).upper())


def _scramble(number: int) -> int:
    """Permute the numbers of 40 bits: each of the steps can be undone."""
    number ^= _START
    for factor in (_FIRST_FACTOR, _SECOND_FACTOR):
        number = number * factor % NUMBERS
        number ^= number >> _BITS // 2
    return number


def _check_character(body: str) -> str:
    """Solve the check equation of the module, by Horner's rule; plus and minus are both XOR."""
    total = 1  # the a⁸ of the equation: a row of zeros is then no code
    for character in body:
        total = _times_generator(total ^ _VALUES[character])
    return _ALPHABET[total]


def _times_generator(element: int) -> int:
    """Multiply by the generator x of GF(32) = GF(2)[x] / (x⁵ + x² + 1), a primitive polynomial."""
    doubled = element << 1
    return doubled ^ 0b100101 if doubled & 0b100000 else doubled
