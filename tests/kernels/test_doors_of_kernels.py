"""Arguments that would have read beyond an array, filled the memory, or passed in silence."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from minicoord import BatchNorm2D, Conv2D, ConvTranspose2D, Dense, LeakyReLU, MaxPool2D, ReLU, Tile, Upsample2D
from minicoord.datasets import not_so_clevr
from minicoord.kernels.activations import leaky_relu, leaky_relu_backward, relu
from minicoord.kernels.backend import memory
from minicoord.kernels.boxes import nms
from minicoord.kernels.coordconv import coordconv2d, coordconv2d_backward
from minicoord.kernels.coordinates import coordinate_channels, tile
from minicoord.kernels.geometry import window
from minicoord.kernels.im2col import col2im, im2col
from minicoord.kernels.losses import mean_squared_error, sigmoid_cross_entropy
from minicoord.kernels.naive import naive_conv2d, naive_conv2d_backward
from minicoord.kernels.normalisation import batch_norm, batch_norm_backward, batch_norm_inference
from minicoord.kernels.pooling import avg_pool2d, max_pool2d, max_pool2d_backward
from minicoord.kernels.resize import draw_resized
from minicoord.kernels.softmax import softmax_cross_entropy
from minicoord.kernels.transposed import conv_transpose2d
from minicoord.kernels.updates import adam_update, sgd_update
from minicoord.kernels.upsample import upsample_nearest
from minicoord.system import arrays

X, W = np.ones((1, 2, 3, 2)), np.ones((3, 3, 2, 4))
HUGE = 2**31
PART, NOWHERE = np.array([[0, 0, 2, 3]]), np.array([[2**62, 0, 2**62, 3]])
BOX = np.full((1, 1, 4), 2.0)

Call = Callable[[], object]


@pytest.mark.parametrize("shape", [(1, 2, 3, 3), (1, 2, 2, 4), (2, 2, 3, 4), (0, 2, 3, 4)])
def test_the_gradient_of_the_plain_loops_has_the_shape_of_the_output(shape: tuple[int, ...]):
    with pytest.raises(ValueError, match=r"naive_conv2d_backward: dy has shape .*, wanted \(1, 2, 3, 4\)"):
        naive_conv2d_backward(X, W, np.ones(shape), False)


def test_a_part_whose_end_leaves_the_whole_numbers_sticks_out_of_its_image():
    with pytest.raises(ValueError, match="sticks out of its image"):
        draw_resized(np.ones((1, 2, 3)), NOWHERE, np.array([[0]]), BOX, 4, 4)


@pytest.mark.parametrize(
    "call",
    [
        lambda: conv_transpose2d(X, np.ones((3, 3, 4, 2)), stride=HUGE),
        lambda: conv_transpose2d(X, np.ones((3, 3, 4, 2)), stride=2**28),
        lambda: upsample_nearest(X, HUGE),
        lambda: max_pool2d(X, 1, 1, HUGE),
        lambda: avg_pool2d(X, 1, 1, 2**40),
        lambda: im2col(X, 1, 1, 2**20),
        lambda: col2im(np.ones((0, 4)), (0, HUGE, HUGE, 4), 1),
        lambda: window(5, 5, 3, 1, 2**63),
        lambda: coordinate_channels(HUGE, HUGE),
        lambda: tile(X[0, 0], HUGE, HUGE),
        lambda: draw_resized(np.ones((1, 2, 3)), PART, np.array([[0]]), BOX, HUGE, HUGE),
        lambda: max_pool2d_backward(np.ones((1, 1, 1, 1)), np.zeros((1, 1, 1, 1), np.int32), (1, HUGE, HUGE, 1)),
        lambda: relu(np.broadcast_to(np.float32(0), (2**20, 2**20, 2**10))),
        lambda: Conv2D(HUGE, HUGE, 3),
        lambda: Dense(HUGE, HUGE),
        lambda: BatchNorm2D(2**50),
        lambda: Tile(HUGE, HUGE).forward(X[0, 0]),
        lambda: Upsample2D(HUGE).forward(X),
        lambda: ConvTranspose2D(2, 4, 3, stride=HUGE, dtype=np.float64).forward(X),
        lambda: MaxPool2D(1, 1, HUGE).forward(X),
        lambda: not_so_clevr(2**24),
        lambda: not_so_clevr(2**10).one_hot(),
    ],
)
def test_a_size_is_checked_before_anything_is_allocated(call: Call, monkeypatch: pytest.MonkeyPatch):
    for module in (arrays, memory):
        monkeypatch.setattr(module, "MEMORY", 2**32)
    with pytest.raises(ValueError, match=r"would take .* GiB, wanted one that fits|is too large, wanted sizes below"):
        call()


def test_numbers_of_numpy_do_not_overflow_at_the_door():
    widths: tuple[Any, ...] = np.uint8(200), np.uint64(3)
    for width in widths:
        assert window(4, width, 3) == window(4, int(width), 3)
    with pytest.raises(ValueError, match="is too large, wanted sizes below"):
        window(4, np.uint64(2**64 - 1), 3)  # type: ignore[arg-type]
    w, g, v = np.ones(2), np.zeros(2), np.zeros(2)
    adam_update(w, g, v, v.copy(), 0.1, 0.9, 0.99, 1e-8, 1, np.int8(100))  # type: ignore[arg-type]
    np.testing.assert_allclose(v, (1 - 0.9) * 2 * 100)
    with pytest.raises(ValueError, match=r"threshold was .*, wanted a number from 0 to 1"):
        nms(BOX[0], np.ones(1), Decimal("NaN"), 1)  # type: ignore[arg-type]


def masked(*shape: int) -> np.ndarray:
    return np.ma.masked_array(np.ones(shape), np.zeros(shape, bool))


@pytest.mark.parametrize(
    "call",
    [
        lambda: relu(masked(2, 3)),
        lambda: naive_conv2d(masked(1, 2, 3, 2), W, False),
        lambda: softmax_cross_entropy(X[0, 0], np.ma.masked_array([0, 1], [False, True])),
        lambda: max_pool2d_backward(X, np.ma.masked_array(np.zeros(X.shape, np.int32)), X.shape),
        lambda: draw_resized(np.ones((1, 2, 3)), PART, np.ma.masked_array([[0]]), BOX, 4, 4),
        lambda: sgd_update(masked(3), np.ones(3), np.ones(3), 0.1, 0.9),
        lambda: ReLU().forward(masked(2, 3)),
        lambda: Dense(2, 3).add_param("w", masked(2, 3)),
        lambda: Dense(2, 3, init=lambda shape, rng: masked(2, 3)),
        lambda: not_so_clevr(6, 3).inputs(np.ma.masked_array([0, 1], [False, True])),
    ],
)
def test_a_masked_array_is_refused(call: Call):
    with pytest.raises(TypeError, match="is a masked array, wanted an array without a mask"):
        call()


GAMMA = BETA = MEAN = VAR = np.ones(2)


@pytest.mark.parametrize("eps", [np.nan, -1e-5, np.inf])
def test_an_eps_that_is_none_is_refused(eps: float):
    for call in (
        lambda: batch_norm(X, GAMMA, BETA, eps),
        lambda: batch_norm_inference(X, GAMMA, BETA, MEAN, VAR, eps),
        lambda: batch_norm_backward(X, X, GAMMA, MEAN, VAR, eps),
    ):
        with pytest.raises(ValueError, match=r"eps was .*, wanted a number of at least 0 and finite"):
            call()
    with pytest.raises(ValueError, match="adam_update: "):
        adam_update(w := np.ones(3), w.copy(), w.copy(), w.copy(), 0.1, 0.9, 0.99, eps, 1)


@pytest.mark.parametrize("slope", [np.nan, np.inf, "0.1", None, [0.1]])
def test_a_slope_is_a_finite_number(slope: float):
    for call in (lambda: leaky_relu(X, slope), lambda: leaky_relu_backward(X, X, slope), lambda: LeakyReLU(slope)):
        with pytest.raises((ValueError, TypeError), match=r"slope was .*, wanted a (finite )?number"):
            call()


@pytest.mark.parametrize("number", [np.nan, np.inf, "1", None])
@pytest.mark.parametrize("name", ["lr", "momentum", "l2"])
def test_the_factors_of_a_step_are_finite_numbers(name: str, number: float):
    numbers = {"lr": 0.1, "momentum": 0.9, "l2": 0.0, name: number}
    w = np.ones(3)
    with pytest.raises((ValueError, TypeError), match=f"sgd_update: {name} was .*, wanted a (finite )?number"):
        sgd_update(w, np.ones(3), np.ones(3), **numbers)
    assert (w == 1).all()


def test_targets_that_are_not_numbers_are_refused():
    target = np.array([0.5, np.nan])
    with pytest.raises(ValueError, match=r"targets go from nan to nan, wanted values in \[0, 1\]"):
        sigmoid_cross_entropy(np.ones(2), target)
    with pytest.raises(ValueError, match="mean_squared_error: of 2 targets 1 are not finite, wanted all finite"):
        mean_squared_error(np.ones(2), target)
    loss, _ = mean_squared_error(target, np.ones(2))
    assert np.isnan(loss), "a prediction may be anything"


@pytest.mark.parametrize("threshold", [None, "0.5", np.nan, [0.5]])
def test_a_threshold_is_a_number(threshold: float):
    with pytest.raises(ValueError, match=r"nms: threshold was .*, wanted a number from 0 to 1"):
        nms(np.ones((2, 4)), np.ones(2), threshold, 1)


def test_the_window_of_a_coordconv_is_that_of_its_images():
    coordinates, w, b = np.ones((2, 3, 2)), np.ones((3, 3, 4, 5)), np.ones(5)
    win = window(2, 3, 3)
    for wrong, words in ((window(9, 9, 3), "win is Window"), (None, "win is of type NoneType")):
        with pytest.raises((ValueError, TypeError), match=words):
            coordconv2d(X, coordinates, w, b, False, wrong)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"coordinates has shape \(9, 9, 2\), wanted \(2, 3, d\)"):
        coordconv2d(X, np.ones((9, 9, 2)), w, b, False, win)
    with pytest.raises(ValueError, match=r"dy has shape \(1, 1, 1, 5\), wanted \(1, 2, 3, 5\)"):
        coordconv2d_backward(X, coordinates, w, np.ones((1, 1, 1, 5)), None, win)
