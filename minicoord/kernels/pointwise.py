"""1x1 convolutions in a row: each tile of pixels goes through all of them while it is in the cache.

With a 1x1 kernel and stride 1 the im2col matrix is the image itself, and every pixel depends on the same pixel alone.
So a tile of pixels can go through several such layers, forward as well as backward, before the next tile is begun:

    forward      y = relu(x @ w + coordinates @ w_coordinates + b)
    backward     dz = dy where y > 0        dw = x.T @ dz        dx = dz @ w.T        db = the sum of the rows of dz

Neither dz nor the dx between two layers is ever written to memory: what a layer sends back is gated by the output of
the layer below while it is in registers. ``coordinates @ w_coordinates + b``, which a CoordConv adds to every image, is
computed once for a tile of all images.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from minicoord.kernels.backend.denormals import denormals_as, flush_denormals
from minicoord.kernels.backend.memory import aligned, empty, workspace
from minicoord.kernels.backend.runtime import get_thread_id, helper, kernel, prange
from minicoord.kernels.backend.vectors import HERE
from minicoord.kernels.bands import copy_rows, fill_with_zeros
from minicoord.kernels.division import SUMS, TASKS
from minicoord.kernels.geometry import Window
from minicoord.kernels.micro_kernel import GATED, PLAIN, RELU, Extent, Left, Place, Right, address, launch, multiply
from minicoord.kernels.panels import as_column, factor, packed, panel_width, whole_vectors
from minicoord.kernels.sums import add_parts

MOST_ROWS = 128
TILE = 2**15  # numbers of one layer in a tile, if that leaves at least FEWEST_ROWS: 128 kB of float32
FEWEST_ROWS = 16


class Layer(NamedTuple):
    """What the compiled loops know of a layer: its size, what it does, and where it begins in the flat arrays."""

    c_in: int
    c_out: int
    padded_in: int  # in whole vectors
    padded: int  # c_out in whole vectors
    relu: int
    coordinates: int  # channels: 0, 2 or 3
    channels_before: int  # in the outputs, biases and maps of all layers
    panels: int  # of w, in the panels of the forward pass
    coordinate_panels: int
    transposed: int  # of w.T, in the panels of the backward pass
    w: int  # in the gradients: w (c_in, c_out), then that of the coordinates, then b (c_out,)


class Link(NamedTuple):
    """One layer of a chain.

    Attributes
    ----------
    w : ndarray of float32 or float64, shape (c_in + coordinates, c_out)
        The rows of the coordinates last.
    b : ndarray, same dtype, shape (c_out,)
    relu : bool
        Whether negative outputs become zero.
    coordinates : int
        How many coordinate channels the layer adds to its input: 0, 2 or 3.
    """

    w: NDArray
    b: NDArray
    relu: bool
    coordinates: int


def is_pointwise(x: NDArray, win: Window) -> bool:
    """Whether a window over the images `x` of shape (N, H, W, C) is one pixel that visits every pixel once."""
    return win.kh * win.kw * win.sy * win.sx == 1 and (win.out_h, win.out_w) == x.shape[1:3]


class Tiles(NamedTuple):
    """How pixels are cut into tiles."""

    pixels: int  # of all images
    places: int  # pixels of an image
    rows: int  # of a tile: so many pixels of one image, or fewer
    width: int  # columns of a panel


class Forward(NamedTuple):
    """What a forward pass reads and writes: flat arrays, or in a task their addresses."""

    x: NDArray
    panels: NDArray
    biases: NDArray
    coordinates: NDArray
    ys: NDArray  # the outputs of all layers


class Backward(NamedTuple):
    """What a backward pass reads and writes: flat arrays, or in a task their addresses."""

    x: NDArray
    transposed: NDArray
    coordinates: NDArray
    ys: NDArray
    dx: NDArray  # empty if it is not needed
    dws: NDArray  # for each chunk the gradients of all layers
    zeros: NDArray  # a panel wide
    one: NDArray  # the number 1


@helper
def _input(at, table, layer, pixels, first):
    """Return where the input of a layer begins for the pixel `first`: in x, or in the outputs of the layer below."""
    c_in = table[layer].c_in
    if layer == 0:
        return Left(at.x, first * c_in, (0, 0, c_in), (0, 0, 1))
    before = pixels * table[layer - 1].channels_before
    return Left(at.ys, before + first * c_in, (0, 0, c_in), (0, 0, 1))


@helper
def _maps(at, table, width, place, rows, space):
    """Write ``coordinates @ w_coordinates + b`` for the places of a tile to `space`, for each layer that has them."""
    for k in range(len(table)):
        layer = table[k]
        c_out, d = layer.c_out, layer.coordinates
        for column in range(0, c_out if d > 0 else 0, width):
            multiply(
                Extent((1, 1, rows), (1, 1, d), min(width, c_out - column)),
                Left(at.coordinates, place * d, (0, 0, d), (0, 0, 1)),
                Right(at.panels, layer.coordinate_panels + d * column, min(width, layer.padded - column)),
                Place(at.biases, layer.channels_before + column, (0, 0, 0)),
                Place(address(space), rows * layer.channels_before + column, (0, 0, c_out)),
                Place(address(space), 0, (0, 0, 0)),
                PLAIN,
            )


@helper
def _tile_forward(at, table, tiles, first, rows, space):
    """Take the pixels ``first, first + 1, ...`` through every layer."""
    for k in range(len(table)):
        layer = table[k]
        c_in, c_out = layer.c_in, layer.c_out
        left = _input(at, table, k, tiles.pixels, first)
        for column in range(0, c_out, tiles.width):
            bias = Place(at.biases, layer.channels_before + column, (0, 0, 0))
            a_map = Place(address(space), rows * layer.channels_before + column, (0, 0, c_out))
            step = min(tiles.width, layer.padded - column) if c_out > 1 else 1  # one column has its k in vectors
            multiply(
                Extent((1, 1, rows), (1, 1, c_in), min(tiles.width, c_out - column)),
                left,
                Right(at.panels, layer.panels + c_in * column, step),
                a_map if layer.coordinates > 0 else bias,
                Place(at.ys, tiles.pixels * layer.channels_before + first * c_out + column, (0, 0, c_out)),
                Place(at.ys, 0, (0, 0, 0)),
                RELU if layer.relu else PLAIN,
            )


@kernel
def _forward(space, arrays, table, tiles, groups):
    """Each task owns one tile of places in a group of images: the maps of the coordinates serve for all of them."""
    images = tiles.pixels // tiles.places
    for task in prange((tiles.places + tiles.rows - 1) // tiles.rows * groups):
        fp_mode = flush_denormals()
        own = space[get_thread_id()]
        at = Forward(
            address(arrays.x),
            address(arrays.panels),
            address(arrays.biases),
            address(arrays.coordinates),
            address(arrays.ys),
        )
        tile, group = np.int64(task) // groups, np.int64(task) % groups
        place = tile * tiles.rows
        rows = min(tiles.rows, tiles.places - place)
        _maps(at, table, tiles.width, place, rows, own)
        for n in range(group * images // groups, (group + 1) * images // groups):
            _tile_forward(at, table, tiles, n * tiles.places + place, rows, own)
        denormals_as(fp_mode)


@helper
def _add_gradients(at, width, layer, below, dz, dw, place, rows, space):
    """Add what a tile has to the gradients of a layer, whose dz begins at ``space[dz]``, at ``dws[dw]``."""
    c_in, c_out, d = layer.c_in, layer.c_out, layer.coordinates
    # x.T @ dz: the rows are the input channels, and the sum runs over the pixels.
    of_pixels = Left(below.numbers, below.start, (0, 0, 1), (0, 0, c_in))
    of_places = Left(at.coordinates, place * d, (0, 0, 1), (0, 0, d))
    # The gradient of the bias: the sum of the rows of dz, as a product with ones.
    ones = Left(at.one, 0, (0, 0, 0), (0, 0, 0))
    is_column = c_out == 1 and c_in % (width // HERE.block_vectors) == 0
    for column in range(0, c_in if is_column else 0, width):
        # Of one column, dz.T @ x has the same numbers: then the input channels fill the vectors.
        to = Place(at.dws, dw + layer.w + column, (0, 0, 0))
        of_dz, right = Left(address(space), dz, (0, 0, 0), (0, 0, layer.padded)), below.start + column
        columns = min(width, c_in - column)
        multiply(Extent((1, 1, 1), (1, 1, rows), columns), of_dz, Right(below.numbers, right, c_in), to, to, to, PLAIN)
    for column in range(0, c_out, width):
        columns, right = min(width, c_out - column), Right(address(space), dz + column, layer.padded)
        if not is_column:
            to = Place(at.dws, dw + layer.w + column, (0, 0, c_out))
            multiply(Extent((1, 1, c_in), (1, 1, rows), columns), of_pixels, right, to, to, to, PLAIN)
        if d > 0:
            to = Place(at.dws, dw + layer.w + c_in * c_out + column, (0, 0, c_out))
            multiply(Extent((1, 1, d), (1, 1, rows), columns), of_places, right, to, to, to, PLAIN)
        to = Place(at.dws, dw + layer.w + (c_in + d) * c_out + column, (0, 0, 0))
        multiply(Extent((1, 1, 1), (1, 1, rows), columns), ones, right, to, to, to, PLAIN)


@helper
def _tile_backward(at, table, tiles, need_dx, dw, first, place, rows, space):
    """Take a tile back through every layer, and add its share to `dw`. The last layer's dz is in `space` already."""
    half, width = space.size // 2, tiles.width  # dz of layer k lies in one half, what it sends back goes to the other
    for k in range(len(table) - 1, -1, -1):
        layer = table[k]
        dz, below = k % 2 * half, _input(at, table, k, tiles.pixels, first)
        _add_gradients(at, width, layer, below, dz, dw, place, rows, space)
        if k == 0 and not need_dx:
            break
        c_in, c_out, gated = layer.c_in, layer.c_out, k > 0 and table[k - 1].relu
        for column in range(0, c_in, width):
            to = Place(at.dx, first * c_in + column, (0, 0, c_in))
            if k > 0:
                to = Place(address(space), (k - 1) % 2 * half + column, (0, 0, layer.padded_in))
            multiply(
                Extent((1, 1, rows), (1, 1, c_out), min(width, c_in - column)),
                Left(address(space), dz, (0, 0, layer.padded), (0, 0, 1)),
                Right(at.transposed, layer.transposed + c_out * column, min(width, layer.padded_in - column)),
                Place(at.zeros, 0, (0, 0, 0)),
                to,
                Place(at.ys, below.start + column, (0, 0, c_in)),
                GATED if gated else PLAIN,
            )


