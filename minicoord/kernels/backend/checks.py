"""The checks at the door of every public kernel function. Each error is one sentence: what came, what was wanted."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from minicoord.system.arguments import check_shape_given, shown
from minicoord.system.arrays import FLOATS as FLOATS, check_no_mask, check_room


def check_array(
    x: object,
    what: str,
    ndim: int | None = None,
    wanted: str = "",
    shape: tuple[int, ...] | None = None,
    dtype: type | None = None,
) -> NDArray:
    """Return `x` as an aligned C-contiguous array after checking its dtype, and its shape as far as it is known.

    Parameters
    ----------
    x : ndarray
        The array to check; one that is not contiguous, or not aligned (part of a file in memory), is copied.
    what : str
        How the error names it, such as ``"conv2d: x"``.
    ndim : int, optional
        The number of axes wanted.
    wanted : str
        The shape wanted, in words, such as ``"(N, H, W, C)"``.
    shape : tuple of int, optional
        The shape wanted, if all of it is known.
    dtype : type, optional
        The dtype wanted; by default float32 or float64.

    Raises
    ------
    TypeError
        If `x` is not a NumPy array of that dtype, or is masked.
    ValueError
        If it has another shape, or is a view too large to be copied.
    """
    if not isinstance(x, np.ndarray):
        raise TypeError(f"{what} is of type {type(x).__name__}, wanted a NumPy array")
    if x.dtype not in FLOATS if dtype is None else x.dtype != dtype:
        raise TypeError(f"{what} has dtype {x.dtype}, wanted {np.dtype(dtype) if dtype else 'float32 or float64'}")
    if ndim is not None and x.ndim != ndim:
        raise ValueError(f"{what} has shape {x.shape}, wanted {wanted or f'{ndim} axes'}")
    if shape is not None:
        check_shape(x, shape, what)
    if type(x) is not np.ndarray or not x.flags.c_contiguous:
        check_no_mask(what, x)
        check_room(what, x.shape, x.dtype)  # a view may repeat a few numbers without end
        x = np.asarray(x, order="C")  # ascontiguousarray would give an array without axes one axis
    return x if x.flags.aligned else x.copy()


def check_images(x: object, what: str, pixels: int = 0) -> NDArray:
    """Return `x` as a C-contiguous float array (N, H, W, C) of at least 0 or 1 pixels; see `check_array`."""
    x = check_array(x, what, 4, "(N, H, W, C)")
    if x.shape[1] * x.shape[2] < pixels:
        raise ValueError(f"{what} has shape {x.shape}, wanted (N, H, W, C) with at least one pixel")
    return x


def check_bias(b: object, c_out: int, dtype: np.dtype, what: str) -> NDArray:
    """Return the bias `b` of shape (c_out,), zeros if it is None; see `check_array`."""
    return np.zeros(c_out, dtype) if b is None else check_array(b, f"{what}: b", shape=(c_out,))


def check_in_place(what: str, **arrays: NDArray) -> None:
    """Raise ValueError unless a kernel can write into these arrays: a copy would take the change and be lost."""
    for name, array in arrays.items():
        if not (array.flags.c_contiguous and array.flags.writeable):
            raise ValueError(f"{what}: {name} is a view or read-only, wanted a writeable contiguous array")


def check_shape(x: NDArray, shape: tuple[int, ...], what: str) -> None:
    """Raise ValueError if `x` has another shape than `shape`."""
    if x.shape != shape:
        raise ValueError(f"{what} has shape {x.shape}, wanted {shown(shape)}")


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
        raise ValueError(f"{what} is {shown(sizes)}, wanted {wanted}")
    images, height, width, channels = sizes
    return images, height, width, channels
