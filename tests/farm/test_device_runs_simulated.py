"""Somebody presses the button at a simulated valve: over any link and clock, one run is counted."""

from datetime import UTC, datetime

import pytest

from common.mqtt_handlers import Message
from farm.models import Channel, DeviceRun, Output, WaterUse, Zone
from farm.mqtt import Farm
from farm.services import device_runs, rollups
from farm.simulator.clock import DeviceClock
from farm.simulator.houses import LETTUCE
from farm.simulator.link import CALM, Weather
from farm.simulator.world import World
from tests.farm.controllers import after
from tests.farm.factories import NOON, make_greenhouse, make_node, make_zone

pytestmark = pytest.mark.django_db
PRESSED = 600
# Everything comes, some of it twice, late, and after what was said later.
SWAPPED = Weather(doubled=0.3, delayed=0.5)


class Portal:
    """The portal as a controller meets it, apart from the broker."""

    def __init__(self):
        self.farm = Farm()

    def hear(self, message, at_ms):
        at = datetime.fromtimestamp(at_ms / 1000, UTC)
        told = Message(message.topic, message.payload, is_retained=False, received_at=at)
        self.farm.take_many([told])

    def say(self, at_ms):
        return ()


@pytest.fixture
def zone():
    house = make_greenhouse(code="nm1")
    for spec in LETTUCE.nodes:
        make_node(greenhouse=house, name=spec.name, boot=None, born_at=None)
    return make_zone(greenhouse=house)


def press(zone, *, clock="ntp", weather=CALM, then=lambda _world, _portal: None):
    """Let a house live for twenty minutes in which somebody presses the button."""
    world, portal = World(LETTUCE, begins=NOON, clock=DeviceClock(clock), weather=weather), Portal()
    world.run(until=after(PRESSED), server=portal)
    assert Output.objects.get(code="valve-1").zone == zone
    for message in world.stations["n7f3a"].node.press("valve-1"):
        world.stations["n7f3a"].up.send(message, at_ms=world.now_ms)
    then(world, portal)
    world.run(until=after(1200), server=portal)
    while rollups.sum_up():
        pass
    device_runs.close_overdue(at=after(1200))


@pytest.mark.parametrize("clock", ["ntp", "none", "1970", "+3h"])
def test_the_button_gives_two_minutes_of_water(zone, clock):
    press(zone, clock=clock)

    run = DeviceRun.objects.get()
    assert (run.output.code, run.source, run.is_end_told) == ("valve-1", "button", True)
    # Without a sane clock a word is dated by its arrival: here with the world's next step.
    assert run.seconds == pytest.approx(120, abs=1 if clock == "ntp" else 6)
    # Readings of 1970 are set aside, and then time and flow are all there is.
    assert (run.litres, run.is_measured) == (pytest.approx(12, abs=1), clock != "1970")
    assert WaterUse.objects.get(zone=zone).litres == run.litres


@pytest.mark.parametrize("clock", ["ntp", "none", "1970"])
def test_doubled_and_swapped_words_make_one_run(zone, clock):
    press(zone, clock=clock, weather=SWAPPED)

    run = DeviceRun.objects.get()
    # Without a clock a word is as old as its way was long.
    assert run.seconds == pytest.approx(120, abs=1 if clock == "ntp" else 21)
    assert run.litres == pytest.approx(run.seconds / 10, abs=2)


def test_without_a_meter_it_is_reckoned(zone):
    def hide_the_meter(_world, _portal):
        Channel.objects.filter(quantity="flow").update(is_active=False)

    press(zone, then=hide_the_meter)

    run = DeviceRun.objects.get()
    assert (run.litres, run.is_measured) == (pytest.approx(12, abs=0.1), False)


def test_a_power_cut_ends_it(zone):
    def cut_the_power(world, portal):
        world.run(until=after(PRESSED + 30), server=portal)
        world.reboot("n7f3a")

    press(zone, then=cut_the_power)

    run = DeviceRun.objects.get()
    assert run.seconds == pytest.approx(30, abs=1)
    assert not run.is_end_told


def test_what_ended_while_the_link_was_down_is_no_longer_than_it_said(zone):
    def cut_the_link(world, portal):
        world.run(until=after(PRESSED + 30), server=portal)
        world.disconnect("n7f3a", portal)
        world.run(until=after(PRESSED + 400), server=portal)
        world.connect("n7f3a")

    press(zone, then=cut_the_link)

    run = DeviceRun.objects.get()
    assert run.seconds == pytest.approx(120, abs=1)
    # The readings that waited came afterwards, and count.
    assert (run.litres, run.is_measured) == (pytest.approx(12, abs=1), True)
    assert Zone.objects.get().water_use.get().litres == run.litres
    assert run.began_at == after(PRESSED)
