"""A kernel that is found by its dtype alone computes what it does if Numba looks for it by all types."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray

from minicoord.kernels.backend.runtime import helper, launch, launch_by_dtype
from minicoord.kernels.convolution import conv2d, conv2d_backward
from minicoord.kernels.dense import dense, dense_backward
from minicoord.kernels.transposed import conv_transpose2d, conv_transpose2d_backward


class Numbers(NamedTuple):
    x: NDArray
    y: NDArray


@helper
def _scale(arrays, factor, backwards):
    n = len(arrays.x)
    for k in range(n):
        arrays.y[n - 1 - k if backwards else k] = factor * arrays.x[k]


@pytest.mark.parametrize("dtypes", [[np.float32, np.float64], [np.float64, np.float32]])
@pytest.mark.parametrize("lengths", [(3, 5, 0, 1)])
def test_each_dtype_finds_its_own_code(dtypes, lengths):
    for dtype in dtypes * 2:
        for length in lengths:
            for locked in (False, True):
                x = np.arange(1, length + 1, dtype=dtype)
                x.setflags(write=not locked)
                found, wanted = np.empty_like(x), np.empty_like(x)
                launch_by_dtype(_scale, x.dtype, Numbers(x, found), np.int64(3), True)
                launch(_scale, Numbers(x, wanted), 3, True)
                np.testing.assert_array_equal(found, 3 * x[::-1])
                np.testing.assert_array_equal(wanted, found)


def _strided(x: NDArray) -> NDArray:
    """The same numbers, every second one of another array."""
    return np.repeat(x, 2, axis=-1)[..., ::2]


@pytest.mark.parametrize(
    "function, shapes",
    [
        (conv2d, [(2, 4, 5, 3), (3, 3, 3, 2), (2,)]),
        (conv2d_backward, [(2, 4, 5, 3), (3, 3, 3, 2), (2, 4, 5, 2)]),
        (conv_transpose2d, [(2, 4, 5, 3), (3, 3, 2, 3), (2,)]),
        (conv_transpose2d_backward, [(2, 4, 5, 3), (3, 3, 2, 3), (2, 4, 5, 2)]),
        (dense, [(4, 5), (5, 3), (3,)]),
        (dense_backward, [(4, 5), (5, 3), (4, 3)]),
    ],
)
def test_arrays_that_are_not_contiguous_never_reach_such_code(function, shapes):
    rng = np.random.default_rng(0)
    arguments = [rng.standard_normal(shape) for shape in shapes]
    wanted = function(*arguments)
    for k, array in enumerate(arguments):
        found = function(*arguments[:k], _strided(array), *arguments[k + 1 :])
        for ours, theirs in zip(found, wanted, strict=True):
            np.testing.assert_array_equal(ours, theirs)
