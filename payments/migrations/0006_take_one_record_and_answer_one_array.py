"""Booking and inquiry as calls of one record, answered by one array of texts.

psycopg2 sends values as text within the statement. Eighteen of them cost it, and PostgreSQL that
parses them one by one, as much as a tenth of the call; one record is read in one go, needs no
PREPARE. The steps are those of migrations 0003 to 0005, whose functions stay beside these (they take
other arguments) for the processes that still run while a server is brought up to date.
"""

from django.db import migrations

BOOK = """
CREATE TYPE payments_report AS (
  partner bigint, partner_code text, key text, fingerprint text, bank_ref text,
  amount bigint, paid_at timestamptz, channel text, memo text, account text,
  codes text[], id uuid, token text, at timestamptz,
  request_id text, path text, ip inet, inquiry uuid
);

-- Answers id, applied, payment code, reason, receipt's number and token, paid_at and booked_at of
-- the payment that stands for this report; NULL when its key or reference stands for another one.
CREATE FUNCTION payments_book(report payments_report) RETURNS text[] LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
  known payments_payment%ROWTYPE;
  bill payments_bill%ROWTYPE;
  source text := 'bank:' || report.partner_code;
  biller_code text;
  entry bigint;
  parked bigint;
  series bigint;
  number integer;
  receipt text := '';
  apply bigint := 0;
  reason text := 'no_code';
  bank_pot bigint;
  biller_pot bigint;
  unapplied_pot bigint;
BEGIN
  -- Repeats of a key or of a bank reference wait here for the first one to commit.
  PERFORM
    pg_advisory_xact_lock(hashtextextended('key:' || report.partner || ':' || report.key, 0)),
    pg_advisory_xact_lock(hashtextextended('ref:' || report.partner || ':' || report.bank_ref, 0));

  SELECT * INTO known FROM (
    SELECT * FROM payments_payment p
      WHERE p.partner_id = report.partner AND p.idempotency_key = report.key
    UNION ALL
    SELECT * FROM payments_payment p
      WHERE p.partner_id = report.partner AND p.bank_ref = report.bank_ref
  ) either LIMIT 1;
  IF known.id IS NOT NULL THEN
    IF known.fingerprint <> report.fingerprint THEN
      RETURN NULL;
    END IF;
    IF report.request_id <> '' THEN
      INSERT INTO payments_apicall
        (at, partner_id, request_id, method, path, subject, status, code, ip)
        VALUES (report.at, report.partner, report.request_id, 'POST', report.path,
                left(report.bank_ref, 80), 200, 'replayed', report.ip);
    END IF;
    RETURN (
      SELECT ARRAY[
          known.id, known.applied, coalesce(b.payment_code, ''), coalesce(u.reason, ''),
          coalesce(s.code || '-' || lpad(r.number::text, greatest(6, length(r.number::text)), '0'), ''),
          coalesce(r.token, ''), known.paid_at, known.booked_at
        ]::text[]
        FROM (SELECT 1) one
        LEFT JOIN payments_bill b ON b.id = known.bill_id
        LEFT JOIN payments_unappliedmoney u ON u.entry_id = known.entry_id
        LEFT JOIN payments_receipt r ON r.entry_id = known.entry_id
        LEFT JOIN payments_receiptseries s ON s.id = r.series_id
    );
  END IF;

  IF cardinality(report.codes) > 0 THEN
    SELECT * INTO bill FROM payments_bill b WHERE b.payment_code = ANY (report.codes)
      ORDER BY array_position(report.codes, b.payment_code::text) LIMIT 1 FOR NO KEY UPDATE;
    IF bill.id IS NULL THEN reason := 'unknown_bill';
    ELSIF bill.status = 'cancelled' THEN reason := 'bill_cancelled';
    ELSIF bill.status = 'paid' THEN reason := 'already_paid';
    ELSE
      apply := least(report.amount, bill.amount - bill.paid);
      reason := 'excess';
    END IF;
  END IF;
  IF report.amount = apply THEN reason := ''; END IF;

  -- An account's code and its owner are both unique: whoever comes second uses that of the first.
  SELECT a.id INTO bank_pot FROM payments_account a WHERE a.code = source;
  IF bank_pot IS NULL THEN
    INSERT INTO payments_account (code, kind, partner_id) VALUES (source, 'bank', report.partner)
      ON CONFLICT DO NOTHING;
    SELECT a.id INTO bank_pot FROM payments_account a WHERE a.code = source;
  END IF;

  INSERT INTO payments_entry (kind, source, external_id, occurred_at, booked_at, reason)
    VALUES ('payment', source, report.bank_ref, report.paid_at, report.at, '')
    RETURNING id INTO entry;
  INSERT INTO payments_payment
    (id, partner_id, idempotency_key, fingerprint, bank_ref, entry_id, bill_id, inquiry_id, memo,
     channel, payer_account_masked, amount, applied, paid_at, booked_at)
    VALUES (report.id, report.partner, report.key, report.fingerprint, report.bank_ref, entry,
            bill.id, report.inquiry, report.memo, report.channel, report.account, report.amount,
            apply, report.paid_at, report.at);
  INSERT INTO payments_posting (entry_id, account_id, amount)
    VALUES (entry, bank_pot, report.amount);

  IF apply > 0 THEN
    SELECT a.id, b.code INTO biller_pot, biller_code FROM payments_biller b
      LEFT JOIN payments_account a ON a.biller_id = b.id WHERE b.id = bill.biller_id;
    IF biller_pot IS NULL THEN
      INSERT INTO payments_account (code, kind, biller_id)
        VALUES ('biller:' || biller_code, 'biller', bill.biller_id) ON CONFLICT DO NOTHING;
      SELECT a.id INTO biller_pot FROM payments_account a WHERE a.code = 'biller:' || biller_code;
    END IF;
    INSERT INTO payments_posting (entry_id, account_id, amount, bill_id)
      VALUES (entry, biller_pot, -apply, bill.id);
    UPDATE payments_bill b SET
      paid = b.paid + apply,
      status = CASE WHEN b.paid + apply = b.amount THEN 'paid' ELSE 'part_paid' END,
      settled_at = CASE WHEN b.paid + apply = b.amount THEN report.at END,
      updated_at = report.at
      WHERE b.id = bill.id;
  END IF;

  IF report.amount > apply THEN
    SELECT a.id INTO unapplied_pot FROM payments_account a WHERE a.code = 'unapplied';
    IF unapplied_pot IS NULL THEN
      INSERT INTO payments_account (code, kind) VALUES ('unapplied', 'unapplied')
        ON CONFLICT DO NOTHING;
      SELECT a.id INTO unapplied_pot FROM payments_account a WHERE a.code = 'unapplied';
    END IF;
    INSERT INTO payments_unappliedmoney
      (entry_id, bill_id, reason, amount, remaining, created_at, updated_at)
      VALUES (entry, bill.id, reason, report.amount - apply, report.amount - apply,
              report.at, report.at)
      RETURNING id INTO parked;
    INSERT INTO payments_posting (entry_id, account_id, amount, unapplied_id)
      VALUES (entry, unapplied_pot, apply - report.amount, parked);
  END IF;

  IF report.request_id <> '' THEN
    INSERT INTO payments_apicall
      (at, partner_id, request_id, method, path, subject, status, code, ip)
      VALUES (report.at, report.partner, report.request_id, 'POST', report.path,
              left(report.bank_ref, 80), 201, 'booked', report.ip);
  END IF;

  IF apply > 0 THEN
    -- The series row is locked until commit, so it is taken last.
    receipt := to_char(report.at AT TIME ZONE 'Asia/Ho_Chi_Minh', 'YYYY') || '-' || biller_code;
    INSERT INTO payments_receiptseries AS rs (code, last_number) VALUES (receipt, 1)
      ON CONFLICT (code) DO UPDATE SET last_number = rs.last_number + 1
      RETURNING rs.id, rs.last_number INTO series, number;
    receipt := receipt || '-' || lpad(number::text, greatest(6, length(number::text)), '0');
    INSERT INTO payments_receipt
      (series_id, number, entry_id, bill_id, amount, payer_name, token, issued_at)
      VALUES (series, number, entry, bill.id, apply, bill.payer_name, report.token, report.at);
  END IF;

  RETURN ARRAY[
    report.id, apply, coalesce(bill.payment_code, ''), reason, receipt,
    CASE WHEN apply > 0 THEN report.token ELSE '' END, report.paid_at, report.at
  ]::text[];
END $$;
"""

