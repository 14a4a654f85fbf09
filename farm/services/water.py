"""How much water a zone got: from flow meters where there are any, else from time and flow."""

from datetime import date, datetime, time, timedelta
from typing import NamedTuple

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from farm.models import Channel, Command, Output, WaterUse, Zone
from farm.models.commands import CommandQuerySet

# The flow meters of a row's own node.
_METERS = Channel.objects.filter(
    node=OuterRef("node"), quantity=Channel.Quantity.FLOW, is_active=True
)


class Litres(NamedTuple):
    """An amount, and whether a meter told it; `value` is None when nobody can tell."""

    value: float | None
    is_measured: bool


def day_bounds(day: date) -> tuple[datetime, datetime]:
    """Give the first moment of a local day and of the next one."""
    zone = timezone.get_default_timezone()
    midnight = datetime.combine(day, time.min, tzinfo=zone)
    return midnight, datetime.combine(day + timedelta(days=1), time.min, tzinfo=zone)


def expected_flow(output: Output) -> float | None:
    """Give the middle of the flow band in L/min, or the one end that is known."""
    ends = [end for end in (output.flow_low, output.flow_high) if end is not None]
    return sum(ends) / len(ends) if ends else None


def with_meters(outputs: QuerySet[Output]) -> QuerySet[Output]:
    """Add `is_metered` to each output: whether its controller has a flow meter."""
    return outputs.annotate(is_metered=Exists(_METERS))


def is_metered(output: Output) -> bool:
    """Tell whether the output's controller counts litres; one query where nobody has asked."""
    known: bool | None = getattr(output, "is_metered", None)
    if known is None:
        known = Channel.objects.filter(
            node=output.node_id, quantity=Channel.Quantity.FLOW, is_active=True
        ).exists()
    return known and output.node.acknowledges


def planned_litres(
    output: Output, *, seconds: float, litres: float | None, has_meter: bool | None = None
) -> float | None:
    """Tell how much a run will give at most; only valves give water, pumps move it round.

    Litres that were asked for end a run only where a meter counts them.
    """
    if output.kind != Output.Kind.VALVE:
        return 0.0
    flow = expected_flow(output)
    if litres is not None and has_meter is None:
        has_meter = is_metered(output)
    known = [litres] if litres is not None and has_meter else []
    if flow is not None:
        known.append(flow * seconds / 60)
    return min(known) if known else None


def runs_of_day(zone: Zone, day: date) -> CommandQuerySet:
    """Give the runs of the zone's valves asked for on a local day, each with `is_metered`.

    A run begins within seconds of being asked for, so the asking decides the day.
    """
    start, end = day_bounds(day)
    return (
        Command.objects.filter(
            output__zone=zone,
            output__kind=Output.Kind.VALVE,
            op=Command.Op.RUN,
            created_at__gte=start,
            created_at__lt=end,
        )
        .annotate(is_metered=Exists(_METERS))
        .select_related("output")
    )


def given_litres(command: Command, *, is_metered: bool) -> Litres:
    """Tell what a run that has ended gave. A 0 from a device without a meter says nothing."""
    if command.ran_litres is not None and (command.ran_litres > 0 or is_metered):
        return Litres(command.ran_litres, is_measured=True)
    seconds = command.ran_seconds
    if seconds is None:
        seconds = command.seconds if command.status == Command.Status.DONE else None
    flow = expected_flow(command.output) if command.output else None
    if seconds is None or flow is None:
        return Litres(None, is_measured=False)
    return Litres(flow * seconds / 60, is_measured=False)


def _is_metered(command: Command) -> bool:
    """Read what runs_of_day has added to the row."""
    return bool(getattr(command, "is_metered", False))


@transaction.atomic
def project_water(*, zone: Zone, day: date) -> WaterUse:
    """Compute a zone's day anew from its commands, so that nothing is ever added twice."""
    # Two ends at once would each miss the other's litres.
    Zone.objects.select_for_update(no_key=True).get(pk=zone.pk)
    ended = runs_of_day(zone, day).filter(status__in=(Command.Status.DONE, Command.Status.ABORTED))
    amounts = [given_litres(command, is_metered=_is_metered(command)) for command in ended]
    return WaterUse.objects.update_or_create(
        zone=zone,
        day=day,
        defaults={
            "litres": sum(amount.value or 0.0 for amount in amounts),
            "is_measured": all(amount.is_measured for amount in amounts),
        },
    )[0]


def litres_of_day(zone: Zone, *, at: datetime) -> float | None:
    """Tell what the zone got today and will get by what still runs; None: cannot be told.

    A run whose end is not known counts in full. One query.
    """
    total = 0.0
    refused = (Command.Status.REJECTED, Command.Status.EXPIRED)
    for command in runs_of_day(zone, timezone.localtime(at).date()).exclude(status__in=refused):
        litres = _counted(command)
        if litres is None:
            return None
        total += litres
    return total


def _counted(command: Command) -> float | None:
    if command.status in (Command.Status.DONE, Command.Status.ABORTED):
        given = given_litres(command, is_metered=_is_metered(command)).value
        if given is not None:
            return given
    assert command.output is not None  # noqa: S101  # a run has an output by its constraint
    # A device that takes no litres has rejected the run, so that it is not counted here.
    return planned_litres(
        command.output,
        seconds=command.seconds or 0,
        litres=command.litres,
        has_meter=_is_metered(command),
    )
