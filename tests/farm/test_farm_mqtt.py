"""From bytes of a broker to rows, and what does not belong into quarantine."""

import json

import pytest

from common.mqtt_handlers import Message
from farm import mqtt
from farm.models import (
    Alarm,
    BootSequence,
    Channel,
    LatestReading,
    Node,
    Output,
    QuarantinedFrame,
    Reading,
)
from farm.services import alarms
from farm.simulator import reports
from tests.conftest import NOON
from tests.farm.factories import (
    make_channel,
    make_greenhouse,
    make_node,
    make_output,
    make_user,
)

Reason = QuarantinedFrame.Reason
pytestmark = pytest.mark.django_db


@pytest.fixture
def house():
    return make_greenhouse(code="nm1")


@pytest.fixture
def node(house):
    return make_node(greenhouse=house, name="n7", boot=17)


@pytest.fixture
def farm():
    return mqtt.Farm()


def message(path, payload, *, is_retained=False, base="farm/v1/nm1/n7"):
    payload = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    return Message(f"{base}/{path}", payload, is_retained, NOON)


def tele(seq, **values):
    return message("tele", {"t": ms(NOON), "boot": 17, "seq": seq, "m": values})


def ms(moment):
    return round(moment.timestamp() * 1000)


def reasons():
    return list(QuarantinedFrame.objects.order_by("pk").values_list("reason", flat=True))


def test_a_birth_and_the_frames_behind_it_come_in_one_batch(farm, node):
    birth = {
        "v": 1, "boot": 18, "t": ms(NOON), "seq": 0, "cfg": 0,
        "ch": {"air_t": {"u": "degC", "k": "air_temperature"}},
        "out": {"valve-1": {"k": "valve", "max_s": 900, "flow": [4, 8]}}, "buf": 0,
    }  # fmt: skip

    farm.take_many([
        message("birth", birth), message("status", b"online"), tele(0, air_t=28.5),
        message("out/valve-1/state", {"on": False, "t": ms(NOON), "boot": 18, "src": "boot"}),
    ])  # fmt: skip

    assert Reading.objects.get().v == 28.5
    assert (Node.objects.get().boot, Node.objects.get().is_online) == (18, True)
    assert Output.objects.get().is_on is False
    assert reasons() == []


def test_frames_of_a_batch_are_stored_each(farm, node):
    air = make_channel(node=node, code="air_t")
    rows = [[seq, ms(NOON) - 30_000 * seq, {"air_t": 20.5 + seq}] for seq in range(3)]

    farm.take_many([message("tele/batch", {"boot": 17, "b": rows, "more": False})])

    assert list(Reading.objects.order_by("t").values_list("v", flat=True)) == [22.5, 21.5, 20.5]
    assert LatestReading.objects.get().channel == air


def test_a_broken_frame_of_a_batch_is_set_aside_and_the_others_are_stored(farm, node):
    make_channel(node=node, code="air_t")
    rows = [[0, ms(NOON), {"air_t": 20.5}], [1, "noon", {"air_t": 21.5}], "frame"]

    farm.take_many([message("tele/batch", {"boot": 17, "b": rows, "more": False})])

    assert list(Reading.objects.values_list("v", flat=True)) == [20.5]
    refused = QuarantinedFrame.objects.order_by("pk").values_list("reason", "payload")
    assert [(reason, bytes(payload)) for reason, payload in refused] == [
        (Reason.MALFORMED, b'[1, "noon", {"air_t": 21.5}]'),
        (Reason.MALFORMED, b'"frame"'),
    ]


@pytest.mark.parametrize(
    ("path", "payload", "reason"),
    [
        ("tele", b"\xff\xfe", Reason.NOT_UTF8),
        ("tele", b"x" * 1024 * 1024, Reason.TOO_LARGE),
        ("tele", b"28.4", Reason.MALFORMED),
        ("tele", b"{", Reason.NOT_JSON),
        ("tele/batch", b'{"boot":17}', Reason.MALFORMED),
        ("ack", b"{}", Reason.MALFORMED),
        ("status", b"here", Reason.MALFORMED),
        ("birth", b'{"v":2,"boot":1}', Reason.MALFORMED),
        ("tele/what", b"", Reason.MALFORMED),
    ],
)
def test_what_is_not_as_the_contract_says_is_set_aside_and_stops_nothing(
    farm, node, path, payload, reason
):
    make_channel(node=node, code="air_t")

    farm.take_many([tele(1, air_t=20.5), message(path, payload), tele(2, air_t=20.5)])

    assert reasons() == [reason]
    assert Reading.objects.count() == 1


