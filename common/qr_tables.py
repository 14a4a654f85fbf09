"""What common.qr looks up: for each version, the modules that each half byte of data turns over.

Reed-Solomon coding, placement and masking (ISO/IEC 18004:2015, level M) are done here once for each
version, when its first symbol is drawn.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, reduce
from itertools import product
from operator import xor
from typing import Final

# Any mask may be read; choosing one for each text would take longer than all the rest. Mask 1 has
# the lowest mean penalty (7.8.3) for transfer payloads, 4 % above the choice of the best of eight.
MASK: Final = 1
_FORMAT: Final = 0x5125  # table C.1: level M, mask 1, with check bits
_VERSION_INFO: Final = {7: 0x07C94, 8: 0x085BC, 9: 0x09A99}  # Annex D
# Table 9, level M: data codewords of each block, and error codewords of every block. It ends at
# version 9, where the character counts grow (table 3); segno draws the few that are longer.
BLOCKS: Final = {
    1: ((16,), 10),
    2: ((28,), 16),
    3: ((44,), 26),
    4: ((32,) * 2, 18),
    5: ((43,) * 2, 24),
    6: ((27,) * 4, 16),
    7: ((31,) * 4, 18),
    8: ((38, 38, 39, 39), 22),
    9: ((36, 36, 36, 37, 37), 22),
}
_ALIGNMENT: Final[dict[int, tuple[int, ...]]] = {  # Annex E
    1: (), 2: (6, 18), 3: (6, 22), 4: (6, 26), 5: (6, 30), 6: (6, 34),
    7: (6, 22, 38), 8: (6, 24, 42), 9: (6, 26, 46),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Tables:
    """One version's symbol for data of zeros, and what each hex digit of data turns over in it.

    The numbers are made like Symbol.modules.
    """

    size: int
    empty: int
    turned_over: tuple[dict[str, int], ...]


@cache
def tables_of(version: int) -> Tables:
    """Build a version's tables, once in a process: 30 ms and 0.7 MB for version 5."""
    size = 17 + 4 * version
    stride = size + 1

    def bit(x: int, y: int) -> int:
        return 1 << (size * stride - 1 - (y * stride + x))

    fixed = _function_modules(version, size)
    path = [(x, y) for x, y in _placement(size) if (x, y) not in fixed]
    dark = [place for place, is_dark in fixed.items() if is_dark]
    masked = [(x, y) for x, y in path if y % 2 == 0]  # table 10, mask 1
    empty = sum(bit(x, y) for x, y in dark + masked)
    places = [bit(x, y) for x, y in path]
    codeword_places = [places[at : at + 8] for at in range(0, len(places) - 7, 8)]
    return Tables(size, empty, tuple(_digit_tables(version, codeword_places)))


def _digit_tables(version: int, places: Sequence[Sequence[int]]) -> Iterator[dict[str, int]]:
    """Give two tables for each data codeword: its high digit, then its low one.

    ``places`` holds the eight modules of each codeword of the final message (7.6), in which the
    codewords of all blocks take turns: the data first, then the error codewords.
    """
    data_lengths, errors = BLOCKS[version]
    blocks = range(len(data_lengths))
    turns = [
        (block, at)
        for at in range(max(data_lengths))
        for block in blocks
        if at < data_lengths[block]
    ]
    for block in blocks:
        error_places = places[len(turns) + block :: len(blocks)][:errors]
        for at, checks_of_one in enumerate(_checks(data_lengths[block], errors)):
            checks = checks_of_one
            single: list[int] = []  # what each bit of the codeword turns over, the lowest first
            for place in reversed(places[turns.index((block, at))]):
                single.append(place ^ _modules(checks, error_places))
                checks = [_doubled(check) for check in checks]
            yield _digit_table(single[4:])
            yield _digit_table(single[:4])


def _modules(codewords: Iterable[int], places: Iterable[Sequence[int]]) -> int:
    """Give the modules that the ones of some codewords take."""
    return sum(
        place
        for codeword, eight in zip(codewords, places, strict=True)
        for power, place in enumerate(eight)
        if codeword >> (7 - power) & 1
    )


