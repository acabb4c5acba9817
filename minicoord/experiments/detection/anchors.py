"""Anchors: at each position of the feature map, nine boxes that the network moves and resizes.

A position of the map sees 16 x 16 pixels of the image, and its neighbour the same four pixels further on. Its anchors
have their centre where the centre of these pixels is: with padding "valid" the first is at 8 pixels from the edge, with
"same" at 2, where part of what it sees lies outside the image.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from minicoord.system.arguments import shown

SIZES = ((15, 15), (20, 20), (25, 25), (15, 20), (20, 25), (20, 15), (25, 20), (15, 25), (25, 15))
"""Height and width of each anchor in pixels, in the paper's order."""

STRIDE = 4  # pixels of the image from one position of the map to the next
FIRST = {"valid": 8.0, "same": 2.0}  # pixels from the image's edge to the first centre, by padding


def anchors(rows: int, columns: int, padding: str = "valid", official: bool = False) -> NDArray[np.float32]:
    """Return the anchors of all positions of a feature map.

    The released code puts the 36 numbers of a position in another order than it reads them in: all nine rows i, then
    all columns j, all heights, all widths; and read in fours. Most of its anchors are then no boxes that anybody
    wanted: the first at position (1, 2) is (12, 12, 12, 12) and not (12, 16, 15, 15), a column stands where a height
    should, and so on. The network starts from them all the same, further from the digits.

    Parameters
    ----------
    rows, columns : int
        Size of the feature map: 13 x 13 with padding "valid", 16 x 16 with "same", for an image of 64 x 64.
    padding : {"valid", "same"}
    official : bool
        Whether the anchors are scrambled as in the released code.

    Returns
    -------
    ndarray (rows, columns, 9, 4) of float32
        (i, j, h, w) of each anchor: centre, height and width, in pixels.

    Raises
    ------
    ValueError
        If the padding is another one.

    Examples
    --------
    >>> anchors(13, 13)[1, 2, 0], anchors(13, 13, official=True)[1, 2, 0]
    (array([12., 16., 15., 15.], dtype=float32), array([12., 12., 12., 12.], dtype=float32))
    """
    if padding not in FIRST:
        raise ValueError(f"anchors: padding was {shown(padding)}, wanted 'valid' or 'same'")
    boxes = np.empty((rows, columns, len(SIZES), 4), np.float32)
    boxes[..., 0] = (FIRST[padding] + STRIDE * np.arange(rows))[:, None, None]
    boxes[..., 1] = (FIRST[padding] + STRIDE * np.arange(columns))[:, None]
    boxes[..., 2:] = SIZES
    if official:
        boxes = boxes.swapaxes(2, 3).reshape(boxes.shape)  # (rows, columns, 4, 9), read as (rows, columns, 9, 4)
    return boxes
