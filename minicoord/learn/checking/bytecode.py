"""Traits of an answer's code, read from its bytecode: does it loop, share work among threads, or leave it to NumPy?

Lesson 08 is about the way to a result, which the result itself does not show. The source of a function may be
unavailable; its bytecode never is. Functions of the learner's that it calls count as part of it. How an answer goes
through its arrays shows only while it runs: see `array_reads`.
"""

from __future__ import annotations

import dis
import functools
import inspect
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from types import CodeType, FunctionType, ModuleType
from typing import Any

from minicoord.learn.checking.array_reads import log_of
from minicoord.learn.definition.exercise import Function

PRODUCTS = frozenset({"dot", "matmul", "einsum", "tensordot", "inner", "vdot", "multi_dot"})
LIBRARIES = ("numpy", "numba", "math")


@dataclass(frozen=True)
class CodeTraits:
    """What the code of a function contains.

    Attributes
    ----------
    loops : bool
        Whether it has a ``for`` or ``while`` loop, or a comprehension.
    prange : bool
        Whether it uses Numba's prange.
    products : bool
        Whether it multiplies matrices with ``@``, ``np.dot`` and the like.
    unused : frozenset of str
        Its required parameters that are never read, by the names that the learner gave them.
    whole_arrays : bool
        Whether it computes with several numbers of its arguments at once; known if it was run for that purpose.
    reads : tuple of tuple of int
        The single numbers that it reads of its arguments, in order: which argument, and the index; likewise.
    """

    loops: bool = False
    prange: bool = False
    products: bool = False
    unused: frozenset[str] = frozenset()
    whole_arrays: bool = False
    reads: tuple[tuple[int, ...], ...] = ()

    def report(self) -> dict[str, Any]:
        """Return the traits in a form that JSON can hold."""
        return {**asdict(self), "unused": sorted(self.unused), "reads": [list(read) for read in self.reads]}

    @classmethod
    def from_report(cls, report: Any) -> CodeTraits:
        """Return the traits in a report; anything malformed in it is ignored."""
        report = report if isinstance(report, dict) else {}
        unused = report.get("unused")
        names = frozenset(map(str, unused)) if isinstance(unused, list) else frozenset()
        loops, prange, products = (report.get(key) is True for key in ("loops", "prange", "products"))
        reads = report.get("reads")
        lists = [read for read in reads if isinstance(read, list)] if isinstance(reads, list) else []
        numbers = tuple(tuple(read) for read in lists if all(type(number) is int for number in read))
        return cls(loops, prange, products, names, report.get("whole_arrays") is True, numbers)


def traits_of(function: Function, args: tuple[Any, ...] | None = None) -> CodeTraits:
    """Return the traits of a function's code; all are False or empty for one that is not written in Python.

    Parameters
    ----------
    function : callable
    args : tuple, optional
        Arguments with which it is called, to see how it reads its arrays. Errors are ignored.
    """
    traits = _traits_of_bytecode(function)
    if args is None:
        return traits
    log = log_of(function, args)
    return replace(traits, whole_arrays=log.whole_arrays, reads=tuple(log.reads))


def _traits_of_bytecode(function: Function) -> CodeTraits:
    python_function = _python_function(function)
    if python_function is None:
        return CodeTraits()
    functions = list(_with_helpers(python_function, {}))
    codes = [code for each in functions for code in _code_objects(each.__code__)]
    instructions = [instruction for code in codes for instruction in dis.get_instructions(code)]
    names = {name for code in codes for name in code.co_names}
    values = [value for each in functions for value in _referenced_values(each)]
    return CodeTraits(
        loops=any(map(_jumps_back, instructions)),
        prange="prange" in names or any(getattr(value, "__name__", "") == "prange" for value in values),
        products=any(map(_multiplies_matrices, instructions)) or any(map(_names_a_product, functions)),
        unused=frozenset(_unused_parameters(python_function)),
    )


def referenced_names(function: FunctionType) -> set[str]:
    """Return the names of the global variables and attributes that a function's code mentions."""
    return {name for code in _code_objects(function.__code__) for name in (*code.co_names, *code.co_freevars)}


