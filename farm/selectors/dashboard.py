"""The greenhouses as a phone shows them: one card each, and a page for one house."""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from farm import words
from farm.explain import alarm_words
from farm.models import Alarm, Command, Greenhouse, Node, Output, Zone
from farm.selectors import steps
from farm.selectors.measured import (
    Measured,
    card_values,
    judge_channels,
    shown_channels,
    vapour_deficit,
)
from farm.selectors.shown_outputs import OutputShown, is_on_now, show_output, stopped_words
from farm.selectors.targets import Grown, grown_in
from farm.words import age_words

EMERGENCY_STOP = "emergency_stop"
WATERING = (Output.Kind.VALVE, Output.Kind.PUMP)
# What must be stopped in time stays in sight on the whole page, water first. A fan and a pump that
# only moves water round have their button in their row: beside a valve, people would stop the pump.
# Where no valve is, each pump may be the one that waters.
STOPPED_IN_HASTE = (*WATERING, Output.Kind.DOSER)


class AlarmShown(NamedTuple):
    """An alarm in words."""

    id: int
    house_code: str
    house: str
    words: str
    severity: int
    severity_words: str
    opened_at: datetime
    since: str
    times: int
    seen_by: str
    is_over: bool


class NodeShown(NamedTuple):
    """A controller: whether it is there, and when it was last heard."""

    id: int
    name: str
    is_online: bool
    heard: str


class ZoneShown(NamedTuple):
    """A zone with its values and outputs; `watering` is what the big button opens."""

    id: int
    code: str
    name: str
    crop: str
    stage: str
    batch: str
    values: tuple[Measured, ...]
    watering: OutputShown | None
    outputs: tuple[OutputShown, ...]


class HouseCard(NamedTuple):
    """One greenhouse on the front page."""

    code: str
    name: str
    is_stopped: bool
    stopped_words: str
    values: tuple[Measured, ...]
    away: tuple[NodeShown, ...]
    is_without_nodes: bool
    alarms: tuple[AlarmShown, ...]
    running: tuple[str, ...]


class HousePage(NamedTuple):
    """One greenhouse with everything in it."""

    card: HouseCard
    house_values: tuple[Measured, ...]
    zones: tuple[ZoneShown, ...]
    house_outputs: tuple[OutputShown, ...]
    running: tuple[OutputShown, ...]
    is_waiting: bool


def house_cards(*, now: datetime) -> tuple[HouseCard, ...]:
    """Give a card for each greenhouse in use. Eight queries, however many there are."""
    houses = list(active_houses())
    seen = _look_at(houses, now=now)
    return tuple(_card(house, seen) for house in houses)


def house_page(greenhouse: Greenhouse, *, now: datetime) -> HousePage:
    """Give all of one greenhouse. Nine queries, however many zones it has."""
    seen = _look_at([greenhouse], now=now)
    outputs = [
        show_output(output, seen.commands.get(output.pk), now=now) for output in seen.outputs
    ]
    zone_of = {output.pk: output.zone_id for output in seen.outputs}
    valves_in = {one.zone_id for one in seen.outputs if one.kind == Output.Kind.VALVE}
    zones = tuple(
        _zone(zone, seen, [output for output in outputs if zone_of[output.id] == zone.pk])
        for zone in Zone.objects.filter(greenhouse=greenhouse, is_active=True).order_by(
            "name", "pk"
        )
    )
    return HousePage(
        card=_card(greenhouse, seen),
        house_values=tuple(seen.values_of[greenhouse.pk, None]),
        zones=zones,
        house_outputs=tuple(output for output in outputs if zone_of[output.id] is None),
        running=_stopped_in_haste(
            output
            for output in outputs
            if output.kind != Output.Kind.PUMP or not _has_valves(zone_of[output.id], valves_in)
        ),
        is_waiting=any(output.command and output.command.is_open for output in outputs),
    )


def _has_valves(zone_id: int | None, valves_in: set[int | None]) -> bool:
    """Whether valves let the water through where a pump is; one of the whole house feeds all."""
    return bool(valves_in) if zone_id is None else zone_id in valves_in


def _stopped_in_haste(outputs: Iterable[OutputShown]) -> tuple[OutputShown, ...]:
    running = (one for one in outputs if one.is_running and one.kind in STOPPED_IN_HASTE)
    return tuple(sorted(running, key=lambda output: STOPPED_IN_HASTE.index(output.kind)))


def is_page_key_used(page: HousePage, key: str) -> bool:
    """Whether a button of the page, shown with this key, has become a command. One query."""
    buttons = [zone.watering.id for zone in page.zones if zone.watering]
    keys = [f"{key}-{output_id}" for output_id in buttons]
    return Command.objects.filter(output_id__in=buttons, caller_key__in=keys).exists()


def active_houses() -> QuerySet[Greenhouse]:
    """Give the greenhouses in use, with who stopped them."""
    return (
        Greenhouse.objects.filter(is_active=True)
        .select_related("stopped_by")
        .order_by("name", "pk")
    )


def switchable_outputs() -> QuerySet[Output]:
    """Give what can be switched in greenhouses in use, with node, house and zone."""
    return Output.objects.filter(is_active=True, node__greenhouse__is_active=True).select_related(
        "node__greenhouse", "zone"
    )


