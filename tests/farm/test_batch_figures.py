"""What a batch came to, and whether that is better than before and than in soil."""

from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import translation

from farm import batch_words
from farm.batch_figures import Measure, Verdict
from farm.models import Batch, CostEntry, Harvest, LabourEntry, WaterUse
from farm.selectors import batches as selectors
from tests.farm.factories import make_batch, make_profile, make_zone

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 11, 22, 5, 0, tzinfo=UTC)
TODAY = date(2026, 11, 22)


def put(model, batch, **fields):
    said = {"id": uuid4(), "day": date(2026, 11, 20), "written_at": NOON}
    return model.objects.create(batch=batch, **said | fields)


def figures(batch):
    return selectors.figures_of([batch], on=TODAY)[batch.pk]


def finished(profile, *, sown, kg, days=30, grade="1", **changes) -> Batch:
    """A batch of ten square metres that ended on its one day of harvest."""
    ended = sown + timedelta(days=days)
    batch = make_batch(
        profile=profile, sown_date=sown, ended_date=ended, status=Batch.Status.ENDED, **changes
    )
    put(Harvest, batch, kg=kg, day=ended, grade=grade)
    return batch


def page_of(batch):
    return selectors.batch_page(selectors.batches().get(pk=batch.pk), on=TODAY)


def compared(batch, measure):
    return next(row for row in page_of(batch).comparisons if row.measure == measure)


def test_every_figure_of_a_batch_is_exact():
    batch = make_batch(ended_date=date(2026, 11, 21), status=Batch.Status.ENDED)
    put(Harvest, batch, kg=20.0, grade="1", vnd=500_000, day=date(2026, 11, 19))
    put(Harvest, batch, kg=5.0, grade="2", vnd=0)
    put(Harvest, batch, kg=2.5, grade="x")
    put(Harvest, batch, kg=99.0, grade="1", struck_at=NOON)
    put(CostEntry, batch, kind="seed", vnd=150_000)
    put(CostEntry, batch, kind="fertiliser", vnd=100_000)
    put(CostEntry, batch, kind="other", vnd=999_000, struck_at=NOON)
    put(LabourEntry, batch, task="care", hours=4.0)
    put(LabourEntry, batch, task="harvest", hours=1.5)
    for day, litres in ((1, 100.0), (21, 150.0), (22, 1000.0)):
        WaterUse.objects.create(
            zone=batch.zone, day=date(2026, 11, day), litres=litres, is_measured=True
        )

    came_to = figures(batch)

    assert came_to.kg == 25.0
    assert came_to.waste_kg == 2.5
    assert came_to.kg_per_m2 == 2.5
    assert came_to.litres == 250.0
    assert came_to.litres_per_kg == 10.0
    assert came_to.is_water_measured
    assert came_to.cost_vnd == 250_000
    assert came_to.cost_vnd_per_kg == 10_000
    assert came_to.revenue_vnd == 500_000
    assert came_to.revenue_vnd_per_kg == 25_000  # of the 20 kg that were sold
    assert came_to.left_vnd == 250_000
    assert (came_to.hours, came_to.hours_per_m2) == (5.5, 0.55)
    assert (came_to.days_to_first_harvest, came_to.days_to_end) == (18, 20)


def test_what_nobody_noted_is_no_figure_and_never_zero():
    came_to = figures(make_batch())

    assert (
        came_to.kg, came_to.kg_per_m2, came_to.litres, came_to.litres_per_kg, came_to.cost_vnd,
        came_to.cost_vnd_per_kg, came_to.revenue_vnd, came_to.left_vnd, came_to.hours,
        came_to.days_to_first_harvest, came_to.days_to_end,
    ) == (None,) * 11  # fmt: skip


def test_a_lost_batch_yielded_nothing_and_says_so():
    lost = make_batch(ended_date=TODAY, status=Batch.Status.LOST)

    assert (figures(lost).kg, figures(lost).kg_per_m2) == (0.0, 0.0)
    assert figures(lost).litres_per_kg is None


def test_waste_alone_is_a_yield_of_nothing():
    batch = make_batch()
    put(Harvest, batch, kg=3.0, grade="x")

    assert (figures(batch).kg, figures(batch).waste_kg) == (0.0, 3.0)
    assert figures(batch).days_to_first_harvest is None


