"""The micro-kernel: the one loop in which minicoord multiplies matrices.

Every product in this package, forward and backward, is ``out = initial + left @ right``:

    out[row, :] = initial[row, :] + the sum over k of left[row, k] * right[k, :]

where ``:`` are the columns, such as the output channels of a layer. A processor does two multiply-adds of whole vectors
in a cycle, but it loads only two vectors in that time. A loop that loads both factors and the sum for each
multiply-add, and stores the sum again, waits for memory. So the sums stay in *registers*, the few places inside the
processor that cost no time, until they are complete; and each number that is loaded is used several times, because a
*block* of R rows times V vectors of the output is computed at once:

                                         right[k]
                               | vector 0 | vector 1 |     V vectors are loaded,
                    x[0, k] -> |   sum    |   sum    |
        left        x[1, k] -> |   sum    |   sum    |     R numbers are broadcast,
                    x[2, k] -> |   sum    |   sum    |
                      ...      |   ...    |   ...    |     R x V multiply-adds follow

With R = 8 and V = 2, ten loads serve 16 multiply-adds; the plain loop needs 48 loads and 16 stores. How long a
vector is, and how large a block the registers of this processor hold, stands in ``backend/vectors.py``.

A row has three indices here, such as image, line and column, and so has k, such as image, row of taps and number within
it. Each index has a step of its own, and steps may be such that rows overlap in memory: then `left` is the im2col
matrix of an image, and nobody has built it. The same image with its steps exchanged is the matrix transposed.

Each sum runs over k in order, whatever the block that it falls into. So the bits of a result depend neither on the
number of threads, nor on tiles, nor on how a batch is cut into slices.

`multiply`, at the end, is what the rest of the package calls. Begin with `_block`, the picture above in LLVM's words.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any, NamedTuple

import llvmlite.binding
import numba
import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic
from numba.np.numpy_support import from_dtype
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

from minicoord.kernels.backend.runtime import compile_as_c, helper, launch_by_dtype
from minicoord.kernels.backend.vectors import HERE, INT, Vectors

PIECE = 192  # of the sum over k: so many rows of `right` stay in the L1 cache while all rows of `left` go by
GROUP = 8  # rows whose addresses are computed from one: see `_opaque`

PLAIN, RELU, GATED = 0, 1, 2  # what happens to a complete sum: nothing, ReLU, or zero where the gate is not positive

Three = tuple[int, int, int]


class Extent(NamedTuple):
    """How much is computed: how often each of the three indices of a row and of k counts, and how many columns."""

    rows: Three
    ks: Three
    width: int  # at most HERE.block_vectors vectors


class Left(NamedTuple):
    """Where left[row, k] lies in `numbers`: from `start` on, a step for each index of the row and of k."""

    numbers: Any  # the address of a flat array
    start: int
    rows: Three
    ks: Three


class Right(NamedTuple):
    """Where right[k, :] lies: whole vectors, `step` numbers after those of the k before; or one column, with step 1."""

    numbers: Any
    start: int
    step: int


class Place(NamedTuple):
    """Where row `row` lies, for what is read before the sum and written after it: columns next to each other."""

    numbers: Any
    start: int
    rows: Three


def _block(v: Vectors, rows: int, vectors: int, extent: Any, left: Any, right: Any, places: Any, mode: Any) -> None:
    """Write the instructions for one block of `rows` x `vectors` sums: load, multiply and add, finish, store."""
    builder, (initial, out, gate) = v.builder, places
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

    steps = [builder.mul(left.rows[2], _int(r)) for r in range(GROUP + 1)]
    at_w = cgutils.alloca_once_value(builder, right.numbers)
    with _each_k(builder, extent, left) as at_x:
        x, w = builder.load(at_x), builder.load(at_w)
        builder.store(builder.gep(x, [left.ks[2]]), at_x)
        builder.store(builder.gep(w, [right.step]), at_w)
        ws = [v.load(builder.gep(w, [_int(c * v.lanes)])) for c in range(vectors)]
        for r in range(rows):
            if r > 0 and r % GROUP == 0:
                x = _opaque(builder, builder.gep(x, [steps[GROUP]]))
            x_r = v.broadcast(builder.load(builder.gep(x, [steps[r % GROUP]])))
            for c in range(vectors):
                builder.store(v.multiply_add(x_r, ws[c], builder.load(sums[r, c])), sums[r, c])

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


def _column(v: Vectors, rows: int, extent: Any, left: Any, right: Any, places: Any, mode: Any) -> None:
    """Write the instructions for `rows` sums of one column, whose k lie side by side in `left` too.

    One column would use one lane of a vector. So here a vector holds neighbouring k, of `left` as well as of `right`,
    and its lanes are added up in the end.
    """
    builder, (initial, out, gate) = v.builder, places
    sums = [cgutils.alloca_once_value(builder, v.zero) for _ in range(rows)]
    steps = [builder.mul(left.rows[2], _int(r)) for r in range(rows)]
    at_w = cgutils.alloca_once_value(builder, right.numbers)
    rest = builder.srem(extent.ks[2], _int(v.lanes))
    mask = v.first_lanes(rest)
    whole = extent._replace(ks=(*extent.ks[:2], builder.sdiv(extent.ks[2], _int(v.lanes))))

    def add(load: Any, x: Any, count: Any) -> None:
        w = builder.load(at_w)
        builder.store(builder.gep(w, [count]), at_w)
        w = load(w)
        for r in range(rows):
            x_r = load(builder.gep(x, [steps[r]]))
            builder.store(v.multiply_add(x_r, w, builder.load(sums[r])), sums[r])

    with _each_k(builder, whole, left, then=lambda x: add(lambda at: v.load_first(at, mask), x, rest)) as at_x:
        x = builder.load(at_x)
        builder.store(builder.gep(x, [_int(v.lanes)]), at_x)
        add(v.load, x, _int(v.lanes))

    for r in range(rows):
        value = builder.fadd(v.total(builder.load(sums[r])), builder.load(_at(builder, initial, r, 0)))
        place = cgutils.alloca_once_value(builder, value)
        with builder.if_then(builder.icmp_signed("==", mode, _int(RELU))):
            builder.store(v.keep_where_positive(value, value), place)
        with builder.if_then(builder.icmp_signed("==", mode, _int(GATED))):
            builder.store(v.keep_where_positive(builder.load(_at(builder, gate, r, 0)), value), place)
        builder.store(builder.load(place), _at(builder, out, r, 0))


@contextmanager
def _each_k(builder: Any, extent: Any, left: Any, then: Any = None) -> Iterator[Any]:
    """Write the three loops over k around what the caller writes, and give it where the address of left[:, k] is.

    What `then` writes comes after the innermost loop, and is given the address that this ended with.
    """
    at_x = cgutils.alloca_once(builder, left.numbers.type)
    with cgutils.for_range(builder, extent.ks[0], intp=INT) as first:
        outer = builder.gep(left.numbers, [builder.mul(first.index, left.ks[0])])
        with cgutils.for_range(builder, extent.ks[1], intp=INT) as second:
            builder.store(builder.gep(outer, [builder.mul(second.index, left.ks[1])]), at_x)
            with cgutils.for_range(builder, extent.ks[2], intp=INT):
                yield at_x
            if then is not None:
                then(builder.load(at_x))


def _opaque(builder: Any, address: Any) -> Any:
    """Return an address in such a way that LLVM does not know how it came about.

    Otherwise it computes the addresses of 16 rows before the loop, has too few registers for them, and loads them from
    memory again for each k, which halves the speed. Two addresses and eight steps fit.
    """
    same = ir.FunctionType(address.type, [address.type])
    return builder.asm(same, "", "=r,0", [address], side_effect=False)


def _int(number: int) -> Any:
    return ir.Constant(INT, number)


def _at(builder: Any, place: Any, row: int, column: int) -> Any:
    """Return the address of a number of the block that begins at a `Place`."""
    return builder.gep(place.numbers, [builder.add(builder.mul(place.rows[2], _int(row)), _int(column))])


def _heights(vectors: int) -> Iterator[int]:
    """Give the rows of the blocks, the largest first: what it leaves over is one smaller block.

    A block of one vector has twice the rows, so that there are as many sums: a sum waits some four cycles for its last
    multiply-add, and the processor does eight others meanwhile.
    """
    largest = HERE.block_rows * HERE.block_vectors // vectors
    yield largest
    yield from (rows for rows in (12, 8, 7, 6, 5, 4, 3, 2, 1) if rows < largest)


NUMBERS = 34  # that describe a piece of a product, in the order of the arguments of `multiply`


def _intrinsic(function: Any) -> Any:
    """Make a function that writes LLVM's instructions callable from compiled code, without its first argument."""
    return intrinsic(function)


