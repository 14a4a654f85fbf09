"""What officials fill in about bills and money."""

from typing import Any

from django import forms
from django.core.validators import FileExtensionValidator
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminFileFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
)

from addresses import selectors as addresses
from addresses.models import Village
from payments import customer_code, payment_code
from payments.models import Bank, Bill, Biller, CustomerLink, ImportProfile, SlipRun

TABLE_FILES = ("csv", "txt", "xlsx", "xlsm")


class BillFileForm(forms.Form):
    """A biller's file of bills."""

    biller = forms.ModelChoiceField(
        Biller.objects.none(), label=_("Biller"), widget=UnfoldAdminSelectWidget
    )
    file = forms.FileField(
        label=_("File"),
        help_text=_("CSV or Excel (.xlsx), as the biller sends it."),
        widget=UnfoldAdminFileFieldWidget,
        validators=[FileExtensionValidator(TABLE_FILES)],
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["biller"]
        field.queryset = Biller.objects.filter(
            is_active=True, import_profile__isnull=False
        ).order_by("name")


class BankForm(forms.ModelForm[Bank]):
    """A bank; its BIN goes into every QR code."""

    bin = forms.RegexField(
        r"^[0-9]{6}$",
        label=_("BIN"),
        help_text=_("Six digits, from the State Bank's list."),
        error_messages={"invalid": _("A BIN has six digits.")},
        widget=UnfoldAdminTextInputWidget,
    )

    class Meta:
        model = Bank
        fields = ("bin", "short_name", "name", "app_code", "is_active", "source", "as_of")


class BillerForm(forms.ModelForm[Biller]):
    """A biller and its settlement account, written as VietQR can carry them."""

    class Meta:
        model = Biller
        fields = (
            "code",
            "name",
            "service",
            "bank",
            "account_number",
            "account_name",
            "amount_rule",
            "customer_code_label",
            "customer_code_pattern",
            "is_active",
        )

    def clean_account_number(self) -> str:
        """Drop the spaces and signs that people put into account numbers."""
        typed: str = self.cleaned_data["account_number"]
        number = "".join(sign for sign in typed if sign not in " .-\u00a0")
        if not (number.isascii() and number.isalnum()):
            raise forms.ValidationError(_("An account number has letters and digits only."))
        return number

    def clean_customer_code_pattern(self) -> str:
        """Refuse a pattern that could hang an import."""
        pattern: str = self.cleaned_data["customer_code_pattern"]
        try:
            customer_code.compiled(pattern)
        except customer_code.UnsafePatternError:
            raise forms.ValidationError(
                _("This pattern cannot be used. Write a simple one, like PD[0-9]{4,10}.")
            ) from None
        return pattern


class ImportProfileForm(forms.ModelForm[ImportProfile]):
    """The headings of a biller's file; CSV files are read in the encoding named here."""

    class Meta:
        model = ImportProfile
        fields = (
            "reference_column",
            "customer_code_column",
            "payer_name_column",
            "amount_column",
            "due_date_column",
            "period_column",
            "household_code_column",
            "header_row",
            "encoding",
        )

    def clean_encoding(self) -> str:
        """Refuse an encoding that Python does not know."""
        encoding: str = self.cleaned_data["encoding"].strip()
        try:
            "".encode(encoding)
        except (LookupError, UnicodeError):
            raise forms.ValidationError(
                _("There is no such encoding. Most files are utf-8-sig or cp1258.")
            ) from None
        return encoding


class CustomerLinkForm(forms.ModelForm[CustomerLink]):
    """A customer code as the biller prints it, and the household that it belongs to."""

    class Meta:
        model = CustomerLink
        fields = ("biller", "customer_code", "household")

    def clean_customer_code(self) -> str:
        """Drop spaces around the code."""
        code: str = self.cleaned_data["customer_code"]
        return code.strip()


class SlipOrderForm(forms.Form):
    """Which slips are to be printed."""

    village = forms.ModelChoiceField(
        Village.objects.none(),
        label=_("Village"),
        required=False,
        empty_label=_("All villages"),
        widget=UnfoldAdminSelectWidget,
    )
    biller = forms.ModelChoiceField(
        Biller.objects.none(),
        label=_("Biller"),
        required=False,
        empty_label=_("All billers"),
        widget=UnfoldAdminSelectWidget,
    )
    slips_per_page = forms.TypedChoiceField(
        label=_("Slips a page"),
        coerce=int,
        choices=SlipRun._meta.get_field("slips_per_page").choices or (),
        initial=4,
        widget=UnfoldAdminSelectWidget,
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        today = timezone.localdate()
        village, biller = self.fields["village"], self.fields["biller"]
        village.queryset = addresses.villages_of(  # type: ignore[attr-defined]  # a ModelChoiceField
            addresses.current_commune(on=today), on=today
        )
        biller.queryset = Biller.objects.order_by("name")  # type: ignore[attr-defined]  # as above


class ReasonForm(forms.Form):
    """Why something is done that cannot be undone."""

    reason = forms.CharField(
        label=_("Reason"),
        max_length=200,
        help_text=_("One sentence that somebody else will understand in a year."),
        widget=UnfoldAdminTextInputWidget,
    )


class ReturnForm(ReasonForm):
    """Why money goes back; asked, shown again, then confirmed."""

    token = forms.UUIDField(widget=forms.HiddenInput)


class FindBillForm(forms.Form):
    """The bill that money without a bill is for, by its payment code in any spelling."""

    code = forms.CharField(
        label=_("Payment code of the bill"),
        max_length=60,
        help_text=_("As it stands on the slip, like PL ESP1 GV58 1."),
        widget=UnfoldAdminTextInputWidget,
    )
    bill: Bill | None = None

    def clean_code(self) -> str:
        """Find the bill; spaces, case and O for 0 do not matter."""
        code = payment_code.normalise(self.cleaned_data["code"])
        if not payment_code.is_valid(code):
            raise forms.ValidationError(
                _("This is no payment code. Please compare it with the slip, sign by sign.")
            )
        self.bill = (
            Bill.objects.filter(payment_code=code)
            .select_related("biller", "household__village")
            .first()
        )
        if self.bill is None:
            raise forms.ValidationError(_("There is no bill with this payment code."))
        return code


class ApplyForm(FindBillForm):
    """The confirmed bill, and a token that makes a double click one booking."""

    token = forms.UUIDField(widget=forms.HiddenInput)
    code = forms.CharField(widget=forms.HiddenInput, max_length=60)
