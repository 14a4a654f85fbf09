"""What a batch looks like on paper, and where the code on a label leads."""

import re
from datetime import UTC, date, datetime
from io import BytesIO
from uuid import uuid4

import pytest
import zxingcpp
from django.contrib.auth.models import Group
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from PIL import Image

from accounts.roles import Role
from farm.models import Batch, CostEntry, Harvest, LabourEntry
from tests.accounts.factories import make_person
from tests.farm.factories import make_batch, make_greenhouse, make_profile, make_user, make_zone
from tests.paper import page_codes, page_sizes, page_texts

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 11, 20, 5, 0, tzinfo=UTC)


@pytest.fixture
def batch(settings) -> Batch:
    """Lettuce that ended on 20 November, with a book."""
    settings.PUBLIC_URL = "https://phuloc.example"
    house = make_greenhouse(name="Nhà màng Thôn Đông", run_by="HTX Rau sạch Phú Lộc")
    made = make_batch(
        code="NM1-261101",
        zone=make_zone(greenhouse=house, name="Giàn 1", area_m2=20),
        profile=make_profile(
            name="Xà lách", soil_kg_per_m2=2.0, soil_days=40, soil_source="Nguồn thử"
        ),
        variety="Lô lô xanh",
        transplanted_date=date(2026, 11, 8),
        ended_date=date(2026, 11, 20),
        status=Batch.Status.ENDED,
    )
    put(Harvest, made, kg=18.0, vnd=450_000, day=date(2026, 11, 16))
    put(Harvest, made, kg=12.0, day=date(2026, 11, 19))
    put(Harvest, made, kg=777.0, struck_at=NOON)
    put(CostEntry, made, kind="seed", vnd=120_000, note="cô Lan bán chịu")
    put(CostEntry, made, kind="protection", vnd=80_000, note="Neem", day=date(2026, 11, 9))
    put(CostEntry, made, kind="protection", vnd=80_000, note="Nhầm", struck_at=NOON)
    put(LabourEntry, made, task="care", hours=4.0, by=make_user(full_name="Trần Văn Nhân"))
    return made


def put(model, batch, **fields):
    said = {"id": uuid4(), "day": date(2026, 11, 10), "written_at": NOON}
    return model.objects.create(batch=batch, **said | fields)


@pytest.fixture
def member(client):
    person = make_person(phone="+84912000111")
    person.groups.add(Group.objects.get(name=Role.COOPERATIVE_MEMBER))
    client.force_login(person)
    client.cookies.load({"django_language": "en"})
    return client


def english(client):
    client.cookies.load({"django_language": "en"})
    return client


def lines(pdf: bytes) -> str:
    return re.sub(r"\s+", " ", " ".join(page_texts(pdf)))


def trace_url(batch) -> str:
    return f"https://phuloc.example/truy-xuat/{batch.token}/"


def test_the_report_says_what_the_batch_came_to(member, batch):
    pdf = member.get(reverse("farm_batch_report", args=[batch.code])).content

    words = lines(pdf)
    assert page_sizes(pdf) == [(210, 297)] * 2
    assert page_codes(pdf) == [[trace_url(batch)], []]
    for said in (
        "HTX Rau sạch Phú Lộc",
        "Batch NM1-261101",
        "Picked for sale 30.0 kg",
        "Yield 3.00 kg/m²",
        "Costs 200.000 ₫ (6.667 ₫ a kg)",
        "Sales 450.000 ₫ (25.000 ₫ a kg)",
        "Labour 4 hours (0.40 hours/m²)",
        "First harvest 15 days after sowing",
        "Water used no figure yet",
        "2.00 kg/m²: 50% more",
        "Yes: 50% more than in soil (2.00 kg/m²).",
        "Yes: 62% shorter than in soil (40 days).",
        "Nobody can say yet: there is nothing to compare with.",
        "Source of the figures for soil: Nguồn thử",
        "Neem",
    ):
        assert said in words
    assert "777" not in words


def test_page_and_paper_show_how_long_picking_waits_after_plant_protection(member, batch):
    put(CostEntry, batch, kind="protection", vnd=80_000, note="Bt", waiting_days=1)
    put(CostEntry, batch, kind="protection", vnd=80_000, note="Dầu", waiting_days=7)

    book = member.get(reverse("farm_batch_book", args=[batch.code])).content.decode()
    paper = lines(member.get(reverse("farm_batch_report", args=[batch.code])).content)

    for said in ("no waiting days noted", "1 waiting day", "7 waiting days"):
        assert f"Plant protection, {said}<" in book
        assert said in paper


