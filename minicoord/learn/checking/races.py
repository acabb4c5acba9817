"""Races found without threads: which cells do the tasks of a ``prange`` loop write?

Two threads that write the same cell may do no harm in a thousand runs. So the function runs once as plain Python, task
after task, and every subscript in a ``prange`` loop is logged: which task wrote a cell, and which one read it. Two
tasks race if they leave different numbers in one cell, or if one reads a cell that the other writes. What was written
without a subscript, as by ``np.add(a, b, out=a)``, shows after the task: the arrays that were there before the loop are
compared with what they held.

``total += x[i]`` in a plain variable is safe: Numba gives each thread a total of its own, and adds these at the end. To
read the running total inside the loop is a race, which shows in the code without running it: see `loop_carried`.
"""

from __future__ import annotations

import ast
import contextlib
import inspect
import sys
import textwrap
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from minicoord.learn.checking.bytecode import learners_function
from minicoord.learn.checking.loop_carried import accumulated_variables, loop_carried_variables

LOG = "__minicoord_access_log"
"""The name of the log in the rewritten code."""
MAX_ACCESSES = 50_000
MAX_COMPARED = 20_000_000
"""How many cells are compared with what they held after earlier tasks; the first tasks show a race as well."""


@dataclass(frozen=True)
class Race:
    """Two tasks of one loop that access the same cell, at least one of them to write it.

    Attributes
    ----------
    array : str
        The name of the array, or of the plain variable, in the code.
    index : tuple of int
        Empty for a plain variable.
    shape : tuple of int
        Of the array.
    tasks : tuple
        The values of the loop variable in both tasks; empty strings for a plain variable.
    reads : bool
        Whether the second task reads the cell; otherwise it writes it.
    reads_first : bool or None
        Whether the second task reads the cell before it writes it, as ``+=`` does; None if that is not known.
    """

    array: str
    index: tuple[int, ...]
    shape: tuple[int, ...]
    tasks: tuple[Any, Any]
    reads: bool
    reads_first: bool | None = None

    def __str__(self) -> str:
        if not self.index:
            return (
                f"The prange loop reads {self.array}, which other tasks change; "
                f"every thread has its own copy of {self.array}."
            )
        cell = f"{self.array}[{', '.join(map(str, self.index))}]"
        first, second = self.tasks
        if self.reads:
            return f"Task {second} of the prange loop reads {cell}, which task {first} writes."
        return f"Tasks {first} and {second} of the prange loop both write {cell}."


def find_race(function: Callable[..., Any], args: tuple[Any, ...]) -> Race | None:
    """Run a function as plain Python, and return the first race in its ``prange`` loops, or None.

    None is also returned if the source cannot be read. Logging stops after `MAX_ACCESSES` subscripts. Two tasks that
    write a cell are reported before a task that reads one.
    """
    log = _AccessLog()
    try:
        definition = _definition(function)
        traced = _traced(function, definition, log)
        if traced is not None:
            with np.errstate(all="ignore"):
                traced(*args)
    except Exception:  # errors of the function have been reported by now; or the log is full
        pass
    return min(log.races, key=lambda race: race.reads, default=None)


def _definition(function: Callable[..., Any]) -> ast.FunctionDef:
    """Return the syntax tree of a function without its decorators."""
    definition = ast.parse(textwrap.dedent(inspect.getsource(function))).body[0]
    if not isinstance(definition, ast.FunctionDef):
        raise TypeError("a lambda has no statements")
    definition.decorator_list = []
    return definition


def _traced(function: Callable[..., Any], definition: ast.FunctionDef, log: _AccessLog) -> Callable[..., Any] | None:
    """Return a copy of the function that logs the subscripts in its ``prange`` loops; None if it has no such loop."""
    rewriter = _Rewriter()
    tree = ast.Module([rewriter.visit(definition)], [])
    if not rewriter.loops:
        return None
    log.races += [Race(name, (), (), ("", ""), reads=True) for name in rewriter.carried]
    ast.fix_missing_locations(tree)
    return _compiled(function, tree, definition.name, log, [function])


