"""Batches on a phone: who may open them, what they say, and that nothing typed is lost."""

import re
import uuid
from datetime import UTC, date, datetime, timedelta

import pytest
from django.contrib.auth.models import Group
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.roles import Role
from farm.models import AlarmLimit, Batch, Channel, CostEntry, Harvest, LabourEntry
from tests.accounts.factories import make_person
from tests.farm.factories import (
    make_batch,
    make_channel,
    make_node,
    make_profile,
    make_zone,
    measure,
)

pytestmark = pytest.mark.django_db

SEEN_AT = datetime(2026, 11, 20, 3, 0, tzinfo=UTC)
ENGLISH = {"django_language": "en"}


@pytest.fixture
def member(client):
    """A member of the cooperative who has signed in and reads English, as the code does."""
    person = make_person(phone="+84912000111", full_name="Trần Văn Nhân")
    person.groups.add(Group.objects.get(name=Role.COOPERATIVE_MEMBER))
    client.force_login(person)
    client.cookies.load(ENGLISH)
    return person


def days_ago(days: int) -> date:
    return timezone.localdate() - timedelta(days=days)


def batch_of(days: int = 15, **changes) -> Batch:
    return make_batch(sown_date=days_ago(days), **changes)


def page(client, name, *args, status=200) -> str:
    answer = client.get(reverse(name, args=args))
    assert answer.status_code == status
    return re.sub(r"\s+", " ", answer.content.decode())


PAGES = (
    "farm_batches", "farm_batch_new", "farm_batch", "farm_batch_harvest", "farm_batch_cost",
    "farm_batch_labour", "farm_batch_plant_out", "farm_batch_end", "farm_batch_book",
    "farm_batch_report", "farm_batch_labels", "farm_batch_qr_svg", "farm_batch_qr_png",
)  # fmt: skip


@pytest.mark.parametrize("name", PAGES)
def test_a_stranger_is_asked_to_sign_in(client, name):
    batch = batch_of()
    url = reverse(name, args=[] if name in PAGES[:2] else [batch.code])

    answer = client.get(url)

    assert answer.status_code == 302
    assert answer.url.startswith(reverse("account_request_login_code"))


@pytest.mark.parametrize("name", PAGES)
def test_a_resident_is_told_that_the_page_is_not_theirs(client, name):
    client.force_login(make_person())
    batch = batch_of()
    url = reverse(name, args=[] if name in PAGES[:2] else [batch.code])

    assert client.get(url).status_code == 403


@pytest.mark.parametrize(
    "name", ["farm_batch_harvest", "farm_batch_end", "farm_batch_reopen", "farm_batch_follow_stage"]
)
def test_a_resident_changes_nothing(client, name):
    client.force_login(make_person())
    batch = batch_of()

    answer = client.post(reverse(name, args=[batch.code]), {"kg": "1", "day": "2026-11-20"})

    assert answer.status_code == 403
    assert not Harvest.objects.exists()
    assert Batch.objects.get().ended_date is None


@pytest.mark.usefixtures("member")
@pytest.mark.parametrize("name", PAGES)
def test_a_member_opens_every_page(client, name):
    batch = batch_of()
    url = reverse(name, args=[] if name in PAGES[:2] else [batch.code])

    assert client.get(url).status_code == 200


@pytest.mark.usefixtures("member")
def test_the_list_shows_what_grows_and_apart_from_it_what_is_over(client):
    growing = batch_of(variety="Lô lô")
    ended = batch_of(30, ended_date=days_ago(1), status=Batch.Status.ENDED)

    here = page(client, "farm_batches")
    over = client.get(reverse("farm_batches"), {"xem": "da-xong"}).content.decode()

    assert growing.code in here
    assert "Lô lô" in here
    assert "day 15 · Lớn" in here
    assert ended.code not in here
    assert ended.code in over
    assert growing.code not in over


@pytest.mark.usefixtures("member")
def test_a_list_of_ten_asks_as_often_as_one_of_two(client):
    counts = []
    for wanted in (2, 10):
        while Batch.objects.count() < wanted:
            batch_of()
        with CaptureQueriesContext(connection) as asked:
            page(client, "farm_batches")
        counts.append(len(asked))

    assert counts[0] == counts[1]


@pytest.mark.usefixtures("member")
def test_a_batch_is_begun_with_what_was_said(client):
    zone, profile = make_zone(area_m2=20), make_profile()
    key = uuid.uuid4()
    said = {
        "key": str(key), "profile": profile.pk, "zone": zone.pk, "sown_date": str(days_ago(2)),
        "area_m2": "12,5", "plants": "300", "variety": "Lô lô", "method": "substrate", "note": "",
    }  # fmt: skip

    answers = [client.post(reverse("farm_batch_new"), said) for _ in range(2)]

    batch = Batch.objects.get()
    assert [answer.url for answer in answers] == [reverse("farm_batch", args=[batch.code])] * 2
    assert (batch.area_m2, batch.plants, batch.variety) == (12.5, 300, "Lô lô")
    assert (batch.method, batch.token) == ("substrate", key.hex)


