"""The loop of convolution: every output is a row of im2col's matrix times the kernel, plus what it begins with.

    y[n, i, j, :] = initial + the sum over ki and k of band[i * sy + ki, j * sx * C + k] * w[ki, k, :]

A task takes a few lines of output positions at a time, of one image or of several small ones. It reads the bands of
rows below them (``bands.py``), and lets the micro-kernel compute all outputs from these, one panel of the kernel after
the other (``panels.py``). The same loop takes a gradient back to the image of a convolution (``adjoint.py``), in
several parts (``parts.py``): then the image is the gradient, and its gate undoes a ReLU.

Nothing is checked here: ``convolution.py``, ``transposed.py`` and ``coordconv.py`` check, allocate and call.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from minicoord.kernels.backend.denormals import denormals_as, flush_denormals
from minicoord.kernels.backend.memory import workspace
from minicoord.kernels.backend.runtime import get_thread_id, helper, kernel, prange
from minicoord.kernels.bands import Images, read_bands
from minicoord.kernels.division import ALONE, divide, index_to_cut, scratch_numbers, units_of
from minicoord.kernels.geometry import Window
from minicoord.kernels.micro_kernel import PLAIN, RELU, Extent, Left, Place, Right, address, launch, multiply
from minicoord.kernels.neighbours import neighbours, widened
from minicoord.kernels.panels import Factor, as_column, factor, is_long_column, pack_panel, packed
from minicoord.kernels.parts import Parts, largest_and_taps_read, of_convolution, table

LONG = 512  # of a sum over k: taps outside of the image are left out if it is longer


class Convolution(NamedTuple):
    """What a task reads and writes; all arrays are flat."""

    x: NDArray
    gate: NDArray  # as x, or empty
    w: NDArray
    panels: NDArray  # of w; empty if each task packs its own
    initial: NDArray
    y: NDArray
    height: int  # of y
    width: int
    relu: bool
    table: Any  # of parts


@helper
def _last(three, index):
    """Return the indices of a row in such an order that the given one is the last."""
    if index == 0:
        return three[2], three[1], three[0]
    if index == 1:
        return three[0], three[2], three[1]
    return three


@helper
def _lines_alike(part, height, depth, line, lines):
    """Return how many lines of output positions from `line` on use the same rows of taps: the first, and how many.

    Rows of taps that lie above or below the image are left out, one line at a time, if the sums are long.
    """
    top = line * part.sy - part.top
    if part.kh * depth < LONG:
        return lines, 0, part.kh
    if top >= 0 and top + part.kh <= height:
        return min((height - part.kh - top) // part.sy + 1, lines), 0, part.kh
    first = min(max(-top, 0), part.kh)
    return 1, first, max(min(height - top, part.kh) - first, 0)


@helper
def _do_units(task, part, arrays, images, factor, division, own):
    """Do the units of one task for one part, with the scratch memory `own` of its thread."""
    c_out, depth = factor.columns, part.kw * factor.rows
    is_map = arrays.initial.size > c_out
    per_image, units = units_of(division, images.count, part.out_h)
    block, chunk = task // division.chunks, task % division.chunks
    first = block * division.panels * factor.width
    beyond = min(first + division.panels * factor.width, c_out)
    before, panels = part.taps_before * factor.rows * factor.padded, address(arrays.panels)
    if arrays.panels.size == 0:
        before, panels = own.size - part.kh * depth * min(factor.width, factor.padded - first), address(own)
        pack_panel(arrays.w, part, factor, first, own, before, 0, part.kh * depth)
        before -= part.kh * depth * first
    # Taken out of their tuple here: in the loop that would count as a use, for which threads wait (see ``bands.py``).
    x, gate = arrays.x, arrays.gate
    at_initial, at_y = address(arrays.initial), address(arrays.y)
    steps = arrays.height * arrays.width * c_out, part.step_y * arrays.width * c_out, part.step_x * c_out  # of y
    of_map = (0, part.out_w * c_out, c_out) if is_map else (0, 0, 0)
    for unit in range(chunk * units // division.chunks, (chunk + 1) * units // division.chunks):
        n, line = unit // per_image * division.images, unit % per_image * division.lines
        count, lines = min(division.images, images.count - n), min(division.lines, part.out_h - line)
        left = read_bands(x, gate, images, x, part, n, count, line, lines, own)
        k = 0
        while k < lines:
            beside, first_tap, taps = _lines_alike(part, images.height, depth, line + k, lines - k)
            rows = count, beside, part.out_w
            cut = index_to_cut(rows)
            of_x = left.start + k * left.rows[1] + first_tap * left.ks[1]
            of_y = ((n * arrays.height + part.at_y + (line + k) * part.step_y) * arrays.width + part.at_x) * c_out
            of_initial = (line + k) * part.out_w * c_out if is_map else 0
            for column in range(first, beyond, factor.width):
                step = min(factor.width, factor.padded - column)
                multiply(
                    Extent(_last(rows, cut), (1, taps, depth), min(factor.width, c_out - column)),
                    Left(left.numbers, of_x, _last(left.rows, cut), left.ks),
                    Right(panels, before + part.kh * depth * column + first_tap * depth * step, step),
                    Place(at_initial, of_initial + column, _last(of_map, cut)),
                    Place(at_y, of_y + column, _last(steps, cut)),
                    Place(at_y, 0, (0, 0, 0)),
                    RELU if arrays.relu else PLAIN,
                )
            k += beside


@helper
def _do_task(task, arrays, images, factor, division, own):
    fp_mode = flush_denormals()
    for p in range(len(arrays.table)):
        _do_units(task, arrays.table[p], arrays, images, factor, division, own)
    denormals_as(fp_mode)


@kernel
def _convolve(space, arrays, images, factor, division):
    for task in prange(division.chunks * division.blocks):
        _do_task(np.int64(task), arrays, images, factor, division, space[get_thread_id()])


@helper
def _convolve_alone(space, arrays, images, factor, division):
    for task in range(division.chunks * division.blocks):
        _do_task(task, arrays, images, factor, division, space[0])


def convolve(
    x: NDArray,
    w: NDArray,
    initial: NDArray,
    y: NDArray,
    relu: bool,
    win: Window,
    gate: NDArray | None = None,
    first: int = 0,
) -> None:
    """Write ``cols(x) @ w + initial``, with or without ReLU, into `y`.

    Parameters
    ----------
    x : ndarray, shape (N, H, W, c_in)
    w : ndarray, C-contiguous, shape (kh, kw, c_in or more, c_out)
        The kernel; what counts are its c_in channels from `first` on.
    initial : ndarray, shape (c_out,) or (out_h * out_w, c_out)
        What each sum begins with: a bias, or one row for each output position (the map of a CoordConv).
    y : ndarray, shape (N, out_h, out_w, c_out)
    gate : ndarray, shape of `x`, optional
        Where it is not positive, `x` counts as zero.
    """
    (n, _, _, c_in), (*_, c_out) = x.shape, y.shape
    beside = neighbours(win, win.out_w, c_out, c_in, x.dtype)
    if beside is None or is_long_column(c_out, win.kw * c_in, x.dtype):
        how = factor(w.shape, w.dtype, False, first, c_in)
        convolve_parts(x, w, initial, y, relu, of_convolution(win), gate, how)
    else:
        columns = win.out_w // beside.count
        wider = win._replace(kw=beside.taps, sx=beside.stride, left=beside.left, out_w=columns)
        wide = widened(w[:, :, first : first + c_in], beside)
        initial = np.tile(initial, beside.count) if initial.ndim == 1 else initial
        pixels = y.reshape(n, win.out_h, columns, beside.count * c_out)  # (N, out_h, out_w, c_out) -> ...
        convolve_parts(x, wide, initial, pixels, relu, of_convolution(wider), gate)


def convolve_parts(
    x: NDArray,
    w: NDArray,
    initial: NDArray,
    y: NDArray,
    relu: bool,
    parts: Parts,
    gate: NDArray | None = None,
    how: Factor | None = None,
) -> None:
    """Write ``cols(x) @ w + initial``, with or without ReLU, to the pixels of `y` that `parts` name.

    Parameters
    ----------
    x, initial, relu, gate
        As in `convolve`; an `initial` of one row for each output position has those of one part.
    w : ndarray, C-contiguous
        The kernel, shape (kh, kw, c_in, c_out), unless `how` says otherwise.
    y : ndarray, shape (N, ..., ..., c_out)
    parts : tuple of Part
        The windows over x, and the taps of the kernel that each uses.
    how : Factor, optional
        How the kernel is read.
    """
    if y.size == 0:
        return
    how = factor(w.shape, w.dtype) if how is None else how
    if how.columns == 1:
        how = as_column(how)
    largest, taps_of_all = largest_and_taps_read(parts)
    alone = x.shape[0] * how.rows * how.columns * taps_of_all <= ALONE
    division = divide(x.shape[0], largest, how.rows, how.columns, x.dtype, alone)
    nothing = np.empty(0, x.dtype)
    panels = nothing if division.packs else packed(w, how, parts)
    flat = x.reshape(-1), nothing if gate is None else gate.reshape(-1), w.reshape(-1), panels, initial.reshape(-1)
    arrays = Convolution(*flat, y.reshape(-1), y.shape[1], y.shape[2], relu, table(parts))
    own = workspace(scratch_numbers(parts, division, how.rows, how.width), x.dtype)
    launch(_convolve_alone if alone else _convolve, own, arrays, Images._make((*x.shape, 0)), how, division)
