"""The arithmetic of growing: air, light, water and feed. No Django, no clock, units in the names.

What is not known is None and stays None: a failed sensor makes no number and no exception. What
lies beyond what can be (-999, humidity of 150 %, a day of 25 hours) is not known either.
FAO-56 is Allen, Pereira, Raes, Smith: Crop evapotranspiration, FAO Irrigation and drainage paper
56 (1998). What is said to be our own caution has no published source and can be set per programme.
"""

import math
from collections.abc import Sequence
from itertools import pairwise

from farm import bounds, fao56

CM2_PER_M2 = 10_000
# FAO-56 eq. 20: 1 MJ/m² evaporates 0.408 mm.
MM_PER_MJ = 0.408
# µmol of photons per joule of PAR in daylight (McCree 1972), and the part of the sun's energy
# that is PAR (Meek et al. 1984): 1 W/m² of sun is about 2.06 µmol/m²/s.
UMOL_PER_JOULE_PAR = 4.57
PAR_PART_OF_SUNLIGHT = 0.45
# Water that a full canopy asks for: E (J/m²) outside × 0.2/1000 mL/m², which is 0.2 L/m² for
# 100 J/cm² (Autogrow, solar irrigation); light measured under the film: × 1.4 (ibid.).
LITRES_PER_M2_FOR_100_J_PER_CM2 = 0.2
FACTOR_MEASURED_INSIDE = 1.4
# One shot for each 100 to 200 J/cm² (climatecontrol.com).
LEAST_J_PER_CM2, MOST_J_PER_CM2 = 100.0, 200.0
# EC rises by 2 % of its value at 25 °C for each °C: customary for nutrient solutions.
EC_PART_PER_CELSIUS = 0.02
# Our own caution after openag_brain#227 (pH 5 to 7.5 with a fifth of the bottle): never more
# than half of what the arithmetic asks for at once, and pH by 0.3 at most.
MOST_PART_OF_A_DOSE = 0.5
MOST_PH_STEP = 0.3
# The water must pass the pump twice before a measurement says what a dose did (our caution).
TURNOVERS_TO_MIX = 2.0
# Standing water never mixes. A month stands for never: longer than a pump that is worth the name
# takes for any tank, and unlike infinity it can be added to a date.
MOST_SECONDS_TO_MIX = 30 * 86_400.0
# One dose counts for 30 %, and may at most halve or double what was believed (our caution).
WEIGHT_OF_ONE_DOSE = 0.3
# What the weather of a day can be, in the order in which it is asked for below.
WEATHER = tuple(
    fao56.BOUNDS[name]
    for name in (
        "air_max_celsius", "air_min_celsius", "humidity_max_percent", "humidity_min_percent",
        "wind_m_per_s", "measured_at_m", "latitude_degrees", "elevation_m", "day_of_year",
    )
)  # fmt: skip


def vapour_pressure_deficit_kpa(
    air_celsius: float | None,
    relative_humidity_percent: float | None,
    leaf_celsius: float | None = None,
) -> float | None:
    """How much the air wants to take from the leaf; below 0 dew falls on a leaf that is colder.

    Without a leaf temperature the leaf is as warm as the air (FAO-56 eq. 11, 54); a leaf whose
    sensor failed makes no number: its air would look like a measured leaf.

    >>> round(vapour_pressure_deficit_kpa(25, 60), 3)
    1.267
    >>> vapour_pressure_deficit_kpa(None, 60) is None
    True
    """
    leaf_or_air = air_celsius if leaf_celsius is None else leaf_celsius
    values = (air_celsius, relative_humidity_percent, leaf_or_air)
    if not bounds.within(values, bounds.AIR, bounds.HUMIDITY, bounds.LEAF):
        return None
    air, humidity, leaf = values
    at_leaf = fao56.saturation_vapour_pressure_kpa(leaf)
    # Cheap sensors read up to 105 % in wet air: that is 100 %.
    return at_leaf - fao56.saturation_vapour_pressure_kpa(air) * min(humidity, 100.0) / 100


def daily_light_integral_mol(ppfd_umol: float | None, hours: float | None) -> float | None:
    """Photons of a day on a m², from µmol/m²/s that lasted for some hours.

    >>> round(daily_light_integral_mol(250, 16), 2)
    14.4
    """
    values = (ppfd_umol, hours)
    if not bounds.within(values, bounds.PPFD, bounds.HOURS):
        return None
    ppfd, hours_of_light = values
    return ppfd * 3600 * hours_of_light / 1e6


