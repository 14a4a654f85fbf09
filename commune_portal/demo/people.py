"""Invented households of the demo commune, always the same for the same seed and number.

Nothing here depends on the day: people have an age and a number of days since their birthday, and
become birth dates when somebody says what day it is. So every figure can be told in advance.
"""

import random
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from typing import Final, NamedTuple

from common.phone import to_e164
from commune_portal.demo.accounts import (
    RESIDENT_OF_TWO_HOUSEHOLDS,
    RESIDENT_WITH_BILLS,
    VILLAGE_HEAD,
)
from commune_portal.demo.names import FEMALE, MALE, family_name, first_names

SEED: Final = 16072
HOUSEHOLDS: Final = 2000
FEWEST_HOUSEHOLDS: Final = 8  # one in each village; from 40 on, all those of the demo accounts
WORKING_AGES: Final = range(15, 60)

PERMANENT: Final = "permanent"
TEMPORARY: Final = "temporary"
AWAY: Final = "away"


class DemoVillage(NamedTuple):
    """A village: its share of 2,000 households, and the families that are many there."""

    code: str
    households: int
    clans: tuple[str, ...]


VILLAGES: Final = (
    DemoVillage("XY", 310, ("Lê", "Trần")),
    DemoVillage("PT", 290, ("Nguyễn",)),
    DemoVillage("DT", 275, ("Phạm", "Bùi")),
    DemoVillage("YT", 255, ("Hoàng",)),
    DemoVillage("BH", 240, ("Vũ", "Trịnh")),
    DemoVillage("HP", 225, ("Nguyễn", "Mai")),
    DemoVillage("TL", 210, ("Đỗ",)),
    DemoVillage("MT", 195, ("Trịnh", "Lưu")),
)


class Person(NamedTuple):
    """One resident; `days` is how many days ago the last birthday was, 0 to 363."""

    full_name: str
    sex: str
    age: int
    days: int = 180
    residence: str = PERMANENT
    phone: str = ""

    def birth_date(self, *, today: date) -> date:
        """Give the birth date by which the person has exactly this age today."""
        birthday = today - timedelta(days=self.days)
        if (birthday.month, birthday.day) == (2, 29):
            birthday -= timedelta(days=1)
        return birthday.replace(year=birthday.year - self.age)


class House(NamedTuple):
    """One household; its first person speaks for it, `phone` is its contact number or ""."""

    code: str
    village: str
    lane: str
    phone: str
    people: tuple[Person, ...]

    @property
    def representative(self) -> str:
        return self.people[0].full_name


def _known_houses() -> dict[str, House]:
    """Give the households of the demo accounts, written out so that guides can name them."""
    hong, thang = to_e164(RESIDENT_WITH_BILLS.phone), to_e164(RESIDENT_OF_TWO_HOUSEHOLDS.phone)
    khoa = to_e164(VILLAGE_HEAD.phone)
    houses = (
        House(
            "XY-0001",
            "XY",
            "Ngõ 1, nhà 5",
            hong,
            (
                Person(RESIDENT_WITH_BILLS.full_name, FEMALE, 41, phone=hong),
                Person("Trần Văn Hải", MALE, 44, residence=AWAY),
                Person("Trần Thị Bích", FEMALE, 70),
                Person("Trần Minh Quân", MALE, 13),
                Person("Trần Ngọc Diệp", FEMALE, 4),
            ),
        ),
        House(
            "XY-0002",
            "XY",
            "Ngõ 2, nhà 3",
            thang,
            (
                Person(RESIDENT_OF_TWO_HOUSEHOLDS.full_name, MALE, 38, phone=thang),
                Person("Phạm Thị Thuý", FEMALE, 36),
                Person("Nguyễn Gia Huy", MALE, 12),
            ),
        ),
        House(
            "XY-0003",
            "XY",
            "Ngõ 2, nhà 4",
            thang,
            (Person("Nguyễn Văn Lợi", MALE, 68), Person("Lê Thị Mùi", FEMALE, 66)),
        ),
        House(
            "XY-0004",
            "XY",
            "Ngõ 4, nhà 1",
            khoa,
            (
                Person(VILLAGE_HEAD.full_name, MALE, 57, phone=khoa),
                Person("Hoàng Thị Hiền", FEMALE, 55),
            ),
        ),
    )
    return {house.code: house for house in houses}


def generate(*, households: int = HOUSEHOLDS, seed: int = SEED) -> list[House]:
    """Invent that many households, spread over the villages as in the commune."""
    known = _known_houses()
    rng = random.Random(f"people-{seed}")  # noqa: S311  # repeatable on purpose, no secret
    phones = _phones(rng)
    houses = []
    for village, count in _spread(households):
        for number in range(1, count + 1):
            code = f"{village.code}-{number:04d}"
            people = _family(rng, village.clans)
            houses.append(known.get(code) or _house(rng, code, people, phones))
    return houses


def _spread(households: int) -> Iterator[tuple[DemoVillage, int]]:
    """Split the number by the villages' sizes; what rounding leaves goes to the largest rests."""
    total = sum(village.households for village in VILLAGES)
    shares = {village: divmod(village.households * households, total) for village in VILLAGES}
    left = households - sum(count for count, _rest in shares.values())
    by_rest = sorted(VILLAGES, key=lambda village: -shares[village][1])
    for village in VILLAGES:
        yield village, shares[village][0] + (village in by_rest[:left])


