"""Measure the partner-bank API at a million bills, beside FastAPI + asyncpg and bare SQL.

    python bench/run.py api            5 rounds of 8 s for each way, about 8 minutes
    python bench/run.py api --quick    2 rounds of 3 s

Needs PostgreSQL, Redis, wrk and pgbench. Everything is on as in production: token, rate limit,
signature, log of calls. Before measuring, both servers' answers are compared byte by byte; after
each run of payments the books are checked in SQL. docs/benchmarks.md explains and keeps figures.
"""

import argparse
import base64
import http.client
import json
import os
import statistics
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import NamedTuple
from urllib.parse import urlencode

from bench import api_database, api_load, api_servers
from bench.api_database import rows
from bench.api_load import CONNECTIONS, INQUIRIES, PAYMENTS, PGBENCH_CLIENTS, Bank, Result
from bench.api_servers import Server

MOST_INQUIRIES = 9_000  # a second, more than any way with HTTP reaches here
MOST_REPORTS = 2_500
MOST_BY_PGBENCH = 750  # a second, for each of its clients
NEVER_EQUAL = {"inquiry_id", "valid_until"}  # an id and a clock


class Sample(NamedTuple):
    """One run: what the load saw, and CPU microseconds per request."""

    load: Result
    app_cpu: float
    postgres_cpu: float


class Plan(NamedTuple):
    """How long to measure, in rounds and seconds."""

    rounds: int
    seconds: int
    warm_up: int


def main(arguments: list[str] | None = None) -> None:
    options = argparse.ArgumentParser(prog="run.py api", description=__doc__.splitlines()[0])
    options.add_argument("--quick", action="store_true", help="2 rounds of 3 s")
    options.add_argument("--only", choices=("inquiry", "confirm"), help="one of the two calls")
    options.add_argument("--no-pgbench", action="store_true", help="leave bare SQL out")
    chosen = options.parse_args(arguments)
    plan = Plan(2, 3, 1) if chosen.quick else Plan(5, 8, 2)
    for tool, package in (("wrk", "wrk"), ("pgbench", "postgresql")):
        api_load.need(tool, package)
    per_round = 3 * MOST_REPORTS * (plan.seconds + plan.warm_up)
    per_round += MOST_BY_PGBENCH * PGBENCH_CLIENTS * plan.seconds
    api_database.prepare(unpaid=plan.rounds * per_round)
    api_database.rows("VACUUM ANALYZE")
    with (
        api_servers.running("portal") as portal,
        api_servers.running("fastapi") as fastapi,
        api_servers.running("fastapi, statements") as by_statements,
    ):
        bank = sign_in(portal)
        compare_answers(portal, fastapi, bank)
        compare_answers(portal, by_statements, bank)
        if chosen.only != "confirm":
            ways = {server.name: _inquiries(server, bank, plan) for server in (portal, fastapi)}
            if not chosen.no_pgbench:
                ways |= _bare_sql("pgbench_inquiry.sql", plan)
            report("inquiry", measure(ways, plan))
        if chosen.only != "inquiry":
            servers = (portal, fastapi, by_statements)
            ways = {server.name: _confirms(server, bank, plan) for server in servers}
            if not chosen.no_pgbench:
                ways |= _bare_sql("pgbench_confirm.sql", plan)
            report("confirm", measure(ways, plan))


def sign_in(portal: Server) -> Bank:
    """Get an access token as a bank does."""
    [(client_id, client_secret, hmac_secret)] = rows(
        "SELECT client_id, client_secret, hmac_secret FROM bench_state"
    )
    pair = base64.b64encode(f"{client_id}:{client_secret}".encode()).decode()
    connection = http.client.HTTPConnection("127.0.0.1", portal.port, timeout=10)
    connection.request(
        "POST",
        "/oauth/token",
        urlencode({"grant_type": "client_credentials", "scope": "bills:read payments:write"}),
        {
            "Authorization": f"Basic {pair}",
            "Content-Type": "application/x-www-form-urlencoded",
        },
    )
    answer = json.loads(connection.getresponse().read())
    return Bank(answer["access_token"], hmac_secret.encode())


