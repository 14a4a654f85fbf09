"""The programmes at work: look at what is known, decide, ask for it, and write down why."""

import logging
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q

from common.errors import DomainError
from farm.control.kinds import KINDS
from farm.control.plan import Action, Cry, Plan, Verdict
from farm.control.settings import SettingsError
from farm.errors import CommandRefusedError, OutputLockedError, SafetyError
from farm.models import Alarm, AlarmLimit, Command, Decision, Output, Rule
from farm.services import alarms, commands, rule_snapshots
from farm.services.rule_changes import add_rule, alarm_key, change_rule

__all__ = ["add_rule", "change_rule", "react", "run_due"]

logger = logging.getLogger(__name__)
AT_LATEST = timedelta(seconds=60)
TRY_AGAIN = timedelta(seconds=10)
AT_ONCE = 200
# What a programme with odd settings or an odd memory may raise; the others go on.
ODD = (DomainError, ArithmeticError, LookupError, TypeError, ValueError)
REFUSED = (SafetyError, OutputLockedError, CommandRefusedError)


def react(*, channel_ids: Collection[int], at: datetime) -> int:
    """Hold new values against limits, and let the programmes that go by them look; count the acts.

    The bridge calls this after each stored batch; one query where nobody goes by these values.
    """
    watched = _watched() & set(channel_ids)
    if not watched:
        return 0
    alarms.watch_limits(channel_ids=watched, at=at)
    is_due = Q(next_look_at__isnull=True) | Q(next_look_at__lte=at)
    concerned = Rule.objects.filter(
        Q(kind=Rule.Kind.HYSTERESIS) | Q(kind=Rule.Kind.LIGHT_SUM) & is_due,
        is_enabled=True,
        sensor__in=watched,
    )
    return _look_at_all(concerned.order_by("pk").values_list("pk", flat=True), at=at)


def _watched() -> set[int]:
    """Say which channels have a limit or a programme: few, whatever a batch brought."""
    limits = AlarmLimit.objects.filter(is_enabled=True).values_list("channel_id")
    sensors = Rule.objects.filter(is_enabled=True, sensor__isnull=False).values_list("sensor_id")
    return {channel_id for (channel_id,) in limits.union(sensors)}


def run_due(*, at: datetime) -> int:
    """Let each programme look whose time has come; count the acts.

    Beat and every bridge call this. Twice at once is fine: a programme's row is locked while it
    looks, and whoever comes second finds it done.
    """
    due = Rule.objects.filter(
        Q(next_look_at__isnull=True) | Q(next_look_at__lte=at), is_enabled=True
    ).order_by("next_look_at", "pk")
    return _look_at_all(due.values_list("pk", flat=True)[:AT_ONCE], at=at, only_due=True)


def _look_at_all(rule_ids: Iterable[int], *, at: datetime, only_due: bool = False) -> int:
    acts = 0
    for rule_id in list(rule_ids):
        try:
            acts += _look(rule_id, at=at, only_due=only_due)
        except ODD:
            logger.exception("programme %s is broken", rule_id)
            _put_aside(rule_id, at=at)
    return acts


@transaction.atomic
def _look(rule_id: int, *, at: datetime, only_due: bool) -> bool:
    rule = (
        Rule.objects.select_for_update(skip_locked=True, of=("self",))
        .select_related("zone__greenhouse", "sensor")
        .filter(pk=rule_id, is_enabled=True)
        .first()
    )
    if rule is None or (rule.looked_at is not None and rule.looked_at > at):
        return False
    if only_due and rule.next_look_at is not None and rule.next_look_at > at:
        return False
    plan = _plan(rule, at=at)
    outcome = _carry_out(rule, plan, at=at)
    _write_down(rule, outcome, at=at)
    _cry(rule, outcome.plan, at=at)
    _remember(rule, outcome, at=at)
    return outcome.plan.verdict is Verdict.ACT


def _plan(rule: Rule, *, at: datetime) -> Plan:
    kind = KINDS[rule.kind]
    try:
        settings = kind.parse(rule.parameters)
    except SettingsError as error:
        facts = {"errors": str(error)}
        cry = Cry("rule_broken", Alarm.Severity.WARNING, facts)
        return Plan(Verdict.BLOCKED, "rule_invalid", rule.memory, facts, cries=(cry,))
    snapshot = rule_snapshots.snapshot_of(rule, settings, at=at)
    return kind.decide(settings, rule.memory, snapshot)


@dataclass(frozen=True, slots=True)
class _Outcome:
    """A plan after it was tried: the commands it made, and what was refused beside them."""

    plan: Plan
    commands: tuple[Command, ...] = ()
    refused: tuple[Plan, ...] = ()


