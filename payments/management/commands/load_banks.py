"""Load the list of banks that comes with the portal, or a newer one."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from common.errors import DomainError
from common.reference_table import read_csv
from payments.services.banks import load_banks

DATA = Path(__file__).resolve().parents[2] / "data"


class Command(BaseCommand):
    """Harmless to run at every deployment: officials' corrections stay."""

    help = "Load banks from a CSV file; banks that officials changed since its day stay."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--banks", type=Path, default=DATA / "banks.csv")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            loaded = load_banks(banks=read_csv(options["banks"]))
        except DomainError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(
            f"banks: {loaded.new} new, {loaded.changed} changed, {loaded.kept} kept as they are"
        )
