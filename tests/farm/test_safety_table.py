"""The safety table, walked whole: each interlock against each source, at the real service."""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings

from farm import interlock_words, safety
from farm.errors import OutputLockedError, SafetyError
from farm.models import Alarm, Channel, Command, CommandEvent, DeviceRun, LatestReading, Output
from farm.safety import Deed, Interlock, Source, Verdict
from farm.safety_page import safety_page
from farm.services import alarms, commands, safety_facts
from tests.farm.controllers import (
    House,
    ack,
    after,
    dose,
    make_house,
    make_rule,
    run,
    send,
    set_strength,
)
from tests.farm.factories import NOON, make_limit, make_output, measure

OUTPUT_OF_DEED = {
    Deed.WATER: "valve",
    Deed.DOSE: "doser",
    Deed.COOL: "fan",
    Deed.LIGHT: "light",
    Deed.STOP: "valve",
}
# Only who stands at a probe can know in what it stands.
CALIBRATES = (Source.PERSON, Source.API)
# To set a strength is held back as the run is.
ALSO_SET = (Deed.COOL, Deed.LIGHT)


@dataclass
class Ask:
    """One request in a house, at a moment."""

    house: House
    deed: Deed
    is_set: bool = False
    at = NOON

    @property
    def output(self) -> Output:
        return getattr(self.house, OUTPUT_OF_DEED.get(self.deed, "valve"))

    def change_output(self, **fields):
        Output.objects.filter(pk=self.output.pk).update(**fields)
        self.output.refresh_from_db()

    def ring(self, kind, key="", **of):
        alarms.raise_alarm(
            key=key or f"{kind}:test", kind=kind, severity=Alarm.Severity.URGENT,
            greenhouse=self.house.greenhouse, node=self.house.node, at=NOON, **of,
        )  # fmt: skip

    def given(self, op, state, *, minutes_ago, **fields):
        moment = NOON - timedelta(minutes=minutes_ago)
        Command.objects.create(
            id=f"{op}{minutes_ago}".ljust(26, "0"), node=self.house.node, op=op, source="person",
            status=state, created_at=moment, expires_at=moment, ended_at=moment, **fields,
        )  # fmt: skip


def stop_the_house(ask):
    ask.house.greenhouse.is_stopped, ask.house.greenhouse.stopped_at = True, NOON
    ask.house.greenhouse.save()


def take_the_controller_away(ask):
    ask.house.node.is_online = False
    ask.house.node.save()


def lower_the_tank(ask):
    measure(ask.house.tank, 39.0, t=NOON)


def heat(ask):
    make_limit(channel=ask.house.air, high=38.0, severity=Alarm.Severity.URGENT)
    measure(ask.house.air, 41.0, t=NOON)


def leave_the_sensor_silent(ask):
    LatestReading.objects.filter(channel=ask.house.air).update(t=NOON - timedelta(days=2))


def water_all_day(ask):
    ask.given(
        "run", "done", minutes_ago=60, output=ask.house.valve, seconds=900, ran_seconds=900,
        ran_litres=95.0,
    )  # fmt: skip


def feed_all_day(ask):
    ask.given("dose", "done", minutes_ago=300, output=ask.house.doser, seconds=20, ml=45.0)


def lose_a_dose(ask):
    ask.given("dose", "unknown", minutes_ago=300, output=ask.house.doser, seconds=5, ml=1.0)


def stop_the_pump(ask):
    Output.objects.filter(pk=ask.house.pump.pk).update(is_on=False)


def feed_just_now(ask):
    ask.given("dose", "done", minutes_ago=5, output=ask.house.doser, seconds=5, ml=1.0)


