"""How many days after a plant protection product nothing may be picked, by the product's label."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("farm", "0016_rule_archived")]

    operations = [
        migrations.AddField(
            "costentry",
            "waiting_days",
            models.PositiveSmallIntegerField(
                blank=True, null=True, verbose_name="waiting days before picking"
            ),
        ),
    ]
