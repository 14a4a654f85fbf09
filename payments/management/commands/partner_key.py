"""Turn a partner bank's keys over: a second one first, then the end of the old one."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from common.errors import DomainError
from payments.models import BankPartner, PartnerKey
from payments.services import partners


class Command(BaseCommand):
    help = "List, add and end a partner bank's keys."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("partner", help="the partner's code")
        chosen = parser.add_mutually_exclusive_group()
        chosen.add_argument("--add-hmac", action="store_true", help="make one more HMAC secret")
        chosen.add_argument("--add-ed25519", metavar="KEY", help="public key, 32 bytes, base64url")
        chosen.add_argument("--end", metavar="KID", help="end the key with this id now")
        parser.add_argument("--kid", default="", help="id of the public key")

    def handle(self, *args: Any, **options: Any) -> None:
        partner = BankPartner.objects.filter(code=options["partner"].lower()).first()
        if partner is None:
            raise CommandError(f"There is no partner {options['partner']}.")
        try:
            self._turn(partner, options)
        except (DomainError, ValueError, PartnerKey.DoesNotExist) as error:
            raise CommandError(str(error)) from error
        for key in partner.keys.order_by("pk"):
            ends = f"ended {key.valid_to:%d/%m/%Y %H:%M}" if key.valid_to else "live"
            self.stdout.write(f"{key.kid}  {key.algorithm}  {ends}")

    def _turn(self, partner: BankPartner, options: dict[str, Any]) -> None:
        now = timezone.now()
        if options["add_hmac"]:
            key, secret = partners.add_hmac_secret(partner=partner, at=now)
            self.stdout.write(json.dumps({"hmac_key_id": key.kid, "hmac_secret": secret}))
        elif options["add_ed25519"]:
            partners.add_public_key(
                partner=partner,
                kid=options["kid"] or f"{partner.code}-ed25519",
                public_key=options["add_ed25519"],
                at=now,
            )
        elif options["end"]:
            partners.end_key(partner=partner, kid=options["end"], at=now)
