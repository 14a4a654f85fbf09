"""The log of messages: what went to whom and when. Sign-in codes are never shown."""

from django.contrib import admin
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from common.back_office import PeopleAdmin, ReadOnlyAdmin, coloured
from common.phone import for_people
from notifications.models import Message


@admin.register(Message)
class MessageAdmin(ReadOnlyAdmin, PeopleAdmin):
    list_display = ("created_at", "kind", "channel", "receiver", "subject", "state", "attempts")
    list_select_related = ("user",)
    list_filter = ("channel", "status", "kind", "created_at")
    search_fields = ("title",)
    phone_fields = ("phone", "user__phone")
    search_help_text = gettext_lazy("Phone number or title")
    ordering = ("-pk",)
    fields = (
        "kind",
        "channel",
        "receiver",
        "subject",
        "shown_text",
        "status",
        "created_at",
        "due_at",
        "finished_at",
        "read_at",
        "attempts",
        "last_error",
        "provider_id",
    )

    @admin.display(description=gettext_lazy("to"))
    def receiver(self, message: Message) -> str:
        return str(message.user) if message.user else for_people(message.phone)

    @admin.display(description=gettext_lazy("title"))
    def subject(self, message: Message) -> str:
        return message.title or "–"

    @admin.display(description=gettext_lazy("text"))
    def shown_text(self, message: Message) -> str:
        return _("Not shown: it is a secret.") if message.is_secret else message.text

    @coloured(
        gettext_lazy("status"),
        {
            Message.Status.WAITING: "info",
            Message.Status.SENT: "success",
            Message.Status.FAILED: "danger",
        },
        ordering="status",
    )
    def state(self, message: Message) -> tuple[str, str]:
        return message.status, message.get_status_display()
