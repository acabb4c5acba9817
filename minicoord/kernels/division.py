"""How the work of a convolution is divided among threads and caches: the one place that decides.

A *unit* of work is a few lines of output positions of one image; a *task* is what a thread takes at a time, some units
one after the other. What is chosen, and why:

======================================  =============================  =============================================
what                                    is                             so that
======================================  =============================  =============================================
lines, or small images, of a unit       some `POSITIONS` positions     a panel in the L1 cache serves all of them
                                        at most `BAND` bytes of image  what they read lies in a cache
                                        fewer if there are few units   every thread has work
what is cut into blocks of rows:        that which leaves least over,  few blocks have rows so few that their
images, lines or columns                or else the longest            multiply-adds wait for each other
tasks                                   `TASKS`                        a thread that is disturbed takes fewer
panels of a task, forward               all, or one if the kernel has  the panels lie in the L2 cache; the bands are
                                        more than `KERNEL` bytes       read once more for each
chunks of a kernel's gradient           so many that all sums          little is added up at the end; a large kernel
                                        have `SUMS` numbers at most    is divided by its panels instead
a panel is packed by its task           if the kernel has more than    it need not go to memory and come back
                                        `PACKED` bytes
one thread, no chunks, its own panels   below `ALONE` multiply-adds    a launch and a thread take longer to start than
                                                                       all of it
======================================  =============================  =============================================

Everything follows from the shapes. The bits of an output depend on none of it; those of a kernel's gradient depend on
the chunks, which are added up in order, and so on the shapes, but never on threads.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from minicoord.kernels.backend.runtime import helper
from minicoord.kernels.backend.vectors import HERE
from minicoord.kernels.geometry import Window
from minicoord.kernels.panels import panel_width
from minicoord.kernels.parts import Part, Parts

TASKS = 16
POSITIONS = 256
POSITIONS_SUMMED = 192  # of a unit of the gradient, where positions are what is summed over
BAND = 2**20
KERNEL = 2**18
PACKED = 2**21
SUMS = 2**19
ALONE = 2**19
FEW_ROWS = 4  # of a block: with two vectors each, so many multiply-adds are at work at the same time


class Division(NamedTuple):
    """Units of `lines` lines of `images` images, in `chunks` chunks; each once for each of the `blocks` of panels."""

    images: int
    lines: int
    chunks: int
    blocks: int
    panels: int  # of a block
    packs: bool = False  # whether each task packs its panel itself


@helper
def units_of(division, images, out_h):
    """Return how many units an image, or a group of images, has, and how many there are."""
    per_image = (out_h + division.lines - 1) // division.lines
    return per_image, (images + division.images - 1) // division.images * per_image


@helper
def time_of_rows(count):
    """Return how long the blocks of the micro-kernel for `count` rows take, where a full block takes its rows."""
    rest = count % HERE.block_rows
    return count - rest + (max(rest, FEW_ROWS) if rest > 0 else 0)


@helper
def index_to_cut(lengths):
    """Return which of the three indices of a row, of these lengths, is cut into blocks."""
    best = 2
    for k in range(2):
        time, least = time_of_rows(lengths[k]) * lengths[best], time_of_rows(lengths[best]) * lengths[k]
        if time < least or (time == least and lengths[k] > lengths[best]):
            best = k
    return best


def band_numbers(win: Window | Part, lines: int, channels: int) -> int:
    """Return how many numbers the band for so many lines of output positions holds."""
    return ((lines - 1) * win.sy + win.kh) * ((win.out_w - 1) * win.sx + win.kw) * channels


def _unit(images: int, win: Window | Part, channels: int, itemsize: int, positions: int, tasks: int) -> tuple[int, int]:
    """Return how many images and lines a unit has, so that there are enough of them for `tasks` tasks."""
    # Bytes of the image that each line adds; a part that no tap reaches reads none.
    line = max(band_numbers(win._replace(kh=win.sy), 1, channels) * itemsize, 1)
    lines = max(min(positions // win.out_w, BAND // line, win.out_h), 1)
    while lines > 1 and images * -(-win.out_h // lines) < tasks:
        lines = (lines + 1) // 2
    if lines < win.out_h:
        return 1, lines
    band = max(band_numbers(win, lines, channels) * itemsize, 1)
    group = max(min(positions // (win.out_h * win.out_w), BAND // band, images // tasks), 1)
    return group, lines


@lru_cache(maxsize=1024)
def scratch_numbers(parts: Parts, division: Division, channels: int, width: int) -> int:
    """Return how many numbers a task writes down on its way: its bands, and its panel if it packs that itself."""
    bands = max(division.images * band_numbers(part, division.lines, channels) for part in parts)
    panel = max(part.kh * part.kw for part in parts) * channels * width
    return bands + (panel if division.packs else 0)


@lru_cache(maxsize=1024)
def divide(images: int, win: Window | Part, c_in: int, c_out: int, dtype: np.dtype, alone: bool = False) -> Division:
    """Return how a convolution is divided; `alone` says that one thread does all of it."""
    panels = -(-c_out // panel_width(dtype))
    if alone:
        return Division(*_unit(images, win, c_in, dtype.itemsize, POSITIONS, 1), 1, panels, 1, packs=True)
    kernel = win.kh * win.kw * c_in * c_out * dtype.itemsize
    large = kernel > KERNEL
    blocks = panels if large else 1
    packs = kernel > PACKED
    chunks = -(-(TASKS // 2 if packs else TASKS) // blocks)  # each chunk packs the panel of its block once more
    group, lines = _unit(images, win, c_in, dtype.itemsize, POSITIONS, chunks)
    chunks = max(min(chunks, -(-images // group) * -(-win.out_h // lines)), 1)
    return Division(group, lines, chunks, blocks, 1 if large else panels, packs)


@lru_cache(maxsize=1024)
def divide_gradient(
    images: int, win: Window | Part, channels: int, c_out: int, dtype: np.dtype, alone: bool = False
) -> Division:
    """Return how the gradient of a kernel is divided; `alone` says that one thread does all of it."""
    tasks = 1 if alone else TASKS
    chunks = max(min(tasks, SUMS // (win.kh * win.kw * channels * c_out)), 1)
    group, lines = _unit(images, win, channels, dtype.itemsize, POSITIONS_SUMMED, chunks)
    chunks = min(chunks, -(-images // group) * -(-win.out_h // lines))
    panels = -(-c_out // panel_width(dtype))
    per_block = -(-panels // min(panels, -(-tasks // chunks)))
    return Division(group, lines, chunks, -(-panels // per_block), per_block)
