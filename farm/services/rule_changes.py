"""Making and changing programmes; each change is a new generation, and older commands are void."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import F, Q
from django.utils.translation import gettext as _

from accounts.models import User
from farm.control.dosing_settings import Settings as DosingSettings
from farm.control.kinds import KINDS
from farm.control.light_sum import Settings as LightSettings
from farm.control.schedule import Settings as ScheduleSettings
from farm.control.settings import Problem, SettingsError
from farm.errors import RuleInvalidError
from farm.models import Alarm, Channel, Command, Output, Rule, Zone
from farm.problem_words import problem_words
from farm.services import alarms, commands, config, water

LIGHT = (Channel.Quantity.SOLAR_RADIATION, Channel.Quantity.PPFD)
# What a programme has learned and used up survives a change of its settings.
KEPT = (
    "slopes", "day", "ml", "thinned", "last", "b_waits", "ph_way", "ph_moved_at",
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
    rule = (
        Rule.objects.select_for_update(of=("self",))
        .select_related("zone__greenhouse", "sensor")
        .get(pk=rule.pk)
    )
    outputs_before = list(rule.outputs.order_by("pk"))
    outputs = sorted(fields.pop("outputs", outputs_before), key=lambda output: output.pk)
    changed = {name: value for name, value in fields.items() if getattr(rule, name) != value}
    if not changed and outputs == outputs_before:
        return rule
    for name, value in changed.items():
        setattr(rule, name, value)
    if rule.is_enabled:
        _refuse_invalid(rule, outputs)
    rule.generation += 1
    rule.changed_by, rule.next_look_at = by, None
    rule.memory = _fresh_memory(rule, at=at)
    if "sensor" in changed:
        # Decisions before it are of another quantity, perhaps in another unit.
        rule.memory["measures_since"] = rule.generation
    rule.save()
    rule.outputs.set(outputs)
    for alarm in Alarm.objects.filter(key__startswith=alarm_key(rule, ""), cleared_at=None):
        alarms.clear_alarm(key=alarm.key, at=at)
    if not rule.is_enabled:
        _stop_what_runs(rule, by=by, at=at)
    config.refresh_configs(outputs=[*outputs_before, *outputs], at=at)
    return rule


def _fresh_memory(rule: Rule, *, at: datetime) -> dict[str, Any]:
    """Forget a lock-out (somebody has looked) and unfinished turns, keep what was learned."""
    kept = {name: rule.memory[name] for name in KEPT if name in rule.memory}
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


def problems_of(rule: Rule, outputs: Sequence[Output]) -> tuple[Problem, ...]:
    """Tell why a programme cannot work; feeding without a sensor is given the one to go by."""
    kind = KINDS.get(rule.kind)
    if kind is None:
        return (Problem("kind", "not_a_choice"),)
    try:
        settings = kind.parse(rule.parameters)
    except SettingsError as error:
        # What is wrong whatever the settings are is told at once, not the next time.
        return (*error.problems, *_misfits(rule, None, outputs))
    rule.sensor = rule.sensor or _sensor_of(rule, settings)
    return tuple(_misfits(rule, settings, outputs))


def _sensor_of(rule: Rule, settings: Any) -> Channel | None:
    """Choose what feeding goes by, where nobody has: the zone's EC or pH, else the house's."""
    if not isinstance(settings, DosingSettings):
        return None
    channels = Channel.objects.shown().filter(
        Q(zone=rule.zone) | Q(zone=None, node__greenhouse=rule.zone.greenhouse_id),
        quantity=settings.quantities[0],
    )
    return channels.order_by(F("zone_id").asc(nulls_last=True), "pk").first()


def _misfits(rule: Rule, settings: Any, outputs: Sequence[Output]) -> Iterable[Problem]:
    """Hold the settings against what there is: outputs, sensor, place."""
    if not outputs:
        yield Problem("outputs", "missing")
    if any(output.node.greenhouse_id != rule.zone.greenhouse_id for output in outputs):
        yield Problem("outputs", "other_house")
    if rule.kind != Rule.Kind.DOSING and any(o.kind == Output.Kind.DOSER for o in outputs):
        yield Problem("outputs", "doser")
    if rule.kind in (Rule.Kind.HYSTERESIS, Rule.Kind.LIGHT_SUM) and rule.sensor is None:
        yield Problem("sensor", "missing")
    if isinstance(settings, ScheduleSettings):
        yield from _misfits_of_schedule(rule, settings, outputs)
    elif isinstance(settings, LightSettings):
        yield from _misfits_of_light(rule, settings, outputs)
    elif isinstance(settings, DosingSettings):
        yield from _misfits_of_dosing(rule, settings, outputs)


def _misfits_of_schedule(
    rule: Rule, settings: ScheduleSettings, outputs: Sequence[Output]
) -> Iterable[Problem]:
    most = min((output.max_seconds for output in outputs), default=None)
    if most is not None and (settings.seconds or 0) > most:
        yield Problem("seconds", "too_high", {"high": most})
    if settings.litres is not None:
        yield from _misfits_of_litres(outputs, is_bounded=settings.seconds is not None)
    if settings.sun and None in (rule.zone.greenhouse.latitude, rule.zone.greenhouse.longitude):
        yield Problem("sun", "no_place")


def _misfits_of_light(
    rule: Rule, settings: LightSettings, outputs: Sequence[Output]
) -> Iterable[Problem]:
    if rule.sensor is not None and rule.sensor.quantity not in LIGHT:
        yield Problem("sensor", "not_light")
    if settings.litres is None and settings.seconds is None and not rule.zone.area_m2:
        yield Problem("litres", "no_area")
    if settings.litres is not None:
        yield from _misfits_of_litres(outputs, is_bounded=settings.seconds is not None)
    elif settings.seconds is None and rule.zone.area_m2:
        # The light decides how many litres a watering has.
        yield from _misfits_of_litres(outputs, is_bounded=False)


def _misfits_of_litres(outputs: Sequence[Output], *, is_bounded: bool) -> Iterable[Problem]:
    """Refuse litres where nothing would end the run but its device's longest time."""
    if not all(output.node.acknowledges for output in outputs):
        yield Problem("litres", "not_taken")
    elif not is_bounded and not all(
        water.expected_flow(output) or water.is_metered(output) for output in outputs
    ):
        yield Problem("litres", "not_counted")


def _misfits_of_dosing(
    rule: Rule, settings: DosingSettings, outputs: Sequence[Output]
) -> Iterable[Problem]:
    kinds = {output.dose_kind for output in outputs}
    if rule.sensor is None:
        yield Problem("sensor", "missing")
    if settings.ec is not None and "a" not in kinds:
        yield Problem("outputs", "no_fertiliser")
    if settings.ph is not None and not kinds & {"ph_up", "ph_down"}:
        yield Problem("outputs", "no_ph")
    if rule.zone.daily_dose_cap_ml is None:
        yield Problem("zone", "no_dose_cap")
