"""Where the answer to an exercise stands in a text of Python; nothing of the text is run."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from minicoord.learn.definition.course import exercise_ids

WRITTEN = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
AT_MARGIN = r"(?m)^(?:async\s+def|def|class)\s+{name}\b"


def defined(source: str, cell: bool = False) -> list[str]:
    """Return the ids of the exercises that a text has an answer to, whether or not it is Python.

    Parameters
    ----------
    source : str
    cell : bool
        Whether it is a cell of a notebook that no tag marks. There only what is written as a function counts: cells
        keep results in names such as ``iou``, and import functions of minicoord that are called like exercises.
    """
    tree = _parsed(source)
    if tree is None:
        names = re.findall(AT_MARGIN.format(name=r"(\w+)"), source)
    else:
        names = [name for node in _running(tree.body) for name in _names(node, cell)]
    ids = exercise_ids()
    return [name for name in dict.fromkeys(names) if name in ids]


def extent(source: str, id: str) -> tuple[int, int]:
    r"""Return the first line of the last answer to an exercise, decorators included, and the line after it, from 0.

    Lines end with ``\n`` and nowhere else, as in `ast`. In a text that is not Python a function ends where the next
    line begins at the margin.

    Raises
    ------
    ValueError
        If there is none, or it stands within another statement.
    """
    tree = _parsed(source)
    if tree is None:
        return _extent_of_broken(source.split("\n"), id)
    node = _last(tree, id)
    if node is None:
        raise ValueError(f"there is no {id}")
    if node not in tree.body:
        raise ValueError(f"{id} stands within another statement, in line {node.lineno}")
    decorators = node.decorator_list if isinstance(node, WRITTEN) else []
    first = min([node.lineno, *(decorator.lineno for decorator in decorators)])
    return first - 1, node.end_lineno or node.lineno


def is_stub(source: str, id: str) -> bool:
    """Whether the last answer to an exercise is a docstring and ``raise NotImplementedError``."""
    tree = _parsed(source)
    node = _last_of_broken(source, id) if tree is None else _last(tree, id)
    if not isinstance(node, ast.FunctionDef):
        return False
    body = node.body[1:] if ast.get_docstring(node) is not None else node.body
    return len(body) == 1 and isinstance(body[0], ast.Raise) and "NotImplementedError" in ast.unparse(body[0])


def _parsed(source: str) -> ast.Module | None:
    """Return the tree of a text, or None if it is not Python."""
    try:
        return ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):  # ValueError: a null character
        return None


def _running(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Yield the statements that run when a text is loaded: at the margin, and under ``if``, ``try`` or ``with``."""
    for node in body:
        yield node
        if not isinstance(node, WRITTEN) and not _is_script(node):
            for part in ast.iter_child_nodes(node):
                if isinstance(part, ast.stmt):
                    yield from _running([part])
                elif isinstance(part, ast.ExceptHandler | ast.match_case):
                    yield from _running(part.body)


def _is_script(node: ast.stmt) -> bool:
    """Whether it is ``if __name__ == "__main__"``, which does not run when a text is loaded."""
    return isinstance(node, ast.If) and "__name__" in ast.unparse(node.test)


def _names(node: ast.stmt, cell: bool) -> set[str]:
    """Return the names that a statement gives to what may be an answer."""
    if isinstance(node, WRITTEN):
        return {node.name}
    if isinstance(node, ast.ImportFrom) and not cell and (node.module or "").split(".")[0] != "minicoord":
        return {alias.asname or alias.name for alias in node.names}
    if not isinstance(node, ast.Assign | ast.AnnAssign) or node.value is None:
        return set()
    if cell and not isinstance(node.value, ast.Lambda):
        return set()
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    given = {part.id for target in targets for part in ast.walk(target) if isinstance(part, ast.Name)}
    used = {part.id for part in ast.walk(node.value) if isinstance(part, ast.Name)}
    # Not `f = yours_or_ours("f")`, and not `f = njit(f)`: the answer is the f before it.
    return set() if "yours_or_ours" in used else given - used


def _last(tree: ast.Module, id: str) -> ast.stmt | None:
    nodes = [node for node in _running(tree.body) if id in _names(node, cell=False)]
    return max(nodes, key=lambda node: node.lineno, default=None)


def _last_of_broken(source: str, id: str) -> ast.stmt | None:
    """Return the last function of a name where the rest of the text is not Python."""
    lines = source.split("\n")
    try:
        first, last = _extent_of_broken(lines, id)
    except ValueError:
        return None
    tree = _parsed("\n".join(lines[first:last]))
    return None if tree is None else _last(tree, id)


def _extent_of_broken(lines: list[str], id: str) -> tuple[int, int]:
    begins = [k for k, line in enumerate(lines) if re.match(AT_MARGIN.format(name=id), line)]
    if not begins:
        raise ValueError(f"there is no {id}")
    first = begins[-1]
    rest = range(first + 1, len(lines))
    last = next((k for k in rest if lines[k][:1] not in ("", " ", "\t", ")", "]", "}", "#")), len(lines))
    while last > first + 1 and not lines[last - 1].startswith((" ", "\t")):
        last -= 1
    return first, last
