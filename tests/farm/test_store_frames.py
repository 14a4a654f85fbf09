"""Frames in any order, doubled, late, from before a reboot, without a clock: the same rows."""

from collections import Counter
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from farm import sequences
from farm.frames import Birth, Frame
from farm.models import (
    BootSequence,
    Channel,
    Command,
    DirtyHour,
    Flag,
    LatestReading,
    Node,
    QuarantinedFrame,
    Reading,
)
from farm.services import frame_gaps, ingest, nodes
from farm.services.ingest import ArrivedFrame
from tests.conftest import NOON
from tests.farm.factories import make_channel, make_node

Reason = QuarantinedFrame.Reason
pytestmark = pytest.mark.django_db


def ms(moment):
    return round(moment.timestamp() * 1000)


def frame(seq, t=NOON, boot=17, quality=None, **values):
    return Frame(boot, seq, ms(t), values=values or {"air": 25.5}, quality=quality or {})


def unclocked(seq, *, up, now, boot=17, **values):
    return Frame(boot, seq, None, up, now, values=values or {"air": 25.5})


def store(node, *frames, at=NOON, is_buffered=False):
    arrived = [ArrivedFrame(node.pk, one, at, is_buffered) for one in frames]
    return ingest.store_frames(arrived=arrived, at=at)


def rows(channel):
    return list(
        Reading.objects.filter(channel=channel).order_by("t").values_list("t", "v", "flags")
    )


def reasons():
    return list(QuarantinedFrame.objects.order_by("pk").values_list("reason", flat=True))


@pytest.fixture
def air():
    return make_channel(code="air")


def test_a_frame_is_stored_and_is_the_newest_of_its_channels(air):
    touched = store(air.node, frame(1, air=24.5))

    latest = LatestReading.objects.get()
    assert touched == {air.pk}
    assert rows(air) == [(NOON, 24.5, 0)]
    assert (latest.channel_id, latest.t, latest.v, latest.received_at) == (air.pk, NOON, 24.5, NOON)
    assert list(DirtyHour.objects.values_list("channel_id", "hour")) == [(air.pk, NOON)]


def test_the_channel_says_what_its_raw_value_means():
    channel = make_channel(code="ec", quantity=Channel.Quantity.EC, scale=0.5, offset=0.25, high=2)

    store(channel.node, frame(1, ec=3.0), frame(2, NOON + timedelta(seconds=30), ec=4.0))

    assert [(v, flags) for _, v, flags in rows(channel)] == [(1.75, 0), (2.25, Flag.OUT_OF_RANGE)]


def test_buffered_and_calibrating_values_are_marked(air):
    store(air.node, frame(1, quality={"air": "cal"}), is_buffered=True)

    assert rows(air) == [(NOON, 25.5, Flag.BUFFERED | Flag.CALIBRATING)]


def test_a_failed_sensor_is_the_newest_word_and_no_reading(air):
    later = NOON + timedelta(minutes=1)

    store(air.node, frame(1), frame(2, later, air=None), at=later)

    latest = LatestReading.objects.get()
    assert rows(air) == [(NOON, 25.5, 0)]
    assert (latest.t, latest.v) == (later, None)


def test_a_late_frame_does_not_become_the_newest(air):
    store(air.node, frame(2, NOON, air=25.0))

    store(air.node, frame(1, NOON - timedelta(hours=1), air=20.0))

    assert [v for _, v, _ in rows(air)] == [20.0, 25.0]
    assert LatestReading.objects.get().v == 25.0


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (float("nan"), Reason.NOT_FINITE),
        (float("inf"), Reason.NOT_FINITE),
        (-999.0, Reason.IMPOSSIBLE),
        (85.0, Reason.IMPOSSIBLE),
    ],
)
def test_a_value_that_cannot_be_is_set_aside_and_the_others_are_stored(air, value, reason):
    humidity = make_channel(node=air.node, code="rh", quantity=Channel.Quantity.RELATIVE_HUMIDITY)

    store(air.node, frame(1, air=value, rh=70.0))

    assert rows(air) == []
    assert not LatestReading.objects.filter(channel=air).exists()
    assert rows(humidity) == [(NOON, 70.0, 0)]
    assert reasons() == [reason]


