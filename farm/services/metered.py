"""What flow meters showed while valves ran that nobody had commanded. Four queries for a day."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from django.db.models import F, Q

from farm import device_runs
from farm.litres import Litres
from farm.models import Channel, Command, DeviceRun, Flag, Output, Reading

NOT_TO_COUNT = Flag.CALIBRATING | Flag.OUT_OF_RANGE


class _Open(NamedTuple):
    """When a valve was open, and what it hangs on; `until` is None while it still is."""

    output_id: int
    node_id: int
    zone_id: int | None
    since: datetime
    until: datetime | None


def litres_of(runs: Sequence[DeviceRun]) -> dict[int, Litres]:
    """Give what meters showed of each ended run, by its id; who is missing has no meter.

    A meter that several open valves share tells each an equal part, as controllers do.
    """
    told = [run for run in runs if run.seconds is not None]
    meters = _meters(told)
    if not meters:
        return {}
    since = min(run.began_at for run in told)
    until = max(run.ended_at for run in told if run.ended_at is not None)
    readings = _readings(set(meters.values()), since, until)
    openings = _openings([run.output for run in told], since, until)
    litres: dict[int, Litres] = {}
    for run in told:
        meter = meters.get(run.output_id)
        if meter is None or run.ended_at is None:
            continue
        shown = _shown(meter, run, readings[meter.pk], openings)
        amount = device_runs.metered_litres(shown, began_at=run.began_at, ended_at=run.ended_at)
        if amount is not None:
            litres[run.pk] = Litres(amount, is_measured=True)
    return litres


def _meters(runs: Sequence[DeviceRun]) -> dict[int, Channel]:
    """Choose each output's meter: its zone's, else its controller's; none where there are more."""
    outputs = {run.output_id: run.output for run in runs}
    channels = (
        list(
            Channel.objects.shown().filter(
                Q(node__in={output.node_id for output in outputs.values()})
                | Q(zone__in={output.zone_id for output in outputs.values() if output.zone_id}),
                quantity=Channel.Quantity.FLOW,
            )
        )
        if outputs
        else []
    )
    found: dict[int, Channel] = {}
    for output in outputs.values():
        of_zone = [one for one in channels if one.zone_id and one.zone_id == output.zone_id]
        near = of_zone or [one for one in channels if one.node_id == output.node_id]
        if len(near) == 1:
            found[output.pk] = near[0]
    return found


def _readings(
    meters: set[Channel], since: datetime, until: datetime
) -> dict[int, list[tuple[datetime, float]]]:
    shown: dict[int, list[tuple[datetime, float]]] = {meter.pk: [] for meter in meters}
    rows = Reading.objects.alias(bits=F("flags").bitand(NOT_TO_COUNT)).filter(
        channel__in=list(shown), t__gt=since, t__lte=until, bits=0
    )
    for channel_id, t, v in rows.values_list("channel_id", "t", "v"):
        shown[channel_id].append((t, v))
    return shown


def _openings(outputs: Sequence[Output], since: datetime, until: datetime) -> list[_Open]:
    """Give when valves near these were open, commanded or not."""
    near = Q(output__node__in={output.node_id for output in outputs})
    near |= Q(output__zone__in={output.zone_id for output in outputs if output.zone_id})
    near &= Q(output__kind=Output.Kind.VALVE)
    place = ("output_id", "output__node_id", "output__zone_id")
    commanded = Command.objects.filter(
        near, Q(ended_at__isnull=True) | Q(ended_at__gte=since), op=Command.Op.RUN,
        started_at__isnull=False, started_at__lte=until,
    )  # fmt: skip
    own = DeviceRun.objects.filter(
        near, Q(ended_at__isnull=True) | Q(ended_at__gte=since), began_at__lte=until
    )
    return [
        *(_Open(*row) for row in commanded.values_list(*place, "started_at", "ended_at")),
        *(_Open(*row) for row in own.values_list(*place, "began_at", "ended_at")),
    ]


def _shown(
    meter: Channel,
    run: DeviceRun,
    readings: Sequence[tuple[datetime, float]],
    openings: Sequence[_Open],
) -> list[device_runs.Reading]:
    seen = [
        one
        for one in openings
        if one.node_id == meter.node_id or (meter.zone_id and one.zone_id == meter.zone_id)
    ]
    return [
        device_runs.Reading(t, v, len({one.output_id for one in seen if _is_open(one, t)}))
        for t, v in readings
        if run.ended_at is not None and run.began_at < t <= run.ended_at
    ]


def _is_open(one: _Open, t: datetime) -> bool:
    return one.since < t and (one.until is None or t <= one.until)
