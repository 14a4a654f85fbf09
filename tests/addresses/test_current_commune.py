"""Which commune the portal serves on a day, and which villages belong to it."""

from datetime import date

import pytest

from addresses.errors import NoCommuneError
from addresses.models import Commune, Village
from addresses.selectors import current_commune, villages_of

LAST_DAY, FIRST_DAY = date(2025, 6, 30), date(2025, 7, 1)

pytestmark = pytest.mark.django_db


@pytest.fixture
def merged():
    """Phú Lộc and Quang Lộc, merged into Hoa Lộc, which took over Phú Lộc's code."""
    hoa_loc = Commune.objects.create(
        code="16072", name="Hoa Lộc", province="Thanh Hoá", valid_from=FIRST_DAY
    )
    for code, name in (("16072", "Phú Lộc"), ("16069", "Quang Lộc")):
        old = Commune.objects.create(
            code=code, name=name, province="Thanh Hoá", valid_to=LAST_DAY, successor=hoa_loc
        )
        Village.objects.create(commune=old, code=f"{code}-1", name=f"Thôn của {name}")
    return hoa_loc


@pytest.mark.parametrize(("day", "name"), [(LAST_DAY, "Phú Lộc"), (FIRST_DAY, "Hoa Lộc")])
def test_the_code_means_the_old_commune_until_its_last_day(merged, day, name):
    assert current_commune(on=day).name == name


def test_a_portal_set_up_before_the_merger_follows_its_commune(merged, settings):
    settings.PORTAL_COMMUNE_CODE = "16069"

    assert current_commune(on=LAST_DAY).name == "Quang Lộc"
    assert current_commune(on=FIRST_DAY) == merged


def test_a_commune_that_ended_without_a_successor_stays_the_last_one_known(settings):
    settings.PORTAL_COMMUNE_CODE = "1"
    lost = Commune.objects.create(code="1", name="A", province="B", valid_to=LAST_DAY)

    assert current_commune(on=FIRST_DAY) == lost


def test_successors_in_a_circle_do_not_hang_the_portal(settings):
    settings.PORTAL_COMMUNE_CODE = "1"
    one = Commune.objects.create(code="1", name="A", province="B", valid_to=LAST_DAY)
    two = Commune.objects.create(code="2", name="C", province="B", valid_to=LAST_DAY, successor=one)
    one.successor = two
    one.save()

    assert current_commune(on=FIRST_DAY) == two
    assert villages_of(one, on=FIRST_DAY).count() == 0


def test_an_unknown_code_says_that_places_must_be_loaded():
    with pytest.raises(NoCommuneError, match="16072"):
        current_commune(on=FIRST_DAY)


def test_the_merged_commune_has_the_villages_of_all_that_became_it(merged):
    Village.objects.create(commune=merged, code="new", name="An Lạc")

    names = list(villages_of(merged, on=FIRST_DAY).values_list("name", flat=True))

    assert names == ["An Lạc", "Thôn của Phú Lộc", "Thôn của Quang Lộc"]


def test_an_old_commune_has_only_its_own_villages(merged):
    old = current_commune(on=LAST_DAY)

    assert [village.name for village in villages_of(old, on=LAST_DAY)] == ["Thôn của Phú Lộc"]


def test_a_village_that_ended_is_left_out(merged):
    Village.objects.filter(code="16069-1").update(valid_to=LAST_DAY)

    assert [village.code for village in villages_of(merged, on=FIRST_DAY)] == ["16072-1"]


def test_finding_the_villages_costs_the_same_for_two_and_for_ten(merged, django_assert_num_queries):
    with django_assert_num_queries(3):
        assert len(villages_of(merged, on=FIRST_DAY)) == 2
    for number in range(8):
        Village.objects.create(commune=merged, code=f"n{number}", name=f"Thôn {number}")

    with django_assert_num_queries(3):
        assert len(villages_of(merged, on=FIRST_DAY)) == 10
