"""The safety table: which interlock holds back what, from whom, and why.

It is data, so that people can read it (docs/farm-safety.md is made of it) and one test can walk
it. A fact that is missing is unsafe for whatever acts by itself: `FACT_UNKNOWN`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import product
from types import MappingProxyType

from farm import agronomy


class Interlock(StrEnum):
    """Why an output may have to stay as it is."""

    ESTOP = "estop"
    NODE_OFFLINE = "node_offline"
    LEASE_LOST = "lease_lost"
    OUTPUT_LOCKED = "output_locked"
    MANUAL_ONLY = "manual_only"
    DEVICE_INTERLOCK = "device_interlock"
    TANK_LOW = "tank_low"
    NO_FLOW = "no_flow"
    FLOW_AFTER_OFF = "flow_after_off"
    OVER_TEMPERATURE = "over_temperature"
    STALE_SENSOR = "stale_sensor"
    DAILY_LITRE_CAP = "daily_litre_cap"
    DAILY_DOSE_CAP = "daily_dose_cap"
    DOSE_UNRESOLVED = "dose_unresolved"
    NO_CIRCULATION = "no_circulation"
    MIXING_WAIT = "mixing_wait"
    FACT_UNKNOWN = "fact_unknown"


class Source(StrEnum):
    """Who asks (the values of Command.Source)."""

    PERSON = "person"
    API = "api"
    SCHEDULE = "schedule"
    LIGHT_SUM = "light_sum"
    HYSTERESIS = "hysteresis"
    DOSING = "dosing"
    SAFETY = "safety"
    SYSTEM = "system"


class Deed(StrEnum):
    """What is asked for, as far as safety tells it apart."""

    WATER = "water"  # run a valve or pump
    DOSE = "dose"  # what a doser does
    COOL = "cool"  # run a fan, or set its strength
    LIGHT = "light"  # run a light, or set its strength
    OTHER = "other"  # run anything else
    STOP = "stop"  # stop, stop_all
    PROBE = "probe"  # ping, resend: switches nothing
    CALIBRATE = "calibrate"  # shift what a probe shows: switches nothing


class Verdict(StrEnum):
    ALLOW = "allow"
    WARN = "warn"
    BLOCK = "block"


RULES = frozenset({Source.SCHEDULE, Source.LIGHT_SUM, Source.HYSTERESIS, Source.DOSING})
PROGRAMS = RULES | {Source.API, Source.SAFETY, Source.SYSTEM}
# These decide by a measured value, so they need one that is fresh.
BY_SENSOR = frozenset({Source.LIGHT_SUM, Source.HYSTERESIS, Source.DOSING})
SWITCHING = frozenset({Deed.WATER, Deed.DOSE, Deed.COOL, Deed.LIGHT, Deed.OTHER})


@dataclass(frozen=True, slots=True)
class Row:
    """One interlock over some deeds. Who is not among `blocked` and `warned` is let through."""

    interlock: Interlock
    deeds: frozenset[Deed]
    blocked: frozenset[Source]
    why: str
    warned: frozenset[Source] = frozenset()
    why_not_all: str = ""

    def verdict_for(self, source: Source) -> Verdict:
        if source in self.blocked:
            return Verdict.BLOCK
        return Verdict.WARN if source in self.warned else Verdict.ALLOW


EVERYBODY = frozenset(Source)
PERSON = frozenset({Source.PERSON})

ROWS: tuple[Row, ...] = (
    Row(
        Interlock.ESTOP, SWITCHING, EVERYBODY,
        "Somebody pressed the emergency stop: nothing moves until a person lets go and says why.",
    ),
    Row(
        Interlock.NODE_OFFLINE, SWITCHING | {Deed.CALIBRATE}, EVERYBODY,
        "Nobody would hear it; a command that waits in the broker would surprise whoever is there.",
    ),
    Row(
        Interlock.LEASE_LOST, SWITCHING, EVERYBODY,
        "The controller works by its own rules and starts nothing that is commanded.",
    ),
    Row(
        Interlock.OUTPUT_LOCKED, SWITCHING, EVERYBODY,
        "Locked off, perhaps with hands in the machine; who wants it on unlocks it first.",
    ),
    Row(
        Interlock.MANUAL_ONLY, SWITCHING, PROGRAMS,
        "A person has taken the output over; their hand wins over every program.",
        why_not_all="The person is whom the lock is for.",
    ),
    Row(
        Interlock.MANUAL_ONLY, frozenset({Deed.STOP}), RULES,
        "What a person switched on by hand is not a rule's to switch off.",
        why_not_all="People, their programs and safety may always stop.",
    ),
    Row(
        Interlock.DEVICE_INTERLOCK, SWITCHING, PROGRAMS,
        "The controller itself reports a fault at this output.",
        warned=PERSON,
        why_not_all="A person who looks at it may try; the controller still decides.",
    ),
    Row(
        Interlock.TANK_LOW, frozenset({Deed.WATER}), PROGRAMS,
        "A pump that runs dry breaks, and plants get air.",
        warned=PERSON,
        why_not_all="The limit is not the bottom: a person may use the rest while they watch.",
    ),
    Row(
        Interlock.TANK_LOW, frozenset({Deed.DOSE}), EVERYBODY,
        "The same ml in little water burns roots; filling the tank comes first.",
    ),
    Row(
        Interlock.NO_FLOW, frozenset({Deed.WATER}), PROGRAMS,
        "The last run gave no water: closed tap, dry pump or broken meter. Latched.",
        warned=PERSON,
        why_not_all="A person's run is the test that clears the latch when water flows.",
    ),
    Row(
        Interlock.NO_FLOW, frozenset({Deed.DOSE}), PROGRAMS,
        "What is dosed into water that nobody takes grows stronger and stronger.",
        warned=PERSON,
        why_not_all="The tank may be circulated by hand.",
    ),
    Row(
        Interlock.FLOW_AFTER_OFF, frozenset({Deed.WATER}), PROGRAMS,
        "Water flows although all is off: a stuck valve or a burst pipe.",
        warned=PERSON,
        why_not_all="Opening and closing a stuck valve by hand often frees it.",
    ),
    Row(
        Interlock.FLOW_AFTER_OFF, frozenset({Deed.DOSE}), EVERYBODY,
        "Fertiliser would run out with the water.",
    ),
    Row(
        Interlock.OVER_TEMPERATURE, frozenset({Deed.LIGHT, Deed.DOSE}), PROGRAMS,
        "Lamps heat further, and hot roots take damage from a stronger solution.",
        warned=PERSON,
        why_not_all="Water and fans cool, so nobody is kept from them; a person may need light.",
    ),
    Row(
        Interlock.STALE_SENSOR, SWITCHING, BY_SENSOR | {Source.SAFETY, Source.SYSTEM},
        "The rule would act on a value that may be hours old.",
        why_not_all="People, their programs and timetables do not decide by the sensor.",
    ),
    Row(
        Interlock.DAILY_LITRE_CAP, frozenset({Deed.WATER}), PROGRAMS,
        "More than the bed can need today: a rule gone wrong, or a leak.",
        warned=PERSON,
        why_not_all="On the hottest day of the year a person may know better.",
    ),
    Row(
        Interlock.DAILY_DOSE_CAP, frozenset({Deed.DOSE}), EVERYBODY,
        "Too much fertiliser or acid cannot be taken back; the cap itself can be changed.",
    ),
    Row(
        Interlock.DOSE_UNRESOLVED, frozenset({Deed.DOSE}), EVERYBODY,
        "Nobody knows whether the last dose was given; a second might double it.",
    ),
    Row(
        Interlock.NO_CIRCULATION, frozenset({Deed.DOSE}), EVERYBODY,
        "In standing water a dose stays where it falls; the pump is one touch away.",
    ),
    Row(
        Interlock.MIXING_WAIT, frozenset({Deed.DOSE}), PROGRAMS,
        "What the sensor sees is not mixed yet, and A and B must not meet undiluted.",
        warned=PERSON,
        why_not_all="A person who fills a tank by the recipe needs no sensor for it.",
    ),
    Row(
        Interlock.FACT_UNKNOWN, frozenset({Deed.WATER, Deed.DOSE}), PROGRAMS,
        "Tank, circulation, amount or cap are not known: what cannot be checked is not safe.",
        warned=PERSON,
        why_not_all="A person on the spot sees what no sensor tells.",
    ),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Cell:
    """One answer of the table with its reason."""

    verdict: Verdict
    why: str


LET_THROUGH = Cell(Verdict.ALLOW, "")


def _cells() -> Iterator[tuple[tuple[Interlock, Deed, Source], Cell]]:
    for key in product(Interlock, Deed, Source):
        yield key, LET_THROUGH
    for row in ROWS:
        for deed, source in product(row.deeds, Source):
            yield (row.interlock, deed, source), _cell(row, source)


def _cell(row: Row, source: Source) -> Cell:
    verdict = row.verdict_for(source)
    return Cell(verdict, row.why if verdict == Verdict.BLOCK else row.why_not_all)


# Every interlock, every deed, every source; what no row speaks of is let through.
TABLE: Mapping[tuple[Interlock, Deed, Source], Cell] = MappingProxyType(dict(_cells()))


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of an output and its surroundings at a moment; None: not known."""

    is_stopped: bool = False
    is_online: bool = True
    has_lease: bool = True
    lock: str = "auto"  # or "off", "manual"
    device_interlocks: tuple[str, ...] = ()
    is_tank_low: bool | None = False
    has_no_flow: bool = False
    flows_after_off: bool = False
    is_over_temperature: bool = False
    # False where the one who asks does not go by a sensor.
    is_sensor_stale: bool = False
    litres_today: float | None = 0.0
    litre_cap: float | None = None  # None: no cap
    ml_today: float | None = 0.0
    dose_cap_ml: float | None = None  # None: nobody has set one, which is not safe
    has_unresolved_dose: bool = False
    is_circulating: bool | None = True
    seconds_since_dose: float | None = None  # None: never dosed
    mixing_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked for; `litres` is None where nobody can tell how much a run gives."""

    source: Source
    deed: Deed
    litres: float | None = 0.0
    ml: float = 0.0


@dataclass(frozen=True, slots=True)
class Finding:
    """An interlock that holds, and what the table says to it. `detail` names what is missing."""

    interlock: Interlock
    verdict: Verdict
    why: str
    detail: str = ""


# Where tank or flow is not known or cannot be, a cautious quarter of an hour.
MIXING_SECONDS_UNKNOWN = 900.0
MIXING_SECONDS_LEAST = 60.0


def mixing_seconds(tank_litres: float | None, flow_litres_per_minute: float | None) -> float:
    """Tell how long a dose takes to be everywhere in the tank; in standing water, a month.

    >>> mixing_seconds(400, 20)
    2400.0
    >>> mixing_seconds(400, None), mixing_seconds(400, 0)
    (900.0, 2592000.0)
    """
    seconds = agronomy.mixing_seconds(tank_litres, flow_litres_per_minute)
    return MIXING_SECONDS_UNKNOWN if seconds is None else max(seconds, MIXING_SECONDS_LEAST)


def judge(facts: Facts, request: Request) -> tuple[Finding, ...]:
    """Tell what stands against a request, what blocks it first; an empty answer is a yes.

    >>> judge(Facts(), Request(Source.SCHEDULE, Deed.WATER))
    ()
    >>> judge(Facts(is_tank_low=True), Request(Source.PERSON, Deed.WATER))[0].verdict
    <Verdict.WARN: 'warn'>
    """
    findings = []
    for interlock, detail in holding(facts, request):
        cell = TABLE[interlock, request.deed, request.source]
        if cell.verdict != Verdict.ALLOW:
            findings.append(Finding(interlock, cell.verdict, cell.why, detail))
    return tuple(sorted(findings, key=lambda finding: finding.verdict != Verdict.BLOCK))


def holding(facts: Facts, request: Request) -> Iterator[tuple[Interlock, str]]:
    """Tell which interlocks hold, whoever asks; each with a word that names the fact."""
    flags = {
        Interlock.ESTOP: facts.is_stopped,
        Interlock.NODE_OFFLINE: not facts.is_online,
        Interlock.LEASE_LOST: not facts.has_lease,
        Interlock.OUTPUT_LOCKED: facts.lock == "off",
        Interlock.MANUAL_ONLY: facts.lock == "manual",
        Interlock.DEVICE_INTERLOCK: bool(facts.device_interlocks),
        Interlock.TANK_LOW: facts.is_tank_low is True,
        Interlock.NO_FLOW: facts.has_no_flow,
        Interlock.FLOW_AFTER_OFF: facts.flows_after_off,
        Interlock.OVER_TEMPERATURE: facts.is_over_temperature,
        Interlock.STALE_SENSOR: facts.is_sensor_stale,
        Interlock.DAILY_LITRE_CAP: _is_beyond(facts.litres_today, request.litres, facts.litre_cap),
        Interlock.DAILY_DOSE_CAP: _is_beyond(facts.ml_today, request.ml, facts.dose_cap_ml),
        Interlock.DOSE_UNRESOLVED: facts.has_unresolved_dose,
        Interlock.NO_CIRCULATION: facts.is_circulating is False,
        Interlock.MIXING_WAIT: facts.seconds_since_dose is not None
        and facts.seconds_since_dose < facts.mixing_seconds,
    }
    for interlock, holds in flags.items():
        if holds:
            yield (
                interlock,
                ",".join(facts.device_interlocks)
                if (interlock == Interlock.DEVICE_INTERLOCK)
                else "",
            )
    for missing in _missing(facts, request):
        yield Interlock.FACT_UNKNOWN, missing


def _is_beyond(used: float | None, more: float | None, cap: float | None) -> bool:
    # A thousandth of slack: sums of floats must not refuse the last allowed ml.
    return cap is not None and (used or 0.0) + (more or 0.0) > cap + 0.001


def _missing(facts: Facts, request: Request) -> Iterator[str]:
    if facts.is_tank_low is None:
        yield "tank"
    is_capped = request.deed == Deed.WATER and facts.litre_cap is not None
    if is_capped and None in (request.litres, facts.litres_today):
        yield "litres"
    if request.deed == Deed.DOSE:
        if facts.is_circulating is None:
            yield "circulation"
        if facts.dose_cap_ml is None:
            yield "dose_cap"
        elif facts.ml_today is None:
            yield "ml"
