"""What controllers say of themselves: births, reboots, states, events, and who is away."""

import pytest

from farm import frames
from farm.models import Alarm, BootSequence, Channel, Command, DeviceEvent, NodeConfig, Output
from farm.services import commands, nodes
from tests.farm.controllers import ack, after, dose, make_house, run, send, started, status
from tests.farm.factories import NOON, make_greenhouse, make_node, make_zone

pytestmark = pytest.mark.django_db

CONTRACT_BIRTH = (
    b'{"v":1,"boot":17,"t":1767225600000,"clk":"ntp","fw":"pl-0.3.1","hw":"esp32","seq":4711,'
    b'"cfg":12,"reset":"power","ch":{"air_t":{"u":"degC","k":"air_temperature"},"rh":{"u":"%"},'
    b'"ec":{"u":"mS/cm"},"ph":{"u":"pH"},"tank":{"u":"L"},"flow":{"u":"L/min","ppl":450}},'
    b'"out":{"valve-1":{"k":"valve","max_s":900,"flow":[4,8]},"pump":{"k":"pump","max_s":1200,'
    b'"needs":["tank_ok"]},"dose-a":{"k":"doser","ml_s":1.2,"max_s":20},'
    b'"fan-1":{"k":"fan","max_s":86400,"fail":"local"}},"buf":0}'
)


@pytest.fixture
def house():
    return make_house()


def born(house, boot, *, at, **fields):
    return nodes.record_birth(node=house.node, birth=frames.Birth(boot=boot, **fields), at=at)


def state_of(house, code, *, at, on, **fields):
    fields = {"boot": 17, "t_ms": round(at.timestamp() * 1000)} | fields
    return nodes.record_output_state(
        node=house.node, output_code=code, state=frames.OutputState(on=on, **fields), at=at
    )


def test_a_birth_says_which_frame_comes_next_and_only_the_first_of_a_boot_counts(house):
    born(house, 18, at=NOON, seq=3)
    born(house, 18, at=after(300), seq=40)
    born(house, 19, at=after(540))

    counted_from = BootSequence.objects.order_by("boot").values_list("boot", "counted_from")
    assert list(counted_from) == [(18, 3)]


def test_the_contracts_birth_makes_its_channels_and_outputs():
    zone = make_zone()
    node = make_node(greenhouse=zone.greenhouse, boot=None, born_at=None)

    nodes.record_birth(node=node, birth=frames.parse_birth(CONTRACT_BIRTH), at=NOON)

    node.refresh_from_db()
    assert (node.boot, node.born_at, node.firmware, node.hardware, node.reset_reason) == (
        17, NOON, "pl-0.3.1", "esp32", "power",
    )  # fmt: skip
    channels = Channel.objects.filter(node=node)
    assert dict(channels.values_list("code", "quantity")) == {
        "air_t": "air_temperature", "rh": "relative_humidity", "ec": "ec", "ph": "ph",
        "tank": "tank_volume", "flow": "flow",
    }  # fmt: skip
    assert channels.get(code="flow").pulses_per_litre == 450
    assert set(
        Output.objects.filter(node=node, zone=zone).values_list(
            "code", "kind", "max_seconds", "flow_low", "flow_high", "ml_per_second", "fail"
        )
    ) == {
        ("valve-1", "valve", 900, 4, 8, None, "off"),
        ("pump", "pump", 1200, None, None, None, "off"),
        ("dose-a", "doser", 20, None, None, 1.2, "off"),
        ("fan-1", "fan", 86_400, None, None, None, "local"),
    }
    assert Output.objects.get(code="pump", node=node).needs == ["tank_ok"]
    # The controller remembers config 12: ours must be newer to be taken.
    assert (NodeConfig.objects.get().rev, NodeConfig.objects.get().document) == (
        13, {"estop": False},
    )  # fmt: skip


def test_the_same_birth_again_changes_nothing_and_people_s_words_stay():
    node = make_node(greenhouse=make_greenhouse(), boot=None)
    birth = frames.parse_birth(CONTRACT_BIRTH)
    nodes.record_birth(node=node, birth=birth, at=NOON)
    Output.objects.filter(code="valve-1").update(label="Van giàn 1", lock="manual")
    Channel.objects.filter(code="rh").update(label="Ẩm", quantity="other")

    nodes.record_birth(node=node, birth=birth, at=after(60))

    node.refresh_from_db()
    assert node.born_at == NOON
    assert (Channel.objects.count(), Output.objects.count()) == (6, 4)
    valve = Output.objects.get(code="valve-1")
    assert (valve.label, valve.lock, valve.max_seconds) == ("Van giàn 1", "manual", 900)
    assert NodeConfig.objects.get().rev == 13


