"""What a programme is set to, in sentences."""

from collections.abc import Callable, Iterator
from datetime import time
from typing import Any

from django.utils import timezone
from django.utils.formats import time_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from farm.control import dosing_settings, hysteresis, light_sum, schedule
from farm.control.kinds import KINDS
from farm.control.settings import SettingsError
from farm.models import Channel, Rule
from farm.rule_ahead import limit_words, quantity_words
from farm.words import Words, run_words, short_number, sun_words

WEEKDAYS: dict[int, Words] = {
    1: gettext_lazy("Monday"),
    2: gettext_lazy("Tuesday"),
    3: gettext_lazy("Wednesday"),
    4: gettext_lazy("Thursday"),
    5: gettext_lazy("Friday"),
    6: gettext_lazy("Saturday"),
    7: gettext_lazy("Sunday"),
}


def setting_words(rule: Rule) -> tuple[str, ...]:
    """Say what a programme is set to; one that cannot be read says so."""
    try:
        settings = KINDS[rule.kind].parse(rule.parameters)
    except SettingsError:
        return (_("Its settings cannot be read: it does nothing until somebody sets it anew."),)
    if isinstance(settings, hysteresis.Settings):
        return tuple(_hysteresis(settings, rule.sensor))
    said = tuple(TELLERS[rule.kind](settings))
    if isinstance(settings, schedule.Settings) and settings.sun:
        today = sun_words(rule.zone.greenhouse, timezone.localdate())
        return (*said, today) if today else said
    return said


def _amount(seconds: int | None, litres: float | None) -> str:
    parts = []
    if litres is not None:
        parts.append(_("%(litres)s litres") % {"litres": short_number(litres)})
    if seconds is not None:
        parts.append(
            _("at most %(span)s") % {"span": run_words(seconds)} if parts else run_words(seconds)
        )
    return ", ".join(parts)


def _clock(at: time) -> str:
    return str(time_format(at, "TIME_FORMAT"))


def _schedule(settings: schedule.Settings) -> Iterator[str]:
    if settings.times:
        yield _("At %(times)s.") % {"times": ", ".join(_clock(at) for at in settings.times)}
    if settings.every:
        yield _("Every %(minutes)s minutes from %(start)s to %(end)s.") % {
            "minutes": settings.every.minutes,
            "start": _clock(settings.every.start),
            "end": _clock(settings.every.end),
        }
    for sun in settings.sun:
        yield _sun(sun)
    if len(settings.weekdays) < 7:
        days = ", ".join(str(WEEKDAYS[day]) for day in sorted(settings.weekdays))
        yield _("Only on: %(days)s.") % {"days": days}
    yield _("Each time %(amount)s.") % {"amount": _amount(settings.seconds, settings.litres)}


def _sun(sun: schedule.SunTime) -> str:
    minutes = sun.offset_minutes
    facts = {"minutes": abs(minutes)}
    if sun.event == "sunrise":
        said = _("%(minutes)s minutes after sunrise.")
        if minutes < 0:
            said = _("%(minutes)s minutes before sunrise.")
        return said % facts if minutes else _("At sunrise.")
    said = _("%(minutes)s minutes after sunset.")
    if minutes < 0:
        said = _("%(minutes)s minutes before sunset.")
    return said % facts if minutes else _("At sunset.")


def _light_sum(settings: light_sum.Settings) -> Iterator[str]:
    yield _("Waters after each %(joules)s J/cm² of light, from %(start)s to %(end)s.") % {
        "joules": short_number(settings.j_per_cm2),
        "start": _clock(settings.start),
        "end": _clock(settings.end),
    }
    if settings.litres is not None or settings.seconds is not None:
        yield _("Each time %(amount)s.") % {"amount": _amount(settings.seconds, settings.litres)}
    else:
        yield _("Each time as much as the plants drank and %(percent)s %% on top to drain.") % {
            "percent": short_number(settings.drain_percent)
        }
    if settings.longest_pause:
        yield _("Never longer than %(span)s without water.") % {
            "span": run_words(settings.longest_pause.total_seconds())
        }
    if settings.learns_from_drain:
        yield _("Waters sooner or later by what drained of the last times.")


def _hysteresis(settings: hysteresis.Settings, sensor: Channel | None) -> Iterator[str]:
    facts = {
        "what": quantity_words(sensor),
        "on": limit_words(sensor, settings.on_at),
        "off": limit_words(sensor, settings.off_at),
    }
    if settings.is_above:
        yield _("On when %(what)s is above %(on)s, off again below %(off)s.") % facts
    else:
        yield _("On when %(what)s is below %(on)s, off again above %(off)s.") % facts
    yield _("On for at least %(on)s, off for at least %(off)s.") % {
        "on": run_words(settings.least_on_seconds),
        "off": run_words(settings.least_off_seconds),
    }


def _dosing(settings: dosing_settings.Settings) -> Iterator[str]:
    for name, band in (("EC", settings.ec), ("pH", settings.ph)):
        if band is not None:
            yield _("Keeps %(what)s between %(low)s and %(high)s, aims at %(target)s.") % {
                "what": name,
                "low": short_number(band.low),
                "high": short_number(band.high),
                "target": short_number(band.target),
            }
    yield _("At most %(ml)s ml at a time, %(daily)s ml of each bottle a day.") % {
        "ml": short_number(settings.most_ml),
        "daily": short_number(settings.daily_ml),
    }
    yield ngettext(
        "Stops and gives alarm after %(count)s dose without effect.",
        "Stops and gives alarm after %(count)s doses without effect.",
        settings.lock_out_after,
    ) % {"count": settings.lock_out_after}


TELLERS: dict[str, Callable[[Any], Iterator[str]]] = {
    "schedule": _schedule,
    "light_sum": _light_sum,
    "dosing": _dosing,
}
