"""Limits per caller and minute, alone and shared through Redis."""

import os

import pytest
import redis

from common import ratelimit

pytestmark = pytest.mark.services
MIDNIGHT = 1_800_000_000.0  # divisible by 60


@pytest.fixture(autouse=True)
def _fresh():
    ratelimit.forget()
    yield
    ratelimit.forget()
    ratelimit._redis.cache_clear()


def passes(name, *, limit, calls, now=MIDNIGHT):
    return [ratelimit.take(name, limit=limit, now=now) for _ in range(calls)].count(0)


def test_a_caller_passes_as_often_as_the_limit_says_in_each_minute(settings):
    settings.REDIS_URL = ""

    assert passes("a", limit=7, calls=20) == 7
    assert passes("b", limit=7, calls=20) == 7
    assert passes("a", limit=7, calls=20, now=MIDNIGHT + 60) == 7


def test_a_refused_caller_is_told_when_the_next_minute_begins(settings):
    settings.REDIS_URL = ""
    ratelimit.take("a", limit=1, now=MIDNIGHT)

    assert ratelimit.take("a", limit=1, now=MIDNIGHT + 12.5) == 48


def test_processes_share_one_limit_through_redis(settings):
    settings.REDIS_URL = os.environ.get("REDIS_URL") or pytest.skip("needs Redis")
    redis.Redis.from_url(settings.REDIS_URL).flushdb()

    passed = 0
    for _process in range(4):
        ratelimit.forget()
        passed += passes("a", limit=250, calls=100)

    assert passed == 250


def test_when_redis_is_away_each_process_keeps_the_limit_for_itself(settings):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"

    assert passes("a", limit=7, calls=20) == 7
