"""Booking a report as a service without a function in the database would: one statement a step.

The steps, locks and rows are those of `payments_book`, so that both peers answer the same bytes and
leave the same books; asyncpg keeps each statement prepared.
"""

from typing import Any
from zoneinfo import ZoneInfo

import asyncpg

LOCAL_TIME = ZoneInfo("Asia/Ho_Chi_Minh")
LOCK = "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))"
BY_KEY = "SELECT * FROM payments_payment WHERE partner_id = $1 AND idempotency_key = $2"
BY_REF = "SELECT * FROM payments_payment WHERE partner_id = $1 AND bank_ref = $2"
TOLD_BEFORE = """
SELECT coalesce(b.payment_code, '') AS payment_code, coalesce(u.amount, 0) AS unapplied,
  coalesce(u.reason, '') AS unapplied_reason, s.code AS series_code, r.number,
  coalesce(r.token, '') AS receipt_token
FROM (SELECT 1) one
LEFT JOIN payments_bill b ON b.id = $1
LEFT JOIN payments_unappliedmoney u ON u.entry_id = $2
LEFT JOIN payments_receipt r ON r.entry_id = $2
LEFT JOIN payments_receiptseries s ON s.id = r.series_id
"""
BILL = """
SELECT b.*, l.code AS biller_code FROM payments_bill b JOIN payments_biller l ON l.id = b.biller_id
WHERE b.payment_code = ANY ($1) ORDER BY array_position($1, b.payment_code::text) LIMIT 1
FOR NO KEY UPDATE OF b
"""
POT = """
INSERT INTO payments_account (code, kind, partner_id, biller_id) VALUES ($1, $2, $3, $4)
ON CONFLICT DO NOTHING RETURNING id
"""
FIND_POT = "SELECT id FROM payments_account WHERE code = $1"
ENTRY = """
INSERT INTO payments_entry (kind, source, external_id, occurred_at, booked_at, reason)
VALUES ('payment', $1, $2, $3, $4, '') RETURNING id
"""
PAYMENT = """
INSERT INTO payments_payment (id, partner_id, idempotency_key, fingerprint, bank_ref, entry_id,
  bill_id, inquiry_id, memo, channel, payer_account_masked, amount, applied, paid_at, booked_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
"""
POSTING = """
INSERT INTO payments_posting (entry_id, account_id, amount, bill_id, unapplied_id)
VALUES ($1, $2, $3, $4, $5)
"""
SETTLE = """
UPDATE payments_bill SET paid = $2, status = $3, settled_at = $4, updated_at = $5 WHERE id = $1
"""
PARK = """
INSERT INTO payments_unappliedmoney
  (entry_id, bill_id, reason, amount, remaining, created_at, updated_at)
VALUES ($1, $2, $3, $4, $4, $5, $5) RETURNING id
"""
NUMBER = """
INSERT INTO payments_receiptseries AS s (code, last_number) VALUES ($1, 1)
ON CONFLICT (code) DO UPDATE SET last_number = s.last_number + 1 RETURNING id, last_number
"""
RECEIPT = """
INSERT INTO payments_receipt
  (series_id, number, entry_id, bill_id, amount, payer_name, token, issued_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
"""
LOG = """
INSERT INTO payments_apicall
  (at, partner_id, request_id, method, path, subject, status, code, ip)
VALUES ($1, $2, $3, 'POST', $4, left($5, 80), $6, $7, $8)
"""


async def book(sql: asyncpg.Connection, report: dict[str, Any]) -> tuple[Any, ...] | None:
    """Book a report in one transaction; the answer is that of `payments_book`."""
    async with sql.transaction():
        for lock in (
            f"key:{report['partner']}:{report['key']}",
            f"ref:{report['partner']}:{report['bank_ref']}",
        ):
            await sql.execute(LOCK, lock)
        known = await sql.fetchrow(BY_KEY, report["partner"], report["key"])
        known = known or await sql.fetchrow(BY_REF, report["partner"], report["bank_ref"])
        if known is None:
            return await _book_new(sql, report)
        if known["fingerprint"] != report["fingerprint"]:
            return None
        told = await sql.fetchrow(TOLD_BEFORE, known["bill_id"], known["entry_id"])
        await _log(sql, report, 200, "replayed")
    number = _receipt_number(told["series_code"], told["number"]) if told["number"] else ""
    return (
        str(known["id"]), known["applied"], told["payment_code"], told["unapplied_reason"], number,
        told["receipt_token"], known["paid_at"].isoformat(), known["booked_at"].isoformat(),
    )  # fmt: skip


