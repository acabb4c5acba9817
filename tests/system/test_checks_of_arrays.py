"""What is checked of arrays before any kernel: dtypes, masks, indices, and whether a size fits into memory."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from minicoord.system import arrays
from minicoord.system.arrays import as_array, check_float_type, check_indices, check_no_mask, check_room


@pytest.mark.parametrize("dtype", [np.float32, "float64", np.dtype("f4"), float])
def test_a_float_type_is_found_in_every_form(dtype: Any):
    assert check_float_type("x", dtype) in (np.dtype("f4"), np.dtype("f8"))


@pytest.mark.parametrize("dtype", [None, np.float16, "int", "no such", 3, (2,), np.ones(2), ">f4", lambda: None])
def test_any_other_dtype_is_refused(dtype: Any):
    with pytest.raises(TypeError, match=r"^x: dtype was .*, wanted float32 or float64$"):
        check_float_type("x", dtype)


def test_a_mask_is_refused_even_if_it_hides_nothing():
    check_no_mask("conv2d: x", np.ones(2))
    with pytest.raises(TypeError, match=r"conv2d: x is a masked array, wanted .* such as x\.filled\(0\)"):
        check_no_mask("conv2d: x", np.ma.masked_array([1.0]))


def test_a_size_beyond_the_memory_is_refused_in_words(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(arrays, "MEMORY", 2**30)
    check_room("a map", (2**14, 2**14), np.float32)
    with pytest.raises(ValueError, match=r"would take over 2\^50 GiB, wanted .* 1 GiB"):
        check_room("a map", (10**5000, 2**15), np.int8)
    with pytest.raises(ValueError, match=r"a map of shape \(32768, 32768\) would take 4 GiB, wanted .* 1 GiB"):
        check_room("a map", (2**15, 2**15), np.float32)


def test_the_memory_of_this_machine_is_known_or_without_bound():
    assert arrays.MEMORY >= 2**28


@pytest.mark.parametrize("values", [[[1, 2], [3]], ["a"], object(), np.ma.masked_array([1]), [1.5]])
def test_what_makes_no_array_of_whole_numbers_is_refused(values: Any):
    with pytest.raises(TypeError, match=r"labels (was|has|is) .*, wanted"):
        as_array("labels", values, "iu", "whole numbers")


def test_indices_are_whole_numbers_or_a_mask():
    assert check_indices("i", [], 3).tolist() == []
    assert check_indices("i", [0, -3], 3).tolist() == [0, -3]
    assert check_indices("i", [True, False, True], 3).tolist() == [True, False, True]
    for wrong in ([3], [-4], [True], [0.5], [[0]], 0, "a"):
        with pytest.raises(ValueError, match="wanted"):
            check_indices("i", wrong, 3)
