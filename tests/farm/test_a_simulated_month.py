"""Thirty days of a house, played to the real ingest over a bad link: at the end all adds up.

Firmware, weather and water are the simulator's, the messages go into farm.mqtt.FARM and the real
pumps answer. Only the clock is virtual, and chance has a seed. To be done in seconds, one
controller measures three channels every 15 minutes, not many every half minute, and the portal
looks twice a day, but every few seconds while it waits for a word on a command. Values are told in
whole numbers: their sums are exact in any order and on any database.
"""

import math
import random
from collections import Counter, defaultdict
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from common.mqtt_handlers import Message
from farm import frames
from farm.models import (
    Alarm,
    BootSequence,
    Channel,
    Command,
    Output,
    QuarantinedFrame,
    Reading,
    Rollup,
    WaterUse,
)
from farm.mqtt import FARM, PUMPS, tick
from farm.services import command_requests, commands
from farm.simulator.houses import LETTUCE
from farm.simulator.link import Link, Weather
from farm.simulator.reports import Outgoing
from farm.simulator.world import World
from farm.tasks import roll_up
from tests.farm.factories import make_channel, make_greenhouse, make_node, make_zone

pytestmark = [
    pytest.mark.slow,  # a month has 90 000 steps of the weather
    pytest.mark.django_db,
]
VIETNAM = ZoneInfo("Asia/Ho_Chi_Minh")
BEGINS = datetime(2026, 6, 1, tzinfo=VIETNAM)
DAYS = 30
NODE = "n7f3a"
CODES = ("ec", "tank", "flow")
PULSE_LITRES = 1 / 450
OFTEN, SOMETIMES = timedelta(seconds=5), timedelta(seconds=60)
WATERED_AT = (timedelta(hours=7), timedelta(hours=14))  # on even and on odd days
# What happens on a day, after the watering or while it runs.
TROUBLES = {
    3: "outage",
    8: "outage in a run",
    13: "reboot",
    18: "reboot in a run",
    22: "dead sensor",
    26: "outage in a run",
}
ROUGH = Weather(lost=0.03, doubled=0.05, delayed=0.1)
# A connection that holds loses no message of QoS 1, and its end has the states told again.
SURE = replace(ROUGH, lost=0.0)
REPEATED = ("/tele", "/tele/batch", "/cmd")


class Radio(Link):
    """A link that loses only what its sender repeats: frames when asked, commands by itself."""

    def send(self, message, *, at_ms):
        self.weather = ROUGH if message.topic.endswith(REPEATED) else SURE
        super().send(message, at_ms=at_ms)


@dataclass
class Portal:
    """The bridge's handler and pumps at the virtual time, and all that they were told."""

    at: datetime = BEGINS
    frame_by_number: dict = field(default_factory=dict)
    copies: int = 0
    _heard: list = field(default_factory=list)
    _said: list = field(default_factory=list)

    def hear(self, message, at_ms):
        at = datetime.fromtimestamp(at_ms / 1000, UTC)
        self._heard.append(Message(message.topic, message.payload, False, at))
        for frame in read_frames(message):
            self.copies += 1
            first = self.frame_by_number.setdefault((frame.boot, frame.seq), frame)
            assert (first.t_ms, first.values) == (frame.t_ms, frame.values)

    def say(self, at_ms):
        said, self._said = self._said, []
        return said

    def publish(self, topic, payload, qos, retain):
        self._said.append(Outgoing(topic, payload, qos, is_retained=retain))

    def look(self):
        """Do once what the bridge does all day; the world tells the time itself."""
        heard, self._heard = self._heard, []
        FARM.take_many(heard)
        for pump in PUMPS:
            if pump.run is not tick:
                pump.run(self.publish)


def read_frames(message):
    kind = frames.parse_topic(message.topic).kind
    if kind == "tele":
        return [frames.parse_tele(message.payload)]
    return frames.parse_batch(message.payload)[0] if kind == "batch" else []


