"""The oracle: every public function of ``minicoord.kernels`` once more, as slow and obvious loops.

Read a function here first, then its fast twin of the same name. Both take the same arguments and return the same
results, to rounding; the tests hold them together. Nothing here is compiled, tiled or parallel, and little is checked:
an oracle is to be read and believed. It computes in the dtype that it is given.

The order: im2col, convolution, transposed convolution, coordinates, pooling, batch normalisation, activations, losses,
dense, upsampling, updates. Images are ``(N, H, W, C)``: image n, row i from the top, column j from the left, channel c.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from minicoord.kernels.geometry import Padding, Pair, Window, explicit_padding, pair, window


def _steps(images: int, height: int, width: int, place: Window) -> Iterator[tuple[int, int, int, int, int, int, int]]:
    """Yield ``(n, i, j, ki, kj, row, column)`` for every image, place of the window and pixel under it.

    ``(i, j)`` is the place, ``(ki, kj)`` the pixel within the window, and ``(row, column)`` the same pixel within the
    image. Pixels in the padding are left out: they are zero and add nothing.
    """
    for n in range(images):
        for i in range(place.out_h):
            for j in range(place.out_w):
                for ki in range(place.kh):
                    for kj in range(place.kw):
                        row = i * place.sy - place.top + ki
                        column = j * place.sx - place.left + kj
                        if 0 <= row < height and 0 <= column < width:
                            yield n, i, j, ki, kj, row, column


# im2col


def im2col(x: NDArray, kernel_size: Pair, stride: Pair = 1, padding: Padding = "same") -> NDArray:
    """Return the pixels under the window side by side, one row for each place of the window.

    Parameters
    ----------
    x : (N, H, W, C)
    kernel_size, stride, padding
        See `minicoord.kernels.geometry.window`.

    Returns
    -------
    (N * out_h * out_w, kh * kw * C)
        ``cols[(n * out_h + i) * out_w + j, (ki * kw + kj) * C + c] = x[n, i * sy - top + ki, j * sx - left + kj, c]``,
        and zero in the padding.
    """
    images, height, width, channels = x.shape
    place = window(height, width, kernel_size, stride, padding)
    cols = np.zeros((images, place.out_h, place.out_w, place.kh, place.kw, channels), x.dtype)
    for n, i, j, ki, kj, row, column in _steps(images, height, width, place):
        cols[n, i, j, ki, kj] = x[n, row, column]
    return cols.reshape(images * place.out_h * place.out_w, place.kh * place.kw * channels)


def col2im(
    cols: NDArray, x_shape: tuple[int, int, int, int], kernel_size: Pair, stride: Pair = 1, padding: Padding = "same"
) -> NDArray:
    """Add every entry of an im2col matrix to the pixel that it came from: the adjoint of `im2col`.

    Parameters
    ----------
    cols : (N * out_h * out_w, kh * kw * C)
    x_shape : (N, H, W, C)

    Returns
    -------
    (N, H, W, C)
        Where windows overlap, their entries are summed.
    """
    images, height, width, channels = x_shape
    place = window(height, width, kernel_size, stride, padding)
    cols = cols.reshape(images, place.out_h, place.out_w, place.kh, place.kw, channels)
    x = np.zeros(x_shape, cols.dtype)
    for n, i, j, ki, kj, row, column in _steps(images, height, width, place):
        x[n, row, column] += cols[n, i, j, ki, kj]
    return x


# Convolution


def conv2d(
    x: NDArray, w: NDArray, b: NDArray | None = None, stride: Pair = 1, padding: Padding = "same", relu: bool = False
) -> NDArray:
    """Convolve: ``y[n, i, j] = b + sum over ki, kj of x[n, i * sy - top + ki, j * sx - left + kj] @ w[ki, kj]``.

    Parameters
    ----------
    x : (N, H, W, c_in)
    w : (kh, kw, c_in, c_out)
    b : (c_out,), optional
    relu : bool
        Whether negative results become zero.

    Returns
    -------
    (N, out_h, out_w, c_out)
    """
    images, height, width, _ = x.shape
    kh, kw, _, c_out = w.shape
    place = window(height, width, (kh, kw), stride, padding)
    y = np.zeros((images, place.out_h, place.out_w, c_out), x.dtype)
    for n, i, j, ki, kj, row, column in _steps(images, height, width, place):
        y[n, i, j] += x[n, row, column] @ w[ki, kj]
    if b is not None:
        y += b
    return np.maximum(y, 0) if relu else y


def conv2d_backward(
    x: NDArray, w: NDArray, dy: NDArray, stride: Pair = 1, padding: Padding = "same", y: NDArray | None = None
) -> tuple[NDArray, NDArray, NDArray]:
    """Return the gradients of `conv2d`: the gradient of every product of the forward pass, sent to both its factors.

    Parameters
    ----------
    x : (N, H, W, c_in)
    w : (kh, kw, c_in, c_out)
    dy : (N, out_h, out_w, c_out)
        Gradient of the loss by the output.
    y : (N, out_h, out_w, c_out), optional
        The output, if ReLU was applied: nothing flows back where it is zero.

    Returns
    -------
    dx : (N, H, W, c_in)
    dw : (kh, kw, c_in, c_out)
    db : (c_out,)
    """
    if y is not None:
        dy = relu_backward(dy, y)
    images, height, width, _ = x.shape
    place = window(height, width, w.shape[:2], stride, padding)
    dx, dw = np.zeros_like(x), np.zeros_like(w)
    for n, i, j, ki, kj, row, column in _steps(images, height, width, place):
        dx[n, row, column] += w[ki, kj] @ dy[n, i, j]
        dw[ki, kj] += np.outer(x[n, row, column], dy[n, i, j])
    return dx, dw, dy.sum(axis=(0, 1, 2))


# Transposed convolution


def _transposed_window(
    height: int, width: int, kernel_size: Pair, stride: Pair, padding: Padding
) -> tuple[int, int, Window]:
    """Return the output's height and width, and the window of the convolution that leads back to `height` x `width`."""
    (kh, kw), (sy, sx) = pair(kernel_size, "kernel_size"), pair(stride, "stride")
    if padding == "same":
        out_h, out_w = height * sy, width * sx
    elif padding == "valid":
        out_h, out_w = height * sy + max(kh - sy, 0), width * sx + max(kw - sx, 0)
    else:
        top, bottom, left, right = explicit_padding(padding)
        out_h, out_w = (height - 1) * sy + kh - top - bottom, (width - 1) * sx + kw - left - right
    return out_h, out_w, window(out_h, out_w, (kh, kw), (sy, sx), padding)


