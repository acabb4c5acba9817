"""Detection: the networks of a region proposal network that finds digits scattered over a canvas.

The paper speaks of Faster R-CNN; its code has the first stage only, the region proposal network. A trunk turns the
image into a feature map of about a quarter of its height and width. At each position of the map, one branch moves and
resizes nine anchor boxes, and another scores them as digit or background. The CoordConv version adds coordinates in
three layers: the first and the last of the trunk, and the last of the box branch.
"""

from __future__ import annotations

from minicoord.nn.initialisers import Rng, as_generator
from minicoord.nn.layers.convolution import Conv2D
from minicoord.nn.layers.coordconv import CoordConv2D
from minicoord.nn.layers.pooling import MaxPool2D
from minicoord.nn.model import Sequential

ANCHORS = 9  # boxes at each position of the map


def trunk(coordconv: bool = False, padding: str = "valid", rng: Rng = None) -> Sequential:
    """Return the trunk, the layers that both branches share: (N, 64, 64, 1) to a map (N, 13, 13, 32).

    Parameters
    ----------
    coordconv : bool
        Whether the first and the last layer are CoordConv: 72,736 parameters instead of 70,560.
    padding : {"valid", "same"}
        Padding of the two 5 x 5 convolutions; with ``"same"`` the map is 16 x 16.
    rng : numpy.random.Generator, int or None
        Where the initial weights (he_normal) are drawn from.
    """
    rng, with_coords = as_generator(rng), CoordConv2D if coordconv else Conv2D
    return Sequential(
        [
            with_coords(1, 32, 5, padding=padding, rng=rng, activation="relu"),
            MaxPool2D(2),
            Conv2D(32, 64, 5, padding=padding, rng=rng, activation="relu"),
            MaxPool2D(2),
            with_coords(64, 32, 3, rng=rng, activation="relu"),
        ]
    )


def box_branch(coordconv: bool = False, rng: Rng = None) -> Sequential:
    """Return the branch that moves and resizes each anchor: (N, H, W, 32) to (N, H, W, 36).

    Four numbers for each anchor. The last layer starts at zero, so that the boxes start at the anchors.

    Parameters
    ----------
    coordconv : bool
        Whether the last layer is CoordConv: 10,508 parameters instead of 10,436.
    rng : numpy.random.Generator, int or None
        Where the other initial weights (he_normal) are drawn from.
    """
    with_coords = CoordConv2D if coordconv else Conv2D
    last = with_coords(32, 4 * ANCHORS, 1, init="zeros")
    return Sequential([Conv2D(32, 32, 3, rng=rng, activation="relu"), last])


def score_branch(rng: Rng = None) -> Sequential:
    """Return the branch that scores each anchor as digit or background: (N, H, W, 32) to (N, H, W, 18).

    Two logits for each anchor, 594 parameters.

    Parameters
    ----------
    rng : numpy.random.Generator, int or None
        Where the initial weights (he_normal) are drawn from.
    """
    return Sequential([Conv2D(32, 2 * ANCHORS, 1, rng=rng)])
