"""Several bridges and people at once: each command goes out once, each guard holds (PostgreSQL)."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connections, transaction

from farm.errors import CommandRefusedError, SafetyError
from farm.models import Alarm, Command, CommandEvent, Node, Output, WaterUse
from farm.services import commands, stops
from tests.farm.controllers import (
    Broker,
    ack,
    after,
    dose,
    make_house,
    run,
    send,
    started,
    status,
    steps,
)
from tests.farm.factories import NOON, make_channel, make_output

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgres]


@pytest.fixture
def house(only_postgresql):
    return make_house()


def refused_or_id(ask):
    try:
        return ask().pk
    except (SafetyError, CommandRefusedError) as error:
        return error.facts.get("interlock") or error.facts["reason"]


def test_two_senders_publish_each_command_once(house, together):
    outputs = [make_output(node=house.node, zone=house.zone, kind="fan") for _ in range(20)]
    expected = {run(output, 60).pk for output in outputs}
    broker = Broker()

    together(lambda: commands.send_due(publish=broker.publish, at=NOON), times=4)

    assert sorted(broker.ids) == sorted(expected)
    assert Command.objects.filter(sends=1).count() == 20


def test_a_sender_passes_over_what_another_holds(house):
    command = run(house.valve)
    other = run(house.fan, 60)
    is_held, is_over = threading.Event(), threading.Event()

    def hold():
        with transaction.atomic():
            Command.objects.select_for_update().get(pk=command.pk)
            is_held.set()
            is_over.wait(20)
        connections.close_all()

    with ThreadPoolExecutor(1) as pool:
        held = pool.submit(hold)
        assert is_held.wait(20)
        ids = send().ids
        is_over.set()
        held.result()

    assert ids == [other.pk]
    assert status(command) == "queued"


def test_two_timeouts_at_once_raise_one_alarm_and_one_stop(house, together):
    run(house.valve)
    send()

    together(lambda: commands.advance(at=after(15)), times=4)

    assert Command.objects.filter(op="stop").count() == 1
    assert Alarm.objects.get().times == 1
    assert CommandEvent.objects.filter(step="unknown").count() == 1


def test_the_same_key_many_times_at_once_is_one_command(house, together):
    answers = together(lambda: run(house.valve, caller_key="tap-1").pk, times=8)

    assert len(set(answers)) == 1
    assert Command.objects.count() == 1


def test_two_doses_at_once_are_one_dose(house, together):
    answers = together(lambda: refused_or_id(lambda: dose(house.doser, 6.0)), times=4)

    assert sorted(answers)[1:] == ["dose_unresolved"] * 3
    assert Command.objects.filter(op="dose").count() == 1


def test_the_last_litres_of_a_day_are_given_once(house, together):
    outputs = [
        make_output(node=house.node, zone=house.zone, flow_low=6, flow_high=6) for _ in range(4)
    ]
    waiting = list(outputs)

    def ask():
        return refused_or_id(lambda: run(waiting.pop(), 600, source="schedule"))  # 60 of 100 L

    answers = together(ask, times=4)

    assert sorted(answers)[1:] == ["daily_litre_cap"] * 3
    assert Command.objects.count() == 1


def test_two_people_at_one_probe_send_one_command(house, together):
    probe = make_channel(node=house.node, quantity="ph")

    answers = together(
        lambda: refused_or_id(
            lambda: commands.request_calibrate(channel=probe, value=7.0, source="person", at=NOON)
        ),
        times=4,
    )

    assert sorted(answers)[1:] == ["busy"] * 3
    assert Command.objects.count() == 1


def test_two_ends_at_once_both_count_in_the_days_water(house, together):
    outputs = [house.valve] + [
        make_output(node=house.node, zone=house.zone, flow_low=4, flow_high=8) for _ in range(3)
    ]
    running = [started(output, 120) for output in outputs]
    # Else each word would wait for the one before to note when the controller was heard.
    Node.objects.update(last_ping_ok_at=after(200))
    waiting = list(running)

    together(lambda: ack(waiting.pop(), "done", at=after(120), ran_s=120, l=10), times=4)

    assert WaterUse.objects.get().litres == 40


def test_the_same_word_at_once_is_one_step(house, together):
    command = started(house.valve)

    together(lambda: ack(command, "done", at=after(120), ran_s=120, l=10), times=4)

    assert steps(command) == ["queued", "sent", "accepted", "started", "done"]


def test_an_emergency_stop_beside_requests_and_senders_lets_nothing_through_later(house, together):
    outputs = [make_output(node=house.node, zone=house.zone, kind="fan") for _ in range(6)]
    broker = Broker()
    jobs = [
        lambda: stops.stop_house(greenhouse=house.greenhouse, by=None, reason="x", at=NOON),
        *[lambda output=output: refused_or_id(lambda: run(output, 60)) for output in outputs],
        lambda: commands.send_due(publish=broker.publish, at=NOON),
    ]
    waiting = list(jobs)

    def do_one():
        waiting.pop()()

    together(do_one, times=len(jobs))
    later = send(after(1))

    assert [op for op, _ in later.sent if op == "run"] == []
    assert not Command.objects.filter(op="run", status="queued").exists()
    assert {op for op, _ in broker.sent + later.sent} >= {"stop_all"}


def test_an_output_is_read_again_under_the_lock(house):
    stale = Output.objects.get(pk=house.valve.pk)
    Output.objects.filter(pk=house.valve.pk).update(max_seconds=60)

    with pytest.raises(CommandRefusedError):
        run(stale, 120)
