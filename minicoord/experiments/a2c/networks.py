"""The networks of the agent: a trunk that actor and critic share, with or without coordinates in its first layer.

The Nature network (Mnih et al. 2015) is for pictures of 84 x 84 pixels, a small one for those of 10 to 30. What
follows the convolutions is half of the question. *Flatten and dense* gives every place weights of its own, so that a
network without coordinates knows places already. *Global pooling* keeps the maximum over all places, and with
convolutions alone forgets where it was. The paper's agent had the first of the two.
"""

from __future__ import annotations

from typing import NamedTuple

from minicoord.nn.composites.branches import Branches
from minicoord.nn.initialisers import Rng, as_generator, scaled
from minicoord.nn.layers.activations import ReLU
from minicoord.nn.layers.base import Layer
from minicoord.nn.layers.convolution import Conv2D
from minicoord.nn.layers.coordconv import CoordConv2D
from minicoord.nn.layers.dense import Dense
from minicoord.nn.layers.pooling import GlobalMaxPool
from minicoord.nn.layers.shape import Flatten
from minicoord.nn.model import Sequential
from minicoord.system.arguments import shown


class Arm(NamedTuple):
    """One arm of the comparison: what the first layer is, and what follows the convolutions."""

    coords: str
    head: str


COORDS = ("none", "ij", "ijr")
HEADS = ("pool", "dense")
ARMS: dict[str, Arm] = {
    "conv-pool": Arm("none", "pool"),
    "coordconv-pool": Arm("ij", "pool"),
    "conv-dense": Arm("none", "dense"),
    "coordconv-dense": Arm("ij", "dense"),
    "coordconv-r-pool": Arm("ijr", "pool"),
    "coordconv-r-dense": Arm("ijr", "dense"),
}
"""The networks by the names that the command line knows."""

NATURE_SIDE = 36  # pixels: from this size on, the three convolutions of the Nature network fit
SURE = 0.01  # factor of the actor's first weights: all actions begin equally likely


def network(shape: tuple[int, int, int], actions: int, arm: Arm, rng: Rng = None) -> Sequential:
    """Return the network for pictures of a shape: the Nature network for large ones, the small one for others.

    Parameters
    ----------
    shape : (int, int, int)
        Height, width and channels of a picture.
    actions : int
        Outputs of the actor.
    arm : Arm
    rng : numpy.random.Generator, int or None
        Where the initial weights are drawn from.

    Returns
    -------
    Sequential
        (N, *shape) to ``{"policy": logits (N, actions), "value": (N, 1)}``.

    Raises
    ------
    ValueError
        If the arm has coordinates or a head of another name.
    """
    build = nature_network if min(shape[:2]) >= NATURE_SIDE else small_network
    return build(shape, actions, arm, rng)


def small_network(shape: tuple[int, int, int], actions: int, arm: Arm, rng: Rng = None) -> Sequential:
    """Return the small network: two unpadded convolutions that see 7 x 7 pixels together, and 64 units.

    The parameters are those of `network`. Stride 1 and no padding keep a convolution with global pooling blind to the
    place, see `minicoord.datasets.worlds.position.PositionWorld`.

    Examples
    --------
    >>> [small_network((19, 19, 2), 4, arm, rng=0).n_params for arm in ARMS.values()][:4]
    [4549, 5349, 176581, 177381]
    """
    rng = as_generator(rng)
    convolutions = [
        _first(arm, shape[2], 16, 5, 1, rng),
        Conv2D(16, 16, 3, padding="valid", rng=rng, activation="relu"),
    ]
    return _with_heads(convolutions, shape, actions, arm, 64, rng)


def nature_network(shape: tuple[int, int, int], actions: int, arm: Arm, rng: Rng = None) -> Sequential:
    """Return the Nature network: 8 x 8 with stride 4, 4 x 4 with stride 2, 3 x 3, and 512 units.

    The parameters are those of `network`. For four channels the first layer has 8,224 parameters, with two coordinate
    channels 12,320, with r 14,368. The third convolution has 64 outputs, as published.

    Examples
    --------
    >>> net = nature_network((84, 84, 4), 6, ARMS["conv-dense"], rng=0)
    >>> net.layers[0].n_params, net.n_params, net.output_shape((1, 84, 84, 4))
    (8224, 1687719, {'policy': (1, 6), 'value': (1, 1)})
    """
    rng = as_generator(rng)
    convolutions = [
        _first(arm, shape[2], 32, 8, 4, rng),
        Conv2D(32, 64, 4, stride=2, padding="valid", rng=rng, activation="relu"),
        Conv2D(64, 64, 3, padding="valid", rng=rng, activation="relu"),
    ]
    return _with_heads(convolutions, shape, actions, arm, 512, rng)


def _first(arm: Arm, c_in: int, c_out: int, size: int, stride: int, rng: Rng) -> Conv2D:
    """Return the first layer, the only one that may have coordinates."""
    if arm.coords not in COORDS:
        raise ValueError(f"coords was {shown(arm.coords)}, wanted one of {', '.join(COORDS)}")
    if arm.coords == "none":
        return Conv2D(c_in, c_out, size, stride, padding="valid", rng=rng, activation="relu")
    with_r = arm.coords == "ijr"
    return CoordConv2D(c_in, c_out, size, stride, padding="valid", rng=rng, activation="relu", with_r=with_r)


def _with_heads(
    convolutions: list[Conv2D], shape: tuple[int, int, int], actions: int, arm: Arm, units: int, rng: Rng
) -> Sequential:
    """Return the whole network: convolutions, one vector for each picture, a dense layer, actor and critic."""
    if arm.head not in HEADS:
        raise ValueError(f"head was {shown(arm.head)}, wanted one of {', '.join(HEADS)}")
    to_vector: Layer = Flatten() if arm.head == "dense" else GlobalMaxPool()
    trunk = [*convolutions, to_vector]
    size = Sequential(trunk).output_shape((1, *shape))[1]
    policy = Dense(units, actions, init=scaled("glorot_uniform", SURE), rng=rng)
    heads = Branches(policy=policy, value=Dense(units, 1, rng=rng))
    return Sequential([*trunk, Dense(size, units, init="he_normal", rng=rng), ReLU(), heads])
