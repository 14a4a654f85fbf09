"""Partner banks and what they asked. Secrets are sealed and never shown, not even their seals."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy
from unfold.paginator import InfinitePaginator

from common.back_office import ReadOnlyAdmin, ReadOnlyInline, coloured
from payments.models import ApiCall, BankPartner, PartnerKey


class PartnerKeyInline(ReadOnlyInline):
    """The names and times of a partner's keys, not the keys."""

    model = PartnerKey
    fields = readonly_fields = ("kid", "algorithm", "valid_from", "valid_to")

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whoever may see a partner may see that its keys run out."""
        return request.user.has_perm("payments.view_bankpartner")


@admin.register(BankPartner)
class BankPartnerAdmin(ReadOnlyAdmin):
    """Contracts are opened on the server's console; a superuser can shut a partner out here."""

    list_display = ("name", "code", "is_active", "requests_per_minute", "created_at")
    list_filter = ("is_active",)
    search_fields = ("name", "code")
    ordering = ("name", "pk")
    fields = ("name", "code", "is_active", "requests_per_minute", "created_at")
    readonly_fields = ("name", "code", "requests_per_minute", "created_at")
    inlines = (PartnerKeyInline,)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.is_superuser)


@admin.register(ApiCall)
class ApiCallAdmin(ReadOnlyAdmin):
    """The log of calls: nobody counts its millions of rows to show one page."""

    list_display = ("at", "partner", "method", "path", "subject", "answer", "code", "request_id")
    list_select_related = ("partner",)
    list_filter = ("partner", "method")
    search_fields = ("=request_id", "=subject")
    search_help_text = gettext_lazy("Request id, bank reference or payment code, whole")
    ordering = ("-pk",)
    paginator = InfinitePaginator
    fields = (
        "at",
        "partner",
        "method",
        "path",
        "subject",
        "status",
        "code",
        "request_id",
        "ip",
        "microseconds",
    )

    @coloured(
        gettext_lazy("status"), {"2": "success", "4": "warning", "5": "danger"}, ordering="status"
    )
    def answer(self, call: ApiCall) -> tuple[str, str]:
        return str(call.status)[:1], str(call.status)
