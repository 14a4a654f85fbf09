"""The database of the API benchmark: portal_bench, a commune's tables with 1,000,000 bills.

It is built once (about two minutes) and kept; it is built anew when payments' migrations change
or when fewer unpaid bills are left than a run needs.
"""

import hashlib
import io
import os
import subprocess
import sys
from datetime import UTC, date, datetime
from pathlib import Path
from typing import NamedTuple

import psycopg2

from payments.payment_code import new_code

ROOT = Path(__file__).resolve().parent.parent
NAME = "portal_bench"
SERVER = os.environ.get("BENCH_POSTGRES", "postgres://postgres@127.0.0.1:5432")
URL = f"{SERVER}/{NAME}"
REDIS_URL = os.environ.get("BENCH_REDIS", "redis://127.0.0.1:6379/9")
BILLS = 1_000_000
PAID_BEFORE = 20_000
HOUSEHOLDS = 10_000
VILLAGES = 40
PARTNER = "agribank"
# Wide enough for a bench; a block is a hundredth of it, so that Redis is asked now and then.
REQUESTS_PER_MINUTE = 600_000
NOON = datetime(2026, 11, 22, 5, 0, tzinfo=UTC)
NAMES = ("Lê Thị Hoa", "Nguyễn Văn Đức", "Trịnh Thị Ngọc Ánh", "Phạm Quốc Khánh", "Hoàng Thị Thuỷ")
SERVICES = (
    "electricity", "water", "tuition", "hospital", "telephone", "sanitation", "administrative_fee",
)  # fmt: skip


class BenchBill(NamedTuple):
    """What a bank knows of a bill: its code and what is owed, in đồng."""

    payment_code: str
    amount: int


def portal_environment() -> dict[str, str]:
    """Give the environment of a production start, pointed at the bench's services."""
    chosen = {
        "DJANGO_SETTINGS_MODULE": "commune_portal.settings",
        "SECRET_KEY": "only-for-the-benchmark-" + "x" * 40,
        "DATABASE_URL": URL,
        "REDIS_URL": REDIS_URL,
        "PUBLIC_URL": "https://portal.example",
        "ALLOWED_HOSTS": "127.0.0.1,localhost",
        "DEBUG": "false",
        "DEMO": "false",
        "LOG_JSON": "true",
        "LOG_LEVEL": "INFO",
        "VAR_DIR": os.environ.get("VAR_DIR", str(ROOT / "var" / "bench")),
        "STATIC_MANIFEST": "false",
        "PYTHONPATH": str(ROOT),
    }
    Path(chosen["VAR_DIR"], "static").mkdir(parents=True, exist_ok=True)
    return os.environ | chosen


def connect(name: str = NAME):
    connection = psycopg2.connect(f"{SERVER}/{name}")
    connection.autocommit = True
    return connection


def rows(sql: str, *values) -> list[tuple]:
    connection = connect()
    try:
        with connection.cursor() as cursor:
            cursor.execute(sql, values)
            return cursor.fetchall() if cursor.description else []
    finally:
        connection.close()


def prepare(*, unpaid: int) -> None:
    """Make sure that the database stands and that at least `unpaid` bills of it are unpaid."""
    if _is_usable(unpaid):
        return
    print(f"building {NAME} with {BILLS:,} bills, once …", flush=True)
    connection = connect("postgres")
    with connection.cursor() as cursor:
        cursor.execute(f"DROP DATABASE IF EXISTS {NAME} WITH (FORCE)")
        cursor.execute(f"CREATE DATABASE {NAME}")
    connection.close()
    environment = portal_environment()
    for step in (
        [sys.executable, "manage.py", "migrate", "--verbosity", "0"],
        [sys.executable, "-m", "bench.api_database"],
    ):
        subprocess.run(step, cwd=ROOT, env=environment, check=True)


def take_bills(count: int) -> list[BenchBill]:
    """Take unpaid bills that no run has had before."""
    [(last,)] = rows("UPDATE bench_state SET next_bill = next_bill + %s RETURNING next_bill", count)
    found = rows(
        "SELECT payment_code, amount FROM payments_bill WHERE id >= %s AND id < %s",
        last - count,
        last,
    )
    return [BenchBill(*row) for row in found]


def any_bills(count: int) -> list[BenchBill]:
    """Find unpaid bills anywhere in the table."""
    [(first,)] = rows("SELECT next_bill FROM bench_state")
    found = rows(
        "SELECT b.payment_code, b.amount FROM ("
        " SELECT %s + floor(random() * (%s - %s))::bigint AS id FROM generate_series(1, %s)"
        ") wanted JOIN payments_bill b USING (id)",
        first,
        BILLS,
        first,
        count,
    )
    return [BenchBill(*row) for row in found]


def _fingerprint() -> str:
    migrations = sorted((ROOT / "payments" / "migrations").glob("0*.py"))
    return hashlib.sha256(b"".join(path.read_bytes() for path in migrations)).hexdigest()