BREAK = {
    Interlock.ESTOP: stop_the_house,
    Interlock.NODE_OFFLINE: take_the_controller_away,
    Interlock.LEASE_LOST: lambda ask: ask.ring("lease_lost"),
    Interlock.OUTPUT_LOCKED: lambda ask: ask.change_output(lock="off"),
    Interlock.MANUAL_ONLY: lambda ask: ask.change_output(lock="manual"),
    Interlock.DEVICE_INTERLOCK: lambda ask: ask.ring(
        "overload", key="device:1:overload:x", output=ask.output
    ),
    Interlock.TANK_LOW: lower_the_tank,
    Interlock.NO_FLOW: lambda ask: ask.ring("no_flow", zone=ask.house.zone),
    Interlock.FLOW_AFTER_OFF: lambda ask: ask.ring("flow_after_off", zone=ask.house.zone),
    Interlock.OVER_TEMPERATURE: heat,
    Interlock.STALE_SENSOR: leave_the_sensor_silent,
    Interlock.DAILY_LITRE_CAP: water_all_day,
    Interlock.DAILY_DOSE_CAP: feed_all_day,
    Interlock.DOSE_UNRESOLVED: lose_a_dose,
    Interlock.NO_CIRCULATION: stop_the_pump,
    Interlock.MIXING_WAIT: feed_just_now,
    Interlock.FACT_UNKNOWN: lambda ask: measure(ask.house.tank, None, t=NOON),
}
# What cannot be brought about for a deed, because it is a fact of another one only.
ELSEWHERE = {
    Interlock.DAILY_LITRE_CAP: {Deed.DOSE},
    Interlock.DAILY_DOSE_CAP: {Deed.WATER},
}


def asks(house, source):
    """Give each thing that can be asked: of an output, its strength too, and of a probe."""
    yield from (Ask(house, deed) for deed in OUTPUT_OF_DEED)
    yield from (Ask(house, deed, is_set=True) for deed in ALSO_SET)
    if source in CALIBRATES:
        yield Ask(house, Deed.CALIBRATE)


def ask_for(ask, source):
    """Ask the real service; answer what it made of it and the interlocks it warned of."""
    if ask.deed == Deed.CALIBRATE:
        probe, _ = Channel.objects.get_or_create(node=ask.house.node, code="ph", quantity="ph")
        return commands.request_calibrate(channel=probe, value=7.0, source=source, at=ask.at)
    rule = make_rule(ask.output, sensor=ask.house.air)
    if ask.deed == Deed.STOP:
        return commands.request_stop(output=ask.output, source=source, at=ask.at)
    if ask.is_set:
        return set_strength(ask.output, source=source, rule=rule)
    if ask.deed == Deed.DOSE:
        return dose(ask.output, 6.0, source=source, rule=rule)
    return run(ask.output, 120, source=source, rule=rule)


def answer(ask, source):
    before = Command.objects.count()
    try:
        command = ask_for(ask, source)
    except (SafetyError, OutputLockedError) as error:
        assert Command.objects.count() == before
        return Verdict.BLOCK, error.facts["interlock"]
    why = CommandEvent.objects.get(command=command, step="queued").why
    return (Verdict.WARN, why) if why else (Verdict.ALLOW, "")


def test_the_table_speaks_of_each_interlock_deed_and_source():
    assert len(safety.TABLE) == len(Interlock) * len(Deed) * len(Source)
    assert set(BREAK) == set(Interlock) == set(interlock_words.WORDS)
    assert {row.interlock for row in safety.ROWS} == set(Interlock)
    assert {source.value for source in Source} == set(Command.Source.values)


def test_each_cell_that_says_anything_but_yes_says_why():
    for cell in safety.TABLE.values():
        assert cell.verdict == Verdict.ALLOW or cell.why


def test_a_stop_is_kept_from_nobody_but_from_rules_under_a_persons_hand():
    blocked = {
        (interlock, source)
        for (interlock, deed, source), cell in safety.TABLE.items()
        if deed in {Deed.STOP, Deed.PROBE} and cell.verdict != Verdict.ALLOW
    }

    assert blocked == {(Interlock.MANUAL_ONLY, source) for source in safety.RULES}


@pytest.mark.parametrize("source", Source)
def test_with_all_well_everybody_may_do_everything(source, db):
    house = make_house()

    for ask in asks(house, source):
        assert answer(ask, source) == (Verdict.ALLOW, "")


