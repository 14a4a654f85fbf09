"""Which numbers of a sequence have arrived, as sorted merged ranges; knows no Django.

The way TCP's selective acknowledgement tells it (RFC 2018): a few ranges stand for any number of
arrivals, doubles are seen at once, and what lies between two ranges is missing.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from itertools import pairwise

Ranges = tuple[tuple[int, int], ...]
# A link that loses every other frame must not make a row of megabytes.
MOST_RANGES = 100


def from_json(ranges: Iterable[Sequence[int]]) -> Ranges:
    """Read ranges back from a JSON field.

    >>> from_json([[1, 3], [7, 7]])
    ((1, 3), (7, 7))
    """
    return tuple((first, last) for first, last in ranges)


def contains(ranges: Ranges, number: int) -> bool:
    """Tell whether a number has arrived.

    >>> contains(((1, 3), (7, 7)), 3), contains(((1, 3), (7, 7)), 5)
    (True, False)
    """
    index = bisect_right(ranges, number, key=lambda pair: pair[0])
    return index > 0 and number <= ranges[index - 1][1]


def add(ranges: Ranges, number: int, *, most: int = MOST_RANGES) -> Ranges:
    """Note that a number has arrived. Beyond `most` ranges the oldest is forgotten, as unseen.

    >>> add(((1, 3), (5, 7)), 4)
    ((1, 7),)
    >>> add(((1, 3),), 9)
    ((1, 3), (9, 9))
    """
    if ranges and number == ranges[-1][1] + 1:  # the next one, as almost always
        return (*ranges[:-1], (ranges[-1][0], number))
    if contains(ranges, number):
        return ranges
    index = bisect_right(ranges, number, key=lambda pair: pair[0])
    before, after = ranges[:index], ranges[index:]
    first = last = number
    if before and before[-1][1] == number - 1:
        first, before = before[-1][0], before[:-1]
    if after and after[0][0] == number + 1:
        last, after = after[0][1], after[1:]
    return (*before, (first, last), *after)[-most:]


def gaps(ranges: Ranges, *, since: int | None = None) -> Ranges:
    """List what is missing before the last arrival: from `since` on, or from the first arrival.

    >>> gaps(((1, 3), (7, 7), (9, 12)))
    ((4, 6), (8, 8))
    >>> gaps(((3, 5),), since=1)
    ((1, 2),)
    """
    between = tuple((left[1] + 1, right[0] - 1) for left, right in pairwise(ranges))
    if since is None or not ranges or ranges[0][0] <= since:
        return between
    return ((since, ranges[0][0] - 1), *between)
