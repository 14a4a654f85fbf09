"""A batch from the seed to the last harvest, and its book: once each, struck out if wrong.

The phone makes the id of an entry, so that one sent twice from a field without a signal is one.
The checks are functions of their own, so that a form can say what is wrong before it is sent.
"""

import math
import uuid
from datetime import date, datetime
from itertools import count
from typing import Any, Final, NoReturn, TypeVar

from django.db import transaction
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from accounts.models import User
from farm.errors import BatchEntryRefusedError
from farm.models import (
    Batch,
    CostEntry,
    CropProfile,
    CropStage,
    Greenhouse,
    Harvest,
    LabourEntry,
    Zone,
)
from farm.selectors import targets

LONGEST_DAYS: Final = 400  # since sowing: beyond it somebody has mistyped a year
# What one entry can say at most. The best season on record here is 41 kg/m² in a whole year
# (PMC4483736), so more in one picking is a slip of the finger; the others are round figures far
# above any work day of a cooperative.
MOST_KG_PER_M2: Final = 50
LEAST_M2: Final = 0.1  # a box of seedlings; less is a slip, and every figure is divided by it
MOST_VND_PER_KG: Final = 2_000_000
MOST_VND: Final = 1_000_000_000
LEAST_HOURS: Final = 1 / 60  # nobody notes less than a minute, and it would be shown as none
MOST_HOURS: Final = 200  # of all who worked that day together
MOST_WAITING_DAYS: Final = 365

Entry = Harvest | CostEntry | LabourEntry
SomeEntry = TypeVar("SomeEntry", Harvest, CostEntry, LabourEntry)
KINDS: Final[dict[str, type[Entry]]] = {
    "harvest": Harvest,
    "cost": CostEntry,
    "labour": LabourEntry,
}


def refuse(sentence: str, *, field: str = "") -> NoReturn:
    """Say why an entry does not belong into the book, and in which field of the form."""
    raise BatchEntryRefusedError(sentence, field=field)


def refuse_day(batch: Batch, day: date, *, today: date, forbids_after_end: bool = True) -> None:
    """Refuse days to come, before the sowing, or after the end."""
    if day > today:
        refuse(_("This day has not come yet."), field="day")
    if day < batch.sown_date:
        words = {"day": date_format(batch.sown_date, "SHORT_DATE_FORMAT")}
        refuse(_("The batch was sown on %(day)s; this is before.") % words, field="day")
    if forbids_after_end and batch.ended_date is not None and day > batch.ended_date:
        words = {"day": date_format(batch.ended_date, "SHORT_DATE_FORMAT")}
        refuse(_("The batch ended on %(day)s; this is after.") % words, field="day")


def check_sowing(*, zone: Zone, area_m2: float, sown_date: date, today: date) -> None:
    """Refuse a sowing that cannot be, in words for the form; `field` says where."""
    if not zone.is_active:
        refuse(_("This zone is no longer in use."), field="zone")
    if not LEAST_M2 <= area_m2 <= 100_000:
        refuse(_("The area must be at least 0.1 m² and at most 100,000 m²."), field="area_m2")
    if zone.area_m2 and area_m2 > zone.area_m2:
        room = {"zone": zone.name, "area": f"{zone.area_m2:g}"}
        refuse(_("%(zone)s has only %(area)s m².") % room, field="area_m2")
    if sown_date > today:
        refuse(_("This day has not come yet."), field="sown_date")
    if (today - sown_date).days > LONGEST_DAYS:
        refuse(_("This is more than a year ago. Is the year right?"), field="sown_date")


