"""Numbers that are too small to be normal count as zero while a kernel multiplies.

Below 1.2e-38 float32 has only denormal numbers left, with fewer digits the smaller they are. Many processors take a
hundred times as long for each operation with one. They come by themselves: a softmax that is sure gives other pixels
such probabilities, an L2 penalty shrinks idle weights without end, and products of the two fill whole gradients. On an
Intel Xeon, a training step of the CoordConv classifier whose task was solved took three times as long, and that of a
renderer which had died twenty times. Nothing is lost with them: next to any normal number they vanish in rounding.

x86 processors have a switch, in a register of each thread. It is set at the beginning of a task and set back at its
end, because the thread also runs Python, whose numbers are no business of ours. ARM needs none.
"""

from __future__ import annotations

import platform
from typing import Any

import numba
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

FLUSH = 0x8040  # bits of MXCSR: results that would be denormal are zero, and so are operands that are
_HAS_SWITCH = platform.machine() in ("x86_64", "AMD64")
_VOID, _INT = ir.VoidType(), ir.IntType(32)
_ADDRESS = ir.IntType(8).as_pointer()


def _on_register(builder: Any, name: str, slot: Any) -> None:
    """Call LLVM's ``stmxcsr``, which stores the register, or ``ldmxcsr``, which loads it."""
    function = cgutils.get_or_insert_function(
        builder.module, ir.FunctionType(_VOID, [_ADDRESS]), f"llvm.x86.sse.{name}"
    )
    builder.call(function, [builder.bitcast(slot, _ADDRESS)])


@intrinsic
def _flush_denormals(typing_context: Any) -> Any:
    def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        slot = cgutils.alloca_once(builder, _INT)
        if not _HAS_SWITCH:
            return ir.Constant(_INT, 0)
        _on_register(builder, "stmxcsr", slot)
        before = builder.load(slot)
        builder.store(builder.or_(before, ir.Constant(_INT, FLUSH)), slot)
        _on_register(builder, "ldmxcsr", slot)
        return before

    return types.int32(), build


@intrinsic
def _denormals_as(typing_context: Any, before: Any) -> Any:
    def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        if _HAS_SWITCH:
            slot = cgutils.alloca_once(builder, _INT)
            builder.store(arguments[0], slot)
            _on_register(builder, "ldmxcsr", slot)
        return context.get_dummy_value()

    return types.void(types.int32), build


def _nothing_to_set() -> int:
    return 0


def _nothing_to_set_back(before: int) -> None:
    pass


# Kernels that run as Python (NUMBA_DISABLE_JIT=1) are slow anyhow.
_COMPILED = not numba.config.DISABLE_JIT  # type: ignore[attr-defined]
flush_denormals: Any = _flush_denormals if _COMPILED else _nothing_to_set
"""``flush_denormals()``: denormal numbers are zero from here on, in this thread; returns how it was before."""

denormals_as: Any = _denormals_as if _COMPILED else _nothing_to_set_back
"""``denormals_as(before)``: undo it."""
