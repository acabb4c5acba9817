"""The parts that an output consists of: one convolution of a layer, or several whose pixels lie between each other.

With stride s, convolution reads pixel ``y = s * i - top + ki`` of the image for output position i. Its adjoint sends
value i back to all those pixels. Seen from pixel y, only the kernel rows ``ki`` with ``(y + top - ki) % s == 0`` send
to it. So the pixels fall into s * s *phases*, and within one phase every pixel uses the same rows and columns of the
kernel: the adjoint is s * s ordinary convolutions of stride 1, each with its part of the kernel flipped, and their
results are interleaved. No work is spent on zeros, and every pixel has one writer.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from minicoord.kernels.geometry import Window


class Part(NamedTuple):
    """A convolution: where its window lies, which taps of the kernel it uses, and which pixels it writes.

    Tap (a, b) of the window is tap ``(tap_y + a * next_y, tap_x + b * next_x)`` of the kernel. Output position (i, j)
    is written to pixel ``(at_y + i * step_y, at_x + j * step_x)``. The rest is as in a `Window`.
    """

    kh: int
    kw: int
    sy: int
    sx: int
    top: int
    left: int
    out_h: int
    out_w: int
    tap_y: int = 0
    tap_x: int = 0
    next_y: int = 1
    next_x: int = 1
    at_y: int = 0
    at_x: int = 0
    step_y: int = 1
    step_x: int = 1
    taps_before: int = 0  # those of the parts before


Parts = tuple[Part, ...]


class Axis(NamedTuple):
    """What a phase is along one axis: `count` pixels ``first, first + step, ...``, each with `taps` taps.

    The taps are ``last, last - step, ...`` of the kernel, for positions from ``-before`` on.
    """

    taps: int
    before: int
    first: int
    count: int
    step: int
    last: int


def _phases(kernel: int, stride: int, before: int, size: int) -> list[Axis]:
    """Return the phases of one axis of `size` pixels, with `before` pixels of padding, that have a pixel.

    The pixels of a phase are ``y = phase - before + stride * q`` for the q with y inside the image. Pixel q receives
    from output positions ``q - a``, a = 0 .. taps - 1: a window that starts at position ``q - (taps - 1)``. A stride
    that is longer than the kernel leaves phases without taps, whose pixels nothing reaches.
    """
    found = []
    for phase in range(stride):
        taps = len(range(phase, kernel, stride))
        first_q = max(-(-(before - phase) // stride), 0)
        first = phase - before + stride * first_q
        count = -(-(size - first) // stride)
        if count > 0:
            found.append(Axis(taps, taps - 1 - first_q, first, count, stride, phase + stride * (taps - 1)))
    return found


@lru_cache(maxsize=1024)
def of_convolution(win: Window) -> Parts:
    """Return the one part of a convolution."""
    return (Part(win.kh, win.kw, win.sy, win.sx, win.top, win.left, win.out_h, win.out_w),)


@lru_cache(maxsize=1024)
def of_adjoint(win: Window, height: int, width: int, columns: Part | None = None) -> Parts:
    """Return the parts of the adjoint of a convolution that reads images of `height` x `width` pixels.

    Parameters
    ----------
    columns : Part, optional
        What happens along the rows of pixels, where ``neighbours.py`` decides it: then only the lines fall into phases.
    """
    parts: list[Part] = []
    before = 0
    for y in _phases(win.kh, win.sy, win.top, height):
        across = [columns] if columns else [_along_rows(x) for x in _phases(win.kw, win.sx, win.left, width)]
        for x in across:
            parts.append(
                x._replace(
                    kh=y.taps,
                    top=y.before,
                    out_h=y.count,
                    tap_y=y.last,
                    next_y=-y.step,
                    at_y=y.first,
                    step_y=y.step,
                    taps_before=before,
                )
            )
            before += y.taps * x.kw
    return tuple(parts)


def _along_rows(x: Axis) -> Part:
    """Return a part of which only what happens along the rows of pixels is known."""
    return Part(0, x.taps, 1, 1, 0, x.before, 0, x.count, 0, x.last, 1, -x.step, 0, x.first, 1, x.step)


@lru_cache(maxsize=1024)
def table(parts: Parts) -> Any:
    """Return parts as an array of records, which kernels can look things up in."""
    return np.array(list(parts), [(name, np.int64) for name in Part._fields]).view(np.recarray)


@lru_cache(maxsize=1024)
def largest_and_taps_read(parts: Parts) -> tuple[Part, int]:
    """Return the part with the most taps, and how many taps the positions of all parts read in one image."""
    largest = max(parts, key=lambda part: part.kh * part.kw)
    return largest, sum(part.out_h * part.out_w * part.kh * part.kw for part in parts)


def taps(parts: Parts) -> int:
    """Return how many taps all parts have."""
    return parts[-1].taps_before + parts[-1].kh * parts[-1].kw
