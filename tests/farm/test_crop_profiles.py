"""The portal's file of crop profiles, and the cooperative's right to its own figures."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from common.reference_table import TableRefusedError
from farm.models import CropProfile, CropStage
from farm.services.crop_profiles import load_crop_profiles

pytestmark = pytest.mark.django_db

PROFILE = {"code": "mint", "name": "Bạc hà", "is_verified": "yes", "source": "a book"}
STAGE = {
    "profile": "mint", "position": "1", "name": "Lớn", "days": "30",
    "ec_low": "1.2", "ec_high": "1.6", "source": "a book",
}  # fmt: skip


def load(*profiles, stages=(STAGE,)):
    return load_crop_profiles(profiles=profiles or (PROFILE,), stages=stages)


def everything():
    return list(CropProfile.objects.order_by("pk").values()), list(
        CropStage.objects.order_by("pk").values()
    )


def test_the_portals_own_file_has_four_crops_with_a_source_for_every_figure():
    out = StringIO()

    call_command("load_crop_profiles", stdout=out)

    assert out.getvalue() == (
        "crop profiles: 4 new, 0 changed, 0 unchanged, 0 kept as the cooperative has them\n"
    )
    verified = dict(CropProfile.objects.values_list("code", "is_verified"))
    assert verified == {"lettuce": True, "leafy-greens": True, "melon": True, "watermelon": False}
    assert not CropStage.objects.filter(source="").exists()
    assert not CropStage.objects.filter(source_date=None).exists()
    lettuce = CropProfile.objects.get(code="lettuce")
    assert (lettuce.soil_days, lettuce.soil_kg_per_m2, lettuce.soil_litres_per_kg) == (65, 1.8, 250)
    assert "PMC4483736" in lettuce.soil_source
    fruit = CropStage.objects.get(profile__code="melon", position=3)
    assert (fruit.ec_low, fruit.ec_high, fruit.air_low, fruit.air_high) == (2.2, 2.6, 16, 34)


def test_the_same_file_twice_changes_nothing():
    call_command("load_crop_profiles", stdout=StringIO())
    before = everything()
    out = StringIO()

    call_command("load_crop_profiles", stdout=out)

    assert everything() == before
    assert out.getvalue().startswith("crop profiles: 0 new, 0 changed, 4 unchanged, 0 kept")


def test_a_newer_file_changes_a_profile_that_nobody_edited():
    load()

    done = load(stages=(STAGE | {"ec_high": "1.8"},))

    assert done == (0, 1, 0, 0)
    assert CropStage.objects.get().ec_high == 1.8


@pytest.mark.parametrize("edited", ["profile", "stage", "new stage"])
def test_what_the_cooperative_edited_stays(edited):
    load()
    profile = CropProfile.objects.get()
    if edited == "profile":
        CropProfile.objects.update(soil_hours_per_m2=0.5, soil_source="sổ của hợp tác xã")
    elif edited == "stage":
        CropStage.objects.update(ec_high=1.5)
    else:
        CropStage.objects.create(profile=profile, position=2, name="Chín", days=5)
    before = everything()

    done = load(PROFILE | {"note": "newer"}, stages=(STAGE | {"ec_high": "1.8"},))

    assert done == (0, 0, 0, 1)
    assert everything() == before


def test_a_profile_that_the_cooperative_made_itself_stays():
    CropProfile.objects.create(code="mint", name="Bạc hà nhà mình", source="kinh nghiệm")

    done = load()

    assert done == (0, 0, 0, 1)
    assert CropProfile.objects.get().name == "Bạc hà nhà mình"


@pytest.mark.parametrize(
    ("profile", "stage", "column"),
    [
        ({"source": ""}, {}, "source"),
        ({"is_verified": "maybe"}, {}, "is_verified"),
        ({"soil_days": "60"}, {}, "soil_source"),
        ({}, {"ec_low": "2"}, "ec_low"),
        ({}, {"ec_low": "nan"}, "ec_low"),
        ({}, {"days": "0"}, "days"),
        ({}, {"days": "1.5"}, "days"),
        ({}, {"profile": "thyme"}, "profile"),
        ({}, {"source": ""}, "source"),
    ],
)
def test_a_wrong_row_is_named_and_nothing_is_taken_over(profile, stage, column):
    with pytest.raises(TableRefusedError) as refusal:
        load(PROFILE | profile, stages=(STAGE | stage,))

    assert refusal.value.problems[0].column == column
    assert everything() == ([], [])


def test_the_command_says_what_is_wrong_in_a_file(tmp_path):
    path = tmp_path / "profiles.csv"
    path.write_text("code,name,is_verified,source\nmint,,yes,a book\n", encoding="utf-8")

    with pytest.raises(CommandError, match="name"):
        call_command("load_crop_profiles", profiles=path)
