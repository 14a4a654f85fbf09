"""Asking for a run, a dose, a strength or a stop: held against the safety table, then a row.

Guards of one house are taken one after the other, so that two requests at once cannot both find
the last litre of the day free. A stop waits for nobody.
"""

import math
from datetime import datetime, timedelta

from django.db import transaction
from django.utils.formats import localize
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from common.ids import ulid
from farm import interlock_words, safety
from farm.errors import (
    CommandRefusedError,
    IdempotencyKeyReusedError,
    OutputLockedError,
    SafetyError,
)
from farm.models import Command, Greenhouse, Node, Output, Rule
from farm.services import safety_facts
from farm.services.command_steps import drop_queued, note

VALID_FOR = timedelta(seconds=15)
# A run that comes late surprises; a stop that comes late does no harm, so it is tried for longer.
STOP_VALID_FOR = timedelta(seconds=60)
_LOCKS = (safety.Interlock.OUTPUT_LOCKED, safety.Interlock.MANUAL_ONLY)


@transaction.atomic
def request_run(  # noqa: PLR0913  # each is a fact of the command, named by keyword
    *,
    output: Output,
    seconds: int,
    source: str,
    at: datetime,
    by: User | None = None,
    rule: Rule | None = None,
    litres: float | None = None,
    caller_key: str = "",
    generation: int = 0,
) -> Command:
    """Ask for a run of so many seconds, and no longer than the device's own limit.

    The same `caller_key` again gives the first command back, whatever became of it.
    """
    output = _locked(output)
    command = Command(
        op=Command.Op.RUN, output=output, seconds=seconds, litres=litres, source=source, by=by,
        rule=rule, caller_key=caller_key, generation=_generation(rule, generation),
    )  # fmt: skip
    first = first_of_key(command, node=output.node)
    if first is not None:
        return first
    _refuse_impossible_run(output, seconds=seconds, litres=litres)
    findings = safety_facts.find(
        output=output, source=source, seconds=seconds, litres=litres, rule=rule, at=at
    )
    refuse_blocked(findings)
    _refuse_busy(output)
    return _queue(command, findings=findings, at=at)


@transaction.atomic
def request_dose(  # noqa: PLR0913  # each is a fact of the command, named by keyword
    *,
    output: Output,
    ml: float,
    source: str,
    at: datetime,
    by: User | None = None,
    rule: Rule | None = None,
    caller_key: str = "",
    generation: int = 0,
) -> Command:
    """Ask for a dose within what the device and the zone's day allow."""
    output = _locked(output)
    command = Command(
        op=Command.Op.DOSE, output=output, ml=ml, source=source, by=by,
        rule=rule, caller_key=caller_key, generation=_generation(rule, generation),
    )  # fmt: skip
    first = first_of_key(command, node=output.node)
    if first is not None:
        return first
    command.seconds = _dose_seconds(output, ml=ml)
    findings = safety_facts.find(output=output, source=source, ml=ml, rule=rule, at=at)
    refuse_blocked(findings)
    return _queue(command, findings=findings, at=at)


@transaction.atomic
def request_set(  # noqa: PLR0913  # each is a fact of the command, named by keyword
    *,
    output: Output,
    percent: float,
    seconds: int,
    source: str,
    at: datetime,
    by: User | None = None,
    rule: Rule | None = None,
    caller_key: str = "",
    generation: int = 0,
) -> Command:
    """Ask for a strength that holds for so many seconds; the device goes back to full by itself.

    It switches nothing on, but whatever keeps the output from running keeps it from this as well.
    """
    output = _locked(output)
    command = Command(
        op=Command.Op.SET, output=output, value=percent, seconds=seconds, source=source, by=by,
        rule=rule, caller_key=caller_key, generation=_generation(rule, generation),
    )  # fmt: skip
    first = first_of_key(command, node=output.node)
    if first is not None:
        return first
    _refuse_impossible_strength(output, percent=percent)
    _refuse_impossible_length(output, seconds=seconds)
    findings = safety_facts.find(output=output, source=source, rule=rule, at=at)
    refuse_blocked(findings)
    return _queue(command, findings=findings, at=at)


@transaction.atomic
def request_stop(
    *, output: Output, source: str, at: datetime, by: User | None = None, why: str = ""
) -> Command:
    """Ask for an output to stop; what waits for it is dropped. A stop that waits is enough."""
    request = safety.Request(safety.Source(source), safety.Deed.STOP)
    refuse_blocked(safety.judge(safety.Facts(lock=output.lock_at(at)), request))
    drop_queued(Command.objects.filter(output=output), why="stop", at=at)
    waiting = Command.objects.filter(
        output=output, op=Command.Op.STOP, status=Command.Status.QUEUED, expires_at__gt=at
    ).first()
    if waiting is not None:
        return waiting
    command = Command(op=Command.Op.STOP, output=output, source=source, by=by, why=why[:40])
    return write(command, node=output.node, at=at, valid_for=STOP_VALID_FOR, why=why)


@transaction.atomic
def stop_everything(
    *, node: Node, source: str, at: datetime, by: User | None = None, why: str = ""
) -> Command:
    """Ask a controller to stop all of its outputs; what waits for any of them is dropped."""
    drop_queued(Command.objects.filter(node=node), why="stop", at=at)
    command = Command(op=Command.Op.STOP_ALL, source=source, by=by, why=why[:40])
    return write(command, node=node, at=at, valid_for=STOP_VALID_FOR, why=why)


