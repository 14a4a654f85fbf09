"""Controllers on a phone: are they there, do they keep our settings, what was put aside."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from farm.models import Alarm, Channel, Command, QuarantinedFrame
from farm.selectors import devices
from tests.accounts.back_office import office
from tests.farm.factories import (
    NOON,
    make_channel,
    make_greenhouse,
    make_node,
    make_output,
    make_zone,
)
from tests.farm.pages import member, noon, words_of

__all__ = ["member", "noon"]
pytestmark = pytest.mark.django_db
DEVICES = reverse("farm_devices")


@pytest.fixture
def house(db):
    return make_greenhouse(code="nm1", name="Nhà màng 1")


def test_a_controller_says_how_it_is(client, member, house):
    node = make_node(
        greenhouse=house,
        name="n7f3a",
        label="Bộ 1",
        firmware="pl-0.3.1",
        hardware="esp32",
        heard_at=NOON - timedelta(seconds=20),
        config_rev=12,
        config_acked_rev=12,
        buffered_frames=40,
    )
    make_channel(node=node, code="air_t")

    said = words_of(client.get(DEVICES))

    assert "Bộ 1 Nhà màng 1, n7f3a" in said
    assert "Firmware pl-0.3.1 (esp32)" in said
    assert "Settings keeps settings 12" in said
    assert "Still holds 40 messages" in said
    assert "Air temperature air_t, Air temperature, the whole house." in said


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"config_rev": 13, "config_acked_rev": 12}, "has not confirmed settings 13 yet"),
        ({"config_rev": 13, "config_error": "too big"}, "refused settings 13: too big"),
        ({"protocol": "tasmota"}, "has no settings of ours"),
        (
            {"is_online": False, "heard_at": NOON - timedelta(hours=2)},
            "Not connected, last heard 2 hours ago",
        ),
    ],
)
def test_what_is_wrong_with_a_controller_is_said(client, member, house, changes, sentence):
    make_node(greenhouse=house, **changes)

    assert sentence in words_of(client.get(DEVICES))


def test_messages_put_aside_stand_with_their_reason(client, member, house):
    QuarantinedFrame.objects.create(
        topic="farm/v1/nm1/la/tele",
        payload=b'{"t":1,"m":{"x":\xff}}',
        size=20,
        reason="unknown_node",
        detail="la",
        received_at=NOON,
    )

    page = client.get(DEVICES)

    assert (
        "unknown controller: la 12:00:00 22/11, unknown controller, farm/v1/nm1/la/tele, 20 bytes"
        in words_of(page)
    )
    assert "\\xff" in page.content.decode()


def test_only_the_last_fifty_are_shown(db):
    for second in range(52):
        QuarantinedFrame.objects.create(
            topic="t", payload=b"", size=0, reason="future",
            received_at=NOON + timedelta(seconds=second),
        )  # fmt: skip

    shown = devices.quarantined()

    assert len(shown) == 50
    assert shown[0].received_at == NOON + timedelta(seconds=51)


def test_a_sensor_and_an_output_are_named_and_put_into_a_zone(client, member, house):
    zone = make_zone(greenhouse=house)
    node = make_node(greenhouse=house)
    for thing, name in (
        (make_channel(node=node), "farm_channel_place"),
        (make_output(node=node), "farm_output_place"),
    ):
        client.post(reverse(name, args=[thing.pk]), {"label": "Góc đông", "zone": zone.pk})

        thing.refresh_from_db()
        assert (thing.label, thing.zone) == ("Góc đông", zone)


def test_a_zone_of_another_house_is_refused(client, member, house):
    channel = make_channel(node=make_node(greenhouse=house))

    client.post(
        reverse("farm_channel_place", args=[channel.pk]), {"label": "x", "zone": make_zone().pk}
    )

    channel.refresh_from_db()
    assert (channel.label, channel.zone) == ("", None)


def test_ten_controllers_cost_no_more_queries_than_two(house):
    def add(count):
        for _ in range(count):
            node = make_node(greenhouse=house)
            make_channel(node=node, quantity=Channel.Quantity.PH)
            make_output(node=node)

    def count():
        with CaptureQueriesContext(connection) as seen:
            devices.devices(now=NOON)
        return len(seen)

    add(2)
    before = count()
    add(8)

    assert (before, count()) == (3, 3)


@pytest.mark.parametrize(
    "name",
    [
        "greenhouse", "zone", "node", "channel", "output", "watch", "alarmlimit",
        "command", "devicerun", "decision", "alarm", "latestreading",
    ],
)  # fmt: skip
def test_the_back_office_lists_everything(db, house, name):
    make_output(node=make_node(greenhouse=house))
    make_channel(node=make_node(greenhouse=house))

    assert office().get(reverse(f"admin:farm_{name}_changelist")).status_code == 200


def test_nobody_edits_what_happened(db, house):
    output = make_output(node=make_node(greenhouse=house))
    command = Command.objects.create(
        id="01JFX600000000000000000001",
        node=output.node,
        output=output,
        op="stop",
        source="person",
        created_at=NOON,
        expires_at=NOON,
    )
    alarm = Alarm.objects.create(
        greenhouse=house, key="a", kind="tank_low", severity=2, opened_at=NOON, last_at=NOON
    )
    browser = office()

    for row in (command, alarm):
        name = f"admin:farm_{row._meta.model_name}"
        assert browser.get(reverse(f"{name}_change", args=[row.pk])).status_code == 200
        assert browser.post(reverse(f"{name}_change", args=[row.pk]), {}).status_code == 403
        assert browser.get(reverse(f"{name}_add")).status_code == 403


def test_a_house_and_a_controller_keep_their_names_in_topics(db, house):
    node = make_node(greenhouse=house, name="n1")
    make_channel(node=node)
    browser = office()

    for row in (house, node):
        page = browser.get(
            reverse(f"admin:farm_{row._meta.model_name}_change", args=[row.pk])
        ).content.decode()
        assert 'name="name"' in page or 'name="label"' in page
        assert 'name="code"' not in page
