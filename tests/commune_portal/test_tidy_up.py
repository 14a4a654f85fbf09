"""What has served its purpose is forgotten; money and receipts never are."""

from datetime import timedelta

import pytest
from axes.models import AccessAttempt
from django.contrib.sessions.models import Session
from django.core.files.base import ContentFile
from django.utils import timezone

from commune_portal import services
from notifications.models import Message
from payments.models import ApiCall, Payment, Receipt, SlipRun
from tests.payments.factories import make_bill, make_partner, pay

pytestmark = pytest.mark.django_db


def test_only_what_is_old_is_forgotten(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    now = timezone.now()
    pay(make_bill(), make_partner())
    for age in (1, 1000):
        moment = now - timedelta(days=age)
        ApiCall.objects.create(at=moment, request_id="r", method="GET", path="/", status=200)
        message = Message.objects.create(
            kind="k", channel="sms", phone="+84912345678", text="x", due_at=moment
        )
        Message.objects.filter(pk=message.pk).update(created_at=moment)
        run = SlipRun.objects.create(due_at=moment, file=ContentFile(b"%PDF", name=f"{age}.pdf"))
        SlipRun.objects.filter(pk=run.pk).update(created_at=moment)
        Session.objects.create(
            session_key=str(age), session_data="", expire_date=now + timedelta(days=500 - age)
        )
        attempt = AccessAttempt.objects.create(
            username="u", ip_address="10.0.0.1", user_agent=str(age), failures_since_start=1
        )
        AccessAttempt.objects.filter(pk=attempt.pk).update(attempt_time=moment)

    services.tidy_up(at=now)

    kept = (ApiCall, Message, Session, AccessAttempt, Payment, Receipt)
    assert [model.objects.count() for model in kept] == [1] * 6
    assert [bool(run.file) for run in SlipRun.objects.order_by("created_at")] == [False, True]
    assert len(list(tmp_path.rglob("*.pdf"))) == 1
