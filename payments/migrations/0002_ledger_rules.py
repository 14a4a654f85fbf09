"""The ledger's rules, held by PostgreSQL itself: balanced entries, tables that only grow."""

from django.db import migrations

APPEND_ONLY = (
    "payments_entry",
    "payments_posting",
    "payments_payment",
    "payments_reversal",
    "payments_receipt",
)

RULES = """
CREATE FUNCTION payments_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP
    USING ERRCODE = 'restrict_violation';
END $$;

CREATE FUNCTION payments_entry_must_balance() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  entry bigint;
  total numeric;
  legs bigint;
BEGIN
  IF TG_TABLE_NAME = 'payments_entry' THEN entry := NEW.id; ELSE entry := NEW.entry_id; END IF;
  SELECT coalesce(sum(amount), 0), count(*) INTO total, legs
    FROM payments_posting WHERE entry_id = entry;
  IF total <> 0 OR legs < 2 THEN
    RAISE EXCEPTION 'ledger entry % does not balance: % legs, sum %', entry, legs, total
      USING ERRCODE = 'check_violation';
  END IF;
  RETURN NULL;
END $$;

CREATE CONSTRAINT TRIGGER entry_must_balance AFTER INSERT ON payments_entry
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION payments_entry_must_balance();
CREATE CONSTRAINT TRIGGER posting_must_balance AFTER INSERT ON payments_posting
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION payments_entry_must_balance();
"""


def install(apps, schema_editor):
    if schema_editor.connection.vendor != "postgresql":
        return
    schema_editor.execute(RULES, params=None)
    for table in APPEND_ONLY:
        schema_editor.execute(
            f"CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION payments_refuse_change()"
        )
        schema_editor.execute(
            f"CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION payments_refuse_change()"
        )


def remove(apps, schema_editor):
    if schema_editor.connection.vendor != "postgresql":
        return
    for table in APPEND_ONLY:
        schema_editor.execute(f"DROP TRIGGER refuse_change ON {table}")
        schema_editor.execute(f"DROP TRIGGER refuse_truncate ON {table}")
    schema_editor.execute("DROP TRIGGER entry_must_balance ON payments_entry")
    schema_editor.execute("DROP TRIGGER posting_must_balance ON payments_posting")
    schema_editor.execute("DROP FUNCTION payments_entry_must_balance()")
    schema_editor.execute("DROP FUNCTION payments_refuse_change()")


class Migration(migrations.Migration):
    dependencies = [("payments", "0001_initial")]

    operations = [migrations.RunPython(install, remove)]
