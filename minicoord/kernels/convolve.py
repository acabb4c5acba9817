"""The loop of convolution: every output is a row of im2col's matrix times the kernel, plus what it begins with.

    y[n, i, j, :] = initial + the sum over ki and k of band[i * sy + ki, j * sx * C + k] * w[ki, k, :]

A task takes a few lines of output positions at a time, of one image or of several small ones. It reads the bands of
rows below them (``bands.py``), and lets the micro-kernel compute all outputs from these, one panel of the kernel after
the other (``panels.py``). The same loop takes a gradient back to the image of a convolution (``adjoint.py``): then the
image is the gradient, and its gate undoes a ReLU.

Nothing is checked here: ``convolution.py``, ``transposed.py`` and ``coordconv.py`` check, allocate and call.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from minicoord.kernels.bands import read_bands
from minicoord.kernels.denormals import denormals_as, flush_denormals
from minicoord.kernels.division import ALONE, band_numbers, divide, units_of
from minicoord.kernels.geometry import Window
from minicoord.kernels.memory import workspace
from minicoord.kernels.micro_kernel import PLAIN, RELU, Extent, Left, Place, Right, address, launch, multiply
from minicoord.kernels.panels import packed, panel_width, whole_vectors
from minicoord.kernels.runtime import get_thread_id, helper, kernel, prange


class Placement(NamedTuple):
    """Where output position (i, j) is written: to pixel (at_y + i * step_y, at_x + j * step_x) of the output."""

    step_y: int = 1
    step_x: int = 1
    at_y: int = 0
    at_x: int = 0


EVERY_PIXEL = Placement()


@helper
def _exchange(three):
    """Return the indices of a row with the first and the last exchanged."""
    return three[2], three[1], three[0]


@helper
def _convolve_units(task, x, gate, images, panels, initial, y, shape, relu, win, to, division, width, own):
    """Do the units of one task, with the scratch memory `own` of its thread."""
    before = flush_denormals()
    c_out, depth, is_map = shape[3], win.kw * images[3], initial.size > shape[3]
    per_image, units = units_of(division, images[0], win.out_h)
    block, chunk = task // division.chunks, task % division.chunks
    first = block * division.panels * width[0]
    beyond = min(first + division.panels * width[0], c_out)
    pixel = to.step_x * c_out  # from one output position of a line to the next
    row = to.step_y * shape[2] * c_out
    for unit in range(chunk * units // division.chunks, (chunk + 1) * units // division.chunks):
        n, line = unit // per_image * division.images, unit % per_image * division.lines
        count, lines = min(division.images, images[0] - n), min(division.lines, win.out_h - line)
        left = read_bands(x, gate, images, x, win, n, count, line, lines, own)
        rows, steps = (count, lines, win.out_w), (shape[1] * shape[2] * c_out, row, pixel)
        of_map = (0, win.out_w * c_out, c_out) if is_map else (0, 0, 0)
        left_steps = left.rows
        if count > win.out_w:  # the longest index last, because it is the one that is cut into blocks
            rows, steps, of_map = _exchange(rows), _exchange(steps), _exchange(of_map)
            left_steps = _exchange(left_steps)
        at = ((n * shape[1] + to.at_y + line * to.step_y) * shape[2] + to.at_x) * c_out
        for column in range(first, beyond, width[0]):
            multiply(
                Extent(rows, (1, win.kh, depth), min(width[0], c_out - column)),
                Left(left.numbers, left.start, left_steps, left.ks),
                Right(address(panels), win.kh * depth * column, min(width[0], width[1] - column)),
                Place(address(initial), (line * win.out_w * c_out if is_map else 0) + column, of_map),
                Place(address(y), at + column, steps),
                Place(address(y), 0, (0, 0, 0)),
                RELU if relu else PLAIN,
            )
    denormals_as(before)


@kernel
def _convolve(x, gate, images, panels, initial, y, shape, relu, win, to, division, width, space):
    for task in prange(division.chunks * division.blocks):
        own = space[get_thread_id()]
        _convolve_units(np.int64(task), x, gate, images, panels, initial, y, shape, relu, win, to, division, width, own)


@helper
def _convolve_alone(x, gate, images, panels, initial, y, shape, relu, win, to, division, width, space):
    for task in range(division.chunks * division.blocks):
        _convolve_units(task, x, gate, images, panels, initial, y, shape, relu, win, to, division, width, space[0])


def convolve(
    x: NDArray,
    w: NDArray,
    initial: NDArray,
    y: NDArray,
    relu: bool,
    win: Window,
    to: Placement = EVERY_PIXEL,
    gate: NDArray | None = None,
    view: NDArray | None = None,
) -> None:
    """Write ``cols(x) @ w + initial``, with or without ReLU, into `y`.

    Parameters
    ----------
    x : ndarray, shape (N, H, W, c_in)
    w : ndarray, C-contiguous
        The kernel, shape (kh, kw, c_in, c_out), unless there is a view of it.
    initial : ndarray, shape (c_out,) or (out_h * out_w, c_out)
        What each sum begins with: a bias, or one row for each output position (the map of a CoordConv).
    y : ndarray, shape (N, ..., ..., c_out)
        Written at the pixels that `to` names.
    gate : ndarray, shape of `x`, optional
        Where it is not positive, `x` counts as zero.
    view : ndarray, shape (kh, kw, c_in, c_out), optional
        The kernel as a view of `w`.
    """
    if y.size == 0:
        return
    images, c_in, c_out = x.shape[0], x.shape[3], y.shape[3]
    division = divide(images, win, c_in, c_out, x.dtype)
    width = panel_width(x.dtype), whole_vectors(c_out, x.dtype)
    space = workspace(division.images * band_numbers(win, division.lines, c_in), x.dtype)
    numbers, nothing = x.reshape(-1), np.empty(0, x.dtype)
    arguments = (
        *(numbers, nothing if gate is None else gate.reshape(-1), (*x.shape, 0), packed(w, view), initial.reshape(-1)),
        *(y.reshape(-1), y.shape, relu, win, to, division, width, space),
    )
    work = images * win.out_h * win.out_w * win.kh * win.kw * c_in * c_out
    launch(_convolve_alone if work <= ALONE else _convolve, *arguments)
