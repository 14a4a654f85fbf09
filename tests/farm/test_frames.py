"""The words of farm/v1, as real controllers say them and as broken ones do."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farm import frames, outgoing
from farm.frames import FrameError
from farm.simulator import reports

BIRTH = (
    b'{"v":1,"boot":17,"t":1767225600000,"clk":"ntp","fw":"pl-0.3.1","hw":"esp32","seq":4711,'
    b'"cfg":12,"reset":"power","ch":{"air_t":{"u":"degC","k":"air_temperature"},"rh":{"u":"%"},'
    b'"flow":{"u":"L/min","ppl":450}},"out":{"valve-1":{"k":"valve","max_s":900,"flow":[4,8]},'
    b'"dose-a":{"k":"doser","ml_s":1.2,"max_s":20},"fan-1":{"k":"fan","max_s":86400,'
    b'"fail":"local"},"pump":{"k":"pump","max_s":1200,"needs":["tank_ok"]}},"buf":0}'
)
PARSERS = [
    frames.parse_birth,
    frames.parse_tele,
    frames.parse_batch,
    frames.parse_state,
    frames.parse_ack,
    frames.parse_event,
    frames.parse_config_ack,
    frames.parse_status,
]
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=10,
)
KEYS = st.sampled_from(
    ["v", "boot", "t", "seq", "m", "b", "up", "now", "ch", "out", "on", "id", "st", "rev", "k"]
)


def reason_of(parse, payload):
    with pytest.raises(FrameError) as refused:
        parse(payload)
    return refused.value.reason


def verdict(parse, payload):
    try:
        parse(payload)
    except FrameError as error:
        return error.reason
    return ""


def test_the_birth_of_the_contract_is_read_to_the_letter():
    birth = frames.parse_birth(BIRTH)

    assert (birth.boot, birth.seq, birth.cfg, birth.reset) == (17, 4711, 12, "power")
    assert birth.channels["air_t"] == frames.ChannelSpec("degC", "air_temperature", None)
    assert birth.channels["flow"].pulses_per_litre == 450
    assert birth.outputs["valve-1"] == frames.OutputSpec("valve", 900, 4, 8)
    assert birth.outputs["dose-a"].ml_s == 1.2
    assert birth.outputs["fan-1"].fail == "local"
    assert birth.outputs["pump"].needs == ("tank_ok",)


def test_a_frame_is_read_with_failed_sensors_and_quality():
    frame = frames.parse_tele(
        b'{"t":1767225600000,"boot":17,"seq":4711,"m":{"air_t":28.4,"ec":null},"q":{"ec":"cal"}}'
    )

    assert frame == frames.Frame(
        17, 4711, 1767225600000, values={"air_t": 28.4, "ec": None}, quality={"ec": "cal"}
    )


def test_a_value_that_is_no_finite_number_leaves_the_others_readable():
    frame = frames.parse_tele(b'{"t":1,"boot":1,"seq":1,"m":{"a":NaN,"b":1e999,"c":"9","d":4}}')

    assert frame.values["d"] == 4
    assert [frame.values[code] == frame.values[code] for code in "abc"] == [False, False, False]


def test_a_batch_holds_frames_with_and_without_a_clock():
    (with_clock, without), faults = frames.parse_batch(
        b'{"boot":17,"now":9000,"b":[[1,1767225600000,{"a":1}],[2,null,{"a":2},8000]],"more":true}'
    )

    assert (with_clock.seq, with_clock.t_ms) == (1, 1767225600000)
    assert (without.seq, without.t_ms, without.up_ms, without.now_ms) == (2, None, 8000, 9000)
    assert faults == ()


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"\xff\xfe{}", "not_utf8"),
        (b"{", "not_json"),
        (b"[" * 20_000, "not_json"),
        (b"[]", "malformed"),
        (b'{"boot":1,"seq":1,"m":{}}', "malformed"),
        (b'{"boot":1,"seq":4294967296,"t":1,"m":{}}', "malformed"),
        (b'{"boot":true,"seq":1,"t":1,"m":{}}', "malformed"),
        (b'{"boot":1,"seq":1,"t":1e300,"m":{}}', "malformed"),
        (b'{"boot":1,"seq":1,"t":1,"m":[]}', "malformed"),
        (b"x" * 1024 * 1024, "too_large"),
    ],
)
def test_a_frame_that_is_not_as_the_contract_says_is_refused_with_the_reason(payload, reason):
    assert reason_of(frames.parse_tele, payload) == reason


def test_more_than_a_hundred_frames_in_a_batch_are_refused():
    rows = [[number, 1, {}] for number in range(101)]

    assert reason_of(frames.parse_batch, json.dumps({"boot": 1, "b": rows}).encode()) == "malformed"


def test_an_event_is_raised_until_it_says_that_it_is_cleared():
    raised = frames.parse_event(b'{"k":"tank_low","st":"raised","t":5,"out":"pump","v":3.5}')
    cleared = frames.parse_event(b'{"k":"tank_low","st":"cleared","t":6}')

    assert (raised.kind, raised.is_raised, raised.output, raised.facts) == (
        "tank_low", True, "pump", {"v": 3.5}
    )  # fmt: skip
    assert cleared.is_raised is False


@pytest.mark.parametrize("is_raised", [True, False])
@pytest.mark.parametrize("t_ms", [1_767_225_602_000, None])
def test_an_event_of_the_simulator_is_read_as_it_was_meant(is_raised, t_ms):
    moment = reports.Moment(boot=17, up_ms=5_000, t_ms=t_ms)

    told = reports.event("no_flow", moment, is_raised=is_raised, output="valve-1", value=0.35)

    assert frames.parse_event(told) == frames.Event(
        kind="no_flow",
        is_raised=is_raised,
        t_ms=t_ms,
        boot=17,
        up_ms=5_000 if t_ms is None else None,
        output="valve-1",
        facts={"v": 0.35},
    )


def test_on_counts_before_st_but_only_when_it_is_true_or_false():
    assert frames.parse_event(b'{"k":"lease","on":false,"st":"raised"}').is_raised is False
    assert frames.parse_event(b'{"k":"lease","on":true,"st":"cleared"}').is_raised is True
    assert frames.parse_event(b'{"k":"lease","on":0,"st":"cleared"}').is_raised is False
    assert frames.parse_event(b'{"k":"lease","on":0}').is_raised is True


@pytest.mark.parametrize("parse", PARSERS)
@given(
    payload=st.binary(max_size=40) | ANY_JSON.map(lambda any_json: json.dumps(any_json).encode())
)
def test_no_bytes_break_a_parser(parse, payload):
    assert verdict(parse, payload) in {"", "malformed", "not_json", "not_utf8"}


@pytest.mark.parametrize("parse", PARSERS)
@given(document=st.dictionaries(KEYS, ANY_JSON))
def test_no_object_breaks_a_parser(parse, document):
    assert verdict(parse, json.dumps(document).encode()) in {"", "malformed"}


@pytest.mark.parametrize(
    ("topic", "expected"),
    [
        ("farm/v1/nm1/n7/tele/batch", frames.Topic("nm1", "n7", "batch")),
        ("farm/v1/nm1/n7/cfg/ack", frames.Topic("nm1", "n7", "cfg_ack")),
        ("farm/v1/nm1/n7/out/fan-1/state", frames.Topic("nm1", "n7", "state", "fan-1")),
        ("farm/v1/server/tick", None),
        ("farm/v1/server/status/tele", None),
        ("farm/v1/NM1/n7/tele", None),
        ("farm/v1/nm1/n7", None),
        ("farm/v1/nm1/n7/tele/more", None),
        ("farm/v2/nm1/n7/tele", None),
    ],
)
def test_topics_are_read_or_nobodys(topic, expected):
    assert frames.parse_topic(topic) == expected


def test_a_command_is_written_as_the_contract_shows_it():
    written = outgoing.command_payload(
        outgoing.CommandFields(
            id="01JFX6", op="run", out="valve-1", s=120, l=12.0, t=1767225600000,
            exp=1767225615000, by="rule:8", gen=5,
        )
    )  # fmt: skip

    assert written == (
        b'{"id":"01JFX6","op":"run","out":"valve-1","s":120,"l":12.0,"t":1767225600000,'
        b'"exp":1767225615000,"by":"rule:8","gen":5}'
    )


@pytest.mark.parametrize(
    ("up", "read"), [("5000.0", 5000), ('"soon"', None), ("-1", None), ("1e300", None)]
)
def test_a_state_is_no_worse_for_an_odd_counter(up, read):
    state = frames.parse_state(b'{"on":true,"up":%s}' % up.encode())

    assert (state.on, state.up_ms) == (True, read)
