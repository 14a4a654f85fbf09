"""Refuse in the database what no setting can be: bands upside down, less than nothing, scale 0."""

from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("addresses", "0001_initial"),
        ("farm", "0014_mend_what_cannot_be"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddConstraint(
            model_name="alarmlimit",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("low__isnull", True),
                    ("high__isnull", True),
                    ("low__lte", models.F("high")),
                    _connector="OR",
                ),
                name="alarm_limit_in_order",
                violation_error_message="The lower end lies above the upper end.",
            ),
        ),
        migrations.AddConstraint(
            model_name="alarmlimit",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("hysteresis__gte", 0), ("hysteresis__isnull", True), _connector="OR"
                ),
                name="alarm_limit_hysteresis_not_negative",
                violation_error_message="This cannot be less than 0.",
            ),
        ),
        migrations.AddConstraint(
            model_name="channel",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("low__isnull", True),
                    ("high__isnull", True),
                    ("low__lte", models.F("high")),
                    _connector="OR",
                ),
                name="channel_band_in_order",
                violation_error_message="The lower end lies above the upper end.",
            ),
        ),
        migrations.AddConstraint(
            model_name="channel",
            constraint=models.CheckConstraint(
                condition=models.Q(("scale", 0), _negated=True),
                name="channel_scale_not_zero",
                violation_error_message="Multiplied by 0 every value is the same.",
            ),
        ),
        migrations.AddConstraint(
            model_name="cropstage",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("ec_low__isnull", True),
                    ("ec_high__isnull", True),
                    ("ec_low__lte", models.F("ec_high")),
                    _connector="OR",
                ),
                name="stage_ec_in_order",
                violation_error_message="The lower end lies above the upper end.",
            ),
        ),
        migrations.AddConstraint(
            model_name="cropstage",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("ph_low__isnull", True),
                    ("ph_high__isnull", True),
                    ("ph_low__lte", models.F("ph_high")),
                    _connector="OR",
                ),
                name="stage_ph_in_order",
                violation_error_message="The lower end lies above the upper end.",
            ),
        ),
        migrations.AddConstraint(
            model_name="cropstage",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("air_low__isnull", True),
                    ("air_high__isnull", True),
                    ("air_low__lte", models.F("air_high")),
                    _connector="OR",
                ),
                name="stage_air_in_order",
                violation_error_message="The lower end lies above the upper end.",
            ),
        ),
        migrations.AddConstraint(
            model_name="cropstage",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("humidity_low__isnull", True),
                    ("humidity_high__isnull", True),
                    ("humidity_low__lte", models.F("humidity_high")),
                    _connector="OR",
                ),
                name="stage_humidity_in_order",
                violation_error_message="The lower end lies above the upper end.",
            ),
        ),
        migrations.AddConstraint(
            model_name="cropstage",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("vpd_low__isnull", True),
                    ("vpd_high__isnull", True),
                    ("vpd_low__lte", models.F("vpd_high")),
                    _connector="OR",
                ),
                name="stage_vpd_in_order",
                violation_error_message="The lower end lies above the upper end.",
            ),
        ),
        migrations.AddConstraint(
            model_name="greenhouse",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("latitude__gte", -90), ("latitude__lte", 90)),
                    ("latitude__isnull", True),
                    _connector="OR",
                ),
                name="greenhouse_latitude_on_earth",
                violation_error_message="There is no such place on Earth.",
            ),
        ),
        migrations.AddConstraint(
            model_name="greenhouse",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("longitude__gte", -180), ("longitude__lte", 180)),
                    ("longitude__isnull", True),
                    _connector="OR",
                ),
                name="greenhouse_longitude_on_earth",
                violation_error_message="There is no such place on Earth.",
            ),
        ),
        migrations.AddConstraint(
            model_name="greenhouse",
            constraint=models.CheckConstraint(
                condition=models.Q(("area_m2__gte", 0), ("area_m2__isnull", True), _connector="OR"),
                name="greenhouse_area_not_negative",
                violation_error_message="This cannot be less than 0.",
            ),
        ),
        migrations.AddConstraint(
            model_name="greenhouse",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("is_stopped", False), ("stopped_at__isnull", False), _connector="OR"
                ),
                name="greenhouse_stop_has_a_moment",
            ),
        ),
        migrations.AddConstraint(
            model_name="output",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("ml_per_second__isnull", True), ("ml_per_second__gt", 0), _connector="OR"
                ),
                name="output_rate_above_zero",
                violation_error_message="A doser gives more than 0 ml a second.",
            ),
        ),
        migrations.AddConstraint(
            model_name="zone",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("area_m2__gte", 0), ("area_m2__isnull", True), _connector="OR"),
                    models.Q(
                        ("reservoir_l__gte", 0), ("reservoir_l__isnull", True), _connector="OR"
                    ),
                ),
                name="zone_sizes_not_negative",
                violation_error_message="This cannot be less than 0.",
            ),
        ),
        migrations.AddConstraint(
            model_name="zone",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("daily_litre_cap__gte", 0),
                        ("daily_litre_cap__isnull", True),
                        _connector="OR",
                    ),
                    models.Q(
                        ("daily_dose_cap_ml__gte", 0),
                        ("daily_dose_cap_ml__isnull", True),
                        _connector="OR",
                    ),
                ),
                name="zone_caps_not_negative",
                violation_error_message="This cannot be less than 0.",
            ),
        ),
    ]
