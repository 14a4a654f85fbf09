"""What people write about batches, in the field and with wet hands: big fields, today filled in.

A form asks the service's own checks, so that a refusal stands beside its field and nothing that
was typed is lost; the service asks them again when it writes.
"""

import uuid
from collections.abc import Callable, Iterable
from datetime import date
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from farm.errors import BatchEntryRefusedError
from farm.models import Batch, CostEntry, CropProfile, Harvest, LabourEntry, Zone
from farm.selectors import batch_questions
from farm.selectors.batch_questions import Question
from farm.services import batches
from farm.typed_fields import (
    DAYS,
    KILOGRAMS,
    PLANTS,
    SQUARE_METRES,
    CountField,
    DayField,
    DongField,
    FigureField,
    HoursField,
)


class AnswersField(forms.MultipleChoiceField):
    """What a person has confirmed; hidden until something is asked."""

    hidden_widget = widget = forms.MultipleHiddenInput

    def valid_value(self, value: str) -> bool:
        """Take any code: what was not asked confirms nothing."""
        return True

    def prepare_value(self, value: Any) -> list[str]:
        """Show again only ticks of what is asked now: a hidden one would confirm it unread."""
        asked = {str(code) for code, _words in self.choices}  # type: ignore[union-attr,misc]
        return [code for code in value or [] if code in asked]


