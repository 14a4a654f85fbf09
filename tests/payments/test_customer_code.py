"""Patterns of customer codes: useful ones work, and none can hang the worker."""

import pytest

from payments.customer_code import UnsafePatternError, compiled, fits


@pytest.mark.parametrize(
    ("code", "pattern"),
    [
        ("PD0001", "PD[0-9]{4}"),
        ("PD 0001", r"PD\s?[0-9]{4,10}"),
        ("a.b+c", "a.b[+*?]c"),
        ("KH1", "(KH|PD)[0-9]+"),
        ("whatever", ""),
    ],
)
def test_a_code_of_the_billers_shape_fits(code, pattern):
    assert fits(code, pattern)


@pytest.mark.parametrize(
    ("code", "pattern"),
    [("PD00012", "PD[0-9]{4}"), ("xPD0001", "PD[0-9]{4}"), ("X" * 41, "")],
)
def test_a_code_of_another_shape_does_not_fit(code, pattern):
    assert not fits(code, pattern)


@pytest.mark.parametrize(
    "pattern",
    [
        "(a+)+b",
        "(a|a)*b",
        "(a+){20}",
        "a*a*a*a*a*b",
        "a?" * 30 + "a" * 30,
        "(a|b)" * 20,
        "[",
        "(",
        "a{99999999999}",
    ],
)
def test_a_pattern_that_is_broken_or_could_take_for_ever_is_refused(pattern):
    with pytest.raises(UnsafePatternError):
        compiled(pattern)
