"""Run all tests on SQLite, and beside that on PostgreSQL, Redis and MQTT where they answer.

Three processes side by side: what drives a browser, starts the demo or reads the code runs once
(it waits more than it computes); the rest runs on SQLite, and what would notice on the services.

    python scripts/run_tests.py [PYTEST ARGUMENTS …]

TEST_DATABASE_URL, TEST_REDIS_URL and TEST_MQTT_URL name the services; without them the standard
local ports are asked. Nothing there is touched but a database and a Redis number of our own. The
last line printed is the total.
"""

import os
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET  # of files that pytest has just written
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit, urlunsplit

import paho.mqtt.client
import psycopg2  # type: ignore[import-untyped]  # its types are a package of their own
import redis
from paho.mqtt.enums import CallbackAPIVersion

ROOT = Path(__file__).resolve().parent.parent
POSTGRES = "postgres://postgres@127.0.0.1:5432/postgres"
REDIS = "redis://127.0.0.1:6379"
MQTT = "mqtt://127.0.0.1:1883"
DATABASE = f"portal_{os.getpid()}"
QUIET = ("-p", "no:cacheprovider")  # one run alone may write the cache
NO_TESTS = 5  # pytest's word for it: what was asked for has none in this share


class Service(NamedTuple):
    """What answered, or why it was left out: without `url` it is not used."""

    name: str
    url: str
    words: str


class Suite:
    """One pytest process and what it counted."""

    def __init__(self, name: str, arguments: list[str], **environment: str) -> None:
        self.name = name
        self._folder = tempfile.TemporaryDirectory()
        self._report = Path(self._folder.name) / "report.xml"
        self._output = (Path(self._folder.name) / "output").open("w+", encoding="utf-8")
        inherited = {
            key: value
            for key, value in os.environ.items()
            if key not in {"DATABASE_URL", "REDIS_URL", "MQTT_URL", "TEST_MQTT_URL", "VAR_DIR"}
        }
        self.process = subprocess.Popen(  # noqa: S603  # our own tests
            [sys.executable, "-m", "pytest", "-q", f"--junitxml={self._report}", *arguments],
            cwd=ROOT,
            env=inherited | environment,
            stdout=self._output,
            stderr=subprocess.STDOUT,
        )

    def finish(self) -> None:
        """Wait for the end, then show what was said."""
        self.code = self.process.wait()
        self._output.seek(0)
        print(f"--- {self.name}\n{self._output.read().strip()}", flush=True)
        self.outcomes = dict(self._read())
        # Who asks for some tests may ask for none of this share; the whole suite has some of each.
        is_good = self.code == 0 or (self.code == NO_TESTS and len(sys.argv) > 1)
        if not is_good and "failed" not in {kind for kind, _ in self.outcomes.values()}:
            self.outcomes["pytest itself"] = ("failed", f"exit code {self.code}")

    def _read(self) -> Iterator[tuple[str, tuple[str, str]]]:
        """Each test's outcome (passed, failed, skipped) and the reason of a skip."""
        if not self._report.exists():
            return
        for case in ET.parse(self._report).iter("testcase"):  # noqa: S314  # as above
            name = f"{case.get('classname')}::{case.get('name')}"
            skipped = case.find("skipped")
            if case.find("failure") is not None or case.find("error") is not None:
                yield name, ("failed", "")
            elif skipped is not None and skipped.get("type") != "pytest.xfail":
                yield name, ("skipped", skipped.get("message") or "no reason")
            else:
                yield name, ("passed", "")


def main() -> None:
    """Run, tell, and end with 0 only if something passed and nothing failed."""
    arguments = sys.argv[1:]
    services = [find_postgresql(), find_redis(), find_mqtt()]
    database, cache, broker = (service.url for service in services)
    suites = [
        Suite("in the browser, the demo, the code", [*arguments, *QUIET, "--share=once"]),
        Suite("on SQLite", [*arguments, "--share=plain"]),
    ]
    if database or cache or broker:
        used = " and ".join(service.name for service in services if service.url)
        environment = {"DATABASE_URL": database, "REDIS_URL": cache, "TEST_MQTT_URL": broker}
        set_only = {key: value for key, value in environment.items() if value}
        extra = [*QUIET, "--share=services"]
        suites.append(Suite(f"on {used}", [*arguments, *extra], **set_only))
    try:
        for suite in suites:
            suite.finish()
    except KeyboardInterrupt:
        for suite in suites:
            suite.process.wait()
        sys.exit("stopped")
    finally:
        if database:
            drop_database(database)
    report(suites, services)


