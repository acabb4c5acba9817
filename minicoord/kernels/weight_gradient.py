"""The gradient of a kernel: the im2col matrix, transposed, times the gradient of the output.

    dw[ki, k, :] = the sum over images n, lines i and columns j of band[i * sy + ki, j * sx * C + k] * dz[n, i, j, :]

It is the micro-kernel once more, with the steps of the band exchanged: what was summed over, the taps, are its rows
now, and what were its rows, the output positions, are summed over. Each task adds up its own images in order; a fixed
number of such parts, which depends on the shapes alone, is then added in order. So the bits do not depend on threads.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from minicoord.kernels.backend.denormals import denormals_as, flush_denormals
from minicoord.kernels.backend.memory import empty, workspace
from minicoord.kernels.backend.runtime import get_thread_id, helper, kernel, prange
from minicoord.kernels.bands import Images, copy_rows, fill_with_zeros, read_bands
from minicoord.kernels.division import ALONE, band_numbers, divide_gradient, units_of
from minicoord.kernels.geometry import Window
from minicoord.kernels.micro_kernel import PLAIN, Extent, Left, Place, Right, address, launch, multiply
from minicoord.kernels.neighbours import narrowed, neighbours
from minicoord.kernels.panels import factor, whole_vectors
from minicoord.kernels.sums import add_parts


class Gradient(NamedTuple):
    """What a task reads and writes; all arrays are flat."""

    x: NDArray
    x_gate: NDArray  # as x, or empty
    coordinates: NDArray
    dz: NDArray
    gate: NDArray  # as dz, or empty
    one: NDArray  # the number 1
    parts: NDArray  # for each chunk the gradient of the kernel
    sums: NDArray  # for each chunk the gradient of the bias


@helper
def _do_task(task, arrays, images, win, factor, division, own):
    """Do the units of one task: its chunk, for the panels of its block, with the scratch memory `own` of its thread."""
    fp_mode = flush_denormals()
    c_out, width, rows = factor.columns, factor.width, win.kw * (images.channels + images.coordinates)
    per_image, units = units_of(division, images.count, win.out_h)
    chunk, block = task // division.blocks, task % division.blocks
    column = block * division.panels * width
    columns = min(division.panels * width, c_out - column)
    step = min(division.panels * width, factor.padded - column)
    part, total = chunk * win.kh * rows * c_out + column, chunk * c_out + column
    tile = own.size - division.images * division.lines * win.out_w * step  # what comes before is for bands of x
    # Taken out of their tuple here: in the loop that would count as a use, for which threads wait (see ``bands.py``).
    x, x_gate, coordinates = arrays.x, arrays.x_gate, arrays.coordinates
    dz, gate, parts = arrays.dz, arrays.gate, arrays.parts
    at_parts, at_sums, at_one = address(parts), address(arrays.sums), address(arrays.one)
    for r in range(win.kh * rows):
        fill_with_zeros(parts, part + r * c_out, columns)
    fill_with_zeros(arrays.sums, total, columns)
    for unit in range(chunk * units // division.chunks, (chunk + 1) * units // division.chunks):
        n, line = unit // per_image * division.images, unit % per_image * division.lines
        count, lines = min(division.images, images.count - n), min(division.lines, win.out_h - line)
        left = read_bands(x, x_gate, images, coordinates, win, n, count, line, lines, own)
        taps = Left(left.numbers, left.start, left.ks, left.rows)  # the matrix transposed
        first, positions = (n * win.out_h + line) * win.out_w, count * lines * win.out_w
        at = first * c_out + column
        copy_rows(dz, at, c_out, gate, at, positions, columns, own, tile, step)
        for panel in range(0, columns, width):
            right, here = Right(address(own), tile + panel, step), min(width, columns - panel)
            to = Place(at_parts, part + panel, (0, rows * c_out, c_out))
            multiply(Extent((1, win.kh, rows), (count, lines, win.out_w), here), taps, right, to, to, to, PLAIN)
            # The gradient of the bias: the sum of the rows of dz, as a product with ones.
            ones = Left(at_one, 0, (0, 0, 0), (0, 0, 0))
            to = Place(at_sums, total + panel, (0, 0, 0))
            multiply(Extent((1, 1, 1), (1, 1, positions), here), ones, right, to, to, to, PLAIN)
    denormals_as(fp_mode)


@kernel
def _gradient(space, arrays, images, win, factor, division):
    for task in prange(division.chunks * division.blocks):
        _do_task(np.int64(task), arrays, images, win, factor, division, space[get_thread_id()])


@helper
def _gradient_alone(space, arrays, images, win, factor, division):
    for task in range(division.chunks * division.blocks):
        _do_task(task, arrays, images, win, factor, division, space[0])


def weight_gradient(
    x: NDArray,
    dy: NDArray,
    win: Window,
    x_gate: NDArray | None = None,
    gate: NDArray | None = None,
    coordinates: NDArray | None = None,
) -> tuple[NDArray, NDArray]:
    """Return the gradients of a kernel and of a bias.

    Parameters
    ----------
    x : ndarray, shape (N, H, W, c_in)
        What the kernel slid over.
    dy : ndarray, shape (N, out_h, out_w, c_out)
        Gradient of the loss with respect to the output.
    x_gate, gate : ndarray, shapes of `x` and of `dy`, optional
        Where they are not positive, `x` or `dy` counts as zero.
    coordinates : ndarray, shape (H, W, d), optional
        Channels that stand beside those of every image.

    Returns
    -------
    dw : ndarray, shape (kh, kw, c_in + d, c_out)
    db : ndarray, shape (c_out,)
    """
    d = 0 if coordinates is None else coordinates.shape[2]
    channels, c_out = x.shape[3] + d, dy.shape[3]
    if x.size == 0 or dy.size == 0:
        return np.zeros((win.kh, win.kw, channels, c_out), x.dtype), np.zeros(c_out, x.dtype)
    beside = neighbours(win, win.out_w, c_out, channels, x.dtype)
    if beside is not None:
        columns = win.out_w // beside.count
        wider = win._replace(kw=beside.taps, sx=beside.stride, left=beside.left, out_w=columns)
        pixels = dy.reshape(*dy.shape[:2], columns, beside.count * c_out)  # (N, out_h, out_w, c_out) -> ...
        wide, sums = weight_gradient(x, pixels, wider, x_gate, gate, coordinates)
        return narrowed(wide, beside), sums.reshape(beside.count, c_out).sum(axis=0)  # (count * c_out,) -> (c_out,)
    alone = dy.size * win.kh * win.kw * channels <= ALONE
    division = divide_gradient(x.shape[0], win, channels, c_out, x.dtype, alone)
    how = factor(dy.shape, x.dtype)
    step = min(division.panels * how.width, how.padded)
    bands = whole_vectors(division.images * band_numbers(win, division.lines, channels), x.dtype)
    numbers = bands + division.images * division.lines * win.out_w * step
    parts = empty((division.chunks, win.kh * win.kw * channels * c_out), x.dtype)
    sums, one = np.empty((division.chunks, c_out), x.dtype), np.ones(1, x.dtype)
    given = [one[:0] if array is None else array.reshape(-1) for array in (x, x_gate, coordinates, dy, gate)]
    arrays = Gradient._make((*given, one, parts.reshape(-1), sums.reshape(-1)))
    own = workspace(numbers, x.dtype)
    launch(_gradient_alone if alone else _gradient, own, arrays, Images._make((*x.shape, d)), win, how, division)
    dw = add_parts(parts).reshape(win.kh, win.kw, channels, c_out)  # (chunks, kh * kw * channels * c_out) -> w's shape
    return dw, add_parts(sums)  # db: (chunks, c_out) -> (c_out,)
