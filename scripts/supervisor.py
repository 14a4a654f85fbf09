"""Keep a handful of processes running, and leave none behind: standard library only.

Each child leads a process group of its own. Whatever ends the supervisor (Ctrl-C, SIGTERM, a
closed terminal, kill -9), the groups end within five seconds: the supervisor does it itself, or
else the watchman does, a tiny process that notices the supervisor's death by a closed pipe.
"""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NoReturn

# Promised: nothing left 5 s after Ctrl-C. An idle Celery worker would take 3 to 5 s by itself;
# cutting it short is safe, because tasks claim rows with a lease and commit piece by piece.
POLITE_SECONDS = 3.0
LONGEST_PAUSE_SECONDS = 30.0
STEADY_AFTER_SECONDS = 60.0
DEATHS_TO_GIVE_UP = 3
LOG_BYTES = 5_000_000
TICK_SECONDS = 0.1
PR_SET_PDEATHSIG = 1


def die_with_parent() -> None:
    """Ask Linux to end this process when its parent dies; elsewhere the watchman does it."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def signal_group(leader: int, number: int) -> bool:
    """Signal every process of the leader's group; False when none is left."""
    try:
        os.killpg(leader, number)
    except (ProcessLookupError, PermissionError):  # macOS says EPERM of a group of zombies
        return False
    return True


def end_groups(leaders: Sequence[int], reap: Callable[[], object]) -> None:
    """SIGTERM all groups at once, SIGKILL what is left after POLITE_SECONDS."""
    for leader in leaders:
        signal_group(leader, signal.SIGTERM)
    deadline = time.monotonic() + POLITE_SECONDS
    left = list(leaders)
    while left and time.monotonic() < deadline:
        time.sleep(0.05)
        reap()
        left = [leader for leader in left if signal_group(leader, 0)]
    for leader in left:
        signal_group(leader, signal.SIGKILL)
    reap()


class Watchman:
    """A forked process that outlives the supervisor just long enough to clear up after it."""

    def __init__(self) -> None:
        reader, self._writer = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            os.close(self._writer)
            self._watch(reader)
        os.close(reader)

    def begin(self, leader: int) -> None:
        self._tell(f"+{leader}\n")

    def finish(self, leader: int) -> None:
        self._tell(f"-{leader}\n")

    def _tell(self, line: str) -> None:
        with contextlib.suppress(BrokenPipeError):  # somebody killed the watchman; go on without
            os.write(self._writer, line.encode())

    def dismiss(self) -> None:
        """Let the watchman go: its list is empty, so it ends at once."""
        os.close(self._writer)
        os.waitpid(self.pid, 0)

    @staticmethod
    def _watch(reader: int) -> NoReturn:
        os.setsid()  # out of reach of the terminal's Ctrl-C and hang-up
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        leaders: list[int] = []
        with os.fdopen(reader) as lines:
            for line in lines:
                leader = int(line[1:])
                leaders = [known for known in leaders if known != leader]
                if line[0] == "+":
                    leaders.append(leader)
        end_groups(leaders, reap=lambda: None)
        os._exit(0)


class Child:
    """One long-running command and what became of it."""

    def __init__(self, name: str, command: Sequence[str], *, is_vital: bool = False) -> None:
        self.name = name
        self.command = command
        self.is_vital = is_vital
        self.running: subprocess.Popen[bytes] | None = None
        self.started_at = 0.0
        self.start_again_at = 0.0
        self.deaths = 0  # in a row, none of them after a steady minute

    def pause_seconds(self) -> float:
        """How long to wait before the next try: 1, 2, 4 … 30 seconds."""
        return min(2.0 ** (self.deaths - 1), LONGEST_PAUSE_SECONDS)


class Supervisor:
    """Starts children, starts them again when they die, and ends them all."""

    def __init__(
        self, environment: Mapping[str, str], logs: Path, say: Callable[[str], None]
    ) -> None:
        self.children: list[Child] = []
        self.environment = environment
        self.logs = logs
        self.say = say
        self.is_stopping = False
        self._watchman = Watchman()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._on_signal)

    def _on_signal(self, number: int, frame: object) -> None:
        if self.is_stopping:  # a second Ctrl-C: no more patience
            for child in self.children:
                if child.running:
                    signal_group(child.running.pid, signal.SIGKILL)
        self.is_stopping = True

    def log_of(self, name: str) -> Path:
        return self.logs / f"{name}.log"

    def run_step(self, name: str, command: Sequence[str]) -> int:
        """Run one command to its end, or to ours; its exit code. Its log holds this run only."""
        self.log_of(name).unlink(missing_ok=True)
        step = Child(name, command)
        self.children.append(step)
        running = self._start(step)
        while running.poll() is None and not self.is_stopping:
            time.sleep(TICK_SECONDS / 2)
        if running.poll() is None:
            end_groups([running.pid], reap=running.poll)
        self._bury(step)
        self.children.remove(step)
        return running.wait()

    def start(self, name: str, command: Sequence[str], *, is_vital: bool = False) -> None:
        """Start a command that is to run for ever; a vital one may end the whole by dying."""
        child = Child(name, command, is_vital=is_vital)
        self.children.append(child)
        self._start(child)

    def watch(self, on_tick: Callable[[], None]) -> Child | None:
        """Keep the children alive until a signal comes (None) or a vital one will not live (it)."""
        while not self.is_stopping:
            for child in self.children:
                if self._has_given_up(child):
                    return child
            on_tick()
            time.sleep(TICK_SECONDS)
        return None

    def stop(self) -> None:
        """End every child and what the children started."""
        self.is_stopping = True
        running = [child.running for child in self.children if child.running]
        end_groups(
            [process.pid for process in running],
            reap=lambda: [process.poll() for process in running],
        )
        for process in running:  # so that the watchman has nothing left to wait for
            process.wait()
            self._watchman.finish(process.pid)
        self._watchman.dismiss()

    def _start(self, child: Child) -> subprocess.Popen[bytes]:
        with self._log_for_writing(child.name).open("ab") as log:
            running = subprocess.Popen(  # noqa: S603  # commands are ours
                child.command,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=die_with_parent,  # noqa: PLW1509  # one thread only, so this is safe
            )
        child.running, child.started_at = running, time.monotonic()
        self._watchman.begin(running.pid)
        return running

    def _log_for_writing(self, name: str) -> Path:
        path = self.log_of(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists() and path.stat().st_size > LOG_BYTES:
            path.replace(path.with_suffix(".old.log"))
        return path

    def _has_given_up(self, child: Child) -> bool:
        now = time.monotonic()
        if child.running is None:
            if now >= child.start_again_at:
                self._start(child)
            return False
        code = child.running.poll()
        if code is None:
            return False
        self._bury(child)
        child.deaths = 1 if now - child.started_at > STEADY_AFTER_SECONDS else child.deaths + 1
        if child.is_vital and child.deaths >= DEATHS_TO_GIVE_UP:
            return True
        child.start_again_at = now + child.pause_seconds()
        self.say(
            f"{child.name} ended ({reason(code)}); starting it again. {self.log_of(child.name)}"
        )
        return False

    def _bury(self, child: Child) -> None:
        """Clear up what a dead leader may have left of its group."""
        if child.running:
            signal_group(child.running.pid, signal.SIGKILL)
            self._watchman.finish(child.running.pid)
            child.running = None


def reason(code: int) -> str:
    """How a process ended, in words.

    >>> reason(-9), reason(3)
    ('SIGKILL', 'exit code 3')
    """
    return signal.Signals(-code).name if code < 0 else f"exit code {code}"
