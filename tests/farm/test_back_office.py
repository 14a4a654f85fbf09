"""The officials' side of the greenhouses: no code of a controller without words."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.urls import reverse

from common.ids import ulid
from farm import office_words
from farm.models import (
    Alarm,
    Command,
    CommandEvent,
    CostEntry,
    Decision,
    DeviceRun,
    LabourEntry,
)
from tests.accounts import back_office
from tests.accounts.factories import make_official
from tests.farm.factories import (
    NOON,
    make_batch,
    make_greenhouse,
    make_node,
    make_output,
    make_rule,
    make_zone,
)
from tests.farm.pages import words_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def office():
    return back_office.office()


@pytest.fixture
def command():
    house = make_greenhouse(name="Nhà màng 1")
    zone = make_zone(greenhouse=house, name="Giàn 1")
    node = make_node(greenhouse=house, reset_reason="power", clock="ntp", label="Tủ tưới")
    output = make_output(
        node=node, zone=zone, label="Van 1", needs=["tank_ok", "circulation"], state_source="boot"
    )
    rule = make_rule(zone=zone, outputs=[output], name="Tưới sáng")
    made = Command.objects.create(
        id=ulid(), node=node, output=output, op="run", seconds=120, source="schedule", rule=rule,
        status="aborted", why="estop", created_at=NOON, expires_at=NOON, sent_at=NOON,
        last_sent_at=NOON + timedelta(seconds=5), accepted_at=NOON, generation=3,
        caller_key="rule-1-3-12:00",
    )  # fmt: skip
    for step, why in (("started", ""), ("aborted", "estop"), ("settled", "user:3")):
        CommandEvent.objects.create(command=made, at=NOON, step=step, why=why, ran_seconds=61)
    return made


def detail(office, row) -> str:
    answer = office.get(reverse(f"admin:farm_{row._meta.model_name}_change", args=[row.pk]))
    assert answer.status_code == 200
    return words_of(answer)


def listed(office, model) -> str:
    answer = office.get(reverse(f"admin:farm_{model._meta.model_name}_changelist"))
    assert answer.status_code == 200
    return words_of(answer)


def test_a_command_is_told_in_words(office, command):
    said = detail(office, command)

    assert "Why the emergency stop" in said
    assert "Programme Tưới sáng" in said
    assert "Running - - 1 min 1 s" in said
    assert "somebody has looked a person" in said
    for code in ("estop", "started", "user:3", "Generation", "Caller key", "rule-1-3", "Rule "):
        assert code not in said, code
    assert "the emergency stop" in listed(office, Command)


def test_an_alarm_is_a_sentence_and_not_its_facts(office, command):
    alarm = Alarm.objects.create(
        greenhouse=command.node.greenhouse, node=command.node, key="node_offline:1",
        kind="node_offline", severity=2, opened_at=NOON, last_at=NOON,
        facts={"since": NOON.isoformat()},
    )  # fmt: skip

    said = detail(office, alarm)

    assert "Tủ tưới is not connected" in said
    for code in ("node_offline", "since", "Told level", "Tell at", "Facts", "Key"):
        assert code not in said.replace("Tủ tưới is not connected", ""), code


def test_a_batch_says_its_status_and_who_wrote_its_book(office):
    batch = make_batch(status="ended", ended_date=NOON.date())
    person = make_official(phone="+84912345000", full_name="Lê Thị Hoa")
    said = {"batch": batch, "day": NOON.date(), "written_at": NOON, "by": person}
    CostEntry.objects.create(id=uuid4(), kind="protection", vnd=5, waiting_days=7, **said)
    LabourEntry.objects.create(id=uuid4(), task="care", hours=2, **said)

    page = detail(office, batch)

    assert "Status Ended" in page
    assert "('ended'" not in page
    assert page.count("Lê Thị Hoa") == 2
    assert "Written by" in listed(office, CostEntry)


def test_a_decision_is_a_sentence(office, command):
    decision = Decision.objects.create(
        rule=command.rule, at=NOON, verdict="skip", reason="not_due", generation=3,
        command=command,
    )  # fmt: skip

    for page in (detail(office, decision), listed(office, Decision)):
        assert "it is not time yet" in page
        assert "Van 1: 2 minutes" in page
        assert "not_due" not in page


def test_controllers_outputs_and_runs_of_their_own_are_told_in_words(office, command):
    run = DeviceRun.objects.create(output=command.output, source="button", began_at=NOON)

    node, output = detail(office, command.node), detail(office, command.output)

    assert "power came back" in node
    assert "from the network" in node
    assert "enough water in the tank, the circulation pump is on" in output
    assert "Switched by when it started" in output
    assert "by the button on the device" in detail(office, run)
    assert "by the button on the device" in listed(office, DeviceRun)


def test_codes_that_only_a_newer_device_knows_stay_as_they_are():
    assert office_words.reset_words("brownout") == "“brownout”"
    assert office_words.clock_words("") == ""
