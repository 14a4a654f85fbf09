"""Make the virtual environment, start the demo in it, or wipe the demo: standard library only.

Any Python from 3.6 on can read this file, so that an old one gets a sentence and not a SyntaxError.
Everything that can be wrong with a fresh machine ends in one sentence that says what to do.
"""

import argparse
import errno
import hashlib
import json
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

if sys.version_info < (3, 11):  # noqa: UP036  # telling an older Python so is what this line is for
    sys.exit(
        f"Python 3.11 or newer is needed, this is {sys.version.split()[0]} ({sys.executable}). "
        "Install a newer one, or name it: make demo PYTHON=/path/to/python3.12"
    )

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
STAMP = VENV / "installed.json"
# Where an ordinary user's PATH may not lead, but mosquitto is put.
SBIN = os.pathsep.join(("/usr/sbin", "/usr/local/sbin", "/opt/homebrew/sbin"))
# Which locked sets also contain the wanted one.
SUPERSETS = {"base": ("base", "dev", "bench"), "dev": ("dev", "bench"), "bench": ("bench",)}
# Measured on Linux: the environment and uv's cache, in megabytes.
NEEDED_MB = {"base": 500, "dev": 1400, "bench": 1500}
DATA_MB = 150


class SetupError(Exception):
    """The sentence that the person at the keyboard reads."""


def main() -> None:
    """Do what the Makefile asks for, and end with a sentence when it cannot be done."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("command", choices=("setup", "demo", "demo-reset"))
    parser.add_argument("--set", dest="wanted", choices=tuple(SUPERSETS), default="base")
    arguments = parser.parse_args()
    try:
        if arguments.command == "setup":
            ensure_environment(arguments.wanted)
        else:
            run_demo(arguments.command)
    except SetupError as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        sys.exit("Stopped. Nothing is lost: the same command goes on from here.")
    except OSError as error:
        sys.exit(sentence_for(error))


def run_demo(command: str) -> None:
    """Check address, folder and environment, then become the demo's own process."""
    var = Path(os.environ.get("VAR_DIR") or ROOT / "var").resolve()
    if command == "demo":
        check_port(os.environ.get("HOST") or "127.0.0.1", os.environ.get("PORT") or "8000")
        var.mkdir(parents=True, exist_ok=True)
        check_writable(var)
        check_space(var, DATA_MB)
    ensure_environment("base")
    if command == "demo" and not os.environ.get("MQTT_URL"):
        ensure_broker()
    # The same process goes on as the demo, so that its parent (make) can signal it.
    demo = str(ROOT / "scripts" / "demo.py")
    environment = {**os.environ, "VAR_DIR": str(var)}
    os.execve(str(PYTHON), [str(PYTHON), demo, command], environment)  # noqa: S606  # no shell is wanted


def check_port(host: str, text: str) -> None:
    """Refuse a port that is not a number, not ours to take, or taken."""
    if not text.isdigit() or not 0 < int(text) < 65536:
        raise SetupError(f"PORT={text} is not a port number (1 to 65535).")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, int(text)))
        except OSError as error:
            reasons = {
                errno.EADDRINUSE: (
                    f"Port {text} is taken, perhaps by a demo that already runs. "
                    f"Stop that, or choose another port: make demo PORT={int(text) % 65535 + 1}"
                ),
                errno.EACCES: f"Port {text} is reserved for root. Try: make demo PORT=8000",
            }
            fallback = f"The address {host}:{text} cannot be used ({error.strerror})."
            raise SetupError(reasons.get(error.errno or 0, fallback)) from None


def check_writable(folder: Path) -> None:
    """Refuse a folder that we may not write to."""
    if not os.access(str(folder), os.W_OK | os.X_OK):
        raise SetupError(f"{folder} cannot be written to. Give yourself the right, or set VAR_DIR.")


def check_space(folder: Path, needed_mb: int) -> None:
    """Refuse to begin what the disk cannot hold."""
    free_mb = shutil.disk_usage(str(folder)).free // 1_000_000
    if free_mb < needed_mb:
        raise SetupError(
            f"The disk is full: {folder} has {free_mb} MB free, about {needed_mb} MB are needed."
        )


