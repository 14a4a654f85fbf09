"""Times of the day as people write them: 11h20, 5h, 11 giờ 20, 11.20."""

import re
import unicodedata

# An hour and perhaps its minutes; "5h 11h" is two hours, not eleven minutes past five.
WRITTEN = re.compile(
    r"(?<!\d)(?P<hour>\d{1,2})\s*(?:giờ|gio|h|g|:|\.)"
    r"(?:\s*(?P<minute>\d{1,2})(?!\d|\.\d|\s*(?:giờ|gio|h|g|:))(?:\s*(?:phút|phut|ph|p)\b)?)?",
    re.IGNORECASE,
)
BETWEEN = re.compile(r"[\s,;]+")


def times_typed(text: str) -> list[str]:
    """Take a line of times apart; what is no time stays as it was typed, for whoever checks it.

    >>> times_typed("5h, 11 giờ 20; 15.30 16:00")
    ['05:00', '11:20', '15:30', '16:00']
    >>> times_typed("25h, 7h61, trưa")
    ['25h', '7h61', 'trưa']
    """
    whole = WRITTEN.sub(_plain, unicodedata.normalize("NFC", text))
    return list(dict.fromkeys(part for part in BETWEEN.split(whole) if part.strip(".")))


def _plain(written: re.Match[str]) -> str:
    hour, minute = int(written["hour"]), int(written["minute"] or 0)
    if hour > 23 or minute > 59:
        return f" {''.join(written[0].split())} "
    return f" {hour:02d}:{minute:02d} "
