"""What the server says by farm/v1: commands, configs, the time; knows no Django."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class CommandFields:
    """A command as it goes to the controller; what is None is left out."""

    id: str
    op: str
    t: int
    exp: int
    by: str = ""
    gen: int = 0
    out: str | None = None
    s: int | None = None
    l: float | None = None  # noqa: E741 - the contract's own key
    ml: float | None = None
    v: float | None = None
    arguments: Mapping[str, Any] = field(default_factory=dict)  # resend: from, to …


def command_payload(command: CommandFields) -> bytes:
    """Write a command.

    >>> command_payload(CommandFields(id="01J", op="run", t=1, exp=2, out="valve-1", s=120))
    b'{"id":"01J","op":"run","out":"valve-1","s":120,"t":1,"exp":2,"gen":0}'
    """
    written = {
        "id": command.id,
        "op": command.op,
        "out": command.out,
        "s": command.s,
        "l": command.l,
        "ml": command.ml,
        "v": command.v,
        **command.arguments,
        "t": command.t,
        "exp": command.exp,
        "by": command.by or None,
        "gen": command.gen,
    }
    return _bytes({key: value for key, value in written.items() if value is not None})


def config_payload(document: Mapping[str, Any]) -> bytes:
    return _bytes(document)


def tick_payload(t_ms: int, n: int) -> bytes:
    """Write the server's time.

    >>> tick_payload(1767225600000, 7)
    b'{"t":1767225600000,"n":7}'
    """
    return _bytes({"t": t_ms, "n": n})


def _bytes(document: Mapping[str, Any]) -> bytes:
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()
