"""How an answer is written, as its bytecode shows: whether it loops, splits work among threads, or leaves it to NumPy.

A result tells nothing of the way to it, and lesson 08 is about the way. The text of a function may be out of reach; its
bytecode never is. What it calls of the learner's own counts as if it stood in it.
"""

from __future__ import annotations

import dis
import functools
import inspect
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from types import CodeType, FunctionType, ModuleType
from typing import Any

from minicoord.learn.definition.exercise import Function

PRODUCTS = frozenset({"dot", "matmul", "einsum", "tensordot", "inner", "vdot", "multi_dot"})
LIBRARIES = ("numpy", "numba", "math")


@dataclass(frozen=True)
class Manner:
    """How a function is written.

    Attributes
    ----------
    loops : bool
        Whether it has a ``for`` or ``while`` loop, or a comprehension.
    prange : bool
        Whether it uses Numba's prange.
    products : bool
        Whether it multiplies matrices with ``@``, ``np.dot`` and the like.
    unused : frozenset of str
        Those of its parameters that are never read, by the names that the learner gave them.
    """

    loops: bool = False
    prange: bool = False
    products: bool = False
    unused: frozenset[str] = frozenset()

    def report(self) -> dict[str, Any]:
        """Return it as JSON can hold it."""
        return {**asdict(self), "unused": sorted(self.unused)}

    @classmethod
    def of_report(cls, report: Any) -> Manner:
        """Return what a report says; what is strange in it counts as not there."""
        report = report if isinstance(report, dict) else {}
        unused = report.get("unused")
        names = frozenset(map(str, unused)) if isinstance(unused, list) else frozenset()
        loops, prange, products = (report.get(key) is True for key in ("loops", "prange", "products"))
        return cls(loops, prange, products, names)


def manner_of(function: Function) -> Manner:
    """Return how a function is written; of what is not written in Python, nothing is known."""
    written = _written(function)
    if written is None:
        return Manner()
    functions = list(_called(written, {}))
    codes = [code for each in functions for code in _codes(each.__code__)]
    steps = [step for code in codes for step in dis.get_instructions(code)]
    names = {name for code in codes for name in code.co_names}
    return Manner(
        loops=any(map(_loops, steps)),
        prange="prange" in names or any(getattr(v, "__name__", "") == "prange" for f in functions for v in _values(f)),
        products=any(map(_multiplies, steps)) or any(map(_calls_a_product, functions)),
        unused=frozenset(_unused(written)),
    )


def _written(thing: Any) -> FunctionType | None:
    """Return the Python function in what can be called: compiled by Numba, wrapped, partial, or an object."""
    while isinstance(thing, functools.partial):
        thing = thing.func
    thing = inspect.unwrap(getattr(thing, "py_func", thing))
    thing = getattr(thing, "__func__", thing)
    if not isinstance(thing, FunctionType):
        thing = vars(type(thing)).get("__call__")
    return thing if isinstance(thing, FunctionType) else None


def _called(function: FunctionType, known: dict[FunctionType, None]) -> Iterator[FunctionType]:
    """Yield a function and all of the learner's that it names, and that those name."""
    known[function] = None
    yield function
    for value in _values(function):
        other = learners_function(value)
        if other is not None and other not in known:
            yield from _called(other, known)


def _values(function: FunctionType) -> Iterator[Any]:
    """Yield what the names in a function stand for, also as an attribute of a module of the learner's."""
    names = {name for code in _codes(function.__code__) for name in code.co_names}
    cells = [cell.cell_contents for cell in function.__closure__ or () if _is_filled(cell)]
    values = [function.__globals__[name] for name in names if name in function.__globals__]
    yield from [*values, *cells]
    for module in values:
        if isinstance(module, ModuleType) and not _of_library(module):
            yield from (getattr(module, name) for name in names if hasattr(module, name))


def _is_filled(cell: Any) -> bool:
    try:
        cell.cell_contents  # noqa: B018
    except ValueError:
        return False
    return True


def learners_function(value: Any) -> FunctionType | None:
    """Return the function of the learner's, compiled or not, that a value is; None if it is another thing."""
    function = value if isinstance(value, FunctionType) else getattr(value, "py_func", None)
    return function if isinstance(function, FunctionType) and not _of_library(function) else None


def _of_library(thing: FunctionType | ModuleType) -> bool:
    name = thing.__module__ if isinstance(thing, FunctionType) else thing.__name__
    return (name or "").split(".")[0] in LIBRARIES


def _codes(code: CodeType) -> Iterator[CodeType]:
    """Yield the code of a function and of what is written within it."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _codes(constant)


def _loops(step: dis.Instruction) -> bool:
    jumps = step.opcode in dis.hasjrel or step.opcode in dis.hasjabs
    return step.opname == "FOR_ITER" or (jumps and isinstance(step.argval, int) and step.argval <= step.offset)


def _multiplies(step: dis.Instruction) -> bool:
    return "MATRIX_MULTIPLY" in step.opname or (step.opname == "BINARY_OP" and step.argrepr in ("@", "@="))


def _calls_a_product(function: FunctionType) -> bool:
    """Whether a function names a product of NumPy's; one that the learner wrote may have the same name."""
    named = [value for value in _values(function) if getattr(value, "__name__", "") in PRODUCTS]
    if any(learners_function(value) is None for value in named):
        return True
    for code in _codes(function.__code__):
        owner = None
        for step in dis.get_instructions(code):
            named = step.opname in ("LOAD_ATTR", "LOAD_METHOD", "IMPORT_FROM") and step.argval in PRODUCTS
            if named and (not isinstance(owner, ModuleType) or _of_library(owner)):
                return True
            owner = function.__globals__.get(step.argval) if step.opname == "LOAD_GLOBAL" else None
    return False


def _unused(function: FunctionType) -> set[str]:
    """Return the parameters that have to be given and are never read, in the function or in what is written in it."""
    given = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    parameters = inspect.signature(function).parameters.values()
    wanted = {p.name for p in parameters if p.kind in given and p.default is p.empty} - {"self"}
    steps = [step for code in _codes(function.__code__) for step in dis.get_instructions(code)]
    loaded = [step.argval for step in steps if "LOAD" in step.opname]
    # From Python 3.13 on one step may load two variables.
    names = [name for value in loaded for name in (value if isinstance(value, tuple) else (value,))]
    return wanted - {name for name in names if isinstance(name, str)}
