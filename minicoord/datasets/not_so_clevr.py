"""Not-so-Clevr: one white square on a black canvas, once at every position where it is fully visible.

A sample has three attributes: the centre (x, y) of the square in pixels, the one-hot image of that centre, and the
image of the square. Classification goes from the first to the second, regression from the second to the first,
rendering from the first to the third.
"""

from __future__ import annotations

import operator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from minicoord.system.arguments import check_flag, is_whole, shown
from minicoord.system.arrays import check_float_type, check_indices, check_room


@dataclass(frozen=True, eq=False)
class NotSoClevr:
    """All samples for one canvas and one square; make it with `not_so_clevr`.

    Only the centres are stored. The images are computed when asked for, because all 3,136 of them in float32 take
    51 MB.

    Attributes
    ----------
    canvas : (int, int)
        Height H and width W of the images, in pixels.
    square : int
        Side of the square in pixels, odd.
    centres : ndarray (n, 2) of int64, read-only
        Centre of each square as (x, y) in pixels: x is the column, y the row. They are in the order of the official
        sweep: x in the outer loop, y in the inner one.
    """

    canvas: tuple[int, int]
    square: int
    centres: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.centres)

    @property
    def labels(self) -> NDArray[np.int64]:
        """The class of each sample, shape (n,), int64: the flat index ``y * W + x`` of the centre's pixel."""
        x, y = self.centres.T
        return y * self.canvas[1] + x

    def inputs(
        self, indices: ArrayLike | None = None, raw: bool = False, dtype: DTypeLike = np.float32
    ) -> NDArray[np.floating]:
        """Return the centres as a network's input.

        Parameters
        ----------
        indices : array of int or bool, optional
            Which samples; all of them by default.
        raw : bool
            False scales both coordinates to [-1, 1] like the coordinate channels (x by the width, y by the height), so
            that input and channels are comparable; True keeps pixels, which the official code used.
        dtype : float32 or float64

        Returns
        -------
        ndarray (n, 2) of `dtype`
            (x, y) of each sample, in [-1, 1] or in pixels.

        Examples
        --------
        >>> data = not_so_clevr()
        >>> data.inputs([0], raw=True)
        array([[4., 4.]], dtype=float32)
        >>> data.inputs([0]).round(3)
        array([[-0.873, -0.873]], dtype=float32)
        """
        centres = self._select(indices, "inputs")
        dtype = check_float_type("inputs", dtype)
        if check_flag("inputs: raw", raw):
            return centres.astype(dtype)
        height, width = self.canvas
        last = np.array([width - 1, height - 1])
        # An axis of one pixel has the single coordinate 0, as in the coordinate channels.
        return np.where(last > 0, 2 * centres / np.maximum(last, 1) - 1, 0.0).astype(dtype)

    def one_hot(self, indices: ArrayLike | None = None, dtype: DTypeLike = np.float32) -> NDArray[np.floating]:
        """Return the one-hot images of the centres: 1 at row y, column x, and 0 elsewhere.

        Parameters
        ----------
        indices : array of int or bool, optional
            Which samples; all of them by default.
        dtype : float32 or float64

        Returns
        -------
        ndarray (n, H, W, 1) of `dtype`
        """
        x, y = self._select(indices, "one_hot").T
        images = self._black("one_hot", len(x), dtype)
        images[np.arange(len(x)), y, x, 0] = 1
        return images

    def squares(self, indices: ArrayLike | None = None, dtype: DTypeLike = np.float32) -> NDArray[np.floating]:
        """Return the images of the squares: 1 (white) inside the square, and 0 elsewhere.

        White follows the paper. The official generator paints grey 128, which is .502: hardly above one half, where the
        sigmoid is thresholded.

        Parameters
        ----------
        indices : array of int or bool, optional
            Which samples; all of them by default.
        dtype : float32 or float64

        Returns
        -------
        ndarray (n, H, W, 1) of `dtype`
        """
        x, y = self._select(indices, "squares").T
        images = self._black("squares", len(x), dtype)
        half = self.square // 2
        offsets = np.arange(-half, half + 1)
        rows, columns = y[:, None] + offsets, x[:, None] + offsets  # (n, square) each
        images[np.arange(len(x))[:, None, None], rows[:, :, None], columns[:, None, :], 0] = 1
        return images

    def _black(self, what: str, count: int, dtype: DTypeLike) -> NDArray[np.floating]:
        shape, found = (count, *self.canvas, 1), check_float_type(what, dtype)
        check_room(f"{what}: images", shape, found)
        return np.zeros(shape, found)

    def _select(self, indices: ArrayLike | None, what: str) -> NDArray[np.int64]:
        """Return the centres of the samples `indices`, shape (n, 2)."""
        if indices is None:
            return self.centres
        return self.centres[check_indices(f"{what}: indices", indices, len(self))]


def not_so_clevr(canvas: int | tuple[int, int] = 64, square: int = 9) -> NotSoClevr:
    """Make Not-so-Clevr: every centre at which the square lies fully inside the canvas.

    With the paper's canvas and square the centres are x, y in 4..59: 56 x 56 = 3,136 samples.

    Parameters
    ----------
    canvas : int or (int, int)
        Side of the canvas, or its height and width (H, W), in pixels.
    square : int
        Side of the square in pixels. It must be odd, because an even square has no centre pixel.

    Returns
    -------
    NotSoClevr

    Raises
    ------
    TypeError
        If a size is not an integer.
    ValueError
        If the square is even or less than 1, or larger than the canvas.

    Examples
    --------
    >>> data = not_so_clevr()
    >>> len(data), data.centres[0], data.centres[1], data.labels[1]
    (3136, array([4, 4]), array([4, 5]), np.int64(324))
    >>> data.squares([0]).sum()
    np.float32(81.0)
    """
    height, width = _canvas_size(canvas)
    square = _integer(square, "square")
    side = shown(square)
    if square < 1 or square % 2 == 0:
        raise ValueError(f"not_so_clevr: square is {side}, wanted an odd side of 1 or more, so that it has a centre")
    if square > min(height, width):
        raise ValueError(
            f"not_so_clevr: a square of {side} x {side} pixels does not fit on a canvas of height {shown(height)} and "
            f"width {shown(width)}, wanted a canvas at least as large as the square"
        )
    check_room("not_so_clevr: the table of centres", (height, width, 4), np.int64)
    half = square // 2
    x, y = np.meshgrid(np.arange(half, width - half), np.arange(half, height - half), indexing="ij")
    centres = np.stack([x.ravel(), y.ravel()], axis=1).astype(np.int64)
    centres.setflags(write=False)
    return NotSoClevr((height, width), square, centres)


def _canvas_size(canvas: int | tuple[int, int]) -> tuple[int, int]:
    """Return `canvas` as (H, W)."""
    sizes = tuple(canvas) if isinstance(canvas, tuple | list) else (canvas, canvas)
    if len(sizes) != 2:
        raise ValueError(f"not_so_clevr: canvas is {shown(canvas)}, wanted one side or (height, width)")
    height, width = (_integer(size, "canvas") for size in sizes)
    if height < 1 or width < 1:
        raise ValueError(f"not_so_clevr: canvas is {shown(canvas)}, wanted sides of 1 or more")
    return height, width


def _integer(value: object, what: str) -> int:
    """Return `value` as an int; NumPy integers are accepted, floats and bools are not."""
    if not is_whole(value):
        raise TypeError(f"not_so_clevr: {what} is {shown(value)}, wanted an integer number of pixels")
    return operator.index(value)  # pyright: ignore[reportArgumentType]
