"""The chart of VPD: computed of two sensors of one place, and of nothing where one was silent."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from farm.models import Channel, CropStage, Rollup
from farm.selectors import charts, deficit_charts
from tests.farm.factories import (
    NOON,
    make_batch,
    make_channel,
    make_greenhouse,
    make_node,
    make_zone,
    measure,
)
from tests.farm.pages import member, noon, words_of

__all__ = ["member", "noon"]
pytestmark = pytest.mark.django_db
Quantity = Channel.Quantity
QUARTER, HALF_AN_HOUR, HOUR = timedelta(minutes=15), timedelta(minutes=30), timedelta(hours=1)
# FAO-56 eq. 11: 25 °C and 60 %, 30 °C and 60 %, 25 °C and 80 %
AT_25_AND_60, AT_30_AND_60, AT_25_AND_80 = 1.2671, 1.6972, 0.6336


@pytest.fixture
def pair(db) -> deficit_charts.Pair:
    zone = make_zone(name="Giàn 1")
    node = make_node(greenhouse=zone.greenhouse)
    return deficit_charts.Pair(
        make_channel(node=node, zone=zone),
        make_channel(node=node, zone=zone, quantity=Quantity.RELATIVE_HUMIDITY, unit="%"),
    )


def sum_up(channel, level, bucket, mean, *, n=10):
    Rollup.objects.create(
        channel=channel, level=level, bucket=bucket, n=n, total=mean * n, low=mean, high=mean,
        last=mean,
    )  # fmt: skip


def sum_both_up(pair, level, bucket, celsius, percent):
    sum_up(pair.air, level, bucket, celsius)
    sum_up(pair.humidity, level, bucket, percent, n=7)


def numbers(client, pair, **asked):
    answer = client.get(reverse("farm_deficit_chart_data", args=[pair.air.pk]), asked)
    return json.loads(answer.content)


def series(found, name):
    """What was measured, by the seconds since 1970."""
    values = zip(found["t"], found[name], strict=True)
    return {t: value for t, value in values if value is not None}


def seconds(moment):
    return int(moment.timestamp())


@pytest.mark.parametrize(("span", "level"), [("ngay", 900), ("tuan", 3600), ("mua", 86_400)])
def test_each_bucket_is_computed_of_the_two_sensors(client, member, pair, span, level):
    begins = datetime(2026, 11, 21, 17, tzinfo=UTC)  # midnight of 22 November in Vietnam
    sum_both_up(pair, level, begins, 25.0, 60.0)

    found = numbers(client, pair, khoang=span)

    assert series(found, "mean") == {seconds(begins): AT_25_AND_60}
    assert (found["label"], found["unit"], found["decimals"]) == ("VPD", "kPa", 2)
    assert len(found["t"]) <= charts.MOST_POINTS


def test_where_one_of_the_two_was_silent_there_is_a_gap(client, member, pair):
    sum_both_up(pair, 900, NOON - HOUR, 25.0, 60.0)
    sum_up(pair.air, 900, NOON - HOUR + QUARTER, 25.0)
    sum_up(pair.humidity, 900, NOON - HALF_AN_HOUR, 60.0)

    found = numbers(client, pair)

    assert series(found, "mean") == {seconds(NOON - HOUR): AT_25_AND_60}
    assert series(found, "low").keys() == series(found, "high").keys() == {seconds(NOON - HOUR)}


def test_a_humidity_that_cannot_be_makes_no_value(client, member, pair):
    sum_both_up(pair, 900, NOON - HOUR, 25.0, 130.0)

    assert series(numbers(client, pair), "mean") == {}


def test_a_bucket_is_the_mean_of_smaller_ones_and_reaches_from_the_lowest_to_the_highest(
    client, member, pair
):
    sum_both_up(pair, 900, NOON - HOUR, 26.0, 70.0)
    sum_both_up(pair, 60, NOON - HOUR, 25.0, 80.0)
    sum_both_up(pair, 60, NOON - HOUR + timedelta(minutes=14), 30.0, 60.0)
    sum_up(pair.air, 60, NOON - HOUR + timedelta(minutes=5), 40.0)

    found = numbers(client, pair)

    at = seconds(NOON - HOUR)
    assert series(found, "mean") == {at: round((AT_25_AND_80 + AT_30_AND_60) / 2, 4)}
    assert (series(found, "low"), series(found, "high")) == (
        {at: AT_25_AND_80},
        {at: AT_30_AND_60},
    )


def test_a_day_of_a_season_is_made_of_its_hours_by_the_local_clock(client, member, pair):
    midnight = datetime(2026, 11, 20, 17, tzinfo=UTC)  # 21 November in Vietnam
    sum_both_up(pair, 3600, midnight - HOUR, 30.0, 60.0)
    sum_both_up(pair, 3600, midnight, 25.0, 80.0)
    sum_both_up(pair, 3600, midnight + timedelta(hours=23), 25.0, 60.0)

    mean = series(numbers(client, pair, khoang="mua"), "mean")

    assert mean == {
        seconds(midnight - timedelta(days=1)): AT_30_AND_60,
        seconds(midnight): round((AT_25_AND_80 + AT_25_AND_60) / 2, 4),
    }


def test_what_the_crop_wants_lies_behind_the_line(client, member, pair):
    batch = make_batch(zone=pair.air.zone, sown_date=timezone.localdate(NOON) - timedelta(days=5))
    CropStage.objects.filter(profile=batch.profile).update(vpd_low=0.4, vpd_high=0.8)

    found = numbers(client, pair)

    assert found["bands"] == [[found["begins"], found["ends"], 0.4, 0.8]]


def test_the_page_shows_a_picture_a_table_and_the_way_to_the_two_sensors(client, member, pair):
    sum_both_up(pair, 900, NOON - HALF_AN_HOUR, 25.0, 60.0)
    sum_both_up(pair, 900, NOON - QUARTER, 25.0, 80.0)
    sum_both_up(pair, 3600, NOON - HOUR, 25.0, 60.0)

    page = client.get(reverse("farm_deficit_chart", args=[pair.air.pk]))

    html = page.content.decode()
    assert '<path class="spark-line" d="M' in html
    assert "11:00 22/11 0.63 0.95 1.27" in words_of(page)
    for channel in pair:
        assert f'href="{reverse("farm_chart", args=[channel.pk])}"' in html
    assert reverse("farm_limits", args=[pair.air.pk]) not in html


@pytest.mark.parametrize("page", ["farm_home", "farm_house"])
def test_the_figure_leads_to_its_chart(client, member, page):
    house = make_greenhouse(code="nm1")
    node = make_node(greenhouse=house)
    air = make_channel(node=node)
    humidity = make_channel(node=node, quantity=Quantity.RELATIVE_HUMIDITY)
    measure(air, 25.0, t=NOON)
    measure(humidity, 60.0, t=NOON)

    shown = client.get(reverse(page, args=["nm1"] if page == "farm_house" else []))

    url = reverse("farm_deficit_chart", args=[air.pk])
    assert f'<a href="{url}">VPD</a>' in shown.content.decode()
    assert client.get(url).status_code == 200


def test_only_a_place_with_both_sensors_has_such_a_chart(client, member, pair):
    elsewhere = make_channel(
        node=pair.air.node, zone=make_zone(greenhouse=pair.air.zone.greenhouse)
    )

    for channel in (pair.humidity, elsewhere):
        url = reverse("farm_deficit_chart", args=[channel.pk])
        assert client.get(url).status_code == 404
    Channel.objects.filter(pk=pair.humidity.pk).update(is_active=False)
    url = reverse("farm_deficit_chart_data", args=[pair.air.pk])
    assert client.get(url).status_code == 404


def test_the_numbers_are_not_sent_again_while_they_are_the_same(client, member, pair):
    url = reverse("farm_deficit_chart_data", args=[pair.air.pk])
    sum_both_up(pair, 900, NOON - QUARTER, 25.0, 60.0)
    first = client.get(url)

    same = client.get(url, headers={"If-None-Match": first["ETag"]})
    Rollup.objects.filter(channel=pair.humidity).update(total=70.0 * 7)
    new = client.get(url, headers={"If-None-Match": first["ETag"]})

    assert (same.status_code, same.content, new.status_code) == (304, b"", 200)


@pytest.mark.parametrize("span", charts.SPANS.values(), ids=lambda span: span.code)
def test_ten_points_cost_no_more_queries_than_two(pair, span):
    def count():
        with CaptureQueriesContext(connection) as seen:
            deficit_charts.chart_of(pair, span, end=NOON)
            deficit_charts.table_of(pair, span, end=NOON)
        return len(seen)

    counts = []
    for already, until in ((0, 2), (2, 10)):
        for back in range(already, until):
            bucket = NOON - timedelta(hours=5, seconds=span.level * (back + 1))
            sum_both_up(pair, span.level, bucket, 25.0, 60.0)
        counts.append(count())

    # A season asks when its crop was sown and what was measured first.
    assert counts == ([8, 8] if span.code == "mua" else [4, 4])


def test_nobody_else_gets_the_numbers(client, pair):
    answer = client.get(reverse("farm_deficit_chart_data", args=[pair.air.pk]))

    assert (answer.status_code, answer["HX-Refresh"]) == (200, "true")
