"""Charts: at most 300 points, gaps stay gaps, what the crop wanted and what ran stand beside."""

import json
import re
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from farm.models import Channel, Command, Rollup
from farm.selectors import charts
from tests.farm.factories import (
    NOON,
    make_batch,
    make_channel,
    make_node,
    make_output,
    make_zone,
)
from tests.farm.pages import member, noon, words_of

__all__ = ["member", "noon"]
pytestmark = pytest.mark.django_db


@pytest.fixture
def channel(db) -> Channel:
    zone = make_zone(name="Giàn 1")
    node = make_node(greenhouse=zone.greenhouse)
    return make_channel(node=node, zone=zone, quantity=Channel.Quantity.EC)


def sum_up(channel, level, bucket, mean, *, n=10, spread=0.1):
    Rollup.objects.create(
        channel=channel,
        level=level,
        bucket=bucket,
        n=n,
        total=mean * n,
        low=mean - spread,
        high=mean + spread,
        last=mean,
    )


def fill(channel, level, count, *, end=NOON):
    for back in range(1, count + 1):
        sum_up(channel, level, end - timedelta(seconds=level * back), 1.5)


def points(client, channel, **asked):
    answer = client.get(reverse("farm_chart_data", args=[channel.pk]), asked)
    return json.loads(answer.content)


@pytest.mark.parametrize(("span", "count"), [("ngay", 97), ("tuan", 169), ("mua", 120)])
def test_a_chart_has_at_most_300_points(client, member, channel, span, count):
    found = points(client, channel, khoang=span)

    assert len(found["t"]) == len(found["mean"]) == len(found["low"]) == count
    assert count <= charts.MOST_POINTS


def test_values_stand_at_their_time_and_gaps_stay_gaps(client, member, channel):
    sum_up(channel, 900, NOON - timedelta(minutes=30), 1.5)
    sum_up(channel, 900, NOON, 1.75)

    found = points(client, channel)

    by_time = dict(zip(found["t"], found["mean"], strict=True))
    half_past_eleven = int(NOON.timestamp()) - 1800
    assert by_time[half_past_eleven] == 1.5
    assert by_time[half_past_eleven + 900] is None
    assert by_time[half_past_eleven + 1800] == 1.75
    assert (found["label"], found["unit"], found["decimals"]) == ("EC", "mS/cm", 2)


def test_days_of_a_season_begin_at_local_midnight(client, member, channel):
    midnight = datetime(2026, 11, 21, 17, 0, tzinfo=UTC)  # 22 November in Vietnam
    sum_up(channel, 86400, midnight, 1.6)

    found = points(client, channel, khoang="mua")

    assert found["t"][-1] == int(midnight.timestamp())
    assert found["mean"][-1] == 1.6


@pytest.mark.parametrize(
    ("sown_days_ago", "measured_days_ago", "days"),
    [
        (None, 40, 41),  # begins with its first measurement
        (30, 110, 31),  # with its crop
        (60, 20, 21),
        (2, 110, 7),  # never shorter than a week
        (200, 119, 120),
    ],
)
def test_a_season_begins_with_its_crop_or_its_first_measurement(
    client, member, channel, sown_days_ago, measured_days_ago, days
):
    today = datetime(2026, 11, 21, 17, 0, tzinfo=UTC)  # 22 November in Vietnam
    sum_up(channel, 86400, today - timedelta(days=measured_days_ago), 1.6)
    sum_up(channel, 86400, today, 1.7)
    if sown_days_ago is not None:
        sown_date = timezone.localdate(NOON) - timedelta(days=sown_days_ago)
        make_batch(zone=channel.zone, sown_date=sown_date)

    found = points(client, channel, khoang="mua")

    assert found["begins"] == int((today - timedelta(days=days - 1)).timestamp())
    assert (len(found["t"]), found["mean"][-1]) == (days, 1.7)