def _is_usable(unpaid: int) -> bool:
    try:
        [(fingerprint, next_bill)] = rows("SELECT fingerprint, next_bill FROM bench_state")
    except (psycopg2.errors.UndefinedTable, psycopg2.OperationalError, ValueError):
        return False
    return fingerprint == _fingerprint() and next_bill + unpaid < BILLS


def _fill() -> None:
    import django  # noqa: PLC0415  # only the process that fills needs Django

    django.setup()
    from django.db import connection  # noqa: PLC0415

    from payments.services import partners  # noqa: PLC0415

    made = partners.create_partner(code=PARTNER, name="Agribank", at=datetime.now(UTC))
    billers, households = _make_places()
    with connection.cursor() as cursor:
        # The copied rows are right by making: no check of foreign keys row by row.
        cursor.execute("SET statement_timeout = 0; SET session_replication_role = replica")
        cursor.execute(
            "UPDATE payments_bankpartner SET requests_per_minute = %s", [REQUESTS_PER_MINUTE]
        )
        cursor.copy_expert(
            "COPY payments_bill (id, created_at, updated_at, biller_id, reference, payment_code,"
            " customer_code, household_id, payer_name, period, amount, paid, due_date, status,"
            " cancel_reason) FROM STDIN",
            _bill_lines(billers, households),
        )
        cursor.execute("SELECT setval(pg_get_serial_sequence('payments_bill', 'id'), %s)", [BILLS])
        cursor.execute(
            "CREATE TABLE bench_state (fingerprint text, next_bill bigint,"
            " client_id text, client_secret text, hmac_secret text)"
        )
        cursor.execute(
            "INSERT INTO bench_state VALUES (%s, 1, %s, %s, %s)",
            [_fingerprint(), made.client_id, made.client_secret, made.hmac_secret],
        )
        cursor.execute("VACUUM ANALYZE")
        _book_some(cursor)


def _book_some(cursor) -> None:
    """Pay the first bills: plans made for an empty ledger would be those of no real one."""
    for first in range(1, PAID_BEFORE, 1_000):
        cursor.execute(
            "DO $$ DECLARE b record; BEGIN"
            " SET synchronous_commit = off;"
            f" FOR b IN SELECT id, payment_code, amount FROM payments_bill WHERE id >= {first}"
            f" AND id < {first + 1_000} LOOP"
            " PERFORM payments_book(ROW("
            " (SELECT id FROM payments_bankpartner), %s, 'before' || b.id, repeat('0', 64),"
            " 'before' || b.id, b.amount, now(), 'qr', '', '',"
            " ARRAY[b.payment_code::text], gen_random_uuid(), md5(b.id::text), now(), 'before',"
            " '/', NULL, NULL)::payments_report); COMMIT; END LOOP; END $$",
            [PARTNER],
        )
        cursor.execute("ANALYZE")  # PL/pgSQL plans anew
    cursor.execute("UPDATE bench_state SET next_bill = %s", [PAID_BEFORE + 1])


def _make_places() -> tuple[list[int], list[int]]:
    from addresses.models import Commune, Village  # noqa: PLC0415
    from payments.models import Bank, Biller  # noqa: PLC0415
    from residents.models import Household  # noqa: PLC0415

    commune = Commune.objects.create(code="bench", name="Bench", province="Thanh Hoá")
    villages = [
        Village.objects.create(commune=commune, code=f"V{number}", name=f"Thôn {number}")
        for number in range(VILLAGES)
    ]
    households = Household.objects.bulk_create(
        Household(
            village=villages[number % VILLAGES],
            code=f"H{number:05d}",
            representative=NAMES[number % len(NAMES)],
        )
        for number in range(HOUSEHOLDS)
    )
    bank = Bank.objects.get_or_create(
        bin="970405",
        defaults={"short_name": "Agribank", "source": "bench", "as_of": date(2026, 11, 1)},
    )[0]
    billers = [
        Biller.objects.create(
            code=f"bench-{service}"[:20],
            name=f"Bench {service}",
            service=service,
            bank=bank,
            account_number="3512201000123",
            account_name="BENCH",
        )
        for service in SERVICES
    ]
    return [biller.pk for biller in billers], [household.pk for household in households]


def _bill_lines(billers: list[int], households: list[int]) -> io.StringIO:
    lines = (
        f"{number}\t{NOON}\t{NOON}\t{billers[number % len(billers)]}\tHD{number:08d}"
        f"\t{new_code(number)}\tPD{number % HOUSEHOLDS:06d}\t{households[number % HOUSEHOLDS]}"
        f"\t{NAMES[number % len(NAMES)]}\t{number % 12 + 1:02d}/2026"
        f"\t{(number * 7919 % 2990 + 10) * 1000}\t0\t2026-12-{number % 28 + 1:02d}\topen\t\n"
        for number in range(1, BILLS + 1)
    )
    return io.StringIO("".join(lines))


if __name__ == "__main__":
    _fill()
