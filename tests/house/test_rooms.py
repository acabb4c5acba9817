"""Each folder of the package says in its ``__init__.py`` what is in it, and with which file to begin."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[2] / "minicoord"
FOLDERS = sorted({path.parent for path in PACKAGE.rglob("*.py")})

BEGIN = re.compile(r"\bBegin\s+with\s+``([\w/]+\.py)``")
FILE = re.compile(r"``([\w/]+\.py)``")


def complaint(folder: Path) -> str | None:
    """Return what the ``__init__.py`` of a folder lacks, or None."""
    door = folder / "__init__.py"
    if not door.is_file():
        return "there is no __init__.py"
    words = ast.get_docstring(ast.parse(door.read_text(encoding="utf-8")))
    if not words:
        return "it has no docstring"
    if BEGIN.search(words) is None:
        return "it does not say: Begin with ``file.py``"
    missing = [name for name in FILE.findall(words) if not (folder / name).is_file()]
    return f"it names files that are not there: {', '.join(missing)}" if missing else None


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.relative_to(PACKAGE.parent).as_posix())
def test_a_folder_says_what_is_in_it_and_where_to_begin(folder: Path):
    assert complaint(folder) is None


@pytest.mark.parametrize(
    "text, words",
    [
        (None, "there is no __init__.py"),
        ("", "it has no docstring"),
        ("x = 1", "it has no docstring"),
        ('"""Layers: ``base.py`` has what they share."""', "it does not say: Begin with ``file.py``"),
        ('"""Layers.\n\nBegin with base.py.\n"""', "it does not say: Begin with ``file.py``"),
        ('"""Layers.\n\nBegin with ``basis.py``.\n"""', "it names files that are not there: basis.py"),
        ('"""Layers.\n\nBegin with ``base.py``, then ``more/b.py``.\n"""', "that are not there: more/b.py"),
        ('"""Layers.\n\nBegin\nwith ``base.py``, then ``more/a.py``.\n"""', None),
    ],
)
def test_a_planted_folder_is_judged(tmp_path: Path, text: str | None, words: str | None):
    (tmp_path / "more").mkdir()
    for name in ("base.py", "more/a.py"):
        (tmp_path / name).write_text("", encoding="utf-8")
    if text is not None:
        (tmp_path / "__init__.py").write_text(text, encoding="utf-8")
    found = complaint(tmp_path)
    assert found == words if words is None else words in str(found)
