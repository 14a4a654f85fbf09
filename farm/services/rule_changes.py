"""Making and changing programmes; each change is a new generation, and older commands are void."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from farm.errors import RuleInvalidError
from farm.models import Alarm, Channel, Command, Greenhouse, Output, Rule, Zone
from farm.problem_words import problem_words
from farm.services import alarms, commands, config
from farm.services.rule_checks import problems_of

# What a programme has learned and used up survives a change of its settings.
KEPT = (
    "slopes", "day", "ml", "thinned", "last", "b_waits", "owed", "ph_way", "ph_moved_at",
    "light", "light_last", "shot_at", "measures_since",
)  # fmt: skip


def alarm_key(rule: Rule, kind: str) -> str:
    """Name a programme's alarm of one kind."""
    return f"rule:{rule.pk}:{kind}"


@transaction.atomic
def add_rule(  # noqa: PLR0913  # each is a fact of the programme, named by keyword
    *,
    zone: Zone,
    name: str,
    kind: str,
    outputs: Iterable[Output],
    parameters: dict[str, Any],
    by: User,
    at: datetime,
    sensor: Channel | None = None,
    is_enabled: bool = True,
) -> Rule:
    """Make a programme. Raises RuleInvalidError with everything that is wrong with it."""
    rule = Rule(
        zone=zone,
        name=name,
        kind=kind,
        sensor=sensor,
        parameters=parameters,
        is_enabled=is_enabled,
        changed_by=by,
        memory={"done_until": at.isoformat()},
    )
    wanted = list(outputs)
    _lock_house(zone)
    _refuse_invalid(rule, wanted)
    rule.save()
    rule.outputs.set(wanted)
    config.refresh_configs(outputs=wanted, at=at)
    return rule


@transaction.atomic
def change_rule(*, rule: Rule, by: User, at: datetime, **fields: Any) -> Rule:
    """Change a programme's fields; one that is switched off stops what it has begun.

    Fields: name, zone, sensor, parameters, is_enabled, outputs. The same again changes nothing.
    """
    rule = _locked(rule)
    if rule.archived_at is not None:
        raise RuleInvalidError(_("This programme is off the list for good. Add a new one."))
    outputs_before = list(rule.outputs.order_by("pk"))
    outputs = sorted(fields.pop("outputs", outputs_before), key=lambda output: output.pk)
    changed = {name: value for name, value in fields.items() if getattr(rule, name) != value}
    if not changed and outputs == outputs_before:
        return rule
    for name, value in changed.items():
        setattr(rule, name, value)
    if rule.is_enabled:
        _lock_house(rule.zone)
        _refuse_invalid(rule, outputs)
    rule.generation += 1
    rule.changed_by, rule.next_look_at = by, None
    rule.memory = _fresh_memory(rule, changed.keys(), at=at)
    rule.save()
    rule.outputs.set(outputs)
    for alarm in Alarm.objects.filter(key__startswith=alarm_key(rule, ""), cleared_at=None):
        alarms.clear_alarm(key=alarm.key, at=at)
    if not rule.is_enabled:
        _stop_what_runs(rule, by=by, at=at)
    config.refresh_configs(outputs=[*outputs_before, *outputs], at=at)
    return rule


@transaction.atomic
def archive_rule(*, rule: Rule, by: User, at: datetime) -> Rule:
    """Switch a programme off and take it off the lists for good; once more changes nothing."""
    rule = _locked(rule)
    if rule.archived_at is not None:
        return rule
    rule = change_rule(rule=rule, by=by, at=at, is_enabled=False)
    rule.changed_by, rule.archived_at = by, at
    rule.save(update_fields=["changed_by", "archived_at"])
    return rule


def _locked(rule: Rule) -> Rule:
    return (
        Rule.objects.select_for_update(of=("self",))
        .select_related("zone__greenhouse", "sensor")
        .get(pk=rule.pk)
    )


def _lock_house(zone: Zone) -> None:
    """Let nobody else check a programme of the house against what is there before we are done.

    Whoever locks a programme too has locked it before, as a programme does that looks.
    """
    Greenhouse.objects.select_for_update(no_key=True).get(pk=zone.greenhouse_id)


def _fresh_memory(rule: Rule, changed: Collection[str], *, at: datetime) -> dict[str, Any]:
    """Forget a lock-out (somebody has looked) and unfinished turns, keep what was learned."""
    kept = {name: rule.memory[name] for name in KEPT if name in rule.memory}
    if "is_enabled" in changed:
        # Nobody knows what became of the tank meanwhile: B for the A of then would be too much.
        kept.pop("b_waits", None)
        kept.pop("owed", None)
    if "sensor" in changed:
        # Decisions before it are of another quantity, perhaps in another unit.
        kept["measures_since"] = rule.generation
    return {**kept, "done_until": at.isoformat()}


def _stop_what_runs(rule: Rule, *, by: User, at: datetime) -> None:
    runs = Command.objects.open().filter(rule=rule, op__in=(Command.Op.RUN, Command.Op.DOSE))
    for output in Output.objects.filter(commands__in=runs).distinct().order_by("pk"):
        commands.request_stop(
            output=output, source=Command.Source.PERSON, by=by, at=at, why="rule_off"
        )


def _refuse_invalid(rule: Rule, outputs: Sequence[Output]) -> None:
    problems = problems_of(rule, outputs)
    if problems:
        sentences = [problem_words(problem) for problem in problems]
        raise RuleInvalidError(
            _("The programme cannot work like this: %(why)s") % {"why": " ".join(sentences)},
            errors=[
                {"field": problem.field, "code": problem.code, "words": sentence}
                for problem, sentence in zip(problems, sentences, strict=True)
            ],
        )
