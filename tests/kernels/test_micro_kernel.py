"""The micro-kernel: every rest of rows, columns and sums, to the bit what one multiply-add after the other gives."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numba.extending import intrinsic
from numpy.typing import NDArray

from minicoord.kernels import micro_kernel
from minicoord.kernels.micro_kernel import GATED, PIECE, PLAIN, RELU, Extent, Left, Place, Right, address, multiply
from minicoord.kernels.runtime import helper, launch
from minicoord.kernels.vectors import HERE, lanes, processor

both_dtypes = pytest.mark.parametrize("dtype", [np.float32, np.float64])

GUARD = 777.0  # stands wherever nothing may be written


@helper
def _run(extent, left, right, initial, out, gate, mode):
    """Call the micro-kernel with places whose numbers are arrays."""
    multiply(
        extent,
        Left(address(left.numbers), left.start, left.line, left.row, left.segment, left.k),
        Right(address(right.numbers), right.start, right.step),
        Place(address(initial.numbers), initial.start, initial.line, initial.row),
        Place(address(out.numbers), out.start, out.line, out.row),
        Place(address(gate.numbers), gate.start, gate.line, gate.row),
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
def _one_by_one(extent, left, right, initial, out):
    """The same product as plain loops: each sum begins with `initial`, and goes over segment and k in order."""
    for line in range(extent.lines):
        for row in range(extent.rows):
            for c in range(extent.width):
                total = initial.numbers[initial.start + line * initial.line + row * initial.row + c]
                for segment in range(extent.segments):
                    for k in range(extent.depth):
                        at = left.start + line * left.line + row * left.row + segment * left.segment + k * left.k
                        w = right.numbers[right.start + (segment * extent.depth + k) * right.step + c]
                        total = _multiply_add(left.numbers[at], w, total)
                out.numbers[out.start + line * out.line + row * out.row + c] = total


def places(place: Place | Left, *sizes: int) -> NDArray:
    """Return the index of every number of a place: each step of `place` runs over one of `sizes`; columns come last."""
    steps = (*place[2:], 1) if isinstance(place, Place) else place[2:]
    return place.start + np.tensordot(steps, np.indices(sizes), axes=1)  # (axes,) . (axes, *sizes) -> sizes


class Product:
    """A product whose arrays are larger than what it may read and write, with random numbers in them.

    Parameters
    ----------
    extent : Extent
    dtype : float32 or float64
    steps : (line, row, segment, k), optional
        Of the left factor. By default the numbers lie next to each other.
    initial : {"bias", "map", "out"}
        One row for all sums, one number for each, or what stands in `out`.
    mode : int
    """

    def __init__(
        self,
        extent: Extent,
        dtype: type,
        steps: tuple[int, int, int, int] | None = None,
        initial: str = "bias",
        mode: int = PLAIN,
        seed: int = 0,
    ) -> None:
        self.extent, self.mode = extent, mode
        rng = np.random.default_rng(seed)
        lines, rows, segments, depth, width = extent
        if steps is None:
            steps = (rows * segments * depth, segments * depth, depth, 1)
        most = sum(step * max(size - 1, 0) for step, size in zip(steps, extent, strict=False))
        self.left = Left(rng.standard_normal(3 + most + 1).astype(dtype), 3, *steps)
        whole = -(-width // lanes(np.dtype(dtype).itemsize)) * lanes(np.dtype(dtype).itemsize)
        self.right = Right(rng.standard_normal(5 + segments * depth * whole).astype(dtype), 5, whole)
        out_row = width + 3  # the places lie apart, as those of one phase of a gradient do
        out_line = rows * out_row + 7
        numbers = np.full(11 + lines * out_line + 64, GUARD, dtype)
        self.out = Place(numbers, 11, out_line, out_row)
        self.written = places(self.out, lines, rows, width)
        numbers[self.written] = rng.standard_normal(self.written.shape)
        self.gate = self.out._replace(numbers=rng.choice([-1.0, -0.0, 0.0, 2.0], numbers.shape).astype(dtype))
        if initial == "out":
            self.initial = self.out
        elif initial == "map":
            self.initial = Place(rng.standard_normal(2 + lines * rows * width).astype(dtype), 2, rows * width, width)
        else:
            self.initial = Place(rng.standard_normal(4 + width).astype(dtype), 4, 0, 0)

    def arguments(self) -> tuple[Any, ...]:
        """Return the arguments of the micro-kernel with an `out` that it may change; an initial `out` is the same."""
        out = self.out._replace(numbers=self.out.numbers.copy())
        initial = out if self.initial is self.out else self.initial
        return self.extent, self.left, self.right, initial, out, self.gate, self.mode

    def computed(self) -> NDArray:
        """Return all numbers of `out` after the micro-kernel, guards too."""
        arguments = self.arguments()
        launch(_run, *arguments)
        return arguments[4].numbers

    def plainly(self) -> NDArray:
        """Return them after its twin in NumPy."""
        arguments = self.arguments()
        micro_kernel._multiply_plainly(*arguments)
        return arguments[4].numbers

    def finish(self, sums: NDArray) -> NDArray:
        """Return all numbers of `out` when the sums (lines, rows, width) are complete."""
        numbers = self.out.numbers.copy()
        gate = {PLAIN: np.ones_like(sums), RELU: sums, GATED: self.gate.numbers[self.written]}[self.mode]
        numbers[self.written] = np.where(gate <= 0, 0, sums)
        return numbers

    def one_by_one(self) -> NDArray:
        """Return them after one multiply-add after the other."""
        extent, left, right, initial, out, *_ = self.arguments()
        launch(_one_by_one, extent, left, right, initial, out)
        return self.finish(out.numbers[self.written])

    def wanted(self) -> NDArray:
        """Return them as NumPy has them in float64."""
        lines, rows, segments, depth, width = self.extent
        left = self.left.numbers[places(self.left, lines, rows, segments, depth)]
        matrix = left.reshape(lines, rows, segments * depth).astype(np.float64)
        right = self.right.numbers[self.right.start :].reshape(segments * depth, self.right.step)[:, :width]
        return self.finish(matrix @ right + self.initial.numbers[places(self.initial, lines, rows, width)])


def assert_close(ours: NDArray, wanted: NDArray, terms: int) -> None:
    """Compare to the rounding of a sum of so many terms near 1."""
    assert np.array_equal(np.isnan(ours), np.isnan(wanted))
    tolerance = {np.float32: 2e-6, np.float64: 4e-15}[ours.dtype.type] * (3 + terms)
    np.testing.assert_allclose(ours, wanted, rtol=0, atol=tolerance)


def assert_right(product: Product) -> None:
    """Compare the micro-kernel with NumPy, its twin and, if there is a compiler, bit by bit with the plain loops."""
    terms = product.extent.segments * product.extent.depth
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
    vector = lanes(np.dtype(dtype).itemsize)
    return sorted({1, 3, vector - 1, vector, vector + 1, 2 * vector - 1, 2 * vector} - {0})


@both_dtypes
@pytest.mark.parametrize("rows", [*range(1, 18), 31, 40])
def test_every_rest_of_rows_and_columns(rows, dtype):
    for width in widths(dtype):
        assert_right(Product(Extent(1, rows, 1, 5, width), dtype))


@both_dtypes
@pytest.mark.parametrize("depth", [0, 1, 2, 7, PIECE - 1, PIECE, PIECE + 1, 2 * PIECE, 2 * PIECE + 5])
@pytest.mark.parametrize("initial", ["bias", "map", "out"])
def test_sums_of_any_length(depth, initial, dtype):
    for width in widths(dtype):
        assert_right(Product(Extent(2, 9, 1, depth, width), dtype, initial=initial, mode=RELU))


@both_dtypes
@pytest.mark.parametrize("segments, depth", [(0, 3), (2, 1), (3, 0), (5, 50), (7, 64), (3, PIECE), (2, PIECE + 9)])
def test_segments_that_fill_a_piece_or_do_not(segments, depth, dtype):
    for width in widths(dtype)[-2:]:
        assert_right(Product(Extent(3, 5, segments, depth, width), dtype, initial="map", mode=GATED))


@both_dtypes
@pytest.mark.parametrize(
    "extent, steps",
    [
        ((4, 11, 3, 6, 5), (26, 2, 26, 1)),  # im2col: 3 rows of 3 taps over 2 channels, lines of 13 pixels
        ((2, 5, 2, 8, 9), (48, 6, 24, 1)),  # with a stride of 2 rows and 3 columns
        ((3, 4, 5, 13, 7), (26, 1, 26, 2)),  # the same turned about, as for the gradient of a kernel
        ((1, 9, 1, 10, 4), (0, 1, 0, 9)),  # a transposed matrix
        ((2, 3, 1, 4, 4), (0, 0, 0, 0)),  # one number everywhere
    ],
)
@pytest.mark.parametrize("mode", [PLAIN, RELU, GATED])
def test_rows_may_overlap_and_lie_anywhere(extent, steps, mode, dtype):
    assert_right(Product(Extent(*extent), dtype, steps, mode=mode))


@both_dtypes
@pytest.mark.parametrize("lines, rows", [(0, 3), (3, 0)])
def test_no_rows_are_no_work(lines, rows, dtype):
    assert_right(Product(Extent(lines, rows, 2, 3, 4), dtype))


@both_dtypes
@pytest.mark.parametrize("mode", [PLAIN, RELU, GATED])
def test_a_nan_among_the_numbers_stays_visible(mode, dtype):
    product = Product(Extent(1, 19, 1, 4, 7), dtype, mode=mode)
    product.left.numbers[product.left.start + 4 * 4 + 1] = np.nan  # of row 4
    ours = product.computed()
    np.testing.assert_array_equal(np.isnan(ours), np.isnan(product.wanted()))
    rows = np.isnan(ours[product.written[0]]).any(axis=1)
    assert np.flatnonzero(rows).tolist() == [4]
    np.testing.assert_array_equal(np.isnan(product.plainly()), np.isnan(ours))


@both_dtypes
def test_a_nan_in_the_gate_lets_the_sum_through(dtype):
    """A NaN in an output comes of a NaN in the forward pass: its gradient is not hidden behind a zero."""
    product = Product(Extent(2, 9, 1, 4, 5), dtype, mode=GATED)
    product.gate.numbers[product.written[:, ::2, 1]] = np.nan
    assert_right(product)
    assert (product.computed()[product.written[:, ::2, 1]] != 0).all()


@both_dtypes
def test_zeros_behind_a_gate_have_no_sign(dtype):
    for mode in (RELU, GATED):
        product = Product(Extent(1, 9, 1, 1, 5), dtype, mode=mode)
        product.left.numbers[:] = -0.0
        product.initial.numbers[:] = -0.0
        product.right.numbers[:] = np.abs(product.right.numbers)
        ours = product.computed()[product.written]
        hidden = product.gate.numbers[product.written] <= 0 if mode == GATED else np.ones(ours.shape, bool)
        assert not np.signbit(ours[hidden]).any()


@pytest.mark.compiled  # NumPy's own product, the twin, makes no such promise
@both_dtypes
def test_the_bits_of_a_row_do_not_depend_on_what_is_computed_with_it(dtype):
    rows, depth = 23, PIECE + 30
    for width in widths(dtype):
        whole = Product(Extent(1, rows, 1, depth, width), dtype)
        ours = whole.computed()[whole.written[0]]  # (rows, width)
        for first, count in ((0, 1), (1, 3), (4, 19), (22, 1), (5, 8)):
            part = Product(Extent(1, count, 1, depth, width), dtype)
            part.right, part.initial = whole.right, whole.initial
            part.left = whole.left._replace(start=whole.left.start + first * whole.left.row)
            assert part.computed()[part.written[0]].tobytes() == ours[first : first + count].tobytes()


@pytest.mark.compiled  # NumPy's own product, the twin, makes no such promise
@both_dtypes
def test_the_bits_of_a_column_do_not_depend_on_what_stands_beside_it(dtype):
    *_, most = widths(dtype)
    whole = Product(Extent(1, 13, 1, 40, most), dtype)
    ours = whole.computed()[whole.written[0]]  # (rows, width)
    for width in widths(dtype):
        part = Product(Extent(1, 13, 1, 40, width), dtype)
        part.left, part.right, part.initial = whole.left, whole.right, whole.initial
        assert np.array_equal(part.computed()[part.written[0]], ours[:, :width])


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
