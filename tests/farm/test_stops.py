"""The emergency stop holds until a person lets go; a lock by hand wins over every programme."""

import pytest

from farm import frames
from farm.errors import CommandRefusedError, OutputLockedError, SafetyError
from farm.models import Alarm, Command, EmergencyStop, LockChange, Node, NodeConfig
from farm.services import alarms, commands, config, nodes, stops
from notifications.models import Message
from tests.farm.controllers import (
    SCHEDULE,
    Broker,
    after,
    dose,
    make_house,
    make_rule,
    run,
    send,
    started,
    status,
)
from tests.farm.factories import NOON, make_node, make_user, make_watch

pytestmark = pytest.mark.django_db


@pytest.fixture
def house():
    return make_house()


def stop(house, at=NOON, by=None):
    return stops.stop_house(greenhouse=house.greenhouse, by=by, reason="cháy bơm", at=at)


def publish_configs(at):
    broker = Broker()
    config.publish_due(publish=broker.publish, at=at)
    return broker.messages


def test_the_emergency_stop_is_a_retained_level_and_a_stop_at_once(house):
    other = make_node(greenhouse=house.greenhouse, is_online=False)
    user = make_user()

    log = stop(house, by=user)

    house.greenhouse.refresh_from_db()
    assert (house.greenhouse.is_stopped, house.greenhouse.stopped_by) == (True, user)
    assert (log.is_stop, log.reason, log.by, log.at) == (True, "cháy bơm", user, NOON)
    base = f"farm/v1/{house.greenhouse.code}"
    assert publish_configs(NOON) == [
        (f"{base}/{house.node.name}/cfg", {"estop": True, "rev": 1}, 1, True),
        (f"{base}/{other.name}/cfg", {"estop": True, "rev": 1}, 1, True),
    ]
    assert sorted(send().sent) == [("stop_all", None), ("stop_all", None)]
    assert Alarm.objects.get(cleared_at=None).kind == "emergency_stop"


def test_what_waits_is_dropped_and_nothing_but_stops_and_pings_goes_out(house):
    waiting = [run(house.valve), run(house.fan, 600), dose(house.doser)]
    stop(house)
    commands.request_ping(node=house.node, at=NOON)

    assert send().sent == [("stop_all", None), ("ping", None)]
    assert [status(command) for command in waiting] == ["rejected"] * 3
    for ask in (lambda: run(house.valve), lambda: dose(house.doser), lambda: run(house.fan)):
        with pytest.raises(SafetyError) as refusal:
            ask()
        assert refusal.value.facts["interlock"] == "estop"


def test_a_run_that_was_asked_for_beside_the_stop_is_not_sent(house):
    command = run(house.valve)
    house.greenhouse.is_stopped, house.greenhouse.stopped_at = True, NOON
    house.greenhouse.save()

    assert send().sent == []
    command.refresh_from_db()
    assert (command.status, command.why) == ("rejected", "estop")


def test_a_run_that_was_sent_before_the_stop_is_not_sent_again(house):
    command = run(house.valve)
    send()
    stop(house, at=after(1))

    assert [op for op, _ in send(after(5)).sent] == ["stop_all"]
    assert status(command) == "sent"


def test_the_config_is_published_again_until_it_is_kept(house):
    stop(house)
    publish_configs(NOON)

    assert publish_configs(after(59)) == []
    assert len(publish_configs(after(60))) == 1
    nodes.record_config_ack(node=house.node, ack=frames.ConfigAck(rev=1, ok=True), at=after(61))
    assert publish_configs(after(600)) == []


def test_a_refused_config_is_an_alarm_until_a_later_one_is_kept(house):
    stop(house)
    refused = frames.ConfigAck(rev=1, ok=False, err="flash")

    nodes.record_config_ack(node=house.node, ack=refused, at=after(1))

    assert Node.objects.get(pk=house.node.pk).config_error == "flash"
    assert Alarm.objects.filter(kind="config_refused", cleared_at=None).exists()
    nodes.record_config_ack(node=house.node, ack=frames.ConfigAck(rev=1, ok=True), at=after(2))
    assert not Alarm.objects.filter(kind="config_refused", cleared_at=None).exists()


def test_a_config_that_stays_the_same_keeps_its_number(house):
    first = config.change_config(node=house.node, at=NOON, estop=False, schedule=[1])
    again = config.change_config(node=house.node, at=after(5), schedule=[1])
    changed = config.change_config(node=house.node, at=after(6), schedule=[2])

    assert (first.rev, again.rev, changed.rev) == (1, 1, 2)
    assert changed.document == {"estop": False, "schedule": [2]}


