"""From MQTT frame to committed row, and from breach to command, beside Node-RED and a bare pipe.

    python bench/run.py farm [--rounds 5] [--messages 20000] [--only burst|latency|breach|crash]

Needs PostgreSQL (BENCH_POSTGRES), mosquitto with its clients, mawk, Node.js and npm (Node-RED is
installed once into var/bench). Everything runs against one broker and one server; the ways take
turns. Figures and how to read them: docs/benchmarks.md.
"""

# ruff: noqa: E402  # models can be imported only after django.setup()

import argparse
import os
import socket
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

SERVER = os.environ.get("BENCH_POSTGRES", "postgres://postgres@127.0.0.1:5432")
NAME = "bench_farm"
os.environ["DATABASE_URL"] = f"{SERVER}/{NAME}"
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "commune_portal.settings")

import psycopg2

from bench import farm_crash, farm_load, farm_peers
from bench.farm_load import CHANNELS, HOUSE, NODES, Frame
from bench.farm_peers import WAYS, Broker, Ingester, running, table_of, wait_until

URL = os.environ["DATABASE_URL"]
EMPTY = (
    "farm_reading", "farm_rollup", "farm_dirtyhour", "farm_latestreading", "farm_bootsequence",
    "farm_quarantinedframe", "peer_reading",
)  # fmt: skip
WARM_UP = 1_000
RATE = 500
PROBE_EVERY = 10


class Burst(NamedTuple):
    """One burst, taken in whole."""

    per_second: float
    cpu_per_100k: float
    memory_mb: float
    is_whole: bool = True  # of a peer; when rows of ours are missing the benchmark ends


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--messages", type=int, default=20_000)
    options.add_argument("--seconds", type=int, default=10, help="of the latency runs")
    options.add_argument("--only", choices=["burst", "latency", "breach", "crash"])
    options.add_argument("--ways", nargs="*", choices=WAYS, default=list(WAYS))
    chosen = options.parse_args()
    root = Path(__file__).resolve().parent.parent
    red = farm_peers.install_node_red(root / "var" / "bench" / "node-red")
    with tempfile.TemporaryDirectory(prefix="bench-farm-") as name:
        folder = Path(name)
        stage = Stage(folder, red)
        try:
            for part, measure in PARTS.items():
                if chosen.only in (None, part):
                    measure(stage, chosen)
        finally:
            stage.close()


class Stage:
    """The broker, the database with its forty controllers, and the way to reset both."""

    def __init__(self, folder: Path, red: Path) -> None:
        self.folder, self.red = folder, red
        make_database()
        self.sql = psycopg2.connect(URL)
        self.sql.autocommit = True
        with self.sql.cursor() as cursor:
            cursor.execute(
                "CREATE TABLE IF NOT EXISTS peer_reading (channel_id integer NOT NULL,"
                " t timestamptz NOT NULL, v real NOT NULL, flags smallint NOT NULL DEFAULT 0,"
                " PRIMARY KEY (channel_id, t))"
            )
        self.channel_ids = make_controllers()
        farm_peers.write_channels(folder, self.channel_ids)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.broker = Broker(self.port, folder)
        wait_until(self._listens, seconds=10, what="the broker's start")
        self.seq = 0

    def close(self) -> None:
        self.broker.stop()
        self.sql.close()

    def ingester(self, way: str) -> Ingester:
        return Ingester(way, port=self.port, url=URL, folder=self.folder, red=self.red)

    def reset(self) -> None:
        """Empty the tables and the broker's sessions, so that each run starts alike."""
        farm_peers.forget_sessions(self.port)
        with self.sql.cursor() as cursor:
            cursor.execute(f"TRUNCATE {', '.join(EMPTY)}")
            cursor.execute("CHECKPOINT")

    def frames(self, count: int) -> list[Frame]:
        """Write the next `count` frames, all of them in the past hours."""
        made = farm_load.corpus(count, first_seq=self.seq, until_ms=int(time.time() * 1000))
        self.seq += count // NODES + 1
        return made

    def rows(self, way: str) -> int:
        with self.sql.cursor() as cursor:
            cursor.execute(f"SELECT count(*) FROM {table_of(way)}")
            return int(cursor.fetchone()[0])

    def has_all_last(self, way: str, frames: list[Frame]) -> bool:
        """Whether each controller's last frame is there: cheap to ask while a burst runs."""
        last = {frame.node: frame for frame in frames}
        ids = [self.channel_ids[node, CHANNELS[-1]] for node in last]
        moments = [frame.moment for frame in last.values()]
        with self.sql.cursor() as cursor:
            cursor.execute(
                f"SELECT count(*) FROM {table_of(way)} r"
                " JOIN unnest(%s::int[], %s::timestamptz[]) w(c, t)"
                " ON r.channel_id = w.c AND r.t = w.t",
                (ids, moments),
            )
            return int(cursor.fetchone()[0]) == len(last)

    def warm_up(self, way: str) -> None:
        """Send frames until the way has stored a thousand: then it listens and is warm."""
        first = self.frames(NODES)
        deadline = time.monotonic() + 60
        while not self.has_all_last(way, first):
            farm_load.publish(self.port, first, connections=1)
            time.sleep(0.3)
            if time.monotonic() > deadline:
                sys.exit(f"bench: {way} took nothing\n{self._log(way)}")
        more = self.frames(WARM_UP)
        farm_load.publish(self.port, more)
        wait_until(lambda: self.has_all_last(way, more), seconds=60, what=f"{way}'s warm-up")

    def _log(self, way: str) -> str:
        log = self.folder / f"{way}.log"
        return log.read_text()[-2000:] if log.exists() else ""

    def _listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0