def _python_function(function: Any) -> FunctionType | None:
    """Return the Python function behind a callable: compiled by Numba, wrapped, partial, or an object; or None."""
    while isinstance(function, functools.partial):
        function = function.func
    function = inspect.unwrap(getattr(function, "py_func", function))
    function = getattr(function, "__func__", function)
    if not isinstance(function, FunctionType):
        function = vars(type(function)).get("__call__")
    return function if isinstance(function, FunctionType) else None


def _with_helpers(function: FunctionType, known: dict[FunctionType, None]) -> Iterator[FunctionType]:
    """Yield a function and, recursively, the learner's functions that it refers to."""
    known[function] = None
    yield function
    for value in _referenced_values(function):
        other = learners_function(value)
        if other is not None and other not in known:
            yield from _with_helpers(other, known)


def _referenced_values(function: FunctionType) -> Iterator[Any]:
    """Yield the values of the names in a function, also those that are attributes of the learner's modules."""
    names = {name for code in _code_objects(function.__code__) for name in code.co_names}
    cells = [cell.cell_contents for cell in function.__closure__ or () if is_filled(cell)]
    values = [function.__globals__[name] for name in names if name in function.__globals__]
    yield from [*values, *cells]
    for module in values:
        if isinstance(module, ModuleType) and not _from_library(module):
            yield from (getattr(module, name) for name in names if hasattr(module, name))


def is_filled(cell: Any) -> bool:
    """Whether a variable of an outer function has a value yet."""
    try:
        cell.cell_contents  # noqa: B018
    except ValueError:
        return False
    return True


def learners_function(value: Any) -> FunctionType | None:
    """Return the learner's Python function that a value is, or was compiled from; None for anything else."""
    function = value if isinstance(value, FunctionType) else getattr(value, "py_func", None)
    return function if isinstance(function, FunctionType) and not _from_library(function) else None


def _from_library(value: FunctionType | ModuleType) -> bool:
    name = value.__module__ if isinstance(value, FunctionType) else value.__name__
    return (name or "").split(".")[0] in LIBRARIES


def _code_objects(code: CodeType) -> Iterator[CodeType]:
    """Yield the code of a function and of everything defined inside it."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _code_objects(constant)


def _jumps_back(instruction: dis.Instruction) -> bool:
    jumps = instruction.opcode in dis.hasjrel or instruction.opcode in dis.hasjabs
    back = isinstance(instruction.argval, int) and instruction.argval <= instruction.offset
    return instruction.opname == "FOR_ITER" or (jumps and back)


def _multiplies_matrices(instruction: dis.Instruction) -> bool:
    operator = instruction.opname == "BINARY_OP" and instruction.argrepr in ("@", "@=")
    return operator or "MATRIX_MULTIPLY" in instruction.opname


def _names_a_product(function: FunctionType) -> bool:
    """Whether a function refers to one of NumPy's products; a function of the learner's may have the same name."""
    named = [value for value in _referenced_values(function) if getattr(value, "__name__", "") in PRODUCTS]
    if any(learners_function(value) is None for value in named):
        return True
    for code in _code_objects(function.__code__):
        owner = None
        for instruction in dis.get_instructions(code):
            attribute = instruction.opname in ("LOAD_ATTR", "LOAD_METHOD", "IMPORT_FROM")
            own = isinstance(owner, ModuleType) and not _from_library(owner)
            if attribute and instruction.argval in PRODUCTS and not own:
                return True
            is_global = instruction.opname == "LOAD_GLOBAL"
            owner = function.__globals__.get(instruction.argval) if is_global else None
    return False


def _unused_parameters(function: FunctionType) -> set[str]:
    """Return the required parameters that are never read, neither in the function nor in those defined inside it."""
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    parameters = inspect.signature(function).parameters.values()
    required = {p.name for p in parameters if p.kind in positional and p.default is p.empty} - {"self"}
    codes = _code_objects(function.__code__)
    instructions = [instruction for code in codes for instruction in dis.get_instructions(code)]
    loaded = [instruction.argval for instruction in instructions if "LOAD" in instruction.opname]
    # From Python 3.13 on, one instruction may load two variables.
    names = [name for value in loaded for name in (value if isinstance(value, tuple) else (value,))]
    return required - {name for name in names if isinstance(name, str)}
