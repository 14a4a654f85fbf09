"""Whom residents owe: billers with their accounts, banks, and whose customer code is whose."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.admin import StackedInline

from common import qr
from common.back_office import Found, OfficeAdmin
from common.text import fold
from payments.forms import BankForm, BillerForm, CustomerLinkForm, ImportProfileForm
from payments.models import Bank, Biller, CustomerLink, ImportProfile
from payments.services.customers import link_customer
from payments.vietqr import Transfer, encode

TEST_MEMO = "KIEM TRA TAI KHOAN"


@admin.register(Bank)
class BankAdmin(OfficeAdmin):
    """The list of banks; each row says where it comes from and from when."""

    form = BankForm
    list_display = ("short_name", "bin", "name", "app_code", "is_active", "source", "as_of")
    list_filter = ("is_active",)
    search_fields = ("short_name", "bin", "name")
    ordering = ("short_name", "pk")


class ImportProfileInline(StackedInline):
    """How the biller's file names its columns; without it no file of the biller is read."""

    model = ImportProfile
    form = ImportProfileForm
    can_delete = False
    extra = 0
    min_num = 0
    max_num = 1


@admin.register(Biller)
class BillerAdmin(OfficeAdmin):
    """Billers: a change of the account is a change of where people's money goes."""

    form = BillerForm
    inlines = (ImportProfileInline,)
    list_display = (
        "name",
        "code",
        "service",
        "bank",
        "account_number",
        "account_name",
        "is_active",
    )
    list_select_related = ("bank",)
    list_filter = ("service", "is_active")
    search_fields = ("name", "code", "account_number", "account_name")
    ordering = ("name", "pk")
    readonly_fields = ("account_test",)
    fieldsets = (
        (None, {"fields": ("code", "name", "service", "is_active")}),
        (
            gettext_lazy("Settlement account"),
            {
                "description": gettext_lazy(
                    "The money of every bill goes to this account. Check it with the picture below "
                    "before the first bill is printed, and after every change."
                ),
                "fields": ("bank", "account_number", "account_name", "account_test"),
            },
        ),
        (
            gettext_lazy("Bills"),
            {"fields": ("amount_rule", "customer_code_label", "customer_code_pattern")},
        ),
    )

    def get_urls(self) -> list[URLPattern]:
        qr_view = self.admin_site.admin_view(self.account_qr_view)
        return [
            path("<int:pk>/qr.svg", qr_view, name="payments_biller_qr"),
            *super().get_urls(),
        ]

    @admin.display(description=gettext_lazy("test of the account"))
    def account_test(self, biller: Biller | None) -> str:
        """Show the account as the payers' banks will read it."""
        if biller is None or not biller.pk:
            return _("The test picture appears here once the biller is saved.")
        return format_html(
            '<img class="office-qr" src="{}" alt="{}" width="192" height="192"><p>{}</p>',
            reverse("admin:payments_biller_qr", args=[biller.pk]),
            _("VietQR code of the settlement account, without an amount"),
            _(
                "Scan this with a banking app. The app must show the name %(name)s at %(bank)s. "
                "You need not send any money."
            )
            % {"name": biller.account_name, "bank": biller.bank},
        )

    def account_qr_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Draw the account as a VietQR without an amount."""
        biller: Biller = self.found(request, str(pk))
        payload = encode(
            Transfer(bank_bin=biller.bank.bin, account=biller.account_number, memo=TEST_MEMO)
        )
        picture = qr.svg(payload, title=_("VietQR code of the settlement account"))
        return HttpResponse(
            picture, content_type="image/svg+xml", headers={"Cache-Control": "no-store"}
        )


@admin.register(CustomerLink)
class CustomerLinkAdmin(OfficeAdmin):
    """Whose customer code is whose; a new link also gives the household its homeless bills."""

    form = CustomerLinkForm
    list_display = ("customer_code", "biller", "household", "village")
    list_select_related = ("biller", "household__village")
    list_filter = ("biller",)
    search_fields = ("customer_code", "household__search_key")
    search_help_text = gettext_lazy("Customer code, household code or name")
    autocomplete_fields = ("household",)
    ordering = ("-pk",)

    @admin.display(description=gettext_lazy("village"))
    def village(self, link: CustomerLink) -> str:
        return str(link.household.village)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("biller", "customer_code") if obj else ()

    def save_model(self, request: HttpRequest, obj: CustomerLink, form: Any, change: Any) -> None:
        """Let the service make or move the link."""
        saved = link_customer(
            biller=obj.biller, customer_code=obj.customer_code, household=obj.household
        )
        obj.pk = saved.pk

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> Found:
        """Fold what is typed, as the households' keys are; codes have no marks anyway."""
        found: Found = super().get_search_results(request, queryset, fold(search_term))
        return found
