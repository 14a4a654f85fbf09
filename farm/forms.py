"""What people fill in on the farm's pages."""

from datetime import UTC, datetime, timedelta
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from farm.models import AlarmLimit, Channel, Output, Watch, Zone

LONGEST_RUN_SECONDS = 86_400
# Nobody has readings of other years, and at the ends of the calendar days cannot be counted on.
FIRST_YEAR, LAST_YEAR = 1970, 9999


class MinutesField(forms.FloatField):
    """A length of time: people fill in minutes, it is kept as whole seconds."""

    widget = forms.TextInput(attrs={"inputmode": "decimal"})

    def __init__(self, *, may_be_zero: bool = True, **kwargs: Any) -> None:
        few = _("Write 0 minutes or more.") if may_be_zero else _("Write more than 0 minutes.")
        super().__init__(
            min_value=0 if may_be_zero else 1 / 60,
            max_value=LONGEST_RUN_SECONDS / 60,
            localize=True,
            error_messages={"min_value": few},
            **kwargs,
        )

    def prepare_value(self, value: Any) -> Any:
        """Show seconds that stand as minutes; what was typed is shown as it was."""
        return round(value / 60, 2) if isinstance(value, int | float) else value

    def clean(self, value: Any) -> Any:
        """Read minutes, give seconds."""
        minutes = super().clean(value)
        return None if minutes is None else round(minutes * 60)


class ReasonForm(forms.Form):
    """Why a house is stopped or released."""

    reason = forms.CharField(label=_("Why?"), max_length=200, required=False)

    def __init__(self, *args: Any, is_needed: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reason"].required = is_needed


class RunForm(forms.Form):
    """How long to run; `key` is the page's own, so that two taps are one command."""

    seconds = forms.IntegerField(min_value=1, max_value=LONGEST_RUN_SECONDS)
    key = forms.CharField(max_length=80)


class DoseForm(forms.Form):
    """How much to dose by hand."""

    ml = forms.FloatField(
        label=_("How many ml"),
        min_value=0.1,
        max_value=10_000,
        localize=True,
        widget=forms.TextInput(attrs={"inputmode": "decimal"}),
        error_messages={
            "required": _("Write how many ml to dose."),
            "invalid": _("Write the ml as a number, for example 12.5."),
            "min_value": _("Write at least 0.1 ml."),
            "max_value": _("Write at most 10,000 ml."),
        },
    )
    key = forms.CharField(max_length=80, widget=forms.HiddenInput)

    def clean(self) -> dict[str, Any]:
        """Say aloud what is wrong with the key: nobody sees it, and the page has a new one."""
        if self.has_error("key"):
            self.add_error(None, _("Nothing has been dosed yet. Please press “Dose” once more."))
        return super().clean() or {}


class StrengthForm(forms.Form):
    """How strong a fan or light is, and for how long."""

    percent = forms.IntegerField(min_value=0, max_value=100)
    seconds = forms.IntegerField(min_value=1, max_value=LONGEST_RUN_SECONDS)
    key = forms.CharField(max_length=80)


class CalibrationForm(forms.Form):
    """The number on the bottle that a probe stands in."""

    value = forms.FloatField(localize=True)
    key = forms.CharField(max_length=80)


class LockForm(forms.Form):
    """Who may switch an output, until when and why."""

    HOURS = {"1": 1, "4": 4, "12": 12, "24": 24}

    lock = forms.ChoiceField(
        label=_("Who may switch it"),
        choices=[
            (Output.Lock.OFF, _("Nobody: it stays off")),
            (Output.Lock.MANUAL, _("Only people: programmes leave it alone")),
            (Output.Lock.AUTO, _("People and programmes (no lock)")),
        ],
        widget=forms.RadioSelect,
    )
    hours = forms.ChoiceField(
        label=_("For how long"),
        choices=[
            ("1", _("1 hour")),
            ("4", _("4 hours")),
            ("12", _("12 hours")),
            ("24", _("1 day")),
            ("", _("until somebody unlocks it")),
        ],
        required=False,
    )
    reason = forms.CharField(label=_("Why?"), max_length=200, required=False)

    def __init__(self, *args: Any, now: datetime, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.now = now

    def clean(self) -> dict[str, Any]:
        """Turn the hours into a moment; whoever locks says why."""
        given = super().clean() or {}
        is_lock = given.get("lock") in {Output.Lock.OFF, Output.Lock.MANUAL}
        if is_lock and not given.get("reason"):
            self.add_error("reason", _("Write why, so that the others know."))
        hours = self.HOURS.get(given.get("hours") or "")
        given["until"] = self.now + timedelta(hours=hours) if is_lock and hours else None
        return given


class LimitForm(forms.ModelForm[AlarmLimit]):
    """When a sensor's value is an alarm."""

    delay_seconds = MinutesField(label=_("only after, minutes"))

    class Meta:
        model = AlarmLimit
        fields = ("low", "high", "hysteresis", "delay_seconds", "severity", "is_enabled")
        localized_fields = ("low", "high", "hysteresis")

    def clean(self) -> dict[str, Any]:
        """Hold the limits to what can be: at least one of them, the low one below."""
        given = super().clean() or {}
        low, high = given.get("low"), given.get("high")
        if low is None and high is None and not self.errors:
            self.add_error("low", _("Set at least one of the two limits."))
        if low is not None and high is not None and low >= high:
            self.add_error("high", _("This limit has to be above the lower one."))
        return given


class WatchForm(forms.ModelForm[Watch]):
    """When somebody is told of a house's alarms."""

    class Meta:
        model = Watch
        fields = ("step", "after_minutes", "by_sms", "quiet_from", "quiet_to")
        widgets = {
            "quiet_from": forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
            "quiet_to": forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
        }

    def clean(self) -> dict[str, Any]:
        """Take quiet hours with both ends or none."""
        given = super().clean() or {}
        if (given.get("quiet_from") is None) != (given.get("quiet_to") is None):
            self.add_error("quiet_to", _("Quiet hours need a beginning and an end."))
        return given


class PlaceForm(forms.Form):
    """What people call a sensor or an output, and in which zone it stands."""

    label = forms.CharField(label=_("What people call it"), max_length=80, required=False)
    zone = forms.ModelChoiceField(
        Zone.objects.none(), label=_("Zone"), required=False, empty_label=_("the whole house")
    )

    def __init__(self, *args: Any, thing: Channel | Output, **kwargs: Any) -> None:
        kwargs["initial"] = {"label": thing.label, "zone": thing.zone_id}
        super().__init__(*args, **kwargs)
        zones: Any = self.fields["zone"]
        zones.queryset = Zone.objects.filter(
            greenhouse_id=thing.node.greenhouse_id, is_active=True
        ).order_by("name")


def is_day(text: str) -> bool:
    """Whether ?ngay= names a day that a greenhouse can have seen."""
    try:
        return (
            FIRST_YEAR <= datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC).year < LAST_YEAR
        )
    except ValueError:
        return False


def day_asked(text: str | None, *, now: datetime) -> datetime:
    """Give the local midnight that begins the day of ?ngay=; today without a sensible one."""
    local = timezone.localtime(now)
    day = local
    if text and is_day(text):
        day = datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=local.tzinfo)
    return day.replace(hour=0, minute=0, second=0, microsecond=0)
