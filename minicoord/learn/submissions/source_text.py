"""Finding the answer to an exercise in Python source, without running it."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterator
from difflib import get_close_matches

from minicoord.learn.definition.course import exercise_ids

DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
DEFINED_AT_MARGIN = r"(?m)^(?:async\s+def|def|class)\s+{name}\b"


def answered_ids(source: str, cell: bool = False) -> list[str]:
    """Return the ids of the exercises that source code answers, even if it has a syntax error.

    Parameters
    ----------
    source : str
    cell : bool
        Whether it is an untagged cell of a notebook. In these only function definitions count: cells keep results in
        names such as ``iou``, and import functions of minicoord that have the names of exercises.
    """
    tree = parsed(source)
    if tree is None:
        names = re.findall(DEFINED_AT_MARGIN.format(name=r"(\w+)"), source)
    else:
        names = [name for node in _executed(tree.body) for name in _names(node, cell)]
    ids = exercise_ids()
    return [name for name in dict.fromkeys(names) if name in ids]


def line_range(source: str, id: str) -> tuple[int, int]:
    r"""Return the line range of the last answer to an exercise, decorators included: counted from 0, end exclusive.

    Lines end with ``\n`` and nowhere else, as in `ast`. In source with a syntax error, a function ends where the next
    line begins at the margin.

    Raises
    ------
    ValueError
        If there is no answer, or it is part of another statement.
    """
    tree = parsed(source)
    if tree is None:
        return _line_range_of_broken(source.split("\n"), id)
    node = _last_definition(tree, id)
    if node is None:
        raise ValueError(f"there is no {id}")
    if node not in tree.body:
        raise ValueError(f"{id} is part of another statement, in line {node.lineno}")
    decorators = node.decorator_list if isinstance(node, DEFINITIONS) else []
    first = min([node.lineno, *(decorator.lineno for decorator in decorators)])
    return first - 1, node.end_lineno or node.lineno


def is_stub(source: str, id: str) -> bool:
    """Whether the last answer to an exercise is still a docstring and ``raise NotImplementedError``."""
    tree = parsed(source)
    node = _last_definition_of_broken(source, id) if tree is None else _last_definition(tree, id)
    if not isinstance(node, ast.FunctionDef):
        return False
    body = node.body[1:] if ast.get_docstring(node) is not None else node.body
    return len(body) == 1 and isinstance(body[0], ast.Raise) and "NotImplementedError" in ast.unparse(body[0])


def is_blank(source: str) -> bool:
    """Whether source code does nothing: it is empty, or has comments only."""
    tree = parsed(source)
    return tree is not None and not tree.body


def defined_functions(source: str) -> list[str]:
    """Return the names of the functions that source code defines when it is loaded; none if it has a syntax error."""
    tree = parsed(source)
    nodes = [] if tree is None else _executed(tree.body)
    return [node.name for node in nodes if isinstance(node, ast.FunctionDef)]


def nearest_id(name: str) -> str | None:
    """Return the exercise that a function was meant for, where its name is nearly that of the exercise.

    Examples
    --------
    >>> nearest_id("pixelindex"), nearest_id("AddCoord"), nearest_id("helper")
    ('pixel_index', 'add_coords', None)
    """
    plain = {id.replace("_", ""): id for id in exercise_ids()}
    near = get_close_matches(name.replace("_", "").lower(), plain, n=1, cutoff=0.88)
    return plain[near[0]] if near else None


def syntax_error(source: str) -> SyntaxError | None:
    """Return the syntax error of source code, or None if there is none."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of odd escapes, for example, which are no errors
            compile(source, "<answers>", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
    except SyntaxError as error:
        if error.text is None and error.lineno:  # Python takes it from the file
            error.text = source.split("\n")[error.lineno - 1]
        return error
    except (ValueError, RecursionError, MemoryError):  # ValueError: a null character
        return SyntaxError("it is no source code of Python")
    return None


def parsed(source: str) -> ast.Module | None:
    """Return the syntax tree of source code, or None if it has a syntax error."""
    try:
        return ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):  # ValueError: a null character
        return None


def _executed(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Yield the statements that run when source is loaded: at the margin, and under ``if``, ``try`` or ``with``."""
    for node in body:
        yield node
        if not isinstance(node, DEFINITIONS) and not _is_script(node):
            for part in ast.iter_child_nodes(node):
                if isinstance(part, ast.stmt):
                    yield from _executed([part])
                elif isinstance(part, ast.ExceptHandler | ast.match_case):
                    yield from _executed(part.body)


def _is_script(node: ast.stmt) -> bool:
    """Whether it is ``if __name__ == "__main__"``, which does not run when source is loaded."""
    return isinstance(node, ast.If) and "__name__" in ast.unparse(node.test)


def _names(node: ast.stmt, cell: bool) -> set[str]:
    """Return the names that a statement binds to something that may be an answer."""
    if isinstance(node, DEFINITIONS):
        return {node.name}
    if isinstance(node, ast.ImportFrom) and not cell and (node.module or "").split(".")[0] != "minicoord":
        return {alias.asname or alias.name for alias in node.names}
    if not isinstance(node, ast.Assign | ast.AnnAssign) or node.value is None:
        return set()
    if cell and not isinstance(node.value, ast.Lambda):
        return set()
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    assigned = {part.id for target in targets for part in ast.walk(target) if isinstance(part, ast.Name)}
    used = {part.id for part in ast.walk(node.value) if isinstance(part, ast.Name)}
    # Neither `f = yours_or_ours("f")` nor `f = njit(f)`, where the answer is the earlier f.
    return set() if "yours_or_ours" in used else assigned - used


def _last_definition(tree: ast.Module, id: str) -> ast.stmt | None:
    nodes = [node for node in _executed(tree.body) if id in _names(node, cell=False)]
    return max(nodes, key=lambda node: node.lineno, default=None)


def _last_definition_of_broken(source: str, id: str) -> ast.stmt | None:
    """Return the last definition of a name where the rest of the source has a syntax error."""
    lines = source.split("\n")
    try:
        first, last = _line_range_of_broken(lines, id)
    except ValueError:
        return None
    tree = parsed("\n".join(lines[first:last]))
    return None if tree is None else _last_definition(tree, id)


def _line_range_of_broken(lines: list[str], id: str) -> tuple[int, int]:
    begins = [k for k, line in enumerate(lines) if re.match(DEFINED_AT_MARGIN.format(name=id), line)]
    if not begins:
        raise ValueError(f"there is no {id}")
    first = begins[-1]
    rest = range(first + 1, len(lines))
    last = next((k for k in rest if lines[k][:1] not in ("", " ", "\t", ")", "]", "}", "#")), len(lines))
    while last > first + 1 and not lines[last - 1].startswith((" ", "\t")):
        last -= 1
    return first, last