class Month:
    """The world and the portal, moved on together."""

    def __init__(self, portal):
        watering = LETTUCE.nodes[1]
        whole = tuple(replace(one, decimals=0) for one in watering.channels if one.code in CODES)
        spec = replace(watering, channels=whole, tele_seconds=900)
        self.portal = portal
        self.world = World(replace(LETTUCE, nodes=(spec,)), begins=BEGINS)
        self.station = self.world.stations[NODE]
        self.station.up, self.station.down = Radio(seed=1), Radio(seed=2)
        self.world.connect(NODE)
        self.node = self.station.node
        self.litres_by_day = defaultdict(float)
        self._measured_ms = self.world.now_ms

    def live(self, until):
        """Let time pass; the portal looks while it waits for something, and at the end."""
        while self.portal.at < until:
            statuses = set(Command.objects.open().values_list("status", flat=True))
            pause = SOMETIMES if statuses == {"started"} else OFTEN
            self.pass_time(min(until, self.portal.at + pause) if statuses else until)
            self.portal.look()

    def pass_time(self, until):
        for _ in self.world.each_step(until=until, server=self.portal, look=self._measure):
            pass
        self.portal.at = until

    def _measure(self):
        """Count the water in the pipe, whatever anybody says of it."""
        minutes = (self.world.now_ms - self._measured_ms) / 60_000
        day = datetime.fromtimestamp(self._measured_ms / 1000, VIETNAM).date()
        self.litres_by_day[day] += self.world.greenhouse.flow_lpm * minutes
        self._measured_ms = self.world.now_ms

    def let_all_arrive(self):
        """Wait until nothing is on its way: a controller that connects again repeats it."""
        while self.station.up.next_ms() is not None:
            self.pass_time(self.portal.at + timedelta(seconds=1))

    def water(self, dice):
        """Ask for both valves, by seconds or by litres."""
        for code in ("valve-1", "valve-2"):
            litres = dice.choice((None, None, 3.0))
            commands.request_run(
                output=Output.objects.get(code=code),
                seconds=dice.randint(20, 60),
                litres=litres,
                source=Command.Source.SCHEDULE,
                at=self.portal.at,
            )
        self.portal.look()

    def calm_down(self):
        self.let_all_arrive()
        self.station.up, self.station.down = Link(), Link()

    def suffer(self, trouble):
        """Let something go wrong; in a run when it says so, else when nothing runs."""
        if not trouble.endswith("in a run"):
            self.live(self.portal.at + timedelta(minutes=10))
        else:
            while not self.node.switches.running:
                self.live(self.portal.at + OFTEN)
            self.live(self.portal.at + OFTEN)
        self.let_all_arrive()
        match trouble.split()[0]:
            case "outage":
                self.world.disconnect(NODE, self.portal)
                self.live(self.portal.at + timedelta(hours=3))
                self.world.connect(NODE)
            case "reboot":
                self.world.reboot(NODE)
            case "dead":
                self.world.greenhouse.faults.add("dead-sensor:ec")
                self.live(self.portal.at + timedelta(hours=3))
                self.world.greenhouse.faults.clear()


@pytest.fixture
def portal(monkeypatch):
    portal = Portal()
    numbers = count(1)
    monkeypatch.setattr(timezone, "now", lambda: portal.at)
    monkeypatch.setattr(command_requests, "ulid", lambda: f"{next(numbers):026d}")
    return portal


def live_through(month):
    """Water once a day, with a trouble on some days; the last hours are calm."""
    dice = random.Random("month")  # noqa: S311  # luck, not a secret
    for day in range(DAYS):
        midnight = BEGINS + timedelta(days=day)
        month.live(midnight + WATERED_AT[day % 2])
        month.water(dice)
        if day in TROUBLES:
            month.suffer(TROUBLES[day])
        roll_up()
        month.live(midnight + timedelta(days=1))
        roll_up()
    month.calm_down()
    for hours in (6, 12):  # what is missed at the first look is there at the second
        month.live(BEGINS + timedelta(days=DAYS, hours=hours))
    roll_up()


def readings():
    codes = dict(Channel.objects.values_list("pk", "code"))
    return {
        (codes[channel_id], t): v
        for channel_id, t, v in Reading.objects.values_list("channel_id", "t", "v")
    }


def values_of(arrived):
    """Give what must be stored of these frames: a sensor that says nothing leaves no row."""
    return {
        (code, datetime.fromtimestamp(frame.t_ms / 1000, UTC)): value
        for frame in arrived
        for code, value in frame.values.items()
        if value is not None
    }


