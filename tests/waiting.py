"""Waiting for what other processes and threads bring about, without a guess how long it takes."""

import os
import time

PATIENCE = 60  # seconds: two suites may share two cores


def wait_until(claim, *, seconds=PATIENCE):
    """Ask again and again until the claim is true, letting others work in between."""
    deadline = time.monotonic() + seconds
    while not claim():
        assert time.monotonic() < deadline, "waited in vain"
        os.sched_yield()
