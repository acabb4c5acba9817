"""The micro-kernel: every rest of rows, columns and sums, to the bit what one multiply-add after the other gives."""

from __future__ import annotations

import math
from copy import copy
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from numba.extending import intrinsic
from numpy.typing import NDArray

from minicoord.kernels import micro_kernel
from minicoord.kernels.backend.runtime import helper, launch
from minicoord.kernels.backend.vectors import HERE, lanes, processor
from minicoord.kernels.micro_kernel import (
    GATED,
    PIECE,
    PLAIN,
    RELU,
    Extent,
    Left,
    Place,
    Right,
    Three,
    address,
    multiply,
)

both_dtypes = pytest.mark.parametrize("dtype", [np.float32, np.float64])

GUARD = 777.0  # stands wherever nothing may be written


@helper
def _run(numbers, extent, left, right, initial, out, gate, mode):
    """Call the micro-kernel with places whose numbers are arrays; `numbers` are those of `left`."""
    multiply(
        extent,
        Left(address(numbers), left.start, left.rows, left.ks),
        Right(address(right.numbers), right.start, right.step),
        Place(address(initial.numbers), initial.start, initial.rows),
        Place(address(out.numbers), out.start, out.rows),
        Place(address(gate.numbers), gate.start, gate.rows),
        mode,
    )


