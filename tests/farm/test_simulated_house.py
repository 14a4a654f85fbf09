"""The simulated greenhouse obeys nature, and its controllers keep the contract."""

import json
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from farm import frames
from farm.simulator.autopilot import live_alone
from farm.simulator.climate import Sky
from farm.simulator.clock import DeviceClock
from farm.simulator.houses import HOUSES, LETTUCE, MELONS
from farm.simulator.link import ROUGH
from farm.simulator.physics import Greenhouse
from farm.simulator.reports import Outgoing, encode
from farm.simulator.sensors import Sensors
from farm.simulator.world import World

JUNE = datetime(2026, 6, 1, tzinfo=UTC)


class Waterer:
    """A server that asks for water every half hour, keeps asking, and writes down all it hears."""

    def __init__(self, node="n7f3a", seconds=60):
        self.base = f"farm/v1/nm1/{node}"
        self.seconds = seconds
        self.open = {}
        self.words = {}
        self.frames = []
        self.events = []
        self._minute = self._asked = 0

    def hear(self, message, at_ms):
        topic = frames.parse_topic(message.topic)
        if topic.kind == "tele":
            self.frames.append(frames.parse_tele(message.payload))
        elif topic.kind == "batch":
            read, faults = frames.parse_batch(message.payload)
            assert faults == ()
            self.frames.extend(read)
        elif topic.kind == "ack":
            ack = frames.parse_ack(message.payload)
            self.words.setdefault(ack.id, []).append(ack)
        elif topic.kind == "event":
            self.events.append(frames.parse_event(message.payload).kind)

    def say(self, at_ms):
        minute = at_ms // 60_000
        if minute % 30 == 0 and minute != self._minute:
            self._minute = minute
            self._asked += 1
            said = {"id": f"{self._asked:026d}", "op": "run", "out": "valve-1", "s": self.seconds}
            self.open[said["id"]] = said | {"t": at_ms, "exp": at_ms + 15_000}
        for command, said in list(self.open.items()):
            if command in self.words or at_ms > said["exp"]:
                del self.open[command]
            else:
                yield Outgoing(f"{self.base}/cmd", encode(said))


def alone(house, *, hours=24, begins=JUNE, seed=7):
    greenhouse = Greenhouse(house.plan, Sky(seed), zones=house.zones)
    seen = []
    live_alone(
        greenhouse,
        begins=begins,
        until=begins + timedelta(hours=hours),
        step=timedelta(minutes=2),
        look=lambda at, _on: seen.append((at, greenhouse.measured())),
    )
    return greenhouse, seen


@pytest.mark.parametrize("house", [LETTUCE, MELONS])
def test_no_water_and_no_salt_appears_or_vanishes(house):
    greenhouse = Greenhouse(house.plan, Sky(3), zones=house.zones)
    water = greenhouse.tank.litres + sum(bed.litres for bed in greenhouse.beds)
    salts = greenhouse.tank.salts + sum(bed.salts for bed in greenhouse.beds)

    live_alone(
        greenhouse, begins=JUNE, until=JUNE + timedelta(days=3), step=timedelta(minutes=2),
        look=lambda _at, _on: None,
    )  # fmt: skip

    totals, stores = greenhouse.totals, [greenhouse.tank, *greenhouse.beds]
    assert sum(store.litres for store in stores) == pytest.approx(
        water + totals.refilled - totals.drunk - totals.lost
    )
    assert sum(store.salts for store in [*stores, greenhouse.unmixed]) == pytest.approx(
        salts + totals.salts_in - totals.salts_out
    )


def test_a_day_in_june_is_warm_dry_at_noon_and_damp_at_night():
    _greenhouse, seen = alone(LETTUCE)
    by_hour = {(at + timedelta(hours=7)).hour: measured for at, measured in seen}

    assert by_hour[13]["air_t"] > by_hour[4]["air_t"] + 4
    assert by_hour[13]["rh"] < by_hour[4]["rh"] - 10
    assert by_hour[1]["sun"] == by_hour[1]["ppfd"] == 0
    assert all(0 < measured["rh"] <= 98.01 for _at, measured in seen)
    assert all(15 < measured["air_t"] < 42 for _at, measured in seen)


def test_the_same_seed_is_the_same_day_and_another_is_not():
    assert alone(LETTUCE, hours=6)[1] == alone(LETTUCE, hours=6)[1]
    assert alone(LETTUCE, hours=6)[1] != alone(LETTUCE, hours=6, seed=8)[1]


