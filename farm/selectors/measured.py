"""Measured values as a page shows them: in words, with their age, never livelier than they are."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from django.utils.translation import gettext as _

from farm.agronomy import vapour_pressure_deficit_kpa
from farm.models import Channel, Flag
from farm.selectors.targets import Band, Grown, common_band
from farm.words import UNITS, VPD, Quantity, age_span, number, short_number

GOOD, OFF, PLAIN, STALE, FAILED, NONE = "good", "off", "plain", "stale", "failed", "none"
# The worse state is the one to show first.
WORST_FIRST = (FAILED, STALE, OFF, NONE, PLAIN, GOOD)
NOT_LIVE = (STALE, FAILED, NONE)
ON_A_CARD = (
    Quantity.AIR_TEMPERATURE,
    Quantity.RELATIVE_HUMIDITY,
    VPD,
    Quantity.EC,
    Quantity.PH,
    Quantity.TANK_VOLUME,
)


class Measured(NamedTuple):
    """One value: what it is, where, how it stands in words, and when it was measured.

    How old it is belongs to the page that shows it: in here it would change from look to look.

    VPD, which no sensor measures, goes by the channel of its air temperature.
    """

    channel_id: int
    quantity: str
    label: str
    place: str
    value: str
    unit: str
    state: str
    state_words: str
    at: datetime | None
    target: str
    more: int = 0

    @property
    def is_live(self) -> bool:
        """Whether the value may be read as how things are now."""
        return self.state not in NOT_LIVE


class Judged(NamedTuple):
    """A channel with its raw value, for what is computed of several."""

    channel: Channel
    shown: Measured
    raw_value: float | None


def shown_channels(greenhouse_ids: Iterable[int]) -> list[Channel]:
    """Give all channels of the houses with node, zone, latest value and limits. Two queries."""
    return list(
        Channel.objects.shown()
        .filter(node__greenhouse_id__in=list(greenhouse_ids))
        .select_related("node", "zone", "latest")
        .prefetch_related("limits")
        .order_by("node__greenhouse_id", "zone_id", "quantity", "pk")
    )


def judge_channels(
    channels: Iterable[Channel], *, grown: Mapping[int, Grown], now: datetime
) -> list[Judged]:
    """Hold each channel's latest value against what its zone's crop wants. No query."""
    return [_judge(channel, grown, now) for channel in channels]


def _judge(channel: Channel, grown: Mapping[int, Grown], now: datetime) -> Judged:
    band = band_for(channel.quantity, channel.zone_id, grown) or _limit_band(channel)
    latest = getattr(channel, "latest", None)
    state, words = _state(channel, band, now)
    value = latest.v if latest else None
    unit, decimals = UNITS.get(channel.quantity, (channel.unit, 1))
    if state == FAILED:
        decimals = max(decimals, 1)  # 100.2 must not be shown as the 100 that it is beyond
    shown = Measured(
        channel_id=channel.pk,
        quantity=channel.quantity,
        label=channel.label or channel.get_quantity_display(),
        place=channel.zone.name if channel.zone else "",
        value=_("no value") if value is None else number(value, decimals),
        unit="" if value is None else str(unit),
        state=state,
        state_words=words,
        at=latest.t if latest else None,
        target=band_words(band),
    )
    return Judged(channel, shown, value)


def band_for(quantity: str, zone_id: int | None, grown: Mapping[int, Grown]) -> Band | None:
    """Give the band of a zone; a sensor of the whole house serves all its zones."""
    if zone_id is not None:
        here = grown.get(zone_id)
        return here.band(quantity) if here else None
    return common_band(each.band(quantity) for each in grown.values())


def _limit_band(channel: Channel) -> Band | None:
    limits = [limit for limit in channel.limits.all() if limit.is_enabled]
    return common_band(Band(limit.low, limit.high) for limit in limits)


def _state(channel: Channel, band: Band | None, now: datetime) -> tuple[str, str]:
    latest = getattr(channel, "latest", None)
    if latest is None:
        return NONE, _("nothing measured yet")
    is_old = now - latest.t > timedelta(seconds=channel.stale_seconds)
    if is_old or not channel.node.is_online:
        return STALE, _("old, %(span)s") % {"span": age_span(latest.t, now)}
    if latest.v is None:
        return FAILED, _("sensor failed")
    if latest.flags & Flag.OUT_OF_RANGE:
        return FAILED, _doubt_words(channel)
    if latest.flags & Flag.CALIBRATING or channel.is_in_hand(latest.t):
        return PLAIN, _("being calibrated")
    return against(latest.v, band)


def _doubt_words(channel: Channel) -> str:
    """Say why a value is not believed: what its channel calls sensible."""
    if channel.low is None and channel.high is None:
        return _("not to be believed")
    sensible = band_words(Band(channel.low, channel.high))
    unit, _decimals = UNITS.get(channel.quantity, (channel.unit, 1))
    return _("not to be believed: sensible is %(range)s") % {"range": f"{sensible} {unit}".rstrip()}


def against(value: float | None, band: Band | None) -> tuple[str, str]:
    """Say how a live value stands to its band."""
    if band is None or value is None:
        return PLAIN, _("no target set")
    if band.low is not None and value < band.low:
        return OFF, _("too low")
    if band.high is not None and value > band.high:
        return OFF, _("too high")
    return GOOD, _("good")


def band_words(band: Band | None) -> str:
    """Write a band: "1,6–2,0", "at most 25"; "" without one."""
    if band is None:
        return ""
    low = None if band.low is None else short_number(band.low)
    high = None if band.high is None else short_number(band.high)
    if low is None:
        return _("at most %(high)s") % {"high": high}
    if high is None:
        return _("at least %(low)s") % {"low": low}
    return f"{low}–{high}"


def vapour_deficit(
    judged: Iterable[Judged], *, grown: Mapping[int, Grown], now: datetime
) -> list[tuple[int | None, Measured]]:
    """Compute a house's VPD wherever air and humidity are measured in one zone. No query."""
    places: dict[int | None, dict[str, Judged]] = {}
    for each in judged:
        channel = each.channel
        places.setdefault(channel.zone_id, {}).setdefault(channel.quantity, each)
    found = []
    for zone_id, by_quantity in places.items():
        air = by_quantity.get(Quantity.AIR_TEMPERATURE)
        humidity = by_quantity.get(Quantity.RELATIVE_HUMIDITY)
        if air and humidity:
            band = band_for(VPD, zone_id, grown)
            found.append((zone_id, _deficit(air, humidity, band, now)))
    return found