def make_database() -> None:
    """Create the database if need be, and bring it to the latest migration."""
    import django  # noqa: PLC0415  # settings are read only now

    server = psycopg2.connect(f"{SERVER}/postgres")
    server.autocommit = True
    with server.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", [NAME])
        if cursor.fetchone() is None:
            cursor.execute(f"CREATE DATABASE {NAME}")
    server.close()
    django.setup()
    from django.core.management import call_command  # noqa: PLC0415  # after setup

    call_command("migrate", verbosity=0)


def make_controllers() -> dict[tuple[str, str], int]:
    """Register the corpus's controllers and channels; answer each channel's number."""
    from farm.models import Channel, Greenhouse, Node  # noqa: PLC0415  # after setup

    house, _ = Greenhouse.objects.get_or_create(code=HOUSE, defaults={"name": "Bench"})
    for name in farm_load.node_names():
        node, _ = Node.objects.get_or_create(name=name, defaults={"greenhouse": house})
        for code in CHANNELS:
            Channel.objects.get_or_create(node=node, code=code)
    found = Channel.objects.filter(node__greenhouse=house).values_list("node__name", "code", "pk")
    return {(node, code): number for node, code, number in found}


def measure_bursts(stage: Stage, chosen: argparse.Namespace) -> None:
    """Send bursts and wait until all of a burst is committed."""
    found: dict[str, list[Burst]] = {way: [] for way in chosen.ways}
    for number in range(chosen.rounds):
        turn = chosen.ways if number % 2 == 0 else list(reversed(chosen.ways))
        for way in turn:
            burst = one_burst(stage, way, chosen.messages)
            if burst.is_whole:
                found[way].append(burst)
            words = (
                f"{burst.per_second:,.0f} messages/s" if burst.is_whole else "lost rows, left out"
            )
            print(f"  round {number + 1}: {way} {words}", flush=True)
    print(f"\nburst of {chosen.messages:,} messages of {len(CHANNELS)} values\n")
    print("| way | messages/s, median (min–max) | CPU s per 100,000 values | memory MB |")
    print("|---|---|---|---|")
    for way, bursts in found.items():
        if not bursts:
            print(f"| {way} | no round without lost rows | – | – |")
            continue
        rates = sorted(burst.per_second for burst in bursts)
        print(
            f"| {way} | {statistics.median(rates):,.0f} ({rates[0]:,.0f}–{rates[-1]:,.0f})"
            f" | {statistics.median(burst.cpu_per_100k for burst in bursts):.2f}"
            f" | {max(burst.memory_mb for burst in bursts):.0f} |"
        )


def one_burst(stage: Stage, way: str, count: int) -> Burst:
    """Measure one burst; ends the benchmark if a row is missing or doubled."""
    stage.reset()
    ingester = stage.ingester(way)
    if way == "pipe":
        return _pipe_burst(stage, ingester, count)
    with running(ingester):
        stage.warm_up(way)
        before_rows = stage.rows(way)
        pid = ingester.process.pid
        before = farm_peers.seconds_of_cpu(pid)
        frames = stage.frames(count)
        started = time.monotonic()
        sender = threading.Thread(target=farm_load.publish, args=(stage.port, frames))
        sender.start()
        ended = wait_until(
            lambda: stage.has_all_last(way, frames), seconds=180, what=f"the end of {way}'s burst"
        )
        sender.join()
        is_whole = farm_peers.comes_true(
            lambda: stage.rows(way) - before_rows == count * len(CHANNELS), seconds=20, pause=0.2
        )
        if not is_whole and way.startswith("portal"):
            sys.exit("bench: a row of ours is missing, or there twice")
        cpu = farm_peers.seconds_of_cpu(pid) - before
        memory = farm_peers.resident_mb(pid)
    values = count * len(CHANNELS)
    return Burst(count / (ended - started), cpu / values * 100_000, memory, is_whole)


