"""The steps of FAO-56's Penman and Monteith equation, each by the number of its equation.

Allen, Pereira, Raes, Smith: Crop evapotranspiration, FAO Irrigation and drainage paper 56 (1998).
A step always gives a number; what lies beyond `BOUNDS` or is no number raises ValueError.
"""

import math
from collections.abc import Callable, Mapping
from functools import wraps
from inspect import signature
from typing import ParamSpec

from farm.plausibility import POSSIBLE

# Eq. 28: the sun gives 0.0820 MJ/m² a minute.
SOLAR_CONSTANT_MJ_PER_M2_MINUTE = 0.0820
# Eq. 35 (Ångström, uncalibrated), eq. 38 (grass), eq. 39 (Stefan and Boltzmann).
ANGSTROM_A, ANGSTROM_B = 0.25, 0.50
GRASS_ALBEDO = 0.23
STEFAN_BOLTZMANN_MJ_PER_K4_M2_DAY = 4.903e-9
CELSIUS_TO_KELVIN = 273.16
# What each quantity can be on Earth, by its name: without them -237.3 °C divides by nothing.
BOUNDS: Mapping[str, tuple[float, float]] = {
    "celsius": POSSIBLE["air_temperature"],
    "air_max_celsius": POSSIBLE["air_temperature"],
    "air_min_celsius": POSSIBLE["air_temperature"],
    "humidity_max_percent": POSSIBLE["relative_humidity"],
    "humidity_min_percent": POSSIBLE["relative_humidity"],
    "vapour_kpa": (0, 50),  # air of 80 °C holds 47.5
    "elevation_m": (-430, 8850),  # from the Dead Sea to Everest
    "wind_m_per_s": POSSIBLE["wind_speed"],
    # Eq. 47 holds well above the grass (at 0.09 m its logarithm is 0), but not above a mast.
    "measured_at_m": (0.5, 100),
    "latitude_degrees": (-90, 90),
    "day_of_year": (1, 366),
    "daylight_hours": (0, 24),
    "sunshine_hours": (0, 24),
    "extraterrestrial_mj_per_m2": (0, 50),  # the South Pole at midsummer: 48.5
    "solar_mj_per_m2": (0, 50),
    "clear_sky_mj_per_m2": (0, 50),
}


P = ParamSpec("P")


def _bounded(step: Callable[P, float]) -> Callable[P, float]:
    """Refuse what cannot be, in place of a bare error of `math` or a number that means nothing."""
    names = tuple(signature(step).parameters)

    @wraps(step)
    def bounded(*args: P.args, **kwargs: P.kwargs) -> float:
        for name, value in (*zip(names, args, strict=False), *kwargs.items()):
            low, high = BOUNDS[name]
            if not low <= value <= high:  # type: ignore[operator]  # P knows no common type
                raise ValueError(f"{name} is {value}, not from {low} to {high}")
        return step(*args, **kwargs)

    return bounded


@_bounded
def saturation_vapour_pressure_kpa(celsius: float) -> float:
    """Pressure of vapour over water (eq. 11, after Tetens).

    >>> round(saturation_vapour_pressure_kpa(24.5), 3)
    3.075
    """
    return 0.6108 * math.exp(17.27 * celsius / (celsius + 237.3))


@_bounded
def atmospheric_pressure_kpa(elevation_m: float) -> float:
    """Pressure at a height above the sea (eq. 7).

    >>> round(atmospheric_pressure_kpa(1800), 1)
    81.8
    """
    return 101.3 * math.pow((293 - 0.0065 * elevation_m) / 293, 5.26)


@_bounded
def psychrometric_constant_kpa_per_celsius(elevation_m: float) -> float:
    """How much vapour pressure a degree of the wet bulb is worth (eq. 8)."""
    return 0.665e-3 * atmospheric_pressure_kpa(elevation_m)


@_bounded
def saturation_slope_kpa_per_celsius(celsius: float) -> float:
    """Slope of the saturation curve (eq. 13)."""
    return 4098 * saturation_vapour_pressure_kpa(celsius) / (celsius + 237.3) ** 2


@_bounded
def mean_saturation_kpa(air_max_celsius: float, air_min_celsius: float) -> float:
    """Saturation over a day (eq. 12)."""
    high, low = map(saturation_vapour_pressure_kpa, (air_max_celsius, air_min_celsius))
    return (high + low) / 2