class CheckedForm(forms.Form):
    """A form whose `check` may refuse with a service's sentence, and whose `questions` may ask.

    What is odd but can be is written when a person has confirmed it, each thing by its own tick.
    """

    # The phone makes the id in the end; without JavaScript the page that was opened has made it.
    key = forms.UUIDField(widget=forms.HiddenInput, required=False)
    sure = AnswersField(
        label=_("Is this right?"),
        help_text=_("Tick what is right as it stands; correct above what is not."),
        required=False,
    )

    def __init__(self, *args: Any, today: date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.today = today
        self.fields["key"].initial = uuid.uuid4
        self.order_fields([name for name in self.fields if name != "sure"])

    def clean_key(self) -> uuid.UUID:
        """Take a request without an id as a new one."""
        key: uuid.UUID | None = self.cleaned_data["key"]
        return key or uuid.uuid4()

    def clean(self) -> dict[str, Any]:
        """Ask the service; only when each field can be read by itself."""
        cleaned = super().clean() or self.cleaned_data
        confirmed = cleaned.pop("sure", [])
        if not self.errors:
            self._ask(self.check, cleaned)
        if not self.errors:
            self._confirm(list(self.questions(cleaned)), confirmed)
        return cleaned

    def _ask(self, check: Callable[[dict[str, Any]], None], cleaned: dict[str, Any]) -> None:
        try:
            check(cleaned)
        except BatchEntryRefusedError as error:
            field = error.facts.get("field") or None
            self.add_error(field if field in self.fields else None, str(error))

    def _confirm(self, asked: list[Question], confirmed: list[str]) -> None:
        """Show the questions as long as one of them is open."""
        if {question.code for question in asked} <= set(confirmed):
            return
        field: Any = self.fields["sure"]
        field.widget = forms.CheckboxSelectMultiple()
        field.choices = list(asked)
        self.add_error("sure", _("Please confirm this, or correct it."))

    def check(self, cleaned: dict[str, Any]) -> None:
        """Raise BatchEntryRefusedError when the service would."""

    def questions(self, cleaned: dict[str, Any]) -> Iterable[Question]:
        """Give what has to be confirmed; nothing by default."""
        return ()


class SowForm(CheckedForm):
    """A new batch."""

    profile = forms.ModelChoiceField(
        CropProfile.objects.order_by("name"),
        label=_("What was sown?"),
        empty_label=None,
        widget=forms.RadioSelect,
    )
    zone = forms.ModelChoiceField(
        Zone.objects.none(), label=_("Where?"), empty_label=None, widget=forms.RadioSelect
    )
    sown_date = DayField(label=_("Sown on"))
    area_m2 = FigureField(label=_("Area, m²"), units=SQUARE_METRES)
    plants = CountField(
        label=_("How many plants"), units=PLANTS, required=False, min_value=0, max_value=1_000_000
    )
    variety = forms.CharField(
        label=_("Variety"),
        max_length=80,
        required=False,
        help_text=_("It stands on the label of the produce."),
    )
    method = forms.ChoiceField(
        label=_("How is it grown?"), choices=Batch.Method.choices, widget=forms.RadioSelect
    )
    note = forms.CharField(label=_("Note"), max_length=200, required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        zones = Zone.objects.filter(is_active=True).select_related("greenhouse")
        field: Any = self.fields["zone"]
        field.queryset = zones.order_by("greenhouse__name", "name")
        field.label_from_instance = _zone_words
        self.fields["sown_date"].initial = self.today
        self.fields["method"].initial = Batch.Method.HYDROPONIC

    def check(self, cleaned: dict[str, Any]) -> None:
        batches.check_sowing(
            zone=cleaned["zone"],
            area_m2=cleaned["area_m2"],
            sown_date=cleaned["sown_date"],
            today=self.today,
        )

    def questions(self, cleaned: dict[str, Any]) -> Iterable[Question]:
        said = {name: cleaned[name] for name in ("zone", "area_m2", "plants", "method", "key")}
        return batch_questions.of_sowing(**said)


class EntryForm(CheckedForm):
    """What every entry of a batch's book asks for."""

    day = DayField(label=_("Day"))
    note = forms.CharField(label=_("Note"), max_length=200, required=False)

    def __init__(self, *args: Any, batch: Batch, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.batch = batch
        self.fields["day"].initial = min(self.today, batch.ended_date or self.today)
        self.order_fields(["key", "day", *self.own_order(), "note", "sure"])

    def own_order(self) -> list[str]:
        """Name the fields of the kind of entry."""
        return [name for name in self.fields if name not in {"key", "day", "note", "sure"}]


class HarvestForm(EntryForm):
    """What was picked."""

    kg = FigureField(label=_("Weight, kg"), units=KILOGRAMS)
    grade = forms.ChoiceField(
        label=_("Grade"), choices=Harvest.Grade.choices, widget=forms.RadioSelect,
        initial=Harvest.Grade.FIRST,
    )  # fmt: skip
    vnd = DongField(
        label=_("Sold for, ₫"),
        required=False,
        help_text=_("The whole amount. Leave it empty if it is not sold yet."),
    )

    def clean_vnd(self) -> int:
        """Take nothing typed as not sold yet."""
        return self.cleaned_data["vnd"] or 0

    def check(self, cleaned: dict[str, Any]) -> None:
        said = {name: cleaned[name] for name in ("day", "kg", "grade", "vnd")}
        batches.check_harvest(batch=self.batch, today=self.today, **said)

    def questions(self, cleaned: dict[str, Any]) -> Iterable[Question]:
        return batch_questions.of_harvest(
            batch=self.batch, day=cleaned["day"], grade=cleaned["grade"]
        )


class CostForm(EntryForm):
    """Money that was spent."""

    kind = forms.ChoiceField(
        label=_("What for?"), choices=CostEntry.Kind.choices, widget=forms.RadioSelect
    )
    vnd = DongField(label=_("Amount, ₫"))
    waiting_days = CountField(
        label=_("Plant protection: waiting days before picking"),
        help_text=_("As the product's label says; 0 only if the label says 0."),
        units=DAYS,
        required=False,
        min_value=0,
    )
    names_no_days = forms.BooleanField(
        label=_("Plant protection: the label names no waiting days"), required=False
    )
    note = forms.CharField(
        label=_("Note"),
        max_length=200,
        required=False,
        help_text=_("Plant protection: the name of the product. Buyers see it; name no people."),
    )

    def check(self, cleaned: dict[str, Any]) -> None:
        names = ("day", "kind", "vnd", "note", "waiting_days", "names_no_days")
        said = {name: cleaned[name] for name in names}
        batches.check_cost(batch=self.batch, today=self.today, **said)

    def clean_waiting_days(self) -> int | None:
        """Leave out what was typed beside another kind of cost."""
        is_protection = self.cleaned_data.get("kind") == CostEntry.Kind.PROTECTION
        return self.cleaned_data["waiting_days"] if is_protection else None

    def questions(self, cleaned: dict[str, Any]) -> Iterable[Question]:
        said = {name: cleaned[name] for name in ("day", "kind", "waiting_days")}
        return batch_questions.of_cost(batch=self.batch, **said)


class LabourForm(EntryForm):
    """Hours that were worked."""

    task = forms.ChoiceField(
        label=_("What work?"), choices=LabourEntry.Task.choices, widget=forms.RadioSelect
    )
    hours = HoursField(
        label=_("Hours"), help_text=_("Of all together: 3 people for 4 hours are 12.")
    )

    def check(self, cleaned: dict[str, Any]) -> None:
        said = {name: cleaned[name] for name in ("day", "task", "hours")}
        batches.check_labour(batch=self.batch, today=self.today, **said)


class PlantingForm(CheckedForm):
    """When the seedlings went to their place."""

    day = DayField(label=_("Planted out on"))
    plants = CountField(
        label=_("How many plants"), units=PLANTS, required=False, min_value=0, max_value=1_000_000
    )

    def __init__(self, *args: Any, batch: Batch, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.batch = batch
        self.fields["day"].initial = batch.transplanted_date or self.today
        self.fields["plants"].initial = batch.plants or None

    def questions(self, cleaned: dict[str, Any]) -> Iterable[Question]:
        return batch_questions.of_plants(
            zone=self.batch.zone, area_m2=self.batch.area_m2, plants=cleaned["plants"]
        )

    def check(self, cleaned: dict[str, Any]) -> None:
        batches.check_planting(batch=self.batch, day=cleaned["day"], today=self.today)


class EndForm(CheckedForm):
    """How and when a batch was over."""

    how = forms.ChoiceField(
        label=_("How did it end?"),
        choices=[("ended", _("Everything is picked")), ("lost", _("The crop was lost"))],
        widget=forms.RadioSelect,
        initial="ended",
    )
    day = DayField(label=_("Ended on"))
    note = forms.CharField(
        label=_("Note"),
        max_length=200,
        required=False,
        help_text=_("What went well, what to do otherwise next time."),
    )

    def __init__(self, *args: Any, batch: Batch, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.batch = batch
        self.fields["day"].initial = self.today

    def check(self, cleaned: dict[str, Any]) -> None:
        batches.check_end(batch=self.batch, day=cleaned["day"], today=self.today)

    def questions(self, cleaned: dict[str, Any]) -> Iterable[Question]:
        return batch_questions.of_end(batch=self.batch, is_lost=cleaned["how"] == "lost")


def _zone_words(zone: Zone) -> str:
    return f"{zone.name}, {zone.greenhouse.name}"
