"""What a fresh machine may lack is told in one sentence."""

import ast
import errno
import importlib.util
import json
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

FILE = Path(__file__).resolve().parents[2] / "scripts" / "bootstrap.py"
OLD_PYTHON = """
import runpy, sys
sys.version_info, sys.version = (3, 10, 2, "final", 0), "3.10.2 (main)"
runpy.run_path(sys.argv[1], run_name="__main__")
"""


@pytest.fixture
def bootstrap(tmp_path, monkeypatch):
    """The script as a module, with a project folder of its own."""
    spec = importlib.util.spec_from_file_location("bootstrap", FILE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    (tmp_path / "requirements").mkdir()
    for name in ("base", "dev", "bench"):
        (tmp_path / "requirements" / f"{name}.txt").write_text(f"{name}==1\n")
    monkeypatch.setattr(module, "ROOT", tmp_path)
    monkeypatch.setattr(module, "VENV", tmp_path / ".venv")
    monkeypatch.setattr(module, "PYTHON", tmp_path / ".venv" / "bin" / "python")
    monkeypatch.setattr(module, "STAMP", tmp_path / ".venv" / "installed.json")
    return module


@pytest.fixture
def installed(bootstrap):
    """An environment that holds the development set, as its stamp says."""
    bootstrap.PYTHON.parent.mkdir(parents=True)
    bootstrap.PYTHON.touch()
    (bootstrap.VENV / "pyvenv.cfg").write_text("version = 3.11.7\n")
    bootstrap.STAMP.write_text(json.dumps({"set": "dev", "digest": bootstrap.digest("dev")}))
    return bootstrap


def test_python_3_6_can_read_the_file():
    assert ast.parse(FILE.read_text(encoding="utf-8"), feature_version=(3, 6)).body


def test_an_old_python_is_told_what_is_needed():
    ended = subprocess.run(  # our own script
        [sys.executable, "-c", OLD_PYTHON, str(FILE), "demo"],
        capture_output=True,
        text=True,
        check=False,
    )

    assert ended.returncode == 1
    assert ended.stderr.startswith("Python 3.11 or newer is needed, this is 3.10.2")
    assert len(ended.stderr.splitlines()) == 1


def test_a_taken_port_is_told_with_another_to_try(bootstrap):
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]

        with pytest.raises(bootstrap.SetupError) as refusal:
            bootstrap.check_port("127.0.0.1", str(port))

    assert str(refusal.value).startswith(f"Port {port} is taken")
    assert str(refusal.value).endswith(f"make demo PORT={port + 1}")


@pytest.mark.parametrize("text", ["", "http", "80x", "0", "65536", "-1"])
def test_a_port_that_is_none_is_told(bootstrap, text):
    with pytest.raises(bootstrap.SetupError, match="is not a port number"):
        bootstrap.check_port("127.0.0.1", text)


def test_a_full_disk_is_told_before_anything_begins(bootstrap, monkeypatch, tmp_path):
    nearly_full = shutil.disk_usage(tmp_path)._replace(free=7_000_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: nearly_full)

    with pytest.raises(bootstrap.SetupError) as refusal:
        bootstrap.ensure_environment("base")

    assert str(refusal.value) == (
        f"The disk is full: {tmp_path} has 7 MB free, about 500 MB are needed."
    )
    assert not bootstrap.VENV.exists()


@pytest.mark.parametrize(
    ("number", "sentence"),
    [
        (errno.ENOSPC, "The disk is full. Make room and run the same command again"),
        (errno.EACCES, "somewhere cannot be written to."),
        (errno.EROFS, "somewhere cannot be written to."),
    ],
)
def test_troubles_with_files_are_told_in_words(bootstrap, number, sentence):
    assert bootstrap.sentence_for(OSError(number, "", "somewhere")).startswith(sentence)


def test_a_disk_that_fills_while_installing_is_told(bootstrap):
    fails = [sys.executable, "-c", "import sys; sys.exit('No space left on device (os error 28)')"]

    with pytest.raises(OSError, match="full") as failure:
        bootstrap.run(fails, "never said")

    assert failure.value.errno == errno.ENOSPC


def test_a_python_without_venv_is_told_the_package_to_install(bootstrap, monkeypatch):
    monkeypatch.setitem(sys.modules, "ensurepip", None)

    with pytest.raises(bootstrap.SetupError, match=r"apt install python3\.\d+-venv"):
        bootstrap.create_venv()

    assert not bootstrap.VENV.exists()


@pytest.mark.parametrize(("wanted", "is_there"), [("base", True), ("dev", True), ("bench", False)])
def test_an_environment_serves_for_every_set_that_it_contains(installed, wanted, is_there):
    assert installed.is_current(wanted) is is_there


def test_an_environment_is_stale_when_its_lock_changes(installed):
    (installed.ROOT / "requirements" / "dev.txt").write_text("dev==2\n")

    assert not installed.is_current("dev")


def test_an_environment_is_stale_when_its_python_changes(installed):
    (installed.VENV / "pyvenv.cfg").write_text("version = 3.12.1\n")

    assert not installed.is_current("dev")


def test_an_environment_whose_python_is_gone_is_stale(installed):
    installed.PYTHON.unlink()

    assert not installed.is_current("base")
