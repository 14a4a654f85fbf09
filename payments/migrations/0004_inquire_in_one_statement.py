"""A bank's question as one statement: find the bill, write the call down, do not wait for the disk."""

from django.db import migrations

INQUIRE = """
CREATE FUNCTION payments_inquire(
  p_code text, p_partner bigint, p_at timestamptz, p_request_id text, p_path text, p_ip inet
) RETURNS TABLE (
  payment_code text, biller text, biller_name text, amount_rule text, reference text,
  customer_code text, payer_name text, period text, due_date date, amount bigint, paid bigint,
  status text
) LANGUAGE plpgsql AS $$
#variable_conflict use_column
BEGIN
  SELECT b.payment_code, r.code, r.name, r.amount_rule, b.reference, b.customer_code, b.payer_name,
         b.period, b.due_date, b.amount, b.paid, b.status
    INTO payment_code, biller, biller_name, amount_rule, reference, customer_code, payer_name,
         period, due_date, amount, paid, status
    FROM payments_bill b JOIN payments_biller r ON r.id = b.biller_id WHERE b.payment_code = p_code;
  IF p_request_id <> '' THEN
    -- Nothing but the log is written: it may lag the disk by a moment, money never does.
    SET LOCAL synchronous_commit = off;
    INSERT INTO payments_apicall (at, partner_id, request_id, method, path, subject, status, code, ip)
      VALUES (p_at, p_partner, p_request_id, 'POST', p_path, left(p_code, 80),
              CASE WHEN status IS NULL THEN 404 WHEN status IN ('paid', 'cancelled') THEN 409 ELSE 200 END,
              CASE WHEN status IS NULL THEN 'bill-not-found' WHEN status = 'paid' THEN 'bill-already-paid'
                   WHEN status = 'cancelled' THEN 'bill-cancelled' ELSE 'answered' END,
              p_ip);
  END IF;
  IF payment_code IS NOT NULL THEN
    RETURN NEXT;
  END IF;
END $$;
"""


def install(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(INQUIRE, params=None)


def remove(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(
            "DROP FUNCTION payments_inquire(text, bigint, timestamptz, text, text, inet)"
        )


class Migration(migrations.Migration):
    dependencies = [("payments", "0003_book_in_one_statement")]

    operations = [migrations.RunPython(install, remove)]
