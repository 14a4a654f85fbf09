"""The finance officer's work list: money that fits no bill yet is applied to one, or goes back."""

from typing import Any
from uuid import uuid4

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Case, F, Q, QuerySet, Value, When
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from common.back_office import Found, ReadOnlyAdmin, coloured, localtime_words
from common.search import mark_blind_pattern
from common.templatetags.portal import spaced
from common.text import vnd
from payments.forms import ApplyForm, FindBillForm, ReturnForm
from payments.matching import guesses
from payments.models import Bill, Posting, UnappliedMoney
from payments.services.unapplied import apply_unapplied, return_unapplied

OPEN_FIRST = Case(When(remaining=0, then=Value(1)), default=Value(0))


class OpenFilter(admin.SimpleListFilter):
    """Money that waits, or money that has been seen to."""

    title = gettext_lazy("status")
    parameter_name = "open"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("yes", gettext_lazy("Waiting")), ("no", gettext_lazy("Seen to"))]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        if self.value() == "yes":
            return queryset.filter(remaining__gt=0)
        return queryset.filter(remaining=0) if self.value() == "no" else queryset


@admin.register(UnappliedMoney)
class UnappliedMoneyAdmin(ReadOnlyAdmin):
    """Open money stands first, the oldest above: somebody misses it."""

    list_display = ("received", "money_left", "why", "message", "payer_account", "bank", "state")
    list_select_related = ("entry__payment__partner",)
    list_filter = (OpenFilter, "reason")
    search_fields = ("entry__payment__memo",)
    search_help_text = gettext_lazy("Words of the message, bank's reference or payer's account")
    ordering = (OPEN_FIRST.asc(), "created_at")

    @admin.display(description=gettext_lazy("received"), ordering="created_at")
    def received(self, money: UnappliedMoney) -> Any:
        return money.entry.payment.paid_at

    @admin.display(description=gettext_lazy("left to place"), ordering="remaining")
    def money_left(self, money: UnappliedMoney) -> str:
        return vnd(money.remaining)

    @admin.display(description=gettext_lazy("reason"), ordering="reason")
    def why(self, money: UnappliedMoney) -> str:
        return money.get_reason_display()

    @admin.display(description=gettext_lazy("message"))
    def message(self, money: UnappliedMoney) -> str:
        return Truncator(money.entry.payment.memo).chars(60) or "–"

    @admin.display(description=gettext_lazy("payer's account"))
    def payer_account(self, money: UnappliedMoney) -> str:
        return money.entry.payment.payer_account_masked or "–"

    @admin.display(description=gettext_lazy("bank"))
    def bank(self, money: UnappliedMoney) -> str:
        return str(money.entry.payment.partner)

    @coloured(gettext_lazy("status"), {"open": "warning", "closed": "success"})
    def state(self, money: UnappliedMoney) -> tuple[str, str]:
        return ("open", _("Waiting")) if money.remaining else ("closed", _("Seen to"))

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> Found:
        term = search_term.strip()
        found = (
            Q(entry__payment__memo__regex=mark_blind_pattern(term))
            | Q(entry__payment__bank_ref=term)
            | Q(entry__payment__payer_account_masked__icontains=term)
        )
        return (queryset.filter(found) if term else queryset), False

    def get_urls(self) -> list[URLPattern]:
        own = self.admin_site.admin_view
        return [
            path("<int:pk>/apply/", own(self.apply_view), name="payments_unappliedmoney_apply"),
            path("<int:pk>/return/", own(self.return_view), name="payments_unappliedmoney_return"),
            *super().get_urls(),
        ]

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: Any = None,
    ) -> HttpResponse:
        """Show the money, what it may be for, and what was done with it."""
        money: UnappliedMoney = self.found(request, object_id)
        may_work = self._may_work(request) and bool(money.remaining)
        return self.page(
            request,
            "admin/payments/unapplied.html",
            title=_("Unapplied money: %(amount)s") % {"amount": vnd(money.remaining)},
            facts=_facts(money),
            may_work=may_work,
            guesses=guesses(money) if may_work else (),
            form=FindBillForm(),
            apply_url=reverse("admin:payments_unappliedmoney_apply", args=[money.pk]),
            return_url=reverse("admin:payments_unappliedmoney_return", args=[money.pk]),
            history=_history(money),
        )

    def apply_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Find the bill, show what would be booked, then book it."""
        money = self._workable(request, pk)
        form = (
            ApplyForm(request.POST)
            if request.method == "POST"
            else FindBillForm(request.GET or None)
        )
        bill = form.bill if form.is_valid() else None
        if bill is not None and isinstance(form, ApplyForm):
            return self._apply(request, money, bill, form.cleaned_data["token"])
        if bill is not None and bill.status in {Bill.Status.PAID, Bill.Status.CANCELLED}:
            form.add_error("code", _("This bill takes no more money."))
        elif bill is not None:
            return self._check_page(request, money, bill)
        return self.page(
            request,
            "admin/payments/unapplied_find.html",
            title=_("Which bill is this money for?"),
            facts=_facts(money),
            form=FindBillForm(form.data or None) if isinstance(form, ApplyForm) else form,
            submit=_("Continue"),
            back_url=_address(money),
        )

    def return_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask why, show it again, then book that the money goes back."""
        money = self._workable(request, pk)
        form = ReturnForm(request.POST or None, initial={"token": uuid4()})
        is_answered = request.method == "POST" and form.is_valid()
        if is_answered and "confirmed" in request.POST:
            return self._return(request, money, form)
        facts = _facts(money)
        if is_answered:
            facts.append((_("Reason"), form.cleaned_data["reason"]))
            form.fields["reason"].widget = forms.HiddenInput()
        return self.page(
            request,
            "admin/payments/unapplied_return.html",
            title=_("Return this money?") if is_answered else _("Return money to the payer"),
            facts=facts,
            form=form,
            is_answered=is_answered,
            submit=_("Return %(amount)s") % {"amount": vnd(money.remaining)}
            if is_answered
            else _("Continue"),
            is_grave=is_answered,
            back_url=_address(money),
        )

    def _check_page(self, request: HttpRequest, money: UnappliedMoney, bill: Bill) -> HttpResponse:
        applied = min(money.remaining, bill.balance)
        return self.page(
            request,
            "admin/office_form.html",
            title=_("Is this right?"),
            lead=_("Nothing is booked yet. The household gets a receipt as soon as you confirm."),
            facts=[
                (_("Money left to place"), vnd(money.remaining)),
                (_("Message"), money.entry.payment.memo or "–"),
                (_("Payment code"), spaced(bill.payment_code)),
                (_("Payer on the bill"), bill.payer_name),
                (_("Household"), bill.household or "–"),
                (_("Biller"), bill.biller),
                (_("Period"), bill.period or "–"),
                (_("Owed on the bill"), vnd(bill.balance)),
                (_("Will be applied"), vnd(applied)),
                (_("Stays on the work list"), vnd(money.remaining - applied)),
            ],
            form=ApplyForm(initial={"code": bill.payment_code, "token": uuid4()}),
            submit=_("Apply %(amount)s to this bill") % {"amount": vnd(applied)},
            back_url=_address(money),
        )

    def _apply(
        self, request: HttpRequest, money: UnappliedMoney, bill: Bill, token: Any
    ) -> HttpResponse:
        entry = apply_unapplied(
            unapplied_id=money.pk,
            bill_id=bill.pk,
            form_token=f"{money.pk}-{token}",
            actor=request.user,  # type: ignore[arg-type]  # admin pages know their official
            at=timezone.now(),
        )
        amount = vnd(entry.receipt.amount)
        words = {"amount": amount, "bill": bill.payment_code}
        self.log_change(request, money, _("Applied %(amount)s to %(bill)s.") % words)
        messages.success(
            request,
            _("%(amount)s was applied to bill %(bill)s. The receipt is %(receipt)s.")
            % {**words, "receipt": entry.receipt},
        )
        return redirect(_address(money))

    def _return(
        self, request: HttpRequest, money: UnappliedMoney, form: ReturnForm
    ) -> HttpResponse:
        reason = form.cleaned_data["reason"]
        return_unapplied(
            unapplied_id=money.pk,
            form_token=f"{money.pk}-{form.cleaned_data['token']}",
            reason=reason,
            actor=request.user,  # type: ignore[arg-type]  # admin pages know their official
            at=timezone.now(),
        )
        self.log_change(request, money, _("Returned: %(reason)s") % {"reason": reason})
        messages.success(request, _("It is booked that the money goes back. Please send it now."))
        return redirect(_address(money))

    def _may_work(self, request: HttpRequest) -> bool:
        return request.user.has_perm("payments.change_unappliedmoney")

    def _workable(self, request: HttpRequest, pk: int) -> UnappliedMoney:
        money: UnappliedMoney = self.found(request, str(pk))
        if not self._may_work(request):
            raise PermissionDenied
        return money

    def get_queryset(self, request: HttpRequest) -> QuerySet[UnappliedMoney]:
        rows: QuerySet[UnappliedMoney] = super().get_queryset(request)
        return rows.select_related("entry__payment__partner", "bill")


def _address(money: UnappliedMoney) -> str:
    return reverse("admin:payments_unappliedmoney_change", args=[money.pk])


def _facts(money: UnappliedMoney) -> list[tuple[str, Any]]:
    """Say in words what is known of the money."""
    payment = money.entry.payment
    return [
        (_("Left to place"), vnd(money.remaining)),
        (_("Why it fits no bill"), money.get_reason_display()),
        (_("Bill that was named"), spaced(money.bill.payment_code) if money.bill else "–"),
        (_("Message"), payment.memo or "–"),
        (_("Payer's account"), payment.payer_account_masked or "–"),
        (_("Paid"), vnd(payment.amount)),
        (_("Paid at"), localtime_words(payment.paid_at)),
        (_("Bank"), payment.partner),
        (_("Bank's reference"), payment.bank_ref),
    ]


def _history(money: UnappliedMoney) -> QuerySet[Posting]:
    """Each thing that happened to the money, the first one above. One query."""
    postings: QuerySet[Posting] = Posting.objects.filter(unapplied=money)
    return (
        postings.select_related("entry__actor", "entry__receipt__series", "entry__receipt__bill")
        .annotate(change=-F("amount"))
        .order_by("pk")
    )
