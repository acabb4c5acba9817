"""Names that a cell uses without defining them: what other cells import comes along with it, and nothing else does."""

from __future__ import annotations

import ast
import builtins
import symtable
from collections.abc import Iterable, Iterator

from minicoord.learn.submissions.source_text import parsed

OF_JUPYTER = frozenset({"display", "get_ipython"})
"""What every cell can call without an import."""


def free_names(source: str) -> set[str]:
    """Return the names that code uses and does not define; none if it has a syntax error.

    Examples
    --------
    >>> free_names("def scaled(x): return np.multiply(x, FACTOR)") == {"np", "FACTOR"}
    True
    """
    try:
        table = symtable.symtable(source, "<cell>", "exec")
    except (SyntaxError, ValueError, RecursionError, MemoryError):  # ValueError: a null character
        return set()
    tables = list(_with_children(table))
    defined = {name for each in tables for name in _defined_globals(each)}
    used = {name for each in tables for name in _used_globals(each)}
    return used - defined - set(dir(builtins)) - OF_JUPYTER


def imports_of(names: set[str], sources: Iterable[str]) -> str:
    """Return those import statements of other cells that define one of the names, or perhaps do, as ``*``."""
    lines = [line for source in sources for line in _imports(names, source)] if names else []
    return "\n".join(dict.fromkeys(lines))


def _imports(names: set[str], source: str) -> Iterator[str]:
    tree = parsed(source)
    for node in tree.body if tree is not None else ():
        if isinstance(node, ast.Import):
            aliases = [a for a in node.names if (a.asname or a.name.split(".")[0]) in names]
            yield from [ast.unparse(ast.Import(aliases))] if aliases else []
        elif isinstance(node, ast.ImportFrom) and node.module != "__future__":
            aliases = [a for a in node.names if (a.asname or a.name) in {*names, "*"}]
            yield from [ast.unparse(ast.ImportFrom(node.module, aliases, node.level))] if aliases else []


def _with_children(table: symtable.SymbolTable) -> Iterator[symtable.SymbolTable]:
    yield table
    for child in table.get_children():
        yield from _with_children(child)


def _defined_globals(table: symtable.SymbolTable) -> Iterator[str]:
    for symbol in table.get_symbols():
        is_global = table.get_type() == "module" or symbol.is_declared_global()
        if is_global and (symbol.is_assigned() or symbol.is_imported()):
            yield symbol.get_name()


def _used_globals(table: symtable.SymbolTable) -> Iterator[str]:
    for symbol in table.get_symbols():
        if symbol.is_referenced() and (table.get_type() == "module" or symbol.is_global()):
            yield symbol.get_name()
