"""The weather over Thanh Hoá: sun, temperature and humidity outdoors, the same for one seed."""

import math
import random
from dataclasses import dataclass
from datetime import datetime, timedelta

LATITUDE = 19.9  # degrees north: Hoa Lộc, Hậu Lộc, Thanh Hoá
LONGITUDE = 105.9  # degrees east
LOCAL = timedelta(hours=7)  # Indochina Time, no summer time
# Mean of each month in °C, rounded from climate tables of Thanh Hoá. Plausible for a simulator and
# used for nothing else.
MEAN_CELSIUS = (17.3, 17.9, 20.3, 23.9, 27.4, 29.2, 29.4, 28.5, 27.2, 24.9, 21.6, 18.5)
HALF_SWING_CELSIUS = 3.8  # day against night, half the range
WARMEST_HOUR = 14.0


@dataclass(frozen=True, slots=True)
class Weather:
    """What it is like outdoors at one moment."""

    celsius: float
    vapour_kpa: float
    radiation_w_m2: float


def saturation_kpa(celsius: float) -> float:
    """Give the saturation vapour pressure over water (FAO-56, equation 11).

    >>> round(saturation_kpa(25.0), 3)
    3.168
    """
    return 0.6108 * math.exp(17.27 * celsius / (celsius + 237.3))


def sine_of_elevation(at: datetime) -> float:
    """Tell how high the sun stands, as the sine of its height; negative at night.

    Declination after Cooper (1969), the equation of time left out (under 17 minutes).

    >>> from datetime import UTC
    >>> round(sine_of_elevation(datetime(2026, 6, 21, 5, 0, tzinfo=UTC)), 2)
    1.0
    """
    local = at + LOCAL
    declination = math.radians(23.45) * math.sin(
        2 * math.pi * (284 + local.timetuple().tm_yday) / 365
    )
    solar_hour = local.hour + local.minute / 60 + local.second / 3600 + (LONGITUDE - 105.0) / 15
    angle = math.radians(15 * (solar_hour - 12))
    latitude = math.radians(LATITUDE)
    return math.sin(latitude) * math.sin(declination) + (
        math.cos(latitude) * math.cos(declination) * math.cos(angle)
    )


def clear_sky_w_m2(sine: float) -> float:
    """Give the global radiation under a clear sky (Haurwitz 1945).

    >>> round(clear_sky_w_m2(1.0))
    1037
    """
    return 1098.0 * sine * math.exp(-0.057 / sine) if sine > 0.01 else 0.0


class Sky:
    """A seeded run of days: some clear, some under cloud, all of them repeatable."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self._ordinal = 0
        self._clearness = self._offset = self._humidity = 0.0
        self._phases = (0.0, 0.0, 0.0)

    def at(self, at: datetime) -> Weather:
        """Tell the weather of a moment; moments of one day in a row are quick."""
        local = at + LOCAL
        if local.toordinal() != self._ordinal:
            self._begin_day(local.toordinal())
        hour = local.hour + local.minute / 60 + local.second / 3600
        swing = HALF_SWING_CELSIUS * (0.5 + self._clearness)
        celsius = (
            _mean_celsius(local)
            + self._offset
            + swing * math.cos(2 * math.pi * (hour - WARMEST_HOUR) / 24)
        )
        clouds = sum(
            math.sin(2 * math.pi * hour * rate + phase)
            for rate, phase in zip((0.9, 2.3, 5.1), self._phases, strict=True)
        )
        share = min(1.0, max(0.12, self._clearness + 0.09 * clouds))
        mean_vapour = self._humidity * saturation_kpa(_mean_celsius(local) + self._offset)
        return Weather(
            celsius=celsius,
            vapour_kpa=min(mean_vapour, 0.98 * saturation_kpa(celsius)),
            radiation_w_m2=share * clear_sky_w_m2(sine_of_elevation(at)),
        )

    def _begin_day(self, ordinal: int) -> None:
        self._ordinal = ordinal
        dice = random.Random(f"sky {self.seed} {ordinal}")  # noqa: S311  # weather, not a secret
        self._clearness = dice.choice((0.35, 0.55, 0.7, 0.8, 0.85))
        self._offset = dice.gauss(0.0, 1.3)
        self._humidity = dice.uniform(0.76, 0.88)
        self._phases = (dice.uniform(0, 6.28), dice.uniform(0, 6.28), dice.uniform(0, 6.28))


def _mean_celsius(local: datetime) -> float:
    """Slide from the middle of one month to that of the next."""
    months = local.month - 1 + (local.day - 15) / 30.4
    below = math.floor(months)
    share = months - below
    return MEAN_CELSIUS[below % 12] * (1 - share) + MEAN_CELSIUS[(below + 1) % 12] * share