@_intrinsic
def _compute(typing_context, numbers, dtype):
    """Compute a piece of a product that is described by the numbers at an address, as `_multiply_piece` writes them."""

    def build(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        v = Vectors(builder, dtype.dtype)
        places = (builder.gep(values[0], [_int(k)]) for k in range(NUMBERS))
        given = (builder.load(place) for place in places)

        def three() -> Any:
            return next(given), next(given), next(given)

        def array() -> Any:
            return builder.inttoptr(next(given), v.type.element.as_pointer())

        extent = Extent(three(), three(), next(given))
        left = Left(array(), next(given), three(), three())
        right = Right(builder.gep(array(), [next(given)]), 0, next(given))
        initial, out, gate = (Place(array(), next(given), three()) for _ in range(3))
        _blocks(v, extent, left, right, (initial, out, gate), next(given))
        return context.get_dummy_value()

    return types.void(numbers, dtype), build


def _compute_float32(numbers):
    _compute(numbers, np.float32)


def _compute_float64(numbers):
    _compute(numbers, np.float64)


@cache
def _library(dtype: np.dtype) -> Any:
    """Compile the micro-kernel for a dtype, once for all kernels, and tell LLVM its address under a name."""
    function = _compute_float32 if dtype == np.float32 else _compute_float64
    compiled = compile_as_c(function, types.void(types.CPointer(types.int64)))
    llvmlite.binding.add_symbol(_name(from_dtype(dtype)), compiled.address)
    return compiled


def _name(dtype: Any) -> str:
    return f"minicoord_multiply_{dtype}"


@_intrinsic
def _multiply_piece(typing_context, extent, left, right, initial, out, gate, mode):
    """Call the compiled micro-kernel."""
    arguments = (extent, left, right, initial, out, gate, mode)

    def build(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        described = cgutils.alloca_once(builder, INT, size=NUMBERS)
        flat = [number for kind, value in zip(arguments, values, strict=True) for number in _flat(builder, kind, value)]
        for k, number in enumerate(flat):
            number = builder.ptrtoint(number, INT) if isinstance(number.type, ir.PointerType) else number
            builder.store(number, builder.gep(described, [_int(k)]))
        kind = ir.FunctionType(ir.VoidType(), [described.type])
        name = _name(left.types[0].dtype)
        builder.call(cgutils.get_or_insert_function(builder.module, kind, name), [described])
        return context.get_dummy_value()

    return types.void(*arguments), build


def _flat(builder: Any, kind: Any, value: Any) -> Iterator[Any]:
    """Give the numbers of a tuple that may have tuples in it."""
    if not hasattr(kind, "types"):
        yield value
        return
    for inner, part in zip(kind.types, cgutils.unpack_tuple(builder, value, kind.count), strict=True):
        yield from _flat(builder, inner, part)


def _blocks(v: Vectors, extent: Any, left: Any, right: Any, places: Any, mode: Any) -> None:
    """Write the loops over the rows, for each number of vectors that `width` may be."""
    builder = v.builder

    def begin(place: Any, *indices: Any) -> Any:
        """Return `place` with the address of a row as its `numbers`."""
        at = place.start
        for index, step in zip(indices, place.rows, strict=True):
            at = builder.add(at, builder.mul(index, step))
        return place._replace(numbers=builder.gep(place.numbers, [at]))

    def write(is_here: Any, heights: Iterator[int], block: Any) -> None:
        """Write the loops over rows around blocks of several heights, for a product of the kind that is here."""
        with (
            builder.if_then(is_here),
            cgutils.for_range(builder, extent.rows[0], intp=INT) as first,
            cgutils.for_range(builder, extent.rows[1], intp=INT) as second,
        ):
            done = cgutils.alloca_once(builder, INT)
            builder.store(_int(0), done)
            for rows in heights:
                left_over = builder.sub(extent.rows[2], builder.load(done))
                with cgutils.for_range(builder, builder.sdiv(left_over, _int(rows)), intp=INT):
                    row = builder.load(done)
                    here = [begin(place, first.index, second.index, row) for place in (left, *places)]
                    block(rows, here[0], here[1:])
                    builder.store(builder.add(row, _int(rows)), done)

    is_column = builder.icmp_signed("==", right.step, _int(1))
    write(is_column, iter((GROUP, 1)), lambda rows, x, where: _column(v, rows, extent, x, right, where, mode))
    for vectors in range(1, HERE.block_vectors + 1):
        fits = builder.icmp_signed("<=", extent.width, _int(vectors * v.lanes))
        least = builder.icmp_signed(">", extent.width, _int((vectors - 1) * v.lanes))
        is_here = builder.and_(builder.and_(fits, least), builder.not_(is_column))

        def block(rows: int, x: Any, where: Any, vectors: int = vectors) -> None:
            _block(v, rows, vectors, extent, x, right, where, mode)

        write(is_here, _heights(vectors), block)


@helper
def _multiply_compiled(extent, left, right, initial, out, gate, mode):
    """Cut a long sum over k into pieces: all rows take the first piece, then all the second, and go on from there."""
    m0, m1, m2 = extent.ks
    n0, n1, n2 = max(m0, 1), max(m1, 1), max(m2, 1)  # an empty sum is written too: it is `initial`
    piece = min(PIECE, n2), max(PIECE // n2, 1), max(PIECE // (n1 * n2), 1)
    for k0 in range(0, n0, piece[2]):
        for k1 in range(0, n1, piece[1]):
            for k2 in range(0, n2, piece[0]):
                ks = min(piece[2], m0 - k0), min(piece[1], m1 - k1), min(piece[0], m2 - k2)
                start = left.start + k0 * left.ks[0] + k1 * left.ks[1] + k2 * left.ks[2]
                done = (k0 * m1 + k1) * m2 + k2
                _multiply_piece(
                    Extent(extent.rows, ks, extent.width),
                    Left(left.numbers, start, left.rows, left.ks),
                    Right(right.numbers, right.start + done * right.step, right.step),
                    initial if done == 0 else out,
                    out,
                    gate,
                    mode if k0 + ks[0] == m0 and k1 + ks[1] == m1 and k2 + ks[2] == m2 else PLAIN,
                )


def _multiply_plainly(extent, left, right, initial, out, gate, mode):
    """The same in NumPy, where nothing is compiled."""
    (*rows, width), size = (*extent.rows, extent.width), left.numbers.itemsize

    def view(place: Any, shape: Any, *steps: int) -> Any:
        return as_strided(place.numbers[place.start :], shape, [step * size for step in steps])

    depth = int(np.prod(extent.ks))
    matrix = view(left, (*extent.rows, *extent.ks), *left.rows, *left.ks).reshape(*rows, depth)
    sums = matrix @ view(right, (depth, width), right.step, 1)  # (*rows, width)
    sums = sums + view(initial, sums.shape, *initial.rows, 1)
    if mode != PLAIN:
        sums[(sums if mode == RELU else view(gate, sums.shape, *gate.rows, 1)) <= 0] = 0
    view(out, sums.shape, *out.rows, 1)[:] = sums


@_intrinsic
def _address(typing_context, array):
    def build(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        return context.make_array(signature.args[0])(context, builder, values[0]).data

    return types.CPointer(array.dtype)(array), build


def _as_flat(array: Any) -> Any:
    return array.reshape(-1)


_COMPILED = not numba.config.DISABLE_JIT  # type: ignore[attr-defined]

address: Any = _address if _COMPILED else _as_flat
"""``address(array)``: where a C-contiguous array begins. Whoever calls keeps the array alive.

An array itself would count its uses, and two threads that count the uses of one array wait for each other.
"""

multiply: Any = _multiply_compiled if _COMPILED else _multiply_plainly
"""``multiply(extent, left, right, initial, out, gate, mode)``: compute the product above.

`out` may be `initial`, so that a product is added to what is there. With mode RELU negative sums become zero, with
GATED those where `gate`, a `Place`, holds a number that is not positive; with PLAIN the gate is not looked at.
"""


def launch(compiled: Any, numbers: NDArray, *arguments: Any) -> Any:
    """Start a kernel that calls `multiply` on arrays of the dtype of `numbers`, its first argument.

    The micro-kernel is compiled for that dtype before: LLVM looks for it by name when it loads the kernel, and a kernel
    that is started without it ends the process.
    """
    if _COMPILED:
        _library(numbers.dtype)
    return launch_by_dtype(compiled, numbers.dtype, numbers, *arguments)
