"""Monthly partitions of the readings on PostgreSQL; elsewhere there is one table and no work."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from django.db import connection, transaction

# One at a time, whoever asks: two bridges may meet a new month in the same second.
LOCK = 0x6661726D  # "farm"
TABLE = "farm_reading"
MONTHS_AHEAD = 2


def month_of(t: datetime) -> datetime:
    """Give the beginning of a moment's month, in UTC as the partitions are.

    >>> month_of(datetime(2026, 11, 22, 5, tzinfo=UTC))
    datetime.datetime(2026, 11, 1, 0, 0, tzinfo=datetime.timezone.utc)
    """
    return t.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def next_month(month: datetime) -> datetime:
    """Give the beginning of the month after.

    >>> next_month(datetime(2026, 12, 1, tzinfo=UTC))
    datetime.datetime(2027, 1, 1, 0, 0, tzinfo=datetime.timezone.utc)
    """
    return month_of(month + timedelta(days=31))


@transaction.atomic(savepoint=False)
def ensure(*, months: Iterable[datetime]) -> int:
    """Make the partitions of these months where they are missing; tell how many.

    Attached and not created in place: that would lock out every reader of the table.
    """
    if connection.vendor != "postgresql":
        return 0
    wanted = {f"{TABLE}_y{month:%Y}m{month:%m}": month for month in months}
    if wanted.keys() <= set(_partitions()):
        return 0
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
        missing = sorted(wanted.keys() - set(_partitions()))
        for name in missing:
            month = wanted[name]
            cursor.execute(f"CREATE TABLE {name} (LIKE {TABLE} INCLUDING ALL)")
            cursor.execute(
                f"ALTER TABLE {TABLE} ATTACH PARTITION {name} FOR VALUES FROM (%s) TO (%s)",
                [month, next_month(month)],
            )
    return len(missing)


def make_ahead(*, at: datetime) -> int:
    """Make the partitions of this month and the next ones, before anybody waits for them."""
    months = [month_of(at)]
    for _ in range(MONTHS_AHEAD):
        months.append(next_month(months[-1]))
    return ensure(months=months)


@transaction.atomic
def drop_before(*, edge: datetime) -> int:
    """Drop every partition whose month ended by `edge`; tell how many."""
    if connection.vendor != "postgresql":
        return 0
    old = [name for name in _partitions() if next_month(_month_named(name)) <= edge]
    with connection.cursor() as cursor:
        for name in old:
            cursor.execute(f"DROP TABLE {name}")
    return len(old)


def _month_named(name: str) -> datetime:
    year, month = name.removeprefix(f"{TABLE}_y").split("m")
    return datetime(int(year), int(month), 1, tzinfo=UTC)


def _partitions() -> list[str]:
    """List them by a query: to_regclass() may answer from before the lock."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_inherits JOIN pg_class ON oid = inhrelid "
            "WHERE inhparent = %s::regclass ORDER BY relname",
            [TABLE],
        )
        return [name for (name,) in cursor.fetchall()]
