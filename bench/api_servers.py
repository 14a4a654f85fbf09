"""The two servers of the API benchmark, each with two workers, and the CPU time they take."""

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from bench import api_database
from bench.api_database import ROOT, portal_environment

TICK_SECONDS = 1 / os.sysconf("SC_CLK_TCK")
WORKERS = "2"
THREADS = os.environ.get("BENCH_THREADS", "4")  # blocking threads of one granian worker


class Server(NamedTuple):
    """A server that runs: what it is called, where it listens, its first process."""

    name: str
    port: int
    pid: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


class Cpu(NamedTuple):
    """Seconds of CPU since the processes began: the server's, and its database sessions'."""

    app: float
    postgres: float


def environment(name: str) -> dict[str, str]:
    """Give a server its environment; the peer comes with our SQL function, and without."""
    return portal_environment() | ({"PEER_SQL": "statements"} if "statements" in name else {})


def commands(port: int) -> dict[str, list[str]]:
    """Say how each server is started; the portal as in production."""
    return {
        "portal": [
            sys.executable, "-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1",
            "--port", str(port), "--workers", WORKERS, "--blocking-threads", THREADS,
            "--no-ws", "--log-level", "warning", "commune_portal.wsgi:application",
        ],
        "fastapi": [
            sys.executable, "-m", "uvicorn", "bench.peer_fastapi:app", "--host", "127.0.0.1",
            "--port", str(port), "--workers", WORKERS, "--loop", "uvloop", "--http", "httptools",
            "--no-access-log", "--log-level", "critical",
        ],
    }  # fmt: skip


@contextmanager
def running(name: str) -> Iterator[Server]:
    """Start a server, wait until it answers, stop it and its workers at the end."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(
        commands(port)[name.partition(",")[0]],
        cwd=ROOT,
        env=environment(name),
        start_new_session=True,
    )
    try:
        _wait(port, process)
        yield Server(name, port, process.pid)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _wait(port: int, process: subprocess.Popen) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            connection.request("GET", "/healthz")
            connection.getresponse().read()
        except OSError:
            time.sleep(0.2)
        else:
            return
    sys.exit("bench: a server did not start.")


def cpu(server: Server) -> Cpu:
    """Read what CPU time a server and its sessions have taken so far."""
    tree = process_tree(server.pid)
    sessions = api_database.rows(
        "SELECT pid, client_port FROM pg_stat_activity WHERE datname = %s AND client_port > 0",
        api_database.NAME,
    )
    ports = _ports_of(tree)
    return Cpu(
        sum(cpu_seconds(pid) for pid in tree),
        sum(cpu_seconds(pid) for pid, port in sessions if port in ports),
    )


def process_tree(root: int) -> set[int]:
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(stat.parent.name)] = int(stat.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
    tree = {root}
    while found := {pid for pid, parent in parents.items() if parent in tree} - tree:
        tree |= found
    return tree


def _ports_of(pids: set[int]) -> set[int]:
    """Find the local TCP ports of these processes, to know which sessions are theirs."""
    inodes = set()
    for pid in pids:
        for link in Path(f"/proc/{pid}/fd").iterdir():
            try:
                inodes.add(str(link.readlink()).removeprefix("socket:[").removesuffix("]"))
            except OSError:
                continue
    lines = Path("/proc/net/tcp").read_text().splitlines()[1:]
    fields = [line.split() for line in lines]
    return {int(field[1].rpartition(":")[2], 16) for field in fields if field[9] in inodes}


def cpu_seconds(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) * TICK_SECONDS
