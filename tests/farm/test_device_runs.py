"""Water that a device gives of its own accord is counted once, whatever becomes of its words."""

from datetime import timedelta
from itertools import pairwise, permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farm import batch_words, frames, tasks
from farm.device_runs import SLACK, Reading, Word, metered_litres, runs_of
from farm.errors import SafetyError
from farm.models import Command, DeviceRun, Output, StateWord, WaterUse
from farm.selectors import batches
from farm.services import device_runs, ingest, nodes, retention, rollups, water
from tests.farm.controllers import (
    SCHEDULE,
    ack,
    after,
    make_house,
    make_rule,
    run,
    started,
)
from tests.farm.factories import NOON, make_batch, make_channel, make_output, measure

pytestmark = pytest.mark.django_db
MOST = timedelta(seconds=900)
TODAY = NOON.date()


@pytest.fixture
def house():
    return make_house()


@pytest.fixture
def meter(house):
    return make_channel(node=house.node, code="flow", quantity="flow", unit="L/min")


def state(second, *, on, at=None, **fields):
    """Give a state told `second` seconds after noon; `at` is when it arrives."""
    t_ms = round(after(second).timestamp() * 1000)
    fields = {"boot": 17, "t_ms": t_ms, "src": "button"} | fields
    return frames.OutputState(on=on, **fields), after(second if at is None else at)


def say(output, word):
    told, at = word
    nodes.record_output_state(node=output.node, output_code=output.code, state=told, at=at)


def tell(output, second, *, on, **fields):
    say(output, state(second, on=on, **fields))


def rows():
    return [
        (
            (one.began_at - NOON).total_seconds(), one.seconds, one.source, one.is_end_told,
            one.litres, one.is_measured,
        )
        for one in DeviceRun.objects.order_by("began_at")
    ]  # fmt: skip


def used():
    return list(WaterUse.objects.values_list("litres", "is_measured", "unknown_runs"))


# The words alone


def word(second, *, on, source="button", boot=17, left=None, **fields):
    left = None if left is None else timedelta(seconds=left)
    return Word(after(second), boot, on, source, left=left, **fields)


def spans(words, *, most=MOST, at=100_000):
    return [
        (
            (one.began_at - NOON).total_seconds(),
            one.ended_at and (one.ended_at - NOON).total_seconds(),
            one.is_end_told,
        )
        for one in runs_of(words, most=most, at=after(at))
    ]


@pytest.mark.parametrize(
    ("words", "most", "found"),
    [
        # told from beginning to end, and once more while it ran
        ([(0, True, {}), (60, True, {}), (90, False, {})], MOST, [(0, 90, True)]),
        # the end is lost: as long as it said, or as the device allows itself
        ([(0, True, {"left": 120})], MOST, [(0, 120, False)]),
        ([(0, True, {}), (60, True, {})], MOST, [(0, 900, False)]),
        # nothing bounds it: its last word is no end
        ([(0, True, {}), (60, True, {})], None, [(0, None, False)]),
        # told after a break of the link, long after it ended by itself
        ([(0, True, {"left": 120}), (4000, False, {})], MOST, [(0, 120, False)]),
        # another boot: it was off by then
        ([(0, True, {}), (50, False, {"boot": 18, "source": "boot"})], MOST, [(0, 50, False)]),
        ([(0, True, {}), (5000, False, {"boot": 18})], MOST, [(0, 900, False)]),
        # the end is lost, and it begins again
        ([(0, True, {"left": 120}), (600, True, {"left": 60}), (660, False, {})], MOST,
         [(0, 120, False), (600, 660, True)]),
        ([(0, True, {}), (600, True, {}), (660, False, {})], None,
         [(0, 0, False), (600, 660, True)]),
        # a run of ours takes it over without a gap; only what was before is the device's own
        ([(0, True, {"source": "sched"}), (40, True, {"source": "cmd", "is_ours": True}),
          (100, False, {"source": "cmd"})], MOST, [(0, 40, True)]),
        # off and on at the same moment
        ([(0, True, {}), (60, False, {}), (60, True, {"source": "sched"}), (90, False, {})], MOST,
         [(0, 60, True), (60, 90, True)]),
        ([(0, False, {}), (60, False, {})], MOST, []),
    ],
)  # fmt: skip
def test_words_make_runs(words, most, found):
    said = [word(second, on=on, **fields) for second, on, fields in words]

    assert spans(said, most=most) == found
    assert spans([*reversed(said), *said], most=most) == found


