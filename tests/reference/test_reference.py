"""The oracle itself, held to small cases worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from central_differences import numeric_gradient, relative_error

from minicoord import reference
from minicoord.reference.geometry import windows


def image(rows: list[list[float]]) -> np.ndarray:
    """Return one image of one channel, (1, H, W, 1)."""
    return np.array(rows, np.float64)[None, :, :, None]


def pixels(x: np.ndarray) -> list:
    """Return the rows of the one channel of the one image."""
    assert x.shape[0] == x.shape[3] == 1
    return x[0, :, :, 0].tolist()


COUNT = image([[1, 2, 3, 4], [5, 6, 7, 8], [9, 10, 11, 12], [13, 14, 15, 16]])


@pytest.mark.parametrize(
    "size, kernel, stride, padding, wanted",
    [
        (5, 3, 1, "valid", [0, 1, 2]),
        (5, 3, 2, "valid", [0, 2]),
        (6, 3, 2, "valid", [0, 2]),  # the last pixel is never seen
        (5, 3, 2, "same", [-1, 1, 3]),
        (4, 3, 2, "same", [0, 2]),  # the one pixel of padding comes after
        (4, 4, 1, "same", [-1, 0, 1, 2]),
        (4, 1, 3, "same", [0, 3]),
        (4, 3, 2, 1, [-1, 1]),
        (4, 3, 1, ((2, 0), (2, 0)), [-2, -1, 0, 1]),
        (4, 2, 2, (2, 2), [-2, 0, 2, 4]),
    ],
)
def test_where_windows_start(size, kernel, stride, padding, wanted):
    over = windows(size, size, kernel, stride, padding)
    assert [*over.rows] == [*over.columns] == wanted


def test_the_windows_of_a_rectangle():
    over = windows(4, 7, (3, 2), (1, 3), ((1, 0), (0, 2)))
    assert (over.kh, over.kw, [*over.rows], [*over.columns]) == (3, 2, [-1, 0, 1], [0, 3, 6])


@pytest.mark.parametrize(
    "kernel, padding, sentence",
    [(5, "valid", "a 5x5 window is larger than"), (2, "full", "padding was 'full', wanted")],
)
def test_windows_that_cannot_be_laid_down(kernel, padding, sentence):
    with pytest.raises(ValueError, match=sentence):
        windows(4, 4, kernel, 1, padding)


def test_im2col_lays_the_pixels_under_the_window_side_by_side():
    cols = reference.im2col(image([[1, 2], [3, 4]]), 2)  # "same" adds a row below and a column to the right
    assert cols.tolist() == [[1, 2, 3, 4], [2, 0, 4, 0], [3, 4, 0, 0], [4, 0, 0, 0]]


def test_im2col_keeps_the_channels_of_a_pixel_together():
    x = np.arange(1.0, 5.0).reshape(1, 1, 2, 2)
    assert reference.im2col(x, (1, 2), padding="valid").tolist() == [[1, 2, 3, 4]]


def test_col2im_sums_where_windows_overlap():
    x = reference.col2im(np.ones((2, 2)), (1, 1, 3, 1), (1, 2), padding="valid")
    assert pixels(x) == [[1, 2, 1]]


def test_conv2d_with_stride_2_pads_only_below_and_to_the_right():
    y = reference.conv2d(COUNT, np.ones((3, 3, 1, 1)), stride=2)
    assert pixels(y) == [[54, 45], [72, 54]]  # 54 = 1+2+3 + 5+6+7 + 9+10+11, and 54 = 11+12 + 15+16


@pytest.mark.parametrize(
    "tap, wanted", [((0, 0), [[1, 3], [9, 11]]), ((0, 2), [[3, 0], [11, 0]]), ((2, 2), [[11, 0], [0, 0]])]
)
def test_conv2d_does_not_flip_its_kernel(tap, wanted):
    w = np.zeros((3, 3, 1, 1))
    w[tap] = 1
    assert pixels(reference.conv2d(COUNT, w, stride=2)) == wanted


def test_conv2d_mixes_channels_then_adds_the_bias_then_applies_relu():
    x = np.array([[[[1.0, 2.0]]]])
    w = np.array([[[[1.0, 10.0, -1.0], [3.0, 20.0, -2.0]]]])
    b = np.array([0.5, 0.0, 4.0])
    assert reference.conv2d(x, w, b).ravel().tolist() == [7.5, 50.0, -1.0]
    assert reference.conv2d(x, w, b, relu=True).ravel().tolist() == [7.5, 50.0, 0.0]


def test_conv2d_backward_by_hand():
    x, w = image([[3, 4]]), np.array([5.0, 7.0]).reshape(1, 2, 1, 1)  # y = 5 * 3 + 7 * 4
    dx, dw, db = reference.conv2d_backward(x, w, image([[2]]), padding="valid")
    assert pixels(dx) == [[10, 14]]
    assert dw.ravel().tolist() == [6, 8]
    assert db.tolist() == [2]


@pytest.mark.parametrize("name", ["conv2d", "conv_transpose2d"])
def test_nothing_flows_back_through_relu_where_the_output_is_zero(name):
    x, w = image([[3, 4]]), np.array([[[[5.0, -7.0]]]])
    w = w if name == "conv2d" else w.swapaxes(2, 3)
    y = getattr(reference, name)(x, w, relu=True)
    dx, dw, db = getattr(reference, f"{name}_backward")(x, w, np.ones_like(y), y=y)
    assert pixels(dx) == [[5, 5]]
    assert dw.ravel().tolist() == [7, 0]
    assert db.tolist() == [2, 0]


@pytest.mark.parametrize("name", ["conv2d", "conv_transpose2d"])
@pytest.mark.parametrize("stride, padding", [((2, 1), "same"), ((1, 3), "valid")])
def test_gradients_of_both_convolutions_agree_with_central_differences(name, stride, padding):
    rng = np.random.default_rng(1)
    forward, backward = getattr(reference, name), getattr(reference, f"{name}_backward")
    x = rng.normal(size=(2, 4, 3, 2))
    w = rng.normal(size=(3, 2, 2, 3) if name == "conv2d" else (3, 2, 3, 2))
    b = rng.normal(size=3)
    dy = rng.normal(size=forward(x, w, b, stride, padding).shape)
    dx, dw, db = backward(x, w, dy, stride, padding)
    for analytic, numeric in [
        (dx, numeric_gradient(lambda a: (forward(a, w, b, stride, padding) * dy).sum(), x)),
        (dw, numeric_gradient(lambda a: (forward(x, a, b, stride, padding) * dy).sum(), w)),
        (db, numeric_gradient(lambda a: (forward(x, w, a, stride, padding) * dy).sum(), b)),
    ]:
        assert relative_error(analytic, numeric) < 1e-6


@pytest.mark.parametrize(
    "kernel, stride, padding, wanted",
    [
        ([1, 2, 3], 2, "valid", [1, 2, 13, 20, 30]),
        ([1, 2, 3], 2, "same", [1, 2, 13, 20]),  # an odd kernel at stride 2 crops to the right only
        ([1, 2, 3, 4], 2, "same", [2, 13, 24, 30]),
        ([1], 3, "valid", [1, 0, 0, 10, 0, 0]),
        ([1, 2, 3], 2, ((0, 0), (1, 2)), [2, 13]),
    ],
)
def test_conv_transpose2d_scatters_the_kernel_and_sums_overlaps(kernel, stride, padding, wanted):
    w = np.array(kernel, np.float64).reshape(1, -1, 1, 1)
    assert pixels(reference.conv_transpose2d(image([[1, 10]]), w, None, (1, stride), padding)) == [wanted]


@pytest.mark.parametrize("kernel", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("padding", ["same", "valid"])
def test_conv_transpose2d_is_the_adjoint_of_conv2d(kernel, stride, padding):
    rng = np.random.default_rng(2)
    x, w = rng.normal(size=(1, 3, 2, 2)), rng.normal(size=(kernel, kernel, 3, 2))
    y = reference.conv_transpose2d(x, w, None, stride, padding)
    z = rng.normal(size=y.shape)
    assert np.isclose((y * z).sum(), (x * reference.conv2d(z, w, None, stride, padding)).sum())


def test_coordinates_put_rows_first_and_end_exactly_at_one():
    coords = reference.coordinate_channels(3, 2, with_r=True, dtype=np.float64)
    assert coords[:, :, 0].tolist() == [[-1, -1], [0, 0], [1, 1]]
    assert coords[:, :, 1].tolist() == [[-1, 1], [-1, 1], [-1, 1]]
    assert np.allclose(coords[:, :, 2], [[2**0.5, 2**0.5], [1, 1], [2**0.5, 2**0.5]])
    assert reference.coordinate_channels(1, 1).ravel().tolist() == [0, 0]


@pytest.mark.parametrize(
    "weights, with_r, wanted",
    [
        ([1, 0, 0], False, [[1, 2, 3], [4, 5, 6]]),
        ([0, 1, 0], False, [[-1, -1, -1], [1, 1, 1]]),  # i runs over rows
        ([0, 0, 1], False, [[-1, 0, 1], [-1, 0, 1]]),  # j runs over columns
        ([1, 10, 100], False, [[-109, -8, 93], [-86, 15, 116]]),
        ([0, 0, 0, 1], True, [[2**0.5, 1, 2**0.5], [2**0.5, 1, 2**0.5]]),
    ],
)
def test_coordconv2d_convolves_the_image_and_its_coordinates(weights, with_r, wanted):
    w = np.array(weights, np.float64).reshape(1, 1, -1, 1)
    coordinates = reference.coordinate_channels(2, 3, with_r, np.float64)
    assert pixels(reference.coordconv2d(image([[1, 2, 3], [4, 5, 6]]), coordinates, w)) == wanted


@pytest.mark.parametrize("height, width, wanted", [(1, 3, [[-1, 0, 1]]), (3, 1, [[-10], [0], [10]]), (1, 1, [[0]])])
def test_the_coordinate_of_a_single_row_or_column_is_0(height, width, wanted):
    w = np.array([0.0, 10.0, 1.0]).reshape(1, 1, 3, 1)
    coordinates = reference.coordinate_channels(height, width)
    assert pixels(reference.coordconv2d(np.ones((1, height, width, 1)), coordinates, w)) == wanted


def test_coordinates_are_zero_in_the_padding():
    x, coordinates, w = image([[7, 7, 7]]), reference.coordinate_channels(1, 3), np.zeros((1, 3, 3, 1))
    w[0, 0, 2] = 1  # the tap to the left sees j
    assert pixels(reference.coordconv2d(x, coordinates, w)) == [[0, -1, 0]]
    w[0, 0, 2], w[0, 2, 2] = 0, 1  # the tap to the right
    b = np.array([5.0])
    assert pixels(reference.coordconv2d(x, coordinates, w, b)) == [[5, 6, 5]]
    assert pixels(reference.coordconv2d(x, coordinates, w, b - 5.5, relu=True)) == [[0, 0.5, 0]]


def test_coordconv2d_backward_by_hand():
    x, w = image([[3, 4]]), np.array([2.0, 5.0, 6.0]).reshape(1, 1, 3, 1)
    coordinates = reference.coordinate_channels(1, 2)
    dx, dw, db = reference.coordconv2d_backward(x, coordinates, w, image([[1, 10]]))
    assert pixels(dx) == [[2, 20]]  # the image's own weight alone
    assert dw.ravel().tolist() == [3 + 40, 0, -1 + 10]
    assert db.tolist() == [11]
    y = reference.coordconv2d(x, coordinates, w, np.array([-5.0]))
    assert pixels(y) == [[-5, 9]]
    dx, dw, db = reference.coordconv2d_backward(x, coordinates, w, image([[1, 10]]), np.maximum(y, 0))
    assert (pixels(dx), dw.ravel().tolist(), db.tolist()) == ([[0, 20]], [40, 0, 10], [10])


@pytest.mark.parametrize("with_r", [False, True])
@pytest.mark.parametrize("size", [(4, 3), (1, 4), (3, 1)])
@pytest.mark.parametrize("stride, padding", [((2, 1), "same"), (1, ((1, 1), (2, 0)))])
def test_gradients_of_coordconv2d_agree_with_central_differences(size, stride, padding, with_r):
    rng = np.random.default_rng(3)
    x, w, b = rng.normal(size=(2, *size, 2)), rng.normal(size=(3, 2, 5 if with_r else 4, 3)), rng.normal(size=3)
    coordinates = reference.coordinate_channels(size[0], size[1], with_r, np.float64)

    def forward(x, w, b):
        return reference.coordconv2d(x, coordinates, w, b, stride, padding)

    dy = rng.normal(size=forward(x, w, b).shape)
    dx, dw, db = reference.coordconv2d_backward(x, coordinates, w, dy, None, stride, padding)
    for analytic, numeric in [
        (dx, numeric_gradient(lambda a: (forward(a, w, b) * dy).sum(), x)),
        (dw, numeric_gradient(lambda a: (forward(x, a, b) * dy).sum(), w)),
        (db, numeric_gradient(lambda a: (forward(x, w, a) * dy).sum(), b)),
    ]:
        assert relative_error(analytic, numeric) < 1e-6


def test_add_coords_appends_and_its_adjoint_drops():
    x = np.array([[[[7.0], [8.0]]]])
    y = reference.add_coords(x)
    assert y.tolist() == [[[[7, 0, -1], [8, 0, 1]]]]
    assert reference.add_coords_backward(y).tolist() == x.tolist()


def test_tile_repeats_a_vector_and_its_adjoint_sums():
    assert reference.tile(np.array([[1.0, 2.0]]), 1, 2).tolist() == [[[[1, 2], [1, 2]]]]
    assert reference.tile_backward(np.ones((1, 2, 3, 2))).tolist() == [[6, 6]]


def test_max_pool2d_gives_a_tie_to_the_first_pixel_and_padding_never_wins():
    y, argmax = reference.max_pool2d(image([[-5, -5, -7], [-5, -6, -8]]), 2, padding="same")
    assert pixels(y) == [[-5, -7]]
    assert pixels(argmax) == [[0, 2]]
    dx = reference.max_pool2d_backward(image([[1, 10]]), argmax, (1, 2, 3, 1))
    assert pixels(dx) == [[1, 0, 10], [0, 0, 0]]


def test_max_pool2d_lets_nan_win():
    y, argmax = reference.max_pool2d(image([[1, np.nan], [9, np.nan]]))
    assert np.isnan(y).all()
    assert argmax.item() == 1


def test_avg_pool2d_divides_by_the_pixels_inside_the_image():
    x = image([[1, 2, 3], [4, 5, 6], [7, 8, 9]])
    assert pixels(reference.avg_pool2d(x, 2, padding="same")) == [[3, 4.5], [7.5, 9]]
    dx = reference.avg_pool2d_backward(image([[4, 4], [4, 4]]), x.shape, 2, padding="same")
    assert pixels(dx) == [[1, 1, 2], [1, 1, 2], [2, 2, 4]]


def test_a_window_wholly_in_the_padding_has_no_pixels_to_pool():
    with pytest.raises(ValueError, match="wholly in the padding"):
        reference.avg_pool2d(COUNT, 2, padding=2)


def test_global_pooling():
    y, argmax = reference.global_max_pool(COUNT)
    assert (y.item(), argmax.item()) == (16, 15)
    assert reference.global_max_pool_backward(np.array([[3.0]]), argmax, COUNT.shape)[0, 3, 3, 0] == 3
    assert reference.global_avg_pool(COUNT).item() == 8.5
    assert pixels(reference.global_avg_pool_backward(np.array([[8.0]]), (1, 2, 2, 1))) == [[2, 2], [2, 2]]


def test_batch_norm_by_hand():
    x, two = np.array([[1.0], [3.0]]), np.array([2.0])
    y, mean, var = reference.batch_norm(x, two, np.array([10.0]), eps=0.0)
    assert (y.ravel().tolist(), mean.item(), var.item()) == ([8, 12], 2, 1)
    # y does not change when x is shifted or stretched, and two points can do nothing else: the gradient is zero.
    dx, dgamma, dbeta = reference.batch_norm_backward(np.array([[1.0], [5.0]]), x, two, mean, var, eps=0.0)
    assert (dx.ravel().tolist(), dgamma.item(), dbeta.item()) == ([0, 0], 4, 6)
    assert reference.batch_norm_inference(x, two, two, np.ones(1), np.full(1, 4.0), 0.0).ravel().tolist() == [2, 4]


def test_activations_by_hand():
    x = np.array([-2.0, 0.0, 3.0, np.nan])
    ones = np.ones(4)
    assert np.array_equal(reference.relu(x), [0, 0, 3, np.nan], equal_nan=True)
    assert reference.relu_backward(ones, reference.relu(x)).tolist() == [0, 0, 1, 1]
    assert np.array_equal(reference.leaky_relu(x), [-0.4, 0, 3, np.nan], equal_nan=True)
    assert reference.leaky_relu_backward(ones, x)[:3].tolist() == [0.2, 0.2, 1]
    assert reference.sigmoid(np.array([-1e4, 0.0, 1e4])).tolist() == [0, 0.5, 1]
    assert reference.sigmoid(np.array([np.log(3)])).item() == pytest.approx(0.75)
    assert reference.sigmoid_backward(np.array([16.0]), np.array([0.75])).item() == 3
    assert reference.tanh(np.array([np.log(2)])).item() == pytest.approx(0.6)
    assert reference.tanh_backward(np.array([4.0]), np.array([0.5])).item() == 3


def test_softmax_cross_entropy_of_a_guess_among_4096_pixels_is_ln_4096():
    loss, dlogits = reference.softmax_cross_entropy(np.zeros((2, 64, 64, 1)), np.array([0, 4095]))
    assert loss == pytest.approx(8.318, abs=5e-4)
    assert dlogits[1, 63, 63, 0] == pytest.approx((1 / 4096 - 1) / 2)
    assert dlogits[1, 0, 0, 0] == pytest.approx(1 / 4096 / 2)


def test_softmax_cross_entropy_by_hand():
    logits = np.log([[1.0, 3.0], [4.0, 1.0]])
    assert np.allclose(reference.softmax(logits), [[0.25, 0.75], [0.8, 0.2]])
    loss, dlogits = reference.softmax_cross_entropy(logits, np.array([1, 1]))
    assert loss == pytest.approx((np.log(4 / 3) + np.log(5)) / 2)
    assert np.allclose(dlogits, [[0.125, -0.125], [0.4, -0.4]])


def test_sigmoid_cross_entropy_by_hand():
    loss, dlogits = reference.sigmoid_cross_entropy(np.array([np.log(3.0), 0.0]), np.array([1.0, 0.5]))
    assert loss == pytest.approx((np.log(4 / 3) + np.log(2)) / 2)
    assert np.allclose(dlogits, [-0.125, 0])


def test_mean_squared_error_by_hand():
    loss, dpred = reference.mean_squared_error(np.array([1.0, 5.0]), np.array([1.0, 2.0]))
    assert (loss, dpred.tolist()) == (4.5, [0, 3])


def test_dense_by_hand():
    x, w = np.array([[1.0, 2.0]]), np.array([[1.0, 0.0, 3.0], [0.0, 1.0, 4.0]])
    assert reference.dense(x, w, np.ones(3)).tolist() == [[2, 3, 12]]
    dx, dw, db = reference.dense_backward(x, w, np.array([[1.0, 1.0, 10.0]]))
    assert dx.tolist() == [[31, 41]]
    assert dw.tolist() == [[1, 1, 10], [2, 2, 20]]
    assert db.tolist() == [1, 1, 10]


def test_upsample_nearest_by_hand():
    y = reference.upsample_nearest(image([[1, 2]]), (2, 3))
    assert pixels(y) == [[1, 1, 1, 2, 2, 2], [1, 1, 1, 2, 2, 2]]
    assert pixels(reference.upsample_nearest_backward(y, (2, 3))) == [[6, 12]]


def test_two_steps_of_momentum_by_hand():
    w, velocity, g = np.array([1.0]), np.zeros(1), np.array([2.0])
    reference.sgd_update(w, g, velocity, lr=0.25, momentum=0.5)
    assert (velocity.item(), w.item()) == (2, 0.5)
    reference.sgd_update(w, g, velocity, lr=0.25, momentum=0.5)
    assert (velocity.item(), w.item()) == (3, -0.25)


def test_the_first_steps_of_adam_move_by_the_learning_rate():
    w, m, v = np.array([1.0, 1.0]), np.zeros(2), np.zeros(2)
    for t in (1, 2):  # with the same gradient twice both running means stay, corrected, at g and g^2
        reference.adam_update(w, np.array([4.0, -0.25]), m, v, 0.125, 0.5, 0.75, 1e-12, t)
    assert np.allclose(w, [0.75, 1.25])
    assert np.allclose(m, np.array([4.0, -0.25]) * 0.75)
    assert np.allclose(v, np.array([16.0, 0.0625]) * 0.4375)
