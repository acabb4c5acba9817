"""Testing a learner's work with pytest, as a learner does: in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from minicoord.learn.definition.course import COURSE, PARTS, exercise_ids, get

ROOT = Path(__file__).resolve().parents[3]
PLUGIN = "minicoord.learn.doors.pytest_option"
SOLVED = get("pixel_index").solution_text()
WRONG = "def one_hot(x, y, height, width):\n    return x\n"
WITHOUT_WORK = "Name the folder of your files with --work DIR"


class Run(NamedTuple):
    code: int
    out: str


def run(*arguments: object, cwd: Path = ROOT) -> Run:
    # Only the requested plugins: that of an installed minicoord would replace that of the checkout.
    env = {key: value for key, value in os.environ.items() if not key.startswith(("COV_", "PYTEST_"))}
    env |= {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONPATH": str(ROOT)}
    plugins = ["-p", "no:cacheprovider", "-p", "pytest_timeout", "-p", "xdist"]
    command = [sys.executable, "-m", "pytest", *plugins, "-rs", *arguments]
    done = subprocess.run([str(part) for part in command], cwd=cwd, env=env, capture_output=True, text=True)
    return Run(done.returncode, done.stdout + done.stderr)


def in_checkout(*arguments: object) -> Run:
    return run("tests/learner", *arguments)


def installed(*arguments: object) -> Run:
    """Run as outside the checkout, where the plugin is found without -p, as test_packaging.py shows."""
    with tempfile.TemporaryDirectory() as folder:
        return run("-p", PLUGIN, "--pyargs", "minicoord.learn", *arguments, cwd=Path(folder))


both_doors = pytest.mark.parametrize("door", [in_checkout, installed])
Door = Callable[..., Run]


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("work")
    (folder / "a.py").write_text(f"{SOLVED}\n\n{WRONG}\n\n{get('draw_square').stub_text()}")
    return folder


@both_doors
def test_there_is_a_test_for_each_exercise(door: Door, work: Path):
    done = door("--work", work, "-v")
    assert done.code == 1
    for name, part in PARTS.items():
        for id in part.exercises:
            assert f"test_your_answer[lesson{name}-{id}]" in done.out
    assert f"1 failed, 2 passed, {len(exercise_ids()) - 2} skipped" in done.out
    assert "draw_square is not attempted yet" in done.out
    assert "no answer to im2col was found" in done.out
    assert WITHOUT_WORK not in done.out


@both_doors
def test_a_failure_is_a_sentence_and_no_traceback(door: Door, work: Path):
    out = door("--work", work).out
    assert "one_hot: wrong shape on" in out
    assert "In a.py; a hint: minicoord learn hint one_hot" in out
    assert "Traceback" not in out and ".py:" not in out.split("= FAILURES =")[1].split("short test summary")[0]


@both_doors
def test_k_selects_a_lesson(door: Door, work: Path):
    done = door("--work", work, "-k", "lesson00")
    assert done.code == 0
    assert "1 passed" in done.out and "deselected" in done.out


@both_doors
def test_without_work_it_says_what_to_do_and_does_not_fail(door: Door):
    done = door()
    assert done.code == 0
    assert WITHOUT_WORK in done.out
    assert "2 skipped" in done.out


@both_doors
def test_an_empty_folder_does_not_fail(door: Door, tmp_path: Path):
    done = door("--work", tmp_path)
    assert done.code == 0
    assert WITHOUT_WORK in done.out


@both_doors
def test_a_missing_folder_is_a_usage_error(door: Door, tmp_path: Path):
    done = door("--work", tmp_path / "none")
    assert done.code == 4
    assert "no such file or folder" in done.out


def test_an_unreadable_file_fails(tmp_path: Path):
    (tmp_path / "a.ipynb").write_text("nonsense")
    done = in_checkout("--work", tmp_path)
    assert done.code == 1
    assert "a.ipynb is not a notebook in format 4." in done.out


def test_a_syntax_error_fails_for_the_file_alone(tmp_path: Path):
    (tmp_path / "a.py").write_text(f"{SOLVED}\n\ndef one_hot(x):\n    return (x\n")
    done = in_checkout("--work", tmp_path, "-k", "lesson00 or lesson01")
    assert done.code == 1
    assert "1 failed, 4 skipped" in done.out and "pixel_index is not run, because a.py has an error" in done.out
    assert f"a.py: line {len(SOLVED.splitlines()) + 4} (return (x): SyntaxError" in done.out


@both_doors
def test_an_unreadable_file_also_fails_a_single_lesson(door: Door, tmp_path: Path):
    (tmp_path / "02_convolution.ipynb").write_text("{")
    done = door("--work", tmp_path, "-k", "lesson02", "-rs")
    assert done.code == 1
    assert f"1 failed, {len(COURSE[2])} skipped" in done.out
    assert "no answer to im2col was found; 02_convolution.ipynb is not a notebook in format 4." in done.out
    assert WITHOUT_WORK not in done.out


def test_the_folder_is_relative_to_where_pytest_was_started(tmp_path: Path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "a.py").write_text(SOLVED)
    options = "-p", "minicoord.learn.doors.pytest_option", "--pyargs", "minicoord.learn"
    assert "2 passed" in run(*options, "--work", "mine", cwd=tmp_path).out


def test_an_ordinary_run_does_not_collect_these_tests():
    done = run("-p", PLUGIN, "--collect-only", "-q", "tests/learn/submissions/test_progress_file.py", "minicoord/learn")
    assert "test_progress_file.py" in done.out
    assert "test_your_work" not in done.out
    assert "--work" not in done.out
