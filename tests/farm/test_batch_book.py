"""Batches and their book: what is written once, refused in words, or struck out."""

import uuid
from datetime import UTC, date, datetime

import pytest

from farm.errors import BatchEntryRefusedError
from farm.models import Batch, CostEntry, Harvest, LabourEntry
from farm.services import batches
from tests.farm.factories import make_batch, make_greenhouse, make_profile, make_user, make_zone

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 11, 22, 5, 0, tzinfo=UTC)
TODAY = date(2026, 11, 22)


def sow(**changes) -> Batch:
    fields = {
        "key": uuid.uuid4(),
        "area_m2": 12.5,
        "sown_date": date(2026, 11, 20),
        "at": NOON,
    }
    if "zone" not in changes:
        changes["zone"] = make_zone(greenhouse=make_greenhouse(code="nm1"), area_m2=20)
    if "profile" not in changes:
        changes["profile"] = make_profile()
    return batches.sow_batch(**fields | changes)


def pick(batch, **changes) -> Harvest:
    fields = {"key": uuid.uuid4(), "day": TODAY, "kg": 8.5, "by": None, "at": NOON}
    return batches.record_harvest(batch=batch, **fields | changes)


def spend(batch, **changes) -> CostEntry:
    fields = {
        "key": uuid.uuid4(), "day": TODAY, "kind": "seed", "vnd": 120_000, "by": None, "at": NOON,
    }  # fmt: skip
    return batches.record_cost(batch=batch, **fields | changes)


def work(batch, **changes) -> LabourEntry:
    fields = {
        "key": uuid.uuid4(), "day": TODAY, "task": "care", "hours": 3.0, "by": None, "at": NOON,
    }  # fmt: skip
    return batches.record_labour(batch=batch, **fields | changes)


def test_a_batch_is_named_by_its_house_and_day_and_the_next_one_gets_a_number():
    first = sow()

    second = sow(zone=first.zone)

    assert first.code == "NM1-261120"
    assert second.code == "NM1-261120-2"
    assert first.status == Batch.Status.GROWING
    assert first.token != second.token


def test_sowing_sent_twice_is_one_batch():
    key, zone, profile = uuid.uuid4(), make_zone(area_m2=20), make_profile()

    first = sow(key=key, zone=zone, profile=profile)
    again = sow(key=key, zone=zone, profile=profile)

    assert again == first
    assert Batch.objects.count() == 1
    assert first.token == key.hex


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"area_m2": 20.5}, "area_m2"),
        ({"area_m2": 0.0}, "area_m2"),
        ({"area_m2": float("nan")}, "area_m2"),
        ({"sown_date": date(2026, 11, 23)}, "sown_date"),
        ({"sown_date": date(2025, 1, 1)}, "sown_date"),
    ],
)
def test_a_sowing_that_cannot_be_is_refused(changes, field):
    with pytest.raises(BatchEntryRefusedError) as refusal:
        sow(**changes)

    assert refusal.value.facts["field"] == field
    assert not Batch.objects.exists()


def test_the_first_harvest_moves_the_batch_on():
    batch = make_batch()

    entry = pick(batch, grade="2", vnd=170_000, note="chợ Dầu", by=(by := make_user()))

    batch.refresh_from_db()
    assert batch.status == Batch.Status.HARVESTING
    assert (entry.kg, entry.grade, entry.vnd, entry.note) == (8.5, "2", 170_000, "chợ Dầu")
    assert (entry.by, entry.written_at, entry.struck_at) == (by, NOON, None)


@pytest.mark.parametrize(
    ("record", "model"), [(pick, Harvest), (spend, CostEntry), (work, LabourEntry)]
)
def test_an_entry_sent_twice_is_one(record, model):
    batch, key = make_batch(), uuid.uuid4()

    first = record(batch, key=key)
    again = record(batch, key=key)

    assert again.pk == first.pk == key
    assert model.objects.count() == 1


def test_another_entry_under_the_same_id_is_refused():
    batch, key = make_batch(), uuid.uuid4()
    pick(batch, key=key)

    with pytest.raises(BatchEntryRefusedError, match=r"other figures|số khác"):
        pick(batch, key=key, kg=9.0)

    assert Harvest.objects.get().kg == 8.5


