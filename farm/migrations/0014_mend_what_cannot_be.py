"""Mend what the next migration refuses, so that nobody's data stands in its way.

What cannot be meant is set to what does least: a scale of 0 takes its sensor out of service, caps
below 0 become 0 (they let nothing through before), bands upside down are turned round.
"""

from django.db import migrations
from django.db.models import F, Q
from django.utils import timezone

STAGE_BANDS = ("ec", "ph", "air", "humidity", "vpd")


def mend(apps, schema_editor):
    """Change the rows that are out of bounds, and no others."""

    def rows(name):
        return apps.get_model("farm", name).objects

    rows("Channel").filter(scale=0).update(scale=1, is_active=False)
    _turn_round(rows("Channel"), "low", "high")
    _turn_round(rows("AlarmLimit"), "low", "high")
    for band in STAGE_BANDS:
        _turn_round(rows("CropStage"), f"{band}_low", f"{band}_high")
    for name, field in (
        ("AlarmLimit", "hysteresis"),
        ("Greenhouse", "area_m2"),
        ("Zone", "area_m2"),
        ("Zone", "reservoir_l"),
        ("Zone", "daily_litre_cap"),
        ("Zone", "daily_dose_cap_ml"),
    ):
        rows(name).filter(**{f"{field}__lt": 0}).update(**{field: 0})
    rows("Output").filter(ml_per_second__lte=0).update(ml_per_second=None)
    houses = rows("Greenhouse")
    houses.filter(Q(latitude__lt=-90) | Q(latitude__gt=90)).update(latitude=None)
    houses.filter(Q(longitude__lt=-180) | Q(longitude__gt=180)).update(longitude=None)
    houses.filter(is_stopped=True, stopped_at=None).update(stopped_at=timezone.now())


def _turn_round(rows, low, high):
    rows.filter(**{f"{low}__gt": F(high)}).update(**{low: F(high), high: F(low)})


class Migration(migrations.Migration):
    dependencies = [("farm", "0013_state_without_a_clock")]

    operations = [migrations.RunPython(mend, migrations.RunPython.noop)]