def test_only_a_person_with_a_reason_lets_a_house_go_on(house):
    stop(house)
    user = make_user()
    with pytest.raises(CommandRefusedError):
        stops.release_house(greenhouse=house.greenhouse, by=user, reason="  ", at=after(60))
    assert EmergencyStop.objects.count() == 1

    log = stops.release_house(greenhouse=house.greenhouse, by=user, reason="đã sửa", at=after(60))

    assert (log.is_stop, log.by, log.reason) == (False, user, "đã sửa")
    assert NodeConfig.objects.get().document == {"estop": False}
    assert NodeConfig.objects.get().rev == 2
    assert not Alarm.objects.filter(cleared_at=None).exists()
    assert run(house.valve, at=after(61)).status == "queued"


def test_a_house_that_is_not_stopped_cannot_be_released(house):
    with pytest.raises(CommandRefusedError):
        stops.release_house(greenhouse=house.greenhouse, by=make_user(), reason="x", at=NOON)

    assert not EmergencyStop.objects.exists()


def test_pressing_twice_stops_twice_and_keeps_the_first_moment(house):
    stop(house)
    send()
    stop(house, at=after(30))

    house.greenhouse.refresh_from_db()
    assert house.greenhouse.stopped_at == NOON
    assert EmergencyStop.objects.count() == 2
    assert Command.objects.filter(op="stop_all").count() == 2


@pytest.mark.parametrize("is_seen", [True, False])
def test_a_second_emergency_stop_soon_after_the_first_is_told_again(house, is_seen):
    user = make_watch(greenhouse=house.greenhouse).user
    stop(house)
    alarms.tell_watchers(at=NOON)
    if is_seen:
        alarms.acknowledge(alarm=Alarm.objects.get(), by=user, at=after(30))
    stops.release_house(greenhouse=house.greenhouse, by=user, reason="đã sửa", at=after(60))

    stop(house, at=after(300))

    assert alarms.tell_watchers(at=after(300)) == 1
    assert Message.objects.filter(channel=Message.Channel.SMS).count() == 2


def test_an_output_that_is_on_in_a_stopped_house_is_stopped_again_with_an_alarm(house):
    stop(house)
    state = frames.OutputState(on=True, boot=17, src="button")

    nodes.record_output_state(node=house.node, output_code="valve-1", state=state, at=after(5))
    assert not Command.objects.filter(op="stop").exists()
    nodes.record_output_state(node=house.node, output_code="valve-1", state=state, at=after(20))

    assert Command.objects.get(op="stop").output == house.valve
    assert Alarm.objects.filter(kind="stuck_on", output=house.valve).count() == 1

    off = frames.OutputState(on=False, boot=17, src="cmd")
    nodes.record_output_state(node=house.node, output_code="valve-1", state=off, at=after(25))
    assert Alarm.objects.get(kind="stuck_on").cleared_at == after(25)


def test_an_output_locked_off_is_stopped_and_moves_for_nobody_until_the_lock_ends(house):
    user = make_user()
    waiting = run(house.valve)

    change = stops.lock_output(
        output=house.valve, lock="off", until=after(3600), reason="sửa van", by=user, at=after(1)
    )

    assert LockChange.objects.get() == change
    assert (change.lock, change.until, change.by, change.reason) == (
        "off", after(3600), user, "sửa van",
    )  # fmt: skip
    assert send(after(1)).sent == [("stop", "valve-1")]
    waiting.refresh_from_db()
    assert (waiting.status, waiting.why) == ("rejected", "locked")
    for source in Command.Source.values:
        with pytest.raises(OutputLockedError):
            run(house.valve, source=source, rule=make_rule(house.valve), at=after(2))
    assert run(house.valve, at=after(3600)).status == "queued"


def test_a_lock_by_hand_wins_over_every_programme_and_its_stops(house):
    waiting = run(house.valve, source=SCHEDULE)

    stops.lock_output(
        output=house.valve, lock="manual", until=None, reason="", by=make_user(), at=NOON
    )

    assert status(waiting) == "rejected"
    running = started(house.valve)
    with pytest.raises(OutputLockedError):
        run(house.valve, source=SCHEDULE, at=after(1))
    house.valve.refresh_from_db()
    with pytest.raises(OutputLockedError):
        commands.request_stop(output=house.valve, source="hysteresis", at=after(1))
    assert status(running) == "started"
    assert commands.request_stop(output=house.valve, source="safety", at=after(1)).op == "stop"


def test_a_lock_that_came_after_the_request_keeps_it_from_being_sent(house):
    command = run(house.valve, source=SCHEDULE)
    house.valve.lock = "manual"
    house.valve.save()

    assert send().sent == []
    assert status(command) == "rejected"


@pytest.mark.parametrize("fields", [{"lock": "nonsense"}, {"until": NOON}])
def test_a_lock_that_means_nothing_is_refused(house, fields):
    with pytest.raises(CommandRefusedError):
        stops.lock_output(
            **{"output": house.valve, "lock": "off", "until": None, "reason": ""} | fields,
            by=make_user(),
            at=NOON,
        )

    assert not LockChange.objects.exists()
