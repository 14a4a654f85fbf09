"""Which runs a device began of its own accord, by what it said of its output; knows no Django.

A device tells a state at each change and every minute while the output is on. Words get lost,
come twice and in any order: the runs are computed from all of them, and never from the order in
which they came.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

# `left` is told in whole seconds, and a word is a moment on its way.
SLACK = timedelta(seconds=2)
# Two words that are told every minute were missed: what comes later is another run.
SILENT_FOR = timedelta(seconds=150)


@dataclass(frozen=True, slots=True)
class Word:
    """One state as the device told it; `is_ours` where a command of ours had switched it on."""

    at: datetime
    boot: int
    is_on: bool
    source: str
    is_ours: bool = False
    left: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Run:
    """One run. `due_at` is when it ends at the latest; None: nobody knows, and its end is open.

    `is_end_told` is False where no word came of the end: then it is reckoned to `due_at`, and
    where that is not known either, its last word is all there is.
    """

    source: str
    began_at: datetime
    due_at: datetime | None
    ended_at: datetime | None = None
    is_end_told: bool = False


class Reading(NamedTuple):
    """What a flow meter showed, in L/min, shared among so many open valves."""

    at: datetime
    litres_per_minute: float
    open_valves: int


def runs_of(words: Iterable[Word], *, most: timedelta | None, at: datetime) -> list[Run]:
    """Make the runs that words in any order tell of, as far as they are known at a moment.

    `most` is the longest run that the device allows itself.

    >>> noon = datetime(2026, 11, 22, 12)
    >>> on, off = Word(noon, 17, True, "button"), Word(noon + SILENT_FOR, 17, False, "button")
    >>> run, = runs_of([off, on], most=None, at=noon + SILENT_FOR)
    >>> run.ended_at - run.began_at, run.is_end_told
    (datetime.timedelta(seconds=150), True)
    """
    return list(_runs(sorted(set(words), key=_place), most, at))


def _place(word: Word) -> tuple[datetime, bool, int, str, bool, timedelta]:
    """Sort words: at the same moment "off" ends what was before, "on" begins what comes next."""
    left = timedelta(seconds=-1) if word.left is None else word.left
    return (word.at, word.is_on, word.boot, word.source, word.is_ours, left)


def _runs(said: Sequence[Word], most: timedelta | None, at: datetime) -> Iterator[Run]:
    run: list[Word] = []
    for word in said:
        if run and _goes_on(run, word, most):
            run.append(word)
            continue
        if run and run[0].at < word.at:
            yield _ended(run, word, most)
        run = [word] if word.is_on and not word.is_ours else []
    if run:
        yield _last(run, most, at)


def _goes_on(run: Sequence[Word], word: Word, most: timedelta | None) -> bool:
    same = (run[-1].boot, run[-1].source)
    if not word.is_on or word.is_ours or (word.boot, word.source) != same:
        return False
    due = _due(run, most)
    return word.at <= (run[-1].at + SILENT_FOR if due is None else due + SLACK)


def _due(run: Sequence[Word], most: timedelta | None) -> datetime | None:
    """Tell when the run ends at the latest: by its own last word, and by the device's limit."""
    ends = [] if most is None else [run[0].at + most]
    if run[-1].left is not None:
        ends.append(run[-1].at + run[-1].left)
    return min(ends, default=None)


def _ended(run: Sequence[Word], word: Word, most: timedelta | None) -> Run:
    """End a run by the word that came after it: off, another run, or another boot."""
    due = _due(run, most)
    is_next_run = word.is_on and (word.boot, word.source) == (run[-1].boot, run[-1].source)
    is_told = word.boot == run[-1].boot and not (is_next_run and not word.is_ours)
    if due is not None and word.at > due + SLACK:
        is_told = False
    if due is None and not is_told:
        return Run(run[0].source, run[0].at, None, run[-1].at)
    ended_at = word.at if due is None or is_told else min(word.at, due)
    return Run(run[0].source, run[0].at, due, ended_at, is_told)


def _last(run: Sequence[Word], most: timedelta | None, at: datetime) -> Run:
    due = _due(run, most)
    is_over = due is not None and at > due + SLACK
    return Run(run[0].source, run[0].at, due, due if is_over else None)


def metered_litres(
    readings: Iterable[Reading], *, began_at: datetime, ended_at: datetime
) -> float | None:
    """Add up what a meter showed during a run; None where it showed nothing in that time.

    A reading stands for the time since the one before it, the last one for the rest as well.

    >>> noon, minute = datetime(2026, 11, 22, 12), timedelta(minutes=1)
    >>> shown = [Reading(noon + minute, 6.0, 1), Reading(noon + 2 * minute, 8.0, 2)]
    >>> metered_litres(shown, began_at=noon, ended_at=noon + 3 * minute)
    14.0
    """
    within = sorted(reading for reading in readings if began_at < reading.at <= ended_at)
    if not within:
        return None
    litres, since = 0.0, began_at
    for number, reading in enumerate(within, start=1):
        until = ended_at if number == len(within) else reading.at
        share = reading.litres_per_minute / max(reading.open_valves, 1)
        litres += max(share, 0.0) * (until - since).total_seconds() / 60
        since = until
    return litres