def test_an_unknown_channel_is_set_aside_and_the_others_are_stored(air):
    store(air.node, frame(1, air=25.5, new=1.0, newer=2.0))

    kept = QuarantinedFrame.objects.get()
    assert rows(air) == [(NOON, 25.5, 0)]
    assert (kept.reason, kept.detail, kept.node) == (
        Reason.UNKNOWN_CHANNEL, "new, newer", air.node
    )  # fmt: skip
    assert b'"new": 1.0' in bytes(kept.payload)


def test_a_value_too_small_for_the_column_is_nothing():
    channel = make_channel(code="x", quantity=Channel.Quantity.OTHER)

    store(channel.node, frame(1, x=1e-60))

    assert [v for _, v, _ in rows(channel)] == [0.0]


def test_a_clock_three_hours_ahead_is_not_believed_and_the_value_is_kept(air):
    store(air.node, frame(1, NOON + timedelta(hours=3)))

    assert rows(air) == [(NOON, 25.5, Flag.ESTIMATED)]
    assert LatestReading.objects.get().t == NOON
    assert reasons() == [Reason.FUTURE]


def test_a_clock_five_minutes_ahead_is_believed(air):
    soon = NOON + timedelta(minutes=5)

    store(air.node, frame(1, soon))

    assert rows(air) == [(soon, 25.5, 0)]
    assert reasons() == []


def test_a_clock_that_was_put_back_a_little_hides_nothing_that_comes_after(air):
    store(air.node, frame(1, NOON + timedelta(minutes=4)))
    assert LatestReading.objects.get().t == NOON

    for seq, value in ((2, 39.0), (3, None)):
        at = NOON + timedelta(seconds=10 * seq)
        store(air.node, frame(seq, at, air=value), at=at)
        latest = LatestReading.objects.get()
        assert (latest.t, latest.v) == (at, value)


def test_buffered_frames_of_a_clock_that_is_ahead_keep_their_distances(air):
    ahead = NOON + timedelta(hours=3)

    store(
        air.node,
        frame(1, ahead, air=20.0),
        frame(2, ahead + timedelta(seconds=30), air=21.0),
        is_buffered=True,
    )

    assert [(t, v) for t, v, _ in rows(air)] == [(NOON - timedelta(seconds=30), 20.0), (NOON, 21.0)]


@pytest.mark.parametrize("age", [timedelta(days=35, seconds=1), timedelta(days=20_000)])
def test_a_time_of_long_ago_is_set_aside_and_not_stored(air, age):
    store(air.node, frame(1, NOON - age))

    assert rows(air) == []
    assert reasons() == [Reason.TOO_OLD]
    assert BootSequence.objects.get().ranges == [[1, 1]]


def test_a_clock_that_goes_back_loses_nothing(air):
    store(air.node, frame(1, NOON, air=20.0))

    store(air.node, frame(2, NOON - timedelta(hours=1), air=21.0))

    assert [v for _, v, _ in rows(air)] == [21.0, 20.0]
    assert reasons() == []


def test_without_a_clock_the_time_is_counted_back_from_the_arrival(air):
    store(air.node, unclocked(1, up=5_000, now=65_000))

    assert rows(air) == [(NOON - timedelta(minutes=1), 25.5, Flag.ESTIMATED)]


def test_a_double_without_a_clock_is_told_by_its_number(air):
    store(air.node, unclocked(1, up=5_000, now=5_000))

    store(air.node, unclocked(1, up=5_000, now=7_000), at=NOON + timedelta(seconds=30))

    assert rows(air) == [(NOON, 25.5, Flag.ESTIMATED)]


