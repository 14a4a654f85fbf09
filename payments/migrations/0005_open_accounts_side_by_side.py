"""Two first payments of one biller at once: whoever comes second uses the account of the first.

ON CONFLICT (code) settles a race about the code alone; the account's owner is unique, too, and a
race about that ended the second booking with an error (503 for the bank, which sends it again).
"""

from importlib import import_module

from django.db import migrations

BEFORE = import_module("payments.migrations.0003_book_in_one_statement").BOOK.replace(
    "CREATE FUNCTION", "CREATE OR REPLACE FUNCTION", 1
)
POTS = {
    "bank": "'bank:' || p_partner_code",
    "biller": "'biller:' || biller_code",
    "unapplied": "'unapplied'",
}
OLD = "ON CONFLICT (code) DO UPDATE SET kind = '{kind}' RETURNING id INTO {kind}_pot;"
NEW = """ON CONFLICT DO NOTHING;
    SELECT a.id INTO {kind}_pot FROM payments_account a WHERE a.code = {code};"""


def waiting(book):
    for kind, code in POTS.items():
        before, found, after = book.partition(OLD.format(kind=kind))
        if not found:
            raise ValueError(
                f"the function of migration 0003 no longer opens the {kind} account so"
            )
        book = before + NEW.format(kind=kind, code=code) + after
    return book


def install(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(waiting(BEFORE), params=None)


def restore(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(BEFORE, params=None)


class Migration(migrations.Migration):
    dependencies = [("payments", "0004_inquire_in_one_statement")]

    operations = [migrations.RunPython(install, restore)]