@pytest.mark.django_db
@pytest.mark.parametrize("source", Source)
@pytest.mark.parametrize("interlock", Interlock)
def test_the_service_answers_as_the_table_says(interlock, source):
    house = make_house()
    BREAK[interlock](Ask(house, Deed.WATER))

    for ask in asks(house, source):
        if interlock in {
            Interlock.OUTPUT_LOCKED, Interlock.MANUAL_ONLY, Interlock.DEVICE_INTERLOCK
        }:  # fmt: skip
            Alarm.objects.all().delete()
            BREAK[interlock](ask)
        verdict = safety.TABLE[interlock, ask.deed, source].verdict
        named = "" if verdict == Verdict.ALLOW else interlock.value
        assert answer(ask, source) == (verdict, named), ask


FACTS = {
    Interlock.ESTOP: {"is_stopped": True},
    Interlock.NODE_OFFLINE: {"is_online": False},
    Interlock.LEASE_LOST: {"has_lease": False},
    Interlock.OUTPUT_LOCKED: {"lock": "off"},
    Interlock.MANUAL_ONLY: {"lock": "manual"},
    Interlock.DEVICE_INTERLOCK: {"device_interlocks": ("overload",)},
    Interlock.TANK_LOW: {"is_tank_low": True},
    Interlock.NO_FLOW: {"has_no_flow": True},
    Interlock.FLOW_AFTER_OFF: {"flows_after_off": True},
    Interlock.OVER_TEMPERATURE: {"is_over_temperature": True},
    Interlock.STALE_SENSOR: {"is_sensor_stale": True},
    Interlock.DAILY_LITRE_CAP: {"litres_today": 95.0, "litre_cap": 100.0},
    Interlock.DAILY_DOSE_CAP: {"ml_today": 45.0, "dose_cap_ml": 50.0},
    Interlock.DOSE_UNRESOLVED: {"has_unresolved_dose": True},
    Interlock.NO_CIRCULATION: {"is_circulating": False},
    Interlock.MIXING_WAIT: {"seconds_since_dose": 10.0, "mixing_seconds": 60.0},
    Interlock.FACT_UNKNOWN: {"is_tank_low": None},
}


@pytest.mark.parametrize("source", Source)
@pytest.mark.parametrize("deed", Deed)
@pytest.mark.parametrize("interlock", Interlock)
def test_the_judgement_is_the_tables_cell(interlock, deed, source):
    facts = safety.Facts(**{"dose_cap_ml": 50.0} | FACTS[interlock])
    litres, ml = (10.0, 0.0) if deed == Deed.WATER else (0.0, 10.0 if deed == Deed.DOSE else 0.0)

    findings = safety.judge(facts, safety.Request(source, deed, litres=litres, ml=ml))

    cell = safety.TABLE[interlock, deed, source]
    expected = {(interlock, cell.verdict)} - {(interlock, Verdict.ALLOW)}
    assert {(one.interlock, one.verdict) for one in findings} == expected


def test_what_blocks_comes_before_what_warns():
    facts = safety.Facts(is_tank_low=True, litre_cap=1.0, litres_today=9.0, is_stopped=True)

    findings = safety.judge(facts, safety.Request(Source.PERSON, Deed.WATER, litres=1.0))

    assert [one.verdict for one in findings] == [Verdict.BLOCK, Verdict.WARN, Verdict.WARN]


@pytest.mark.parametrize(
    ("facts", "request_fields", "missing"),
    [
        ({"is_tank_low": None}, {}, "tank"),
        ({"is_circulating": None}, {}, "circulation"),
        ({"dose_cap_ml": None}, {}, "dose_cap"),
        ({"ml_today": None}, {}, "ml"),
        ({"litre_cap": 9.0}, {"deed": Deed.WATER, "litres": None}, "litres"),
        ({"litre_cap": 9.0, "litres_today": None}, {"deed": Deed.WATER}, "litres"),
    ],
)
def test_a_missing_fact_is_unsafe_for_whatever_acts_by_itself(facts, request_fields, missing):
    facts = safety.Facts(**{"dose_cap_ml": 50.0} | facts)

    for source in safety.PROGRAMS:
        request = safety.Request(**{"source": source, "deed": Deed.DOSE} | request_fields)
        finding = safety.judge(facts, request)[0]
        assert (finding.verdict, finding.detail) == (Verdict.BLOCK, missing)


