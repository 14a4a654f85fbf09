"""What a programme sees: rows become plain values, in a bounded number of queries."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from django.db.models import F, OuterRef, Q, Subquery
from django.utils import timezone

from farm import agronomy
from farm.control import light_sum
from farm.control.plan import Snapshot, Switch, Value, moment
from farm.models import Channel, Command, Flag, LatestReading, Output, Reading, Rule
from farm.services import safety_facts, water

# What was measured while somebody calibrated, or is not sensible, switches nothing.
NOT_TO_GO_BY = Flag.CALIBRATING | Flag.OUT_OF_RANGE
LIGHT_SINCE = timedelta(hours=24)


def snapshot_of(rule: Rule, settings: Any, *, at: datetime) -> Snapshot:
    """Gather what this kind of programme goes by. Four queries, some more for light and feed."""
    switches = _switches(rule)
    house = rule.zone.greenhouse
    common: dict[str, Any] = {
        "now": timezone.localtime(at),
        "switches": switches,
        "area_m2": rule.zone.area_m2,
        "reservoir_l": rule.zone.reservoir_l,
        "latitude_degrees": house.latitude,
        "longitude_degrees": house.longitude,
    }
    if rule.sensor is not None:
        latest = LatestReading.objects.filter(channel=rule.sensor).first()
        common["sensor"] = _value(rule.sensor, latest) if latest else None
    if rule.kind == Rule.Kind.LIGHT_SUM:
        common |= _light(rule, settings, at=at)
    elif rule.kind == Rule.Kind.DOSING:
        common |= _feed(rule, at=at)
    return Snapshot(**common)


def _value(channel: Channel, latest: LatestReading) -> Value:
    is_in_hand = bool(latest.flags & Flag.CALIBRATING) or channel.is_in_hand(latest.t)
    is_usable = not (is_in_hand or latest.flags & NOT_TO_GO_BY)
    value = latest.v if is_usable else None
    return Value(value, latest.t, channel.stale_seconds, is_in_hand=is_in_hand)


def _switches(rule: Rule) -> tuple[Switch, ...]:
    outputs = list(
        water.with_meters(rule.outputs.filter(is_active=True))
        .select_related("node")
        .order_by("code", "pk")
    )
    newest = _newest(rule, outputs)
    busy = set(
        Command.objects.open()
        .filter(output__in=outputs, op__in=(Command.Op.RUN, Command.Op.DOSE))
        .values_list("output_id", flat=True)
    )
    return tuple(
        _switch(output, newest.get(output.pk), is_busy=output.pk in busy) for output in outputs
    )


def _newest(rule: Rule, outputs: Sequence[Output]) -> dict[int | None, Command]:
    """Give the programme's newest run or dose of each output."""
    of_output = Command.objects.filter(
        rule=rule, output=OuterRef("pk"), op__in=(Command.Op.RUN, Command.Op.DOSE)
    ).order_by("-created_at", "-pk")
    newest = Output.objects.filter(pk__in=[output.pk for output in outputs]).values_list(
        Subquery(of_output.values("pk")[:1])
    )
    return {command.output_id: command for command in Command.objects.filter(pk__in=newest)}


def _switch(output: Output, newest: Command | None, *, is_busy: bool) -> Switch:
    return Switch(
        output_id=output.pk,
        code=output.code,
        kind=output.kind,
        dose_kind=output.dose_kind,
        max_seconds=output.max_seconds,
        litres_per_minute=water.expected_flow(output),
        takes_litres=output.node.acknowledges,
        is_metered=water.is_metered(output),
        ml_per_second=output.ml_per_second,
        is_on=output.is_on,
        state_at=output.state_at,
        is_busy=is_busy,
        # rule-<id>-<generation>-<key>
        last_key=newest.caller_key.split("-", 3)[-1] if newest else "",
        last_status=_status(newest),
        last_why=newest.why if newest else "",
    )


