"""The shared checks of arguments: what they let pass, what they refuse, and how they show it."""

from __future__ import annotations

import math
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from minicoord.system.arguments import (
    call_given,
    check_choice,
    check_flag,
    check_number,
    check_shape_given,
    check_whole,
    is_number,
    is_whole,
    shown,
)

MASKED = np.ma.masked_array([1.0], [True])[0]


@pytest.mark.parametrize("value", [2, 2.5, np.float32(2), np.int8(2), np.array(2.5), Fraction(1, 2), 10**400, math.nan])
def test_a_number_is_one(value: Any):
    assert is_number(value)


@pytest.mark.parametrize(
    "value", [None, True, "2", 2j, [2], np.array([2.0]), np.float64, MASKED, np.bool_(True), np.datetime64(1, "D")]
)
def test_no_number_is_refused(value: Any):
    assert not is_number(value)
    with pytest.raises(TypeError, match=r"lr was .*, wanted a number"):
        check_number("lr", value, 0.0)


@pytest.mark.parametrize("value", [math.nan, math.inf, -1, np.float32(-0.5), np.array(np.nan), Decimal("NaN"), 10**400])
def test_a_number_out_of_bounds_is_refused(value: Any):
    with pytest.raises(ValueError, match=r"lr was .*, wanted a number of at least 0 and finite"):
        check_number("lr", value, 0.0)


@pytest.mark.parametrize("value", [10**400, -(10**400), Decimal("NaN"), math.inf])
def test_without_bounds_a_number_is_finite(value: Any):
    with pytest.raises(ValueError, match=r"factor was .*, wanted a finite number"):
        check_number("factor", value, -math.inf)


def test_bounds_are_kept_on_the_quick_way_too():
    check_number("x", 0.0, 0.0)
    check_number("x", 0.5, 0.0, above=True, below=1.0)
    for value in (0.0, 1.0):
        with pytest.raises(ValueError, match="wanted a number above 0 and below 1"):
            check_number("x", value, 0.0, above=True, below=1.0)


@pytest.mark.parametrize(
    ("value", "right"),
    [
        *[(3, True), (np.uint8(3), True), (np.array(3), True), (True, False), (3.0, False), (np.array([3]), False)],
        *[("3", False), (None, False), (np.int64, False), (MASKED, False)],
    ],
)
def test_a_whole_number_is_one(value: Any, right: bool):
    assert is_whole(value) is right
    if not right:
        with pytest.raises(ValueError, match=r"seed was .*, wanted a whole number of at least 0"):
            check_whole("seed", value, 0)


@pytest.mark.parametrize("value", [True, 1, np.bool_(True), np.array(True)])
def test_a_flag_comes_back_as_a_bool(value: Any):
    assert check_flag("relu", value) is True


@pytest.mark.parametrize("value", [None, 2, "False", object(), [], np.ones(2, bool), 1.0])
def test_an_object_is_no_flag(value: Any):
    with pytest.raises(TypeError, match=r"relu was .*, wanted True or False"):
        check_flag("relu", value)


def test_a_choice_offers_the_nearest():
    check_choice("split", "uniform", ("uniform", "quadrant"))
    with pytest.raises(ValueError, match=r"split was 'unifrom'; did you mean 'uniform'?"):
        check_choice("split", "unifrom", ("uniform", "quadrant"))
    with pytest.raises(ValueError, match=r"split was \[\]; wanted one of uniform, quadrant"):
        check_choice("split", [], ("uniform", "quadrant"))


def test_a_shape_comes_back_as_plain_numbers():
    assert check_shape_given("x_shape", [np.int64(2), 3]) == (2, 3)
    for wrong in (None, 3, "23", (2, 1.5), (2, None), {2, 3}, np.array([2, 3])):
        with pytest.raises(TypeError, match=r"x_shape was .*, wanted a shape"):
            check_shape_given("x_shape", wrong)
    with pytest.raises(ValueError, match=r"x_shape was \(2, -1\), wanted .*, none negative"):
        check_shape_given("x_shape", (2, -1))


class Rude:
    def __repr__(self) -> str:
        raise RuntimeError


def test_whatever_was_given_is_shown_on_one_short_line():
    assert shown(np.ones((2, 3))) == "an array of shape (2, 3) and dtype float64"
    assert "Rude" in shown(Rude())
    for value in ("x" * 5000, "a\nb", list(range(10**6)), 10**5000, np.ma.masked_array([[1, 2]], [[True, False]])):
        assert "\n" not in shown(value) and len(shown(value)) <= 200


def test_an_error_inside_of_a_given_function_passes():
    def careless(x: int) -> int:
        return x + "1"  # type: ignore[operator]

    with pytest.raises(TypeError, match="unsupported operand"):
        call_given("loss", careless, "a function of x", 1)
    with pytest.raises(TypeError, match=r"loss was .*, wanted a function of two: "):
        call_given("loss", careless, "a function of two", 1, 2)