def test_the_cap_counts_what_still_runs_in_full(db):
    house = make_house()
    Output.objects.filter(pk=house.valve.pk).update(max_seconds=3600)
    first = run(house.valve, 900)  # 90 of 100 litres
    send()
    ack(first, "accepted")
    second = Output.objects.create(
        node=house.node, zone=house.zone, code="valve-2", kind="valve", max_seconds=900,
        flow_low=4, flow_high=8,
    )  # fmt: skip

    with pytest.raises(SafetyError) as refusal:
        run(second, 120, source="schedule", at=after(1))

    assert refusal.value.facts["interlock"] == "daily_litre_cap"
    assert run(second, 100, source="schedule", at=after(1)).status == "queued"


def test_a_broken_off_dose_counts_what_ran(db):
    house = make_house()
    first = dose(house.doser, 24.0)
    send()
    ack(first, "aborted", why="stop", ran_s=10)
    Output.objects.filter(pk=house.pump.pk).update(state_heard_at=after(3000))

    given = [dose(house.doser, 24.0, at=after(3000))]
    send(after(3000))
    ack(given[0], "done", at=after(3020), ran_s=20)
    Output.objects.filter(pk=house.pump.pk).update(state_heard_at=after(6000))

    with pytest.raises(SafetyError) as refusal:
        dose(house.doser, 14.1, at=after(6000))  # 12 + 24 + 14.1 of 50
    assert refusal.value.facts["interlock"] == "daily_dose_cap"
    assert dose(house.doser, 14.0, at=after(6000)).status == "queued"


def test_the_page_for_people_is_the_table(tmp_path):
    page = Path(settings.BASE_DIR) / "docs" / "farm-safety.md"

    assert page.read_text(encoding="utf-8") == safety_page()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("state", "ended_minutes_ago", "is_held"),
    [("done", 5, True), ("done", 120, False), ("started", None, True), ("rejected", 5, False)],
)
def test_fresh_water_has_to_mix_as_a_dose_does(state, ended_minutes_ago, is_held):
    house = make_house()
    tap = make_output(
        node=house.node, zone=house.zone, code="fill", kind="valve", dose_kind="water"
    )
    begun = NOON - timedelta(hours=3)
    ended = None if ended_minutes_ago is None else NOON - timedelta(minutes=ended_minutes_ago)
    Command.objects.create(
        id="water".ljust(26, "0"), node=house.node, output=tap, op="run", source="person",
        status=state, seconds=600, created_at=begun, expires_at=begun, started_at=begun,
        ended_at=ended,
    )  # fmt: skip

    found = safety_facts.find(output=house.doser, source="api", at=NOON, seconds=5, ml=1.0)

    assert (Interlock.MIXING_WAIT in {one.interlock for one in found}) == is_held


@pytest.mark.django_db
@pytest.mark.parametrize(("ended_minutes_ago", "is_held"), [(5, True), (120, False), (None, True)])
def test_fresh_water_that_was_let_in_by_hand_has_to_mix_too(ended_minutes_ago, is_held):
    house = make_house()
    tap = make_output(
        node=house.node, zone=house.zone, code="fill", kind="valve", dose_kind="water"
    )
    ended = None if ended_minutes_ago is None else NOON - timedelta(minutes=ended_minutes_ago)
    DeviceRun.objects.create(
        output=tap, source="button", began_at=NOON - timedelta(hours=3), ended_at=ended
    )

    found = safety_facts.find(output=house.doser, source="api", at=NOON, seconds=5, ml=1.0)

    assert (Interlock.MIXING_WAIT in {one.interlock for one in found}) == is_held