def numbers_by_boot(portal):
    """Give the frames of each boot as rows keep them: from the first that came without a gap."""
    numbers = defaultdict(list)
    for boot, seq in portal.frame_by_number:
        numbers[boot].append(seq)
    return {boot: [[min(seqs), max(seqs)]] for boot, seqs in numbers.items()}


def rollups():
    return {
        (one.channel_id, one.level, one.bucket): (one.n, one.total, one.low, one.high, one.last)
        for one in Rollup.objects.all()
    }


def bucket_of(t, level):
    if level == Rollup.Level.DAY:
        return t.astimezone(VIETNAM).replace(hour=0, minute=0, second=0, microsecond=0)
    return datetime.fromtimestamp(t.timestamp() // level * level, UTC)


def sums_of_all_readings():
    buckets = defaultdict(list)
    for channel_id, t, v in Reading.objects.order_by("t").values_list("channel_id", "t", "v"):
        for level in Rollup.Level:
            buckets[channel_id, int(level), bucket_of(t, level)].append(v)
    return {
        key: (len(values), math.fsum(values), min(values), max(values), values[-1])
        for key, values in buckets.items()
    }


def openings_by_command(month):
    openings = defaultdict(list)
    for one in month.node.switches.openings:
        openings[one.command].append(one)
    return openings


def assert_runs_were_obeyed(runs, openings):
    """Each opened its valve once and no longer than asked, or never: the rows say which."""
    assert set(openings) <= {run.pk for run in runs}
    for run in runs:
        seconds = [one.seconds for one in openings[run.pk]]
        if run.status in ("done", "aborted"):
            assert len(seconds) == 1
            assert seconds[0] <= run.seconds
            assert run.ran_seconds in (round(seconds[0], 1), None)
        else:
            assert run.status in ("rejected", "expired", "unknown")
            assert seconds == []


def assert_water_was_counted(zone, month, runs):
    """Each day's figure is what passed the pipe; where a reboot forgot a run, it says so."""
    number_by_day = Counter(timezone.localtime(run.created_at).date() for run in runs)
    forgotten = {timezone.localtime(run.created_at).date() for run in runs if run.why == "reboot"}
    use_by_day = {use.day: use for use in WaterUse.objects.filter(zone=zone)}
    assert set(use_by_day) == set(number_by_day)
    assert {day for day, use in use_by_day.items() if not use.is_measured} == forgotten
    assert len(forgotten) == 1
    for day, use in use_by_day.items():
        pulses = PULSE_LITRES * number_by_day[day]
        if day not in forgotten:
            assert use.litres == pytest.approx(month.litres_by_day[day], rel=0, abs=pulses)
        else:
            assert use.litres < month.litres_by_day[day]


def test_after_a_month_over_a_bad_link_rows_sums_runs_and_water_are_as_they_happened(portal):
    house = make_greenhouse(code="nm1")
    zone = make_zone(greenhouse=house)
    node = make_node(greenhouse=house, name=NODE, boot=None, born_at=None, is_online=False)
    # A tank is believed for as long as the portal may not look.
    make_channel(node=node, code="tank", quantity="tank_volume", stale_seconds=86_400)
    month = Month(portal)

    live_through(month)
    runs = list(Command.objects.filter(op="run"))

    assert portal.copies > len(portal.frame_by_number)  # some came twice, all were taken once
    assert readings() == values_of(portal.frame_by_number.values())
    assert dict(BootSequence.objects.values_list("boot", "ranges")) == numbers_by_boot(portal)
    assert month.node.seq - 1 == max(seq for boot, seq in portal.frame_by_number if boot == 3)
    assert not BootSequence.objects.filter(gap_seen_at__isnull=False).exists()
    assert not QuarantinedFrame.objects.exists()

    assert rollups() == sums_of_all_readings()

    assert_runs_were_obeyed(runs, openings_by_command(month))
    assert not Command.objects.open().exclude(op="ping").exists()

    assert_water_was_counted(zone, month, runs)
    assert not Alarm.objects.filter(cleared_at__isnull=True).exists()
