"""What a programme waits for, in words: the next time of a clock, or what a sensor has to show."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, NamedTuple

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from farm import words
from farm.control import dosing_settings, hysteresis, light_sum, schedule
from farm.control.kinds import KINDS
from farm.control.plan import Snapshot
from farm.control.settings import SettingsError
from farm.models import Channel, Output, Rule


class Ahead(NamedTuple):
    """What comes next, and what that is called."""

    label: str
    words: str


def ahead_of(rule: Rule, *, now: datetime) -> Ahead:
    """Say when a timetable runs next, and what any other programme waits for."""
    if not rule.is_enabled:
        return Ahead(_("Runs next"), _("never: it is off"))
    try:
        settings = KINDS[rule.kind].parse(rule.parameters)
    except SettingsError:
        return Ahead(_("Waits for"), _("somebody who sets it anew"))
    local = timezone.localtime(now)
    is_by_clock = isinstance(settings, schedule.Settings)
    held = _held_back(rule, now=local, at=(is_by_clock and _start(rule, settings, local)) or local)
    if held:
        return Ahead(_("Waits for"), held)
    label = _("Runs next") if is_by_clock else _("Waits for")
    return Ahead(label, TELLERS[rule.kind](rule, settings, local))


def _held_back(rule: Rule, *, now: datetime, at: datetime) -> str:
    """Say what has to end before anything of it can run at a moment; nothing where it can."""
    if rule.zone.greenhouse.is_stopped:
        return _("the end of the emergency stop")
    outputs = rule.outputs.all()
    if not outputs or any(output.lock_at(at) == Output.Lock.AUTO for output in outputs):
        return ""
    ends = [output.lock_until for output in outputs if output.lock_until]
    if not ends:
        return _("somebody who unlocks what it switches")
    end = timezone.localtime(min(ends))
    return _("the end of the lock, %(when)s") % {"when": _when(end, now)}


def limit_words(sensor: Channel | None, limit: float) -> str:
    """Say a limit in the unit of the sensor."""
    return words.measured(limit, sensor.quantity if sensor else "")


def quantity_words(sensor: Channel | None) -> str:
    """Say what is measured, as it stands within a sentence."""
    return words.in_a_sentence(sensor.get_quantity_display()) if sensor else _("the value")


def _schedule(rule: Rule, settings: schedule.Settings, now: datetime) -> str:
    start = _start(rule, settings, now)
    return _when(start, now) if start else _("no time in the coming days")


def _start(rule: Rule, settings: schedule.Settings, now: datetime) -> datetime | None:
    house = rule.zone.greenhouse
    snapshot = Snapshot(now, (), latitude_degrees=house.latitude, longitude_degrees=house.longitude)
    return schedule.next_start(settings, snapshot)


def _when(start: datetime, now: datetime) -> str:
    clock = {"time": words.clock(start), "day": date_format(start, "d/m")}
    days = (start.date() - now.date()).days
    if days > 1:
        return _("%(time)s on %(day)s") % clock
    return (_("%(time)s tomorrow") if days else _("%(time)s today")) % clock


def _hysteresis(rule: Rule, settings: hysteresis.Settings, _now: datetime) -> str:
    is_on = bool(rule.memory.get("is_on"))
    facts = {
        "what": quantity_words(rule.sensor),
        "limit": limit_words(rule.sensor, settings.off_at if is_on else settings.on_at),
    }
    if is_on:
        if settings.is_above:
            return _("%(what)s below %(limit)s, to go off") % facts
        return _("%(what)s above %(limit)s, to go off") % facts
    if settings.is_above:
        return _("%(what)s above %(limit)s, to go on") % facts
    return _("%(what)s below %(limit)s, to go on") % facts


def _light_sum(rule: Rule, settings: light_sum.Settings, now: datetime) -> str:
    if not settings.start <= now.time() < settings.end:
        return _("the day: it waters from %(start)s") % {"start": f"{settings.start:%H:%M}"}
    return _("%(threshold)s J/cm² of light, %(light)s so far") % {
        "threshold": words.number(rule.memory.get("threshold", settings.j_per_cm2), 0),
        "light": words.number(rule.memory.get("light", 0.0), 0),
    }


def _dosing(rule: Rule, settings: dosing_settings.Settings, _now: datetime) -> str:
    if rule.memory.get("locked"):
        return _("somebody who looks why doses have no effect, and saves it anew")
    is_b_missing = bool(rule.memory.get("b_missing"))
    bands = (("EC", None if is_b_missing else settings.ec), ("pH", settings.ph))
    said = [
        _("%(what)s below %(low)s or above %(high)s")
        % {
            "what": name,
            "low": words.short_number(band.low),
            "high": words.short_number(band.high),
        }
        for name, band in bands
        if band is not None
    ]
    if is_b_missing:
        # pH is kept meanwhile.
        said.insert(0, _("somebody who looks why B could not follow A, and saves it anew"))
    return "; ".join(said)


TELLERS: dict[str, Callable[[Rule, Any, datetime], str]] = {
    "schedule": _schedule,
    "light_sum": _light_sum,
    "hysteresis": _hysteresis,
    "dosing": _dosing,
}
