"""What each way loses when it is killed with -9 in the middle of a burst."""

import argparse
import threading
import time
from typing import TYPE_CHECKING

from bench import farm_load
from bench.farm_load import CHANNELS
from bench.farm_peers import running, table_of

if TYPE_CHECKING:
    from bench.bench_farm import Stage


def measure_crashes(stage: "Stage", chosen: argparse.Namespace) -> None:
    """Kill each way with -9 in the middle of a burst, start it again, count what is missing."""
    count = min(chosen.messages, 10_000)
    print(f"\nkill -9 in a burst of {count:,} messages, then started again\n")
    print("| way | messages lost | rows doubled |")
    print("|---|---|---|")
    for way in chosen.ways:
        if way == "pipe":
            continue
        lost, doubled = [], []
        for number in range(3):
            missing, twice = _crash(stage, way, count, after=0.25 + 0.1 * number)
            lost.append(missing)
            doubled.append(twice)
        print(
            f"| {way} | {', '.join(f'{each:,}' for each in lost)}"
            f" | {', '.join(map(str, doubled))} |",
            flush=True,
        )


def _crash(stage: "Stage", way: str, count: int, *, after: float) -> tuple[int, int]:
    stage.reset()
    ingester = stage.ingester(way)
    with running(ingester):
        stage.warm_up(way)
        before = stage.rows(way)
        frames = stage.frames(count)
        sender = threading.Thread(target=farm_load.publish, args=(stage.port, frames))
        sender.start()
        time.sleep(after)
        ingester.kill()
        ingester.start()
        sender.join()
        _settle(stage, way)
        rows = stage.rows(way) - before
    with stage.sql.cursor() as cursor:
        cursor.execute(f"SELECT count(*) - count(DISTINCT (channel_id, t)) FROM {table_of(way)}")
        doubled = int(cursor.fetchone()[0])
    return count - rows // len(CHANNELS), doubled


def _settle(stage: "Stage", way: str) -> None:
    """Wait until no row has come for four seconds; Node-RED needs as many to start."""
    seen, since = -1, time.monotonic()
    while time.monotonic() - since < 6:
        rows = stage.rows(way)
        if rows != seen:
            seen, since = rows, time.monotonic()
        time.sleep(0.25)
