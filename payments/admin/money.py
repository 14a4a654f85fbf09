"""The books, to be read: nobody edits money that has moved, not even a superuser."""

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from common.back_office import Found, ReadOnlyAdmin, coloured
from common.search import mark_blind_pattern
from common.text import vnd
from payments import payment_code
from payments.admin.bills import PostingInline
from payments.models import Account, Entry, Payment, Posting, Receipt, Reversal
from payments.selectors import is_void


class MoneyAdmin(ReadOnlyAdmin):
    """Rows with an amount; pages of books are long, so they are read newest first."""

    ordering: ClassVar[tuple[str, ...]] = ("-pk",)

    @admin.display(description=gettext_lazy("amount"), ordering="amount")
    def money(self, row: Any) -> str:
        return vnd(row.amount)


@admin.register(Payment)
class PaymentAdmin(MoneyAdmin):
    list_display = ("booked_at", "bank_ref", "partner", "money", "bill", "channel", "is_reversed")
    list_select_related = ("partner", "bill", "reversal")
    list_filter = ("partner", "channel", "booked_at")
    search_help_text = gettext_lazy("Bank's reference, payment code or words of the message")
    search_fields = ("bank_ref",)
    ordering = ("-booked_at", "-pk")
    fields = (
        "partner",
        "bank_ref",
        "money",
        "applied_money",
        "bill",
        "memo",
        "channel",
        "payer_account_masked",
        "paid_at",
        "booked_at",
        "entry",
        "is_reversed",
    )

    @admin.display(description=gettext_lazy("applied to the bill"))
    def applied_money(self, payment: Payment) -> str:
        return vnd(payment.applied)

    @admin.display(description=gettext_lazy("taken back"), boolean=True)
    def is_reversed(self, payment: Payment) -> bool:
        return hasattr(payment, "reversal")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> Found:
        """Find by the bank's reference, by payment code in any spelling, or in the message."""
        term = search_term.strip()
        code = payment_code.normalise(term)
        if payment_code.is_valid(code):
            return queryset.filter(bill__payment_code=code), False
        by_reference = queryset.filter(bank_ref=term)
        if not term or by_reference.exists():
            return by_reference if term else queryset, False
        return queryset.filter(memo__regex=mark_blind_pattern(term)), False


@admin.register(Reversal)
class ReversalAdmin(MoneyAdmin):
    list_display = ("booked_at", "payment", "partner", "money", "reason_code", "note")
    list_select_related = ("payment", "partner")
    list_filter = ("partner", "reason_code", "booked_at")
    search_fields = ("=payment__bank_ref",)
    ordering = ("-booked_at", "-pk")
    fields = ("payment", "partner", "money", "reason_code", "note", "booked_at", "entry")

    @admin.display(description=gettext_lazy("amount"))
    def money(self, row: Any) -> str:
        return vnd(row.payment.amount)


@admin.register(Receipt)
class ReceiptAdmin(MoneyAdmin):
    list_display = ("receipt_number", "payer_name", "bill", "biller", "money", "issued_at", "state")
    list_select_related = ("series", "bill__biller", "entry__reversed_by")
    list_filter = ("bill__biller", "issued_at")
    search_fields = ("number",)
    search_help_text = gettext_lazy("Receipt number, payment code or name")
    fields = ("receipt_number", "standing", "payer_name", "bill", "money", "issued_at", "document")

    @admin.display(description=gettext_lazy("receipt number"), ordering="number")
    def receipt_number(self, receipt: Receipt) -> str:
        return str(receipt)

    @admin.display(description=gettext_lazy("biller"), ordering="bill__biller__name")
    def biller(self, receipt: Receipt) -> str:
        return str(receipt.bill.biller)

    @coloured(gettext_lazy("status"), {"valid": "success", "void": "danger"})
    def state(self, receipt: Receipt) -> tuple[str, str]:
        return (
            ("void", _("Void, the money went back")) if is_void(receipt) else ("valid", _("Valid"))
        )

    @admin.display(description=gettext_lazy("status"))
    def standing(self, receipt: Receipt) -> str:
        return self.state(receipt)[1]

    @admin.display(description=gettext_lazy("document"))
    def document(self, receipt: Receipt) -> str:
        address = reverse("receipt_pdf", args=[receipt.token])
        return format_html(
            '<a class="text-link" href="{}">{}</a>', address, _("Open the receipt (PDF)")
        )

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> Found:
        """Find by whole number (2026-dien-000123), payment code or payer without marks."""
        term = search_term.strip()
        series, _dash, number = term.rpartition("-")
        code = payment_code.normalise(term)
        if not term:
            return queryset, False
        if series and number.isascii() and number.isdigit():
            return queryset.filter(series__code=series, number=int(number)), False
        if payment_code.is_valid(code):
            return queryset.filter(bill__payment_code=code), False
        return queryset.filter(payer_name__regex=mark_blind_pattern(term)), False


@admin.register(Account)
class AccountAdmin(ReadOnlyAdmin):
    list_display = ("code", "kind", "partner", "biller")
    list_select_related = ("partner", "biller")
    list_filter = ("kind",)
    search_fields = ("code",)
    ordering = ("code",)
    fields = ("code", "kind", "partner", "biller")


@admin.register(Entry)
class EntryAdmin(ReadOnlyAdmin):
    """What happened to money, who did it and why; its postings stand below."""

    list_display = ("booked_at", "kind", "source", "external_id", "actor", "reason")
    list_select_related = ("actor",)
    list_filter = ("kind", "booked_at")
    search_fields = ("=external_id",)
    ordering = ("-pk",)
    inlines = (PostingInline,)
    fields = (
        "kind",
        "source",
        "external_id",
        "occurred_at",
        "booked_at",
        "reverses",
        "actor",
        "reason",
    )


@admin.register(Posting)
class PostingAdmin(MoneyAdmin):
    list_display = ("entry", "account", "money", "bill")
    list_select_related = ("entry", "account", "bill")
    list_filter = ("account__kind",)
    search_fields = ("=bill__payment_code", "=entry__external_id")
    fields = ("entry", "account", "money", "bill", "unapplied")