@transaction.atomic
def sow_batch(  # noqa: PLR0913  # a batch has so many parts
    *,
    key: uuid.UUID,
    zone: Zone,
    profile: CropProfile,
    area_m2: float,
    sown_date: date,
    at: datetime,
    plants: int = 0,
    variety: str = "",
    method: str = Batch.Method.HYDROPONIC,
    note: str = "",
) -> Batch:
    """Begin a batch; the same key again answers with the first. Raises BatchEntryRefusedError.

    The key also makes the address of the public page, so it must be a random one (UUID 4).
    """
    check_sowing(zone=zone, area_m2=area_m2, sown_date=sown_date, today=timezone.localdate(at))
    house = Greenhouse.objects.select_for_update().get(pk=zone.greenhouse_id)
    known = Batch.objects.filter(token=key.hex).first()
    if known is not None:
        return known
    return Batch.objects.create(
        code=_free_code(house, sown_date),
        token=key.hex,
        zone=zone,
        profile=profile,
        variety=variety,
        method=method,
        area_m2=area_m2,
        plants=plants,
        sown_date=sown_date,
        note=note,
    )


def _free_code(house: Greenhouse, sown_date: date) -> str:
    """Make a batch number of house and day of sowing: NM1-261122, then NM1-261122-2."""
    stem = f"{house.code[:8].upper()}-{sown_date:%y%m%d}"
    taken = set(Batch.objects.filter(code__startswith=stem).values_list("code", flat=True))
    return next(
        code
        for code in (stem if number == 1 else f"{stem}-{number}" for number in count(1))
        if code not in taken
    )


def check_planting(*, batch: Batch, day: date, today: date) -> None:
    """Refuse a day on which the batch cannot have been planted out."""
    refuse_ended(batch)
    refuse_day(batch, day, today=today)


@transaction.atomic
def plant_out(*, batch: Batch, day: date, at: datetime, plants: int | None = None) -> Batch:
    """Note that the seedlings went to their place; doing it again corrects the day."""
    batch = Batch.objects.select_for_update().get(pk=batch.pk)
    check_planting(batch=batch, day=day, today=timezone.localdate(at))
    batch.transplanted_date = day
    if plants is not None:
        batch.plants = plants
    batch.save(update_fields=["transplanted_date", "plants", "updated_at"])
    return batch


def refuse_ended(batch: Batch) -> None:
    """Refuse to go on with a batch that is over."""
    if batch.ended_date is not None:
        day = date_format(batch.ended_date, "SHORT_DATE_FORMAT")
        refuse(_("This batch ended on %(day)s.") % {"day": day})


def check_end(*, batch: Batch, day: date, today: date) -> None:
    """Refuse an end in the future, before the sowing, or before what was already noted."""
    refuse_day(batch, day, today=today, forbids_after_end=False)
    last = max(
        (
            row.day
            for rows in (batch.harvests, batch.labour)
            for row in rows.filter(struck_at=None).order_by("-day")[:1]
        ),
        default=None,
    )
    if last is not None and last > day:
        words = {"day": date_format(last, "SHORT_DATE_FORMAT")}
        refuse(_("The book still has an entry of %(day)s.") % words, field="day")


@transaction.atomic
def end_batch(*, batch: Batch, day: date, is_lost: bool, at: datetime, note: str = "") -> Batch:
    """Close a batch: all picked, or lost. Ending it again in the same way changes nothing."""
    batch = Batch.objects.select_for_update().get(pk=batch.pk)
    status = Batch.Status.LOST if is_lost else Batch.Status.ENDED
    if (batch.status, batch.ended_date) == (status, day):
        return batch
    refuse_ended(batch)
    check_end(batch=batch, day=day, today=timezone.localdate(at))
    batch.status, batch.ended_date = status, day
    batch.note = "\n".join(filter(None, (batch.note, note)))
    batch.save(update_fields=["status", "ended_date", "note", "updated_at"])
    return batch


@transaction.atomic
def reopen_batch(*, batch: Batch) -> Batch:
    """Take back an end that was a mistake."""
    batch = Batch.objects.select_for_update().get(pk=batch.pk)
    batch.ended_date = None
    is_picked = Harvest.objects.filter(batch=batch, struck_at=None).exists()
    batch.status = Batch.Status.HARVESTING if is_picked else Batch.Status.GROWING
    batch.save(update_fields=["status", "ended_date", "updated_at"])
    return batch