said_words = st.builds(
    word,
    st.integers(0, 3000),
    on=st.booleans(),
    source=st.sampled_from(("button", "sched")),
    boot=st.integers(17, 18),
    left=st.none() | st.integers(0, 900),
    is_ours=st.booleans(),
)


@given(st.lists(said_words, max_size=12), st.randoms())
def test_any_order_of_words_makes_the_same_bounded_runs(words, dice):
    shuffled = [*words, *words[:3]]
    dice.shuffle(shuffled)

    runs = runs_of(words, most=MOST, at=after(100_000))

    assert runs_of(shuffled, most=MOST, at=after(100_000)) == runs
    for one in runs:
        assert one.began_at <= one.ended_at <= one.began_at + MOST + SLACK
    for one, following in pairwise(runs):
        assert one.began_at < following.began_at
        assert one.ended_at <= following.began_at + SLACK


def test_a_meter_that_two_valves_share_tells_each_a_half():
    shown = [Reading(after(30), 6.0, 1), Reading(after(60), 6.0, 2)]

    assert metered_litres(shown, began_at=NOON, ended_at=after(60)) == 3.0 + 1.5
    assert metered_litres(shown, began_at=after(60), ended_at=after(90)) is None


# The same on rows


def test_a_run_of_the_button_counts_by_its_time_where_no_meter_is(house):
    tell(house.valve, 0, on=True, left=120)
    assert rows() == [(0, None, "button", False, None, False)]
    assert not WaterUse.objects.exists()

    tell(house.valve, 60, on=True, left=60)
    tell(house.valve, 90, on=False)

    assert rows() == [(0, 90, "button", True, 9.0, False)]
    assert used() == [(9.0, False, 0)]


def test_words_in_any_order_and_doubled_make_the_same_rows(house):
    words = [
        state(0, on=True, left=120),
        state(60, on=True, left=60, at=300),
        state(90, on=False, at=301),
        state(150, on=True, src="sched", left=60, at=302),
        state(210, on=False, src="sched", at=303),
    ]
    expected = [(0, 90, "button", True, 9.0, False), (150, 60, "sched", True, 6.0, False)]

    for order in permutations(words):
        StateWord.objects.all().delete()
        DeviceRun.objects.all().delete()
        for told in (*order, *order[:2]):
            say(house.valve, told)

        assert rows() == expected
        assert used() == [(15.0, False, 0)]


def test_a_run_of_ours_is_not_counted_twice(house):
    command = started(house.valve)
    tell(house.valve, 1, on=True, src="cmd", id=command.pk, left=119)
    tell(house.valve, 120, on=False, src="cmd")
    ack(command, "done", at=after(120), ran_s=120, l=11.5)

    assert rows() == []
    assert used() == [(11.5, True, 0)]


def test_a_run_under_an_id_that_nobody_here_gave_is_counted(house):
    tell(house.valve, 0, on=True, src="cmd", id="01JFX600000000000000000009", left=60)
    tell(house.valve, 60, on=False, src="cmd")

    assert rows() == [(0, 60, "cmd", True, 6.0, False)]


def test_a_controller_without_a_clock_is_known_by_its_counter(house):
    for second in (0, 0, 90, 90, 91):
        told, at = state(second, on=second == 0, t_ms=None, up_ms=5000 + second)
        say(house.valve, (told, at))
    # The first word once more, after a break of the link.
    told, at = state(200, on=True, t_ms=None, up_ms=5000)
    say(house.valve, (told, at))

    assert rows() == [(0, 90, "button", True, 9.0, False)]


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_words_without_a_clock_give_the_same_run_in_whatever_order_they_come(house, order):
    ups = [(10_000, True), (40_000, True), (70_000, False)]
    words = [
        state(100, on=is_on, t_ms=None, up_ms=up_ms, at=100 + place)
        for place, (up_ms, is_on) in enumerate(ups)
    ]

    for place in order:
        say(house.valve, words[place])

    # One run, ended by its own word; how long it seems depends on how late its words came.
    ((_, seconds, source, is_end_told, _, _),) = rows()
    assert (source, is_end_told, seconds <= 60) == ("button", True, True)


