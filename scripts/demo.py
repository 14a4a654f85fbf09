"""Run the whole portal on one machine with demo data: SQLite, one web process, one worker.

Started by scripts/bootstrap.py inside .venv. Nothing of it needs a server, root or a network.
"""

import fcntl
import hashlib
import http.client
import os
import secrets
import shutil
import socket
import sys
import time
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

import broker
from supervisor import Supervisor, die_with_parent

ROOT = Path(__file__).resolve().parent.parent
TAIL_LINES = 20
SLOW_SECONDS = 40
# All that the demo ever writes below VAR_DIR; demo-reset removes these and nothing else.
DEMO_FILES = (
    "portal.sqlite3", "portal.sqlite3-wal", "portal.sqlite3-shm", "before-upgrade.sqlite3",
    "cache", "queue", "queue-control", "media", "static", "static.stamp", "prepared.stamp", "log",
    "demo-accounts.txt", "demo_bank.json", "secret_key", "broker",
)  # fmt: skip
NO_BROKER = "mqtt://127.0.0.1:9"  # nobody listens on the discard port
HOUSES = ("--house", "nm1", "--house", "nm2")
FULL_DISK = ("No space left on device", "database or disk is full", "Disk quota exceeded")


def main() -> None:
    """Run the demo until somebody stops it, or wipe it."""
    os.chdir(ROOT)
    var = Path(os.environ["VAR_DIR"])
    if not var.exists():
        sys.exit("There is no demo to wipe.")
    lock = take_lock(var)
    try:
        if sys.argv[1] == "demo-reset":
            wipe(var)
        else:
            sys.exit(run(var, lock))
    except OSError as error:
        sys.exit(f"{error.strerror}: {error.filename or var}")


def take_lock(var: Path) -> IO[str]:
    """Hold VAR_DIR for this demo alone.

    The lock dies with its last holder, so a crash leaves nothing to clean up; the supervisor's
    watchman inherits it and keeps it until the children of a killed demo are gone.
    """
    lock = (var / "demo.lock").open("a+", encoding="utf-8")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.seek(0)
        where = lock.read().strip() or "another terminal"
        sys.exit(f"The demo is running ({where}). Stop it there with Ctrl-C first.")
    return lock


def wipe(var: Path) -> None:
    """Remove what the demo has written, and nothing else."""
    names = [*DEMO_FILES, *(path.name for path in var.glob("beat-schedule*"))]
    for name in names:
        path = var / name
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    say("The demo's data is gone; `make demo` begins anew.")


def run(var: Path, lock: IO[str]) -> int:
    """Prepare the data, start the processes and stay with them; the exit code."""
    if "MAKELEVEL" in os.environ:  # make is our parent: if it is killed, nobody is left to stop us
        die_with_parent()
    host, port = os.environ.get("HOST") or "127.0.0.1", int(os.environ.get("PORT") or 8000)
    shown = name_of(host)
    url = f"http://{shown}:{port}/"
    lock.truncate(0)
    lock.write(url)
    lock.flush()

    supervisor = Supervisor(environment_of(var, host, url), var / "log", say)
    try:
        start_broker(supervisor, var)
        return prepare(supervisor, var) or serve(supervisor, host, port, url)
    finally:
        supervisor.stop()


def name_of(host: str) -> str:
    """Name the machine so that a phone which scans a receipt's code finds it, where it can."""
    if host in {"127.0.0.1", "::1"}:
        return "localhost"
    if host not in {"0.0.0.0", "::"}:  # noqa: S104  # a comparison
        return f"[{host}]" if ":" in host else host
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # RFC 5737: nobody; only the route is looked up
        except OSError:
            return "localhost"
        return str(probe.getsockname()[0])


def start_broker(supervisor: Supervisor, var: Path) -> None:
    """Run a broker of our own, on this machine only, unless the caller has named one."""
    if os.environ.get("MQTT_URL"):
        return
    port = broker.free_port()
    command = broker.command(var, port)
    if command is None:
        say("There is no MQTT broker: the greenhouse stands still. Install mosquitto for it.")
        return
    supervisor.environment = {
        **supervisor.environment,
        "MQTT_URL": f"mqtt://{broker.ADDRESS}:{port}/?client_id=portal",
    }
    supervisor.start("broker", command)


def prepare(supervisor: Supervisor, var: Path) -> int:
    """Migrate, load the demo commune, collect static files, if the code is new; the exit code."""
    empty_queue(var)
    stamp, is_first = var / "prepared.stamp", not (var / "portal.sqlite3").exists()
    code_now = fingerprint()
    if not is_first and stamp.exists() and stamp.read_text(encoding="utf-8") == code_now:
        return 0
    stamp.unlink(missing_ok=True)
    say("Loading the demo commune (once) ..." if is_first else "Starting the demo ...")
    command = [sys.executable, "manage.py", "prepare_demo"]
    if "DEMO_HOUSEHOLDS" in os.environ:
        command.append(f"--households={os.environ['DEMO_HOUSEHOLDS']}")
    code = supervisor.run_step("prepare", command)
    if supervisor.is_stopping:
        say("Stopped. Nothing is lost: the same command goes on from here.")
        return 130
    if code:
        complain(supervisor.log_of("prepare"), "The demo's data cannot be prepared.")
    else:
        stamp.write_text(code_now, encoding="utf-8")
    return code


