"""Load the demo commune; harmless to run at each start of the demo."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from commune_portal.demo import bank
from commune_portal.demo.load import DemoCommune
from commune_portal.demo.people import FEWEST_HOUSEHOLDS, HOUSEHOLDS


class Command(BaseCommand):
    """Refuses where DEMO is off, so that invented people never stand beside real ones."""

    help = "Load the demo commune (docs/demo.md). Only with DEMO=1."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--households", type=int, default=HOUSEHOLDS, help="how many to invent")

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEMO:
            raise CommandError("DEMO is off: this would mix demo people into real data.")
        if not FEWEST_HOUSEHOLDS <= options["households"] <= HOUSEHOLDS:
            raise CommandError(f"--households: from {FEWEST_HOUSEHOLDS} to {HOUSEHOLDS}.")
        demo = DemoCommune(
            households=options["households"],
            today=timezone.localdate(),
            at=timezone.now(),
            credentials_file=settings.VAR_DIR / bank.FILE_NAME,
        )
        for line in demo.load():
            self.stdout.write(line)
        self.stdout.write("the demo commune is there")