def report(suites: list[Suite], services: list[Service]) -> None:
    """Say which services took part, what no run could test, and the total."""
    used = [f"SQLite, {services[0].words}" if services[0].url else "SQLite"]
    used += [service.words for service in services[1:] if service.url]
    print(f"\nServices used: {', '.join(used)}.")
    for service in services:
        if not service.url:
            print(f"Left out: {service.name} ({service.words}).")
    ran = {
        name for suite in suites for name, (kind, _) in suite.outcomes.items() if kind != "skipped"
    }
    skipped = {
        name: why
        for suite in suites
        for name, (kind, why) in suite.outcomes.items()
        if kind == "skipped" and name not in ran
    }
    for why, count in Counter(skipped.values()).most_common():
        print(f"Skipped everywhere: {count} ({why}).")
    counts = Counter(kind for suite in suites for kind, _ in suite.outcomes.values())
    print("What needs a browser or no database runs once; the rest counts for each database.")
    print(
        f"{counts['passed']} passed, {counts['failed']} failed, {len(skipped)} skipped", flush=True
    )
    sys.exit(bool(counts["failed"] or not counts["passed"]))


def find_postgresql() -> Service:
    """Ask for a PostgreSQL in which we may make a database, without any password of ours."""
    url = os.environ.get("TEST_DATABASE_URL") or POSTGRES
    try:
        connection = psycopg2.connect(maintenance(url), connect_timeout=2)
    except psycopg2.Error as error:
        return Service("PostgreSQL", "", first_line(error))
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
            (is_superuser,) = cursor.fetchone() or (False,)
            cursor.execute("SHOW server_version")
            (version,) = cursor.fetchone() or ("?",)
    finally:
        connection.close()
    if not is_superuser:  # the tests switch the ledger's triggers off to clean up after themselves
        return Service("PostgreSQL", "", "answers, but its user is no superuser")
    mine = urlunsplit(urlsplit(url)._replace(path=f"/{DATABASE}"))
    return Service("PostgreSQL", mine, f"PostgreSQL {version.split()[0]}")


def maintenance(url: str) -> str:
    """Name the database that every server has."""
    return urlunsplit(urlsplit(url)._replace(path="/postgres"))


def drop_database(url: str) -> None:
    """Remove the tests' database if an interrupted run has left it."""
    connection = psycopg2.connect(maintenance(url), connect_timeout=2)
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute(f'DROP DATABASE IF EXISTS "test_{DATABASE}" WITH (FORCE)')
    connection.close()


def find_redis() -> Service:
    """Ask for a Redis with an empty number, so that cleaning up harms nobody."""
    url = os.environ.get("TEST_REDIS_URL")
    numbers = [int(urlsplit(url).path.strip("/") or 0)] if url else list(range(15, 0, -1))
    for number in numbers:
        address = urlunsplit(urlsplit(url or REDIS)._replace(path=f"/{number}"))
        try:
            client = redis.Redis.from_url(address, socket_connect_timeout=1, socket_timeout=1)
            if client.dbsize() == 0:
                version = client.info("server")["redis_version"]
                return Service("Redis", address, f"Redis {version} (number {number})")
        except (redis.RedisError, OSError) as error:
            return Service("Redis", "", first_line(error))
    return Service("Redis", "", "answers, but has no empty number")


def find_mqtt() -> Service:
    """Ask for an MQTT broker that lets us in."""
    url = os.environ.get("TEST_MQTT_URL") or MQTT
    parts = urlsplit(url)
    answers: list[str] = []
    client = paho.mqtt.client.Client(CallbackAPIVersion.VERSION2)
    client.username_pw_set(parts.username, parts.password)
    client.on_connect = lambda *answer: answers.append(str(answer[3]))
    try:
        client.connect(parts.hostname or "127.0.0.1", parts.port or 1883)
        for _ in range(20):
            if not answers:
                client.loop(timeout=0.1)
        client.disconnect()
    except OSError as error:
        return Service("MQTT broker", "", first_line(error))
    if answers != ["Success"]:
        return Service("MQTT broker", "", f"answers, but says {answers or 'nothing'}")
    return Service("MQTT broker", url, f"MQTT broker at {parts.hostname}:{parts.port or 1883}")


def first_line(error: Exception) -> str:
    """Give the gist of an error in one line."""
    return (str(error).strip() or type(error).__name__).splitlines()[0]


if __name__ == "__main__":
    main()
