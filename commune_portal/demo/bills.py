"""Invented bills of the demo commune: always the same figures, with days counted from today.

The portal of the demo was opened village by village: two months ago in Xuân Yên, last month in
two villages, this month in all eight. So older bills are fewer, and mostly paid.
"""

import random
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from datetime import date, timedelta
from itertools import count
from typing import Final, NamedTuple

from commune_portal.demo.people import SEED, VILLAGES, House, Person

MONTHS: Final = (2, 1, 0)  # months ago, oldest first
_VILLAGES_BY_MONTH: Final = {2: 1, 1: 2, 0: 8}
_PAID_SHARE: Final = {2: 0.95, 1: 0.82, 0: 0.29}
# Days ago between which the bills of a month were paid; days until they are due.
_PAID_DAYS_AGO: Final = {2: (36, 58), 1: (5, 27), 0: (1, 3)}
_DUE_IN: Final = {2: -40, 1: -10, 0: 9}
_ISSUED_AGO: Final = {2: 62, 1: 31, 0: 4}

_CHANNELS: Final = {
    "mobile_app": 52, "qr": 28, "wallet": 8, "internet_banking": 5, "counter": 4, "auto_debit": 2,
    "atm": 1,
}  # fmt: skip

# The houses of the demo accounts: paid up, with the bills of this month still open.
SHOWN_HOUSEHOLDS: Final = frozenset({"XY-0001", "XY-0002", "XY-0003", "XY-0004"})

# Step (kWh) and price (đồng/kWh) of household electricity: Decision 1279/QĐ-BCT, May 2025, with
# 8 % VAT. Only to make the amounts look right.
_ELECTRICITY: Final = ((50, 1984), (50, 2050), (100, 2380), (100, 2998), (100, 3350), (9999, 3460))


class BillerFacts(NamedTuple):
    """Somebody whom the demo's households owe. The account is letters, so no bank can take it."""

    code: str
    name: str
    service: str
    bank_bin: str
    account_number: str
    account_name: str
    amount_rule: str
    customer_code_label: str
    customer_code_pattern: str


ELECTRICITY: Final = BillerFacts(
    "dien-luc", "Điện lực Hậu Lộc", "electricity", "970405", "DEMODIENLUC01",
    "DEMO DIEN LUC HAU LOC", "exact", "Mã khách hàng", r"PA07HL\d{7}",
)  # fmt: skip
WATER: Final = BillerFacts(
    "nuoc-sach", "Nhà máy nước sạch Hậu Lộc", "water", "970415", "DEMONUOCSACH02",
    "DEMO NUOC SACH HAU LOC", "exact", "Mã khách hàng", r"NS\d{6}",
)  # fmt: skip
PRESCHOOL: Final = BillerFacts(
    "mam-non", "Trường Mầm non Phú Lộc", "tuition", "970405", "DEMOMAMNON03",
    "DEMO TRUONG MAM NON PHU LOC", "exact", "Mã học sinh", r"MN\d{5}",
)  # fmt: skip
SECONDARY_SCHOOL: Final = BillerFacts(
    "thcs", "Trường THCS Phú Lộc", "tuition", "970418", "DEMOTHCS04",
    "DEMO TRUONG THCS PHU LOC", "at_most", "Mã học sinh", r"CS\d{5}",
)  # fmt: skip
HOSPITAL: Final = BillerFacts(
    "benh-vien", "Bệnh viện Đa khoa Hậu Lộc", "hospital", "970436", "DEMOBENHVIEN05",
    "DEMO BENH VIEN DA KHOA HAU LOC", "exact", "Mã bệnh nhân", r"BN\d{6}",
)  # fmt: skip
TELEPHONE: Final = BillerFacts(
    "vnpt", "VNPT Thanh Hoá", "telephone", "970422", "DEMOVNPT06",
    "DEMO VNPT THANH HOA", "exact", "Mã thuê bao", r"TH\d{8}",
)  # fmt: skip
SANITATION: Final = BillerFacts(
    "ve-sinh", "Tổ vệ sinh môi trường Phú Lộc", "sanitation", "970449", "DEMOVESINH07",
    "DEMO TO VE SINH MOI TRUONG", "exact", "Mã hộ", r"[A-Z]{2}-\d{4}",
)  # fmt: skip
COMMUNE: Final = BillerFacts(
    "uy-ban", "Uỷ ban nhân dân xã", "administrative_fee", "970405", "DEMOUYBAN08",
    "DEMO UBND XA", "exact", "Mã hộ", r"[A-Z]{2}-\d{4}",
)  # fmt: skip
BILLERS: Final = (
    ELECTRICITY, WATER, PRESCHOOL, SECONDARY_SCHOOL, HOSPITAL, TELEPHONE, SANITATION, COMMUNE,
)  # fmt: skip


class DemoPayment(NamedTuple):
    """How a bill was paid: so many days and seconds of that day ago, and by which channel."""

    amount: int
    days_ago: int
    second: int
    channel: str