def test_a_double_from_the_future_is_told_by_its_number(air):
    ahead = NOON + timedelta(hours=3)
    store(air.node, frame(1, ahead))

    store(air.node, frame(1, ahead), at=NOON + timedelta(minutes=2))

    assert rows(air) == [(NOON, 25.5, Flag.ESTIMATED)]
    assert reasons() == [Reason.FUTURE]


def test_a_frame_of_an_earlier_boot_without_a_clock_counts_from_that_boot(air):
    store(air.node, unclocked(1, boot=16, up=1_000, now=1_000))
    Node.objects.update(boot=17)

    store(
        air.node,
        unclocked(2, boot=16, up=31_000, now=500),
        at=NOON + timedelta(minutes=2),
    )

    assert [t for t, _, _ in rows(air)] == [NOON, NOON + timedelta(seconds=30)]


def test_a_time_that_cannot_be_counted_back_is_set_aside(air):
    store(air.node, unclocked(1, boot=17, up=31_000, now=500))

    assert rows(air) == []
    assert reasons() == [Reason.MALFORMED]


def test_a_controller_flashed_anew_loses_nothing_that_has_a_time(air):
    store(air.node, frame(1, boot=1, air=20.0), frame(2, NOON + timedelta(seconds=1), boot=1))

    store(air.node, frame(1, NOON + timedelta(days=1), boot=1, air=22.0), at=NOON + timedelta(1))

    assert [v for _, v, _ in rows(air)] == [20.0, 25.5, 22.0]


def test_a_birth_that_counts_boots_anew_frees_the_numbers_for_frames_without_a_clock(air):
    store(air.node, unclocked(1, boot=1, up=1_000, now=1_000))
    store(air.node, unclocked(1, boot=17, up=1_000, now=1_000), at=NOON + timedelta(hours=1))

    forgotten = ingest.forget_reused_boots(node=air.node, boot=1)
    store(air.node, unclocked(1, boot=1, up=1_000, now=1_000), at=NOON + timedelta(hours=2))

    assert forgotten == 2
    assert [t for t, _, _ in rows(air)] == [NOON + timedelta(hours=hour) for hour in (0, 1, 2)]


def test_a_controller_is_heard_at_most_every_five_seconds(air):
    store(air.node, frame(1), at=NOON + timedelta(seconds=3))
    first = Node.objects.get().heard_at
    store(air.node, frame(2), at=NOON + timedelta(seconds=6))

    assert (first, Node.objects.get().heard_at) == (NOON, NOON + timedelta(seconds=6))


def test_a_note_that_an_hour_is_to_be_summed_up_is_not_doubled(air):
    store(air.node, frame(1))

    store(air.node, frame(2, NOON + timedelta(minutes=1)))

    assert DirtyHour.objects.count() == 1


def test_a_broken_controller_cannot_fill_the_quarantine(air, monkeypatch, caplog):
    monkeypatch.setattr("farm.services.quarantine.MOST_PER_NODE", 3)
    monkeypatch.setattr("farm.services.quarantine._left_out", Counter())
    caplog.set_level("WARNING")

    for number in range(5):
        store(air.node, frame(number, NOON + timedelta(seconds=number), air=-999.0))

    assert len(reasons()) == 3
    assert "1 messages not kept" in caplog.text


def test_a_huge_message_is_kept_by_its_beginning():
    ingest.quarantine(
        topic="farm/v1/x/y/tele", payload=b"x" * 1024 * 1024, reason="too_large",
        detail="d\0" * 300, at=NOON,
    )  # fmt: skip

    kept = QuarantinedFrame.objects.get()
    assert (len(kept.payload), kept.size, kept.detail) == (4096, 1024 * 1024, "d" * 200)


