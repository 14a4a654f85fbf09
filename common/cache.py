"""A cache that may be away: a dead Redis costs a request a tenth of a second once, then nothing."""

import logging
import time
from typing import Any

from django.core.cache.backends.redis import RedisCache
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)
PAUSE_SECONDS = 5.0


class FailSoftRedisCache(RedisCache):
    """Django's Redis cache, which answers "not there" while Redis is away.

    After a failure Redis is left alone for PAUSE_SECONDS, so that an outage does not add
    its time-out to every request.
    """

    _down_until = 0.0

    def _try(self, operation: str, /, *args: Any, fallback: Any, **kwargs: Any) -> Any:
        if time.monotonic() < self._down_until:
            return fallback
        try:
            return getattr(RedisCache, operation)(self, *args, **kwargs)
        except (RedisError, OSError) as error:
            type(self)._down_until = time.monotonic() + PAUSE_SECONDS
            logger.warning("cache is away: %s", type(error).__name__)
            return fallback

    def get(self, key: Any, default: Any = None, version: int | None = None) -> Any:
        return self._try("get", key, default, version=version, fallback=default)

    def set(self, key: Any, value: Any, *args: Any, **kwargs: Any) -> None:
        self._try("set", key, value, *args, **kwargs, fallback=None)

    def add(self, key: Any, value: Any, *args: Any, **kwargs: Any) -> bool:
        return bool(self._try("add", key, value, *args, **kwargs, fallback=True))

    def incr(self, key: Any, delta: int = 1, version: int | None = None) -> int:
        return int(self._try("incr", key, delta, version=version, fallback=delta))

    def touch(self, key: Any, *args: Any, **kwargs: Any) -> bool:
        return bool(self._try("touch", key, *args, **kwargs, fallback=False))

    def delete(self, key: Any, version: int | None = None) -> bool:
        return bool(self._try("delete", key, version=version, fallback=False))

    def has_key(self, key: Any, version: int | None = None) -> bool:
        return bool(self._try("has_key", key, version=version, fallback=False))

    def get_many(self, keys: Any, version: int | None = None) -> dict[Any, Any]:
        return dict(self._try("get_many", keys, version=version, fallback={}))

    def set_many(self, data: Any, *args: Any, **kwargs: Any) -> list[Any]:
        return list(self._try("set_many", data, *args, **kwargs, fallback=[]))

    def delete_many(self, keys: Any, version: int | None = None) -> None:
        self._try("delete_many", keys, version=version, fallback=None)

    def clear(self) -> bool:  # type: ignore[override]  # Django's Redis cache says so too
        return bool(self._try("clear", fallback=False))