def _status(command: Command | None) -> str:
    if command is None:
        return ""
    # What a person has settled counts as given.
    is_settled = command.status == Command.Status.UNKNOWN and command.settled_at is not None
    return Command.Status.DONE if is_settled else command.status


def _light(rule: Rule, settings: light_sum.Settings, *, at: datetime) -> dict[str, Any]:
    last = rule.memory.get("light_last")
    # A programme that has never looked begins with this moment's light, not with yesterday's.
    since = max(at - LIGHT_SINCE, _of_seconds(last[0])) if last else at - timedelta(minutes=1)
    readings = (
        Reading.objects.alias(bits=F("flags").bitand(NOT_TO_GO_BY))
        .filter(channel=rule.sensor, t__gt=since, t__lte=at, bits=0)
        .order_by("t")
        .values_list("t", "v")
    )
    is_ppfd = rule.sensor is not None and rule.sensor.quantity == Channel.Quantity.PPFD
    return {
        "light": [(t.timestamp(), v) for t, v in readings],
        "light_is_ppfd": is_ppfd,
        "drain_percent": _drain_percent(rule, at=at) if settings.learns_from_drain else None,
    }


def _of_seconds(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, tz=timezone.get_default_timezone())


def _drain_percent(rule: Rule, *, at: datetime) -> float | None:
    """Say which part of the last shot has drained, by a meter that counts up."""
    shot_at = moment(rule.memory, "shot_at")
    meter = (
        Channel.objects.shown()
        .filter(zone=rule.zone_id, quantity=Channel.Quantity.DRAIN_VOLUME)
        .order_by("pk")
        .first()
    )
    if shot_at is None or meter is None:
        return None
    counts = Reading.objects.filter(channel=meter, t__gte=shot_at, t__lte=at).order_by("t")
    drained = _counted_up(list(counts.values_list("v", flat=True)))
    return agronomy.drain_percent(drained, _supplied(rule, since=shot_at))


def _counted_up(values: Sequence[float]) -> float | None:
    """Add up how far a meter went; one that began anew has lost nothing but its beginning."""
    if len(values) < 2:
        return None
    return sum(after - before if after >= before else after for before, after in pairwise(values))


def _supplied(rule: Rule, *, since: datetime) -> float | None:
    runs = Command.objects.filter(
        rule=rule, op=Command.Op.RUN, created_at__gte=since
    ).select_related("output")
    given = [water.given_litres(run, is_metered=False).value for run in runs]
    known = [litres for litres in given if litres is not None]
    return sum(known) if known and len(known) == len(given) else None


def _feed(rule: Rule, *, at: datetime) -> dict[str, Any]:
    doser = rule.outputs.filter(is_active=True, kind=Output.Kind.DOSER).order_by("pk").first()
    facts = (
        safety_facts.collect(output=doser, source=Command.Source.DOSING, rule=rule, at=at)
        if doser
        else None
    )
    return {
        "values": _values(rule),
        "is_circulating": facts.is_circulating if facts else None,
        "mixing_seconds": facts.mixing_seconds if facts else 900.0,
    }


def _values(rule: Rule) -> dict[str, Value]:
    """Newest values by quantity: the programme's own sensor, else the zone's, else the house's."""
    channels = (
        Channel.objects.shown()
        .filter(
            Q(zone=rule.zone_id) | Q(zone=None, node__greenhouse=rule.zone.greenhouse_id),
            quantity__in=(
                Channel.Quantity.EC,
                Channel.Quantity.PH,
                Channel.Quantity.TANK_VOLUME,
            ),
            latest__isnull=False,
        )
        .select_related("latest")
    )
    ranked = sorted(
        channels,
        key=lambda channel: (channel.pk != rule.sensor_id, channel.zone_id is None, channel.pk),
    )
    values: dict[str, Value] = {}
    for channel in ranked:
        values.setdefault(channel.quantity, _value(channel, channel.latest))
    return values