def test_a_controller_new_in_a_stopped_house_is_told_so(house):
    house.greenhouse.is_stopped, house.greenhouse.stopped_at = True, NOON
    house.greenhouse.save()

    born(house, 18, at=NOON)

    assert NodeConfig.objects.get().document == {"estop": True}


def test_a_reboot_breaks_off_what_the_controller_says_nothing_of(house):
    command = started(house.valve)
    born(house, 18, at=after(30))

    assert commands.advance(at=after(39)) == 0
    assert commands.advance(at=after(40)) == 1

    command.refresh_from_db()
    assert (command.status, command.why, command.ended_at) == ("aborted", "reboot", after(40))


def test_a_controller_that_remembers_says_itself_what_became_of_a_command(house):
    command = started(house.valve)
    born(house, 18, at=after(30))

    ack(command, "aborted", at=after(31), why="reboot", ran_s=29, l=2.9, boot=18)
    commands.advance(at=after(60))

    command.refresh_from_db()
    assert (command.status, command.ran_seconds, command.ran_litres) == ("aborted", 29, 2.9)


def test_a_reboot_means_all_off_but_for_what_the_new_boot_has_switched_itself(house):
    state_of(house, "valve-1", at=after(1), on=True)
    state_of(house, "pump", at=after(2), on=True, boot=18)

    born(house, 18, at=after(30))

    states = Output.objects.filter(node=house.node, code__in=("valve-1", "pump"))
    assert dict(states.values_list("code", "is_on")) == {"valve-1": False, "pump": True}
    assert states.get(code="valve-1").state_source == "boot"


def test_the_same_boot_again_breaks_nothing_off(house):
    command = started(house.valve)
    born(house, 17, at=after(30))

    commands.advance(at=after(60))

    assert status(command) == "started"


def test_an_old_retained_birth_is_no_reboot(house):
    born(house, 16, at=after(30), t_ms=round(after(-3600).timestamp() * 1000))

    house.node.refresh_from_db()
    assert house.node.boot == 17


@pytest.mark.parametrize("t_ms", [0, 5_000, 1_000_000_000_000])
def test_a_controller_flashed_anew_without_its_clock_is_no_ghost(house, t_ms):
    born(house, 1, at=after(30), t_ms=t_ms)
    state_of(house, "valve-1", at=after(31), on=True, boot=1, t_ms=t_ms + 1_000)

    house.node.refresh_from_db()
    house.valve.refresh_from_db()
    assert (house.node.boot, house.node.born_at) == (1, after(30))
    assert (house.valve.is_on, house.valve.state_boot) == (True, 1)


def test_a_controller_whose_counter_began_anew_is_a_reboot(house):
    born(house, 1, at=after(30), t_ms=round(after(29).timestamp() * 1000))

    house.node.refresh_from_db()
    assert (house.node.boot, house.node.born_at) == (1, after(30))


def test_who_goes_away_is_an_alarm_until_it_is_back(house):
    for second in (1, 2):
        nodes.record_status(node=house.node, is_online=False, at=after(second))
    house.node.refresh_from_db()
    assert (house.node.is_online, house.node.status_at) == (False, after(1))
    alarm = Alarm.objects.get(cleared_at=None)
    assert (alarm.kind, alarm.times) == ("node_offline", 1)

    nodes.record_status(node=house.node, is_online=True, at=after(9))

    assert not Alarm.objects.filter(cleared_at=None).exists()


def test_the_state_is_what_the_device_said_last(house):
    state_of(house, "valve-1", at=after(1), on=True, src="cmd", left=118, flow=6.1)
    state_of(house, "valve-1", at=after(61), on=True, src="cmd", left=58, flow=6.0)

    house.valve.refresh_from_db()
    assert (house.valve.is_on, house.valve.state_at, house.valve.state_heard_at) == (
        True, after(1), after(61),
    )  # fmt: skip
    assert (house.valve.state_left_seconds, house.valve.state_flow) == (58, 6.0)


