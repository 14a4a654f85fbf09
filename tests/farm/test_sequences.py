"""Laws of the ranges that stand for what has arrived."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from farm import sequences

NUMBERS = st.lists(st.integers(0, 60), max_size=60)


def after(numbers, most=1000):
    ranges = ()
    for number in numbers:
        ranges = sequences.add(ranges, number, most=most)
    return ranges


@given(NUMBERS)
def test_exactly_what_was_added_is_contained(numbers):
    ranges = after(numbers)

    assert {number for number in range(-1, 62) if sequences.contains(ranges, number)} == set(
        numbers
    )


@given(NUMBERS, st.randoms())
def test_neither_order_nor_doubles_change_the_ranges(numbers, random):
    shuffled = numbers + numbers[:5]
    random.shuffle(shuffled)

    assert after(shuffled) == after(numbers)


@given(NUMBERS)
def test_ranges_are_sorted_apart_and_gaps_are_what_is_between(numbers):
    ranges = after(numbers)

    missing = [
        number for first, last in sequences.gaps(ranges) for number in range(first, last + 1)
    ]

    assert all(first <= last for first, last in ranges)
    assert all(left[1] + 1 < right[0] for left, right in pairwise(ranges))
    if numbers:
        assert set(missing) == set(range(min(numbers), max(numbers))) - set(numbers)


@given(NUMBERS, st.integers(1, 5))
def test_however_torn_the_link_the_ranges_stay_few_and_true(numbers, most):
    ranges = after(numbers, most=most)

    assert len(ranges) <= most
    assert all(number in numbers for pair in ranges for number in range(pair[0], pair[1] + 1))
