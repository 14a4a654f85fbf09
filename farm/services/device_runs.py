"""Runs that a valve's device began itself, kept as rows: computed anew from the valve's words.

A word concerns only what was told between the "off" before it and the "off" after it: this part is
computed again, so that the same words in any order, and as often as you like, give the same rows.
"""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from itertools import takewhile

from django.db import transaction
from django.db.models import F, Max, Min, Q, QuerySet
from django.utils import timezone

from farm import device_runs, frames
from farm.models import Channel, Command, DeviceRun, Node, Output, StateWord, Zone
from farm.services import water
from farm.services.device_clock import said_moment

# A retained word may be very old: then its run was counted long ago, or never will be.
BELIEVED_FOR = timedelta(days=35)
LONGEST_LEFT_SECONDS = 86_400.0
# No controller runs for three years; milliseconds since 1970 are far beyond.
LONGEST_UP_MS = 100_000_000_000
# Words overtake each other by moments; a counter that is behind by more has run over.
OVERTAKEN_WITHIN_MS = 120_000
BY_COMMAND = "cmd"
AT_ONCE = 100


@transaction.atomic
def take_word(*, output: Output, state: frames.OutputState, at: datetime) -> bool:
    """Keep what a valve says of itself, and the runs that follow from it; False: known already.

    The caller has locked the output.
    """
    said_at = _said_at(output, state, at=at)
    if output.kind != Output.Kind.VALVE or at - said_at > BELIEVED_FOR:
        return False
    word, is_new = StateWord.objects.get_or_create(
        output=output,
        boot=state.boot or 0,
        stamp=_stamp(state, at=at),
        is_on=state.on,
        source=state.src[:10],
        defaults={
            "at": said_at,
            "command": state.id[:26],
            "left_seconds": believable_left(state.left),
        },
    )
    if is_new:
        _compute(output, around=word.at, at=at)
    return is_new


def believable_left(seconds: float | None) -> float | None:
    """Bound what a device says that its run has left: a day at most."""
    return None if seconds is None else min(max(seconds, 0.0), LONGEST_LEFT_SECONDS)


def _said_at(output: Output, state: frames.OutputState, *, at: datetime) -> datetime:
    """Tell when a word was said; one without a time, by a later word of its boot that is here.

    Handed on late, "on" would else come after its own "off", and begin a run that never was.
    """
    said_at = said_moment(state.t_ms, at=at)
    if state.t_ms is not None or state.up_ms is None or state.boot is None:
        return said_at
    later = (
        StateWord.objects.filter(
            output=output,
            boot=state.boot,
            stamp__gt=state.up_ms,
            stamp__lte=state.up_ms + OVERTAKEN_WITHIN_MS,
        )
        .order_by("stamp")
        .first()
    )
    if later is None:
        return said_at
    return min(said_at, later.at - timedelta(milliseconds=later.stamp - state.up_ms))


def forget_reused_boots(*, node: Node, boot: int, at: datetime) -> None:
    """Let words without a time that are known by numbers the controller counts anew be older ones.

    Those of one boot stay together; the moment makes their number one that nobody else has.
    """
    StateWord.objects.filter(output__node=node, boot__gte=boot, stamp__lt=LONGEST_UP_MS).update(
        boot=F("boot") - round(at.timestamp())
    )


@transaction.atomic
def note_boot(*, node: Node, birth: frames.Birth, at: datetime) -> None:
    """End what ran in an earlier boot: a controller starts with all outputs off."""
    valves = Output.objects.filter(node=node, kind=Output.Kind.VALVE).select_related("zone")
    off = frames.OutputState(on=False, t_ms=birth.t_ms, boot=birth.boot, src="boot")
    locked = list(valves.select_for_update(no_key=True, of=("self",)).order_by("pk"))
    # All valves, then all zones, each in order: whoever counts a zone waits in the same line.
    for zone_id in sorted({valve.zone_id for valve in locked if valve.zone_id is not None}):
        water.lock_zone(zone_id=zone_id)
    for valve in locked:
        take_word(output=valve, state=off, at=at)


def close_overdue(*, at: datetime) -> int:
    """End the runs whose time is over although no word came of it; tell how many.

    Each by itself, so that no valve waits for another's zone.
    """
    overdue = DeviceRun.objects.filter(ended_at__isnull=True, due_at__lt=at - device_runs.SLACK)
    runs = list(overdue.order_by("output_id", "began_at")[:AT_ONCE])
    for run in runs:
        _close(run, at=at)
    return len(runs)


@transaction.atomic
def _close(run: DeviceRun, *, at: datetime) -> None:
    output = (
        Output.objects.select_for_update(no_key=True, of=("self",))
        .select_related("zone")
        .get(pk=run.output_id)
    )
    _compute(output, around=run.began_at, at=at)