INQUIRE = """
CREATE TYPE payments_question AS (
  code text, partner bigint, at timestamptz, request_id text, path text, ip inet
);

-- Answers the bill as payments.services.inquiries.OwedBill reads it; NULL when there is none.
CREATE FUNCTION payments_inquire(question payments_question) RETURNS text[] LANGUAGE plpgsql AS $$
DECLARE
  answer text[];
  state text;
BEGIN
  SELECT b.status,
         ARRAY[b.payment_code, r.code, r.name, r.amount_rule, b.reference, b.customer_code,
               b.payer_name, b.period, b.due_date, b.amount, b.paid, b.status]::text[]
    INTO state, answer
    FROM payments_bill b JOIN payments_biller r ON r.id = b.biller_id
    WHERE b.payment_code = question.code;
  IF question.request_id <> '' THEN
    -- Nothing but the log is written: it may lag the disk by a moment, money never does.
    SET LOCAL synchronous_commit = off;
    INSERT INTO payments_apicall
      (at, partner_id, request_id, method, path, subject, status, code, ip)
      VALUES (question.at, question.partner, question.request_id, 'POST', question.path,
              left(question.code, 80),
              CASE WHEN state IS NULL THEN 404
                   WHEN state IN ('paid', 'cancelled') THEN 409 ELSE 200 END,
              CASE WHEN state IS NULL THEN 'bill-not-found'
                   WHEN state = 'paid' THEN 'bill-already-paid'
                   WHEN state = 'cancelled' THEN 'bill-cancelled' ELSE 'answered' END,
              question.ip);
  END IF;
  RETURN answer;
END $$;
"""

DROP_NEW = """
DROP FUNCTION payments_book(payments_report);
DROP FUNCTION payments_inquire(payments_question);
DROP TYPE payments_report;
DROP TYPE payments_question;
"""


def install(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(BOOK + INQUIRE, params=None)


def restore(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(DROP_NEW, params=None)


class Migration(migrations.Migration):
    dependencies = [("payments", "0005_open_accounts_side_by_side")]

    operations = [migrations.RunPython(install, restore)]
