"""Sunrise and sunset, good to about two minutes: NOAA's general solar position calculations."""

import math
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import NamedTuple

# The sun's upper edge at the horizon, with the bend of light in the air (NOAA).
ZENITH_DEGREES = 90.833


class Sun(NamedTuple):
    """When the sun comes and goes on one day."""

    rises_at: datetime
    sets_at: datetime


def sun_of_day(
    day: date, *, latitude_degrees: float, longitude_degrees: float, zone: tzinfo
) -> Sun | None:
    """Tell when the sun rises and sets; None where it does not that day.

    Hà Nội on 22 November 2026:

    >>> from zoneinfo import ZoneInfo
    >>> sun = sun_of_day(date(2026, 11, 22), latitude_degrees=21.03, longitude_degrees=105.85,
    ...                  zone=ZoneInfo("Asia/Ho_Chi_Minh"))
    >>> f"{sun.rises_at:%H:%M} {sun.sets_at:%H:%M}"
    '06:11 17:14'
    """
    year_angle = 2 * math.pi / 365 * (day.timetuple().tm_yday - 1)
    equation_of_time_minutes = 229.18 * (
        0.000075
        + 0.001868 * math.cos(year_angle)
        - 0.032077 * math.sin(year_angle)
        - 0.014615 * math.cos(2 * year_angle)
        - 0.040849 * math.sin(2 * year_angle)
    )
    declination = (
        0.006918
        - 0.399912 * math.cos(year_angle)
        + 0.070257 * math.sin(year_angle)
        - 0.006758 * math.cos(2 * year_angle)
        + 0.000907 * math.sin(2 * year_angle)
        - 0.002697 * math.cos(3 * year_angle)
        + 0.00148 * math.sin(3 * year_angle)
    )
    latitude = math.radians(latitude_degrees)
    cosine = math.cos(math.radians(ZENITH_DEGREES)) / (
        math.cos(latitude) * math.cos(declination)
    ) - math.tan(latitude) * math.tan(declination)
    if not -1 <= cosine <= 1:
        return None
    half_day_minutes = 4 * math.degrees(math.acos(cosine))
    noon_minutes = 720 - 4 * longitude_degrees - equation_of_time_minutes
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
    return Sun(
        (midnight + timedelta(minutes=noon_minutes - half_day_minutes)).astimezone(zone),
        (midnight + timedelta(minutes=noon_minutes + half_day_minutes)).astimezone(zone),
    )
