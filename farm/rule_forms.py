"""Programmes as plain forms: one for each kind, checked by the same reader that the rules use."""

import json
from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

from django import forms
from django.db.models import BooleanField, ExpressionWrapper, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from farm import sun_fields
from farm.clock_words import is_time, times_typed
from farm.control.settings import Problem
from farm.forms import MinutesField
from farm.models import Channel, Output, Rule, Zone
from farm.problem_words import problem_sentence, problem_words, without_numbers
from farm.rule_fields import ClockField, OutputsField
from farm.rule_words import WEEKDAYS
from farm.services.rule_checks import new_doubts_of, problems_of
from farm.services.safety_facts import FRESH_WATER
from farm.words import sun_words

NO_PLACE = _("The greenhouse has no place on the map yet, so nothing there can go by the sun.")


class RuleForm(forms.Form):
    """What every programme has, and `PARAMETERS`: form field to its place in the settings."""

    KIND: ClassVar[str]
    PARAMETERS: ClassVar[dict[str, tuple[str, ...]]]
    SENSORS: ClassVar[tuple[str, ...]] = ()
    OUTPUTS: ClassVar[tuple[str, ...]] = ()

    name = forms.CharField(label=_("Name"), max_length=80)
    outputs = OutputsField(Output.objects.none(), label=_("What it switches"))
    sensor = forms.ModelChoiceField(
        Channel.objects.none(),
        label=_("It goes by this sensor"),
        empty_label=_("Choose a sensor"),
    )

    # What may be meant is asked once; the box is shown only then, for the doubts that it names.
    is_sure = forms.BooleanField(label=_("Please confirm"), required=False)
    seen = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, zone: Zone, rule: Rule | None = None, **kwargs: Any) -> None:
        """Take the zone's outputs and sensors as choices, and a rule's settings as what stands."""
        self.standing = dict(rule.parameters) if rule else {}
        self.zone, self.rule = zone, rule
        kwargs["initial"] = self._initial(rule)
        super().__init__(*args, **kwargs)
        house = {"node__greenhouse_id": zone.greenhouse_id, "is_active": True}
        outputs: Any = self.fields["outputs"]
        outputs.zone = zone
        outputs.queryset = (
            Output.objects.select_related("node", "zone")
            .filter(self._offered() | Q(rules=rule) if rule else self._offered(), **house)
            .annotate(is_elsewhere=ExpressionWrapper(self._elsewhere(), BooleanField()))
            .order_by("is_elsewhere", "zone__name", "code")
            .distinct()
        )
        sensor: Any = self.fields["sensor"]
        if not self.SENSORS:
            del self.fields["sensor"]
            return
        sensor.queryset = (
            Channel.objects.filter(quantity__in=self.SENSORS, **house)
            .select_related("zone")
            .order_by("zone_id", "code")
        )

    def _offered(self) -> Q:
        """Offer what a programme of this kind may switch, but no valve of another zone."""
        return Q(kind__in=self.OUTPUTS) & ~(Q(kind=Output.Kind.VALVE) & self._elsewhere())

    def _elsewhere(self) -> Q:
        return Q(zone__isnull=False) & ~Q(zone=self.zone)

    def _initial(self, rule: Rule | None) -> dict[str, Any]:
        if rule is None:
            return {}
        found = {field: _at(self.standing, path) for field, path in self.PARAMETERS.items()}
        given = {field: value for field, value in found.items() if value is not None}
        return given | {
            "name": rule.name,
            "outputs": list(rule.outputs.values_list("pk", flat=True)),
            "sensor": rule.sensor_id,
        }

    def parameters(self) -> dict[str, Any]:
        """Write what was filled in as settings; what the form does not show stays as it was."""
        settings = {key: value for key, value in self.standing.items() if not self._shows(key)}
        for field, path in self.PARAMETERS.items():
            value = self.cleaned_data.get(field)
            if value not in (None, "", []):
                _put(settings, path, value)
        return settings

    def sensor_meant(self) -> Channel | None:
        """Give the sensor that was chosen; where none can be chosen, the one that stands."""
        if "sensor" in self.fields:
            return self.cleaned_data.get("sensor")
        return self.rule.sensor if self.rule else None

    def clean(self) -> dict[str, Any]:
        """Let the programme's own rules find what is wrong, and say it beside the fields."""
        given = super().clean() or {}
        self.cleaned_data = given
        rule = Rule(
            pk=self.rule.pk if self.rule else None,
            zone=self.zone,
            kind=self.KIND,
            sensor=self.sensor_meant(),
            parameters=self.parameters(),
            is_enabled=self.rule is None or self.rule.is_enabled,
        )
        outputs = list(given.get("outputs", ()))
        for field, problem in self._new_problems(problems_of(rule, outputs)):
            said = problem_sentence(problem) if field else problem_words(problem)
            self.add_error(field, said)
        if not self.errors:
            self._ask(new_doubts_of(rule, outputs))
        return given

    def _ask(self, doubts: Sequence[Problem]) -> None:
        """Ask about the doubts, unless each of them was shown and is confirmed."""
        given = self.cleaned_data
        self.doubts_shown = "\n".join(_token(doubt) for doubt in doubts)
        confirmed = given["seen"].splitlines() if given.get("is_sure") else ()
        if not set(self.doubts_shown.splitlines()) <= set(confirmed):
            for doubt in doubts:
                self.add_error("is_sure", problem_sentence(doubt))

    def fields_of_settings(self) -> list[forms.BoundField]:
        """Give what is filled in: all but the box that confirms, and what it confirms."""
        return [field for field in self if field.name not in {"is_sure", "seen"}]

    def _new_problems(self, problems: Iterable[Problem]) -> Iterable[tuple[str | None, Problem]]:
        """Leave out what only follows from a field that could not be read."""
        unread = set(self.errors)
        for problem in problems:
            field = self._field_of(tuple(without_numbers(problem.field).split(".")))
            is_gap = problem.code == "missing" and unread & self.PARAMETERS.keys()
            if field not in unread and not is_gap:
                yield field, problem

    def _shows(self, key: str) -> bool:
        return any(path[0] == key for path in self.PARAMETERS.values())

    def _field_of(self, place: tuple[str, ...]) -> str | None:
        """Find the field of a setting, else one of its group; None for what the form lacks."""
        if len(place) == 1 and place[0] in self.fields:
            return place[0]
        paths = self.PARAMETERS.items()
        exact = (name for name, path in paths if path == place)
        near = (name for name, path in paths if path[0] == place[0])
        return next(exact, None) or next(near, None)


