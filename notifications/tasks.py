"""Delivery of messages that wait."""

from datetime import timedelta

from celery import shared_task
from django.conf import settings
from django.utils import timezone

from notifications import gateways
from notifications.models import Message

LEASE = timedelta(minutes=2)
GIVE_UP_AFTER = 6
SECRET_LIFETIME = timedelta(minutes=10)


@shared_task(ignore_result=True)
def deliver_messages(limit: int = 50) -> None:
    """Send the messages that wait. Beat runs this every few seconds; a new message nudges it.

    Twice is fine: rows are claimed with a lease, and the gateway knows repeats by their key.
    """
    for message in Message.objects.claim(limit=limit, at=timezone.now(), lease=LEASE):
        deliver(message)


def deliver(message: Message) -> None:
    """Send one claimed message and write down how it went."""
    now = timezone.now()
    if message.is_secret and now - message.created_at > SECRET_LIFETIME:
        _close(message, status=Message.Status.FAILED, error="the code was too old to send")
        return
    delivery = gateways.send_sms(message)
    if delivery.is_sent:
        message.provider_id = delivery.provider_id
        _close(message, status=Message.Status.SENT)
    elif message.attempts >= GIVE_UP_AFTER:
        _close(message, status=Message.Status.FAILED, error=delivery.error)
    else:
        message.postpone(until=now + timedelta(seconds=2**message.attempts), error=delivery.error)


def _close(message: Message, *, status: str, error: str = "") -> None:
    message.status, message.last_error = status, error[:300]
    if message.is_secret and not settings.DEMO:
        message.text = ""
    message.save(update_fields=["status", "last_error", "provider_id", "text"])
    message.finish(at=timezone.now())