def conv_transpose2d(
    x: NDArray, w: NDArray, b: NDArray | None = None, stride: Pair = 1, padding: Padding = "same", relu: bool = False
) -> NDArray:
    """Scatter: each pixel adds ``w[ki, kj] @ x[n, i, j]`` to output pixel ``(i * sy - top + ki, j * sx - left + kj)``.

    It is the adjoint of the convolution with the same `w`, which is why `w` names its channels the other way round.

    Parameters
    ----------
    x : (N, H, W, c_in)
    w : (kh, kw, c_out, c_in)
    b : (c_out,), optional
    padding
        ``"same"`` gives ``H * sy`` rows, ``"valid"`` gives ``H * sy + max(kh - sy, 0)``, and explicit padding is cut
        off from the ``(H - 1) * sy + kh`` rows that the kernel reaches; columns likewise.

    Returns
    -------
    (N, out_h, out_w, c_out)
    """
    images, height, width, _ = x.shape
    kh, kw, c_out, _ = w.shape
    out_h, out_w, place = _transposed_window(height, width, (kh, kw), stride, padding)
    y = np.zeros((images, out_h, out_w, c_out), x.dtype)
    for n, i, j, ki, kj, row, column in _steps(images, out_h, out_w, place):
        y[n, row, column] += w[ki, kj] @ x[n, i, j]
    if b is not None:
        y += b
    return np.maximum(y, 0) if relu else y