def test_a_gap_is_asked_for_after_ten_seconds_and_given_up_after_five_tries(air):
    store(air.node, frame(1), frame(2), frame(6), frame(9))

    asked = [
        seconds
        for seconds in (9, 10, 11, 30, 70, 200, 400, 800, 1600, 3200)
        if frame_gaps.ask_for_gaps(at=NOON + timedelta(seconds=seconds))
    ]

    ranges = Command.objects.filter(op="resend").values_list("arguments", flat=True)
    assert asked == [10, 30, 70, 200, 400]
    assert len(ranges) == 10
    assert {"from": 3, "to": 5, "boot": 17}.items() <= ranges[0].items()
    assert BootSequence.objects.get().lost_up_to == 8


def test_of_many_gaps_each_is_asked_for_before_it_is_given_up(air):
    store(air.node, *(frame(number) for number in range(0, 22, 2)))
    tries = (10, 30, 70, 200, 400, 800)

    for seconds in tries:
        frame_gaps.ask_for_gaps(at=NOON + timedelta(seconds=seconds))
    given_up = BootSequence.objects.get().lost_up_to
    later = frame_gaps.ask_for_gaps(at=NOON + timedelta(seconds=820))

    newest = Command.objects.filter(op="resend").order_by("-created_at").values_list("arguments")
    assert (given_up, later) == (7, 4)
    assert {arguments["from"] for (arguments,) in newest[:4]} == {9, 11, 13, 15}


def test_a_gap_that_is_being_filled_is_asked_for_anew_with_full_patience(air):
    store(air.node, frame(1), frame(5), frame(9))
    for seconds in (10, 30, 70):
        frame_gaps.ask_for_gaps(at=NOON + timedelta(seconds=seconds))
    store(air.node, frame(2), frame(3), frame(4))

    row = BootSequence.objects.get()

    assert (row.resend_tries, row.lost_up_to, row.ranges) == (0, -1, [[1, 5], [9, 9]])


@pytest.mark.parametrize("is_told_before", [True, False])
def test_frames_lost_before_the_first_are_asked_for_when_the_birth_has_told(air, is_told_before):
    if is_told_before:
        frame_gaps.expect_frames(node=air.node, boot=17, first=3, at=NOON)
    store(air.node, frame(6))
    if not is_told_before:
        frame_gaps.expect_frames(node=air.node, boot=17, first=3, at=NOON)
        frame_gaps.expect_frames(node=air.node, boot=17, first=9, at=NOON)  # born again, later
    store(air.node, frame(7))

    asked = frame_gaps.ask_for_gaps(at=NOON + timedelta(seconds=10))

    command = Command.objects.get(op="resend")
    assert asked == 1
    assert {"from": 3, "to": 5, "boot": 17}.items() <= command.arguments.items()


def test_what_was_forgotten_of_too_many_ranges_is_not_missing(air):
    frame_gaps.expect_frames(node=air.node, boot=17, first=1, at=NOON)
    numbers = range(1, 2 * sequences.MOST_RANGES + 100, 2)
    store(air.node, *(unclocked(number, up=number * 1_000, now=300_000) for number in numbers))
    first = BootSequence.objects.get().ranges[0][0]
    store(air.node, unclocked(first + 1, up=(first + 1) * 1_000, now=300_000))

    row = BootSequence.objects.get()

    assert (first, row.counted_from, row.ranges[0]) == (101, 101, [101, 103])
    assert frame_gaps.first_gap(row) == (104, 104)


def test_nothing_is_missing_before_the_first_frame_of_a_controller_that_goes_on_counting(air):
    frame_gaps.expect_frames(node=air.node, boot=17, first=4711, at=NOON)
    store(air.node, frame(4700), frame(4701))
    store(air.node, *(frame(number) for number in range(4702, 4712)))

    assert frame_gaps.ask_for_gaps(at=NOON + timedelta(minutes=5)) == 0


def test_a_gap_that_is_filled_is_not_asked_for(air):
    store(air.node, frame(1), frame(3))
    store(air.node, frame(2))

    assert frame_gaps.ask_for_gaps(at=NOON + timedelta(minutes=5)) == 0
    assert BootSequence.objects.get().gap_seen_at is None


