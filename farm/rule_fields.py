"""The kinds of fields that only forms of programmes have."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from farm.clock_words import times_typed
from farm.models import Output, Zone


class ClockField(forms.TimeField):
    """A time of the day, kept in the settings as text: "05:30"."""

    widget = forms.TimeInput(attrs={"type": "time"}, format="%H:%M")

    def clean(self, value: Any) -> str | None:
        at = super().clean(" ".join(times_typed(value or "")))
        return f"{at:%H:%M}" if at else None


class OutputsField(forms.ModelMultipleChoiceField[Output]):
    """What a programme switches; what stands in another zone than `zone` is called by its zone."""

    widget = forms.CheckboxSelectMultiple
    zone: Zone
    default_error_messages = {
        "invalid_choice": _("One of them cannot be chosen here. Please load the page again."),
        "invalid_pk_value": _("One of them cannot be chosen here. Please load the page again."),
    }

    def label_from_instance(self, obj: Output) -> str:
        """Name an output, and its zone where that is another."""
        return f"{obj} ({obj.zone})" if obj.zone and obj.zone != self.zone else str(obj)