def _compiled(
    function: Callable[..., Any], tree: ast.Module, name: str, log: _AccessLog, known: list[Callable[..., Any]]
) -> Callable[..., Any]:
    """Return the rewritten function; those of the learner's functions that it calls log their subscripts, too."""
    variables = inspect.getclosurevars(function)
    namespace = {**function.__globals__, **variables.nonlocals, LOG: log}
    for called, value in {**variables.globals, **variables.nonlocals}.items():
        helper = learners_function(value)
        if helper is not None and helper not in known:
            with contextlib.suppress(Exception):  # a helper without source runs unlogged
                namespace[called] = _traced_helper(helper, log, [*known, helper])
    exec(compile(tree, "<looking for races>", "exec"), namespace)
    return namespace[name]


def _traced_helper(helper: Callable[..., Any], log: _AccessLog, known: list[Callable[..., Any]]) -> Callable[..., Any]:
    """Return a copy of a function that a task may call: it logs all its subscripts, and its prange is a plain range."""
    definition = _definition(helper)
    tree = ast.fix_missing_locations(ast.Module([_Rewriter(inside=True).visit(definition)], []))
    return _compiled(helper, tree, definition.name, log, known)


class _Rewriter(ast.NodeTransformer):
    """Sends the outermost prange loops, and the subscripts in them, through the log."""

    def __init__(self, inside: bool = False) -> None:
        self.loops = 0
        self.inside = inside
        self.carried: list[str] = []

    def visit_For(self, node: ast.For) -> ast.AST:
        call = node.iter
        name = getattr(call.func, "attr", getattr(call.func, "id", "")) if isinstance(call, ast.Call) else ""
        if name != "prange" or self.inside:
            return self.generic_visit(node)
        self.loops += 1
        self.carried += loop_carried_variables(node)
        accumulated = [ast.Constant(name) for name in accumulated_variables(node)]
        self.inside = True
        node = self.generic_visit(node)  # type: ignore[assignment]
        self.inside = False
        node.iter = _call_of_log("tasks", node.iter, ast.Tuple([*accumulated], ast.Load()))
        return node

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        if not self.inside:
            return self.generic_visit(node)
        name = ast.unparse(node.value)
        self.generic_visit(node)
        node.value = _call_of_log("traced", node.value, ast.Constant(name))
        return node


def _call_of_log(method: str, *arguments: ast.expr) -> ast.Call:
    log = ast.Name(LOG, ast.Load())
    return ast.Call(ast.Attribute(log, method, ast.Load()), list(arguments), [])


class _LogFullError(Exception):
    """There were `MAX_ACCESSES` subscripts; logging more would take too long."""


class _AccessLog:
    """Which task wrote and which one read each cell, by the cell's address in memory."""

    def __init__(self) -> None:
        self.races: list[Race] = []
        self.task: Any = None
        self.count = 0
        self.arrays: dict[int, tuple[np.ndarray, int]] = {}  # kept alive, so that no later array reuses an address
        self.writers: dict[int, tuple[Any, Any]] = {}  # task and the number it wrote
        self.readers: dict[int, Any] = {}  # the first task that read it
        self.last_readers: dict[int, Any] = {}
        self.compared = 0

    def tasks(self, values: Iterable[Any], accumulated: tuple[str, ...]) -> Iterator[Any]:
        """Yield the values of a prange loop; of the `accumulated` arrays each thread has its own."""
        self.writers.clear()
        self.readers.clear()
        self.last_readers.clear()
        caller = sys._getframe(1).f_locals
        own = [id(caller[name]) for name in accumulated if name in caller]
        arrays = {id(value): (name, value) for name, value in caller.items() if _is_array_of_numbers(value)}
        shared = [_Snapshot(name, array) for key, (name, array) in arrays.items() if key not in own]
        for value in values:
            self.task = value
            yield value
            self._log_changes(shared)
        self.task = None

    def _log_changes(self, shared: Sequence[_Snapshot]) -> None:
        """Log what the task has written in the arrays that were there before the loop, whichever way it did so."""
        for snapshot in shared:
            self.compared += snapshot.array.size
            if self.compared > MAX_COMPARED:
                return
            traced = _TracedArray(self, snapshot.array, snapshot.name)
            for cell in snapshot.changed_cells():
                traced.written(traced.address(cell), cell, snapshot.array[cell], None)

    def traced(self, value: Any, name: str) -> Any:
        if not isinstance(value, np.ndarray) or self.task is None:
            return value
        self.count += 1
        if self.count > MAX_ACCESSES:
            raise _LogFullError
        return _TracedArray(self, value, name)


