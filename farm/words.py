"""How the greenhouse's numbers, ages and codes are said to people."""

from datetime import date, datetime, timedelta

from django.utils import timezone
from django.utils.formats import date_format, number_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext

from farm.interlock_words import WORDS as INTERLOCK_WORDS
from farm.models import Channel, Greenhouse
from farm.sun import sun_of_day

Words = str | Promise
VPD = "vpd"
Quantity = Channel.Quantity

# Quantity to its unit and to as many decimals as its sensors are good for.
UNITS: dict[str, tuple[Words, int]] = {
    Quantity.AIR_TEMPERATURE: ("°C", 1),
    Quantity.LEAF_TEMPERATURE: ("°C", 1),
    Quantity.WATER_TEMPERATURE: ("°C", 1),
    Quantity.RELATIVE_HUMIDITY: ("%", 0),
    Quantity.EC: ("mS/cm", 2),
    Quantity.PH: ("", 2),
    Quantity.DISSOLVED_OXYGEN: ("mg/L", 1),
    Quantity.TANK_VOLUME: (gettext_lazy("litres"), 0),
    Quantity.FLOW: (gettext_lazy("L/min"), 1),
    Quantity.DRAIN_VOLUME: (gettext_lazy("litres"), 1),
    Quantity.PPFD: ("µmol/m²·s", 0),
    Quantity.SOLAR_RADIATION: ("W/m²", 0),
    Quantity.CO2: ("ppm", 0),
    Quantity.SUBSTRATE_MOISTURE: ("%", 0),
    Quantity.WIND_SPEED: ("m/s", 1),
    Quantity.RAIN: ("mm", 1),
    VPD: ("kPa", 2),
}

# What a device or the server gave as the reason why a run did not end as asked.
REASONS: dict[str, Words] = {
    "no_flow": gettext_lazy("no water is flowing"),
    "low_flow": gettext_lazy("too little water is flowing"),
    "high_flow": gettext_lazy("too much water is flowing"),
    "tank_low": gettext_lazy("the tank is low"),
    "interlock": gettext_lazy("an interlock of the device"),
    "stop": gettext_lazy("it was stopped"),
    "stopped": gettext_lazy("it was stopped"),
    "estop": gettext_lazy("the emergency stop"),
    "reboot": gettext_lazy("the controller started anew"),
    "lease": gettext_lazy("the controller lost the link to the server"),
    "expired": gettext_lazy("it came too late"),
    "rejected": gettext_lazy("the controller refused and gave no reason"),
    "aborted": gettext_lazy("it broke off"),
    "no_tick": gettext_lazy("the controller has not heard the server's clock"),
    "clock": gettext_lazy("the controller does not know the time"),
    "no_clock": gettext_lazy("the controller does not know the time"),
    "no_ack": gettext_lazy("the controller did not answer"),
    "timeout": gettext_lazy("the controller did not answer"),
    "offline": gettext_lazy("the controller is away"),
    "too_long": gettext_lazy("longer than the device allows"),
    "max_s": gettext_lazy("longer than the device allows"),
    "busy": gettext_lazy("the device was busy"),
    "unknown_output": gettext_lazy("the controller does not know this output"),
    "generation": gettext_lazy("the programme was changed meanwhile"),
    "locked": gettext_lazy("the output is locked"),
    "local": gettext_lazy("it was switched at the device"),
    "person": gettext_lazy("a person stopped it"),
    "rule_off": gettext_lazy("its programme was switched off"),
    "overtaken": gettext_lazy("a stop overtook it"),
    "began_late": gettext_lazy("it began after it was given up for lost"),
    "not_sent": gettext_lazy("the link was down, it was never sent"),
    "unknown": gettext_lazy("nobody knew what became of it"),
    "button": gettext_lazy("the button on the device"),
    "unsupported": gettext_lazy("the device cannot do this"),
    "no_litres": gettext_lazy("the device counts no litres"),
    "too_short": gettext_lazy("shorter than the device can"),
    "off": gettext_lazy("the device went off before its time"),
    "no_value": gettext_lazy("the sensor shows nothing"),
    "no_level": gettext_lazy("its strength cannot be set"),
    "value": gettext_lazy("the device does not take this value"),
    "held_back": gettext_lazy("an interlock held it back"),
}

INTERLOCK_SENTENCES: dict[str, Words] = {
    interlock.value: sentence for interlock, sentence in INTERLOCK_WORDS.items()
}

# Who switched an output, as its device says (farm/v1 state.src).
SWITCHED_BY: dict[str, Words] = {
    "cmd": gettext_lazy("by a command"),
    "local": gettext_lazy("by the device's own rule"),
    "sched": gettext_lazy("by the device's own timetable"),
    "interlock": gettext_lazy("by an interlock of the device"),
    "lease": gettext_lazy("by the device, without the server"),
    "boot": gettext_lazy("when it started"),
    "button": gettext_lazy("by the button on the device"),
}

DEVICE_EVENTS: dict[str, Words] = {
    "online": gettext_lazy("connected"),
    "offline": gettext_lazy("not connected"),
    "birth": gettext_lazy("started"),
    "reboot": gettext_lazy("started anew"),
    "no_flow": gettext_lazy("no water is flowing"),
    "tank_low": gettext_lazy("the tank is low"),
    "over_temperature": gettext_lazy("too hot"),
    "lease": gettext_lazy("lost the link to the server"),
    "retained_cmd": gettext_lazy("an old command lay at the broker, it was ignored"),
    "sensor_failed": gettext_lazy("a sensor failed"),
    "flow_after_off": gettext_lazy("water flows although everything is off"),
}


