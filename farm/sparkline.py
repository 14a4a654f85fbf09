"""A line through measured values as SVG paths, for a page without scripts."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

WIDTH, HEIGHT = 600, 180
RUN_STRIP = 10  # below the line, where what ran is drawn


class Box(NamedTuple):
    """A rectangle of the picture."""

    x: float
    y: float
    width: float
    height: float


class Spark(NamedTuple):
    """What the template draws; `low` and `high` are the values at the picture's edges."""

    line: str
    extent: str
    bands: tuple[Box, ...]
    runs: tuple[Box, ...]
    low: float
    high: float


class Scale(NamedTuple):
    """From time and value to the picture's coordinates."""

    begins: float
    ends: float
    low: float
    high: float

    def x(self, t: float) -> float:
        """Place a time, kept inside the picture."""
        share = (t - self.begins) / max(self.ends - self.begins, 1e-9)
        return round(min(max(share, 0), 1) * WIDTH, 1)

    def y(self, value: float) -> float:
        """Place a value, kept inside the picture; high values are up."""
        share = (value - self.low) / max(self.high - self.low, 1e-9)
        return round((1 - min(max(share, 0), 1)) * HEIGHT, 1)


def pieces(
    times: Sequence[int], values: Sequence[float | None]
) -> Iterator[list[tuple[int, float]]]:
    """Break a series at its gaps: what was not measured is not drawn.

    >>> list(pieces([1, 2, 3, 4], [5.0, None, 6.0, 7.0]))
    [[(1, 5.0)], [(3, 6.0), (4, 7.0)]]
    """
    piece: list[tuple[int, float]] = []
    for t, value in zip(times, values, strict=True):
        if value is not None:
            piece.append((t, value))
        elif piece:
            yield piece
            piece = []
    if piece:
        yield piece


def line_path(scale: Scale, times: Sequence[int], values: Sequence[float | None]) -> str:
    """Write the path of a line; a lone value is a short dash.

    >>> line_path(Scale(0, 600, 0, 180), [0, 300], [0.0, 90.0])
    'M0.0 180.0L300.0 90.0'
    """
    drawn = []
    for piece in pieces(times, values):
        points = [f"{scale.x(t)} {scale.y(value)}" for t, value in piece]
        drawn.append("M" + "L".join(points) if len(points) > 1 else f"M{points[0]}h2")
    return "".join(drawn)


def extent_path(
    scale: Scale,
    times: Sequence[int],
    lows: Sequence[float | None],
    highs: Sequence[float | None],
) -> str:
    """Write the path of the area between the lowest and highest values.

    >>> extent_path(Scale(0, 600, 0, 180), [0, 600], [0.0, 0.0], [180.0, 180.0])
    'M0.0 0.0L600.0 0.0L600.0 180.0L0.0 180.0Z'
    """
    drawn = []
    for up, down in zip(pieces(times, highs), pieces(times, lows), strict=True):
        around = [*up, *reversed(down)]
        drawn.append("M" + "L".join(f"{scale.x(t)} {scale.y(value)}" for t, value in around) + "Z")
    return "".join(drawn)