def test_an_unknown_controller_is_set_aside(farm, node):
    farm.take_many([message("tele", {"t": 1}, base="farm/v1/nm1/stranger")])

    kept = QuarantinedFrame.objects.get()
    assert (kept.reason, kept.node, kept.detail) == (Reason.UNKNOWN_NODE, None, "stranger")


def test_a_controller_that_writes_under_another_house_is_set_aside(farm, node):
    make_greenhouse(code="nm2")
    make_channel(node=node, code="air_t")

    farm.take_many([
        message("tele", {"t": ms(NOON), "boot": 17, "seq": 1, "m": {"air_t": 20}},
                base="farm/v1/nm2/n7"),
    ])  # fmt: skip

    kept = QuarantinedFrame.objects.get()
    assert (kept.reason, kept.node, kept.detail) == (Reason.WRONG_HOUSE, node, "belongs to nm1")
    assert not Reading.objects.exists()


def test_what_the_server_said_itself_is_passed_over(farm, node):
    farm.take_many([
        message("status", b"online", base="farm/v1/server"),
        Message("farm/v1/server/tick", b"{}", False, NOON),
        message("cmd", {"id": "01J", "op": "run"}),
        message("cfg", {"rev": 3}, is_retained=True),
        message("cmd", b"", is_retained=True),
    ])  # fmt: skip

    assert reasons() == []
    assert not Alarm.objects.exists()


def test_an_old_retained_command_is_an_alarm_and_is_taken_off_the_broker(farm, node):
    output = make_output(node=node, code="valve-1")
    published = []

    farm.take_many([message("cmd", {"id": "01J", "op": "run", "s": 600}, is_retained=True)])
    for _ in range(2):
        farm.clear_old_commands(lambda *said: published.append(said))

    alarm = Alarm.objects.get()
    output.refresh_from_db()
    assert (alarm.kind, alarm.node, alarm.cleared_at) == ("retained_command", node, None)
    assert reasons() == [Reason.RETAINED_COMMAND]
    assert published == [("farm/v1/nm1/n7/cmd", b"", 1, True)]
    assert output.is_on is False


@pytest.mark.parametrize(
    ("payload", "cleared"),
    [
        ({"k": "retained_cmd", "on": True}, [("farm/v1/nm1/n7/cmd", b"", 1, True)]),
        ({"k": "retained_cmd", "on": False}, []),
        ({"k": "tank_low", "on": True}, []),
        (b"{", []),
    ],
)
def test_an_old_command_that_only_the_controller_saw_is_cleared_when_it_says_so(
    farm, node, payload, cleared
):
    published = []

    farm.take_many([message("event", payload)])
    farm.clear_old_commands(lambda *said: published.append(said))

    assert published == cleared


def test_an_alarm_of_an_old_command_is_over_when_somebody_has_seen_it(farm, node):
    farm.take_many([message("event", {"k": "retained_cmd", "on": True})])

    seen = alarms.acknowledge(alarm=Alarm.objects.get(), by=make_user(), at=NOON)

    assert (seen.kind, seen.cleared_at) == ("retained_command", NOON)


def test_retained_readings_are_not_believed(farm, node):
    make_channel(node=node, code="air_t")
    one = tele(1, air_t=20.5)

    farm.take_many([Message(one.topic, one.payload, True, NOON)])

    assert reasons() == [Reason.MALFORMED]
    assert not Reading.objects.exists()


def test_news_that_the_broker_kept_is_no_news(farm, node):
    farm.take_many([message("event", {"k": "tank_low", "on": True}, is_retained=True)])

    assert reasons() == [Reason.MALFORMED]
    assert not Alarm.objects.exists()


