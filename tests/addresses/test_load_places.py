"""The lists of communes and villages are taken over whole, again and again without harm."""

from datetime import date
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.utils import translation

from addresses.models import Commune, Village
from addresses.services import PlacesLoaded, load_places
from common.reference_table import TableRefusedError, read_csv

DATA = Path(__file__).parents[2] / "addresses" / "data"
LAST_DAY, FIRST_DAY = date(2025, 6, 30), date(2025, 7, 1)

pytestmark = pytest.mark.django_db


def commune(**changes):
    row = {
        "code": "16072",
        "name": "Hoa Lộc",
        "district": "",
        "province": "Thanh Hoá",
        "valid_from": "2025-07-01",
        "valid_to": "",
        "successor_code": "",
        "successor_valid_from": "",
        "source": "test",
    }
    return row | changes


def village(**changes):
    row = {
        "code": "XY",
        "name": "Xuân Yên",
        "commune_code": "16072",
        "commune_valid_from": "2025-07-01",
        "valid_from": "",
        "valid_to": "",
        "successor_code": "",
        "source": "test",
    }
    return row | changes


def problems(**lists):
    with pytest.raises(TableRefusedError) as refused:
        load_places(**{"communes": [], "villages": []} | lists)
    assert not Commune.objects.exists()
    assert not Village.objects.exists()
    return [
        (problem.table, problem.row_number, problem.column) for problem in refused.value.problems
    ]


def test_the_portals_own_lists_are_taken_over():
    lists = {
        "communes": read_csv(DATA / "communes.csv"),
        "villages": read_csv(DATA / "villages.csv"),
    }

    assert load_places(**lists) == PlacesLoaded(new=15, changed=0, unchanged=0)

    old = Commune.objects.get(code="16072", valid_to=LAST_DAY)
    new = Commune.objects.get(code="16072", valid_from=FIRST_DAY)
    assert (old.name, old.district, old.successor) == ("Phú Lộc", "Hậu Lộc", new)
    assert (new.name, new.district, new.predecessors.count()) == ("Hoa Lộc", "", 6)
    assert sorted(old.villages.values_list("code", flat=True)) == [
        "BH", "DT", "HP", "MT", "PT", "TL", "XY", "YT",
    ]  # fmt: skip


def test_the_same_lists_twice_change_nothing():
    lists = {
        "communes": read_csv(DATA / "communes.csv"),
        "villages": read_csv(DATA / "villages.csv"),
    }
    load_places(**lists)
    before = list(Commune.objects.values().order_by("pk")) + list(Village.objects.values())

    assert load_places(**lists) == PlacesLoaded(new=0, changed=0, unchanged=15)

    assert list(Commune.objects.values().order_by("pk")) + list(Village.objects.values()) == before


def test_a_corrected_row_changes_only_that_place():
    load_places(communes=[commune()], villages=[village(), village(code="PT", name="Phú Thịnh")])

    loaded = load_places(communes=[commune()], villages=[village(name="Xuân Yên Đông")])

    assert loaded == PlacesLoaded(new=0, changed=1, unchanged=1)
    assert list(Village.objects.order_by("code").values_list("name", flat=True)) == [
        "Phú Thịnh",
        "Xuân Yên Đông",
    ]


@pytest.mark.parametrize(
    ("changes", "column"),
    [
        ({"code": ""}, "code"),
        ({"name": "X" * 81}, "name"),
        ({"valid_from": "1/7/2025"}, "valid_from"),
        ({"valid_to": "2025-06-30"}, "valid_to"),
        ({"successor_code": "99999"}, "successor_code"),
        ({"successor_code": "16072", "successor_valid_from": "2025-07-01"}, "successor_code"),
    ],
)
def test_a_wrong_cell_is_named_and_nothing_is_taken_over(changes, column):
    rows = [commune(code="16012", name="Hậu Lộc"), commune(**changes)]

    assert problems(communes=rows) == [("communes", 3, column)]


def test_a_village_of_an_unknown_commune_is_refused():
    assert problems(villages=[village()]) == [("villages", 2, "commune_code")]


def test_each_wrong_row_is_named_at_once():
    rows = [commune(), commune(), commune(code="16012", province="")]

    assert problems(communes=rows, villages=[village(name="")]) == [
        ("communes", 4, "province"),
        ("villages", 2, "name"),
        ("communes", 3, "code"),
    ]


def test_successors_in_a_circle_are_refused():
    rows = [
        commune(code="1", successor_code="2", successor_valid_from="2025-07-01"),
        commune(code="2", successor_code="1", successor_valid_from="2025-07-01"),
    ]

    assert problems(communes=rows) == [("communes", 3, "successor_code")]


def test_the_sentence_tells_where_and_what():
    with translation.override("en"), pytest.raises(TableRefusedError) as refused:
        load_places(communes=[commune(valid_from="soon")], villages=[])

    assert str(refused.value) == (
        "communes, row 2, valid_from “soon”: This is not a day. Write it like 2025-07-01."
    )


def test_villages_invented_for_the_demo_stay_out_of_a_real_portal(settings):
    settings.DEMO = False

    call_command("load_places", stdout=(out := StringIO()))

    assert list(Village.objects.values_list("code", flat=True)) == ["XY"]
    assert out.getvalue() == "places: 8 new, 0 changed, 0 unchanged\n"


def test_the_command_says_what_is_wrong_with_a_list_of_ones_own(tmp_path):
    (tmp_path / "mine.csv").write_text("code,name\n16072,\n", encoding="utf-8")

    with pytest.raises(CommandError, match="name"):
        call_command("load_places", communes=tmp_path / "mine.csv")

    assert not Commune.objects.exists()
