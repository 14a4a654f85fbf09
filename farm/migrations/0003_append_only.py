"""Steps of commands and reasons of rules only grow: PostgreSQL itself refuses anything else."""

from django.db import migrations

APPEND_ONLY = ("farm_commandevent", "farm_decision")
REFUSE = """
CREATE FUNCTION farm_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP
    USING ERRCODE = 'restrict_violation';
END $$;
"""


def install(apps, schema_editor):
    if schema_editor.connection.vendor != "postgresql":
        return
    schema_editor.execute(REFUSE, params=None)
    for table in APPEND_ONLY:
        schema_editor.execute(
            f"CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION farm_refuse_change()"
        )
        schema_editor.execute(
            f"CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION farm_refuse_change()"
        )


def remove(apps, schema_editor):
    if schema_editor.connection.vendor != "postgresql":
        return
    for table in APPEND_ONLY:
        schema_editor.execute(f"DROP TRIGGER refuse_change ON {table}")
        schema_editor.execute(f"DROP TRIGGER refuse_truncate ON {table}")
    schema_editor.execute("DROP FUNCTION farm_refuse_change()")


class Migration(migrations.Migration):
    dependencies = [("farm", "0002_readings")]

    operations = [migrations.RunPython(install, remove)]