def conv_transpose2d_backward(
    x: NDArray, w: NDArray, dy: NDArray, stride: Pair = 1, padding: Padding = "same", y: NDArray | None = None
) -> tuple[NDArray, NDArray, NDArray]:
    """Return the gradients of `conv_transpose2d`.

    Parameters
    ----------
    x : (N, H, W, c_in)
    w : (kh, kw, c_out, c_in)
    dy : (N, out_h, out_w, c_out)
    y : (N, out_h, out_w, c_out), optional
        The output, if ReLU was applied.

    Returns
    -------
    dx : (N, H, W, c_in)
    dw : (kh, kw, c_out, c_in)
    db : (c_out,)
    """
    if y is not None:
        dy = relu_backward(dy, y)
    images, height, width, _ = x.shape
    out_h, out_w, place = _transposed_window(height, width, w.shape[:2], stride, padding)
    dx, dw = np.zeros_like(x), np.zeros_like(w)
    for n, i, j, ki, kj, row, column in _steps(images, out_h, out_w, place):
        dx[n, i, j] += dy[n, row, column] @ w[ki, kj]
        dw[ki, kj] += np.outer(dy[n, row, column], x[n, i, j])
    return dx, dw, dy.sum(axis=(0, 1, 2))


# Coordinates (paper, Figure 3)


def _coordinate(k: int, n: int) -> float:
    """Return the coordinate of pixel `k` on an axis of `n` pixels: from -1 to 1, and 0 where there is one pixel."""
    return 0.0 if n == 1 else -1 + 2 * k / (n - 1)


def coordinate_channels(height: int, width: int, with_r: bool = False, dtype: type = np.float32) -> NDArray:
    """Return the coordinates of every pixel: the row i and the column j in [-1, 1], then ``r = sqrt(i^2 + j^2)``.

    Returns
    -------
    (height, width, 2), or (height, width, 3) with r
    """
    channels = np.zeros((height, width, 3 if with_r else 2), dtype)
    for row in range(height):
        for column in range(width):
            i, j = _coordinate(row, height), _coordinate(column, width)
            channels[row, column] = (i, j, (i**2 + j**2) ** 0.5) if with_r else (i, j)
    return channels


def add_coords(x: NDArray, with_r: bool = False) -> NDArray:
    """Append the coordinate channels to every image: (N, H, W, C) -> (N, H, W, C + 2), or C + 3 with r."""
    images, height, width, channels = x.shape
    coords = coordinate_channels(height, width, with_r, x.dtype.type)
    y = np.zeros((images, height, width, channels + coords.shape[2]), x.dtype)
    for n in range(images):
        y[n, :, :, :channels] = x[n]
        y[n, :, :, channels:] = coords
    return y


def add_coords_backward(dy: NDArray, with_r: bool = False) -> NDArray:
    """Return dx (N, H, W, C) from dy (N, H, W, C + 2 or 3): coordinates are constants, their part is dropped."""
    return dy[..., : dy.shape[3] - (3 if with_r else 2)].copy()


def tile(v: NDArray, height: int, width: int) -> NDArray:
    """Repeat a vector at every pixel: (N, C) -> (N, height, width, C)."""
    y = np.zeros((v.shape[0], height, width, v.shape[1]), v.dtype)
    for i in range(height):
        for j in range(width):
            y[:, i, j] = v
    return y


def tile_backward(dy: NDArray) -> NDArray:
    """Return dv (N, C): the sum of dy (N, H, W, C) over the pixels, for each of them held a copy of v."""
    return dy.sum(axis=(1, 2))


# Pooling


def _first_largest(x: NDArray, pixels: list[tuple[int, int]]) -> tuple[int, int]:
    """Return the first pixel of `x` (H, W) in the list that holds the largest value; NaN counts as largest of all."""
    best = pixels[0]
    for pixel in pixels[1:]:
        if x[pixel] > x[best] or (np.isnan(x[pixel]) and not np.isnan(x[best])):
            best = pixel
    return best


