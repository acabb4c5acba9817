"""The micro-kernel: the one loop in which minicoord multiplies matrices.

Every product in this package, forward and backward, is

    out[line, row, :] = initial[line, row, :] + the sum over segment and k of left[line, row, segment, k] * right[segment, k, :]

where ``:`` are the columns, the output channels of a layer. A processor does two multiply-adds of whole vectors in a
cycle, but it loads only two vectors in that time. A loop that loads both factors and the sum for each multiply-add, and
stores the sum again, waits for memory. So the sums stay in *registers*, the few places inside the processor that cost
no time, until they are complete; and each number that is loaded is used several times, because a *block* of R rows
times V vectors of the output is computed at once:

                                         right[k]
                               | vector 0 | vector 1 |     V vectors are loaded,
                    x[0, k] -> |   sum    |   sum    |
        left        x[1, k] -> |   sum    |   sum    |     R numbers are broadcast,
                    x[2, k] -> |   sum    |   sum    |
                      ...      |   ...    |   ...    |     R x V multiply-adds follow

With R = 8 and V = 2, ten loads serve 16 multiply-adds; the plain loop needs 48 loads and stores. ``vectors.py`` says
how long a vector is, and how large a block the registers of this processor hold.

Each sum runs over k in order, whatever the block that it falls into. So the bits of a result depend neither on the
number of threads, nor on tiles, nor on how a batch is cut into slices.

`multiply` is what the rest of the package calls. Begin with `_block`, which is the picture above in LLVM's words.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numba
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic
from numpy.lib.stride_tricks import as_strided

from minicoord.kernels.runtime import helper
from minicoord.kernels.vectors import HERE, INT, Vectors

PIECE = 192  # of the sum over k: so many rows of `right` stay in the L1 cache while all rows of `left` go by

PLAIN, RELU, GATED = 0, 1, 2  # what happens to a complete sum: nothing, ReLU, or zero where the gate is not positive


class Extent(NamedTuple):
    """How much is computed: ``lines * rows * width`` sums over ``segments * depth`` products each."""

    lines: int
    rows: int
    segments: int
    depth: int
    width: int  # columns, at most HERE.block_vectors vectors of them


class Left(NamedTuple):
    """Where left[line, row, segment, k] lies in the flat array `numbers`: from `start` on, a step for each index.

    Rows may overlap, and so be those of an im2col matrix that nobody has built.
    """

    numbers: Any
    start: int
    line: int
    row: int
    segment: int
    k: int


class Right(NamedTuple):
    """Where right[segment, k, :] lies: whole vectors at ``start + (segment * depth + k) * step``."""

    numbers: Any
    start: int
    step: int


class Place(NamedTuple):
    """Where row `row` of line `line` lies in `numbers`, for what is read before the sum and written after it."""

    numbers: Any
    start: int
    line: int
    row: int


def _block(
    v: Vectors,
    rows: int,
    vectors: int,
    extent: Any,
    left: Any,
    right: Any,
    initial: Any,
    out: Any,
    gate: Any,
    mode: Any,
) -> None:
    """Write the instructions for one block of `rows` x `vectors` sums: load, multiply and add, finish, store."""
    builder = v.builder
    where = [(r, c) for r in range(rows) for c in range(vectors)]
    sums = {place: cgutils.alloca_once(builder, v.type) for place in where}  # LLVM keeps these in registers
    masks = [v.first_lanes(builder.sub(extent.width, _int(c * v.lanes))) for c in range(vectors)]
    is_full = builder.icmp_signed("==", extent.width, _int(vectors * v.lanes))

    with builder.if_else(is_full) as (full, partial):
        with full:
            for r, c in where:
                builder.store(v.load(_at(builder, initial, r, c * v.lanes)), sums[r, c])
        with partial:
            for r, c in where:
                builder.store(v.load_first(_at(builder, initial, r, c * v.lanes), masks[c]), sums[r, c])

    address = cgutils.alloca_once_value(builder, right.numbers)
    with cgutils.for_range(builder, extent.segments, intp=INT) as segment:
        begin = builder.gep(left.numbers, [builder.mul(segment.index, left.segment)])
        with cgutils.for_range(builder, extent.depth, intp=INT) as k:
            x = builder.gep(begin, [builder.mul(k.index, left.k)])
            w = builder.load(address)
            ws = [v.load(builder.gep(w, [_int(c * v.lanes)])) for c in range(vectors)]
            for r in range(rows):
                x_r = v.broadcast(builder.load(builder.gep(x, [builder.mul(left.row, _int(r))])))
                for c in range(vectors):
                    builder.store(v.multiply_add(x_r, ws[c], builder.load(sums[r, c])), sums[r, c])
            builder.store(builder.gep(w, [right.step]), address)

    with builder.if_then(builder.icmp_signed("==", mode, _int(RELU))):
        for place in where:
            value = builder.load(sums[place])
            builder.store(v.keep_where_positive(value, value), sums[place])
    with builder.if_then(builder.icmp_signed("==", mode, _int(GATED))):
        for r, c in where:
            y = v.load_first(_at(builder, gate, r, c * v.lanes), masks[c])
            builder.store(v.keep_where_positive(y, builder.load(sums[r, c])), sums[r, c])

    with builder.if_else(is_full) as (full, partial):
        with full:
            for r, c in where:
                v.store(builder.load(sums[r, c]), _at(builder, out, r, c * v.lanes))
        with partial:
            for r, c in where:
                v.store_first(builder.load(sums[r, c]), _at(builder, out, r, c * v.lanes), masks[c])


def _int(number: int) -> Any:
    return ir.Constant(INT, number)


def _at(builder: Any, place: Any, row: int, column: int) -> Any:
    """Return the address of a number in a `Place` whose `numbers` is the address of the block."""
    return builder.gep(place.numbers, [builder.add(builder.mul(place.row, _int(row)), _int(column))])


def _heights(vectors: int) -> Iterator[int]:
    """Give the rows of the blocks, the largest first: what it leaves over is one smaller block.

    A block of one vector has twice the rows, so that there are as many sums: a sum has to wait for its last
    multiply-add, some four cycles, and the processor does eight others meanwhile.
    """
    largest = HERE.block_rows * HERE.block_vectors // vectors
    yield largest
    yield from (rows for rows in (12, 8, 7, 6, 5, 4, 3, 2, 1) if rows < largest)


@intrinsic
def _address(typing_context, array):
    def build(context, builder, signature, values):
        return context.make_array(signature.args[0])(context, builder, values[0]).data

    return types.CPointer(array.dtype)(array), build


@intrinsic
def _multiply_piece(typing_context, extent, left, right, initial, out, gate, mode):
    """Compute all lines and rows of a product, block by block."""
    arguments = (extent, left, right, initial, out, gate, mode)

    def build(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        *tuples, mode = values
        fields = [_unpack(context, builder, kind, value) for kind, value in zip(signature.args, tuples, strict=False)]
        extent, left, right, initial, out, gate = fields
        v = Vectors(builder, signature.args[1].types[0].dtype)
        right = _moved(builder, right, right.start)
        for vectors in range(1, HERE.block_vectors + 1):
            fits = builder.icmp_signed("<=", extent.width, _int(vectors * v.lanes))
            least = builder.icmp_signed(">", extent.width, _int((vectors - 1) * v.lanes))
            with builder.if_then(builder.and_(fits, least)):
                with cgutils.for_range(builder, extent.lines, intp=INT) as line:
                    done = cgutils.alloca_once(builder, INT)
                    builder.store(_int(0), done)
                    for rows in _heights(vectors):
                        left_over = builder.sub(extent.rows, builder.load(done))
                        with cgutils.for_range(builder, builder.sdiv(left_over, _int(rows)), intp=INT):
                            row = builder.load(done)
                            here = [_row(builder, place, line.index, row) for place in (left, initial, out, gate)]
                            _block(v, rows, vectors, extent, here[0], right, *here[1:], mode)
                            builder.store(builder.add(row, _int(rows)), done)
        return context.get_dummy_value()

    return types.void(*arguments), build


def _unpack(context: Any, builder: Any, kind: Any, value: Any) -> Any:
    """Return a named tuple of LLVM's values from Numba's, with the address of the first number for an array."""
    parts = cgutils.unpack_tuple(builder, value, kind.count)
    return kind.instance_class(*parts)


def _moved(builder: Any, place: Any, by: Any) -> Any:
    return place._replace(numbers=builder.gep(place.numbers, [by]))


def _row(builder: Any, place: Any, line: Any, row: Any) -> Any:
    """Return `place` with the address of a row as its `numbers`."""
    steps = builder.add(builder.mul(line, place.line), builder.mul(row, place.row))
    return _moved(builder, place, builder.add(place.start, steps))


@helper
def _multiply_compiled(extent, left, right, initial, out, gate, mode):
    """Cut a long sum over k into pieces: all rows take the first piece, then all the second, and go on from there."""
    depth = max(min(PIECE, extent.depth), 1)
    segments = PIECE // depth
    for segment in range(0, max(extent.segments, 1), segments):  # once even for an empty sum: it is `initial`
        for k in range(0, max(extent.depth, 1), depth):
            piece = Extent(
                extent.lines,
                extent.rows,
                min(segments, extent.segments - segment),
                min(depth, extent.depth - k),
                extent.width,
            )
            from_here = left.start + segment * left.segment + k * left.k
            last = segment + segments >= extent.segments and k + depth >= extent.depth
            _multiply_piece(
                piece,
                Left(left.numbers, from_here, left.line, left.row, left.segment, left.k),
                Right(right.numbers, right.start + (segment * extent.depth + k) * right.step, right.step),
                initial if segment + k == 0 else out,
                out,
                gate,
                mode if last else PLAIN,
            )


def _multiply_plainly(extent, left, right, initial, out, gate, mode):
    """The same in NumPy, where nothing is compiled."""
    lines, rows, segments, depth, width = extent
    size = left.numbers.itemsize

    def view(place: Any, shape: tuple[int, ...], *steps: int) -> Any:
        return as_strided(place.numbers[place.start :], shape, [step * size for step in steps])

    matrix = view(left, (lines, rows, segments, depth), left.line, left.row, left.segment, left.k)
    columns = view(right, (segments * depth, width), right.step, 1)
    sums = matrix.reshape(lines, rows, segments * depth) @ columns  # (lines, rows, width)
    sums = sums + view(initial, sums.shape, initial.line, initial.row, 1)
    if mode != PLAIN:
        sums[(sums if mode == RELU else view(gate, sums.shape, gate.line, gate.row, 1)) <= 0] = 0
    view(out, sums.shape, out.line, out.row, 1)[:] = sums


_COMPILED = not numba.config.DISABLE_JIT  # type: ignore[attr-defined]
address: Any = _address if _COMPILED else lambda array: array.reshape(-1)  # a view: all of these are contiguous
multiply: Any = _multiply_compiled if _COMPILED else _multiply_plainly
"""``multiply(extent, left, right, initial, out, gate, mode)``: compute the product above.

`out` may be `initial`, so that a product is added to what is there. With mode RELU negative sums become zero, with
GATED those where `gate`, a `Place`, holds a number that is not positive; with PLAIN the gate is not looked at.
"""
