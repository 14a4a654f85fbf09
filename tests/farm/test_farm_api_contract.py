"""The farm's API keeps the contract that its schema states, whatever it is sent."""

from datetime import timedelta
from pathlib import Path
from unittest.mock import patch

import pytest
import schemathesis
from django.conf import settings as django_settings
from django.contrib.auth.models import Group
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from hypothesis import HealthCheck, settings
from schemathesis.checks import CHECKS

from accounts.roles import Role
from commune_portal.wsgi import application
from farm.models import Alarm
from tests.accounts.factories import make_person
from tests.farm.api_program import Program
from tests.farm.controllers import make_house
from tests.farm.factories import NOON, make_batch, measure
from tests.farm.pages import noon

__all__ = ["noon"]

schema = schemathesis.openapi.from_path(Path(django_settings.BASE_DIR, "docs", "openapi-farm.yaml"))
schema.app = application
PROMISES = CHECKS.get_by_names(
    [
        "not_a_server_error",
        "response_schema_conformance",
        "content_type_conformance",
        "response_headers_conformance",
        "status_code_conformance",
        "unsupported_method",
    ]
)


@pytest.fixture
def program(db, noon):
    person = make_person(phone="+84912000666", full_name="Trần Văn Nhân")
    person.groups.add(Group.objects.get(name=Role.COOPERATIVE_MEMBER))
    return Program(person)


@pytest.fixture
def known(program):
    """A house in which there is one of everything, by the names of the addresses' parts."""
    house = make_house()
    for minutes in range(5):
        measure(house.air, 25.0 + minutes, t=NOON - timedelta(minutes=minutes))
    batch = make_batch(zone=house.zone)
    alarm = Alarm.objects.create(
        greenhouse=house.greenhouse, zone=house.zone, channel=house.air, key="a", kind="limit",
        severity=2, opened_at=NOON, last_at=NOON,
        facts={"side": "high", "value": 36, "limit": 35, "since": NOON.isoformat()},
    )  # fmt: skip
    ran = program.post(
        f"outputs/{house.fan.pk}/commands",
        {"op": "run", "seconds": 60},
        **{"Idempotency-Key": "1"},
    )
    return {
        "greenhouses": house.greenhouse.code,
        "channels": house.air.pk,
        "outputs": house.valve.pk,
        "commands": ran.json()["id"],
        "alarms": alarm.pk,
        "batches": batch.code,
    }


@pytest.fixture
def one_transaction(known):
    """As Django's own client, which was at work before: a request's end leaves the test's open."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


def call(case, program):
    case.headers.update(program.headers | {"X-Request-ID": "contract-test"})
    with patch("common.ratelimit.take", return_value=0):
        case.call_and_validate(checks=PROMISES)


@pytest.mark.slow  # two dozen generated calls for each of ten operations, twice
@schema.parametrize()
@settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_whatever_is_sent_nothing_breaks_and_every_answer_fits_the_schema(
    case, program, known, one_transaction
):
    call(case, program)

    # And the same of something that is there.
    for name in case.path_parameters:
        (kind, *_rest) = case.path.removeprefix("/api/farm/v1/").split("/")
        case.path_parameters[name] = known[kind]
    call(case, program)


NESTED = b'{"op":' * 100_000


@pytest.mark.parametrize(
    ("body", "content_type", "status", "code"),
    [
        (NESTED, "application/json", 400, "malformed"),
        (b"\xff\xfe", "application/json", 400, "malformed"),
        (b'{"op": "stop"}', "application/json; charset=hex", 202, None),
        (b'{"op": "\\ud800"}', "application/json", 400, "invalid"),
        (b'{"op": "stop"}', "text/plain", 415, "not-json"),
        (b" " * 2_700_000, "application/json", 413, "too-large"),
    ],
    ids=["too deep", "no UTF-8", "another charset", "half a character", "no JSON", "too large"],
)
def test_a_body_that_is_hard_to_read_is_answered_in_order(
    program, known, body, content_type, status, code
):
    answer = program.client.generic(
        "POST",
        f"/api/farm/v1/outputs/{known['outputs']}/commands",
        body,
        content_type=content_type,
        headers=program.headers | {"Idempotency-Key": "2"},
    )

    assert (answer.status_code, answer.json().get("code")) == (status, code)


@pytest.mark.parametrize(
    "asked",
    [
        {"until": "0001-01-01T00:00:01Z"},
        {"since": "0001-01-01T00:00:00"},
        {"since": "9999-12-31T23:59:59-12:00"},
    ],
)
def test_a_time_at_the_end_of_the_calendar_is_refused(program, known, asked):
    answer = program.get(f"channels/{known['channels']}/readings", **asked)

    assert (answer.status_code, answer.json()["code"]) == (400, "invalid")
    assert [each["field"] for each in answer.json()["errors"]] == list(asked)


@pytest.mark.parametrize(("accept", "query"), [("text/html", {}), ("*/*", {"format": "xml"})])
def test_the_answer_is_json_whatever_is_asked_for(program, known, accept, query):
    answer = program.client.get(
        "/api/farm/v1/alarms", query, headers=program.headers | {"Accept": accept}
    )

    assert (answer.status_code, answer["Content-Type"]) == (200, "application/json")
