"""The job that sums up, beside a bridge that writes and beside another job (PostgreSQL)."""

from datetime import timedelta

import pytest
from django.db import transaction

from farm.models import DirtyHour, Rollup
from farm.services import reading_rows, rollups
from tests.farm.factories import NOON, make_channel
from tests.waiting import PATIENCE, somebody_waits_for_us, wait_until

Level = Rollup.Level
MINUTE = timedelta(minutes=1)
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgres]


def store(channel, t, v):
    """Write a reading as the bridge does."""
    values = {t: {channel.pk: (v, 0)}}
    with transaction.atomic():
        reading_rows.insert(values_by_t=values)
        reading_rows.mark_dirty(channel_ids_by_t=values)


def sums(channel, level):
    return list(
        Rollup.objects.filter(channel=channel, level=level)
        .order_by("bucket")
        .values_list("n", "total")
    )


def test_a_note_made_anew_while_the_job_is_at_its_hour_outlives_the_job(beside):
    channel = make_channel()
    store(channel, NOON, 1.0)
    rollups.sum_up()
    store(channel, NOON + MINUTE, 2.0)

    with transaction.atomic():
        # The job has taken its note, and waits for us with its first bucket.
        Rollup.objects.select_for_update().get(channel=channel, level=Level.MINUTE, bucket=NOON)
        job = beside(rollups.sum_up)
        wait_until(somebody_waits_for_us)
        beside(lambda: store(channel, NOON + 2 * MINUTE, 4.0)).result(PATIENCE)
    taken = job.result(PATIENCE)

    assert taken == 1
    assert DirtyHour.objects.count() == 1
    assert rollups.sum_up() == 1
    assert sums(channel, Level.HOUR) == [(3, 7.0)]


def test_while_one_job_is_at_work_another_does_nothing_and_the_day_has_both_hours(beside):
    channel = make_channel()
    store(channel, NOON, 1.0)
    store(channel, NOON + timedelta(hours=1), 2.0)

    with transaction.atomic():
        first = rollups.sum_up(limit=1)
        other = beside(lambda: rollups.sum_up(limit=1))
        # Without the lock it would see none of our hours, and wait to write the day without them.
        wait_until(lambda: other.done() or somebody_waits_for_us())
    second = other.result(PATIENCE)

    assert (first, second) == (1, 0)
    assert DirtyHour.objects.count() == 1
    assert rollups.sum_up() == 1
    assert sums(channel, Level.DAY) == [(2, 3.0)]
