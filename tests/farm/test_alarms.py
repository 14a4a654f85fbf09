"""An alarm is opened once, told once, and stands until it clears."""

from datetime import time, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import translation

from farm import explain
from farm.models import Alarm, AlarmLimit, Decision
from farm.services import alarms
from notifications.models import Message
from tests.farm.factories import (
    NOON,
    make_channel,
    make_greenhouse,
    make_limit,
    make_node,
    make_rule,
    make_user,
    make_watch,
    make_zone,
    measure,
)

pytestmark = pytest.mark.django_db
NIGHT = NOON + timedelta(hours=11)  # 23:00 in Thanh Hoá
MORNING = NOON + timedelta(hours=17, minutes=30)  # 05:30


def minutes(number):
    return timedelta(minutes=number)


def raise_tank(house, *, at=NOON, severity=Alarm.Severity.WARNING, **more):
    return alarms.raise_alarm(
        key="tank:1", kind="tank_low", severity=severity, greenhouse=house, at=at, **more
    )


def test_the_same_trouble_is_one_alarm_that_is_counted():
    house = make_greenhouse()

    raise_tank(house, facts={"litres": 40})
    raise_tank(house, at=NOON + minutes(2), facts={"litres": 30})

    alarm = Alarm.objects.get()
    assert (alarm.times, alarm.opened_at, alarm.last_at) == (2, NOON, NOON + minutes(2))
    assert alarm.facts == {"litres": 30}


def test_clearing_ends_the_open_alarm_once():
    raise_tank(make_greenhouse())

    first = alarms.clear_alarm(key="tank:1", at=NOON + minutes(1))
    second = alarms.clear_alarm(key="tank:1", at=NOON + minutes(2))

    assert (first, second) == (True, False)
    assert Alarm.objects.get().cleared_at == NOON + minutes(1)


def test_an_alarm_that_comes_back_soon_is_the_same_and_is_not_told_again():
    house = make_greenhouse()
    make_watch(greenhouse=house)
    raise_tank(house)
    alarms.tell_watchers(at=NOON)

    for back in (5, 15, 25):
        alarms.clear_alarm(key="tank:1", at=NOON + minutes(back - 2))
        raise_tank(house, at=NOON + minutes(back))
        alarms.tell_watchers(at=NOON + minutes(back))

    assert Alarm.objects.get().times == 4
    assert Message.objects.filter(channel=Message.Channel.SMS).count() == 1


def raise_urgent(house, *, at=NOON, kind="no_flow"):
    return alarms.raise_alarm(
        key=f"{kind}:1", kind=kind, severity=Alarm.Severity.URGENT, greenhouse=house, at=at
    )


def test_an_urgent_alarm_that_comes_back_after_it_was_seen_is_told_again():
    house = make_greenhouse()
    watch = make_watch(greenhouse=house)
    first = raise_urgent(house)
    alarms.tell_watchers(at=NOON)
    alarms.acknowledge(alarm=first, by=watch.user, at=NOON + minutes(1))
    alarms.clear_alarm(key=first.key, at=NOON + minutes(5))

    second = raise_urgent(house, at=NOON + minutes(10))
    told = alarms.tell_watchers(at=NOON + minutes(10))

    assert told == 1
    assert (second.pk != first.pk, second.opened_at) == (True, NOON + minutes(10))
    assert Message.objects.filter(channel=Message.Channel.SMS).count() == 2


def test_an_urgent_alarm_that_flaps_and_nobody_has_seen_goes_on_as_one():
    house = make_greenhouse()
    make_watch(greenhouse=house)
    for minute in (0, 5, 10):
        raise_urgent(house, at=NOON + minutes(minute))
        alarms.tell_watchers(at=NOON + minutes(minute))
        alarms.clear_alarm(key="no_flow:1", at=NOON + minutes(minute + 2))

    assert Alarm.objects.get().times == 3
    assert Message.objects.filter(channel=Message.Channel.SMS).count() == 1


def test_a_warning_that_was_seen_and_comes_back_soon_stays_quiet():
    house = make_greenhouse()
    watch = make_watch(greenhouse=house)
    alarms.acknowledge(alarm=raise_tank(house), by=watch.user, at=NOON + minutes(1))
    alarms.clear_alarm(key="tank:1", at=NOON + minutes(5))

    raise_tank(house, at=NOON + minutes(10))

    assert alarms.tell_watchers(at=NOON + minutes(10)) == 0
    assert Alarm.objects.get().times == 2


