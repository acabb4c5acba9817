"""Numbers that np.empty left are found in a result, whatever was computed with them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numba import njit
from numpy import empty
from numpy.testing import assert_array_equal

from minicoord.learn.checking.check import verdict_of
from minicoord.learn.checking.empty_memory import left_over, with_filled_memory
from minicoord.learn.definition.course import get
from minicoord.learn.grading.grade import grade_folder
from minicoord.learn.grading.row import Row


def plain_helper(n):
    return np.empty(n)


def unwritten(n):
    return plain_helper(n)


def by_name(n):
    return empty(n)


def inside():
    numpy = np

    def outer(n):
        return [numpy.empty(n) for _ in range(2)][1]

    return outer


@njit
def doubled(x):
    y = np.empty(x.shape[0])
    for k in range(x.shape[0]):
        y[k] = 2 * x[k]
    return y


def by_compiled_helper(x):
    y = np.empty_like(x)
    y[:] = doubled(x)
    return y


def added_up(dy):
    db = np.empty(dy.shape[-1], dy.dtype)
    for row in dy.reshape(-1, dy.shape[-1]):
        db += row
    return db


@pytest.mark.parametrize(
    "use",
    [
        lambda x: x + 1,
        lambda x: 3 * x,
        lambda x: -x,
        lambda x: x.sum(axis=0),
        lambda x: np.maximum(x, 0),
        lambda x: np.sqrt(x),
        lambda x: x @ np.ones((4, 4), x.dtype),
        lambda x: x.astype(np.float64),
        lambda x: x.astype(np.float32),
        lambda x: (1, x[0, 0]),
        lambda x: np.concatenate([np.zeros((9, 4)), x]),
    ],
)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_what_was_left_over_is_found_after_a_computation(use: Callable[[Any], Any], dtype: type):
    def arrays():
        return np.empty((3, 4), dtype), np.empty_like(np.ones((3, 4)), dtype=dtype)

    for x in with_filled_memory(arrays)():
        with np.errstate(all="ignore"):
            assert left_over(use(x))


def test_integers_are_filled_with_an_uncommon_number():
    assert left_over(with_filled_memory(lambda: np.empty(3, np.int64))())
    assert left_over(with_filled_memory(lambda: np.empty(3, np.uint8))())
    assert not left_over(with_filled_memory(lambda: np.empty(3, bool))()), "every bool is a common one"


@pytest.mark.parametrize(
    "value", [np.full(3, np.nan), np.zeros((0, 3)), np.arange(4), np.ones(2, bool), 3.5, float("nan"), "text", None]
)
def test_other_numbers_are_not_taken_for_it(value: Any):
    assert not left_over(value)


def test_an_array_that_is_written_entirely_passes():
    def conv_db(dy):
        db = np.empty(dy.shape[-1], dy.dtype)
        for o in range(len(db)):
            db[o] = dy[..., o].sum()
        return db

    assert verdict_of(get("conv_db"), conv_db).passed


def test_sums_in_empty_memory_are_refused_and_named():
    verdict = verdict_of(get("conv_db"), added_up)
    assert verdict.outcome == "wrong values"
    assert verdict.cause is not None and verdict.cause.startswith(
        "np.empty leaves in an array whatever the memory held"
    )


def test_a_class_is_told_the_same(tmp_path: Path):
    text = "import numpy as np\n\n\ndef conv_db(dy):\n    db = np.empty(dy.shape[-1], dy.dtype)\n"
    (tmp_path / "learner.py").write_text(
        text + "    for row in dy.reshape(-1, len(db)):\n        db += row\n    return db\n"
    )
    ((row,),) = grade_folder(tmp_path, ["conv_db"], seconds=20.0)
    assert isinstance(row, Row)
    assert row.outcome == "wrong values" and "np.empty leaves" in str(row.cause)


@pytest.mark.parametrize(
    "function", [plain_helper, unwritten, by_name, inside(), lambda n, a=1, *, b=2: np.empty(n * a * b)]
)
def test_every_way_to_call_it_is_found(function: Callable[[int], Any]):
    assert left_over(with_filled_memory(function)(3))


@pytest.mark.compiled
@pytest.mark.parametrize("function", [len, np.add, np.empty, test_integers_are_filled_with_an_uncommon_number, doubled])
def test_other_functions_stay_as_they_are(function: Any):
    kept = function in (len, np.add, np.empty, doubled)
    assert (with_filled_memory(function) is function) == kept


def test_numpy_stays_as_it_is():
    before = np.empty, np.empty_like

    def looks():
        assert np.empty is not before[0] and np.array([1]).sum() == 1
        return np.lib.stride_tricks

    assert with_filled_memory(looks)() is looks.__globals__["np"].lib.stride_tricks
    assert (np.empty, np.empty_like) == before


def test_recursion_and_variables_without_a_value():
    def factorial(n):
        if n > 5:
            return later(n)
        return np.empty(0).size + (n * factorial(n - 1) if n else 1)

    copied = with_filled_memory(factorial)
    assert copied(4) == 24
    with pytest.raises(NameError, match="later"):
        copied(9)
    later = len


@pytest.mark.compiled
def test_a_helper_that_the_answer_compiles_is_called_unchanged():
    assert_array_equal(with_filled_memory(by_compiled_helper)(np.arange(3.0)), [0, 2, 4])
    assert_array_equal(doubled(np.arange(2.0)), [0, 2])
