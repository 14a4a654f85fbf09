"""Runs and stops that programs ask for: once per key, under the same interlocks as by hand."""

import pytest
from django.contrib.auth.models import Group
from django.utils import timezone

from accounts.roles import Role
from common import ratelimit
from farm.models import Command, CommandEvent, Output
from tests.accounts.factories import make_person
from tests.farm.api_program import API, Program
from tests.farm.factories import make_greenhouse, make_node, make_output, make_zone


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


def test_outputs_say_what_their_device_last_told(program, valve):
    (output,) = program.get("greenhouses/nm1/outputs").json()["outputs"]

    assert output == {
        "id": valve.pk, "code": "valve-1", "node": "n1", "zone": "a", "kind": "valve",
        "label": "Van giàn A", "max_seconds": 900, "is_on": False,
        "state_at": "2026-11-22T12:00:00+07:00", "state_heard_at": "2026-11-22T12:00:00+07:00",
        "is_dimmable": False, "percent": None,
        "flow": None, "lock": "auto", "lock_until": None, "acknowledges": True,
    }  # fmt: skip


def test_a_run_is_asked_for_once_however_often_it_is_sent(program, valve):
    body = {"op": "run", "seconds": 120}

    answers = [
        program.post(f"outputs/{valve.pk}/commands", body, **{"Idempotency-Key": "k1"})
        for _ in range(2)
    ]

    assert [answer.status_code for answer in answers] == [202, 202], answers[0].content
    command = Command.objects.get()
    assert [answer.json()["id"] for answer in answers] == [command.pk] * 2
    assert (command.source, command.by, command.seconds) == ("api", program.person, 120)
    assert command.caller_key == f"api:{program.person.pk}:k1"
    assert answers[0]["Location"] == f"/api/farm/v1/commands/{command.pk}"


@pytest.mark.parametrize("is_of_another_output", [False, True])
def test_a_key_that_stands_for_another_run_is_refused(program, valve, is_of_another_output):
    other = make_output(node=valve.node, zone=valve.zone, code="valve-2")
    first = f"outputs/{other.pk if is_of_another_output else valve.pk}/commands"
    program.post(first, {"op": "run", "seconds": 120}, **{"Idempotency-Key": "k1"})

    path = f"outputs/{valve.pk}/commands"
    answer = program.post(path, {"op": "run", "seconds": 60}, **{"Idempotency-Key": "k1"})

    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency-key-reused")
    assert Command.objects.count() == 1


@pytest.mark.parametrize(
    ("body", "key", "field"),
    [
        ({"op": "run", "seconds": 120}, "", "Idempotency-Key"),
        ({"op": "run"}, "k1", "seconds"),
        ({"op": "run", "seconds": 0}, "k1", "seconds"),
        ({"op": "run", "seconds": "5"}, "k1", "seconds"),
        ({"op": "run", "seconds": True}, "k1", "seconds"),
        ({"op": "run", "seconds": 5.5}, "k1", "seconds"),
        ({"op": "dose", "seconds": 1}, "k1", "op"),
        ({"op": "stop", "seconds": 1}, "k1", "op"),
        ({}, "k1", "op"),
    ],
)
def test_a_malformed_command_is_none(program, valve, body, key, field):
    answer = program.post(f"outputs/{valve.pk}/commands", body, **{"Idempotency-Key": key})

    assert (answer.status_code, answer.json()["code"]) == (400, "invalid")
    assert [error["field"] for error in answer.json()["errors"]] == [field]
    assert Command.objects.count() == 0


def test_what_is_no_json_is_no_command(program, valve):
    path = f"{API}outputs/{valve.pk}/commands"

    form = program.client.post(path, {"op": "stop"}, headers=program.headers)
    broken = program.post(f"outputs/{valve.pk}/commands", "{")

    assert (form.status_code, form.json()["code"]) == (415, "not-json")
    assert (broken.status_code, broken.json()["code"]) == (400, "malformed")


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ('{"op": "run",\n "seconds" 120}', "This is not JSON: look at line 2, column 12."),
        (b"\xff", "This is not JSON."),
    ],
)
def test_broken_json_is_told_in_the_portals_own_words(program, valve, body, said):
    answer = program.post(f"outputs/{valve.pk}/commands", body)

    assert (answer.status_code, answer.json()["detail"]) == (400, said)


@pytest.mark.parametrize(
    ("changes", "status", "code", "interlock"),
    [
        ({"lock": Output.Lock.OFF}, 409, "output-locked", "output_locked"),
        ({"lock": Output.Lock.MANUAL}, 409, "output-locked", "manual_only"),
        ({"max_seconds": 60}, 422, "command-refused", None),
    ],
)
def test_the_interlocks_hold_for_programs_too(program, valve, changes, status, code, interlock):
    Output.objects.update(**changes)

    answer = program.post(
        f"outputs/{valve.pk}/commands",
        {"op": "run", "seconds": 120},
        **{"Idempotency-Key": "k1"},
    )

    problem = answer.json()
    assert (answer.status_code, problem["code"], problem.get("interlock")) == (
        status,
        code,
        interlock,
    )
    assert Command.objects.count() == 0


def test_a_stop_needs_no_key_and_its_steps_can_be_followed(program, valve):
    stop = program.post(f"outputs/{valve.pk}/commands", {"op": "stop"}).json()
    CommandEvent.objects.create(command_id=stop["id"], at=timezone.now(), step="sent")

    answer = program.get(f"commands/{stop['id']}").json()

    assert (answer["op"], answer["status"], answer["source"]) == ("stop", "queued", "api")
    assert [step["step"] for step in answer["steps"]] == ["queued", "sent"]
    assert program.get("commands/01JFX6").status_code == 404
