"""The outside world of messages: where an SMS really goes."""

import http.client
import json
import logging
import urllib.error
import urllib.request
from typing import NamedTuple

from django.conf import settings

from notifications.models import Message

logger = logging.getLogger(__name__)
TIMEOUT_SECONDS = 10


class Delivery(NamedTuple):
    """What the far side said: its id for the message, or why not."""

    is_sent: bool
    provider_id: str = ""
    error: str = ""


def send_sms(message: Message) -> Delivery:
    """Hand one SMS to the gateway in SMS_GATEWAY_URL; without one, keep it on record only.

    The gateway gets JSON {to, text, idempotency_key} with a bearer token and answers 2xx with an
    optional {id}; it must treat a repeated idempotency_key as one message.
    """
    if not settings.SMS_GATEWAY_URL:
        logger.info("sms on record, no gateway configured: message %s", message.pk)
        return Delivery(is_sent=True, provider_id="record-only")
    body = json.dumps(
        {"to": message.phone, "text": message.text, "idempotency_key": f"message-{message.pk}"}
    ).encode()
    request = urllib.request.Request(  # noqa: S310  # the address is a setting, checked at start
        settings.SMS_GATEWAY_URL,
        data=body,
        headers={
            "Content-Type": "application/json",
            "Authorization": f"Bearer {settings.SMS_GATEWAY_TOKEN}",
        },
    )
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as response:  # noqa: S310  # as above
            answer = response.read(10_000)
    except (urllib.error.URLError, http.client.HTTPException, OSError) as error:
        return Delivery(is_sent=False, error=f"{type(error).__name__}: {error}")
    return Delivery(is_sent=True, provider_id=_id_in(answer))


def _id_in(answer: bytes) -> str:
    """Find the gateway's id in its answer. Any 2xx means sent, whatever it says."""
    try:
        said = json.loads(answer)
    except ValueError:
        return ""
    return str(said.get("id", ""))[:80] if isinstance(said, dict) else ""
