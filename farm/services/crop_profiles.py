"""Crop profiles: loaded from the portal's own file, then the cooperative's to change."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

from django.db import transaction
from django.utils.translation import gettext as _

from common.reference_table import RowProblem, RowReader, TableRefusedError, readers
from farm.models import CropProfile, CropStage

Rows = Iterable[Mapping[str, str]]
Values = dict[str, Any]

PROFILE_NUMBERS: Final = ("soil_days", "soil_kg_per_m2", "soil_litres_per_kg", "soil_hours_per_m2")
STAGE_PAIRS: Final = ("ec", "ph", "air", "humidity", "vpd")
STAGE_NUMBERS: Final = (
    *(f"{name}_{end}" for name in STAGE_PAIRS for end in ("low", "high")),
    "water_high",
    "dli",
    "drain_percent",
)
PROFILE_FIELDS: Final = (
    "code", "name", "is_verified", "source", "source_date", "note", *PROFILE_NUMBERS, "soil_source",
)  # fmt: skip
STAGE_FIELDS: Final = ("position", "name", "days", *STAGE_NUMBERS, "source", "source_date")
WORDS_FOR_TRUE: Final = {"yes": True, "no": False}
LONGEST: Final = 2000


class ProfilesLoaded(NamedTuple):
    """What a file of profiles did; `kept` are those that the cooperative has made its own."""

    new: int
    changed: int
    unchanged: int
    kept: int


@transaction.atomic
def load_crop_profiles(*, profiles: Rows, stages: Rows) -> ProfilesLoaded:
    """Take over profiles and their stages (columns of farm/profile_data/*.csv).

    A profile that we know is changed only while it still says what the file last wrote; one edited
    by anybody in any way stays, and so does one that the cooperative made itself. The same file
    twice changes nothing. Nothing is ever deleted but the stages of a profile that is replaced.
    Raises TableRefusedError, row by row, and then changes nothing.
    """
    read = _read(profiles, stages)
    known = {
        profile.code: profile
        for profile in CropProfile.objects.select_for_update().prefetch_related("stages")
    }
    counts = {"new": 0, "changed": 0, "unchanged": 0, "kept": 0}
    for values, stage_rows in read:
        profile = known.get(values["code"])
        fate = _fate(profile, values, stage_rows)
        counts[fate] += 1
        if fate in {"new", "changed"}:
            _write(profile or CropProfile(), values, stage_rows)
    return ProfilesLoaded(**counts)


@transaction.atomic
def change_profile(*, profile: CropProfile, **fields: Any) -> CropProfile:
    """Write what the cooperative says of a crop; from then on no file changes it."""
    for name, value in fields.items():
        setattr(profile, name, value)
    profile.save(update_fields=[*fields, "updated_at"])
    return profile


@transaction.atomic
def change_stage(*, stage: CropStage, **fields: Any) -> CropStage:
    """Write what the cooperative says of a growth stage."""
    for name, value in fields.items():
        setattr(stage, name, value)
    stage.save(update_fields=list(fields))
    return stage


def _fate(profile: CropProfile | None, values: Values, stages: list[Values]) -> str:
    if profile is None:
        return "new"
    if profile.loaded_digest != _digest_of_rows(profile):
        return "kept"
    return "unchanged" if profile.loaded_digest == _digest(values, stages) else "changed"


def _write(profile: CropProfile, values: Values, stages: list[Values]) -> None:
    for name, value in values.items():
        setattr(profile, name, value)
    profile.loaded_digest = _digest(values, stages)
    profile.save()
    profile.stages.all().delete()
    CropStage.objects.bulk_create(CropStage(profile=profile, **stage) for stage in stages)


def _digest(values: Values, stages: list[Values]) -> str:
    """Sum up what a profile says, so that any later edit shows."""
    said = json.dumps([values, stages], default=str, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(said.encode()).hexdigest()


def _digest_of_rows(profile: CropProfile) -> str:
    stages = sorted(profile.stages.all(), key=lambda stage: stage.position)
    return _digest(
        {name: getattr(profile, name) for name in PROFILE_FIELDS},
        [{name: getattr(stage, name) for name in STAGE_FIELDS} for stage in stages],
    )


def _read(profiles: Rows, stages: Rows) -> list[tuple[Values, list[Values]]]:
    """Read both tables; raise TableRefusedError with everything that is wrong in them."""
    problems: list[RowProblem] = []
    stages_by_profile: dict[str, list[Values]] = {}
    values_by_code: dict[str, Values] = {}
    for row in readers("profiles", profiles, problems):
        values = _profile(row)
        if values["code"] in values_by_code:
            row.refuse("code", _("This code stands twice in the list."))
        values_by_code[values["code"]] = values
        stages_by_profile[values["code"]] = []
    for row in readers("stages", stages, problems):
        code = row.text("profile", max_length=30)
        if code not in stages_by_profile:
            row.refuse("profile", _("There is no profile with this code."))
            continue
        stages_by_profile[code].append(_stage(row, stages_by_profile[code]))
    if problems:
        raise TableRefusedError(problems)
    return [
        (values, sorted(stages_by_profile[code], key=lambda stage: stage["position"]))
        for code, values in values_by_code.items()
    ]


def _profile(row: RowReader) -> Values:
    verified = row.text("is_verified", max_length=3)
    if verified not in WORDS_FOR_TRUE:
        row.refuse("is_verified", _("Write yes or no."))
    return {
        "code": row.text("code", max_length=30),
        "name": row.text("name", max_length=80),
        "is_verified": WORDS_FOR_TRUE.get(verified, False),
        "source": row.text("source", max_length=LONGEST),
        "source_date": row.day("source_date"),
        "note": row.text("note", max_length=LONGEST, is_required=False),
        **{name: _number(row, name) for name in PROFILE_NUMBERS},
        "soil_days": _whole(row, "soil_days"),
        "soil_source": _soil_source(row),
    }


def _soil_source(row: RowReader) -> str:
    """Read where the soil figures come from; a figure without a source is refused."""
    has_figure = any((row.cells.get(name) or "").strip() for name in PROFILE_NUMBERS)
    return row.text("soil_source", max_length=LONGEST, is_required=has_figure)


def _stage(row: RowReader, before: list[Values]) -> Values:
    stage: Values = {
        "position": _whole(row, "position") or 0,
        "name": row.text("name", max_length=80),
        "days": _whole(row, "days") or 0,
        **{name: _number(row, name) for name in STAGE_NUMBERS},
        "source": row.text("source", max_length=LONGEST),
        "source_date": row.day("source_date"),
    }
    if not stage["days"]:
        row.refuse("days", _("A stage lasts at least one day."))
    if any(other["position"] == stage["position"] for other in before):
        row.refuse("position", _("The profile has another stage in this place."))
    for name in STAGE_PAIRS:
        low, high = stage[f"{name}_low"], stage[f"{name}_high"]
        if low is not None and high is not None and low > high:
            row.refuse(f"{name}_low", _("This is more than the upper end."))
    return stage


def _number(row: RowReader, column: str) -> float | None:
    value = row.text(column, max_length=12, is_required=False)
    if not value:
        return None
    try:
        number = float(value)
    except ValueError:
        number = -1.0
    if not 0 <= number < 100_000:
        row.refuse(column, _("This is not a figure that can be used. Write it like 1.8."))
        return None
    return number


def _whole(row: RowReader, column: str) -> int | None:
    number = _number(row, column)
    if number is not None and number != int(number):
        row.refuse(column, _("Whole numbers only."))
    return None if number is None else int(number)
