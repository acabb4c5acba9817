"""Fields of digits: the paper's detection images, handwritten digits scattered over a canvas (section 3.3).

Positions are in pixels from the top left corner of the canvas, whose pixel (r, c) covers the square from (r, c) to
(r + 1, c + 1). So a box that fills a canvas of 64 x 64 is (32, 32, 64, 64).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import DTypeLike, NDArray

from minicoord.kernels.resize import draw_resized
from minicoord.system.arguments import check_number, check_whole, is_sequence, shown
from minicoord.system.arrays import check_float_type, check_no_mask, check_room

BLOCK = 4096  # arrangements that are drawn at once
FEWEST_ACCEPTED = 1e-4  # share of arrangements with the right number of digits, below which it would take too long


@dataclass(frozen=True, eq=False)
class FieldOfDigits:
    """Images with scattered digits, and where each digit is.

    Attributes
    ----------
    images : ndarray (N, H, W, 1) of float32 or float64
        Intensities from 0 to 1.
    boxes : ndarray (N, D, 4) of float32
        (i, j, h, w) of each digit: row and column of its centre, height and width, in pixels. A box may stick out of
        the image; its centre never does.
    digits : ndarray (N, D) of int64
        Which of the images that were scattered each digit is.
    """

    images: NDArray[np.floating]
    boxes: NDArray[np.float32]
    digits: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.images)


def field_of_digits(
    images: NDArray[np.uint8],
    count: int,
    seed: int,
    digits: int = 5,
    canvas: int = 64,
    field: int = 120,
    scattered: int | None = None,
    sides: tuple[float, float] = (15.0, 25.0),
    dtype: DTypeLike = np.float32,
) -> FieldOfDigits:
    """Scatter digits over a field, and return its middle wherever exactly so many digits have their centre in it.

    Each digit is cropped to its ink and stretched to a height and a width that are drawn independently, with bilinear
    interpolation. Its place on the field is drawn from all at which it lies within the field. Digits may overlap;
    intensities are added and clipped at 1.

    The paper's text is not exact about how many digits lie on the field, and its code has no filter. By default only
    those lie there whose centres are seen. With more of them (`scattered`), digits with centres outside reach in at
    the edges, and have no box. With ``field=64`` every digit lies within the image.

    Parameters
    ----------
    images : ndarray of uint8, (M, H, W) or (M, H, W, 1)
        Digits to choose from, with repetition; none of them empty. For a test set, give others than for training.
    count : int
        How many fields to make.
    seed : int
        The same arguments and seed give the same fields.
    digits : int
        How many centres are in each image.
    canvas, field : int
        Sides of the image and of the field, in pixels; both are squares with the same centre.
    scattered : int, optional
        How many digits lie on the field; by default `digits`.
    sides : (float, float)
        Least and greatest height and width of a digit, in pixels.
    dtype : float32 or float64
        Of the images.

    Returns
    -------
    FieldOfDigits

    Raises
    ------
    TypeError
        If `images` or `dtype` has another dtype.
    ValueError
        If a shape or a number is not as above, an image is empty, or fields with `digits` centres in the middle are
        so rare that it would take too long to find them.

    Examples
    --------
    >>> from minicoord import shipped_images
    >>> fields = field_of_digits(shipped_images("mnist").train.images, count=3, seed=0)
    >>> fields.images.shape, fields.boxes.shape
    ((3, 64, 64, 1), (3, 5, 4))
    """
    scattered = digits if scattered is None else scattered
    flat = _check_images(images)  # (M, H, W)
    dtype = check_float_type("field_of_digits", dtype)
    _check_sizes(count, digits, canvas, field, scattered, sides)
    check_whole("field_of_digits: seed", seed, 0)
    rng = np.random.default_rng(seed)
    boxes = _arrangements(rng, count, digits, canvas, field, scattered, sides)  # (N, scattered, 4)
    which = rng.integers(0, len(flat), boxes.shape[:2])
    scaled = flat.astype(dtype) / dtype.type(255)
    drawn = draw_resized(scaled, ink_parts(flat), which, boxes, canvas, canvas)
    return FieldOfDigits(drawn, boxes[:, :digits].astype(np.float32), which[:, :digits])


def ink_parts(images: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Return the smallest part of each image (M, H, W) that holds all its ink: top, left, height, width; (M, 4).

    Examples
    --------
    >>> image = np.zeros((1, 5, 6), np.uint8)
    >>> image[0, 1:3, 2] = 7
    >>> ink_parts(image)
    array([[1, 2, 2, 1]])
    """
    rows, columns = (np.asarray(images.any(axis=axis)) for axis in (2, 1))  # (M, H), (M, W)
    first = [some.argmax(axis=1) for some in (rows, columns)]
    end = [some.shape[1] - some[:, ::-1].argmax(axis=1) for some in (rows, columns)]
    return np.stack([*first, end[0] - first[0], end[1] - first[1]], axis=1).astype(np.int64)