class _TracedArray:
    """Takes the place of an array where it is subscripted, and logs the access."""

    def __init__(self, log: _AccessLog, array: np.ndarray, name: str) -> None:
        self.log, self.array, self.name = log, array, name
        if id(array) not in log.arrays:
            log.arrays[id(array)] = array, array.ctypes.data

    def __getitem__(self, index: Any) -> Any:
        value = self.array[index]
        if not isinstance(value, np.ndarray):  # of a view, the cells that will be read are unknown
            task = self.log.task
            for address, cell in self._cells(index):
                writer, _ = self.log.writers.get(address, (task, None))
                self.log.readers.setdefault(address, task)
                self.log.last_readers[address] = task
                if writer != task:
                    self._add_race(cell, writer, task, reads=True)
        return value

    def __setitem__(self, index: Any, value: Any) -> None:
        self.array[index] = value
        written = np.asarray(self.array[index]).ravel()
        for (address, cell), number in zip(self._cells(index), written, strict=True):
            self.written(address, cell, number, self.log.last_readers.get(address) == self.log.task)

    def written(self, address: int, cell: tuple[int, ...], number: Any, reads_first: bool | None) -> None:
        """Log that the task has written a number into a cell."""
        task = self.log.task
        writer, before = self.log.writers.get(address, (task, number))
        self.log.writers[address] = task, number
        reader = self.log.readers.get(address, task)
        if writer != task and before != number:
            self._add_race(cell, writer, task, reads=False, reads_first=reads_first)
        elif reader != task:
            self._add_race(cell, task, reader, reads=True)

    def _cells(self, index: Any) -> Iterator[tuple[int, tuple[int, ...]]]:
        """Yield the address and the full index of every cell that a subscript selects."""
        array = self.array
        numbers = index if isinstance(index, tuple) else (index,)
        if len(numbers) == array.ndim and all(isinstance(n, int | np.integer) for n in numbers):
            # The fast path: most subscripts select a single cell.
            cells = [tuple(int(n) % length for n, length in zip(numbers, array.shape, strict=True))]
        else:
            selected = np.arange(array.size).reshape(array.shape)[index]
            cells = [tuple(int(n) for n in np.unravel_index(k, array.shape)) for k in np.ravel(selected)]
        for cell in cells:
            yield self.address(cell), cell

    def address(self, cell: tuple[int, ...]) -> int:
        """Return the address of a cell in memory."""
        _, start = self.log.arrays[id(self.array)]
        return start + sum(n * step for n, step in zip(cell, self.array.strides, strict=True))

    def _add_race(
        self, cell: tuple[int, ...], first: Any, second: Any, reads: bool, reads_first: bool | None = None
    ) -> None:
        """Keep the first race of each kind."""
        if all(race.reads != reads for race in self.log.races):
            self.log.races.append(Race(self.name, cell, self.array.shape, (first, second), reads, reads_first))


class _Snapshot:
    """An array that all tasks see, and what it held when the last of them ended."""

    def __init__(self, name: str, array: np.ndarray) -> None:
        self.name, self.array, self.before = name, array, array.copy()

    def changed_cells(self) -> list[tuple[int, ...]]:
        """Return the cells that have changed since the last call."""
        now, before = self.array, self.before
        changed = (now != before) & ~((now != now) & (before != before))  # a nan that stays is no change
        cells = [tuple(map(int, cell)) for cell in np.argwhere(changed)]
        if cells:
            self.before = now.copy()
        return cells


def _is_array_of_numbers(value: Any) -> bool:
    return isinstance(value, np.ndarray) and value.ndim > 0 and value.dtype.kind in "biufc"
