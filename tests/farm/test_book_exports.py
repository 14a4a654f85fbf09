"""Tables for whoever keeps the accounts: the batches' books, the water, and what ran."""

from datetime import date, timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from common.ids import ulid
from farm.models import Command, CostEntry, DeviceRun, Harvest, LabourEntry, WaterUse
from farm.views.exports import BY_DAY, BY_MOMENT
from tests.farm.factories import (
    NOON,
    make_batch,
    make_greenhouse,
    make_node,
    make_output,
    make_profile,
    make_rule,
    make_user,
    make_zone,
)
from tests.farm.pages import member, noon, words_of

__all__ = ["member", "noon"]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("member")]
DAY = date(2026, 11, 20)
BATCH = "2026-11-20;ME-1;Xà lách;'=Lolo;In water, without soil;Giàn 1"
HEADINGS = "Day;Batch;Crop;Variety;Growing method;Zone"


@pytest.fixture
def house():
    return make_greenhouse(code="nm1", name="Nhà màng 1")


@pytest.fixture
def batch(house):
    zone = make_zone(greenhouse=house, name="Giàn 1", area_m2=20)
    return make_batch(zone=zone, profile=make_profile(), code="ME-1", variety="=Lolo")


def ask(client, table, **changes):
    asked = {"table": table, "since": "2026-11-01", "until": "2026-11-22", "style": "vi"}
    return client.get("/nha-mang/nm1/xuat/", asked | changes)


def lines(client, table, **changes) -> list[str]:
    answer = ask(client, table, **changes)
    assert answer["Content-Type"] == "text/csv; charset=utf-8", words_of(answer)
    table = b"".join(answer.streaming_content).decode("utf-8-sig")
    return table.replace('"', "").split("\r\n")


def put(model, batch, **fields):
    said = {"id": uuid4(), "day": DAY, "written_at": NOON, "note": "+ghi"}
    return model.objects.create(batch=batch, **said | fields)


def test_harvests_with_what_they_were_sold_for(client, batch, member):
    put(Harvest, batch, kg=12.5, grade="1", vnd=12_345_678, by=member)
    put(Harvest, batch, kg=3.0, day=DAY - timedelta(days=1), note="")
    put(Harvest, batch, kg=99.0, struck_at=NOON)
    put(Harvest, batch, kg=99.0, day=date(2026, 10, 31))
    put(Harvest, make_batch(), kg=99.0)

    assert lines(client, "thu-hoach") == [
        f"{HEADINGS};Grade;kg;Sold for, ₫;Note;Written by;Written at",
        f"{BATCH.replace('-20;', '-19;')};Grade 1;3;;;;2026-11-22 12:00:00",
        f"{BATCH};Grade 1;12,5;12345678;'+ghi;Lê Thị Hoa;2026-11-22 12:00:00",
        "",
    ]


def test_costs_and_hours(client, batch):
    put(CostEntry, batch, kind="protection", vnd=250_000, waiting_days=7)
    put(LabourEntry, batch, task="care", hours=2.5)

    assert lines(client, "chi-phi") == [
        f"{HEADINGS};What for;Amount, ₫;Waiting days;Note;Written by;Written at",
        f"{BATCH};Plant protection;250000;7;'+ghi;;2026-11-22 12:00:00",
        "",
    ]
    assert lines(client, "cong") == [
        f"{HEADINGS};What work;Hours;Note;Written by;Written at",
        f"{BATCH};Care;2,5;'+ghi;;2026-11-22 12:00:00",
        "",
    ]


def test_water_of_each_day_and_how_it_is_known(client, batch):
    WaterUse.objects.create(
        zone=batch.zone, day=DAY, litres=81.25, is_measured=False, unknown_runs=1
    )

    assert lines(client, "nuoc") == [
        "Day;Greenhouse;Zone;Litres;How it is known;Runs of which nobody can tell the litres",
        "2026-11-20;Nhà màng 1;Giàn 1;81,25;reckoned from running times;1",
        "",
    ]