class ScheduleForm(RuleForm):
    """Water or switch by the clock."""

    KIND = "schedule"
    OUTPUTS = ("valve", "pump", "fan", "light", "other")
    PARAMETERS = {
        "times": ("times",),
        "every_minutes": ("every", "minutes"),
        "every_from": ("every", "from"),
        "every_to": ("every", "to"),
        "weekdays": ("weekdays",),
        "seconds": ("seconds",),
        "litres": ("litres",),
    }

    times = forms.CharField(
        label=_("At these times"), required=False, help_text=_("For example: 05:30, 11h20, 15h")
    )
    every_minutes = forms.IntegerField(
        label=_("Or every … minutes"), required=False, min_value=1, max_value=720
    )
    every_from = ClockField(label=_("from"), required=False)
    every_to = ClockField(label=pgettext_lazy("time of the day", "to"), required=False)
    weekdays = forms.TypedMultipleChoiceField(
        label=_("Only on these days"),
        required=False,
        coerce=int,
        choices=list(WEEKDAYS.items()),
        widget=forms.CheckboxSelectMultiple,
        help_text=_("None ticked: every day."),
    )
    seconds = MinutesField(label=_("Each time so many minutes"), required=False, may_be_zero=False)
    litres = forms.FloatField(
        label=_("Or so many litres"), required=False, min_value=0.1, localize=True
    )

    def __init__(self, *args: Any, zone: Zone, rule: Rule | None = None, **kwargs: Any) -> None:
        """Show a row for each start by the sun that stands, at least one of rising and setting."""
        self.sun_rows = sun_fields.rows_of(rule.parameters.get("sun") if rule else None)
        super().__init__(*args, zone=zone, rule=rule, **kwargs)
        hint = sun_words(zone.greenhouse, timezone.localdate()) or str(NO_PLACE)
        for row in self.sun_rows:
            self.fields |= row.fields(hint=hint if row is self.sun_rows[0] else "")
        self.order_fields(
            ["name", "outputs", "times", *(name for row in self.sun_rows for name in row.names)]
        )

    def _offered(self) -> Q:
        """Offer all valves of the house: a timetable may water zone after zone."""
        return Q(kind__in=self.OUTPUTS)

    def _initial(self, rule: Rule | None) -> dict[str, Any]:
        found = super()._initial(rule)
        if "times" in found:
            found["times"] = ", ".join(found["times"])
        for row in self.sun_rows:
            found |= row.initial()
        return found

    def parameters(self) -> dict[str, Any]:
        """Add the starts by the sun."""
        settings = {key: value for key, value in super().parameters().items() if key != "sun"}
        sun = [start for row in self.sun_rows if (start := row.read(self.cleaned_data))]
        return settings | ({"sun": sun} if sun else {})

    def clean(self) -> dict[str, Any]:
        """Hold each row together before the programme's own rules look at it."""
        for row in self.sun_rows:
            mistake = row.mistake(self.cleaned_data)
            if mistake:
                self.add_error(row.minutes_name, mistake)
        return super().clean()

    def _field_of(self, place: tuple[str, ...]) -> str | None:
        if place[0] != "sun":
            return super()._field_of(place)
        used = (row.name for row in self.sun_rows if row.read(self.cleaned_data))
        return next(used, self.sun_rows[0].name)

    def clean_times(self) -> list[str]:
        """Take times apart, each once."""
        times = times_typed(self.cleaned_data["times"])
        strange = [Problem("times", "not_a_time", {"value": at}) for at in times if not is_time(at)]
        if strange:
            raise forms.ValidationError([problem_sentence(problem) for problem in strange])
        return times

    def clean_weekdays(self) -> list[int]:
        """Every day ticked is no choice of days."""
        days: list[int] = self.cleaned_data["weekdays"]
        return [] if len(days) == 7 else days


