"""A greenhouse that behaves: heat, vapour, tank, salts and water balance, step by step.

Everything moves by conserved amounts: litres and salts (mS/cm times litres) that leave one store
enter another or are counted as used, so that a test can add them up.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from farm.simulator.climate import LOCAL, Sky, Weather, saturation_kpa

AIR_J_PER_M3_K = 1206.0  # density times specific heat of air at 20 °C
LATENT_J_PER_KG = 2.45e6  # FAO-56, annex 3
VAPOUR_J_PER_KG_K = 461.5  # gas constant of water vapour
UMOL_PER_JOULE = 2.02  # PPFD of sunlight per W/m² of global radiation (Thimijan & Heins 1983)
REFILL_FROM, REFILL_TO = 0.55, 0.9  # shares of the tank at which its float valve opens and shuts
LEAK_LPM = 1.2


@dataclass(frozen=True, slots=True)
class HousePlan:
    """How one greenhouse is built; figures are those of a plastic house on 320 m²."""

    area_m2: float = 320.0
    height_m: float = 4.0
    cover_share: float = 0.7  # of the floor under leaves
    light_share: float = 0.6  # of the sun that comes through the roof
    loss_w_m2_k: float = 6.0
    heat_j_m2_k: float = 30_000.0
    vents_per_hour: float = 20.0
    fan_changes_per_hour: float = 24.0  # each fan
    tank_litres: float = 1000.0
    refill_lpm: float = 20.0
    raw_ec: float = 0.4
    raw_ph: float = 7.2
    valve_lpm: float = 6.0
    zone_capacity_litres: float = 200.0
    is_recirculating: bool = True
    # Salts that a litre of uptake takes with it, in mS/cm.
    uptake_ec: float = 1.3
    ph_drift_per_day: float = 0.25
    ml_per_second: float = 1.2
    # One ml of stock in one litre raises EC by so much (A and B alike), or moves pH.
    ec_per_ml_l: float = 0.2
    ph_per_ml_l: float = -1.5
    start_ec: float = 1.5
    start_ph: float = 5.9
    # Litres a day and m² that the plants drink at most, through the day's sun.
    drink_share: float = 0.5


@dataclass(slots=True)
class Store:
    """Water with salts in it."""

    litres: float
    salts: float  # mS/cm times litres

    @property
    def ec(self) -> float:
        return self.salts / self.litres if self.litres > 1e-9 else 0.0

    def take(self, litres: float) -> tuple[float, float]:
        """Draw as much as there is; the litres and salts that left."""
        taken = min(litres, self.litres)
        salts = taken * self.ec
        self.litres -= taken
        self.salts -= salts
        return taken, salts

    def put(self, litres: float, salts: float) -> None:
        self.litres += litres
        self.salts += salts


@dataclass(slots=True)
class Totals:
    """What came into the house and left it, for adding up."""

    refilled: float = 0.0
    drunk: float = 0.0
    lost: float = 0.0
    salts_in: float = 0.0
    salts_out: float = 0.0


@dataclass(slots=True)
class Greenhouse:
    """The state of one house; `faults` holds the names of what is broken at the moment."""

    plan: HousePlan
    sky: Sky
    zones: int = 2
    faults: set[str] = field(default_factory=set)
    celsius: float = 24.0
    vapour_kpa: float = 2.3
    water_celsius: float = 24.0
    ph: float = 0.0
    flow_lpm: float = 0.0
    drained_today: float = 0.0
    is_refilling: bool = False
    tank: Store = field(init=False)
    unmixed: Store = field(init=False)
    beds: list[Store] = field(init=False)
    totals: Totals = field(default_factory=Totals)
    weather: Weather = field(default=Weather(24.0, 2.3, 0.0))
    _day: int = 0

    def __post_init__(self) -> None:
        plan = self.plan
        self.ph = plan.start_ph
        self.tank = Store(0.8 * plan.tank_litres, 0.8 * plan.tank_litres * plan.start_ec)
        self.unmixed = Store(0.0, 0.0)
        half = 0.8 * plan.zone_capacity_litres
        self.beds = [Store(half, half * plan.start_ec) for _ in range(self.zones)]

    def step(self, seconds: float, at: datetime, on: Mapping[str, float]) -> None:
        """Let time pass; `on` tells what share of it each output was on."""
        self.weather = self.sky.at(at)
        local_day = (at + LOCAL).toordinal()
        if local_day != self._day:
            self._day, self.drained_today = local_day, 0.0
        litres_drunk = self._air(seconds, on)
        self._water(seconds, on)
        self._drink(litres_drunk)
        self._dose(seconds, on)
        self._refill(seconds)
        drift = self.plan.ph_drift_per_day * seconds / 86_400
        self.ph = min(self.ph + drift, 8.5)
        self.water_celsius += (self.celsius - 1.0 - self.water_celsius) * min(1.0, seconds / 28_800)

    @property
    def humidity(self) -> float:
        """Relative humidity indoors, %."""
        return 100.0 * self.vapour_kpa / saturation_kpa(self.celsius)

    def measured(self) -> dict[str, float]:
        """Give the true value behind each sensor of the house."""
        moisture = [100.0 * bed.litres / self.plan.zone_capacity_litres for bed in self.beds]
        return {
            "air_t": self.celsius,
            "rh": self.humidity,
            "sun": self.weather.radiation_w_m2,
            "ppfd": self.plan.light_share * self.weather.radiation_w_m2 * UMOL_PER_JOULE,
            "ec": self.tank.ec,
            "ph": self.ph,
            "water_t": self.water_celsius,
            "tank": self.tank.litres,
            "flow": self.flow_lpm,
            "drain": self.drained_today,
        } | {f"moist_{number}": value for number, value in enumerate(moisture, start=1)}

    def _air(self, seconds: float, on: Mapping[str, float]) -> float:
        """Heat and vapour; the litres that the leaves would give off."""
        plan, out = self.plan, self.weather
        fans = 0.0 if "dead-fan" in self.faults else _sum_of(on, "fan")
        per_hour = plan.vents_per_hour + plan.fan_changes_per_hour * fans
        exchange = per_hour * plan.height_m / 3600  # m³ of air per m² and second
        sun = plan.light_share * out.radiation_w_m2
        dryness = max(0.0, saturation_kpa(self.celsius) - self.vapour_kpa)
        wetted = sum(1 for bed in self.beds if bed.litres > 1.0) / max(1, len(self.beds))
        latent = plan.cover_share * wetted * (plan.drink_share * sun + 6.0 * dryness)
        gain = sun - latent
        loss = plan.loss_w_m2_k + AIR_J_PER_M3_K * exchange
        goal = out.celsius + gain / loss
        self.celsius = goal + (self.celsius - goal) * math.exp(-loss * seconds / plan.heat_j_m2_k)
        kelvin = self.celsius + 273.15
        per_kpa = 1000.0 / (VAPOUR_J_PER_KG_K * kelvin)  # kg/m³ of vapour in 1 kPa
        given_off = latent / LATENT_J_PER_KG
        goal_kpa = out.vapour_kpa + given_off / max(exchange, 1e-9) / per_kpa
        fade = math.exp(-exchange * seconds / plan.height_m)
        kpa = goal_kpa + (self.vapour_kpa - goal_kpa) * fade
        self.vapour_kpa = min(kpa, 0.98 * saturation_kpa(self.celsius))
        return given_off * seconds * plan.area_m2

    def _water(self, seconds: float, on: Mapping[str, float]) -> None:
        """Let open valves water their beds; what a bed cannot hold drains."""
        minutes, moved = seconds / 60, 0.0
        for number, bed in enumerate(self.beds, start=1):
            share = on.get(f"valve-{number}", 0.0)
            lpm = 0.0 if "blocked-pipe" in self.faults else self.plan.valve_lpm * share
            litres, salts = self.tank.take(lpm * minutes)
            bed.put(litres, salts)
            moved += litres
            self._drain(bed)
        if "leak" in self.faults:
            litres, salts = self.tank.take(LEAK_LPM * minutes)
            self.totals.lost += litres
            self.totals.salts_out += salts
            moved += litres
        self.flow_lpm = moved / minutes if minutes else 0.0

    def _drain(self, bed: Store) -> None:
        litres, salts = bed.take(max(0.0, bed.litres - self.plan.zone_capacity_litres))
        self.drained_today += litres
        if self.plan.is_recirculating:
            self.tank.put(litres, salts)
        else:
            self.totals.lost += litres
            self.totals.salts_out += salts

    def _drink(self, litres: float) -> None:
        """Take up water and salts, evenly from all beds."""
        for bed in self.beds:
            drunk = min(litres / len(self.beds), bed.litres)
            salts = min(drunk * self.plan.uptake_ec, bed.salts)
            bed.litres -= drunk
            bed.salts -= salts
            self.totals.drunk += drunk
            self.totals.salts_out += salts

    def _dose(self, seconds: float, on: Mapping[str, float]) -> None:
        """Add stock to the tank; it counts for the sensor as it mixes in."""
        plan = self.plan
        ml = plan.ml_per_second * seconds
        fed = 0.0 if "empty-stock" in self.faults else ml
        salts = fed * plan.ec_per_ml_l * (on.get("dose-a", 0.0) + on.get("dose-b", 0.0))
        self.unmixed.salts += salts
        self.totals.salts_in += salts
        # Four minutes with the pump, an hour and a half without it.
        share = min(1.0, seconds / (240.0 if on.get("pump", 0.0) else 5_400.0))
        mixed = self.unmixed.salts * share
        self.unmixed.salts -= mixed
        self.tank.salts += mixed
        if self.tank.litres > 1.0:
            self.ph += fed * on.get("dose-ph", 0.0) * plan.ph_per_ml_l / self.tank.litres
        self.ph = max(self.ph, 3.5)

    def _refill(self, seconds: float) -> None:
        """Let the float valve bring raw water, as it does without being asked."""
        plan, tank = self.plan, self.tank
        if "empty-tank" in self.faults:
            litres, salts = tank.take(plan.refill_lpm * seconds / 60)
            self.totals.lost += litres
            self.totals.salts_out += salts
            return
        if tank.litres < REFILL_FROM * plan.tank_litres:
            self.is_refilling = True
        room = REFILL_TO * plan.tank_litres - tank.litres
        if room <= 0:
            self.is_refilling = False
        if not self.is_refilling:
            return
        litres = min(plan.refill_lpm * seconds / 60, room)
        self.ph += (plan.raw_ph - self.ph) * 0.15 * litres / (tank.litres + litres)
        tank.put(litres, litres * plan.raw_ec)
        self.totals.refilled += litres
        self.totals.salts_in += litres * plan.raw_ec


def _sum_of(on: Mapping[str, float], kind: str) -> float:
    return sum(share for code, share in on.items() if code.startswith(kind))