@transaction.atomic
def request_ping(*, node: Node, at: datetime) -> Command:
    """Ask a controller whether it hears us."""
    command = Command(op=Command.Op.PING, source=Command.Source.SYSTEM)
    return write(command, node=node, at=at, valid_for=VALID_FOR)


@transaction.atomic
def request_resend(*, node: Node, first: int, last: int, boot: int, at: datetime) -> Command:
    """Ask a controller for the frames of a boot that have not come."""
    if not 0 <= first <= last:
        raise CommandRefusedError(_("These frames are not in order."), reason="range")
    command = Command(
        op=Command.Op.RESEND,
        source=Command.Source.SYSTEM,
        arguments={"from": first, "to": last, "boot": boot},
    )
    return write(command, node=node, at=at, valid_for=VALID_FOR)


def _locked(output: Output) -> Output:
    """Take the house's lock, then read the output as it is now."""
    house = Greenhouse.objects.filter(nodes__outputs=output.pk).values("pk")
    Greenhouse.objects.select_for_update(no_key=True).get(pk__in=house)
    return Output.objects.select_related("node__greenhouse", "zone").get(pk=output.pk)


def _generation(rule: Rule | None, generation: int) -> int:
    return generation or (rule.generation if rule else 0)


def first_of_key(command: Command, *, node: Node) -> Command | None:
    if not command.caller_key:
        return None
    first = Command.objects.filter(node=node, caller_key=command.caller_key).first()
    meant = (command.op, command.output_id, command.channel_id)
    if first is not None and (first.op, first.output_id, first.channel_id) != meant:
        raise IdempotencyKeyReusedError(
            _("This key already stands for another command."), reason="caller_key"
        )
    return first


def _refuse_impossible_run(output: Output, *, seconds: int, litres: float | None) -> None:
    _refuse_unusable(output)
    if output.kind == Output.Kind.DOSER:
        raise CommandRefusedError(_("A doser is given ml, not seconds."), reason="kind")
    _refuse_impossible_length(output, seconds=seconds)
    if litres is not None and not (math.isfinite(litres) and litres > 0):
        raise CommandRefusedError(_("Litres are a number above zero."), reason="litres")


def _refuse_impossible_length(output: Output, *, seconds: int) -> None:
    if not 1 <= seconds <= output.max_seconds:
        raise CommandRefusedError(
            _("A run takes from 1 to %(most)s seconds here.") % {"most": output.max_seconds},
            reason="seconds",
            most=output.max_seconds,
        )


def _refuse_impossible_strength(output: Output, *, percent: float) -> None:
    _refuse_unusable(output)
    if not (output.is_dimmable and output.node.acknowledges):
        raise CommandRefusedError(
            _("The strength of this output cannot be set."), reason="no_level"
        )
    if not 0 <= percent <= 100:
        raise CommandRefusedError(_("The strength is from 0 to 100 %."), reason="value")


def _refuse_busy(output: Output) -> None:
    """Raise while a valve's run is under way: a second would water longer than anybody asked."""
    if output.kind != Output.Kind.VALVE:
        return
    if Command.objects.open().filter(output=output, op=Command.Op.RUN).exists():
        raise CommandRefusedError(_("A command for this output is under way."), reason="busy")


def _refuse_unusable(output: Output) -> None:
    if not (output.is_active and output.node.greenhouse.is_active):
        raise CommandRefusedError(_("This output is not in use."), reason="inactive")


def _dose_seconds(output: Output, *, ml: float) -> int:
    """Tell how long a dose takes; raise when the device cannot or may not give it."""
    _refuse_unusable(output)
    if output.kind != Output.Kind.DOSER or not output.ml_per_second:
        raise CommandRefusedError(
            _("The controller has not said how much this output doses."), reason="kind"
        )
    most = output.max_seconds * output.ml_per_second
    # Three seconds of 1.2 ml are 3.5999999999999996: a millionth of slack for what floats lose.
    if not (math.isfinite(ml) and 0 < ml <= most + 1e-6):
        sayable = math.floor(most * 10 + 1e-6) / 10
        raise CommandRefusedError(
            _("One dose is more than 0 and at most %(most)s ml here.")
            % {"most": localize(sayable)},
            reason="ml",
            most=most,
        )
    return math.ceil(ml / output.ml_per_second - 1e-6)


def refuse_blocked(findings: tuple[safety.Finding, ...]) -> None:
    """Raise for the first interlock that blocks; warnings are no reason to refuse."""
    if not findings or findings[0].verdict != safety.Verdict.BLOCK:
        return
    interlock = findings[0].interlock
    error = OutputLockedError if interlock in _LOCKS else SafetyError
    raise error(
        interlock_words.WORDS[interlock], interlock=interlock.value, detail=findings[0].detail
    )


def _queue(command: Command, *, findings: tuple[safety.Finding, ...], at: datetime) -> Command:
    assert command.output is not None  # noqa: S101  # runs and doses are built with one above
    warnings = ",".join(finding.interlock.value for finding in findings)
    return write(command, node=command.output.node, at=at, valid_for=VALID_FOR, why=warnings)


def write(
    command: Command, *, node: Node, at: datetime, valid_for: timedelta, why: str = ""
) -> Command:
    command.id, command.node = ulid(), node
    command.created_at, command.expires_at = at, at + valid_for
    command.save(force_insert=True)
    note(command, "queued", at=at, why=why)
    return command
