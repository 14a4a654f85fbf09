"""An open page of a greenhouse: it counts ages by itself and says what it knows of each tap."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Group
from django.utils import timezone
from playwright.sync_api import expect

from accounts.roles import Role
from farm.models import Channel, Command
from tests.accounts.factories import make_person
from tests.farm.factories import (
    make_channel,
    make_greenhouse,
    make_node,
    make_output,
    make_zone,
    measure,
)

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,  # a browser waits for polls
    pytest.mark.django_db(transaction=True),
]


@pytest.fixture
def house_url(page, sign_in, live_server):
    """The address of a house that a member looks at; its EC was measured 25 seconds ago."""
    for role in Role:
        Group.objects.get_or_create(name=role)  # a flushed database has lost them
    person = make_person(full_name="Lê Thị Hoa")
    person.groups.add(Group.objects.get(name=Role.COOPERATIVE_MEMBER))
    sign_in(page.context, person)
    now = timezone.now()
    house = make_greenhouse(code="nm1", name="Nhà màng 1")
    zone = make_zone(greenhouse=house, name="Giàn 1", daily_litre_cap=500)
    node = make_node(greenhouse=house, heard_at=now, status_at=now, last_ping_ok_at=now)
    channel = make_channel(node=node, zone=zone, quantity=Channel.Quantity.EC, stale_seconds=600)
    measure(channel, 1.62, t=now - timedelta(seconds=25))
    make_output(node=node, zone=zone, label="Van 1", state_at=now, state_heard_at=now)
    return f"{live_server.url}/nha-mang/nm1/"


def test_the_age_of_a_value_is_counted_by_the_servers_clock(page, house_url):
    page.clock.set_system_time(timezone.now() + timedelta(hours=3))
    page.goto(house_url)
    age = page.locator(".value time")

    expect(age).to_have_text("20 seconds ago")
    expect(age).to_have_text("30 seconds ago", timeout=15_000)


def test_a_refused_tap_is_told_on_the_fresh_page(page, house_url):
    page.set_viewport_size({"width": 360, "height": 320})
    page.goto(house_url)
    page.context.clear_cookies(name="csrftoken")

    page.get_by_role("button", name="Water 2 minutes").click()

    said = page.locator(".water-form").get_by_role("alert")
    expect(said).to_contain_text("the page was out of date")
    expect(said).to_be_in_viewport()
    measure(Channel.objects.get(), 1.7, t=timezone.now())
    expect(page.locator(".value-figure")).to_contain_text("1.70", timeout=10_000)
    expect(said).to_contain_text("the page was out of date")
    assert Command.objects.count() == 0
    page.get_by_role("button", name="Water 2 minutes").click()
    expect(page.locator(".progress li.is-now")).to_have_text("waiting to be sent")
    expect(said).to_have_count(0)


def test_refused_polls_reload_the_page_once_in_a_while(page, house_url):
    loads = []
    page.on("load", lambda: loads.append(page.url))
    page.route("**/truc-tiep/**", lambda route: route.fulfill(status=429))
    page.goto(house_url)

    expect(page.locator("#lost")).to_be_visible(timeout=20_000)

    assert len(loads) == 2


@pytest.mark.parametrize("status", [503, None])
def test_a_tap_without_an_answer_may_have_got_through(page, house_url, status):
    page.goto(house_url)
    page.evaluate("window.htmx.config.timeout = 1000")
    page.route("**/chay/", lambda route: route.fulfill(status=status) if status else None)

    page.get_by_role("button", name="Water 2 minutes").click()

    said = page.locator(".water-form").get_by_role("alert")
    expect(said).to_contain_text("nobody knows whether this got through")
    expect(said).to_be_in_viewport()
