"""What is kept how long, and partitions by the month."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection

from farm.models import BootSequence, Command, QuarantinedFrame, Reading, Rollup
from farm.services import ingest, partitions, reading_rows, retention
from tests.conftest import NOON
from tests.farm.factories import make_channel, make_node

pytestmark = pytest.mark.django_db


def store(channel, *moments):
    reading_rows.insert(values_by_t={t: {channel.pk: (1.0, 0)} for t in moments})


def names():
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_inherits JOIN pg_class ON oid = inhrelid "
            "WHERE inhparent = 'farm_reading'::regclass ORDER BY 1"
        )
        return [name for (name,) in cursor.fetchall()]


def add_rollup(channel, level, age):
    return Rollup.objects.create(
        channel=channel, level=level, bucket=NOON - timedelta(days=age),
        n=1, total=1, low=1, high=1, last=1,
    )  # fmt: skip


def test_readings_of_the_last_sixty_days_are_kept_and_whole_months_before_go():
    channel = make_channel()
    old, kept = NOON - timedelta(days=92), NOON - timedelta(days=59)
    store(channel, old, kept)

    retention.keep_house(at=NOON)

    assert list(Reading.objects.values_list("t", flat=True)) == [kept]


def test_old_pings_go_and_old_runs_stay():
    node, old = make_node(), NOON - timedelta(days=4)
    for number, (op, created_at, status) in enumerate(
        [
            ("ping", old, "done"),
            ("ping", NOON, "done"),
            ("ping", old, "sent"),
            ("stop", old, "done"),
        ]
    ):
        Command.objects.create(
            id=f"{number:026}", node=node, op=op, source="system", status=status,
            created_at=created_at, expires_at=created_at,
        )  # fmt: skip

    retention.keep_house(at=NOON)

    kept = Command.objects.order_by("pk").values_list("op", "created_at", "status")
    assert list(kept) == [("ping", NOON, "done"), ("ping", old, "sent"), ("stop", old, "done")]


def test_readings_that_are_not_summed_up_are_not_dropped():
    channel = make_channel()
    old = NOON - timedelta(days=92)
    store(channel, old)
    reading_rows.mark_dirty(channel_ids_by_t={old: [channel.pk]})

    retention.keep_house(at=NOON)

    assert Reading.objects.count() == 1


def test_each_level_of_rollups_is_kept_as_long_as_it_shall():
    channel = make_channel()
    for level, age in [(60, 300), (60, 400), (900, 1000), (900, 1200), (3600, 5000), (86400, 5000)]:
        add_rollup(channel, level, age)

    retention.keep_house(at=NOON)

    left = Rollup.objects.order_by("level").values_list("level", flat=True)
    assert list(left) == [60, 900, 3600, 86400]


def test_the_quarantine_and_old_boots_are_let_go():
    node = make_node(boot=3)
    for days in (29, 31):
        ingest.quarantine(
            topic="farm/v1/x/y/tele", payload=b"", reason="malformed", detail="",
            at=NOON - timedelta(days=days),
        )  # fmt: skip
    for boot, days in ((1, 61), (2, 59), (3, 61)):
        then = NOON - timedelta(days=days)
        BootSequence.objects.create(node=node, boot=boot, began_at=then, last_frame_at=then)
    for boot, days in ((4, 61), (5, 59)):  # of these no frame ever came
        then = NOON - timedelta(days=days)
        BootSequence.objects.create(node=node, boot=boot, began_at=then)

    retention.keep_house(at=NOON)

    assert QuarantinedFrame.objects.count() == 1
    assert list(BootSequence.objects.order_by("boot").values_list("boot", flat=True)) == [2, 3, 5]


@pytest.mark.postgres
def test_partitions_are_made_for_this_month_and_two_ahead():
    partitions.make_ahead(at=datetime(2031, 12, 31, 23, tzinfo=UTC))

    assert {f"farm_reading_y{month}" for month in ("2031m12", "2032m01", "2032m02")} <= set(names())


@pytest.mark.postgres
def test_a_month_without_a_partition_gets_one_when_its_first_reading_comes():
    store(
        make_channel(),
        datetime(2032, 6, 30, 23, 59, 59, tzinfo=UTC),
        datetime(2032, 7, 1, tzinfo=UTC),
    )

    assert {"farm_reading_y2032m06", "farm_reading_y2032m07"} <= set(names())
    assert Reading.objects.count() == 2


@pytest.mark.postgres
def test_old_months_are_dropped_as_partitions():
    store(make_channel(), NOON - timedelta(days=120), NOON)

    retention.keep_house(at=NOON)

    assert "farm_reading_y2026m07" not in names()
    assert "farm_reading_y2026m11" in names()


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_two_bridges_that_meet_a_new_month_make_one_partition(together):
    month = datetime(2040, 1, 1, tzinfo=UTC)

    made = together(lambda: partitions.ensure(months=[month]))

    assert sorted(made) == [0, 1]
    partitions.drop_before(edge=datetime(2040, 2, 1, tzinfo=UTC))
    assert names() == []
