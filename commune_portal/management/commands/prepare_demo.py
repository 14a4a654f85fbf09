"""Bring the demo's database and files to where this version of the code needs them."""

import hashlib
import sqlite3
from argparse import ArgumentParser
from contextlib import closing
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from accounts.roles import Role
from commune_portal.demo.accounts import (
    COOPERATIVE_MEMBER,
    DEMO_ACCOUNTS,
    PASSWORD,
    RESIDENT_WITH_BILLS,
)
from commune_portal.demo.people import HOUSEHOLDS


class Command(BaseCommand):
    """One process for all steps: each manage.py call of its own would cost two seconds more."""

    help = "Migrate, load the demo commune and collect static files, each only where needed."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--households", type=int, default=HOUSEHOLDS, help="how many to invent")

    def handle(self, *args: Any, **options: Any) -> None:
        executor = MigrationExecutor(connection)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            if executor.loader.applied_migrations:
                keep_copy(settings.VAR_DIR)
            call_command("migrate", interactive=False, verbosity=1, stdout=self.stdout)
        call_command("load_demo", households=options["households"], stdout=self.stdout)
        (settings.VAR_DIR / "demo-accounts.txt").write_text(accounts_line(), encoding="utf-8")
        collect_static(settings.VAR_DIR / "static.stamp")


def keep_copy(var: Path) -> None:
    """Copy the database aside before an upgrade changes it; the newest copy only."""
    source = var / "portal.sqlite3"
    if not source.exists() or source.stat().st_size == 0:
        return
    with (
        closing(sqlite3.connect(source)) as old,
        closing(sqlite3.connect(var / "before-upgrade.sqlite3")) as new,
    ):
        old.backup(new)


def accounts_line() -> str:
    """Name, for the one line that `make demo` prints, a resident and an official."""
    official = next(one for one in DEMO_ACCOUNTS if one.role == Role.FINANCE_OFFICER)
    return (
        f"resident {RESIDENT_WITH_BILLS.phone} and grower {COOPERATIVE_MEMBER.phone} "
        "(the page shows the code), "
        f"finance officer {official.phone} with password {PASSWORD}"
    )


def collect_static(stamp: Path) -> None:
    """Collect and compress static files when any of them, or the list of them, has changed."""
    digest = hashlib.sha256()
    for finder in get_finders():
        for name, storage in finder.list([]):
            status = Path(storage.path(name)).stat()
            digest.update(f"{name} {status.st_size} {status.st_mtime_ns}\n".encode())
    if stamp.exists() and stamp.read_text() == digest.hexdigest() and settings.STATIC_ROOT.exists():
        return
    call_command("collectstatic", interactive=False, clear=True, verbosity=0)
    stamp.write_text(digest.hexdigest())
