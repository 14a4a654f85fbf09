"""The book of the demo's batches: what was picked, spent and worked in a year."""

import random
import uuid
from collections.abc import Iterable, Mapping
from datetime import date, datetime, time, timedelta
from typing import Any

from django.utils import timezone

from accounts.models import User
from commune_portal.demo import farm_seasons
from commune_portal.demo.farm_seasons import SEASONS, Season
from farm.models import Batch, CostEntry, CropProfile, Harvest, LabourEntry, WaterUse, Zone


def write_seasons(
    zones: Mapping[tuple[str, str], Zone], by: User, *, today: date, lived_from: date
) -> int:
    """Write the batches of a year with what was picked, spent and worked.

    From `lived_from` on, water is what the runs gave: a day that has begun with none gets none.
    """
    profiles = {profile.code: profile for profile in CropProfile.objects.all()}
    for season in SEASONS:
        zone = zones[season.house, season.zone]
        batch = _batch(season, zone, profiles[season.crop], today=today)
        writer = _Book(batch, by, today=today)
        Harvest.objects.bulk_create(writer.harvests(season))
        CostEntry.objects.bulk_create(writer.costs(season))
        LabourEntry.objects.bulk_create(writer.labour(season))
        WaterUse.objects.bulk_create(
            (
                WaterUse(
                    zone=zone, day=day, is_measured=True,
                    litres=round(season.litres_m2_day * season.area_m2, 1),
                )
                for day in _days_of(season, today=today)
                if day < lived_from
            ),
        )  # fmt: skip
    return len(SEASONS)


def _batch(season: Season, zone: Zone, profile: CropProfile, *, today: date) -> Batch:
    sown = today - timedelta(days=season.sown)
    dice = random.Random(f"batch {season}")  # noqa: S311  # the same pages for everybody
    is_picked = any(True for _ in farm_seasons.harvests(season))
    going = Batch.Status.HARVESTING if is_picked else Batch.Status.GROWING
    is_over = season.ended is not None
    return Batch.objects.create(
        code=f"{season.house.upper()}-{sown:%y%m%d}",
        token=uuid.UUID(int=dice.getrandbits(128), version=4).hex,
        zone=zone,
        profile=profile,
        variety=season.variety,
        method=season.grown_in,
        area_m2=season.area_m2,
        plants=season.plants,
        sown_date=sown,
        transplanted_date=today - timedelta(days=season.planted),
        ended_date=today - timedelta(days=season.ended) if season.ended is not None else None,
        status=Batch.Status.ENDED if is_over else going,
    )


def _days_of(season: Season, *, today: date) -> Iterable[date]:
    last = season.ended if season.ended is not None else 0
    return (today - timedelta(days=ago) for ago in range(last, season.planted + 1))


class _Book:
    """Entries of one batch, each written on its own day."""

    def __init__(self, batch: Batch, by: User, *, today: date) -> None:
        self.batch, self.by, self.today = batch, by, today

    def harvests(self, season: Season) -> Iterable[Harvest]:
        return (
            Harvest(kg=one.kg, grade=one.grade, vnd=one.vnd, **self._entry(one.day))
            for one in farm_seasons.harvests(season)
        )

    def costs(self, season: Season) -> Iterable[CostEntry]:
        whole = season.cost_m2_vnd * season.area_m2
        for kind, share, when in farm_seasons.COST_SHARES:
            ago = farm_seasons.days_ago(season, when)
            if ago >= 0:
                is_sprayed = kind == CostEntry.Kind.PROTECTION
                yield CostEntry(
                    kind=kind,
                    vnd=int(round(whole * share, -3)),
                    note=farm_seasons.SPRAYED if is_sprayed else "",
                    waiting_days=farm_seasons.WAITING_DAYS if is_sprayed else None,
                    **self._entry(ago),
                )

    def labour(self, season: Season) -> Iterable[LabourEntry]:
        whole = season.hours_m2 * season.area_m2
        for task, share, ago in farm_seasons.worked(season):
            yield LabourEntry(task=task, hours=round(whole * share, 1), **self._entry(ago))

    def _entry(self, days_ago: int) -> dict[str, Any]:
        day = self.today - timedelta(days=days_ago)
        evening = datetime.combine(day, time(17), tzinfo=timezone.get_default_timezone())
        return {"batch": self.batch, "day": day, "by": self.by, "written_at": evening}