@transaction.atomic
def count_again(*, hours: Iterable[tuple[int, datetime]]) -> None:
    """Count the runs anew that flow meters have shown more of: (channel, hour) had readings."""
    meters = Channel.objects.filter(
        pk__in={channel_id for channel_id, _ in hours}, quantity=Channel.Quantity.FLOW
    )
    span_of: dict[int, list[datetime]] = {meter.pk: [] for meter in meters}
    for channel_id, hour in hours:
        if channel_id in span_of:
            span_of[channel_id].append(hour)
    touched = Q(pk__in=[])
    for meter in meters:
        since, until = min(span_of[meter.pk]), max(span_of[meter.pk]) + timedelta(hours=1)
        near = Q(output__node=meter.node_id)
        near |= Q(output__zone=meter.zone_id) if meter.zone_id else Q()
        touched |= near & Q(began_at__lt=until, ended_at__gte=since)
    if span_of:
        _count(DeviceRun.objects.filter(touched).select_related("output__zone"))


def _stamp(state: frames.OutputState, *, at: datetime) -> int:
    """Give the milliseconds by which a word is known again; without any, each is another word."""
    if state.t_ms is not None:
        return state.t_ms
    return round(at.timestamp() * 1000) if state.up_ms is None else state.up_ms


def _compute(output: Output, *, around: datetime, at: datetime) -> None:
    """Compute the runs again between the "off" before a moment and the one after it."""
    if output.zone_id is not None:
        water.lock_zone(zone_id=output.zone_id)
    offs = StateWord.objects.filter(output=output, is_on=False)
    since = offs.filter(at__lt=around).aggregate(at=Max("at"))["at"]
    until = offs.filter(at__gt=around).aggregate(at=Min("at"))["at"]
    said = _words(output, since, until)
    most = timedelta(seconds=output.max_seconds) if output.max_seconds else None
    runs = device_runs.runs_of(said, most=most, at=at)
    rows = DeviceRun.objects.filter(output=output)
    rows = rows if since is None else rows.filter(began_at__gte=since)
    changed = _replace(output, rows if until is None else rows.filter(began_at__lt=until), runs)
    if output.zone is None:
        ended = rows.filter(began_at__in=changed, ended_at__isnull=False)
        water.count_runs(runs=list(ended.select_related("output")))
        return
    for day in sorted({timezone.localtime(began_at).date() for began_at in changed}):
        water.project_water(zone=output.zone, day=day)


def _words(
    output: Output, since: datetime | None, until: datetime | None
) -> list[device_runs.Word]:
    """Give what a valve said from one "off" to another, both of them included."""
    found = StateWord.objects.filter(output=output)
    found = found if since is None else found.filter(at__gte=since)
    found = found if until is None else found.filter(at__lte=until)
    rows = list(found.order_by("at", "is_on", "pk"))
    ours = set(
        Command.objects.filter(
            output=output, pk__in={row.command for row in rows if row.command}
        ).values_list("pk", flat=True)
    )
    # "On" at the very moment of the last "off" comes after it, and belongs to what follows.
    rows = list(takewhile(lambda row: not (row.is_on and row.at == until), rows))
    return [
        device_runs.Word(
            at=row.at,
            boot=row.boot,
            is_on=row.is_on,
            source=row.source,
            # A foreign device knows no ids: what runs there while our command does is ours.
            is_ours=row.command in ours or (row.source == BY_COMMAND and not row.command),
            left=None if row.left_seconds is None else timedelta(seconds=row.left_seconds),
        )
        for row in rows
    ]


def _replace(
    output: Output, rows: QuerySet[DeviceRun], runs: list[device_runs.Run]
) -> set[datetime]:
    """Let the rows of a stretch be these runs; tell the beginnings of those that count anew."""
    row_by_beginning = {row.began_at: row for row in rows}
    changed: set[datetime] = set()
    for run in runs:
        row = row_by_beginning.pop(run.began_at, None)
        if row is None:
            row = DeviceRun(output=output, began_at=run.began_at)
        was_ended = row.ended_at is not None
        if _take(row, run):
            row.save()
            if was_ended or row.ended_at is not None:
                changed.add(row.began_at)
    for row in row_by_beginning.values():
        row.delete()
        if row.ended_at is not None:
            changed.add(row.began_at)
    return changed


def _take(row: DeviceRun, run: device_runs.Run) -> bool:
    """Set a row to what a run is, not yet counted; False when it says so already."""
    told = (run.source, run.due_at, run.ended_at, run.is_end_told)
    if row.pk and told == (row.source, row.due_at, row.ended_at, row.is_end_told):
        return False
    row.source, row.due_at, row.ended_at, row.is_end_told = told
    row.litres, row.is_measured = None, False
    return True


def _count(runs: QuerySet[DeviceRun]) -> None:
    """Count runs again: zone by zone, each day as a whole."""
    days: set[tuple[int, date]] = set()
    zones: dict[int, Zone] = {}
    for run in runs:
        if run.output.zone is None:
            water.count_runs(runs=[run])
        else:
            zones[run.output.zone.pk] = run.output.zone
            days.add((run.output.zone.pk, timezone.localtime(run.began_at).date()))
    for zone_id, day in sorted(days):
        water.project_water(zone=zones[zone_id], day=day)
