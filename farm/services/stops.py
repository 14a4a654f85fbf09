"""The emergency stop, which is a level and not an edge, and the locks of single outputs."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from farm.errors import CommandRefusedError
from farm.models import Alarm, Command, EmergencyStop, Greenhouse, LockChange, Node, Output
from farm.services import alarms, config
from farm.services.command_requests import request_stop, stop_everything
from farm.services.command_steps import drop_queued


@transaction.atomic
def stop_house(
    *, greenhouse: Greenhouse, by: User | None, reason: str, at: datetime
) -> EmergencyStop:
    """Stop everything in a house and keep it stopped; pressing twice stops twice.

    Each controller is told at once, and again by its retained config when it was away.
    """
    house = Greenhouse.objects.select_for_update(no_key=True).get(pk=greenhouse.pk)
    if not house.is_stopped:
        house.is_stopped, house.stopped_at, house.stopped_by = True, at, by
        house.save(update_fields=["is_stopped", "stopped_at", "stopped_by", "updated_at"])
    source = Command.Source.PERSON if by else Command.Source.SAFETY
    drop_queued(Command.objects.filter(node__greenhouse=house), why="estop", at=at)
    for node in Node.objects.filter(greenhouse=house).order_by("pk"):
        # This word alone: a stop must not depend on whether the rest can be written anew.
        config.change_config(node=node, at=at, estop=True)
        stop_everything(node=node, source=source, by=by, why="estop", at=at)
    alarms.raise_alarm(
        key=f"emergency_stop:{house.pk}",
        kind="emergency_stop",
        severity=Alarm.Severity.URGENT,
        greenhouse=house,
        facts={"reason": reason, "by": by.pk if by else None},
        at=at,
    )
    return EmergencyStop.objects.create(
        greenhouse=house, at=at, is_stop=True, reason=reason[:200], by=by
    )


@transaction.atomic
def release_house(*, greenhouse: Greenhouse, by: User, reason: str, at: datetime) -> EmergencyStop:
    """Let a house go on; only a person can, and has to say why. Nothing starts by itself."""
    if not reason.strip():
        raise CommandRefusedError(_("Say why the house may go on."), reason="reason")
    house = Greenhouse.objects.select_for_update(no_key=True).get(pk=greenhouse.pk)
    if not house.is_stopped:
        raise CommandRefusedError(_("The house is not stopped."), reason="not_stopped")
    house.is_stopped, house.stopped_at, house.stopped_by = False, None, None
    house.save(update_fields=["is_stopped", "stopped_at", "stopped_by", "updated_at"])
    for node in Node.objects.filter(greenhouse=house).order_by("pk"):
        config.refresh_config(node=node, at=at)
    alarms.clear_alarm(key=f"emergency_stop:{house.pk}", at=at)
    return EmergencyStop.objects.create(
        greenhouse=house, at=at, is_stop=False, reason=reason.strip()[:200], by=by
    )


@transaction.atomic
def lock_output(  # each is a fact of the lock, named by keyword
    *,
    output: Output,
    lock: str,
    until: datetime | None,
    reason: str,
    by: User,
    at: datetime,
) -> LockChange:
    """Lock an output off, keep it for people's hands, or give it back to the programmes.

    Locked off also stops it; what waits and is not allowed any more is dropped.
    """
    if lock not in Output.Lock.values:
        raise CommandRefusedError(_("There is no such lock."), reason="lock")
    if until is not None and until <= at:
        raise CommandRefusedError(_("The lock would be over already."), reason="until")
    # Its controller first, as a birth does: the config below belongs to it.
    Node.objects.select_for_update(no_key=True).get(pk=output.node_id)
    output = (
        Output.objects.select_for_update(no_key=True, of=("self",))
        .select_related("node")
        .get(pk=output.pk)
    )
    is_lock = lock != Output.Lock.AUTO
    output.lock = lock
    output.lock_until = until if is_lock else None
    output.lock_reason = reason[:200] if is_lock else ""
    output.save(update_fields=["lock", "lock_until", "lock_reason", "updated_at"])
    waiting = Command.objects.filter(output=output)
    if lock == Output.Lock.MANUAL:
        drop_queued(waiting.exclude(source=Command.Source.PERSON), why="locked", at=at)
    if lock == Output.Lock.OFF:
        drop_queued(waiting, why="locked", at=at)
        request_stop(output=output, source=Command.Source.PERSON, by=by, why="locked", at=at)
    config.refresh_config(node=output.node, at=at)
    return LockChange.objects.create(
        output=output, at=at, lock=lock, until=output.lock_until, reason=reason[:200], by=by
    )