def empty_queue(var: Path) -> None:
    """Throw old nudges away: what they would have woken stands in rows that beat sweeps."""
    shutil.rmtree(var / "queue", ignore_errors=True)
    for name in ("queue", "queue-control", "cache", "media"):
        (var / name).mkdir(parents=True, exist_ok=True)


def fingerprint() -> str:
    """Tell by it whether any file of ours or any installed package has changed."""
    digest = hashlib.sha256((ROOT / ".venv" / "installed.json").read_bytes())
    for top in sorted(ROOT.iterdir()):
        if top.name.startswith(".") or top.name in {"var", "tests", "docs", "bench"}:
            continue
        for path in sorted(top.rglob("*")) if top.is_dir() else [top]:
            if path.suffix != ".pyc" and path.is_file():
                status = path.stat()
                digest.update(f"{path} {status.st_size} {status.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def serve(supervisor: Supervisor, host: str, port: int, url: str) -> int:
    """Start web, worker and, where a broker answers, bridge and greenhouses; the exit code."""
    # fmt: off
    supervisor.start("web", [
        sys.executable, "-m", "granian", "--interface", "wsgi", "--host", host, "--port", str(port),
        "--workers", "1", "--blocking-threads", "8", "--no-ws", "--log-level", "warning",
        "commune_portal.wsgi:application",
    ], is_vital=True)
    supervisor.start("worker", [
        sys.executable, "-m", "celery", "-A", "commune_portal", "worker", "--pool", "solo",
        "--beat", "--without-gossip", "--without-mingle", "--without-heartbeat",
        "--loglevel", "INFO",
    ])
    # fmt: on
    is_ours = any(child.name == "broker" for child in supervisor.children)
    if is_ours or broker_answers(supervisor.environment["MQTT_URL"]):
        manage = [sys.executable, "manage.py"]
        supervisor.start("mqtt", [*manage, "mqtt_bridge"])
        supervisor.start("greenhouse", [*manage, "simulate_greenhouse", *HOUSES])

    dead = supervisor.watch(Announcement(host, port, url, Path(supervisor.environment["VAR_DIR"])))
    if dead is None:
        return 0
    complain(supervisor.log_of(dead.name), f"The {dead.name} process does not stay up.")
    return 1


class Announcement:
    """Says once, as soon as the site answers, where it is and who may sign in."""

    def __init__(self, host: str, port: int, url: str, var: Path) -> None:
        everywhere = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  # a comparison
        self.address = (everywhere.get(host, host), port)
        self.url = url
        self.accounts = var / "demo-accounts.txt"
        self.is_made = self.is_late = False
        self.began = time.monotonic()

    def __call__(self) -> None:
        if self.is_made:
            return
        if site_answers(*self.address):
            self.is_made = True
            who = (
                self.accounts.read_text(encoding="utf-8").strip() if self.accounts.exists() else ""
            )
            say(f"Ready: {self.url} - {who}, more: {self.url}demo/ (Ctrl-C stops it)")
        elif not self.is_late and time.monotonic() - self.began > SLOW_SECONDS:
            self.is_late = True
            say("This takes longer than it should; its logs are in var/log.")


def environment_of(var: Path, host: str, url: str) -> dict[str, str]:
    """Set what makes it a demo, and drop settings of the caller that could touch real people."""
    caller = dict(os.environ)
    for name in ("DATABASE_URL", "SECRET_KEY", "SMS_GATEWAY_URL", "PAYMENTS_KEY", "DEBUG"):
        caller.pop(name, None)
        caller.pop(f"{name}_FILE", None)
    is_local = host in {"127.0.0.1", "::1", "localhost"}
    return caller | {
        "DEMO": "1",
        "DJANGO_SETTINGS_MODULE": "commune_portal.settings",
        "MQTT_URL": os.environ.get("MQTT_URL") or NO_BROKER,
        "PUBLIC_URL": url.rstrip("/"),
        "PYTHONUNBUFFERED": "1",
        "SECRET_KEY_FILE": str(secret_key_file(var)),
        "STATIC_MANIFEST": "1",
        "STATIC_ROOT": str(var / "static"),
        "MEDIA_ROOT": str(var / "media"),
        "ALLOWED_HOSTS": "localhost,127.0.0.1,[::1]" if is_local else "*",
    }


def secret_key_file(var: Path) -> Path:
    """Make this demo's own key on its first start."""
    path = var / "secret_key"
    if not path.exists() or path.stat().st_size == 0:
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(60), encoding="utf-8")
    return path


def broker_answers(url: str) -> bool:
    """Whether something listens where the MQTT broker should be."""
    parts = urlsplit(url)
    try:
        with socket.create_connection((parts.hostname or "127.0.0.1", parts.port or 1883), 0.5):
            return True
    except OSError:
        return False


def site_answers(host: str, port: int) -> bool:
    """Whether the web process answers its sign of life."""
    connection = http.client.HTTPConnection(host, port, timeout=2)
    try:
        connection.request("GET", "/healthz", headers={"Host": "localhost"})
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def complain(log: Path, sentence: str) -> None:
    """Show the end of a log and say what is wrong."""
    text = log.read_text(encoding="utf-8", errors="replace") if log.exists() else ""
    if any(words in text for words in FULL_DISK):
        say("The disk is full. Make room and run the same command again; it goes on from here.")
        return
    say("\n".join(text.strip().splitlines()[-TAIL_LINES:]))
    say(f"{sentence} Its log is above and in {log}")


def say(sentence: str) -> None:
    """Print at once, whoever reads us through a pipe."""
    print(sentence, flush=True)


if __name__ == "__main__":
    main()
