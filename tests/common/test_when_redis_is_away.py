"""Redis may be away: the cache says "not there", nudges are lost, and nobody waits for either."""

import time

import pytest
from celery import Celery
from django.db import transaction
from kombu.exceptions import OperationalError

from common import nudge
from common.cache import FailSoftRedisCache

NOBODY_LISTENS = "redis://127.0.0.1:1/0"


@pytest.fixture
def cache(monkeypatch):
    monkeypatch.setattr(FailSoftRedisCache, "_down_until", 0.0)
    return FailSoftRedisCache(
        NOBODY_LISTENS, {"OPTIONS": {"socket_connect_timeout": 0.1, "socket_timeout": 0.2}}
    )


def test_a_cache_that_is_away_answers_not_there(cache):
    cache.set("a", 1)

    assert cache.get("a") is None
    assert cache.get("a", "default") == "default"
    assert cache.get_many(["a"]) == {}
    assert cache.set_many({"a": 1}) == []
    assert cache.add("a", 1) is True
    assert cache.incr("a") == 1
    assert (cache.touch("a"), cache.delete("a"), cache.has_key("a"), cache.clear()) == (False,) * 4


def test_after_the_first_failure_redis_is_left_alone(cache, monkeypatch):
    tries = []
    monkeypatch.setattr(
        "django.core.cache.backends.redis.RedisCacheClient.get",
        lambda *a, **k: tries.append(1) or (_ for _ in ()).throw(OSError),
    )

    for _ in range(50):
        cache.get("a")

    assert len(tries) == 1


def test_a_cache_that_comes_back_is_used_again(cache, monkeypatch):
    cache.get("a")
    monkeypatch.setattr(
        "django.core.cache.backends.redis.RedisCacheClient.get", lambda *a, **k: "back"
    )

    before = cache.get("a")
    monkeypatch.setattr(FailSoftRedisCache, "_down_until", time.monotonic() - 1)

    assert (before, cache.get("a")) == (None, "back")


@pytest.mark.django_db(transaction=True)
def test_a_lost_nudge_neither_fails_nor_repeats_itself(monkeypatch):
    tries = []

    def refuse(*args, **kwargs):
        tries.append(kwargs)
        raise OperationalError

    monkeypatch.setattr(Celery, "send_task", refuse)
    monkeypatch.setattr(nudge, "_quiet_until", 0.0)

    for _ in range(3):
        with transaction.atomic():
            nudge.after_commit("payments.tasks.print_slips")

    assert [attempt["retry"] for attempt in tries] == [False]


@pytest.mark.django_db(transaction=True)
def test_a_nudge_is_sent_after_commit_and_never_after_a_rollback(nudges):
    with transaction.atomic():
        nudge.after_commit("a.task", number=1)
        before = list(nudges)
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        nudge.after_commit("another.task")
        raise ZeroDivisionError

    assert (before, nudges) == ([], [("a.task", {"number": 1})])
