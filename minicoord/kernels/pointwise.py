"""Chains of 1x1 convolutions: each tile of pixels goes through all of them while it is in the cache.

With a 1x1 kernel and stride 1 the im2col matrix is the image itself, and every pixel depends on the same pixel alone.
So a tile of pixels can go through several such layers, forward as well as backward, before the next tile is begun. One
layer is a chain of length 1. Fused here are, for each layer,

    forward      y = relu(x @ w + shared @ w_shared)
    backward     dz = dy where y > 0        dw = x.T @ dz        dw_shared = shared.T @ dz        dx = dz @ w.T

and neither dz, nor ``shared @ w_shared``, nor the dx between two layers is ever written to memory. The shared channels
are the same for every image: the coordinates of a CoordConv, and a column of ones, which the bias weighs; a plain
convolution has the ones alone. ``minicoord.reference.conv2d_backward`` has the same steps apart.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from minicoord.kernels.denormals import denormals_as, flush_denormals
from minicoord.kernels.geometry import Window
from minicoord.kernels.memory import empty
from minicoord.kernels.runtime import helper, kernel, launch, prange
from minicoord.kernels.tiles import CHUNKS, cut

# The columns of a table with one row for each layer. Weights and outputs of all layers lie one after the other in two
# flat arrays, because compiled loops cannot go through arrays of different shapes.
C_IN, C_OUT, RELU, HAS_COORDINATES = 0, 1, 2, 3
AT_W, AT_SHARED = 4, 5  # where w and w_shared begin in the weights
BEFORE = 6  # channels of all earlier layers together


class Link(NamedTuple):
    """One layer of a chain.

    Attributes
    ----------
    w : ndarray of float32 or float64, shape (c_in, c_out)
    w_shared : ndarray, same dtype, shape (s, c_out)
        The weights of the shared channels, the bias last.
    relu : bool
        Whether negative outputs become zero.
    has_coordinates : bool
        Whether the shared channels are those of the chain, or a column of ones alone.
    """

    w: NDArray
    w_shared: NDArray
    relu: bool
    has_coordinates: bool


def is_pointwise(x: NDArray, win: Window) -> bool:
    """Whether a window over the images `x` of shape (N, H, W, C) is one pixel that visits every pixel once."""
    return win.kh * win.kw * win.sy * win.sx == 1 and (win.out_h, win.out_w) == x.shape[1:3]


@helper
def _matrix(numbers, start, rows, columns):
    """Return a part of a flat array as a matrix."""
    return numbers[start : start + rows * columns].reshape(rows, columns)


@helper
def _finish(product, offset, relu, y):
    """Write ``product + offset``, with or without ReLU, to `y`; all flat."""
    zero = product.dtype.type(0)
    for k in range(y.size):
        value = product[k] + offset[k]
        y[k] = zero if relu and value <= zero else value  # a NaN is not <= 0, so it stays visible


@helper
def _undo_relu(dy, y, dz):
    """Write ``dz = dy`` where y > 0, else 0; all flat."""
    zero = dy.dtype.type(0)
    for k in range(dz.size):
        value = dy[k]
        dz[k] = zero if y[k] <= zero else value


@helper
def _add(total, part):
    """Add `part` to `total`, both flat."""
    for k in range(total.size):
        total[k] += part[k]


@helper
def _tile_forward(x, table, weights, offsets, products, ys, pixels, first):
    """Take the pixels ``first, first + 1, ...`` of all images, `x`, through every layer."""
    m, source = len(x), x
    for k in range(len(table)):
        c_in, c_out, before = table[k, C_IN], table[k, C_OUT], table[k, BEFORE]
        product = _matrix(products, 0, m, c_out)
        np.dot(source, _matrix(weights, table[k, AT_W], c_in, c_out), product)  # (m, c_in) @ (c_in, c_out)
        target = _matrix(ys, pixels * before + first * c_out, m, c_out)
        offset = offsets[m * before : m * (before + c_out)]
        _finish(product.reshape(-1), offset, table[k, RELU] != 0, target.reshape(-1))
        source = target


@kernel
def _forward(x, table, weights, shared, ones, ys, per_image, rows, groups):
    """Each task owns one tile of places in a group of images: what these share is computed once for all of them."""
    pixels = len(x)
    images, tiles = pixels // per_image, (per_image + rows - 1) // rows
    channels = table[-1, BEFORE] + table[-1, C_OUT]
    for task in prange(tiles * groups):
        before = flush_denormals()
        tile, group = np.int64(task) // groups, np.int64(task) % groups
        place, beyond = tile * rows, min((tile + 1) * rows, per_image)
        m = beyond - place
        offsets, products = np.empty(m * channels, x.dtype), np.empty(m * table[:, C_OUT].max(), x.dtype)
        for k in range(len(table)):
            c_out = table[k, C_OUT]
            beside = shared[place:beyond] if table[k, HAS_COORDINATES] else ones[:m]
            w_shared = _matrix(weights, table[k, AT_SHARED], beside.shape[1], c_out)
            np.dot(beside, w_shared, _matrix(offsets, m * table[k, BEFORE], m, c_out))  # (m, s) @ (s, c_out)
        for n in range(group * images // groups, (group + 1) * images // groups):
            first = n * per_image + place
            _tile_forward(x[first : first + m], table, weights, offsets, products, ys, pixels, first)
        denormals_as(before)


@helper
def _tile_backward(x, table, turned, shared, ones, ys, dy, dx, need_dx, first, last, place, buffers, part, dw):
    """Take the pixels from `first` to `last` back through every layer, and add their share to `dw`."""
    pixels, m = len(x), last - first
    for k in range(len(table) - 1, -1, -1):
        c_in, c_out = table[k, C_IN], table[k, C_OUT]
        # The gradient by the input of layer k takes the buffer that layer k + 1 does not.
        dz = dy[first:last] if k == len(table) - 1 else _matrix(buffers[k % 2], 0, m, c_out)
        if table[k, RELU]:
            masked = _matrix(buffers[2], 0, m, c_out)
            at = pixels * table[k, BEFORE] + first * c_out
            _undo_relu(dz.reshape(-1), ys[at : at + m * c_out], masked.reshape(-1))
            dz = masked
        below = x[first:last] if k == 0 else _matrix(ys, pixels * table[k - 1, BEFORE] + first * c_in, m, c_in)
        dw_part = _matrix(part, 0, c_in, c_out)
        np.dot(below.T, dz, dw_part)  # (c_in, m) @ (m, c_out)
        _add(dw[table[k, AT_W] : table[k, AT_W] + dw_part.size], dw_part.reshape(-1))
        beside = shared[place : place + m] if table[k, HAS_COORDINATES] else ones[:m]
        dw_part = _matrix(part, 0, beside.shape[1], c_out)
        np.dot(beside.T, dz, dw_part)  # (s, m) @ (m, c_out)
        _add(dw[table[k, AT_SHARED] : table[k, AT_SHARED] + dw_part.size], dw_part.reshape(-1))
        if k > 0 or need_dx:
            target = dx[first:last] if k == 0 else _matrix(buffers[(k - 1) % 2], 0, m, c_in)
            np.dot(dz, _matrix(turned, table[k, AT_W], c_out, c_in), target)  # (m, c_out) @ (c_out, c_in)


@kernel
def _backward(x, table, turned, shared, ones, ys, dy, dx, need_dx, dws, per_image, rows):
    """Each task owns a range of pixels, and goes through it tile by tile; no tile reaches into the next image."""
    pixels, chunks = len(x), len(dws)
    widest = max(table[:, C_IN].max(), table[:, C_OUT].max())
    for task in prange(chunks):
        before = flush_denormals()
        chunk = np.int64(task)
        buffers, part = np.empty((3, rows * widest), x.dtype), np.empty(turned.size, x.dtype)
        dws[chunk] = 0
        first, beyond = chunk * pixels // chunks, (chunk + 1) * pixels // chunks
        while first < beyond:
            place = first % per_image
            last = min(first + rows, beyond, first - place + per_image)
            _tile_backward(
                x, table, turned, shared, ones, ys, dy, dx, need_dx, first, last, place, buffers, part, dws[chunk]
            )
            first = last
        denormals_as(before)


class Chain:
    """Layers packed for the kernels: once for a forward pass and the backward pass that follows.

    Parameters
    ----------
    links : list of Link
        At least one; the c_out of each is the c_in of the next.
    shared : ndarray, shape (H * W, s), or None
        The coordinates and a column of ones, for the layers that have coordinates; None if none has.
    """

    def __init__(self, links: list[Link], shared: NDArray | None) -> None:
        self.links = links
        self.table, at, before = np.empty((len(links), 7), np.int64), 0, 0
        for row, link in zip(self.table, links, strict=True):
            c_in, c_out = link.w.shape
            row[:] = c_in, c_out, link.relu, link.has_coordinates, at, at + link.w.size, before
            at, before = at + link.w.size + link.w_shared.size, before + c_out
        self.channels = before  # of all outputs together
        self.rows = min(cut(1, 1, *link.w.shape).tile_rows for link in links)
        self.ones = np.ones((self.rows, 1), links[0].w.dtype)
        self.shared = self.ones if shared is None else shared

    def forward(self, x: NDArray) -> NDArray:
        """Return the outputs of all layers for images `x` (N, H, W, c_in), one after the other in a flat array."""
        n, height, width, c_in = x.shape
        places, pixels = height * width, n * height * width
        # flat: for each layer w (c_in, c_out), then w_shared (s, c_out)
        weights = np.concatenate([array.reshape(-1) for link in self.links for array in (link.w, link.w_shared)])
        groups = max(min(n, CHUNKS // max(-(-places // self.rows), 1)), 1)  # of small images one would be too few tasks
        ys = empty((pixels * self.channels,), x.dtype)
        if pixels:
            inputs = x.reshape(pixels, c_in), self.table, weights, self.shared, self.ones
            launch(_forward, *inputs, ys, places, self.rows, groups)
        return ys

    def outputs(self, ys: NDArray, images_shape: tuple[int, ...]) -> list[NDArray]:
        """Return the outputs of `forward` as views of shape (N, H, W, c_out), one for each layer."""
        pixels = math.prod(images_shape[:3])
        parts = [ys[pixels * row[BEFORE] : pixels * (row[BEFORE] + row[C_OUT])] for row in self.table]
        return [part.reshape(*images_shape[:3], row[C_OUT]) for part, row in zip(parts, self.table, strict=True)]

    def backward(
        self, x: NDArray, ys: NDArray, dy: NDArray, need_dx: bool
    ) -> tuple[NDArray | None, list[tuple[NDArray, NDArray]]]:
        """Return dx (None if not needed), and for each layer dw and dw_shared, shaped as in its link.

        Parameters
        ----------
        x : ndarray, shape (N, H, W, c_in)
            As it went into `forward`.
        ys : ndarray
            What `forward` returned.
        dy : ndarray, shape (N, H, W, c_out)
            Gradient of the loss with respect to the output of the last layer.
        need_dx : bool
            Whether dx is wanted.
        """
        (n, height, width, c_in), c_out = x.shape, dy.shape[3]
        pixels = n * height * width
        # Each w transposed, as the kernel multiplies by it.
        turned = np.concatenate(
            [array for link in self.links for array in (link.w.T.reshape(-1), link.w_shared.reshape(-1))]
        )
        dx = empty(x.shape if need_dx else (0, 0, 0, c_in), x.dtype)
        dws = empty((min(CHUNKS, -(-pixels // self.rows)), turned.size), x.dtype)
        if pixels:
            inputs = x.reshape(pixels, c_in), self.table, turned, self.shared, self.ones, ys, dy.reshape(pixels, c_out)
            launch(_backward, *inputs, dx.reshape(-1, c_in), need_dx, dws, height * width, self.rows)
        dw, gradients = dws.sum(axis=0), []  # dw: (chunks, all weights) -> (all weights,)
        for link, row in zip(self.links, self.table, strict=True):
            at, beside = row[AT_W], row[AT_SHARED]
            dw_shared = dw[beside : beside + link.w_shared.size].reshape(link.w_shared.shape)
            gradients.append((dw[at:beside].reshape(link.w.shape), dw_shared))
        return (dx if need_dx else None), gradients
