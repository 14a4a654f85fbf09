"""A partner bank for demos, tests and partners' own trials: pays bills through the real API."""

import base64
import hashlib
import hmac
import http.client
import json
import random
import time
import uuid
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

API = "/api/payments/v1"
TIMEOUT_SECONDS = 10


class BankClient:
    """Calls the portal as a bank does: token, signature, idempotency key, patience."""

    def __init__(self, base_url: str, credentials: dict[str, str]) -> None:
        self.address = urlsplit(base_url)
        self.credentials = credentials
        self.token = ""

    def call(
        self, method: str, path: str, body: bytes, headers: dict[str, str]
    ) -> tuple[int, dict[str, Any]]:
        """Send one request; answer its status and JSON. Raises OSError when nobody answers."""
        kind = (
            http.client.HTTPSConnection
            if self.address.scheme == "https"
            else http.client.HTTPConnection
        )
        link = kind(self.address.hostname or "", self.address.port, timeout=TIMEOUT_SECONDS)
        try:
            link.request(method, path, body, headers)
            answer = link.getresponse()
            return answer.status, json.loads(answer.read() or b"{}")
        finally:
            link.close()

    def sign_in(self) -> None:
        """Get an access token with the client credentials."""
        pair = f"{self.credentials['client_id']}:{self.credentials['client_secret']}"
        status, answer = self.call(
            "POST",
            "/oauth/token",
            urlencode({"grant_type": "client_credentials"}).encode(),
            {
                "Authorization": "Basic " + base64.b64encode(pair.encode()).decode(),
                "Content-Type": "application/x-www-form-urlencoded",
            },
        )
        if status != 200:
            raise CommandError(f"The portal gave no token: {status} {answer}")
        self.token = answer["access_token"]

    def post(
        self, path: str, content: dict[str, Any], *, key: str = ""
    ) -> tuple[int, dict[str, Any]]:
        """Send a signed POST."""
        body = json.dumps(content).encode()
        moment = int(time.time())
        mac = hmac.new(
            self.credentials["hmac_secret"].encode(), f"{moment}.".encode() + body, hashlib.sha256
        )
        headers = {
            "Authorization": f"Bearer {self.token}",
            "Content-Type": "application/json",
            "X-Signature": f"t={moment},v1={mac.hexdigest()}",
            "Idempotency-Key": key or str(uuid.uuid4()),
        }
        return self.call("POST", f"{API}{path}", body, headers)


class Command(BaseCommand):
    help = "Pay bills as a partner bank would, through the REST API of a running portal."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "codes", nargs="+", metavar="CODE", help="payment code, or a whole memo"
        )
        parser.add_argument("--url", default=settings.PUBLIC_URL, help="address of the portal")
        parser.add_argument("--credentials", default=str(settings.VAR_DIR / "demo_bank.json"))
        parser.add_argument("--amount", type=int, help="pay this instead of what is owed")
        parser.add_argument("--repeat", type=int, default=1, help="report each payment so often")
        parser.add_argument("--reverse", action="store_true", help="take the payment back again")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            credentials = json.loads(Path(options["credentials"]).read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise CommandError(
                f"No bank credentials at {options['credentials']}: run create_bank_partner --json."
            ) from error
        bank = BankClient(options["url"], credentials)
        try:
            bank.sign_in()
            for code in options["codes"]:
                self._pay(bank, code, options)
        except OSError as error:
            raise CommandError(f"Nobody answers at {options['url']}: {error}") from error

    def _pay(self, bank: BankClient, code: str, options: dict[str, Any]) -> None:
        status, asked = bank.post("/inquiries", {"payment_code": code})
        owed = asked["bills"][0]["balance"] if status == 200 else 50_000
        report: dict[str, Any] = {
            "bank_ref": f"FT{timezone.now():%y%m%d}{random.randrange(10**8):08d}",  # noqa: S311  # a bank's own numbering, no secret
            "amount": options["amount"] or owed,
            "paid_at": timezone.now().isoformat(),
            "channel": "qr",
            "memo": f"MBVCB.{code}.CT TU 0351000123456",
            "payment_code": code if status == 200 else "",
        }
        for _ in range(options["repeat"]):
            status, answer = bank.post("/payments", report, key=report["bank_ref"])
            self.stdout.write(f"{status} {json.dumps(answer, ensure_ascii=False)}")
        if options["reverse"]:
            reversal = {"bank_ref": report["bank_ref"], "reason_code": "duplicate"}
            status, answer = bank.post(f"/payments/{answer['id']}/reversals", reversal)
            self.stdout.write(f"{status} {json.dumps(answer, ensure_ascii=False)}")
