"""What workers do for the population register."""

from datetime import timedelta

from celery import shared_task
from django.utils import timezone

from residents import services
from residents.models import RegisterImport

IMPORT_LEASE = timedelta(minutes=10)


@shared_task(ignore_result=True)
def take_in_register_files(limit: int = 1) -> None:
    """Check or take over the register files that wait. Beat runs this; new files nudge it.

    Twice is fine: files are claimed with a lease, and each step ends once.
    """
    for register_import in RegisterImport.objects.claim(
        limit=limit, at=timezone.now(), lease=IMPORT_LEASE
    ):
        services.proceed(register_import=register_import, at=timezone.now())
