"""The pages of the API: one for each folder of minicoord, filled from the docstrings by autodoc."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import minicoord
from staging import ROOT, toctree

PACKAGE = ROOT / "minicoord"

LEFT_OUT = (
    "minicoord/dropin/",  # imports frameworks that need not be installed; its README has its place on the site
    "minicoord/bench/pytorch.py",
    "minicoord/learn/exercises/",  # the solutions
    "minicoord/learn/doors/pytest_option.py",  # these two run inside of another pytest
    "minicoord/learn/doors/test_your_work.py",
    "minicoord/__main__.py",
)
"""Files and folders without a page."""

HEAD = """# API

What stands in the docstrings, folder by folder. The names in this table can be imported from `minicoord` itself.

| name | where it is defined |
|---|---|
"""


def write_api(folder: Path) -> list[str]:
    """Write ``folder/index.md`` and a page for each package; return the names of the packages."""
    folder.mkdir(parents=True, exist_ok=True)
    packages = sorted(packages_of(PACKAGE))
    for package in packages:
        (folder / f"{package}.md").write_text(page_of(package, packages), encoding="utf-8")
    rows = [
        f"| {{py:obj}}`{name} <minicoord.{module}.{name}>` | {{py:mod}}`minicoord.{module}` |"
        for name, module in minicoord._MODULE_OF.items()
    ]
    rooms = [name for name in packages if name.count(".") == 1]
    (folder / "index.md").write_text(HEAD + "\n".join(rows) + "\n" + toctree(rooms), encoding="utf-8")
    return packages


def packages_of(folder: Path) -> Iterator[str]:
    """Yield the dotted name of each package below a folder that has a page."""
    for path in folder.rglob("__init__.py"):
        if path.parent != folder and not _left_out(path.parent, "/"):
            yield ".".join(path.parent.relative_to(ROOT).parts)


def page_of(package: str, packages: list[str]) -> str:
    """Return the page of a package: its docstring, then its files one after the other."""
    folder = ROOT.joinpath(*package.split("."))
    files = [path for path in sorted(folder.glob("*.py")) if path.name != "__init__.py" and not _left_out(path)]
    parts = [f"# {package}", "", _automodule(package, "")]
    for path in files:
        parts += [f"## {path.stem}", "", _automodule(f"{package}.{path.stem}", ":members:")]
    below = [name for name in packages if name.rpartition(".")[0] == package]
    return "\n".join(parts) + (toctree(below) if below else "")


def _left_out(path: Path, end: str = "") -> bool:
    name = path.relative_to(ROOT).as_posix() + end
    return any(name.startswith(start) for start in LEFT_OUT)


def _automodule(name: str, options: str) -> str:
    lines = ["```{eval-rst}", f".. automodule:: {name}", *([f"   {options}"] if options else []), "```", ""]
    return "\n".join(lines)
