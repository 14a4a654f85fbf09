"""What a member takes home of a greenhouse: which table, which days, in which writing."""

from datetime import date, datetime, time, timedelta
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from farm.csv_lines import Style
from farm.forms import FIRST_YEAR, LAST_YEAR
from farm.models import Channel, Greenhouse, Rollup
from farm.selectors import exports

READINGS, ALARMS = "so-lieu", "canh-bao"
HARVESTS, COSTS, LABOUR = "thu-hoach", "chi-phi", "cong"
WATER, RUNS = "nuoc", "lan-chay"
RAW = "goc"
LEVELS = {
    "1p": Rollup.Level.MINUTE,
    "15p": Rollup.Level.QUARTER,
    "1g": Rollup.Level.HOUR,
    "1n": Rollup.Level.DAY,
}
# So that one download stays one that a phone and the database can bear.
MOST_DAYS = {RAW: 31, "1p": 92, "15p": 366, "1g": 1830, "1n": 7320}


class SensorsField(forms.ModelMultipleChoiceField[Channel]):
    """Sensors by their name and place."""

    def label_from_instance(self, obj: Channel) -> str:
        return f"{obj}, {obj.zone}" if obj.zone else str(obj)


class ExportForm(forms.Form):
    """The days count from the first one's midnight to the last one's, here."""

    table = forms.ChoiceField(
        label=_("Which table"),
        choices=[
            (READINGS, _("Measured values")),
            (ALARMS, _("Alarms")),
            (HARVESTS, _("Harvests and sales")),
            (COSTS, _("Costs")),
            (LABOUR, _("Labour")),
            (WATER, _("Water, day by day")),
            (RUNS, _("Runs: what was on, how long, how many litres")),
        ],
        widget=forms.RadioSelect,
    )
    level = forms.ChoiceField(
        label=_("How close together"),
        help_text=_("Of measured values alone."),
        choices=[
            ("1g", _("one line an hour")),
            ("15p", _("one line a quarter of an hour")),
            ("1p", _("one line a minute")),
            ("1n", _("one line a day")),
            (RAW, _("every single value")),
        ],
        required=False,
    )
    since = forms.DateField(
        label=_("From day"), widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    until = forms.DateField(
        label=_("To day"), widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    channels = SensorsField(
        Channel.objects.none(),
        label=_("Which sensors"),
        help_text=_("All of them when none is ticked."),
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )
    style = forms.ChoiceField(
        label=_("How Excel on this machine writes numbers"),
        choices=[
            (Style.VIETNAMESE.value, _("1,5 (Vietnamese)")),
            (Style.ENGLISH.value, _("1.5 (English)")),
        ],
        widget=forms.RadioSelect,
    )

    def __init__(self, *args: Any, house: Greenhouse, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        channels: Any = self.fields["channels"]
        channels.queryset = exports.exportable_channels(house)

    def clean(self) -> dict[str, Any]:
        """Take at most as many days as the level bears."""
        given = super().clean() or {}
        since: date | None = given.get("since")
        until: date | None = given.get("until")
        given["level"] = given.get("level") or "1g"
        if since is None or until is None:
            return given
        for name, day in (("since", since), ("until", until)):
            if not FIRST_YEAR <= day.year < LAST_YEAR:
                self.add_error(name, _("Nobody has figures of this year. Is the year right?"))
        if until < since:
            self.add_error("until", _("This day is before the first one."))
        most = MOST_DAYS.get(given["level"], MOST_DAYS["1g"])
        most = most if given.get("table") == READINGS else MOST_DAYS["1n"]
        if (until - since).days >= most:
            self.add_error(
                "until",
                _("At most %(most)s days at once, or choose fewer lines a day.") % {"most": most},
            )
        return given

    def span(self) -> tuple[datetime, datetime]:
        """Give the moments at which the days asked for begin and end."""
        here = timezone.get_current_timezone()
        first, last = self.cleaned_data["since"], self.cleaned_data["until"]
        return (
            datetime.combine(first, time(), here),
            datetime.combine(last + timedelta(days=1), time(), here),
        )
