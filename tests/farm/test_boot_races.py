"""What two bridges hear of one boot at the same moment is all written down (PostgreSQL)."""

import pytest
from django.db import transaction

from farm.frames import Birth, Frame
from farm.models import Alarm, BootSequence
from farm.services import ingest, nodes
from farm.services.ingest import ArrivedFrame
from tests.farm.controllers import after
from tests.farm.factories import NOON, make_channel
from tests.waiting import PATIENCE, somebody_waits_for_us, wait_until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgres]


@pytest.fixture
def node():
    return make_channel(code="air").node


def store(node, number):
    """Store a frame of boot 17, told by its number as the second after noon."""
    at = after(number)
    frame = Frame(17, number, round(at.timestamp() * 1000), values={"air": 25.5})
    return ingest.store_frames(arrived=[ArrivedFrame(node.pk, frame, at)], at=at)


def be_born(node, boot, *, at=NOON, **fields):
    return nodes.record_birth(node=node, birth=Birth(boot=boot, **fields), at=at)


@pytest.fixture
def after_ours(beside):
    """Let another bridge begin before our transaction ends; it must wait for us."""

    def run(ours, others):
        with transaction.atomic():
            ours()
            other = beside(others)
            wait_until(somebody_waits_for_us)
        return other.result(PATIENCE)

    return run


def counted():
    return list(BootSequence.objects.order_by("boot").values_list("boot", "counted_from", "ranges"))


@pytest.mark.parametrize(
    ("known", "ranges"), [([0], [[0, 2]]), ([], [[1, 2]])], ids=["a known boot", "a new boot"]
)
def test_frames_of_one_boot_at_two_bridges_are_all_remembered(node, after_ours, known, ranges):
    for number in known:
        store(node, number)

    after_ours(lambda: store(node, 1), lambda: store(node, 2))

    assert counted() == [(17, None, ranges)]


def test_a_birth_is_not_forgotten_by_the_frames_of_its_boot(node, after_ours):
    store(node, 2)

    after_ours(lambda: be_born(node, 17, seq=1), lambda: store(node, 3))

    assert counted() == [(17, 1, [[2, 3]])]


def test_frames_are_not_forgotten_by_the_birth_of_their_boot(node, after_ours):
    store(node, 2)

    after_ours(lambda: store(node, 3), lambda: be_born(node, 17, seq=1))

    assert counted() == [(17, 1, [[2, 3]])]


def test_the_same_birth_at_two_bridges_is_one_reboot(node, after_ours):
    after_ours(lambda: be_born(node, 18, at=after(1)), lambda: be_born(node, 18, at=after(2)))

    node.refresh_from_db()
    assert (node.boot, node.born_at, node.heard_at) == (18, after(1), after(2))


def test_a_birth_of_before_that_comes_beside_the_newer_one_is_a_ghost(node, after_ours):
    long_ago = round(after(-100).timestamp() * 1000)

    after_ours(
        lambda: be_born(node, 19, at=after(2)),
        lambda: be_born(node, 18, at=after(3), t_ms=long_ago),
    )

    node.refresh_from_db()
    assert (node.boot, node.born_at) == (19, after(2))


def test_the_same_going_away_at_two_bridges_is_told_once(node, after_ours):
    after_ours(
        lambda: nodes.record_status(node=node, is_online=False, at=after(1)),
        lambda: nodes.record_status(node=node, is_online=False, at=after(2)),
    )

    node.refresh_from_db()
    assert (node.is_online, node.status_at) == (False, after(1))
    assert Alarm.objects.get().times == 1
