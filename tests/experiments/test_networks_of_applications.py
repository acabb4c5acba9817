"""The networks of regression, rendering, detection and GAN: the paper's parameter counts, and their shapes."""

import numpy as np
import pytest

from minicoord.experiments.detection.networks import (
    PLACES,
    box_branch,
    region_proposal_network,
    score_branch,
    trunk,
)
from minicoord.experiments.gan.networks import conv_generator, coordconv_generator, discriminator
from minicoord.experiments.regression.regressors import (
    conv_fc_regressor,
    coordconv_regressor,
    fully_convolutional_regressor,
)
from minicoord.experiments.rendering.renderers import coordconv_renderer

IMAGE, CENTRE, MAP = (2, 64, 64, 1), (2, 2), (2, 64, 64, 1)

NETWORKS = {
    "conv + FC regressor": (conv_fc_regressor, {}, 72_850, IMAGE, CENTRE),
    "conv + FC regressor, m=2": (conv_fc_regressor, {"m": 2}, 159_330, IMAGE, CENTRE),
    "fully convolutional regressor": (fully_convolutional_regressor, {}, 12_914, IMAGE, CENTRE),
    "fully convolutional regressor, m=2": (fully_convolutional_regressor, {"m": 2}, 49_890, IMAGE, CENTRE),
    "CoordConv regressor": (coordconv_regressor, {}, 906, IMAGE, CENTRE),
    "CoordConv regressor with r": (coordconv_regressor, {"with_r": True}, 914, IMAGE, CENTRE),
    "renderer, fs=1": (coordconv_renderer, {"fs": 1}, 8_074, CENTRE, MAP),
    "renderer, fs=3": (coordconv_renderer, {}, 11_850, CENTRE, MAP),
    "renderer, fs=1, m=2": (coordconv_renderer, {"fs": 1, "m": 2}, 9_490, CENTRE, MAP),
    "renderer, fs=3, m=2": (coordconv_renderer, {"m": 2}, 24_210, CENTRE, MAP),
    "renderer, fs=4, m=2": (coordconv_renderer, {"fs": 4, "m": 2}, 37_090, CENTRE, MAP),
    "trunk": (trunk, {}, 832 + 51_264 + 18_464, IMAGE, (2, 13, 13, 32)),
    "trunk, same": (trunk, {"padding": "same"}, 70_560, IMAGE, (2, 16, 16, 32)),
    "CoordConv trunk": (trunk, {"coords": PLACES}, 2_432 + 51_264 + 19_040, IMAGE, (2, 13, 13, 32)),
    "box branch": (box_branch, {}, 9_248 + 1_188, (2, 13, 13, 32), (2, 13, 13, 36)),
    "CoordConv box branch": (box_branch, {"coords": PLACES}, 9_248 + 1_260, (2, 13, 13, 32), (2, 13, 13, 36)),
    "score branch": (score_branch, {}, 594, (2, 13, 13, 32), (2, 13, 13, 18)),
    "generator": (conv_generator, {}, 6_413_315, (2, 256), (2, 64, 64, 3)),
    "generator, z=25": (conv_generator, {"z": 25}, 4_520_963, (2, 25), (2, 64, 64, 3)),
    "CoordConv generator": (coordconv_generator, {}, 444_931, (2, 256), (2, 64, 64, 3)),
    "CoordConv generator, z=25": (coordconv_generator, {"z": 25}, 326_659, (2, 25), (2, 64, 64, 3)),
    "discriminator": (discriminator, {}, 4_316_545, (2, 64, 64, 3), (2, 1)),
    "CoordConv discriminator": (discriminator, {"coordconv": True}, 4_319_745, (2, 64, 64, 3), (2, 1)),
}


@pytest.mark.parametrize("build, arguments, parameters, x_shape, y_shape", NETWORKS.values(), ids=NETWORKS.keys())
def test_parameters_and_shapes_are_those_of_the_paper(build, arguments, parameters, x_shape, y_shape):
    model = build(**arguments, rng=0)
    assert model.n_params == parameters
    assert model.output_shape(x_shape) == y_shape
    again, other = build(**arguments, rng=0).params, build(**arguments, rng=1).params
    assert all(np.array_equal(w, again[key]) for key, w in model.params.items())
    first = next(key for key in again if key.endswith(".w"))
    assert not np.array_equal(again[first], other[first])


def test_the_maps_of_the_fully_convolutional_regressor_shrink_as_in_the_code():
    shapes = fully_convolutional_regressor(rng=0).output_shapes(IMAGE)
    sides = [shape[1] for shape in shapes[:-1]]
    assert sides == [32, 32, 32, 32, 16, 8, 8, 4, 4, 2, 2]


def test_boxes_start_at_the_anchors():
    features = np.random.default_rng(0).standard_normal((1, 13, 13, 32), dtype=np.float32)
    assert not box_branch(rng=0).forward(features).any()
    assert not box_branch(PLACES, rng=0).forward(features).any()


@pytest.mark.parametrize("padding, side", [("valid", 13), ("same", 16)])
@pytest.mark.parametrize(
    "coords, parameters",
    [
        ((), 81_590),
        (PLACES, 83_838),
        (["image"], 81_590 + 1_600),
        (["features"], 81_590 + 576),
        (["boxes"], 81_590 + 72),
    ],
)
def test_the_region_proposal_network_has_the_papers_parameters(padding, side, coords, parameters):
    net = region_proposal_network(coords, padding, rng=0)
    assert net.n_params == parameters
    assert net.output_shape(IMAGE) == {"box": (2, side, side, 36), "score": (2, side, side, 18)}


@pytest.mark.parametrize("coords", [["images"], "image", ["image", "scores"]])
def test_coordinates_are_added_at_known_places_only(coords):
    with pytest.raises(ValueError, match=r"coords has .*, wanted a collection of 'image', 'features', 'boxes'"):
        region_proposal_network(coords)


@pytest.mark.compiled  # pure Python takes too long
def test_generated_images_lie_between_minus_one_and_one():
    z = np.random.default_rng(0).uniform(-1, 1, (2, 8)).astype(np.float32)
    for generator in (conv_generator(z=8, rng=0), coordconv_generator(z=8, rng=0, normalised=True)):
        images = generator.forward(z, training=True)
        assert np.abs(images).max() <= 1
