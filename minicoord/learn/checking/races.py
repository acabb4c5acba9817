"""Races found without threads: which cells do the tasks of a ``prange`` loop write?

Two threads that write the same cell may do no harm in a thousand runs. So the function runs once as Python, task after
task, with every subscript in a ``prange`` loop noted: which task wrote the cell, and which one read it. Two tasks that
leave different numbers in one cell race, and so do one that reads and one that writes it.

``total += x[i]`` in a plain variable is no race: Numba gives each thread a total of its own, and adds them at the end.
To read the running total in the loop is one. That shows in the code without running it: see `loop_carried`.
"""

from __future__ import annotations

import ast
import contextlib
import inspect
import textwrap
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from minicoord.learn.checking.bytecode import learners_function
from minicoord.learn.checking.loop_carried import carried_variables

NOTES = "__minicoord_notes"
MOST_NOTES = 50_000


@dataclass(frozen=True)
class Race:
    """Two tasks of one loop that meet in a cell.

    Attributes
    ----------
    array : str
        What the array is called in the code, or the plain variable.
    index : tuple of int
        Empty for a plain variable.
    shape : tuple of int
        Of the array.
    tasks : tuple
        The values of the loop's variable, of both tasks; empty strings for a plain variable.
    reads : bool
        Whether the second one reads the cell; else it writes it.
    """

    array: str
    index: tuple[int, ...]
    shape: tuple[int, ...]
    tasks: tuple[Any, Any]
    reads: bool

    def __str__(self) -> str:
        if not self.index:
            return (
                f"In the prange loop {self.array} is read that other tasks change; every thread has {self.array} "
                "for itself."
            )
        cell = f"{self.array}[{', '.join(map(str, self.index))}]"
        first, second = self.tasks
        if self.reads:
            return f"Task {second} of the prange loop reads {cell}, which task {first} writes."
        return f"Tasks {first} and {second} of the prange loop both write {cell}."


def find_race(function: Callable[..., Any], args: tuple[Any, ...]) -> Race | None:
    """Run a function as Python, and return the first race in its ``prange`` loops, or None.

    None, too, if its source cannot be read. After many subscripts it stops looking. Of two tasks that write a cell, and
    one that reads it, the two are told.
    """
    notes = _Notes()
    try:
        definition = _definition(function)
        noted = _with_notes(function, definition, notes)
        if noted is not None:
            with np.errstate(all="ignore"):
                noted(*args)
    except Exception:  # what it raises has been told by then; or enough was seen
        pass
    return min(notes.races, key=lambda race: race.reads, default=None)


def _definition(function: Callable[..., Any]) -> ast.FunctionDef:
    """Return the syntax tree of a function without its decorators."""
    definition = ast.parse(textwrap.dedent(inspect.getsource(function))).body[0]
    if not isinstance(definition, ast.FunctionDef):
        raise TypeError("a lambda has no statements")
    definition.decorator_list = []
    return definition


def _with_notes(function: Callable[..., Any], definition: ast.FunctionDef, notes: _Notes) -> Callable[..., Any] | None:
    """Return a copy of the function that notes its subscripts in ``prange`` loops; None if it has no such loop."""
    rewriter = _Rewriter()
    tree = ast.Module([rewriter.visit(definition)], [])
    if not rewriter.loops:
        return None
    notes.races += [Race(name, (), (), ("", ""), reads=True) for name in rewriter.carried]
    ast.fix_missing_locations(tree)
    return _run_tree(function, tree, definition.name, notes, [function])


def _run_tree(
    function: Callable[..., Any], tree: ast.Module, name: str, notes: _Notes, known: list[Callable[..., Any]]
) -> Callable[..., Any]:
    """Return what a tree makes of a function, with those of the learner's that it calls noting their subscripts too."""
    variables = inspect.getclosurevars(function)
    namespace = {**function.__globals__, **variables.nonlocals, NOTES: notes}
    for called, value in {**variables.globals, **variables.nonlocals}.items():
        helper = learners_function(value)
        if helper is not None and helper not in known:
            with contextlib.suppress(Exception):  # without its source it goes on as it is
                namespace[called] = _helper_with_notes(helper, notes, [*known, helper])
    exec(compile(tree, "<looking for races>", "exec"), namespace)
    return namespace[name]


