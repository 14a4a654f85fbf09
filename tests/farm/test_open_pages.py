"""Pages that lie open for hours: they change when the house does, and not by growing older."""

from datetime import timedelta

import pytest
from django.urls import reverse

from farm.models import Alarm, Channel
from tests.farm.factories import (
    NOON,
    make_channel,
    make_greenhouse,
    make_node,
    make_output,
    make_zone,
    measure,
)
from tests.farm.pages import member, noon

__all__ = ["member", "noon"]
pytestmark = pytest.mark.django_db
Quantity = Channel.Quantity


def ago(seconds):
    return NOON - timedelta(seconds=seconds)


def sensor(node, quantity, value, *, age, **changes):
    measure(make_channel(node=node, quantity=quantity, **changes), value, t=ago(age))


@pytest.fixture
def later(monkeypatch):
    """Move the views' clock to a moment after noon."""

    def move(seconds):
        monkeypatch.setattr("django.utils.timezone.now", lambda: ago(-seconds))

    return move


@pytest.mark.parametrize(("name", "seconds"), [("farm_home_live", 10), ("farm_house_live", 5)])
def test_a_minute_without_a_new_reading_is_at_most_two_full_answers(
    client, member, later, name, seconds
):
    house = make_greenhouse()
    node = make_node(greenhouse=house, heard_at=ago(7))
    away = make_node(greenhouse=house, is_online=False, heard_at=ago(95))
    make_output(node=away, state_heard_at=ago(49))
    for age in (1, 12, 23, 34, 45):
        sensor(node, Quantity.EC, 1.5, zone=make_zone(greenhouse=house), age=age)
    sensor(node, Quantity.PH, 6.0, age=757, stale_seconds=600)
    sensor(away, Quantity.FLOW, 6.0, age=38)
    Alarm.objects.create(
        greenhouse=house, key="a", kind="tank_low", severity=2, opened_at=ago(111), last_at=NOON
    )
    url = reverse(name, args=[house.code] if name == "farm_house_live" else [])
    etag, answers = "", []
    for passed in range(3, 64, seconds):
        later(passed)
        answer = client.get(url, headers={"If-None-Match": etag})
        etag = answer["ETag"]
        answers.append(answer.status_code)

    assert answers.count(200) == 2
    assert set(answers) == {200, 304}
