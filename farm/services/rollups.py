"""Summing readings up: each bucket is computed again from what lies below it, never added to.

The bridge notes which hours of which channels it wrote to (DirtyHour). The job takes notes,
computes their minutes from the readings, the quarters from the minutes, the hours from the
quarters and the days from the hours, and deletes the notes it took, all in one transaction: it may
be killed at any moment, run late, or run twice, and the buckets come out the same.
"""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection, transaction

from farm.models import DirtyHour, Rollup
from farm.services import device_runs

LOCAL_TIME = ZoneInfo("Asia/Ho_Chi_Minh")
MOST_NOTES = 2000
# One job at a time: two that sum up hours of the same day would each miss the other's.
LOCK = 0x726F6C6C  # "roll"

# Materialized, or SQLite joins each note to its channel's whole history before it looks at times.
# {keys} gives (channel_id, since, until); {bucket} the beginning of the bucket that t lies in.
FROM_READINGS = """
WITH span AS MATERIALIZED ({keys}),
picked AS (
  SELECT r.channel_id, {bucket} AS bucket, CAST(r.v AS double precision) AS v, r.t
  FROM span JOIN farm_reading r
  ON r.channel_id = span.channel_id AND r.t >= span.since AND r.t < span.until
),
ranked AS (
  SELECT *, row_number() OVER (PARTITION BY channel_id, bucket ORDER BY t DESC) AS age FROM picked
)
INSERT INTO farm_rollup (channel_id, level, bucket, n, total, low, high, last)
SELECT channel_id, %s, bucket, count(*), sum(v), min(v), max(v),
  max(CASE WHEN age = 1 THEN v END)
FROM ranked WHERE true GROUP BY channel_id, bucket
"""
FROM_ROLLUPS = """
WITH span AS MATERIALIZED ({keys}),
picked AS (
  SELECT r.channel_id, {bucket} AS bucket, r.n, r.total, r.low, r.high, r.last, r.bucket AS t
  FROM span JOIN farm_rollup r
  ON r.channel_id = span.channel_id AND r.level = %s
  AND r.bucket >= span.since AND r.bucket < span.until
),
ranked AS (
  SELECT *, row_number() OVER (PARTITION BY channel_id, bucket ORDER BY t DESC) AS age FROM picked
)
INSERT INTO farm_rollup (channel_id, level, bucket, n, total, low, high, last)
SELECT channel_id, %s, bucket, sum(n), sum(total), min(low), max(high),
  max(CASE WHEN age = 1 THEN last END)
FROM ranked WHERE true GROUP BY channel_id, bucket
"""
# What comes out as it was is not written again: an hour is summed up many times while it lasts.
REPLACE = """
ON CONFLICT (channel_id, level, bucket) DO UPDATE SET n = excluded.n, total = excluded.total,
  low = excluded.low, high = excluded.high, last = excluded.last
WHERE (farm_rollup.n, farm_rollup.total, farm_rollup.low, farm_rollup.high, farm_rollup.last)
  <> (excluded.n, excluded.total, excluded.low, excluded.high, excluded.last)
"""
KEYS = {
    "postgresql": "SELECT * FROM unnest(%s::int[], %s::timestamptz[], %s::timestamptz[]) "
    "AS keys (channel_id, since, until)",
    "sqlite": "SELECT a.value AS channel_id, b.value AS since, c.value AS until FROM json_each(%s) "
    "a JOIN json_each(%s) b ON b.key = a.key JOIN json_each(%s) c ON c.key = a.key",
}
# SQLite keeps times as text in UTC; Vietnam has had UTC+7 all the year since 1975 (tz database).
BUCKETS = {
    "postgresql": {
        Rollup.Level.MINUTE: "date_trunc('minute', {t})",
        Rollup.Level.QUARTER: "date_bin('15 minutes', {t}, '2000-01-01 00:00+00')",
        Rollup.Level.HOUR: "date_trunc('hour', {t}, 'UTC')",
        Rollup.Level.DAY: "date_trunc('day', {t}, 'Asia/Ho_Chi_Minh')",
    },
    "sqlite": {
        Rollup.Level.MINUTE: "strftime('%%Y-%%m-%%d %%H:%%M:00', {t})",
        Rollup.Level.QUARTER: "datetime(strftime('%%s', {t}) / 900 * 900, 'unixepoch')",
        Rollup.Level.HOUR: "strftime('%%Y-%%m-%%d %%H:00:00', {t})",
        Rollup.Level.DAY: "datetime({t}, '+7 hours', 'start of day', '-7 hours')",
    },
}
LOWER = {
    Rollup.Level.QUARTER: Rollup.Level.MINUTE,
    Rollup.Level.HOUR: Rollup.Level.QUARTER,
    Rollup.Level.DAY: Rollup.Level.HOUR,
}