def _deficit(air: Judged, humidity: Judged, band: Band | None, now: datetime) -> Measured:
    kpa = vapour_pressure_deficit_kpa(air.raw_value, humidity.raw_value)
    worse = min(air.shown, humidity.shown, key=_rank)
    # What is computed of an old value is as old as that.
    is_live = kpa is not None and air.shown.is_live and humidity.shown.is_live
    state, words = against(kpa, band) if is_live else (worse.state, worse.state_words)
    at = min((one.shown.at for one in (air, humidity) if one.shown.at), default=None)
    return Measured(
        channel_id=air.channel.pk,
        quantity=VPD,
        label=_("VPD"),
        place=air.shown.place,
        value=_("no value") if kpa is None else number(kpa, 2),
        unit="" if kpa is None else str(UNITS[VPD][0]),
        state=state,
        state_words=words,
        at=at,
        target=band_words(band),
    )


def card_values(values: Iterable[Measured]) -> tuple[Measured, ...]:
    """Choose for each quantity of a card the value that needs eyes most, and count the others."""
    by_quantity: dict[str, list[Measured]] = {}
    for value in values:
        by_quantity.setdefault(value.quantity, []).append(value)
    chosen = []
    for quantity in ON_A_CARD:
        here = by_quantity.get(quantity)
        if here:
            chosen.append(min(here, key=_rank)._replace(more=len(here) - 1))
    return tuple(chosen)


def _rank(value: Measured) -> int:
    return WORST_FIRST.index(value.state)
