"""Numbers as people type them on a phone, and what has to be asked again."""

import pytest
from django import forms
from django.utils import translation

from farm import typed_fields


@pytest.fixture(autouse=True)
def english():
    with translation.override("en"):
        yield


def refusal(field, typed) -> str:
    with pytest.raises(forms.ValidationError) as refused:
        field.clean(typed)
    return refused.value.messages[0]


@pytest.mark.parametrize(
    ("typed", "kg"),
    [
        ("12,5", 12.5), ("12,5 kg", 12.5), ("12.5KG", 12.5), ("7 ký", 7.0), ("7 cân", 7.0),
        ("1.250,5 kg", 1250.5), ("1.250.000", 1_250_000.0), ("0.250", 0.25),
    ],
)  # fmt: skip
def test_a_weight_may_have_its_unit(typed, kg):
    assert typed_fields.FigureField(units=typed_fields.KILOGRAMS).clean(typed) == kg


@pytest.mark.parametrize(
    ("typed", "question"),
    [
        ("1.500", "Is this 1,5 or 1500? Write it without the dot."),
        ("1.250", "Is this 1,25 or 1250? Write it without the dot."),
        ("2.000 kg", "Is this 2 or 2000? Write it without the dot."),
        ("kg", "Write a number, like 12,5."),
        ("12 tạ", "Write a number, like 12,5."),
    ],
)
def test_a_weight_that_may_mean_two_things_is_asked_with_its_own_figures(typed, question):
    assert refusal(typed_fields.FigureField(units=typed_fields.KILOGRAMS), typed) == question


@pytest.mark.parametrize(
    ("typed", "hours"),
    [
        ("2,5", 2.5), ("2h30", 2.5), ("2 giờ 30", 2.5), ("2 gio\u031b\u0300 30", 2.5),
        ("2 giờ 30 phút", 2.5), ("2:30", 2.5), ("2 giờ rưỡi", 2.5), ("45 phút", 0.75),
        ("90p", 1.5), ("3h", 3.0), ("3 tiếng", 3.0), ("2,5 giờ", 2.5), ("12", 12.0),
    ],
)  # fmt: skip
def test_hours_are_taken_as_people_say_them(typed, hours):
    assert typed_fields.HoursField().clean(typed) == hours


@pytest.mark.parametrize("typed", ["2h75", "h", "giờ", "2h30h", "hai giờ"])
def test_hours_that_cannot_be_read_are_asked_for_again(typed):
    assert refusal(typed_fields.HoursField(), typed) == "Write hours, like 2,5 or 2h30."


@pytest.mark.parametrize(
    ("typed", "vnd"),
    [
        ("250.000", 250_000), ("250,000", 250_000), ("250 000 ₫", 250_000), ("250000đ", 250_000),
        ("250.000 đồng", 250_000), ("200k", 200_000), ("200 K", 200_000),
        ("200 nghìn", 200_000), ("12,5k", 12_500), ("1.250k", 1_250_000),
        ("1,2 triệu", 1_200_000), ("1.25tr", 1_250_000), ("1tr2", 1_200_000), ("2tr", 2_000_000),
    ],
)  # fmt: skip
def test_money_may_be_said_in_thousands_and_millions(typed, vnd):
    assert typed_fields.DongField().clean(typed) == vnd


@pytest.mark.parametrize("typed", ["k", "hai trăm", "1k2k", "200 usd"])
def test_money_that_cannot_be_read_is_asked_for_again(typed):
    assert refusal(typed_fields.DongField(), typed) == "Write whole đồng, like 250.000 or 250k."


@pytest.mark.parametrize(
    ("typed", "count"), [("2800", 2800), ("2.800", 2800), ("2 800", 2800), ("2.800 cây", 2800)]
)
def test_a_count_may_have_dots_between_its_thousands(typed, count):
    assert typed_fields.CountField(units=typed_fields.PLANTS).clean(typed) == count