def test_water_of_a_zone_is_shared_by_area_and_counted_from_planting_out():
    zone = make_zone(area_m2=40)
    batch = make_batch(zone=zone, transplanted_date=date(2026, 11, 10))
    make_batch(zone=zone, area_m2=30.0, sown_date=date(2026, 11, 15))
    for day, is_measured in ((5, True), (12, True), (16, False)):
        WaterUse.objects.create(
            zone=zone, day=date(2026, 11, day), litres=80.0, is_measured=is_measured
        )

    came_to = figures(batch)

    assert came_to.litres == 80.0 + 80.0 * 10 / 40
    assert came_to.is_water_shared
    assert not came_to.is_water_measured
    with translation.override("en"):
        assert batch_words.water_note(came_to) == (
            "100 litres in all, reckoned from running times, not measured, "
            "shared by area with another batch of the zone"
        )


def test_a_batch_is_held_against_the_median_of_earlier_ones_and_soil():
    profile = make_profile(soil_kg_per_m2=2.0, soil_days=40, soil_source="test")
    for number, kg in enumerate((10.0, 20.0, 60.0)):
        finished(profile, sown=date(2026, 3 + number, 1), kg=kg, days=32)
    own = finished(profile, sown=date(2026, 9, 1), kg=25.0)
    finished(profile, sown=date(2026, 10, 1), kg=500.0)  # later: no comparison
    finished(make_profile(), sown=date(2026, 2, 1), kg=500.0)  # another crop

    harvest = compared(own, Measure.YIELD)
    growth = compared(own, Measure.FIRST_HARVEST)

    assert (harvest.own, harvest.earlier_count) == (2.5, 3)
    assert harvest.earlier == (2.0, Verdict.BETTER, 25.0)
    assert harvest.soil == (2.0, Verdict.BETTER, 25.0)
    assert growth.earlier == (32, Verdict.BETTER, -6.25)
    assert growth.soil == (40, Verdict.BETTER, -25.0)


def test_a_worse_batch_is_said_to_be_worse():
    profile = make_profile(soil_kg_per_m2=4.0, soil_days=29, soil_source="test")
    own = finished(profile, sown=date(2026, 9, 1), kg=25.0)

    with translation.override("en"):
        answers = {
            row.question: (row.answer, row.answer_verdict)
            for row in batch_words.rows_of(page_of(own).comparisons)
        }

    assert answers == {
        "Better yield?": ("No: 38% less than in soil (4.00 kg/m²).", "worse"),
        "Shorter growth?": ("No: 3% longer than in soil (29 days).", "worse"),
        "Less labour?": ("Nobody can say yet: no hours are noted.", "unknown"),
        "Less water?": (
            "Nobody can say yet: there is no figure of the water, or no harvest.",
            "unknown",
        ),
    }


def said_of(batch, measure):
    with translation.override("en"):
        return batch_words.rows_of([compared(batch, measure)])[0]


def test_figures_that_read_the_same_are_called_the_same():
    profile = make_profile(soil_hours_per_m2=0.1, soil_source="test")
    own = finished(profile, sown=date(2026, 9, 1), kg=20.0)
    put(LabourEntry, own, task="care", hours=1.04)

    row = said_of(own, Measure.LABOUR)

    assert (row.own, row.soil.value) == ("0.10 hours/m²", "0.10 hours/m²")
    assert row.answer == "Neither way: about the same as in soil (0.10 hours/m²)."


@pytest.mark.parametrize(
    ("kg", "answer"),
    [
        (20.0, "Yes: more than earlier batches grown in the same way."),
        (0.0, "Neither way: about the same as earlier batches grown in the same way."),
    ],
)
def test_a_median_of_nothing_is_something_to_compare_with(kg, answer):
    profile = make_profile()
    finished(profile, sown=date(2026, 3, 1), kg=9.0, grade="x")
    own = finished(profile, sown=date(2026, 9, 1), kg=kg or 9.0, grade="1" if kg else "x")

    row = said_of(own, Measure.YIELD)

    assert (row.earlier.value, row.answer) == ("0.00 kg/m²", answer)