def sunlight_w_per_m2(ppfd_umol: float | None) -> float | None:
    """Estimate the sun's radiation from its photons; true for daylight, not for lamps.

    >>> round(sunlight_w_per_m2(1000))
    486
    """
    values = (ppfd_umol,)
    if not bounds.within(values, bounds.SENSED_PPFD):
        return None
    return values[0] / (UMOL_PER_JOULE_PAR * PAR_PART_OF_SUNLIGHT)


def light_sum_j_per_cm2(
    watts_at_seconds: Sequence[tuple[float, float]], *, longest_gap_seconds: float
) -> float:
    """Add up radiation over time (trapezoids); a gap that is too long counts as dark.

    So does a gap of more than a day, whatever is allowed, and radiation that cannot be.
    Too little light only waters later: the longest pause of the programme still holds.

    >>> light_sum_j_per_cm2([(0, 500.0), (60, 500.0), (3600, 500.0)], longest_gap_seconds=600)
    3.0
    """
    longest = min(longest_gap_seconds, bounds.LONGEST_GAP_SECONDS)
    return sum(
        (later - earlier) * (_shining(before) + _shining(after)) / 2 / CM2_PER_M2
        for (earlier, before), (later, after) in pairwise(watts_at_seconds)
        if 0 < later - earlier <= longest
    )


def _shining(w_per_m2: float) -> float:
    return max(0.0, w_per_m2) if w_per_m2 <= bounds.SUNLIGHT[1] else 0.0


def reference_evapotranspiration_mm(  # noqa: PLR0913  # the inputs of FAO-56, each by its name
    *,
    air_max_celsius: float | None,
    air_min_celsius: float | None,
    humidity_max_percent: float | None,
    humidity_min_percent: float | None,
    wind_m_per_s: float | None,
    latitude_degrees: float | None,
    elevation_m: float | None,
    day_of_year: int,
    wind_measured_at_m: float = 2.0,
    sunshine_hours: float | None = None,
    solar_mj_per_m2: float | None = None,
) -> float | None:
    """Water that a day takes from open-air grass, ET₀ by Penman and Monteith (FAO-56 eq. 6).

    Radiation is measured (`solar_mj_per_m2`) or estimated from the hours of sunshine. FAO-56
    example 18, Uccle on 6 July, prints 3.9 mm:

    >>> round(reference_evapotranspiration_mm(
    ...     air_max_celsius=21.5, air_min_celsius=12.3, humidity_max_percent=84,
    ...     humidity_min_percent=63, wind_m_per_s=2.78, wind_measured_at_m=10,
    ...     sunshine_hours=9.25, latitude_degrees=50.8, elevation_m=100, day_of_year=187), 2)
    3.88
    """
    is_estimated = solar_mj_per_m2 is None
    weather = (
        air_max_celsius, air_min_celsius, humidity_max_percent, humidity_min_percent,
        wind_m_per_s, wind_measured_at_m, latitude_degrees, elevation_m, day_of_year,
        sunshine_hours if is_estimated else solar_mj_per_m2,
    )  # fmt: skip
    sun = fao56.BOUNDS["sunshine_hours" if is_estimated else "solar_mj_per_m2"]
    if not bounds.within(weather, *WEATHER, sun):
        return None
    air_max, air_min, humidity_max, humidity_min, wind, height, latitude, elevation = weather[:8]
    if air_max < air_min or humidity_max < humidity_min:
        return None
    above = fao56.extraterrestrial_radiation_mj_per_m2(latitude, day_of_year)
    solar = weather[-1]
    if is_estimated:
        solar = fao56.solar_radiation_mj_per_m2(
            solar, fao56.daylight_hours(latitude, day_of_year), above
        )
    if solar > above:
        return None  # more than came from the sky is the sensor's fault
    vapour = fao56.actual_vapour_pressure_kpa(air_max, air_min, humidity_max, humidity_min)
    net = fao56.net_shortwave_mj_per_m2(solar) - fao56.net_longwave_mj_per_m2(
        air_max, air_min, vapour, solar, fao56.clear_sky_radiation_mj_per_m2(elevation, above)
    )
    mean = (air_max + air_min) / 2
    slope = fao56.saturation_slope_kpa_per_celsius(mean)
    gamma = fao56.psychrometric_constant_kpa_per_celsius(elevation)
    wind_2 = fao56.wind_at_2_m(wind, height)
    deficit = fao56.mean_saturation_kpa(air_max, air_min) - vapour
    # Over a day the ground takes and gives the same heat (FAO-56 eq. 42).
    asked = MM_PER_MJ * slope * net + gamma * 900 / (mean + 273) * wind_2 * deficit
    return max(0.0, asked / (slope + gamma * (1 + 0.34 * wind_2)))