def compare_answers(portal: Server, fastapi: Server, bank: Bank) -> None:
    """Ask both the same, and each for what the other booked: the bytes must be equal."""
    for bill in api_database.any_bills(50):
        request = api_load.inquiry(bill, bank)
        answers = [_without(_send(server, request), NEVER_EQUAL) for server in (portal, fastapi)]
        _must_be_equal(*answers)
    bills = api_database.take_bills(50)
    for number, bill in enumerate(bills):
        request = api_load.report(bill, bank, bank_ref=f"EQ{time.time_ns()}")
        first, second = (portal, fastapi) if number % 2 else (fastapi, portal)
        _must_be_equal(_send(first, request), _send(second, request))
    print("answers of both servers are equal, byte by byte")


def _send(server: Server, request: bytes) -> bytes:
    head, _, body = request.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    connection.request("POST", first.split()[1], body, dict(line.split(": ", 1) for line in lines))
    response = connection.getresponse()
    content = response.read()
    if response.status >= 300:
        sys.exit(f"bench: {server.name} answered {response.status}: {content.decode()}")
    return content


def _without(content: bytes, names: set[str]) -> bytes:
    document = json.loads(content)
    for name in names:
        content = content.replace(json.dumps(document[name]).encode(), b"-")
    return content


def _must_be_equal(first: bytes, second: bytes) -> None:
    if first != second:
        sys.exit(f"bench: answers differ:\n{first.decode()}\n{second.decode()}")


def _inquiries(server: Server, bank: Bank, plan: Plan) -> Callable[[], Sample]:
    def run() -> Sample:
        def load(seconds: int) -> list[bytes]:
            bills = api_database.any_bills(MOST_INQUIRIES * seconds)
            return [api_load.inquiry(bill, bank) for bill in bills]

        api_load.wrk(server.url + INQUIRIES, load(plan.warm_up), seconds=plan.warm_up)
        return _timed(server, INQUIRIES, load(plan.seconds), plan.seconds)

    return run


def _confirms(server: Server, bank: Bank, plan: Plan) -> Callable[[], Sample]:
    def run() -> Sample:
        name = f"B{time.time_ns() // 1_000_000}"

        def load(seconds: int, run: str) -> list[bytes]:
            bills = api_database.take_bills(MOST_REPORTS * seconds)
            return list(api_load.reports(bills, bank, run=run))

        api_load.wrk(server.url + PAYMENTS, load(plan.warm_up, name + "W"), seconds=plan.warm_up)
        requests = load(plan.seconds, name)
        sample = _timed(server, PAYMENTS, requests, plan.seconds)
        time.sleep(0.5)  # what was under way when wrk hung up
        verify(name, sample.load, requests)
        return sample

    return run


def _timed(server: Server, path: str, requests: list[bytes], seconds: int) -> Sample:
    before = api_servers.cpu(server)
    load = api_load.wrk(server.url + path, requests, seconds=seconds)
    after = api_servers.cpu(server)
    each = 1e6 / load.requests
    return Sample(load, (after.app - before.app) * each, (after.postgres - before.postgres) * each)


def verify(run: str, load: Result, requests: list[bytes]) -> None:
    """Check the books of a run: what was answered is booked once, and every projection is right."""
    marker = f"{run}-".encode()
    # wrk takes the first request to try its script on and does not send it.
    sent = requests[1 : 1 + load.requests + CONNECTIONS]
    unique = len({request.partition(marker)[2][:6] for request in sent})
    [found] = rows(CHECKS, f"{run}-%")
    payments, entries, crooked, drifted, misapplied, gaps = found
    problems = {
        "a reference booked twice, or not at all": payments != entries,
        "bookings without an answer": not load.created <= payments <= load.created + CONNECTIONS,
        "bookings that nobody sent": not unique - 2 * CONNECTIONS <= payments <= unique,
        "entries that do not balance": crooked,
        "bills that say another sum than their postings": drifted,
        "payments whose receipt or unapplied money is not right": misapplied,
        "gaps in receipt numbers": gaps,
    }
    wrong = [name for name, is_so in problems.items() if is_so]
    if wrong:
        sys.exit(f"bench: the books are wrong after {run}: {', '.join(wrong)} {found} {load}")