def test_a_state_that_comes_again_or_late_changes_nothing(house):
    state_of(house, "valve-1", at=after(1), on=True)
    state_of(house, "valve-1", at=after(30), on=False)
    late = frames.OutputState(on=True, boot=17, t_ms=round(after(1).timestamp() * 1000))

    nodes.record_output_state(node=house.node, output_code="valve-1", state=late, at=after(31))
    before_boot = frames.OutputState(on=True, boot=16, t_ms=round(after(40).timestamp() * 1000))
    nodes.record_output_state(
        node=house.node, output_code="valve-1", state=before_boot, at=after(41)
    )

    house.valve.refresh_from_db()
    assert (house.valve.is_on, house.valve.state_at) == (False, after(30))


@pytest.mark.parametrize("t_ms", [0, 5_000, 253_402_300_799_000, None])
def test_a_clock_that_makes_no_sense_is_not_believed(house, t_ms):
    state_of(house, "valve-1", at=after(60), on=True, t_ms=t_ms)

    house.valve.refresh_from_db()
    assert (house.valve.state_at, house.valve.state_heard_at) == (after(60), after(60))


def test_a_clock_that_was_put_back_does_not_hide_the_news(house):
    state_of(house, "valve-1", at=after(1), on=False)
    back = round(after(-3 * 3600).timestamp() * 1000)

    state_of(house, "valve-1", at=after(60), on=True, t_ms=back)

    house.valve.refresh_from_db()
    assert house.valve.is_on is True


def test_states_without_a_clock_are_told_apart_by_the_counter_of_their_boot(house):
    on, off = {"on": True, "up_ms": 60_000}, {"on": False, "up_ms": 90_000}
    state_of(house, "valve-1", at=after(20), t_ms=None, **on)
    state_of(house, "valve-1", at=after(30), t_ms=None, **off)

    state_of(house, "valve-1", at=after(31), t_ms=None, **on)  # doubled

    house.valve.refresh_from_db()
    assert (house.valve.is_on, house.valve.state_at) == (False, after(30))


@pytest.mark.parametrize("boot", [17, None])
def test_a_counter_that_has_run_over_is_believed(house, boot):
    weeks = 2**32 - 1000  # milliseconds, as many boards count them
    state_of(house, "valve-1", at=after(20), on=False, t_ms=None, up_ms=weeks, boot=boot)

    state_of(house, "valve-1", at=after(22), on=True, t_ms=None, up_ms=1000, boot=boot)

    house.valve.refresh_from_db()
    assert house.valve.is_on is True


def test_a_controller_that_tells_no_boot_is_believed_after_it_was_started_anew(house):
    state_of(house, "valve-1", at=after(20), on=False, t_ms=None, up_ms=60_000, boot=None)
    born(house, 18, at=after(30))

    state_of(house, "valve-1", at=after(40), on=True, t_ms=None, up_ms=10_000, boot=None)

    house.valve.refresh_from_db()
    assert house.valve.is_on is True


def test_a_controller_that_was_flashed_anew_is_believed_from_its_first_state_on(house):
    state_of(house, "valve-1", at=after(20), on=False, t_ms=None, up_ms=900_000)
    born(house, 18, at=after(30))
    born(house, 17, at=after(600))

    state_of(house, "valve-1", at=after(620), on=True, t_ms=None, up_ms=20_000)

    house.valve.refresh_from_db()
    assert house.valve.is_on is True


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ({"left": 1e300, "flow": 1e300, "v": 1e300}, (86_400.0, None, None)),
        ({"left": -5.0, "flow": -1.0, "v": 101.0}, (0.0, None, None)),
        ({"left": 60.0, "flow": 6.1, "v": 100.0}, (60.0, 6.1, 100.0)),
    ],
)
def test_what_no_output_can_do_is_not_kept(house, said, kept):
    state_of(house, "valve-1", at=after(20), on=True, **said)

    house.valve.refresh_from_db()
    state = house.valve.state_left_seconds, house.valve.state_flow, house.valve.state_level
    assert state == kept


def test_an_unknown_output_is_none(house):
    assert state_of(house, "valve-9", at=NOON, on=True) is None


def unknown_dose(house):
    command = dose(house.doser)
    send()
    commands.advance(at=after(15))
    return command


def test_a_state_that_names_an_unknown_dose_and_is_off_proves_its_end(house):
    command = unknown_dose(house)

    state_of(house, "dose-a", at=after(20), on=False, src="cmd", id=command.pk, left=0)

    command.refresh_from_db()
    assert (command.status, command.settled_at) == ("aborted", after(20))
    assert not Alarm.objects.filter(cleared_at=None).exists()