async def _book_new(sql: asyncpg.Connection, report: dict[str, Any]) -> tuple[Any, ...]:
    at, amount, partner = report["at"], report["amount"], report["partner"]
    bill = await sql.fetchrow(BILL, report["codes"]) if report["codes"] else None
    applied, reason = _split(bill, amount, has_code=bool(report["codes"]))
    source = f"bank:{report['partner_code']}"
    bank = await _pot(sql, source, "bank", partner, None)
    entry = await sql.fetchval(ENTRY, source, report["bank_ref"], report["paid_at"], at)
    bill_id = bill and bill["id"]
    await sql.execute(
        PAYMENT, report["id"], partner, report["key"], report["fingerprint"], report["bank_ref"],
        entry, bill_id, report["inquiry"], report["memo"], report["channel"], report["account"],
        amount, applied, report["paid_at"], at,
    )  # fmt: skip
    await sql.execute(POSTING, entry, bank, amount, None, None)
    if applied:
        biller = await _pot(sql, f"biller:{bill['biller_code']}", "biller", None, bill["biller_id"])
        await sql.execute(POSTING, entry, biller, -applied, bill_id, None)
        paid = bill["paid"] + applied
        is_whole = paid == bill["amount"]
        status = "paid" if is_whole else "part_paid"
        await sql.execute(SETTLE, bill_id, paid, status, at if is_whole else None, at)
    if amount > applied:
        pot = await _pot(sql, "unapplied", "unapplied", None, None)
        parked = await sql.fetchval(PARK, entry, bill_id, reason, amount - applied, at)
        await sql.execute(POSTING, entry, pot, applied - amount, None, parked)
    await _log(sql, report, 201, "booked")
    number = ""
    if applied:
        # The series row is locked until commit, so it is taken last.
        code = f"{at.astimezone(LOCAL_TIME):%Y}-{bill['biller_code']}"
        series = await sql.fetchrow(NUMBER, code)
        number = _receipt_number(code, series["last_number"])
        await sql.execute(
            RECEIPT, series["id"], series["last_number"], entry, bill_id, applied,
            bill["payer_name"], report["token"], at,
        )  # fmt: skip
    return (
        str(report["id"]), applied, bill["payment_code"] if bill else "",
        reason if amount > applied else "", number, report["token"] if applied else "",
        report["paid_at"].astimezone(at.tzinfo).isoformat(), at.isoformat(),
    )  # fmt: skip


def _split(bill: asyncpg.Record | None, amount: int, *, has_code: bool) -> tuple[int, str]:
    if bill is None:
        return 0, "unknown_bill" if has_code else "no_code"
    if bill["status"] == "cancelled":
        return 0, "bill_cancelled"
    if bill["status"] == "paid":
        return 0, "already_paid"
    return min(amount, bill["amount"] - bill["paid"]), "excess"


async def _pot(
    sql: asyncpg.Connection, code: str, kind: str, partner: int | None, biller: int | None
) -> int:
    pot = await sql.fetchval(FIND_POT, code)
    if pot is None:
        pot = await sql.fetchval(POT, code, kind, partner, biller)
    return pot or await sql.fetchval(FIND_POT, code)


async def _log(sql: asyncpg.Connection, report: dict[str, Any], status: int, code: str) -> None:
    await sql.execute(
        LOG, report["at"], report["partner"], report["request_id"], report["path"],
        report["bank_ref"], status, code, report["ip"],
    )  # fmt: skip


def _receipt_number(code: str, number: int) -> str:
    return f"{code}-{number:06d}"
