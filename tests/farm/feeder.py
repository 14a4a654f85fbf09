"""A feeding programme on a tank that does what real ones do, on a clock of its own."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from farm.control import dosing, dosing_settings
from farm.control.plan import Snapshot, Switch, Value

MORNING = datetime(2026, 11, 22, 6, tzinfo=ZoneInfo("Asia/Ho_Chi_Minh"))
RAW = {
    "ec": {"low": 1.6, "target": 1.8, "high": 2.0},
    "ph": {"low": 5.6, "target": 6.0, "high": 6.4},
    "ec_per_ml_per_litre": 0.24,
    "ph_per_ml_per_litre": 2.0,
    "most_ml": 200,
    "most_ph_ml": 40,
    "daily_ml": 1000,
}
DOSERS = tuple(
    Switch(number, f"dose-{name}", kind="doser", dose_kind=name, max_seconds=200, ml_per_second=1.2)
    for number, name in enumerate(("a", "b", "ph_up", "ph_down"), start=1)
)
WATER = Switch(5, "fill", kind="valve", dose_kind="water", litres_per_minute=10.0)


@dataclass
class Tank:
    """A tank of 400 litres that does what real ones do: each ml moves EC and pH."""

    ec: float = 1.8
    ph: float = 6.0
    litres: float = 400.0
    ec_per_ml_per_litre: float = 0.24
    ph_per_ml_per_litre: float = 2.0

    def take(self, action, name):
        share = action.ml / self.litres
        if name in ("a", "b"):
            self.ec += self.ec_per_ml_per_litre * share / 2
        elif name.startswith("ph"):
            self.ph += self.ph_per_ml_per_litre * share * (1 if name == "ph_up" else -1)
        elif name == "water":
            self.ec *= self.litres / (self.litres + action.litres)
            self.litres += action.litres


class Feeder:
    """A programme on a tank, looked at every 30 seconds of a clock of its own."""

    def __init__(self, tank, raw=RAW, *, switches=DOSERS, **snapshot):
        self.tank, self.settings = tank, dosing_settings.parse(raw)
        self.memory, self.now = {}, MORNING
        self.done, self.reasons, self.plan = [], [], None
        self.base = Snapshot(MORNING, switches, mixing_seconds=1200.0, is_circulating=True)
        self.base = replace(self.base, **{"reservoir_l": 500.0} | snapshot)
        self.status = "done"
        self.is_circulating = True
        self.busy_until = MORNING
        self.refuses = ()

    def snapshot(self, **changes):
        values = {
            "ec": Value(self.tank.ec, self.now),
            "ph": Value(self.tank.ph, self.now),
            "tank_volume": Value(self.tank.litres, self.now),
        }
        last = self.memory.get("last") or {"output_id": 0, "key": ""}
        # A dose takes as long as its doser needs for it.
        status = "started" if self.status == "done" and self.now < self.busy_until else self.status
        if last["key"] and last["bottle"] in self.refuses:
            status = "rejected"
        switches = tuple(
            replace(one, last_key=last["key"], last_status=status)
            if one.output_id == last["output_id"]
            else one
            for one in self.base.switches
        )
        return replace(
            self.base,
            **{
                "now": self.now,
                "values": values,
                "switches": switches,
                "is_circulating": self.is_circulating,
            }
            | changes,
        )

    def look(self, *, is_refused=False, **changes):
        self.plan = dosing.decide(self.settings, self.memory, self.snapshot(**changes))
        self.memory = self.plan.memory
        if is_refused and self.plan.actions:
            self.memory = self.plan.refused_memory
            return self.plan
        for action in self.plan.actions:
            switch = next(o for o in self.base.switches if o.output_id == action.output_id)
            if self.status == "done" and switch.dose_kind not in self.refuses:
                self.tank.take(action, switch.dose_kind)
                seconds = action.seconds or action.ml / switch.ml_per_second
                self.busy_until = self.now + timedelta(seconds=seconds)
            self.done.append((f"{self.now:%H:%M:%S}", switch.dose_kind, action.ml or action.litres))
        if not self.reasons or self.reasons[-1] != self.plan.reason:
            self.reasons.append(self.plan.reason)
        return self.plan

    def live(self, **duration):
        end = self.now + timedelta(**duration)
        while self.now < end:
            self.look()
            self.now += timedelta(seconds=30)
        return self.done
