"""Load for the API benchmark: requests written beforehand, sent by wrk, or by pgbench as bare SQL.

wrk is one light process (about 10 µs a request), so that on two shared cores the servers are
measured and not the client. Requests are signed just before a run: they hold for 300 seconds.
"""

import hashlib
import hmac
import json
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from uuid import uuid4

from bench import api_database
from bench.api_database import BenchBill

HERE = Path(__file__).resolve().parent
CONNECTIONS = 16
PGBENCH_CLIENTS = 8  # as many sessions as each server has
REPEATS = 0.2  # of the reports
INQUIRIES = "/api/payments/v1/inquiries"
PAYMENTS = "/api/payments/v1/payments"
RANDOM = random.Random(7)


class Bank(NamedTuple):
    """What the partner bank of the bench calls with."""

    token: str
    secret: bytes


class Result(NamedTuple):
    """What one run of load came to; times in seconds and milliseconds."""

    requests: int
    seconds: float
    p50: float
    p99: float
    created: int = 0
    repeated: int = 0

    @property
    def rate(self) -> float:
        return self.requests / self.seconds


def need(tool: str, package: str) -> str:
    found = shutil.which(tool)
    if found is None:
        sys.exit(f"bench: {tool} is missing (on Debian: apt-get install {package}).")
    return found


def http(path: str, body: bytes, bank: Bank, *headers: str) -> bytes:
    lines = (
        f"POST {path} HTTP/1.1",
        "Host: 127.0.0.1",
        f"Authorization: Bearer {bank.token}",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
        f"X-Request-ID: {uuid4().hex}",
        *headers,
    )
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def signed(body: bytes, secret: bytes) -> str:
    moment = str(int(time.time()))
    mac = hmac.new(secret, f"{moment}.".encode() + body, hashlib.sha256).hexdigest()
    return f"X-Signature: t={moment},v1={mac}"


def inquiry(bill: BenchBill, bank: Bank) -> bytes:
    return http(INQUIRIES, json.dumps({"payment_code": bill.payment_code}).encode(), bank)


def report(bill: BenchBill, bank: Bank, *, bank_ref: str) -> bytes:
    """Write a signed report; one in ten pays a little less, one in ten a little more."""
    amount = bill.amount + RANDOM.choice([0] * 8 + [-5_000, 5_000])
    body = json.dumps(
        {
            "bank_ref": bank_ref,
            "amount": amount,
            "paid_at": "2026-11-22T12:00:00+07:00",
            "channel": "qr",
            "payment_code": bill.payment_code,
            "memo": f"CT DEN:0123456 {bill.payment_code} thanh toan hoa don",
            "payer_account_masked": "******4321",
            "inquiry_id": str(uuid4()),
        }
    ).encode()
    return http(PAYMENTS, body, bank, signed(body, bank.secret), f"Idempotency-Key: {bank_ref}")


def reports(bills: list[BenchBill], bank: Bank, *, run: str) -> Iterator[bytes]:
    """Write a report for each bill and, in between, again some that were sent before."""
    sent: list[bytes] = []
    for number, bill in enumerate(bills):
        new = report(bill, bank, bank_ref=f"{run}-{number:06d}")
        sent.append(new)
        yield new
        if RANDOM.random() < REPEATS / (1 - REPEATS):
            # Half of the repeats come at once, while the first may still be under way.
            yield new if RANDOM.random() < 0.5 else RANDOM.choice(sent)


def wrk(url: str, requests: list[bytes], *, seconds: int) -> Result:
    """Send the requests in order over CONNECTIONS connections for so many seconds."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(b"\x1e".join(requests))
        file.flush()
        command = [
            need("wrk", "wrk"), "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--timeout", "5s",
            "-s", str(HERE / "api_requests.lua"), url, "--", file.name,
        ]  # fmt: skip
        output = subprocess.run(
            command, check=True, capture_output=True, text=True, timeout=seconds + 30
        ).stdout
    found = json.loads(output.split("SUMMARY ", 1)[1])
    if found["other"] or found["lost"]:
        sys.exit(f"bench: {found['other']} refusals, {found['lost']} lost: {found['first_other']}")
    if found["requests"] >= len(requests) - 1:
        sys.exit("bench: the requests ran out before the time did.")
    return Result(
        found["requests"],
        found["microseconds"] / 1e6,
        found["p50"] / 1000,
        found["p99"] / 1000,
        found["created"],
        found["ok"],
    )


def pgbench(script: str, *, mode: str, seconds: int, **variables: object) -> Result:
    """Run a script of SQL by PGBENCH_CLIENTS; p50 and p99 from its own log of transactions."""
    with tempfile.TemporaryDirectory() as folder:
        command = [
            need("pgbench", "postgresql"), "-n", f"-c{PGBENCH_CLIENTS}", "-j1", f"-T{seconds}",
            "-M", mode, "-l", "--log-prefix", f"{folder}/log", "-f", str(HERE / script),
            *(f"-D{name}={value}" for name, value in variables.items()), api_database.URL,
        ]  # fmt: skip
        output = subprocess.run(
            command, check=True, capture_output=True, text=True, timeout=seconds + 30
        ).stdout
        times = sorted(
            int(line.split()[2])
            for log in Path(folder).iterdir()
            for line in log.read_text().splitlines()
        )
    done = re.search(r"transactions actually processed: (\d+)", output)
    count = int(done[1]) if done else len(times)
    return Result(count, float(seconds), times[count // 2] / 1000, times[int(count * 0.99)] / 1000)
