"""Questions about messages."""

from collections.abc import Collection

from django.db.models import QuerySet

from accounts.models import User
from notifications.models import Message


def inbox_of(person: User) -> QuerySet[Message]:
    """Give the person's inbox in the portal, the latest first. One query."""
    return Message.objects.filter(user=person, channel=Message.Channel.INBOX).order_by(
        "-created_at", "-pk"
    )


def unread_count(person: User) -> int:
    """How many messages the person has not seen yet. One query."""
    return inbox_of(person).filter(read_at__isnull=True).count()


def told_under(dedupe_keys: Collection[str]) -> QuerySet[Message]:
    """Give the messages that were written under these keys, with whom they went to. One query."""
    return Message.objects.filter(dedupe_key__in=dedupe_keys).select_related("user")
