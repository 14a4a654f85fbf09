"""What an administrator fills in about accounts."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
)

from accounts.forms import VietnamesePhoneField
from accounts.models import User
from accounts.roles import Role
from common.phone import for_people


class PhoneInput(UnfoldAdminTextInputWidget):
    """Shows a stored number the way people read it aloud."""

    def __init__(self) -> None:
        super().__init__(attrs={"inputmode": "tel"})

    def format_value(self, value: Any) -> Any:
        return for_people(value) if value else value


class AccountForm(forms.ModelForm[User]):
    """An account that is there: its number, its name, and what it may do."""

    phone = VietnamesePhoneField(
        label=_("Phone number"),
        help_text=_("After a change the new number must be proven by a code once more."),
    )
    roles_held = forms.MultipleChoiceField(
        label=_("Roles"),
        choices=Role.choices,
        required=False,
        help_text=_("What each role may do is fixed. Who is no official holds no role."),
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
    )

    class Meta:
        model = User
        fields = ("phone", "full_name", "is_active", "is_staff")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "phone" in self.fields:  # it is not in a form that may only be read
            self.fields["phone"].widget = PhoneInput()
            self.initial["roles_held"] = list(self.instance.groups.values_list("name", flat=True))


class OfficialForm(forms.Form):
    """Somebody who becomes an official; the account may be new or a resident's."""

    phone = VietnamesePhoneField(
        label=_("Phone number"),
        help_text=_("You vouch that this number is theirs."),
    )
    full_name = forms.CharField(
        label=_("Full name"), max_length=120, widget=UnfoldAdminTextInputWidget
    )
    role = forms.ChoiceField(label=_("Role"), choices=Role.choices, widget=UnfoldAdminSelectWidget)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["phone"].widget = PhoneInput()