def open_alarms(greenhouse_ids: Iterable[int]) -> QuerySet[Alarm]:
    """Give the alarms that stand, the gravest first; one query with all that is said of them."""
    return (
        Alarm.objects.filter(greenhouse_id__in=list(greenhouse_ids), cleared_at__isnull=True)
        .select_related("greenhouse", "zone", "node", "channel", "output", "acknowledged_by")
        .order_by("-severity", "-opened_at", "-pk")
    )


def show_alarm(alarm: Alarm, now: datetime) -> AlarmShown:
    """Put an alarm into words."""
    seen_by = ""
    if alarm.acknowledged_at:
        seen_by = _("seen by %(person)s") % {"person": alarm.acknowledged_by or _("somebody")}
    return AlarmShown(
        id=alarm.pk,
        house_code=alarm.greenhouse.code,
        house=alarm.greenhouse.name,
        words=alarm_words(alarm),
        severity=alarm.severity,
        severity_words=alarm.get_severity_display(),
        opened_at=alarm.opened_at,
        since=age_words(alarm.opened_at, now),
        times=alarm.times,
        seen_by=seen_by,
        is_over=alarm.cleared_at is not None,
    )


class _Seen(NamedTuple):
    """Everything that was read for some houses, before it is shown."""

    now: datetime
    nodes: list[Node]
    outputs: list[Output]
    grown: dict[int, Grown]
    values_of: "_Places"
    alarms: list[Alarm]
    commands: dict[int, Command]


class _Places(dict[tuple[int, int | None], list[Measured]]):
    """Values by (house, zone); a place without any has an empty list."""

    def __missing__(self, key: tuple[int, int | None]) -> list[Measured]:
        return []


def _look_at(houses: list[Greenhouse], *, now: datetime) -> _Seen:
    ids = [house.pk for house in houses]
    nodes = list(Node.objects.filter(greenhouse_id__in=ids).order_by("name"))
    outputs = list(switchable_outputs().filter(node__greenhouse_id__in=ids).order_by("kind", "pk"))
    channels = shown_channels(ids)
    zone_ids = set(Zone.objects.filter(greenhouse_id__in=ids).values_list("pk", flat=True))
    grown = grown_in(zone_ids, on=words.local_day(now))
    places = _Places()
    for house in houses:
        here = [channel for channel in channels if channel.node.greenhouse_id == house.pk]
        mine = {
            zone: each for zone, each in grown.items() if each.batch.zone.greenhouse_id == house.pk
        }
        judged = judge_channels(here, grown=mine, now=now)
        for each in judged:
            places.setdefault((house.pk, each.channel.zone_id), []).append(each.shown)
        for zone_id, deficit in vapour_deficit(judged, grown=mine, now=now):
            places.setdefault((house.pk, zone_id), []).append(deficit)
    return _Seen(
        now=now,
        nodes=nodes,
        outputs=outputs,
        grown=grown,
        values_of=places,
        alarms=list(open_alarms(ids)),
        commands=_latest_commands(ids, now),
    )


def _latest_commands(house_ids: list[int], now: datetime) -> dict[int, Command]:
    """Give the newest run or dose of each output that is open or has just ended. One query."""
    recent = (
        Command.objects.filter(
            node__greenhouse_id__in=house_ids, op__in=steps.RUNS, output__isnull=False
        )
        .filter(Q(status__in=Command.OPEN) | Q(created_at__gte=now - steps.SHOWN_AFTER_END))
        .select_related("node", "output", "by", "rule")
        .order_by("created_at", "pk")
    )
    return {command.output_id: command for command in recent if command.output_id is not None}


def _card(house: Greenhouse, seen: _Seen) -> HouseCard:
    values = [
        value
        for (house_id, _zone_id), here in seen.values_of.items()
        if house_id == house.pk
        for value in here
    ]
    nodes = [node for node in seen.nodes if node.greenhouse_id == house.pk]
    return HouseCard(
        code=house.code,
        name=house.name,
        is_stopped=house.is_stopped,
        stopped_words=stopped_words(house, now=seen.now),
        values=card_values(values),
        away=tuple(_node(node, seen.now) for node in nodes if not node.is_online),
        is_without_nodes=not nodes,
        alarms=tuple(
            show_alarm(alarm, seen.now)
            for alarm in seen.alarms
            # The stop has a box of its own above the alarms.
            if alarm.greenhouse_id == house.pk and alarm.kind != EMERGENCY_STOP
        ),
        running=tuple(
            str(output)
            for output in seen.outputs
            if output.node.greenhouse_id == house.pk and is_on_now(output, seen.now)
        ),
    )


def _zone(zone: Zone, seen: _Seen, outputs: list[OutputShown]) -> ZoneShown:
    grown = seen.grown.get(zone.pk)
    watering = next((one for kind in WATERING for one in outputs if one.kind == kind), None)
    return ZoneShown(
        id=zone.pk,
        code=zone.code,
        name=zone.name,
        crop=grown.crop if grown else "",
        stage=grown.stage.name if grown and grown.stage else "",
        batch=grown.batch.code if grown else "",
        values=tuple(seen.values_of[zone.greenhouse_id, zone.pk]),
        watering=watering,
        outputs=tuple(outputs),
    )


def _node(node: Node, now: datetime) -> NodeShown:
    return NodeShown(node.pk, str(node), node.is_online, age_words(node.heard_at, now))