def _pixels_under(place: Window, i: int, j: int, height: int, width: int) -> list[tuple[int, int]]:
    """Return the pixels (row, column) of the image under the window at place (i, j), in reading order."""
    top, left = i * place.sy - place.top, j * place.sx - place.left
    rows = range(max(top, 0), min(top + place.kh, height))
    columns = range(max(left, 0), min(left + place.kw, width))
    pixels = [(row, column) for row in rows for column in columns]
    if not pixels:
        raise ValueError(f"pooling: the window at place ({i}, {j}) lies wholly in the padding")
    return pixels


def max_pool2d(
    x: NDArray, size: Pair = 2, stride: Pair | None = None, padding: Padding = "valid"
) -> tuple[NDArray, NDArray]:
    """Keep the largest value of each window; of equal ones the first in reading order.

    Parameters
    ----------
    x : (N, H, W, C)
    size : int or (int, int)
        Rows and columns of the window.
    stride : int or (int, int), optional
        Left out, it is `size`: the windows lie side by side.

    Returns
    -------
    y : (N, out_h, out_w, C)
    argmax : (N, out_h, out_w, C) of int32
        Where it came from: ``row * W + column``. Padding never wins; NaN always does.
    """
    images, height, width, channels = x.shape
    place = window(height, width, size, size if stride is None else stride, padding)
    y = np.zeros((images, place.out_h, place.out_w, channels), x.dtype)
    argmax = np.zeros(y.shape, np.int32)
    for n, i, j, c in np.ndindex(y.shape):
        row, column = _first_largest(x[n, :, :, c], _pixels_under(place, i, j, height, width))
        y[n, i, j, c] = x[n, row, column, c]
        argmax[n, i, j, c] = row * width + column
    return y, argmax


def max_pool2d_backward(dy: NDArray, argmax: NDArray, x_shape: tuple[int, int, int, int]) -> NDArray:
    """Give each gradient of dy (N, out_h, out_w, C) to the pixel that won: dx of shape `x_shape` (N, H, W, C)."""
    dx = np.zeros(x_shape, dy.dtype)
    for n, i, j, c in np.ndindex(dy.shape):
        row, column = divmod(argmax[n, i, j, c], x_shape[2])
        dx[n, row, column, c] += dy[n, i, j, c]
    return dx


def avg_pool2d(x: NDArray, size: Pair = 2, stride: Pair | None = None, padding: Padding = "valid") -> NDArray:
    """Return the mean of each window over those of its pixels that lie inside the image.

    Parameters
    ----------
    x : (N, H, W, C)

    Returns
    -------
    (N, out_h, out_w, C)
    """
    images, height, width, channels = x.shape
    place = window(height, width, size, size if stride is None else stride, padding)
    y = np.zeros((images, place.out_h, place.out_w, channels), x.dtype)
    for n, i, j in np.ndindex(y.shape[:3]):
        pixels = _pixels_under(place, i, j, height, width)
        for row, column in pixels:
            y[n, i, j] += x[n, row, column]
        y[n, i, j] /= len(pixels)
    return y


def avg_pool2d_backward(
    dy: NDArray,
    x_shape: tuple[int, int, int, int],
    size: Pair = 2,
    stride: Pair | None = None,
    padding: Padding = "valid",
) -> NDArray:
    """Share each gradient of dy (N, out_h, out_w, C) equally among its window's pixels: dx of shape `x_shape`."""
    _, height, width, _ = x_shape
    place = window(height, width, size, size if stride is None else stride, padding)
    dx = np.zeros(x_shape, dy.dtype)
    for n, i, j in np.ndindex(dy.shape[:3]):
        pixels = _pixels_under(place, i, j, height, width)
        for row, column in pixels:
            dx[n, row, column] += dy[n, i, j] / len(pixels)
    return dx


