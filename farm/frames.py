"""The words of the contract farm/v1: bytes to dataclasses and back; knows no Django and no broker.

Field names follow the contract's keys where these are clear. Times are epoch milliseconds UTC.
A controller must never be able to break the server: whatever the bytes are, either a dataclass
comes out or FrameError with the reason.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from types import MappingProxyType
from typing import Any, NamedTuple

from farm import json_fields
from farm.json_fields import FrameError

MOST_FRAMES = 100
MOST_OUTPUTS = 64
MOST_SEQUENCE = 2**32 - 1
LONGEST_TOPIC = 92  # farm/v1/…/…/out/…/state with names of 24
RETAINED_COMMAND = "retained_cmd"  # the event of a controller that found one at the broker
SERVER = "server"
NOTHING: Mapping[str, Any] = MappingProxyType({})

_KINDS = {
    ("status",): "status",
    ("birth",): "birth",
    ("tele",): "tele",
    ("tele", "batch"): "batch",
    ("ack",): "ack",
    ("event",): "event",
    ("cmd",): "cmd",
    ("cfg",): "cfg",
    ("cfg", "ack"): "cfg_ack",
}
_NAME = re.compile(r"[a-z0-9-]{1,24}\Z")
_CODE = re.compile(r"[A-Za-z0-9_.-]{1,24}\Z")


@dataclass(frozen=True, slots=True)
class Topic:
    """farm/v1/<house>/<node>/…; `kind` is one word: cfg/ack is cfg_ack, tele/batch is batch."""

    house: str
    node: str
    kind: str
    output: str = ""


@dataclass(frozen=True, slots=True)
class ChannelSpec:
    """What a birth says of one channel: unit, quantity, pulses per litre."""

    unit: str = ""
    quantity: str = ""
    pulses_per_litre: float | None = None


@dataclass(frozen=True, slots=True)
class OutputSpec:
    """What a birth says of one output: kind, longest run, flow band in L/min, doser's ml/s."""

    kind: str = ""
    max_s: int = 0
    flow_low: float | None = None
    flow_high: float | None = None
    ml_s: float | None = None
    needs: tuple[str, ...] = ()
    fail: str = "off"
    dim: bool = False


@dataclass(frozen=True, slots=True)
class Birth:
    """What a controller says of itself after each connect."""

    boot: int
    seq: int | None = None
    t_ms: int | None = None
    clock: str = ""
    firmware: str = ""
    hardware: str = ""
    cfg: int = 0
    reset: str = ""
    channels: Mapping[str, ChannelSpec] = field(default_factory=dict)
    outputs: Mapping[str, OutputSpec] = field(default_factory=dict)
    buffered: int = 0


class Frame(NamedTuple):
    """Values measured at one moment. Without a clock `t_ms` is None and both ups are there.

    None as value: the sensor failed. NaN as value: what came was not a finite number.
    """

    boot: int
    seq: int
    t_ms: int | None = None
    up_ms: int | None = None
    now_ms: int | None = None
    values: Mapping[str, float | None] = NOTHING
    quality: Mapping[str, str] = NOTHING


class Fault(NamedTuple):
    """What is wrong with one frame of a batch, and that frame as it came."""

    error: FrameError
    entry: bytes


@dataclass(frozen=True, slots=True)
class OutputState:
    """What an output does now, by the controller's own words."""

    on: bool
    t_ms: int | None = None
    boot: int | None = None
    src: str = ""
    id: str = ""
    left: float | None = None
    flow: float | None = None
    up_ms: int | None = None
    v: float | None = None


@dataclass(frozen=True, slots=True)
class Ack:
    """One step of a command, by the controller's own words; `last` goes with a duplicate."""

    id: str
    st: str
    t_ms: int | None = None
    boot: int | None = None
    why: str = ""
    ran_s: float | None = None
    l: float | None = None  # noqa: E741 - the contract's own key
    last: str = ""


@dataclass(frozen=True, slots=True)
class Event:
    """An alarm or interlock that the controller raised or cleared itself."""

    kind: str
    is_raised: bool
    t_ms: int | None = None
    boot: int | None = None
    up_ms: int | None = None
    output: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ConfigAck:
    """Which config the controller keeps, and what it disliked."""

    rev: int
    ok: bool
    err: str = ""


def parse_topic(topic: str) -> Topic | None:
    """Read a topic below a controller's base; None for any other, the server's own included.

    >>> parse_topic("farm/v1/nm1/n7f3a/out/valve-1/state")
    Topic(house='nm1', node='n7f3a', kind='state', output='valve-1')
    >>> parse_topic("farm/v1/server/status") is None
    True
    """
    return _known_topic(topic) if len(topic) <= LONGEST_TOPIC else None


