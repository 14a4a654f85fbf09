"""Water that does not come, does not stop or is not measured, and what a zone got."""

from datetime import date, timedelta

import pytest
from django.urls import reverse

from farm import frames
from farm.errors import CommandRefusedError, SafetyError
from farm.models import Alarm, Channel, Output, WaterUse
from farm.services import nodes, watching, water
from farm.services.watching import watch_outputs
from tests.farm.controllers import SCHEDULE, ack, after, make_house, run, send, started
from tests.farm.factories import NOON, make_channel, make_limit, make_output, make_user, measure
from tests.farm.pages import member, noon, words_of

__all__ = ["member", "noon"]
pytestmark = pytest.mark.django_db
TODAY = date(2026, 11, 22)


@pytest.fixture
def house():
    return make_house()


def meter(house, **fields):
    fields = {"node": house.node, "code": "flow", "quantity": Channel.Quantity.FLOW} | fields
    return make_channel(**fields)


def switch(output, *, on, at=NOON, flow=None, heard=None):
    Output.objects.filter(pk=output.pk).update(
        is_on=on, state_at=at, state_heard_at=heard or at, state_flow=flow
    )


def open_kinds():
    return sorted(Alarm.objects.filter(cleared_at=None).values_list("kind", flat=True))


def finished(house, word="done", *, at=NOON, seconds=120, **fields):
    command = started(house.valve, seconds, at=at)
    return ack(command, word, at=at + timedelta(seconds=seconds), **fields)


@pytest.mark.parametrize(
    ("flow", "kinds"),
    [(0.0, ["no_flow"]), (0.7, ["no_flow"]), (2.0, ["flow_low"]), (4.0, []), (8.5, ["flow_high"])],
)
def test_the_flow_of_an_open_valve_is_held_against_its_band(house, flow, kinds):
    switch(house.valve, on=True, flow=flow, heard=after(60))

    assert watch_outputs(at=after(61)) == len(kinds)

    assert open_kinds() == kinds
    assert watch_outputs(at=after(62)) == 0


def test_no_flow_is_not_said_while_the_pipe_fills(house):
    switch(house.valve, on=True, flow=0.0, heard=after(14))

    assert watch_outputs(at=after(14)) == 0


def test_a_coarse_meter_is_given_time_for_its_pulses(house):
    flow = meter(house, pulses_per_litre=0.5)  # three pulses at 4 L/min take 90 s
    switch(house.valve, on=True)
    measure(flow, 0.0, t=after(80))
    assert watch_outputs(at=after(81)) == 0

    measure(flow, 0.0, t=after(95))

    assert watch_outputs(at=after(96)) == 1
    assert open_kinds() == ["no_flow"]


@pytest.mark.parametrize(
    ("shown", "kinds"), [(0.0, ["no_flow"]), (2.0, ["flow_low"]), (5.0, []), (500.0, [])]
)
def test_a_shared_meter_tells_of_a_valve_beside_one_without_a_band(house, shown, kinds):
    make_output(node=house.node, zone=house.zone, is_on=True)
    flow = meter(house)
    switch(house.valve, on=True)
    measure(flow, shown, t=after(60))

    watch_outputs(at=after(61))

    assert open_kinds() == kinds


def two_valves(house, *, bands=((4, 8), (4, 8)), told=(None, None), shown):
    """Open two valves behind one meter, with what each of them and the meter tells."""
    other = make_output(node=house.node, zone=house.zone)
    for valve, (low, high), flow in zip((house.valve, other), bands, told, strict=True):
        Output.objects.filter(pk=valve.pk).update(flow_low=low, flow_high=high)
        switch(valve, on=True, flow=flow, heard=after(60))
    if shown is not None:
        measure(meter(house), shown, t=after(60))
    return other