def test_a_bed_that_overflows_is_no_wetter_than_wet():
    watering = LETTUCE.nodes[1]
    sensors = Sensors(watering, seed=7)
    truth = Greenhouse(LETTUCE.plan, Sky(7), zones=2).measured() | {"moist_1": 100.0}

    seen = [sensors.read(truth, at_s=0, faults=set())["moist_1"] for _ in range(200)]

    assert max(seen) == 100.0
    assert 98.5 < min(seen) < 100.0


def test_a_virtual_morning_of_watering_is_acknowledged_and_metered():
    world, server = World(LETTUCE, begins=JUNE), Waterer()

    world.run(until=JUNE + timedelta(hours=6, minutes=5), server=server)

    ends = Counter(words[-1].st for words in server.words.values())
    assert ends == {"done": 13}
    assert {words[-1].ran_s for words in server.words.values()} == {60.0}
    assert all(words[-1].l == pytest.approx(6.0, abs=0.6) for words in server.words.values())
    assert server.events == []
    own = [frame.seq for frame in server.frames if "tank" in frame.values]
    assert own == list(range(1, 731))


@pytest.mark.parametrize("clock", ["ntp", "none", "1970", "+3h", "back"])
def test_over_a_bad_link_and_with_any_clock_nothing_runs_twice_or_longer(clock):
    world = World(LETTUCE, begins=JUNE, weather=ROUGH, clock=DeviceClock(clock))
    server = Waterer()

    world.run(until=JUNE + timedelta(hours=3), server=server)

    openings = world.stations["n7f3a"].node.switches.openings
    assert max(Counter(one.command for one in openings).values()) == 1
    assert max(one.seconds for one in openings) <= 60
    assert len(openings) >= 4  # of six; the others were lost or came too late


def test_what_was_measured_without_a_link_comes_later_in_batches():
    world, server = World(LETTUCE, begins=JUNE), Waterer()
    world.run(until=JUNE + timedelta(minutes=10), server=server)
    world.disconnect("n7f3a", server)
    world.run(until=JUNE + timedelta(hours=2), server=server)
    world.connect("n7f3a")

    world.run(until=JUNE + timedelta(hours=2, minutes=5), server=server)

    own = sorted(frame.seq for frame in server.frames if "tank" in frame.values)
    assert own == list(range(1, 251))
    assert "lease" in server.events


def test_a_blocked_pipe_and_an_empty_tank_end_the_run_and_are_told():
    world, server = World(LETTUCE, begins=JUNE), Waterer()
    world.greenhouse.faults.add("blocked-pipe")
    world.run(until=JUNE + timedelta(hours=1), server=server)
    world.greenhouse.faults = {"empty-tank"}

    world.run(until=JUNE + timedelta(hours=2), server=server)

    whys = [words[-1].why for words in server.words.values()]
    assert whys[0] == "no_flow"
    assert whys[-1] == "tank_low"
    assert {"no_flow", "tank_low"} <= set(server.events)


def test_a_valve_that_leaks_after_it_was_shut_is_told():
    world, server = World(LETTUCE, begins=JUNE), Waterer()
    world.greenhouse.faults.add("leak")

    world.run(until=JUNE + timedelta(minutes=20), server=server)

    assert server.events.count("flow_after_off") == 1


def test_a_reboot_ends_the_run_and_says_so_and_the_id_never_runs_again():
    world, server = World(LETTUCE, begins=JUNE), Waterer(seconds=600)
    world.run(until=JUNE + timedelta(minutes=31), server=server)
    node = world.stations["n7f3a"].node
    command = node.switches.running["valve-1"].command
    again = encode({"id": command, "op": "run", "out": "valve-1", "s": 600, "t": 0, "exp": 9**15})

    world.reboot("n7f3a")
    world.run(until=JUNE + timedelta(minutes=32), server=server)
    answer = node.receive(topic=f"{node.spec.base}/cmd", payload=again)

    words = server.words[command]
    assert (words[-1].st, words[-1].why) == ("aborted", "reboot")
    assert not node.is_on("valve-1")
    assert [json.loads(one.payload)["st"] for one in answer] == ["duplicate"]


def test_every_channel_of_every_house_has_a_truth_behind_it():
    for house in HOUSES.values():
        greenhouse = Greenhouse(house.plan, Sky(1), zones=house.zones)
        codes = {channel.code for node in house.nodes for channel in node.channels}

        assert codes == set(greenhouse.measured())
