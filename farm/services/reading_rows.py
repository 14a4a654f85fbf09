"""Writing many readings at once, each once: COPY and one INSERT on PostgreSQL."""

import io
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from struct import Struct

from django.db import IntegrityError, connection, transaction

from farm.models import DirtyHour, Reading
from farm.services import partitions

# Plain tuples: a value is made ten times a frame, and naming its places costs as much as the rest.
Value = tuple[float, int]  # v, flags
ValuesByTime = dict[datetime, dict[int, Value]]  # by t, by channel_id
Newest = tuple[datetime, float | None, int, datetime]  # t, v (None: failed), flags, received_at


# PostgreSQL's manual, COPY, "Binary Format": to write numbers as text and read them again takes
# both sides longer than all else that a row needs. A row: how many fields, then each after its
# length: channel_id int4, t int8 (microseconds since 2000), v float4, flags int2.
COPY_HEAD = b"PGCOPY\n\xff\r\n\0" + bytes(8)
COPY_END = b"\xff\xff"
COPY_ROW = Struct("!h ii iq if ih").pack
COPY_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
DIRECTLY = "COPY farm_reading (channel_id, t, v, flags) FROM STDIN (FORMAT binary)"
# The table lives as long as the connection, its rows as long as the transaction.
STAGING = """
SET LOCAL client_min_messages = warning;
CREATE TEMP TABLE IF NOT EXISTS farm_reading_staging
  (channel_id integer, t timestamptz, v real, flags smallint) ON COMMIT DELETE ROWS
"""
TO_STAGING = "COPY farm_reading_staging FROM STDIN (FORMAT binary)"
# In key order: two bridges with the same frames then wait for each other in turn, never in a ring.
TAKE_OVER = """
INSERT INTO farm_reading (channel_id, t, v, flags)
SELECT channel_id, t, v, flags FROM farm_reading_staging ORDER BY channel_id, t
ON CONFLICT (channel_id, t) DO NOTHING
"""
NEWEST = """
INSERT INTO farm_latestreading (channel_id, t, v, flags, received_at) {rows}
ON CONFLICT (channel_id) DO UPDATE SET
  t = excluded.t, v = excluded.v, flags = excluded.flags, received_at = excluded.received_at
WHERE excluded.t > farm_latestreading.t
"""
FROM_LISTS = """SELECT * FROM
  unnest(%s::int[], %s::timestamptz[], %s::float8[], %s::smallint[], %s::timestamptz[])"""
# Several bridges may hold one note at a time; the job that would delete it passes it over.
MARK = """
INSERT INTO farm_dirtyhour (channel_id, hour)
SELECT wanted.channel_id, wanted.hour
FROM unnest(%s::int[], %s::timestamptz[]) AS wanted (channel_id, hour)
WHERE NOT EXISTS (
  SELECT FROM farm_dirtyhour note
  WHERE note.channel_id = wanted.channel_id AND note.hour = wanted.hour
  FOR KEY SHARE SKIP LOCKED
)
"""
MOST_PER_STATEMENT = 1000


# Two round trips a savepoint, and each of these would be one within `store_frames`.
@transaction.atomic(savepoint=False)
def insert(*, values_by_t: ValuesByTime) -> None:
    """Write the readings that are not there yet; one that is there stays as it is."""
    if not any(values_by_t.values()):
        return
    if connection.vendor != "postgresql":
        Reading.objects.bulk_create(
            (
                Reading(channel_id=channel_id, t=t, v=v, flags=flags)
                for t, values in values_by_t.items()
                for channel_id, (v, flags) in values.items()
            ),
            ignore_conflicts=True,
        )
        return
    rows = _copy_rows(values_by_t)
    try:
        # Twice as quick as the way below, and right unless one of the rows is there already, or
        # the first of a month that no partition waits for.
        with transaction.atomic(), connection.wrap_database_errors, connection.cursor() as cursor:
            cursor.cursor.copy_expert(DIRECTLY, io.BytesIO(rows))
    except IntegrityError:
        partitions.ensure(months={partitions.month_of(t) for t in values_by_t})
        _insert_the_new(rows)