@pytest.mark.parametrize(
    ("told", "shown", "kinds"),
    [
        ((12.0, 12.0), 12.0, []),  # each tells the whole meter
        ((6.0, 6.0), 12.0, []),  # each tells an equal part
        ((30.0, 30.0), 30.0, ["flow_high", "flow_high"]),
        ((15.0, 15.0), 30.0, ["flow_high", "flow_high"]),
        ((None, None), 30.0, ["flow_high", "flow_high"]),
        ((None, None), 0.0, ["no_flow", "no_flow"]),
        ((0.0, 0.0), 0.0, ["no_flow", "no_flow"]),
        # Meters of their own: one has burst, and takes the water of the other.
        ((15.5, 0.2), 15.7, ["flow_high", "no_flow"]),
        # The shared meter is silent: their own words are all there is.
        ((0.0, 0.0), None, ["no_flow", "no_flow"]),
        ((40.0, 40.0), None, ["flow_high", "flow_high"]),
    ],
)
def test_valves_at_one_meter_are_judged_by_what_it_can_tell(house, told, shown, kinds):
    two_valves(house, told=told, shown=shown)

    assert watch_outputs(at=after(61)) == len(kinds)

    assert open_kinds() == kinds


@pytest.mark.parametrize("told", [(None, None), (13.0, 13.0), (26.0, 26.0), (6.0, 20.0)])
def test_valves_of_unequal_size_at_one_meter_are_no_burst_pipe(house, told):
    two_valves(house, bands=((4, 8), (15, 25)), told=told, shown=26.0)

    assert watch_outputs(at=after(61)) == 0


@pytest.mark.parametrize("spare", [{"is_on": None}, {"is_on": True, "state_heard_at": NOON}])
def test_a_valve_that_has_said_nothing_for_long_hides_no_burst_pipe(house, spare):
    make_output(node=house.node, zone=house.zone, flow_low=4, flow_high=8, **spare)
    switch(house.valve, on=True, flow=15.0, heard=after(86_400))
    measure(meter(house), 15.0, t=after(86_400))

    watch_outputs(at=after(86_401))

    assert "flow_high" in open_kinds()


def test_a_valve_that_opens_beside_a_burst_pipe_does_not_end_its_alarm(house):
    other = make_output(node=house.node, zone=house.zone, flow_low=4, flow_high=8)
    flow = meter(house)
    standing = []
    for minute in range(1, 6):
        switch(house.valve, on=True, flow=15.5, heard=after(60 * minute))
        switch(other, on=minute % 2 == 0, at=after(60 * minute - 20), heard=after(60 * minute))
        measure(flow, 15.5, t=after(60 * minute))
        watch_outputs(at=after(60 * minute + 1))
        standing.append("flow_high" in open_kinds())

    assert standing == [True] * 5
    assert Alarm.objects.filter(kind="flow_high").count() == 1


@pytest.mark.parametrize("is_on", [True, False])
def test_a_valve_that_has_just_switched_beside_it_makes_no_burst_pipe(house, is_on):
    other = make_output(node=house.node, zone=house.zone, flow_low=4, flow_high=8)
    flow = meter(house)
    switch(house.valve, on=True, flow=12.0, heard=after(60))
    switch(other, on=is_on, at=after(61), flow=12.0)
    measure(flow, 20.0, t=after(62))
    assert watch_outputs(at=after(63)) == 0

    switch(house.valve, on=True, flow=12.0, heard=after(80))
    switch(other, on=is_on, at=after(61), heard=after(80), flow=12.0)
    measure(flow, 20.0, t=after(80))
    watch_outputs(at=after(81))

    assert open_kinds() == (["flow_high", "flow_high"] if is_on else ["flow_high"])


def test_a_run_without_water_is_latched_until_a_persons_run_gives_water(house):
    finished(house, "aborted", why="no_flow", ran_s=20, l=0)
    assert open_kinds() == ["no_flow"]
    with pytest.raises(SafetyError) as refusal:
        run(house.valve, source=SCHEDULE, at=after(300))
    assert refusal.value.facts["interlock"] == "no_flow"

    finished(house, at=after(400), ran_s=120, l=11.0)

    assert open_kinds() == []
    assert run(house.valve, source=SCHEDULE, at=after(900)).status == "queued"