@pytest.mark.parametrize(
    ("record", "changes", "field"),
    [
        (pick, {"day": date(2026, 11, 23)}, "day"),
        (pick, {"day": date(2026, 10, 31)}, "day"),
        (pick, {"kg": 0.0}, "kg"),
        (pick, {"kg": -2.0}, "kg"),
        (pick, {"kg": float("inf")}, "kg"),
        (pick, {"kg": float("nan")}, "kg"),
        (pick, {"kg": 500.1}, "kg"),
        (pick, {"grade": "9"}, "grade"),
        (pick, {"vnd": -1}, "vnd"),
        (pick, {"grade": "x", "vnd": 1000}, "vnd"),
        (pick, {"vnd": 17_000_001}, "vnd"),
        (spend, {"vnd": 0}, "vnd"),
        (spend, {"vnd": -5}, "vnd"),
        (spend, {"vnd": 1_000_000_001}, "vnd"),
        (spend, {"kind": "party"}, "kind"),
        (spend, {"kind": "protection", "note": " ", "waiting_days": 3}, "note"),
        (spend, {"kind": "protection", "note": "Neem"}, "waiting_days"),
        (spend, {"kind": "protection", "note": "Neem", "waiting_days": 366}, "waiting_days"),
        (spend, {"day": date(2026, 10, 31)}, "day"),
        (work, {"hours": 0.0}, "hours"),
        (work, {"hours": 0.5 / 60}, "hours"),
        (work, {"hours": 200.5}, "hours"),
        (work, {"task": "sleep"}, "task"),
        (work, {"day": date(2026, 11, 23)}, "day"),
    ],
)
def test_an_entry_that_cannot_be_is_refused_with_its_field(record, changes, field):
    batch = make_batch()

    with pytest.raises(BatchEntryRefusedError) as refusal:
        record(batch, **changes)

    assert refusal.value.facts["field"] == field
    assert not [*batch.harvests.all(), *batch.costs.all(), *batch.labour.all()]


def test_the_day_is_the_communes_own():
    batch = make_batch()
    just_after_midnight = datetime(2026, 11, 22, 17, 30, tzinfo=UTC)  # 0:30 on the 23rd

    entry = pick(batch, day=date(2026, 11, 23), at=just_after_midnight)

    assert entry.day == date(2026, 11, 23)


def test_a_mistake_is_struck_out_and_stays_readable():
    batch = make_batch()
    entry = pick(batch)

    batches.strike_out(batch=batch, kind="harvest", key=entry.pk, at=NOON)

    entry.refresh_from_db()
    batch.refresh_from_db()
    assert entry.struck_at == NOON
    assert batch.status == Batch.Status.GROWING


def test_striking_out_twice_keeps_the_first_moment():
    batch = make_batch()
    entry = spend(batch)
    batches.strike_out(batch=batch, kind="cost", key=entry.pk, at=NOON)

    batches.strike_out(batch=batch, kind="cost", key=entry.pk, at=NOON.replace(hour=9))

    entry.refresh_from_db()
    assert entry.struck_at == NOON


def test_planting_out_can_be_corrected_until_the_end():
    batch = make_batch()

    batches.plant_out(batch=batch, day=date(2026, 11, 12), at=NOON, plants=240)
    planted = batches.plant_out(batch=batch, day=date(2026, 11, 13), at=NOON)

    assert (planted.transplanted_date, planted.plants) == (date(2026, 11, 13), 240)
    with pytest.raises(BatchEntryRefusedError):
        batches.plant_out(batch=batch, day=date(2026, 10, 30), at=NOON)


def test_a_batch_ends_once_and_takes_no_later_entries():
    batch = make_batch()
    pick(batch, day=date(2026, 11, 18))

    ended = batches.end_batch(batch=batch, day=date(2026, 11, 20), is_lost=False, at=NOON)
    batches.end_batch(batch=batch, day=date(2026, 11, 20), is_lost=False, at=NOON)

    assert (ended.status, ended.ended_date) == (Batch.Status.ENDED, date(2026, 11, 20))
    with pytest.raises(BatchEntryRefusedError):
        batches.end_batch(batch=batch, day=date(2026, 11, 21), is_lost=False, at=NOON)
    with pytest.raises(BatchEntryRefusedError):
        work(batch, day=date(2026, 11, 21))
    assert work(batch, day=date(2026, 11, 20)).hours == 3.0


def test_a_batch_does_not_end_before_what_its_book_says():
    batch = make_batch()
    pick(batch, day=date(2026, 11, 18))

    with pytest.raises(BatchEntryRefusedError) as refusal:
        batches.end_batch(batch=batch, day=date(2026, 11, 17), is_lost=False, at=NOON)

    assert refusal.value.facts["field"] == "day"
    assert Batch.objects.get().ended_date is None


def test_an_end_that_was_a_mistake_is_taken_back():
    batch = make_batch()
    pick(batch, day=date(2026, 11, 18))
    batches.end_batch(batch=batch, day=TODAY, is_lost=True, at=NOON)

    opened = batches.reopen_batch(batch=batch)

    assert (opened.status, opened.ended_date) == (Batch.Status.HARVESTING, None)


def test_the_stage_follows_from_the_days_since_sowing():
    batch = make_batch()  # two stages of ten days from 1 November

    names = [
        stage.name if (stage := batches.stage_on(batch, day)) else None
        for day in (date(2026, 10, 31), date(2026, 11, 10), date(2026, 11, 11), date(2026, 12, 24))
    ]

    assert names == [None, "Ươm", "Lớn", "Lớn"]


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_the_same_harvest_from_two_phones_at_once_is_one(together):
    batch, key = make_batch(), uuid.uuid4()

    together(lambda: pick(batch, key=key))

    assert Harvest.objects.count() == 1