def water_demand_litres_per_m2(
    light_j_per_cm2: float | None, *, is_measured_inside: bool = False, crop_factor: float = 1.0
) -> float | None:
    """Water that a full canopy took while so much light fell; young plants take a part of it.

    >>> water_demand_litres_per_m2(100)
    0.2
    """
    values = (light_j_per_cm2, crop_factor)
    if not bounds.within(values, bounds.LIGHT_SUM, bounds.CROP_FACTOR):
        return None
    light, factor = values
    inside = FACTOR_MEASURED_INSIDE if is_measured_inside else 1.0
    return LITRES_PER_M2_FOR_100_J_PER_CM2 * light / 100 * inside * factor


def shot_litres_per_m2(
    demand_litres_per_m2: float | None, drain_percent: float | None
) -> float | None:
    """Size a shot so that, beyond what plants take, so many percent drain and rinse the roots.

    >>> round(shot_litres_per_m2(water_demand_litres_per_m2(100), 30), 3)
    0.286
    """
    values = (demand_litres_per_m2, drain_percent)
    if not bounds.within(values, bounds.DEMAND, bounds.DRAIN_AIM):
        return None
    demand, drain = values
    return demand / (1 - drain / 100)


def drain_percent(drain_litres: float | None, supply_litres: float | None) -> float | None:
    """Say which part of the water ran out at the bottom.

    >>> drain_percent(0.18, 1.0)
    18.0
    """
    values = (drain_litres, supply_litres)
    if not bounds.within(values, bounds.LITRES, bounds.LITRES) or not values[1]:
        return None
    drained, supplied = values
    percent = 100 * drained / supplied
    return percent if percent <= bounds.DRAIN[1] else None


def next_threshold_j_per_cm2(
    threshold: float,
    drain_percent: float | None,
    *,
    target_percent: float,
    step: float = 10.0,
    tolerance_percent: float = 3.0,
) -> float:
    """Water after more light when too much drains, after less when too little does; step by step.

    What cannot be moves nothing; the answer is from 100 to 200, their middle when nothing is known.

    >>> next_threshold_j_per_cm2(150, 45, target_percent=30)
    160.0
    >>> next_threshold_j_per_cm2(150, 10, target_percent=30)
    140.0
    """
    if not math.isfinite(threshold):
        return (LEAST_J_PER_CM2 + MOST_J_PER_CM2) / 2
    values = (drain_percent, target_percent, step, tolerance_percent)
    if bounds.within(values, bounds.DRAIN, bounds.DRAIN, bounds.STEP, bounds.STEP):
        drain, target, by, tolerance = values
        if abs(drain - target) > tolerance:
            threshold += math.copysign(by, drain - target)
    return max(LEAST_J_PER_CM2, min(MOST_J_PER_CM2, threshold))


def ec_at_25_celsius(ec_ms_per_cm: float | None, water_celsius: float | None) -> float | None:
    """Bring a conductivity that was measured without compensation to 25 °C.

    >>> round(ec_at_25_celsius(1.8, 30), 3)
    1.636
    """
    values = (ec_ms_per_cm, water_celsius)
    if not bounds.within(values, bounds.EC, bounds.WATER):
        return None
    ec, celsius = values
    return ec / (1 + EC_PART_PER_CELSIUS * (celsius - 25))


def fertiliser_ml(
    *,
    tank_litres: float | None,
    ec_now: float | None,
    ec_target: float | None,
    ec_per_ml_per_litre: float | None,
) -> float | None:
    """Concentrate that would bring the tank to its EC, all at once; nothing when it is there.

    >>> fertiliser_ml(tank_litres=400, ec_now=1.2, ec_target=1.8, ec_per_ml_per_litre=0.24)
    1000.0
    """
    values = (tank_litres, ec_now, ec_target, ec_per_ml_per_litre)
    if not bounds.within(values, bounds.TANK, bounds.EC, bounds.EC, bounds.SLOPE):
        return None
    litres, now, target, slope = values
    return round(max(0.0, litres * (target - now) / slope), 3)


