"""Readings: one narrow row per value, in monthly partitions where the database has them."""

import django.db.models.deletion
from django.db import migrations, models

TABLE = """
CREATE TABLE farm_reading (
  channel_id integer NOT NULL,
  t timestamptz NOT NULL,
  v real NOT NULL,
  flags smallint NOT NULL DEFAULT 0,
  PRIMARY KEY (channel_id, t)
) PARTITION BY RANGE (t)
"""


class CreatePartitioned(migrations.CreateModel):
    """Create the table by hand on PostgreSQL, as any other table elsewhere."""

    def database_forwards(self, app_label, schema_editor, from_state, to_state):
        if schema_editor.connection.vendor == "postgresql":
            schema_editor.execute(TABLE, params=None)
        else:
            super().database_forwards(app_label, schema_editor, from_state, to_state)


class Migration(migrations.Migration):
    dependencies = [("farm", "0001_initial")]

    operations = [
        CreatePartitioned(
            name="Reading",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "channel_id",
                        "t",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("t", models.DateTimeField()),
                ("v", models.FloatField()),
                ("flags", models.SmallIntegerField(default=0)),
                (
                    "channel",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="farm.channel",
                    ),
                ),
            ],
            options={"verbose_name": "reading", "verbose_name_plural": "readings"},
        ),
    ]
