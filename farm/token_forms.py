"""What a member says of a new key for the API."""

from django import forms
from django.utils.translation import gettext_lazy as _


class TokenForm(forms.Form):
    """What the key is for, and how long it opens."""

    name = forms.CharField(
        label=_("What is the key for?"), help_text=_("For example: table on the office computer."),
        max_length=60,
    )  # fmt: skip
    days = forms.TypedChoiceField(
        label=_("Valid for"),
        choices=[(30, _("30 days")), (90, _("90 days")), (365, _("a year"))],
        coerce=int,
        initial=90,
    )
