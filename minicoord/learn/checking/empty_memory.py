"""Answers that use what `np.empty` leaves in an array.

Fresh memory is often zero, so that ``y = np.empty(shape)`` followed by ``y[k] += ...`` is right by chance, most of the
time. While an answer runs as plain Python, `np.empty` and `np.empty_like` therefore fill their arrays: with a nan whose
bits are known again in the result, and with an uncommon integer.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

CAUSE = (
    "np.empty leaves in an array whatever the memory held, and some of it is still there; "
    "write every number, or start with np.zeros where you add with +="
)

NAN_BITS = 0x7FD5C0DE
"""A quiet nan in float32; its bits survive sums, products and the conversions between float32 and float64."""
SIGN = 0x80000000


def call_with_filled_memory(function: Callable[..., Any], args: tuple[Any, ...]) -> tuple[Any, tuple[Any, ...]]:
    """Call a function while `np.empty` fills its arrays; return the result, and the arguments after the call.

    Numba does not know the functions that stand in for `np.empty`. An answer that compiles a helper is therefore called
    once more, as it is.
    """
    untouched = copy.deepcopy(args)
    try:
        with filled_memory():
            return function(*args), args
    except Exception as error:
        if not type(error).__module__.startswith("numba"):
            raise
    return function(*untouched), untouched


@contextmanager
def filled_memory() -> Iterator[None]:
    """Let `np.empty` and `np.empty_like` return arrays that are filled."""
    before = np.empty, np.empty_like
    np.empty, np.empty_like = map(_filling, before)
    try:
        yield
    finally:
        np.empty, np.empty_like = before


def _filling(create: Callable[..., np.ndarray]) -> Callable[..., np.ndarray]:
    def filled(*args: Any, **options: Any) -> np.ndarray:
        array = create(*args, **options)
        if isinstance(array, np.ndarray) and array.dtype.kind in "fiu":
            array[...] = _fill_value(array.dtype)
        return array

    return filled


def _fill_value(dtype: np.dtype[Any]) -> Any:
    if dtype.kind == "f":
        return np.uint32(NAN_BITS).view(np.float32).astype(dtype)
    return np.iinfo(dtype).max - 90


def left_over(result: Any) -> bool:
    """Whether a result holds numbers that came from filled memory."""
    if isinstance(result, tuple):
        return any(map(left_over, result))
    if not isinstance(result, np.ndarray | np.generic) or result.dtype.kind not in "fiu" or not result.size:
        return False
    if result.dtype.kind != "f":
        return bool((result == _fill_value(result.dtype)).any())
    with np.errstate(all="ignore"):
        bits = np.atleast_1d(np.asarray(result)).astype(np.float32).view(np.uint32)
    return bool(((bits & ~np.uint32(SIGN)) == NAN_BITS).any())