@lru_cache(maxsize=4096)
def _known_topic(topic: str) -> Topic | None:
    parts = topic.split("/")
    if parts[:2] != ["farm", "v1"] or len(parts) < 5 or parts[2] == SERVER:
        return None
    house, node, rest = parts[2], parts[3], tuple(parts[4:])
    if not (_NAME.match(house) and _NAME.match(node)):
        return None
    if len(rest) == 3 and rest[0] == "out" and rest[2] == "state" and _NAME.match(rest[1]):
        return Topic(house, node, "state", rest[1])
    kind = _KINDS.get(rest)
    return Topic(house, node, kind) if kind else None


def parse_status(payload: bytes) -> bool:
    """Read `online` or `offline`."""
    if payload not in (b"online", b"offline"):
        raise FrameError("malformed", "status is neither online nor offline")
    return payload == b"online"


def parse_birth(payload: bytes) -> Birth:
    document = json_fields.read_object(payload)
    if document.get("v", 1) != 1:
        raise FrameError("malformed", "v is not 1")
    return Birth(
        boot=json_fields.boot(document),
        seq=(
            None
            if document.get("seq") is None
            else json_fields.whole(document["seq"], "seq", most=MOST_SEQUENCE)
        ),
        t_ms=json_fields.time(document.get("t")),
        clock=json_fields.text(document, "clk", 16),
        firmware=json_fields.text(document, "fw", 40),
        hardware=json_fields.text(document, "hw", 40),
        cfg=json_fields.whole(document.get("cfg") or 0, "cfg", most=2**31 - 1),
        reset=json_fields.text(document, "reset", 40),
        channels={
            code: ChannelSpec(
                unit=json_fields.text(spec, "u", 16),
                quantity=json_fields.text(spec, "k", 20),
                pulses_per_litre=json_fields.number(spec.get("ppl")),
            )
            for code, spec in _specs(document, "ch", _CODE, json_fields.MOST_CHANNELS)
        },
        outputs={
            code: _output_spec(spec) for code, spec in _specs(document, "out", _NAME, MOST_OUTPUTS)
        },
        buffered=json_fields.whole(document.get("buf") or 0, "buf", most=2**31 - 1),
    )


def parse_tele(payload: bytes) -> Frame:
    document = json_fields.read_object(payload)
    return _timed(
        Frame(
            boot=json_fields.boot(document),
            seq=json_fields.whole(document.get("seq"), "seq", most=MOST_SEQUENCE),
            t_ms=json_fields.time(document.get("t")),
            up_ms=json_fields.milliseconds(document.get("up"), "up"),
            now_ms=json_fields.milliseconds(document.get("now"), "now"),
            values=json_fields.measured(document.get("m")),
            quality=json_fields.words(document.get("q")),
        )
    )


Read = tuple[tuple[Frame, ...], tuple[Fault, ...]]  # what is good in a message, and what is not


def parse_batch(payload: bytes) -> Read:
    """Read buffered frames, each [seq, t, values]; a broken one does not spoil the others.

    The contract leaves open how a frame without a clock is buffered; read as [seq, null, values,
    up], with one `now` for all, which keeps its words. A fifth place may hold the quality.
    """
    document = json_fields.read_object(payload)
    entries = document.get("b")
    if not isinstance(entries, list):
        raise FrameError("malformed", "b is not a list")
    if len(entries) > MOST_FRAMES:
        raise FrameError("malformed", f"{len(entries)} frames in a batch")
    boot, now_ms = json_fields.boot(document), json_fields.milliseconds(document.get("now"), "now")
    read, faults = [], []
    for entry in entries:
        try:
            read.append(_entry(entry, boot, now_ms))
        except FrameError as error:
            faults.append(Fault(error, json.dumps(entry).encode()))
    return tuple(read), tuple(faults)


def parse_state(payload: bytes) -> OutputState:
    document = json_fields.read_object(payload)
    return OutputState(
        on=json_fields.claim(document.get("on"), "on"),
        t_ms=json_fields.time(document.get("t")),
        boot=_boot_if_any(document),
        src=json_fields.text(document, "src", 10),
        id=json_fields.text(document, "id", 26),
        left=json_fields.number(document.get("left")),
        flow=json_fields.number(document.get("flow")),
        up_ms=_up_if_any(document),
        v=json_fields.number(document.get("v")),
    )


