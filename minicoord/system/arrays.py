"""Checks of arrays that need no kernel: dtypes, masks, and whether an array of some shape fits into memory at all."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from minicoord.system.arguments import TOO_LARGE, shown

FLOATS = (np.dtype(np.float32), np.dtype(np.float64))


def check_float_type(what: str, dtype: Any) -> np.dtype:
    """Return a dtype that was given, in any form that NumPy knows, after checking that it is float32 or float64.

    Raises
    ------
    TypeError
        If it is another dtype, or none.

    Examples
    --------
    >>> check_float_type("Conv2D", "float32") is np.dtype(np.float32)
    True
    """
    try:
        found = np.dtype(dtype)
    except Exception:  # NumPy raises whatever the object that it looks into does
        raise TypeError(f"{what}: dtype was {shown(dtype)}, wanted float32 or float64") from None
    if dtype is None or found not in FLOATS:
        raise TypeError(f"{what}: dtype was {dtype if dtype is None else found}, wanted float32 or float64")
    return found


def check_no_mask(what: str, x: Any) -> None:
    """Raise TypeError for a masked array: what is hidden would count as if it could be seen."""
    if type(x) is not np.ndarray and isinstance(x, np.ma.MaskedArray):
        raise TypeError(
            f"{what} is a masked array, wanted an array without a mask, such as {what.split()[-1]}.filled(0)"
        )


def as_array(what: str, values: Any, kinds: str, wanted: str) -> NDArray:
    """Return values as an array after checking that they make one, of a kind that is wanted, and without a mask.

    Parameters
    ----------
    what : str
        How the error names them.
    values : array or nested sequence of numbers
    kinds : str
        The kinds of dtype, such as ``"iu"`` for whole numbers; all kinds if empty. No values at all are of any kind.
    wanted : str
        What is wanted, in words.

    Raises
    ------
    TypeError
        If they make no array, or one of another kind.
    """
    check_no_mask(what, values)
    try:
        array = np.asarray(values)
    except Exception:  # lists of unequal lengths, and whatever an object does that NumPy looks into
        raise TypeError(f"{what} was {shown(values)}, wanted {wanted}") from None
    if kinds and array.dtype.kind not in kinds and array.size:
        raise TypeError(f"{what} has dtype {array.dtype}, wanted {wanted}")
    return array


def check_indices(what: str, indices: Any, count: int) -> NDArray:
    """Return what somebody gave to choose some of `count` samples: whole numbers, or a bool for each sample.

    Raises
    ------
    TypeError
        If they make no array.
    ValueError
        If the array is of another dtype or has more than one axis, a mask has another length, or an index leads to no
        sample.
    """
    wanted = "one axis of int or bool"
    chosen = as_array(what, indices, "", wanted)
    if chosen.size == 0:
        chosen = np.zeros(chosen.shape, np.int64)  # NumPy turns an empty list into float64
    if chosen.ndim != 1 or chosen.dtype.kind not in "iub":
        raise ValueError(f"{what} has shape {chosen.shape} and dtype {chosen.dtype}, wanted {wanted}")
    if chosen.dtype.kind == "b":
        if len(chosen) != count:
            raise ValueError(f"the mask {what} has length {len(chosen)}, wanted {count}, one per sample")
    elif chosen.size and not (-count <= chosen.min() and chosen.max() < count):
        ends = f"{chosen.min()} to {chosen.max()}"
        raise ValueError(f"{what} go from {ends}, wanted 0 to {count - 1} for {count} samples")
    return chosen


def check_room(what: str, shape: Iterable[int], dtype: Any) -> None:
    """Raise ValueError if an array would not fit into this machine's memory, before anybody tries to make it.

    Parameters
    ----------
    what : str
        What the array is, such as ``"Tile: the output"``.
    shape : tuple of int
    dtype : dtype
    """
    sizes, itemsize = tuple(map(int, shape)), np.dtype(dtype).itemsize
    size = math.prod(sizes) * itemsize
    if size == 0:  # NumPy refuses as large an array of no elements as one whose empty axes had an element each
        size = math.prod(length or 1 for length in sizes) * itemsize
        size = size if size >= TOO_LARGE else 0
    if size > MEMORY:
        refuse_size(what, sizes, size)


def refuse_size(what: str, shape: tuple[int, ...], size: int) -> None:
    """Raise the ValueError of `check_room`, for an array of `size` bytes."""
    gigabytes = f"{size / 2**30:,.0f}" if size < 2**80 else "over 2^50"  # a size may have any number of digits
    memory = MEMORY / 2**30
    raise ValueError(
        f"{what} of shape {shown(shape)} would take {gigabytes} GiB, wanted one that fits into the "
        f"{memory:,.0f} GiB of memory of this machine"
    )


def _memory() -> int:
    """Return the bytes of memory of this machine; where the system does not tell, more than any has."""
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):
        return 2**46


MEMORY = _memory()
"""How many bytes an array may take."""
