"""The groups of accounts.roles, so that they exist before anybody is put into one.

Their permissions belong to tables that later migrations make: accounts.receivers grants them when
those have run.
"""

from django.db import migrations

ROLES = (
    "chairperson",
    "one_stop_clerk",
    "finance_officer",
    "cashier",
    "village_head",
    "police_officer",
    "cooperative_member",
    "digital_team_member",
    "auditor",
)


def make_groups(apps, schema_editor):
    groups = apps.get_model("auth", "Group").objects.using(schema_editor.connection.alias)
    for role in ROLES:
        groups.get_or_create(name=role)


def remove_groups(apps, schema_editor):
    groups = apps.get_model("auth", "Group").objects.using(schema_editor.connection.alias)
    groups.filter(name__in=ROLES).delete()


class Migration(migrations.Migration):
    dependencies = [("accounts", "0001_initial")]

    operations = [migrations.RunPython(make_groups, remove_groups)]