def test_the_season_of_a_whole_house_begins_with_its_oldest_crop(client, member, channel):
    for days, zone in ((50, channel.zone), (20, make_zone(greenhouse=channel.zone.greenhouse))):
        make_batch(zone=zone, sown_date=timezone.localdate(NOON) - timedelta(days=days))
    Channel.objects.update(zone=None)

    assert len(points(client, channel, khoang="mua")["t"]) == 51


def test_a_chart_of_a_bed_of_soil_shows_nothing_that_a_crop_in_a_tank_wants(
    client, member, channel
):
    make_batch(zone=channel.zone, method="soil")

    assert points(client, channel, khoang="mua")["bands"] == []


def test_what_the_crop_wanted_follows_its_stages(client, member, channel):
    make_batch(zone=channel.zone, sown_date=timezone.localdate(NOON) - timedelta(days=12))

    found = points(client, channel, khoang="tuan")

    changed = int(datetime(2026, 11, 19, 17, tzinfo=UTC).timestamp())  # day 10: 20 November
    assert found["bands"] == [
        [found["begins"], changed, 0.8, 1.2],
        [changed, found["ends"], 1.2, 1.8],
    ]


def test_what_ran_stands_below(client, member, channel):
    valve = make_output(node=channel.node, zone=channel.zone, label="Van 1")
    began = NOON - timedelta(hours=2)
    Command.objects.create(
        id="01JFX600000000000000000001",
        node=channel.node,
        output=valve,
        op="run",
        seconds=120,
        source="person",
        status="done",
        created_at=began,
        expires_at=began,
        started_at=began,
        ended_at=began + timedelta(seconds=120),
    )

    begins = int(began.timestamp())
    assert points(client, channel)["runs"] == [[begins, begins + 120, "Van 1"]]


def test_the_numbers_are_not_sent_again_while_they_are_the_same(client, member, channel):
    url = reverse("farm_chart_data", args=[channel.pk])
    sum_up(channel, 900, NOON - timedelta(minutes=15), 1.5)
    first = client.get(url)

    same = client.get(url, headers={"If-None-Match": first["ETag"]})
    Rollup.objects.update(total=16.0)
    new = client.get(url, headers={"If-None-Match": first["ETag"]})

    assert (same.status_code, same.content, new.status_code) == (304, b"", 200)


def test_without_a_script_there_is_a_picture_and_a_table(client, member, channel):
    sum_up(channel, 900, NOON - timedelta(minutes=30), 1.5)
    sum_up(channel, 900, NOON - timedelta(minutes=15), 1.6)
    sum_up(channel, 3600, NOON - timedelta(hours=1), 1.55)

    page = client.get(reverse("farm_chart", args=[channel.pk]))

    assert re.search(
        r'<path class="spark-line" d="M587\.\d [\d.]+L593\.\d [\d.]+"', page.content.decode()
    )
    assert "11:00 22/11 1.45 1.55 1.65" in words_of(page)


def test_a_day_in_the_past_can_be_asked_for(client, member, channel):
    found = points(client, channel, den="2026-11-10")

    assert found["ends"] == int(datetime(2026, 11, 10, 17, tzinfo=UTC).timestamp())


def test_nonsense_in_the_address_is_a_day_until_now(client, member, channel):
    found = points(client, channel, khoang="nam", den="hôm qua")

    midnight = datetime(2026, 11, 22, 17, tzinfo=UTC)  # "hôm qua" is no day: it means today
    assert found["ends"] == int((NOON + timedelta(minutes=1)).timestamp())
    assert found["ends"] < int(midnight.timestamp())
    assert len(found["t"]) == 97


def test_a_chart_costs_the_same_queries_however_much_there_is(client, member, channel):
    span = charts.SPANS["ngay"]

    def count():
        with CaptureQueriesContext(connection) as seen:
            charts.chart_of(channel, span, end=NOON)
        return len(seen)

    before = count()
    fill(channel, 900, 90)

    assert before == count() == 3


def test_nobody_else_gets_the_numbers(client, channel):
    answer = client.get(reverse("farm_chart_data", args=[channel.pk]))

    assert (answer.status_code, answer["HX-Refresh"]) == (200, "true")
