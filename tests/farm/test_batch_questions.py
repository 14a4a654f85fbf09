"""What is odd but can be: asked once, and written only when a person has confirmed it."""

import re
import uuid
from datetime import date, timedelta

import pytest
from django.contrib.auth.models import Group
from django.urls import reverse
from django.utils import timezone, translation

from accounts.roles import Role
from farm.models import Batch, CostEntry, Harvest, Zone
from farm.selectors import batch_questions
from tests.accounts.factories import make_person
from tests.farm.factories import NOON, make_batch, make_profile, make_zone

pytestmark = pytest.mark.django_db
DAY = date(2026, 11, 20)


@pytest.fixture(autouse=True)
def english():
    with translation.override("en"):
        yield


@pytest.fixture
def member(client):
    person = make_person(phone="+84912000111", full_name="Trần Văn Nhân")
    person.groups.add(Group.objects.get(name=Role.COOPERATIVE_MEMBER))
    client.force_login(person)
    client.cookies.load({"django_language": "en"})


def sowing(zone, **changes):
    said = {"area_m2": 10.0, "plants": None, "method": "hydroponic", "key": uuid.uuid4()}
    return list(batch_questions.of_sowing(zone=zone, **said | changes))


def spray(batch, **changes) -> CostEntry:
    said = {
        "id": uuid.uuid4(), "day": DAY, "kind": "protection", "vnd": 1, "note": "Neem",
        "waiting_days": 3, "written_at": NOON,
    }  # fmt: skip
    return CostEntry.objects.create(batch=batch, **said | changes)


def picking(batch, day, grade="1"):
    return [one.words for one in batch_questions.of_harvest(batch=batch, day=day, grade=grade)]


def test_a_place_that_is_taken_is_asked_about():
    zone = make_zone(name="Giàn 1", area_m2=140)
    first = make_batch(zone=zone, area_m2=140.0)

    assert sowing(zone) == [
        (
            f"taken-{zone.pk}-10.0-{first.pk}",
            f"{first.code} still grows on 140 of the 140 m² of Giàn 1.",
        )
    ]


def test_room_beside_a_batch_or_after_one_is_not_asked_about():
    zone = make_zone(area_m2=140)
    make_batch(zone=zone, area_m2=130.0)
    make_batch(zone=zone, area_m2=140.0, ended_date=DAY, status=Batch.Status.ENDED)

    assert sowing(zone, area_m2=10.0) == []
    assert [one.code.split("-")[0] for one in sowing(zone, area_m2=10.5)] == ["taken"]


def test_exactly_the_rest_of_a_place_is_not_asked_about_whatever_floats_make_of_it():
    zone = make_zone(area_m2=79.3)
    make_batch(zone=zone, area_m2=39.7)

    assert 39.7 + 39.6 > 79.3
    assert sowing(zone, area_m2=39.6) == []
    assert len(sowing(zone, area_m2=39.62)) == 1


def test_the_same_sowing_sent_twice_does_not_stand_in_its_own_way():
    zone = make_zone(area_m2=10)
    batch = make_batch(zone=zone, area_m2=10.0)

    assert sowing(zone, key=uuid.UUID(batch.token)) == []


def test_more_plants_than_can_stand_there_are_asked_about_but_in_a_nursery():
    zone = make_zone(area_m2=140)
    assert sowing(zone, area_m2=140.0, plants=99_999) == [
        (f"dense-{zone.pk}-99999-140.0", "99,999 plants on 140 m² are 714 on each m²."),
    ]
    assert sowing(make_zone(area_m2=20), plants=1500) == []
    assert sowing(make_zone(area_m2=20, kind=Zone.Kind.NURSERY), plants=9000) == []


def test_soil_on_a_rack_is_asked_about_and_soil_in_a_bed_is_not():
    rack = make_zone(name="Giàn 1", area_m2=20)

    assert sowing(rack, method="soil") == [
        (f"method-{rack.pk}", "Giàn 1 is a rack, and this is to grow in soil.")
    ]
    assert sowing(make_zone(area_m2=20, kind=Zone.Kind.BED), method="soil") == []


