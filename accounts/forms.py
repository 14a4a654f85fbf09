"""The one field that everybody fills in."""

from typing import Any

from allauth.account.fields import PhoneField
from django import forms
from django.utils.translation import gettext_lazy as _

from common import phone


class VietnamesePhoneField(PhoneField):
    """Accepts a phone number as people write it; allauth's own field wants E.164 at once."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.widget.attrs |= {"autocomplete": "tel", "inputmode": "tel", "placeholder": ""}

    def to_python(self, value: Any) -> Any:
        text = super().to_python(value)
        if not text:
            return text
        try:
            return phone.to_e164(text)
        except phone.PhoneError:
            raise forms.ValidationError(
                _("This is not a Vietnamese phone number. Write it like 0912 345 678."),
                code="invalid",
            ) from None
