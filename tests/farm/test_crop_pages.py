"""The cooperative reads and corrects what its crops want."""

from io import StringIO

import pytest
from django.contrib.auth.models import Group
from django.core.management import call_command
from django.urls import reverse

from accounts.roles import Role
from farm.models import CropProfile, CropStage
from tests.accounts.factories import make_official, make_person

pytestmark = pytest.mark.django_db


@pytest.fixture
def member(client):
    call_command("load_crop_profiles", stdout=StringIO())
    person = make_person(phone="+84912000111")
    person.groups.add(Group.objects.get(name=Role.COOPERATIVE_MEMBER))
    client.force_login(person)
    client.cookies.load({"django_language": "en"})
    return client


def said_by(form) -> dict:
    """What a browser would send back of a form that nobody touched."""
    sent = {}
    for field in form:
        value = field.value()
        if value is True:
            sent[field.html_name] = "on"
        elif value not in (None, False):
            sent[field.html_name] = field.field.prepare_value(value)
    return sent


@pytest.mark.parametrize("name", ["farm_crop", "farm_crop_edit"])
def test_a_resident_may_not_read_or_correct_a_crop(client, name):
    call_command("load_crop_profiles", stdout=StringIO())
    client.force_login(make_person())

    assert client.get(reverse(name, args=["melon"])).status_code == 403


def test_a_crop_shows_its_stages_targets_and_sources(member):
    html = member.get(reverse("farm_crop", args=["watermelon"])).content.decode()

    for said in ("Nuôi quả", "1.5–2.5 mS/cm", "Spectrum 2265FS", "not verified", "4.00 kg/m²"):
        assert said in html


def test_every_crop_stands_in_the_list(member):
    html = member.get(reverse("farm_crops")).content.decode()

    for name in ("Xà lách", "Rau ăn lá", "Dưa lưới", "Dưa hấu"):
        assert name in html


def test_a_corrected_stage_is_no_longer_changed_by_the_file(member):
    url = reverse("farm_stage_edit", args=["lettuce", 2])
    said = said_by(member.get(url).context["form"]) | {"ec_high": "1,6", "source": "Sổ nhà"}

    answer = member.post(url, said)

    stage = CropStage.objects.get(profile__code="lettuce", position=2)
    assert answer.url == reverse("farm_crop", args=["lettuce"])
    assert (stage.ec_low, stage.ec_high, stage.source) == (1.2, 1.6, "Sổ nhà")
    out = StringIO()
    call_command("load_crop_profiles", stdout=out)
    assert "3 unchanged, 1 kept" in out.getvalue()


def test_a_form_saved_untouched_changes_no_figure(member):
    url = reverse("farm_stage_edit", args=["melon", 3])
    CropStage.objects.filter(profile__code="melon", position=3).update(ec_low=2.125)
    before = CropStage.objects.filter(profile__code="melon", position=3).values().get()

    member.post(url, said_by(member.get(url).context["form"]))

    assert CropStage.objects.filter(profile__code="melon", position=3).values().get() == before


@pytest.mark.parametrize(
    ("typed", "field"),
    [({"ec_low": "9"}, "ec_low"), ({"days": "0"}, "days"), ({"source": ""}, "source")],
)
def test_a_stage_that_cannot_be_is_asked_for_again(member, typed, field):
    url = reverse("farm_stage_edit", args=["lettuce", 1])
    before = list(CropStage.objects.order_by("pk").values())

    answer = member.post(url, said_by(member.get(url).context["form"]) | typed)

    assert answer.status_code == 422
    assert field in answer.context["form"].errors
    assert list(CropStage.objects.order_by("pk").values()) == before


def test_the_cooperatives_own_soil_figures_need_a_source(member):
    url = reverse("farm_crop_edit", args=["leafy-greens"])
    said = said_by(member.get(url).context["form"]) | {"soil_hours_per_m2": "0,8"}

    refused = member.post(url, said)
    member.post(url, said | {"soil_source": "Sổ công của tổ 2, vụ xuân 2026"})

    crop = CropProfile.objects.get(code="leafy-greens")
    assert "soil_source" in refused.context["form"].errors
    assert (crop.soil_hours_per_m2, crop.soil_source) == (0.8, "Sổ công của tổ 2, vụ xuân 2026")


def test_officials_edit_profiles_with_their_stages_and_read_batches(client):
    call_command("load_crop_profiles", stdout=StringIO())
    client.force_login(make_official())
    melon = CropProfile.objects.get(code="melon")

    pages = [
        client.get(reverse(f"admin:farm_{name}", args=args), follow=True).status_code
        for name, args in (
            ("cropprofile_changelist", []),
            ("cropprofile_change", [melon.pk]),
            ("batch_changelist", []),
            ("harvest_changelist", []),
            ("costentry_changelist", []),
            ("labourentry_changelist", []),
        )
    ]

    assert pages == [200] * 6
