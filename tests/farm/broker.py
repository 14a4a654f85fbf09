"""A mosquitto of the test's own, on a free port, and bridges to it: to be killed and started."""

import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
WAIT = 10


def executable(name):
    """Find a program; servers are often not on a user's PATH."""
    return shutil.which(name) or shutil.which(
        name, path="/usr/sbin:/usr/local/sbin:/opt/homebrew/sbin"
    )


def mosquitto_or_skip():
    return executable("mosquitto") or pytest.skip("needs mosquitto")


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def start_bridge(
    broker, database_url, *, query="client_id=farm", log_level="CRITICAL", stderr=None
):
    """Start the real process between a broker and a database."""
    return subprocess.Popen(
        [sys.executable, "manage.py", "mqtt_bridge"],
        cwd=ROOT,
        env=os.environ
        | {
            "MQTT_URL": f"mqtt://127.0.0.1:{broker.port}/?{query}",
            "DATABASE_URL": database_url,
            "LOG_LEVEL": log_level,
        },
        stderr=stderr,
    )


class Mosquitto:
    """One broker with its folder; kill() and start() again as often as the test likes."""

    def __init__(self, folder, *, users=(), acl=None):
        self.folder = folder
        self.port = free_port()
        lines = [
            f"listener {self.port} 127.0.0.1",
            "persistence true",
            f"persistence_location {folder}/",
            "autosave_on_changes true",
            "autosave_interval 1",
            "max_queued_messages 100000",
            "max_inflight_messages 5000",
            "user root",
        ]
        if users:
            passwords = folder / "passwords"
            passwords.touch(mode=0o700)
            for name in users:
                subprocess.run(
                    [shutil.which("mosquitto_passwd"), "-b", passwords, name, name], check=True
                )
            lines += ["allow_anonymous false", f"password_file {passwords}", f"acl_file {acl}"]
        else:
            lines.append("allow_anonymous true")
        self.settings = folder / "mosquitto.conf"
        self.settings.write_text("\n".join(lines) + "\n", encoding="utf-8")

    def start(self):
        self.process = subprocess.Popen(
            [mosquitto_or_skip(), "-c", self.settings],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + WAIT
        while time.monotonic() < deadline:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            except OSError:
                assert self.process.poll() is None, "mosquitto ended at once"
            else:
                return
        raise AssertionError("mosquitto does not answer")

    def stop(self):
        """Let it write its persistence down, and end."""
        self.process.terminate()
        self.process.wait(WAIT)

    def kill(self):
        self.process.kill()
        self.process.wait(WAIT)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.kill()