def test_a_word_that_came_late_without_a_clock_begins_no_run_after_its_end(house):
    tell(house.valve, 100, on=False, t_ms=None, up_ms=70_000)

    tell(house.valve, 101, on=True, t_ms=None, up_ms=10_000)

    house.valve.refresh_from_db()
    assert house.valve.is_on is False
    # 60 seconds by its own counter, up to the "off" that came first.
    assert [(row[0], row[1], row[3]) for row in rows()] == [(40.0, 60.0, True)]


def test_a_controller_that_was_flashed_anew_is_heard_under_numbers_it_used_before(house):
    for second, on in ((0, True), (30, False)):
        tell(house.valve, second, on=on, t_ms=None, up_ms=5000 + second * 1000, boot=17)
    nodes.record_birth(node=house.node, birth=frames.Birth(boot=18), at=after(60))
    nodes.record_birth(node=house.node, birth=frames.Birth(boot=17), at=after(600))

    for second, on in ((700, True), (730, False)):
        up_ms = 5000 + (second - 700) * 1000
        tell(house.valve, second, on=on, t_ms=None, up_ms=up_ms, boot=17)

    assert [(row[0], row[1]) for row in rows()] == [(0.0, 30.0), (700.0, 30.0)]


def test_a_clock_a_little_ahead_of_ours_makes_no_difference(house):
    tell(house.valve, 10, on=True, left=120, at=8)
    tell(house.valve, 70, on=False, at=100)

    assert rows() == [(10, 60, "button", True, 6.0, False)]


def test_what_was_retained_for_longer_than_words_are_believed_counts_no_more(house):
    tell(house.valve, 0, on=True, left=120, at=86_400 * 36)

    assert not StateWord.objects.exists()
    assert rows() == []


def test_a_lost_end_is_reckoned_once_its_time_is_over(house):
    tell(house.valve, 0, on=True, left=120)

    assert device_runs.close_overdue(at=after(121)) == 0
    assert device_runs.close_overdue(at=after(123)) == 1
    assert device_runs.close_overdue(at=after(124)) == 0

    assert rows() == [(0, 120, "button", False, 12.0, False)]
    tell(house.valve, 60, on=False, at=500)
    assert rows() == [(0, 60, "button", True, 6.0, False)]
    assert used() == [(6.0, False, 0)]


def test_the_worker_that_sums_up_ends_what_is_over(house, monkeypatch):
    tell(house.valve, 0, on=True, left=120)
    monkeypatch.setattr("django.utils.timezone.now", lambda: after(600))

    tasks.roll_up()

    assert rows() == [(0, 120, "button", False, 12.0, False)]


def test_a_new_boot_ends_what_ran(house):
    tell(house.valve, 0, on=True)

    birth = frames.Birth(boot=18, t_ms=round(after(30).timestamp() * 1000))
    nodes.record_birth(node=house.node, birth=birth, at=after(31))
    tell(house.valve, 31, on=False, src="boot", boot=18)

    assert rows() == [(0, 30, "button", False, 3.0, False)]


def test_a_pump_moves_water_round_and_its_words_are_not_kept(house):
    tell(house.pump, 0, on=True)
    tell(house.pump, 90, on=False)

    assert not StateWord.objects.exists()
    assert not DeviceRun.objects.exists()


def test_the_meter_is_believed_before_the_band(house, meter):
    tell(house.valve, 0, on=True, left=60)
    measure(meter, 4.0, t=after(30))
    measure(meter, 5.0, t=after(60))
    measure(meter, 0.0, t=after(90))

    tell(house.valve, 60, on=False)

    assert rows() == [(0, 60, "button", True, 4.5, True)]
    assert used() == [(4.5, True, 0)]


def test_readings_that_had_to_wait_change_what_a_run_gave(house, meter):
    tell(house.valve, 0, on=True, left=60)
    tell(house.valve, 60, on=False)
    assert rows() == [(0, 60, "button", True, 6.0, False)]
    late = frames.Frame(
        boot=17, seq=1, t_ms=round(after(30).timestamp() * 1000), values={"flow": 5.0}
    )

    arrived = ingest.ArrivedFrame(house.node.pk, late, after(4000), is_buffered=True)
    ingest.store_frames(arrived=[arrived], at=after(4000))
    rollups.sum_up()

    assert rows() == [(0, 60, "button", True, 5.0, True)]
    assert used() == [(5.0, True, 0)]


