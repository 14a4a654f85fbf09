"""Ways to reach a person; each writes a row that is delivered after commit."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from common import nudge
from notifications.errors import TooManyCodesError
from notifications.models import Message

SIGN_IN_CODE = "sign-in-code"
UNKNOWN_NUMBER = "unknown-number"
# Number of codes, within: what one person can need. Codes cost money and are a way to harass.
UNKNOWN_NUMBERS_PER_DAY = 200
CODES_PER_PHONE = ((3, timedelta(minutes=5)), (10, timedelta(days=1)))


@transaction.atomic
def send_sms(
    *,
    phone: str,
    text: str,
    kind: str,
    at: datetime,
    is_secret: bool = False,
    dedupe_key: str | None = None,
) -> Message:
    """Write one SMS to an E.164 number; the same `dedupe_key` again sends nothing more."""
    fields = {
        "kind": kind,
        "channel": Message.Channel.SMS,
        "phone": phone,
        "text": text,
        "due_at": at,
        "is_secret": is_secret,
    }
    if dedupe_key is None:
        message = Message.objects.create(**fields)
    else:
        message, _is_new = Message.objects.get_or_create(dedupe_key=dedupe_key, defaults=fields)
    nudge.after_commit("notifications.tasks.deliver_messages")
    return message


@transaction.atomic
def put_in_inbox(  # noqa: PLR0913  # each is a fact of the message, named by keyword
    *, user: User, kind: str, title: str, text: str, link: str, at: datetime, dedupe_key: str
) -> Message:
    """Put a message into a person's inbox; the same `dedupe_key` again changes nothing."""
    message, _is_new = Message.objects.get_or_create(
        dedupe_key=dedupe_key,
        defaults={
            "kind": kind,
            "channel": Message.Channel.INBOX,
            "status": Message.Status.SENT,
            "user": user,
            "title": title,
            "text": text,
            "link": link,
            "due_at": at,
            "finished_at": at,
        },
    )
    return message


@transaction.atomic
def mark_inbox_read(*, user: User, at: datetime) -> int:
    """Note that the person has seen all messages so far; tell how many were new."""
    return Message.objects.filter(
        user=user, channel=Message.Channel.INBOX, read_at__isnull=True
    ).update(read_at=at)


@transaction.atomic
def send_sign_in_code(*, phone: str, code: str, at: datetime) -> Message:
    """Send a one-time code. Raises TooManyCodesError beyond what one person can need."""
    _guard_codes(phone=phone, kind=SIGN_IN_CODE, at=at)
    return send_sms(
        phone=phone,
        text=_("%(code)s is your code for the %(portal)s portal. Tell it to nobody.")
        % {"code": code, "portal": settings.PORTAL_NAME},
        kind=SIGN_IN_CODE,
        at=at,
        is_secret=True,
    )


@transaction.atomic
def tell_unknown_number(*, phone: str, at: datetime) -> Message:
    """Tell the owner of a number that no household has given it, and whom to ask."""
    _guard_codes(phone=phone, kind=UNKNOWN_NUMBER, at=at)
    return send_sms(
        phone=phone,
        text=_(
            "The %(portal)s portal does not know this number yet. "
            "Please ask your village head to add it to your household."
        )
        % {"portal": settings.PORTAL_NAME},
        kind=UNKNOWN_NUMBER,
        at=at,
    )


def _guard_codes(*, phone: str, kind: str, at: datetime) -> None:
    sent = Message.objects.filter(kind__in=(SIGN_IN_CODE, UNKNOWN_NUMBER))
    for limit, window in CODES_PER_PHONE:
        if sent.filter(phone=phone, created_at__gt=at - window).count() >= limit:
            raise TooManyCodesError(
                _("We have sent several codes to this number. Please wait a little and try again.")
            )
    # Invented numbers have a small budget of their own: they cannot use up the residents'.
    budget = UNKNOWN_NUMBERS_PER_DAY if kind == UNKNOWN_NUMBER else settings.SIGN_IN_CODES_PER_DAY
    today = Message.objects.filter(kind=kind, created_at__gt=at - timedelta(days=1))
    if today.count() >= budget:
        raise TooManyCodesError(
            _(
                "Today's budget for codes is used up. "
                "Sign in with your password, or ask an official."
            )
        )