def test_an_alarm_that_comes_back_much_later_is_a_new_one():
    house = make_greenhouse()
    make_watch(greenhouse=house)
    raise_tank(house)
    alarms.tell_watchers(at=NOON)
    alarms.clear_alarm(key="tank:1", at=NOON + minutes(5))

    raise_tank(house, at=NOON + minutes(40))
    alarms.tell_watchers(at=NOON + minutes(40))

    assert Alarm.objects.count() == 2
    assert Message.objects.filter(channel=Message.Channel.SMS).count() == 2


def test_an_alarm_that_flaps_for_half_a_day_is_told_again():
    house = make_greenhouse()
    make_watch(greenhouse=house)
    for hour in range(14):
        raise_tank(house, at=NOON + timedelta(hours=hour))
        alarms.tell_watchers(at=NOON + timedelta(hours=hour))
        alarms.clear_alarm(key="tank:1", at=NOON + timedelta(hours=hour, minutes=40))

    assert list(Alarm.objects.order_by("pk").values_list("times", flat=True)) == [13, 1]


def test_whoever_has_seen_it_first_stands_and_nobody_else_is_told():
    house = make_greenhouse()
    make_watch(greenhouse=house, step=2, after_minutes=10)
    hoa, lan = make_user(), make_user(full_name="Trần Thị Lan")
    alarm = raise_tank(house)

    alarms.acknowledge(alarm=alarm, by=hoa, at=NOON + minutes(3))
    seen = alarms.acknowledge(alarm=alarm, by=lan, at=NOON + minutes(4))
    told = alarms.tell_watchers(at=NOON + minutes(11))

    assert (seen.acknowledged_by, seen.acknowledged_at) == (hoa, NOON + minutes(3))
    assert told == 0
    assert not Message.objects.exists()


def test_trouble_that_grows_worse_is_told_anew_although_it_was_seen():
    house = make_greenhouse()
    make_watch(greenhouse=house)
    alarm = raise_tank(house)
    alarms.tell_watchers(at=NOON)
    alarms.acknowledge(alarm=alarm, by=make_user(), at=NOON + minutes(1))

    raise_tank(house, at=NOON + minutes(2), severity=Alarm.Severity.URGENT)
    told = alarms.tell_watchers(at=NOON + minutes(2))

    alarm.refresh_from_db()
    assert (told, alarm.severity, alarm.acknowledged_at) == (1, Alarm.Severity.URGENT, None)


def test_each_step_is_told_when_its_minutes_have_passed():
    house = make_greenhouse()
    first = make_watch(greenhouse=house)
    second = make_watch(greenhouse=house, step=2, after_minutes=10)
    third = make_watch(greenhouse=house, step=3, after_minutes=30, by_sms=False)
    raise_tank(house)

    told = [alarms.tell_watchers(at=NOON + minutes(minute)) for minute in range(41)]

    assert [minute for minute, number in enumerate(told) if number] == [0, 10, 30]
    texts = Message.objects.filter(channel=Message.Channel.SMS).order_by("pk")
    assert list(texts.values_list("phone", flat=True)) == [first.user.phone, second.user.phone]
    inbox = Message.objects.filter(channel=Message.Channel.INBOX).order_by("pk")
    assert [message.user for message in inbox] == [first.user, second.user, third.user]
    alarm = Alarm.objects.get()
    assert (alarm.told_level, alarm.tell_at) == (3, None)


def test_quiet_hours_hold_a_warning_back_until_they_end():
    house = make_greenhouse()
    make_watch(greenhouse=house, quiet_from=time(22), quiet_to=time(5, 30))
    raise_tank(house, at=NIGHT)

    at_night = alarms.tell_watchers(at=NIGHT)
    before_dawn = alarms.tell_watchers(at=MORNING - minutes(1))
    in_the_morning = alarms.tell_watchers(at=MORNING)

    assert (at_night, before_dawn, in_the_morning) == (0, 0, 1)


def test_what_has_cleared_in_quiet_hours_is_never_told():
    house = make_greenhouse()
    make_watch(greenhouse=house, quiet_from=time(22), quiet_to=time(5, 30))
    raise_tank(house, at=NIGHT)
    alarms.tell_watchers(at=NIGHT)

    alarms.clear_alarm(key="tank:1", at=NIGHT + minutes(5))

    assert alarms.tell_watchers(at=MORNING) == 0


