"""Booking a bank's report as one statement; the steps are those of payments.services.booking."""

from django.db import migrations

BOOK = """
CREATE FUNCTION payments_book(
  p_partner bigint, p_partner_code text, p_key text, p_fingerprint text, p_bank_ref text,
  p_amount bigint, p_paid_at timestamptz, p_channel text, p_memo text, p_account text,
  p_codes text[], p_id uuid, p_token text, p_at timestamptz,
  p_request_id text, p_path text, p_ip inet, p_inquiry uuid
) RETURNS TABLE (
  payment_id uuid, bank_ref text, amount bigint, applied bigint, payment_code text,
  unapplied bigint, unapplied_reason text, receipt_number text, receipt_token text,
  paid_at timestamptz, booked_at timestamptz, is_replay boolean, fingerprint text
) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
  known payments_payment%ROWTYPE;
  bill payments_bill%ROWTYPE;
  biller_code text;
  entry bigint;
  parked bigint;
  series bigint;
  series_code text;
  number integer;
  apply bigint := 0;
  reason text := 'no_code';
  bank_pot bigint;
  biller_pot bigint;
  unapplied_pot bigint;
BEGIN
  -- Repeats of a key or of a bank reference wait here for the first one to commit.
  PERFORM pg_advisory_xact_lock(hashtextextended('key:' || p_partner || ':' || p_key, 0));
  PERFORM pg_advisory_xact_lock(hashtextextended('ref:' || p_partner || ':' || p_bank_ref, 0));

  SELECT * INTO known FROM payments_payment p WHERE p.partner_id = p_partner AND p.idempotency_key = p_key;
  IF NOT FOUND THEN
    SELECT * INTO known FROM payments_payment p WHERE p.partner_id = p_partner AND p.bank_ref = p_bank_ref;
  END IF;
  IF known.id IS NOT NULL THEN
    IF p_request_id <> '' AND known.fingerprint = p_fingerprint THEN
      INSERT INTO payments_apicall (at, partner_id, request_id, method, path, subject, status, code, ip)
      VALUES (p_at, p_partner, p_request_id, 'POST', p_path, left(p_bank_ref, 80), 200, 'replayed', p_ip);
    END IF;
    RETURN QUERY
      SELECT known.id, known.bank_ref::text, known.amount, known.applied, coalesce(b.payment_code, '')::text,
             coalesce(u.amount, 0)::bigint, coalesce(u.reason, '')::text,
             coalesce(s.code || '-' || lpad(r.number::text, greatest(6, length(r.number::text)), '0'), '')::text, coalesce(r.token, '')::text,
             known.paid_at, known.booked_at, true, known.fingerprint::text
        FROM (SELECT 1) one
        LEFT JOIN payments_bill b ON b.id = known.bill_id
        LEFT JOIN payments_unappliedmoney u ON u.entry_id = known.entry_id
        LEFT JOIN payments_receipt r ON r.entry_id = known.entry_id
        LEFT JOIN payments_receiptseries s ON s.id = r.series_id;
    RETURN;
  END IF;

  IF cardinality(p_codes) > 0 THEN
    SELECT * INTO bill FROM payments_bill b WHERE b.payment_code = ANY (p_codes)
      ORDER BY array_position(p_codes, b.payment_code::text) LIMIT 1 FOR NO KEY UPDATE;
    IF bill.id IS NULL THEN reason := 'unknown_bill';
    ELSIF bill.status = 'cancelled' THEN reason := 'bill_cancelled';
    ELSIF bill.status = 'paid' THEN reason := 'already_paid';
    ELSE
      apply := least(p_amount, bill.amount - bill.paid);
      reason := 'excess';
    END IF;
  END IF;

  SELECT a.id INTO bank_pot FROM payments_account a WHERE a.code = 'bank:' || p_partner_code;
  IF bank_pot IS NULL THEN
    INSERT INTO payments_account (code, kind, partner_id) VALUES ('bank:' || p_partner_code, 'bank', p_partner)
      ON CONFLICT (code) DO UPDATE SET kind = 'bank' RETURNING id INTO bank_pot;
  END IF;

  INSERT INTO payments_entry (kind, source, external_id, occurred_at, booked_at, reason)
    VALUES ('payment', 'bank:' || p_partner_code, p_bank_ref, p_paid_at, p_at, '')
    RETURNING id INTO entry;
  INSERT INTO payments_payment (id, partner_id, idempotency_key, fingerprint, bank_ref, entry_id, bill_id,
                                inquiry_id, memo, channel, payer_account_masked, amount, applied, paid_at, booked_at)
    VALUES (p_id, p_partner, p_key, p_fingerprint, p_bank_ref, entry, bill.id,
            p_inquiry, p_memo, p_channel, p_account, p_amount, apply, p_paid_at, p_at);
  INSERT INTO payments_posting (entry_id, account_id, amount) VALUES (entry, bank_pot, p_amount);

  IF apply > 0 THEN
    SELECT a.id, b.code INTO biller_pot, biller_code FROM payments_biller b
      LEFT JOIN payments_account a ON a.biller_id = b.id WHERE b.id = bill.biller_id;
    IF biller_pot IS NULL THEN
      INSERT INTO payments_account (code, kind, biller_id) VALUES ('biller:' || biller_code, 'biller', bill.biller_id)
        ON CONFLICT (code) DO UPDATE SET kind = 'biller' RETURNING id INTO biller_pot;
    END IF;
    INSERT INTO payments_posting (entry_id, account_id, amount, bill_id) VALUES (entry, biller_pot, -apply, bill.id);
    UPDATE payments_bill b SET
      paid = b.paid + apply,
      status = CASE WHEN b.paid + apply = b.amount THEN 'paid' ELSE 'part_paid' END,
      settled_at = CASE WHEN b.paid + apply = b.amount THEN p_at END,
      updated_at = p_at
      WHERE b.id = bill.id;
  END IF;

  IF p_amount > apply THEN
    SELECT a.id INTO unapplied_pot FROM payments_account a WHERE a.code = 'unapplied';
    IF unapplied_pot IS NULL THEN
      INSERT INTO payments_account (code, kind) VALUES ('unapplied', 'unapplied')
        ON CONFLICT (code) DO UPDATE SET kind = 'unapplied' RETURNING id INTO unapplied_pot;
    END IF;
    INSERT INTO payments_unappliedmoney (entry_id, bill_id, reason, amount, remaining, created_at, updated_at)
      VALUES (entry, bill.id, reason, p_amount - apply, p_amount - apply, p_at, p_at) RETURNING id INTO parked;
    INSERT INTO payments_posting (entry_id, account_id, amount, unapplied_id)
      VALUES (entry, unapplied_pot, apply - p_amount, parked);
  END IF;

  IF p_request_id <> '' THEN
    INSERT INTO payments_apicall (at, partner_id, request_id, method, path, subject, status, code, ip)
      VALUES (p_at, p_partner, p_request_id, 'POST', p_path, left(p_bank_ref, 80), 201, 'booked', p_ip);
  END IF;

  IF apply > 0 THEN
    -- The series row is locked until commit, so it is taken last.
    series_code := to_char(p_at AT TIME ZONE 'Asia/Ho_Chi_Minh', 'YYYY') || '-' || biller_code;
    INSERT INTO payments_receiptseries AS rs (code, last_number) VALUES (series_code, 1)
      ON CONFLICT (code) DO UPDATE SET last_number = rs.last_number + 1
      RETURNING rs.id, rs.last_number INTO series, number;
    INSERT INTO payments_receipt (series_id, number, entry_id, bill_id, amount, payer_name, token, issued_at)
      VALUES (series, number, entry, bill.id, apply, bill.payer_name, p_token, p_at);
  END IF;

  RETURN QUERY SELECT
    p_id, p_bank_ref, p_amount, apply, coalesce(bill.payment_code, '')::text,
    p_amount - apply, CASE WHEN p_amount > apply THEN reason ELSE '' END,
    CASE WHEN apply > 0 THEN series_code || '-' || lpad(number::text, greatest(6, length(number::text)), '0') ELSE '' END,
    CASE WHEN apply > 0 THEN p_token ELSE '' END,
    p_paid_at, p_at, false, p_fingerprint;
END $$;
"""

UNBOOK = "DROP FUNCTION payments_book(bigint, text, text, text, text, bigint, timestamptz, text, text, text, text[], uuid, text, timestamptz, text, text, inet, uuid)"


def install(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        # The procedure's text contains no parameters, and % must reach PostgreSQL as it is.
        schema_editor.execute(BOOK, params=None)


def remove(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(UNBOOK)


class Migration(migrations.Migration):
    dependencies = [("payments", "0002_ledger_rules")]

    operations = [migrations.RunPython(install, remove)]
