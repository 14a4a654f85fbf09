"""Reading JSON that nobody has promised anything of: each field strictly, by its name.

What is left out or no text reads as empty; what must be there and is not raises FrameError.
"""

import json
import math
from sys import intern
from typing import Any

MOST_BYTES = 32 * 1024
MOST_CHANNELS = 64
MOST_BOOT = 2**53 - 1  # what JSON numbers carry exactly
# 9999-12-31: what does not fit a date is not a time.
MOST_MILLISECONDS = 253_402_300_799_000
# What is later than 2100 is read as this: no sum of two times leaves the calendar then.
LATEST_MILLISECONDS = 4_102_444_800_000


class FrameError(ValueError):
    """The bytes are not what farm/v1 says; `reason` is a QuarantinedFrame.Reason value."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


def read_object(payload: bytes) -> dict[str, Any]:
    """Read a JSON object; NaN and Infinity, which JSON does not have, are read for their names."""
    if len(payload) > MOST_BYTES:
        raise FrameError("too_large", f"{len(payload)} bytes")
    try:
        document = json.loads(payload.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise FrameError("not_utf8", f"at byte {error.start}") from error
    except (ValueError, RecursionError) as error:
        raise FrameError("not_json", str(error)[:200]) from error
    if not isinstance(document, dict):
        raise FrameError("malformed", "not an object")
    return document


def whole(value: Any, key: str, *, most: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= most:
        raise FrameError("malformed", f"{key} is not a whole number from 0 to {most}")
    return value


def boot(document: dict[str, Any]) -> int:
    return whole(document.get("boot"), "boot", most=MOST_BOOT)


def milliseconds(value: Any, key: str) -> int | None:
    """Read milliseconds, also those that a float carries."""
    if value is None:
        return None
    if type(value) is int and 0 <= value <= MOST_MILLISECONDS:
        return min(value, LATEST_MILLISECONDS)
    amount = number(value)
    if amount is None or not 0 <= amount <= MOST_MILLISECONDS:
        raise FrameError("malformed", f"{key} is not a time")
    return min(int(amount), LATEST_MILLISECONDS)


def time(value: Any) -> int | None:
    return milliseconds(value, "t")


def number(value: Any) -> float | None:
    """Read a finite number; anything else is None."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        amount = float(value)
    except OverflowError:
        return None
    return amount if math.isfinite(amount) else None


def claim(value: Any, key: str) -> bool:
    if not isinstance(value, bool):
        raise FrameError("malformed", f"{key} is neither true nor false")
    return value


def text(document: dict[str, Any], key: str, most: int) -> str:
    """Read a short text, cut to what is kept of it."""
    value = document.get(key)
    return storable(value)[:most] if isinstance(value, str) else ""


def storable(value: str) -> str:
    """Leave out what JSON can carry and a database cannot: NUL and halves of surrogate pairs.

    >>> storable("a" + chr(0) + "b" + chr(0xD800))
    'ab'
    """
    if value.isascii() and value.isprintable():
        return value
    return value.encode("utf-8", "ignore").decode().replace("\0", "")


def plain(value: Any) -> Any:
    """Keep what any JSON column can hold of a value that nobody has promised anything of."""
    if isinstance(value, bool) or value is None:
        return value
    return number(value) if isinstance(value, int | float) else storable(str(value))[:200]


def measured(values: Any) -> dict[str, float | None]:
    """Read values by channel: None where the sensor failed, NaN for what is no finite number."""
    if not isinstance(values, dict):
        raise FrameError("malformed", "m is not an object")
    if len(values) > MOST_CHANNELS:
        raise FrameError("malformed", f"{len(values)} values in a frame")
    # Calls cost more than what they do here, and almost every value needs none. Each document has
    # its own copies of the same few codes: a batch would keep tens of thousands.
    return {
        intern(code if code.isascii() and code.isprintable() else storable(code)): (
            value if type(value) is float and math.isfinite(value) else _value(value)
        )
        for code, value in values.items()
    }


def words(value: Any) -> dict[str, str]:
    """Read words by channel; what is none is left out."""
    if not isinstance(value, dict):
        return {}
    return {code: word for code, word in value.items() if isinstance(word, str)}


def _value(value: Any) -> float | None:
    if value is None:
        return None
    amount = number(value)
    return math.nan if amount is None else amount