def parse_ack(payload: bytes) -> Ack:
    document = json_fields.read_object(payload)
    ack = Ack(
        id=json_fields.text(document, "id", 26),
        st=json_fields.text(document, "st", 12),
        t_ms=json_fields.time(document.get("t")),
        boot=_boot_if_any(document),
        why=json_fields.text(document, "why", 40),
        ran_s=json_fields.number(document.get("ran_s")),
        l=json_fields.number(document.get("l")),
        last=json_fields.text(document, "last", 12),
    )
    if not ack.id or not ack.st:
        raise FrameError("malformed", "an ack without id or st")
    return ack


def parse_event(payload: bytes) -> Event:
    """Read an event, {"k":"tank_low","on":true|false,…}, or with "st":"raised"|"cleared" instead.

    What does not say that it is cleared is raised.
    """
    document = json_fields.read_object(payload)
    kind = json_fields.text(document, "k", 40) or json_fields.text(document, "kind", 40)
    if not kind:
        raise FrameError("malformed", "an event without a kind")
    known = {"k", "kind", "on", "st", "t", "up", "now", "boot", "out"}
    is_on = document.get("on")
    return Event(
        kind=kind,
        is_raised=is_on if isinstance(is_on, bool) else document.get("st") != "cleared",
        t_ms=json_fields.time(document.get("t")),
        boot=_boot_if_any(document),
        up_ms=_up_if_any(document),
        output=json_fields.text(document, "out", 24),
        facts={
            json_fields.storable(key)[:40]: json_fields.plain(value)
            for key, value in document.items()
            if key not in known
        },
    )


def parse_config_ack(payload: bytes) -> ConfigAck:
    document = json_fields.read_object(payload)
    return ConfigAck(
        rev=json_fields.whole(document.get("rev"), "rev", most=2**31 - 1),
        ok=json_fields.claim(document.get("ok"), "ok"),
        err=json_fields.text(document, "err", 200),
    )


def _up_if_any(document: dict[str, Any]) -> int | None:
    """Read the milliseconds since the boot; states and events are no worse without them."""
    amount = json_fields.number(document.get("up"))
    return int(amount) if amount is not None and 0 <= amount < 2**53 else None


def _boot_if_any(document: dict[str, Any]) -> int | None:
    return None if document.get("boot") is None else json_fields.boot(document)


def _timed(frame: Frame) -> Frame:
    if frame.t_ms is None and (frame.up_ms is None or frame.now_ms is None):
        raise FrameError("malformed", "neither t nor up and now")
    return frame


def _entry(entry: Any, boot: int, now_ms: int | None) -> Frame:
    if not isinstance(entry, list) or not 3 <= len(entry) <= 5:
        raise FrameError("malformed", "a buffered frame is not [seq, t, values]")
    seq, t_ms, values, up_ms, quality = (*entry, None, None)[:5]
    return _timed(
        Frame(
            boot=boot,
            seq=json_fields.whole(seq, "seq", most=MOST_SEQUENCE),
            t_ms=json_fields.time(t_ms),
            up_ms=json_fields.milliseconds(up_ms, "up"),
            now_ms=now_ms,
            values=json_fields.measured(values),
            quality=json_fields.words(quality),
        )
    )


def _specs(
    document: dict[str, Any], key: str, name: re.Pattern[str], most: int
) -> Iterator[tuple[str, dict[str, Any]]]:
    specs = document.get(key) or {}
    if not isinstance(specs, dict) or len(specs) > most:
        raise FrameError("malformed", f"{key} is not an object of at most {most}")
    for code, spec in specs.items():
        if not name.match(code) or not isinstance(spec, dict):
            raise FrameError("malformed", f"{key}: {code[:40]}")
        yield code, spec


def _output_spec(spec: dict[str, Any]) -> OutputSpec:
    flow, needs = spec.get("flow"), spec.get("needs")
    low, high = flow if isinstance(flow, list) and len(flow) == 2 else (None, None)
    return OutputSpec(
        kind=json_fields.text(spec, "k", 6),
        max_s=json_fields.whole(spec.get("max_s") or 0, "max_s", most=2**31 - 1),
        flow_low=json_fields.number(low),
        flow_high=json_fields.number(high),
        ml_s=json_fields.number(spec.get("ml_s")),
        needs=tuple(json_fields.storable(str(need))[:40] for need in needs)
        if isinstance(needs, list)
        else (),
        fail=json_fields.text(spec, "fail", 5) or "off",
        dim=spec.get("dim") is True,
    )
