"""What happens to the portal as a whole."""

from datetime import datetime, timedelta
from typing import Any

from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django.conf import settings
from django.contrib.sessions.models import Session
from django.db.models import QuerySet
from oauth2_provider.models import clear_expired

from notifications.models import Message
from payments.models import ApiCall, BillImport, BillImportProblem, SlipRun
from residents.models import RegisterImport, RegisterImportProblem

SLICE = 5_000


def tidy_up(*, at: datetime) -> None:
    """Forget what has served its purpose: sessions, tokens, logs, messages, files that people sent.

    Money, receipts and the record of who imported what are never touched. Runs in slices, so that
    no delete holds up anybody; being killed in the middle leaves the rest for the next day.
    """
    old_calls = at - timedelta(days=settings.API_CALL_DAYS)
    old_messages = at - timedelta(days=settings.MESSAGE_DAYS)
    old_files = at - timedelta(days=settings.UPLOAD_DAYS)
    _delete_in_slices(ApiCall.objects.filter(at__lt=old_calls))
    _delete_in_slices(Message.objects.filter(created_at__lt=old_messages))
    for trail in (AccessLog, AccessFailureLog, AccessAttempt):
        _delete_in_slices(trail.objects.filter(attempt_time__lt=old_messages))
    Session.objects.filter(expire_date__lt=at).delete()
    clear_expired()
    for problem in (BillImportProblem, RegisterImportProblem):
        _delete_in_slices(problem._default_manager.filter(file_import__created_at__lt=old_files))
    for sent in (BillImport, RegisterImport, SlipRun):
        for row in sent._default_manager.filter(created_at__lt=old_files).exclude(file=""):
            row.file.delete(save=True)


def _delete_in_slices(rows: QuerySet[Any]) -> None:
    while keys := list(rows.order_by("pk").values_list("pk", flat=True)[:SLICE]):
        rows.model._default_manager.filter(pk__in=keys).delete()
