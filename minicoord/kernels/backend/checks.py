"""The checks at the door of every public kernel function. Each error is one sentence: what came, what was wanted."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from minicoord.system.arguments import check_shape_given
from minicoord.system.arrays import FLOATS as FLOATS, check_no_mask, check_room


def check_array(x: object, what: str, ndim: int | None = None, wanted: str = "") -> NDArray:
    """Return `x` as an aligned C-contiguous array after checking that it is a float array with `ndim` axes.

    Parameters
    ----------
    x : ndarray of float32 or float64
        The array to check; one that is not contiguous, or not aligned (part of a file in memory), is copied.
    what : str
        How the error names it, such as ``"conv2d: x"``.
    ndim : int, optional
        The number of axes wanted.
    wanted : str
        The shape wanted, in words, such as ``"(N, H, W, C)"``.

    Raises
    ------
    TypeError
        If `x` is not a NumPy array of float32 or float64, or is masked.
    ValueError
        If it has another number of axes, or is a view too large to be copied.
    """
    if not isinstance(x, np.ndarray):
        raise TypeError(f"{what} is of type {type(x).__name__}, wanted a NumPy array")
    if x.dtype not in FLOATS:
        raise TypeError(f"{what} has dtype {x.dtype}, wanted float32 or float64")
    if ndim is not None and x.ndim != ndim:
        raise ValueError(f"{what} has shape {x.shape}, wanted {wanted or f'{ndim} axes'}")
    if type(x) is not np.ndarray or not x.flags.c_contiguous:
        check_no_mask(what, x)
        check_room(what, x.shape, x.dtype)  # a view may repeat a few numbers without end
        x = np.asarray(x, order="C")  # ascontiguousarray would give an array without axes one axis
    return x if x.flags.aligned else x.copy()


def check_images(x: object, what: str) -> NDArray:
    """Return `x` as a C-contiguous float array of shape (N, H, W, C); see `check_array`."""
    return check_array(x, what, 4, "(N, H, W, C)")


def check_shape(x: NDArray, shape: tuple[int, ...], what: str) -> None:
    """Raise ValueError if `x` has another shape than `shape`."""
    if x.shape != shape:
        raise ValueError(f"{what} has shape {x.shape}, wanted {shape}")


def check_same_dtype(what: str, **arrays: NDArray | None) -> None:
    """Raise TypeError if the arrays (those that are not None) differ in dtype."""
    dtypes = {name: array.dtype for name, array in arrays.items() if array is not None}
    if len(set(dtypes.values())) > 1:
        came = ", ".join(f"{name} {dtype}" for name, dtype in dtypes.items())
        raise TypeError(f"{what}: the dtypes differ ({came}), wanted the same for all")


def check_image_shape(shape: object, what: str) -> tuple[int, int, int, int]:
    """Return a shape that was given for images, (N, H, W, C), as four whole numbers."""
    wanted = "(N, H, W, C)"
    sizes = check_shape_given(what, shape, wanted)
    if len(sizes) != 4:
        raise ValueError(f"{what} is {sizes}, wanted {wanted}")
    images, height, width, channels = sizes
    return images, height, width, channels
