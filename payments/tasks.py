"""What workers do for payments."""

import logging
from datetime import timedelta

from celery import shared_task
from django.conf import settings
from django.utils import timezone, translation

from common.outbox import OutboxQuerySet
from payments import books
from payments.models import BillImport, SlipRun
from payments.services import imports, receipts, slips

IMPORT_LEASE = timedelta(minutes=10)
SLIP_LEASE = timedelta(minutes=10)

logger = logging.getLogger(__name__)


@shared_task(ignore_result=True)
def take_in_bill_files(limit: int = 1) -> None:
    """Check or take over the bill files that wait. Beat runs this; an upload or approval nudges it.

    Twice is fine: files are claimed with a lease, and each step ends once.
    """
    for bill_import in BillImport.objects.claim(limit=limit, at=timezone.now(), lease=IMPORT_LEASE):
        imports.proceed(bill_import=bill_import, at=timezone.now())


@shared_task(ignore_result=True)
def tell_of_receipts(limit: int = 1000) -> None:
    """Tell households of receipts that nobody has told them of. Beat runs this every few seconds.

    Twice is fine: each receipt's notice is a row that can be made once.
    """
    receipts.tell_households(limit=limit, at=timezone.now())


@shared_task(ignore_result=True)
def check_the_books() -> None:
    """Recompute every projection, cry out when one is off. Beat runs this; twice only reads."""
    for discrepancy in books.discrepancies(patiently=True):
        logger.critical("the books are wrong: %s", discrepancy)


@shared_task(ignore_result=True)
def print_slips(limit: int = 1) -> None:
    """Make the slips that were ordered. Beat runs this; an order nudges it sooner.

    Twice is fine: runs are claimed with a lease, and a run names its file only when that is whole.
    """
    queue: OutboxQuerySet[SlipRun] = OutboxQuerySet(SlipRun)
    with translation.override(settings.LANGUAGE_CODE):
        for run in queue.claim(limit=limit, at=timezone.now(), lease=SLIP_LEASE):
            slips.print_run(run=run, at=timezone.now())
