"""Loop-carried variables: plain variables whose value one task of a ``prange`` loop takes over from another.

They show in the code without running it. A task may use a variable of its own, which it assigns first. It may also add
to a variable that all tasks share, as in ``total += x``, ``total = total + x`` or ``best = max(best, x)``: this is a
reduction, for which Numba gives each thread a variable of its own and combines them at the end. Any other use of a
value that an earlier task left behind depends on the number of threads.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, field

Position = tuple[int, int]
"""Line and column in the source."""


@dataclass
class _Uses:
    """Where a variable is assigned, read, or accumulated into."""

    assigned: list[Position] = field(default_factory=list)
    read: list[Position] = field(default_factory=list)
    accumulated: list[Position] = field(default_factory=list)

    def is_carried(self) -> bool:
        uses = [*self.read, *self.accumulated]
        if not uses or not (self.assigned or self.accumulated):
            return False
        if self.assigned and min(self.assigned) <= min(uses):
            return False  # each task assigns it before using it
        return bool(self.assigned or self.read)


class _UseCollector(ast.NodeVisitor):
    def __init__(self) -> None:
        self.variables: dict[str, _Uses] = {}

    def visit_Name(self, node: ast.Name) -> None:
        uses = self._uses(node.id)
        (uses.read if isinstance(node.ctx, ast.Load) else uses.assigned).append((node.lineno, node.col_offset))

    def visit(self, node: ast.AST) -> None:
        if not isinstance(node, ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp):
            super().visit(node)
            return
        inner = _UseCollector()  # a comprehension has variables of its own
        inner.generic_visit(node)
        for name, uses in inner.variables.items():
            if not uses.assigned:
                self._uses(name).read += uses.read

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        self.visit(node.value)
        if isinstance(node.target, ast.Name):
            self._accumulate(node.target)
        else:
            self.visit(node.target)

    def visit_Assign(self, node: ast.Assign) -> None:
        target = node.targets[0]
        operands = _operands(node.value)
        if isinstance(target, ast.Name) and any(_is_same_name(target, operand) for operand in operands):
            for operand in operands:
                if not _is_same_name(target, operand):
                    self.visit(operand)
            self._accumulate(target)
            return
        self.visit(node.value)
        for target in node.targets:
            for name in ast.walk(target):
                if isinstance(name, ast.Name) and isinstance(name.ctx, ast.Store):  # assigned at the statement's end
                    end = node.end_lineno or node.lineno, node.end_col_offset or 0
                    self._uses(name.id).assigned.append(end)
                elif isinstance(name, ast.Name):
                    self.visit(name)

    def _accumulate(self, target: ast.Name) -> None:
        self._uses(target.id).accumulated.append((target.lineno, target.col_offset))

    def _uses(self, name: str) -> _Uses:
        return self.variables.setdefault(name, _Uses())


def loop_carried_variables(loop: ast.For) -> list[str]:
    """Return the names of the plain variables that tasks of this loop take over from other tasks.

    Examples
    --------
    >>> loop = ast.parse("for i in prange(n): total += x[i]; running[i] = total").body[0]
    >>> loop_carried_variables(loop)
    ['total']
    """
    collector = _UseCollector()
    for statement in loop.body:
        collector.visit(statement)
    return sorted(name for name, uses in collector.variables.items() if uses.is_carried())


def accumulated_variables(loop: ast.For) -> list[str]:
    """Return the names of the variables that tasks of this loop add to: each thread has its own, also of arrays.

    Examples
    --------
    >>> accumulated_variables(ast.parse("for i in prange(n): total += x[i]; y[i] += 1").body[0])
    ['total']
    """
    collector = _UseCollector()
    for statement in loop.body:
        collector.visit(statement)
    return sorted(name for name, uses in collector.variables.items() if uses.accumulated)


def _operands(value: ast.expr) -> list[ast.expr]:
    """Return a and b of ``a + b`` or ``max(a, b)``."""
    if isinstance(value, ast.BinOp):
        return [value.left, value.right]
    if isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.func.id in ("min", "max"):
        return value.args
    return []


def _is_same_name(target: ast.Name, operand: ast.expr) -> bool:
    return isinstance(operand, ast.Name) and operand.id == target.id