def _pipe_burst(stage: Stage, ingester: Ingester, count: int) -> Burst:
    """Measure the pipe: it commits once, when it has read them all."""
    ingester.start(count=count)
    time.sleep(1.0)  # mosquitto_sub says nothing when it has subscribed
    frames = stage.frames(count)
    pid = ingester.process.pid
    started = time.monotonic()
    sender = threading.Thread(target=farm_load.publish, args=(stage.port, frames))
    sender.start()
    cpu = memory = 0.0
    while ingester.process.poll() is None:
        cpu = max(cpu, farm_peers.seconds_of_cpu(pid))
        memory = max(memory, farm_peers.resident_mb(pid))
        time.sleep(0.05)
    ended = time.monotonic()
    sender.join()
    if stage.rows("pipe") != count * len(CHANNELS):
        sys.exit("bench: the pipe lost rows")
    return Burst(count / (ended - started), cpu / (count * len(CHANNELS)) * 100_000, memory)


def measure_latency(stage: Stage, chosen: argparse.Namespace) -> None:
    """At a steady 500 messages a second, from publish to visible row."""
    print(f"\npublish to visible row at {RATE} messages/s, {chosen.seconds} s\n")
    print("| way | p50 ms | p99 ms | slowest ms | probes |")
    print("|---|---|---|---|---|")
    for way in chosen.ways:
        if way == "pipe":
            continue
        stage.reset()
        with running(stage.ingester(way)):
            stage.warm_up(way)
            waits = sorted(_probe(stage, way, chosen.seconds))
        _row(way, waits)


def _row(way: str, waits: list[float]) -> None:
    if not waits:
        print(f"| {way} | – | – | – | 0 |", flush=True)
        return
    p99 = waits[min(len(waits) - 1, int(len(waits) * 0.99))]
    print(
        f"| {way} | {statistics.median(waits) * 1000:.1f} | {p99 * 1000:.1f}"
        f" | {waits[-1] * 1000:.1f} | {len(waits)} |",
        flush=True,
    )


def steady(stage: Stage, seconds: int, each: Callable[[int, Frame], None]) -> None:
    """Publish RATE frames a second, telling `each` the number and frame just before it is sent."""
    publisher = farm_load.Publisher(stage.port, "steady")
    started, total = time.monotonic(), RATE * seconds
    for number in range(total):
        due = started + number / RATE
        while (now := time.monotonic()) < due:
            time.sleep(due - now)
        node = f"n{number % NODES:02d}"
        t_ms = int(time.time() * 1000)
        frame = farm_load.frame(node, seq=stage.seq + number // NODES, t_ms=t_ms)
        each(number, frame)
        publisher.send([(frame.topic, frame.payload)])
    publisher.wait(total)
    publisher.close()
    stage.seq += total // NODES + 1


def _probe(stage: Stage, way: str, seconds: int) -> list[float]:
    """Time every tenth frame by asking for its row until it is there (every 2 ms)."""
    waiting: dict[tuple[int, object], float] = {}
    waits: list[float] = []
    lock, ended = threading.Lock(), threading.Event()

    def note(number: int, frame: Frame) -> None:
        if number % PROBE_EVERY == 0:
            with lock:
                key = (stage.channel_ids[frame.node, CHANNELS[-1]], frame.moment)
                waiting[key] = time.monotonic()

    def look() -> None:
        sql = psycopg2.connect(URL)
        sql.autocommit = True
        while not (ended.is_set() and not waiting):
            with lock:
                asked = list(waiting)
            if asked:
                with sql.cursor() as cursor:
                    cursor.execute(
                        f"SELECT w.n FROM unnest(%s::int[], %s::timestamptz[])"
                        f" WITH ORDINALITY w(c, t, n) JOIN {table_of(way)} r"
                        " ON r.channel_id = w.c AND r.t = w.t",
                        ([key[0] for key in asked], [key[1] for key in asked]),
                    )
                    found = [asked[number - 1] for (number,) in cursor.fetchall()]
                now = time.monotonic()
                with lock:
                    waits.extend(now - waiting.pop(key) for key in found)
            time.sleep(0.002)
        sql.close()

    looker = threading.Thread(target=look)
    looker.start()
    steady(stage, seconds, note)
    ended.set()
    looker.join(30)
    if waiting:
        sys.exit(f"bench: {way} never stored {len(waiting)} probes")
    return waits


def measure_breaches(stage: Stage, chosen: argparse.Namespace) -> None:
    """At 500 messages a second, from a value beyond a limit to the fan's command on the wire."""
    from bench import farm_breach  # noqa: PLC0415  # it needs the models

    print(f"\nbreach to command at {RATE} messages/s\n")
    print("| way | p50 ms | p99 ms | slowest ms | breaches |")
    print("|---|---|---|---|---|")
    for way in chosen.ways:
        if way in ("portal", "nodered"):
            _row(way, sorted(farm_breach.waits(stage, way, chosen.seconds)))


PARTS: dict[str, Callable[[Stage, argparse.Namespace], None]] = {
    "burst": measure_bursts,
    "latency": measure_latency,
    "breach": measure_breaches,
    "crash": farm_crash.measure_crashes,
}

if __name__ == "__main__":
    main()