def test_a_harvest_is_written_down_once_however_often_it_is_sent(client, member):
    batch = batch_of()
    key = str(uuid.uuid4())
    said = {
        "key": key, "day": str(days_ago(0)), "kg": "12,5", "grade": "1", "vnd": "312.500 ₫",
        "note": "chợ Dầu",
    }  # fmt: skip

    for _ in range(2):
        answer = client.post(reverse("farm_batch_harvest", args=[batch.code]), said, follow=True)

    entry = Harvest.objects.get()
    assert (entry.kg, entry.vnd, entry.note, entry.by) == (12.5, 312_500, "chợ Dầu", member)
    assert entry.pk == uuid.UUID(key)
    assert "Written down: 12.5 kg." in answer.content.decode()


@pytest.mark.usefixtures("member")
def test_what_was_typed_is_kept_when_something_is_wrong(client):
    batch = batch_of()
    tomorrow = str(days_ago(-1))
    said = {"day": tomorrow, "kg": "7,5", "grade": "2", "vnd": "90.000", "note": "mưa"}

    answer = client.post(reverse("farm_batch_harvest", args=[batch.code]), said)

    html = answer.content.decode()
    assert answer.status_code == 422
    assert "This day has not come yet." in html
    for kept in (f'value="{tomorrow}"', 'value="7,5"', 'value="90.000"', 'value="mưa"'):
        assert kept in html
    assert re.search(r'value="2"[^>]*checked', html)
    assert 'href="#id_day"' in html
    assert not Harvest.objects.exists()


@pytest.mark.usefixtures("member")
@pytest.mark.parametrize(
    ("typed", "kg"), [("12,5", 12.5), ("12.5", 12.5), (" 0,5 ", 0.5), ("1.250,5", 1250.5)]
)
def test_weights_are_read_as_people_write_them(client, typed, kg):
    batch = batch_of(area_m2=100.0)
    said = {"day": str(days_ago(0)), "kg": typed, "grade": "1", "vnd": ""}

    client.post(reverse("farm_batch_harvest", args=[batch.code]), said)

    assert Harvest.objects.get().kg == kg


@pytest.mark.usefixtures("member")
@pytest.mark.parametrize("typed", ["1.500", "nặng", "nan", "1e400", "", "-3"])
def test_a_weight_that_cannot_be_read_for_sure_is_asked_for_again(client, typed):
    batch = batch_of()
    said = {"day": str(days_ago(0)), "kg": typed, "grade": "1", "vnd": ""}

    answer = client.post(reverse("farm_batch_harvest", args=[batch.code]), said)

    assert answer.status_code == 422
    assert not Harvest.objects.exists()


@pytest.mark.usefixtures("member")
def test_costs_and_hours_are_written_down(client):
    batch = batch_of()
    day = str(days_ago(1))

    client.post(
        reverse("farm_batch_cost", args=[batch.code]),
        {
            "day": day,
            "kind": "protection",
            "vnd": "250.000",
            "note": "Neem",
            "waiting_days": "7",
        },
    )
    client.post(
        reverse("farm_batch_labour", args=[batch.code]),
        {"day": day, "task": "care", "hours": "4,5", "note": ""},
    )

    cost, labour = CostEntry.objects.get(), LabourEntry.objects.get()
    assert (cost.kind, cost.vnd, cost.note) == ("protection", 250_000, "Neem")
    assert (labour.task, labour.hours, labour.day) == ("care", 4.5, days_ago(1))


@pytest.mark.usefixtures("member")
@pytest.mark.parametrize(
    ("typed", "said"),
    [("2h15", "2 h 15 min"), ("2p", "2 minutes"), ("1h", "1 hour"), ("2,5", "2 h 30 min")],
)
def test_hours_are_shown_as_they_were_typed(client, typed, said):
    batch = batch_of()
    entry = {"day": str(days_ago(1)), "task": "care", "hours": typed, "note": ""}

    done = client.post(reverse("farm_batch_labour", args=[batch.code]), entry, follow=True)

    assert f"Written down: {said}." in done.content.decode()
    assert f'<strong class="money">{said}</strong>' in page(client, "farm_batch_book", batch.code)


@pytest.mark.usefixtures("member")
def test_a_mistake_is_struck_out_and_stays_in_the_book(client):
    batch = batch_of()
    client.post(
        reverse("farm_batch_harvest", args=[batch.code]),
        {"day": str(days_ago(0)), "kg": "8", "grade": "1", "vnd": ""},
    )
    entry = Harvest.objects.get()

    client.post(reverse("farm_batch_strike", args=[batch.code, "harvest", entry.pk]))

    entry.refresh_from_db()
    assert entry.struck_at is not None
    book = page(client, "farm_batch_book", batch.code)
    assert "Harvest, Grade 1" in book
    assert "Struck out" in book
    assert "Strike it out" not in book


