"""Tables to take home: what Excel opens, bounded, and nothing that it would run."""

from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import Group
from django.utils import translation

from accounts.roles import Role
from farm.csv_lines import Style, csv_pieces
from farm.models import Alarm, Flag, Rollup
from farm.selectors import exports
from tests.accounts.factories import make_person
from tests.farm.factories import NOON, make_channel, make_greenhouse, make_node, make_zone, measure

pytestmark = pytest.mark.django_db
MARK = "\ufeff"


@pytest.fixture
def house():
    return make_greenhouse(code="nm1", name="Nhà màng 1")


@pytest.fixture
def air(house):
    zone = make_zone(greenhouse=house, name="=Giàn A")
    node = make_node(greenhouse=house, name="n1")
    return make_channel(node=node, zone=zone, code="air_t", label="Nhiệt độ", low=0)


@pytest.fixture
def member(client):
    person = make_person(phone="+84912000333", full_name="Trần Văn Nhân")
    person.groups.add(Group.objects.get(name=Role.COOPERATIVE_MEMBER))
    client.force_login(person)
    client.cookies.load({"django_language": "en"})
    return person


def export(client, **changes) -> str:
    """Give the table without the quotes that stand around each field."""
    asked = {
        "table": "so-lieu",
        "level": "goc",
        "since": "2026-11-22",
        "until": "2026-11-22",
        "style": "vi",
    }
    answer = client.get("/nha-mang/nm1/xuat/", asked | changes)
    assert answer.status_code == 200, answer.content.decode()
    assert answer["Content-Type"] == "text/csv; charset=utf-8", answer.content.decode()
    return b"".join(answer.streaming_content).decode().replace('"', "")


def test_readings_stand_in_a_file_that_excel_opens(client, member, air):
    measure(air, 28.4, t=NOON)
    measure(air, -2.5, t=NOON + timedelta(seconds=30), flags=Flag.ESTIMATED | Flag.OUT_OF_RANGE)
    measure(air, 30, t=datetime(2026, 11, 22, 17, 0, tzinfo=UTC))  # the next day here

    lines = export(client).split("\r\n")

    place = "Nhà màng 1;'=Giàn A;Nhiệt độ;n1/air_t"
    assert lines == [
        f"{MARK}Time;Greenhouse;Zone;Sensor;Code;Value;Unit;Remark",
        f"2026-11-22 12:00:00;{place};28,4;degC;",
        f"2026-11-22 12:00:30;{place};-2,5;degC;time estimated, outside what is sensible",
        "",
    ]


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("=1+1", "'=1+1"), (" =1+1", "' =1+1"), ("\t=1", "'\t=1"), ("\r@x", "'\r@x"),
        ("\uff1d1+1", "'\uff1d1+1"), ("\ufeff+1", "'\ufeff+1"), ("Giàn; =1", "Giàn; =1"), ("", ""),
    ],
)  # fmt: skip
def test_no_words_are_run_as_a_formula_and_none_split(written, kept):
    for style in Style:
        table = b"".join(csv_pieces([[written, 1]], style=style)).decode("utf-8-sig")
        sign = ";" if style == Style.VIETNAMESE else ","
        assert table == f'"{kept}"{sign}"1"\r\n'


def test_an_english_excel_gets_its_own_commas(client, member, air):
    measure(air, 28.4, t=NOON)

    lines = export(client, style="en").split("\r\n")

    assert lines[1] == "2026-11-22 12:00:00,Nhà màng 1,'=Giàn A,Nhiệt độ,n1/air_t,28.4,degC,"


def test_rollups_say_mean_low_high_and_how_many(client, member, air):
    other = make_channel(node=air.node, code="rh")
    for channel, level in ((air, 3600), (air, 900), (other, 3600)):
        Rollup.objects.create(
            channel=channel, level=level, bucket=NOON, n=4, total=114, low=28, high=29.25, last=28.5
        )

    lines = export(client, level="1g", channels=air.pk).split("\r\n")

    assert lines == [
        f"{MARK}From;Greenhouse;Zone;Sensor;Code;Mean;Lowest;Highest;Last;Unit;Number of readings",
        "2026-11-22 12:00:00;Nhà màng 1;'=Giàn A;Nhiệt độ;n1/air_t;28,5;28;29,25;28,5;degC;4",
        "",
    ]


def test_alarms_are_told_in_words(client, member, house, air):
    Alarm.objects.create(
        greenhouse=house, node=air.node, key="node_offline:1", kind="node_offline", severity=2,
        opened_at=NOON, last_at=NOON, cleared_at=NOON + timedelta(minutes=5), times=3,
        acknowledged_at=NOON + timedelta(minutes=1), acknowledged_by=member,
    )  # fmt: skip

    lines = export(client, table="canh-bao").split("\r\n")

    headings = "Since;Over at;Greenhouse;Zone;Severity;Alarm;How many times;Seen at;Seen by"
    assert lines[0] == f"{MARK}{headings}"
    cells = lines[1].split(";")
    assert cells[:5] == ["2026-11-22 12:00:00", "2026-11-22 12:05:00", "Nhà màng 1", "", "Warning"]
    assert cells[6:] == ["3", "2026-11-22 12:01:00", "Trần Văn Nhân"]


def test_a_table_that_is_cut_says_so(house, air, monkeypatch):
    monkeypatch.setattr(exports, "MOST_LINES", 2)
    for seconds in range(3):
        measure(air, 20 + seconds, t=NOON + timedelta(seconds=seconds))

    until = NOON + timedelta(minutes=1)
    with translation.override("en"):
        lines = list(exports.reading_lines(house, [air], since=NOON, until=until))

    assert [line[5] for line in lines[1:3]] == [20.0, 21.0]
    assert lines[3:] == [["Cut here: choose fewer days or sensors."]]


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"until": "2026-12-23"}, "At most 31 days at once"),
        ({"until": "2026-11-21"}, "This day is before the first one."),
        ({"level": "1p", "until": "2027-02-22"}, "At most 92 days at once"),
        ({"since": "x"}, "Enter a valid date."),
        ({"since": "0001-01-01", "until": "0001-01-01"}, "Nobody has figures of this year."),
        ({"since": "1969-12-31"}, "Nobody has figures of this year."),
        ({"since": "9999-12-01", "until": "9999-12-31"}, "Nobody has figures of this year."),
    ],
)
def test_too_much_or_nonsense_is_told_on_the_page(client, member, house, changes, sentence):
    asked = {
        "table": "so-lieu", "level": "goc", "since": "2026-11-22", "until": "2026-11-22",
        "style": "vi",
    }  # fmt: skip

    answer = client.get("/nha-mang/nm1/xuat/", asked | changes)

    assert sentence in answer.content.decode()


def test_the_page_offers_the_last_week_and_every_sensor(client, member, air):
    answer = client.get("/nha-mang/nm1/xuat/").content.decode()

    assert "Nhiệt độ, =Giàn A" in answer
    assert 'type="date"' in answer


def test_strangers_and_residents_get_no_table(client, house):
    assert client.get("/nha-mang/nm1/xuat/").status_code == 302

    client.force_login(make_person(phone="+84912000444"))
    assert client.get("/nha-mang/nm1/xuat/").status_code == 403