@_bounded
def actual_vapour_pressure_kpa(
    air_max_celsius: float,
    air_min_celsius: float,
    humidity_max_percent: float,
    humidity_min_percent: float,
) -> float:
    """Vapour in the air over a day (eq. 17): the coldest hour is the most humid one.

    Cheap sensors read up to 105 % in wet air: that is 100 %.
    """
    high, low = map(saturation_vapour_pressure_kpa, (air_max_celsius, air_min_celsius))
    return (low * min(humidity_max_percent, 100) + high * min(humidity_min_percent, 100)) / 200


@_bounded
def wind_at_2_m(wind_m_per_s: float, measured_at_m: float) -> float:
    """Bring wind down to 2 m above grass (eq. 47).

    >>> round(wind_at_2_m(3.2, 10), 1)
    2.4
    """
    return wind_m_per_s * 4.87 / math.log(67.8 * measured_at_m - 5.42)


def _sunset_angle_rad(latitude_degrees: float, day_of_year: int) -> tuple[float, float]:
    """Sunset hour angle and declination (eq. 24, 25)."""
    declination = 0.409 * math.sin(2 * math.pi * day_of_year / 365 - 1.39)
    cosine = -math.tan(math.radians(latitude_degrees)) * math.tan(declination)
    return math.acos(max(-1.0, min(1.0, cosine))), declination


@_bounded
def extraterrestrial_radiation_mj_per_m2(latitude_degrees: float, day_of_year: int) -> float:
    """Radiation of a day above the clouds (eq. 21, 23).

    >>> round(extraterrestrial_radiation_mj_per_m2(-20, 246), 1)
    32.2
    """
    sunset, declination = _sunset_angle_rad(latitude_degrees, day_of_year)
    latitude = math.radians(latitude_degrees)
    distance = 1 + 0.033 * math.cos(2 * math.pi * day_of_year / 365)
    height = sunset * math.sin(latitude) * math.sin(declination) + math.cos(latitude) * math.cos(
        declination
    ) * math.sin(sunset)
    return max(0.0, 24 * 60 / math.pi * SOLAR_CONSTANT_MJ_PER_M2_MINUTE * distance * height)


@_bounded
def daylight_hours(latitude_degrees: float, day_of_year: int) -> float:
    """From sunrise to sunset (eq. 34).

    >>> round(daylight_hours(-20, 246), 1)
    11.7
    """
    return 24 / math.pi * _sunset_angle_rad(latitude_degrees, day_of_year)[0]


@_bounded
def solar_radiation_mj_per_m2(
    sunshine_hours: float, daylight_hours: float, extraterrestrial_mj_per_m2: float
) -> float:
    """Radiation on the ground from hours of sunshine (eq. 35).

    >>> round(solar_radiation_mj_per_m2(7.1, 10.9, 25.1), 1)
    14.4
    """
    part = min(1.0, sunshine_hours / daylight_hours) if daylight_hours else 0.0
    return (ANGSTROM_A + ANGSTROM_B * part) * extraterrestrial_mj_per_m2


@_bounded
def clear_sky_radiation_mj_per_m2(elevation_m: float, extraterrestrial_mj_per_m2: float) -> float:
    """Radiation on the ground without clouds (eq. 37)."""
    return (0.75 + 2e-5 * elevation_m) * extraterrestrial_mj_per_m2


@_bounded
def net_shortwave_mj_per_m2(solar_mj_per_m2: float) -> float:
    """Radiation of the sun that grass keeps (eq. 38)."""
    return (1 - GRASS_ALBEDO) * solar_mj_per_m2


@_bounded
def net_longwave_mj_per_m2(
    air_max_celsius: float,
    air_min_celsius: float,
    vapour_kpa: float,
    solar_mj_per_m2: float,
    clear_sky_mj_per_m2: float,
) -> float:
    """Heat that grass radiates away (eq. 39).

    >>> round(net_longwave_mj_per_m2(25.1, 19.1, 2.1, 14.5, 18.8), 1)
    3.5
    """
    clearness = min(1.0, solar_mj_per_m2 / clear_sky_mj_per_m2) if clear_sky_mj_per_m2 else 0.0
    mean_of_fourths = (
        (air_max_celsius + CELSIUS_TO_KELVIN) ** 4 + (air_min_celsius + CELSIUS_TO_KELVIN) ** 4
    ) / 2
    clouds = 1.35 * clearness - 0.35
    humid = 0.34 - 0.14 * math.sqrt(vapour_kpa)
    return STEFAN_BOLTZMANN_MJ_PER_K4_M2_DAY * mean_of_fourths * humid * clouds
