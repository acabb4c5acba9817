"""CoordConv2D: the same as AddCoords and Conv2D, translation dependent only through its coordinate weights."""

from typing import Any

import numpy as np
import pytest

from minicoord import AddCoords, Conv2D, CoordConv2D, Sequential, get_threads, set_threads
from minicoord.kernels import coordinates
from minicoord.kernels.coordconv import LARGE_WINDOW
from minicoord.nn.gradcheck import gradcheck


def pair_of_layers(with_r=False, dtype: Any = np.float64, **arguments) -> tuple[Any, Any, Any]:
    """A CoordConv2D, and the AddCoords and Conv2D that should do the same, with equal weights."""
    fast = CoordConv2D(3, 4, rng=0, with_r=with_r, dtype=dtype, **arguments)
    slow = Conv2D(6 if with_r else 5, 4, rng=0, dtype=dtype, **arguments)
    fast.params["b"][:] = slow.params["b"][:] = np.arange(4) / 7
    slow.params["w"][:] = fast.params["w"]
    return fast, AddCoords(with_r=with_r), slow


@pytest.mark.parametrize("with_r", [False, True])
@pytest.mark.parametrize("activation", [None, "relu"])
@pytest.mark.parametrize(
    "arguments",
    [
        {"kernel_size": 1},
        {"kernel_size": (3, 2), "stride": (2, 1)},
        {"kernel_size": 3, "padding": "valid"},
        {"kernel_size": (2, 5), "stride": 3, "padding": ((1, 0), (2, 3))},
        {"kernel_size": (6, 8)},
        {"kernel_size": 7, "stride": 2},
        {"kernel_size": (10, 5), "stride": (1, 8), "padding": ((4, 4), (2, 2))},
    ],
)
def test_it_equals_addcoords_and_conv2d(with_r, activation, arguments):
    fast, add, conv = pair_of_layers(with_r, activation=activation, **arguments)
    rng = np.random.default_rng(1)
    x = rng.standard_normal((2, 7, 5, 3))
    y = fast.forward(x)
    wanted = conv.forward(add.forward(x))
    np.testing.assert_allclose(y, wanted, rtol=1e-12, atol=1e-13)
    dy = rng.standard_normal(y.shape)
    np.testing.assert_allclose(fast.backward(dy), add.backward(conv.backward(dy)), rtol=1e-12, atol=1e-13)
    for key in ("w", "b"):
        np.testing.assert_allclose(fast.grads[key], conv.grads[key], rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("size", [(64, 48), (1, 9), (9, 1), (1, 1)])
def test_float32_and_thin_images(size):
    fast, add, conv = pair_of_layers(dtype=np.float32, kernel_size=3)
    x = np.random.default_rng(2).standard_normal((3, *size, 3)).astype(np.float32)
    y = fast.forward(x)
    assert y.dtype == np.float32
    np.testing.assert_allclose(y, conv.forward(add.forward(x)), rtol=2e-5, atol=2e-5)
    dx, wanted = fast.backward(y), add.backward(conv.backward(y))
    np.testing.assert_allclose(dx, wanted, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(fast.grads["w"], conv.grads["w"], rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("images", [0, 1, 30])
@pytest.mark.parametrize("size", [6, 8])
def test_the_sums_over_images_of_a_large_window(images, size):
    """From `LARGE_WINDOW` on, the gradients of all images are added up first; with 30 images by several threads."""
    assert 6 * 6 < LARGE_WINDOW <= 8 * 8
    fast, add, conv = pair_of_layers(kernel_size=size, stride=4, padding="valid", activation="relu")
    x = np.random.default_rng(7).standard_normal((images, 64, 61, 3))
    y = fast.forward(x)
    conv.forward(add.forward(x))
    np.testing.assert_allclose(fast.backward(y), add.backward(conv.backward(y)), rtol=1e-11, atol=1e-12)
    for key in ("w", "b"):
        np.testing.assert_allclose(fast.grads[key], conv.grads[key], rtol=1e-11, atol=1e-10)


def test_the_gradients_of_a_large_window_agree_with_central_differences():
    layer = CoordConv2D(2, 3, 7, stride=2, rng=0, dtype=np.float64, activation="relu")
    report = gradcheck(layer, np.random.default_rng(8).standard_normal((2, 9, 8, 2)))
    assert report.ok, str(report)


def test_the_bits_of_a_large_window_do_not_depend_on_the_threads():
    most, results = get_threads(), []
    layer = CoordConv2D(4, 32, 8, stride=4, padding="valid", rng=0, activation="relu")
    x = np.random.default_rng(9).standard_normal((20, 84, 84, 4)).astype(np.float32)
    try:
        for threads in range(1, most + 1):
            set_threads(threads)
            y = layer.forward(x)
            dx = layer.backward(y)
            assert dx is not None
            results.append([y.tobytes(), dx.tobytes(), layer.grads["w"].tobytes()])
    finally:
        set_threads(most)
    assert all(other == results[0] for other in results)


def shift_error(layer):
    """How far conv(shifted x) is from shifted conv(x), away from the border."""
    x = np.random.default_rng(3).standard_normal((1, 16, 16, 3))
    shifted = np.roll(x, (3, 2), axis=(1, 2))
    moved = np.roll(layer.forward(x), (3, 2), axis=(1, 2))
    return np.abs(layer.forward(shifted) - moved)[:, 5:-2, 5:-2].max()


def test_translation_equivariant_exactly_when_the_coordinate_weights_are_zero():
    layer = CoordConv2D(3, 4, 3, rng=0, dtype=np.float64)
    assert shift_error(layer) > 0.01
    layer.params["w"][:, :, 3:] = 0
    assert shift_error(layer) < 1e-13
    plain = Conv2D(3, 4, 3, rng=1, dtype=np.float64)
    plain.params["w"][:] = layer.params["w"][:, :, :3]
    x = np.random.default_rng(4).standard_normal((2, 6, 7, 3))
    np.testing.assert_allclose(layer.forward(x), plain.forward(x), rtol=0, atol=1e-14)


@pytest.mark.parametrize("key, where", [("w", (0, 0, 3, 1)), ("w", (0, 0, 4, 0)), ("w", (0, 0, 0, 0)), ("b", (2,))])
def test_a_weight_changed_in_place_is_seen(key, where):
    fast, add, conv = pair_of_layers(kernel_size=1)
    x = np.ones((1, 4, 6, 3))
    before = fast.forward(x)
    fast.params[key][where] += 0.5
    conv.params[key][where] += 0.5
    after = fast.forward(x)
    assert np.abs(after - before).max() > 0.1
    np.testing.assert_allclose(after, conv.forward(add.forward(x)), rtol=1e-12, atol=1e-13)


def test_the_coordinates_are_made_once_for_a_size_and_a_dtype(monkeypatch):
    made = []
    real = coordinates.coordinate_channels
    monkeypatch.setattr("minicoord.nn.layers.coordconv.coordinate_channels", lambda *a: made.append(1) or real(*a))
    layer = CoordConv2D(3, 4, 1, rng=0)
    for n in (2, 2, 3, 1):
        layer.backward(layer.forward(np.ones((n, 8, 8, 3), np.float32)))
    assert len(made) == 1
    layer.forward(np.ones((2, 8, 6, 3), np.float32))  # another size
    layer.astype(np.float64).forward(np.ones((2, 8, 6, 3)))  # another dtype
    assert len(made) == 3


@pytest.mark.parametrize("shape", [(1, 1, 1, 3), (40, 2, 3, 3), (5, 33, 17, 3), (3, 64, 64, 3), (0, 4, 4, 3)])
def test_one_pixel_kernels_on_any_number_of_places_and_images(shape):
    fast, add, conv = pair_of_layers(kernel_size=1, activation="relu")
    x = np.random.default_rng(5).standard_normal(shape)
    y, wanted = fast.forward(x), conv.forward(add.forward(x))
    np.testing.assert_allclose(y, wanted, rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(fast.backward(y), add.backward(conv.backward(wanted)), rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(fast.grads["w"], conv.grads["w"], rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize("size", [1, 3])
def test_weights_may_lie_in_any_order(size):
    """As a file of another program, or a transposition, may leave them."""
    layer, other = (CoordConv2D(3, 4, size, rng=0, dtype=np.float64) for _ in range(2))
    other.params["w"] = np.asfortranarray(layer.params["w"])
    x, dy = np.random.default_rng(6).standard_normal((2, 5, 4, 3)), np.ones((2, 5, 4, 4))
    np.testing.assert_array_equal(other.forward(x), layer.forward(x))
    np.testing.assert_array_equal(other.backward(dy), layer.backward(dy))
    np.testing.assert_array_equal(other.grads["w"], layer.grads["w"])
    model, others = (Sequential([first, Conv2D(4, 2, 1, rng=1, dtype=np.float64)]) for first in (layer, other))
    np.testing.assert_array_equal(others.forward(x), model.forward(x))
    np.testing.assert_array_equal(others.backward(dy[..., :2].copy()), model.backward(dy[..., :2].copy()))


def test_without_bias():
    layer = CoordConv2D(2, 3, 1, rng=0, bias=False, dtype=np.float64)
    assert set(layer.params) == {"w"}
    y = layer.forward(np.zeros((1, 3, 3, 2)))
    assert np.abs(y[0, 1, 1]).max() == 0  # the coordinates are 0 in the middle
    layer.backward(np.ones_like(y))
    assert set(layer.grads) == {"w"}


def test_i_comes_before_j():
    layer = CoordConv2D(1, 2, 1, init="zeros", dtype=np.float64)
    layer.params["w"][0, 0, 1, 0] = layer.params["w"][0, 0, 2, 1] = 1
    y = layer.forward(np.zeros((1, 3, 5, 1)))[0]
    np.testing.assert_allclose(y[:, 0, 0], [-1, 0, 1])  # i: constant along a row
    np.testing.assert_allclose(y[0, :, 1], [-1, -0.5, 0, 0.5, 1])  # j: constant along a column