def _phones(rng: random.Random) -> Iterator[str]:
    """Give numbers of the block 0990 00x xxx, each once, none of those of the demo accounts."""
    numbers = list(range(100, 10_000))
    rng.shuffle(numbers)
    return (f"+8499000{number:04d}" for number in numbers)


def _house(rng: random.Random, code: str, people: list[Person], phones: Iterator[str]) -> House:
    """Give the house a lane and phones: most adults have one, few above eighty."""
    members = [
        person._replace(
            days=rng.randrange(364),
            phone=next(phones) if rng.random() < _phone_share(person.age) else "",
        )
        for person in people
    ]
    lane = f"Ngõ {rng.randint(1, 18)}, nhà {rng.randint(1, 40)}"
    phone = next((person.phone for person in members if person.phone), "")
    return House(code, code.split("-", maxsplit=1)[0], lane, phone, tuple(members))


def _phone_share(age: int) -> float:
    if age < 16:
        return 0.0
    return 0.72 if age < 65 else 0.45 if age < 80 else 0.15


def _family(rng: random.Random, clans: tuple[str, ...]) -> list[Person]:
    """Draw one of the usual kinds of household, the person who speaks for it first."""
    name = family_name(rng, clans=clans)
    kinds = (_elder_alone, _elder_couple, _parents_and_children, _three_generations, _left_behind)
    [kind] = rng.choices(kinds, weights=(10, 14, 45, 24, 7))
    return kind(rng, name)


def _person(rng: random.Random, name: str, sex: str, age: int, *, away: float = 0.0) -> Person:
    """Name one person; `away` is how likely one of working age works far from home."""
    residence = PERMANENT
    if age in range(18, 50) and rng.random() < away:
        residence = AWAY
    elif rng.random() < 0.008:
        residence = TEMPORARY
    return Person(f"{name} {first_names(rng, sex=sex, age=age)}", sex, age, residence=residence)


def _couple(
    rng: random.Random, name: str, *, man: int, away: tuple[float, float] = (0.0, 0.0)
) -> list[Person]:
    """Give husband and wife; she keeps her father's family name."""
    woman = max(19, man - rng.choice((-1, 0, 1, 1, 2, 2, 3, 4, 5)))
    return [
        _person(rng, name, MALE, man, away=away[0]),
        _person(rng, family_name(rng), FEMALE, woman, away=away[1]),
    ]


def _children(rng: random.Random, name: str, *, mother: int) -> list[Person]:
    """Give the children who are still on the family's register, eldest first."""
    [wanted] = rng.choices((0, 1, 2, 3, 4), weights=(4, 20, 50, 22, 4))
    born_at = rng.randint(20, 27)
    children = []
    for _place in range(wanted):
        age = mother - born_at
        born_at += rng.randint(2, 6)
        if age < 0 or born_at > 46:
            break
        # Grown children marry and move to a register of their own.
        if age > 34 or (age > 22 and rng.random() < 0.62):
            continue
        sex = MALE if rng.random() < 0.53 else FEMALE
        children.append(_person(rng, name, sex, age, away=0.42))
    return children


def _elder_alone(rng: random.Random, name: str) -> list[Person]:
    sex = FEMALE if rng.random() < 0.74 else MALE
    return [_person(rng, name, sex, rng.randint(60, 92))]


def _elder_couple(rng: random.Random, name: str) -> list[Person]:
    return _couple(rng, name, man=rng.randint(58, 86))


def _parents_and_children(rng: random.Random, name: str) -> list[Person]:
    pair = _couple(rng, name, man=rng.randint(26, 60), away=(0.24, 0.12))
    return [*_at_home_first(pair), *_children(rng, name, mother=pair[1].age)]


def _three_generations(rng: random.Random, name: str) -> list[Person]:
    pair = _couple(rng, name, man=rng.randint(27, 49), away=(0.30, 0.16))
    elders = _couple(rng, name, man=pair[0].age + rng.randint(22, 32))
    if rng.random() < 0.45:
        # Women live longer.
        elders = elders[1:] if rng.random() < 0.75 else elders[:1]
    return [*_at_home_first(pair), *_children(rng, name, mother=pair[1].age), *elders]


def _left_behind(rng: random.Random, name: str) -> list[Person]:
    """Give grandparents who raise the children while the parents work far away."""
    elders = _couple(rng, name, man=rng.randint(52, 70))
    parents = _couple(rng, name, man=elders[0].age - rng.randint(23, 29), away=(1.0, 1.0))
    return [*elders, *parents, *_children(rng, name, mother=parents[1].age)]


def _at_home_first(pair: list[Person]) -> list[Person]:
    return sorted(pair, key=lambda person: person.residence == AWAY)


def residents(houses: Iterable[House]) -> Iterator[tuple[House, int, Person]]:
    """Walk over everybody: their house, their number in it from 1, themselves."""
    for house in houses:
        for number, person in enumerate(house.people, start=1):
            yield house, number, person