class LightSumForm(RuleForm):
    """Water after so much light."""

    KIND = "light_sum"
    OUTPUTS = ("valve", "pump")
    SENSORS = ("solar_radiation", "ppfd")
    PARAMETERS = {
        "j_per_cm2": ("j_per_cm2",),
        "litres": ("litres",),
        "seconds": ("seconds",),
        "drain_percent": ("drain_percent",),
        "least_pause_minutes": ("least_pause_minutes",),
        "longest_pause_minutes": ("longest_pause_minutes",),
        "begins": ("from",),
        "ends": ("to",),
        "inside": ("inside",),
        "learns_from_drain": ("learns_from_drain",),
    }

    j_per_cm2 = forms.FloatField(
        label=_("After so much light, J/cm²"),
        initial=150,
        localize=True,
        help_text=_("Usual: 100 to 200."),
    )
    litres = forms.FloatField(
        label=_("Each time so many litres"),
        required=False,
        localize=True,
        help_text=_("Empty: reckoned from light, area and drain."),
    )
    seconds = MinutesField(label=_("At most so many minutes"), required=False, may_be_zero=False)
    drain_percent = forms.FloatField(
        label=_("How much should drain, %"), required=False, localize=True
    )
    least_pause_minutes = forms.FloatField(
        label=_("At least so many minutes between"), required=False, localize=True
    )
    longest_pause_minutes = forms.FloatField(
        label=_("Water anyway after so many minutes"), required=False, localize=True
    )
    begins = ClockField(label=_("from"), required=False)
    ends = ClockField(label=pgettext_lazy("time of the day", "to"), required=False)
    inside = forms.BooleanField(label=_("The light sensor hangs inside"), required=False)
    learns_from_drain = forms.BooleanField(
        label=_("Learn from what drains"), required=False, initial=True
    )


