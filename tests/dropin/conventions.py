"""What the three files of `minicoord.dropin` are compared with: minicoord's own coordinates, and those of others.

The conventions of others are written down here from what their sources do, one formula each.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from minicoord.reference import coordinate_channels

# Height and width: squares, rectangles both ways, axes of a single pixel, the size of the paper's images.
SIZES = [(4, 4), (2, 3), (3, 2), (14, 6), (1, 7), (5, 1), (1, 1), (64, 64)]

# Two rows of three pixels, written by hand: i, j, r.
BY_HAND = np.array(
    [
        [[-1, -1, -1], [1, 1, 1]],
        [[-1, 0, 1], [-1, 0, 1]],
        [[2**0.5, 1, 2**0.5], [2**0.5, 1, 2**0.5]],
    ]
)


def golden(height: int, width: int, with_r: bool = False, dtype: type = np.float32) -> NDArray:
    """Return minicoord's coordinate channels with the channels first: (2 or 3, height, width)."""
    return np.moveaxis(coordinate_channels(height, width, with_r, dtype), -1, 0)


def official(height: int, width: int) -> NDArray:
    """The released code: columns first, each axis divided by the size of the other one, then r."""
    x = np.tile(np.arange(width) * 2 / (height - 1) - 1, (height, 1))
    y = np.tile(np.arange(height)[:, np.newaxis] * 2 / (width - 1) - 1, (1, width))
    return np.stack([x, y, np.hypot(x, y)])


def monai(height: int, width: int) -> NDArray:
    """Rows first, from -.5 to .5; no r."""
    return np.stack(np.meshgrid(np.linspace(-0.5, 0.5, height), np.linspace(-0.5, 0.5, width), indexing="ij"))


def paddledetection(height: int, width: int) -> NDArray:
    """Columns first, k / (2 (n - 1)) - 1, which ends at -.5; no r."""
    x = np.arange(width) / (2 * (width - 1)) - 1
    y = np.arange(height) / (2 * (height - 1)) - 1
    return np.stack(np.meshgrid(x, y, indexing="xy"))


def paddledetection_2020(height: int, width: int) -> NDArray:
    """Columns first, from -1 to 1; no r."""
    return np.stack(np.meshgrid(np.linspace(-1, 1, width), np.linspace(-1, 1, height), indexing="xy"))


OTHERS = {
    "official": official,
    "monai": monai,
    "paddledetection": paddledetection,
    "paddledetection-2020": paddledetection_2020,
}
