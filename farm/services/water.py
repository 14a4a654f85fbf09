"""How much water a zone got: by commanded runs, and by those that began at the device itself."""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from farm.litres import (
    HAS_METER,
    Litres,
    expected_flow,
    expected_litres,
    given_by_device,
    given_litres,
)
from farm.models import Channel, Command, DeviceRun, Output, WaterUse, Zone
from farm.models.commands import CommandQuerySet
from farm.services import metered

__all__ = [
    "count_runs",
    "day_bounds",
    "expected_flow",
    "given_litres",
    "is_metered",
    "litres_of_day",
    "lock_zone",
    "planned_litres",
    "project_water",
    "with_meters",
]


def day_bounds(day: date) -> tuple[datetime, datetime]:
    """Give the first moment of a local day and of the next one."""
    zone = timezone.get_default_timezone()
    midnight = datetime.combine(day, time.min, tzinfo=zone)
    return midnight, datetime.combine(day + timedelta(days=1), time.min, tzinfo=zone)


def with_meters(outputs: QuerySet[Output]) -> QuerySet[Output]:
    """Add `is_metered` to each output: whether its controller has a flow meter."""
    return outputs.annotate(is_metered=HAS_METER)


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
        .annotate(is_metered=HAS_METER)
        .select_related("output")
    )


def device_runs_of_day(zone: Zone, day: date) -> QuerySet[DeviceRun]:
    """Give the runs that the zone's valves began themselves on a local day."""
    start, end = day_bounds(day)
    return (
        DeviceRun.objects.filter(
            output__zone=zone,
            output__kind=Output.Kind.VALVE,
            began_at__gte=start,
            began_at__lt=end,
        )
        .select_related("output")
        .order_by("began_at", "pk")
    )


def _is_metered(command: Command) -> bool:
    """Read what runs_of_day has added to the row."""
    return bool(getattr(command, "is_metered", False))


@transaction.atomic
def lock_zone(*, zone_id: int) -> None:
    """Let nobody else count a zone's water until the end: two at once would miss each other's."""
    Zone.objects.select_for_update(no_key=True).get(pk=zone_id)


@transaction.atomic
def count_runs(*, runs: Sequence[DeviceRun]) -> None:
    """Count anew what runs that began at the device have given, and write down what changed."""
    shown = metered.litres_of(runs)
    for run in runs:
        given = shown.get(run.pk) or expected_litres(run.output, run.seconds)
        if given != given_by_device(run):
            run.litres, run.is_measured = given
            run.save(update_fields=["litres", "is_measured"])


@transaction.atomic
def project_water(*, zone: Zone, day: date) -> WaterUse:
    """Compute a zone's day anew from its runs, so that nothing is ever added twice."""
    lock_zone(zone_id=zone.pk)
    ended = runs_of_day(zone, day).filter(status__in=(Command.Status.DONE, Command.Status.ABORTED))
    own = list(device_runs_of_day(zone, day).filter(ended_at__isnull=False))
    count_runs(runs=own)
    amounts: list[Litres] = [
        *(given_litres(command, is_metered=_is_metered(command)) for command in ended),
        *(given_by_device(run) for run in own),
    ]
    return WaterUse.objects.update_or_create(
        zone=zone,
        day=day,
        defaults={
            "litres": sum(amount.value or 0.0 for amount in amounts),
            "is_measured": all(amount.is_measured for amount in amounts),
            "unknown_runs": sum(amount.value is None for amount in amounts),
        },
    )[0]


def litres_of_day(zone: Zone, *, at: datetime) -> float | None:
    """Tell what the zone got today and will get by what still runs; None: cannot be told.

    A run whose end is not known counts in full. Two queries.
    """
    today = timezone.localtime(at).date()
    refused = (Command.Status.REJECTED, Command.Status.EXPIRED)
    counted = [
        *map(_counted, runs_of_day(zone, today).exclude(status__in=refused)),
        *map(_counted_of_device, device_runs_of_day(zone, today)),
    ]
    known = [litres for litres in counted if litres is not None]
    return sum(known) if len(known) == len(counted) else None


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


def _counted_of_device(run: DeviceRun) -> float | None:
    if run.litres is not None:
        return run.litres
    if run.ended_at is not None:
        return expected_litres(run.output, run.seconds).value
    most = None if run.due_at is None else (run.due_at - run.began_at).total_seconds()
    return expected_litres(run.output, most).value