def test_a_done_run_that_a_meter_saw_nothing_of_is_latched(house):
    meter(house)

    finished(house, ran_s=120, l=0)

    assert open_kinds() == ["no_flow"]


def test_without_a_meter_no_litres_are_no_finding(house):
    finished(house, ran_s=120, l=0)

    assert open_kinds() == []


def test_a_person_clears_the_latch_with_a_reason(house):
    finished(house, "aborted", why="no_flow", ran_s=20, l=0)
    user = make_user()
    with pytest.raises(CommandRefusedError):
        watching.clear_no_flow(output=house.valve, by=user, reason=" ", at=after(200))

    assert watching.clear_no_flow(output=house.valve, by=user, reason="mở khoá", at=after(200))

    assert open_kinds() == []
    assert Alarm.objects.get().facts["cleared_by"] == user.pk
    assert not watching.clear_no_flow(output=house.valve, by=user, reason="x", at=after(201))


def device_says(house, kind, *, at=NOON, output=None):
    told = frames.Event(kind=kind, is_raised=True, output=output.code if output else "")
    nodes.record_event(node=house.node, event=told, at=at)


def test_a_run_that_gives_water_takes_off_the_latch_of_the_device_too(house):
    device_says(house, "no_flow", output=house.valve)
    other = make_output(node=house.node, zone=house.zone, flow_low=4)
    device_says(house, "no_flow", output=other)
    nodes.record_birth(node=house.node, birth=frames.Birth(boot=18), at=after(5))

    finished(house, at=after(10), ran_s=120, l=11.0)

    assert [alarm.output for alarm in Alarm.objects.filter(cleared_at=None)] == [other]


def test_a_person_clears_the_latch_of_the_device_too(house):
    device_says(house, "no_flow", output=house.valve)
    finished(house, "aborted", why="no_flow", ran_s=20, l=0)
    user = make_user()
    assert open_kinds() == ["no_flow", "no_flow"]

    assert watching.clear_no_flow(output=house.valve, by=user, reason="rửa lọc", at=after(200))

    assert open_kinds() == []
    assert [alarm.facts["reason"] for alarm in Alarm.objects.all()] == ["rửa lọc", "rửa lọc"]
    assert run(house.valve, source=SCHEDULE, at=after(900)).status == "queued"


def test_the_page_says_whether_a_latch_was_taken_off(client, member, house):
    url = reverse("farm_looked", args=[house.valve.pk])
    device_says(house, "no_flow", output=house.valve)

    first = client.post(url, {"reason": "rửa lọc"}, follow=True)
    second = client.post(url, {"reason": "rửa lọc"}, follow=True)

    assert "Noted: somebody has looked." in words_of(first)
    assert "Noted: somebody has looked." not in words_of(second)
    assert "Nothing changed: this was no longer held back." in words_of(second)


def test_a_leak_that_the_device_saw_is_over_when_its_meter_reads_zero_since(house):
    flow = meter(house)
    measure(flow, 0.0, t=after(20))
    device_says(house, "flow_after_off", at=after(30))
    nodes.record_birth(node=house.node, birth=frames.Birth(boot=18), at=after(40))
    assert watch_outputs(at=after(41)) == 0  # measured before
    measure(flow, 2.0, t=after(45))
    assert watch_outputs(at=after(46)) == 0
    assert open_kinds() == ["flow_after_off"]

    measure(flow, 0.0, t=after(60))

    assert watch_outputs(at=after(61)) == 1
    assert open_kinds() == []