def _carry_out(rule: Rule, plan: Plan, *, at: datetime) -> _Outcome:
    """Ask for what the plan wants; when all of it is refused, the plan was held back."""
    if not plan.actions:
        return _Outcome(plan)
    outputs = Output.objects.in_bulk([action.output_id for action in plan.actions])
    asked: list[Command] = []
    refused: list[Plan] = []
    for action in plan.actions:
        output = outputs[action.output_id]
        # What is refused leaves nothing behind: each request is atomic by itself.
        try:
            asked.append(_ask(rule, action, output, at=at))
        except REFUSED as error:
            refused.append(_held_back(plan, output, error))
    if asked:
        # The others work: these are named.
        left_out = [replace(one, facts={**one.facts, "is_left_out": True}) for one in refused]
        return _Outcome(plan, tuple(asked), tuple(left_out))
    memory = rule.memory if plan.refused_memory is None else plan.refused_memory
    return _Outcome(replace(refused[0], memory=memory, next_look_at=at + TRY_AGAIN))


def _held_back(plan: Plan, output: Output, error: DomainError) -> Plan:
    """Say why an output was not switched although the plan wanted it."""
    return replace(
        plan,
        verdict=Verdict.BLOCKED,
        reason=str(error.facts.get("interlock") or error.facts.get("reason") or error.code),
        facts={**plan.facts, "wanted": plan.reason, "output": str(output)},
    )


def _ask(rule: Rule, action: Action, output: Output, *, at: datetime) -> Command:
    source = str(rule.kind)
    if action.deed == "stop":
        return commands.request_stop(output=output, source=source, at=at, why=f"rule:{rule.pk}")
    caller_key = f"rule-{rule.pk}-{rule.generation}-{action.key}"
    if action.deed == "dose":
        return commands.request_dose(
            output=output,
            ml=action.ml,
            source=source,
            rule=rule,
            generation=rule.generation,
            caller_key=caller_key,
            at=at,
        )
    return commands.request_run(
        output=output,
        seconds=action.seconds,
        litres=action.litres,
        source=source,
        rule=rule,
        generation=rule.generation,
        caller_key=caller_key,
        at=at,
    )


def _write_down(rule: Rule, outcome: _Outcome, *, at: datetime) -> None:
    """Keep the reason, once for each command; what goes on for the same reason is not repeated."""
    plan = outcome.plan
    if plan.verdict is not Verdict.ACT and rule.memory.get("said") == _said(plan):
        return
    for command in outcome.commands or (None,):
        _keep_decision(rule, plan, command=command, at=at)
    before = set(rule.memory.get("left_out", ()))
    for held_back in outcome.refused:
        if _left_out(held_back) not in before:
            _keep_decision(rule, held_back, command=None, at=at)


def _keep_decision(rule: Rule, plan: Plan, *, command: Command | None, at: datetime) -> None:
    Decision.objects.create(
        rule=rule,
        at=at,
        verdict=str(plan.verdict),
        reason=plan.reason,
        facts=_as_json(plan.facts),
        generation=rule.generation,
        command=command,
    )


def _left_out(plan: Plan) -> str:
    return f"{plan.facts['output']}:{plan.reason}"


def _said(plan: Plan) -> str:
    return f"{plan.verdict}:{plan.reason}"


def _as_json(facts: Any) -> dict[str, Any]:
    return {name: value for name, value in facts.items() if value is not None}


def _cry(rule: Rule, plan: Plan, *, at: datetime) -> None:
    """Open the alarms that the plan wants open, and clear those that it no longer wants."""
    wanted = {cry.name: cry for cry in plan.cries}
    before = set(rule.memory.get("crying", ()))
    for name in sorted(wanted.keys() - before):
        alarms.raise_alarm(
            key=alarm_key(rule, name),
            kind=wanted[name].kind,
            severity=wanted[name].severity,
            greenhouse=rule.zone.greenhouse,
            zone=rule.zone,
            facts={**wanted[name].facts, "rule": rule.name},
            at=at,
        )
    for name in sorted(before - wanted.keys()):
        alarms.clear_alarm(key=alarm_key(rule, name), at=at)


def _remember(rule: Rule, outcome: _Outcome, *, at: datetime) -> None:
    plan = outcome.plan
    crying = sorted(cry.name for cry in plan.cries)
    rule.memory = {**plan.memory, "said": _said(plan), "crying": crying}
    if outcome.commands:
        rule.memory["left_out"] = [_left_out(one) for one in outcome.refused]
    rule.looked_at = at
    rule.next_look_at = min(plan.next_look_at or at + AT_LATEST, _latest(rule, at))
    rule.save(update_fields=["memory", "looked_at", "next_look_at"])


def _latest(rule: Rule, at: datetime) -> datetime:
    # A timetable knows its next start; whoever goes by a sensor must notice when it goes silent.
    return at + (timedelta(days=1) if rule.kind == Rule.Kind.SCHEDULE else AT_LATEST * 30)


@transaction.atomic
def _put_aside(rule_id: int, *, at: datetime) -> None:
    """Leave a broken programme alone for a while, and say so."""
    rule = Rule.objects.select_related("zone__greenhouse").get(pk=rule_id)
    Rule.objects.filter(pk=rule_id).update(next_look_at=at + 5 * AT_LATEST)
    alarms.raise_alarm(
        key=alarm_key(rule, "rule_broken"),
        kind="rule_broken",
        severity=Alarm.Severity.WARNING,
        greenhouse=rule.zone.greenhouse,
        zone=rule.zone,
        facts={"rule": rule.name},
        at=at,
    )