def check_harvest(*, batch: Batch, day: date, kg: float, grade: str, vnd: int, today: date) -> None:
    """Refuse a harvest that cannot be. Raises BatchEntryRefusedError."""
    refuse_day(batch, day, today=today)
    _refuse_choice(Harvest.Grade.values, grade, field="grade")
    if not (math.isfinite(kg) and kg > 0):
        refuse(_("The weight must be more than 0 kg."), field="kg")
    if kg > MOST_KG_PER_M2 * batch.area_m2:
        words = {"kg": f"{kg:g}", "area": f"{batch.area_m2:g}"}
        refuse(
            _("%(kg)s kg from %(area)s m² in one day cannot be. Is it right?") % words, field="kg"
        )
    if vnd < 0:
        refuse(_("The amount cannot be negative."), field="vnd")
    if grade == Harvest.Grade.WASTE and vnd:
        refuse(_("What is not for sale cannot have been sold."), field="vnd")
    if vnd > kg * MOST_VND_PER_KG:
        refuse(_("This is more than anybody pays for so much. Is it right?"), field="vnd")


def check_cost(  # noqa: PLR0913  # an entry has so many parts
    *,
    batch: Batch,
    day: date,
    kind: str,
    vnd: int,
    note: str,
    waiting_days: int | None,
    names_no_days: bool = False,
    today: date,
) -> None:
    """Refuse a cost that cannot be. Raises BatchEntryRefusedError.

    A label that names no waiting days says so by `names_no_days`: it is neither 0 nor forgotten.
    """
    refuse_day(batch, day, today=today)
    _refuse_choice(CostEntry.Kind.values, kind, field="kind")
    if vnd <= 0:
        refuse(_("The amount must be more than 0 ₫."), field="vnd")
    if vnd > MOST_VND:
        refuse(_("This is more than a billion đồng. Is it right?"), field="vnd")
    if kind == CostEntry.Kind.PROTECTION:
        _refuse_protection(note=note, waiting_days=waiting_days, names_no_days=names_no_days)


def _refuse_protection(*, note: str, waiting_days: int | None, names_no_days: bool) -> None:
    if not note.strip():
        refuse(_("Name the product: buyers may read what was used."), field="note")
    if names_no_days and waiting_days is not None:
        refuse(_("Either the label names waiting days, or it names none."), field="waiting_days")
    if waiting_days is None and not names_no_days:
        refuse(
            _("Write the waiting days of the product's label, or tick that it names none."),
            field="waiting_days",
        )
    if waiting_days is not None and waiting_days > MOST_WAITING_DAYS:
        refuse(_("This is more than a year. Is it right?"), field="waiting_days")


def check_labour(*, batch: Batch, day: date, task: str, hours: float, today: date) -> None:
    """Refuse hours that cannot be. Raises BatchEntryRefusedError."""
    refuse_day(batch, day, today=today)
    _refuse_choice(LabourEntry.Task.values, task, field="task")
    if not (math.isfinite(hours) and hours > 0):
        refuse(_("The hours must be more than 0."), field="hours")
    if hours < LEAST_HOURS:
        refuse(_("This is less than a minute. Is it right?"), field="hours")
    if hours > MOST_HOURS:
        words = {"most": MOST_HOURS}
        refuse(
            _("More than %(most)d hours in one day cannot be. Is it right?") % words, field="hours"
        )


@transaction.atomic
def record_harvest(  # noqa: PLR0913  # an entry has so many parts
    *,
    batch: Batch,
    key: uuid.UUID,
    day: date,
    kg: float,
    by: User | None,
    at: datetime,
    grade: str = Harvest.Grade.FIRST,
    vnd: int = 0,
    note: str = "",
) -> Harvest:
    """Note what was picked; the first harvest moves the batch on. Raises BatchEntryRefusedError."""
    batch = Batch.objects.select_for_update().get(pk=batch.pk)
    said = {"batch_id": batch.pk, "day": day, "kg": kg, "grade": grade, "vnd": vnd, "note": note}
    known = _known(Harvest, key, said)
    if known is not None:
        return known
    check_harvest(batch=batch, day=day, kg=kg, grade=grade, vnd=vnd, today=timezone.localdate(at))
    entry = Harvest.objects.create(id=key, by=by, written_at=at, **said)
    _touch(batch)
    return entry


