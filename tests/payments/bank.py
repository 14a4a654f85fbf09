"""A partner bank for tests: gets its token, signs, and calls through Django's client."""

import base64
import hashlib
import hmac
import json
import time
from uuid import uuid4

from django.test import Client
from django.utils import timezone

from common import ratelimit
from payments.api import auth
from payments.models import BankPartner
from payments.services import partners

API = "/api/payments/v1/"


class Bank:
    def __init__(self, code: str = "agribank", client: Client | None = None) -> None:
        auth.forget_sessions()
        ratelimit.forget()
        self.client = client or Client()
        self.credentials = partners.create_partner(code=code, name=code, at=timezone.now())
        self.partner = BankPartner.objects.get(code=code)
        self.token = self.fetch_token()

    def fetch_token(self, scope: str = "bills:read payments:write") -> str:
        pair = f"{self.credentials.client_id}:{self.credentials.client_secret}"
        answer = self.client.post(
            "/oauth/token",
            {"grant_type": "client_credentials", "scope": scope},
            headers={"Authorization": "Basic " + base64.b64encode(pair.encode()).decode()},
        )
        assert answer.status_code == 200, answer.content
        return answer.json()["access_token"]

    def signature(self, body: bytes, *, at: float | None = None, secret: str = "") -> str:
        moment = int(time.time() if at is None else at)
        key = (secret or self.credentials.hmac_secret).encode()
        mac = hmac.new(key, f"{moment}.".encode() + body, hashlib.sha256).hexdigest()
        return f"t={moment},v1={mac}"

    def get(self, path: str, **headers):
        return self.client.get(
            path if path.startswith("/") else API + path,
            headers={"Authorization": f"Bearer {self.token}"} | headers,
        )

    def post(self, path: str, body, *, key: str | None = None, sign: bool = True, **headers):
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        sent = {"Authorization": f"Bearer {self.token}"}
        if sign:
            sent["X-Signature"] = self.signature(raw)
        if key != "":
            sent["Idempotency-Key"] = key or str(uuid4())
        return self.client.post(
            path if path.startswith("/") else API + path,
            raw,
            content_type="application/json",
            headers={k: v for k, v in (sent | headers).items() if v is not None},
        )

    def pay(self, bill, *, key: str | None = None, **changes):
        body = {
            "bank_ref": f"FT{uuid4().hex[:12]}",
            "amount": bill.amount,
            "paid_at": "2026-11-22T12:00:00+07:00",
            "channel": "qr",
            "payment_code": bill.payment_code,
        }
        return self.post("payments", body | changes, key=key)
