"""The list of banks comes with the portal, and officials' corrections to it stay."""

from datetime import date
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command

from common.reference_table import TableRefusedError, read_csv
from payments.models import Bank
from payments.services.banks import BanksLoaded, load_banks

FILE = Path(__file__).parents[2] / "payments" / "data" / "banks.csv"

pytestmark = pytest.mark.django_db


def bank(**changes):
    row = {
        "bin": "970405",
        "short_name": "Agribank",
        "name": "Ngân hàng Nông nghiệp và Phát triển Nông thôn Việt Nam",
        "app_code": "vba",
        "source": "test",
        "as_of": "2026-07-31",
    }
    return row | changes


def test_the_portals_own_list_has_the_banks_of_the_countryside():
    assert load_banks(banks=read_csv(FILE)) == BanksLoaded(new=62, changed=0, kept=0)

    assert dict(
        Bank.objects.filter(
            bin__in=("970405", "970415", "970418", "970436", "970422", "970449", "970446", "999888")
        ).values_list("bin", "short_name")
    ) == {
        "970405": "Agribank",
        "970415": "VietinBank",
        "970418": "BIDV",
        "970436": "Vietcombank",
        "970422": "MB Bank",
        "970449": "LPBank",
        "970446": "Co-opBank",
        "999888": "VBSP",
    }


def test_the_same_list_twice_changes_nothing():
    load_banks(banks=read_csv(FILE))
    before = list(Bank.objects.values().order_by("pk"))

    assert load_banks(banks=read_csv(FILE)) == BanksLoaded(new=0, changed=0, kept=62)

    assert list(Bank.objects.values().order_by("pk")) == before


def test_what_an_official_corrected_stays():
    load_banks(banks=[bank()])
    Bank.objects.update(short_name="Agribank Hậu Lộc")

    assert load_banks(banks=[bank()]) == BanksLoaded(new=0, changed=0, kept=1)

    assert Bank.objects.get().short_name == "Agribank Hậu Lộc"


def test_a_newer_list_wins():
    load_banks(banks=[bank()])

    loaded = load_banks(banks=[bank(name="Tên mới", source="newer", as_of="2026-08-01")])

    assert loaded == BanksLoaded(new=0, changed=1, kept=0)
    row = Bank.objects.get()
    assert (row.name, row.source, row.as_of) == ("Tên mới", "newer", date(2026, 8, 1))


@pytest.mark.parametrize(
    ("changes", "column"),
    [
        ({"bin": "97040"}, "bin"),
        ({"bin": "97040A"}, "bin"),
        ({"bin": "٩٧٠٤٠٥"}, "bin"),
        ({"short_name": ""}, "short_name"),
        ({"as_of": ""}, "as_of"),
        ({"as_of": "July"}, "as_of"),
    ],
)
def test_a_wrong_cell_is_named_and_nothing_is_taken_over(changes, column):
    with pytest.raises(TableRefusedError) as refused:
        load_banks(banks=[bank(bin="970415"), bank(**changes)])

    assert [(one.row_number, one.column) for one in refused.value.problems] == [(3, column)]
    assert not Bank.objects.exists()


def test_a_bin_that_stands_twice_is_refused():
    with pytest.raises(TableRefusedError) as refused:
        load_banks(banks=[bank(), bank(short_name="Khác")])

    assert [(one.row_number, one.column) for one in refused.value.problems] == [(3, "bin")]


def test_the_command_tells_what_it_did():
    call_command("load_banks", stdout=(out := StringIO()))

    assert out.getvalue() == "banks: 62 new, 0 changed, 0 kept as they are\n"
