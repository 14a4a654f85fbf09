"""Load the communes and villages that come with the portal, or lists of one's own."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from addresses.services import load_places
from common.errors import DomainError
from common.reference_table import read_csv

DATA = Path(__file__).resolve().parents[2] / "data"
INVENTED = "demo"


class Command(BaseCommand):
    """Harmless to run at every deployment: the same lists twice change nothing."""

    help = "Load communes and villages from CSV files; villages invented for the demo stay out."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--communes", type=Path, default=DATA / "communes.csv")
        parser.add_argument("--villages", type=Path, default=DATA / "villages.csv")

    def handle(self, *args: Any, **options: Any) -> None:
        villages = read_csv(options["villages"])
        if not settings.DEMO:
            villages = [row for row in villages if row.get("source") != INVENTED]
        try:
            loaded = load_places(communes=read_csv(options["communes"]), villages=villages)
        except DomainError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(
            f"places: {loaded.new} new, {loaded.changed} changed, {loaded.unchanged} unchanged"
        )
