"""The API of the cooperative's programs: the same rows, roles and interlocks as the pages."""

from datetime import date, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
import yaml
from django.conf import settings
from django.contrib.auth.models import Group
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.roles import Role
from common import ratelimit
from farm.api import auth
from farm.models import Alarm, Command, Harvest, LabourEntry, Rollup
from farm.services import api_tokens
from tests.accounts.factories import make_person
from tests.farm.api_program import API, Program
from tests.farm.factories import (
    NOON,
    make_batch,
    make_channel,
    make_greenhouse,
    make_node,
    make_output,
    make_zone,
    measure,
)

COMMITTED = Path(settings.BASE_DIR, "docs", "openapi-farm.yaml")


@pytest.fixture(autouse=True)
def no_limits_left_over():
    ratelimit.forget()
    yield
    ratelimit.forget()


@pytest.fixture
def person(db):
    person = make_person(phone="+84912000666", full_name="Trần Văn Nhân")
    person.groups.add(Group.objects.get(name=Role.COOPERATIVE_MEMBER))
    return person


@pytest.fixture
def program(person):
    return Program(person)


@pytest.fixture
def house(db):
    return make_greenhouse(code="nm1", name="Nhà màng 1")


@pytest.fixture
def valve(house):
    zone = make_zone(greenhouse=house, code="a", name="Giàn A")
    node = make_node(greenhouse=house, name="n1")
    return make_output(node=node, zone=zone, code="valve-1", label="Van giàn A")


def test_the_committed_schema_is_what_the_code_says(db, tmp_path):
    fresh = tmp_path / "openapi-farm.yaml"
    call_command(
        "spectacular",
        validate=True,
        fail_on_warn=True,
        custom_settings="farm.api.schema.SETTINGS",
        file=str(fresh),
    )

    assert COMMITTED.read_text() == fresh.read_text(), "run the command in farm/api/schema.py"


def test_the_schema_lists_the_farms_calls_and_no_others():
    document = yaml.safe_load(COMMITTED.read_text())

    assert {
        (path.removeprefix("/api/farm/v1"), method)
        for path, item in document["paths"].items()
        for method in item
    } == {
        ("/greenhouses", "get"),
        ("/greenhouses/{code}", "get"),
        ("/greenhouses/{code}/outputs", "get"),
        ("/channels/{channel_id}/readings", "get"),
        ("/channels/{channel_id}/calibrations", "post"),
        ("/outputs/{output_id}/commands", "post"),
        ("/commands/{command_id}", "get"),
        ("/alarms", "get"),
        ("/alarms/{alarm_id}/acknowledgement", "post"),
        ("/batches", "get"),
        ("/batches/{code}", "get"),
    }


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({}, 401, "token-missing"),
        (
            {"Authorization": "Bearer plf_0123456789012345678901234567890123456789"},
            401,
            "token-invalid",
        ),
        ({"Authorization": "Basic eDp5"}, 401, "token-invalid"),
    ],
)
def test_who_has_no_key_is_refused_with_a_problem_document(client, db, headers, status, code):
    answer = client.get(f"{API}greenhouses", headers=headers)

    assert (answer.status_code, answer["Content-Type"]) == (status, "application/problem+json")
    assert answer["WWW-Authenticate"] == 'Bearer realm="farm"'
    problem = answer.json()
    assert (problem["code"], problem["status"], problem["title"]) == (code, 401, "Unauthorized")
    assert (problem["instance"], problem["type"]) == (
        "/api/farm/v1/greenhouses",
        f"/api/farm/v1#{code}",
    )


def test_a_key_of_somebody_who_left_the_cooperative_opens_nothing(program):
    program.person.groups.clear()

    answer = program.get("greenhouses")

    assert (answer.status_code, answer.json()["code"]) == (403, "not-a-member")


def test_a_revoked_key_opens_nothing(program):
    api_tokens.revoke_token(token=program.token, at=timezone.now())

    assert program.get("greenhouses").json()["code"] == "token-invalid"


def test_the_signed_in_session_reads_and_needs_the_csrf_token_to_write(person, valve):
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(person)

    read = browser.get(f"{API}greenhouses")
    write = browser.post(
        f"{API}outputs/{valve.pk}/commands", {"op": "stop"}, content_type="application/json"
    )

    assert read.status_code == 200
    assert (write.status_code, write.json()["code"]) == (403, "csrf-failed")
    assert Command.objects.count() == 0


