"""The cooperative's own word on how a crop grows."""

from typing import Any

from django import forms
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from farm.models import CropProfile, CropStage
from farm.services.crop_profiles import PROFILE_NUMBERS, STAGE_NUMBERS, STAGE_PAIRS
from farm.typed_fields import DayField, FigureField

LONG_TEXT = forms.Textarea(attrs={"rows": 3})


def _figure(model: type[CropProfile | CropStage], name: str) -> FigureField:
    label: Any = getattr(model, name).field.verbose_name
    words = str(label)
    words = words if words.startswith("pH") else capfirst(words)
    return FigureField(label=words, required=False, min_value=0, max_value=9999)


class CropForm(forms.ModelForm[CropProfile]):
    """A crop, its sources, and the same crop in soil."""

    source_date = DayField(label=_("Date of the source"), required=False)

    class Meta:
        model = CropProfile
        fields = ("name", "is_verified", "source", "source_date", "note", *PROFILE_NUMBERS,
                  "soil_source")  # fmt: skip
        widgets = {"source": LONG_TEXT, "note": LONG_TEXT, "soil_source": LONG_TEXT}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in PROFILE_NUMBERS[1:]:
            self.fields[name] = _figure(CropProfile, name)

    def clean(self) -> dict[str, Any]:
        """Want a source for every figure that batches are compared with."""
        cleaned = super().clean() or self.cleaned_data
        has_figure = any(cleaned.get(name) is not None for name in PROFILE_NUMBERS)
        if has_figure and not cleaned.get("soil_source"):
            self.add_error("soil_source", _("Say where the figures for soil come from."))
        return cleaned


class StageForm(forms.ModelForm[CropStage]):
    """What a crop wants in one growth stage; an empty field says nothing."""

    source_date = DayField(label=_("Date of the source"), required=False)

    class Meta:
        model = CropStage
        fields = ("name", "days", *STAGE_NUMBERS, "source", "source_date")
        widgets = {"source": LONG_TEXT}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in STAGE_NUMBERS:
            self.fields[name] = _figure(CropStage, name)
        self.fields["source"].required = True
        self.fields["days"].widget.attrs["min"] = 1

    def clean_days(self) -> int:
        """Refuse a stage that is over before it begins."""
        days: int = self.cleaned_data["days"]
        if days < 1:
            raise forms.ValidationError(_("A stage lasts at least one day."))
        return days

    def clean(self) -> dict[str, Any]:
        """Hold the two ends of each band in order."""
        cleaned = super().clean() or self.cleaned_data
        for name in STAGE_PAIRS:
            low, high = cleaned.get(f"{name}_low"), cleaned.get(f"{name}_high")
            if low is not None and high is not None and low > high:
                self.add_error(f"{name}_low", _("The lower end is above the upper one."))
        return cleaned
