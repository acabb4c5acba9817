"""The pages of the API: one for each folder of minicoord, filled from the docstrings by autodoc."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from staging import ROOT, toctree

import minicoord

PACKAGE = ROOT / "minicoord"

ROOMS = ("nn", "train", "datasets", "kernels", "reference", "plots", "experiments")
"""The folders that have pages, in the order of the navigation: the library, without the course and the commands."""

HEAD = """# API

What stands in the docstrings, folder by folder. The names in this table can be imported from `minicoord` itself.

| name | where it is defined |
|---|---|
"""


def write_api(folder: Path) -> list[str]:
    """Write ``folder/index.md`` and a page for each package; return the names of the packages."""
    folder.mkdir(parents=True, exist_ok=True)
    packages = [package for room in ROOMS for package in packages_of(PACKAGE / room)]
    for package in packages:
        (folder / f"{package}.md").write_text(page_of(package, packages), encoding="utf-8")
    rows = [
        f"| {{py:obj}}`{name} <minicoord.{module}.{name}>` | {{py:mod}}`minicoord.{module}` |"
        for name, module in minicoord._MODULE_OF.items()
    ]
    rooms = [f"minicoord.{room}" for room in ROOMS]
    (folder / "index.md").write_text(HEAD + "\n".join(rows) + "\n" + toctree(rooms), encoding="utf-8")
    return packages


def packages_of(folder: Path) -> Iterator[str]:
    """Yield the dotted name of each package in a folder, that of the folder first."""
    for path in sorted(folder.rglob("__init__.py"), key=lambda path: path.parent):
        yield ".".join(path.parent.relative_to(ROOT).parts)


def page_of(package: str, packages: list[str]) -> str:
    """Return the page of a package: its docstring, then its files one after the other."""
    folder = ROOT.joinpath(*package.split("."))
    files = [path for path in sorted(folder.glob("*.py")) if path.name != "__init__.py"]
    parts = [f"# {package}", "", _automodule(package, "")]
    for path in files:
        parts += [f"## {path.stem}", "", _automodule(f"{package}.{path.stem}", ":members:")]
    below = [name for name in packages if name.rpartition(".")[0] == package]
    return "\n".join(parts) + (toctree(below) if below else "")


def _automodule(name: str, options: str) -> str:
    lines = ["```{eval-rst}", f".. automodule:: {name}", *([f"   {options}"] if options else []), "```", ""]
    return "\n".join(lines)
