"""Two coloured objects: the images of the paper's GAN and VAE (figure 7).

On a white canvas lie a blue object and, over it, a red one. Each is a square or a circle, with equal chances. Their
middles are at least one width apart, as the crow flies: two squares may therefore overlap at a corner.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from minicoord.kernels.coloured_shapes import draw_shapes
from minicoord.system.arguments import check_whole, is_whole, shown
from minicoord.system.arrays import check_indices, check_room

BLUE, RED = 0, 1
"""Places of the two objects in the arrays below."""

COLOURS = np.array([[-1, -1, 1], [1, -1, -1]], np.float32)  # (objects, RGB), in [-1, 1]


class Sizes(NamedTuple):
    """What a canvas prescribes, in pixels.

    Attributes
    ----------
    half : int
        From the middle of an object to its edge: half the width of a square, and the radius of a circle.
    first, last : int
        The least and the greatest coordinate of a middle; both are possible.
    apart : int
        The least distance of the two middles.
    """

    half: int
    first: int
    last: int
    apart: int


SIZES = {64: Sizes(10, 10, 53, 20), 32: Sizes(5, 5, 26, 10)}
"""By the side of the canvas: the paper's, and one of half the sizes for a laptop."""


@dataclass(frozen=True, eq=False)
class TwoObjects:
    """Arrangements of two objects. Images are drawn when they are asked for, because all of them may be gigabytes.

    Attributes
    ----------
    canvas : int
        Side of the images in pixels.
    centres : ndarray (N, 2, 2) of int64
        (x, y) of the blue and of the red object, in pixels.
    circles : ndarray (N, 2) of bool
        Whether each is a circle; the others are squares.
    """

    canvas: int
    centres: NDArray[np.int64]
    circles: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.centres)

    def draw(self, which: slice | NDArray[np.integer] = slice(None)) -> NDArray[np.float32]:
        """Return the images of some arrangements, by default of all.

        Parameters
        ----------
        which : slice or ndarray of int, (n,)
            Indices of arrangements, or a bool for each.

        Returns
        -------
        ndarray (n, canvas, canvas, 3) of float32
            RGB in [-1, 1].

        Raises
        ------
        TypeError, ValueError
            If they are not indices of arrangements.
        """
        if not isinstance(which, slice):
            which = check_indices("TwoObjects.draw: which", which, len(self))
        return draw_shapes(self.centres[which], self.circles[which], COLOURS, SIZES[self.canvas].half, self.canvas)


def two_objects(n: int, canvas: int = 64, seed: int = 0) -> TwoObjects:
    """Return random arrangements of a blue and a red object.

    The middle of each is drawn from all at which it lies within the canvas; that of the red one again, until it is far
    enough from the blue one.

    Parameters
    ----------
    n : int
        How many; the paper has 50,000.
    canvas : {64, 32}
        Side of the canvas in pixels: the paper's, or half of it with objects of half the size.
    seed : int
        The same arguments and seed give the same arrangements.

    Returns
    -------
    TwoObjects

    Raises
    ------
    ValueError
        If a number is not as above.

    Examples
    --------
    >>> data = two_objects(3, canvas=32, seed=0)
    >>> data.draw().shape, data.draw(slice(1)).dtype, data.centres.shape
    ((3, 32, 32, 3), dtype('float32'), (3, 2, 2))
    """
    check_whole("two_objects: n", n, 0)
    check_whole("two_objects: seed", seed, 0)
    if not is_whole(canvas) or int(canvas) not in SIZES:
        raise ValueError(f"two_objects: canvas was {shown(canvas)}, wanted one of {', '.join(map(str, SIZES))}")
    check_room("two_objects: the array of centres", (n, 2, 2), np.int64)
    sizes, rng, n = SIZES[int(canvas)], np.random.default_rng(int(seed)), int(n)
    centres = rng.integers(sizes.first, sizes.last, (n, 2, 2), endpoint=True)
    while len(close := np.flatnonzero(_squared_distance(centres) < sizes.apart**2)):
        centres[close, RED] = rng.integers(sizes.first, sizes.last, (len(close), 2), endpoint=True)
    return TwoObjects(int(canvas), centres, rng.random((n, 2)) < 0.5)


def _squared_distance(centres: NDArray[np.int64]) -> NDArray[np.int64]:
    return ((centres[:, BLUE] - centres[:, RED]) ** 2).sum(axis=1)  # (N,)