def test_a_meter_shows_half_to_a_run_beside_one_of_ours(house, meter):
    other = make_output(node=house.node, zone=house.zone, flow_low=4, flow_high=8)
    started(other, 120)
    tell(house.valve, 0, on=True, left=60)
    measure(meter, 12.0, t=after(30))

    tell(house.valve, 60, on=False)

    assert rows() == [(0, 60, "button", True, 6.0, True)]


def test_a_valve_of_no_zone_is_counted_for_itself(house, meter):
    alone = make_output(node=house.node, zone=None)
    tell(alone, 0, on=True, left=60)
    measure(meter, 4.0, t=after(30))

    tell(alone, 60, on=False)

    assert rows() == [(0, 60, "button", True, 4.0, True)]
    assert used() == []
    measure(meter, 8.0, t=after(50))
    hour = NOON.replace(minute=0)
    device_runs.count_again(hours=[(meter.pk, hour)])
    assert rows() == [(0, 60, "button", True, pytest.approx(4.0 * 0.5 + 8.0 * 0.5), True)]


def test_what_nobody_can_tell_is_unknown_and_never_nothing(house):
    Output.objects.filter(pk=house.valve.pk).update(flow_low=None, flow_high=None)
    batch = make_batch(zone=house.zone)
    tell(house.valve, 0, on=True, left=60)
    tell(house.valve, 60, on=False)

    came_to = batches.figures_of([batch], on=TODAY)[batch.pk]

    assert rows() == [(0, 60, "button", True, None, False)]
    assert used() == [(0.0, False, 1)]
    assert (came_to.litres, came_to.litres_per_kg, came_to.unknown_runs) == (None, None, 1)
    assert batch_words.water_note(came_to) == "có 1 lượt không rõ ra bao nhiêu nước"


def test_a_batch_drinks_what_the_device_gave(house):
    batch = make_batch(zone=house.zone)
    tell(house.valve, 0, on=True, left=60)
    tell(house.valve, 60, on=False)

    assert batches.figures_of([batch], on=TODAY)[batch.pk].litres == 6.0


def test_what_the_device_gave_counts_toward_the_days_cap(house):
    Output.objects.filter(pk=house.valve.pk).update(max_seconds=3600)
    tell(house.valve, 0, on=True, src="local", left=900)
    assert water.litres_of_day(house.zone, at=after(1)) == 90.0
    tell(house.valve, 880, on=False, src="local")
    assert water.litres_of_day(house.zone, at=after(881)) == 88.0
    rule = make_rule(house.valve)

    with pytest.raises(SafetyError) as refusal:
        run(house.valve, 121, source=SCHEDULE, rule=rule, at=after(900))

    assert refusal.value.facts["interlock"] == "daily_litre_cap"
    assert not Command.objects.exists()
    assert run(house.valve, 120, source=SCHEDULE, rule=rule, at=after(900)).status == "queued"


def test_a_run_without_a_known_end_leaves_the_days_litres_open(house):
    Output.objects.filter(pk=house.valve.pk).update(max_seconds=0)
    tell(house.valve, 0, on=True)

    assert water.litres_of_day(house.zone, at=after(1)) is None
    tell(house.valve, 60, on=False)
    assert water.litres_of_day(house.zone, at=after(61)) == 6.0


def test_words_are_kept_as_long_as_readings_and_runs_for_ever(house):
    tell(house.valve, 0, on=True, left=60)
    tell(house.valve, 60, on=False)

    retention.keep_house(at=NOON + timedelta(days=61))

    assert not StateWord.objects.exists()
    assert rows() == [(0, 60, "button", True, 6.0, False)]


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_an_end_at_the_device_and_one_of_ours_at_once_both_count(only_postgresql, together):
    house = make_house()
    other = make_output(node=house.node, zone=house.zone, flow_low=4, flow_high=8)
    command = started(house.valve, 120)
    tell(other, 0, on=True, left=120)
    ends = [
        lambda: ack(command, "done", at=after(120), ran_s=120, l=10),
        lambda: tell(other, 120, on=False),
    ]

    def end_one():
        ends.pop()()

    together(end_one, times=2)

    assert WaterUse.objects.get().litres == 22.0
