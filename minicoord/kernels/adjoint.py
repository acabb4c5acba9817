"""The adjoint of convolution: transposed convolution forward, and convolution backward to its image.

With stride s, convolution reads pixel ``y = s * i - top + ki`` of the image for place i of the kernel. The adjoint
sends value i back to all those pixels. Seen from pixel y, only the kernel rows ``ki`` with
``(y + top - ki) % s == 0`` send to it. So the pixels fall into s * s *phases*, and within one phase every pixel uses
the same rows and columns of the kernel: the adjoint is s * s ordinary convolutions of stride 1, each with its part of
the kernel turned around, and their results are interleaved. No work is spent on zeros, and every pixel has one writer.
For images of few channels `_merged` does all phases in one.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from minicoord.kernels.convolve import Placement, convolve
from minicoord.kernels.geometry import Window
from minicoord.kernels.memory import empty

FEW_CHANNELS = 4  # of the image: up to so many, all phases together are quicker than one by one


def _phase(kernel: int, stride: int, before: int, size: int, phase: int) -> tuple[slice, int, int, int, int]:
    """Return for one axis and phase: rows of the kernel, their count, padding before, first pixel, count of pixels.

    The pixels of the phase are ``y = phase - before + stride * q`` for the q with y inside the image. Pixel q receives
    from places ``q - a``, a = 0 .. taps - 1: a window that starts at place ``q - (taps - 1)``.
    """
    rows = slice(phase, kernel, stride)
    taps = len(range(phase, kernel, stride))
    first_q = max(-(-(before - phase) // stride), 0)
    first_pixel = phase - before + stride * first_q
    pixels = max(-(-(size - first_pixel) // stride), 0)
    return rows, taps, taps - 1 - first_q, first_pixel, pixels


def _merged_axis(kernel: int, stride: int, before: int) -> tuple[int, int, list[tuple[int, int]]]:
    """Return for one axis of the merged phases: taps, padding before, and for each phase its first row and first tap.

    Pixel ``stride * q + b`` belongs to phase ``(b + before) % stride``, receives through kernel rows ``phase``,
    ``phase + stride``, ... from places ``q + shift``, ``q + shift - 1``, ..., with ``shift = (b + before) // stride``.
    """
    phases = [((b + before) % stride, (b + before) // stride) for b in range(stride)]
    lowest = min(shift - max(len(range(phase, kernel, stride)) - 1, 0) for phase, shift in phases)
    highest = max(shift for _, shift in phases)
    return highest - lowest + 1, -lowest, [(phase, shift - lowest) for phase, shift in phases]


def _merged(
    z: NDArray, w: NDArray, bias: NDArray, relu: bool, win: Window, height: int, width: int, gate: NDArray | None
) -> NDArray:
    """Return `adjoint` as one convolution that computes all phases side by side, as channels, and a shuffle of pixels.

    A phase's kernel is zero where only another phase has taps. That costs multiplications, but the pixels are gathered
    once, and a product with s * s * c_image columns is quicker than as many products with c_image.
    """
    n, c_image, c = z.shape[0], *w.shape[2:]
    taps_y, top, phases_y = _merged_axis(win.kh, win.sy, win.top)
    taps_x, left, phases_x = _merged_axis(win.kw, win.sx, win.left)
    wide = np.zeros((taps_y, taps_x, c, win.sy, win.sx, c_image), w.dtype)
    for b_y, (phase_y, tap_y) in enumerate(phases_y):
        for b_x, (phase_x, tap_x) in enumerate(phases_x):
            part = w[phase_y :: win.sy, phase_x :: win.sx].transpose(0, 1, 3, 2)  # (rows, columns, c, c_image)
            for i, j in np.ndindex(*part.shape[:2]):
                wide[tap_y - i, tap_x - j, :, b_y, b_x] = part[i, j]
    rows, columns = -(-height // win.sy), -(-width // win.sx)
    here = Window(taps_y, taps_x, 1, 1, top, 0, left, 0, rows, columns)
    phases = empty((n, rows, columns, win.sy * win.sx * c_image), z.dtype)
    repeated = np.tile(bias, win.sy * win.sx)  # (sy * sx * c_image,)
    # (taps_y, taps_x, c, sy, sx, c_image) -> (taps_y, taps_x, c, sy * sx * c_image)
    convolve(z, wide.reshape(taps_y, taps_x, c, -1), repeated, phases, relu, here, gate=gate)
    image = empty((n, rows, win.sy, columns, win.sx, c_image), z.dtype)
    # (N, rows, columns, sy, sx, c_image) -> (N, rows, sy, columns, sx, c_image)
    np.copyto(image, phases.reshape(n, rows, columns, win.sy, win.sx, c_image).transpose(0, 1, 3, 2, 4, 5))
    image = image.reshape(n, rows * win.sy, columns * win.sx, c_image)
    return image if image.shape[1:3] == (height, width) else np.ascontiguousarray(image[:, :height, :width])


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
        Values at the places of the window.
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
    if win.sy * win.sx > 1 and c_image <= FEW_CHANNELS:
        return _merged(z, w, bias, relu, win, height, width, gate)
    image = empty((z.shape[0], height, width, c_image), z.dtype)
    for phase_y in range(win.sy):
        rows, taps_y, top, at_y, count_y = _phase(win.kh, win.sy, win.top, height, phase_y)
        for phase_x in range(win.sx):
            columns, taps_x, left, at_x, count_x = _phase(win.kw, win.sx, win.left, width, phase_x)
            if count_y == 0 or count_x == 0:
                continue
            # flipped: (taps_y, taps_x, c_image, c) -> (taps_y, taps_x, c, c_image)
            part = w[rows, columns][::-1, ::-1].transpose(0, 1, 3, 2)
            if part.size == 0:  # the stride is longer than the kernel: no value reaches these pixels
                image[:, at_y :: win.sy, at_x :: win.sx] = np.maximum(bias, 0) if relu else bias
                continue
            here = Window(taps_y, taps_x, 1, 1, top, 0, left, 0, count_y, count_x)
            to = Placement(win.sy, win.sx, at_y, at_x)
            convolve(z, w if whole is None else whole, bias, image, relu, here, to, gate, part)
    return image