def global_max_pool(x: NDArray) -> tuple[NDArray, NDArray]:
    """Keep the largest pixel of each channel: (N, H, W, C) -> values (N, C) and ``row * W + column`` (N, C)."""
    y, argmax = max_pool2d(x, x.shape[1:3])
    return y[:, 0, 0], argmax[:, 0, 0]


def global_max_pool_backward(dy: NDArray, argmax: NDArray, x_shape: tuple[int, int, int, int]) -> NDArray:
    """Give each gradient of dy (N, C) to the pixel that won: dx of shape `x_shape` (N, H, W, C)."""
    return max_pool2d_backward(dy[:, None, None], argmax[:, None, None], x_shape)


def global_avg_pool(x: NDArray) -> NDArray:
    """Return the mean of each channel over the pixels: (N, H, W, C) -> (N, C)."""
    return x.mean(axis=(1, 2))


def global_avg_pool_backward(dy: NDArray, x_shape: tuple[int, int, int, int]) -> NDArray:
    """Share each gradient of dy (N, C) equally among all pixels: dx of shape `x_shape` (N, H, W, C)."""
    _, height, width, _ = x_shape
    return tile(dy / (height * width), height, width)


# Batch normalisation


def batch_norm(
    x: NDArray, gamma: NDArray, beta: NDArray, eps: float = 1e-5, relu: bool = False
) -> tuple[NDArray, NDArray, NDArray]:
    """Give every channel the mean beta and the spread gamma: ``y = gamma * (x - mean) / sqrt(var + eps) + beta``.

    Parameters
    ----------
    x : (..., C)
    gamma, beta : (C,)
    relu : bool
        Whether negative outputs become zero.

    Returns
    -------
    y : (..., C)
    mean, var : (C,)
        Over all axes but the last; `var` is the mean of the squared deviations (divided by their number, not one less).
    """
    axes = tuple(range(x.ndim - 1))
    mean = x.mean(axis=axes)
    var = ((x - mean) ** 2).mean(axis=axes)
    return batch_norm_inference(x, gamma, beta, mean, var, eps, relu), mean, var


def batch_norm_backward(
    dy: NDArray,
    x: NDArray,
    gamma: NDArray,
    mean: NDArray,
    var: NDArray,
    eps: float = 1e-5,
    y: NDArray | None = None,
) -> tuple[NDArray, NDArray, NDArray]:
    """Return the gradients of `batch_norm`; mean and var depend on x too, and that takes two means off dy.

    With ``z = (x - mean) / sqrt(var + eps)`` and the mean over all axes but the last::

        dx = gamma / sqrt(var + eps) * (dy - mean(dy) - z * mean(dy * z))

    Parameters
    ----------
    dy, x : (..., C)
    gamma, mean, var : (C,)
    y : (..., C), optional
        The output, if it was made with ReLU: where it is zero, nothing flows back.

    Returns
    -------
    dx : (..., C)
    dgamma, dbeta : (C,)
        ``sum(dy * z)`` and ``sum(dy)``.
    """
    if y is not None:
        dy = relu_backward(dy, y)
    axes = tuple(range(x.ndim - 1))
    z = (x - mean) / np.sqrt(var + eps)
    dx = gamma / np.sqrt(var + eps) * (dy - dy.mean(axis=axes) - z * (dy * z).mean(axis=axes))
    return dx, (dy * z).sum(axis=axes), dy.sum(axis=axes)


def batch_norm_inference(
    x: NDArray,
    gamma: NDArray,
    beta: NDArray,
    mean: NDArray,
    var: NDArray,
    eps: float = 1e-5,
    relu: bool = False,
) -> NDArray:
    """Return ``gamma * (x - mean) / sqrt(var + eps) + beta`` for x (..., C) and four vectors (C,), ReLU after it."""
    y = gamma * (x - mean) / np.sqrt(var + eps) + beta
    return np.maximum(y, 0) if relu else y


# Activations, for arrays of any shape


def relu(x: NDArray) -> NDArray:
    """Return x where it is positive, else 0; NaN stays NaN."""
    return np.maximum(x, 0)


