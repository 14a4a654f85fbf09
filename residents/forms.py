"""What officials fill in about households and residents."""

from typing import Any

from django import forms
from django.core.validators import FileExtensionValidator
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminFileFieldWidget

from accounts.forms import VietnamesePhoneField
from accounts.office_forms import PhoneInput
from residents.models import Household, Resident


class _PhoneForm(forms.ModelForm[Any]):
    """A form with a phone number that is typed and shown as people write it."""

    phone = VietnamesePhoneField(label=_("Phone number"), required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "phone" in self.fields:  # it is not in a form that may only be read
            self.fields["phone"].widget = PhoneInput()


class HouseholdForm(_PhoneForm):
    """One household; the search and sort keys are the service's work."""

    class Meta:
        model = Household
        fields = ("code", "village", "representative", "phone", "lane", "is_active")


class ResidentForm(_PhoneForm):
    """One person of a household."""

    class Meta:
        model = Resident
        fields = ("code", "household", "full_name", "birth_date", "sex", "residence", "phone")


class RegisterFileForm(forms.Form):
    """A file of households and residents."""

    file = forms.FileField(
        label=_("File"),
        help_text=_("Excel (.xlsx) or CSV, with the headings of the empty table."),
        widget=UnfoldAdminFileFieldWidget,
        validators=[FileExtensionValidator(("csv", "txt", "xlsx", "xlsm"))],
    )
