"""What a dose must wait for: water that surely moves, what was given before, and its mixing."""

import pytest

from farm.errors import SafetyError
from farm.models import Command, Output
from farm.safety import Interlock
from farm.services import commands, safety_facts
from tests.farm.controllers import PERSON, SCHEDULE, ack, after, dose, make_house, send, status
from tests.farm.factories import NOON, make_output, make_user, make_zone

MIXED_AFTER = 2400  # seconds: 400 litres, moved twice by 20 litres a minute
pytestmark = pytest.mark.django_db


@pytest.fixture
def house():
    return make_house()


def answer(doser, ml=6.0, *, at, source=PERSON):
    """Ask for a dose; tell the new command's status, or what refused it and left no command."""
    before = Command.objects.count()
    try:
        return dose(doser, ml, at=at, source=source).status
    except SafetyError as refusal:
        assert Command.objects.count() == before
        return refusal.facts["interlock"]


def circulate(house, *, at):
    """Let the pump say again that it runs."""
    Output.objects.filter(pk=house.pump.pk).update(state_heard_at=at)


def given(doser, ml, *, begin, started, ended):
    """Give a dose that the controller began and ended at these seconds after noon."""
    command = dose(doser, ml, at=after(begin))
    send(after(begin))
    ack(command, "accepted", at=after(begin))
    ack(command, "started", at=after(started))
    return ack(command, "done", at=after(ended), ran_s=ended - started)


def other_doser(house, **changes):
    fields = {"code": "dose-b", "kind": "doser", "max_seconds": 20, "ml_per_second": 1.2}
    place = {"node": house.node, "zone": house.zone}
    return make_output(**place | fields | {"dose_kind": "b"} | changes)


@pytest.mark.parametrize(("seconds", "expected"), [(130, "queued"), (131, "no_circulation")])
def test_a_pump_that_said_on_counts_for_two_missed_words_and_no_longer(house, seconds, expected):
    assert answer(house.doser, at=after(seconds)) == expected


def test_a_pump_whose_state_was_never_heard_moves_no_water(house):
    circulate(house, at=None)

    assert answer(house.doser, at=NOON) == "no_circulation"


@pytest.mark.parametrize(("ml", "expected"), [(26.0, "queued"), (26.1, "daily_dose_cap")])
def test_a_dose_of_which_nobody_knows_the_end_counts_in_full(house, ml, expected):
    Output.objects.filter(pk=house.doser.pk).update(max_seconds=60)
    lost = dose(house.doser, 24.0)
    send()
    commands.advance(at=after(15))
    commands.settle_unknown(command=lost, at=after(60), by=make_user())
    circulate(house, at=after(5000))

    assert status(lost) == "unknown"
    assert answer(house.doser, ml, at=after(5000)) == expected  # of 50 ml


@pytest.mark.parametrize("seconds", [0, MIXED_AFTER - 1])
def test_a_dose_of_another_doser_of_the_zone_must_be_mixed_first(house, seconds):
    given(house.doser, 6.0, begin=0, started=5, ended=10)
    circulate(house, at=after(10 + seconds))

    asked = answer(other_doser(house), at=after(10 + seconds), source=SCHEDULE)

    assert asked == "mixing_wait"


def test_another_doser_may_follow_when_the_first_dose_is_mixed(house):
    given(house.doser, 6.0, begin=0, started=5, ended=10)
    circulate(house, at=after(10 + MIXED_AFTER))

    asked = answer(other_doser(house), at=after(10 + MIXED_AFTER), source=SCHEDULE)

    assert asked == "queued"


def test_a_dose_into_another_zones_water_holds_nobody(house):
    other_zone = make_zone(greenhouse=house.greenhouse)
    given(other_doser(house, zone=other_zone), 6.0, begin=0, started=5, ended=10)

    assert answer(house.doser, at=after(10), source=SCHEDULE) == "queued"


@pytest.mark.parametrize(
    ("seconds", "expected"), [(MIXED_AFTER - 1, "mixing_wait"), (MIXED_AFTER, "queued")]
)
def test_the_wait_for_mixing_begins_when_the_dose_has_ended(house, seconds, expected):
    given(house.doser, 24.0, begin=0, started=5, ended=25)
    circulate(house, at=after(25 + seconds))

    assert answer(house.doser, at=after(25 + seconds), source=SCHEDULE) == expected


def test_a_dose_that_still_runs_holds_another_doser(house):
    first = dose(house.doser, 6.0)
    send()
    ack(first, "accepted")
    ack(first, "started", at=after(5))
    circulate(house, at=after(5 + MIXED_AFTER))

    asked = answer(other_doser(house), at=after(5 + MIXED_AFTER), source=SCHEDULE)

    assert asked == "mixing_wait"


@pytest.mark.parametrize(
    ("seconds", "expected"), [(MIXED_AFTER - 1, "mixing_wait"), (MIXED_AFTER, "queued")]
)
def test_a_dose_of_which_nobody_knows_the_end_is_thought_to_have_gone_on(house, seconds, expected):
    lost = dose(house.doser, 24.0)  # 20 seconds
    send()
    ack(lost, "accepted")
    ack(lost, "started", at=after(5))
    commands.advance(at=after(60))
    assert status(lost) == "unknown"
    circulate(house, at=after(25 + seconds))

    asked = answer(other_doser(house), at=after(25 + seconds), source=SCHEDULE)

    assert asked == expected


def test_dosers_of_the_whole_house_share_its_water(house):
    Output.objects.filter(pk=house.doser.pk).update(zone=None)
    given(house.doser, 6.0, begin=0, started=5, ended=10)
    Output.objects.filter(kind="pump").update(zone=None)
    circulate(house, at=after(60))

    found = safety_facts.find(
        output=other_doser(house, zone=None), source=PERSON, at=after(60), seconds=5, ml=1.0
    )

    assert Interlock.MIXING_WAIT in {one.interlock for one in found}


def test_of_several_doses_the_last_to_end_is_waited_for(house):
    given(house.doser, 6.0, begin=0, started=5, ended=10)
    given(other_doser(house), 6.0, begin=60, started=65, ended=70)
    circulate(house, at=after(10 + MIXED_AFTER))

    asked = answer(house.doser, at=after(10 + MIXED_AFTER), source=SCHEDULE)

    assert asked == "mixing_wait"
