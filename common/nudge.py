"""Wake a worker early. A lost nudge costs seconds: beat sweeps the rows anyway."""

import logging
import time
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils.module_loading import import_string

logger = logging.getLogger(__name__)
PAUSE_SECONDS = 5.0
_quiet_until = 0.0


def after_commit(task: str, **arguments: Any) -> None:
    """Start the task of this dotted name once the transaction has committed; never fail."""
    transaction.on_commit(lambda: _send(task, arguments))


def _send(task: str, arguments: dict[str, Any]) -> None:
    global _quiet_until  # noqa: PLW0603  # one pause for the whole process, like the cache's
    if time.monotonic() < _quiet_until:
        return
    # Celery takes 9 MB: a process that never nudges does without.
    from kombu.exceptions import OperationalError  # noqa: PLC0415

    # Set before trying, so that threads that nudge together do not all wait for a dead broker.
    before, _quiet_until = _quiet_until, time.monotonic() + PAUSE_SECONDS
    try:
        import_string(settings.TASK_QUEUE).send_task(
            task, kwargs=arguments, retry=False, ignore_result=True
        )
    except (OperationalError, OSError) as error:
        logger.warning("task queue is away, beat will do it: %s", type(error).__name__)
    else:
        _quiet_until = before