def relu_backward(dy: NDArray, y: NDArray) -> NDArray:
    """Return dy where the output y is positive, else 0: the slope at 0 is taken to be 0."""
    return np.where(y > 0, dy, 0).astype(dy.dtype)


def leaky_relu(x: NDArray, slope: float = 0.2) -> NDArray:
    """Return x where it is positive, else ``slope * x``."""
    return np.where(x > 0, x, slope * x)


def leaky_relu_backward(dy: NDArray, x: NDArray, slope: float = 0.2) -> NDArray:
    """Return dy where the input x is positive, else ``slope * dy``: the slope at 0 is taken to be `slope`."""
    return np.where(x > 0, dy, slope * dy)


def sigmoid(x: NDArray) -> NDArray:
    """Return ``1 / (1 + exp(-x))``, written as ``e / (1 + e)`` with e = exp(x) for negative x: nothing overflows."""
    e = np.exp(-np.abs(x))
    return np.where(x < 0, e, 1) / (1 + e)


def sigmoid_backward(dy: NDArray, y: NDArray) -> NDArray:
    """Return ``dy * y * (1 - y)`` from the output y."""
    return dy * y * (1 - y)


def tanh(x: NDArray) -> NDArray:
    """Return the hyperbolic tangent of x."""
    return np.tanh(x)


def tanh_backward(dy: NDArray, y: NDArray) -> NDArray:
    """Return ``dy * (1 - y^2)`` from the output y."""
    return dy * (1 - y**2)


# Losses: each returns the loss, a float, and its gradient by the prediction


def softmax(logits: NDArray) -> NDArray:
    """Return ``exp(z) / sum(exp(z))`` over all axes of the logits (N, ...) but the first.

    Subtracting the largest logit first changes nothing but keeps exp from overflowing.
    """
    p = np.zeros_like(logits)
    for n in range(len(logits)):
        e = np.exp(logits[n] - logits[n].max())
        p[n] = e / e.sum()
    return p


def softmax_backward(dp: NDArray, p: NDArray) -> NDArray:
    """Return ``dz = p * (dp - sum(dp * p))`` for each image, from the probabilities p.

    Logit k raises its own probability and lowers all others: ``dp[m] / dz[k] = p[m] * ((m == k) - p[k])``.
    """
    dz = np.zeros_like(p)
    for n in range(len(p)):
        dz[n] = p[n] * (dp[n] - (dp[n] * p[n]).sum())
    return dz


def softmax_cross_entropy(logits: NDArray, labels: NDArray) -> tuple[float, NDArray]:
    """Return the mean over n of ``-log(p[n, label[n]])``, with p the softmax of the logits.

    ``-log(p[label]) = log(sum(exp(z - max))) - (z[label] - max)``, and the gradient is ``(p - onehot) / N``.

    Parameters
    ----------
    logits : (N, ...)
        All axes but the first are the classes, counted in C order: pixel (row, column) is class row * W + column.
    labels : (N,) of integers

    Returns
    -------
    loss : float
    dlogits : (N, ...)
    """
    images = len(logits)
    loss = 0.0
    dlogits = softmax(logits)
    for n in range(images):
        z = logits[n].reshape(-1) - logits[n].max()
        loss += np.log(np.exp(z).sum()) - z[labels[n]]
        dlogits[n].reshape(-1)[labels[n]] -= 1
    return float(loss / images), dlogits / images


def sigmoid_cross_entropy(logits: NDArray, targets: NDArray) -> tuple[float, NDArray]:
    """Return the mean over all elements of ``-t log(p) - (1 - t) log(1 - p)``, with ``p = sigmoid(z)``.

    Put together it is ``max(z, 0) - z * t + log(1 + exp(-|z|))``; the gradient is ``(p - t) / size``.

    Parameters
    ----------
    logits, targets : same shape
        The targets lie in [0, 1].

    Returns
    -------
    loss : float
    dlogits : same shape
    """
    z, t = logits, targets
    losses = np.maximum(z, 0) - z * t + np.log1p(np.exp(-np.abs(z)))
    return float(losses.mean(dtype=np.float64)), (sigmoid(z) - t) / z.size


