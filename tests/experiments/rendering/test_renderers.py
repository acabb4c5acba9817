"""The renderers: their sizes, the pointer that one of them shows, and the half of the task that one layer solves."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from minicoord.datasets.not_so_clevr import not_so_clevr
from minicoord.experiments.classification.painters import coordconv_painter
from minicoord.experiments.rendering.experiment import Rendering, drawing
from minicoord.experiments.rendering.losses import iou
from minicoord.experiments.rendering.renderers import coordconv_renderer, square_drawer
from minicoord.experiments.rendering.settings import RenderingSettings
from minicoord.nn.layers.activations import Softmax

DATA = not_so_clevr()
rendering = Rendering()


def settings(**changes: Any) -> RenderingSettings:
    return RenderingSettings(epochs=1, lr=0.1, l2=0.0, **changes)


@pytest.mark.compiled
def test_one_convolution_of_ones_draws_every_square_exactly():
    logits = square_drawer().forward(DATA.one_hot())
    assert np.all(iou(logits, DATA.squares()) == 1)


@pytest.mark.compiled
def test_a_renderer_that_shows_its_pointer_draws_the_same_and_sums_both_gradients():
    plain = coordconv_renderer(3, 1, 5).astype(np.float64)
    both = coordconv_renderer(3, 1, 5, show_pointer=True).astype(np.float64)
    assert both.n_params == plain.n_params == 11_850
    assert rendering.network("coordconv", settings(pointer=1.0), 0).n_params == 11_850
    inputs = DATA.inputs()[[5, 700]].astype(np.float64)
    output = both.forward(inputs, training=True)
    drawn = plain.forward(inputs, training=True)
    np.testing.assert_array_equal(output[..., :1], drawn)
    np.testing.assert_array_equal(drawing(both, inputs), drawn)
    dy = np.random.default_rng(6).normal(size=output.shape)
    both.backward(dy, need_dx=False)
    plain.backward(dy[..., :1].copy(), need_dx=False)
    through_drawing = {key: gradient.copy() for key, gradient in plain.grads.items()}
    pointer = coordconv_painter(5).astype(np.float64)
    np.testing.assert_array_equal(pointer.forward(inputs, training=True), output[..., 1:])
    pointer.backward(dy[..., 1:].copy(), need_dx=False)
    names = list(through_drawing)
    for k, (key, gradient) in enumerate(both.grads.items()):
        wanted = through_drawing[names[k]] + (list(pointer.grads.values())[k] if key.startswith("0.") else 0)
        np.testing.assert_allclose(gradient, wanted, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(
    "model, changes, parameters",
    [
        ("drawer", {"fs": 3, "m": 1}, 4_297),
        ("drawer", {"fs": 1, "m": 1}, 521),
        ("upsample", {"c": 1, "fs": 3}, 103_585),
        ("upsample-coords", {"c": 1, "fs": 3}, 108_211),
        ("conv-pointer", {"c": 1, "fs": 3, "m": 1}, 103_585 + 4_297),
        ("coordconv", {"fs": 3, "m": 1, "sharpen": False}, 11_850),
    ],
)
def test_the_variants_have_the_parameters_of_the_official_code(model: str, changes: dict[str, Any], parameters: int):
    net = rendering.network(model, settings(**changes), 0)
    inputs, targets = rendering.samples(model, settings(), DATA)
    assert net.n_params == parameters
    assert net.output_shape((2, *inputs.shape[1:])) == (2, *targets.shape[1:])
    assert any(isinstance(layer, Softmax) for layer in net.layers) == (
        model == "conv-pointer" or (model == "coordconv" and changes["sharpen"])
    )
