"""The networks of the agent: exact counts, shapes, and which of them see where things are."""

from __future__ import annotations

import numpy as np
import pytest

from minicoord import Conv2D, CoordConv2D, GlobalMaxPool
from minicoord.datasets.worlds.position import SIDE, PositionWorld
from minicoord.experiments.a2c.networks import ARMS, Arm, nature_network, network, small_network
from minicoord.kernels.dots import draw_dots

FIRST = {"none": 8_224, "ij": 12_320, "ijr": 14_368}


@pytest.mark.parametrize("name", ARMS)
def test_the_nature_network_has_the_parameters_that_are_known(name):
    arm = ARMS[name]
    net = nature_network((84, 84, 4), 6, arm, rng=0)
    convolutions = FIRST[arm.coords] + 4 * 4 * 32 * 64 + 64 + 3 * 3 * 64 * 64 + 64
    heads = 512 * 6 + 6 + 512 + 1
    inputs = 7 * 7 * 64 if arm.head == "dense" else 64
    assert net.layers[0].n_params == FIRST[arm.coords]
    assert net.n_params == convolutions + inputs * 512 + 512 + heads
    assert net.output_shapes((1, 84, 84, 4))[:3] == [(1, 20, 20, 32), (1, 9, 9, 64), (1, 7, 7, 64)]
    assert net.output_shape((5, 84, 84, 4)) == {"policy": (5, 6), "value": (5, 1)}


@pytest.mark.parametrize("name", ARMS)
def test_the_small_network_differs_in_one_layer_and_in_what_follows(name):
    arm = ARMS[name]
    net = small_network(PositionWorld.shape, 4, arm, rng=0)
    more = {"none": 0, "ij": 2, "ijr": 3}[arm.coords]
    first = net.layers[0]
    assert type(first) is (CoordConv2D if more else Conv2D) and first.params["w"].shape == (5, 5, 2 + more, 16)
    assert sum(isinstance(layer, CoordConv2D) for _, layer in net.leaves()) == bool(more)
    assert sum(isinstance(layer, GlobalMaxPool) for _, layer in net.leaves()) == (arm.head == "pool")
    inputs = 13 * 13 * 16 if arm.head == "dense" else 16
    assert net.n_params == (25 * (2 + more) * 16 + 16) + (9 * 256 + 16) + (inputs * 64 + 64) + 65 * 4 + 65
    assert name == "-".join({"none": ["conv"], "ij": ["coordconv"], "ijr": ["coordconv", "r"]}[arm.coords] + [arm.head])


def test_large_pictures_get_the_nature_network():
    assert network((84, 84, 4), 3, ARMS["conv-pool"], 0).layers[0].params["w"].shape == (8, 8, 4, 32)
    assert network((36, 40, 1), 3, ARMS["conv-dense"], 0).output_shape((1, 36, 40, 1))["policy"] == (1, 3)
    assert network((10, 10, 6), 3, ARMS["conv-pool"], 0).layers[0].params["w"].shape == (5, 5, 6, 16)


@pytest.mark.parametrize("name", ARMS)
def test_all_but_convolution_with_pooling_see_where_the_dot_is(name):
    places = np.stack(np.meshgrid(np.arange(6, 13), np.arange(6, 13), indexing="ij"), axis=-1).reshape(-1, 2)
    pictures = draw_dots(places, np.full_like(places, 9), SIDE, False)
    heads = network(PositionWorld.shape, 4, ARMS[name], rng=3).forward(pictures)
    # Without the compiler, products are those of BLAS, whose rounding depends on the place of a row.
    same = [np.abs(row - heads["policy"][0]).max() < 1e-6 for row in heads["policy"]]
    assert all(same) if name == "conv-pool" else sum(same) < 10
    assert np.abs(heads["policy"]).max() < 0.2  # all actions begin nearly equally likely


def test_an_unknown_arm_is_one_sentence():
    with pytest.raises(ValueError, match="coords was 'xy', wanted one of none, ij, ijr"):
        small_network((10, 10, 1), 2, Arm("xy", "pool"))
    with pytest.raises(ValueError, match="head was 'flat', wanted one of pool, dense"):
        nature_network((84, 84, 4), 2, Arm("ij", "flat"))
