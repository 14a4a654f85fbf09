"""Identifiers that sort by the time they were made."""

import os
import time
import uuid

CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def uuid7() -> uuid.UUID:
    """Make a version 7 UUID (RFC 9562 §5.7): 48 bits of Unix milliseconds, then randomness."""
    milliseconds = time.time_ns() // 1_000_000
    value = (milliseconds & (1 << 48) - 1) << 80 | int.from_bytes(os.urandom(10), "big")
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    return uuid.UUID(int=value)


def ulid() -> str:
    """Make a ULID (github.com/ulid/spec): 48 bits of Unix milliseconds, then 80, in 26 letters.

    The first 20 of the 80 count nanoseconds, so that those of one process sort as they were made.

    >>> len(ulid())
    26
    """
    milliseconds, nanoseconds = divmod(time.time_ns(), 1_000_000)
    randomness = int.from_bytes(os.urandom(8), "big") >> 4
    value = milliseconds << 80 | nanoseconds << 60 | randomness
    return "".join(CROCKFORD[value >> shift & 31] for shift in range(125, -1, -5))
