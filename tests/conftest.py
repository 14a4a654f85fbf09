"""What every test gets: a quiet queue, clean caches, threads that start together, a browser."""

import os
import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import hypothesis
import pytest
from celery import Celery
from django.conf import settings
from django.core.cache import caches
from django.db import connection, connections
from django.db.backends.base.operations import BaseDatabaseOperations

NOON = datetime(2026, 11, 22, 5, 0, tzinfo=UTC)  # 12:00 in Thanh Hoá, a Sunday
CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)

# Two suites may share two cores: a slow example is no finding, a wrong one is.
hypothesis.settings.register_profile("portal", deadline=None)
hypothesis.settings.load_profile("portal")

if os.environ.get("REDIS_URL"):
    settings.CACHES["default"]["OPTIONS"] = {"socket_timeout": 5}  # a busy machine is no outage
else:
    settings.CACHES["default"] = {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
settings.CELERY_BROKER_URL = "memory://"
settings.PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.MD5PasswordHasher",
    *settings.PASSWORD_HASHERS,
]
if settings.DATABASES["default"]["ENGINE"].endswith("postgresql"):
    settings.DATABASES["default"]["OPTIONS"]["options"] += " -c synchronous_commit=off"


def _flush_in_spite_of_triggers(
    operations, sql_list, *, plain=BaseDatabaseOperations.execute_sql_flush
):
    """Let the clean-up after a test truncate the append-only tables, which refuse all others."""
    if operations.connection.vendor == "postgresql":
        sql_list = ["SET LOCAL session_replication_role = replica", *sql_list]
    return plain(operations, sql_list)


BaseDatabaseOperations.execute_sql_flush = _flush_in_spite_of_triggers


@pytest.fixture(autouse=True)
def clean_caches():
    """No test sees what another has cached or counted."""
    yield
    for cache in caches.all(initialized_only=True):
        cache.clear()


@pytest.fixture(autouse=True)
def nudges(monkeypatch):
    """The tasks that were nudged, as (name, arguments); nothing is sent anywhere."""
    sent = []

    def note(app, name, args=None, kwargs=None, **options):
        sent.append((name, kwargs or {}))

    monkeypatch.setattr(Celery, "send_task", note)
    return sent


@pytest.fixture
def together():
    """Run a function in some threads at the same moment, each with its own connection.

    Returns the answers; the first exception of any thread is raised.
    """

    def run(function, times=2):
        barrier = threading.Barrier(times, timeout=20)

        def wait_and_run(_):
            try:
                barrier.wait()
                return function()
            finally:
                connections.close_all()

        with ThreadPoolExecutor(times) as pool:
            return list(pool.map(wait_and_run, range(times)))

    return run


@pytest.fixture
def beside():
    """Start a function in a thread with its own connection; gives its Future."""

    def run(function):
        try:
            return function()
        finally:
            connections.close_all()

    with ThreadPoolExecutor() as pool:
        yield lambda function: pool.submit(run, function)


@pytest.fixture
def only_postgresql(db):
    """Skip where the database has no row locks and no triggers of ours."""
    if connection.vendor != "postgresql":
        pytest.skip("needs PostgreSQL")


@pytest.fixture
def mqtt_url():
    """A real broker's address."""
    return os.environ.get("TEST_MQTT_URL") or pytest.skip("needs an MQTT broker")


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args):
    """Debian's Chromium, which asks nobody outside for anything."""
    return browser_type_launch_args | {
        "executable_path": CHROMIUM,
        "args": [
            "--no-sandbox",  # CI runs as root
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-quic",
            "--disable-sync",
            "--no-first-run",
        ],
    }


def pytest_addoption(parser):
    """Let scripts/run_tests.py run the suite in three shares side by side."""
    parser.addoption("--share", choices=SHARES, help="one of three shares that are all of it")


def runs_once(item):
    """Whether it drives a browser, starts processes of its own on SQLite, or reads code."""
    return item.get_closest_marker("browser") is not None or bool(
        {"demo", "architecture"} & set(item.path.relative_to(item.config.rootpath).parts)
    )


def touches_services(item):
    """Whether the test would notice another database, Redis or MQTT broker."""
    wanted = {"db", "transactional_db", "mqtt_url", "live_server"}
    return (
        item.get_closest_marker("django_db") is not None
        or item.get_closest_marker("services") is not None
        or bool(wanted & set(getattr(item, "fixturenames", ())))
    )


SHARES = {
    "once": runs_once,
    "plain": lambda item: not runs_once(item),
    "services": lambda item: not runs_once(item) and touches_services(item),
}


def pytest_collection_modifyitems(config, items):
    """Skip browser tests with a word where there is no browser; `postgres` where there is none."""
    if share := config.getoption("--share"):
        chosen = [item for item in items if SHARES[share](item)]
        config.hook.pytest_deselected(items=[item for item in items if not SHARES[share](item)])
        items[:] = chosen
    is_postgres = settings.DATABASES["default"]["ENGINE"].endswith("postgresql")
    for item in items:
        if item.get_closest_marker("browser") and CHROMIUM is None:
            item.add_marker(pytest.mark.skip(reason="needs Chromium"))
        if item.get_closest_marker("postgres") and not is_postgres:
            item.add_marker(pytest.mark.skip(reason="needs PostgreSQL"))