def test_one_dry_meter_of_two_does_not_end_a_leak_that_the_device_saw(house):
    device_says(house, "flow_after_off")
    measure(meter(house), 0.0, t=after(60))
    other = meter(house, code="flow-2")
    measure(other, 2.0, t=after(60))
    assert watch_outputs(at=after(61)) == 0

    measure(other, 0.1, t=after(90))

    assert watch_outputs(at=after(91)) == 1
    assert open_kinds() == []


def test_water_that_flows_although_all_is_off_is_an_alarm_until_it_ends(house):
    flow = meter(house)
    switch(house.valve, on=False)
    switch(house.pump, on=False)
    measure(flow, 3.0, t=after(20))
    assert watch_outputs(at=after(21)) == 0  # the pipe empties

    measure(flow, 3.0, t=after(40))
    assert watch_outputs(at=after(41)) == 1

    assert open_kinds() == ["flow_after_off"]
    with pytest.raises(SafetyError) as refusal:
        run(house.valve, source=SCHEDULE, at=after(42))
    assert refusal.value.facts["interlock"] == "flow_after_off"
    measure(flow, 0.0, t=after(80))
    assert watch_outputs(at=after(81)) == 1
    assert open_kinds() == []


def test_water_while_something_is_open_or_not_known_is_no_leak(house):
    flow = meter(house)
    switch(house.valve, on=None)
    measure(flow, 3.0, t=after(100))

    assert watch_outputs(at=after(101)) == 0


def test_heat_beyond_an_urgent_limit_is_an_alarm_until_it_is_well_over(house):
    make_limit(channel=house.air, high=38.0, severity=Alarm.Severity.URGENT)
    measure(house.air, 38.2, t=after(1))
    watch_outputs(at=after(1))
    assert open_kinds() == ["over_temperature"]

    measure(house.air, 37.8, t=after(2))
    watch_outputs(at=after(2))
    assert open_kinds() == ["over_temperature"]
    measure(house.air, 37.4, t=after(3))
    watch_outputs(at=after(3))

    assert open_kinds() == []


def test_watching_costs_as_many_queries_for_ten_outputs_as_for_two(
    house, django_assert_num_queries
):
    for number in range(10):
        make_output(node=house.node, zone=house.zone, code=f"v{number}", flow_low=4)
        measure(make_channel(node=house.node, zone=house.zone), 20.0, t=NOON)

    with django_assert_num_queries(4):
        watch_outputs(at=after(1))


def test_the_litres_of_a_day_come_from_the_meter(house):
    finished(house, ran_s=120, l=11.5)
    finished(house, at=after(600), ran_s=120, l=12.5)

    use = WaterUse.objects.get()
    assert (use.zone, use.day, use.litres, use.is_measured) == (house.zone, TODAY, 24.0, True)


def test_without_a_meter_they_are_seconds_times_the_expected_flow(house):
    finished(house, "aborted", why="stop", ran_s=60, l=0)

    use = WaterUse.objects.get()
    assert (use.litres, use.is_measured) == (6.0, False)


def test_the_same_end_said_twice_is_counted_once(house):
    command = finished(house, ran_s=120, l=11.5)
    ack(command, "done", at=after(120), ran_s=120, l=11.5)
    ack(command, "duplicate", at=after(130), last="done", ran_s=120, l=11.5)
    water.project_water(zone=house.zone, day=TODAY)

    assert WaterUse.objects.get().litres == 11.5


def test_a_run_before_midnight_belongs_to_its_own_day(house):
    late = NOON + timedelta(hours=11, minutes=59)  # 23:59 in Thanh Hoá
    Output.objects.filter(pk=house.pump.pk).update(state_heard_at=late)

    finished(house, at=late, ran_s=120, l=10)

    assert WaterUse.objects.get().day == TODAY


def test_pumps_move_water_round_and_use_none(house):
    command = started(house.pump, 600)
    ack(command, "done", at=after(600), ran_s=600, l=0)

    assert not WaterUse.objects.exists()
    assert send(after(601)).ids == []