def acid_or_base_ml(
    *, tank_litres: float | None, step: float | None, ph_per_ml_per_litre: float | None
) -> float | None:
    """Acid or base that moves the tank's pH by one step (its sign only says which bottle).

    >>> acid_or_base_ml(tank_litres=400, step=-0.3, ph_per_ml_per_litre=2.0)
    60.0
    """
    values = (tank_litres, step, ph_per_ml_per_litre)
    if not bounds.within(values, bounds.TANK, bounds.PH_MOVE, bounds.SLOPE):
        return None
    litres, moved, slope = values
    return round(litres * abs(moved) / slope, 3)


def bounded_dose_ml(
    full_ml: float | None, *, most_ml: float, part: float = MOST_PART_OF_A_DOSE
) -> float | None:
    """Take a part of a dose, never more than half of it nor than `most_ml`.

    >>> bounded_dose_ml(1000.0, most_ml=200)
    200.0
    >>> bounded_dose_ml(90.0, most_ml=200)
    45.0
    """
    values = (full_ml, most_ml, part)
    if not bounds.within(values, bounds.ML, bounds.ML, bounds.PART):
        return None
    full, most, taken = values
    return min(full * min(taken, MOST_PART_OF_A_DOSE), float(most))


def ph_step(
    ph_now: float | None, ph_target: float | None, *, most: float = MOST_PH_STEP
) -> float | None:
    """How far to move the pH now, with its sign: half of the way, and 0.3 at most.

    >>> ph_step(7.0, 5.8)
    -0.3
    """
    values = (ph_now, ph_target, most)
    if not bounds.within(values, bounds.PH, bounds.PH, bounds.PH):
        return None
    now, target, bound = values
    bound = min(bound, MOST_PH_STEP)
    return round(max(-bound, min(bound, (target - now) * MOST_PART_OF_A_DOSE)), 3)


def dilution_litres(
    *, tank_litres: float | None, ec_now: float | None, ec_target: float | None
) -> float | None:
    """Fresh water that brings a tank that is too strong down to its EC: V(EC/EC* - 1).

    >>> dilution_litres(tank_litres=400, ec_now=2.4, ec_target=2.0)
    80.0
    """
    values = (tank_litres, ec_now, ec_target)
    if not bounds.within(values, bounds.TANK, bounds.EC, bounds.EC_AIM):
        return None
    litres, now, target = values
    return round(max(0.0, litres * (now / target - 1)), 3)


def mixing_seconds(
    tank_litres: float | None, circulation_litres_per_minute: float | None
) -> float | None:
    """How long to wait before a measurement says what a dose did: two turnovers of the tank.

    >>> mixing_seconds(400, 40)
    1200.0
    >>> mixing_seconds(400, 0) == MOST_SECONDS_TO_MIX
    True
    """
    values = (tank_litres, circulation_litres_per_minute)
    if not bounds.within(values, bounds.TANK, bounds.FLOW):
        return None
    litres, flow = values
    if not flow:
        return MOST_SECONDS_TO_MIX
    return min(MOST_SECONDS_TO_MIX, TURNOVERS_TO_MIX * litres / flow * 60)


def learned_slope(believed: float, *, tank_litres: float, ml: float, moved: float) -> float:
    """Learn what a ml in a litre does (EC or pH) from what the last dose did, with caution.

    A dose that did nothing teaches nothing: that is a matter for the lock-out. Nor does one that
    cannot be. A belief that cannot be becomes the steepest slope, by which the least is dosed.

    >>> round(learned_slope(0.24, tank_litres=400, ml=200, moved=0.15), 3)
    0.258
    """
    if not bounds.within((believed,), bounds.SLOPE):
        return bounds.SLOPE[1]
    effect = (tank_litres, ml, moved)
    if not bounds.within(effect, bounds.TANK, bounds.ML, bounds.EC) or 0 in effect:
        return believed
    observed = max(believed / 2, min(believed * 2, moved * tank_litres / ml))
    return believed + WEIGHT_OF_ONE_DOSE * (observed - believed)
