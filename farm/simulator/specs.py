"""What a simulated controller is made of: its sensors and outputs, as its birth message tells."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class ChannelSpec:
    """One sensor: `decimals` are those of the payload, `noise` the spread of a reading."""

    code: str
    unit: str
    quantity: str
    decimals: int = 1
    noise: float = 0.0
    pulses_per_litre: int | None = None

    def as_birth(self) -> dict[str, Any]:
        told: dict[str, Any] = {"u": self.unit, "k": self.quantity}
        if self.pulses_per_litre is not None:
            told["ppl"] = self.pulses_per_litre
        return told


@dataclass(frozen=True, slots=True)
class OutputSpec:
    """One switch; `needs` names the interlocks that the device itself holds."""

    code: str
    kind: str
    max_seconds: int
    flow_lpm: tuple[float, float] | None = None
    ml_per_second: float | None = None
    needs: tuple[str, ...] = ()
    fail: str = "off"
    is_dimmable: bool = False

    def as_birth(self) -> dict[str, Any]:
        """Tell what the server must know of this output.

        >>> OutputSpec("fan-1", "fan", 86_400, fail="local").as_birth()
        {'k': 'fan', 'max_s': 86400, 'fail': 'local'}
        """
        told: dict[str, Any] = {"k": self.kind, "max_s": self.max_seconds}
        if self.flow_lpm is not None:
            told["flow"] = list(self.flow_lpm)
        if self.ml_per_second is not None:
            told["ml_s"] = self.ml_per_second
        if self.needs:
            told["needs"] = list(self.needs)
        if self.fail != "off":
            told["fail"] = self.fail
        if self.is_dimmable:
            told["dim"] = True
        return told


@dataclass(frozen=True, slots=True)
class NodeSpec:
    """One controller: `house` and `name` are the <house> and <node> of its topics."""

    house: str
    name: str
    channels: tuple[ChannelSpec, ...]
    outputs: tuple[OutputSpec, ...]
    label: str = ""
    firmware: str = "pl-0.3.1"
    hardware: str = "esp32"
    tele_seconds: int = 30
    # Below this the tank counts as empty for outputs that need `tank_ok`; cfg.limits may differ.
    tank_low_litres: float = 40.0

    @property
    def base(self) -> str:
        return f"farm/v1/{self.house}/{self.name}"

    def output(self, code: object) -> OutputSpec | None:
        """Find an output by the code that a message names."""
        return next((output for output in self.outputs if output.code == code), None)


Sensed = Mapping[str, float | None]
