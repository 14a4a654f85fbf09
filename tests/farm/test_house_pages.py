"""The greenhouses on a phone: values with age and state, and nothing dead that looks alive."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Group
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import translation

from accounts.roles import Role
from farm.models import Alarm, Channel, Flag, Output
from farm.selectors import dashboard
from farm.words import age_words
from tests.accounts.factories import make_official, make_person
from tests.farm.factories import (
    NOON,
    make_batch,
    make_channel,
    make_greenhouse,
    make_limit,
    make_node,
    make_output,
    make_zone,
    measure,
)
from tests.farm.pages import member, noon, tile, words_of

__all__ = ["member", "noon"]
pytestmark = pytest.mark.django_db
HOME = reverse("farm_home")
Quantity = Channel.Quantity
FIXED_PAGES = ("farm_home", "farm_alarms", "farm_rules", "farm_devices")


def ago(**span):
    return NOON - timedelta(**span)


def sensor(node, quantity, value, *, zone=None, age=10, **changes):
    channel = make_channel(node=node, quantity=quantity, zone=zone, **changes)
    measure(channel, value, t=ago(seconds=age))
    return channel


def house_url(house) -> str:
    return reverse("farm_house", args=[house.code])


@pytest.mark.parametrize("name", FIXED_PAGES)
def test_a_stranger_is_asked_to_sign_in_and_a_resident_is_sent_away(client, name):
    url = reverse(name)

    assert client.get(url).url == f"{reverse('account_request_login_code')}?next={url}"

    client.force_login(make_person(), backend="allauth.account.auth_backends.AuthenticationBackend")
    assert client.get(url).status_code == 403


@pytest.mark.parametrize("name", FIXED_PAGES)
def test_members_and_the_chairperson_may_come_in(client, member, name):
    assert client.get(reverse(name)).status_code == 200

    chairperson = make_official(is_superuser=False)
    chairperson.groups.add(Group.objects.get(name=Role.CHAIRPERSON))
    client.force_login(chairperson)
    assert client.get(reverse(name)).status_code == 200


def test_a_card_says_every_value_with_its_age_and_how_it_stands(client, member):
    house = make_greenhouse(code="nm1", name="Nhà màng 1")
    zone = make_zone(greenhouse=house, name="Giàn 1")
    node = make_node(greenhouse=house)
    make_batch(zone=zone)  # day 21 of 20: its last stage, EC 1.2–1.8, pH 5.8–6.3, air 19–24
    sensor(node, Quantity.AIR_TEMPERATURE, 25.0)
    sensor(node, Quantity.RELATIVE_HUMIDITY, 60.0)
    sensor(node, Quantity.EC, 1.62, zone=zone, age=130)
    sensor(node, Quantity.PH, 7.25, zone=zone)
    sensor(node, Quantity.TANK_VOLUME, 412.4, zone=zone)

    page = client.get(HOME)

    assert "Nhà màng 1" in words_of(page)
    assert tile(page, "Air") == "off: Air temperature 25.0 °C too high target 19–24 11:59:50 22/11"
    assert tile(page, "Humidity") == "plain: Humidity 60 % no target set 11:59:50 22/11"
    assert tile(page, "VPD") == "plain: VPD 1.27 kPa no target set 11:59:50 22/11"
    assert tile(page, "EC") == "good: EC 1.62 mS/cm good target 1.2–1.8 11:57:50 22/11"
    assert tile(page, "pH") == "off: pH 7.25 too high target 5.8–6.3 11:59:50 22/11"
    assert tile(page, "Tank") == "plain: Tank 412 litres no target set 11:59:50 22/11"


def test_an_old_value_never_looks_live(client, member):
    house = make_greenhouse()
    node = make_node(greenhouse=house)
    sensor(node, Quantity.AIR_TEMPERATURE, 25.0, age=720)
    sensor(node, Quantity.RELATIVE_HUMIDITY, 60.0)

    page = client.get(house_url(house))

    assert tile(page, "Air") == "stale: Air temperature 25.0 °C old, 12 minutes 11:48 22/11"
    assert tile(page, "VPD") == "stale: VPD 1.27 kPa old, 12 minutes 11:48 22/11"
    assert tile(page, "Humidity").startswith("plain: ")


def test_values_of_a_controller_that_is_away_are_old_at_once(client, member):
    house = make_greenhouse()
    node = make_node(greenhouse=house, name="n7f3a", is_online=False, heard_at=ago(seconds=100))
    sensor(node, Quantity.AIR_TEMPERATURE, 25.0, age=100)

    page = client.get(HOME)

    assert tile(page, "Air").startswith("stale: Air temperature 25.0 °C old, 2 minutes")
    assert "Controller n7f3a is not connected, last heard 2 minutes ago." in words_of(page)


def test_a_live_value_says_to_the_second_when_it_was_measured(client, member):
    house = make_greenhouse()
    sensor(make_node(greenhouse=house), Quantity.FLOW, 6.0, age=9)

    page = client.get(house_url(house))

    assert tile(page, "Flow") == "plain: Flow 6.0 L/min no target set 11:59:51 22/11"
    assert '<time datetime="2026-11-22T11:59:51+07:00"' in page.content.decode()


@pytest.mark.parametrize(
    ("then", "said"),
    [
        (ago(), "less than a minute ago"),
        (ago(seconds=1), "1 minute ago"),
        (ago(minutes=1), "1 minute ago"),
        (ago(seconds=61), "2 minutes ago"),
        (ago(seconds=-30), "less than a minute ago"),
        (ago(hours=1), "1 hour ago"),
        (ago(days=2), "2 days ago"),
        (None, "never"),
    ],
)
def test_an_age_counts_the_minutes_of_the_clock(then, said):
    with translation.override("en"):
        assert age_words(then, NOON) == said


def test_a_controller_that_has_just_gone_was_not_heard_just_now(client, member):
    house = make_greenhouse()
    node = make_node(greenhouse=house, name="n7f3a", is_online=False)
    make_output(node=node, label="Van C")

    said = words_of(client.get(house_url(house)))

    assert "Controller n7f3a is not connected, last heard less than a minute ago." in said
    assert "Van C still off less than a minute ago, the controller is away" in said
    assert "Not connected, last heard less than a minute ago" in words_of(
        client.get(reverse("farm_devices"))
    )


@pytest.mark.parametrize(
    ("value", "flags", "said"),
    [
        (None, 0, "failed: Air temperature no value sensor failed"),
        (99.0, Flag.OUT_OF_RANGE, "failed: Air temperature 99.0 °C not to be believed"),
        (25.0, Flag.CALIBRATING, "plain: Air temperature 25.0 °C being calibrated 11:59:55"),
    ],
)
def test_a_failed_sensor_says_so(client, member, value, flags, said):
    house = make_greenhouse()
    channel = make_channel(node=make_node(greenhouse=house))
    measure(channel, value, t=ago(seconds=5), flags=flags)

    assert tile(client.get(HOME), "Air").startswith(said)


@pytest.mark.parametrize(
    ("low", "high", "sensible"),
    [(0, 100, "0–100 %"), (None, 100, "at most 100 %"), (0.5, None, "at least 0.5 %")],
)
def test_a_value_that_is_not_believed_says_why(client, member, low, high, sensible):
    house = make_greenhouse()
    channel = make_channel(
        node=make_node(greenhouse=house), quantity=Quantity.SUBSTRATE_MOISTURE, low=low, high=high
    )
    measure(channel, 100.2, t=ago(seconds=5), flags=Flag.OUT_OF_RANGE)

    said = tile(client.get(house_url(house)), "Substrate")

    assert said.startswith(
        f"failed: Substrate moisture 100.2 % not to be believed: sensible is {sensible}"
    )


def test_without_a_crop_the_alarm_limits_are_the_target(client, member):
    house = make_greenhouse()
    tank = sensor(make_node(greenhouse=house), Quantity.TANK_VOLUME, 80.0)
    make_limit(channel=tank, low=100.0, high=None)

    assert tile(client.get(HOME), "Tank").startswith(
        "off: Tank 80 litres too low target at least 100"
    )


def test_the_card_shows_the_zone_that_needs_eyes_most(client, member):
    house = make_greenhouse()
    node = make_node(greenhouse=house)
    for name, value, age in (("Giàn 1", 1.5, 10), ("Giàn 2", 1.6, 600)):
        sensor(node, Quantity.EC, value, zone=make_zone(greenhouse=house, name=name), age=age)

    assert tile(client.get(HOME), "EC") == (
        "stale: EC 1.60 mS/cm old, 10 minutes 11:50 22/11 Giàn 2, and 1 other place"
    )


def test_alarms_and_the_emergency_stop_come_first(client, member):
    house = make_greenhouse(is_stopped=True, stopped_at=ago(minutes=9), stopped_by=member)
    node = make_node(greenhouse=house, label="Bộ 1")
    Alarm.objects.create(
        greenhouse=house,
        node=node,
        key="a",
        kind="node_deaf",
        severity=3,
        opened_at=ago(minutes=14),
        last_at=NOON,
    )

    said = words_of(client.get(HOME))

    assert (
        "Emergency stop: nothing runs in this house. Lê Thị Hoa stopped everything 9 minutes ago."
        in said
    )
    assert "Urgent: Bộ 1 is connected but does not answer 14 minutes ago I have seen it" in said


@pytest.mark.parametrize("is_stopped", [False, True])
def test_the_emergency_stop_is_in_the_head_that_no_poll_brings_anew(client, member, is_stopped):
    house = make_greenhouse(is_stopped=is_stopped, stopped_at=NOON if is_stopped else None)
    stop_url = f'href="{reverse("farm_stop", args=[house.code])}"'

    assert client.get(house_url(house)).content.decode().count(stop_url) == 1


def test_an_output_shows_what_its_device_says_and_never_what_we_wish(client, member):
    house = make_greenhouse()
    node, away = make_node(greenhouse=house), make_node(greenhouse=house, is_online=False)
    state = {"is_on": True, "state_at": ago(minutes=5), "state_heard_at": ago(seconds=20)}
    make_output(node=node, label="Van A", state_source="button", state_flow=6.1, **state)
    make_output(node=node, label="Van B", is_on=True, state_heard_at=ago(minutes=9))
    make_output(node=away, label="Van C", state_heard_at=ago(minutes=9))
    make_output(node=node, label="Van D", is_on=None)
    foreign = make_node(greenhouse=house, protocol="tasmota")
    make_output(node=foreign, label="Bơm E", kind=Output.Kind.PUMP, state_source="", **state)

    said = words_of(client.get(house_url(house)))

    assert "Van A open by the button on the device, 6.1 L/min" in said
    assert "Van B still on 9 minutes ago, not heard since" in said
    assert "Van C still off 9 minutes ago, the controller is away" in said
    assert "Van D not known yet" in said
    assert "Bơm E on no-ack device: it tells only open and closed" in said


@pytest.mark.parametrize(
    ("kind", "on_for", "flow", "said"),
    [
        ("valve", 60, 6.1, "open by a command, 6.1 L/min"),
        ("valve", 14, 0.0, "open by a command"),  # told while the pipe filled
        ("valve", 60, None, "open by a command"),
        ("pump", 60, 0.0, "on by a command"),
        ("fan", 60, 0.0, "on by a command"),
        ("light", 60, 6.1, "on by a command"),
        ("doser", 60, 6.1, "on by a command"),
    ],
)
def test_only_a_valve_shows_a_flow_and_only_a_settled_one(client, member, kind, on_for, flow, said):
    house = make_greenhouse()
    make_output(
        node=make_node(greenhouse=house), label="Đầu ra", kind=kind, is_on=True,
        state_at=ago(seconds=on_for), state_flow=flow, state_source="cmd",
    )  # fmt: skip

    page = words_of(client.get(house_url(house)))

    assert f"Đầu ra {said} Stop Đầu ra" in page


def test_an_open_page_is_answered_304_until_something_changes(client, member):
    house = make_greenhouse()
    channel = sensor(make_node(greenhouse=house), Quantity.AIR_TEMPERATURE, 25.0)
    for name, args in (("farm_home_live", ()), ("farm_house_live", (house.code,))):
        url = reverse(name, args=args)
        measure(channel, 25.0, t=ago(seconds=10))
        first = client.get(url)

        same = client.get(url, headers={"If-None-Match": first["ETag"]})
        measure(channel, 26.0, t=ago(seconds=5))
        new = client.get(url, headers={"If-None-Match": first["ETag"]})

        assert (first.status_code, same.status_code, same.content) == (200, 304, b"")
        assert first["Cache-Control"] == "private, no-cache"
        assert new.status_code == 200
        assert tile(new, "Air").startswith("plain: Air temperature 26.0 °C")


def test_another_language_is_another_version(client, member):
    make_greenhouse()
    english = client.get(reverse("farm_home_live"))["ETag"]
    client.cookies["django_language"] = "vi"

    assert (
        client.get(reverse("farm_home_live"), headers={"If-None-Match": english}).status_code == 200
    )


def test_whoever_may_no_longer_switch_is_sent_the_page_without_its_buttons(client, member):
    house = make_greenhouse()
    make_output(node=make_node(greenhouse=house), zone=make_zone(greenhouse=house))
    url = reverse("farm_house_live", args=[house.code])
    before = client.get(url)
    member.groups.set([Group.objects.get(name=Role.CHAIRPERSON)])

    after = client.get(url, headers={"If-None-Match": before["ETag"]})

    assert "water-form" in before.content.decode()
    assert after.status_code == 200
    assert "water-form" not in after.content.decode()


def test_an_open_page_of_somebody_signed_out_is_loaded_anew(client, db):
    house = make_greenhouse()

    answer = client.get(reverse("farm_house_live", args=[house.code]))

    assert (answer.status_code, answer["HX-Refresh"], answer.content) == (200, "true", b"")


def test_ten_zones_cost_no_more_queries_than_two(db):
    house = make_greenhouse()
    node = make_node(greenhouse=house)

    def add_zones(count):
        for _ in range(count):
            zone = make_zone(greenhouse=house)
            make_batch(zone=zone)
            sensor(node, Quantity.EC, 1.5, zone=zone)
            make_limit(channel=sensor(node, Quantity.PH, 6.0, zone=zone))
            make_output(node=node, zone=zone)
            make_greenhouse()

    def queries(function):
        with CaptureQueriesContext(connection) as seen:
            function()
        return len(seen)

    add_zones(2)
    few = [
        queries(lambda: dashboard.house_cards(now=NOON)),
        queries(lambda: dashboard.house_page(house, now=NOON)),
    ]
    add_zones(8)

    assert few == [10, 10]
    assert queries(lambda: dashboard.house_cards(now=NOON)) == 10
    assert queries(lambda: dashboard.house_page(house, now=NOON)) == 10


def test_home_leads_members_to_the_greenhouses_and_nobody_else(client, member):
    assert f'href="{HOME}"' in client.get("/").content.decode()

    client.force_login(make_person(), backend="allauth.account.auth_backends.AuthenticationBackend")
    assert f'href="{HOME}"' not in client.get("/").content.decode()