def test_a_batch_that_gave_only_waste_lacks_a_harvest_for_sale():
    own = finished(make_profile(), sown=date(2026, 9, 1), kg=9.0, grade="x")
    put(LabourEntry, own, task="care", hours=1.0)

    for measure in (Measure.LABOUR, Measure.FIRST_HARVEST):
        answer = said_of(own, measure).answer
        assert answer == "Nobody can say yet: no harvest for sale is noted."


def test_soil_batches_that_were_sown_later_are_no_comparison():
    profile = make_profile()
    finished(profile, sown=date(2026, 3, 1), kg=10.0, method=Batch.Method.SOIL)
    own = finished(profile, sown=date(2026, 9, 1), kg=20.0)
    finished(profile, sown=date(2026, 10, 1), kg=500.0, method=Batch.Method.SOIL)

    assert compared(own, Measure.YIELD).soil == (1.0, Verdict.BETTER, 100.0)


def test_a_batch_that_still_grows_gets_no_verdict_but_for_its_first_harvest():
    profile = make_profile(soil_kg_per_m2=2.0, soil_days=40, soil_source="test")
    batch = make_batch(profile=profile)
    put(Harvest, batch, kg=80.0, day=date(2026, 11, 21))

    harvest, growth = compared(batch, Measure.YIELD), compared(batch, Measure.FIRST_HARVEST)

    assert (harvest.own, harvest.is_settled, harvest.soil) == (
        8.0, False, (2.0, Verdict.UNKNOWN, None),
    )  # fmt: skip
    assert growth.soil == (40, Verdict.BETTER, -50.0)


def test_without_soil_figures_earlier_batches_answer():
    profile = make_profile()
    finished(profile, sown=date(2026, 3, 1), kg=20.0)
    own = finished(profile, sown=date(2026, 9, 1), kg=20.2)

    with translation.override("en"):
        row = batch_words.rows_of(page_of(own).comparisons)[0]

    assert (row.earlier.value, row.earlier_batches) == ("2.00 kg/m²", "of 1 batch")
    assert row.soil.value == "no figure yet"
    assert row.answer == "Neither way: about the same as earlier batches grown in the same way."


def test_labour_of_a_batch_that_gave_nothing_is_no_saving():
    profile = make_profile(soil_hours_per_m2=0.9, soil_source="test")
    before = finished(profile, sown=date(2026, 3, 1), kg=20.0)
    put(LabourEntry, before, task="care", hours=4.0)
    own = make_batch(
        profile=profile, sown_date=date(2026, 9, 1), ended_date=date(2026, 10, 1),
        status=Batch.Status.ENDED,
    )  # fmt: skip
    put(LabourEntry, own, task="care", hours=2.5)

    labour = compared(own, Measure.LABOUR)

    assert (labour.own, labour.earlier, labour.soil) == (
        0.25, (0.4, Verdict.UNKNOWN, None), (0.9, Verdict.UNKNOWN, None),
    )  # fmt: skip
    with translation.override("en"):
        row = batch_words.rows_of([labour])[0]
    assert (row.own, row.answer) == (
        "0.25 hours/m²", "Nobody can say yet: no harvest for sale is noted.",
    )  # fmt: skip


def test_labour_of_a_lost_batch_is_nothing_to_compare_with():
    profile = make_profile()
    lost = make_batch(
        profile=profile, sown_date=date(2026, 3, 1), ended_date=date(2026, 3, 9),
        status=Batch.Status.LOST,
    )  # fmt: skip
    put(LabourEntry, lost, task="care", hours=9.0)
    own = finished(profile, sown=date(2026, 9, 1), kg=20.0)
    put(LabourEntry, own, task="care", hours=4.0)

    assert compared(own, Measure.LABOUR).earlier == (None, Verdict.UNKNOWN, None)


