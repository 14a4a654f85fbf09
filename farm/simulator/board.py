"""The body of a simulated controller: power, link, time, switches, and what it tells.

`real_ms` is the true time; what the controller believes is its clock's affair.
"""

import json
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from farm.simulator import reports
from farm.simulator.clock import BELIEVED_WITHIN_MS, DeviceClock
from farm.simulator.flash import ENDED, Flash, LoggedFrame, Result
from farm.simulator.interlocks import Interlocks
from farm.simulator.local import LocalControl
from farm.simulator.orders import Order
from farm.simulator.outputs import Level, Run, Switches
from farm.simulator.reports import Moment, Outgoing
from farm.simulator.specs import NodeSpec, OutputSpec, Sensed

LEASE_MS = 90_000
STATE_EVERY_MS = 60_000


@dataclass(slots=True)
class Board:
    """The hardware of a controller. It is off until `power_on`, and alone until `connected`."""

    spec: NodeSpec
    clock: DeviceClock = field(default_factory=DeviceClock)
    flash: Flash = field(default_factory=Flash)
    switches: Switches = field(default_factory=lambda: Switches(0))
    interlocks: Interlocks = field(init=False)
    local: LocalControl = field(init=False)
    up_ms: int = 0
    is_powered: bool = False
    is_connected: bool = False
    reset: str = "power"
    seq: int = 1
    ticked_up_ms: int | None = None
    tick_t_ms: int = 0
    calibrating: dict[str, int] = field(default_factory=dict)
    offsets: dict[str, float] = field(default_factory=dict)
    levels: dict[str, Level] = field(default_factory=dict)
    _next_frame_ms: int = 0
    _sensed: Sensed = field(default_factory=dict)
    _sources: dict[str, str] = field(default_factory=dict)
    _outbox: list[Outgoing] = field(default_factory=list)
    _events: deque[bytes] = field(default_factory=lambda: deque(maxlen=64))

    def __post_init__(self) -> None:
        self.interlocks = Interlocks(self.spec)
        self.local = LocalControl(self.spec)

    # Power

    def power_on(self, *, real_ms: int, reset: str = "power") -> None:
        """Boot: everything is off, and what ran before is told as broken off."""
        self.flash.boot += 1
        for result in self.flash.results.values():
            if result.status not in ENDED:
                result.status, result.why, result.is_told = "aborted", "reboot", False
                result.ran_seconds = result.litres = None  # nobody counted to the end
        openings = self.switches.openings
        self.switches = Switches(real_ms, openings=openings)
        self.interlocks = Interlocks(self.spec)
        self.local = LocalControl(self.spec)
        self.up_ms, self.seq, self._next_frame_ms = 0, 1, self.spec.tele_seconds * 1000
        self.ticked_up_ms = None
        self.is_powered, self.is_connected, self.reset = True, False, reset
        self._sources = {output.code: "boot" for output in self.spec.outputs}
        self._outbox.clear()
        self._events.clear()
        self.calibrating.clear()
        self.levels.clear()

    def power_off(self, *, real_ms: int) -> None:
        """Lose power: springs close the valves, RAM is forgotten, flash is kept."""
        self.up_ms = max(self.up_ms, real_ms - self.switches.booted_ms)
        for code in list(self.switches.running):
            self.switches.off(code, up_ms=self.up_ms)
        self.is_powered = self.is_connected = False

    # The link

    def connected(self) -> list[Outgoing]:
        """After CONNACK: birth, then online, then every state and what was not told yet."""
        self.is_connected = True
        self._say("birth", self._birth(), is_retained=True)
        self._say("status", b"online", is_retained=True)
        for output in self.spec.outputs:
            self._say_state(output.code)
        for result in self.flash.results.values():
            if not result.is_told:
                self._tell(result)
        while self._events:
            self._say("event", self._events.popleft())
        return self._take_outbox()

    def disconnected(self) -> None:
        self.is_connected = False

    def will(self) -> Outgoing:
        """Give what the broker is to say when it loses us."""
        return Outgoing(f"{self.spec.base}/status", b"offline", is_retained=True)

    @property
    def subscriptions(self) -> tuple[tuple[str, int], ...]:
        return (
            (f"{self.spec.base}/cmd", 1),
            (f"{self.spec.base}/cfg", 1),
            ("farm/v1/server/#", 1),
        )

    # Time

    def advance(self, *, real_ms: int, sensed: Sensed) -> list[Outgoing]:
        """Let time pass; `sensed` is what the sensors showed over it.

        Outputs go off at their own millisecond, however long the step.
        """
        if not self.is_powered:
            return []
        self._sensed = sensed
        target = real_ms - self.switches.booted_ms
        lpm = self._lpm
        while self.up_ms < target:
            timers = (self.switches.next_end_ms(lpm), self._lease_ends_ms())
            moment = min([target, *(timer for timer in timers if timer is not None)])
            moment = max(moment, self.up_ms)
            self.switches.measure(lpm, moment)
            self.up_ms = moment
            for run in self.switches.due(lpm, moment):
                self._end(run, status="done", source=run.source)
            self._watch_lease()
        self._end_levels()
        self._watch_interlocks()
        self._control_locally()
        self._repeat_states()
        self._measure()
        return self._take_outbox()

    def next_timer_ms(self) -> int | None:
        """Tell when, in true time, an output will go off by itself."""
        ends = self.switches.next_end_ms(self._lpm)
        return None if ends is None else self.switches.booted_ms + ends

    def is_on(self, output: str) -> bool:
        return output in self.switches.running

    def strength(self, output: str) -> float:
        """Tell how strong an output is while it is on, as a share of one."""
        level = self.levels.get(output)
        return 1.0 if level is None or level.ends_ms <= self.up_ms else level.percent / 100

    @property
    def has_lease(self) -> bool:
        """Whether the server was heard within the last 90 s."""
        return self.ticked_up_ms is not None and self.up_ms - self.ticked_up_ms < LEASE_MS

    # Switching

    @property
    def is_stopped(self) -> bool:
        """Whether the emergency stop holds: a level, kept in flash."""
        return self.flash.config.get("estop") is True

    def _now_ms(self) -> int | None:
        """Tell the time to judge `exp` by: the own clock, unless a live tick contradicts it."""
        own = self._moment().t_ms
        if self.ticked_up_ms is None:
            return own
        by_tick = self.tick_t_ms + self.up_ms - self.ticked_up_ms
        if own is None or (self.has_lease and abs(own - by_tick) > BELIEVED_WITHIN_MS):
            return by_tick
        return own

    def _why_not(self, output: OutputSpec) -> str:
        """Say which interlock of the device holds the output; empty when none does."""
        if self.is_stopped:
            return "estop"
        on = set(self.switches.running)
        return self.interlocks.why_not(output, self._sensed, on, self.flash.config)

    def _switch_on(
        self, output: OutputSpec, *, source: str, seconds: float, order: Order | None = None
    ) -> None:
        # Down to the millisecond: rounding up would be longer than asked.
        run = Run(output, source, self.up_ms, self.up_ms + int(seconds * 1000), told_ms=self.up_ms)
        if order is not None:
            run.command, run.asked_t_ms = order.id, order.t_ms
            run.litre_limit, run.ml = order.litres, order.ml
        self.switches.on(run)
        self._say_state(output.code)

    def _end(
        self, run: Run, *, status: str, source: str, why: str | None = None, is_quiet: bool = False
    ) -> None:
        self.switches.off(run.output.code, up_ms=self.up_ms)
        self._sources[run.output.code] = source
        if not is_quiet:
            self._say_state(run.output.code)
        result = self.flash.results.get(run.command)
        if result is not None:
            result.status, result.why, result.is_told = status, why, False
            result.ran_seconds = run.ran_seconds(self.up_ms)
            result.litres = run.ran_litres(self.up_ms)
            self._tell(result)

    def _end_levels(self) -> None:
        """Go back to full strength where the time of a lesser one is over."""
        over = [code for code, level in self.levels.items() if level.ends_ms <= self.up_ms]
        for code in over:
            del self.levels[code]
            self._say_state(code)

    def _stop_all(self, *, why: str, source: str) -> None:
        for run in list(self.switches.running.values()):
            self._end(run, status="aborted", why=why, source=source)

    def _lease_ends_ms(self) -> int | None:
        return self.ticked_up_ms + LEASE_MS if self.has_lease and self.ticked_up_ms else None

    def _watch_lease(self) -> None:
        """When the server falls silent: what may go on alone goes local, the rest runs out."""
        if self.ticked_up_ms is None or self.has_lease or "lease" in self.interlocks.raised:
            return
        self._raise("lease", is_raised=True)
        for run in list(self.switches.running.values()):
            if run.output.fail == "local":
                self._end(run, status="aborted", why="lease", source="lease")

    def _watch_interlocks(self) -> None:
        found = self.interlocks.watch(
            self.switches, self._sensed, self.flash.config, up_ms=self.up_ms
        )
        for run, why in found.ends:
            if run.output.code in self.switches.running:
                self._end(run, status="aborted", why=why, source="interlock")
        for change in found.changes:
            self._raise(
                change.kind, is_raised=change.is_raised, output=change.output, value=change.value
            )

    def _control_locally(self) -> None:
        """Without the server, run what may run alone: thermostat and timetable of the config."""
        if self.has_lease or self.is_stopped:
            return
        wishes = self.local.wishes(
            self.flash.config,
            self._sensed,
            set(self.switches.running),
            up_ms=self.up_ms,
            t_ms=self._now_ms(),
        )
        for wish in wishes:
            run = self.switches.running.get(wish.output.code)
            if wish.seconds is None:
                if run is not None and run.source == "local":
                    self._end(run, status="done", source="local")
            elif run is None and not self._why_not(wish.output):
                self._switch_on(wish.output, source=wish.source, seconds=wish.seconds)

    # Telling

    def _repeat_states(self) -> None:
        for run in self.switches.running.values():
            if self.up_ms - run.told_ms >= STATE_EVERY_MS:
                run.told_ms = self.up_ms
                self._say_state(run.output.code)

    def _measure(self) -> None:
        """Log a frame when one is due, and send it, or later with others."""
        if self.up_ms >= self._next_frame_ms:
            every = self.spec.tele_seconds * 1000
            self._next_frame_ms = (self.up_ms // every + 1) * every
            quality = {code: "cal" for code, end in self.calibrating.items() if end > self.up_ms}
            values = reports.values_of(self.spec, self._sensed)
            for code, offset in self.offsets.items():
                value = values.get(code)
                values[code] = None if value is None else round(value + offset, 3)
            logged = LoggedFrame(
                self.flash.boot, self.seq, self.up_ms, self._moment().t_ms, values, quality
            )
            self.seq = (self.seq + 1) % 2**32
            self.flash.frames.append(logged)
            if self.is_connected:
                self._say("tele", reports.frame(logged, now_ms=self.up_ms))
            else:
                self.flash.unsent.append(logged)
        if self.is_connected and self.flash.unsent:
            self._send_backlog()

    def _send_backlog(self) -> None:
        """Send one message of older frames; the next advance sends the next."""
        unsent = self.flash.unsent
        # Without a clock, nobody could say when a frame of an earlier boot was measured.
        while unsent and unsent[0].t_ms is None and unsent[0].boot != self.flash.boot:
            unsent.popleft()
        if unsent:
            self._say("tele/batch", reports.next_batch(unsent, now_ms=self.up_ms))

    def _birth(self) -> bytes:
        life = reports.Life(
            clock=self.clock.name,
            seq=self.seq,
            config=int(self.flash.config.get("rev", 0)),
            reset=self.reset,
            buffered=len(self.flash.unsent),
        )
        return reports.birth(self.spec, self._moment(), life)

    def _note(self, result: Result) -> None:
        self.flash.keep(result)
        self._tell(result)

    def _tell(self, result: Result) -> None:
        if self.is_connected:
            result.is_told = True
            self._say("ack", reports.ack(result, self._moment(), status=result.status))

    def _tell_again(self, result: Result) -> None:
        """Answer a doubled command with what is known of it; nothing runs twice."""
        run = self.switches.of_command(result.id)
        if run is not None:
            result.ran_seconds = run.ran_seconds(self.up_ms)
            result.litres = run.ran_litres(self.up_ms)
        told = reports.ack(result, self._moment(), status="duplicate", last=result.status)
        self._say("ack", told)

    def _raise(
        self, kind: str, *, is_raised: bool, output: str = "", value: float | None = None
    ) -> None:
        self.interlocks.note(kind, output, is_raised=is_raised)
        told = reports.event(kind, self._moment(), is_raised=is_raised, output=output, value=value)
        if self.is_connected:
            self._say("event", told)
        else:
            self._events.append(told)

    def _say_state(self, output: str) -> None:
        self._say(f"out/{output}/state", self._state(output), is_retained=True)

    def _state(self, output: str) -> bytes:
        return reports.state(
            self.switches.running.get(output),
            self._moment(),
            source=self._sources.get(output, "boot"),
            flow_lpm=self._flow_of(output),
            percent=self._percent(output),
        )

    def _flow_of(self, output: str) -> float | None:
        """Tell a valve's part of the one meter; of other outputs the meter knows nothing."""
        spec, lpm = self.spec.output(output), self._sensed.get("flow")
        if spec is None or spec.flow_lpm is None or lpm is None:
            return None
        return self.switches.share_of(lpm) if self.is_on(output) else 0.0

    def _say(self, topic: str, payload: bytes, *, is_retained: bool = False) -> None:
        if self.is_connected:
            self._outbox.append(
                Outgoing(f"{self.spec.base}/{topic}", payload, is_retained=is_retained)
            )

    def _take_outbox(self) -> list[Outgoing]:
        taken, self._outbox = self._outbox, []
        return taken

    def _moment(self) -> Moment:
        real_ms = self.switches.booted_ms + self.up_ms
        return Moment(
            self.flash.boot, self.up_ms, self.clock.t_ms(real_ms=real_ms, up_ms=self.up_ms)
        )

    def _percent(self, output: str) -> float | None:
        spec = self.spec.output(output)
        return 100 * self.strength(output) if spec is not None and spec.is_dimmable else None

    @property
    def _lpm(self) -> float:
        return self._sensed.get("flow") or 0.0

    def as_told(self, output: str) -> dict[str, Any]:
        """Give the state of an output as the topic carries it (for tests)."""
        told: dict[str, Any] = json.loads(self._state(output))
        return told
