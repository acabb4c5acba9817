"""The adjoint of convolution: transposed convolution forward, and convolution backward to its image.

With stride s, convolution reads pixel ``y = s * i - top + ki`` of the image for output position i. The adjoint sends
value i back to all those pixels. Seen from pixel y, only the kernel rows ``ki`` with ``(y + top - ki) % s == 0`` send
to it. So the pixels fall into s * s *phases*, and within one phase every pixel uses the same rows and columns of the
kernel: the adjoint is s * s ordinary convolutions of stride 1, each with its part of the kernel flipped, and their
results are interleaved. No work is spent on zeros, and every pixel has one writer. Where an image has so few channels
that neighbouring pixels fit into one vector, `_merged` computes the phases of a row side by side.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from minicoord.kernels.convolve import Placement, convolve
from minicoord.kernels.geometry import Window
from minicoord.kernels.memory import empty
from minicoord.kernels.vectors import lanes


class Phase(NamedTuple):
    """The pixels of one axis that the same taps of the kernel send to.

    They are ``first, first + stride, ...``, `count` of them. They receive through the taps `rows` of the kernel, `taps`
    in number, as a window of so many output positions does that lies `before` positions before the image.
    """

    rows: slice
    taps: int
    before: int
    first: int
    count: int


def _phase(kernel: int, stride: int, before: int, size: int, phase: int) -> Phase:
    """Return a phase of one axis of `size` pixels, with `before` pixels of padding.

    Its pixels are ``y = phase - before + stride * q`` for the q with y inside the image. Pixel q receives from output
    positions ``q - a``, a = 0 .. taps - 1: a window that starts at position ``q - (taps - 1)``.
    """
    taps = len(range(phase, kernel, stride))
    first_q = max(-(-(before - phase) // stride), 0)
    first = phase - before + stride * first_q
    count = max(-(-(size - first) // stride), 0)
    return Phase(slice(phase, kernel, stride), taps, taps - 1 - first_q, first, count)


def _merged(w: NDArray, stride: int, before: int) -> tuple[NDArray, int]:
    """Return a kernel (kh, taps, c, stride * c_image) that computes `stride` neighbouring pixels, and its padding.

    Pixel ``stride * q + b`` belongs to phase ``(b + before) % stride``, and receives through the columns ``phase``,
    ``phase + stride``, ... of the kernel `w` (kh, kw, c, c_image) from positions ``q + shift``, ``q + shift - 1``, ...,
    with ``shift = (b + before) // stride``. The kernel is zero where a position sends to some of the pixels only.
    """
    kh, kw, c, c_image = w.shape
    phases = [((b + before) % stride, (b + before) // stride) for b in range(stride)]
    lowest = min(shift - max(len(range(phase, kw, stride)) - 1, 0) for phase, shift in phases)
    highest = max(shift for _, shift in phases)
    wide = np.zeros((kh, highest - lowest + 1, c, stride, c_image), w.dtype)
    for b, (phase, shift) in enumerate(phases):
        for a, column in enumerate(range(phase, kw, stride)):
            wide[:, shift - lowest - a, :, b] = w[:, column]
    return wide.reshape(kh, -1, c, stride * c_image), -lowest  # (kh, taps, c, stride, c_image) -> ...


def adjoint(
    z: NDArray,
    w: NDArray,
    bias: NDArray,
    relu: bool,
    win: Window,
    height: int,
    width: int,
    gate: NDArray | None = None,
    whole: NDArray | None = None,
) -> NDArray:
    """Return the adjoint of a convolution applied to `z`, plus a bias.

    Parameters
    ----------
    z : ndarray, shape (N, win.out_h, win.out_w, c)
        Values at the output positions.
    w : ndarray, shape (kh, kw, c_image, c)
        The kernel of the convolution.
    bias : ndarray, shape (c_image,)
        Added to every pixel.
    height, width : int
        Size in pixels of the image that the convolution reads.
    gate : ndarray, shape of `z`, optional
        Where it is not positive, `z` counts as zero.
    whole : ndarray, C-contiguous, optional
        What `w` is a view of, if it is one.

    Returns
    -------
    ndarray, shape (N, height, width, c_image)
    """
    c_image = w.shape[2]
    if win.sx > 1 and win.sx * c_image <= lanes(z.itemsize):
        return _adjoint_of_rows(z, w, bias, relu, win, height, width, gate)
    image = empty((z.shape[0], height, width, c_image), z.dtype)
    for phase_y in range(win.sy):
        y = _phase(win.kh, win.sy, win.top, height, phase_y)
        for phase_x in range(win.sx):
            x = _phase(win.kw, win.sx, win.left, width, phase_x)
            if y.count == 0 or x.count == 0:
                continue
            if y.taps == 0 or x.taps == 0:  # the stride is longer than the kernel: no value reaches these pixels
                image[:, y.first :: win.sy, x.first :: win.sx] = np.maximum(bias, 0) if relu else bias
                continue
            # flipped: (taps_y, taps_x, c_image, c) -> (taps_y, taps_x, c, c_image)
            part = w[y.rows, x.rows][::-1, ::-1].transpose(0, 1, 3, 2)
            here = Window(y.taps, x.taps, 1, 1, y.before, 0, x.before, 0, y.count, x.count)
            to = Placement(win.sy, win.sx, y.first, x.first)
            convolve(z, w if whole is None else whole, bias, image, relu, here, to, gate, part)
    return image


def _adjoint_of_rows(
    z: NDArray, w: NDArray, bias: NDArray, relu: bool, win: Window, height: int, width: int, gate: NDArray | None
) -> NDArray:
    """Return `adjoint` for an image of few channels, `win.sx` pixels of a row at a time."""
    n, c_image = z.shape[0], w.shape[2]
    columns = -(-width // win.sx)
    image = empty((n, height, columns * win.sx, c_image), z.dtype)
    pixels = image.reshape(n, height, columns, win.sx * c_image)  # so many pixels of a row side by side, as channels
    wide, left = _merged(w.transpose(0, 1, 3, 2), win.sx, win.left)  # (kh, taps, c, sx * c_image)
    biases = np.tile(bias, win.sx)  # (sx * c_image,)
    for phase_y in range(win.sy):
        y = _phase(win.kh, win.sy, win.top, height, phase_y)
        if y.count > 0 and y.taps == 0:
            pixels[:, y.first :: win.sy] = np.maximum(biases, 0) if relu else biases
        elif y.count > 0:
            here = Window(y.taps, wide.shape[1], 1, 1, y.before, 0, left, 0, y.count, columns)
            convolve(z, wide, biases, pixels, relu, here, Placement(win.sy, 1, y.first, 0), gate, wide[y.rows][::-1])
    return image if columns * win.sx == width else np.ascontiguousarray(image[:, :, :width])