class DemoBill(NamedTuple):
    """One bill; what the bank reported about it is in `payments`, oldest first."""

    biller: BillerFacts
    reference: str
    customer_code: str
    household: str
    payer_name: str
    amount: int
    month: int
    payments: tuple[DemoPayment, ...] = ()
    is_cancelled: bool = False

    @property
    def paid(self) -> int:
        """What the payments put on the bill; more than is owed stays unapplied."""
        return min(self.amount, sum(payment.amount for payment in self.payments))

    @property
    def owed(self) -> int:
        return 0 if self.is_cancelled else self.amount - self.paid

    def due_date(self, *, today: date) -> date:
        return today + timedelta(days=_DUE_IN[self.month])

    def issue_date(self, *, today: date) -> date:
        return today - timedelta(days=_ISSUED_AGO[self.month])

    def period(self, *, today: date) -> str:
        """Name the calendar month that the bill is for: the one before it was issued."""
        if self.biller in (HOSPITAL, COMMUNE):
            return ""
        issued = today.year * 12 + today.month - 1 - self.month - 1
        return f"{issued % 12 + 1:02d}/{issued // 12}"


class _Charge(NamedTuple):
    """One thing to be billed before it has a number: for which month, to whom, how much."""

    month: int
    customer_code: str
    household: str
    payer_name: str
    amount: int


def generate(houses: list[House], *, seed: int = SEED) -> list[DemoBill]:
    """Invent the bills of these households, biller by biller, in a lasting order."""
    bills: list[DemoBill] = []
    for biller, charges in _CHARGES.items():
        rng = random.Random(f"bills-{biller.code}-{seed}")  # noqa: S311  # repeatable on purpose
        numbers = count(1)
        for charge in charges(rng, houses):
            reference = f"{biller.code.upper()}-{next(numbers):06d}"
            bill = DemoBill(
                biller,
                reference,
                charge.customer_code,
                charge.household,
                charge.payer_name,
                charge.amount,
                charge.month,
            )
            bills.append(_settle(rng, bill))
    return _with_troubles(bills)


def _settle(rng: random.Random, bill: DemoBill) -> DemoBill:
    """Let the bill be paid or not; the houses of the demo accounts pay as their guide says."""
    is_paid = rng.random() < _PAID_SHARE[bill.month]
    if bill.household in SHOWN_HOUSEHOLDS:
        is_paid = bill.month > 0
    payment = _payment(rng, bill)
    return bill._replace(payments=(payment,)) if is_paid else bill


def _payment(rng: random.Random, bill: DemoBill) -> DemoPayment:
    [channel] = rng.choices(list(_CHANNELS), weights=list(_CHANNELS.values()))
    return DemoPayment(
        amount=bill.amount,
        days_ago=rng.randint(*_PAID_DAYS_AGO[bill.month]),
        second=rng.randrange(6 * 3600, 22 * 3600),
        channel=channel,
    )


def _taking_part(houses: Iterable[House]) -> Iterator[tuple[int, House]]:
    """Walk over months, oldest first, and the households that the portal had reached by then."""
    houses = list(houses)
    for month in MONTHS:
        villages = {village.code for village in VILLAGES[: _VILLAGES_BY_MONTH[month]]}
        for house in houses:
            if house.village in villages:
                yield month, house


def _number(house: House) -> int:
    """Give a household its number in the whole commune: 1 to 999, 1001 to 1999, and so on."""
    village = next(place for place, one in enumerate(VILLAGES) if one.code == house.village)
    return village * 1000 + int(house.code.rpartition("-")[2])


def _thousands(amount: float) -> int:
    return max(1, round(amount / 1000)) * 1000


def _electricity(rng: random.Random, houses: list[House]) -> Iterator[_Charge]:
    usual: dict[str, float] = {}
    for month, house in _taking_part(houses):
        if house.code not in usual:
            usual[house.code] = rng.lognormvariate(4.3, 0.42) * (0.55 + 0.16 * len(house.people))
        kwh = max(8, round(usual[house.code] * rng.uniform(0.86, 1.16)))
        code = f"PA07HL{_number(house):07d}"
        yield _Charge(month, code, house.code, house.representative, electricity_vnd(kwh))


def electricity_vnd(kwh: int) -> int:
    """Price a month's electricity in đồng, by steps, with VAT.

    >>> electricity_vnd(50), electricity_vnd(120)
    (107136, 269244)
    """
    total = 0
    for step, price in _ELECTRICITY:
        total += min(kwh, step) * price
        kwh -= min(kwh, step)
    return round(total * 1.08)


def _water(rng: random.Random, houses: list[House]) -> Iterator[_Charge]:
    """Bill one house in five: the mains reach only part of the villages."""
    for month, house in _taking_part(houses):
        if _number(house) % 5 == 1:
            cubic_metres = max(1, round(rng.gauss(2.4, 0.5) * len(house.people)))
            amount = cubic_metres * 9_400
            code = f"NS{_number(house):06d}"
            yield _Charge(month, code, house.code, house.representative, amount)