def test_an_urgent_alarm_breaks_quiet_hours():
    house = make_greenhouse()
    make_watch(greenhouse=house, quiet_from=time(22), quiet_to=time(5, 30))
    raise_tank(house, at=NIGHT, severity=Alarm.Severity.URGENT)

    assert alarms.tell_watchers(at=NIGHT) == 1


@pytest.mark.parametrize(
    ("quiet_from", "quiet_to", "end"),
    [
        (time(22), time(5, 30), MORNING),
        (time(12), time(23, 30), NIGHT + minutes(30)),
        (time(5), time(23), NIGHT),
        (time(23, 1), time(5), NIGHT),
        (time(23), time(23), NIGHT),
        (None, time(5), NIGHT),
    ],
)
def test_quiet_hours_may_cross_midnight(quiet_from, quiet_to, end):
    assert alarms.end_of_quiet(NIGHT, quiet_from=quiet_from, quiet_to=quiet_to) == end


def test_ten_alarms_are_one_text_and_ten_entries_of_the_inbox():
    house = make_greenhouse(name="Nhà màng 1")
    watch = make_watch(greenhouse=house)
    for number in range(9):
        alarms.raise_alarm(
            key=f"node:{number}",
            kind="node_offline",
            severity=Alarm.Severity.WARNING,
            greenhouse=house,
            node=make_node(greenhouse=house, label=f"Tủ {number}"),
            at=NOON,
        )
    raise_tank(house, at=NOON + minutes(1), severity=Alarm.Severity.URGENT)

    told = alarms.tell_watchers(at=NOON + minutes(1))

    assert told == 10
    text = Message.objects.get(channel=Message.Channel.SMS)
    assert text.phone == watch.user.phone
    assert Message.objects.filter(channel=Message.Channel.INBOX, user=watch.user).count() == 10


def test_an_alarm_of_a_house_without_a_watch_waits_for_one():
    house = make_greenhouse()
    raise_tank(house)
    alarms.tell_watchers(at=NOON)

    make_watch(greenhouse=house)

    assert alarms.tell_watchers(at=NOON + minutes(14)) == 0
    assert alarms.tell_watchers(at=NOON + minutes(15)) == 1


def test_a_value_beyond_its_limit_is_an_alarm_only_after_the_delay():
    limit = make_limit(high=35.0, delay_seconds=120)
    channel = limit.channel
    changes = []
    for second in range(0, 181, 30):
        measure(channel, 36.0, t=NOON + timedelta(seconds=second))
        changes.append(
            alarms.watch_limits(channel_ids=[channel.pk], at=NOON + timedelta(seconds=second))
        )

    assert changes == [0, 0, 0, 0, 1, 0, 1]
    alarm = Alarm.objects.get()
    assert (alarm.opened_at, alarm.times) == (NOON + timedelta(seconds=120), 2)
    assert alarm.facts == {
        "side": "high",
        "value": 36.0,
        "limit": 35.0,
        "since": "2026-11-22T05:00:00+00:00",
    }


def test_a_short_excursion_is_no_alarm():
    limit = make_limit(high=35.0, delay_seconds=120)
    for second, value in ((0, 36.0), (60, 34.9), (90, 36.0), (180, 36.0)):
        measure(limit.channel, value, t=NOON + timedelta(seconds=second))
        alarms.watch_limits(channel_ids=[limit.channel_id], at=NOON + timedelta(seconds=second))

    assert not Alarm.objects.exists()
    assert AlarmLimit.objects.get().breached_since == NOON + timedelta(seconds=90)


def test_an_alarm_clears_only_when_the_value_is_well_back_inside():
    limit = make_limit(low=18.0, high=35.0, hysteresis=1.0, delay_seconds=0)
    is_open = []
    for second, value in enumerate((36.0, 34.5, 35.2, 34.1, 34.0, 34.9, 17.9, 18.9, 19.0)):
        measure(limit.channel, value, t=NOON + timedelta(seconds=second))
        alarms.watch_limits(channel_ids=[limit.channel_id], at=NOON + timedelta(seconds=second))
        is_open.append(Alarm.objects.filter(cleared_at__isnull=True).exists())

    assert is_open == [True, True, True, True, False, False, True, True, False]


