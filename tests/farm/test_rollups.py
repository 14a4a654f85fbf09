"""Rollups are what a recomputation from all readings gives, whatever came when."""

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from threading import Barrier
from zoneinfo import ZoneInfo

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from farm.models import DirtyHour, Reading, Rollup
from farm.services import reading_rows, rollups
from tests.conftest import NOON
from tests.farm.factories import make_channel

Level = Rollup.Level
VIETNAM = ZoneInfo("Asia/Ho_Chi_Minh")
pytestmark = pytest.mark.django_db


def store(channel, *points):
    """Write (t, v) as the bridge does."""
    values = {t: {channel.pk: (v, 0)} for t, v in points}
    reading_rows.insert(values_by_t=values)
    reading_rows.mark_dirty(channel_ids_by_t=values)


def bucket_of(t, level):
    if level == Level.DAY:
        return t.astimezone(VIETNAM).replace(hour=0, minute=0, second=0, microsecond=0)
    return datetime.fromtimestamp(t.timestamp() // level * level, UTC)


def by_brute_force(channel):
    buckets = defaultdict(list)
    for reading in Reading.objects.filter(channel=channel).order_by("t"):
        for level in Level:
            buckets[int(level), bucket_of(reading.t, level)].append(reading.v)
    return {
        key: (len(values), sum(values), min(values), max(values), values[-1])
        for key, values in buckets.items()
    }


def stored(channel):
    return {
        (one.level, one.bucket): (one.n, one.total, one.low, one.high, one.last)
        for one in Rollup.objects.filter(channel=channel)
    }


def test_an_hour_is_summed_up_at_each_level():
    channel = make_channel()
    store(
        channel,
        (NOON, 20.0),
        (NOON + timedelta(seconds=30), 21.0),
        (NOON + timedelta(minutes=20), 25.5),
    )

    taken = rollups.sum_up()

    rows = stored(channel)
    quarter = NOON + timedelta(minutes=15)
    midnight = datetime(2026, 11, 21, 17, tzinfo=UTC)
    assert taken == 1
    assert rows[60, NOON] == (2, 41.0, 20.0, 21.0, 21.0)
    assert rows[900, NOON] == (2, 41.0, 20.0, 21.0, 21.0)
    assert rows[900, quarter] == (1, 25.5, 25.5, 25.5, 25.5)
    assert rows[3600, NOON] == (3, 66.5, 20.0, 25.5, 25.5)
    assert rows[86400, midnight] == (3, 66.5, 20.0, 25.5, 25.5)
    assert not DirtyHour.objects.exists()


def test_a_local_day_begins_at_seventeen_hours_utc():
    channel = make_channel()
    before, after = (
        datetime(2026, 11, 21, *clock, tzinfo=UTC) for clock in ((16, 59, 59), (17, 0))
    )
    store(channel, (before, 1.0), (after, 2.0))

    rollups.sum_up()

    days = Rollup.objects.filter(channel=channel, level=Level.DAY).order_by("bucket")
    assert [(one.bucket, one.last) for one in days] == [
        (datetime(2026, 11, 20, 17, tzinfo=UTC), 1.0),
        (datetime(2026, 11, 21, 17, tzinfo=UTC), 2.0),
    ]


def test_a_late_reading_recomputes_the_buckets_of_a_month_that_was_summed_up():
    channel = make_channel()
    long_ago = NOON - timedelta(days=30)
    store(channel, (long_ago + timedelta(minutes=1), 30.0))
    rollups.sum_up()

    store(channel, (long_ago, 10.0))
    rollups.sum_up()

    assert stored(channel) == by_brute_force(channel)
    assert stored(channel)[3600, long_ago] == (2, 40.0, 10.0, 30.0, 30.0)


def test_summing_up_again_changes_and_writes_nothing():
    channel = make_channel()
    store(channel, (NOON, 20.0), (NOON + timedelta(minutes=3), 21.0))
    rollups.sum_up()
    before = stored(channel)

    rollups.recompute(hours=[(channel.pk, NOON)])

    assert stored(channel) == before
    assert rollups.sum_up() == 0


def test_the_job_takes_as_many_notes_as_it_is_told_and_leaves_the_rest():
    channel = make_channel()
    store(channel, *((NOON + timedelta(hours=hour), 1.0) for hour in range(5)))

    taken = rollups.sum_up(limit=2)

    assert (taken, DirtyHour.objects.count()) == (2, 3)


POINTS = st.dictionaries(
    st.integers(0, 60 * 60 * 50).map(lambda second: NOON + timedelta(seconds=second / 2)),
    st.integers(-40, 160).map(lambda half: half / 2),
    min_size=1,
    max_size=30,
)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(points=POINTS, random=st.randoms(), limit=st.integers(1, 4))
def test_however_the_readings_come_the_rollups_are_those_of_a_recomputation(points, random, limit):
    channel = make_channel()
    order = list(points.items())
    random.shuffle(order)

    for point in order:
        store(channel, point)
        if random.random() < 0.3:
            rollups.sum_up(limit=limit)
    while rollups.sum_up(limit=limit):
        pass

    assert stored(channel) == by_brute_force(channel)


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_a_note_that_the_job_holds_is_made_anew_and_one_that_is_free_is_kept(together):
    channel = make_channel()
    store(channel, (NOON, 1.0))
    roles = iter(("job", "bridge"))
    taken, written = Barrier(2, timeout=20), Barrier(2, timeout=20)

    def run():
        role = next(roles)
        with transaction.atomic():
            if role == "job":
                rollups.sum_up()
                taken.wait()
                written.wait()
            else:
                taken.wait()
                store(channel, (NOON + timedelta(minutes=1), 2.0))
                written.wait()

    together(run)

    assert DirtyHour.objects.count() == 1
    rollups.sum_up()
    assert stored(channel) == by_brute_force(channel)


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_two_jobs_at_once_give_the_day_of_both_hours(together):
    channel = make_channel()
    store(channel, *((NOON + timedelta(hours=hour), 1.0) for hour in range(4)))

    together(lambda: [rollups.sum_up(limit=1) for _ in range(8)])
    while rollups.sum_up():
        pass

    assert stored(channel) == by_brute_force(channel)
