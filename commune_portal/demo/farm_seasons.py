"""Earlier batches of the demo greenhouses, so that there is something to compare with.

Days count back from the day of loading; a season is better than the one before it, as with people
who learn. Yields lie around those of the crops' sources (farm/profile_data).
"""

import random
from collections.abc import Iterator
from typing import Final, NamedTuple

SEED: Final = 2611


class Season(NamedTuple):
    """One batch: `sown` and `ended` are days ago, `ended` None while it grows.

    `kg_m2` is the whole yield, `pickings` over how many days it was spread.
    """

    house: str
    zone: str
    crop: str
    variety: str
    sown: int
    planted: int
    first_pick: int
    ended: int | None
    area_m2: float
    plants: int
    kg_m2: float
    pickings: int
    price_vnd: int
    hours_m2: float
    cost_m2_vnd: int
    litres_m2_day: float
    method: str = ""

    @property
    def grown_in(self) -> str:
        """How it grew: racks of nm1 in water, beds of nm2 in coir, unless said otherwise."""
        return self.method or ("hydroponic" if self.house == "nm1" else "substrate")


class Picking(NamedTuple):
    """A harvest: days ago, kg, grade, đồng."""

    day: int
    kg: float
    grade: str
    vnd: int


SEASONS: Final = (
    Season("nm1", "gian-1", "lettuce", "Lolo xanh", 172, 160, 131, 128, 140, 2800, 3.2, 2,
           32_000, 0.42, 38_000, 2.1),
    Season("nm1", "gian-1", "lettuce", "Lolo xanh", 126, 114, 88, 85, 140, 2800, 3.5, 2,
           32_000, 0.36, 36_000, 1.9),
    Season("nm1", "gian-1", "lettuce", "Xà lách Romaine", 82, 70, 46, 43, 140, 2800, 3.7, 2,
           34_000, 0.33, 35_000, 1.8),
    Season("nm1", "gian-1", "lettuce", "Lolo xanh", 34, 22, 6, None, 140, 2800, 3.8, 2,
           35_000, 0.30, 34_000, 1.7),
    Season("nm1", "gian-2", "leafy-greens", "Cải ngọt", 150, 136, 121, 118, 130, 3900, 2.4, 2,
           18_000, 0.35, 21_000, 1.9),
    Season("nm1", "gian-2", "leafy-greens", "Cải ngọt", 112, 98, 84, 81, 130, 3900, 2.6, 2,
           18_000, 0.31, 20_000, 1.8),
    Season("nm1", "gian-2", "leafy-greens", "Rau muống", 76, 63, 49, 44, 130, 3900, 2.9, 3,
           16_000, 0.29, 19_000, 1.9),
    Season("nm1", "gian-2", "leafy-greens", "Cải ngọt", 30, 17, 3, None, 130, 3900, 2.8, 3,
           19_000, 0.27, 19_000, 1.7),
    Season("nm2", "luong-1", "melon", "Dưa lưới TL3", 290, 278, 209, 203, 180, 396, 3.3, 3,
           38_000, 0.62, 74_000, 2.6),
    Season("nm2", "luong-1", "melon", "Dưa lưới TL3", 190, 178, 111, 105, 180, 396, 3.7, 3,
           40_000, 0.55, 70_000, 2.4),
    Season("nm2", "luong-1", "melon", "Dưa lưới Taki", 61, 49, 0, None, 180, 396, 3.9, 3,
           42_000, 0.50, 68_000, 2.3),
    Season("nm2", "luong-2", "melon", "Dưa lưới TL3", 270, 258, 190, 184, 180, 396, 3.4, 3,
           38_000, 0.60, 73_000, 2.5),
    Season("nm2", "luong-2", "watermelon", "Dưa hấu Hắc mỹ nhân", 165, 155, 101, 96, 180, 324,
           4.1, 2, 12_000, 0.48, 41_000, 2.6),
    Season("nm2", "luong-2", "melon", "Dưa lưới Taki", 34, 22, 0, None, 180, 396, 3.9, 3,
           42_000, 0.50, 68_000, 2.3),
    Season("nm2", "doi-chung", "melon", "Dưa lưới TL3, trồng đất", 205, 190, 118, 112, 60, 108, 2.2,
           2, 30_000, 0.95, 58_000, 3.4, "soil"),
)  # fmt: skip

# Share of a batch's money by kind, and of its hours by task, with the share of its time after
# which that was; planting and harvest have their own days.
COST_SHARES: Final = (
    ("seed", 0.22, 0.0),
    ("substrate", 0.18, 0.05),
    ("fertiliser", 0.24, 0.35),
    ("power", 0.16, 0.7),
    ("protection", 0.08, 0.5),
    ("other", 0.12, 0.9),
)
LABOUR_SHARES: Final = (
    ("sowing", 0.08, 0.0),
    ("planting", 0.16, None),
    ("care", 0.18, 0.35),
    ("care", 0.18, 0.6),
    ("harvest", 0.3, None),
    ("cleaning", 0.1, 1.0),
)
# What is sprayed is named, and picking waits as long as the label says. Both are examples.
SPRAYED: Final = "Chế phẩm sinh học Bt (ví dụ)"
WAITING_DAYS: Final = 3


def harvests(season: Season) -> Iterator[Picking]:
    """Tell what was picked and sold until today; a little of it is grade 2 or waste."""
    dice = random.Random(f"{SEED} {season}")  # noqa: S311  # invented figures, no secret
    last = season.ended if season.ended is not None else 0
    if season.ended is None and season.first_pick == 0:
        return
    span = max(season.first_pick - last, season.pickings)
    each = season.kg_m2 * season.area_m2 / season.pickings
    for number in range(season.pickings):
        day = season.first_pick - number * span // season.pickings
        if day < last:
            continue
        kg = round(each * dice.uniform(0.9, 1.1), 1)
        yield Picking(day, kg, "1", _thousands(kg * season.price_vnd))
        second = round(kg * dice.uniform(0.06, 0.12), 1)
        yield Picking(day, second, "2", _thousands(second * season.price_vnd * 0.5))
        yield Picking(day, round(kg * dice.uniform(0.01, 0.04), 1), "x", 0)


def worked(season: Season) -> Iterator[tuple[str, float, int]]:
    """Tell what was worked until today: task, share of the hours, days ago."""
    has_picked = season.ended is not None or season.first_pick > 0
    own_days = {"planting": season.planted, "harvest": season.first_pick if has_picked else -1}
    for task, share, when in LABOUR_SHARES:
        day = own_days[task] if when is None else days_ago(season, when)
        if day >= 0:
            yield task, share, day


def _thousands(vnd: float) -> int:
    return round(vnd / 1000) * 1000


def days_ago(season: Season, share: float) -> int:
    """Give the day, in days ago, at which that share of the batch's time is over.

    Negative for what a growing batch has still before it.
    """
    usual = 78 if season.house == "nm2" else 40
    whole = usual if season.ended is None else season.sown - season.ended
    return season.sown - round(share * whole)
