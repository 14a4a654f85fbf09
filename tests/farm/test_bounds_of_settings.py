"""What the database refuses, whoever writes, and what the back office says of it."""

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import translation

from farm.models import AlarmLimit, CropProfile, CropStage
from tests.farm.factories import (
    make_channel,
    make_greenhouse,
    make_limit,
    make_output,
    make_zone,
)

pytestmark = pytest.mark.django_db


def make_stage(**changes):
    profile = CropProfile.objects.create(code="thu", name="Thử", source="thử")
    return CropStage.objects.create(profile=profile, position=1, name="Cây con", days=10, **changes)


@pytest.mark.parametrize(
    ("make", "good", "bad"),
    [
        (make_greenhouse, {"latitude": 90.0}, {"latitude": 90.1}),
        (make_greenhouse, {"longitude": -180.0}, {"longitude": -180.1}),
        (make_greenhouse, {"area_m2": 0.0}, {"area_m2": -1.0}),
        (make_greenhouse, {"is_stopped": False}, {"is_stopped": True}),
        (make_zone, {"area_m2": 0.0}, {"area_m2": -0.1}),
        (make_zone, {"reservoir_l": 0.0}, {"reservoir_l": -0.1}),
        (make_zone, {"daily_litre_cap": 0.0}, {"daily_litre_cap": -1.0}),
        (make_zone, {"daily_dose_cap_ml": None}, {"daily_dose_cap_ml": -1.0}),
        (make_channel, {"low": 1.0, "high": 1.0}, {"low": 2.0, "high": 1.0}),
        (make_channel, {"scale": -1.0}, {"scale": 0.0}),
        (make_output, {"ml_per_second": 0.1}, {"ml_per_second": 0.0}),
        (make_limit, {"low": 1.0, "high": None}, {"low": 2.0, "high": 1.0}),
        (make_limit, {"high": 1.0, "hysteresis": 0.0}, {"high": 1.0, "hysteresis": -1.0}),
        (make_stage, {"ec_low": 1.0, "ec_high": 2.0}, {"ec_low": 2.0, "ec_high": 1.0}),
        (make_stage, {"ph_low": 5.0}, {"ph_low": 6.0, "ph_high": 5.0}),
        (make_stage, {"air_high": 5.0}, {"air_low": 30.0, "air_high": 20.0}),
        (make_stage, {"humidity_low": 50.0}, {"humidity_low": 60.0, "humidity_high": 50.0}),
        (make_stage, {"vpd_low": None}, {"vpd_low": 1.0, "vpd_high": 0.5}),
    ],
)
def test_the_database_refuses_what_no_setting_can_be(make, good, bad):
    with pytest.raises(IntegrityError), transaction.atomic():
        make(**bad)

    assert make(**good).pk


def test_the_back_office_says_what_is_wrong_with_a_band():
    upside_down = AlarmLimit(channel=make_channel(), low=30.0, high=20.0)

    with translation.override("en"), pytest.raises(ValidationError) as caught:
        upside_down.full_clean()

    assert caught.value.messages == ["The lower end lies above the upper end."]
