"""The two greenhouses of the simulator: lettuce on racks (nm1) and melons in beds (nm2)."""

from dataclasses import dataclass, replace

from farm.simulator.physics import HousePlan
from farm.simulator.specs import ChannelSpec, NodeSpec, OutputSpec


@dataclass(frozen=True, slots=True)
class House:
    """One greenhouse: how it is built and which controllers stand in it."""

    code: str
    plan: HousePlan
    zones: int
    nodes: tuple[NodeSpec, ...]


AIR = (
    ChannelSpec("air_t", "degC", "air_temperature", noise=0.08),
    ChannelSpec("rh", "%", "relative_humidity", noise=0.4),
    ChannelSpec("sun", "W/m2", "solar_radiation", decimals=0, noise=3.0),
    ChannelSpec("ppfd", "umol/m2/s", "ppfd", decimals=0, noise=4.0),
)
WATER = (
    ChannelSpec("ec", "mS/cm", "ec", decimals=2, noise=0.01),
    ChannelSpec("ph", "pH", "ph", decimals=2, noise=0.01),
    ChannelSpec("water_t", "degC", "water_temperature", noise=0.05),
    ChannelSpec("tank", "L", "tank_volume", decimals=0, noise=1.0),
    ChannelSpec("flow", "L/min", "flow", pulses_per_litre=450),
    ChannelSpec("drain", "L", "drain_volume"),
    ChannelSpec("moist_1", "%", "substrate_moisture", noise=0.3),
    ChannelSpec("moist_2", "%", "substrate_moisture", noise=0.3),
)
FANS = (
    OutputSpec("fan-1", "fan", 86_400, fail="local", is_dimmable=True),
    OutputSpec("fan-2", "fan", 86_400, fail="local", is_dimmable=True),
)
WATERING = (
    OutputSpec("valve-1", "valve", 900, flow_lpm=(4, 8), needs=("tank_ok",)),
    OutputSpec("valve-2", "valve", 900, flow_lpm=(4, 8), needs=("tank_ok",)),
    OutputSpec("pump", "pump", 1200, needs=("tank_ok",), fail="local"),
    OutputSpec("dose-a", "doser", 60, ml_per_second=1.2, needs=("circulation",)),
    OutputSpec("dose-b", "doser", 60, ml_per_second=1.2, needs=("circulation",)),
    OutputSpec("dose-ph", "doser", 20, ml_per_second=1.2, needs=("circulation",)),
)

LETTUCE = House(
    code="nm1",
    plan=HousePlan(),
    zones=2,
    nodes=(
        NodeSpec("nm1", "n5c21", AIR, FANS, label="Tủ khí hậu"),
        NodeSpec("nm1", "n7f3a", WATER, WATERING, label="Tủ tưới"),
    ),
)
MELONS = House(
    code="nm2",
    plan=replace(
        HousePlan(),
        area_m2=400.0,
        tank_litres=1500.0,
        zone_capacity_litres=300.0,
        cover_share=0.75,
        is_recirculating=False,
        uptake_ec=1.9,
        start_ec=2.3,
        start_ph=6.2,
        raw_ec=0.5,
    ),
    zones=2,
    nodes=(
        NodeSpec("nm2", "n9d04", AIR, FANS, label="Tủ khí hậu"),
        NodeSpec("nm2", "n2e8b", WATER, WATERING, label="Tủ tưới", tank_low_litres=60.0),
    ),
)
HOUSES = {house.code: house for house in (LETTUCE, MELONS)}