@pytest.mark.parametrize("boot", [17, 18])
def test_times_at_the_end_of_the_calendar_take_no_other_frame_with_them(farm, node, boot):
    make_channel(node=node, code="air_t")
    farm.take_many([tele(1, air_t=20.5)])
    ahead, never = ms(NOON) + 400_000, 253_402_300_799_000
    entries = [[5, ms(NOON) - 60_000, {"air_t": 22}], [6, ahead, {"air_t": 23}],
               [7, never, {"air_t": 24}]]  # fmt: skip

    farm.take_many([
        message("tele/batch", {"boot": boot, "b": entries, "more": False}),
        message("tele", {"boot": 19, "seq": 1, "up": 0, "now": never, "m": {"air_t": 25}}),
        message("tele", {"boot": 20, "seq": 1, "t": ms(NOON) - 5_000, "now": never,
                         "m": {"air_t": 26}}),
    ])  # fmt: skip

    stored = set(Reading.objects.values_list("v", flat=True))
    assert {20.5, 22.0, 26.0} <= stored
    assert 25.0 not in stored
    assert sorted(reasons()) == [Reason.FUTURE, Reason.FUTURE, Reason.TOO_OLD]


def test_a_rule_that_fails_takes_no_reading_with_it(farm, node, monkeypatch):
    make_channel(node=node, code="air_t")
    monkeypatch.setattr(mqtt.automation, "react", lambda **_: 1 / 0)

    farm.take_many([tele(1, air_t=20.5)])

    assert Reading.objects.count() == 1


def test_the_rules_see_the_channels_that_were_touched(farm, node, monkeypatch):
    seen = []
    monkeypatch.setattr(mqtt.automation, "react", lambda **told: seen.append(told["channel_ids"]))
    air = make_channel(node=node, code="air_t")
    make_channel(node=node, code="rh", quantity=Channel.Quantity.RELATIVE_HUMIDITY)

    farm.take_many([tele(1, air_t=20.5)])

    assert seen == [{air.pk}]


def test_a_tick_tells_the_time_and_a_number_that_grows():
    said = []
    mqtt.tick(lambda *parts: said.append(parts))

    topic, payload, qos, is_retained = said[0]
    tick = json.loads(payload)
    assert (topic, qos, is_retained) == ("farm/v1/server/tick", 0, False)
    assert tick["n"] == tick["t"] // 20_000


def test_a_status_and_a_word_set_when_a_controller_was_heard(farm, house):
    node = make_node(greenhouse=house, name="n8", heard_at=None, is_online=False)

    farm.take_many([message("status", b"offline", base="farm/v1/nm1/n8")])
    node.refresh_from_db()
    before = node.heard_at
    farm.take_many([message("event", {"k": "tank_low", "t": ms(NOON)}, base="farm/v1/nm1/n8")])

    node.refresh_from_db()
    assert (before, node.heard_at) == (None, NOON)


def test_a_lease_that_the_controller_has_again_holds_nobody_back(farm, node):
    moment = reports.Moment(boot=17, up_ms=5_000, t_ms=ms(NOON))
    lost, again = (reports.event("lease", moment, is_raised=on) for on in (True, False))

    farm.take_many([message("event", lost)])
    farm.take_many([message("event", again)])

    assert [alarm.cleared_at for alarm in Alarm.objects.filter(kind="lease_lost")] == [NOON]


def test_an_old_birth_of_the_broker_forgets_no_frames_but_a_new_count_does(farm, node):
    BootSequence.objects.create(node=node, boot=17, ranges=[[0, 9]], began_at=NOON)
    hour_ago = ms(NOON) - 3_600_000

    farm.take_many([message("birth", {"v": 1, "boot": 16, "t": hour_ago}, is_retained=True)])
    kept = BootSequence.objects.count()
    farm.take_many([message("birth", {"v": 1, "boot": 1, "t": ms(NOON)})])

    assert (kept, BootSequence.objects.count()) == (1, 0)
