"""Waiting for what other processes and threads bring about, without a guess how long it takes."""

import os
import time

from django.db import connection

PATIENCE = 60  # seconds: two suites may share two cores


def wait_until(claim, *, seconds=PATIENCE):
    """Ask again and again until the claim is true, letting others work in between."""
    deadline = time.monotonic() + seconds
    while not claim():
        assert time.monotonic() < deadline, "waited in vain"
        os.sched_yield()


def somebody_waits_for_us():
    """Tell whether another session of PostgreSQL waits for what this one holds locked."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT FROM pg_locks"
            " WHERE NOT granted AND pg_backend_pid() = ANY (pg_blocking_pids(pid)))"
        )
        return cursor.fetchone()[0]