def test_only_batches_grown_in_the_same_way_are_earlier_ones():
    profile = make_profile()
    finished(profile, sown=date(2026, 3, 1), kg=20.0, method=Batch.Method.SOIL)
    finished(profile, sown=date(2026, 4, 1), kg=40.0, method=Batch.Method.SUBSTRATE)
    own = finished(profile, sown=date(2026, 9, 1), kg=50.0, method=Batch.Method.SUBSTRATE)

    harvest = compared(own, Measure.YIELD)

    assert (harvest.earlier, harvest.earlier_count) == ((4.0, Verdict.BETTER, 25.0), 1)


def test_our_own_soil_batches_stand_for_soil_where_the_profile_has_no_figure():
    profile = make_profile(soil_days=40, soil_source="test")
    for number, kg in enumerate((15.0, 25.0)):
        finished(profile, sown=date(2026, 3 + number, 1), kg=kg, method=Batch.Method.SOIL)
    own = finished(profile, sown=date(2026, 9, 1), kg=25.0)

    harvest = compared(own, Measure.YIELD)
    growth = compared(own, Measure.FIRST_HARVEST)

    assert (harvest.soil, harvest.soil_count) == ((2.0, Verdict.BETTER, 25.0), 2)
    assert (growth.soil, growth.soil_count) == ((40, Verdict.BETTER, -25.0), 0)
    with translation.override("en"):
        row = batch_words.rows_of([harvest])[0]
    assert (row.soil.value, row.soil_batches) == ("2.00 kg/m²", "of 2 batches")
    assert row.answer == "Yes: 25% more than in soil (2.00 kg/m²)."


def test_a_batch_in_soil_is_held_against_earlier_ones_in_soil_alone():
    profile = make_profile(soil_kg_per_m2=4.0, soil_source="test")
    finished(profile, sown=date(2026, 2, 1), kg=90.0)
    finished(profile, sown=date(2026, 3, 1), kg=20.0, method=Batch.Method.SOIL)
    own = finished(profile, sown=date(2026, 9, 1), kg=25.0, method=Batch.Method.SOIL)

    harvest = compared(own, Measure.YIELD)

    assert harvest.earlier == (2.0, Verdict.BETTER, 25.0)
    assert harvest.soil == (None, Verdict.UNKNOWN, None)


def test_lost_batches_count_among_the_earlier_ones():
    profile = make_profile()
    finished(profile, sown=date(2026, 3, 1), kg=20.0)
    make_batch(
        profile=profile, sown_date=date(2026, 4, 1), ended_date=date(2026, 4, 20),
        status=Batch.Status.LOST,
    )  # fmt: skip
    own = finished(profile, sown=date(2026, 9, 1), kg=20.0)

    assert compared(own, Measure.YIELD).earlier == (1.0, Verdict.BETTER, 100.0)


def test_figures_of_ten_batches_ask_as_often_as_of_two():
    profile = make_profile()
    made = [finished(profile, sown=date(2026, month, 1), kg=9.0) for month in range(1, 11)]

    counts = []
    for some in (made[:2], made):
        with CaptureQueriesContext(
            connection,
        ) as asked:
            selectors.figures_of(some, on=TODAY)
        counts.append(len(asked))

    assert counts == [5, 5]


@pytest.mark.parametrize(
    ("litres", "said"),
    [(9.94, "9.9 L/kg"), (9.97, "10 L/kg"), (11.2, "11 L/kg"), (1278, "1,278 L/kg")],
)
def test_water_is_said_alike_on_both_sides_of_ten(litres, said):
    with translation.override("en"):
        assert batch_words.water_words(litres) == said


@pytest.mark.parametrize(
    ("crop", "variety", "title"),
    [
        ("Dưa lưới", "Dưa lưới Taki", "Dưa lưới Taki"),
        ("Dưa lưới", "dưa lưới taki", "Dưa lưới taki"),
        ("Dưa lưới", "Dưa lưới", "Dưa lưới"),
        ("Dưa", "Dưaleo", "Dưa Dưaleo"),
        ("Rau ăn lá", "Cải ngọt", "Rau ăn lá Cải ngọt"),
        ("Xà lách", "", "Xà lách"),
    ],
)
def test_a_variety_that_begins_with_its_crop_is_not_said_twice(crop, variety, title):
    batch = make_batch(profile=make_profile(name=crop), variety=variety)

    assert batch_words.title_of(batch) == title
