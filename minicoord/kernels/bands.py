"""A band: some rows of an image with their padding, as the kernel of a convolution slides over them.

The rows of the im2col matrix overlap: what lies under the kernel at one output position and at the next differs by
`stride` columns. In a band they overlap in memory as well. With the padded rows one after the other,

    left[line, column, tap row, k] = band[line * sy + tap row, column * sx * C + k]

is row ``line * out_w + column`` of the matrix, in `kh` rows of taps of ``kw * C`` numbers that lie side by side. So the
micro-kernel reads im2col's matrix, and nobody builds it. What is copied is each pixel once, for its padding; and
where a window needs none, not even that.

On the way into the band an image may get coordinate channels beside its own, which makes a convolution a CoordConv, or
lose the numbers whose *gate* is not positive, which is how a gradient goes back through ReLU.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from minicoord.kernels.backend.runtime import helper
from minicoord.kernels.micro_kernel import Left, address


class Images(NamedTuple):
    """The shape of images (N, H, W, C), and how many coordinate channels stand beside the C: none, 2 or 3."""

    count: int
    height: int
    width: int
    channels: int
    coordinates: int


# Arrays are flat here, and cut by numbers: a slice would count as a use of its array, and two threads that count the
# uses of one array wait for each other. Indices are unsigned, so that none can count from the end, which keeps LLVM
# from turning a loop into vectors.


@helper
def fill_with_zeros(target, to, count):
    """Write `count` zeros from ``target[to]`` on."""
    for k in range(np.uintp(max(count, 0))):
        target[np.uintp(to) + k] = 0


@helper
def copy(source, at, gate, gate_at, count, target, to):
    """Copy `count` numbers from ``source[at]`` on to ``target[to]`` on, zero where the gate is not positive.

    An empty gate lets everything through.
    """
    first, start, beside, zero = np.uintp(at), np.uintp(to), np.uintp(gate_at), target.dtype.type(0)
    if gate.size > 0:
        for k in range(np.uintp(max(count, 0))):
            value = source[first + k]
            target[start + k] = zero if gate[beside + k] <= zero else value  # NaN is not <= 0, so it stays visible
    else:
        for k in range(np.uintp(max(count, 0))):
            target[start + k] = source[first + k]


@helper
def copy_rows(source, at, row, gate, gate_at, rows, count, target, to, step):
    """Copy `count` numbers of each of some rows, as `copy` does; rows lie `row` numbers apart, in `target` `step`."""
    if row == count and step == count:
        rows, count = 1, rows * count
    for r in range(rows):
        copy(source, at + r * row, gate, gate_at + r * row, count, target, to + r * step)


@helper
def _copy_beside(x, at, c_in, coordinates, at_coordinates, d, pixels, target, to):
    """Copy pixels of c_in channels, and beside each the d channels of its coordinates."""
    source, place, start = np.uintp(at), np.uintp(at_coordinates), np.uintp(to)
    for _ in range(pixels):
        for c in range(np.uintp(c_in)):
            target[start + c] = x[source + c]
        for c in range(np.uintp(d)):
            target[start + np.uintp(c_in) + c] = coordinates[place + c]
        source, place, start = source + np.uintp(c_in), place + np.uintp(d), start + np.uintp(c_in + d)


@helper
def _fill_band(x, gate, images, coordinates, n, top, left, rows, columns, space, at):
    """Copy rows of image n from row `top` and column `left` on, which may lie outside, to ``space[at]`` on."""
    _, height, width, c_in, d = images
    channels = c_in + d
    first = min(max(-left, 0), columns)  # of the columns that lie in the image
    last = max(min(width - left, columns), first)
    for r in range(rows):
        y, to = top + r, at + r * columns * channels
        if y < 0 or y >= height:
            fill_with_zeros(space, to, columns * channels)
            continue
        fill_with_zeros(space, to, first * channels)
        fill_with_zeros(space, to + last * channels, (columns - last) * channels)
        place, to = y * width + left + first, to + first * channels
        source = (n * height * width + place) * c_in
        if d > 0:
            _copy_beside(x, source, c_in, coordinates, place * d, d, last - first, space, to)
        else:
            copy(x, source, gate, source, (last - first) * c_in, space, to)


@helper
def read_bands(x, gate, images, coordinates, win, n, count, line, lines, space):
    """Return the im2col matrix of some lines of output positions of `count` images: in x itself, or copied to `space`.

    They are the images from n on, and `lines` lines from `line` on. `x` has the numbers of `images`, `gate` is as x or
    empty, and `coordinates` has (H, W, d) for every image; all flat. The indices of a row are image, line and column,
    those of k are 0, row of taps and number within it.
    """
    _, height, width, c_in, d = images
    rows, columns = (lines - 1) * win.sy + win.kh, (win.out_w - 1) * win.sx + win.kw
    top, left = line * win.sy - win.top, -win.left
    inside = top >= 0 and top + rows <= height and left >= 0 and left + columns <= width
    if inside and gate.size == 0 and d == 0:
        start, step = ((n * height + top) * width + left) * c_in, width * c_in
        return Left(address(x), start, (height * step, win.sy * step, win.sx * c_in), (0, step, 1))
    step = columns * (c_in + d)
    for image in range(count):
        at = image * rows * step
        _fill_band(x, gate, images, coordinates, n + image, top, left, rows, columns, space, at)
    return Left(address(space), 0, (rows * step, win.sy * step, win.sx * (c_in + d)), (0, step, 1))
