"""A band: some rows of an image with their padding, as the kernel of a convolution slides over them.

The rows of the im2col matrix overlap: what lies under the kernel at one place and at the next differs by ``stride``
columns. In a band they overlap in memory as well. With the padded rows one after the other,

    left[line, row, segment, k] = band[line * sy + segment, row * sx * C + k]       (line, row): the place of the kernel
                                                                                    segment: a row of taps, k within it

is row ``line * out_w + row`` of the matrix, in ``kh`` segments of ``kw * C`` numbers that lie next to each other. So the
micro-kernel reads im2col's matrix without anybody building it. What is copied is each pixel once, for its padding; and
not even that where a window needs none.

On the way into the band an image may get coordinate channels beside its own, which makes a convolution a CoordConv, or
lose the numbers whose *gate* is not positive, which is how a gradient goes back through ReLU.
"""

from __future__ import annotations

from minicoord.kernels.micro_kernel import Left, address
from minicoord.kernels.runtime import helper


@helper
def _copy(source, gate, gated, target):
    """Copy numbers, or zero where the gate is not positive; all flat."""
    if gated:
        for k in range(target.size):
            value = source[k]
            target[k] = 0 if gate[k] <= 0 else value  # a NaN in the gate is not <= 0, so it stays visible
    else:
        for k in range(target.size):
            target[k] = source[k]


@helper
def _copy_beside(source, coordinates, target):
    """Copy pixels (W, C) and their coordinates (W, d) to (W, C + d)."""
    c_in = source.shape[1]
    for j in range(target.shape[0]):
        for c in range(c_in):
            target[j, c] = source[j, c]
        for c in range(coordinates.shape[1]):
            target[j, c_in + c] = coordinates[j, c]


@helper
def _fill(band, x, coordinates, gate, gated, top, left):
    """Fill `band` (rows, columns, C + d) with an image (H, W, C) whose pixel (top, left) comes first; outside is 0."""
    height, width, c_in = x.shape
    first = min(max(-left, 0), band.shape[1])
    last = max(min(width - left, band.shape[1]), first)
    for r in range(band.shape[0]):
        y, row = top + r, band[r]
        if y < 0 or y >= height:
            row[:] = 0
            continue
        row[:first] = 0
        row[last:] = 0
        if coordinates.shape[2] > 0:
            _copy_beside(x[y, left + first : left + last], coordinates[y, left + first : left + last], row[first:last])
        else:
            target, at = row[first:last].reshape(-1), (left + first) * c_in
            beyond = at + target.size
            _copy(x[y].reshape(-1)[at:beyond], gate[y].reshape(-1)[at:beyond], gated, target)


@helper
def read_band(x, coordinates, gate, gated, win, n, line, lines, space):
    """Return the im2col matrix of `lines` lines of places from `line` on in image n: in x itself, or copied to `space`.

    `x` is (N, H, W, C), `coordinates` (H, W, d) with d = 0 for none, `gate` as x.
    """
    images, height, width, c_in = x.shape
    channels = c_in + coordinates.shape[2]
    rows, columns = (lines - 1) * win.sy + win.kh, (win.out_w - 1) * win.sx + win.kw
    top, left = line * win.sy - win.top, -win.left
    inside = top >= 0 and top + rows <= height and left >= 0 and left + columns <= width
    if inside and not gated and channels == c_in:
        start, step = ((n * height + top) * width + left) * c_in, width * c_in
        return Left(address(x), start, win.sy * step, win.sx * c_in, step, 1)
    band = space[: rows * columns * channels].reshape(rows, columns, channels)
    _fill(band, x[n], coordinates, gate[n], gated, top, left)
    step = columns * channels
    return Left(address(space), 0, win.sy * step, win.sx * channels, step, 1)
