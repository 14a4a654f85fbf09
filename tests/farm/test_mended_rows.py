"""A migration that mends rows before the database refuses them."""

from importlib import import_module

import pytest
from django.apps import apps
from django.db import connection
from django.db.models import CheckConstraint

from farm.models import AlarmLimit, Channel, CropProfile, CropStage, Greenhouse, Output, Zone
from tests.farm.factories import make_channel, make_greenhouse, make_limit, make_output, make_zone

mend = import_module("farm.migrations.0014_mend_what_cannot_be").mend


@pytest.fixture
def unchecked(db):
    """Let the database take what it refuses by now, as it did when the migration was needed."""
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA ignore_check_constraints = ON")
            yield
            cursor.execute("PRAGMA ignore_check_constraints = OFF")
        return
    # The test's transaction brings them back.
    with connection.schema_editor() as editor:
        for model in (AlarmLimit, Channel, CropStage, Greenhouse, Output, Zone):
            for constraint in model._meta.constraints:
                if isinstance(constraint, CheckConstraint):
                    editor.remove_constraint(model, constraint)
    yield


def test_what_the_database_will_refuse_is_mended_and_nothing_else(unchecked):
    profile = CropProfile.objects.create(code="thu", name="Thử", source="thử")
    CropStage.objects.create(
        profile=profile, position=1, name="Cây con", days=9, ec_low=2.0, ec_high=1.0, ph_low=5.5
    )
    zone = make_zone(area_m2=-1.0, reservoir_l=400.0, daily_litre_cap=-5.0, daily_dose_cap_ml=None)
    house = make_greenhouse(latitude=95.0, longitude=105.9, is_stopped=True, stopped_at=None)
    dead = make_channel(scale=0.0, low=5.0, high=1.0)
    sound = make_channel(scale=2.0, low=1.0, high=5.0)
    limit = make_limit(low=30.0, high=20.0, hysteresis=-1.0)
    doser = make_output(ml_per_second=0.0)

    mend(apps, None)

    stage = CropStage.objects.values_list("ec_low", "ec_high", "ph_low", "ph_high")
    assert list(stage) == [(1.0, 2.0, 5.5, None)]
    caps = Zone.objects.values_list("area_m2", "reservoir_l", "daily_litre_cap")
    assert caps.get(pk=zone.pk) == (0.0, 400.0, 0.0)
    place = Greenhouse.objects.get(pk=house.pk)
    assert (place.latitude, place.longitude, place.stopped_at is None) == (None, 105.9, False)
    channels = Channel.objects.values_list("scale", "low", "high", "is_active")
    assert channels.get(pk=dead.pk) == (1.0, 1.0, 5.0, False)
    assert channels.get(pk=sound.pk) == (2.0, 1.0, 5.0, True)
    limit.refresh_from_db()
    assert (limit.low, limit.high, limit.hysteresis) == (20.0, 30.0, 0.0)
    assert Output.objects.get(pk=doser.pk).ml_per_second is None
