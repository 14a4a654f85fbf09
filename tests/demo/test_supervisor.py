"""Real processes: whatever ends the supervisor, nothing of it stays behind."""

import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.waiting import wait_until

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"
WAIT = 20
# Starts two children; each starts a grandchild, one of the families is deaf to SIGTERM.
PARENT = """
import os, sys
from pathlib import Path
import supervisor
supervisor.POLITE_SECONDS = 0.5
folder = Path(sys.argv[1])
FAMILY = '''
import os, signal, subprocess, sys, time
if sys.argv[2] == "deaf":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
below = subprocess.Popen([sys.executable, "-S", "-c", "import time; time.sleep(300)"])
with open(sys.argv[1] + ".new", "w") as pids:
    pids.write(f"{os.getpid()} {below.pid}")
os.rename(sys.argv[1] + ".new", sys.argv[1])
time.sleep(300)
'''
all = supervisor.Supervisor(os.environ, folder / "log", lambda words: print(words, flush=True))
for kind in ("polite", "deaf"):
    all.start(kind, [sys.executable, "-S", "-c", FAMILY, str(folder / f"{kind}.pids"), kind])
all.watch(lambda: None)
all.stop()
"""
# One vital child that cannot live.
DOOMED = """
import os, sys
from pathlib import Path
import supervisor
supervisor.Child.pause_seconds = lambda child: 0.05
all = supervisor.Supervisor(os.environ, Path(sys.argv[1]), lambda words: print(words, flush=True))
all.start("web", [sys.executable, "-S", "-c", "print('alas'); raise SystemExit(3)"], is_vital=True)
dead = all.watch(lambda: None)
all.stop()
print("gave up", dead.name, dead.deaths)
"""


def start(code, folder):
    return subprocess.Popen(  # our own script
        [sys.executable, "-c", code, str(folder)],
        cwd=SCRIPTS,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


@contextmanager
def family(folder):
    """A supervisor with its children and grandchildren: (process, their ids)."""
    parent = start(PARENT, folder)
    files = [folder / "polite.pids", folder / "deaf.pids"]
    try:
        wait_until(lambda: all(file.exists() for file in files), seconds=WAIT)
        yield parent, [int(pid) for file in files for pid in file.read_text().split()]
    finally:
        parent.kill()
        parent.wait(WAIT)
        parent.stdout.close()


def is_alive(pid):
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"  # dead, and waiting for somebody to take note


pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.slow  # four real processes start and get half a second to end
def test_a_signal_ends_every_child_and_grandchild(tmp_path, number):
    with family(tmp_path) as (parent, pids):
        assert [pid for pid in pids if is_alive(pid)] == pids

        parent.send_signal(number)

        assert parent.wait(5) == 0
        assert [pid for pid in pids if is_alive(pid)] == []


@pytest.mark.slow  # as above
def test_a_killed_supervisor_leaves_no_orphan(tmp_path):
    with family(tmp_path) as (parent, pids):
        assert [pid for pid in pids if is_alive(pid)] == pids

        parent.kill()

        began = time.monotonic()
        wait_until(lambda: not any(is_alive(pid) for pid in pids), seconds=WAIT)
        assert time.monotonic() - began < 5


@pytest.mark.slow  # as above
def test_a_child_that_dies_is_started_again_with_a_word(tmp_path):
    with family(tmp_path) as (parent, pids):
        leader, below = pids[:2]
        (tmp_path / "polite.pids").unlink()

        os.kill(leader, signal.SIGKILL)

        words = parent.stdout.readline()
        assert words.startswith("polite ended (SIGKILL); starting it again.")
        wait_until((tmp_path / "polite.pids").exists, seconds=WAIT)
        assert not is_alive(below)


def test_a_vital_child_that_dies_three_times_ends_the_whole(tmp_path):
    parent = start(DOOMED, tmp_path)

    said, _ = parent.communicate(timeout=WAIT)

    assert said.splitlines()[-1] == "gave up web 3"
    assert said.count("web ended (exit code 3)") == 2
    assert (tmp_path / "web.log").read_text() == "alas\n" * 3