Span = tuple[int, datetime, datetime]  # channel_id, since, until


@transaction.atomic
def sum_up(*, limit: int = MOST_NOTES) -> int:
    """Sum up the hours that up to `limit` notes are about; tell how many notes were taken.

    Nothing is done while another job is at it.
    """
    if not _is_ours():
        return 0
    notes = list(
        DirtyHour.objects.select_for_update(
            skip_locked=connection.features.has_select_for_update_skip_locked
        ).order_by("pk")[:limit]
    )
    if not notes:
        return 0
    hours = sorted({(note.channel_id, note.hour) for note in notes})
    recompute(hours=hours)
    # Readings that had to wait may be a meter's, of runs that were counted without them.
    device_runs.count_again(hours=hours)
    DirtyHour.objects.filter(pk__in=[note.pk for note in notes]).delete()
    return len(notes)


@transaction.atomic
def recompute(*, hours: list[tuple[int, datetime]]) -> None:
    """Compute all buckets of these channels' hours again, and the days they are in."""
    spans = [(channel_id, hour, hour + timedelta(hours=1)) for channel_id, hour in hours]
    _replace(Rollup.Level.MINUTE, spans)
    _replace(Rollup.Level.QUARTER, spans)
    _replace(Rollup.Level.HOUR, spans)
    days = sorted({(channel_id, local_day(hour)) for channel_id, hour in hours})
    _replace(
        Rollup.Level.DAY, [(channel_id, day, day + timedelta(days=1)) for channel_id, day in days]
    )


def local_day(moment: datetime) -> datetime:
    """Give the local midnight before a moment, in UTC.

    >>> local_day(datetime(2026, 11, 22, 17, 30, tzinfo=UTC))
    datetime.datetime(2026, 11, 22, 17, 0, tzinfo=datetime.timezone.utc)
    """
    local = moment.astimezone(LOCAL_TIME)
    return local.replace(hour=0, minute=0, second=0, microsecond=0).astimezone(UTC)


def _replace(level: Rollup.Level, spans: list[Span]) -> None:
    lower = LOWER.get(level)
    source = "r.t" if lower is None else "r.bucket"
    statement = (FROM_READINGS if lower is None else FROM_ROLLUPS) + REPLACE
    vendor = connection.vendor
    levels = [int(level)] if lower is None else [int(lower), int(level)]
    with connection.cursor() as cursor:
        cursor.execute(
            statement.format(keys=KEYS[vendor], bucket=BUCKETS[vendor][level].format(t=source)),
            [*_keys(spans), *levels],
        )


def _keys(spans: list[Span]) -> list[Any]:
    columns: tuple[list[Any], ...] = tuple(map(list, zip(*spans, strict=True)))
    if connection.vendor == "postgresql":
        return list(columns)
    return [json.dumps(_as_text(column)) for column in columns]


def _as_text(column: list[Any]) -> list[Any]:
    """Write times as SQLite keeps them."""
    return [
        one.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S") if isinstance(one, datetime) else one
        for one in column
    ]


def _is_ours() -> bool:
    """Take the job's lock until the transaction ends; SQLite has one writer anyway."""
    if connection.vendor != "postgresql":
        return True
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [LOCK])
        return bool(cursor.fetchone()[0])