def test_a_hysteresis_wider_than_the_band_does_not_hold_the_alarm_for_ever():
    limit = make_limit(low=5.5, high=6.5, hysteresis=2.0, delay_seconds=0)
    for second, value in enumerate((6.6, 6.0)):
        measure(limit.channel, value, t=NOON + timedelta(seconds=second))
        alarms.watch_limits(channel_ids=[limit.channel_id], at=NOON + timedelta(seconds=second))

    assert not Alarm.objects.filter(cleared_at__isnull=True).exists()


def test_a_failed_sensor_neither_opens_nor_clears_a_limit():
    limit = make_limit(high=35.0, delay_seconds=0)
    measure(limit.channel, 36.0, t=NOON)
    alarms.watch_limits(channel_ids=[limit.channel_id], at=NOON)

    measure(limit.channel, None, t=NOON + minutes(1))
    alarms.watch_limits(channel_ids=[limit.channel_id], at=NOON + minutes(1))

    assert Alarm.objects.get().cleared_at is None


def test_values_inside_their_limits_cost_two_queries_however_many():
    node = make_node()
    channels = [make_channel(node=node) for _ in range(10)]
    for channel in channels:
        make_limit(channel=channel)
        measure(channel, 25.0, t=NOON)

    with CaptureQueriesContext(connection) as queries:
        changed = alarms.watch_limits(channel_ids={channel.pk for channel in channels}, at=NOON)

    assert (changed, len(queries)) == (0, 2)


def test_words_of_a_limit_name_the_sensor_and_the_numbers():
    zone = make_zone(name="Giàn 1")
    channel = make_channel(zone=zone, label="EC", unit="mS/cm")
    make_limit(channel=channel, low=1.2, high=None, delay_seconds=0)
    measure(channel, 0.95, t=NOON)
    alarms.watch_limits(channel_ids=[channel.pk], at=NOON)

    with translation.override("en"):
        words = explain.alarm_words(Alarm.objects.get())

    assert words == "EC of Giàn 1 0.95 mS/cm, below 1.2 mS/cm since 12:00"


@pytest.mark.django_db(transaction=True)
@pytest.mark.postgres
def test_two_who_raise_at_the_same_moment_open_one_alarm(together):
    house = make_greenhouse()

    together(lambda: raise_tank(house), times=4)

    assert Alarm.objects.get().times == 4


@pytest.mark.django_db(transaction=True)
@pytest.mark.postgres
def test_two_who_tell_at_the_same_moment_tell_once(together):
    house = make_greenhouse()
    make_watch(greenhouse=house)
    for number in range(5):
        alarms.raise_alarm(key=f"k{number}", kind="tank_low", severity=2, greenhouse=house, at=NOON)

    told = together(lambda: alarms.tell_watchers(at=NOON), times=3)

    assert sum(told) == 5
    assert Message.objects.filter(channel=Message.Channel.INBOX).count() == 5


@pytest.mark.django_db(transaction=True)
@pytest.mark.postgres
def test_two_bridges_that_watch_the_same_limit_open_one_alarm(together):
    limit = make_limit(delay_seconds=0)
    measure(limit.channel, 36.0, t=NOON)

    together(lambda: alarms.watch_limits(channel_ids=[limit.channel_id], at=NOON), times=3)

    assert Alarm.objects.get().times == 1


@pytest.mark.parametrize(
    ("facts", "said", "held_back"),
    [
        ({}, "today's most fertiliser is used up", "today's most is used up"),
        (
            {"bottle": "a"}, "today's most of fertiliser A is used up",
            "today's most of fertiliser A is used up",
        ),
    ],
)  # fmt: skip
def test_what_was_told_before_bottles_were_named_is_still_a_sentence(facts, said, held_back):
    zone = make_zone(name="Giàn 1")
    alarm = Alarm(greenhouse=zone.greenhouse, zone=zone, kind="dose_budget", facts=facts)
    rule = make_rule(zone=zone)
    decision = Decision(
        rule=rule, at=NOON, verdict="blocked", reason="daily_budget", facts=facts, generation=1
    )

    with translation.override("en"):
        assert explain.alarm_words(alarm) == f"Giàn 1: {said}"
        assert held_back in explain.decision_words(decision)
