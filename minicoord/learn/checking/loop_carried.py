"""Plain variables that one task of a loop gets from another, found in the code without running it.

A task may change a variable of its own, which it gives a value first. It may add to a variable of all tasks, as in
``total += x``, ``total = total + x`` or ``best = max(best, x)``: Numba then gives each thread a variable of its own,
and brings them together at the end. Whatever else reads what an earlier task left depends on the number of threads.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, field

Place = tuple[int, int]


@dataclass
class _Uses:
    """Where a variable is given a value, read, or added to."""

    given: list[Place] = field(default_factory=list)
    read: list[Place] = field(default_factory=list)
    summed: list[Place] = field(default_factory=list)

    def is_carried(self) -> bool:
        uses = [*self.read, *self.summed]
        if not uses or not (self.given or self.summed):
            return False
        if self.given and min(self.given) <= min(uses):
            return False  # each task gives it a value before it uses it
        return bool(self.given or self.read)


class _Collector(ast.NodeVisitor):
    def __init__(self) -> None:
        self.variables: dict[str, _Uses] = {}

    def visit_Name(self, node: ast.Name) -> None:
        uses = self.variables.setdefault(node.id, _Uses())
        (uses.read if isinstance(node.ctx, ast.Load) else uses.given).append((node.lineno, node.col_offset))

    def visit(self, node: ast.AST) -> None:
        if not isinstance(node, ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp):
            super().visit(node)
            return
        inside = _Collector()  # it has variables of its own
        inside.generic_visit(node)
        for name, uses in inside.variables.items():
            if not uses.given:
                self.variables.setdefault(name, _Uses()).read += uses.read

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        self.visit(node.value)
        if isinstance(node.target, ast.Name):
            self._sum(node.target)
        else:
            self.visit(node.target)

    def visit_Assign(self, node: ast.Assign) -> None:
        target = node.targets[0]
        operands = _operands(node.value)
        if isinstance(target, ast.Name) and any(_is(target, operand) for operand in operands):
            for operand in operands:
                if not _is(target, operand):
                    self.visit(operand)
            self._sum(target)
            return
        self.visit(node.value)
        for target in node.targets:
            for name in ast.walk(target):
                if isinstance(name, ast.Name) and isinstance(name.ctx, ast.Store):  # it has the value only after that
                    end = node.end_lineno or node.lineno, node.end_col_offset or 0
                    self.variables.setdefault(name.id, _Uses()).given.append(end)
                elif isinstance(name, ast.Name):
                    self.visit(name)

    def _sum(self, target: ast.Name) -> None:
        self.variables.setdefault(target.id, _Uses()).summed.append((target.lineno, target.col_offset))


def carried_variables(loop: ast.For) -> list[str]:
    """Return the names of the plain variables that tasks of this loop get from other tasks.

    Examples
    --------
    >>> loop = ast.parse("for i in prange(n): total += x[i]; running[i] = total").body[0]
    >>> carried_variables(loop)
    ['total']
    """
    collector = _Collector()
    for statement in loop.body:
        collector.visit(statement)
    return sorted(name for name, uses in collector.variables.items() if uses.is_carried())


def _operands(value: ast.expr) -> list[ast.expr]:
    """Return a and b of ``a + b`` or ``max(a, b)``."""
    if isinstance(value, ast.BinOp):
        return [value.left, value.right]
    if isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.func.id in ("min", "max"):
        return value.args
    return []


def _is(target: ast.Name, operand: ast.expr) -> bool:
    return isinstance(operand, ast.Name) and operand.id == target.id