@pytest.mark.usefixtures("member")
def test_an_entry_of_another_batch_cannot_be_struck_out_through_this_one(client):
    entry = Harvest.objects.create(
        batch=batch_of(), kg=1.0, day=days_ago(0), written_at=timezone.now()
    )

    answer = client.post(reverse("farm_batch_strike", args=[batch_of().code, "harvest", entry.pk]))

    entry.refresh_from_db()
    assert answer.status_code == 404
    assert entry.struck_at is None


@pytest.mark.usefixtures("member")
def test_a_batch_is_planted_out_ended_and_opened_again(client):
    batch = batch_of()

    client.post(
        reverse("farm_batch_plant_out", args=[batch.code]), {"day": str(days_ago(3)), "plants": ""}
    )
    client.post(
        reverse("farm_batch_end", args=[batch.code]),
        {"how": "lost", "day": str(days_ago(0)), "note": "Bão"},
    )

    batch.refresh_from_db()
    assert (batch.transplanted_date, batch.ended_date) == (days_ago(3), days_ago(0))
    assert (batch.status, batch.note) == (Batch.Status.LOST, "Bão")
    client.post(reverse("farm_batch_reopen", args=[batch.code]))
    batch.refresh_from_db()
    assert (batch.status, batch.ended_date) == (Batch.Status.GROWING, None)


@pytest.mark.usefixtures("member")
def test_the_page_of_a_batch_sets_its_stage_beside_what_is_measured_now(client):
    node = make_node()
    zone = make_zone(greenhouse=node.greenhouse, area_m2=20)
    live = make_channel(node=node, zone=zone, quantity=Channel.Quantity.EC)
    old = make_channel(node=node, zone=zone, quantity=Channel.Quantity.PH)
    measure(live, 2.4, t=timezone.now())
    measure(old, 6.0, t=timezone.now() - timedelta(hours=5))
    batch = batch_of(zone=zone)

    html = page(client, "farm_batch", batch.code)

    assert "Day 15 : Lớn" in html.replace("15:", "15 :")
    assert re.search(r'is-off">.*?2\.40.*?mS/cm.*?too high.*?1\.20?–1\.80?', html)
    assert re.search(r'is-stale">.*?6\.00.*?old', html)
    assert html.count("no figure yet") > 5
    assert "Nobody can say yet: no harvest for sale is noted." in html


@pytest.mark.usefixtures("member")
def test_a_batch_in_soil_is_not_held_against_a_tank(client):
    node = make_node()
    zone = make_zone(greenhouse=node.greenhouse, area_m2=20)
    for quantity, value in ((Channel.Quantity.EC, 2.4), (Channel.Quantity.AIR_TEMPERATURE, 30.0)):
        measure(make_channel(node=node, quantity=quantity), value, t=timezone.now())
    batch = batch_of(zone=zone, method=Batch.Method.SOIL)

    html = page(client, "farm_batch", batch.code)
    client.post(reverse("farm_batch_follow_stage", args=[batch.code]))

    assert html.count('<li class="value is-') == 1
    assert "30.0" in html
    assert "<dt>EC</dt>" not in html
    assert "<dt>Air</dt>" in html
    assert list(AlarmLimit.objects.values_list("channel__quantity")) == [("air_temperature",)]


@pytest.mark.usefixtures("member")
def test_a_bed_of_soil_shows_its_own_probe(client):
    node = make_node()
    zone = make_zone(greenhouse=node.greenhouse, area_m2=20)
    own = make_channel(node=node, zone=zone, quantity=Channel.Quantity.PH)
    measure(own, 6.7, t=timezone.now())
    measure(make_channel(node=node, quantity=Channel.Quantity.PH), 5.9, t=timezone.now())

    html = page(client, "farm_batch", batch_of(zone=zone, method=Batch.Method.SOIL).code)

    assert "6.7" in html
    assert html.count('<li class="value is-plain">') == html.count('<li class="value is-') == 1


@pytest.mark.usefixtures("member")
def test_the_zones_alarms_follow_the_stage_when_asked_to(client):
    node = make_node()
    zone = make_zone(greenhouse=node.greenhouse, area_m2=20)
    make_channel(node=node, zone=zone, quantity=Channel.Quantity.EC)
    batch = batch_of(zone=zone)

    answer = client.post(reverse("farm_batch_follow_stage", args=[batch.code]), follow=True)

    limit = AlarmLimit.objects.get()
    assert (limit.low, limit.high) == (1.2, 1.8)
    assert "1 sensor now raises an alarm by this stage." in answer.content.decode()


@pytest.mark.usefixtures("member")
def test_the_page_of_a_batch_asks_as_often_with_many_earlier_ones_and_many_entries(client):
    profile = make_profile()
    batch = batch_of(profile=profile)
    counts = []
    for _ in range(2):
        with CaptureQueriesContext(connection) as asked:
            page(client, "farm_batch", batch.code)
        counts.append(len(asked))
        for days in range(20, 32):
            batch_of(days, profile=profile, ended_date=days_ago(18), status=Batch.Status.ENDED)
            Harvest.objects.create(batch=batch, kg=1.0, day=days_ago(0), written_at=SEEN_AT)

    assert counts[0] == counts[1]
