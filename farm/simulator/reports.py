"""The JSON of everything that a controller says (farm/v1): no state, no clock of its own."""

import json
from collections import deque
from dataclasses import dataclass
from typing import Any

from farm.simulator.flash import LoggedFrame, Result
from farm.simulator.outputs import Run
from farm.simulator.specs import NodeSpec, Sensed

BATCH_FRAMES = 100
BATCH_BYTES = 32_000  # farm/v1 says 32 KB; the rest is for the braces around


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One message to publish."""

    topic: str
    payload: bytes
    qos: int = 1
    is_retained: bool = False


@dataclass(frozen=True, slots=True)
class Moment:
    """When a controller says something: by its clock, or since its boot where it has none."""

    boot: int
    up_ms: int
    t_ms: int | None

    def stamp(self) -> dict[str, Any]:
        """Give the keys that date a message.

        >>> Moment(17, 5_000, None).stamp()
        {'up': 5000, 'now': 5000, 'boot': 17}
        """
        if self.t_ms is None:
            return {"up": self.up_ms, "now": self.up_ms, "boot": self.boot}
        return {"t": self.t_ms, "boot": self.boot}


@dataclass(frozen=True, slots=True)
class Life:
    """Where a controller stands in its life; `seq` is that of its next frame."""

    clock: str
    seq: int
    config: int
    reset: str
    buffered: int


_JSON = json.JSONEncoder(separators=(",", ":"))


def encode(said: dict[str, Any]) -> bytes:
    return _JSON.encode(said).encode()


def birth(spec: NodeSpec, moment: Moment, life: Life) -> bytes:
    """Tell what the controller is and has."""
    said: dict[str, Any] = {"v": 1, **moment.stamp(), "clk": life.clock}
    said |= {"fw": spec.firmware, "hw": spec.hardware}
    said |= {"seq": life.seq, "cfg": life.config, "reset": life.reset}
    said["ch"] = {channel.code: channel.as_birth() for channel in spec.channels}
    said["out"] = {output.code: output.as_birth() for output in spec.outputs}
    said["buf"] = life.buffered
    return encode(said)


def values_of(spec: NodeSpec, sensed: Sensed) -> dict[str, float | None]:
    """Round the values as the wire carries them."""
    values: dict[str, float | None] = {}
    for channel in spec.channels:
        value = sensed.get(channel.code)
        values[channel.code] = None if value is None else round(value, channel.decimals)
    return values


def frame(logged: LoggedFrame, *, now_ms: int) -> bytes:
    """Tell one frame; without a clock the server counts back from when it arrives."""
    said: dict[str, Any] = {"boot": logged.boot, "seq": logged.seq, "m": logged.values}
    said |= {"up": logged.up_ms, "now": now_ms} if logged.t_ms is None else {"t": logged.t_ms}
    if logged.quality:
        said["q"] = logged.quality
    return encode(said)


def next_batch(unsent: deque[LoggedFrame], *, now_ms: int) -> bytes:
    """Take frames of one boot off the queue, as many as one message may hold.

    A frame without a time carries its `up` in fourth place; `now` is one for all.
    """
    boot = unsent[0].boot
    rows: list[bytes] = []
    size = 0
    while unsent and unsent[0].boot == boot:
        row = _JSON.encode(_row(unsent[0])).encode()
        if len(rows) == BATCH_FRAMES or (rows and size + len(row) > BATCH_BYTES):
            break
        size += len(row) + 1
        rows.append(row)
        unsent.popleft()
    more = b"true" if unsent else b"false"
    return b'{"boot":%d,"now":%d,"b":[%s],"more":%s}' % (boot, now_ms, b",".join(rows), more)


def _row(logged: LoggedFrame) -> list[Any]:
    row: list[Any] = [logged.seq, logged.t_ms, logged.values]
    if logged.t_ms is None or logged.quality:
        row.append(logged.up_ms)
    if logged.quality:
        row.append(logged.quality)
    return row


def state(
    run: Run | None,
    moment: Moment,
    *,
    source: str,
    flow_lpm: float | None = None,
    percent: float | None = None,
) -> bytes:
    """Tell whether an output is on, by what, for how long still, and how strong if it can vary.

    `flow` is left out where no meter stands behind the output: nothing would be a claim.
    """
    said: dict[str, Any] = {"on": run is not None, **moment.stamp()}
    said["src"] = run.source if run else source
    said["id"] = run.command or None if run else None
    said["left"] = max(0, round((run.deadline_ms - moment.up_ms) / 1000)) if run else 0
    if flow_lpm is not None:
        said["flow"] = round(flow_lpm, 1)
    if percent is not None:
        said["v"] = round(percent, 1)
    return encode(said)


def ack(result: Result, moment: Moment, *, status: str, last: str = "") -> bytes:
    """Tell how far a command is; a doubled one is told its last status in `last`."""
    said: dict[str, Any] = {"id": result.id, "st": status, **moment.stamp(), "why": result.why}
    said["ran_s"] = None if result.ran_seconds is None else round(result.ran_seconds, 1)
    said["l"] = None if result.litres is None else round(result.litres, 3)
    if last:
        said["last"] = last
    return encode(said)


def event(
    kind: str, moment: Moment, *, is_raised: bool, output: str = "", value: float | None = None
) -> bytes:
    """Tell that an interlock or alarm of the controller itself was raised or cleared."""
    said: dict[str, Any] = {"k": kind, "on": is_raised, **moment.stamp()}
    if output:
        said["out"] = output
    if value is not None:
        said["v"] = round(value, 2)
    return encode(said)