def test_a_long_book_goes_on_over_the_next_pages(member, batch):
    for number in range(120):
        put(LabourEntry, batch, task="care", hours=1.0, note=f"dòng {number}")

    pdf = member.get(reverse("farm_batch_report", args=[batch.code])).content

    words = lines(pdf)
    assert len(page_sizes(pdf)) == 4
    assert all(f"dòng {number}" in words for number in (0, 60, 119))
    assert "page 4" in words


def test_a_report_asks_as_often_with_a_long_book(member, batch):
    url = reverse("farm_batch_report", args=[batch.code])
    counts = []
    for _ in range(2):
        with CaptureQueriesContext(connection) as asked:
            member.get(url)
        counts.append(len(asked))
        for _entry in range(20):
            put(LabourEntry, batch, task="care", hours=1.0, by=make_user())

    assert counts[0] == counts[1]


def test_a_sheet_has_24_labels_that_all_lead_to_the_public_page(member, batch):
    pdf = member.get(reverse("farm_batch_labels", args=[batch.code])).content

    assert page_sizes(pdf) == [(210, 297)]
    assert page_codes(pdf) == [[trace_url(batch)] * 24]
    words = lines(pdf)
    assert "Lô lô xanh" in words
    assert "Picked 19/11/2026" in words


def test_the_pictures_are_read_back_as_the_public_address(member, batch):
    png = member.get(reverse("farm_batch_qr_png", args=[batch.code])).content
    svg = member.get(reverse("farm_batch_qr_svg", args=[batch.code])).content.decode()

    found = zxingcpp.read_barcodes(Image.open(BytesIO(png)))
    assert [code.text for code in found] == [trace_url(batch)]
    assert svg.startswith("<svg")
    assert "style=" not in svg


def test_anybody_may_read_how_it_grew(client, batch):
    answer = english(client).get(f"/truy-xuat/{batch.token}/")

    html = re.sub(r"\s+", " ", answer.content.decode())
    assert answer.status_code == 200
    for said in (
        "HTX Rau sạch Phú Lộc",
        "Xà lách Lô lô xanh",
        "Batch NM1-261101.",
        "Nhà màng Thôn Đông",
        "In water, without soil",
        '<time datetime="2026-11-01">01/11/2026</time>',
        '16/11/2026</time> – <time datetime="2026-11-19">19/11/2026</time>',
        "Neem",
    ):
        assert said in html
    assert answer["X-Robots-Tag"] == "noindex, nofollow"


def test_the_public_page_names_no_people_no_money_and_no_mistakes(client, batch):
    html = client.get(f"/truy-xuat/{batch.token}/").content.decode()

    for hidden in ("Trần Văn Nhân", "cô Lan", "₫", "450", "777", "Nhầm"):
        assert hidden not in html


def test_a_batch_without_plant_protection_says_that_none_is_noted(client, batch):
    CostEntry.objects.filter(kind="protection").delete()

    html = english(client).get(f"/truy-xuat/{batch.token}/").content.decode()

    assert "The book of this batch notes no plant protection product." in html


def test_a_browser_that_has_the_page_is_told_that_nothing_changed(client, batch):
    url = f"/truy-xuat/{batch.token}/"
    first = client.get(url)

    again = client.get(url, headers={"if-none-match": first["ETag"]})
    put(CostEntry, batch, kind="protection", vnd=1, note="Dầu khoáng")
    changed = client.get(url, headers={"if-none-match": first["ETag"]})
    other_language = english(client).get(url, headers={"if-none-match": changed["ETag"]})

    assert (again.status_code, again.content) == (304, b"")
    assert changed.status_code == 200
    assert "Dầu khoáng" in changed.content.decode()
    assert other_language.status_code == 200


@pytest.mark.parametrize("token", ["0" * 32, "khong-co", "%00", "a" * 500, "Đ"])
def test_an_unknown_code_gets_a_kind_word(client, token):
    answer = english(client).get(f"/truy-xuat/{token}/")

    assert answer.status_code == 404
    assert "Please scan it once more" in answer.content.decode()
