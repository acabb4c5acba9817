"""Where an image lies on its canvas: the places of training, and places that no training image had.

A place is (row, column) of the image's top left corner on the canvas, in pixels. It may be negative: what sticks out of
the canvas is cut off.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

SIDE = 28  # pixels, of an image
STEP = 2  # pixels by which the centred images are moved to a place that is new


@dataclass(frozen=True, eq=False)
class Places:
    """The places of a variant.

    Attributes
    ----------
    canvas : int
        Side of the canvas in pixels.
    seen, new : ndarray of int64, (places, 2)
        Row and column of the places at which training images lie, and of those at which none does.
    """

    canvas: int
    seen: NDArray[np.int64]
    new: NDArray[np.int64]


def places_of(variant: str) -> Places:
    """Return the places of a variant.

    ``"centred"``: the images as they are, on a canvas of their own size; new are the four places 2 pixels off along a
    diagonal. ``"shifted"``: 13 x 13 places on a canvas of 40 x 40; new are the 36 in the lower right quarter, as in the
    quadrant split of the paper's toy tasks.

    Examples
    --------
    >>> shifted = places_of("shifted")
    >>> len(shifted.seen), len(shifted.new), shifted.new.min(axis=0)
    (133, 36, array([7, 7]))
    """
    if variant == "centred":
        return Places(SIDE, np.zeros((1, 2), np.int64), np.array(list(product((-STEP, STEP), repeat=2))))
    canvas = 40
    free = canvas - SIDE
    places = np.array(list(product(range(free + 1), repeat=2)))  # (169, 2)
    is_new = (places > free // 2).all(axis=1)
    return Places(canvas, places[~is_new], places[is_new])


def draw_places(places: NDArray[np.int64], count: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Return a place for each of `count` images: (count, 2); each place is used equally often, or once more."""
    rounds = [rng.permutation(len(places)) for _ in range(-(-count // len(places)))]
    return places[np.concatenate([*rounds, np.zeros(0, np.int64)])[:count]]


def put(images: NDArray, places: NDArray[np.int64], canvas: int) -> NDArray:
    """Return each image at its place on an empty canvas.

    Parameters
    ----------
    images : ndarray (N, h, w, C)
    places : ndarray of int64, (N, 2)
        Row and column of each image's top left corner, in pixels; an image may stick out, but not by its whole side.
    canvas : int
        Side of the canvas in pixels.

    Returns
    -------
    ndarray (N, canvas, canvas, C) of the same dtype

    Examples
    --------
    >>> put(np.ones((1, 2, 2, 1)), np.array([[-1, 1]]), 3)[0, ..., 0]
    array([[0., 1., 1.],
           [0., 0., 0.],
           [0., 0., 0.]])
    """
    count, height, width, channels = images.shape
    drawn = np.zeros((count, canvas, canvas, channels), images.dtype)
    for row, column in np.unique(places, axis=0):
        here = np.flatnonzero((places == (row, column)).all(axis=1))
        top, left = max(row, 0), max(column, 0)
        bottom, right = min(row + height, canvas), min(column + width, canvas)
        part = images[here, top - row : bottom - row, left - column : right - column]
        drawn[here, top:bottom, left:right] = part
    return drawn
