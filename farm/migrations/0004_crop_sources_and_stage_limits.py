"""Sources of crop stages, limits that follow a stage, and who runs a house."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("farm", "0003_append_only"),
    ]

    operations = [
        migrations.AddField(
            model_name="alarmlimit",
            name="follows_stage",
            field=models.BooleanField(default=False, verbose_name="follows the batch's stage"),
        ),
        migrations.AddField(
            model_name="batch",
            name="method",
            field=models.CharField(
                choices=[
                    ("hydroponic", "In water, without soil"),
                    ("substrate", "In coir bags with drip watering"),
                    ("soil", "In soil, under a roof"),
                ],
                default="hydroponic",
                max_length=10,
                verbose_name="growing method",
            ),
        ),
        migrations.AddField(
            model_name="cropprofile",
            name="loaded_digest",
            field=models.CharField(blank=True, editable=False, max_length=64),
        ),
        migrations.AddField(
            model_name="cropstage",
            name="source",
            field=models.TextField(blank=True, verbose_name="source of the figures"),
        ),
        migrations.AddField(
            model_name="cropstage",
            name="source_date",
            field=models.DateField(blank=True, null=True, verbose_name="date of the source"),
        ),
        migrations.AddField(
            model_name="greenhouse",
            name="run_by",
            field=models.CharField(
                blank=True,
                help_text="The cooperative's name, as it stands on the produce.",
                max_length=120,
                verbose_name="run by",
            ),
        ),
        migrations.AlterField(
            model_name="cropprofile",
            name="soil_source",
            field=models.TextField(blank=True, verbose_name="source of the soil figures"),
        ),
    ]
