"""Real processes: fifty reports over real connections, a server killed at the worst moment."""

import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection

from payments import books
from payments.models import Bill, Entry, Payment, Receipt
from tests.payments.bank import API, Bank
from tests.payments.factories import make_bill

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.slow,  # each test starts a web server of its own
    pytest.mark.skipif(
        "__import__('django.db').db.connection.vendor != 'postgresql'",
        reason="several processes need PostgreSQL",
    ),
]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def web_server(**environment):
    """Run the portal in a process group of its own, on the test's database; yields its port."""
    port = free_port()
    command = [
        Path(sys.executable).with_name("granian"),
        *("--interface", "wsgi", "--host", "127.0.0.1", "--port", str(port)),
        *(
            "--workers",
            "2",
            "--blocking-threads",
            "8",
            "--no-ws",
            "commune_portal.wsgi:application",
        ),
    ]
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            command,
            env=os.environ | {"DATABASE_URL": database_url()} | environment,
            cwd=settings.BASE_DIR,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            wait_until_it_answers(port, log)
            yield port
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait(timeout=10)


def database_url() -> str:
    """The address of this test's own database, for another process."""
    return "postgres://{USER}@{HOST}:{PORT}/{NAME}".format(**connection.settings_dict)


def wait_until_it_answers(port: int, log) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError):
            link = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            with contextlib.closing(link):
                link.request("GET", "/healthz")
                if link.getresponse().status == 200:
                    return
    log.seek(0)
    raise AssertionError(f"the server did not come up: {log.read().decode()[-2000:]}")


def report(port: int, bank: Bank, body: bytes, key: str) -> tuple[int, bytes]:
    link = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    headers = {
        "Authorization": f"Bearer {bank.token}",
        "Content-Type": "application/json",
        "Idempotency-Key": key,
        "X-Signature": bank.signature(body),
    }
    try:
        link.request("POST", API + "payments", body, headers)
        answer = link.getresponse()
        return answer.status, answer.read()
    finally:
        link.close()


def payment_body(bill: Bill) -> bytes:
    return json.dumps(
        {
            "bank_ref": "FT-HTTP",
            "amount": bill.amount,
            "paid_at": "2026-11-22T12:00:00+07:00",
            "payment_code": bill.payment_code,
        }
    ).encode()


def test_fifty_reports_at_once_over_http_are_one_booking_and_fifty_equal_answers():
    bank, bill = Bank(), make_bill()
    body = payment_body(bill)

    with web_server() as port, ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(lambda _: report(port, bank, body, "k1"), range(50)))

    assert sorted(status for status, _ in answers) == [200] * 49 + [201]
    assert len({content for _, content in answers}) == 1
    assert (Entry.objects.count(), Payment.objects.count(), Receipt.objects.count()) == (1, 1, 1)
    assert books.discrepancies() == []


DIES_AFTER_COMMIT = """
import os, signal
import django; django.setup()
from payments.api import answers
def die(booking, **kwargs):
    os.kill(os.getpid(), signal.SIGKILL)
answers.booking = die
from commune_portal.wsgi import application
from wsgiref.simple_server import make_server
import sys
make_server("127.0.0.1", int(sys.argv[1]), application).serve_forever()
"""


def test_a_server_killed_between_commit_and_answer_gives_the_first_answer_to_the_retry(tmp_path):
    bank, bill = Bank(), make_bill()
    body = payment_body(bill)
    Path(tmp_path, "dying.py").write_text(DIES_AFTER_COMMIT)
    port = free_port()
    with Path(tmp_path, "server.log").open("w+b") as log:
        dying = subprocess.Popen(
            [sys.executable, str(tmp_path / "dying.py"), str(port)],
            env=os.environ | {"DATABASE_URL": database_url(), "PYTHONPATH": str(settings.BASE_DIR)},
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        wait_until_it_answers(port, log)

        with pytest.raises((http.client.HTTPException, ConnectionError)):
            report(port, bank, body, "k1")
        assert dying.wait(timeout=10) == -signal.SIGKILL
    booked = Payment.objects.get()
    with web_server() as port:
        status, content = report(port, bank, body, "k1")

    assert status == 200
    assert json.loads(content)["id"] == str(booked.pk)
    assert json.loads(content)["receipt"]["number"] == f"2026-{bill.biller.code}-000001"
    assert Entry.objects.count() == 1
    assert books.discrepancies() == []


def test_a_database_that_went_away_and_came_back_costs_a_partner_one_retry_at_most():
    bank, bill = Bank(), make_bill()
    body = payment_body(bill)

    with web_server() as port:
        for _ in range(20):
            assert report(port, bank, body, "k1")[0] in {200, 201}
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        after = [report(port, bank, body, "k1")[0] for _ in range(40)]

    assert set(after) <= {200, 503}
    assert after[-1] == 200
    assert Entry.objects.count() == 1
