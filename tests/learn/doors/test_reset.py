"""``minicoord learn reset``: the stub comes back, and nothing else in the file changes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from terminal_runner import WRONG, Command, run_in_empty_folder  # noqa: F401 (the fixture "run")

from minicoord.learn.definition.course import get


def test_reset_puts_the_stub_back_and_keeps_a_copy(run: Command):
    run("start", "1")
    path = Path("lesson01.py")
    fresh = path.read_text()
    changed = fresh.replace("    raise NotImplementedError  # your code in place of this line", "    return 3", 1)
    assert "return 3" in changed
    path.write_text(changed)
    assert run("reset", "draw_square").exit_code == 0
    assert path.read_text() == fresh
    assert Path("lesson01.py.backup").read_text() == changed
    path.write_text(changed)
    run("reset", "draw_square")
    assert Path("lesson01.py.backup-2").read_text() == changed


def test_reset_removes_decorators_and_keeps_the_code_around(run: Command):
    Path("a.py").write_text(f"A = 1\n\n\n@staticmethod\n{WRONG}\n\nB = 2\n")
    run("reset", "pixel_index")
    text = Path("a.py").read_text()
    assert text.startswith("A = 1\n\n\ndef pixel_index") and text.endswith("\n\nB = 2\n")
    assert "staticmethod" not in text


def test_reset_in_a_file_with_a_syntax_error(run: Command):
    Path("a.py").write_text("A = 1\n\ndef pixel_index(\n    x,\n):\n    return (x\n\n\nB = 2\n")
    run("reset", "pixel_index")
    text = Path("a.py").read_text()
    compile(text, "a.py", "exec")
    assert text.startswith("A = 1\n\ndef pixel_index(x, y") and text.endswith("\n\n\nB = 2\n")


@pytest.mark.parametrize("sign", ["\x0c", "\x0b", "\x1c", "\x85", "\u2028", "\u2029"])
def test_reset_splits_lines_only_where_python_does(run: Command, sign: str):
    head = f"import numpy as np\n\x0c\nKEEP = 1  # one{sign}two\n\n"
    tail = f"\nALSO = 2  # three{sign}four\n"
    Path("a.py").write_text(head + "def pixel_index(x, y, height, width):\n    a = 1\n    return a\n" + tail, "utf-8")
    run("reset", "pixel_index")
    with open("a.py", encoding="utf-8", newline="") as file:
        text = file.read()
    stub = get("pixel_index").stub_text()
    assert text == head + stub[stub.index("def ") :] + tail


def test_reset_refuses_an_answer_inside_another_statement(run: Command):
    text = "if True:\n    def pixel_index(x, y, height, width):\n        return 3\n"
    Path("a.py").write_text(text)
    result = run("reset", "pixel_index")
    assert result.exit_code == 1
    assert "pixel_index is part of another statement, in line 2; remove it by hand" in result.stderr
    assert Path("a.py").read_text() == text
    assert not Path("a.py.backup").exists()


def test_reset_of_an_assigned_answer(run: Command):
    Path("a.py").write_text("pixel_index = (\n    lambda x, y, height, width: 3\n)\nB = 2\n")
    run("reset", "pixel_index")
    text = Path("a.py").read_text()
    assert text.startswith("def pixel_index(x, y") and text.endswith("\nB = 2\n")


def test_reset_of_a_cell(run: Command):
    cell = {"cell_type": "code", "metadata": {"tags": ["exercise", "pixel_index"]}, "execution_count": 3}
    other = {"cell_type": "markdown", "metadata": {}, "source": ["größer"]}
    book = {"cells": [other, {**cell, "source": [WRONG], "outputs": [1]}], "nbformat": 4, "nbformat_minor": 5}
    Path("a.ipynb").write_text(json.dumps(book), "utf-8")
    assert run("reset", "pixel_index").exit_code == 0
    after = json.loads(Path("a.ipynb").read_text("utf-8"))
    assert after["cells"][0] == other
    assert "".join(after["cells"][1]["source"]) == get("pixel_index").stub_text().rstrip("\n")
    assert after["cells"][1]["outputs"] == [] and after["cells"][1]["execution_count"] is None
    assert json.loads(Path("a.ipynb.backup").read_text("utf-8")) == book


def test_reset_keeps_half_a_surrogate_pair_in_the_output_of_another_cell(run: Command):
    output = {"output_type": "stream", "name": "stdout", "text": ["half \udcff, ü"]}
    cells = [
        {"cell_type": "code", "metadata": {}, "source": ["3"], "outputs": [output], "execution_count": 1},
        {"cell_type": "code", "metadata": {"tags": ["exercise", "pixel_index"]}, "source": [WRONG], "outputs": []},
    ]
    Path("a.ipynb").write_text(json.dumps({"cells": cells, "nbformat": 4, "nbformat_minor": 5}), "utf-8")
    assert run("reset", "pixel_index").exit_code == 0
    assert json.loads(Path("a.ipynb").read_text("utf-8"))["cells"][0] == cells[0]


def test_reset_without_an_answer(run: Command):
    result = run("reset", "pixel_index")
    assert result.exit_code == 1 and "`minicoord learn start 0`" in result.stderr
