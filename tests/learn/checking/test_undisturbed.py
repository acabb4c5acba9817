"""What an answer sets in the libraries is as before when its check is done."""

from __future__ import annotations

import warnings

import matplotlib
import numba
import numpy as np

from minicoord.learn.checking.undisturbed import undisturbed


def test_settings_of_libraries_do_not_leak_out_of_a_check():
    threads, filters = numba.get_num_threads(), list(warnings.filters)
    size, errors = matplotlib.rcParams["font.size"], np.geterr()
    before = np.random.get_state()[1].copy()  # type: ignore[union-attr]  # noqa: NPY002
    with undisturbed():
        numba.set_num_threads(1)
        np.random.seed(12345)  # noqa: NPY002
        np.seterr(all="raise")
        warnings.simplefilter("error")
        matplotlib.rcParams["font.size"] = 40.0
    assert numba.get_num_threads() == threads
    assert np.geterr() == errors
    assert list(warnings.filters) == filters
    assert matplotlib.rcParams["font.size"] == size
    assert np.array_equal(np.random.get_state()[1], before)  # type: ignore[index]  # noqa: NPY002


def test_threads_of_the_kernels_are_as_before_even_if_a_kernel_ran():
    from minicoord import get_threads, set_threads
    from minicoord.kernels.backend.threading_layer import apply_threads

    before = get_threads()
    numba.set_num_threads(numba.config.NUMBA_NUM_THREADS)  # type: ignore[attr-defined]
    try:
        with undisturbed():
            set_threads(1)
            apply_threads()
        assert get_threads() == before
        set_threads(1)
        apply_threads()
        assert numba.get_num_threads() == 1
    finally:
        set_threads(before)
        apply_threads()
