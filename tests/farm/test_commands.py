"""Commands: asked for once, sent under one id, and believed only from the controller."""

import pytest
from django.db import IntegrityError, transaction
from django.utils import translation

from farm.errors import CommandRefusedError, SafetyError
from farm.explain import alarm_words
from farm.models import Alarm, Command
from farm.services import commands, water
from tests.farm.controllers import (
    PERSON,
    SCHEDULE,
    ack,
    after,
    dose,
    make_house,
    make_rule,
    run,
    send,
    started,
    status,
    steps,
)
from tests.farm.factories import (
    NOON,
    make_channel,
    make_node,
    make_output,
    make_user,
    measure,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def house():
    return make_house()


def test_a_run_goes_out_as_the_contract_says(house):
    user = make_user()

    command = run(house.valve, 120, litres=12.0, by=user)
    topic, message, qos, is_retained = send().messages[0]

    noon = round(NOON.timestamp() * 1000)
    assert topic == f"farm/v1/{house.greenhouse.code}/{house.node.name}/cmd"
    assert message == {
        "id": command.pk, "op": "run", "out": "valve-1", "s": 120, "l": 12.0,
        "t": noon, "exp": noon + 15_000, "by": f"user:{user.pk}", "gen": 0,
    }  # fmt: skip
    assert (qos, is_retained) == (1, False)
    assert len(command.pk) == 26
    assert status(command) == "sent"


def test_a_dose_is_sent_in_ml_and_never_in_seconds(house):
    dose(house.doser, 6.0)

    message = send().messages[0][1]

    assert (message["op"], message["out"], message["ml"]) == ("dose", "dose-a", 6.0)
    assert "s" not in message


def test_a_run_goes_through_its_states_to_done(house):
    command = started(house.valve)

    ack(command, "done", at=after(120), ran_s=120, l=11.5)

    command.refresh_from_db()
    assert command.status == "done"
    assert (command.accepted_at, command.started_at) == (NOON, NOON)
    assert (command.ended_at, command.ran_seconds, command.ran_litres) == (after(120), 120, 11.5)
    assert steps(command) == ["queued", "sent", "accepted", "started", "done"]


def test_amounts_that_no_output_can_have_given_are_not_kept(house):
    command = started(house.valve)

    ack(command, "done", at=after(120), ran_s=1e308, l=1e308)

    command.refresh_from_db()
    assert (command.status, command.ran_seconds, command.ran_litres) == ("done", None, None)


def test_words_in_any_order_and_doubled_make_the_same_row(house):
    command = run(house.valve)
    send()

    ack(command, "done", at=after(121), ran_s=120, l=11.5)
    for _ in range(2):
        ack(command, "started", at=after(122), t_ms=1)
        ack(command, "done", at=after(121), ran_s=120, l=11.5)

    command.refresh_from_db()
    assert (command.status, command.ran_litres) == ("done", 11.5)
    assert steps(command) == ["queued", "sent", "done", "late"]


def test_a_word_on_a_command_of_another_controller_is_none(house):
    command = run(house.valve)
    send()
    command.node = make_node(greenhouse=house.greenhouse)

    assert ack(command, "done") is None
    assert status(command) == "sent"


@pytest.mark.parametrize("seconds", [0, -1, 901])
def test_a_run_that_the_device_would_not_bound_is_refused(house, seconds):
    with pytest.raises(CommandRefusedError):
        run(house.valve, seconds)

    assert not Command.objects.exists()


@pytest.mark.parametrize("ml", [0, -1, 24.1, float("nan"), float("inf")])
def test_a_dose_beyond_what_the_device_gives_at_once_is_refused(house, ml):
    with pytest.raises(CommandRefusedError):
        dose(house.doser, ml)

    assert not Command.objects.exists()


@pytest.mark.parametrize(
    ("rate", "most_seconds", "ml", "seconds"), [(1.2, 3, 3.6, 3), (0.1, 7, 0.7, 7)]
)
def test_the_largest_dose_of_a_device_is_one_dose(house, rate, most_seconds, ml, seconds):
    house.doser.ml_per_second, house.doser.max_seconds = rate, most_seconds
    house.doser.save()

    assert dose(house.doser, ml).seconds == seconds


def test_the_largest_dose_is_not_rounded_up_in_words(house):
    house.doser.ml_per_second, house.doser.max_seconds = 1.25, 15
    house.doser.save()

    with pytest.raises(CommandRefusedError, match="18,7 ml"):
        dose(house.doser, 18.8)


def test_a_doser_is_never_run_by_seconds_and_a_valve_never_dosed(house):
    with pytest.raises(CommandRefusedError):
        run(house.doser, 5)
    with pytest.raises(CommandRefusedError):
        dose(house.valve, 5)


def test_a_second_run_of_a_valve_that_runs_is_refused(house):
    started(house.valve)

    with pytest.raises(CommandRefusedError) as refusal:
        run(house.valve, at=after(5))

    assert refusal.value.facts["reason"] == "busy"


def test_the_same_key_gives_the_first_command_whatever_became_of_it(house):
    first = run(house.valve, caller_key="tap-1")
    send()
    ack(first, "rejected", why="interlock")

    again = run(house.valve, 60, at=after(30), caller_key="tap-1")

    assert again == first
    assert (again.seconds, again.status) == (120, "rejected")
    assert Command.objects.count() == 1


def test_a_key_of_another_output_is_refused(house):
    run(house.valve, caller_key="tap-1")

    with pytest.raises(CommandRefusedError):
        run(house.fan, caller_key="tap-1")


def test_the_same_id_is_sent_again_after_five_seconds_and_never_past_its_validity(house):
    command = run(house.valve)

    ids = {second: send(after(second)).ids for second in (0, 1, 4, 5, 6, 14, 15, 16)}

    assert ids == {0: [command.pk], 1: [], 4: [], 5: [command.pk], 6: [], 14: [], 15: [], 16: []}


def test_a_stop_is_tried_three_times(house):
    stop = commands.request_stop(output=house.valve, source=PERSON, at=NOON)

    ids = [send(after(second)).ids for second in (0, 5, 15, 25)]

    assert ids == [[stop.pk], [stop.pk], [stop.pk], []]


def test_what_was_accepted_is_not_sent_again(house):
    command = run(house.valve)
    send()
    ack(command, "accepted")

    assert send(after(5)).ids == []


def test_what_could_not_be_sent_in_time_expires(house):
    command = run(house.valve)

    assert commands.advance(at=after(15)) == 1

    assert status(command) == "expired"
    assert send(after(15)).ids == []


@pytest.mark.parametrize(
    ("words", "quiet_until", "given_up_at"),
    [([], 14.9, 15), (["accepted"], 9.9, 10), (["accepted", "started"], 134.9, 135)],
)
def test_a_run_without_an_answer_is_unknown_with_an_alarm_and_a_stop(
    house, words, quiet_until, given_up_at
):
    command = run(house.valve, 120)
    send()
    for word in words:
        ack(command, word)

    assert commands.advance(at=after(quiet_until)) == 0
    assert commands.advance(at=after(given_up_at)) == 1

    assert status(command) == "unknown"
    alarm = Alarm.objects.get(kind="command_unknown")
    assert (alarm.output, alarm.facts["command"]) == (house.valve, command.pk)
    stop = Command.objects.get(op="stop")
    assert (stop.output, stop.source, stop.status) == (house.valve, "safety", "queued")
    assert commands.advance(at=after(given_up_at)) == 0


def test_a_late_word_proves_the_end_of_an_unknown_run_and_clears_the_alarm(house):
    command = run(house.valve)
    send()
    commands.advance(at=after(15))

    ack(command, "started", at=after(20))
    assert status(command) == "unknown"
    ack(command, "aborted", at=after(21), why="stop", ran_s=18, l=1.8)

    command.refresh_from_db()
    assert (command.status, command.why, command.ran_litres) == ("aborted", "stop", 1.8)
    assert not Alarm.objects.filter(cleared_at=None).exists()


def test_a_run_whose_end_is_told_late_is_no_longer_said_to_be_unanswered(house):
    command = run(house.valve)
    send()
    commands.advance(at=after(15))
    command.refresh_from_db()
    assert (command.status, command.why) == ("unknown", "no_ack")

    ack(command, "done", at=after(140), ran_s=120, l=12.0)

    command.refresh_from_db()
    assert (command.status, command.why) == ("done", "")


def test_stops_go_first_and_drop_what_waits(house):
    fan = run(house.fan, 600)
    valve = run(house.valve)
    commands.request_stop(output=house.valve, source=PERSON, at=after(1))

    valve.refresh_from_db()
    assert (valve.status, valve.why) == ("rejected", "stop")
    assert send(after(1)).sent == [("stop", "valve-1"), ("run", "fan-1")]
    assert status(fan) == "sent"


def test_a_run_that_was_sent_is_not_repeated_after_a_stop(house):
    run(house.valve)
    send()
    commands.request_stop(output=house.valve, source=PERSON, at=after(1))

    assert send(after(1)).sent == [("stop", "valve-1")]
    assert send(after(5)).sent == []


def test_a_stop_that_waits_is_enough(house):
    first = commands.request_stop(output=house.valve, source=PERSON, at=NOON)

    assert commands.request_stop(output=house.valve, source=PERSON, at=after(1)) == first


def test_stop_all_drops_what_waits_for_any_output(house):
    waiting = [run(house.valve), run(house.fan)]
    commands.stop_everything(node=house.node, source=PERSON, at=NOON)

    assert send().sent == [("stop_all", None)]
    assert [status(command) for command in waiting] == ["rejected", "rejected"]


def test_a_run_that_begins_after_a_stop_was_sent_is_stopped_once_more(house):
    command = run(house.valve)
    send()
    commands.request_stop(output=house.valve, source=PERSON, at=after(1))
    send(after(1))

    ack(command, "accepted", at=after(2))
    ack(command, "started", at=after(2))

    assert send(after(2)).sent == [("stop", "valve-1")]


def test_a_run_after_a_stop_is_not_stopped(house):
    commands.request_stop(output=house.valve, source=PERSON, at=NOON)
    send()
    started(house.valve, at=NOON)

    assert Command.objects.filter(op="stop").count() == 1


def test_a_rule_that_changed_meanwhile_sends_nothing(house):
    rule = make_rule(house.valve)
    changed = run(house.valve, source=SCHEDULE, rule=rule)
    rule.generation += 1
    rule.save()

    assert send().ids == []
    changed.refresh_from_db()
    assert (changed.status, changed.why) == ("rejected", "generation")


def test_a_rule_that_was_switched_off_sends_nothing_not_even_again(house):
    rule = make_rule(house.valve)
    command = run(house.valve, source=SCHEDULE, rule=rule)
    assert send().messages[0][1]["by"] == f"rule:{rule.pk}"
    rule.is_enabled = False
    rule.save()

    assert send(after(5)).ids == []
    assert status(command) == "sent"


def test_an_unknown_dose_blocks_the_next_one_for_everybody(house):
    command = dose(house.doser)
    send()
    with pytest.raises(SafetyError) as while_open:
        dose(house.doser, at=after(5))
    commands.advance(at=after(15))

    with pytest.raises(SafetyError) as after_it:
        dose(house.doser, at=after(100_000))

    assert status(command) == "unknown"
    assert while_open.value.facts["interlock"] == "dose_unresolved"
    assert after_it.value.facts["interlock"] == "dose_unresolved"
    assert Command.objects.filter(op="dose").count() == 1


def test_a_person_who_looked_settles_an_unknown_dose(house):
    command = dose(house.doser)
    send()
    commands.advance(at=after(15))

    commands.settle_unknown(command=command, at=after(60), by=make_user())

    command.refresh_from_db()
    assert (command.status, command.settled_at) == ("unknown", after(60))
    assert not Alarm.objects.filter(cleared_at=None).exists()
    house.pump.state_heard_at = after(4000)
    house.pump.save()
    assert dose(house.doser, at=after(4000)).status == "queued"


def test_what_is_known_needs_no_settling(house):
    command = run(house.valve)

    with pytest.raises(CommandRefusedError):
        commands.settle_unknown(command=command, at=NOON, by=make_user())


def test_an_unanswered_stop_is_an_alarm_and_no_further_stop(house):
    commands.request_stop(output=house.valve, source=PERSON, at=NOON)
    for second in (0, 5, 15):
        send(after(second))

    commands.advance(at=after(60))

    assert Alarm.objects.get().severity == Alarm.Severity.URGENT
    assert Command.objects.count() == 1


def test_a_controller_that_answers_no_ping_is_deaf_until_it_answers_anything(house):
    later = after(301)
    commands.advance(at=later)
    ping = Command.objects.get(op="ping")
    send(later)

    commands.advance(at=after(301 + 15))
    assert Alarm.objects.filter(kind="node_deaf", cleared_at=None).exists()
    ack(ping, "done", at=after(330))

    house.node.refresh_from_db()
    assert house.node.last_ping_ok_at == after(330)
    assert not Alarm.objects.filter(cleared_at=None).exists()
    assert status(ping) == "done"


def test_a_controller_that_was_heard_lately_is_not_asked(house):
    commands.advance(at=after(299))

    assert not Command.objects.exists()


def test_a_resend_names_the_frames_and_the_boot(house):
    commands.request_resend(node=house.node, first=5, last=9, boot=17, at=NOON)

    message = send().messages[0][1]

    assert (message["op"], message["from"], message["to"], message["boot"]) == ("resend", 5, 9, 17)


def test_foreign_devices_are_not_spoken_to_in_farm_v1(house):
    house.node.protocol = "tasmota"
    house.node.save()
    run(house.valve)

    assert send().ids == []


def test_a_tank_that_says_nothing_stops_a_timetable_but_only_warns_a_person(house):
    measure(house.tank, None, t=NOON)

    with pytest.raises(SafetyError) as refusal:
        run(house.valve, source=SCHEDULE)

    assert refusal.value.facts == {"interlock": "fact_unknown", "detail": "tank"}
    assert run(house.valve).events.get().why == "fact_unknown"


def test_looking_for_what_to_send_is_one_query_while_nothing_waits(
    house, django_assert_num_queries
):
    with django_assert_num_queries(1):
        assert send().ids == []


def test_asking_for_a_dose_takes_as_many_queries_in_a_full_house(house, django_assert_num_queries):
    for number in range(10):
        make_output(node=house.node, zone=house.zone, kind="pump")
        measure(make_channel(node=house.node, zone=house.zone), 20.0 + number, t=NOON)

    with django_assert_num_queries(13):
        dose(house.doser)


def refused_alarm():
    return Alarm.objects.filter(kind="command_refused").first()


def rule_run(house, *, at=NOON, **changes):
    rule = make_rule(house.valve, generation=1, **changes)
    return run(house.valve, at=at, source=SCHEDULE, rule=rule)


@pytest.mark.parametrize(
    ("word", "why", "said"),
    [
        ("rejected", "no_tick", "the controller has not heard the server's clock"),
        ("rejected", "busy", "the device was busy"),
        ("expired", "", "it came too late"),
    ],
)
def test_a_programmes_run_that_was_not_taken_is_one_alarm_with_its_reason(house, word, why, said):
    command = rule_run(house)
    send()

    for _ in range(2):
        ack(command, word, why=why)

    alarm = refused_alarm()
    assert (alarm.times, alarm.severity, alarm.output) == (1, Alarm.Severity.WARNING, house.valve)
    with translation.override("en"):
        assert alarm_words(alarm) == (
            f"{house.valve} of {house.zone} did not run for the programme “Tưới sáng”: {said}"
        )


def test_a_programmes_run_that_was_never_sent_is_an_alarm_until_a_run_is_done(house):
    rule_run(house)

    commands.advance(at=after(15))

    assert refused_alarm().facts["reason"] == "not_sent"
    second = started(house.valve, at=after(20))
    assert refused_alarm().cleared_at is None
    ack(second, "done", at=after(140), ran_s=120)
    assert refused_alarm().cleared_at == after(140)


def test_a_run_that_was_refused_because_somebody_wanted_it_so_is_no_alarm(house):
    rule_run(house)

    commands.request_stop(output=house.valve, source=PERSON, at=after(1))

    assert status(Command.objects.get(op="run")) == "rejected"
    assert refused_alarm() is None


def test_a_run_that_a_person_asked_for_is_no_alarm_of_a_programme(house):
    run(house.valve)

    commands.advance(at=after(15))

    assert refused_alarm() is None


def test_litres_count_for_the_day_only_where_a_meter_ends_the_run(house):
    planned = {"seconds": 300, "litres": 10.0}

    without = water.planned_litres(house.valve, **planned)
    make_channel(node=house.node, quantity="flow", unit="L/min", code="flow")
    with_meter = water.planned_litres(house.valve, **planned)

    # 300 s at 6 L/min
    assert (without, with_meter) == (30.0, 10.0)


def test_a_day_counts_a_run_in_litres_without_a_meter_by_its_seconds(house):
    run(house.valve, 300, litres=10.0)

    assert water.litres_of_day(house.zone, at=after(1)) == 30.0


def test_litres_of_a_valve_of_which_nothing_is_known_cannot_be_told(house):
    house.valve.flow_low = house.valve.flow_high = None

    assert water.planned_litres(house.valve, seconds=300, litres=10.0) is None


def test_the_database_takes_no_run_without_an_end(house):
    command = run(house.valve)

    for seconds in (None, 0):
        with pytest.raises(IntegrityError), transaction.atomic():
            Command.objects.filter(pk=command.pk).update(seconds=seconds)

    command.refresh_from_db()
    assert command.seconds == 120


def test_the_database_takes_no_dose_without_an_amount(house):
    command = dose(house.doser)

    for ml in (None, 0):
        with pytest.raises(IntegrityError), transaction.atomic():
            Command.objects.filter(pk=command.pk).update(ml=ml)

    command.refresh_from_db()
    assert command.ml == 6.0
