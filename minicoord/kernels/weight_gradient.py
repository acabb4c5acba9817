"""The gradient of a kernel: the im2col matrix, transposed, times the gradient of the output.

    dw[ki, k, :] = the sum over images n, lines i and columns j of band[i * sy + ki, j * sx * C + k] * dz[n, i, j, :]

It is the micro-kernel once more, with the steps of the band exchanged: what was summed over, the taps, are its rows now,
and what were its rows, the places of the kernel, are summed over. Each task adds up its own images in order; a fixed
number of such parts, which depends on the shapes alone, is then added in order. So the bits do not depend on threads.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numba import get_thread_id
from numpy.typing import NDArray

from minicoord.kernels.bands import read_band
from minicoord.kernels.convolve import ALONE, BAND_BYTES, TASKS, band_numbers, no_coordinates
from minicoord.kernels.denormals import denormals_as, flush_denormals
from minicoord.kernels.geometry import Window
from minicoord.kernels.memory import empty, workspace
from minicoord.kernels.micro_kernel import PLAIN, Extent, Left, Place, Right, address, multiply
from minicoord.kernels.panels import panel_width, whole_vectors
from minicoord.kernels.runtime import helper, kernel, launch, prange

PLACES = 192  # summed before the next lines are read: the two factors lie in the L1 and L2 caches meanwhile
PARTS = 2**21  # numbers in all parts of a gradient together


class Cut(NamedTuple):
    """How the work is divided: units of `lines` lines, in `chunks` tasks, times `blocks` of `panels` panels each."""

    lines: int
    chunks: int
    blocks: int
    panels: int


@lru_cache(maxsize=1024)
def cut(images: int, win: Window, channels: int, c_out: int, dtype: np.dtype) -> Cut:
    """Return how a gradient is divided. Each chunk has a sum of its own, so a large kernel is divided by its panels."""
    line_bytes = ((win.out_w - 1) * win.sx + win.kw) * channels * win.sy * dtype.itemsize
    lines = max(min(PLACES // win.out_w, BAND_BYTES // line_bytes, win.out_h), 1)
    while lines > 1 and images * -(-win.out_h // lines) < TASKS:
        lines = (lines + 1) // 2
    size = win.kh * win.kw * channels * c_out
    chunks = max(min(TASKS, images * -(-win.out_h // lines), PARTS // size), 1)
    panels = -(-c_out // panel_width(dtype))
    per_block = -(-panels // min(panels, -(-TASKS // chunks)))
    return Cut(lines, chunks, -(-panels // per_block), per_block)


@helper
def _copy_columns(dz, gate, gated, first, column, columns, target, total):
    """Copy columns of dz (rows, c_out) from row `first` on to `target` (rows, columns or more), and add them up."""
    for r in range(target.shape[0]):
        for c in range(columns):
            value = dz[first + r, column + c]
            if gated and gate[first + r, column + c] <= 0:
                value = 0
            target[r, c] = value
            total[column + c] += value


@helper
def _gradient_units(task, x, x_gate, x_gated, coordinates, dz, gate, gated, parts, sums, win, cut, width, space):
    """Do the units of one task: all of its chunk, for the panels of its block."""
    images, out_w, c_out, channels = x.shape[0], win.out_w, dz.shape[1], x.shape[3] + coordinates.shape[2]
    blocks_of_lines = (win.out_h + cut.lines - 1) // cut.lines
    units, rows = images * blocks_of_lines, win.kw * channels
    chunk, block = task // cut.blocks, task % cut.blocks
    column = block * cut.panels * width[0]
    columns = min(cut.panels * width[0], c_out - column)
    step = min(cut.panels * width[0], width[1] - column)
    part, total = parts[chunk], sums[chunk]
    part.reshape(-1, c_out)[:, column : column + columns] = 0
    total[column : column + columns] = 0
    band = space.size - cut.lines * out_w * step
    for unit in range(chunk * units // cut.chunks, (chunk + 1) * units // cut.chunks):
        n, line = unit // blocks_of_lines, unit % blocks_of_lines * cut.lines
        lines = min(cut.lines, win.out_h - line)
        left = read_band(x, coordinates, x_gate, x_gated, win, n, line, lines, space)
        target = space[band : band + lines * out_w * step].reshape(lines * out_w, step)
        _copy_columns(dz, gate, gated, (n * win.out_h + line) * out_w, column, columns, target, total)
        for panel in range((columns + width[0] - 1) // width[0]):
            at = column + panel * width[0]
            place = Place(address(part), at, rows * c_out, c_out)
            multiply(
                Extent(win.kh, rows, lines, out_w, min(width[0], c_out - at)),
                Left(left.numbers, left.start, left.segment, 1, left.line, left.row),
                Right(address(space), band + panel * width[0], step),
                place,
                place,
                place,
                PLAIN,
            )


@kernel
def _gradient(x, x_gate, x_gated, coordinates, dz, gate, gated, parts, sums, win, cut, width, space):
    for task in prange(cut.chunks * cut.blocks):
        before = flush_denormals()
        own = space[get_thread_id()]
        _gradient_units(
            np.int64(task), x, x_gate, x_gated, coordinates, dz, gate, gated, parts, sums, win, cut, width, own
        )
        denormals_as(before)


@helper
def _gradient_alone(x, x_gate, x_gated, coordinates, dz, gate, gated, parts, sums, win, cut, width, space):
    before = flush_denormals()
    for task in range(cut.chunks * cut.blocks):
        _gradient_units(task, x, x_gate, x_gated, coordinates, dz, gate, gated, parts, sums, win, cut, width, space[0])
    denormals_as(before)


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
    coordinates = no_coordinates(x.dtype) if coordinates is None else coordinates
    channels, c_out = x.shape[3] + coordinates.shape[2], dy.shape[3]
    if x.size == 0 or dy.size == 0:
        return np.zeros((win.kh, win.kw, channels, c_out), x.dtype), np.zeros(c_out, x.dtype)
    division = cut(x.shape[0], win, channels, c_out, x.dtype)
    width = panel_width(x.dtype), whole_vectors(c_out, x.dtype)
    step = min(division.panels * width[0], width[1])
    numbers = whole_vectors(band_numbers(win, division.lines, channels), x.dtype) + division.lines * win.out_w * step
    parts = empty((division.chunks, win.kh * win.kw * channels * c_out), x.dtype)
    sums = np.empty((division.chunks, c_out), x.dtype)
    rows = dy.reshape(-1, c_out)  # (N * out_h * out_w, c_out)
    arguments = (
        x,
        x if x_gate is None else x_gate,
        x_gate is not None,
        coordinates,
        rows,
        rows if gate is None else gate.reshape(rows.shape),
        gate is not None,
        parts,
        sums,
        win,
        division,
        width,
        workspace(numbers, x.dtype),
    )
    launch(_gradient_alone if rows.shape[0] * parts.shape[1] <= ALONE else _gradient, *arguments)
    dw = parts[0] if division.chunks == 1 else parts.sum(axis=0)  # (chunks, kh * kw * channels * c_out) -> (...)
    return dw.reshape(win.kh, win.kw, channels, c_out), sums.sum(axis=0)
