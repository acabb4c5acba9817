"""Several forward passes through a model, and one backward pass through all of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from minicoord import (
    AvgPool2D,
    BatchNorm2D,
    Branches,
    Conv2D,
    CoordConv2D,
    Dense,
    Flatten,
    GlobalMaxPool,
    MaxPool2D,
    ReLU,
    Residual,
    Sequential,
    Tanh,
)
from minicoord.experiments.a2c.networks import ARMS, network
from minicoord.nn.passes import ForwardPasses


def pooled() -> Sequential:
    """Return a network with a chain of 1x1 convolutions, layers that keep indices or shapes, and two kinds of heads."""
    body = Sequential([Conv2D(6, 6, 3, activation="relu", rng=2), Conv2D(6, 6, 3, rng=3)])
    heads = Branches(policy=Sequential([Dense(6, 4, rng=5), Tanh()]), value=Dense(6, 1, rng=6))
    return Sequential(
        [
            Conv2D(2, 5, 1, activation="relu", rng=0),
            CoordConv2D(5, 6, 1, activation="relu", rng=1),
            MaxPool2D(2),
            Residual(body),
            AvgPool2D(2),
            GlobalMaxPool(),
            ReLU(),
            heads,
        ]
    )


def flat() -> Sequential:
    heads = Branches(policy=Dense(5 * 5 * 3, 4, rng=1), value=Dense(5 * 5 * 3, 1, rng=2))
    return Sequential([Conv2D(2, 3, 3, stride=2, padding="valid", activation="relu", rng=0), Flatten(), heads])


def of_agent() -> Sequential:
    return network((11, 11, 2), 4, ARMS["coordconv-dense"], 0)


def gradients(model: Sequential, dy: dict[str, np.ndarray]) -> list[np.ndarray]:
    """Return the gradient of the input and of all parameters."""
    dx = model.backward(dy)
    assert dx is not None
    return [dx, *(g.copy() for g in model.grads.values())]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("slices", [True, False])
@pytest.mark.parametrize("build", [pooled, flat, of_agent])
def test_one_backward_pass_takes_the_gradient_through_all_passes(build: Any, slices: bool, dtype: Any):
    """Passes of 3, 1 and 4 samples, slices of one array or arrays of their own, and another pass in between."""
    model, rng = build().astype(dtype), np.random.default_rng(0)
    x = rng.standard_normal((8, 11, 11, 2)).astype(dtype)
    whole = model.forward(x, training=True)
    dy = {name: rng.standard_normal(y.shape).astype(dtype) for name, y in whole.items()}
    wanted = gradients(model, dy)

    passes = ForwardPasses(model)
    for _ in range(2):  # the second time from the beginning
        parts = [x[:3], x[3:4], x[4:]] if slices else [x[:3].copy(), x[3:4].copy(), x[4:].copy()]
        found = [passes.forward(part) for part in parts]
        model.forward(x[:2])  # one that does not count
        passes.join(x)
        for name, y in whole.items():
            np.testing.assert_allclose(np.concatenate([heads[name] for heads in found]), y, rtol=1e-5, atol=1e-6)
        for one, other in zip(gradients(model, dy), wanted, strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)


@pytest.mark.compiled
def test_an_agents_network_has_the_same_bits_either_way():
    model, rng = of_agent(), np.random.default_rng(1)
    x = rng.random((20, 11, 11, 2), np.float32)
    whole = model.forward(x, training=True)
    dy = {name: rng.standard_normal(y.shape).astype(np.float32) for name, y in whole.items()}
    wanted, passes = gradients(model, dy), ForwardPasses(model)
    found = [passes.forward(part) for part in np.split(x, 5)]
    passes.join(x)
    for name, y in whole.items():
        np.testing.assert_array_equal(np.concatenate([heads[name] for heads in found]), y)
    for one, other in zip(gradients(model, dy), wanted, strict=True):
        np.testing.assert_array_equal(one, other)


def test_the_inputs_and_what_two_layers_keep_are_joined_without_a_second_copy():
    model: Any = flat()
    x = np.random.default_rng(0).random((6, 11, 11, 2), np.float32)
    passes = ForwardPasses(model)
    for part in np.split(x, 2):
        passes.forward(part)
    passes.join(x)
    kept_x, kept_y = model.layers[0]._saved
    assert np.shares_memory(kept_x, x)
    for head in model.layers[2].heads.values():  # the output of the convolution, flattened
        assert np.shares_memory(head._saved[0], kept_y)


def test_a_model_with_a_state_is_refused_and_so_is_a_join_of_nothing():
    with pytest.raises(ValueError, match=r"the model has the state 0\.running_mean, .*, wanted layers without a state"):
        ForwardPasses(Sequential([BatchNorm2D(2)]))
    with pytest.raises(RuntimeError, match="join was called before forward"):
        ForwardPasses(flat()).join(np.zeros((1, 11, 11, 2), np.float32))