def _digit_table(single: Sequence[int]) -> dict[str, int]:
    """Combine what four bits turn over, the lowest first, for each hex digit."""
    return {
        f"{digit:x}": reduce(xor, (one for n, one in enumerate(single) if digit >> n & 1), 0)
        for digit in range(16)
    }


def _function_modules(version: int, size: int) -> dict[tuple[int, int], bool]:
    """Give the modules that carry no data (6.3, 7.9, 7.10): whether each (x, y) is dark."""
    fixed: dict[tuple[int, int], bool] = {}
    for center in ((3, 3), (size - 4, 3), (3, size - 4)):
        fixed |= _squares(center, 4, light=(2, 4), size=size)  # with its separator
    for x, y in product(_ALIGNMENT[version], repeat=2):
        if (x, y) not in fixed:
            fixed |= _squares((x, y), 2, light=(1,), size=size)
    for at in range(8, size - 8):
        fixed[at, 6] = fixed[6, at] = at % 2 == 0
    for power, (one, other) in enumerate(zip(*_format_places(size), strict=True)):
        fixed[one] = fixed[other] = bool(_FORMAT >> power & 1)
    fixed[8, size - 8] = True
    for power in range(18 if version in _VERSION_INFO else 0):
        x, y = size - 11 + power % 3, power // 3
        fixed[x, y] = fixed[y, x] = bool(_VERSION_INFO[version] >> power & 1)
    return fixed


def _squares(
    center: tuple[int, int], reach: int, *, light: tuple[int, ...], size: int
) -> dict[tuple[int, int], bool]:
    """Nest squares around a center; those at the distances in ``light`` are light."""
    return {
        (center[0] + dx, center[1] + dy): max(abs(dx), abs(dy)) not in light
        for dx, dy in product(range(-reach, reach + 1), repeat=2)
        if 0 <= center[0] + dx < size and 0 <= center[1] + dy < size
    }


def _format_places(size: int) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """Give the places of the 15 format bits, the lowest first, around and beside the corners."""
    past_timing = [0, 1, 2, 3, 4, 5, 7, 8]
    around = [(8, y) for y in past_timing] + [(x, 8) for x in past_timing[-2::-1]]
    beside = [(size - 1 - n, 8) for n in range(8)] + [(8, size - 7 + n) for n in range(7)]
    return around, beside


def _placement(size: int) -> Iterator[tuple[int, int]]:
    """Walk two columns at a time, up and down from the right, past the timing column (7.7.3)."""
    for turn, right in enumerate((*range(size - 1, 6, -2), 5, 3, 1)):
        for step in range(size):
            y = step if turn % 2 else size - 1 - step
            yield right, y
            yield right - 1, y


def _checks(length: int, errors: int) -> list[list[int]]:
    """Give the error codewords that a 1 in each place of a block makes, the first place first."""
    divisor = [1]  # of 7.5.2: the product of (x - 2**n), without its highest term
    for power in range(errors):
        root = reduce(lambda element, _: _doubled(element), range(power), 1)
        shifted = [*divisor, 0]
        divisor = [a ^ _times(b, root) for a, b in zip(shifted, [0, *divisor], strict=True)]
    divisor = divisor[1:]
    rows = [divisor]
    for _ in range(length - 1):
        lead, *rest = rows[-1]
        rows.append([a ^ _times(lead, b) for a, b in zip([*rest, 0], divisor, strict=True)])
    return rows[::-1]


def _doubled(element: int) -> int:
    """Multiply by 2 in GF(256) over x⁸ + x⁴ + x³ + x² + 1 (7.5.2)."""
    doubled = element << 1
    return doubled ^ 0x11D if doubled & 0x100 else doubled


def _times(one: int, other: int) -> int:
    """Multiply in GF(256), one bit at a time."""
    total = 0
    while other:
        if other & 1:
            total ^= one
        one, other = _doubled(one), other >> 1
    return total