def test_too_many_calls_are_told_when_to_come_back(program, monkeypatch):
    monkeypatch.setattr(auth, "CALLS_PER_MINUTE", 2)

    answers = [program.get("greenhouses") for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[2].json()["code"] == "rate-limited"
    assert 1 <= int(answers[2]["Retry-After"]) <= 60


def test_a_greenhouse_says_what_is_measured_and_how_old_it_is(program, valve):
    now = timezone.now()
    fresh = make_channel(node=valve.node, zone=valve.zone, code="air_t", label="Nhiệt độ")
    stale = make_channel(node=valve.node, code="ph", quantity="ph", unit="pH", stale_seconds=60)
    failed = make_channel(node=valve.node, code="ec", quantity="ec", unit="mS/cm")
    make_channel(node=valve.node, code="tank", quantity="tank_volume", unit="L")
    measure(fresh, 28.4, t=now - timedelta(seconds=30))
    measure(stale, 5.9, t=now - timedelta(seconds=61))
    measure(failed, None, t=now - timedelta(seconds=1))

    (house,) = program.get("greenhouses").json()["greenhouses"]

    assert (house["code"], house["name"], house["is_stopped"]) == ("nm1", "Nhà màng 1", False)
    assert house["zones"] == [{"code": "a", "name": "Giàn A", "kind": "rack"}]
    assert house["nodes"][0]["is_online"] is True
    by_code = {channel["code"]: channel for channel in house["channels"]}
    assert (by_code["air_t"]["value"], by_code["air_t"]["is_stale"]) == (28.4, False)
    assert 30 <= by_code["air_t"]["age_seconds"] <= 35
    assert (by_code["air_t"]["zone"], by_code["air_t"]["label"]) == ("a", "Nhiệt độ")
    assert (by_code["ph"]["value"], by_code["ph"]["is_stale"]) == (5.9, True)
    assert (by_code["ec"]["value"], by_code["ec"]["is_stale"]) == (None, True)
    assert (by_code["tank"]["measured_at"], by_code["tank"]["is_stale"]) == (None, True)
    assert program.get("greenhouses/nm1").json()["channels"][0]["code"] == "air_t"
    assert program.get("greenhouses/nm9").json()["code"] == "not-found"


def test_no_value_of_a_controller_that_is_away_is_live(program, valve):
    channel = make_channel(node=valve.node)
    measure(channel, 28.4, t=timezone.now())
    valve.node.is_online = False
    valve.node.save()

    (house,) = program.get("greenhouses").json()["greenhouses"]

    assert house["channels"][0]["is_stale"] is True


def test_greenhouses_cost_as_many_queries_for_four_as_for_one(
    program, valve, django_assert_num_queries
):
    make_channel(node=valve.node)
    program.get("greenhouses")  # notes that the key was used
    with CaptureQueriesContext(connection) as for_one:
        program.get("greenhouses")
    for _ in range(3):
        make_channel()

    with django_assert_num_queries(len(for_one)):
        assert len(program.get("greenhouses").json()["greenhouses"]) == 4


def test_readings_come_oldest_first_and_go_on_where_they_ended(program, valve, monkeypatch):
    monkeypatch.setattr("farm.selectors.api.points_of.__kwdefaults__", {"most": 2})
    channel = make_channel(node=valve.node)
    for minutes in (2, 0, 1):
        measure(channel, 20 + minutes, t=NOON + timedelta(minutes=minutes))
    span = {"since": "2026-11-22T12:00:00+07:00", "until": "2026-11-22T13:00:00+07:00"}

    first = program.get(f"channels/{channel.pk}/readings", **span).json()
    rest = program.get(
        f"channels/{channel.pk}/readings", **span | {"since": first["next_since"]}
    ).json()

    assert [point["value"] for point in first["points"]] == [20, 21]
    assert first["next_since"] == "2026-11-22T05:02:00Z"
    assert [point["value"] for point in rest["points"]] == [22]
    assert rest["next_since"] is None


def test_rollups_say_mean_and_bounds(program, valve):
    channel = make_channel(node=valve.node, unit="degC")
    Rollup.objects.create(
        channel=channel, level=3600, bucket=NOON, n=4, total=114, low=28, high=29, last=28.5
    )

    answer = program.get(
        f"channels/{channel.pk}/readings", level="1h", since=NOON.isoformat(),
        until=(NOON + timedelta(hours=1)).isoformat(),
    ).json()  # fmt: skip

    assert (answer["level"], answer["unit"]) == ("1h", "degC")
    assert answer["points"] == [
        {
            "t": "2026-11-22T05:00:00Z", "value": 28.5, "n": 4, "low": 28.0, "high": 29.0,
            "last": 28.5, "flags": 0,
        }
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"level": "1w"}, "level"),
        ({"since": "yesterday"}, "since"),
        ({"since": "2026-11-22T00:00:00Z", "until": "2026-11-21T00:00:00Z"}, "since"),
    ],
)
def test_a_malformed_question_names_the_field(program, valve, query, field):
    channel = make_channel(node=valve.node)

    answer = program.get(f"channels/{channel.pk}/readings", **query)

    assert (answer.status_code, answer.json()["code"]) == (400, "invalid")
    assert [error["field"] for error in answer.json()["errors"]] == [field]


