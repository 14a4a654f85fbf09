"""The tables of the farm, but for readings."""

import django.core.validators
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import common.ids


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("addresses", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Batch",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="created at")),
                ("updated_at", models.DateTimeField(auto_now=True, verbose_name="updated at")),
                ("code", models.CharField(max_length=20, unique=True, verbose_name="batch number")),
                ("token", models.CharField(editable=False, max_length=32, unique=True)),
                ("variety", models.CharField(blank=True, max_length=80, verbose_name="variety")),
                ("area_m2", models.FloatField(verbose_name="area, m²")),
                ("plants", models.PositiveIntegerField(default=0, verbose_name="plants")),
                ("sown_date", models.DateField(verbose_name="sown on")),
                (
                    "transplanted_date",
                    models.DateField(blank=True, null=True, verbose_name="planted out on"),
                ),
                ("ended_date", models.DateField(blank=True, null=True, verbose_name="ended on")),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("growing", "Growing"),
                            ("harvesting", "Being harvested"),
                            ("ended", "Ended"),
                            ("lost", "Lost"),
                        ],
                        default="growing",
                        max_length=10,
                        verbose_name="status",
                    ),
                ),
                ("note", models.TextField(blank=True, verbose_name="note")),
            ],
            options={
                "verbose_name": "batch",
                "verbose_name_plural": "batches",
            },
        ),
        migrations.CreateModel(
            name="Channel",
            fields=[
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="created at")),
                ("updated_at", models.DateTimeField(auto_now=True, verbose_name="updated at")),
                ("id", models.AutoField(primary_key=True, serialize=False)),
                ("code", models.CharField(max_length=24, verbose_name="code in messages")),
                (
                    "label",
                    models.CharField(blank=True, max_length=80, verbose_name="what people call it"),
                ),
                (
                    "quantity",
                    models.CharField(
                        choices=[
                            ("air_temperature", "Air temperature"),
                            ("leaf_temperature", "Leaf temperature"),
                            ("water_temperature", "Water temperature"),
                            ("relative_humidity", "Humidity"),
                            ("ec", "EC"),
                            ("ph", "pH"),
                            ("dissolved_oxygen", "Dissolved oxygen"),
                            ("tank_volume", "Tank"),
                            ("flow", "Flow"),
                            ("drain_volume", "Drain"),
                            ("ppfd", "Light"),
                            ("solar_radiation", "Sunlight"),
                            ("co2", "CO₂"),
                            ("substrate_moisture", "Substrate moisture"),
                            ("wind_speed", "Wind"),
                            ("rain", "Rain"),
                            ("other", "Other"),
                        ],
                        default="other",
                        max_length=20,
                        verbose_name="quantity",
                    ),
                ),
                ("unit", models.CharField(blank=True, max_length=16, verbose_name="unit")),
                ("low", models.FloatField(blank=True, null=True, verbose_name="sensible from")),
                ("high", models.FloatField(blank=True, null=True, verbose_name="sensible to")),
                ("scale", models.FloatField(default=1.0, verbose_name="multiply by")),
                ("offset", models.FloatField(default=0.0, verbose_name="then add")),
                (
                    "stale_seconds",
                    models.PositiveIntegerField(default=180, verbose_name="too old after, seconds"),
                ),
                (
                    "pulses_per_litre",
                    models.FloatField(blank=True, null=True, verbose_name="pulses per litre"),
                ),
                ("is_active", models.BooleanField(default=True, verbose_name="active")),
            ],
            options={
                "verbose_name": "sensor channel",
                "verbose_name_plural": "sensor channels",
            },
        ),
        migrations.CreateModel(
            name="CropProfile",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="created at")),
                ("updated_at", models.DateTimeField(auto_now=True, verbose_name="updated at")),
                ("code", models.SlugField(max_length=30, unique=True, verbose_name="code")),
                ("name", models.CharField(max_length=80, verbose_name="name")),
                ("is_verified", models.BooleanField(default=False, verbose_name="verified")),
                ("source", models.TextField(verbose_name="source")),
                (
                    "source_date",
                    models.DateField(blank=True, null=True, verbose_name="date of the source"),
                ),
                ("note", models.TextField(blank=True, verbose_name="note")),
                (
                    "soil_days",
                    models.PositiveSmallIntegerField(
                        blank=True, null=True, verbose_name="in soil: days to harvest"
                    ),
                ),
                (
                    "soil_kg_per_m2",
                    models.FloatField(blank=True, null=True, verbose_name="in soil: kg per m²"),
                ),
                (
                    "soil_litres_per_kg",
                    models.FloatField(blank=True, null=True, verbose_name="in soil: litres per kg"),
                ),
                (
                    "soil_hours_per_m2",
                    models.FloatField(blank=True, null=True, verbose_name="in soil: hours per m²"),
                ),
                (
                    "soil_source",
                    models.CharField(
                        blank=True, max_length=200, verbose_name="source of the soil figures"
                    ),
                ),
            ],
            options={
                "verbose_name": "crop profile",
                "verbose_name_plural": "crop profiles",
            },
        ),
        migrations.CreateModel(
            name="Node",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="created at")),
                ("updated_at", models.DateTimeField(auto_now=True, verbose_name="updated at")),
                (
                    "name",
                    models.SlugField(
                        max_length=24,
                        unique=True,
                        validators=[
                            django.core.validators.RegexValidator(
                                "^[a-z0-9-]{1,24}\\Z", "1 to 24 of a–z, 0–9 and -"
                            )
                        ],
                        verbose_name="name in topics",
                    ),
                ),
                (
                    "label",
                    models.CharField(blank=True, max_length=80, verbose_name="what people call it"),
                ),
                (
                    "protocol",
                    models.CharField(
                        choices=[
                            ("farm/v1", "farm/v1 controller"),
                            ("esphome", "ESPHome"),
                            ("tasmota", "Tasmota"),
                            ("zigbee2mqtt", "Zigbee2MQTT"),
                            ("opensprinkler", "OpenSprinkler"),
                        ],
                        default="farm/v1",
                        max_length=13,
                        verbose_name="protocol",
                    ),
                ),
                (
                    "topic",
                    models.CharField(
                        blank=True,
                        help_text="Only for devices that do not speak farm/v1.",
                        max_length=120,
                        verbose_name="topic prefix",
                    ),
                ),
                (
                    "is_online",
                    models.BooleanField(default=False, editable=False, verbose_name="online"),
                ),
                (
                    "status_at",
                    models.DateTimeField(editable=False, null=True, verbose_name="status since"),
                ),
                (
                    "heard_at",
                    models.DateTimeField(editable=False, null=True, verbose_name="last heard"),
                ),
                (
                    "boot",
                    models.BigIntegerField(editable=False, null=True, verbose_name="boot number"),
                ),
                (
                    "born_at",
                    models.DateTimeField(editable=False, null=True, verbose_name="born at"),
                ),
                (
                    "firmware",
                    models.CharField(
                        blank=True, editable=False, max_length=40, verbose_name="firmware"
                    ),
                ),
                (
                    "hardware",
                    models.CharField(
                        blank=True, editable=False, max_length=40, verbose_name="hardware"
                    ),
                ),
                (
                    "reset_reason",
                    models.CharField(
                        blank=True, editable=False, max_length=40, verbose_name="last reset"
                    ),
                ),
                (
                    "clock",
                    models.CharField(
                        blank=True, editable=False, max_length=16, verbose_name="clock"
                    ),
                ),
                (
                    "buffered_frames",
                    models.PositiveIntegerField(default=0, editable=False, verbose_name="buffered"),
                ),
                (
                    "config_rev",
                    models.PositiveIntegerField(
                        default=0, editable=False, verbose_name="config sent"
                    ),
                ),
                (
                    "config_acked_rev",
                    models.PositiveIntegerField(
                        default=0, editable=False, verbose_name="config kept"
                    ),
                ),
                (
                    "config_error",
                    models.CharField(
                        blank=True, editable=False, max_length=200, verbose_name="config error"
                    ),
                ),
                (
                    "last_ping_ok_at",
                    models.DateTimeField(editable=False, null=True, verbose_name="answered a ping"),
                ),
            ],
            options={
                "verbose_name": "controller",
                "verbose_name_plural": "controllers",
            },
        ),
        migrations.CreateModel(
            name="LatestReading",
            fields=[
                (
                    "channel",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="latest",
                        serialize=False,
                        to="farm.channel",
                    ),
                ),
                ("t", models.DateTimeField()),
                ("v", models.FloatField(null=True)),
                ("flags", models.SmallIntegerField(default=0)),
                ("received_at", models.DateTimeField()),
            ],
            options={
                "verbose_name": "latest reading",
                "verbose_name_plural": "latest readings",
            },
        ),
        migrations.CreateModel(
            name="Command",
            fields=[
                (
                    "id",
                    models.CharField(
                        editable=False, max_length=26, primary_key=True, serialize=False
                    ),
                ),
                (
                    "op",
                    models.CharField(
                        choices=[
                            ("run", "Run"),
                            ("stop", "Stop"),
                            ("stop_all", "Stop everything"),
                            ("dose", "Dose"),
                            ("set", "Set"),
                            ("ping", "Are you there?"),
                            ("resend", "Send again"),
                            ("calibrate", "Calibrate"),
                        ],
                        max_length=9,
                        verbose_name="what",
                    ),
                ),
                ("seconds", models.PositiveIntegerField(null=True, verbose_name="seconds")),
                ("litres", models.FloatField(null=True, verbose_name="litres")),
                ("ml", models.FloatField(null=True, verbose_name="ml")),
                ("value", models.FloatField(null=True, verbose_name="value")),
                ("arguments", models.JSONField(default=dict, verbose_name="arguments")),
                (
                    "source",
                    models.CharField(
                        choices=[
                            ("person", "by hand"),
                            ("api", "by a program"),
                            ("schedule", "by the timetable"),
                            ("light_sum", "by the light"),
                            ("hysteresis", "by a limit"),
                            ("dosing", "by EC and pH"),
                            ("safety", "for safety"),
                            ("system", "by the system"),
                        ],
                        max_length=10,
                        verbose_name="source",
                    ),
                ),
                ("generation", models.PositiveIntegerField(default=0)),
                ("caller_key", models.CharField(blank=True, max_length=80)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("queued", "Waiting"),
                            ("sent", "Sent"),
                            ("accepted", "Accepted"),
                            ("started", "Running"),
                            ("done", "Done"),
                            ("aborted", "Broken off"),
                            ("rejected", "Rejected"),
                            ("expired", "Too late"),
                            ("unknown", "No answer"),
                        ],
                        default="queued",
                        max_length=8,
                        verbose_name="status",
                    ),
                ),
                ("why", models.CharField(blank=True, max_length=40, verbose_name="why")),
                ("created_at", models.DateTimeField(verbose_name="asked at")),
                ("expires_at", models.DateTimeField(verbose_name="valid until")),
                ("sends", models.PositiveSmallIntegerField(default=0, verbose_name="times sent")),
                ("sent_at", models.DateTimeField(null=True, verbose_name="first sent at")),
                ("last_sent_at", models.DateTimeField(null=True)),
                ("accepted_at", models.DateTimeField(null=True)),
                ("started_at", models.DateTimeField(null=True, verbose_name="started at")),
                ("ended_at", models.DateTimeField(null=True, verbose_name="ended at")),
                ("ran_seconds", models.FloatField(null=True, verbose_name="ran, seconds")),
                ("ran_litres", models.FloatField(null=True, verbose_name="ran, litres")),
                ("settled_at", models.DateTimeField(null=True)),
                (
                    "by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="by",
                    ),
                ),
            ],
            options={
                "verbose_name": "command",
                "verbose_name_plural": "commands",
            },
        ),
        migrations.CreateModel(
            name="CommandEvent",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("at", models.DateTimeField(verbose_name="at")),
                ("step", models.CharField(max_length=12, verbose_name="step")),
                ("device_time", models.DateTimeField(null=True)),
                ("boot", models.BigIntegerField(null=True)),
                ("why", models.CharField(blank=True, max_length=40)),
                ("ran_seconds", models.FloatField(null=True)),
                ("ran_litres", models.FloatField(null=True)),
                (
                    "command",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="events",
                        to="farm.command",
                    ),
                ),
            ],
            options={
                "verbose_name": "step of a command",
                "verbose_name_plural": "steps of commands",
            },
        ),
        migrations.CreateModel(
            name="CostEntry",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=common.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("day", models.DateField(verbose_name="day")),
                ("note", models.CharField(blank=True, max_length=200, verbose_name="note")),
                ("written_at", models.DateTimeField(verbose_name="written at")),
                (
                    "struck_at",
                    models.DateTimeField(blank=True, null=True, verbose_name="struck out at"),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("seed", "Seed, seedlings"),
                            ("fertiliser", "Fertiliser"),
                            ("substrate", "Substrate"),
                            ("protection", "Plant protection"),
                            ("power", "Electricity"),
                            ("water", "Water"),
                            ("labour", "Hired labour"),
                            ("other", "Other"),
                        ],
                        max_length=10,
                        verbose_name="kind",
                    ),
                ),
                ("vnd", models.PositiveBigIntegerField(verbose_name="amount, ₫")),
                (
                    "batch",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="costs",
                        to="farm.batch",
                    ),
                ),
                (
                    "by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "cost",
                "verbose_name_plural": "costs",
            },
        ),
        migrations.AddField(
            model_name="batch",
            name="profile",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="batches",
                to="farm.cropprofile",
                verbose_name="crop",
            ),
        ),
        migrations.CreateModel(
            name="DirtyHour",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("hour", models.DateTimeField()),
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
            options={
                "verbose_name": "hour to sum up",
                "verbose_name_plural": "hours to sum up",
            },
        ),
        migrations.CreateModel(
            name="Greenhouse",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="created at")),
                ("updated_at", models.DateTimeField(auto_now=True, verbose_name="updated at")),
                (
                    "code",
                    models.SlugField(
                        max_length=24,
                        unique=True,
                        validators=[
                            django.core.validators.RegexValidator(
                                "^[a-z0-9-]{1,24}\\Z", "1 to 24 of a–z, 0–9 and -"
                            )
                        ],
                        verbose_name="code",
                    ),
                ),
                ("name", models.CharField(max_length=80, verbose_name="name")),
                (
                    "latitude",
                    models.FloatField(blank=True, null=True, verbose_name="latitude, degrees"),
                ),
                (
                    "longitude",
                    models.FloatField(blank=True, null=True, verbose_name="longitude, degrees"),
                ),
                ("elevation_m", models.FloatField(default=5.0, verbose_name="elevation, m")),
                ("area_m2", models.FloatField(default=0, verbose_name="area, m²")),
                (
                    "is_stopped",
                    models.BooleanField(
                        default=False, editable=False, verbose_name="emergency stop"
                    ),
                ),
                (
                    "stopped_at",
                    models.DateTimeField(editable=False, null=True, verbose_name="stopped at"),
                ),
                ("is_active", models.BooleanField(default=True, verbose_name="active")),
                (
                    "stopped_by",
                    models.ForeignKey(
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="stopped by",
                    ),
                ),
                (
                    "village",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="addresses.village",
                        verbose_name="village",
                    ),
                ),
            ],
            options={
                "verbose_name": "greenhouse",
                "verbose_name_plural": "greenhouses",
            },
        ),
        migrations.CreateModel(
            name="EmergencyStop",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("at", models.DateTimeField(verbose_name="at")),
                ("is_stop", models.BooleanField(verbose_name="stopped")),
                ("reason", models.CharField(blank=True, max_length=200, verbose_name="reason")),
                (
                    "by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "greenhouse",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="stops",
                        to="farm.greenhouse",
                    ),
                ),
            ],
            options={
                "verbose_name": "emergency stop",
                "verbose_name_plural": "emergency stops",
            },
        ),
        migrations.CreateModel(
            name="NodeConfig",
            fields=[
                (
                    "node",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="config",
                        serialize=False,
                        to="farm.node",
                    ),
                ),
                ("rev", models.PositiveIntegerField(default=0)),
                ("document", models.JSONField(default=dict)),
                ("changed_at", models.DateTimeField()),
                ("published_at", models.DateTimeField(null=True)),
                ("published_rev", models.PositiveIntegerField(default=0)),
            ],
            options={
                "verbose_name": "config of a controller",
                "verbose_name_plural": "configs of controllers",
            },
        ),
        migrations.AddField(
            model_name="node",
            name="greenhouse",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="nodes",
                to="farm.greenhouse",
                verbose_name="greenhouse",
            ),
        ),
        migrations.AddField(
            model_name="command",
            name="node",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="commands",
                to="farm.node",
                verbose_name="controller",
            ),
        ),
        migrations.AddField(
            model_name="channel",
            name="node",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="channels",
                to="farm.node",
                verbose_name="controller",
            ),
        ),
        migrations.CreateModel(
            name="Output",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="created at")),
                ("updated_at", models.DateTimeField(auto_now=True, verbose_name="updated at")),
                (
                    "code",
                    models.CharField(
                        max_length=24,
                        validators=[
                            django.core.validators.RegexValidator(
                                "^[a-z0-9-]{1,24}\\Z", "1 to 24 of a–z, 0–9 and -"
                            )
                        ],
                        verbose_name="code in topics",
                    ),
                ),
                (
                    "label",
                    models.CharField(blank=True, max_length=80, verbose_name="what people call it"),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("valve", "Valve"),
                            ("pump", "Pump"),
                            ("doser", "Doser"),
                            ("fan", "Fan"),
                            ("light", "Light"),
                            ("other", "Other"),
                        ],
                        default="other",
                        max_length=6,
                        verbose_name="kind",
                    ),
                ),
                (
                    "max_seconds",
                    models.PositiveIntegerField(default=0, verbose_name="longest run, seconds"),
                ),
                (
                    "flow_low",
                    models.FloatField(blank=True, null=True, verbose_name="least flow, L/min"),
                ),
                (
                    "flow_high",
                    models.FloatField(blank=True, null=True, verbose_name="most flow, L/min"),
                ),
                (
                    "ml_per_second",
                    models.FloatField(blank=True, null=True, verbose_name="ml a second"),
                ),
                (
                    "needs",
                    models.JSONField(
                        blank=True, default=list, verbose_name="interlocks of the device"
                    ),
                ),
                (
                    "fail",
                    models.CharField(
                        choices=[
                            ("off", "Off, when the link is lost"),
                            ("local", "By its own rules, when the link is lost"),
                        ],
                        default="off",
                        max_length=5,
                        verbose_name="without a link",
                    ),
                ),
                (
                    "dose_kind",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("a", "Fertiliser A"),
                            ("b", "Fertiliser B"),
                            ("ph_up", "pH up"),
                            ("ph_down", "pH down"),
                            ("water", "Fresh water"),
                        ],
                        max_length=8,
                        verbose_name="what it doses",
                    ),
                ),
                (
                    "lock",
                    models.CharField(
                        choices=[
                            ("auto", "Automatic"),
                            ("off", "Locked off"),
                            ("manual", "By hand only"),
                        ],
                        default="auto",
                        max_length=6,
                        verbose_name="who may switch it",
                    ),
                ),
                (
                    "lock_until",
                    models.DateTimeField(blank=True, null=True, verbose_name="locked until"),
                ),
                (
                    "lock_reason",
                    models.CharField(blank=True, max_length=200, verbose_name="why it is locked"),
                ),
                ("is_on", models.BooleanField(editable=False, null=True, verbose_name="on")),
                (
                    "state_at",
                    models.DateTimeField(editable=False, null=True, verbose_name="state since"),
                ),
                (
                    "state_heard_at",
                    models.DateTimeField(editable=False, null=True, verbose_name="state heard at"),
                ),
                ("state_boot", models.BigIntegerField(editable=False, null=True)),
                (
                    "state_source",
                    models.CharField(
                        blank=True, editable=False, max_length=10, verbose_name="switched by"
                    ),
                ),
                ("state_command", models.CharField(blank=True, editable=False, max_length=26)),
                (
                    "state_left_seconds",
                    models.FloatField(editable=False, null=True, verbose_name="seconds left"),
                ),
                (
                    "state_flow",
                    models.FloatField(editable=False, null=True, verbose_name="flow now, L/min"),
                ),
                ("is_active", models.BooleanField(default=True, verbose_name="active")),
                (
                    "node",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="outputs",
                        to="farm.node",
                        verbose_name="controller",
                    ),
                ),
            ],
            options={
                "verbose_name": "output",
                "verbose_name_plural": "outputs",
            },
        ),
        migrations.CreateModel(
            name="LockChange",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("at", models.DateTimeField(verbose_name="at")),
                (
                    "lock",
                    models.CharField(
                        choices=[
                            ("auto", "Automatic"),
                            ("off", "Locked off"),
                            ("manual", "By hand only"),
                        ],
                        max_length=6,
                        verbose_name="lock",
                    ),
                ),
                ("until", models.DateTimeField(null=True, verbose_name="until")),
                ("reason", models.CharField(blank=True, max_length=200, verbose_name="reason")),
                (
                    "by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "output",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="lock_changes",
                        to="farm.output",
                    ),
                ),
            ],
            options={
                "verbose_name": "lock change",
                "verbose_name_plural": "lock changes",
            },
        ),
        migrations.AddField(
            model_name="command",
            name="output",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="commands",
                to="farm.output",
                verbose_name="output",
            ),
        ),
        migrations.CreateModel(
            name="Rollup",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "channel_id",
                        "level",
                        "bucket",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "level",
                    models.IntegerField(
                        choices=[
                            (60, "1 minute"),
                            (900, "15 minutes"),
                            (3600, "1 hour"),
                            (86400, "1 day"),
                        ]
                    ),
                ),
                ("bucket", models.DateTimeField()),
                ("n", models.IntegerField()),
                ("total", models.FloatField()),
                ("low", models.FloatField()),
                ("high", models.FloatField()),
                ("last", models.FloatField()),
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
            options={
                "verbose_name": "rollup",
                "verbose_name_plural": "rollups",
            },
        ),
        migrations.CreateModel(
            name="Rule",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="created at")),
                ("updated_at", models.DateTimeField(auto_now=True, verbose_name="updated at")),
                ("name", models.CharField(max_length=80, verbose_name="name")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("schedule", "Timetable"),
                            ("light_sum", "Water by the light"),
                            ("hysteresis", "Between two limits"),
                            ("dosing", "Feed by EC and pH"),
                        ],
                        max_length=10,
                        verbose_name="kind",
                    ),
                ),
                ("parameters", models.JSONField(default=dict, verbose_name="settings")),
                ("memory", models.JSONField(default=dict, editable=False)),
                ("is_enabled", models.BooleanField(default=True, verbose_name="on")),
                ("generation", models.PositiveIntegerField(default=1, editable=False)),
                ("looked_at", models.DateTimeField(editable=False, null=True)),
                ("next_look_at", models.DateTimeField(editable=False, null=True)),
                (
                    "changed_by",
                    models.ForeignKey(
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "outputs",
                    models.ManyToManyField(
                        related_name="rules", to="farm.output", verbose_name="outputs"
                    ),
                ),
                (
                    "sensor",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="rules",
                        to="farm.channel",
                        verbose_name="sensor",
                    ),
                ),
            ],
            options={
                "verbose_name": "programme",
                "verbose_name_plural": "programmes",
            },
        ),
        migrations.AddField(
            model_name="command",
            name="rule",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="commands",
                to="farm.rule",
            ),
        ),
        migrations.CreateModel(
            name="Watch",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="created at")),
                ("updated_at", models.DateTimeField(auto_now=True, verbose_name="updated at")),
                ("step", models.PositiveSmallIntegerField(default=1, verbose_name="step")),
                (
                    "after_minutes",
                    models.PositiveSmallIntegerField(default=0, verbose_name="after, minutes"),
                ),
                ("by_sms", models.BooleanField(default=True, verbose_name="also by SMS")),
                ("quiet_from", models.TimeField(blank=True, null=True, verbose_name="quiet from")),
                (
                    "quiet_to",
                    models.TimeField(
                        blank=True,
                        help_text="Urgent alarms come through all the same.",
                        null=True,
                        verbose_name="quiet to",
                    ),
                ),
                (
                    "greenhouse",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="watches",
                        to="farm.greenhouse",
                        verbose_name="greenhouse",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="person",
                    ),
                ),
            ],
            options={
                "verbose_name": "person on watch",
                "verbose_name_plural": "people on watch",
            },
        ),
        migrations.CreateModel(
            name="Zone",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="created at")),
                ("updated_at", models.DateTimeField(auto_now=True, verbose_name="updated at")),
                ("code", models.SlugField(max_length=24, verbose_name="code")),
                ("name", models.CharField(max_length=80, verbose_name="name")),
                (
                    "kind",
                    models.CharField(
                        choices=[("rack", "Rack"), ("bed", "Bed"), ("nursery", "Nursery")],
                        default="rack",
                        max_length=8,
                        verbose_name="kind",
                    ),
                ),
                ("area_m2", models.FloatField(default=0, verbose_name="area, m²")),
                ("plants", models.PositiveIntegerField(default=0, verbose_name="plants")),
                ("reservoir_l", models.FloatField(default=0, verbose_name="tank, litres")),
                (
                    "daily_litre_cap",
                    models.FloatField(
                        blank=True,
                        help_text="Watering stops beyond it.",
                        null=True,
                        verbose_name="most litres a day",
                    ),
                ),
                (
                    "daily_dose_cap_ml",
                    models.FloatField(
                        blank=True, null=True, verbose_name="most ml of each fertiliser a day"
                    ),
                ),
                ("is_active", models.BooleanField(default=True, verbose_name="active")),
                (
                    "greenhouse",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="zones",
                        to="farm.greenhouse",
                        verbose_name="greenhouse",
                    ),
                ),
            ],
            options={
                "verbose_name": "zone",
                "verbose_name_plural": "zones",
            },
        ),
        migrations.CreateModel(
            name="WaterUse",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("day", models.DateField()),
                ("litres", models.FloatField()),
                ("is_measured", models.BooleanField()),
                (
                    "zone",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="water_use",
                        to="farm.zone",
                    ),
                ),
            ],
            options={
                "verbose_name": "water used",
                "verbose_name_plural": "water used",
            },
        ),
        migrations.AddField(
            model_name="rule",
            name="zone",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="rules",
                to="farm.zone",
                verbose_name="zone",
            ),
        ),
        migrations.AddField(
            model_name="output",
            name="zone",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="outputs",
                to="farm.zone",
                verbose_name="zone",
            ),
        ),
        migrations.AddField(
            model_name="channel",
            name="zone",
            field=models.ForeignKey(
                blank=True,
                help_text="Empty: of the whole house.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="channels",
                to="farm.zone",
                verbose_name="zone",
            ),
        ),
        migrations.AddField(
            model_name="batch",
            name="zone",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="batches",
                to="farm.zone",
                verbose_name="zone",
            ),
        ),
        migrations.CreateModel(
            name="Alarm",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("key", models.CharField(max_length=80)),
                ("kind", models.CharField(max_length=40, verbose_name="kind")),
                (
                    "severity",
                    models.PositiveSmallIntegerField(
                        choices=[(1, "Notice"), (2, "Warning"), (3, "Urgent")],
                        verbose_name="severity",
                    ),
                ),
                ("facts", models.JSONField(default=dict)),
                ("opened_at", models.DateTimeField(verbose_name="since")),
                ("last_at", models.DateTimeField(verbose_name="last seen")),
                ("times", models.PositiveIntegerField(default=1, verbose_name="times")),
                ("acknowledged_at", models.DateTimeField(null=True, verbose_name="seen at")),
                ("cleared_at", models.DateTimeField(null=True, verbose_name="over at")),
                ("told_level", models.PositiveSmallIntegerField(default=0)),
                ("tell_at", models.DateTimeField(null=True)),
                (
                    "acknowledged_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "channel",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="farm.channel",
                    ),
                ),
                (
                    "greenhouse",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="alarms",
                        to="farm.greenhouse",
                        verbose_name="greenhouse",
                    ),
                ),
                (
                    "node",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="farm.node",
                    ),
                ),
                (
                    "output",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="farm.output",
                    ),
                ),
                (
                    "zone",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="farm.zone",
                    ),
                ),
            ],
            options={
                "verbose_name": "alarm",
                "verbose_name_plural": "alarms",
            },
        ),
        migrations.CreateModel(
            name="AlarmLimit",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="created at")),
                ("updated_at", models.DateTimeField(auto_now=True, verbose_name="updated at")),
                ("low", models.FloatField(blank=True, null=True, verbose_name="alarm below")),
                ("high", models.FloatField(blank=True, null=True, verbose_name="alarm above")),
                (
                    "hysteresis",
                    models.FloatField(
                        default=0,
                        help_text="So that a value at the limit is one alarm.",
                        verbose_name="clear when back by",
                    ),
                ),
                (
                    "delay_seconds",
                    models.PositiveIntegerField(default=120, verbose_name="only after, seconds"),
                ),
                (
                    "severity",
                    models.PositiveSmallIntegerField(
                        choices=[(1, "Notice"), (2, "Warning"), (3, "Urgent")],
                        default=2,
                        verbose_name="severity",
                    ),
                ),
                ("breached_since", models.DateTimeField(editable=False, null=True)),
                ("is_enabled", models.BooleanField(default=True, verbose_name="on")),
                (
                    "channel",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="limits",
                        to="farm.channel",
                        verbose_name="sensor",
                    ),
                ),
            ],
            options={
                "verbose_name": "alarm limit",
                "verbose_name_plural": "alarm limits",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("low__isnull", False), ("high__isnull", False), _connector="OR"
                        ),
                        name="alarm_limit_has_a_limit",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="CropStage",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("position", models.PositiveSmallIntegerField(verbose_name="order")),
                ("name", models.CharField(max_length=80, verbose_name="name")),
                ("days", models.PositiveSmallIntegerField(verbose_name="days")),
                ("ec_low", models.FloatField(blank=True, null=True, verbose_name="EC from, mS/cm")),
                ("ec_high", models.FloatField(blank=True, null=True, verbose_name="EC to, mS/cm")),
                ("ph_low", models.FloatField(blank=True, null=True, verbose_name="pH from")),
                ("ph_high", models.FloatField(blank=True, null=True, verbose_name="pH to")),
                ("air_low", models.FloatField(blank=True, null=True, verbose_name="air from, °C")),
                ("air_high", models.FloatField(blank=True, null=True, verbose_name="air to, °C")),
                (
                    "humidity_low",
                    models.FloatField(blank=True, null=True, verbose_name="humidity from, %"),
                ),
                (
                    "humidity_high",
                    models.FloatField(blank=True, null=True, verbose_name="humidity to, %"),
                ),
                ("vpd_low", models.FloatField(blank=True, null=True, verbose_name="VPD from, kPa")),
                ("vpd_high", models.FloatField(blank=True, null=True, verbose_name="VPD to, kPa")),
                (
                    "water_high",
                    models.FloatField(blank=True, null=True, verbose_name="water at most, °C"),
                ),
                (
                    "dli",
                    models.FloatField(blank=True, null=True, verbose_name="light a day, mol/m²"),
                ),
                (
                    "drain_percent",
                    models.FloatField(blank=True, null=True, verbose_name="drain, %"),
                ),
                (
                    "profile",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="stages",
                        to="farm.cropprofile",
                        verbose_name="profile",
                    ),
                ),
            ],
            options={
                "verbose_name": "growth stage",
                "verbose_name_plural": "growth stages",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("profile", "position"), name="stage_order_unique"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Harvest",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=common.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("day", models.DateField(verbose_name="day")),
                ("note", models.CharField(blank=True, max_length=200, verbose_name="note")),
                ("written_at", models.DateTimeField(verbose_name="written at")),
                (
                    "struck_at",
                    models.DateTimeField(blank=True, null=True, verbose_name="struck out at"),
                ),
                ("kg", models.FloatField(verbose_name="kg")),
                (
                    "grade",
                    models.CharField(
                        choices=[("1", "Grade 1"), ("2", "Grade 2"), ("x", "Not for sale")],
                        default="1",
                        max_length=1,
                        verbose_name="grade",
                    ),
                ),
                ("vnd", models.PositiveBigIntegerField(default=0, verbose_name="sold for, ₫")),
                (
                    "batch",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="harvests",
                        to="farm.batch",
                    ),
                ),
                (
                    "by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "harvest",
                "verbose_name_plural": "harvests",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("kg__gt", 0)), name="harvest_kg_positive"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="LabourEntry",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=common.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("day", models.DateField(verbose_name="day")),
                ("note", models.CharField(blank=True, max_length=200, verbose_name="note")),
                ("written_at", models.DateTimeField(verbose_name="written at")),
                (
                    "struck_at",
                    models.DateTimeField(blank=True, null=True, verbose_name="struck out at"),
                ),
                (
                    "task",
                    models.CharField(
                        choices=[
                            ("sowing", "Sowing"),
                            ("planting", "Planting out"),
                            ("care", "Care"),
                            ("pollination", "Pollination"),
                            ("harvest", "Harvest"),
                            ("cleaning", "Cleaning"),
                            ("other", "Other"),
                        ],
                        max_length=12,
                        verbose_name="task",
                    ),
                ),
                ("hours", models.FloatField(verbose_name="hours")),
                (
                    "batch",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="labour",
                        to="farm.batch",
                    ),
                ),
                (
                    "by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "labour",
                "verbose_name_plural": "labour",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("hours__gt", 0)), name="labour_hours_positive"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="DeviceEvent",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("at", models.DateTimeField(verbose_name="at")),
                ("received_at", models.DateTimeField()),
                ("kind", models.CharField(max_length=40, verbose_name="kind")),
                ("is_raised", models.BooleanField(verbose_name="raised")),
                ("output_code", models.CharField(blank=True, max_length=24)),
                ("facts", models.JSONField(default=dict)),
                (
                    "node",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="device_events",
                        to="farm.node",
                    ),
                ),
            ],
            options={
                "verbose_name": "event of a controller",
                "verbose_name_plural": "events of controllers",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("node", "at", "kind", "is_raised", "output_code"),
                        name="device_event_once",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="BootSequence",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("boot", models.BigIntegerField()),
                ("ranges", models.JSONField(default=list)),
                ("began_at", models.DateTimeField()),
                ("last_frame_at", models.DateTimeField(null=True)),
                ("resend_asked_at", models.DateTimeField(null=True)),
                ("resend_tries", models.PositiveSmallIntegerField(default=0)),
                (
                    "node",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="boots",
                        to="farm.node",
                    ),
                ),
            ],
            options={
                "verbose_name": "frames of a boot",
                "verbose_name_plural": "frames of boots",
                "constraints": [
                    models.UniqueConstraint(fields=("node", "boot"), name="boot_once_per_node")
                ],
            },
        ),
        migrations.CreateModel(
            name="QuarantinedFrame",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("topic", models.CharField(max_length=200, verbose_name="topic")),
                ("payload", models.BinaryField(verbose_name="payload")),
                ("size", models.PositiveIntegerField(verbose_name="size, bytes")),
                (
                    "reason",
                    models.CharField(
                        choices=[
                            ("future", "from the future"),
                            ("too_old", "older than 35 days"),
                            ("not_finite", "not a number"),
                            ("impossible", "an impossible value"),
                            ("not_utf8", "not UTF-8"),
                            ("not_json", "not JSON"),
                            ("malformed", "not as farm/v1 says"),
                            ("too_large", "too large"),
                            ("unknown_channel", "unknown channel"),
                            ("unknown_node", "unknown controller"),
                            ("wrong_house", "under another house"),
                            ("retained", "an old command, retained"),
                        ],
                        max_length=15,
                        verbose_name="reason",
                    ),
                ),
                ("detail", models.CharField(blank=True, max_length=200, verbose_name="detail")),
                ("received_at", models.DateTimeField(verbose_name="received at")),
                (
                    "node",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="quarantined",
                        to="farm.node",
                    ),
                ),
            ],
            options={
                "verbose_name": "quarantined message",
                "verbose_name_plural": "quarantined messages",
                "indexes": [models.Index(fields=["-received_at"], name="quarantine_newest_first")],
            },
        ),
        migrations.CreateModel(
            name="Decision",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("at", models.DateTimeField(verbose_name="at")),
                (
                    "verdict",
                    models.CharField(
                        choices=[
                            ("act", "acted"),
                            ("skip", "had no need"),
                            ("blocked", "was held back"),
                        ],
                        max_length=7,
                        verbose_name="verdict",
                    ),
                ),
                ("reason", models.CharField(max_length=40, verbose_name="reason")),
                ("facts", models.JSONField(default=dict)),
                ("generation", models.PositiveIntegerField()),
                (
                    "command",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="decisions",
                        to="farm.command",
                    ),
                ),
                (
                    "rule",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="decisions",
                        to="farm.rule",
                    ),
                ),
            ],
            options={
                "verbose_name": "decision",
                "verbose_name_plural": "decisions",
                "indexes": [models.Index(fields=["rule", "-at"], name="decision_of_rule")],
            },
        ),
        migrations.AddIndex(
            model_name="command",
            index=models.Index(
                condition=models.Q(("status__in", ("queued", "sent", "accepted", "started"))),
                fields=["node"],
                name="command_open",
            ),
        ),
        migrations.AddIndex(
            model_name="command",
            index=models.Index(fields=["output", "-created_at"], name="command_of_output"),
        ),
        migrations.AddIndex(
            model_name="command",
            index=models.Index(fields=["-created_at"], name="command_newest_first"),
        ),
        migrations.AddConstraint(
            model_name="command",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("op", "run"), _negated=True),
                    models.Q(("output__isnull", False), ("seconds__gte", 1)),
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
                    models.Q(("ml__gt", 0), ("output__isnull", False)),
                    _connector="OR",
                ),
                name="command_dose_has_ml",
            ),
        ),
        migrations.AddConstraint(
            model_name="command",
            constraint=models.UniqueConstraint(
                condition=models.Q(("caller_key", ""), _negated=True),
                fields=("node", "caller_key"),
                name="command_once_per_caller_key",
            ),
        ),
        migrations.AddConstraint(
            model_name="watch",
            constraint=models.UniqueConstraint(
                fields=("greenhouse", "user"), name="watch_once_per_house"
            ),
        ),
        migrations.AddConstraint(
            model_name="zone",
            constraint=models.UniqueConstraint(
                fields=("greenhouse", "code"), name="zone_code_unique_in_house"
            ),
        ),
        migrations.AddConstraint(
            model_name="wateruse",
            constraint=models.UniqueConstraint(fields=("zone", "day"), name="water_use_once_a_day"),
        ),
        migrations.AddConstraint(
            model_name="output",
            constraint=models.UniqueConstraint(
                fields=("node", "code"), name="output_code_unique_on_node"
            ),
        ),
        migrations.AddConstraint(
            model_name="output",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("flow_low__isnull", True),
                    ("flow_high__isnull", True),
                    ("flow_low__lte", models.F("flow_high")),
                    _connector="OR",
                ),
                name="output_flow_band_in_order",
            ),
        ),
        migrations.AddConstraint(
            model_name="channel",
            constraint=models.UniqueConstraint(
                fields=("node", "code"), name="channel_code_unique_on_node"
            ),
        ),
        migrations.AddConstraint(
            model_name="batch",
            constraint=models.CheckConstraint(
                condition=models.Q(("area_m2__gt", 0)), name="batch_area_positive"
            ),
        ),
        migrations.AddConstraint(
            model_name="batch",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("ended_date__isnull", True),
                    ("ended_date__gte", models.F("sown_date")),
                    _connector="OR",
                ),
                name="batch_ends_after_it_was_sown",
            ),
        ),
        migrations.AddIndex(
            model_name="alarm",
            index=models.Index(
                fields=["greenhouse", "-opened_at"], name="alarm_of_house_newest_first"
            ),
        ),
        migrations.AddConstraint(
            model_name="alarm",
            constraint=models.UniqueConstraint(
                condition=models.Q(("cleared_at__isnull", True)),
                fields=("key",),
                name="alarm_open_once_per_key",
            ),
        ),
    ]
