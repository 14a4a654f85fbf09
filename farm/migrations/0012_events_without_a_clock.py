"""The boot and the counter of an event: by these it is known again when its controller has no clock."""

from django.db import migrations, models

KEY = ["kind", "is_raised", "output_code"]


class Migration(migrations.Migration):
    dependencies = [("farm", "0011_frames_counted_from")]

    operations = [
        migrations.AddField("deviceevent", "boot", models.BigIntegerField(null=True)),
        migrations.AddField("deviceevent", "up_ms", models.BigIntegerField(null=True)),
        migrations.RemoveConstraint("deviceevent", "device_event_once"),
        migrations.AddConstraint(
            "deviceevent",
            models.UniqueConstraint(
                condition=models.Q(up_ms__isnull=True),
                fields=["node", "at", *KEY],
                name="device_event_once",
            ),
        ),
        migrations.AddConstraint(
            "deviceevent",
            models.UniqueConstraint(
                condition=models.Q(up_ms__isnull=False),
                fields=["node", "boot", "up_ms", *KEY],
                name="device_event_once_a_boot",
            ),
        ),
    ]
