"""Several different calls at the same moment, each on a database session of its own."""

import threading
from concurrent.futures import ThreadPoolExecutor

from django.db import close_old_connections, connections


def at_once(*calls):
    """Run the calls in threads that start together; answer their results or exceptions in order."""
    barrier = threading.Barrier(len(calls))

    def run(call):
        close_old_connections()
        barrier.wait(timeout=30)
        try:
            return call()
        except Exception as error:  # noqa: BLE001  # the test compares what was raised
            return error
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))