def _helper_with_notes(
    helper: Callable[..., Any], notes: _Notes, known: list[Callable[..., Any]]
) -> Callable[..., Any]:
    """Return a copy of a function that a task may call: it notes all of its subscripts, and a prange is a range."""
    definition = _definition(helper)
    tree = ast.fix_missing_locations(ast.Module([_Rewriter(inside=True).visit(definition)], []))
    return _run_tree(helper, tree, definition.name, notes, known)


class _Rewriter(ast.NodeTransformer):
    """Sends the outermost prange loops, and the subscripts in them, through the notes."""

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
        self.carried += carried_variables(node)
        self.inside = True
        node = self.generic_visit(node)  # type: ignore[assignment]
        self.inside = False
        node.iter = _call("tasks", node.iter)
        return node

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        if not self.inside:
            return self.generic_visit(node)
        name = ast.unparse(node.value)
        self.generic_visit(node)
        node.value = _call("noted", node.value, ast.Constant(name))
        return node


def _call(method: str, *arguments: ast.expr) -> ast.Call:
    notes = ast.Name(NOTES, ast.Load())
    return ast.Call(ast.Attribute(notes, method, ast.Load()), list(arguments), [])


class _EnoughError(Exception):
    """Looking longer would take too long."""


class _Notes:
    """Who wrote and who read which cell, by its address in memory."""

    def __init__(self) -> None:
        self.races: list[Race] = []
        self.task: Any = None
        self.count = 0
        self.kept: dict[int, tuple[np.ndarray, int]] = {}  # alive, so that no later array gets the same addresses
        self.writers: dict[int, tuple[Any, Any]] = {}
        self.readers: dict[int, Any] = {}

    def tasks(self, values: Iterable[Any]) -> Iterator[Any]:
        self.writers.clear()
        self.readers.clear()
        for value in values:
            self.task = value
            yield value
        self.task = None

    def noted(self, value: Any, name: str) -> Any:
        if not isinstance(value, np.ndarray) or self.task is None:
            return value
        self.count += 1
        if self.count > MOST_NOTES:
            raise _EnoughError
        return _NotedArray(self, value, name)


class _NotedArray:
    """Stands for an array where it is subscripted."""

    def __init__(self, notes: _Notes, array: np.ndarray, name: str) -> None:
        self.notes, self.array, self.name = notes, array, name
        if id(array) not in notes.kept:
            notes.kept[id(array)] = array, array.ctypes.data

    def __getitem__(self, index: Any) -> Any:
        value = self.array[index]
        if not isinstance(value, np.ndarray):  # of a view it is not known which cells are read
            task = self.notes.task
            for address, place in self._cells(index):
                writer, _ = self.notes.writers.get(address, (task, None))
                self.notes.readers.setdefault(address, task)
                if writer != task:
                    self._meet(place, writer, task, reads=True)
        return value

    def __setitem__(self, index: Any, value: Any) -> None:
        self.array[index] = value
        task = self.notes.task
        left = np.asarray(self.array[index]).ravel()
        for (address, place), number in zip(self._cells(index), left, strict=True):
            writer, before = self.notes.writers.get(address, (task, number))
            self.notes.writers[address] = task, number
            reader = self.notes.readers.get(address, task)
            if writer != task and before != number:
                self._meet(place, writer, task, reads=False)
            elif reader != task:
                self._meet(place, task, reader, reads=True)

    def _cells(self, index: Any) -> Iterator[tuple[int, tuple[int, ...]]]:
        """Yield the address and the place of every cell that an index means."""
        array = self.array
        _, start = self.notes.kept[id(array)]
        numbers = index if isinstance(index, tuple) else (index,)
        if len(numbers) == array.ndim and all(isinstance(n, int | np.integer) for n in numbers):
            places = [
                tuple(int(n) % length for n, length in zip(numbers, array.shape, strict=True))
            ]  # one, and quickly
        else:
            chosen = np.arange(array.size).reshape(array.shape)[index]
            places = [tuple(int(n) for n in np.unravel_index(k, array.shape)) for k in np.ravel(chosen)]
        for place in places:
            yield start + sum(n * step for n, step in zip(place, array.strides, strict=True)), place

    def _meet(self, place: tuple[int, ...], first: Any, second: Any, reads: bool) -> None:
        """Note a race; of each kind the first is enough."""
        if all(race.reads != reads for race in self.notes.races):
            self.notes.races.append(Race(self.name, place, self.array.shape, (first, second), reads))
