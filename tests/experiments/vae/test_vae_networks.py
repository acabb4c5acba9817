"""Encoder and decoder of the VAE: counts by hand, shapes, where the coordinates are, and the gradient of the whole."""

from __future__ import annotations

from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from central_differences import numeric_gradient

from minicoord.experiments.vae.experiment import Vae
from minicoord.experiments.vae.networks import decoder, encoder
from minicoord.experiments.vae.settings import PRESETS
from minicoord.experiments.vae.trainer import VaeTrainer
from minicoord.nn.layers.coordconv import CoordConv2D
from minicoord.nn.layers.coordinates import AddCoords

HALF: dict[str, Any] = {"canvas": 32, "width": 16}
HEADS, HALF_HEADS = 2 * (8192 * 32 + 32), 2 * (2048 * 32 + 32)
DENSE, HALF_DENSE = 32 * 8192 + 8192, 32 * 2048 + 2048


@pytest.mark.parametrize(
    "build, coordconv, sizes, parameters",
    [
        (encoder, False, {}, 1_568 + 32_832 + 131_200 + HEADS),
        (encoder, True, {}, 2_592 + 34_880 + 135_296 + HEADS),
        (decoder, False, {}, DENSE + 131_136 + 32_800 + 1_539),
        (decoder, True, {}, DENSE + 133_184 + 33_824 + 1_635),
        (encoder, False, HALF, 784 + 8_224 + HALF_HEADS),
        (encoder, True, HALF, 1_296 + 9_248 + HALF_HEADS),
        (decoder, False, HALF, HALF_DENSE + 8_208 + 771),
        (decoder, True, HALF, HALF_DENSE + 8_720 + 867),
    ],
)
def test_parameters_by_hand(build, coordconv, sizes, parameters):
    assert build(coordconv, rng=0, **sizes).n_params == parameters


def test_the_counts_that_are_written_down():
    counts = [build(coordconv, rng=0).n_params for build in (encoder, decoder) for coordconv in (False, True)]
    assert counts == [689_952, 697_120, 435_811, 438_979]
    assert "697,120 parameters, 689,952 without" in str(encoder.__doc__)
    assert "438,979 parameters with coordinates and 435,811 without" in str(decoder.__doc__)


@pytest.mark.parametrize("coordconv", [False, True])
@pytest.mark.parametrize("canvas, sides", [(64, [32, 16, 8]), (32, [16, 8]), (16, [8])])
def test_maps_halve_down_to_eight_pixels_and_double_again(canvas, sides, coordconv):
    net, back = (build(coordconv, 5, 0, canvas, 2) for build in (encoder, decoder))
    maps = [place.output_shape for place in net.trace((3, canvas, canvas, 3)) if len(place.output_shape) == 4]
    assert [shape[1] for shape in maps] == sides
    assert [shape[3] for shape in maps] == [2 * 2**k for k in range(len(sides))]
    assert net.output_shape((3, canvas, canvas, 3)) == {"mean": (3, 5), "log_variance": (3, 5)}
    assert back.output_shape((3, 5)) == (3, canvas, canvas, 3)


def test_coordinates_stand_before_every_convolution_or_nowhere():
    for coordconv in (False, True):
        inside = [layer for _, layer in encoder(coordconv, rng=0).walk()]
        assert sum(isinstance(layer, CoordConv2D) for layer in inside) == (3 if coordconv else 0)
        back = [layer.name for _, layer in decoder(coordconv, rng=0).walk()]
        before = [before for before, name in pairwise(back) if name == "ConvTranspose2D"]
        assert before.count("AddCoords") == (3 if coordconv else 0)
        assert sum(isinstance(layer, AddCoords) for _, layer in encoder(coordconv, rng=0).walk()) == 0


def test_a_canvas_is_a_doubling_of_eight_pixels():
    for build in (encoder, decoder):
        for canvas in (8, 48):
            with pytest.raises(ValueError, match=f"the side of an image was {canvas}, wanted 16, 32, 64 or another"):
                build(canvas=canvas)


def test_the_weights_follow_from_the_seed():
    for build in (encoder, decoder):
        one, again, other = (build(True, 4, seed, 16, 2).params for seed in (0, 0, 1))
        assert all(np.array_equal(one[key], again[key]) for key in one)
        assert not np.array_equal(one["0.w"], other["0.w"])


def test_the_full_preset_is_the_template():
    settings = PRESETS["full"]["coordconv"]
    assert (settings.canvas, settings.width, settings.z) == (64, 32, 32)
    assert (settings.batch, settings.lr, settings.steps) == (128, 0.001, 5000)


@pytest.mark.compiled
@pytest.mark.parametrize("model", ["conv", "coordconv"])
def test_the_gradient_of_the_whole_is_the_slope_of_the_loss(model):
    """Every parameter of both networks, entry by entry, in float64; a step so small that no ReLU is at its kink."""
    trainer = VaeTrainer(Vae().plan(model, z=2, width=2, batch=3, images=3, beta=0.7))
    rng = np.random.default_rng(0)
    coordconv = model == "coordconv"
    trainer.encoder = encoder(coordconv, 2, rng, 16, 2).astype(np.float64)
    trainer.decoder = decoder(coordconv, 2, rng, 16, 2).astype(np.float64)
    networks = trainer.encoder, trainer.decoder
    for net in networks:
        for array in net.params.values():
            array += 0.05 * rng.standard_normal(array.shape)
    images, noise = rng.uniform(-1, 1, (3, 16, 16, 3)), rng.standard_normal((3, 2))
    trainer.loss_and_gradients(images, noise)
    gradients = [{key: gradient.copy() for key, gradient in net.grads.items()} for net in networks]

    def loss_with(array: Any, values: Any) -> float:
        kept = array.copy()
        array[...] = values
        value = trainer.loss_and_gradients(images, noise)["loss"]
        array[...] = kept
        return value

    largest = max(np.abs(gradient).max() for of_net in gradients for gradient in of_net.values())
    for net, of_net in zip(networks, gradients, strict=True):
        for key, array in net.params.items():
            slopes = numeric_gradient(partial(loss_with, array), array.copy(), step=1e-7)
            np.testing.assert_allclose(of_net[key], slopes, rtol=1e-4, atol=1e-6 * largest, err_msg=key)
