"""A simple grower who keeps a simulated house alive where no server does: history, warm-up."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from farm.simulator.climate import LOCAL
from farm.simulator.physics import Greenhouse

FAN_ON, FAN_OFF = 29.0, 27.5  # °C
WATER_J_CM2 = 90.0  # sunlight outdoors between two waterings
WATER_SECONDS = 360.0
DOSE_SHARE = 0.5  # of the lacking salts in one go
DOSE_EVERY = timedelta(minutes=20)


class Autopilot:
    """Decides what is on during the next step; looks only at what sensors would show."""

    def __init__(self, house: Greenhouse) -> None:
        self._house = house
        self._joules = 0.0
        self._left = {"valve-1": 0.0, "valve-2": 0.0, "dose-a": 0.0, "dose-b": 0.0, "dose-ph": 0.0}
        self._is_cooling = False
        self._dosed_at: datetime | None = None

    def outputs(self, at: datetime, seconds: float) -> Mapping[str, float]:
        """Give the share of the step that each output is on."""
        self._water(seconds)
        self._feed(at)
        on = {code: min(1.0, left / seconds) for code, left in self._left.items() if left > 0}
        self._left = {code: max(0.0, left - seconds) for code, left in self._left.items()}
        on["pump"] = 1.0
        self._is_cooling = self._house.celsius > (FAN_OFF if self._is_cooling else FAN_ON)
        if self._is_cooling:
            on["fan-1"] = on["fan-2"] = 1.0
        return on

    def _water(self, seconds: float) -> None:
        self._joules += self._house.weather.radiation_w_m2 * seconds / 10_000
        if self._joules >= WATER_J_CM2:
            self._joules -= WATER_J_CM2
            self._left["valve-1"] += WATER_SECONDS
            self._left["valve-2"] += WATER_SECONDS

    def _feed(self, at: datetime) -> None:
        house, plan = self._house, self._house.plan
        if self._dosed_at is not None and at - self._dosed_at < DOSE_EVERY:
            return
        lacking = plan.start_ec - house.tank.ec
        if lacking > 0.08:
            ml = DOSE_SHARE * lacking * house.tank.litres / plan.ec_per_ml_l / 2
            self._left["dose-a"] = self._left["dose-b"] = ml / plan.ml_per_second
            self._dosed_at = at
        if house.ph > plan.start_ph + 0.2:
            ml = 0.15 * house.tank.litres / -plan.ph_per_ml_l
            self._left["dose-ph"] = ml / plan.ml_per_second
            self._dosed_at = at


def live_alone(
    house: Greenhouse,
    *,
    begins: datetime,
    until: datetime,
    step: timedelta,
    look: Callable[[datetime, Mapping[str, float]], None],
) -> None:
    """Let a house live under its autopilot, and look at it after each step."""
    pilot = Autopilot(house)
    seconds = step.total_seconds()
    at = begins
    while at + step <= until:
        at += step
        on = pilot.outputs(at, seconds)
        house.step(seconds, at, on)
        look(at, on)


def warm_up(house: Greenhouse, *, until: datetime, hours: int) -> None:
    """Bring a house into the state that it would be in by now."""
    begins = until - timedelta(hours=hours)
    house.celsius = house.sky.at(begins).celsius
    live_alone(
        house, begins=begins, until=until, step=timedelta(minutes=1), look=lambda _at, _on: None
    )


def local_midnight(at: datetime) -> datetime:
    """Give the moment at which the local day of a moment began."""
    local = at + LOCAL
    return local.replace(hour=0, minute=0, second=0, microsecond=0) - LOCAL
