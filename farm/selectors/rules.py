"""Programmes: what each is set to, what it waits for, and what it decided lately."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import NamedTuple

from django.db.models import OuterRef, QuerySet, Subquery

from farm import explain
from farm.models import Decision, Rule, Zone
from farm.rule_ahead import Ahead, ahead_of
from farm.rule_words import setting_words

LATEST = 30


class DecisionShown(NamedTuple):
    """A decision in words; `command` leads to what was done."""

    at: datetime
    verdict: str
    verdict_words: str
    words: str
    is_told: bool


class RuleShown(NamedTuple):
    """A programme in words."""

    id: int
    name: str
    kind: str
    kind_words: str
    house: str
    zone: str
    is_enabled: bool
    is_archived: bool
    settings: tuple[str, ...]
    outputs: tuple[str, ...]
    # Who else switches an output of it: "Fan 1: By temperature".
    also_driven: tuple[str, ...]
    sensor: str
    ahead: Ahead
    last: DecisionShown | None


class ZoneChoice(NamedTuple):
    """A zone for which a programme may be added."""

    id: int
    name: str


def rule_list(*, now: datetime) -> tuple[RuleShown, ...]:
    """Give all programmes, house by house. Three queries."""
    newest = (
        Decision.objects.filter(rule=OuterRef("pk"))
        .exclude(verdict=Decision.Verdict.SKIP)
        .order_by("-at", "-pk")
    )
    rules = list(standing_rules().annotate(last_id=Subquery(newest.values("pk")[:1])))
    last_by_id = {
        decision.pk: decision
        for decision in _decisions().filter(pk__in=[rule.last_id for rule in rules if rule.last_id])
    }
    return tuple(_rule(rule, last_by_id.get(rule.last_id), others=rules, now=now) for rule in rules)


def show_rule(rule: Rule, *, now: datetime) -> RuleShown:
    """Put one programme into words. Two queries."""
    others = standing_rules().filter(zone__greenhouse=rule.zone.greenhouse_id)
    return _rule(rule, None, others=others, now=now)


def latest_decisions(rule: Rule, *, with_idle: bool) -> tuple[DecisionShown, ...]:
    """Give the last decisions, the newest first. One query."""
    found = _decisions().filter(rule=rule).order_by("-at", "-pk")
    if not with_idle:
        found = found.exclude(verdict=Decision.Verdict.SKIP)
    return tuple(_decision(decision) for decision in found[:LATEST])


def standing_rules() -> QuerySet[Rule]:
    """Give the programmes that can be changed: those that nobody has taken off the lists."""
    return known_rules().filter(archived_at=None)


def known_rules() -> QuerySet[Rule]:
    """Give all programmes of houses in use, with zone, outputs and sensor. Two queries."""
    return (
        Rule.objects.filter(zone__greenhouse__is_active=True)
        .select_related("zone__greenhouse", "sensor__zone")
        .prefetch_related("outputs")
        .order_by("zone__greenhouse__name", "zone__name", "name", "pk")
    )


def zones_to_choose() -> tuple[ZoneChoice, ...]:
    """Give the zones of houses in use. One query."""
    zones = (
        Zone.objects.filter(is_active=True, greenhouse__is_active=True)
        .select_related("greenhouse")
        .order_by("greenhouse__name", "name")
    )
    return tuple(ZoneChoice(zone.pk, f"{zone.greenhouse}: {zone}") for zone in zones)


def _decisions() -> QuerySet[Decision]:
    return Decision.objects.select_related("rule__zone", "rule__sensor", "command__output")


def _decision(decision: Decision) -> DecisionShown:
    return DecisionShown(
        at=decision.at,
        verdict=decision.verdict,
        verdict_words=decision.get_verdict_display(),
        words=_named(decision, explain.decision_words(decision)),
        is_told=decision.command_id is not None,
    )


def _named(decision: Decision, said: str) -> str:
    """Tell two outputs of one programme apart: each has a command, and a decision of its own."""
    output = decision.command.output if decision.command else None
    return f"{output}: {said}" if output else said


def _also_driven(rule: Rule, others: Iterable[Rule]) -> Iterator[str]:
    """Name each output that another programme, which is on, switches too, and that programme."""
    ours = {output.pk for output in rule.outputs.all()}
    for other in others:
        if other.is_enabled and other.pk != rule.pk:
            shared = (output for output in other.outputs.all() if output.pk in ours)
            yield from (f"{output}: {other.name}" for output in shared)


def _rule(rule: Rule, last: Decision | None, *, others: Iterable[Rule], now: datetime) -> RuleShown:
    return RuleShown(
        id=rule.pk,
        name=rule.name,
        kind=rule.kind,
        kind_words=rule.get_kind_display(),
        house=rule.zone.greenhouse.name,
        zone=rule.zone.name,
        is_enabled=rule.is_enabled,
        is_archived=rule.archived_at is not None,
        settings=setting_words(rule),
        outputs=tuple(str(output) for output in rule.outputs.all()),
        also_driven=tuple(_also_driven(rule, others)),
        sensor=str(rule.sensor) if rule.sensor else "",
        ahead=ahead_of(rule, now=now),
        last=_decision(last) if last else None,
    )
