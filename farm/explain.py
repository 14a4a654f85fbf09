"""Sentences for people, made of the stable codes and numbers that alarms and decisions keep."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.utils import timezone
from django.utils.formats import number_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from farm import words
from farm.interlock_words import WORDS as INTERLOCK_WORDS
from farm.safety import Interlock

if TYPE_CHECKING:
    from farm.models import Alarm, Decision

# Kind of alarm: what it says. %(what)s is the output, sensor, controller or zone concerned.
ALARM_SENTENCES: dict[str, str | Promise] = {
    "sensor_silent": gettext_lazy("%(what)s has said nothing since %(since)s"),
    "sensor_failed": gettext_lazy("%(what)s has failed: the sensor itself says so"),
    "node_silent": gettext_lazy("%(what)s is connected but has sent no readings since %(since)s"),
    "node_offline": gettext_lazy("%(what)s is not connected"),
    "node_deaf": gettext_lazy("%(what)s is connected but does not answer"),
    "node_rebooted": gettext_lazy("%(what)s has started anew"),
    "command_unknown": gettext_lazy("%(what)s: no word of what became of a command; go and look"),
    "command_aborted": gettext_lazy("%(what)s stopped before its time"),
    "command_refused": gettext_lazy(
        "%(what)s did not run for the programme “%(rule)s”: %(reason)s"
    ),
    "command_rejected": gettext_lazy("%(what)s did not take a command"),
    "no_flow": gettext_lazy("%(what)s is on but no water flows"),
    "flow_low": gettext_lazy("%(what)s: less water flows than it should"),
    "flow_high": gettext_lazy("%(what)s: more water flows than it should, perhaps a burst pipe"),
    "flow_after_off": gettext_lazy("%(what)s is off but water still flows"),
    "tank_low": gettext_lazy("%(what)s: the tank is nearly empty"),
    "over_temperature": gettext_lazy("%(what)s is too hot"),
    "litre_cap": gettext_lazy("%(what)s: today's most litres are used up"),
    "dose_cap": gettext_lazy("%(what)s: today's most fertiliser is used up"),
    "dose_budget": gettext_lazy("%(what)s: today's most of %(bottle)s is used up"),
    "feeding_waits": gettext_lazy(
        "%(what)s: feeding by “%(rule)s” has waited since %(since)s; go and look"
    ),
    "b_missing": gettext_lazy(
        "%(what)s: A was dosed but B could not be; no more A until somebody has looked"
    ),
    "dose_without_effect": gettext_lazy(
        "%(what)s: dosed and measured %(doses)s times without any change, feeding is off until "
        "somebody has looked"
    ),
    "ec_danger": gettext_lazy("%(what)s: EC %(value)s mS/cm is dangerous, feeding has stopped"),
    "ph_danger": gettext_lazy("%(what)s: pH %(value)s is dangerous, feeding has stopped"),
    "emergency_stop": gettext_lazy("%(what)s: emergency stop"),
    "lease_lost": gettext_lazy("%(what)s has lost the server and works on its own"),
    "retained_command": gettext_lazy("%(what)s: an old command lay at the broker; it was ignored"),
    "config_refused": gettext_lazy("%(what)s does not accept its settings"),
    "stuck_on": gettext_lazy("%(what)s stays on longer than it was told to"),
    "rule_broken": gettext_lazy("%(what)s: the programme “%(rule)s” is set wrongly"),
}


# What was told before the bottle was among the facts.
WITHOUT_BOTTLE: dict[str, str | Promise] = {
    "dose_budget": gettext_lazy("%(what)s: today's most fertiliser is used up"),
    "daily_budget": gettext_lazy("today's most is used up"),
}


def _sentence_of(
    table: dict[str, str | Promise], key: str, facts: Mapping[str, object]
) -> str | Promise | None:
    known = WITHOUT_BOTTLE.get(key) if "bottle" not in facts else None
    return known or table.get(key)


def alarm_words(alarm: "Alarm") -> str:
    """Say in one sentence what is wrong."""
    if alarm.kind == "limit":
        return _limit_words(alarm)
    sentence = _sentence_of(ALARM_SENTENCES, alarm.kind, alarm.facts)
    if sentence is None:
        return _("%(what)s: %(kind)s") % {
            "what": _what(alarm),
            "kind": words.device_event_words(alarm.kind),
        }
    return str(sentence) % _shown(alarm.facts, what=_what(alarm))


def _limit_words(alarm: "Alarm") -> str:
    facts = alarm.facts
    words = (
        _("%(what)s %(value)s, below %(limit)s since %(since)s")
        if facts.get("side") == "low"
        else _("%(what)s %(value)s, above %(limit)s since %(since)s")
    )
    unit = alarm.channel.unit if alarm.channel else ""
    return words % {
        "what": _what(alarm),
        "value": _with_unit(facts.get("value"), unit),
        "limit": _with_unit(facts.get("limit"), unit),
        "since": clock(facts.get("since")),
    }


def _what(alarm: "Alarm") -> str:
    thing = alarm.output or alarm.channel or alarm.zone or alarm.node or alarm.greenhouse
    if alarm.zone and thing != alarm.zone:
        return _("%(thing)s of %(zone)s") % {"thing": thing, "zone": alarm.zone}
    return str(thing)


def _with_unit(value: float | None, unit: str) -> str:
    shown = {"degC": "°C"}.get(unit, unit)
    return f"{number(value)} {shown}".strip()


def number(value: float | None, digits: int = 2) -> str:
    """Show a number with at most so many decimals, in the reader's way of writing it.

    >>> number(None)
    '–'
    """
    if value is None:
        return "–"
    rounded = round(value, digits)
    text = f"{rounded:.{digits}f}".rstrip("0")
    return str(number_format(rounded, decimal_pos=len(text.partition(".")[2])))


def clock(moment: str | None) -> str:
    """Show the local time of an ISO moment."""
    if not moment:
        return "–"
    return f"{timezone.localtime(datetime.fromisoformat(moment)):%H:%M}"


class _Shown(dict[str, str]):
    """Facts as text; a fact that is missing is a dash, never an exception in an alarm."""

    def __missing__(self, key: str) -> str:
        return "–"


def _shown(facts: dict[str, Any], **more: str) -> _Shown:
    return _Shown({key: _show(key, value) for key, value in facts.items()} | more)


_SHOW: dict[type, Callable[[Any], str]] = {float: number, int: number}


def _show(key: str, value: Any) -> str:
    if key in {"since", "until", "last", "start"}:
        return clock(value)
    if key == "reason":
        return words.reason_words(str(value))
    if key == "bottle":
        return str(BOTTLES.get(value, value))
    return _SHOW.get(type(value), str)(value)


# Why a programme acted; every %(…)s is one of the decision's facts, or what was measured.
ACTED: dict[str, str | Promise] = {
    "time": gettext_lazy("it was time (%(start)s)"),
    "at_sunrise": gettext_lazy("the sun rose (%(start)s)"),
    "before_sunrise": gettext_lazy("it was %(minutes)s minutes before sunrise (%(start)s)"),
    "after_sunrise": gettext_lazy("it was %(minutes)s minutes after sunrise (%(start)s)"),
    "at_sunset": gettext_lazy("the sun set (%(start)s)"),
    "before_sunset": gettext_lazy("it was %(minutes)s minutes before sunset (%(start)s)"),
    "after_sunset": gettext_lazy("it was %(minutes)s minutes after sunset (%(start)s)"),
    "next_output": gettext_lazy("its turn had come"),
    "again": gettext_lazy("the command before came to nothing"),
    "light_enough": gettext_lazy(
        "the sun had given %(light)s J/cm², and %(threshold)s are enough for a watering"
    ),
    "longest_pause": gettext_lazy("the longest pause was over (the sun had given %(light)s J/cm²)"),
    "beyond_above": gettext_lazy("%(what)s was %(value)s, above %(on_at)s"),
    "beyond_below": gettext_lazy("%(what)s was %(value)s, below %(on_at)s"),
    "renewed_above": gettext_lazy("%(what)s is still %(value)s, not yet below %(off_at)s"),
    "renewed_below": gettext_lazy("%(what)s is still %(value)s, not yet above %(off_at)s"),
    "back_inside_above": gettext_lazy("%(what)s was down to %(value)s, below %(off_at)s"),
    "back_inside_below": gettext_lazy("%(what)s was up to %(value)s, above %(off_at)s"),
    "ec_low": gettext_lazy("EC was %(ec)s mS/cm, too weak"),
    "b_after_a": gettext_lazy("A was given and is mixed in"),
    "ec_high": gettext_lazy("EC was %(ec)s mS/cm, above %(limit)s: too strong"),
    "ph_low": gettext_lazy("pH was %(ph)s, too low"),
    "ph_high": gettext_lazy("pH was %(ph)s, too high"),
}
# Why a programme had no need, or left it.
SKIPPED: dict[str, str | Promise] = {
    "not_due": gettext_lazy("it is not time yet"),
    "missed": gettext_lazy("the time %(start)s was missed by too much to make up for it"),
    "running": gettext_lazy("it is still running"),
    "finished": gettext_lazy("all of it is done"),
    "given_up": gettext_lazy("one output was held up for too long and is left out"),
    "not_taken": gettext_lazy(
        "the command came to nothing: %(reason)s; the next try is at %(until)s"
    ),
    "no_output": gettext_lazy("there is no output for it"),
    "night": gettext_lazy("it waters by day only"),
    "least_pause": gettext_lazy("the last watering was only at %(last)s"),
    "light_not_enough": gettext_lazy(
        "the sun has given %(light)s of the %(threshold)s J/cm² for a watering"
    ),
    "least_off": gettext_lazy("it has only just been switched off"),
    "not_needed_above": gettext_lazy("%(what)s is %(value)s, it starts above %(on_at)s"),
    "not_needed_below": gettext_lazy("%(what)s is %(value)s, it starts below %(on_at)s"),
    "holds": gettext_lazy("it is on, %(what)s is %(value)s"),
    "under_way": gettext_lazy("the last dose is under way"),
    "mixing": gettext_lazy("what went into the tank last is mixing in until %(until)s"),
    "b_too_late": gettext_lazy("A was dosed too long ago for B to follow it"),
    "not_given": gettext_lazy("the controller did not give the last dose"),
    "broken_off": gettext_lazy("the last dose broke off, so it is not completed"),
    "too_little": gettext_lazy("it would be too little to dose"),
    "ph_turned": gettext_lazy("pH was just moved the other way; it may turn at %(until)s"),
    "in_band": gettext_lazy("EC and pH are as they should be"),
    "too_strong": gettext_lazy("EC %(ec)s mS/cm is too strong, and there is no fresh water here"),
    "locked_out": gettext_lazy("doses had no effect"),
}
# Why a programme was held back; interlocks have words of their own.
HELD_BACK: dict[str, str | Promise] = {
    "stale_sensor": gettext_lazy("the sensor has said nothing useful since %(since)s"),
    "in_hand": gettext_lazy("the probe is being calibrated"),
    "no_measure": gettext_lazy("nobody can tell there when the litres are given"),
    "no_size": gettext_lazy("nobody knows how much to water: the zone has no area"),
    "locked_out": gettext_lazy(
        "dosed and measured %(doses)s times without any change; somebody has to look and save "
        "the programme anew"
    ),
    "ec_danger": gettext_lazy("EC %(ec)s mS/cm is dangerous"),
    "ph_danger": gettext_lazy("pH %(ph)s is dangerous"),
    "no_volume": gettext_lazy("nobody knows how much water is in the tank"),
    "daily_budget": gettext_lazy("today's most of %(bottle)s is used up"),
    "no_rate": gettext_lazy("nobody knows how much the doser of %(bottle)s gives in a second"),
    "b_missing": gettext_lazy(
        "A was dosed but B could not be; somebody has to look and save the programme anew"
    ),
    "tank_full": gettext_lazy("the tank is full, there is no room for fresh water"),
    "rule_invalid": gettext_lazy("the programme is set wrongly"),
    "busy": gettext_lazy("a run is under way there"),
    "seconds": gettext_lazy("the device does not run that long"),
    "ml": gettext_lazy("the device does not dose that much"),
    "inactive": gettext_lazy("the output is not in use"),
}
BOTTLES: dict[str, str | Promise] = {
    "a": gettext_lazy("fertiliser A"),
    "b": gettext_lazy("fertiliser B"),
    "ph_up": gettext_lazy("pH up"),
    "ph_down": gettext_lazy("pH down"),
    "water": gettext_lazy("fresh water"),
}


def decision_words(decision: "Decision") -> str:
    """Answer "why did it water at 11:20?" in one sentence with the numbers of that moment."""
    facts = _shown(decision.facts, **_measured(decision))
    time = f"{timezone.localtime(decision.at):%H:%M}"
    if decision.verdict == "act":
        return _act_words(decision, facts, time)
    if decision.verdict == "blocked":
        why = _held_back_words(decision.reason, facts)
        if decision.facts.get("is_left_out"):
            said = _("%(output)s was left out at %(time)s: %(why)s")
            return said % {"output": decision.facts.get("output", ""), "time": time, "why": why}
        return _("Held back at %(time)s: %(why)s") % {"time": time, "why": why}
    why = _reason_words(SKIPPED, _sided(decision), facts)
    return _("Did nothing at %(time)s: %(why)s") % {"time": time, "why": why}


# Reasons between two limits: each has a sentence for being above and one for being below.
SIDED = frozenset({"beyond", "renewed", "back_inside", "not_needed"})


def _sided(decision: "Decision") -> str:
    """Name the sentence of a reason: a heater goes on below its limit, a fan above it."""
    if decision.reason not in SIDED:
        return decision.reason
    is_reversed = decision.facts.get("on_at", 0) < decision.facts.get("off_at", 0)
    return f"{decision.reason}_{'below' if is_reversed else 'above'}"


def _measured(decision: "Decision") -> dict[str, str]:
    """Say what was measured, and values and limits in its unit."""
    sensor = decision.rule.sensor
    # An older sensor may have measured something else.
    if sensor is None or decision.generation < decision.rule.memory.get("measures_since", 0):
        return {"what": _("the value")}
    limits = {name: decision.facts.get(name) for name in ("value", "on_at", "off_at")}
    return {"what": words.in_a_sentence(sensor.get_quantity_display())} | {
        name: words.measured(value, sensor.quantity)
        for name, value in limits.items()
        if isinstance(value, int | float)
    }


def _reason_words(table: dict[str, str | Promise], reason: str, facts: "_Shown") -> str:
    sentence = _sentence_of(table, reason, facts)
    return str(sentence) % facts if sentence else words.reason_words(reason)


def _held_back_words(reason: str, facts: "_Shown") -> str:
    if reason in HELD_BACK:
        return _reason_words(HELD_BACK, reason, facts)
    if reason in set(Interlock):
        return str(INTERLOCK_WORDS[Interlock(reason)]).rstrip(".")
    return words.reason_words(reason)


def _act_words(decision: "Decision", facts: "_Shown", time: str) -> str:
    why = _reason_words(ACTED, _sided(decision), facts)
    said = _("%(deed)s at %(time)s because %(why)s") % {
        "deed": _deed_words(decision, facts),
        "time": time,
        "why": why,
    }
    more = []
    if decision.reason == "light_enough" and decision.facts.get("last"):
        more.append(_("the watering before was at %(last)s") % facts)
    if decision.facts.get("drain_percent") is not None:
        more.append(_("%(drain_percent)s %% of the water drained") % facts)
    return "; ".join([said, *more])


def _deed_words(decision: "Decision", facts: "_Shown") -> str:
    given = decision.facts
    if "ml" in given:
        return _("Dosed %(ml)s ml of %(bottle)s") % facts
    if decision.reason == "back_inside":
        return _("Switched off")
    command = decision.command
    output = command.output if command else None
    run = words.run_words(given.get("seconds") or (command.seconds if command else 0) or 0)
    if output is not None and output.kind == "pump":
        return _("Ran for %(run)s") % {"run": run}
    if output is not None and output.kind != "valve":
        return _("Switched on for %(run)s") % {"run": run}
    if given.get("litres"):
        litres = {"litres": facts["litres"], "run": run}
        return _("Watered with %(litres)s litres (off after %(run)s at the latest)") % litres
    return _("Watered for %(run)s") % {"run": run}