@pytest.mark.parametrize("fields", [{"on": True}, {"on": False, "id": "X" * 26}, {"on": False}])
def test_a_state_that_does_not_name_it_or_is_on_proves_nothing(house, fields):
    command = unknown_dose(house)

    state_of(house, "dose-a", at=after(20), **{"id": ""} | fields)

    assert status(command) == "unknown"


def test_a_run_that_begins_after_it_was_given_up_is_stopped_again_and_told(house):
    command = run(house.valve)
    send()
    commands.advance(at=after(15))
    first = Command.objects.get(op="stop")

    state_of(house, "valve-1", at=after(16), on=True, src="cmd", id=command.pk)
    assert list(Command.objects.filter(op="stop")) == [first]  # it is on its way
    assert not Alarm.objects.filter(kind="stuck_on").exists()

    send(after(17))
    ack(first, "done", at=after(18))
    state_of(house, "valve-1", at=after(20), on=True, src="cmd", id=command.pk)

    second = Command.objects.filter(op="stop").exclude(pk=first.pk).get()
    assert (second.output, second.source, second.why) == (house.valve, "safety", "began_late")
    assert Alarm.objects.get(kind="stuck_on").severity == Alarm.Severity.URGENT

    state_of(house, "valve-1", at=after(21), on=False, src="cmd", id=command.pk, left=110)
    assert status(command) == "aborted"
    assert not Alarm.objects.filter(cleared_at=None).exists()


@pytest.mark.parametrize("clock", [{}, {"t_ms": None, "up_ms": 20_000}])
def test_a_late_start_that_the_broker_only_repeats_is_stopped_and_told_once(house, clock):
    command = run(house.valve)
    send()
    commands.advance(at=after(15))
    Command.objects.filter(op="stop").update(status="done", ended_at=after(16))
    word = {"on": True, "src": "cmd", "id": command.pk, "t_ms": round(after(20).timestamp() * 1000)}

    for days in range(3):
        state_of(house, "valve-1", at=after(20 + 86_400 * days), **word | clock)
        Command.objects.filter(op="stop").update(status="done")

    assert Command.objects.filter(op="stop").count() == 2
    assert Alarm.objects.filter(kind="stuck_on").count() == 1


def test_a_state_that_is_kept_of_a_controller_that_is_away_stops_nothing(house):
    command = run(house.valve)
    send()
    commands.advance(at=after(15))
    Command.objects.filter(op="stop").update(status="done", ended_at=after(16))
    nodes.record_status(node=house.node, is_online=False, at=after(17))

    state_of(house, "valve-1", at=after(20), on=True, src="cmd", id=command.pk)

    assert Command.objects.filter(op="stop").count() == 1


def test_a_state_that_is_on_stands_in_for_a_lost_start(house):
    command = commands.request_run(output=house.valve, seconds=120, source="person", at=NOON)
    send()

    state_of(house, "valve-1", at=after(1), on=True, id=command.pk, src="cmd")

    command.refresh_from_db()
    assert (command.status, command.started_at) == ("started", after(1))
    assert commands.advance(at=after(100)) == 0


def event(house, kind, *, is_raised=True, at=NOON, output="", said_at=None, boot=None):
    t_ms = round((said_at or at).timestamp() * 1000)
    row = frames.Event(kind=kind, is_raised=is_raised, t_ms=t_ms, output=output, boot=boot)
    return nodes.record_event(node=house.node, event=row, at=at)


def test_an_interlock_of_the_device_is_an_alarm_until_it_clears_it(house):
    for _ in range(2):
        event(house, "no_flow", output="valve-1")
    alarm = Alarm.objects.get(cleared_at=None)
    assert (alarm.kind, alarm.output, alarm.zone, alarm.times) == (
        "no_flow", house.valve, house.zone, 1,
    )  # fmt: skip

    event(house, "no_flow", output="valve-1", is_raised=False, at=after(60))

    assert not Alarm.objects.filter(cleared_at=None).exists()
    assert DeviceEvent.objects.count() == 2


def test_an_old_event_that_comes_after_the_newer_one_changes_nothing(house):
    event(house, "tank_low", is_raised=False, at=after(60))
    event(house, "tank_low", at=after(61), said_at=after(30))

    assert DeviceEvent.objects.count() == 2
    assert not Alarm.objects.exists()