def test_a_harvest_within_the_waiting_days_is_asked_about():
    batch = make_batch()
    spray(batch)

    assert picking(batch, DAY) == [
        "Neem was used on 20/11/2026; by its label picking waits until 23/11/2026."
    ]
    assert len(picking(batch, DAY + timedelta(days=2))) == 1
    assert picking(batch, DAY + timedelta(days=3)) == []
    assert picking(batch, DAY - timedelta(days=1)) == []
    assert picking(batch, DAY, grade="x") == []


def test_waiting_days_that_nobody_noted_are_asked_about_and_struck_entries_are_not():
    batch = make_batch()
    spray(batch, waiting_days=None)
    spray(batch, struck_at=NOON)
    spray(batch, waiting_days=0)

    for day in (DAY, DAY + timedelta(days=90)):
        assert picking(batch, day) == [
            "Neem (20/11/2026) was used, and no waiting days of it are noted."
        ]
    assert picking(batch, DAY + timedelta(days=91)) == []


def test_many_products_without_waiting_days_are_one_question():
    batch = make_batch()
    for product in ("Neem", "Bt"):
        spray(batch, note=product, waiting_days=None, day=DAY - timedelta(days=len(product)))

    assert picking(batch, DAY) == [
        "Neem (16/11/2026), Bt (18/11/2026) were used, and no waiting days of them are noted."
    ]


def test_a_product_that_comes_to_the_book_after_the_harvest_is_asked_about():
    batch = make_batch()
    first = Harvest.objects.create(batch=batch, kg=1.0, day=DAY, written_at=NOON)

    def asked(days, day=DAY, kind="protection"):
        return [
            one.code
            for one in batch_questions.of_cost(batch=batch, day=day, kind=kind, waiting_days=days)
        ]

    assert asked(3, DAY - timedelta(days=2)) == [f"picked-{first.pk}-2026-11-21"]
    assert asked(3, DAY - timedelta(days=3)) == []
    assert asked(0) == []
    assert asked(3, kind="seed") == []


def test_all_picked_of_nothing_is_asked_about():
    batch = make_batch()
    Harvest.objects.create(batch=batch, kg=1.0, grade="x", day=DAY, written_at=NOON)

    assert list(batch_questions.of_end(batch=batch, is_lost=True)) == []
    assert list(batch_questions.of_end(batch=batch, is_lost=False)) == [
        ("nothing_picked", "The book has no harvest for sale of this batch.")
    ]


@pytest.mark.usefixtures("member")
def test_a_batch_is_ended_without_a_harvest_only_when_that_is_confirmed(client):
    batch = make_batch()
    url = reverse("farm_batch_end", args=[batch.code])
    said = {"how": "ended", "day": str(timezone.localdate()), "note": ""}

    asked = client.post(url, said)

    html = asked.content.decode()
    assert asked.status_code == 422
    assert "The book has no harvest for sale of this batch." in html
    assert 'type="checkbox" name="sure" value="nothing_picked"' in html
    assert 'href="#id_sure"' in html
    assert Batch.objects.get().ended_date is None

    assert client.post(url, said | {"sure": "nothing_picked"}).status_code == 302
    assert Batch.objects.get().status == Batch.Status.ENDED


@pytest.mark.usefixtures("member")
def test_each_question_has_its_own_tick_and_an_old_one_answers_no_new_one(client):
    zone, profile = make_zone(area_m2=20), make_profile()
    said = {
        "key": str(uuid.uuid4()), "profile": profile.pk, "zone": zone.pk, "area_m2": "10",
        "sown_date": str(timezone.localdate()), "plants": "9999", "variety": "", "note": "",
        "method": "soil",
    }  # fmt: skip
    url = reverse("farm_batch_new")
    dense, method = f"dense-{zone.pk}-9999-10.0", f"method-{zone.pk}"

    assert client.get(url).content.decode().count('name="sure"') == 0
    half = client.post(url, said | {"sure": [dense]})
    assert half.status_code == 422
    assert re.search(rf'value="{dense}"[^>]* checked', half.content.decode())
    assert not Batch.objects.exists()

    for _ in range(2):
        assert client.post(url, said | {"sure": [dense, method]}).status_code == 302
    assert Batch.objects.get().plants == 9999


