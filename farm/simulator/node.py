"""A controller's firmware as farm/v1 wants it: messages and time in, messages out.

It knows no broker and no computer clock, so that a test, a virtual month and a real MQTT client
can all drive it.
"""

import json
from dataclasses import dataclass

from farm.simulator import reports
from farm.simulator.board import Board
from farm.simulator.flash import Result
from farm.simulator.orders import STARTS, STOPS, Order, OrderError, parse_order
from farm.simulator.outputs import Level
from farm.simulator.reports import Outgoing

BUTTON_SECONDS = 120
CALIBRATION_MS = 60_000
TICK_TOPIC = "farm/v1/server/tick"


@dataclass(slots=True)
class Node(Board):
    """A board that listens: to ticks, config and commands, and to the button at the valve."""

    def receive(self, *, topic: str, payload: bytes, is_retained: bool = False) -> list[Outgoing]:
        """Take one message, at the time of the last `advance`."""
        if not self.is_powered:
            return []
        if topic == TICK_TOPIC:
            self._take_tick(payload)
        elif topic == f"{self.spec.base}/cfg":
            self._take_config(payload)
        elif topic == f"{self.spec.base}/cmd":
            if is_retained:  # never ours: somebody published a command with the flag on
                self._raise("retained_cmd", is_raised=True)
            else:
                self._take_command(payload)
        return self._take_outbox()

    def press(self, output: str) -> list[Outgoing]:
        """Somebody presses the button at the valve: on for two minutes, or off."""
        run = self.switches.running.get(output)
        found = self.spec.output(output)
        if run is not None:
            self._end(run, status="aborted", why="stop", source="button")
        elif found is not None and not self._why_not(found):
            seconds = min(BUTTON_SECONDS, found.max_seconds)
            self._switch_on(found, source="button", seconds=seconds)
        return self._take_outbox()

    def _take_tick(self, payload: bytes) -> None:
        try:
            t_ms = int(json.loads(payload)["t"])
        except (UnicodeDecodeError, ValueError, KeyError, TypeError, OverflowError):
            return
        was_lost = self.ticked_up_ms is not None and not self.has_lease
        self.ticked_up_ms, self.tick_t_ms = self.up_ms, t_ms
        if was_lost or "lease" in self.interlocks.raised:
            self._raise("lease", is_raised=False)
            for run in [run for run in self.switches.running.values() if run.source == "local"]:
                self._end(run, status="done", source="local")
            self.local.hand_over()

    def _take_config(self, payload: bytes) -> None:
        try:
            config = json.loads(payload)
            rev = int(config["rev"])
        except (UnicodeDecodeError, ValueError, KeyError, TypeError, OverflowError):
            self._say("cfg/ack", reports.encode({"rev": 0, "ok": False, "err": "unreadable"}))
            return
        held = int(self.flash.config.get("rev", 0))
        is_old = rev < held
        # An emergency stop is obeyed in whatever order the levels come; letting go is not.
        if is_old and config.get("estop") is True:
            self.flash.config = {**self.flash.config, "estop": True}
        elif not is_old:
            self.flash.config = config
        if self.is_stopped:
            self._stop_all(why="stop", source="interlock")
        error = f"older than {held}" if is_old else None
        told = {"rev": rev, "ok": not is_old, "err": error}
        self._say("cfg/ack", reports.encode(told), is_retained=True)

    def _take_command(self, payload: bytes) -> None:
        try:
            order = parse_order(payload, self.spec)
        except OrderError as error:
            self._refuse_unreadable(error)
            return
        known = self.flash.results.get(order.id)
        if known is not None:
            self._tell_again(known)
        elif order.op in STOPS:
            self._obey_stop(order)
        elif self._is_too_late(order):
            self._note(Result(order.id, "expired", asked_t_ms=order.t_ms))
        elif order.op in STARTS:
            self._obey_start(order)
        else:
            self._obey_rest(order)

    def _refuse_unreadable(self, error: OrderError) -> None:
        known = self.flash.results.get(error.command)
        if known is not None:
            self._tell_again(known)
        elif error.command:
            self._note(Result(error.command, "rejected", error.why))

    def _obey_start(self, order: Order) -> None:
        output = order.output
        if output is None:
            return
        why = self._why_not_commanded(order) or self._why_not(output)
        if why:
            self._note(Result(order.id, "rejected", why, asked_t_ms=order.t_ms))
            return
        running = self.switches.running.get(output.code)
        if running is not None:  # on already, and to stay on without a gap
            self._end(running, status="done", source="cmd", is_quiet=True)
        result = Result(order.id, "accepted", asked_t_ms=order.t_ms)
        self._note(result)  # in flash before anything moves: a reboot now must not run it again
        self._switch_on(output, source="cmd", seconds=order.seconds, order=order)
        result.status, result.is_told = "started", False
        self._tell(result)

    def _obey_stop(self, order: Order) -> None:
        """Obey a stop without a lease, a clock or a valid `exp`: that can only be safer.

        One that comes too late ends only what was asked before it.
        """
        is_late = self._is_too_late(order)
        self.flash.note_stop(order.output_code if order.op == "stop" else "", order.t_ms)
        for run in list(self.switches.running.values()):
            is_meant = order.op == "stop_all" or run.output is order.output
            if is_meant and not (is_late and run.asked_t_ms > order.t_ms):
                self._end(run, status="aborted", why="stop", source="cmd")
                self.local.rest(run.output.code, self.up_ms)
        if order.output is not None and not self.is_on(order.output_code):
            self._say_state(order.output_code)  # whoever asked may believe that it was on
        self._note(Result(order.id, "done"))

    def _obey_rest(self, order: Order) -> None:
        result = Result(order.id, "done")
        if order.op == "resend":
            boot = order.boot if order.boot is not None else self.flash.boot
            waiting = {(one.boot, one.seq) for one in self.flash.unsent}
            self.flash.unsent.extend(
                one
                for one in self.flash.frames
                if one.boot == boot
                and order.first <= one.seq <= order.last
                and (one.boot, one.seq) not in waiting
            )
        elif order.op == "calibrate":
            result = self._calibrate(order)
        elif order.op == "set":
            result = self._set_level(order)
        elif order.op != "ping":
            result = Result(order.id, "rejected", "unknown_op")
        self._note(result)

    def _set_level(self, order: Order) -> Result:
        """Set how strong an output is for a while; never that it is on, which is a run's to say."""
        if order.output is None or not order.output.is_dimmable:
            return Result(order.id, "rejected", "no_level")
        if order.value is None or not 0 <= order.value <= 100:
            return Result(order.id, "rejected", "value")
        why = self._why_not_set(order)
        if why:
            return Result(order.id, "rejected", why)
        ends_ms = self.up_ms + int(order.seconds * 1000)
        self.levels[order.output.code] = Level(order.value, ends_ms)
        self._say_state(order.output.code)
        return Result(order.id, "done")

    def _calibrate(self, order: Order) -> Result:
        """Shift a sensor so that it shows the value of the solution that it stands in."""
        shown = self._sensed.get(order.channel)
        if shown is None or order.value is None:
            return Result(order.id, "rejected", "no_value")
        self.offsets[order.channel] = order.value - shown
        self.calibrating[order.channel] = self.up_ms + CALIBRATION_MS
        return Result(order.id, "done")

    # Reasons to refuse

    def _is_too_late(self, order: Order) -> bool:
        now = self._now_ms()
        return order.expires_ms is not None and now is not None and now > order.expires_ms

    def _why_not_set(self, order: Order) -> str:
        """Say why the server may not change a strength now; empty when it may."""
        return "estop" if self.is_stopped else self._why_not_heard(order)

    def _why_not_commanded(self, order: Order) -> str:
        """Say why the server may not start this now; empty when it may."""
        why = self._why_not_heard(order)
        running = self.switches.running.get(order.output_code)
        if why or running is None or running.source not in {"cmd", "button"}:
            return why
        # A fan may be told again before its time is over: the new run renews it.
        return "" if running.output.fail == "local" else "busy"

    def _why_not_heard(self, order: Order) -> str:
        """Say why nothing that the server asks for now may begin; empty when it may."""
        if self.flash.is_stopped_since(order.output_code, order.t_ms):
            return "stop"
        if order.t_ms <= self.flash.forgotten_t_ms:
            return "forgotten"
        if self.ticked_up_ms is None:
            return "no_tick"
        if not self.has_lease:
            return "lease"
        return ""