CHECKS = """
WITH p AS MATERIALIZED (SELECT * FROM payments_payment WHERE bank_ref LIKE %s),
legs AS MATERIALIZED (
  SELECT entry_id, sum(amount) AS total, count(*) AS legs FROM payments_posting
  WHERE entry_id IN (SELECT entry_id FROM p) GROUP BY entry_id
),
posted AS MATERIALIZED (
  SELECT bill_id, -sum(amount) AS total FROM payments_posting
  WHERE bill_id IN (SELECT bill_id FROM p) GROUP BY bill_id
)
SELECT
  (SELECT count(*) FROM p),
  (SELECT count(DISTINCT (e.source, e.external_id)) FROM payments_entry e
    JOIN p ON p.entry_id = e.id),
  (SELECT count(*) FROM p LEFT JOIN legs USING (entry_id)
    WHERE legs.total IS DISTINCT FROM 0 OR legs < 2),
  (SELECT count(*) FROM payments_bill b LEFT JOIN posted ON posted.bill_id = b.id
    WHERE b.id IN (SELECT bill_id FROM p) AND coalesce(posted.total, 0) <> b.paid),
  (SELECT count(*) FROM p LEFT JOIN payments_receipt r USING (entry_id)
    LEFT JOIN payments_unappliedmoney u USING (entry_id)
    WHERE p.applied <> coalesce(r.amount, 0) OR p.amount - p.applied <> coalesce(u.amount, 0)),
  (SELECT count(*) FROM payments_receiptseries s WHERE s.code <> 'payment-code' AND s.last_number <>
    ALL (SELECT unnest(ARRAY[count(*), max(number)]) FROM payments_receipt WHERE series_id = s.id))
"""


def _bare_sql(script: str, plan: Plan) -> dict[str, Callable[[], Sample]]:
    [(partner,)] = rows("SELECT id FROM payments_bankpartner")
    is_confirm = "confirm" in script

    def run(mode: str) -> Sample:
        span = MOST_BY_PGBENCH * plan.seconds
        if is_confirm:
            api_database.take_bills(span * PGBENCH_CLIENTS)
        [(next_bill,)] = rows("SELECT next_bill FROM bench_state")
        load = api_load.pgbench(
            script,
            mode=mode,
            seconds=plan.seconds,
            partner=partner,
            first=next_bill - (span * PGBENCH_CLIENTS if is_confirm else 0),
            last=api_database.BILLS,
            span=span,
            number=0,
            run=time.time_ns() // 1_000_000,
        )
        return Sample(load, float("nan"), float("nan"))

    ways = {"pgbench, prepared": lambda: run("prepared")}
    if not is_confirm:
        ways["pgbench, simple"] = lambda: run("simple")
    return ways


def measure(ways: dict[str, Callable[[], Sample]], plan: Plan) -> dict[str, list[Sample]]:
    """Run all ways in turns, and the other way round in every second round."""
    samples: dict[str, list[Sample]] = {name: [] for name in ways}
    for number in range(plan.rounds):
        turns = list(ways.items())
        for name, run in reversed(turns) if number % 2 else turns:
            samples[name].append(run())
            print(f"  round {number + 1}: {name} {samples[name][-1].load.rate:.0f}/s", flush=True)
    return samples


def report(call: str, samples: dict[str, list[Sample]]) -> None:
    """Print medians over the rounds, with the smallest and the largest rate, as a table."""
    today = datetime.now(UTC).date()
    load = os.getloadavg()[1]
    print(f"\n{call}, {today}, {os.cpu_count()} cores, load average {load:.1f}\n")
    print(f"| {call} | requests/s (min–max) | p50 ms | p99 ms | app CPU µs | PostgreSQL CPU µs |")
    print("|---|---|---|---|---|---|")
    for name, runs in samples.items():
        rates = [run.load.rate for run in runs]
        columns = (
            f"{statistics.median(rates):,.0f} ({min(rates):,.0f}–{max(rates):,.0f})",
            f"{statistics.median(run.load.p50 for run in runs):.1f}",
            f"{statistics.median(run.load.p99 for run in runs):.1f}",
            *(
                "–" if "pgbench" in name else f"{statistics.median(values):.0f}"
                for values in ([run.app_cpu for run in runs], [run.postgres_cpu for run in runs])
            ),
        )
        print(f"| {name} | {' | '.join(columns)} |")
    ours = [run.load.rate for run in samples["portal"]]
    for name, runs in samples.items():
        if name != "portal":
            ratios = [mine / run.load.rate for mine, run in zip(ours, runs, strict=True)]
            print(f"portal / {name}: {statistics.median(ratios):.2f} (median of rounds)")
    print(flush=True)


if __name__ == "__main__":
    main()
