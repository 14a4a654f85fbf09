"""Alarms on a phone: seen by whom, told to whom, limits and quiet hours that people set."""

import re
from datetime import time, timedelta

import pytest
from django.urls import reverse

from farm.models import Alarm, AlarmLimit, Watch
from farm.services.alarms import tell_watchers
from tests.farm.factories import (
    NOON,
    make_channel,
    make_greenhouse,
    make_limit,
    make_node,
    make_user,
    make_watch,
)
from tests.farm.pages import member, noon, words_of

__all__ = ["member", "noon"]
pytestmark = pytest.mark.django_db
ALARMS = reverse("farm_alarms")


@pytest.fixture
def house(db):
    return make_greenhouse(code="nm1", name="Nhà màng 1")


def make_alarm(house, **changes) -> Alarm:
    fields = {
        "greenhouse": house,
        "node": make_node(greenhouse=house, label="Bộ 1"),
        "key": "a",
        "kind": "node_offline",
        "severity": 2,
        "opened_at": NOON - timedelta(minutes=14),
        "last_at": NOON,
    }
    return Alarm.objects.create(**fields | changes)


def test_an_alarm_says_what_since_when_and_who_was_told(client, member, house):
    make_watch(greenhouse=house, user=make_user(full_name="Trần Văn Bình"))
    make_alarm(house, tell_at=NOON)
    tell_watchers(at=NOON)

    said = words_of(client.get(ALARMS))

    assert "Warning: Bộ 1 is not connected 14 minutes ago I have seen it" in said
    assert "Nhà màng 1. Told: Trần Văn Bình 12:00 22/11." in said


def test_whoever_has_seen_it_says_so_and_comes_back_to_their_page(client, member, house):
    alarm = make_alarm(house)
    here = "http://testserver/nha-mang/nm1/"

    answer = client.post(reverse("farm_alarm_seen", args=[alarm.pk]), headers={"Referer": here})

    alarm.refresh_from_db()
    assert (alarm.acknowledged_by, alarm.acknowledged_at) == (member, NOON)
    assert answer.url == here
    assert "seen by Lê Thị Hoa" in words_of(client.get(ALARMS))


def test_nobody_is_led_to_a_foreign_page(client, member, house):
    alarm = make_alarm(house)

    answer = client.post(
        reverse("farm_alarm_seen", args=[alarm.pk]), headers={"Referer": "https://evil.test/"}
    )

    assert answer.url == ALARMS


def test_what_is_over_stands_below(client, member, house):
    make_alarm(house, cleared_at=NOON - timedelta(minutes=4))

    said = words_of(client.get(ALARMS))

    assert "All is well: no alarm stands." in said
    assert "Bộ 1 is not connected 11:46 22/11 – 11:56 22/11" in said


def test_the_open_page_is_answered_304_while_nothing_changes(client, member, house):
    url = reverse("farm_alarms_live")
    first = client.get(url)
    same = client.get(url, headers={"If-None-Match": first["ETag"]})
    make_alarm(house)

    assert same.status_code == 304
    assert client.get(url, headers={"If-None-Match": first["ETag"]}).status_code == 200


def test_a_limit_is_set_changed_and_taken_away(client, member, house):
    channel = make_channel(node=make_node(greenhouse=house))
    limits = reverse("farm_limits", args=[channel.pk])
    filled = {
        "low": "",
        "high": "35.5",
        "hysteresis": "1",
        "delay_seconds": "2.5",
        "severity": "2",
        "is_enabled": "on",
    }

    client.post(limits, filled)
    limit = AlarmLimit.objects.get()
    assert (limit.channel, limit.low, limit.high, limit.hysteresis) == (channel, None, 35.5, 1.0)
    assert limit.delay_seconds == 150
    assert "above 35.5, for 2 min 30 s: Warning" in words_of(client.get(limits))
    form = client.get(reverse("farm_limit", args=[limit.pk])).content.decode()
    assert re.search(r'name="delay_seconds"[^>]* value="2.5"|value="2.5"[^>]* name="delay_', form)

    client.post(reverse("farm_limit", args=[limit.pk]), filled | {"high": "36"})
    limit.refresh_from_db()
    assert limit.high == 36.0

    client.post(reverse("farm_limit", args=[limit.pk]), {"drop": "1"})
    assert AlarmLimit.objects.count() == 0


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"low": "", "high": ""}, "Set at least one of the two limits."),
        ({"low": "36", "high": "35"}, "This limit has to be above the lower one."),
        ({"high": "35", "delay_seconds": "x"}, "only after, minutes: Enter a number."),
        ({"high": "35", "delay_seconds": "-1"}, "only after, minutes: Write 0 minutes or more."),
    ],
)
def test_a_limit_that_cannot_be_is_refused(client, member, house, typed, sentence):
    channel = make_channel(node=make_node(greenhouse=house))
    filled = {"hysteresis": "0", "delay_seconds": "2.5", "severity": "2"}

    page = client.post(reverse("farm_limits", args=[channel.pk]), filled | typed)

    assert sentence in words_of(page)
    assert AlarmLimit.objects.count() == 0


def test_a_limit_that_goes_takes_its_alarm_with_it(client, member, house):
    channel = make_channel(node=make_node(greenhouse=house))
    limit = make_limit(channel=channel)
    alarm = make_alarm(house, key=f"limit:{limit.pk}")

    client.post(reverse("farm_limit", args=[limit.pk]), {"drop": "1"})

    alarm.refresh_from_db()
    assert alarm.cleared_at == NOON


def test_somebody_goes_on_watch_with_quiet_hours_and_off_again(client, member, house):
    client.post(reverse("farm_watch_join", args=["nm1"]))
    watch = Watch.objects.get()
    url = reverse("farm_watch", args=[watch.pk])

    client.post(
        url, {"step": "2", "after_minutes": "15", "quiet_from": "22:00", "quiet_to": "05:00"}
    )
    watch.refresh_from_db()
    assert (watch.user, watch.step, watch.after_minutes, watch.by_sms) == (member, 2, 15, False)
    assert (watch.quiet_from, watch.quiet_to) == (time(22), time(5))
    assert (
        "Lê Thị Hoa ( you ) step 2, when nobody has seen it for 15 minutes; "
        "quiet 22:00–05:00, urgent ones come through"
    ).replace("( you )", "(you)") in words_of(client.get(ALARMS)).replace("( you)", "(you)")

    client.post(url, {"leave": "1"})
    assert Watch.objects.count() == 0


def test_quiet_hours_need_both_ends(client, member, house):
    watch = make_watch(greenhouse=house, user=member)

    page = client.post(
        reverse("farm_watch", args=[watch.pk]),
        {"step": "1", "after_minutes": "0", "quiet_from": "22:00"},
    )

    assert "Quiet hours need a beginning and an end." in words_of(page)
    watch.refresh_from_db()
    assert watch.quiet_from is None
