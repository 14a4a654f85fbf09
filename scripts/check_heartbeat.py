"""Tell a container's health check whether a process was at work lately; exit 1 if not.

    python scripts/check_heartbeat.py worker 120        seen within the last 120 seconds?

Asks PostgreSQL itself: starting Django for it would cost seconds of processor time each minute.
"""

import os
import sys

import psycopg2  # type: ignore[import-untyped]  # its types are a package of their own

FRESH = """
SELECT EXISTS (
  SELECT FROM commune_portal_heartbeat WHERE process = %s AND at > now() - %s * interval '1 second'
)
"""


def main() -> None:
    """Exit 0 when the heartbeat is fresh."""
    process, seconds = sys.argv[1], int(sys.argv[2])
    connection = psycopg2.connect(os.environ["DATABASE_URL"], connect_timeout=5)
    with connection, connection.cursor() as cursor:
        cursor.execute(FRESH, (process, seconds))
        (is_fresh,) = cursor.fetchone()
    sys.exit(0 if is_fresh else f"{process} has been silent for {seconds} seconds or more")


if __name__ == "__main__":
    main()
