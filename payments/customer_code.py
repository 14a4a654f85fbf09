"""Customer codes as a biller shapes them, checked by a pattern that cannot hang the checker.

Python's regular expressions try all ways to match; a few nested repetitions make that take years
("catastrophic backtracking"). So a pattern may repeat single signs, a handful of times.
"""

import re
from functools import lru_cache
from typing import Final

MAX_LENGTH: Final = 40
MAX_CHOICES: Final = 4  # at most 40 ** 4 / 4! ways to try: milliseconds

_OPAQUE: Final = re.compile(r"\\.|\[\^?\]?[^\]]*\]")
_CHOICE: Final = re.compile(r"[*+]|(?<!\()\?|\{[0-9]*,[0-9]*\}|\|")
_REPEATED_GROUP: Final = re.compile(r"\)\s*[*+{]")


class UnsafePatternError(ValueError):
    """The pattern is no regular expression, or one that could take for ever."""


@lru_cache(maxsize=64)
def compiled(pattern: str) -> re.Pattern[str]:
    """Compile a biller's pattern. Raises UnsafePatternError.

    >>> bool(compiled("PD[0-9]{4,10}").fullmatch("PD0001"))
    True
    """
    skeleton = _OPAQUE.sub("x", pattern)
    if _REPEATED_GROUP.search(skeleton) or len(_CHOICE.findall(skeleton)) > MAX_CHOICES:
        raise UnsafePatternError(pattern)
    try:
        return re.compile(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        raise UnsafePatternError(pattern) from error


def fits(code: str, pattern: str) -> bool:
    """Say whether a code has the biller's shape; without a pattern only its length counts."""
    return len(code) <= MAX_LENGTH and (not pattern or bool(compiled(pattern).fullmatch(code)))
