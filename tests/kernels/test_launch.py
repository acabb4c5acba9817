"""A kernel that is found by its dtype alone computes what it does if Numba looks for it by all types."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray

from minicoord.kernels.backend.runtime import helper, launch, launch_by_dtype


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
