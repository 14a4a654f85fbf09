"""Keep by which milliseconds of its boot a controller without a clock told an output's state."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("farm", "0012_events_without_a_clock")]

    operations = [
        migrations.AddField(
            model_name="output",
            name="state_up_ms",
            field=models.BigIntegerField(editable=False, null=True),
        ),
    ]
