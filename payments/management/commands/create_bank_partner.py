"""Open a partner bank and print its credentials once."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from common.errors import DomainError
from payments.services import partners


class Command(BaseCommand):
    help = "Open a partner bank; its credentials are printed once and cannot be shown again."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("code", help="short code, for example agribank")
        parser.add_argument("--name", default="", help="name of the bank")
        parser.add_argument("--json", action="store_true", help="print JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        code: str = options["code"].lower()
        try:
            credentials = partners.create_partner(
                code=code, name=options["name"] or code, at=timezone.now()
            )
        except DomainError as error:
            raise CommandError(str(error)) from error
        if options["json"]:
            self.stdout.write(json.dumps(credentials._asdict()))
            return
        for name, value in credentials._asdict().items():
            self.stdout.write(f"{name}: {value}")
