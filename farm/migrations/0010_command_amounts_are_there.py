"""A run without seconds, or a dose without millilitres, passed as a check that comes to NULL does."""

from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("farm", "0009_calibration"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="command",
            name="command_run_has_seconds",
        ),
        migrations.RemoveConstraint(
            model_name="command",
            name="command_dose_has_ml",
        ),
        migrations.AddConstraint(
            model_name="command",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("op", "run"), _negated=True),
                    models.Q(
                        ("output__isnull", False), ("seconds__gte", 1), ("seconds__isnull", False)
                    ),
                    _connector="OR",
                ),
                name="command_run_has_seconds",
            ),
        ),
        migrations.AddConstraint(
            model_name="command",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("op", "dose"), _negated=True),
                    models.Q(("ml__gt", 0), ("ml__isnull", False), ("output__isnull", False)),
                    _connector="OR",
                ),
                name="command_dose_has_ml",
            ),
        ),
    ]
