"""A programme can leave the lists for good, and stays for the reasons of what it did."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("farm", "0015_bounds_of_what_is_set")]

    operations = [
        migrations.AddField("rule", "archived_at", models.DateTimeField(editable=False, null=True)),
        migrations.AddConstraint(
            "rule",
            models.CheckConstraint(
                condition=models.Q(archived_at__isnull=True) | models.Q(is_enabled=False),
                name="rule_archived_is_off",
            ),
        ),
    ]
