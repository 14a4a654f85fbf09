"""Numbers as people type them on a phone, and what has to be asked again."""

import re

import pytest
from django import forms
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

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
        ("1e-320", "Write a number, like 12,5."),
        ("1e3", "Write a number, like 12,5."),
        ("1_0", "Write a number, like 12,5."),
        ("-3", "Write a number, like 12,5."),
        ("9" * 5000, "Write a number, like 12,5."),
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
        ("30'", 0.5), ("2h30'", 2.5), ("2h30’", 2.5), ("2.00", 2.0), ("2.75", 2.75),
    ],
)  # fmt: skip
def test_hours_are_taken_as_people_say_them(typed, hours):
    assert typed_fields.HoursField().clean(typed) == hours


@pytest.mark.parametrize("typed", ["2h75", "h", "giờ", "2h30h", "hai giờ", "-2", "1e1"])
def test_hours_that_cannot_be_read_are_asked_for_again(typed):
    assert refusal(typed_fields.HoursField(), typed) == "Write hours, like 2,5 or 2h30."


@pytest.mark.parametrize(
    ("typed", "question"),
    [
        ("2.30", "Is this 2h18 or 2h30? Write it like 2h30."),
        ("2,15 giờ", "Is this 2h09 or 2h15? Write it like 2h30."),
    ],
)
def test_decimals_that_may_be_minutes_are_asked_about(typed, question):
    assert refusal(typed_fields.HoursField(), typed) == question


@pytest.mark.parametrize(
    ("typed", "vnd"),
    [
        ("250.000", 250_000), ("250,000", 250_000), ("250 000 ₫", 250_000), ("250000đ", 250_000),
        ("250.000 đồng", 250_000), ("200k", 200_000), ("200 K", 200_000),
        ("200 nghìn", 200_000), ("12,5k", 12_500), ("1.250k", 1_250_000),
        ("1,2 triệu", 1_200_000), ("1.25tr", 1_250_000), ("1tr2", 1_200_000), ("2tr", 2_000_000),
        ("250000.00", 250_000), ("250.000,00", 250_000), ("250,000.0", 250_000),
        ("1.234.567", 1_234_567), ("1tr25", 1_250_000), ("1tr250", 1_250_000),
        ("1 triệu 200 nghìn", 1_200_000), ("1 triệu 200 nghìn đồng", 1_200_000),
        ("1 tỷ", 1_000_000_000), ("1,5 tỷ", 1_500_000_000), ("250kđ", 250_000),
        ("2 triệu rưỡi", 2_500_000), ("1 tỷ 20 triệu", 1_020_000_000), ("", None),
    ],
)  # fmt: skip
def test_money_may_be_said_in_thousands_and_millions(typed, vnd):
    assert typed_fields.DongField(required=False).clean(typed) == vnd


@pytest.mark.parametrize(
    "typed",
    [
        "k", "hai trăm", "1k2k", "200 usd", "1.5", "12.50", "1.000,000", "1.000.00", "25.00.000",
        "0.250", "-5", "1e5", "1_000", "9" * 5000, "9" * 5000 + "k", "1tr2000", "1tr2tr", "1.2.3k",
    ],
)  # fmt: skip
def test_money_that_cannot_be_read_is_asked_for_again(typed):
    assert refusal(typed_fields.DongField(), typed) == "Write whole đồng, like 250.000 or 250k."


@pytest.mark.parametrize("typed", ["1.000tr", "1.000 triệu", "1,000tr"])
def test_a_thousand_before_millions_is_asked_about(typed):
    asked = "Is this 1.000.000\xa0₫ or 1.000.000.000\xa0₫? Write it in full."
    assert refusal(typed_fields.DongField(), typed) == asked


@given(st.integers(0, 10**12 - 1))
def test_an_amount_is_read_back_however_it_is_written_in_full(amount):
    field = typed_fields.DongField(required=False)
    dots, commas = f"{amount:,}".replace(",", "."), f"{amount:,}"

    for written in (str(amount), f"{amount}.00", dots, f"{dots},00", commas, f"{commas}.0"):
        assert field.clean(written) == amount


@given(st.from_regex(r"[0-9]{1,4}([.,][0-9]{0,4}){0,3}", fullmatch=True))
def test_no_sign_is_dropped_that_is_not_between_thousands(typed):
    try:
        amount = typed_fields.DongField().clean(typed)
    except forms.ValidationError:
        return
    without_tail = re.sub(r"[.,]0{1,2}$", "", typed)
    in_words = {
        str(amount), f"{amount:,}", f"{amount:,}".replace(",", "."), f"{amount:04}",
        f"{amount:03}", f"{amount:02}",
    }  # fmt: skip
    assert without_tail in in_words


@pytest.mark.parametrize("typed", ["2,800", "hai", "-1", "9" * 5000])
def test_a_count_that_cannot_be_read_is_asked_for_in_our_own_words(typed):
    assert refusal(typed_fields.CountField(), typed) == "Write a whole number, like 2800."


def test_fields_that_take_letters_leave_the_keyboard_of_letters():
    for field in (
        typed_fields.DongField(),
        typed_fields.HoursField(),
        typed_fields.CountField(units=typed_fields.DAYS),
    ):
        assert "inputmode" not in field.widget.attrs
    assert typed_fields.CountField().widget.attrs["inputmode"] == "numeric"


@pytest.mark.parametrize(
    ("typed", "count"), [("2800", 2800), ("2.800", 2800), ("2 800", 2800), ("2.800 cây", 2800)]
)
def test_a_count_may_have_dots_between_its_thousands(typed, count):
    assert typed_fields.CountField(units=typed_fields.PLANTS).clean(typed) == count
