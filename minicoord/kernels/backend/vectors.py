"""The vectors of this processor: how long they are, how many it holds, and the LLVM instructions that work on them.

LLVM, the compiler behind Numba, has types for vectors, such as ``<16 x float>``, and turns an operation on one into the
instructions of the processor at hand: AVX-512, AVX2, or NEON on ARM. `Vectors` is a small vocabulary for writing such
operations; ``micro_kernel.py`` uses it.
"""

from __future__ import annotations

import platform
from typing import Any, NamedTuple

import llvmlite.binding
import numba
from llvmlite import ir
from numba import types
from numba.core import cgutils

INT, INT32 = ir.IntType(64), ir.IntType(32)


class Processor(NamedTuple):
    """What the shape of a block of sums depends on.

    Attributes
    ----------
    vector_bytes : int
        Length of a vector register: 64 bytes hold 16 numbers of float32 or 8 of float64.
    block_rows, block_vectors : int
        The largest block whose sums, with what they are multiplied from, fit the registers.
    fused : bool
        Whether a multiplication and an addition are one instruction, rounded once.
    """

    vector_bytes: int
    block_rows: int
    block_vectors: int
    fused: bool


def processor(features: str, machine: str) -> Processor:
    """Return the vectors of a processor with LLVM's `features`, such as ``"+avx2,+fma"``, of the kind `machine`.

    Examples
    --------
    >>> processor("+avx2,+avx512f,+fma", "x86_64").vector_bytes, processor("", "x86_64").vector_bytes
    (64, 16)
    """
    names = features.split(",")
    if machine in ("arm64", "aarch64"):  # NEON: 32 registers of 16 bytes
        return Processor(16, 8, 2, True)
    if "+avx512f" in names:  # 32 registers of 64 bytes
        return Processor(64, 8, 2, True)
    if "+avx2" in names:  # 16 registers of 32 bytes
        return Processor(32, 6, 2, "+fma" in names)
    return Processor(16, 4, 2, False)  # every x86-64 has 16 registers of 16 bytes


def _features() -> str:
    """Return the features that Numba compiles for: those of this processor, unless the user chose others."""
    chosen = numba.config.CPU_FEATURES  # type: ignore[attr-defined]
    return llvmlite.binding.get_host_cpu_features().flatten() if chosen is None else chosen


HERE = processor(_features(), platform.machine())


def lanes(itemsize: int) -> int:
    """Return how many numbers of `itemsize` bytes a vector holds."""
    return HERE.vector_bytes // itemsize


class Vectors:
    """Writes operations on vectors of float32 or float64 into a program that LLVM's `builder` builds."""

    def __init__(self, builder: Any, dtype: Any) -> None:
        self.builder, self.itemsize = builder, dtype.bitwidth // 8
        self.lanes = lanes(self.itemsize)
        self.type = ir.VectorType(ir.FloatType() if dtype == types.float32 else ir.DoubleType(), self.lanes)
        self.zero = ir.Constant(self.type, None)
        self.name = f"v{self.lanes}f{8 * self.itemsize}"  # as it stands in the names of LLVM's functions

    def _call(self, name: str, result: Any, *arguments: Any) -> Any:
        function = ir.FunctionType(result, [argument.type for argument in arguments])
        return self.builder.call(cgutils.get_or_insert_function(self.builder.module, function, name), arguments)

    def _pointer(self, address: Any) -> Any:
        return self.builder.bitcast(address, self.type.as_pointer())

    def load(self, address: Any) -> Any:
        """Return the vector that begins at an address."""
        return self.builder.load(self._pointer(address), align=self.itemsize)

    def store(self, value: Any, address: Any) -> None:
        """Write a vector from an address on."""
        self.builder.store(value, self._pointer(address), align=self.itemsize)

    def load_first(self, address: Any, mask: Any) -> Any:
        """Load the lanes of the mask, and touch no memory beyond them; the other lanes are zero."""
        align = ir.Constant(INT32, self.itemsize)
        name = f"llvm.masked.load.{self.name}.p0{self.name}"
        return self._call(name, self.type, self._pointer(address), align, mask, self.zero)

    def store_first(self, value: Any, address: Any, mask: Any) -> None:
        """Write the lanes of the mask, and touch no memory beyond them."""
        align = ir.Constant(INT32, self.itemsize)
        name = f"llvm.masked.store.{self.name}.p0{self.name}"
        self._call(name, ir.VoidType(), value, self._pointer(address), align, mask)

    def first_lanes(self, count: Any) -> Any:
        """Return the mask of the first `count` lanes."""
        integers = ir.VectorType(INT, self.lanes)
        numbers = ir.Constant(integers, [ir.Constant(INT, lane) for lane in range(self.lanes)])
        return self.builder.icmp_signed("<", numbers, self._repeat(count, integers))

    def broadcast(self, number: Any) -> Any:
        """Return a vector that has `number` in every lane."""
        return self._repeat(number, self.type)

    def _repeat(self, number: Any, kind: Any) -> Any:
        nothing, zeros = ir.Constant(kind, ir.Undefined), ir.Constant(ir.VectorType(INT32, self.lanes), None)
        first = self.builder.insert_element(nothing, number, ir.Constant(INT32, 0))
        return self.builder.shuffle_vector(first, nothing, zeros)

    def multiply_add(self, x: Any, w: Any, total: Any) -> Any:
        """Return ``x * w + total``."""
        if HERE.fused:
            return self._call(f"llvm.fma.{self.name}", self.type, x, w, total)
        return self.builder.fadd(self.builder.fmul(x, w), total)

    def total(self, value: Any) -> Any:
        """Return the sum of all lanes, added up in pairs, then pairs of pairs: as the processor does it best."""
        kind = ir.FunctionType(self.type.element, [self.type.element, self.type])
        function = cgutils.get_or_insert_function(self.builder.module, kind, f"llvm.vector.reduce.fadd.{self.name}")
        return self.builder.call(function, [ir.Constant(self.type.element, -0.0), value], fastmath=("reassoc",))

    def keep_where_positive(self, gate: Any, value: Any) -> Any:
        """Return `value`, but zero where gate <= 0; a NaN in the gate is not, so that what comes of it is seen."""
        zero = ir.Constant(value.type, None)
        return self.builder.select(self.builder.fcmp_ordered("<=", gate, zero), zero, value)