def sentence_for(error: OSError) -> str:
    """Put the usual troubles with files into words."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "The disk is full. Make room and run the same command again; it goes on from here."
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return f"{error.filename} cannot be written to. Give yourself the right and try again."
    return f"{error.strerror}: {error.filename}"


def ensure_environment(wanted: str) -> None:
    """Make .venv hold the locked packages of this set; no work when it already does."""
    if is_current(wanted):
        return
    check_writable(ROOT)
    is_usable = venv_works()
    check_space(ROOT, 100 if is_usable else NEEDED_MB[wanted])
    if not is_usable:
        create_venv()
    say(f"Installing the locked packages ({wanted}) ...")
    STAMP.unlink(missing_ok=True)
    install(["--require-hashes", "--requirement", str(ROOT / "requirements" / f"{wanted}.txt")])
    STAMP.write_text(json.dumps({"set": wanted, "digest": digest(wanted)}), encoding="utf-8")


def ensure_broker() -> None:
    """Where there is no mosquitto, install a broker from a wheel; without one the demo runs too."""
    if find_mosquitto():
        return
    lock, stamp = ROOT / "requirements" / "broker.txt", VENV / "broker.stamp"
    wanted = hashlib.sha256(lock.read_bytes()).hexdigest()
    if stamp.exists() and stamp.read_text(encoding="utf-8") == wanted:
        return
    say("Installing an MQTT broker for the greenhouse (there is no mosquitto) ...")
    try:
        install(["--require-hashes", "--requirement", str(lock)])
    except SetupError:
        say("That did not work; the demo runs without its greenhouse. Install mosquitto for it.")
        return
    stamp.write_text(wanted, encoding="utf-8")


def find_mosquitto() -> "str | None":
    return shutil.which("mosquitto") or shutil.which("mosquitto", path=SBIN)


def is_current(wanted: str) -> bool:
    """Whether .venv holds this set as locked today, for the Python it was made with."""
    try:
        stamp = json.loads(STAMP.read_text(encoding="utf-8"))
        held = str(stamp["set"])
        return held in SUPERSETS[wanted] and stamp["digest"] == digest(held) and PYTHON.exists()
    except (OSError, ValueError, KeyError):
        return False


def digest(name: str) -> str:
    """Fingerprint of a lock file and of the Python in .venv."""
    lock = (ROOT / "requirements" / f"{name}.txt").read_bytes()
    return hashlib.sha256(lock + (VENV / "pyvenv.cfg").read_bytes()).hexdigest()


def venv_works() -> bool:
    """Whether .venv has a Python that starts and is new enough."""
    if not PYTHON.exists():
        return False
    probe = [str(PYTHON), "-c", "import sys; sys.exit(sys.version_info < (3, 11))"]
    return subprocess.run(probe, capture_output=True, check=False).returncode == 0  # noqa: S603  # our own Python


def create_venv() -> None:
    """Make .venv anew with the Python that runs this file."""
    say("Making the virtual environment .venv ...")
    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    advice = (
        f"This Python comes without venv or pip. On Debian and Ubuntu: apt install "
        f"python{version}-venv; or name another Python: make demo PYTHON=/path/to/python3"
    )
    try:
        import ensurepip  # noqa: F401, PLC0415  # Debian leaves these two out of its python3
        import venv  # noqa: F401, PLC0415
    except ImportError:
        raise SetupError(advice) from None
    run([sys.executable, "-m", "venv", "--clear", str(VENV)], advice)


def install(what: "list[str]") -> None:
    """Install with uv from its wheel (seconds); where that does not work, with pip (minutes)."""
    pip = [str(PYTHON), "-m", "pip"]
    quiet = ["install", "--quiet", "--disable-pip-version-check"]
    has_pip = succeeds([*pip, "--version"])
    uv = VENV / "bin" / "uv"
    if not uv.exists() and has_pip:
        lock = str(ROOT / "requirements" / "uv.txt")
        succeeds([*pip, *quiet, "--require-hashes", "--requirement", lock])
    found = str(uv) if uv.exists() else shutil.which("uv")
    if found and succeeds([found, "pip", "install", "--quiet", "--python", str(PYTHON), *what]):
        return
    if not has_pip:
        run([str(PYTHON), "-m", "ensurepip"], "There is no pip in .venv. Remove .venv, try again.")
    say("uv could not; pip tries, which takes some minutes ...")
    run([*pip, *quiet, *what], "The packages do not install. Is there a way to the internet?")


def succeeds(command: "list[str]") -> bool:
    """Run a step that something else can stand in for."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603  # built here
    refuse_full_disk(done.stderr)
    return done.returncode == 0


def refuse_full_disk(said: str) -> None:
    """Stop with the disk's own sentence when that is why a step failed."""
    if "No space left on device" in said or "Disk quota exceeded" in said:
        raise OSError(errno.ENOSPC, "The disk is full")


def run(command: "list[str]", trouble: str) -> None:
    """Run one step quietly; when it fails, show the end of what it said and one sentence."""
    done = subprocess.run(  # noqa: S603  # commands are built here
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    if done.returncode == 0:
        return
    refuse_full_disk(done.stdout)
    say("\n".join(done.stdout.strip().splitlines()[-12:]))
    raise SetupError(trouble)


def say(sentence: str) -> None:
    """Tell the person what goes on, at once."""
    print(sentence, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