def mean_squared_error(pred: NDArray, target: NDArray) -> tuple[float, NDArray]:
    """Return the mean over all elements of ``(pred - target)^2``, and its gradient ``2 * (pred - target) / size``."""
    difference = pred - target
    return float((difference**2).mean(dtype=np.float64)), 2 * difference / pred.size


# Dense


def dense(x: NDArray, w: NDArray, b: NDArray | None = None) -> NDArray:
    """Return ``x @ w + b`` for x (N, c_in), w (c_in, c_out) and b (c_out,): a result of shape (N, c_out)."""
    y = np.zeros((x.shape[0], w.shape[1]), x.dtype)
    for n in range(x.shape[0]):
        for c in range(w.shape[1]):
            y[n, c] = (x[n] * w[:, c]).sum()
    return y if b is None else y + b


def dense_backward(x: NDArray, w: NDArray, dy: NDArray) -> tuple[NDArray, NDArray, NDArray]:
    """Return the gradients of `dense`: dx (N, c_in), dw (c_in, c_out), db (c_out,) from dy (N, c_out)."""
    dx, dw = np.zeros_like(x), np.zeros_like(w)
    for n in range(x.shape[0]):
        for c in range(w.shape[1]):
            dx[n] += dy[n, c] * w[:, c]
            dw[:, c] += dy[n, c] * x[n]
    return dx, dw, dy.sum(axis=0)


# Upsampling


def upsample_nearest(x: NDArray, factor: Pair) -> NDArray:
    """Repeat every pixel: (N, H, W, C) -> (N, H * rows, W * columns, C), with factor = rows = columns or a pair."""
    rows, columns = pair(factor, "factor")
    images, height, width, channels = x.shape
    y = np.zeros((images, height * rows, width * columns, channels), x.dtype)
    for i in range(height * rows):
        for j in range(width * columns):
            y[:, i, j] = x[:, i // rows, j // columns]
    return y


def upsample_nearest_backward(dy: NDArray, factor: Pair) -> NDArray:
    """Return dx: for every pixel the sum of the gradients dy (N, H * rows, W * columns, C) of its copies."""
    rows, columns = pair(factor, "factor")
    images, height, width, channels = dy.shape
    dx = np.zeros((images, height // rows, width // columns, channels), dy.dtype)
    for i in range(height):
        for j in range(width):
            dx[:, i // rows, j // columns] += dy[:, i, j]
    return dx


# Updates: these change their arrays in place and return nothing


def sgd_update(w: NDArray, g: NDArray, velocity: NDArray, lr: float, momentum: float, l2: float = 0.0) -> None:
    """Take one step of gradient descent with momentum: ``velocity = momentum * velocity + g; w -= lr * velocity``.

    Before that, the gradient ``2 * l2 * w`` of the penalty ``l2 * sum(w^2)`` is added to g.
    """
    velocity[...] = momentum * velocity + (g + 2 * l2 * w)
    w -= lr * velocity


def adam_update(
    w: NDArray,
    g: NDArray,
    m: NDArray,
    v: NDArray,
    lr: float,
    beta1: float,
    beta2: float,
    eps: float,
    t: int,
    l2: float = 0.0,
) -> None:
    """Take step `t` (the first is 1) of Adam (Kingma and Ba, 2015), in the order of section 2 of their paper::

        g = g + 2 * l2 * w
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g^2
        w -= lr * sqrt(1 - beta2^t) / (1 - beta1^t) * m / (sqrt(v) + eps)

    All of `w`, `g`, `m` and `v` have one shape; `w`, `m` and `v` change in place.
    """
    g = g + 2 * l2 * w
    m[...] = beta1 * m + (1 - beta1) * g
    v[...] = beta2 * v + (1 - beta2) * g**2
    w -= lr * (1 - beta2**t) ** 0.5 / (1 - beta1**t) * m / (np.sqrt(v) + eps)
