"""The peer of the API benchmark: the same two calls by hand in FastAPI and asyncpg.

Written as quick as FastAPI lets one write: the raw body goes to pydantic once, answers are bytes,
no dependency injection, no middleware. It makes the checks of payments.api in their order (token
with a 5-second cache, rate limit in Redis by blocks, size, signature, body), calls the same SQL
functions, which also write the log of calls, and answers the same bytes; PEER_SQL=statements has it
book step by step instead, without our function (bench/peer_statements.py). Left out: Ed25519
signatures, names that stand twice in a body, crooked optional fields, questions by customer.

    uvicorn bench.peer_fastapi:app --workers 2 --loop uvloop --http httptools --no-access-log
"""

import base64
import hashlib
import hmac
import json
import os
import re
import secrets
import time
import uuid
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Annotated, NamedTuple

import asyncpg
import redis.asyncio as redis
from cryptography.fernet import Fernet
from fastapi import FastAPI, Request, Response
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bench import peer_statements
from payments import payment_code

# Without our function in the database, as a service by hand would be written at first.
BY_STATEMENTS = os.environ.get("PEER_SQL") == "statements"
CONNECTIONS = int(os.environ.get("PEER_CONNECTIONS", "4"))
PUBLIC_URL = os.environ.get("PUBLIC_URL", "http://localhost:8000")
CACHE_SECONDS = 5
TOLERANCE_SECONDS = 300
BEARER = re.compile(r"Bearer ([\x21-\x7e]{20,500})")
TIMED_HMAC = re.compile(r"t=(\d{1,12})((?:,v1=[0-9a-fA-F]{64}){1,4})")
KEY = re.compile(r"[\x21-\x7e]{1,80}")
REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,40}")
CHANNELS = frozenset(
    ["mobile_app", "qr", "internet_banking", "wallet", "atm", "auto_debit", "counter", "other"]
)
LARGEST_TRANSFER = 499_999_999
SECURITY = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}