def tick_event(house, *, up_ms, is_raised, at, boot=17):
    """Tell of an event as a controller without a clock does."""
    row = frames.Event(kind="tank_low", is_raised=is_raised, boot=boot, up_ms=up_ms)
    return nodes.record_event(node=house.node, event=row, at=at)


@pytest.mark.parametrize("is_first_raised", [True, False])
def test_without_a_clock_the_last_word_holds_in_whatever_order_they_come(house, is_first_raised):
    """Two bridges may hand on what was said within moments in either order."""
    words = [(5_000, is_first_raised), (5_400, not is_first_raised)]
    for up_ms, is_raised in reversed(words):
        tick_event(house, up_ms=up_ms, is_raised=is_raised, at=after(6))

    assert Alarm.objects.filter(cleared_at=None).exists() is not is_first_raised
    assert DeviceEvent.objects.count() == 2


def test_without_a_clock_an_event_that_the_broker_repeats_is_the_same_event(house):
    tick_event(house, up_ms=5_000, is_raised=True, at=after(5))
    tick_event(house, up_ms=9_000, is_raised=False, at=after(9))
    again = tick_event(house, up_ms=5_000, is_raised=True, at=after(20))

    assert (again.at, DeviceEvent.objects.count()) == (after(5), 2)
    assert not Alarm.objects.filter(cleared_at=None).exists()


def test_without_a_clock_a_small_counter_of_the_next_boot_counts(house):
    tick_event(house, up_ms=900_000, is_raised=True, at=after(5), boot=17)
    tick_event(house, up_ms=2_000, is_raised=False, at=after(60), boot=18)

    assert not Alarm.objects.filter(cleared_at=None).exists()


def test_without_a_clock_a_late_event_of_an_earlier_boot_changes_nothing(house):
    tick_event(house, up_ms=2_000, is_raised=False, at=after(60), boot=18)
    tick_event(house, up_ms=900_000, is_raised=True, at=after(61), boot=17)

    assert not Alarm.objects.exists()


def test_a_controller_flashed_anew_may_raise_what_it_raised_under_the_same_numbers(house):
    tick_event(house, up_ms=2_000, is_raised=True, at=after(0), boot=3)
    tick_event(house, up_ms=9_000, is_raised=False, at=after(9), boot=3)

    nodes.record_birth(node=house.node, birth=frames.Birth(boot=3), at=after(600))
    tick_event(house, up_ms=2_000, is_raised=True, at=after(602), boot=3)

    assert Alarm.objects.filter(kind="tank_low", cleared_at=None).exists()
    assert DeviceEvent.objects.count() == 3


def test_an_event_that_clears_counts_although_the_clock_went_back(house):
    event(house, "tank_low", boot=17)

    event(house, "tank_low", is_raised=False, at=after(600), said_at=after(-3 * 3600), boot=17)

    assert Alarm.objects.get().cleared_at == after(600)


def test_after_the_clock_went_back_events_are_held_against_the_last_that_counted(house):
    event(house, "tank_low", at=after(0))
    event(house, "tank_low", is_raised=False, at=after(600), said_at=after(-3600))
    event(house, "tank_low", at=after(610), said_at=after(-3630))  # late: it came before

    event(house, "tank_low", at=after(660), said_at=after(-3610))
    assert Alarm.objects.get().cleared_at == after(600)
    event(house, "tank_low", at=after(4200), said_at=after(-10))  # before the first, by its clock

    assert Alarm.objects.filter(cleared_at=None).count() == 1


def test_an_old_event_of_an_earlier_boot_changes_nothing_however_old(house):
    event(house, "no_flow", output="valve-1", is_raised=False, at=after(600), boot=17)

    event(house, "no_flow", output="valve-1", at=after(601), said_at=after(-3600), boot=16)

    assert DeviceEvent.objects.count() == 2
    assert not Alarm.objects.exists()


def test_a_restart_forgets_the_devices_interlocks_but_not_what_the_pipes_showed(house):
    event(house, "lease")
    event(house, "no_flow", output="valve-1")

    born(house, 18, at=after(60))

    assert [alarm.kind for alarm in Alarm.objects.filter(cleared_at=None)] == ["no_flow"]


def test_nothing_is_said_of_commands_that_are_not_open(house):
    command = started(house.valve)
    ack(command, "done", at=after(120), ran_s=120, l=12)
    born(house, 18, at=after(130))

    commands.advance(at=after(200))

    assert status(command) == "done"
    assert not Command.objects.filter(op="stop").exists()