def number(value: float, decimals: int) -> str:
    """Write a number as the reader's language does; number_format alone would cut, not round."""
    return str(number_format(round(value, decimals), decimals, force_grouping=True))


def short_number(value: float) -> str:
    """Write a number with as many decimals as it has, at most two."""
    decimals = next(few for few in (0, 1, 2) if few == 2 or round(value, few) == round(value, 2))
    return number(value, decimals)


def amount(value: float, quantity: str) -> str:
    """Write a measured value with its unit."""
    unit, decimals = UNITS.get(quantity, ("", 1))
    return f"{number(value, decimals)} {unit}".rstrip()


def measured(value: float, quantity: str) -> str:
    """Write a value with its unit and only as many decimals as it has: a limit, an old reading."""
    unit, _decimals = UNITS.get(quantity, ("", 1))
    return f"{short_number(value)} {unit}".rstrip()


def in_a_sentence(name: str) -> str:
    """Write the name of a quantity as it stands within a sentence.

    >>> in_a_sentence("Air temperature"), in_a_sentence("EC"), in_a_sentence("CO₂")
    ('air temperature', 'EC', 'CO₂')
    """
    return name[:1].lower() + name[1:] if name[1:2].islower() else name


def litres(value: float) -> str:
    """Say litres: whole ones from ten on, else one decimal where there is one."""
    decimals = 0 if round(value, 1) >= 10 or round(value, 1) == int(value) else 1
    return _("%(number)s litres") % {"number": number(value, decimals)}


def span_words(seconds: float) -> str:
    """Say how long: seconds, minutes, hours or days, the largest that fits."""
    whole = max(int(seconds), 0)
    for size, words in (
        (86_400, _days),
        (3_600, _hours),
        (60, _minutes),
    ):
        if whole >= size:
            return words(whole // size)
    return ngettext("%(count)s second", "%(count)s seconds", whole) % {"count": whole}


def age_span(then: datetime, now: datetime) -> str:
    """Say how old something is, counted from minute to minute of the clock.

    So all ages of a page change together, once a minute, and in between it stays the same.
    """
    minutes = (_whole_minute(now) - _whole_minute(then)) // timedelta(minutes=1)
    return span_words(minutes * 60) if minutes > 0 else _("less than a minute")


def age_words(then: datetime | None, now: datetime) -> str:
    """Say how long ago something was, as `age_span` counts."""
    if then is None:
        return _("never")
    return _("%(span)s ago") % {"span": age_span(then, now)}


def countdown(seconds: float) -> str:
    """Write what is left as minutes and seconds.

    >>> countdown(108.4), countdown(-3)
    ('1:48', '0:00')
    """
    whole = max(int(seconds), 0)
    return f"{whole // 60}:{whole % 60:02d}"


def run_words(seconds: float) -> str:
    """Say how long something ran: seconds below two minutes, else minutes."""
    whole = max(round(seconds), 0)
    if whole % 60 == 0 and whole:
        return _minutes(whole // 60)
    if whole < 60:
        return span_words(whole)
    return pgettext("minutes and seconds", "%(minutes)s min %(seconds)s s") % {
        "minutes": whole // 60,
        "seconds": whole % 60,
    }


def reason_words(code: str) -> str:
    """Say why in words; a code that only a newer device knows is named as it is."""
    if not code:
        return ""
    known = REASONS.get(code) or INTERLOCK_SENTENCES.get(code)
    return str(known).rstrip(".") if known else _("reason “%(code)s”") % {"code": code}


def device_event_words(kind: str) -> str:
    """Say what a controller reported of itself; a kind of a newer device is named as it is."""
    known = DEVICE_EVENTS.get(kind)
    return str(known) if known else reason_words(kind)


def switched_by_words(source: str) -> str:
    """Say who switched an output; "" when the device did not tell."""
    return str(SWITCHED_BY.get(source, ""))


def moment(at: datetime) -> str:
    """Write a moment as the commune's clocks show it."""
    return date_format(timezone.localtime(at), "SHORT_DATETIME_FORMAT")


def clock(at: datetime) -> str:
    """Write the time of the day as the commune's clocks show it."""
    return date_format(timezone.localtime(at), "TIME_FORMAT")


def sun_words(house: Greenhouse, on: date) -> str:
    """Say when the sun comes and goes at a house on a day; "" where nobody knows."""
    if house.latitude is None or house.longitude is None:
        return ""
    sun = sun_of_day(
        on,
        latitude_degrees=house.latitude,
        longitude_degrees=house.longitude,
        zone=timezone.get_current_timezone(),
    )
    if sun is None:
        return ""
    return _("Today the sun rises at %(rises)s and sets at %(sets)s.") % {
        "rises": clock(sun.rises_at),
        "sets": clock(sun.sets_at),
    }


def local_day(at: datetime) -> date:
    """Give the commune's day of a moment."""
    return timezone.localtime(at).date()


def _whole_minute(at: datetime) -> datetime:
    return at.replace(second=0, microsecond=0)


def _minutes(count: int) -> str:
    return ngettext("%(count)s minute", "%(count)s minutes", count) % {"count": count}


def _hours(count: int) -> str:
    return ngettext("%(count)s hour", "%(count)s hours", count) % {"count": count}


def _days(count: int) -> str:
    return ngettext("%(count)s day", "%(count)s days", count) % {"count": count}
