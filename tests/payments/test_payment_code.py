"""Payment codes: that errors are caught, and that a code is found again in what a bank returns."""

import re
from itertools import combinations, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payments.payment_code import (
    CODE_LENGTH,
    NUMBERS,
    PREFIX,
    find_codes,
    is_valid,
    new_code,
    normalise,
)
from payments.vietqr import Transfer, decode, encode

CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
numbers = st.integers(0, NUMBERS - 1)
codes = numbers.map(new_code)


@pytest.mark.parametrize(
    ("number", "code"),
    [(0, "PL3G63DG8S3"), (1, "PLESP1GV581"), (2, "PL1HSR5FHXS"), (3, "PL5XQRPE2AX")],
)
def test_codes_never_change_once_printed(number, code):
    assert new_code(number) == code


@given(numbers)
def test_a_code_has_its_form_and_is_valid(number):
    code = new_code(number)

    assert re.fullmatch(f"PL[{CROCKFORD}]{{9}}", code)
    assert len(code) == CODE_LENGTH == 11
    assert is_valid(code)
    assert normalise(code) == code


@pytest.mark.parametrize("number", [-1, NUMBERS, True])
def test_a_number_without_a_code_is_refused(number):
    with pytest.raises(ValueError, match="no payment code"):
        new_code(number)


def unscrambled(code: str) -> int:
    """Undo new_code step by step: what can be undone gave no two numbers one code."""
    number = 0
    for character in code[len(PREFIX) : -1]:
        number = number * 32 + CROCKFORD.index(character)
    for factor in (0x243F6A8885, 0x9E3779B97F):
        number ^= number >> 20
        number = number * pow(factor, -1, NUMBERS) % NUMBERS
    return number ^ 0xA308D31319


@given(numbers)
def test_each_number_has_its_own_code(number):
    assert unscrambled(new_code(number)) == number


def test_neighbours_differ_in_most_places():
    alike = [
        sum(a == b for a, b in zip(new_code(n)[2:], new_code(n + 1)[2:], strict=True))
        for n in range(5_000)
    ]

    assert max(alike) <= 5
    assert sum(alike) / len(alike) < 0.5


@given(codes)
def test_every_single_wrong_character_is_caught(code):
    for at in range(len(PREFIX), CODE_LENGTH):
        for wrong in set(CROCKFORD) - {code[at]}:
            assert not is_valid(code[:at] + wrong + code[at + 1 :])


@given(codes)
def test_every_two_characters_that_change_places_are_caught(code):
    for left, right in combinations(range(len(PREFIX), CODE_LENGTH), 2):
        swapped = list(code)
        swapped[left], swapped[right] = code[right], code[left]
        if code[left] != code[right]:
            assert not is_valid("".join(swapped))


def test_neighbours_that_swap_are_caught_for_all_values_in_all_places():
    """The check is linear, so what holds for every two values beside zeros holds beside all."""
    for left, right in pairwise(range(8)):
        for one, other in combinations(CROCKFORD, 2):
            body = ["0"] * 8
            body[left], body[right] = one, other
            check = next(c for c in CROCKFORD if is_valid(f"PL{''.join(body)}{c}"))
            body[left], body[right] = other, one
            assert not is_valid(f"PL{''.join(body)}{check}")


def test_every_body_has_exactly_one_check_character():
    for number in range(500):
        body = new_code(number)[:-1]
        assert sum(is_valid(body + check) for check in CROCKFORD) == 1


@pytest.mark.parametrize(
    "text",
    ["", "PL", "PL000000000", "pl3g63dg8s3", "PL3G63DG8S", "PL3G63DG8S33", "XL3G63DG8S3",
     "PL3G63DG8S3\n", "P13G63DG8S3", "PL3G63DG8SU"],
)  # fmt: skip
def test_what_is_not_exactly_a_code_is_not_valid(text):
    assert not is_valid(text)


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("pl1hsr5fhxs", "PL1HSR5FHXS"),
        (" PL 1HSR-5FHX.S\n", "PL1HSR5FHXS"),
        ("PLIHSR5FHXS", "PL1HSR5FHXS"),
        ("pllhsr5fhxs", "PL1HSR5FHXS"),
        ("P1LHSR5FHXS", "PL1HSR5FHXS"),
        ("PI1HSR5FHXS", "PL1HSR5FHXS"),
        ("PLO0OO", "PL0000"),
        ("\uff30\uff2c\uff11", "PL1"),
        ("tiền điện", "TININ"),
        ("", ""),
    ],
)
def test_what_people_type_is_normalised(typed, code):
    assert normalise(typed) == code


@pytest.mark.parametrize(
    "memo",
    [
        "PLESP1GV581",
        "plesp1gv581",
        "MBVCB.123.PLESP1GV581",
        "MBVCB.3278907687.PL ESP1 GV58 1.CT tu 0011012345678",
        "CT TU 0123 PLESP1GV581GD 77",
        "CT TU 0123 PLESP1GV581 GD 77",
        "020097040501112233PLESP1GV581FT26325000",
        "IBFT P L E S P 1 G V 5 8 1",
        "PLESP-1GV-581",
        "PLESPIGV58I",
        "PLESPLGV58l",
        "P1ESP1GV581",
        "PIESPIGV581",
        "PLPLESP1GV581",
        "CPLPLESP1GV581PL",
        "PLESP1GV581 PLESP1GV581",
        "PLESP1GV\n581",
    ],
)
def test_a_code_is_found_in_what_banks_make_of_it(memo):
    assert find_codes(memo) == ["PLESP1GV581"]


@pytest.mark.parametrize(
    "memo",
    ["", "PL", "chuyen tien", "PLESP1GV582", "PLESP1GV58", "LESP1GV581", "PLEPS1GV581",
     "PL ESP1 GU58 1", "PLEIKU GIA LAI DONG TIEN NUOC"],
)  # fmt: skip
def test_nothing_is_found_without_a_whole_code(memo):
    assert find_codes(memo) == []


def test_several_codes_are_found_in_order():
    assert find_codes("nop PL1HSR5FHXS va PLESP1GV581") == ["PL1HSR5FHXS", "PLESP1GV581"]


def test_a_code_that_holds_p1_does_not_hide_behind_itself():
    assert find_codes("PLESP1GV581 9GV581ABC") == ["PLESP1GV581"]


@given(st.text(max_size=200))
def test_whatever_is_found_is_valid_and_stands_in_the_memo(memo):
    for code in find_codes(memo):
        assert is_valid(code)


@given(codes, st.text(alphabet="ABCDEFGHIJKMNOQRSTUVWXYZ0123456789. -", max_size=40), st.data())
def test_a_code_survives_prefix_suffix_case_and_splitting(code, around, data):
    at = data.draw(st.integers(0, len(around)))
    gaps = data.draw(st.lists(st.sampled_from(["", " ", ".", "-"]), min_size=11, max_size=11))
    split = "".join(character + gap for character, gap in zip(code, gaps, strict=True))
    memo = around[:at] + data.draw(st.sampled_from([split, split.lower(), code])) + around[at:]

    assert code in find_codes(memo)


@given(codes)
def test_a_code_travels_in_a_vietqr(code):
    transfer = Transfer("970405", "3900205123456", memo=code)

    assert find_codes(decode(encode(transfer)).transfer.memo) == [code]
