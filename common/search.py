"""Finding names in columns that keep their marks, by what somebody types without them.

Tables that are searched often keep a folded key beside the name (common.text.fold). Where a table
has none, a pattern does it: each plain letter stands for all its marked forms, composed or not.
"""

import re
from collections import defaultdict
from functools import cache
from typing import Final

from common.text import fold

_LATIN: Final = (*range(0x41, 0x250), *range(0x1E00, 0x1F00))
_COMBINING: Final = "[\u0300-\u036f]*"


def mark_blind_pattern(typed: str) -> str:
    """Give a pattern for `__regex` that finds text whatever its marks and case.

    Both PostgreSQL and SQLite (where Django lends it Python's `re`) read it the same way. "" for
    text that has nothing to look for.

    >>> bool(re.search(mark_blind_pattern("le thi hoa"), "LÊ THỊ HOÀ"))
    True
    >>> bool(re.search(mark_blind_pattern("đặng"), "Dang"))
    True
    """
    return r"\s+".join(
        "".join(f"{_either(letter)}{_COMBINING}" for letter in word) for word in fold(typed).split()
    )


def _either(letter: str) -> str:
    forms = _forms().get(letter)
    return f"[{forms}]" if forms else re.escape(letter)


@cache
def _forms() -> dict[str, str]:
    """All single letters of Latin scripts by the plain letter that they fold to."""
    forms: dict[str, list[str]] = defaultdict(list)
    for code in _LATIN:
        folded = fold(chr(code))
        if len(folded) == 1 and folded.isascii() and folded.isalpha():
            forms[folded].append(chr(code))
    return {letter: "".join(spellings) for letter, spellings in forms.items()}
