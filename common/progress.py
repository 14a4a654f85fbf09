"""How far a long piece of work is: a hint in the cache, beside the row that holds the truth."""

from typing import NamedTuple

from django.core.cache import cache


class Progress(NamedTuple):
    """So many of so many steps are done."""

    done: int
    total: int

    @property
    def percent(self) -> int:
        """Whole percent, 0 when nothing is known."""
        return min(100, self.done * 100 // self.total) if self.total else 0


def report(work: str, *, done: int, total: int) -> None:
    """Say how far `work` is. May be lost without harm."""
    cache.set(f"progress:{work}", (done, total), timeout=3600)


def of(work: str) -> Progress:
    """Read how far `work` is; (0, 0) when nobody has said."""
    return Progress(*(cache.get(f"progress:{work}") or (0, 0)))
