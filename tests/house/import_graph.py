"""The real imports of a package, read from its sources: at the top of a file, inside functions, for type checkers."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple


class Arrow(NamedTuple):
    """One file imports another: ``minicoord.nn.model`` on line 12 imports ``minicoord.kernels.backend.checks``."""

    source: str
    line: int
    target: str

    def __str__(self) -> str:
        return f"{self.source}:{self.line} imports {self.target}"


def files_of(package: Path) -> dict[str, Path]:
    """Return the dotted name and the path of each file of a package; a folder is named for its ``__init__.py``."""
    found = {}
    for path in sorted(package.rglob("*.py")):
        parts = path.relative_to(package.parent).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


class Imports:
    """What the files of a package import from each other.

    An ``__init__.py`` with a table ``_MODULE_OF`` is a door: it loads a name from its file when it is first asked for.
    Whoever imports a name there imports that file; the door itself imports nothing.
    """

    def __init__(self, package: Path) -> None:
        self.root = package.name
        self.files = files_of(package)
        trees = {name: ast.parse(path.read_text(encoding="utf-8")) for name, path in self.files.items()}
        self.tables = {name: table for name, tree in trees.items() if (table := _table(tree)) is not None}
        found = {a for name, tree in trees.items() if name not in self.tables for a in self._arrows(name, tree)}
        self.arrows = sorted(arrow for arrow in found if arrow.source != arrow.target)

    def _arrows(self, source: str, tree: ast.Module) -> Iterator[Arrow]:
        nodes = list(ast.walk(tree))
        inner = {id(node.value) for node in nodes if isinstance(node, ast.Attribute)}  # a.b is part of a.b.c
        for node in (node for node in nodes if id(node) not in inner):
            for target in self._targets(source, node):
                yield Arrow(source, node.lineno, target)  # type: ignore[attr-defined]

    def _targets(self, source: str, node: ast.AST) -> Iterator[str]:
        if isinstance(node, ast.Import):
            names = (alias.name for alias in node.names)
            yield from (name for name in names if name in self.files and name != self.root)
        elif isinstance(node, ast.ImportFrom):
            module = self._absolute(source, node)
            if module in self.files:
                yield from filter(None, (self.resolve(f"{module}.{alias.name}") for alias in node.names))
        elif isinstance(node, ast.Attribute):
            chain = ast.unparse(node)
            if chain.startswith(f"{self.root}."):  # after "import minicoord"
                yield from filter(None, [self.resolve(chain)])
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith("import_module"):
            name = node.args[0] if node.args else None
            if isinstance(name, ast.Constant) and name.value in self.files:
                yield name.value

    def _absolute(self, source: str, node: ast.ImportFrom) -> str:
        if not node.level:
            return node.module or ""
        is_folder = self.files[source].name == "__init__.py"
        base = source.split(".")[: None if is_folder and node.level == 1 else is_folder - node.level]
        return ".".join([*base, *([node.module] if node.module else [])])

    def resolve(self, name: str) -> str | None:
        """Return the file that a dotted name leads to; None for ``minicoord.__version__`` and its like."""
        parts = name.split(".")
        for k in range(len(parts), 0, -1):
            module, rest = ".".join(parts[:k]), parts[k:]
            if module in self.files:
                if rest and rest[0] in self.tables.get(module, {}):
                    return f"{module}.{self.tables[module][rest[0]]}"
                if module == self.root and rest and rest[0].startswith("__"):
                    return None
                return module
        return None


def _table(tree: ast.Module) -> dict[str, str] | None:
    for node in tree.body:
        if isinstance(node, ast.Assign) and [ast.unparse(target) for target in node.targets] == ["_MODULE_OF"]:
            return ast.literal_eval(node.value)
    return None


def circles(arrows: Iterable[Arrow]) -> list[list[str]]:
    """Return the groups of files each of which leads back to itself over the others, smallest first (Tarjan)."""
    after: dict[str, set[str]] = {}
    for arrow in arrows:
        after.setdefault(arrow.source, set()).add(arrow.target)
    number: dict[str, int] = {}
    low: dict[str, int] = {}
    path: list[str] = []
    found: list[list[str]] = []

    def visit(name: str) -> None:
        number[name] = low[name] = len(number)
        path.append(name)
        for target in sorted(after.get(name, ())):
            if target not in number:
                visit(target)
                low[name] = min(low[name], low[target])
            elif target in path:
                low[name] = min(low[name], number[target])
        if low[name] == number[name]:
            group = path[path.index(name) :]
            del path[path.index(name) :]
            if len(group) > 1:
                found.append(sorted(group))

    for name in sorted(after):
        if name not in number:
            visit(name)
    return sorted(found, key=len)
