"""``import minicoord`` is quick and light, and every name in its table is really there."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import minicoord

ROOT = Path(__file__).resolve().parents[2]


def python(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_import_loads_no_heavy_library():
    heavy = "{'numba', 'matplotlib', 'llvmlite', 'rich', 'typer'}"
    assert python(f"import sys, minicoord; print(sorted({heavy} & set(sys.modules)))") == "[]"


def test_import_takes_under_half_a_second():
    code = "import time; t = time.perf_counter(); import minicoord; print(time.perf_counter() - t)"
    assert min(float(python(code)) for _ in range(3)) < 0.5


@pytest.mark.parametrize("name", sorted(minicoord._MODULE_OF))
def test_every_name_is_importable_and_defined_where_the_table_says(name):
    value = getattr(minicoord, name)
    assert value.__name__ == name
    assert value.__module__ == f"minicoord.{minicoord._MODULE_OF[name]}" or name.islower()
    assert name in dir(minicoord)


@pytest.mark.parametrize("name", minicoord._SUBMODULES)
def test_submodules_can_be_reached(name):
    assert getattr(minicoord, name).__name__ == f"minicoord.{name}"


def test_type_checkers_read_the_same_table():
    tree = ast.parse(Path(minicoord.__file__).read_text(encoding="utf-8"))
    block = next(node for node in tree.body if isinstance(node, ast.If))
    read = {}
    for node in block.body:
        assert isinstance(node, ast.ImportFrom)
        read.update({alias.name: node.module for alias in node.names})
    wanted = {name: f"minicoord.{module}" for name, module in minicoord._MODULE_OF.items()}
    assert read == {**wanted, **dict.fromkeys(minicoord._SUBMODULES, "minicoord")}


def test_gradcheck_stays_a_function_when_its_module_is_imported_first():
    code = "import minicoord.nn.gradcheck; from minicoord import gradcheck; print(callable(gradcheck))"
    assert python(code) == "True"


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'Conv3D'"):
        _ = minicoord.Conv3D  # pyright: ignore[reportAttributeAccessIssue]


def test_lessons_are_found_in_the_checkout():
    assert minicoord.lessons_folder() == ROOT / "lessons"
