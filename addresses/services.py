"""What can happen to places: the official lists are taken over, again and again without harm."""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any, NamedTuple, TypeVar

from django.db import transaction
from django.utils.translation import gettext as _

from addresses.models import Commune, Village
from common.reference_table import RowProblem, RowReader, TableRefusedError, readers

Row = Mapping[str, str]
Unit = TypeVar("Unit", Commune, Village)
# A commune's code is unique only within its time; a village's code is ours and unique for ever.
Key = tuple[str, date | None]


class PlacesLoaded(NamedTuple):
    """What a list of places did."""

    new: int
    changed: int
    unchanged: int


class _Place(NamedTuple):
    """One row that was read: whose it is, what it says, and who comes after."""

    row: RowReader
    key: Key
    successor: Key | None
    values: dict[str, Any]


@transaction.atomic
def load_places(*, communes: Iterable[Row], villages: Iterable[Row]) -> PlacesLoaded:
    """Take over lists of communes and villages; the same lists twice change nothing.

    The columns are those of addresses/data/*.csv. What is not in the lists stays as it is.
    Raises TableRefusedError, row by row, and then changes nothing.
    """
    problems: list[RowProblem] = []
    commune_rows = [_commune(row) for row in readers("communes", communes, problems)]
    village_rows = [_village(row) for row in readers("villages", villages, problems)]
    for rows in (commune_rows, village_rows):
        _refuse_doubles(rows)
    _stop_at(problems)

    known_communes: dict[Key, Commune] = {
        (unit.code, unit.valid_from): unit for unit in Commune.objects.select_for_update()
    }
    of_communes = _take_over(Commune, commune_rows, known_communes)
    _point_to_communes(village_rows, known_communes)
    _stop_at(problems)

    known_villages: dict[Key, Village] = {
        (unit.code, None): unit for unit in Village.objects.select_for_update()
    }
    of_villages = _take_over(Village, village_rows, known_villages)
    _stop_at(problems)
    return PlacesLoaded(*(sum(pair) for pair in zip(of_communes, of_villages, strict=True)))


def _commune(row: RowReader) -> _Place:
    code = row.text("code", max_length=10)
    valid_from, valid_to = _time(row)
    successor_code = row.text("successor_code", max_length=10, is_required=False)
    return _Place(
        row,
        key=(code, valid_from),
        successor=(successor_code, row.day("successor_valid_from")) if successor_code else None,
        values={
            "code": code,
            "name": row.text("name", max_length=80),
            "district": row.text("district", max_length=80, is_required=False),
            "province": row.text("province", max_length=80),
            "valid_from": valid_from,
            "valid_to": valid_to,
            "source": row.text("source", max_length=200),
        },
    )


def _village(row: RowReader) -> _Place:
    code = row.text("code", max_length=20)
    valid_from, valid_to = _time(row)
    successor_code = row.text("successor_code", max_length=20, is_required=False)
    return _Place(
        row,
        key=(code, None),
        successor=(successor_code, None) if successor_code else None,
        values={
            "code": code,
            "name": row.text("name", max_length=80),
            "commune": (row.text("commune_code", max_length=10), row.day("commune_valid_from")),
            "valid_from": valid_from,
            "valid_to": valid_to,
            "source": row.text("source", max_length=200),
        },
    )


def _time(row: RowReader) -> tuple[date | None, date | None]:
    valid_from, valid_to = row.day("valid_from"), row.day("valid_to")
    if valid_from and valid_to and valid_to < valid_from:
        row.refuse("valid_to", _("It ends before it begins."))
    return valid_from, valid_to


def _refuse_doubles(places: list[_Place]) -> None:
    seen: set[Key] = set()
    for place in places:
        if place.key in seen:
            place.row.refuse("code", _("This code stands twice in the list."))
        seen.add(place.key)


def _point_to_communes(villages: list[_Place], communes: dict[Key, Commune]) -> None:
    for village in villages:
        commune = communes.get(village.values["commune"])
        if commune is None:
            village.row.refuse("commune_code", _("There is no such commune."))
        village.values["commune"] = commune


def _take_over(
    model: type[Unit], places: list[_Place], known: dict[Key, Unit]
) -> tuple[int, int, int]:
    """Write the rows, then who follows whom; adds new rows to `known`. New, changed, unchanged."""
    outcome = {}
    for place in places:
        unit = known.get(place.key)
        if unit is None:
            known[place.key] = model.objects.create(**place.values)
            outcome[place.key] = "new"
        elif _change(unit, place.values):
            outcome[place.key] = "changed"
    for place in places:
        successor = known.get(place.successor) if place.successor else None
        if place.successor and successor is None:
            place.row.refuse("successor_code", _("There is no such successor."))
        elif _follows(successor, known[place.key]):
            place.row.refuse("successor_code", _("The successors lead round in a circle."))
        elif _change(known[place.key], {"successor": successor}):
            outcome.setdefault(place.key, "changed")
    new = sum(what == "new" for what in outcome.values())
    return new, len(outcome) - new, len(places) - len(outcome)


def _change(unit: Commune | Village, values: dict[str, Any]) -> bool:
    """Write what differs; False when nothing does."""
    different = [name for name, value in values.items() if getattr(unit, name) != value]
    for name in different:
        setattr(unit, name, values[name])
    if different:
        unit.save(update_fields=[*different, "updated_at"])
    return bool(different)


def _follows(successor: Unit | None, unit: Unit) -> bool:
    """Whether the way from this successor leads back to the unit."""
    while successor is not None:
        if successor == unit:
            return True
        successor = successor.successor
    return False


def _stop_at(problems: list[RowProblem]) -> None:
    if problems:
        raise TableRefusedError(problems)
