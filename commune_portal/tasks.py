"""The worker's sign of life, and the broom."""

from celery import shared_task
from django.utils import timezone

from commune_portal import heartbeats, services


@shared_task(ignore_result=True)
def beat_heart() -> None:
    """Show that beat sends and a worker works. Beat runs it; twice only moves the time."""
    heartbeats.beat_heart(process="worker", at=timezone.now())


@shared_task(ignore_result=True)
def tidy_up() -> None:
    """Forget old sessions, logs, messages and files. Beat runs it daily; twice finds less to do."""
    services.tidy_up(at=timezone.now())
