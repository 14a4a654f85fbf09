"""The day log: everything in order, with the reason beside it, and one day at a time."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from farm.models import (
    Alarm,
    Command,
    Decision,
    DeviceEvent,
    DeviceRun,
    EmergencyStop,
    LockChange,
    Rule,
)
from farm.selectors.day_log import day_log
from tests.farm.factories import (
    NOON,
    make_greenhouse,
    make_node,
    make_output,
    make_user,
    make_zone,
)
from tests.farm.pages import member, noon, words_of

__all__ = ["member", "noon"]
pytestmark = pytest.mark.django_db


def ago(**span):
    return NOON - timedelta(**span)


@pytest.fixture
def house(db):
    return make_greenhouse(code="nm1", name="Nhà màng 1")


@pytest.fixture
def valve(house):
    zone = make_zone(greenhouse=house, name="Giàn 1")
    return make_output(node=make_node(greenhouse=house, label="Bộ 1"), zone=zone, label="Van 1")


def make_run(valve, number=1, **changes):
    began = changes.pop("began", ago(minutes=40))
    fields = {
        "id": f"01JFX6{number:020d}",
        "node": valve.node,
        "output": valve,
        "op": "run",
        "seconds": 120,
        "source": "schedule",
        "status": "done",
        "created_at": began,
        "expires_at": began,
        "started_at": began,
        "ended_at": began + timedelta(seconds=120),
        "ran_seconds": 120,
        "ran_litres": 8.0,
    }
    return Command.objects.create(**fields | changes)


def log_of(client, **asked):
    return words_of(client.get(reverse("farm_log_of_house", args=["nm1"]), asked))


def test_a_run_stands_with_its_reason(client, member, valve):
    rule = Rule.objects.create(zone=valve.zone, name="Tưới trưa", kind="schedule")
    command = make_run(valve, rule=rule)
    Decision.objects.create(
        rule=rule,
        at=ago(minutes=40),
        verdict="act",
        reason="due",
        facts={"seconds": 120},
        generation=1,
        command=command,
    )

    said = log_of(client)

    assert "1 run, 8 litres in all." in said
    assert (
        "11:20 Van 1, Giàn 1: 2 minutes programme “Tưới trưa”; done, 2 minutes, 8 litres "
        "Why: Watered for 2 minutes at 11:20 because" in said
    )


def test_what_the_device_watered_itself_stands_between(client, member, valve):
    make_run(valve)
    whole = {"output": valve, "ended_at": ago(minutes=18), "is_end_told": True}
    DeviceRun.objects.create(began_at=ago(minutes=20), source="button", litres=12.0, **whole)
    DeviceRun.objects.create(began_at=ago(minutes=1), source="sched", output=valve)

    said = log_of(client)

    assert "3 runs, 20 litres in all." in said
    assert (
        "11:40 Van 1, Giàn 1: 2 minutes watered by the device itself; "
        "by the button on the device; about 12 litres" in said
    )
    assert (
        "11:59 Van 1, Giàn 1 watered by the device itself; "
        "by the device's own timetable; still running" in said
    )
    assert "It may be more" not in said


def test_litres_that_nobody_can_tell_are_never_called_none(client, member, valve):
    make_run(valve, ran_litres=0)
    DeviceRun.objects.create(
        output=valve,
        source="button",
        began_at=ago(minutes=20),
        due_at=ago(minutes=18),
        ended_at=ago(minutes=18),
    )

    said = log_of(client)

    assert "2 runs, 0 litres in all. It may be more: nobody can tell what 2 runs gave." in said
    assert "it did not tell when it went off; nobody can tell how many litres" in said


def test_everything_of_the_day_stands_in_its_order(client, member, house, valve):
    binh = make_user(full_name="Trần Văn Bình")
    make_run(valve, began=ago(hours=5), source="person", by=binh)
    Alarm.objects.create(
        greenhouse=house,
        node=valve.node,
        key="a",
        kind="node_offline",
        severity=2,
        opened_at=ago(hours=4),
        last_at=NOON,
        acknowledged_at=ago(hours=3),
        acknowledged_by=binh,
        cleared_at=ago(hours=2),
    )
    LockChange.objects.create(output=valve, at=ago(hours=1), lock="off", reason="rửa lọc", by=binh)
    EmergencyStop.objects.create(
        greenhouse=house, at=ago(minutes=30), is_stop=True, reason="vỡ ống", by=binh
    )
    DeviceEvent.objects.create(
        node=valve.node, at=ago(minutes=10), received_at=NOON, kind="tank_low", is_raised=True
    )

    said = log_of(client)

    in_order = [
        "07:00 Van 1, Giàn 1: 2 minutes Trần Văn Bình; done, 2 minutes, 8 litres",
        "08:00 Bộ 1 is not connected Warning",
        "09:00 Bộ 1 is not connected seen by Trần Văn Bình",
        "10:00 Bộ 1 is not connected over",
        "11:00 Van 1: Locked off Trần Văn Bình; rửa lọc",
        "11:30 Emergency stop Trần Văn Bình; vỡ ống",
        "11:50 Bộ 1: the tank is low",
    ]
    places = [said.find(line) for line in in_order]
    assert -1 not in places
    assert places == sorted(places)


def test_looks_without_need_are_left_out_until_asked_for(client, member, valve):
    rule = Rule.objects.create(zone=valve.zone, name="Tưới trưa", kind="schedule")
    Decision.objects.create(
        rule=rule, at=ago(hours=1), verdict="skip", reason="not_due", facts={}, generation=1
    )

    assert "Nothing happened on this day." in log_of(client)
    assert "Tưới trưa: had no need" in log_of(client, tatca="1")


def test_a_day_is_the_commune_s_day(client, member, valve):
    make_run(valve, 1, began=ago(hours=12, minutes=1))  # 23:59 yesterday in Vietnam
    make_run(valve, 2, began=ago(hours=12))  # midnight

    assert "1 run, 8 litres in all." in log_of(client)
    assert "1 run, 8 litres in all." in log_of(client, ngay="2026-11-21")
    assert "0 runs, 0 litres in all." in log_of(client, ngay="2026-11-20")


@pytest.mark.parametrize("asked", ["31-31", "2026-02-31", "0001-01-01", "9999-12-31"])
def test_a_day_that_cannot_be_is_told_and_today_is_shown(client, member, house, asked):
    said = log_of(client, ngay=asked)

    assert "There is no such day. What you see is today's." in said
    assert "Nhà màng 1, 22/11/2026" in said
    assert "There is no such day." not in log_of(client, ngay="2026-11-20")


def test_the_address_without_a_house_keeps_the_day(client, member, house):
    answer = client.get("/nha-mang/nhat-ky/?ngay=2026-11-21&tatca=1")

    assert answer.url == "/nha-mang/nm1/nhat-ky/?ngay=2026-11-21&tatca=1"
    assert client.get("/nha-mang/nhat-ky/").url == "/nha-mang/nm1/nhat-ky/"


def test_the_log_leads_to_the_first_house(client, member, house):
    assert client.get(reverse("farm_log")).url == "/nha-mang/nm1/nhat-ky/"


def test_a_day_costs_seven_queries(house, valve):
    def count():
        with CaptureQueriesContext(connection) as seen:
            day_log(house, begin=ago(hours=12), end=NOON)
        return len(seen)

    before = count()
    rule = Rule.objects.create(zone=valve.zone, name="Tưới", kind="schedule")
    for number in range(10):
        command = make_run(valve, number, began=ago(minutes=number + 5), rule=rule)
        Decision.objects.create(
            rule=rule,
            at=ago(minutes=number),
            verdict="act",
            reason="due",
            facts={"seconds": 5},
            generation=1,
            command=command,
        )
        LockChange.objects.create(output=valve, at=ago(minutes=number), lock="off")

    assert (before, count()) == (7, 7)


def test_no_day_leads_to_one_that_the_page_would_not_show(client, member, house):
    url = reverse("farm_log_of_house", args=["nm1"])
    first, second = (
        client.get(url, {"ngay": day}).content.decode() for day in ("1970-01-01", "1970-01-02")
    )

    assert "?ngay=1969-12-31" not in first
    assert "?ngay=1970-01-02" in first
    assert "?ngay=1970-01-01" in second
