"""Bills to search and read. They change through payments.services alone."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from common.back_office import (
    Found,
    ReadOnlyAdmin,
    ReadOnlyInline,
    button,
    coloured,
    link_to,
    localtime_words,
)
from common.search import mark_blind_pattern
from common.templatetags.portal import spaced
from common.text import fold, vnd
from payments import payment_code
from payments.forms import ReasonForm
from payments.models import Bill, Payment, Posting, Receipt
from payments.services.bills import cancel_bill

STATUS_COLOURS: dict[str, str] = {
    Bill.Status.OPEN: "info",
    Bill.Status.PART_PAID: "warning",
    Bill.Status.PAID: "success",
    Bill.Status.CANCELLED: "default",
}


class OverdueFilter(admin.SimpleListFilter):
    """Bills whose day is over and that still take money."""

    title = gettext_lazy("due date")
    parameter_name = "due"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("overdue", gettext_lazy("Overdue"))]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        return queryset.overdue(on=timezone.localdate()) if self.value() else queryset


class MoneyInline(ReadOnlyInline):
    """Rows of money below the row that they belong to: to be read only."""

    @admin.display(description=gettext_lazy("amount"))
    def money(self, row: Any) -> str:
        return vnd(row.amount)


class ReceiptInline(MoneyInline):
    model = Receipt
    fields = readonly_fields = ("receipt_number", "money", "issued_at")
    related = ("series",)

    @admin.display(description=gettext_lazy("receipt number"))
    def receipt_number(self, receipt: Receipt) -> str:
        return link_to(receipt, receipt)


class PaymentInline(MoneyInline):
    model = Payment
    fields = readonly_fields = ("reference", "partner", "money", "channel", "paid_at")
    related = ("partner",)

    @admin.display(description=gettext_lazy("bank's reference"))
    def reference(self, payment: Payment) -> str:
        return link_to(payment, payment.bank_ref)


class PostingInline(MoneyInline):
    model = Posting
    fields = readonly_fields = ("booked_at", "kind", "account", "money", "reason")
    related = ("entry", "account")

    @admin.display(description=gettext_lazy("booked at"))
    def booked_at(self, posting: Posting) -> str:
        return localtime_words(posting.entry.booked_at)

    @admin.display(description=gettext_lazy("kind"))
    def kind(self, posting: Posting) -> str:
        return posting.entry.get_kind_display()

    @admin.display(description=gettext_lazy("reason"))
    def reason(self, posting: Posting) -> str:
        return posting.entry.reason


@admin.register(Bill)
class BillAdmin(ReadOnlyAdmin):
    """Find a bill in any way that a person at the counter can name it."""

    list_display = (
        "code",
        "payer_name",
        "biller",
        "village",
        "money",
        "still_owed",
        "due_date",
        "state",
    )
    list_select_related = ("biller", "household__village")
    list_filter = ("status", OverdueFilter, "biller", "household__village")
    search_fields = ("payment_code",)
    search_help_text = gettext_lazy("Payment code, customer code, bill number or name")
    ordering = ("-pk",)
    actions_list = ("print_slips",)
    actions_detail = ("cancel",)
    inlines = (ReceiptInline, PaymentInline, PostingInline)
    fieldsets = (
        (
            None,
            {
                "fields": (
                    "code",
                    "status",
                    "payer_name",
                    "household",
                    "village",
                    "biller",
                    "customer_code",
                    "reference",
                    "period",
                )
            },
        ),
        (
            gettext_lazy("Money"),
            {
                "fields": (
                    "money",
                    "already_paid",
                    "still_owed",
                    "due_date",
                    "settled_at",
                    "cancel_reason",
                )
            },
        ),
    )

    @admin.display(description=gettext_lazy("payment code"), ordering="payment_code")
    def code(self, bill: Bill) -> str:
        return spaced(bill.payment_code)

    @admin.display(description=gettext_lazy("village"), ordering="household__village__name")
    def village(self, bill: Bill) -> str:
        return str(bill.household.village) if bill.household else ""

    @admin.display(description=gettext_lazy("amount"), ordering="amount")
    def money(self, bill: Bill) -> str:
        return vnd(bill.amount)

    @admin.display(description=gettext_lazy("paid"), ordering="paid")
    def already_paid(self, bill: Bill) -> str:
        return vnd(bill.paid)

    @admin.display(description=gettext_lazy("still owed"))
    def still_owed(self, bill: Bill) -> str:
        return "–" if bill.status == Bill.Status.CANCELLED else vnd(bill.balance)

    @coloured(gettext_lazy("status"), STATUS_COLOURS, ordering="status")
    def state(self, bill: Bill) -> tuple[str, str]:
        return bill.status, bill.get_status_display()

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> Found:
        """Find by payment code in any spelling, else by codes and by names without marks."""
        term = search_term.strip()
        code = payment_code.normalise(term)
        if not term:
            return queryset, False
        if payment_code.is_valid(code):
            return queryset.filter(payment_code=code), False
        found = (
            Q(reference__istartswith=term)
            | Q(customer_code__istartswith=term)
            | Q(household__search_key__contains=fold(term))
        )
        if pattern := mark_blind_pattern(term):
            found |= Q(payer_name__regex=pattern)
        return queryset.filter(found), False

    def has_print_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("payments.add_sliprun")

    def has_cancel_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("payments.change_bill")

    def get_actions_detail(self, request: HttpRequest, object_id: int) -> list[Any]:
        """Offer to cancel only what can be cancelled. One query."""
        is_open = Bill.objects.filter(pk=object_id, status=Bill.Status.OPEN).exists()
        return super().get_actions_detail(request, object_id) if is_open else []

    @button(gettext_lazy("Print slips"), icon="print", permissions=("print",))
    def print_slips(self, request: HttpRequest) -> HttpResponse:
        """Go to the order of slips."""
        return redirect("admin:payments_sliprun_add")

    @button(gettext_lazy("Cancel this bill"), icon="block", permissions=("cancel",))
    def cancel(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask why, then take the bill back."""
        bill: Bill = self.found(request, object_id)
        form = ReasonForm(request.POST or None)
        back = reverse("admin:payments_bill_change", args=[bill.pk])
        if request.method == "POST" and form.is_valid():
            reason = form.cleaned_data["reason"]
            cancel_bill(bill_id=bill.pk, reason=reason)
            self.log_change(request, bill, _("Cancelled: %(reason)s") % {"reason": reason})
            messages.success(request, _("The bill is cancelled. Nobody can pay it any more."))
            return redirect(back)
        return self.page(
            request,
            "admin/office_form.html",
            title=_("Cancel this bill?"),
            row=bill,
            form=form,
            lead=_("The household sees at once that it need not pay. This cannot be undone."),
            facts=[
                (_("Payment code"), spaced(bill.payment_code)),
                (_("Payer"), bill.payer_name),
                (_("Biller"), bill.biller),
                (_("Amount"), vnd(bill.amount)),
                (_("Paid"), vnd(bill.paid)),
            ],
            submit=_("Cancel the bill"),
            is_grave=True,
            back_url=back,
        )
