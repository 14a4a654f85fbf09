"""What the controller itself will not let happen: dry pumps, burst pipes, blind dosing."""

from collections.abc import Iterator
from dataclasses import KW_ONLY, dataclass, field
from typing import Any

from farm.simulator.outputs import GRACE_MS, Run, Switches
from farm.simulator.specs import NodeSpec, OutputSpec, Sensed

CONFIRM_MS = 5_000  # a flow must be wrong for so long
SETTLE_MS = 30_000  # after the last valve has shut
LEAK_LPM = 0.3
REFILLED = 1.1  # the tank must be this much above its limit to count as filled again


@dataclass(frozen=True, slots=True)
class Change:
    """An interlock that was raised or cleared."""

    kind: str
    _: KW_ONLY
    is_raised: bool = True
    output: str = ""
    value: float | None = None


@dataclass(slots=True)
class Found:
    """What one look has shown: runs to end with the reason, and events to tell."""

    ends: list[tuple[Run, str]] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)


@dataclass(slots=True)
class Interlocks:
    """Remembers what is raised, so that each is told once, and once when it is over."""

    spec: NodeSpec
    raised: set[str] = field(default_factory=set)
    _bad_since: dict[str, int] = field(default_factory=dict)
    _shut_since: int = 0

    def note(self, kind: str, output: str, *, is_raised: bool) -> None:
        key = f"{kind}:{output}" if output else kind
        (self.raised.add if is_raised else self.raised.discard)(key)

    def why_not(
        self, output: OutputSpec, sensed: Sensed, on: set[str], config: dict[str, Any]
    ) -> str:
        """Say which need of an output is not met; a sensor that says nothing meets none."""
        if "tank_ok" in output.needs and not self._tank_is_ok(sensed, config):
            return "tank_low"
        if "circulation" in output.needs and "pump" not in on:
            return "interlock"
        return ""

    def watch(
        self, switches: Switches, sensed: Sensed, config: dict[str, Any], *, up_ms: int
    ) -> Found:
        """Look once at everything that is on, and at what flows while nothing is."""
        found = Found()
        on = set(switches.running)
        for run in switches.running.values():
            why = self.why_not(run.output, sensed, on, config)
            if why:
                found.ends.append((run, why))
        if "flow" in sensed:
            self._watch_flow(found, switches, sensed["flow"] or 0.0, up_ms)
        found.changes.extend(self._tank_changes(sensed, config))
        return found

    def _watch_flow(self, found: Found, switches: Switches, lpm: float, up_ms: int) -> None:
        open_runs = list(switches.watering())
        for run in open_runs:
            kind = self._flow_fault(run, lpm / len(open_runs), up_ms)
            if kind:
                found.ends.append((run, "no_flow" if kind == "no_flow" else "interlock"))
                found.changes.append(Change(kind, output=run.output.code, value=lpm))
            elif up_ms - run.began_ms >= GRACE_MS and not self._is_doubtful(run):
                found.changes.extend(self._flow_cleared(run.output.code, lpm))
        found.changes.extend(self._leak_changes(lpm, up_ms, is_open=bool(open_runs)))

    def _flow_fault(self, run: Run, lpm: float, up_ms: int) -> str:
        low, high = run.output.flow_lpm or (0.0, float("inf"))
        is_good = low <= lpm <= high
        code = run.output.code
        if is_good or up_ms - run.began_ms < GRACE_MS:
            self._bad_since.pop(code, None)
            return ""
        since = self._bad_since.setdefault(code, up_ms)
        if up_ms - since < CONFIRM_MS:
            return ""
        del self._bad_since[code]
        return "no_flow" if lpm < low else "high_flow"

    def _is_doubtful(self, run: Run) -> bool:
        return run.output.code in self._bad_since

    def _flow_cleared(self, code: str, lpm: float) -> Iterator[Change]:
        for kind in ("no_flow", "high_flow"):
            if f"{kind}:{code}" in self.raised:
                yield Change(kind, is_raised=False, output=code, value=lpm)

    def _leak_changes(self, lpm: float, up_ms: int, *, is_open: bool) -> Iterator[Change]:
        if is_open:
            self._shut_since = up_ms
        is_raised = "flow_after_off" in self.raised
        if not is_open and lpm > LEAK_LPM and up_ms - self._shut_since > SETTLE_MS:
            if not is_raised:
                yield Change("flow_after_off", value=lpm)
        elif is_raised and lpm <= LEAK_LPM:
            yield Change("flow_after_off", is_raised=False, value=lpm)

    def _tank_changes(self, sensed: Sensed, config: dict[str, Any]) -> Iterator[Change]:
        litres = sensed.get("tank")
        if litres is None:
            return
        limit = self._tank_limit(config)
        if litres < limit and "tank_low" not in self.raised:
            yield Change("tank_low", value=litres)
        elif litres > limit * REFILLED and "tank_low" in self.raised:
            yield Change("tank_low", is_raised=False, value=litres)

    def _tank_is_ok(self, sensed: Sensed, config: dict[str, Any]) -> bool:
        litres = sensed.get("tank")
        limit = self._tank_limit(config)
        needed = limit * REFILLED if "tank_low" in self.raised else limit
        return litres is not None and litres >= needed

    def _tank_limit(self, config: dict[str, Any]) -> float:
        limits = config.get("limits")
        low = limits.get("tank_low") if isinstance(limits, dict) else None
        return float(low) if isinstance(low, int | float) else self.spec.tank_low_litres
