"""The paper's two painters: every parameter count, and what their layers do to shapes."""

import numpy as np
import pytest

from minicoord.experiments.classification.painters import coordconv_painter, deconv_painter

# (c, fs): without batch norm, with it. Weights and biases layer by layer, from the paper's sizes.
DECONV = {
    (1, 2): (45_953, 46_465),
    (1, 3): (103_073, 103_585),
    (1, 4): (183_041, 183_553),
    (2, 2): (182_017, 183_041),
    (2, 3): (408_897, 409_921),
    (2, 4): (726_529, 727_553),
    (3, 2): (408_193, 409_729),
    (3, 3): (917_473, 919_009),
    (3, 4): (1_630_465, 1_632_001),
}


@pytest.mark.parametrize("c, fs", DECONV)
def test_deconv_painter_has_the_papers_parameters(c, fs):
    without, with_norm = DECONV[c, fs]
    assert deconv_painter(c, fs, batch_norm=False, rng=0).n_params == without
    assert deconv_painter(c, fs, rng=0).n_params == with_norm


@pytest.mark.parametrize("arguments, wanted", [({}, 7_553), ({"with_r": True}, 7_585), ({"width": 2}, 29_441)])
def test_coordconv_painter_has_the_papers_parameters(arguments, wanted):
    assert coordconv_painter(0, **arguments).n_params == wanted


def test_deconv_painter_doubles_the_image_six_times():
    shapes = deconv_painter(1, 3, batch_norm=False, rng=0).output_shapes((5, 2))
    sizes, channels = (2, 4, 8, 16, 32, 64), (64, 64, 64, 32, 32, 1)
    assert shapes == [(5, 1, 1, 2), *((5, n, n, c) for n, c in zip(sizes, channels, strict=True))]


def test_both_start_from_the_seed_alone():
    for painter in (coordconv_painter, lambda rng: deconv_painter(1, 2, rng=rng)):
        first, again, other = painter(3).params, painter(3).params, painter(4).params
        assert all(np.array_equal(first[key], again[key]) for key in first)
        assert not np.array_equal(first["1.w"], other["1.w"])


def test_one_logit_per_pixel():
    centres = np.array([[-0.5, 0.5], [0.2, 0.9]], np.float32)
    assert coordconv_painter(0).forward(centres).shape == (2, 64, 64, 1)
    assert deconv_painter(1, 2, rng=0).forward(centres).shape == (2, 64, 64, 1)


def test_init_scale_scales_the_initial_weights_alone():
    plain, half = coordconv_painter(5).params, coordconv_painter(5, init_scale=0.5).params
    assert all(np.array_equal(0.5 * plain[key], half[key]) for key in plain)
