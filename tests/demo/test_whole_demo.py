"""`make demo` as somebody runs it, from the first start to the last wipe."""

import os
import shutil
import signal
import socket
import subprocess
import time
import urllib.request
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FIRST_START = 120  # of a machine that runs the other tests beside it
STOP = 5


@pytest.fixture
def make(tmp_path):
    """Run make with a demo folder and a port of our own; all of it is ended afterwards."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {
        name: value
        for name, value in os.environ.items()
        if name
        not in {
            "DATABASE_URL", "SECRET_KEY", "STATIC_MANIFEST", "LOG_LEVEL", "REDIS_URL", "MQTT_URL",
        }
    } | {
        "VAR_DIR": str(tmp_path / "var"),
        "PORT": str(port),
        "DEMO_HOUSEHOLDS": "40",
    }  # fmt: skip
    started = []

    def run(target):
        process = subprocess.Popen(  # our own Makefile
            ["make", target],  # noqa: S607  # whichever make there is
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        started.append(process)
        return process

    run.port = port
    yield run
    for process in started:
        if process.poll() is None:
            process.kill()
        process.wait(STOP)
        process.stdout.close()


def ready_line(process):
    said = []
    for line in process.stdout:
        if line.startswith("Ready: "):
            return line
        said.append(line)
    pytest.fail("the demo ended before it was ready:\n" + "".join(said))


def log_of(tmp_path, name):
    log = tmp_path / "var" / "log" / f"{name}.log"
    return log.read_text(encoding="utf-8") if log.exists() else ""


def is_free(port):
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        return probe.connect_ex(("127.0.0.1", port)) != 0


@pytest.mark.slow  # starts the whole portal twice
@pytest.mark.skipif(not (ROOT / ".venv" / "bin" / "python").exists(), reason="needs make setup")
def test_the_demo_starts_refuses_a_second_one_stops_starts_again_and_is_wiped(make, tmp_path):
    url = f"http://localhost:{make.port}/"
    first = make("demo")
    assert ready_line(first).startswith(f"Ready: {url} - resident 0990000001")
    with urllib.request.urlopen(f"{url}healthz", timeout=10) as answer:  # noqa: S310  # http
        assert answer.read() == b"ok\n"
    if shutil.which("mosquitto", path=os.environ["PATH"] + ":/usr/sbin"):
        began = time.monotonic()
        while "n7f3a connected" not in log_of(tmp_path, "greenhouse"):
            assert time.monotonic() - began < FIRST_START
            os.sched_yield()

    taken, _ = make("demo").communicate(timeout=FIRST_START)
    running, _ = make("demo-reset").communicate(timeout=FIRST_START)
    began = time.monotonic()
    os.killpg(first.pid, signal.SIGINT)  # as the terminal does: make and all that it started
    first.wait(STOP)
    stopped_after = time.monotonic() - began

    assert taken.startswith(f"Port {make.port} is taken")
    assert running.startswith(f"The demo is running ({url}).")
    assert stopped_after < STOP
    assert is_free(make.port)

    second = make("demo")
    ready_line(second)
    second.kill()  # kill -9 of make: its child must not live on
    began = time.monotonic()
    while not is_free(make.port):
        assert time.monotonic() - began < STOP
        os.sched_yield()

    while "The demo is running" in (said := make("demo-reset").communicate(timeout=FIRST_START)[0]):
        assert time.monotonic() - began < 2 * STOP  # its last processes are still going
    assert said.startswith("The demo's data is gone")
    assert {path.name for path in (tmp_path / "var").iterdir()} == {"demo.lock"}