@intrinsic
def _fused(typing_context, x, w, total):
    """``x * w + total``, rounded once: one number at a time."""

    def build(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        return builder.fma(*values)

    return x(x, w, total), build


@helper
def _rounded_twice(x, w, total):
    return x * w + total


_multiply_add: Any = _fused if HERE.fused else _rounded_twice


@helper
def _at(place, a, b, c):
    return place.start + a * place.rows[0] + b * place.rows[1] + c * place.rows[2]


@helper
def _one_by_one(extent, left, right, initial, out):
    """The same product as plain loops: each sum begins with `initial`, and goes over k in order."""
    (n0, n1, n2), (m0, m1, m2), width = extent
    for row in range(n0 * n1 * n2):
        a, b, c = row // n2 // n1, row // n2 % n1, row % n2
        for column in range(width):
            total = initial.numbers[_at(initial, a, b, c) + column]
            for k in range(m0 * m1 * m2):
                k0, k1, k2 = k // m2 // m1, k // m2 % m1, k % m2
                x = left.numbers[_at(left, a, b, c) + k0 * left.ks[0] + k1 * left.ks[1] + k2 * left.ks[2]]
                total = _multiply_add(x, right.numbers[right.start + k * right.step + column], total)
            out.numbers[_at(out, a, b, c) + column] = total


def places(place: Place | Left, *sizes: int) -> NDArray:
    """Return the index of every number of a place: each step of `place` runs over one of `sizes`; columns come last."""
    steps = (*place.rows, 1) if isinstance(place, Place) else (*place.rows, *place.ks)
    return place.start + np.tensordot(steps, np.indices(sizes), axes=1)  # (axes,) . (axes, *sizes) -> sizes


def apart(sizes: Three, order: Three, step: int, gap: int) -> tuple[Three, int]:
    """Return the steps of the three indices of a row, and how many numbers all rows take.

    Rows that differ in the last index of `order` lie `step` numbers apart; `gap` numbers lie between larger parts.
    """
    steps = [0, 0, 0]
    for axis in reversed(order):
        steps[axis] = step
        step = step * max(sizes[axis], 1) + gap
    return (steps[0], steps[1], steps[2]), step


def turned(three: Three) -> Three:
    """Return the indices of a row with the first and the last exchanged."""
    return three[2], three[1], three[0]


def most_columns(dtype: type) -> int:
    """Return how many columns a block has at most, which depends on the processor: 4 to 32."""
    return HERE.block_vectors * lanes(np.dtype(dtype).itemsize)


Six = tuple[Three, Three]
INITIAL = ["bias", "map", "shared map", "out"]


class Product:
    """A product whose arrays are larger than what it may read and write, with random numbers in them.

    Parameters
    ----------
    extent : Extent
    dtype : float32 or float64
    steps : (rows, ks), optional
        Of the left factor. By default the numbers lie next to each other.
    initial : {"bias", "map", "shared map", "out"}
        One row for all sums, one number for each, the same ones for each first index of a row, or what stands in `out`.
    mode : int
    order : permutation of (0, 1, 2)
        Of the indices of a row, in the memory of the output.
    """

    def __init__(
        self,
        extent: Extent,
        dtype: type,
        steps: Six | None = None,
        initial: str = "bias",
        mode: int = PLAIN,
        order: Three = (0, 1, 2),
        seed: int = 0,
    ) -> None:
        self.extent, self.mode = extent, mode
        rng = np.random.default_rng(seed)
        rows, ks, width = extent
        assert width <= most_columns(dtype), "the micro-kernel computes one block of columns"
        depth = math.prod(ks)
        if steps is None:
            steps = apart(rows, (0, 1, 2), depth, 0)[0], (ks[1] * ks[2], ks[2], 1)
        flat = zip((*steps[0], *steps[1]), (*rows, *ks), strict=True)
        most = sum(step * max(size - 1, 0) for step, size in flat)
        self.left = Left(rng.standard_normal(3 + most + 1).astype(dtype), 3, *steps)
        whole = -(-width // lanes(np.dtype(dtype).itemsize)) * lanes(np.dtype(dtype).itemsize)
        self.right = Right(rng.standard_normal(5 + depth * whole).astype(dtype), 5, whole)
        out_steps, size = apart(rows, order, width + 3, 7)  # apart, as those of one phase of a gradient are
        numbers = np.full(11 + size + 64, GUARD, dtype)
        self.out = Place(numbers, 11, out_steps)
        self.written = places(self.out, *rows, width)  # (*rows, width)
        numbers[self.written] = rng.standard_normal(self.written.shape)
        gate_steps, size = apart(rows, order, width + 1, 2)
        self.gate = Place(rng.choice([-1.0, -0.0, 0.0, 2.0], 6 + size).astype(dtype), 6, gate_steps)
        self.gated = places(self.gate, *rows, width)  # (*rows, width)
        if initial == "out":
            self.initial = self.out
        elif initial == "bias":
            self.initial = Place(rng.standard_normal(4 + width).astype(dtype), 4, (0, 0, 0))
        else:
            map_steps, size = apart(rows, order, width, 0)
            if initial == "shared map":
                map_steps = (0, *map_steps[1:])
            self.initial = Place(rng.standard_normal(2 + size).astype(dtype), 2, map_steps)

    def exchanged(self) -> Product:
        """Return the same product, with the first and the last index of its rows exchanged."""
        other = copy(self)
        other.extent = self.extent._replace(rows=turned(self.extent.rows))
        other.left = self.left._replace(rows=turned(self.left.rows))
        other.out, other.gate = (place._replace(rows=turned(place.rows)) for place in (self.out, self.gate))
        other.initial = other.out if self.initial is self.out else self.initial._replace(rows=turned(self.initial.rows))
        other.written, other.gated = (where.transpose(2, 1, 0, 3) for where in (self.written, self.gated))
        return other

    def arguments(self) -> tuple[Any, ...]:
        """Return the arguments of the micro-kernel with an `out` that it may change; an initial `out` is the same."""
        out = self.out._replace(numbers=self.out.numbers.copy())
        initial = out if self.initial is self.out else self.initial
        return self.extent, self.left, self.right, initial, out, self.gate, self.mode

    def computed(self) -> NDArray:
        """Return all numbers of `out` after the micro-kernel, guards too."""
        arguments = self.arguments()
        micro_kernel.launch(_run, self.left.numbers, *arguments)
        return arguments[4].numbers

    def plainly(self) -> NDArray:
        """Return them after its twin in NumPy."""
        arguments = self.arguments()
        micro_kernel._multiply_plainly(*arguments)
        return arguments[4].numbers

    def finish(self, sums: NDArray) -> NDArray:
        """Return all numbers of `out` when the sums (*rows, width) are complete."""
        numbers = self.out.numbers.copy()
        gate = {PLAIN: np.ones_like(sums), RELU: sums, GATED: self.gate.numbers[self.gated]}[self.mode]
        numbers[self.written] = np.where(gate <= 0, 0, sums)
        return numbers

    def one_by_one(self) -> NDArray:
        """Return them after one multiply-add after the other."""
        extent, left, right, initial, out, *_ = self.arguments()
        launch(_one_by_one, extent, left, right, initial, out)
        return self.finish(out.numbers[self.written])

    def wanted(self) -> NDArray:
        """Return them as NumPy has them in float64."""
        rows, ks, width = self.extent
        depth = math.prod(ks)
        left = self.left.numbers[places(self.left, *rows, *ks)]
        matrix = left.reshape(*rows, depth).astype(np.float64)  # (*rows, *ks) -> (*rows, depth)
        right = self.right.numbers[self.right.start :].reshape(depth, self.right.step)[:, :width]
        return self.finish(matrix @ right + self.initial.numbers[places(self.initial, *rows, width)])


def assert_close(ours: NDArray, wanted: NDArray, terms: int) -> None:
    """Compare to the rounding of a sum of so many terms near 1."""
    assert np.array_equal(np.isnan(ours), np.isnan(wanted))
    tolerance = {np.float32: 2e-6, np.float64: 4e-15}[ours.dtype.type] * (3 + terms)
    np.testing.assert_allclose(ours, wanted, rtol=0, atol=tolerance)


def assert_right(product: Product) -> None:
    """Compare the micro-kernel with NumPy, its twin and, if there is a compiler, bit by bit with the plain loops."""
    terms = math.prod(product.extent.ks)
    ours = product.computed()
    outside = np.ones(ours.shape, bool)
    outside[product.written] = False
    assert (ours[outside] == GUARD).all()
    assert_close(ours, product.wanted(), terms)
    assert_close(product.plainly(), product.wanted(), terms)
    if multiply is not micro_kernel._multiply_plainly:
        assert ours.tobytes() == product.one_by_one().tobytes()


def widths(dtype: type) -> list[int]:
    """Return one column, whole vectors of columns, and what lies on both sides of them."""
    vector, most = lanes(np.dtype(dtype).itemsize), most_columns(dtype)
    return sorted({1, 3, vector - 1, vector, vector + 1, most - 1, most})


@both_dtypes
@pytest.mark.parametrize("rows", [*range(1, 18), 31, 40])
def test_every_rest_of_rows_and_columns(rows, dtype):
    for width in widths(dtype):
        assert_right(Product(Extent((1, 1, rows), (1, 1, 5), width), dtype))


@both_dtypes
@pytest.mark.parametrize("depth", [0, 1, 2, 7, PIECE - 1, PIECE, PIECE + 1, 2 * PIECE, 2 * PIECE + 5])
@pytest.mark.parametrize("initial", INITIAL)
def test_sums_of_any_length(depth, initial, dtype):
    for width in widths(dtype):
        assert_right(Product(Extent((1, 2, 9), (1, 1, depth), width), dtype, initial=initial, mode=RELU))


@both_dtypes
@pytest.mark.parametrize(
    "ks",
    [
        *((1, 0, 3), (1, 2, 1), (1, 3, 0), (1, 5, 50), (1, 7, 64), (1, 3, PIECE), (1, 2, PIECE + 9)),
        *((0, 2, 3), (2, 0, 3), (2, 3, 0), (0, 0, 0), (0, 2, PIECE + 1), (2, 0, PIECE + 1), (2, PIECE + 1, 0)),
        *((2, 3, 4), (5, 3, 7), (3, 8, 8), (40, 3, 2), (PIECE + 1, 1, 1)),  # pieces of several first indices
        *((3, 64, 3), (3, 65, 3), (2, PIECE, 1), (2, PIECE + 1, 1)),  # a first index fills a piece, or takes two
        *((2, 3, PIECE), (3, 2, PIECE + 9)),
    ],
)
@pytest.mark.parametrize("initial", ["map", "out"])
@pytest.mark.parametrize("mode", [RELU, GATED])
def test_indices_of_k_that_fill_a_piece_or_do_not(ks, mode, initial, dtype):
    for width in widths(dtype)[-2:]:
        assert_right(Product(Extent((2, 3, 5), ks, width), dtype, initial=initial, mode=mode))


@both_dtypes
@pytest.mark.parametrize(
    "extent, steps",
    [
        # im2col: 3 images of 6 lines of 13 pixels, 3 rows of 3 taps over 2 channels
        (((3, 4, 11), (1, 3, 6), 5), ((156, 26, 2), (0, 26, 1))),
        (((2, 2, 5), (1, 2, 8), 9), ((120, 48, 6), (0, 24, 1))),  # with a stride of 2 rows and 3 columns
        (((2, 2, 19), (1, 2, 6), 9), ((3, 9, 27), (0, 9, 1))),  # 19 images of 3 x 3 pixels, whose index comes last
        (((1, 3, 6), (3, 4, 11), 7), ((0, 26, 1), (156, 26, 2))),  # the first, transposed: the gradient of a kernel
        (((1, 2, 6), (19, 2, 2), 7), ((0, 9, 1), (27, 9, 3))),  # the third, transposed
        (((1, 1, 9), (1, 1, 10), 4), ((0, 0, 1), (0, 0, 9))),  # a transposed matrix
        (((2, 3, 4), (5, 2, 3), 4), ((1, 10, 100), (100, 10, 1))),  # all six indices, in one and the same memory
        (((2, 1, 3), (2, 1, 4), 4), ((0, 0, 0), (0, 0, 0))),  # one number everywhere
    ],
)
@pytest.mark.parametrize("mode", [PLAIN, RELU, GATED])
@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_rows_may_overlap_and_lie_anywhere(extent, steps, mode, order, dtype):
    rows, ks, width = extent
    for initial in INITIAL:
        product = Product(Extent(rows, ks, min(width, most_columns(dtype))), dtype, steps, initial, mode, order)
        assert_right(product)


@both_dtypes
@settings(max_examples=60, deadline=None)
@given(st.data())
def test_any_six_indices(dtype, data):
    sizes, step = st.integers(0, 4), st.integers(0, 30)
    rows, ks = (data.draw(st.tuples(sizes, sizes, sizes)) for _ in range(2))
    steps = data.draw(st.tuples(step, step, step)), data.draw(st.tuples(step, step, step))
    mode, order = data.draw(st.sampled_from([PLAIN, RELU, GATED])), data.draw(st.permutations([0, 1, 2]))
    extent = Extent(rows, ks, data.draw(st.sampled_from(widths(dtype))))
    assert_right(
        Product(extent, dtype, steps, data.draw(st.sampled_from(INITIAL)), mode, (order[0], order[1], order[2]))
    )


@both_dtypes
@pytest.mark.parametrize("initial", INITIAL)
@pytest.mark.parametrize("rows", [(2, 3, 4), (19, 2, 3), (3, 1, 33), (0, 2, 3)])
def test_the_first_and_the_last_index_of_a_row_may_be_exchanged(rows, initial, dtype):
    """As where many small images share a unit: the longest index comes last, where blocks are cut from it."""
    for width in widths(dtype):
        product = Product(Extent(rows, (2, 2, 5), width), dtype, initial=initial, mode=GATED)
        other = product.exchanged()
        assert_right(other)
        assert_close(other.computed(), product.computed(), 20)
        if multiply is not micro_kernel._multiply_plainly:
            assert other.computed().tobytes() == product.computed().tobytes()


def column(rows: Three, ks: Three, dtype: type, initial: str = "bias", mode: int = PLAIN) -> Product:
    """Return a product of one column whose numbers lie next to each other, with no zeros between them."""
    product = Product(Extent(rows, ks, 1), dtype, initial=initial, mode=mode)
    numbers = np.random.default_rng(1).standard_normal(5 + math.prod(ks)).astype(dtype)
    product.right = Right(numbers, 5, 1)
    return product


@both_dtypes
@pytest.mark.parametrize("mode", [PLAIN, RELU, GATED])
@pytest.mark.parametrize("rows", [(1, 1, 1), (2, 3, 7), (1, 1, 19), (2, 0, 3)])
def test_one_column_may_have_its_k_in_vectors(rows, mode, dtype):
    for initial in INITIAL:
        for ks in ((1, 1, 5), (2, 3, 37), (1, 2, 64), (1, 1, PIECE + 9), (1, 0, 4), (3, 1, 1)):
            product = column(rows, ks, dtype, initial, mode)
            ours = product.computed()
            assert_close(ours, product.wanted(), 2 * math.prod(ks))
            assert_close(product.plainly(), product.wanted(), 2 * math.prod(ks))


@pytest.mark.compiled  # NumPy's own product, the twin, makes no such promise
@both_dtypes
def test_the_bits_of_a_row_of_one_column_do_not_depend_on_the_others(dtype):
    whole = column((1, 1, 21), (2, 1, 45), dtype)
    ours = whole.computed()[whole.written[0, 0]]  # (rows, 1)
    for first, count in ((0, 1), (3, 8), (4, 17), (20, 1)):
        part = column((1, 1, count), (2, 1, 45), dtype)
        part.right, part.initial = whole.right, whole.initial
        part.left = whole.left._replace(start=whole.left.start + first * whole.left.rows[2])
        assert part.computed()[part.written[0, 0]].tobytes() == ours[first : first + count].tobytes()


@both_dtypes
def test_an_array_may_have_any_number_of_axes(dtype):
    """A place counts the numbers of its array from the first one on, whatever the shape of the array."""
    product = Product(Extent((2, 1, 3), (1, 2, 5), most_columns(dtype) - 1), dtype, initial="out", mode=GATED)
    extent, *arrays, mode = product.arguments()
    deep = [place._replace(numbers=place.numbers[np.newaxis, :, np.newaxis]) for place in arrays]
    micro_kernel.launch(_run, deep[0].numbers, extent, *deep, mode)
    assert deep[3].numbers.tobytes() == product.computed().tobytes()


@both_dtypes
@pytest.mark.parametrize("rows", [(0, 2, 3), (2, 0, 3), (2, 3, 0)])
def test_no_rows_are_no_work(rows, dtype):
    assert_right(Product(Extent(rows, (1, 2, 3), 4), dtype))


@both_dtypes
@pytest.mark.parametrize("mode", [PLAIN, RELU, GATED])
def test_a_nan_among_the_numbers_stays_visible(mode, dtype):
    product = Product(Extent((1, 1, 19), (1, 1, 4), most_columns(dtype) - 1), dtype, mode=mode)
    product.left.numbers[product.left.start + 4 * 4 + 1] = np.nan  # of row 4
    ours = product.computed()
    np.testing.assert_array_equal(np.isnan(ours), np.isnan(product.wanted()))
    rows = np.isnan(ours[product.written[0, 0]]).any(axis=1)
    assert np.flatnonzero(rows).tolist() == [4]
    np.testing.assert_array_equal(np.isnan(product.plainly()), np.isnan(ours))


@both_dtypes
def test_a_nan_in_the_gate_lets_the_sum_through(dtype):
    """A NaN in an output comes of a NaN in the forward pass: its gradient is not hidden behind a zero."""
    product = Product(Extent((2, 2, 9), (1, 2, 2), most_columns(dtype) - 1), dtype, mode=GATED)
    product.gate.numbers[product.gated[:, :, ::2, 1]] = np.nan
    assert_right(product)
    assert (product.computed()[product.written[:, :, ::2, 1]] != 0).all()


@both_dtypes
def test_zeros_behind_a_gate_have_no_sign(dtype):
    for mode in (RELU, GATED):
        product = Product(Extent((1, 1, 9), (1, 1, 1), most_columns(dtype) - 1), dtype, mode=mode)
        product.left.numbers[:] = -0.0
        product.initial.numbers[:] = -0.0
        product.right.numbers[:] = np.abs(product.right.numbers)
        ours = product.computed()[product.written]
        hidden = product.gate.numbers[product.gated] <= 0 if mode == GATED else np.ones(ours.shape, bool)
        assert not np.signbit(ours[hidden]).any()


@pytest.mark.compiled  # NumPy's own product, the twin, makes no such promise
@both_dtypes
def test_the_bits_of_a_row_do_not_depend_on_what_is_computed_with_it(dtype):
    rows, depth = 23, PIECE + 30
    for width in widths(dtype):
        whole = Product(Extent((1, 1, rows), (1, 1, depth), width), dtype)
        ours = whole.computed()[whole.written[0, 0]]  # (rows, width)
        for first, count in ((0, 1), (1, 3), (4, 19), (22, 1), (5, 8)):
            part = Product(Extent((1, 1, count), (1, 1, depth), width), dtype)
            part.right, part.initial = whole.right, whole.initial
            part.left = whole.left._replace(start=whole.left.start + first * whole.left.rows[2])
            assert part.computed()[part.written[0, 0]].tobytes() == ours[first : first + count].tobytes()


@pytest.mark.compiled  # NumPy's own product, the twin, makes no such promise
@both_dtypes
def test_the_bits_of_a_column_do_not_depend_on_what_stands_beside_it(dtype):
    *_, most = widths(dtype)
    whole = Product(Extent((1, 1, 13), (1, 1, 40), most), dtype)
    ours = whole.computed()[whole.written[0, 0]]  # (rows, width)
    for width in widths(dtype):
        part = Product(Extent((1, 1, 13), (1, 1, 40), width), dtype)
        part.left, part.right, part.initial = whole.left, whole.right, whole.initial
        assert np.array_equal(part.computed()[part.written[0, 0]], ours[:, :width])


@pytest.mark.parametrize(
    "features, machine, vector_bytes, registers, fused",
    [
        ("+sse2,+avx2,+fma,+avx512f,+avx512vl", "x86_64", 64, 32, True),
        ("+avx2,-avx512f,+fma", "AMD64", 32, 16, True),
        ("+avx2,-fma", "x86_64", 32, 16, False),
        ("+avx,+sse4.2", "x86_64", 16, 16, False),
        ("", "x86_64", 16, 16, False),
        ("+neon,+fp-armv8", "aarch64", 16, 32, True),
        ("", "arm64", 16, 32, True),
    ],
)
def test_the_block_of_a_processor_fits_its_registers(features, machine, vector_bytes, registers, fused):
    found = processor(features, machine)
    assert (found.vector_bytes, found.fused) == (vector_bytes, fused)
    sums, factors = found.block_rows * found.block_vectors, found.block_vectors + 1
    assert registers / 2 <= sums + factors <= registers
