"""What can be believed of a frame: when it was measured, and which values can be; knows no Django.

The bounds are those of the sensor or of nature, wide enough for any weather and any mistake of
a gardener: a value beyond them is a fault of the sensor, never a reason to act. What is merely
unusual is the business of Channel.low and Channel.high.
"""

import math
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from farm.frames import Frame

# farm/v1 §3, "Server rule".
MOST_AHEAD = timedelta(minutes=5)
MOST_BEHIND = timedelta(days=35)
# What libraries of common sensors return in place of an error.
SENTINELS = (-999.0, -9999.0)

POSSIBLE: Mapping[str, tuple[float, float]] = {
    "air_temperature": (-40, 80),  # SHT3x, BME280 data sheets: from -40; no leaf lives at 80
    "leaf_temperature": (-40, 80),
    "water_temperature": (-10, 70),  # DS18B20 says 85 after a brown-out and -127 without a sensor
    "relative_humidity": (0, 105),  # capacitive sensors read a little over 100 in fog
    "ec": (0, 100),  # mS/cm; sea water has 50
    "ph": (0, 14),
    "dissolved_oxygen": (0, 30),  # mg/L; saturation at 0 °C is 14.6
    "tank_volume": (-50, 1_000_000),  # litres; an empty tank reads a little below 0
    "flow": (0, 10_000),  # L/min
    "drain_volume": (0, 1_000_000),
    "ppfd": (-10, 5_000),  # µmol/m²/s; full sun is about 2000
    "solar_radiation": (-30, 2_000),  # W/m²; 1361 above the air (ISO 9060: offset at night < 0)
    "co2": (0, 100_000),  # ppm
    "substrate_moisture": (0, 105),  # %
    "wind_speed": (0, 115),  # m/s; the record is 113
    "rain": (0, 2_000),  # mm
}
# A single-precision column holds up to 3.4e38, and refuses what is too small for it.
ANYTHING = (-1e12, 1e12)
SMALLEST = 1e-30


class Dated(NamedTuple):
    """When a frame was measured; None where that cannot be believed. `reason` tells the doubt."""

    t: datetime | None
    is_estimated: bool = False
    reason: str = ""
    detail: str = ""


def date_frame(
    frame: Frame,
    *,
    received_at: datetime,
    newest_ms: int | None = None,
    is_earlier_boot: bool = False,
    boot_began_at: datetime | None = None,
) -> Dated:
    """Tell when a frame was measured, by the rules of farm/v1.

    `newest_ms`: the latest time within the same message. Frames of one message that come from
    the future keep their distances, the latest is dated as received: one moment for all of them
    would leave one value of them.
    """
    if frame.t_ms is None:
        return _count_back(
            frame,
            received_at,
            is_earlier_boot=is_earlier_boot,
            boot_began_at=boot_began_at,
        )
    told = datetime.fromtimestamp(frame.t_ms / 1000, UTC)
    if told > received_at + MOST_AHEAD:
        newest_ms = max(frame.t_ms, newest_ms or 0)
        t = received_at - timedelta(milliseconds=newest_ms - frame.t_ms)
        return Dated(
            _not_too_old(t, received_at),
            is_estimated=True,
            reason="future",
            detail=told.isoformat(),
        )
    if told < received_at - MOST_BEHIND:
        return Dated(None, reason="too_old", detail=told.isoformat())
    return Dated(told)


def _count_back(
    frame: Frame, received_at: datetime, *, is_earlier_boot: bool, boot_began_at: datetime | None
) -> Dated:
    """Date a frame without a clock; one of an earlier boot counts from when that boot began."""
    up, now = frame.up_ms or 0, frame.now_ms or 0
    if is_earlier_boot and boot_began_at is not None:
        t = boot_began_at + timedelta(milliseconds=up)
    elif up > now:
        return Dated(None, reason="malformed", detail="up is after now")
    else:
        t = received_at - timedelta(milliseconds=now - up)
    if _not_too_old(min(t, received_at), received_at) is None:
        return Dated(None, reason="too_old", detail=t.isoformat())
    return Dated(min(t, received_at), is_estimated=True)


def _not_too_old(t: datetime, received_at: datetime) -> datetime | None:
    return t if t >= received_at - MOST_BEHIND else None


def doubt(raw: float, value: float, quantity: str) -> str:
    """Tell why a value cannot be; empty when it can.

    >>> doubt(-999.0, -999.0, "ph"), doubt(5.9, 5.9, "ph"), doubt(float("nan"), 1.0, "ph")
    ('impossible', '', 'not_finite')
    """
    if not (math.isfinite(raw) and math.isfinite(value)):
        return "not_finite"
    low, high = POSSIBLE.get(quantity, ANYTHING)
    return "impossible" if raw in SENTINELS or not low <= value <= high else ""


def storable(value: float) -> float:
    """Round what is too small for the column to nothing.

    >>> storable(1e-60), storable(0.5)
    (0.0, 0.5)
    """
    return value if abs(value) >= SMALLEST else 0.0