Plain = Annotated[str, Field(pattern=r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*$")]


class InquiryIn(BaseModel):
    model_config = ConfigDict(strict=True)

    payment_code: Annotated[str, Field(min_length=1, max_length=40)]
    amount: Annotated[int, Field(gt=0, le=999_999_999_999)] | None = None


class PaymentIn(BaseModel):
    model_config = ConfigDict(strict=True)

    bank_ref: Annotated[str, Field(pattern=r"^[\x21-\x7e]([\x20-\x7e]{0,78}[\x21-\x7e])?$")]
    amount: Annotated[int, Field(gt=0, le=999_999_999_999)]
    paid_at: datetime
    channel: Annotated[str, Field(max_length=40)] = "other"
    payment_code: Plain = ""
    memo: Plain = ""
    payer_account_masked: Plain = ""
    inquiry_id: uuid.UUID | None = None


class RefusalError(Exception):
    def __init__(self, status: int, code: str, detail: str, retry: str = "never") -> None:
        self.status, self.code, self.detail, self.retry = status, code, detail, retry


class Session(NamedTuple):
    partner: int
    code: str
    limit: int
    scopes: frozenset[str]
    secrets: tuple[bytes, ...]
    expires_at: float


class QuietConnection(asyncpg.Connection):
    """A connection that is not reset each time it goes back: nothing here changes its state."""

    def get_reset_query(self) -> str:
        return ""


@asynccontextmanager
async def lifespan(app: FastAPI):
    app.pool = await asyncpg.create_pool(
        os.environ["DATABASE_URL"],
        min_size=CONNECTIONS,
        max_size=CONNECTIONS,
        connection_class=QuietConnection,
    )
    app.redis = redis.Redis.from_url(os.environ["REDIS_URL"])
    yield
    await app.pool.close()
    await app.redis.aclose()


app = FastAPI(lifespan=lifespan, openapi_url=None)
key = os.environ.get("PAYMENTS_KEY") or os.environ["SECRET_KEY"]
fernet = Fernet(
    base64.urlsafe_b64encode(hashlib.sha256(b"partner-secrets:" + key.encode()).digest())
)
sessions: dict[str, tuple[float, Session]] = {}
shares: dict[str, list[int]] = {}  # name: [window, left]


async def authenticate(request: Request) -> Session:
    match = BEARER.fullmatch(request.headers.get("authorization", ""))
    if match is None:
        raise RefusalError(401, "token-missing", "Send an access token.")
    digest = hashlib.sha256(match[1].encode()).hexdigest()
    cached = sessions.get(digest)
    if cached is None or cached[0] < time.monotonic():
        cached = sessions[digest] = (time.monotonic() + CACHE_SECONDS, await load(digest))
    session = cached[1]
    if session.expires_at <= time.time():
        raise RefusalError(401, "token-invalid", "The access token has ended.")
    return session


async def load(digest: str) -> Session:
    partner = await app.pool.fetchrow(
        "SELECT p.id, p.code, p.requests_per_minute, t.scope, t.expires"
        " FROM oauth2_provider_accesstoken t"
        " JOIN payments_bankpartner p ON p.application_id = t.application_id AND p.is_active"
        " WHERE t.token_checksum = $1",
        digest,
    )
    if partner is None:
        raise RefusalError(401, "token-invalid", "The access token is not known.")
    keys = await app.pool.fetch(
        "SELECT sealed_secret FROM payments_partnerkey WHERE partner_id = $1"
        " AND algorithm = 'hmac-sha256' AND valid_from <= now()"
        " AND (valid_to IS NULL OR valid_to > now()) ORDER BY id",
        partner["id"],
    )
    return Session(
        partner["id"],
        partner["code"],
        partner["requests_per_minute"],
        frozenset(partner["scope"].split()),
        tuple(fernet.decrypt(key["sealed_secret"].encode()) for key in keys),
        partner["expires"].timestamp(),
    )


async def limit(session: Session) -> None:
    window = int(time.time() // 60)
    share = shares.get(session.code)
    if share is None or share[0] != window:
        share = shares[session.code] = [window, 0]
    if not share[1]:
        size = max(1, session.limit // 100)
        name = f"portal:limit:partner:{session.code}:{window}"
        async with app.redis.pipeline(transaction=False) as pipe:
            taken = (await pipe.incrby(name, size).expire(name, 120).execute())[0]
        share[1] += max(0, min(size, session.limit - (taken - size)))
        if not share[1]:
            raise RefusalError(429, "rate-limited", "Too many calls.", "later")
    share[1] -= 1


async def read(request: Request) -> bytes:
    length = request.headers.get("content-length", "0")
    if not length.isdecimal() or int(length) > 16 * 1024:
        raise RefusalError(413, "too-large", "A body may have 16 KiB at most.")
    if request.headers.get("content-type", "").split(";")[0].strip() != "application/json":
        raise RefusalError(415, "not-json", "Send application/json.", "after_fix")
    return await request.body()


def check_signature(request: Request, session: Session, body: bytes) -> None:
    match = TIMED_HMAC.fullmatch(request.headers.get("x-signature", "").replace(" ", ""))
    if match is None:
        raise RefusalError(401, "signature-invalid", "The signature does not fit.", "after_fix")
    signed = match[1].encode() + b"." + body
    offered = [part.removeprefix("v1=").lower() for part in match[2].split(",") if part]
    if not any(
        hmac.compare_digest(expected, signature)
        for secret in session.secrets
        for expected in [hmac.new(secret, signed, hashlib.sha256).hexdigest()]
        for signature in offered
    ):
        raise RefusalError(401, "signature-invalid", "The signature does not fit.", "after_fix")
    if abs(time.time() - int(match[1])) > TOLERANCE_SECONDS:
        raise RefusalError(401, "timestamp-outside-window", "The time is off.", "after_fix")


def request_id(request: Request) -> str:
    offered = request.headers.get("x-request-id", "")
    return offered if REQUEST_ID.fullmatch(offered) else uuid.uuid4().hex


def answer(document: dict, status: int, trace: str, headers: dict[str, str]) -> Response:
    return Response(
        json.dumps(document, ensure_ascii=False, separators=(",", ":")),
        status,
        {"X-Request-ID": trace} | SECURITY | headers,
        "application/json",
    )


def problem(request: Request, error: RefusalError, trace: str) -> Response:
    document = {
        "type": f"/api/docs/#{error.code}",
        "status": error.status,
        "detail": error.detail,
        "instance": request.url.path,
        "trace_id": trace,
    } | {"code": error.code, "retry": error.retry}
    headers = {"X-Request-ID": trace} | SECURITY
    return Response(json.dumps(document), error.status, headers, "application/problem+json")


def uuid7() -> uuid.UUID:
    milliseconds = time.time_ns() // 1_000_000
    value = (milliseconds & (1 << 48) - 1) << 80 | int.from_bytes(os.urandom(10), "big")
    return uuid.UUID(int=value & ~(0xF << 76) & ~(0x3 << 62) | 0x7 << 76 | 0x2 << 62)


def masked(name: str) -> str:
    *others, given = name.split() or [""]
    return " ".join([*(f"{word[0]}**" for word in others), given])


@app.post("/api/payments/v1/inquiries")
async def inquire(request: Request) -> Response:
    trace = request_id(request)
    try:
        return await answer_inquiry(request, trace)
    except RefusalError as error:
        return problem(request, error, trace)


async def answer_inquiry(request: Request, trace: str) -> Response:
    at = datetime.now(UTC)
    session = await authenticate(request)
    await limit(session)
    if "bills:read" not in session.scopes:
        raise RefusalError(403, "scope-missing", "The access token does not allow this call.")
    try:
        asked = InquiryIn.model_validate_json(await read(request))
    except ValidationError:
        raise RefusalError(400, "malformed", "The body is not right.", "after_fix") from None
    code, path = payment_code.normalise(asked.payment_code), request.url.path
    bill = await app.pool.fetchval(
        "SELECT payments_inquire($1)",
        (code, session.partner, at, trace, path, request.client.host),
    )
    return answer(
        {
            "inquiry_id": str(uuid7()),
            "valid_until": (at + timedelta(minutes=15)).isoformat(),
            "nothing_due": False,
            "bills": [owed(bill, asked.amount)],
        },
        200,
        trace,
        {},
    )


def owed(bill: list[str | None] | None, amount: int | None) -> dict:
    if bill is None:
        raise RefusalError(404, "bill-not-found", "No bill has this payment code.")
    code, biller, biller_name, rule, reference, customer, payer, period, due = bill[:9]
    total, paid, status = int(bill[9]), int(bill[10]), bill[11]
    if status in ("paid", "cancelled"):
        raise RefusalError(409, f"bill-{status}", "This bill is not payable.")
    balance = total - paid
    low = 1 if rule in ("at_most", "any") else balance
    high = LARGEST_TRANSFER if rule in ("at_least", "any") else balance
    if amount is not None and not low <= amount <= high:
        raise RefusalError(422, "amount-out-of-rule", "Another amount, please.", "after_fix")
    return {
        "payment_code": code,
        "biller": biller,
        "biller_name": biller_name,
        "reference": reference,
        "customer_code": customer,
        "payer_name_masked": masked(payer),
        "period": period,
        "due_date": due,
        "status": status,
        "amount": total,
        "paid": paid,
        "balance": balance,
        "amount_rule": rule,
        "min_amount": low,
        "max_amount": high,
    }


@app.post("/api/payments/v1/payments")
async def pay(request: Request) -> Response:
    trace = request_id(request)
    try:
        return await answer_payment(request, trace)
    except RefusalError as error:
        return problem(request, error, trace)


async def answer_payment(request: Request, trace: str) -> Response:
    at = datetime.now(UTC)
    session = await authenticate(request)
    await limit(session)
    if "payments:write" not in session.scopes:
        raise RefusalError(403, "scope-missing", "The access token does not allow this call.")
    body = await read(request)
    check_signature(request, session, body)
    key = request.headers.get("idempotency-key", "")
    if not KEY.fullmatch(key):
        raise RefusalError(400, "idempotency-key-missing", "Send Idempotency-Key.", "after_fix")
    try:
        report = PaymentIn.model_validate_json(body)
    except ValidationError:
        raise RefusalError(400, "malformed", "The body is not right.", "after_fix") from None
    channel = report.channel if report.channel in CHANNELS else "other"
    code, memo = report.payment_code[:500], report.memo[:500]
    account = report.payer_account_masked[:40]
    meaning = [
        report.bank_ref,
        report.amount,
        int(report.paid_at.timestamp() * 1_000_000),
        channel,
        code,
        memo,
        account,
        str(report.inquiry_id or ""),
    ]
    fingerprint = hashlib.sha256(json.dumps(meaning).encode()).hexdigest()
    named = payment_code.normalise(code)
    codes = [named] if payment_code.is_valid(named) else payment_code.find_codes(f"{code} {memo}")
    facts = {
        "partner": session.partner, "partner_code": session.code, "key": key,
        "fingerprint": fingerprint, "bank_ref": report.bank_ref, "amount": report.amount,
        "paid_at": report.paid_at, "channel": channel, "memo": memo, "account": account,
        "codes": codes, "id": uuid7(), "token": secrets.token_urlsafe(16), "at": at,
        "request_id": trace, "path": request.url.path, "ip": request.client.host,
        "inquiry": report.inquiry_id,
    }  # fmt: skip
    if BY_STATEMENTS:
        async with app.pool.acquire() as sql:
            booked = await peer_statements.book(sql, facts)
    else:
        booked = await app.pool.fetchval("SELECT payments_book($1)", tuple(facts.values()))
    if booked is None:
        raise RefusalError(422, "idempotency-key-reused", "This key stands for another report.")
    is_replay = booked[0] != str(facts["id"])
    headers = {"Location": f"/api/payments/v1/payments/{booked[0]}"}
    if is_replay:
        headers["Idempotency-Replayed"] = "true"
    return answer(booking(report, booked), 200 if is_replay else 201, trace, headers)


def booking(report: PaymentIn, booked: list[str]) -> dict:
    payment, applied, code, reason, receipt, token, paid_at, booked_at = booked
    return {
        "id": payment,
        "bank_ref": report.bank_ref,
        "status": "booked",
        "amount": report.amount,
        "allocation": {
            "payment_code": code or None,
            "applied": int(applied),
            "unapplied": report.amount - int(applied),
            "unapplied_reason": reason or None,
        },
        "receipt": (
            {"number": receipt, "url": f"{PUBLIC_URL}/bien-lai/{token}/"} if receipt else None
        ),
        "paid_at": moment(paid_at),
        "booked_at": moment(booked_at),
        "reversed_at": None,
    }


def moment(text: str) -> str:
    return datetime.fromisoformat(text).isoformat().replace("+00:00", "Z")
