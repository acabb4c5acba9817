"""Convolution, transposed convolution and im2col against the plain loops, and against the definition of an adjoint."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from minicoord import reference
from minicoord.kernels import convolve, neighbours, weight_gradient
from minicoord.kernels.backend.vectors import lanes
from minicoord.kernels.convolution import conv2d, conv2d_backward
from minicoord.kernels.im2col import col2im, im2col
from minicoord.kernels.transposed import conv_transpose2d, conv_transpose2d_backward

BOTH = pytest.mark.parametrize(
    "forward, backward", [(conv2d, conv2d_backward), (conv_transpose2d, conv_transpose2d_backward)]
)
TOLERANCE = {np.float32: 2e-5, np.float64: 1e-12}


@pytest.fixture(scope="module", autouse=True, params=["one thread for little work", "tasks for all work"])
def path(request):
    """Run every test here twice: its shapes are small, and would never reach the threads that larger ones go to."""
    with pytest.MonkeyPatch.context() as patch:
        if request.param == "tasks for all work":
            for module in (convolve, weight_gradient):
                patch.setattr(module, "ALONE", 0)
            patch.setattr(neighbours, "ENOUGH", 1)
        neighbours.neighbours.cache_clear()
        yield
    neighbours.neighbours.cache_clear()


sizes = st.integers(1, 7)
channels = st.sampled_from([1, 2, 3, 4, 5, 8, 9, 16, 17, 33])
paddings = st.one_of(
    st.sampled_from(["same", "valid"]),
    st.tuples(st.tuples(st.integers(0, 3), st.integers(0, 3)), st.tuples(st.integers(0, 3), st.integers(0, 3))),
)


@st.composite
def convolutions(draw, transposed=False):
    """Draw images, a kernel, a stride and a padding that fit together: odd, rectangular, strided, tiny, empty."""
    dtype = draw(st.sampled_from([np.float32, np.float64]))
    n, height, width = draw(st.integers(0, 3)), draw(sizes), draw(sizes)
    kh, kw = draw(st.integers(1, 5)), draw(st.integers(1, 5))
    c_in, c_out = draw(channels), draw(channels)
    stride = draw(st.tuples(st.integers(1, 3), st.integers(1, 3)))
    padding = draw(st.sampled_from(["same", "valid"]) if transposed else paddings)
    if not transposed and padding != "same":
        (top, bottom), (left, right) = ((0, 0), (0, 0)) if padding == "valid" else padding
        height, width = max(height, kh - top - bottom), max(width, kw - left - right)
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    x = rng.standard_normal((n, height, width, c_in)).astype(dtype)
    w = rng.standard_normal((kh, kw, c_out, c_in) if transposed else (kh, kw, c_in, c_out)).astype(dtype)
    return x, w, rng.standard_normal(c_out).astype(dtype), stride, padding, rng


def close(ours, oracle):
    """Whether two arrays agree in shape, dtype and, to rounding at their own scale, in value."""
    assert ours.shape == oracle.shape
    assert ours.dtype == oracle.dtype
    scale = max(np.abs(oracle).max(initial=0.0), 1.0)
    return np.abs(ours - oracle).max(initial=0.0) <= TOLERANCE[oracle.dtype.type] * scale


@settings(max_examples=60, deadline=None)
@given(convolutions(), st.booleans())
def test_conv2d_is_the_loops(case, relu):
    x, w, b, stride, padding, _ = case
    assert close(conv2d(x, w, b, stride, padding, relu), reference.conv2d(x, w, b, stride, padding, relu))


@pytest.mark.parametrize("stride", [(2, 1), (1, 2), (2, 2)])
@pytest.mark.parametrize("c_in", [1, 20])
def test_a_single_pixel_that_the_stride_leaves_out_gets_no_gradient(stride, c_in):
    x, w = np.ones((1, 1, 1, c_in), np.float32), np.ones((1, 1, c_in, 3), np.float32)
    padding = ((stride[0] - 1, 0), (stride[1] - 1, 0))
    dx, dw, db = conv2d_backward(x, w, np.ones((1, 1, 1, 3), np.float32), stride, padding)
    assert (dx == 0).all() and (dw == 0).all() and (db == 1).all()


@settings(max_examples=60, deadline=None)
@given(convolutions())
def test_conv2d_backward_is_the_loops(case):
    x, w, _, stride, padding, rng = case
    dy = rng.standard_normal(conv2d(x, w, None, stride, padding).shape).astype(x.dtype)
    ours = conv2d_backward(x, w, dy, stride, padding)
    for mine, theirs in zip(ours, reference.conv2d_backward(x, w, dy, stride, padding), strict=True):
        assert close(mine, theirs)


@settings(max_examples=60, deadline=None)
@given(convolutions(transposed=True), st.booleans())
def test_conv_transpose2d_is_the_loops(case, relu):
    x, w, b, stride, padding, _ = case
    ours = conv_transpose2d(x, w, b, stride, padding, relu)
    assert close(ours, reference.conv_transpose2d(x, w, b, stride, padding, relu))


@settings(max_examples=60, deadline=None)
@given(convolutions(transposed=True))
def test_conv_transpose2d_backward_is_the_loops(case):
    x, w, _, stride, padding, rng = case
    dy = rng.standard_normal(conv_transpose2d(x, w, None, stride, padding).shape).astype(x.dtype)
    ours = conv_transpose2d_backward(x, w, dy, stride, padding)
    for mine, theirs in zip(ours, reference.conv_transpose2d_backward(x, w, dy, stride, padding), strict=True):
        assert close(mine, theirs)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("stride", [1, 2, (3, 1)])
@pytest.mark.parametrize("padding", ["same", "valid", ((2, 0), (1, 1)), ((7, 6), (0, 2))])
@pytest.mark.parametrize("channels", [1, 3, 40])
def test_long_sums_leave_out_the_taps_outside_of_the_image(channels, padding, stride, dtype):
    """Those above and below; some lines of an image lie wholly in the padding."""
    rng = np.random.default_rng(0)
    x, w, b = (
        rng.standard_normal((3, 7, 6, 90)),
        rng.standard_normal((5, 3, 90, channels)),
        rng.standard_normal(channels),
    )
    x, w, b = (array.astype(dtype) for array in (x, w, b))
    assert 2 * convolve.LONG < 5 * 3 * 90
    y = conv2d(x, w, b, stride, padding, True)
    assert close(y, reference.conv2d(x, w, b, stride, padding, True))
    dy = rng.standard_normal(y.shape).astype(dtype)
    oracle = reference.conv2d_backward(x, w, dy, stride, padding, y)
    for ours, theirs in zip(conv2d_backward(x, w, dy, stride, padding, y), oracle, strict=True):
        assert close(ours, theirs)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("size", [(1, 1), (1, 2), (2, 3), (3, 4), (4, 7)])
@pytest.mark.parametrize("stride", [(1, 2), (2, 2), (3, 1), (2, 3), (1, 5)])
@pytest.mark.parametrize("relu", [False, True])
def test_neighbouring_pixels_of_few_channels_share_a_vector_or_do_not(size, stride, relu, dtype):
    """An image may have as few channels as fit a vector for each pixel of a stride, or one more."""
    rng, fit = np.random.default_rng(0), lanes(np.dtype(dtype).itemsize) // stride[1]
    for channels in {1, max(fit, 1), fit + 1}:
        for width, padding in ((6, "same"), (7, ((1, 0), (2, 1))), (11, ((0, 2), (0, 4)))):
            x, w = rng.standard_normal((2, 5, width, channels)), rng.standard_normal((*size, channels, 3))
            x, w = x.astype(dtype), w.astype(dtype)
            y = conv2d(x, w, None, stride, padding, relu)
            dy, gate = rng.standard_normal(y.shape).astype(dtype), y if relu else None
            ours, *_ = conv2d_backward(x, w, dy, stride, padding, gate)
            theirs, *_ = reference.conv2d_backward(x, w, dy, stride, padding, gate)
            assert close(ours, theirs)
        b = rng.standard_normal(channels).astype(dtype)
        ours = conv_transpose2d(dy, w, b, stride, "same", relu)
        assert close(ours, reference.conv_transpose2d(dy, w, b, stride, "same", relu))


@settings(max_examples=40, deadline=None)
@given(convolutions())
def test_im2col_and_col2im_are_the_loops(case):
    x, w, _, stride, padding, rng = case
    cols = im2col(x, w.shape[:2], stride, padding)
    assert close(cols, reference.im2col(x, w.shape[:2], stride, padding))
    back = rng.standard_normal(cols.shape).astype(x.dtype)
    ours = col2im(back, x.shape, w.shape[:2], stride, padding)
    assert close(ours, reference.col2im(back, x.shape, w.shape[:2], stride, padding))


@settings(max_examples=40, deadline=None)
@given(convolutions(transposed=True))
def test_transposed_convolution_is_the_adjoint(case):
    """<conv(x), z> = <x, conv_transpose(z)> for the same kernel: the definition of the adjoint."""
    z, w, _, stride, padding, rng = case
    z, w = z.astype(np.float64), w.astype(np.float64)
    image = conv_transpose2d(z, w, None, stride, padding)
    x = rng.standard_normal(image.shape)
    left, right = np.vdot(conv2d(x, w, None, stride, padding), z), np.vdot(x, image)
    assert abs(left - right) <= 1e-11 * max(np.linalg.norm(x) * np.linalg.norm(image), 1)


def test_more_lines_than_a_band_and_more_bands_than_tasks():
    rng = np.random.default_rng(0)
    x, w = rng.standard_normal((5, 33, 31, 2)), rng.standard_normal((3, 2, 2, 3))
    dy = rng.standard_normal((5, 33, 31, 3))
    assert close(conv2d(x, w), reference.conv2d(x, w))
    for mine, theirs in zip(conv2d_backward(x, w, dy), reference.conv2d_backward(x, w, dy), strict=True):
        assert close(mine, theirs)


@pytest.mark.parametrize("size", [(4, 4), (3, 5), (1, 1)])
@pytest.mark.parametrize("kernel", [(3, 3), (2, 5), (4, 4), (1, 1), (5, 2)])
@pytest.mark.parametrize("stride", [(2, 2), (1, 2), (3, 2), (4, 4)])
@pytest.mark.parametrize("padding", ["same", "valid", ((0, 0), (1, 0))])
@pytest.mark.parametrize("c_in, c_out", [(6, 1), (2, 5)])  # up to 4 channels all phases are computed at once
def test_transposed_convolution_with_all_its_phases(size, kernel, stride, padding, c_in, c_out):
    rng = np.random.default_rng(0)
    if not isinstance(padding, str) and (size[1] - 1) * stride[1] + kernel[1] < 2:
        kernel = (kernel[0], 2)  # so that the padding leaves a pixel
    x, w, b = (rng.standard_normal(s) for s in ((2, *size, c_in), (*kernel, c_out, c_in), c_out))
    y = conv_transpose2d(x, w, b, stride, padding, relu=True)
    assert close(y, reference.conv_transpose2d(x, w, b, stride, padding, relu=True))
    dy = rng.standard_normal(y.shape)
    ours = conv_transpose2d_backward(x, w, dy, stride, padding, y)
    for mine, theirs in zip(ours, reference.conv_transpose2d_backward(x, w, dy, stride, padding, y), strict=True):
        assert close(mine, theirs)


@pytest.mark.parametrize("padding", ["same", "valid", ((2, 0), (1, 3))])
@pytest.mark.parametrize("stride", [(2, 3), (3, 1), (6, 4)])  # below and above the kernel
@pytest.mark.parametrize("c_in", [1, 4, 5])
def test_the_gradient_by_an_image_of_few_channels(padding, stride, c_in):
    rng = np.random.default_rng(0)
    x, w, b = (rng.standard_normal(s) for s in ((2, 9, 8, c_in), (5, 3, c_in, 6), 6))
    y = conv2d(x, w, b, stride, padding, relu=True)
    dy = rng.standard_normal(y.shape)
    ours = conv2d_backward(x, w, dy, stride, padding, y)
    for mine, theirs in zip(ours, reference.conv2d_backward(x, w, dy, stride, padding, y), strict=True):
        assert close(mine, theirs)


def test_a_phase_of_one_tap_that_looks_outside_the_image():
    """The one place of this window lies in the padding, so no gradient reaches the image."""
    x, w, padding = np.ones((1, 1, 2, 1)), np.ones((1, 2, 1, 1)), ((0, 0), (2, 0))
    dx, _, _ = conv2d_backward(x, w, np.ones((1, 1, 1, 1)), (1, 3), padding)
    assert dx is not None
    assert not dx.any()


def numeric(f, array, eps=1e-6):
    """Central differences of the scalar f() over every entry of `array`, changed in place."""
    gradient = np.empty_like(array)
    for index in np.ndindex(array.shape):
        kept = array[index]
        array[index] = kept + eps
        plus = f()
        array[index] = kept - eps
        gradient[index] = (plus - f()) / (2 * eps)
        array[index] = kept
    return gradient


@BOTH
@pytest.mark.parametrize("relu", [False, True])
@pytest.mark.parametrize("kernel, stride, padding", [((3, 2), (2, 1), "same"), ((2, 3), 2, "valid"), (1, 1, "same")])
def test_every_entry_of_every_gradient(forward, backward, relu, kernel, stride, padding):
    rng = np.random.default_rng(1)
    kh, kw = (kernel, kernel) if isinstance(kernel, int) else kernel
    x, b = rng.standard_normal((2, 5, 4, 3)), rng.standard_normal(2)
    w = rng.standard_normal((kh, kw, 3, 2) if forward is conv2d else (kh, kw, 2, 3))
    y = forward(x, w, b, stride, padding, relu)
    probe = rng.standard_normal(y.shape)

    def scalar():
        return float(np.vdot(forward(x, w, b, stride, padding, relu), probe))

    gradients = backward(x, w, probe, stride, padding, y if relu else None)
    for array, gradient in zip((x, w, b), gradients, strict=True):
        wanted = numeric(scalar, array)
        assert np.abs(gradient - wanted).max() <= 1e-6 * max(np.abs(gradient).max(), np.abs(wanted).max())


@BOTH
def test_dx_can_be_left_out(forward, backward):
    x, w = np.ones((1, 3, 3, 1), np.float32), np.ones((2, 2, 1, 1), np.float32)
    dx, dw, db = backward(x, w, forward(x, w), need_dx=False)
    assert dx is None
    with_dx = backward(x, w, forward(x, w))
    assert np.array_equal(dw, with_dx[1])
    assert np.array_equal(db, with_dx[2])


@pytest.mark.parametrize("forward", [conv2d, conv_transpose2d])
def test_a_nan_stays_visible_behind_relu(forward):
    x = np.zeros((1, 4, 4, 1))
    x[0, 1, 1, 0] = np.nan
    assert np.isnan(forward(x, np.ones((1, 1, 1, 1)), relu=True)).sum() == 1


@BOTH
@pytest.mark.parametrize("size", [1, 3])
def test_a_nan_in_the_output_lets_the_gradient_through(forward, backward, size):
    """Behind ReLU only what is not positive gets no gradient; a NaN is a fault that must not be hidden."""
    rng = np.random.default_rng(4)
    x, w = rng.standard_normal((2, 4, 5, 3)), rng.standard_normal((size, size, 3, 3))
    y = np.where(forward(x, w, relu=True) > 0, np.nan, 0)
    dy = rng.standard_normal(y.shape)
    oracle = getattr(reference, backward.__name__)
    for mine, theirs in zip(backward(x, w, dy, y=y), oracle(x, w, dy, y=y), strict=True):
        assert close(mine, theirs)
        assert np.abs(mine).max() > 0.1


@BOTH
def test_views_that_are_not_contiguous(forward, backward):
    rng = np.random.default_rng(2)
    x, w = rng.standard_normal((2, 6, 8, 4))[:, ::-1, ::2, 1:3], rng.standard_normal((2, 2, 3, 3))[::-1, :, :2, :2]
    dy = rng.standard_normal(forward(x, w).shape)
    assert np.array_equal(forward(x, w), forward(x.copy(), w.copy()))
    for mine, theirs in zip(backward(x, w, dy.T.copy().T), backward(x.copy(), w.copy(), dy), strict=True):
        assert np.array_equal(mine, theirs)


@BOTH
@pytest.mark.parametrize("relu", [False, True])
@pytest.mark.parametrize("size", [1, 3])
def test_arrays_that_cannot_be_written_to(forward, backward, size, relu):
    rng = np.random.default_rng(3)
    x, w = rng.standard_normal((2, 4, 5, 3)), rng.standard_normal((size, size, 3, 3))
    y = forward(x, w, None, 1, "same", relu)
    wanted = backward(x, w, y, 1, "same", y if relu else None)
    for array in (x, w, y):
        array.setflags(write=False)
    assert np.array_equal(forward(x, w, None, 1, "same", relu), y)
    for mine, theirs in zip(backward(x, w, y, 1, "same", y if relu else None), wanted, strict=True):
        assert np.array_equal(mine, theirs)


X, W = np.ones((1, 4, 5, 3)), np.ones((3, 3, 3, 2))


@pytest.mark.parametrize(
    "call, error, words",
    [
        (lambda: conv2d(X[0], W), ValueError, r"conv2d: x has shape \(4, 5, 3\), wanted \(N, H, W, C\)"),
        (lambda: conv2d(X[..., :2], W), ValueError, r"w has shape \(3, 3, 3, 2\), wanted \(kh, kw, 2, c_out\)"),
        (lambda: conv2d(X, W, np.ones(3)), ValueError, r"b has shape \(3,\), wanted \(2,\)"),
        (lambda: conv2d(X, W.astype(np.float32)), TypeError, "the dtypes differ"),
        (lambda: conv2d(X.astype(int), W), TypeError, "dtype int64, wanted float32 or float64"),
        (lambda: conv2d(X.tolist(), W), TypeError, "of type list, wanted a NumPy array"),
        (lambda: conv2d(X, W, stride=0), ValueError, "stride was 0"),
        (lambda: conv2d(X, W, stride=np.ones(2)), ValueError, "stride was an array of shape"),  # type: ignore
        (lambda: conv2d(X, W, padding={1: 2}), ValueError, "padding was {1: 2}"),  # type: ignore
        (lambda: conv2d(X, W[..., :0]), ValueError, r"w has shape \(3, 3, 3, 0\), wanted .* of at least 1 each"),
        (lambda: conv_transpose2d(X, W[:, :, :0]), ValueError, r"w has shape \(3, 3, 0, 2\), .* of at least 1 each"),
        (lambda: conv2d(X, W, stride=(1, 2, 3)), ValueError, "stride was"),
        (lambda: conv2d(X, W, padding="full"), ValueError, "padding was 'full'"),
        (lambda: conv2d(X, W, padding=-1), ValueError, "padding was -1"),
        (lambda: conv2d(X[:, :2], W, padding="valid"), ValueError, "3x3 window does not fit"),
        (lambda: conv2d_backward(X, W, np.ones((1, 4, 5, 3))), ValueError, r"dy has shape .* wanted \(1, 4, 5, 2\)"),
        (lambda: conv_transpose2d(X, W), ValueError, r"w has shape .* wanted \(kh, kw, c_out, 3\)"),
        (lambda: conv_transpose2d(X, np.ones((3, 3, 2, 3)), padding=9), ValueError, "leaves no pixel"),
        (lambda: conv_transpose2d(X, np.ones((3, 3, 2, 3)), padding="full"), ValueError, "padding was 'full'"),
        (lambda: im2col(X[0], 3), ValueError, "im2col: x has shape"),
        (lambda: col2im(np.ones((3, 3)), (1, 4, 5, 3), 3), ValueError, r"cols has shape \(3, 3\), wanted \(20, 27\)"),
        (lambda: col2im(X[0, 0], X.shape[1:], 3), ValueError, "x_shape is"),  # pyright: ignore[reportArgumentType]
    ],
)
def test_bad_input_is_named(call, error, words):
    with pytest.raises(error, match=words):
        call()
