"""One look of a feeding programme at its tank: all that a decision is made of."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from farm.control.dosing_settings import Settings
from farm.control.plan import Cry, Memory, Plan, Snapshot, Switch, Verdict

LOOK_AGAIN = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Look:
    """The settings, the memory and the moment; `ec` and `ph` are None where they are not fresh."""

    settings: Settings
    memory: Memory
    snapshot: Snapshot
    ec: float | None
    ph: float | None
    litres: float

    @property
    def now(self) -> datetime:
        return self.snapshot.now

    def value(self, quantity: str) -> float | None:
        return self.ec if quantity == "ec" else self.ph

    def switch(self, dose_kind: str) -> Switch | None:
        return next((one for one in self.snapshot.switches if one.dose_kind == dose_kind), None)

    def skip(self, reason: str, **facts: Any) -> Plan:
        return Plan(
            Verdict.SKIP,
            reason,
            self.memory,
            self.facts(**facts),
            next_look_at=self.now + LOOK_AGAIN,
        )

    def block(self, reason: str, *cries: Cry, **facts: Any) -> Plan:
        return Plan(
            Verdict.BLOCKED,
            reason,
            self.memory,
            self.facts(**facts),
            next_look_at=self.now + LOOK_AGAIN,
            cries=cries,
        )

    def facts(self, **more: Any) -> dict[str, Any]:
        seen = {"ec": rounded(self.ec), "ph": rounded(self.ph), "tank_litres": self.litres}
        return {**{name: value for name, value in seen.items() if value is not None}, **more}


def rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 2)


def without(memory: Memory, *names: str) -> dict[str, Any]:
    """Give the memory without some of its parts."""
    return {name: value for name, value in memory.items() if name not in names}
