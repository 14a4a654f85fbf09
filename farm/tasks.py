"""What workers do for the farm."""

from celery import shared_task
from django.conf import settings
from django.utils import timezone, translation

from farm.services import alarms, automation, batch_stages, device_runs, retention, rollups

MOST_ROUNDS = 50


@shared_task(ignore_result=True)
def roll_up() -> None:
    """Sum up the hours that readings came for, and the water that ran. Every 15 seconds, by beat.

    Twice is fine: what the notes ask for is computed anew, and one job works at a time. A long
    backlog is left to the next runs in part.
    """
    for _ in range(MOST_ROUNDS):
        if not rollups.sum_up():
            break
    device_runs.close_overdue(at=timezone.now())


@shared_task(ignore_result=True)
def keep_house() -> None:
    """Make partitions ahead, let go of what has served its time. Beat runs this; twice is fine."""
    retention.keep_house(at=timezone.now())


@shared_task(ignore_result=True)
def follow_stages() -> None:
    """Move alarm limits on with the growth stages. Beat runs this every hour; twice is fine."""
    batch_stages.follow_stages(day=timezone.localdate())


@shared_task(ignore_result=True)
def run_programmes() -> None:
    """Let the programmes look whose time has come. Beat runs this, and the bridge does the same.

    Twice is fine: a programme's row is locked while it looks, and knows what it has done.
    """
    automation.run_due(at=timezone.now())


@shared_task(ignore_result=True)
def tell_of_alarms() -> None:
    """Tell those on watch of what nobody has seen. Beat runs this.

    Twice is fine: alarms are one per key, and each message has a key of its own.
    """
    with translation.override(settings.LANGUAGE_CODE):
        alarms.tell_watchers(at=timezone.now())