def _pupils(house: House, ages: range) -> Iterator[tuple[int, Person]]:
    """Give the children of these ages with a number of their own."""
    for place, person in enumerate(house.people):
        if person.age in ages:
            yield _number(house) * 10 + place, person


def _preschool(rng: random.Random, houses: list[House]) -> Iterator[_Charge]:
    """Bill the month's meals: 24,000 đồng for each day of school, and the care at noon."""
    for month, house in _taking_part(houses):
        for number, child in _pupils(house, range(3, 6)):
            amount = rng.randint(16, 22) * 24_000 + 100_000
            yield _Charge(month, f"MN{number:05d}", house.code, child.full_name, amount)


def _secondary_school(rng: random.Random, houses: list[House]) -> Iterator[_Charge]:
    """Bill once a term, this month: insurance, afternoon lessons, the parents' fund."""
    for month, house in _taking_part(houses):
        if month == 0:
            for number, child in _pupils(house, range(11, 15)):
                amount = rng.choice((385_000, 420_000, 465_000, 520_000))
                yield _Charge(month, f"CS{number:05d}", house.code, child.full_name, amount)


def _hospital(rng: random.Random, houses: list[House]) -> Iterator[_Charge]:
    for month, house in _taking_part(houses):
        if rng.random() < 0.03:
            patient = rng.choice(house.people)
            amount = _thousands(rng.lognormvariate(11.6, 0.9))
            code = f"BN{_number(house):06d}"
            yield _Charge(month, code, house.code, patient.full_name, amount)


def _telephone(rng: random.Random, houses: list[House]) -> Iterator[_Charge]:
    """Bill one house in eleven: the others are with other companies, or have no line."""
    for month, house in _taking_part(houses):
        if _number(house) % 11 == 1:
            amount = rng.choice((165_000, 180_000, 180_000, 195_000, 220_000, 249_000))
            code = f"TH{_number(house):08d}"
            yield _Charge(month, code, house.code, house.representative, amount)


def _sanitation(rng: random.Random, houses: list[House]) -> Iterator[_Charge]:
    """Bill the first two villages this month, 5,000 đồng a head but at least 10,000."""
    villages = {village.code for village in VILLAGES[:2]}
    for month, house in _taking_part(houses):
        if month == 0 and house.village in villages:
            amount = max(10_000, 5_000 * len(house.people))
            yield _Charge(month, house.code, house.code, house.representative, amount)


def _administrative_fee(rng: random.Random, houses: list[House]) -> Iterator[_Charge]:
    for month, house in _taking_part(houses):
        if rng.random() < 0.018:
            amount = rng.choice((8_000, 10_000, 15_000, 20_000, 50_000))
            yield _Charge(month, house.code, house.code, house.representative, amount)


_CHARGES: Final[dict[BillerFacts, Callable[[random.Random, list[House]], Iterator[_Charge]]]] = {
    ELECTRICITY: _electricity,
    WATER: _water,
    PRESCHOOL: _preschool,
    SECONDARY_SCHOOL: _secondary_school,
    HOSPITAL: _hospital,
    TELEPHONE: _telephone,
    SANITATION: _sanitation,
    COMMUNE: _administrative_fee,
}


def _with_troubles(bills: list[DemoBill]) -> list[DemoBill]:
    """Let a few go wrong, as they do: instalments, paid twice, paid too much, cancelled."""
    seen: Counter[str] = Counter()
    return [_trouble(bill, seen) for bill in bills]


def _trouble(bill: DemoBill, seen: Counter[str]) -> DemoBill:
    if bill.household in SHOWN_HOUSEHOLDS:
        return bill
    if bill.biller == SECONDARY_SCHOOL and bill.payments and _is_next(seen, "instalment", 8):
        half = bill.payments[0]._replace(amount=bill.amount // 2_000 * 1_000)
        return bill._replace(payments=(half,))
    if bill.biller == ELECTRICITY and bill.payments and bill.month == 1:
        first = bill.payments[0]
        if _is_next(seen, "twice", 3):
            again = first._replace(days_ago=first.days_ago - 2)
            return bill._replace(payments=(first, again))
        if _is_next(seen, "excess", 4):
            rounded = -(-bill.amount // 50_000) * 50_000
            return bill._replace(payments=(first._replace(amount=rounded),))
    if bill.biller == WATER and not bill.payments and _is_next(seen, "cancelled", 5):
        return bill._replace(is_cancelled=True)
    return bill


def _is_next(seen: Counter[str], trouble: str, wanted: int) -> bool:
    """Say whether this bill is one of the first `wanted` that can have the trouble."""
    seen[trouble] += 1
    return seen[trouble] <= wanted
