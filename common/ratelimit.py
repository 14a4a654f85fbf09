"""Limits per caller and minute, counted in Redis for all processes; open when Redis is away.

Each process takes its share from Redis in blocks of one hundredth of the limit, so that a busy
caller costs a round trip once in a while and the limit is kept to within a few per cent.
"""

import logging
import threading
import time
from dataclasses import dataclass
from functools import lru_cache

import redis
from django.conf import settings
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)
WINDOW_SECONDS = 60
PAUSE_SECONDS = 5.0


@dataclass(slots=True)
class _Share:
    """What this process may still spend for one caller in one window."""

    window: int
    left: int = 0
    is_used_up: bool = False
    is_own: bool = False


class _Limiter:
    """The shares of this process, and its connection to the common count."""

    def __init__(self) -> None:
        self._shares: dict[str, _Share] = {}
        self._lock = threading.Lock()
        self._away_until = 0.0

    def take(self, name: str, *, limit: int, now: float) -> int:
        window = int(now // WINDOW_SECONDS)
        with self._lock:
            share = self._shares.get(name)
            if share is None or share.window != window:
                self._forget_before(window)
                share = self._shares[name] = _Share(window)
            if not share.left and not share.is_used_up:
                share.left = self._block(name, share, limit=limit)
                share.is_used_up = not share.left
            if share.left:
                share.left -= 1
                return 0
        return WINDOW_SECONDS - int(now) % WINDOW_SECONDS

    def _forget_before(self, window: int) -> None:
        if len(self._shares) > 10_000:
            self._shares = {
                name: share for name, share in self._shares.items() if share.window == window
            }

    def _block(self, name: str, share: _Share, *, limit: int) -> int:
        """Ask the common count for a block; without Redis the whole limit is ours, once."""
        if share.is_own:
            return 0
        if not settings.REDIS_URL or time.monotonic() < self._away_until:
            share.is_own = True
            return limit
        size = max(1, limit // 100)
        key = f"portal:limit:{name}:{share.window}"
        try:
            with _redis().pipeline(transaction=False) as pipe:
                pipe.incrby(key, size)
                pipe.expire(key, 2 * WINDOW_SECONDS)
                taken = pipe.execute()[0]
        except (RedisError, OSError) as error:
            self._away_until = time.monotonic() + PAUSE_SECONDS
            logger.warning("rate limits are open, Redis is away: %s", type(error).__name__)
            share.is_own = True
            return limit
        return max(0, min(size, limit - (int(taken) - size)))


@lru_cache(maxsize=1)
def _redis() -> "redis.Redis":
    return redis.Redis.from_url(settings.REDIS_URL, socket_connect_timeout=0.1, socket_timeout=0.2)


_limiter = _Limiter()


def take(name: str, *, limit: int, now: float | None = None) -> int:
    """Count one call of `name`; answer 0 when it may pass, else the seconds until it may.

    `limit` is in calls a minute. Fails open: without Redis each process counts for itself.
    """
    return _limiter.take(name, limit=limit, now=time.time() if now is None else now)


def forget() -> None:
    """Drop what this process remembers of its shares."""
    global _limiter  # noqa: PLW0603  # the limiter is this process's one
    _limiter = _Limiter()