# A life of a controller: boot 16 without a clock, then 17 without and later with one. What it
# sends is received without delay, so that counting back gives the same time at every arrival.
BOOTED = {16: NOON - timedelta(hours=2), 17: NOON - timedelta(hours=1)}
SENT = [
    *(unclocked(seq, boot=16, up=seq * 30_000, now=0, air=10.0 + seq) for seq in range(4)),
    *(unclocked(seq, boot=17, up=seq * 30_000, now=0, air=20.0 + seq) for seq in range(3)),
    *(
        frame(seq, BOOTED[17] + timedelta(seconds=30 * seq), air=20.0 + seq, bad=float("nan"))
        for seq in range(3, 7)
    ),
]


@st.composite
def deliveries(draw):
    """Each frame at least once, in any order, some again, cut into batches."""
    order = draw(st.permutations(range(len(SENT))))
    again = draw(st.lists(st.integers(0, len(SENT) - 1), max_size=6))
    cut = draw(st.lists(st.booleans(), min_size=30, max_size=30))
    return [*order, *again], cut


def deliver(node, numbers, cut):
    batch = []
    for place, number in enumerate(numbers):
        one = SENT[number]
        at = NOON + timedelta(seconds=place)
        if one.t_ms is None:
            since_boot = ms(at) - ms(BOOTED[one.boot])
            one = Frame(one.boot, one.seq, None, one.up_ms, since_boot, values=one.values)
        batch.append(ArrivedFrame(node.pk, one, at, is_buffered=False))
        if cut[place]:
            ingest.store_frames(arrived=batch, at=at)
            batch = []
    ingest.store_frames(arrived=batch, at=NOON)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(delivery=deliveries())
def test_in_any_order_and_doubled_the_rows_come_out_the_same(delivery):
    node = make_node(boot=None)
    air = make_channel(node=node, code="air")

    deliver(node, *delivery)

    expected = [
        (BOOTED[16 if v < 20 else 17] + timedelta(seconds=30 * (v % 10)), v)
        for v in [10.0, 11.0, 12.0, 13.0, 20.0, 21.0, 22.0, 23.0, 24.0, 25.0, 26.0]
    ]
    latest = LatestReading.objects.get(channel=air)
    boots = BootSequence.objects.filter(node=node).order_by("boot")
    hours = DirtyHour.objects.filter(channel=air).values_list("hour", flat=True)
    assert [(t, v) for t, v, _ in rows(air)] == expected
    assert (latest.t, latest.v) == expected[-1]
    assert [boot.ranges for boot in boots] == [[[0, 3]], [[0, 6]]]
    assert set(hours) == set(BOOTED.values())
    assert QuarantinedFrame.objects.filter(node=node).count() == 4


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_two_bridges_with_the_same_frames_store_each_once(together):
    node = make_node()
    channels = [make_channel(node=node, code=f"c{number}") for number in range(5)]
    frames = [
        frame(seq, NOON + timedelta(seconds=seq), **{one.code: 20.0 for one in channels})
        for seq in range(50)
    ]

    together(lambda: store(node, *frames))

    assert Reading.objects.count() == 250
    assert LatestReading.objects.count() == 5
    assert BootSequence.objects.get().ranges == [[0, 49]]


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_a_birth_and_the_first_frames_of_a_boot_at_two_bridges_wait_for_each_other(together):
    channel = make_channel(code="air")
    for boot in range(20, 40):
        Node.objects.update(heard_at=None)  # so that the frames write the controller's row as well
        birth = Birth(boot=boot, seq=1)
        jobs = [
            lambda birth=birth: nodes.record_birth(node=channel.node, birth=birth, at=NOON),
            lambda boot=boot: store(channel.node, frame(2, boot=boot)),
        ]
        together(lambda jobs=jobs: jobs.pop()())

    found = BootSequence.objects.order_by("boot").values_list("boot", "counted_from", "ranges")
    assert list(found) == [(boot, 1, [[2, 2]]) for boot in range(20, 40)]
