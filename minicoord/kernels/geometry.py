"""Sizes and padding: the arithmetic that every window operation shares. Plain Python, nothing compiled.

A window of ``kernel`` pixels moves over an axis of ``size`` pixels in steps of ``stride``. With ``before`` and
``after`` pixels of padding there are ``(size + before + after - kernel) // stride + 1`` places for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from operator import index
from typing import Any, NamedTuple

from minicoord.system.arguments import check_whole, is_sequence, is_whole, shown

Pair = int | Sequence[int]
Padding = str | int | Sequence[int] | Sequence[Sequence[int]]
PlainPadding = str | tuple[tuple[int, int], tuple[int, int]]


LARGEST = 2**31
"""Sizes are below it, so that no product of two of them leaves the whole numbers of a kernel."""


class Window(NamedTuple):
    """Where the windows of one operation lie: all in pixels, rows first.

    ``top, bottom, left, right`` is the padding of each side; ``out_h, out_w`` counts the places of the window.
    """

    kh: int
    kw: int
    sy: int
    sx: int
    top: int
    bottom: int
    left: int
    right: int
    out_h: int
    out_w: int


def pair(value: Pair, name: str, least: int = 1) -> tuple[int, int]:
    """Return `value` as (rows, columns): one whole number serves for both.

    Raises
    ------
    ValueError
        If `value` is neither a whole number nor two of them, or one is below `least`.

    Examples
    --------
    >>> pair(3, "kernel_size"), pair((3, 5), "kernel_size")
    ((3, 3), (3, 5))
    """
    both: tuple[Any, ...] = tuple(value) if is_sequence(value) else (value, value)
    result = (index(both[0]), index(both[1])) if len(both) == 2 and all(map(is_whole, both)) else None
    if result is None or min(result) < least:
        raise ValueError(
            f"{name} was {shown(value)}, it must be a whole number of at least {least} or two (rows, columns)"
        )
    return result


def same_padding(size: int, kernel: int, stride: int) -> tuple[int, int]:
    """Return the padding (before, after) with which the output has ``ceil(size / stride)`` places.

    This is TensorFlow's rule, which the paper's code used: an odd pixel goes after, to the bottom or the right.

    Examples
    --------
    >>> same_padding(64, 3, 2), same_padding(64, 5, 2), same_padding(64, 4, 1)
    ((0, 1), (1, 2), (1, 2))
    """
    places = -(-size // stride)
    total = max((places - 1) * stride + kernel - size, 0)
    return total // 2, total - total // 2


def explicit_padding(padding: Padding, name: str = "padding") -> tuple[int, int, int, int]:
    """Return (top, bottom, left, right) from one number, (rows, columns) or ((top, bottom), (left, right)).

    Examples
    --------
    >>> explicit_padding(1), explicit_padding((1, 2)), explicit_padding(((0, 1), (2, 3)))
    ((1, 1, 1, 1), (1, 1, 2, 2), (0, 1, 2, 3))
    """
    both: tuple[Any, ...] = tuple(padding) if is_sequence(padding) else (padding, padding)
    ends = [end for axis in both for end in (axis if is_sequence(axis) else (axis, axis))]
    if len(both) != 2 or len(ends) != 4 or not all(is_whole(end) and end >= 0 for end in ends):
        raise ValueError(
            f"{name} was {shown(padding)}, it must be 'same', 'valid', a whole number of pixels, (rows, columns) or "
            "((top, bottom), (left, right)), none negative"
        )
    top, bottom, left, right = map(index, ends)
    return top, bottom, left, right


def plain_padding(padding: Padding, name: str = "padding") -> PlainPadding:
    """Return "same", "valid", or ((top, bottom), (left, right)): one form for each padding.

    Raises
    ------
    ValueError
        If `padding` has none of the forms of `window`.

    Examples
    --------
    >>> plain_padding("same"), plain_padding([1, 2])
    ('same', ((1, 1), (2, 2)))
    """
    if isinstance(padding, str) and padding in ("same", "valid"):
        return padding
    top, bottom, left, right = explicit_padding(padding, name)
    return (top, bottom), (left, right)


def window(height: int, width: int, kernel_size: Pair, stride: Pair = 1, padding: Padding = "same") -> Window:
    """Return where a window lies over an image of `height` x `width` pixels.

    Parameters
    ----------
    height, width : int
        Size of the image in pixels.
    kernel_size, stride : int or (int, int)
        Rows and columns, at least 1 each.
    padding : {"same", "valid"}, int, (int, int) or ((int, int), (int, int))
        ``"same"`` is TensorFlow's rule (`same_padding`), ``"valid"`` is none; else pixels for all sides, for
        (rows, columns), or for ((top, bottom), (left, right)).

    Raises
    ------
    ValueError
        If an argument has the wrong form, the window is larger than the padded image, or a size is beyond `LARGEST`.

    Examples
    --------
    >>> window(64, 64, 3, stride=2).out_h
    32
    """
    try:
        return _remembered(height, width, kernel_size, stride, padding)
    except (TypeError, ValueError):  # a list cannot be looked up; what is wrong is said below, once
        pass
    return _window(height, width, kernel_size, stride, padding)


def _window(height: int, width: int, kernel_size: Pair, stride: Pair, padding: Padding) -> Window:
    check_whole("window: height", height, 0)
    check_whole("window: width", width, 0)
    height, width = index(height), index(width)  # unsigned numbers of NumPy cannot be subtracted from
    (kh, kw), (sy, sx), plain = pair(kernel_size, "kernel_size"), pair(stride, "stride"), plain_padding(padding)
    if plain == "same":
        (top, bottom), (left, right) = same_padding(height, kh, sy), same_padding(width, kw, sx)
    elif isinstance(plain, str):
        top = bottom = left = right = 0
    else:
        (top, bottom), (left, right) = plain
    padded_h, padded_w = height + top + bottom, width + left + right
    if max(padded_h, padded_w, sy, sx) >= LARGEST:
        raise ValueError(
            f"an image of {_by(padded_h, padded_w)} pixels with its padding, in steps of {_by(sy, sx)}, is too large, "
            f"wanted sizes below {LARGEST}"
        )
    if padded_h < kh or padded_w < kw:
        padded = "padded " if max(top, bottom, left, right) else ""
        sizes = f"a {_by(kh, kw)} window does not fit into the {padded}image of {padded_h}x{padded_w} pixels"
        raise ValueError(f"{sizes}, wanted a smaller window or more padding")
    return Window(kh, kw, sy, sx, top, bottom, left, right, (padded_h - kh) // sy + 1, (padded_w - kw) // sx + 1)


def _by(rows: int, columns: int) -> str:
    """Return two sizes as ``"3x5"``; one that was given may have any number of digits, and is shortened."""
    return "x".join(str(size) if size < 2**64 else "over 2^64" for size in (rows, columns))


# A network asks for the same few windows in every step. Typed, because True is equal to 1 and yet no size.
_remembered = lru_cache(maxsize=1024, typed=True)(_window)
