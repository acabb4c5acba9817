"""How the network's four numbers move an anchor, how far a box is inside the image, and the numbers that are right.

A box is (i, j, h, w): row and column of its centre, height and width, in pixels from the image's top left corner. The
network gives a *transform* t = (t_i, t_j, t_h, t_w) for each anchor (i, j, h, w):

    i + t_i h,    j + t_j w,    h exp(t_h),    w exp(t_w)
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def decode(transforms: NDArray[np.floating], anchors: NDArray[np.floating]) -> NDArray[np.floating]:
    """Return the boxes to which transforms move anchors.

    Parameters
    ----------
    transforms, anchors : ndarray (..., 4), shapes that broadcast
        The anchors in pixels.

    Returns
    -------
    ndarray (..., 4)
        Boxes (i, j, h, w), in pixels.

    Examples
    --------
    >>> decode(np.array([0.5, 0.0, np.log(2), 0.0]), np.array([20.0, 30.0, 10.0, 15.0]))
    array([25., 30., 20., 15.])
    """
    centre, size = anchors[..., :2], anchors[..., 2:]  # (..., 2)
    return np.concatenate([centre + transforms[..., :2] * size, size * np.exp(transforms[..., 2:])], axis=-1)


def encode(boxes: NDArray[np.floating], anchors: NDArray[np.floating]) -> NDArray[np.floating]:
    """Return the transforms that move anchors to boxes: the inverse of `decode`.

    Parameters
    ----------
    boxes, anchors : ndarray (..., 4), of one shape
        In pixels, with sides above 0.

    Returns
    -------
    ndarray (..., 4)
    """
    size = anchors[..., 2:]
    return np.concatenate([(boxes[..., :2] - anchors[..., :2]) / size, np.log(boxes[..., 2:] / size)], axis=-1)


def edges(boxes: NDArray[np.floating]) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
    """Return (top, left) and (bottom, right) of boxes (..., 4), in pixels, each (..., 2)."""
    half = boxes[..., 2:] / 2
    return boxes[..., :2] - half, boxes[..., :2] + half


def clip(boxes: NDArray[np.floating], height: float, width: float) -> NDArray[np.floating]:
    """Return what boxes (..., 4) cover of an image; of one that lies outside, a box without area at the edge.

    The released code clips 64 pixels to edges from 0 to 63, which is ``clip(boxes, 63, 63)``.
    """
    size = np.array([height, width], boxes.dtype)
    first, last = (np.clip(edge, 0, size) for edge in edges(boxes))
    return np.concatenate([(first + last) / 2, last - first], axis=-1)


def inside(boxes: NDArray[np.floating], height: float, width: float) -> NDArray[np.bool_]:
    """Return which boxes (..., 4) lie within an image, edges included; (...)."""
    first, last = edges(boxes)
    return np.asarray((first >= 0).all(axis=-1) & (last <= (height, width)).all(axis=-1))


def centred_outside(boxes: NDArray[np.floating], height: float, width: float) -> NDArray[np.bool_]:
    """Return which boxes (..., 4) have their centre outside an image; one on the edge is inside; (...)."""
    centre = boxes[..., :2]  # (..., 2)
    return np.asarray(((centre < 0) | (centre > (height, width))).any(axis=-1))
