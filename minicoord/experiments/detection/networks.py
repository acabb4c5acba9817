"""Detection: the networks of a region proposal network that finds digits scattered over a canvas.

The paper speaks of Faster R-CNN; its code has the first stage only, the region proposal network. A trunk turns the
image into a feature map of about a quarter of its height and width. At each position of the map, one branch moves and
resizes nine anchor boxes, and another scores them as digit or background. The CoordConv version adds coordinates at
three places: to the image, to the feature map before the last layer of the trunk, and before the last layer of the box
branch. The scores stay plain.
"""

from __future__ import annotations

from collections.abc import Collection

from minicoord.nn.composites.branches import Branches
from minicoord.nn.initialisers import Rng, as_generator
from minicoord.nn.layers.convolution import Conv2D
from minicoord.nn.layers.coordconv import CoordConv2D
from minicoord.nn.layers.pooling import MaxPool2D
from minicoord.nn.model import Sequential
from minicoord.system.arguments import shown

ANCHORS = 9  # boxes at each position of the map

PLACES = ("image", "features", "boxes")
"""Where coordinates can be added: to what goes into the first and the last layer of the trunk, and into the last layer
of the box branch."""


def region_proposal_network(coords: Collection[str] = (), padding: str = "valid", rng: Rng = None) -> Sequential:
    """Return the whole network: (N, 64, 64, 1) to a dict of two maps, of the same height and width.

    81,590 parameters without coordinates, 83,838 with those at all three places. The maps are ``box`` (N, 13, 13, 36),
    four numbers for each anchor, and ``score`` (N, 13, 13, 18), the logits of digit and background for each anchor.

    Parameters
    ----------
    coords : collection of str
        The `PLACES` at which coordinates are added.
    padding : {"valid", "same"}
        Padding of the two 5 x 5 convolutions; with ``"same"`` the maps are 16 x 16.
    rng : numpy.random.Generator, int or None
        Where the initial weights (he_normal) are drawn from.

    Raises
    ------
    ValueError
        If there is no such place, or the padding is another one.

    Examples
    --------
    >>> region_proposal_network(rng=0).n_params, region_proposal_network(PLACES, rng=0).n_params
    (81590, 83838)
    >>> region_proposal_network(padding="same", rng=0).output_shape((1, 64, 64, 1))
    {'box': (1, 16, 16, 36), 'score': (1, 16, 16, 18)}
    """
    rng = as_generator(rng)
    shared = trunk(coords, padding, rng)
    return Sequential([*shared.layers, Branches(box=box_branch(coords, rng), score=score_branch(rng))])


def trunk(coords: Collection[str] = (), padding: str = "valid", rng: Rng = None) -> Sequential:
    """Return the trunk, the layers that both branches share: (N, 64, 64, 1) to a map (N, 13, 13, 32).

    Parameters
    ----------
    coords : collection of str
        The `PLACES` at which coordinates are added; with ``"image"`` and ``"features"`` the trunk has 72,736 parameters
        instead of 70,560.
    padding : {"valid", "same"}
        Padding of the two 5 x 5 convolutions; with ``"same"`` the map is 16 x 16.
    rng : numpy.random.Generator, int or None
        Where the initial weights (he_normal) are drawn from.

    Raises
    ------
    ValueError
        If there is no such place, or the padding is another one.
    """
    rng = as_generator(rng)
    first, last = _kind("image", coords), _kind("features", coords)
    return Sequential(
        [
            first(1, 32, 5, padding=padding, rng=rng, activation="relu"),
            MaxPool2D(2),
            Conv2D(32, 64, 5, padding=padding, rng=rng, activation="relu"),
            MaxPool2D(2),
            last(64, 32, 3, rng=rng, activation="relu"),
        ]
    )


def box_branch(coords: Collection[str] = (), rng: Rng = None) -> Sequential:
    """Return the branch that moves and resizes each anchor: (N, H, W, 32) to (N, H, W, 36).

    Four numbers for each anchor. The last layer starts at zero, so that the boxes start at the anchors.

    Parameters
    ----------
    coords : collection of str
        The `PLACES` at which coordinates are added; with ``"boxes"`` the branch has 10,508 parameters instead of
        10,436.
    rng : numpy.random.Generator, int or None
        Where the other initial weights (he_normal) are drawn from.

    Raises
    ------
    ValueError
        If there is no such place.
    """
    last = _kind("boxes", coords)(32, 4 * ANCHORS, 1, init="zeros")
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


def _kind(place: str, coords: Collection[str]) -> type[Conv2D] | type[CoordConv2D]:
    """Return the class of the layer at a place."""
    unknown = [name for name in coords if name not in PLACES]
    if unknown or isinstance(coords, str):
        given = coords if isinstance(coords, str) else unknown[0]
        raise ValueError(f"coords has {shown(given)}, wanted a collection of {', '.join(map(repr, PLACES))}")
    return CoordConv2D if place in coords else Conv2D
