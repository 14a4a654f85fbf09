"""Load the crop profiles that come with the portal, or lists of one's own."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from common.errors import DomainError
from common.reference_table import read_csv
from farm.services.crop_profiles import load_crop_profiles

DATA = Path(__file__).resolve().parents[2] / "profile_data"


class Command(BaseCommand):
    """Harmless to run at every deployment: what the cooperative edited stays."""

    help = "Load crop profiles from CSV files; profiles that the cooperative edited stay."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--profiles", type=Path, default=DATA / "profiles.csv")
        parser.add_argument("--stages", type=Path, default=DATA / "stages.csv")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            loaded = load_crop_profiles(
                profiles=read_csv(options["profiles"]), stages=read_csv(options["stages"])
            )
        except DomainError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(
            f"crop profiles: {loaded.new} new, {loaded.changed} changed, "
            f"{loaded.unchanged} unchanged, {loaded.kept} kept as the cooperative has them"
        )
