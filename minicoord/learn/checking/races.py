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
import textwrap
from collections.abc import Callable
from typing import Any

import numpy as np

from minicoord.learn.checking.access_log import AccessLog, Race
from minicoord.learn.checking.bytecode import learners_function
from minicoord.learn.checking.loop_carried import accumulated_variables, loop_carried_variables

LOG = "__minicoord_access_log"
"""The name of the log in the rewritten code."""


def find_race(function: Callable[..., Any], args: tuple[Any, ...]) -> Race | None:
    """Run a function as plain Python, and return the first race in its ``prange`` loops, or None.

    None is also returned if the source cannot be read. Logging stops after `MAX_ACCESSES` subscripts. Two tasks that
    write a cell are reported before a task that reads one.
    """
    log = AccessLog()
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


def _traced(function: Callable[..., Any], definition: ast.FunctionDef, log: AccessLog) -> Callable[..., Any] | None:
    """Return a copy of the function that logs the subscripts in its ``prange`` loops; None if it has no such loop."""
    rewriter = _Rewriter()
    tree = ast.Module([rewriter.visit(definition)], [])
    if not rewriter.loops:
        return None
    log.races += [Race(name, (), (), ("", ""), reads=True) for name in rewriter.carried]
    ast.fix_missing_locations(tree)
    return _compiled(function, tree, definition.name, log, [function])


def _compiled(
    function: Callable[..., Any], tree: ast.Module, name: str, log: AccessLog, known: list[Callable[..., Any]]
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


def _traced_helper(helper: Callable[..., Any], log: AccessLog, known: list[Callable[..., Any]]) -> Callable[..., Any]:
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
