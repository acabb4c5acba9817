"""The recipes of CONTRIBUTING.md, followed to the letter in a copy of the package."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.compiled

# How the text says where a block belongs: a new file, or above or below a line of an existing one.
FILE = re.compile(r"`((?:minicoord|tests)/[\w/]+\.py)`(?:, (above|below) the line with `([^`]+)`)?:$")


@dataclass(frozen=True)
class Step:
    """A block of code, its file, and, where that file exists already, on which side of the line with which words."""

    path: str
    side: str | None
    words: str | None
    code: str


def recipe(name: str) -> tuple[list[Step], list[str]]:
    """Return what a recipe says to write, and which commands end it."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    section = text.split(f"\n### {name}\n")[1].split("\n### ")[0].split("\n## ")[0]
    steps, commands = [], []
    for before, language, code in re.findall(r"(.*?)```(\w+)\n(.*?)```", section, flags=re.DOTALL):
        if language == "bash":
            commands += [line.split("#")[0].strip() for line in code.splitlines()]
            continue
        where = FILE.search(" ".join(before.split()))
        assert where, f"a block of {name!r} does not say which file it belongs to"
        steps.append(Step(where[1], where[2], where[3], code))
    return steps, commands


def follow(steps: list[Step], folder: Path) -> None:
    for step in steps:
        path = folder / step.path
        if step.words is None:
            assert not path.exists(), f"{step.path} is there already"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(step.code, encoding="utf-8")
            continue
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        (line,) = [k for k, line in enumerate(lines) if step.words in line]
        place = line if step.side == "above" else line + 1
        path.write_text("".join([*lines[:place], step.code, *lines[place:]]), encoding="utf-8")


def run(command: str, folder: Path) -> subprocess.CompletedProcess:
    program, *arguments = shlex.split(command)
    module = {"pytest": "pytest", "minicoord": "minicoord", "ruff": "ruff"}[program]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(folder), str(folder / "tests")])}
    words = [sys.executable, "-m", module, *arguments]
    return subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True, timeout=280)


# The tests that look at every experiment there is: grids, plans, and the command line.
EVERY = (
    "pytest -q -n 0 tests/sweeps/test_grids.py tests/experiments/frame/test_plan.py tests/app/test_run_command.py"
    " -k 'which-half or grid or names_them_all or unknown_or_missing'"
)


@pytest.fixture
def copy(tmp_path):
    """The package and its tests, compiled as far as they are here; times of files kept, so that caches stay valid."""
    folder = tmp_path / "copy"
    leave_out = shutil.ignore_patterns("results", "*.ipynb", ".hypothesis", ".pytest_cache")
    for name in ("minicoord", "tests", "lessons"):
        shutil.copytree(ROOT / name, folder / name, ignore=leave_out)
    for name in ("pyproject.toml", "README.md"):
        shutil.copy2(ROOT / name, folder / name)
    return folder


def test_the_recipe_for_an_experiment(copy):
    steps, commands = recipe("Add an experiment")
    assert [step.path for step in steps if step.words] == ["minicoord/experiments/__init__.py"], "one line elsewhere"
    follow(steps, copy)
    for command in (*commands, EVERY):
        done = run(command, copy)
        assert done.returncode == 0, (command, done.stdout[-3000:], done.stderr[-3000:])
    assert "which-half" in run("minicoord list", copy).stdout
    table = run("minicoord reproduce --records minicoord-results --markdown", copy).stdout
    assert re.search(r"which-half/quick/coordconv .* 100.0 % \| 1 of 1 seed ", table), table
    assert re.search(r"which-half/quick/conv .* 0 of 1 seed ", table), table


def test_the_recipe_for_a_layer(copy):
    steps, commands = recipe("Add a layer")
    follow(steps, copy)
    for command in commands:
        done = run(command, copy)
        assert done.returncode == 0, (command, done.stdout[-3000:], done.stderr[-3000:])
        assert re.search(r"\d+ passed|All checks passed", done.stdout)


@pytest.mark.parametrize("forgotten", ["minicoord/reference/", "kernel_examples.py", "layer_examples.py"])
def test_a_forgotten_step_of_a_layer_fails(copy, forgotten):
    steps, (checks, *_) = recipe("Add a layer")
    kept = [step for step in steps if forgotten not in step.path]
    assert len(kept) < len(steps)
    follow(kept, copy)
    done = run(checks, copy)
    assert done.returncode == 1 and "scale" in done.stdout.lower()


def test_a_forgotten_step(copy):
    steps, (checks, *_) = recipe("Add an experiment")
    follow([step for step in steps if not step.path.endswith("which_half/__init__.py")], copy)
    assert run(checks, copy).returncode == 1
