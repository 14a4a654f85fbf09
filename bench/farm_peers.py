"""What takes frames from broker to PostgreSQL: our bridge, Node-RED twice, and a bare pipe."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.api_servers import cpu_seconds, process_tree
from bench.node_red import flows, settings_file

ROOT = Path(__file__).resolve().parent.parent
NODE_RED = "4.1.15"
WAYS = ("portal", "portal-2", "nodered", "nodered-join", "pipe")
OURS, PEERS = "farm_reading", "peer_reading"


def table_of(way: str) -> str:
    """Name the table that a way writes to; both have the same columns and primary key."""
    return OURS if way.startswith("portal") else PEERS


def install_node_red(folder: Path) -> Path:
    """Install Node-RED and the pg module into a folder that is kept; answer its start script."""
    start = folder / "node_modules" / "node-red" / "red.js"
    if not start.exists():
        folder.mkdir(parents=True, exist_ok=True)
        packages = [f"node-red@{NODE_RED}", "pg@8"]
        install = ["npm", "install", "--no-audit", "--no-fund", "--loglevel=error", *packages]
        subprocess.run(install, cwd=folder, check=True)
    return start


class Broker:
    """A mosquitto of our own: nothing dropped, sessions kept, on this machine only."""

    def __init__(self, port: int, folder: Path) -> None:
        config = folder / "mosquitto.conf"
        config.write_text(
            f"listener {port} 127.0.0.1\nallow_anonymous true\npersistence true\n"
            f"persistence_location {folder}/\nmax_queued_messages 0\nmax_inflight_messages 5000\n"
            "user root\nlog_type error\n"
        )
        program = shutil.which("mosquitto") or "/usr/sbin/mosquitto"
        self.port = port
        self.process = subprocess.Popen([program, "-c", str(config)])

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(10)


class Ingester:
    """One way from broker to table, as a process that can be killed and started again."""

    def __init__(self, way: str, *, port: int, url: str, folder: Path, red: Path | None) -> None:
        self.way, self.port, self.url, self.folder = way, port, url, folder
        self.red = red
        self.watches = False
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, *, count: int = 0) -> None:
        """Start it; the bare pipe ends by itself after `count` messages."""
        log = (self.folder / f"{self.way}.log").open("ab")
        self.process = subprocess.Popen(
            self._command(count),
            cwd=ROOT,
            env=self._environment(),
            start_new_session=True,
            stdout=log,
            stderr=subprocess.STDOUT,
        )

    def kill(self) -> None:
        """End it as a power cut would."""
        if self.process and self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def stop(self) -> None:
        if self.process and self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGTERM)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.kill()

    @property
    def _broker(self) -> str:
        return f"mqtt://127.0.0.1:{self.port}"

    def _environment(self) -> dict[str, str]:
        return os.environ | {
            "DATABASE_URL": self.url,
            "MQTT_URL": f"{self._broker}/?client_id=bench-portal",
            "DEBUG": "false",
        }

    def _command(self, count: int) -> list[str]:
        if self.way == "portal":
            return [sys.executable, "manage.py", "mqtt_bridge"]
        if self.way == "portal-2":
            # Two bridges that take turns, each with a session of its own.
            start = f"'{sys.executable}' manage.py mqtt_bridge"
            urls = [f"{self._broker}/?client_id=bench-portal-{name}&share=bench" for name in "ab"]
            return ["bash", "-c", "".join(f"MQTT_URL='{url}' {start} & " for url in urls) + "wait"]
        if self.way == "pipe":
            normalise = ROOT / "bench" / "farm_normalise.awk"
            channels = self.folder / "channels.txt"
            pipe = (
                f"mosquitto_sub -p {self.port} -i bench-pipe -c -q 1 -C {count} -F '%t %p'"
                f" -t 'farm/v1/+/+/tele' | mawk -f {normalise} {channels} -"
                f" | psql -q '{self.url}' -c 'COPY {PEERS} (channel_id, t, v) FROM STDIN'"
            )
            return ["bash", "-c", pipe]
        home = self.folder / self.way
        home.mkdir(exist_ok=True)
        (home / "settings.js").write_text(
            settings_file(self.red, self.url, str(self.folder / "channels.json"))
        )
        joined = 100 if self.way == "nodered-join" else 1
        wired = flows(self.port, self.way, joined=joined, watches=self.watches)
        (home / "flows.json").write_text(json.dumps(wired))
        return ["node", str(self.red), "-u", str(home), "-s", str(home / "settings.js")]


@contextmanager
def running(ingester: Ingester, *, count: int = 0) -> Iterator[Ingester]:
    """Run a way for the length of a block."""
    ingester.start(count=count)
    try:
        yield ingester
    finally:
        ingester.stop()


def write_channels(folder: Path, ids: dict[tuple[str, str], int]) -> None:
    """Tell the peers which channel of which node has which number, as their setup would."""
    by_name = {f"{node}/{code}": number for (node, code), number in ids.items()}
    (folder / "channels.json").write_text(json.dumps(by_name))
    (folder / "channels.txt").write_text(
        "".join(f"{name} {number}\n" for name, number in sorted(by_name.items()))
    )


def forget_sessions(port: int) -> None:
    """Have the broker forget what it keeps for ways that have stopped."""
    ours = ("bench-portal", "bench-portal-a", "bench-portal-b")
    for name in (*ours, "bench-pipe", "bench-nodered", "bench-nodered-join"):
        subprocess.run(
            ["mosquitto_sub", "-p", str(port), "-i", name, "-t", "none", "-E"],
            check=False,
            timeout=10,
        )


def seconds_of_cpu(pid: int) -> float:
    """Read the CPU seconds that a process and all its children have used so far."""

    return sum(cpu_seconds(each) for each in process_tree(pid))


def resident_mb(pid: int) -> float:
    """Read the memory of a process and its children, in MB."""

    pages = 0
    for each in process_tree(pid):
        try:
            pages += int(Path(f"/proc/{each}/statm").read_text().split()[1])
        except OSError:
            continue
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def comes_true(claim, *, seconds: float, pause: float = 0.02) -> bool:
    """Wait so long for a claim to come true; answer whether it did."""
    deadline = time.monotonic() + seconds
    while not claim():
        if time.monotonic() > deadline:
            return False
        time.sleep(pause)
    return True


def wait_until(claim, *, seconds: float, what: str) -> float:
    """Wait for a claim to come true; answer the moment, or end the benchmark."""
    if not comes_true(claim, seconds=seconds):
        sys.exit(f"bench: {what} did not happen within {seconds:.0f} s")
    return time.monotonic()