def _copy_rows(values_by_t: ValuesByTime) -> bytes:
    """Write rows as COPY reads them, in key order: these bytes sort as channel and time do."""
    rows: list[bytes] = []
    for t, values in values_by_t.items():
        micros = (t - COPY_EPOCH) // MICROSECOND
        rows += [
            COPY_ROW(4, 4, channel_id, 8, micros, 4, v, 2, flags)
            for channel_id, (v, flags) in values.items()
        ]
    rows.sort()
    return b"".join([COPY_HEAD, *rows, COPY_END])


def _insert_the_new(rows: bytes) -> None:
    """Insert the rows that are not there yet, by way of a table of this session's own."""
    with connection.cursor() as cursor:
        cursor.execute(STAGING)
        cursor.cursor.copy_expert(TO_STAGING, io.BytesIO(rows))
        cursor.execute(TAKE_OVER)
        # A second call in the same transaction must not bring these again.
        cursor.execute("DELETE FROM farm_reading_staging")


@transaction.atomic(savepoint=False)
def note_newest(*, newest_by_channel: Mapping[int, Newest]) -> None:
    """Let each channel's newest row say this, unless it knows something newer."""
    if not newest_by_channel:
        return
    rows = [(channel_id, *newest) for channel_id, newest in sorted(newest_by_channel.items())]
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            channel_ids, times, values, flags, received = map(list, zip(*rows, strict=True))
            # psycopg2 takes ten times as long to write a datetime as a text.
            moments = ([t.isoformat() for t in times], [t.isoformat() for t in received])
            lists = [channel_ids, moments[0], values, flags, moments[1]]
            cursor.execute(NEWEST.format(rows=FROM_LISTS), lists)
            return
        for start in range(0, len(rows), MOST_PER_STATEMENT):
            chunk = rows[start : start + MOST_PER_STATEMENT]
            places = ", ".join(["(%s, %s, %s, %s, %s)"] * len(chunk))
            cursor.execute(
                NEWEST.format(rows=f"VALUES {places}"), [part for row in chunk for part in row]
            )


@transaction.atomic(savepoint=False)
def mark_dirty(*, channel_ids_by_t: Mapping[datetime, Iterable[int]]) -> int:
    """Note which channels' hours are to be summed up again; tell how many notes were new.

    A note that stands does for us too, but only locked: the job that sums up cannot take it away
    then before our readings are committed. One that the job holds is passed over, and made anew.
    """
    channel_ids_by_hour: dict[datetime, set[int]] = defaultdict(set)
    for t, channel_ids in channel_ids_by_t.items():
        channel_ids_by_hour[t.replace(minute=0, second=0, microsecond=0)].update(channel_ids)
    wanted = {
        (channel_id, hour)
        for hour, channel_ids in channel_ids_by_hour.items()
        for channel_id in channel_ids
    }
    if not wanted:
        return 0
    if connection.vendor == "postgresql":
        text_by_hour = {hour: hour.isoformat() for hour in {hour for _, hour in wanted}}
        notes = sorted(wanted)
        with connection.cursor() as cursor:
            cursor.execute(
                MARK,
                [
                    [channel_id for channel_id, _ in notes],
                    [text_by_hour[hour] for _, hour in notes],
                ],
            )
            return int(cursor.rowcount)
    standing = DirtyHour.objects.filter(
        channel_id__in={channel_id for channel_id, _ in wanted},
        hour__in={hour for _, hour in wanted},
    ).values_list("channel_id", "hour")
    missing = sorted(wanted - set(standing))
    DirtyHour.objects.bulk_create(
        DirtyHour(channel_id=channel_id, hour=hour) for channel_id, hour in missing
    )
    return len(missing)
