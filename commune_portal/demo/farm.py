"""The cooperative's two greenhouses in the demo: what stands there, who watches, what grew."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any, Final, NamedTuple

from django.db import connection, models
from django.utils import timezone

from accounts.models import User
from addresses.models import Village
from common.phone import to_e164
from common.reference_table import read_csv
from commune_portal.demo.accounts import COOPERATIVE_MEMBER, OFFICIALS
from commune_portal.demo.farm_book import write_seasons
from commune_portal.demo.farm_history import (
    BY_CLOCK,
    BY_SUN,
    DAYS,
    RAW_DAYS,
    History,
    live_through,
)
from commune_portal.demo.farm_runs import write_runs
from farm.models import (
    AlarmLimit,
    Channel,
    Greenhouse,
    LatestReading,
    Node,
    Output,
    Reading,
    Rollup,
    Rule,
    Watch,
    WaterUse,
    Zone,
)
from farm.selectors.targets import Grown, band_of, common_band, grown_in
from farm.services import partitions
from farm.services.automation import add_rule
from farm.services.crop_profiles import load_crop_profiles
from farm.simulator.houses import HOUSES, House
from farm.simulator.specs import ChannelSpec, NodeSpec, OutputSpec
from farm.words import Quantity

SEED: Final = 7
BATCH: Final = 2000
PROFILES: Final = Path(__file__).resolve().parents[2] / "farm" / "profile_data"
LATITUDE, LONGITUDE = 19.92, 105.92  # Hậu Lộc, the commune's fields


class Place(NamedTuple):
    """A zone of the demo."""

    code: str
    name: str
    kind: str
    area_m2: float
    plants: int


class Site(NamedTuple):
    """What people call a house, and its zones in the order of its valves."""

    name: str
    zones: tuple[Place, ...]
    village: str
    temperature_high: float


SITES: Final = {
    "nm1": Site(
        "Nhà màng 1 – xà lách, rau ăn lá",
        (
            Place("gian-1", "Giàn 1", Zone.Kind.RACK, 140.0, 2800),
            Place("gian-2", "Giàn 2", Zone.Kind.RACK, 130.0, 3900),
        ),
        "XY",
        34.0,
    ),
    "nm2": Site(
        "Nhà màng 2 – dưa lưới",
        (
            Place("luong-1", "Luống 1", Zone.Kind.BED, 180.0, 396),
            Place("luong-2", "Luống 2", Zone.Kind.BED, 180.0, 396),
            Place("doi-chung", "Luống đất đối chứng", Zone.Kind.BED, 60.0, 108),
        ),
        "PT",
        37.0,
    ),
}
LABELS: Final = {
    "air_t": "Nhiệt độ", "rh": "Độ ẩm", "sun": "Nắng ngoài trời", "ppfd": "Ánh sáng trên lá",
    "ec": "EC bồn", "ph": "pH bồn", "water_t": "Nhiệt độ nước", "tank": "Bồn",
    "flow": "Lưu lượng", "drain": "Nước thoát hôm nay", "moist_1": "Ẩm giá thể 1",
    "moist_2": "Ẩm giá thể 2", "fan-1": "Quạt 1", "fan-2": "Quạt 2", "valve-1": "Van tưới 1",
    "valve-2": "Van tưới 2", "pump": "Bơm tuần hoàn", "dose-a": "Bơm phân A",
    "dose-b": "Bơm phân B", "dose-ph": "Bơm giảm pH",
}  # fmt: skip
SENSIBLE: Final = {
    "air_t": (-5, 60), "rh": (0, 100), "sun": (0, 1400), "ppfd": (0, 2500), "ec": (0, 6),
    "ph": (3, 10), "water_t": (0, 50), "tank": (0, 2500), "flow": (0, 60), "drain": (0, 5000),
    "moist_1": (0, 100), "moist_2": (0, 100),
}  # fmt: skip
DOSES: Final = {"dose-a": "a", "dose-b": "b", "dose-ph": "ph_down"}


@dataclass(slots=True)
class Built:
    """The rows of one house, by their codes."""

    house: House
    greenhouse: Greenhouse
    zones: dict[str, Zone]
    channels: dict[str, Channel]
    outputs: dict[str, Output]


def load_farm(*, today: date, at: datetime, days: int = DAYS) -> str:
    """Put the greenhouses, their month and their seasons into the database, once."""
    if Greenhouse.objects.filter(code__in=SITES).exists():
        return ""
    load_crop_profiles(
        profiles=read_csv(PROFILES / "profiles.csv"), stages=read_csv(PROFILES / "stages.csv")
    )
    member = User.objects.get(phone=to_e164(COOPERATIVE_MEMBER.phone))
    houses = [_build(HOUSES[code], site) for code, site in SITES.items()]
    months = {partitions.month_of(at - timedelta(days=days)) for days in (0, RAW_DAYS)}
    partitions.ensure(months=months)
    zones = {(one.house.code, code): zone for one in houses for code, zone in one.zones.items()}
    count = 0
    histories = [live_through(one.house, seed=SEED, until=at, days=days) for one in houses]
    for built, history in zip(houses, histories, strict=True):
        _add_limits(built)
        _add_watches(built, member)
        _add_history(built, history)
        _add_water(built, history)
        count += len(history.readings)
    lived_from = timezone.localdate(at - timedelta(days=days))
    batches = write_seasons(zones, member, today=today, lived_from=lived_from)
    for built, history in zip(houses, histories, strict=True):
        _add_rules(built, member, at=at)
        write_runs(history, list(built.zones.values()), built.outputs)
    return f"greenhouses: {len(houses)}, {batches} batches, {count} readings"


def _build(house: House, site: Site) -> Built:
    greenhouse = Greenhouse.objects.create(
        code=house.code,
        name=site.name,
        village=Village.objects.filter(code=site.village).first(),
        latitude=LATITUDE,
        longitude=LONGITUDE,
        area_m2=house.plan.area_m2,
    )
    zones = [
        Zone.objects.create(
            greenhouse=greenhouse,
            code=place.code,
            name=place.name,
            kind=place.kind,
            area_m2=place.area_m2,
            plants=place.plants,
            # One tank for the whole house: each zone that it feeds knows it.
            reservoir_l=house.plan.tank_litres if number < house.zones else 0,
            daily_litre_cap=1500,
            daily_dose_cap_ml=4000,
        )
        for number, place in enumerate(site.zones)
    ]
    channels: dict[str, Channel] = {}
    outputs: dict[str, Output] = {}
    for spec in house.nodes:
        node = Node.objects.create(greenhouse=greenhouse, name=spec.name, label=spec.label)
        channels |= {one.code: _channel(node, spec, one, zones) for one in spec.channels}
        outputs |= {one.code: _output(node, one, zones) for one in spec.outputs}
    return Built(house, greenhouse, {zone.code: zone for zone in zones}, channels, outputs)


def _channel(node: Node, spec: NodeSpec, told: ChannelSpec, zones: list[Zone]) -> Channel:
    low, high = SENSIBLE[told.code]
    return Channel.objects.create(
        node=node,
        zone=zones[int(told.code[-1]) - 1] if told.code.startswith("moist") else None,
        code=told.code,
        label=LABELS[told.code],
        quantity=told.quantity,
        unit=told.unit,
        low=low,
        high=high,
        stale_seconds=spec.tele_seconds * 6,
        pulses_per_litre=told.pulses_per_litre,
    )


def _output(node: Node, told: OutputSpec, zones: list[Zone]) -> Output:
    low, high = told.flow_lpm or (None, None)
    return Output.objects.create(
        node=node,
        zone=zones[int(told.code[-1]) - 1] if told.kind == "valve" else zones[0],
        code=told.code,
        label=LABELS[told.code],
        kind=told.kind,
        max_seconds=told.max_seconds,
        flow_low=low,
        flow_high=high,
        ml_per_second=told.ml_per_second,
        needs=list(told.needs),
        fail=told.fail,
        is_dimmable=told.is_dimmable,
        dose_kind=DOSES.get(told.code, ""),
    )


def _add_limits(built: Built) -> None:
    """Set the alarm limits: wider than the targets, so that they mean something."""
    plan, site = built.house.plan, SITES[built.house.code]
    limits: dict[str, dict[str, Any]] = {
        "air_t": {"low": 10, "high": site.temperature_high, "hysteresis": 1},
        "water_t": {"high": 31, "hysteresis": 0.5},
        "ec": {"low": plan.start_ec - 0.5, "high": plan.start_ec + 0.5, "hysteresis": 0.05},
        "ph": {"low": 5.2, "high": 7.0, "hysteresis": 0.1},
        "tank": {"low": 0.3 * plan.tank_litres, "hysteresis": 30, "severity": 3},
    }
    for code, limit in limits.items():
        AlarmLimit.objects.create(channel=built.channels[code], **({"delay_seconds": 300} | limit))


def _add_rules(built: Built, by: User, *, at: datetime) -> None:
    """Add the programmes: fans, circulation, water and food."""
    zones = list(built.zones.values())
    fans = Rule.objects.create(
        zone=zones[0],
        name="Quạt theo nhiệt độ",
        kind=Rule.Kind.HYSTERESIS,
        sensor=built.channels["air_t"],
        parameters={"on_at": 29.0, "off_at": 27.5},
        changed_by=by,
    )
    fans.outputs.set([built.outputs["fan-1"], built.outputs["fan-2"]])
    pump = Rule.objects.create(
        zone=zones[0],
        name="Bơm tuần hoàn",
        kind=Rule.Kind.SCHEDULE,
        parameters={"every": {"minutes": 30, "from": "05:00", "to": "21:00"}, "seconds": 900},
        changed_by=by,
    )
    pump.outputs.set([built.outputs["pump"]])
    _add_watering(built, by, at=at)
    _add_feeding(built, by, at=at)


def _add_watering(built: Built, by: User, *, at: datetime) -> None:
    """Water lettuce by the clock, and melons by the sun."""
    for number, zone in enumerate(list(built.zones.values())[: built.house.zones], start=1):
        by_sun = built.house.code == "nm2"
        add_rule(
            zone=zone,
            name=f"Tưới {zone.name.lower()}",
            kind=Rule.Kind.LIGHT_SUM if by_sun else Rule.Kind.SCHEDULE,
            sensor=built.channels["sun"] if by_sun else None,
            outputs=[built.outputs[f"valve-{number}"]],
            parameters=BY_SUN if by_sun else BY_CLOCK,
            by=by,
            at=at,
        )


def _add_feeding(built: Built, by: User, *, at: datetime) -> None:
    """Hold EC and pH of the tank where all that grows in the house wants them."""
    grown = grown_in([zone.pk for zone in built.zones.values()], on=timezone.localdate(at))
    add_rule(
        zone=next(iter(built.zones.values())),
        name="Châm phân bồn",
        kind=Rule.Kind.DOSING,
        sensor=built.channels["ec"],
        outputs=[built.outputs[code] for code in DOSES],
        parameters={
            "ec": _wanted(Quantity.EC, grown.values()),
            "ph": _wanted(Quantity.PH, grown.values()),
            "most_ml": 150,
            "daily_ml": 2000,
        },
        by=by,
        at=at,
    )


def _wanted(quantity: str, grown: Iterable[Grown]) -> dict[str, float]:
    """Give the band that suits all crops of a house, and aim at its middle."""
    band = common_band(band_of(one.stage, quantity) for one in grown)
    if band is None or band.low is None or band.high is None:
        raise ValueError(f"the demo's crops want no common {quantity}")
    middle = round((band.low + band.high) / 2, 2)
    return {"low": band.low, "target": middle, "high": band.high}


def _add_watches(built: Built, member: User) -> None:
    Watch.objects.create(
        greenhouse=built.greenhouse, user=member, step=1, quiet_from=time(22), quiet_to=time(5)
    )
    chairperson = next(one for one in OFFICIALS if one.role == "chairperson")
    Watch.objects.create(
        greenhouse=built.greenhouse,
        user=User.objects.get(phone=to_e164(chairperson.phone)),
        step=2,
        after_minutes=20,
        by_sms=False,
    )


def _add_history(built: Built, history: History) -> None:
    """Write the days' readings and sums."""
    ids = {code: channel.pk for code, channel in built.channels.items()}
    moment = connection.ops.adapt_datetimefield_value
    _insert(
        Reading,
        ("channel_id", "t", "v", "flags"),
        ((ids[code], moment(t), value, 0) for code, t, value in history.readings),
    )
    _insert(
        Rollup,
        ("channel_id", "level", "bucket", "n", "total", "low", "high", "last"),
        (
            (ids[code], level, moment(bucket), one.n, one.total, one.low, one.high, one.last)
            for code, level, bucket, one in history.rollups()
        ),
    )
    _write(
        LatestReading,
        (
            LatestReading(channel_id=ids[code], t=t, v=value, received_at=t)
            for code, (t, value) in history.latest.items()
        ),
    )


def _add_water(built: Built, history: History) -> None:
    """Write what each zone was given on each day: what projecting its runs anew comes to."""
    zones = list(built.zones.values())
    given: dict[tuple[int, date], float] = defaultdict(float)
    for one in history.waterings:
        given[one.number, timezone.localdate(one.at)] += one.litres
    _write(
        WaterUse,
        (
            WaterUse(
                zone=zones[number - 1],
                day=day,
                litres=litres,
                is_measured=True,
            )
            for (number, day), litres in given.items()
        ),
    )


def _write(model: type[models.Model], rows: Iterable[Any]) -> None:
    model._default_manager.bulk_create(rows, batch_size=BATCH)


def _insert(model: type[models.Model], columns: tuple[str, ...], rows: Iterable[Any]) -> None:
    """Write a hundred thousand rows in a second: as objects they would take six."""
    names, marks = ", ".join(columns), ", ".join(["%s"] * len(columns))
    with connection.cursor() as cursor:
        cursor.executemany(
            f"INSERT INTO {model._meta.db_table} ({names}) VALUES ({marks})",  # noqa: S608  # all words are ours
            list(rows),
        )