class HysteresisForm(RuleForm):
    """Switch between two limits."""

    KIND = "hysteresis"
    OUTPUTS = ("fan", "light", "valve", "pump", "other")
    SENSORS = tuple(Channel.Quantity.values)
    PARAMETERS = {
        "on_at": ("on_at",),
        "off_at": ("off_at",),
        "least_on_seconds": ("least_on_seconds",),
        "least_off_seconds": ("least_off_seconds",),
    }

    on_at = forms.FloatField(label=_("On at"), localize=True)
    off_at = forms.FloatField(label=_("Off at"), localize=True)
    least_on_seconds = MinutesField(label=_("On for at least, minutes"), initial=120)
    least_off_seconds = MinutesField(label=_("Off for at least, minutes"), initial=180)


class DosingForm(RuleForm):
    """Feed by EC and pH; the one valve that it may open brings fresh water."""

    KIND = "dosing"
    OUTPUTS = ("doser", "valve")
    PARAMETERS = {
        "ec_low": ("ec", "low"),
        "ec_target": ("ec", "target"),
        "ec_high": ("ec", "high"),
        "ph_low": ("ph", "low"),
        "ph_target": ("ph", "target"),
        "ph_high": ("ph", "high"),
        "most_ml": ("most_ml",),
        "most_ph_ml": ("most_ph_ml",),
        "daily_ml": ("daily_ml",),
        "lock_out_after": ("lock_out_after",),
    }

    ec_low = forms.FloatField(label=_("EC at least, mS/cm"), required=False, localize=True)
    ec_target = forms.FloatField(label=_("EC to aim at"), required=False, localize=True)
    ec_high = forms.FloatField(label=_("EC at most"), required=False, localize=True)
    ph_low = forms.FloatField(label=_("pH at least"), required=False, localize=True)
    ph_target = forms.FloatField(label=_("pH to aim at"), required=False, localize=True)
    ph_high = forms.FloatField(label=_("pH at most"), required=False, localize=True)
    most_ml = forms.FloatField(label=_("Fertiliser at a time, at most ml"), localize=True)
    most_ph_ml = forms.FloatField(
        label=_("pH up or down at a time, at most ml"), required=False, localize=True
    )
    daily_ml = forms.FloatField(label=_("Of each bottle a day, at most ml"), localize=True)
    lock_out_after = forms.IntegerField(
        label=_("Stop after so many doses without effect"), initial=3, min_value=1, max_value=10
    )

    def _offered(self) -> Q:
        is_dry = Q(kind=Output.Kind.VALVE) & ~Q(dose_kind=FRESH_WATER)
        return super()._offered() & ~is_dry


FORMS: dict[str, type[RuleForm]] = {
    form.KIND: form for form in (ScheduleForm, LightSumForm, HysteresisForm, DosingForm)
}


def _token(doubt: Problem) -> str:
    """Write a doubt on one line, to tell whether it is the one that was shown."""
    return json.dumps([doubt.field, doubt.code, doubt.facts], sort_keys=True)


def _at(settings: dict[str, Any], path: tuple[str, ...]) -> Any:
    found: Any = settings
    for key in path:
        found = found.get(key) if isinstance(found, dict) else None
    return found


def _put(settings: dict[str, Any], path: tuple[str, ...], value: Any) -> None:
    for key in path[:-1]:
        settings = settings.setdefault(key, {})
    settings[path[-1]] = value
