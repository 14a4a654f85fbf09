"""Times of the day as people write them: 11h20, 5h, 17h30', 11 giờ 20, 11.20, 05:30:00."""

import re
import unicodedata

# An hour and perhaps its minutes, with nothing stuck to either end: of "12.5h" or "11.20.15"
# nobody knows what is meant. "5h 11h" is two hours, not eleven minutes past five.
WRITTEN = re.compile(
    r"""(?<![^\s,;])(?P<hour>\d{1,2})
    (?: :(?P<exact>\d{2}):(?P<second>\d{2})
      | (?: : (?=\d) | \. (?=\d\d) | [^\S\n]*(?:giờ|gio|h|g) )
        (?: [^\S\n]*(?P<minute>\d{1,2}) (?![^\S\n]*(?:giờ|gio|h|g))
            (?: [^\S\n]*(?:phút|phut|ph|p|['’\u2032]) )? )?
    )(?=\.?(?:[\s,;]|$))""",
    re.IGNORECASE | re.VERBOSE,
)
BETWEEN = re.compile(r"[\s,;]+")
PLAIN = re.compile(r"[0-2]\d:[0-5]\d(:[0-5]\d)?")


def times_typed(text: str) -> list[str]:
    """Take a line of times apart; what is no time stays as it was typed, for whoever checks it.

    >>> times_typed("5h, 11 giờ 20; 15.30 16:00 17h30' 05:30:00")
    ['05:00', '11:20', '15:30', '16:00', '17:30', '05:30']
    >>> times_typed("25h, 7h61, trưa 12.5h 11.20.15")
    ['25h', '7h61', 'trưa', '12.5h', '11.20.15']
    """
    whole = WRITTEN.sub(_plain, unicodedata.normalize("NFC", text))
    return list(dict.fromkeys(part for part in BETWEEN.split(whole) if part.strip(".")))


def is_time(part: str) -> bool:
    """Tell whether a part was read as a time: a number alone may be half of "12,5h".

    >>> is_time("05:30"), is_time("12"), is_time("25h")
    (True, False, False)
    """
    return PLAIN.fullmatch(part) is not None


def _plain(written: re.Match[str]) -> str:
    hour, minute = int(written["hour"]), int(written["exact"] or written["minute"] or 0)
    second = int(written["second"] or 0)
    if hour > 23 or max(minute, second) > 59:
        return f" {''.join(written[0].split())} "
    return f" {hour:02d}:{minute:02d}{f':{second:02d}' if second else ''} "
