"""Since when frames are missing, and an index to find the notes of an hour."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("farm", "0004_crop_sources_and_stage_limits"),
    ]

    operations = [
        migrations.AddField(
            model_name="bootsequence",
            name="gap_seen_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="bootsequence",
            name="lost_up_to",
            field=models.BigIntegerField(default=-1),
        ),
        migrations.AddIndex(
            model_name="dirtyhour",
            index=models.Index(fields=["channel", "hour"], name="dirty_hour_of_channel"),
        ),
    ]
