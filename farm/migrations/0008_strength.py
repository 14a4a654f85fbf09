"""How strong an output is, where that can be set."""

from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("farm", "0007_device_runs"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="output",
            name="is_dimmable",
            field=models.BooleanField(default=False, verbose_name="its strength can be set"),
        ),
        migrations.AddField(
            model_name="output",
            name="state_level",
            field=models.FloatField(editable=False, null=True, verbose_name="strength now, %"),
        ),
        migrations.AddConstraint(
            model_name="command",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("op", "set"), _negated=True),
                    models.Q(
                        ("output__isnull", False),
                        ("seconds__gte", 1),
                        ("seconds__isnull", False),
                        ("value__gte", 0),
                        ("value__isnull", False),
                        ("value__lte", 100),
                    ),
                    _connector="OR",
                ),
                name="command_set_has_strength_and_end",
            ),
        ),
    ]
