"""Between the truth and the reading: noise, drift, sensors that stick or die."""

import random
from collections.abc import Mapping

from farm.simulator.specs import NodeSpec

DRIFT_PER_DAY = 0.03  # share of the value: a pH or EC probe that nobody cleans
FULL_PERCENT = 100.0


class Sensors:
    """The sensors of one controller.

    Faults are named with the channel: `dead-sensor:ph`, `stuck-sensor:ec`, `drifting-sensor:ph`,
    `minus999:air_t` (an error code in place of a value, as cheap probes send).
    """

    def __init__(self, spec: NodeSpec, *, seed: int) -> None:
        self._spec = spec
        self._dice = random.Random(f"sensors {spec.name} {seed}")  # noqa: S311  # noise, no secret
        self._stuck: dict[str, float] = {}
        self._drifting_since: dict[str, float] = {}
        self.offsets: dict[str, float] = {}

    def read(
        self, truth: Mapping[str, float], *, at_s: float, faults: set[str]
    ) -> dict[str, float | None]:
        """Read every channel; None is a sensor that says nothing."""
        values: dict[str, float | None] = {}
        for channel in self._spec.channels:
            value = truth[channel.code]
            if channel.noise:
                noisy = value + self._dice.gauss(0.0, channel.noise)
                value = noisy if value < 0 else max(0.0, noisy)  # no light below none
                if channel.unit == "%":
                    value = min(value, FULL_PERCENT)  # no probe is wetter than wet
            value += self.offsets.get(channel.code, 0.0)
            if faults:
                values[channel.code] = self._spoil(channel.code, value, at_s=at_s, faults=faults)
            else:
                values[channel.code] = value
        return values

    def _spoil(self, code: str, value: float, *, at_s: float, faults: set[str]) -> float | None:
        if f"dead-sensor:{code}" in faults:
            return None
        if f"minus999:{code}" in faults:
            return -999.0
        if f"stuck-sensor:{code}" in faults:
            return self._stuck.setdefault(code, value)
        if f"drifting-sensor:{code}" in faults:
            since = self._drifting_since.setdefault(code, at_s)
            return value * (1 + DRIFT_PER_DAY * (at_s - since) / 86_400)
        return value