@pytest.mark.usefixtures("member")
def test_a_tick_confirms_only_the_figures_that_were_read(client):
    zone, profile = make_zone(area_m2=20), make_profile()
    said = {
        "key": str(uuid.uuid4()), "profile": profile.pk, "zone": zone.pk, "area_m2": "10",
        "sown_date": str(timezone.localdate()), "plants": "2000", "variety": "", "note": "",
        "method": "hydroponic", "sure": [f"dense-{zone.pk}-2000-10.0"],
    }  # fmt: skip
    url = reverse("farm_batch_new")

    changed = client.post(url, said | {"plants": "200000"}).content.decode()

    assert "200,000 plants on 10 m² are 20,000 on each m²." in changed
    assert "checked" not in re.search(r'<input[^>]*name="sure"[^>]*>', changed)[0]
    assert 'name="sure"' not in client.post(url, said | {"area_m2": "x"}).content.decode()
    assert not Batch.objects.exists()
    assert client.post(url, said).status_code == 302


def test_waiting_days_are_asked_about_again_for_another_day():
    batch = make_batch()
    entry = spray(batch)

    def codes(day):
        return [q.code for q in batch_questions.of_harvest(batch=batch, day=day, grade="1")]

    assert codes(DAY) == [f"wait-{entry.pk}-2026-11-20"]
    assert codes(DAY + timedelta(days=1)) == [f"wait-{entry.pk}-2026-11-21"]


@pytest.mark.usefixtures("member")
@pytest.mark.parametrize("typed", ["", "-1", "366", "x"])
def test_plant_protection_needs_the_waiting_days_of_its_label(client, typed):
    batch = make_batch()
    said = {"day": str(DAY), "kind": "protection", "vnd": "250.000", "note": "Neem"}

    answer = client.post(
        reverse("farm_batch_cost", args=[batch.code]), said | {"waiting_days": typed}
    )

    assert answer.status_code == 422
    assert 'id="id_waiting_days_error"' in answer.content.decode()
    assert not CostEntry.objects.exists()


@pytest.mark.usefixtures("member")
def test_a_label_that_names_no_waiting_days_is_noted_as_that_and_not_as_none_to_wait(client):
    batch = make_batch()
    url = reverse("farm_batch_cost", args=[batch.code])
    said = {"day": str(DAY), "kind": "protection", "vnd": "250.000", "note": "Neem"}

    form = client.get(url).content.decode()
    both = client.post(url, said | {"waiting_days": "0", "names_no_days": "on"})
    ticked = client.post(url, said | {"waiting_days": "", "names_no_days": "on"})

    assert "0 only if the label says 0." in form
    assert (both.status_code, ticked.status_code) == (422, 302)
    assert 'id="id_waiting_days_error"' in both.content.decode()
    assert CostEntry.objects.get().waiting_days is None
    assert picking(batch, DAY) == [
        "Neem (20/11/2026) was used, and no waiting days of it are noted."
    ]
    client.logout()
    public = client.get(reverse("farm_trace", args=[batch.token])).content.decode()
    assert "Neem" in public
    assert "waiting time by its label" not in public


@pytest.mark.usefixtures("member")
def test_waiting_days_are_kept_for_plant_protection_alone(client):
    batch = make_batch()
    url = reverse("farm_batch_cost", args=[batch.code])
    said = {"day": str(DAY), "vnd": "250.000", "note": "Neem", "waiting_days": "7"}

    for kind in ("protection", "seed"):
        client.post(url, said | {"kind": kind})

    kept = CostEntry.objects.order_by("kind").values_list("kind", "waiting_days")
    assert list(kept) == [("protection", 7), ("seed", None)]