def test_runs_by_command_and_by_the_device_in_the_order_of_time(client, house, batch, member):
    node = make_node(greenhouse=house)
    valve = make_output(node=node, zone=batch.zone, label="Van 1", flow_low=4, flow_high=8)
    fields = {
        "node": node, "output": valve, "op": "run", "seconds": 120, "source": "person",
        "by": member, "expires_at": NOON,
    }  # fmt: skip
    Command.objects.create(
        id=ulid(), status="done", created_at=NOON - timedelta(hours=1), ran_seconds=90,
        started_at=NOON - timedelta(hours=1), ended_at=NOON, **fields,
    )  # fmt: skip
    Command.objects.create(
        id=ulid(), status="rejected", created_at=NOON + timedelta(hours=1), why="tank_low",
        **fields,
    )  # fmt: skip
    DeviceRun.objects.create(
        output=valve, source="button", began_at=NOON, ended_at=NOON + timedelta(seconds=60),
        is_end_told=True, litres=6.0, is_measured=False,
    )  # fmt: skip

    place = "Nhà màng 1;Giàn 1;Van 1"
    known = "reckoned from running times"
    assert lines(client, "lan-chay") == [
        (
            "Began;Greenhouse;Zone;Output;What;Asked for by;Seconds asked for;Seconds it ran;"
            "Litres;How it is known;How it ended"
        ),
        f"2026-11-22 11:00:00;{place};2 minutes;Lê Thị Hoa;120;90;9;{known};done, 1 min 30 s",
        (
            f"2026-11-22 12:00:00;{place};begun at the device;by the button on the device;;60;6;"
            f"{known};over"
        ),
        (
            f"2026-11-22 13:00:00;{place};2 minutes;Lê Thị Hoa;120;;;;"
            "refused, nothing was done (the tank is low)"
        ),
        "",
    ]


@pytest.mark.parametrize(
    "table", ["so-lieu", "canh-bao", "thu-hoach", "chi-phi", "cong", "nuoc", "lan-chay"]
)
def test_days_without_anything_are_told_on_the_page(client, house, table):
    page = ask(client, table)

    assert "There is nothing in these days." in words_of(page)
    assert 'aria-current="page"' in page.content.decode()


def test_the_page_stands_among_the_greenhouses_in_the_menu(client, house):
    page = client.get("/nha-mang/nm1/xuat/").content.decode()

    assert 'href="/nha-mang/" aria-current="page"' in page
    assert 'href="/nha-mang/thiet-bi/" aria-current="page"' not in page


def put_row(table, house):
    """Put a row of a table, each of its own batch, zone and person."""
    zone = make_zone(greenhouse=house)
    batch, by = make_batch(zone=zone), make_user()
    if table in BOOKS:
        model, fields = BOOKS[table]
        put(model, batch, by=by, **fields)
    elif table == "nuoc":
        WaterUse.objects.create(zone=zone, day=DAY, litres=1.0, is_measured=True)
    else:
        valve = make_output(node=make_node(greenhouse=house), zone=zone, flow_low=4, flow_high=8)
        rule = make_rule(zone=zone, outputs=[valve])
        Command.objects.create(
            id=ulid(), node=valve.node, output=valve, op="run", seconds=60, source="schedule",
            by=by, rule=rule, status="done", created_at=NOON, expires_at=NOON, started_at=NOON,
            ended_at=NOON, ran_seconds=60,
        )  # fmt: skip
        DeviceRun.objects.create(output=valve, source="button", began_at=NOON, litres=1.0)


BOOKS = {
    "thu-hoach": (Harvest, {"kg": 1.0}),
    "chi-phi": (CostEntry, {"kind": "seed", "vnd": 1}),
    "cong": (LabourEntry, {"task": "care", "hours": 1.0}),
}


@pytest.mark.parametrize("rows", [2, 12])
@pytest.mark.parametrize(
    ("table", "queries"),
    [("thu-hoach", 1), ("chi-phi", 1), ("cong", 1), ("nuoc", 1), ("lan-chay", 2)],
)
def test_a_table_asks_as_often_however_long_it_is(house, table, queries, rows):
    for _ in range(rows):
        put_row(table, house)
    is_by_moment = table in BY_MOMENT
    since, until = (NOON, NOON + timedelta(days=1)) if is_by_moment else (DAY, DAY)

    with CaptureQueriesContext(connection) as asked:
        given = list((BY_MOMENT | BY_DAY)[table](house, since=since, until=until))

    assert len(given) == 1 + rows * (2 if is_by_moment else 1)
    assert len(asked) == queries, [query["sql"] for query in asked]
