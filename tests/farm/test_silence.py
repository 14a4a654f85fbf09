"""Who has fallen silent is told, once for a controller, and not for what we did not hear."""

from datetime import timedelta

import pytest
from django.utils import timezone, translation

from farm import explain
from farm.models import Alarm
from farm.mqtt import Farm
from farm.services.silence import watch_silence
from tests.farm.factories import NOON, make_channel, make_node, measure

pytestmark = pytest.mark.django_db
LONG_AGO = NOON - timedelta(days=1)


def minutes(number):
    return NOON + timedelta(minutes=number)


def look(minute, *, since=LONG_AGO):
    return watch_silence(at=minutes(minute), listening_since=since)


def standing():
    return sorted(Alarm.objects.filter(cleared_at=None).values_list("kind", flat=True))


@pytest.fixture
def pair():
    """Two sensors of one controller, both heard at noon."""
    node = make_node()
    channels = [make_channel(node=node, stale_seconds=180) for _ in range(2)]
    for channel in channels:
        measure(channel, 25.0, t=NOON)
    return channels


def test_a_silent_sensor_is_an_alarm_and_its_voice_clears_it(pair):
    talks, falls_silent = pair
    measure(talks, 25.0, t=minutes(6))

    numbers = [look(minute) for minute in (3, 5, 6)]
    measure(falls_silent, 25.0, t=minutes(7))

    assert (numbers, look(7)) == ([0, 0, 1], 0)
    alarm = Alarm.objects.get()
    assert (alarm.kind, alarm.channel, alarm.cleared_at) == (
        "sensor_silent", falls_silent, minutes(7),
    )  # fmt: skip


def test_a_controller_that_sends_nothing_any_more_is_one_alarm(pair):
    assert look(6) == 1

    alarm = Alarm.objects.get()
    assert (alarm.kind, alarm.node, alarm.channel) == ("node_silent", pair[0].node, None)
    with translation.override("en"):
        assert explain.alarm_words(alarm).endswith("has sent no readings since 12:00")
    measure(pair[0], 25.0, t=minutes(7))
    look(7)
    assert standing() == ["sensor_silent"]


def test_the_only_sensor_of_a_controller_is_named():
    measure(make_channel(stale_seconds=180), 25.0, t=NOON)

    look(6)

    assert standing() == ["sensor_silent"]


def test_a_sensor_that_says_itself_that_it_failed_is_told_at_once(pair):
    measure(pair[0], None, t=NOON)

    assert look(0) == 1
    assert standing() == ["sensor_failed"]


def test_the_sensors_of_a_controller_that_is_away_are_not_told_one_by_one():
    measure(make_channel(node=make_node(is_online=False)), 25.0, t=NOON)

    assert look(60) == 0


def test_what_we_did_not_hear_while_we_were_away_is_nobodys_silence(pair):
    since = minutes(30)

    assert [look(minute, since=since) for minute in (30, 35)] == [0, 0]
    assert look(36, since=since) == 1


def test_an_alarm_that_stood_before_we_were_away_stands_until_something_is_heard(pair):
    measure(pair[0], 25.0, t=minutes(6))
    look(6)
    assert standing() == ["sensor_silent"]

    measure(pair[0], 25.0, t=minutes(31))
    look(31, since=minutes(30))
    assert standing() == ["sensor_silent"]

    measure(pair[1], 25.0, t=minutes(32))
    look(32, since=minutes(30))
    assert standing() == []


def test_the_bridge_counts_from_its_own_connection(pair, monkeypatch):
    farm, clock = Farm(), [minutes(30)]
    monkeypatch.setattr(timezone, "now", lambda: clock[0])

    told = []
    for seconds in [*range(0, 360, 15), 3600, 3615]:
        clock[0] = minutes(30) + timedelta(seconds=seconds)
        farm.watch_silence(lambda *_said: None)
        told.append((seconds, bool(standing())))

    # Five minutes after it came; the broker's hour away begins a new time, the alarm stays.
    assert next(seconds for seconds, is_told in told if is_told) == 315
    assert told[-1] == (3615, True)
