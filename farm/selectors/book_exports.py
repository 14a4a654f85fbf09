"""Tables of a greenhouse for whoever keeps the accounts: the batches' books, water, and runs."""

from collections.abc import Iterable, Iterator
from datetime import date, datetime
from heapq import merge
from operator import itemgetter
from typing import TypeVar

from django.utils.translation import gettext as _

from farm import litres, words
from farm.csv_lines import Cell
from farm.models import (
    Batch,
    Command,
    CostEntry,
    DeviceRun,
    Greenhouse,
    Harvest,
    LabourEntry,
    Output,
    WaterUse,
)
from farm.selectors import steps
from farm.selectors.exports import CHUNK, bounded

Timed = tuple[datetime, list[Cell]]
Entry = TypeVar("Entry", Harvest, CostEntry, LabourEntry)


def harvest_lines(house: Greenhouse, *, since: date, until: date) -> Iterator[list[Cell]]:
    """Give what was picked and sold from a day to another, by day. One query."""
    yield [*_batch_headings(), _("Grade"), _("kg"), _("Sold for, ₫"), *_entry_headings()]
    yield from bounded(
        [
            *_of_batch(entry),
            entry.get_grade_display(),
            entry.kg,
            entry.vnd or None,  # nothing is not sold yet, and no price of 0
            *_of_entry(entry),
        ]
        for entry in _entries(Harvest, house, since, until)
    )


def cost_lines(house: Greenhouse, *, since: date, until: date) -> Iterator[list[Cell]]:
    """Give what was spent from a day to another, by day. One query."""
    yield [
        *_batch_headings(),
        _("What for"),
        _("Amount, ₫"),
        _("Waiting days"),
        *_entry_headings(),
    ]
    yield from bounded(
        [
            *_of_batch(entry),
            entry.get_kind_display(),
            entry.vnd,
            entry.waiting_days,
            *_of_entry(entry),
        ]
        for entry in _entries(CostEntry, house, since, until)
    )


def labour_lines(house: Greenhouse, *, since: date, until: date) -> Iterator[list[Cell]]:
    """Give the hours that were worked from a day to another, by day. One query."""
    yield [*_batch_headings(), _("What work"), _("Hours"), *_entry_headings()]
    yield from bounded(
        [*_of_batch(entry), entry.get_task_display(), entry.hours, *_of_entry(entry)]
        for entry in _entries(LabourEntry, house, since, until)
    )


def water_lines(house: Greenhouse, *, since: date, until: date) -> Iterator[list[Cell]]:
    """Give the litres of each zone and day. One query."""
    yield [
        _("Day"),
        _("Greenhouse"),
        _("Zone"),
        _("Litres"),
        _("How it is known"),
        _("Runs of which nobody can tell the litres"),
    ]
    uses = WaterUse.objects.filter(zone__greenhouse=house, day__range=(since, until))
    yield from bounded(
        [
            use.day.isoformat(),
            house.name,
            use.zone.name,
            use.litres,
            _known_by(is_measured=use.is_measured),
            use.unknown_runs,
        ]
        for use in uses.select_related("zone").order_by("day", "zone_id").iterator(chunk_size=CHUNK)
    )


def run_lines(house: Greenhouse, *, since: datetime, until: datetime) -> Iterator[list[Cell]]:
    """Give what ran: by command, and by the device itself, in the order of time. Two queries."""
    yield [
        _("Began"),
        _("Greenhouse"),
        _("Zone"),
        _("Output"),
        _("What"),
        _("Asked for by"),
        _("Seconds asked for"),
        _("Seconds it ran"),
        _("Litres"),
        _("How it is known"),
        _("How it ended"),
    ]
    both = merge(_commanded(house, since, until), _own(house, since, until), key=itemgetter(0))
    yield from bounded(line for _at, line in both)


def _entries(model: type[Entry], house: Greenhouse, since: date, until: date) -> Iterator[Entry]:
    """Give the standing entries of all batches of a house; what was struck out counts nowhere."""
    return (
        model._default_manager.filter(
            batch__zone__greenhouse=house, day__range=(since, until), struck_at=None
        )
        .select_related("batch__zone", "batch__profile", "by")
        .order_by("day", "written_at", "pk")
        .iterator(chunk_size=CHUNK)
    )


def _batch_headings() -> list[Cell]:
    return [_("Day"), _("Batch"), _("Crop"), _("Variety"), _("Growing method"), _("Zone")]


def _of_batch(entry: Harvest | CostEntry | LabourEntry) -> list[Cell]:
    batch: Batch = entry.batch
    return [
        entry.day.isoformat(),
        batch.code,
        batch.profile.name,
        batch.variety,
        batch.get_method_display(),
        batch.zone.name,
    ]


def _entry_headings() -> list[Cell]:
    return [_("Note"), _("Written by"), _("Written at")]


def _of_entry(entry: Harvest | CostEntry | LabourEntry) -> list[Cell]:
    return [entry.note, str(entry.by or ""), entry.written_at]


def _commanded(house: Greenhouse, since: datetime, until: datetime) -> Iterator[Timed]:
    commands: Iterable[Command] = (
        Command.objects.filter(
            node__greenhouse=house,
            op__in=steps.RUNS,
            created_at__gte=since,
            created_at__lt=until,
        )
        .annotate(is_metered=litres.HAS_METER)
        .select_related("node", "output__zone", "by", "rule")
        .order_by("created_at", "pk")
        .iterator(chunk_size=CHUNK)
    )
    for command in commands:
        output, given = command.output, _given(command)
        yield (
            command.created_at,
            [
                command.started_at or command.created_at,
                house.name,
                output.zone.name if output and output.zone else "",
                str(output or ""),
                steps.asked_words(command),
                steps.by_words(command),
                command.seconds,
                command.ran_seconds,
                given.value,
                "" if given.value is None else _known_by(is_measured=given.is_measured),
                steps.end_words(command),
            ],
        )


def _given(command: Command) -> litres.Litres:
    """Tell what a run gave; pumps move water round, and doses are no water."""
    is_water = command.output is not None and command.output.kind == Output.Kind.VALVE
    if not is_water or command.started_at is None:
        return litres.UNKNOWN
    return litres.given_litres(command, is_metered=bool(getattr(command, "is_metered", False)))


def _own(house: Greenhouse, since: datetime, until: datetime) -> Iterator[Timed]:
    runs = (
        DeviceRun.objects.filter(
            output__node__greenhouse=house, began_at__gte=since, began_at__lt=until
        )
        .select_related("output__zone")
        .order_by("began_at", "pk")
        .iterator(chunk_size=CHUNK)
    )
    for run in runs:
        yield (
            run.began_at,
            [
                run.began_at,
                house.name,
                run.output.zone.name if run.output.zone else "",
                str(run.output),
                _("begun at the device"),
                words.switched_by_words(run.source),
                None,
                run.seconds,
                run.litres,
                "" if run.litres is None else _known_by(is_measured=run.is_measured),
                _("still running") if run.ended_at is None else _("over"),
            ],
        )


def _known_by(*, is_measured: bool) -> str:
    return _("measured") if is_measured else _("reckoned from running times")