def test_alarms_are_listed_and_acknowledged_once(program, house):
    fields = {"greenhouse": house, "kind": "node_offline", "severity": 2, "last_at": NOON}
    over = Alarm.objects.create(key="a", opened_at=NOON, cleared_at=NOON, **fields)
    standing = Alarm.objects.create(key="b", opened_at=NOON, **fields)

    listed = program.get("alarms").json()["alarms"]
    everything = program.get("alarms", state="all", greenhouse="nm1").json()["alarms"]
    earlier = program.get("alarms", state="all", before=standing.pk).json()["alarms"]
    seen = program.post(f"alarms/{standing.pk}/acknowledgement").json()

    assert [alarm["id"] for alarm in listed] == [standing.pk]
    assert [alarm["id"] for alarm in everything] == [standing.pk, over.pk]
    assert [alarm["id"] for alarm in earlier] == [over.pk]
    assert program.get("alarms", greenhouse="nm2").json()["alarms"] == []
    assert seen["acknowledged_by"] == "Trần Văn Nhân"
    standing.refresh_from_db()
    assert standing.acknowledged_by == program.person


def test_batches_are_read_with_their_figures(program, house):
    zone = make_zone(greenhouse=house, code="a")
    batch = make_batch(zone=zone, code="NM1-1", area_m2=20)
    make_batch(zone=zone, code="NM1-0", ended_date=date(2026, 11, 10), status="ended")
    Harvest.objects.create(batch=batch, kg=30, day=date(2026, 11, 20), written_at=NOON)

    (row,) = program.get("batches").json()["batches"]
    one = program.get("batches/NM1-1").json()

    assert row == one
    assert (one["code"], one["greenhouse"], one["zone"]) == ("NM1-1", "nm1", "a")
    assert (one["kg"], one["kg_per_m2"], one["litres"]) == (30.0, 1.5, None)
    assert one["first_harvest_date"] == "2026-11-20"
    assert [each["code"] for each in program.get("batches", state="ended").json()["batches"]] == [
        "NM1-0"
    ]


def test_sums_have_no_digits_that_only_a_computer_makes(program, house):
    batch = make_batch(zone=make_zone(greenhouse=house), area_m2=7)
    Harvest.objects.create(batch=batch, kg=28.86, day=date(2026, 11, 20), written_at=NOON)
    for hours in (8.1, 8.1, 9.1):
        LabourEntry.objects.create(
            id=uuid4(), batch=batch, task="care", hours=hours, day=date(2026, 11, 20),
            written_at=NOON,
        )  # fmt: skip

    one = program.get(f"batches/{batch.code}").json()

    assert (one["hours"], one["kg_per_m2"]) == (25.3, 4.123)


def test_any_other_address_answers_with_a_problem_document(program):
    answer = program.get("nothing/here")

    assert (answer.status_code, answer["Content-Type"]) == (404, "application/problem+json")


def test_a_method_that_is_not_there_is_told(program, house):
    answer = program.post("greenhouses")

    assert (answer.status_code, answer.json()["code"]) == (405, "method-not-allowed")


def test_our_own_fault_is_a_problem_document_too(program, monkeypatch, caplog):
    monkeypatch.setattr("farm.selectors.api.houses_now", lambda *_, **__: 1 / 0)

    answer = program.get("greenhouses")

    assert (answer.status_code, answer.json()["code"]) == (500, "internal")
    assert "ZeroDivisionError" in caplog.text
