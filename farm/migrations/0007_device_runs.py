"""Runs that devices began themselves, the words they are computed of, and what cannot be told."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("farm", "0006_api_tokens"),
    ]

    operations = [
        migrations.AddField(
            model_name="wateruse",
            name="unknown_runs",
            field=models.PositiveSmallIntegerField(default=0),
        ),
        migrations.CreateModel(
            name="DeviceRun",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("source", models.CharField(blank=True, max_length=10, verbose_name="switched by")),
                ("began_at", models.DateTimeField(verbose_name="began at")),
                ("due_at", models.DateTimeField(null=True, verbose_name="ends at the latest")),
                ("ended_at", models.DateTimeField(null=True, verbose_name="ended at")),
                (
                    "is_end_told",
                    models.BooleanField(default=False, verbose_name="the device told the end"),
                ),
                ("litres", models.FloatField(null=True, verbose_name="litres")),
                ("is_measured", models.BooleanField(default=False, verbose_name="by a flow meter")),
                (
                    "output",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="device_runs",
                        to="farm.output",
                        verbose_name="output",
                    ),
                ),
            ],
            options={
                "verbose_name": "run begun at the device",
                "verbose_name_plural": "runs begun at devices",
                "indexes": [
                    models.Index(fields=["began_at"], name="device_run_by_day"),
                    models.Index(
                        condition=models.Q(("ended_at__isnull", True)),
                        fields=["due_at"],
                        name="device_run_open",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("output", "began_at"), name="device_run_begins_once"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="StateWord",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("boot", models.BigIntegerField(default=0)),
                ("stamp", models.BigIntegerField()),
                ("at", models.DateTimeField()),
                ("is_on", models.BooleanField()),
                ("source", models.CharField(blank=True, max_length=10)),
                ("command", models.CharField(blank=True, max_length=26)),
                ("left_seconds", models.FloatField(null=True)),
                (
                    "output",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="state_words",
                        to="farm.output",
                    ),
                ),
            ],
            options={
                "verbose_name": "word of a valve",
                "verbose_name_plural": "words of valves",
                "indexes": [models.Index(fields=["output", "at"], name="state_word_of_output")],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("output", "boot", "stamp", "is_on", "source"),
                        name="state_word_once",
                    )
                ],
            },
        ),
    ]
