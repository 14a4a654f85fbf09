"""A command as a controller reads it, and the reasons to refuse it before anything moves."""

import json
from dataclasses import dataclass
from typing import Any

from farm.simulator.specs import NodeSpec, OutputSpec

STOPS = frozenset({"stop", "stop_all"})
STARTS = frozenset({"run", "dose"})
# What holds for a while, and must say for how long.
BOUNDED = STARTS | {"set"}


class OrderError(Exception):
    """The command cannot be read; `id` is empty when not even that much was there."""

    def __init__(self, command: str, why: str) -> None:
        super().__init__(why)
        self.command = command
        self.why = why


@dataclass(frozen=True, slots=True)
class Order:
    """One command, parsed; times are the server's."""

    id: str
    op: str
    t_ms: int
    expires_ms: int | None
    output: OutputSpec | None
    seconds: float
    litres: float | None
    ml: float | None
    value: float | None
    first: int
    last: int
    boot: int | None
    channel: str

    @property
    def output_code(self) -> str:
        return self.output.code if self.output else ""


def parse_order(payload: bytes, spec: NodeSpec) -> Order:
    """Read a command; raise OrderError with the reason that the acknowledgement will carry."""
    try:
        said = json.loads(payload)
    except (UnicodeDecodeError, ValueError):
        raise OrderError("", "not_json") from None
    if not isinstance(said, dict) or not isinstance(said.get("id"), str) or not said["id"]:
        raise OrderError("", "no_id")
    command, op = said["id"], str(said.get("op"))
    output = spec.output(said.get("out"))
    if output is None and (op in STARTS | {"stop", "set"}):
        raise OrderError(command, "unknown_output")
    return Order(
        id=command,
        op=op,
        t_ms=_whole(said, "t") or 0,
        expires_ms=_whole(said, "exp"),
        output=output,
        seconds=_run_seconds(said, op, output),
        litres=_number(said, "l"),
        ml=_number(said, "ml"),
        value=_number(said, "v"),
        first=_whole(said, "from") or 0,
        last=_whole(said, "to") or 0,
        boot=_whole(said, "boot"),
        channel=str(said.get("ch", "")),
    )


def _run_seconds(said: dict[str, Any], op: str, output: OutputSpec | None) -> float:
    """How long the output would be on; refuses what has no end or one too far away."""
    if output is None or op not in BOUNDED:
        return 0.0
    if _whole(said, "exp") is None:
        raise OrderError(said["id"], "no_exp")
    if op == "run" and output.kind == "doser":
        raise OrderError(said["id"], "use_dose")
    seconds = _dose_seconds(said, output) if op == "dose" else _number(said, "s")
    if seconds is None or seconds <= 0 or (op != "dose" and seconds < 1):
        raise OrderError(said["id"], "no_duration")
    if seconds > output.max_seconds:
        raise OrderError(said["id"], "too_long")
    return seconds


def _dose_seconds(said: dict[str, Any], output: OutputSpec) -> float | None:
    ml = _number(said, "ml")
    return ml / output.ml_per_second if ml is not None and output.ml_per_second else None


def _number(said: dict[str, Any], key: str) -> float | None:
    value = said.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if abs(value) < 1e15 else None


def _whole(said: dict[str, Any], key: str) -> int | None:
    value = _number(said, key)
    return None if value is None else int(value)
