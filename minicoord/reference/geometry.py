"""Which pixels each output position sees: sizes and padding, worked out by laying the windows down one by one.

A window is named by the pixel that it starts at, counted from the image's first pixel, so a window that starts in the
padding has a negative number. The first one starts where the padding starts, and each of the others `stride` pixels
after the one before, as long as it ends within the padding on the far side.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

Pair = int | Sequence[int]
Padding = str | int | Sequence[int] | Sequence[Sequence[int]]
Sides = tuple[int, int]


class Windows(NamedTuple):
    """The windows over one image.

    Attributes
    ----------
    kh, kw : int
        Rows and columns of a window, in pixels.
    rows, columns : range
        The pixel at which each row, and each column, of windows starts: one entry for each output position.
    """

    kh: int
    kw: int
    rows: range
    columns: range


def pair(value: Pair) -> tuple[int, int]:
    """Return (rows, columns); one number serves for both."""
    rows, columns = value if isinstance(value, Sequence) else (value, value)
    return rows, columns


def same_padding(size: int, kernel: int, stride: int) -> Sides:
    """Return the pixels of padding (before, after) an axis with which it has ``ceil(size / stride)`` windows.

    This is TensorFlow's rule, which the paper's code used. Of an odd number of pixels the larger half comes after.
    """
    windows = math.ceil(size / stride)
    covered = (windows - 1) * stride + kernel  # from the start of the first window to the end of the last
    missing = max(covered - size, 0)
    return missing // 2, missing - missing // 2


def explicit_padding(padding: int | Sequence[int] | Sequence[Sequence[int]]) -> tuple[Sides, Sides]:
    """Return ((top, bottom), (left, right)) from one number, (rows, columns), or all four."""
    rows, columns = padding if isinstance(padding, Sequence) else (padding, padding)
    return pair(rows), pair(columns)


def window_starts(size: int, kernel: int, stride: int, before: int, after: int) -> range:
    """Return where the windows of one axis start: all that end before pixel ``size + after``."""
    return range(-before, size + after - kernel + 1, stride)


def windows(height: int, width: int, kernel_size: Pair, stride: Pair, padding: Padding) -> Windows:
    """Return the windows over an image of `height` x `width` pixels.

    Parameters
    ----------
    height, width : int
        Size of the image in pixels.
    kernel_size, stride : int or (int, int)
        Rows and columns, in pixels.
    padding : {"same", "valid"}, int, (int, int) or ((int, int), (int, int))
        ``"same"`` is `same_padding`, ``"valid"`` is no padding; otherwise pixels for all four sides, for (rows,
        columns), or for ((top, bottom), (left, right)).

    Raises
    ------
    ValueError
        If the window is larger than the padded image.

    Examples
    --------
    >>> windows(5, 4, 3, 2, "same")  # five rows need one pixel of padding on each side, four columns one on the right
    Windows(kh=3, kw=3, rows=range(-1, 4, 2), columns=range(0, 3, 2))
    """
    (kh, kw), (sy, sx) = pair(kernel_size), pair(stride)
    if padding == "same":
        vertical, horizontal = same_padding(height, kh, sy), same_padding(width, kw, sx)
    elif padding == "valid":
        vertical = horizontal = (0, 0)
    elif isinstance(padding, str):
        raise ValueError(f"padding was {padding!r:.100}, wanted 'same', 'valid' or numbers of pixels")
    else:
        vertical, horizontal = explicit_padding(padding)
    rows, columns = window_starts(height, kh, sy, *vertical), window_starts(width, kw, sx, *horizontal)
    if not rows or not columns:
        raise ValueError(f"a {kh}x{kw} window is larger than the image of {height}x{width} pixels with its padding")
    return Windows(kh, kw, rows, columns)


def steps(images: int, height: int, width: int, over: Windows) -> Iterator[tuple[int, int, int, int, int, int, int]]:
    """Yield ``(n, i, j, ki, kj, row, column)`` for every image, output position and pixel under its window.

    ``(i, j)`` is the output position, ``(ki, kj)`` the pixel within the window, and ``(row, column)`` the same pixel
    within the image. Pixels in the padding are left out: they are zero and add nothing.
    """
    for n in range(images):
        for i, top in enumerate(over.rows):
            for j, left in enumerate(over.columns):
                for ki in range(over.kh):
                    for kj in range(over.kw):
                        row, column = top + ki, left + kj
                        if 0 <= row < height and 0 <= column < width:
                            yield n, i, j, ki, kj, row, column
