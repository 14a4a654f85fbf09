"""Messages to people: written with the event that causes them, delivered later, kept as proof."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from common.models import TimestampedModel
from common.outbox import OutboxModel, OutboxQuerySet


class Message(OutboxModel, TimestampedModel):
    """One text to one person through one channel."""

    class Channel(models.TextChoices):
        SMS = "sms", _("SMS")
        INBOX = "inbox", _("Inbox in the portal")

    class Status(models.TextChoices):
        WAITING = "waiting", _("Waiting")
        SENT = "sent", _("Sent")
        FAILED = "failed", _("Failed")

    kind = models.SlugField(_("kind"), max_length=30)
    channel = models.CharField(_("channel"), max_length=10, choices=Channel)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True, blank=True, related_name="+"
    )
    phone = models.CharField(_("phone number"), max_length=16, blank=True)
    title = models.CharField(_("title"), max_length=120, blank=True)
    text = models.TextField(_("text"))
    link = models.CharField(_("link"), max_length=200, blank=True)
    is_secret = models.BooleanField(
        _("secret"), default=False, help_text=_("The text is wiped once it has been sent.")
    )
    status = models.CharField(_("status"), max_length=10, choices=Status, default=Status.WAITING)
    dedupe_key = models.CharField(  # noqa: DJ001  # unique where there is one, absent elsewhere
        _("dedupe key"), max_length=80, unique=True, null=True
    )
    provider_id = models.CharField(_("provider's id"), max_length=80, blank=True)
    read_at = models.DateTimeField(_("read at"), null=True)

    objects: ClassVar[OutboxQuerySet["Message"]] = OutboxQuerySet.as_manager()  # type: ignore[assignment]  # stubs cannot express a generic as_manager()

    class Meta:
        verbose_name = _("message")
        verbose_name_plural = _("messages")
        constraints = (
            models.CheckConstraint(
                condition=~models.Q(phone="") | models.Q(user__isnull=False),
                name="message_has_someone_to_reach",
            ),
        )
        indexes = (
            models.Index(
                fields=["due_at"],
                name="message_waiting",
                condition=models.Q(finished_at__isnull=True),
            ),
            models.Index(fields=["user", "-created_at"], name="message_inbox"),
            models.Index(fields=["phone", "kind", "created_at"], name="message_count_by_phone"),
            models.Index(fields=["kind", "created_at"], name="message_count_by_day"),
        )

    def __str__(self) -> str:
        return self.title or self.get_channel_display()