def _arrangements(
    rng: np.random.Generator,
    count: int,
    digits: int,
    canvas: int,
    field: int,
    scattered: int,
    sides: tuple[float, float],
) -> NDArray[np.float64]:
    """Return `count` arrangements of boxes (count, scattered, 4): first those with their centre in the middle.

    Arrangements with another number of centres there than `digits` are thrown away.
    """
    offset = (field - canvas) / 2
    kept, missing = [np.empty((0, scattered, 4))], count
    while missing > 0:
        size = rng.uniform(*sides, (BLOCK, scattered, 2))
        centre = rng.uniform(size / 2, field - size / 2) - offset  # in pixels of the canvas
        inside = np.asarray(((centre >= 0) & (centre < canvas)).all(axis=2))  # (BLOCK, scattered)
        right = np.asarray(inside.sum(axis=1) == digits)
        boxes = np.concatenate([centre, size], axis=2)[right]
        order = np.argsort(~inside[right], axis=1, kind="stable")
        kept.append(np.take_along_axis(boxes, order[..., None], axis=1)[:missing])
        missing -= len(kept[-1])
    return np.concatenate(kept)


def _check_images(images: object) -> NDArray[np.uint8]:
    if not isinstance(images, np.ndarray) or images.dtype != np.uint8:
        found = images.dtype if isinstance(images, np.ndarray) else f"type {type(images).__name__}"
        raise TypeError(f"field_of_digits: images has {found}, wanted an array of uint8")
    check_no_mask("field_of_digits: images", images)
    flat = images[..., 0] if images.ndim == 4 and images.shape[3] == 1 else images
    if flat.ndim != 3 or not len(flat):
        raise ValueError(
            f"field_of_digits: images has shape {images.shape}, wanted (M, H, W) or (M, H, W, 1) with one image or more"
        )
    empty = np.flatnonzero(~flat.any(axis=(1, 2)))
    if len(empty):
        raise ValueError(f"field_of_digits: image {empty[0]} is empty, wanted images with ink")
    return flat


def _check_sizes(count: int, digits: int, canvas: int, field: int, scattered: int, sides: tuple[float, float]) -> None:
    check_whole("field_of_digits: count", count, 0)
    check_whole("field_of_digits: digits", digits, 1)
    check_whole("field_of_digits: scattered", scattered, digits)
    check_whole("field_of_digits: canvas", canvas, 1)
    check_whole("field_of_digits: field", field, canvas)
    check_room("field_of_digits: the images", (count, canvas, canvas), np.float64)
    check_room("field_of_digits: the boxes", (count + BLOCK, scattered, 4), np.float64)
    check_number("field_of_digits: field", field, canvas, below=2.0**31)
    if not is_sequence(sides) or len(sides) != 2:
        raise TypeError(f"field_of_digits: sides was {shown(sides)}, wanted (least, greatest)")
    least, greatest = sides
    check_number("field_of_digits: the least side", least, 0, above=True)
    check_number("field_of_digits: the greatest side", greatest, least)
    if greatest > field:
        digit = f"a digit of {shown(greatest)} pixels does not fit on a field of {field}"
        raise ValueError(f"field_of_digits: {digit}, wanted smaller sides or a larger field")
    share = _accepted(digits, canvas, field, scattered, (least + greatest) / 2)
    if share < FEWEST_ACCEPTED:
        raise ValueError(
            f"field_of_digits: of {int(scattered)} digits on a field of {field}, exactly {digits} have their centre in "
            f"the middle {canvas} pixels about once in {1 / max(share, 1e-300):.2g} fields, wanted once in "
            f"{1 / FEWEST_ACCEPTED:,.0f} or more often; change scattered or field"
        )


def _accepted(digits: int, canvas: int, field: int, scattered: int, side: float) -> float:
    """Return about how many arrangements have the right number of centres in the middle: a binomial probability."""
    inside = min(canvas / max(field - side, canvas), 1.0) ** 2
    if inside == 1:
        return float(scattered == digits)
    outside = scattered - digits
    ways = math.lgamma(scattered + 1) - math.lgamma(digits + 1) - math.lgamma(outside + 1)
    return math.exp(ways + digits * math.log(inside) + outside * math.log1p(-inside))
