"""Pages that lie open for hours: they change when the house does, and not by growing older."""

import html
import re
from datetime import timedelta

import pytest
from django.urls import reverse

from farm.models import Alarm, Channel, Command
from tests.farm.factories import (
    NOON,
    make_channel,
    make_greenhouse,
    make_node,
    make_output,
    make_zone,
    measure,
)
from tests.farm.pages import key_of, member, noon

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


def poll(client, page):
    """Ask as the open page does, with nothing in hand."""
    url = re.search(r'id="live"[^>]*hx-get="([^"]+)"', page.content.decode())[1]
    return client.get(html.unescape(url))


def test_a_press_without_an_answer_stays_one_command_over_polls(client, member):
    node = make_node(greenhouse=make_greenhouse(code="nm1"), last_ping_ok_at=NOON)
    zone = make_zone(greenhouse=node.greenhouse, daily_litre_cap=100)
    valve = make_output(node=node, zone=zone, flow_low=4, flow_high=8)
    run_url = reverse("farm_run", args=[valve.pk])
    opened = client.get(reverse("farm_house", args=["nm1"]))
    polled = poll(client, poll(client, opened))
    keys = [key_of(opened, run_url), key_of(polled, run_url)]

    for key in keys:
        client.post(run_url, {"seconds": 120, "key": key})
    Command.objects.update(status="done", ended_at=NOON)
    later_key = key_of(poll(client, polled), run_url)

    assert keys[0] == keys[1] != later_key
    assert Command.objects.filter(op="run").count() == 1


def test_a_key_that_no_page_was_given_is_not_kept(client, member):
    house = make_greenhouse(code="nm1")
    make_output(node=make_node(greenhouse=house), zone=make_zone(greenhouse=house))

    page = client.get(reverse("farm_house_live", args=["nm1"]), {"ma": "x" * 900})

    assert "x" * 900 not in page.content.decode()
