"""The loop of convolution: every output is a row of im2col's matrix times the kernel, plus what it begins with.

    y[n, i, j, :] = initial + the sum over ki and k of band[i * sy + ki, j * sx * C + k] * w[ki, k, :]

A task takes a few lines of places of one image at a time, has their band read (``bands.py``), and lets the micro-kernel
compute all outputs from it, one panel of the kernel after the other (``panels.py``). The same loop takes a gradient back
to the image of a convolution (``adjoint.py``); then the image is the gradient, and its gate undoes a ReLU.

Nothing is checked here: ``convolution.py``, ``transposed.py`` and ``coordconv.py`` check, allocate and call.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import get_thread_id
from numpy.typing import DTypeLike, NDArray

from minicoord.kernels.bands import read_band
from minicoord.kernels.denormals import denormals_as, flush_denormals
from minicoord.kernels.division import ALONE, band_numbers, divide
from minicoord.kernels.geometry import Window
from minicoord.kernels.memory import workspace
from minicoord.kernels.micro_kernel import PLAIN, RELU, Extent, Place, Right, address, multiply
from minicoord.kernels.panels import packed, panel_width, whole_vectors
from minicoord.kernels.runtime import helper, kernel, launch, prange


class Placement(NamedTuple):
    """Where place (i, j) of the window is written: to pixel (at_y + i * step_y, at_x + j * step_x) of the output."""

    step_y: int = 1
    step_x: int = 1
    at_y: int = 0
    at_x: int = 0


EVERY_PIXEL = Placement()


@helper
def _convolve_units(
    task, x, gate, gated, coordinates, panels, initial, is_map, y, relu, win, to, division, width, space
):
    """Do the units of one task."""
    images, out_h, out_w, c_out = x.shape[0], win.out_h, win.out_w, y.shape[3]
    depth = win.kw * (x.shape[3] + coordinates.shape[2])
    blocks_of_lines = (out_h + division.lines - 1) // division.lines
    units = images * blocks_of_lines
    block, chunk = task // division.chunks, task % division.chunks
    for unit in range(chunk * units // division.chunks, (chunk + 1) * units // division.chunks):
        n, line = unit // blocks_of_lines, unit % blocks_of_lines * division.lines
        lines = min(division.lines, out_h - line)
        left = read_band(x, coordinates, gate, gated, win, n, line, lines, space)
        pixel = (n * y.shape[1] + to.at_y + line * to.step_y) * y.shape[2] + to.at_x
        for panel in range(block * division.panels, (block + 1) * division.panels):
            column = panel * width[0]
            columns = min(width[0], c_out - column)
            multiply(
                Extent(lines, out_w, win.kh, depth, columns),
                left,
                Right(address(panels), win.kh * depth * column, min(width[0], width[1] - column)),
                Place(
                    address(initial),
                    (line * out_w * c_out if is_map else 0) + column,
                    out_w * c_out if is_map else 0,
                    c_out if is_map else 0,
                ),
                Place(address(y), pixel * c_out + column, to.step_y * y.shape[2] * c_out, to.step_x * c_out),
                Place(address(y), 0, 0, 0),
                RELU if relu else PLAIN,
            )


@kernel
def _convolve(x, gate, gated, coordinates, panels, initial, is_map, y, relu, win, to, division, width, space):
    for task in prange(division.chunks * division.blocks):
        before = flush_denormals()
        own = space[get_thread_id()]
        _convolve_units(
            np.int64(task), x, gate, gated, coordinates, panels, initial, is_map, y, relu, win, to, division, width, own
        )
        denormals_as(before)


@helper
def _convolve_alone(x, gate, gated, coordinates, panels, initial, is_map, y, relu, win, to, division, width, space):
    before = flush_denormals()
    for task in range(division.chunks * division.blocks):
        _convolve_units(
            task, x, gate, gated, coordinates, panels, initial, is_map, y, relu, win, to, division, width, space[0]
        )
    denormals_as(before)


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
        What each sum begins with: a bias, or one row for each place of the window (the map of a CoordConv).
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
    space = workspace(band_numbers(win, division.lines, c_in), x.dtype)
    arguments = (
        x,
        x if gate is None else gate,
        gate is not None,
        no_coordinates(x.dtype),
        packed(w, view),
        initial.reshape(-1),
        initial.ndim == 2,
        y,
        relu,
        win,
        to,
        division,
        width,
        space,
    )
    work = images * win.out_h * win.out_w * win.kh * win.kw * c_in * c_out
    launch(_convolve_alone if work <= ALONE else _convolve, *arguments)


def no_coordinates(dtype: DTypeLike) -> NDArray:
    """Return what stands for the coordinates of a convolution that has none: shape (0, 0, 0)."""
    return np.empty((0, 0, 0), dtype)
