"""Work that a process beside the broker does every so often; what fails stops nothing else."""

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.db import DatabaseError, InterfaceError, close_old_connections

logger = logging.getLogger(__name__)
# A connection that was found closed is an InterfaceError, which is no DatabaseError in Django.
DATABASE_ERRORS = (DatabaseError, InterfaceError)

Publish = Callable[[str, bytes, int, bool], None]  # topic, payload, QoS, retain


@dataclass(frozen=True, slots=True)
class Pump:
    """Work to be done while connected: every so often, and after each batch if it is eager."""

    every_seconds: float
    run: Callable[[Publish], None]
    is_eager: bool = False


class Pumps:
    """Runs each pump when it is due; one that fails does not stop the others."""

    def __init__(self, pumps: Sequence[Pump]) -> None:
        self._due_by_pump = dict.fromkeys(pumps, 0.0)

    def rest_seconds(self) -> float:
        """How long until the next one is due, half a second at most."""
        return max(
            0.0, min([*self._due_by_pump.values(), time.monotonic() + 0.5]) - time.monotonic()
        )

    def start_over(self) -> None:
        """Make all of them due."""
        self._due_by_pump = dict.fromkeys(self._due_by_pump, 0.0)

    def run(self, publish: Publish, *, after_batch: bool) -> None:
        for pump, due in self._due_by_pump.items():
            if time.monotonic() < due and not (after_batch and pump.is_eager):
                continue
            self._due_by_pump[pump] = time.monotonic() + pump.every_seconds
            try:
                pump.run(publish)
            except DATABASE_ERRORS as error:
                logger.warning("mqtt pump waits for the database: %s", error)
                close_old_connections()
            except Exception:
                logger.exception("mqtt pump failed")
