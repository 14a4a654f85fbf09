"""Which probe a command calibrates, and until when somebody has a probe in hand."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("farm", "0008_strength"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="channel",
            name="calibrating_until",
            field=models.DateTimeField(editable=False, null=True, verbose_name="in hand until"),
        ),
        migrations.AddField(
            model_name="command",
            name="channel",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="commands",
                to="farm.channel",
                verbose_name="sensor channel",
            ),
        ),
        migrations.AddConstraint(
            model_name="command",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("op", "calibrate"), _negated=True),
                    models.Q(("channel__isnull", False), ("value__isnull", False)),
                    _connector="OR",
                ),
                name="command_calibrate_has_channel_and_value",
            ),
        ),
    ]