@transaction.atomic
def record_cost(  # noqa: PLR0913  # an entry has so many parts
    *,
    batch: Batch,
    key: uuid.UUID,
    day: date,
    kind: str,
    vnd: int,
    by: User | None,
    at: datetime,
    note: str = "",
    waiting_days: int | None = None,
    names_no_days: bool = False,
) -> CostEntry:
    """Note money that was spent. Raises BatchEntryRefusedError."""
    batch = Batch.objects.select_for_update().get(pk=batch.pk)
    told: dict[str, Any] = {
        "day": day,
        "kind": kind,
        "vnd": vnd,
        "note": note,
        "waiting_days": waiting_days,
    }
    known = _known(CostEntry, key, {"batch_id": batch.pk, **told})
    if known is not None:
        return known
    today = timezone.localdate(at)
    check_cost(batch=batch, today=today, names_no_days=names_no_days, **told)
    entry = CostEntry.objects.create(id=key, batch=batch, by=by, written_at=at, **told)
    _touch(batch)
    return entry


@transaction.atomic
def record_labour(  # noqa: PLR0913  # an entry has so many parts
    *,
    batch: Batch,
    key: uuid.UUID,
    day: date,
    task: str,
    hours: float,
    by: User | None,
    at: datetime,
    note: str = "",
) -> LabourEntry:
    """Note hours that were worked. Raises BatchEntryRefusedError."""
    batch = Batch.objects.select_for_update().get(pk=batch.pk)
    said = {"batch_id": batch.pk, "day": day, "task": task, "hours": hours, "note": note}
    known = _known(LabourEntry, key, said)
    if known is not None:
        return known
    check_labour(batch=batch, day=day, task=task, hours=hours, today=timezone.localdate(at))
    entry = LabourEntry.objects.create(id=key, by=by, written_at=at, **said)
    _touch(batch)
    return entry


@transaction.atomic
def strike_out(*, batch: Batch, kind: str, key: uuid.UUID, at: datetime) -> Entry:
    """Strike a mistake out of the book; it stays readable and no longer counts."""
    batch = Batch.objects.select_for_update().get(pk=batch.pk)
    entry: Entry = KINDS[kind]._default_manager.get(pk=key, batch=batch)
    if entry.struck_at is None:
        entry.struck_at = at
        entry.save(update_fields=["struck_at"])
        _touch(batch)
    return entry


def _known(model: type[SomeEntry], key: uuid.UUID, said: dict[str, Any]) -> SomeEntry | None:
    """Find an entry that came before under the same id; refuse another one under its id."""
    entry = model._default_manager.filter(pk=key).first()
    if entry is not None and any(getattr(entry, name) != value for name, value in said.items()):
        refuse(_("This entry is already in the book with other figures. Strike it out first."))
    return entry


def stage_on(batch: Batch, day: date) -> CropStage | None:
    """Tell in which stage of its recipe a batch is on a day, by the days since sowing."""
    return targets.stage_on(batch, targets.sorted_stages(batch), day)


def _touch(batch: Batch) -> None:
    """Bring the status, which follows from the book, up to date."""
    if batch.ended_date is None:
        is_picked = Harvest.objects.filter(batch=batch, struck_at=None).exists()
        batch.status = Batch.Status.HARVESTING if is_picked else Batch.Status.GROWING
    batch.save(update_fields=["status", "updated_at"])


def _refuse_choice(known: list[str], chosen: str, *, field: str) -> None:
    if chosen not in known:
        refuse(_("Please choose one of these."), field=field)