@kernel
def _backward(space, arrays, table, tiles, dy, need_dx, numbers):
    """Each task owns a range of pixels, and goes through it tile by tile; no tile reaches into the next image."""
    chunks = arrays.dws.size // numbers
    for task in prange(chunks):
        fp_mode = flush_denormals()
        top = table[len(table) - 1]
        own = space[get_thread_id()]
        gate = arrays.ys if top.relu else arrays.ys[:0]
        dz, y = (len(table) - 1) % 2 * (own.size // 2), tiles.pixels * top.channels_before
        at = Backward(
            address(arrays.x),
            address(arrays.transposed),
            address(arrays.coordinates),
            address(arrays.ys),
            address(arrays.dx),
            address(arrays.dws),
            address(arrays.zeros),
            address(arrays.one),
        )
        chunk = np.int64(task)
        fill_with_zeros(arrays.dws, chunk * numbers, numbers)
        first, beyond = chunk * tiles.pixels // chunks, (chunk + 1) * tiles.pixels // chunks
        while first < beyond:
            place = first % tiles.places
            rows = min(tiles.rows, beyond - first, tiles.places - place)
            row = first * top.c_out
            copy_rows(dy, row, top.c_out, gate, y + row, rows, top.c_out, own, dz, top.padded)
            _tile_backward(at, table, tiles, need_dx, chunk * numbers, first, place, rows, own)
            first += rows
        denormals_as(fp_mode)


class Chain:
    """Layers packed for the kernels: once for a forward pass and the backward pass that follows.

    Parameters
    ----------
    links : list of Link
        At least one; the c_out of each is the c_in of the next.
    coordinates : ndarray, shape (H, W, d), or None
        The coordinate channels, for the layers that add them; None if none does.
    """

    def __init__(self, links: list[Link], coordinates: NDArray | None) -> None:
        self.links = links
        self.dtype = links[0].w.dtype
        self.coordinates = np.empty(0, self.dtype) if coordinates is None else coordinates.reshape(-1)
        self.layers: list[Layer] = []
        channels = panels = transposed = w = 0
        for link in links:
            c_in, c_out = link.w.shape[0] - link.coordinates, link.w.shape[1]
            padded_in, padded = whole_vectors(c_in, self.dtype), whole_vectors(c_out, self.dtype)
            widths = c_in, c_out, padded_in, padded, int(link.relu), link.coordinates
            self.layers.append(Layer(*widths, channels, panels, panels + c_in * padded, transposed, w))
            channels, panels = channels + c_out, panels + (c_in + link.coordinates) * padded
            transposed, w = transposed + c_out * padded_in, w + link.w.size + c_out
        self.channels, self.panels, self.transposed, self.weights = channels, panels, transposed, w
        self.table = np.array(self.layers, [(name, np.int64) for name in Layer._fields]).view(np.recarray)
        self.widest = max(max(layer.padded, layer.padded_in) for layer in self.layers)
        self.rows = max(min(MOST_ROWS, TILE // self.widest), FEWEST_ROWS)

    def forward(self, x: NDArray) -> NDArray:
        """Return the outputs of all layers for images `x` (N, H, W, c_in), one after the other in a flat array."""
        n, height, width = x.shape[:3]
        places, pixels = height * width, n * height * width
        ys = empty((pixels * self.channels,), x.dtype)
        if pixels == 0:
            return ys
        panels = aligned(self.panels, x.dtype)
        for row, link in zip(self.layers, self.links, strict=True):
            of_image, of_place = (factor(link.w.shape, x.dtype, False, *part) for part in ((0, row.c_in), (row.c_in,)))
            of_image = of_image if row.c_out > 1 else as_column(of_image)
            packed(link.w, of_image, out=panels[row.panels :])
            if link.coordinates:
                packed(link.w, of_place, out=panels[row.coordinate_panels :])
        biases = np.concatenate([link.b for link in self.links])
        groups = max(min(n, TASKS // max(-(-places // self.rows), 1)), 1)  # of small images one would be too few tasks
        arrays = Forward(x.reshape(-1), panels, biases, self.coordinates, ys)
        tiles = Tiles(pixels, places, self.rows, panel_width(x.dtype))
        launch(_forward, workspace(self.rows * self.channels, x.dtype), arrays, self.table, tiles, groups)
        return ys

    def outputs(self, ys: NDArray, images_shape: tuple[int, ...]) -> list[NDArray]:
        """Return the outputs of `forward` as views of shape (N, H, W, c_out), one for each layer."""
        pixels = math.prod(images_shape[:3])
        parts = [ys[pixels * row.channels_before : pixels * (row.channels_before + row.c_out)] for row in self.layers]
        return [part.reshape(*images_shape[:3], row.c_out) for part, row in zip(parts, self.layers, strict=True)]

    def backward(
        self, x: NDArray, ys: NDArray, dy: NDArray, need_dx: bool
    ) -> tuple[NDArray | None, list[tuple[NDArray, NDArray]]]:
        """Return dx (None if not needed), and for each layer dw and db, shaped as in its link.

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
        n, height, columns, c_in = x.shape
        pixels = n * height * columns
        dx = empty(x.shape if need_dx else (0, 0, 0, c_in), x.dtype)
        dws = empty((max(min(TASKS, -(-pixels // self.rows), 4 * SUMS // self.weights), 1), self.weights), x.dtype)
        if pixels:
            transposed = aligned(self.transposed, x.dtype)
            for row, link in zip(self.layers, self.links, strict=True):
                packed(link.w, factor(link.w.shape, x.dtype, True, 0, row.c_in), out=transposed[row.transposed :])
            width = panel_width(x.dtype)
            flat = x.reshape(-1), transposed, self.coordinates, ys, dx.reshape(-1), dws.reshape(-1)
            constants = np.zeros(width, x.dtype), np.ones(1, x.dtype)
            arrays = Backward(*flat, *constants)
            tiles = Tiles(pixels, height * columns, self.rows, width)
            space = workspace(2 * self.rows * self.widest, x.dtype)
            launch(_backward, space, arrays, self.table, tiles, dy.reshape(-1), need_dx, self.weights)
        dw, gradients = add_parts(dws) if pixels else np.zeros(self.weights, x.dtype), []
        for row, link in zip(self.layers, self.links, strict=True):
            parts = dw[row.w : row.w + link.w.size], dw[row.w + link.w.size :][: row.c_out]
            gradients.append((parts[0].reshape(link.w.shape), parts[1]))
        return (dx if need_dx else None), gradients
