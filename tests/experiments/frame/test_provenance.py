"""What a result says of where it was made: the commit, the command, the memory."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from minicoord import __version__
from minicoord.experiments.frame import provenance as provenance_module
from minicoord.experiments.frame.provenance import BackgroundLoad, commit, peak_memory_mb, provenance


def test_provenance_is_plain_data_and_names_versions_and_machine():
    facts = provenance()
    assert json.loads(json.dumps(facts)) == facts
    assert facts["versions"]["minicoord"] == __version__
    assert facts["versions"]["numpy"] == np.__version__
    assert facts["versions"].keys() == {"minicoord", "python", "numpy", "numba", "llvmlite"}
    assert facts["machine"]["cores"] == os.cpu_count()
    assert facts["threads"] >= 1
    assert facts["date"].endswith("+00:00")


@pytest.mark.parametrize(
    "argv, wanted",
    [
        (["/venv/bin/minicoord", "run", "classification", "--seed", "3"], "minicoord run classification --seed 3"),
        (["/src/minicoord/__main__.py", "list"], "minicoord list"),
        (["/venv/bin/pytest", "tests"], None),
        ([""], None),
    ],
)
def test_the_command_is_named_if_it_was_one(argv, wanted, monkeypatch):
    monkeypatch.setattr(sys, "argv", argv)
    assert provenance()["command"] == wanted


def test_a_part_of_a_sweep_names_the_command_of_the_whole(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["/src/minicoord/sweeps/runs.py", "{}"])
    assert provenance("minicoord sweep classification")["command"] == "minicoord sweep classification"


WORK = "import time\nwhile time.process_time() < 1.5: pass"
"""A program that keeps one core busy."""


def busy() -> None:
    began = time.process_time()
    while time.process_time() - began < 1.5:
        pass


def somebody_else(done: Path) -> None:
    """Let a process do the work that is nobody's child, and wait for it."""
    work = f"{WORK}\nopen({str(done)!r}, 'w').close()"
    start = "import subprocess, sys; subprocess.Popen([sys.executable, '-c', sys.argv[1]])"
    subprocess.run([sys.executable, "-c", start, work], check=True)
    while not done.exists():
        time.sleep(0.05)


def child_that_is_over() -> None:
    subprocess.run([sys.executable, "-c", WORK], check=True)


def child_that_goes_on() -> None:
    child = subprocess.Popen(
        [sys.executable, "-c", f"{WORK}\nprint(flush=True)\ninput()"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert child.stdout is not None
    child.stdout.readline()
    CHILDREN.append(child)


CHILDREN: list[subprocess.Popen] = []


@pytest.mark.skipif(not Path("/proc/stat").exists(), reason="this system does not tell what other processes use")
def test_the_background_load_leaves_out_this_process_and_those_that_it_started(tmp_path):
    def load_beside(work: Callable[[], None]) -> float:
        load = BackgroundLoad()
        work()
        found = load.so_far()
        assert found is not None
        return found

    others = load_beside(lambda: somebody_else(tmp_path / "done"))
    ours = [load_beside(work) for work in (busy, child_that_is_over, child_that_goes_on)]
    for child in CHILDREN:
        child.communicate(b"\n")
    assert all(others - load > 0.3 for load in ours)


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    """A git repository of its own, in which the module believes itself to lie."""
    if shutil.which("git") is None:
        pytest.skip("git is optional, and not installed here")
    source = tmp_path / "minicoord" / "experiments" / "frame" / "provenance.py"
    source.parent.mkdir(parents=True)
    source.write_text("first", encoding="utf-8")
    monkeypatch.setattr(provenance_module, "__file__", str(source))
    return tmp_path


def git(folder: Path, *arguments: str) -> str:
    who = ["-c", "user.name=a", "-c", "user.email=a@b.c", "-c", "commit.gpgsign=false"]
    command = ["git", "-C", str(folder), *who, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def test_the_commit_says_whether_the_source_differs(checkout):
    git(checkout, "init")
    assert commit() is None, "there is no commit yet"
    git(checkout, "add", ".")
    git(checkout, "commit", "-m", "first")
    head = git(checkout, "rev-parse", "HEAD")
    assert commit() == head
    (checkout / "notes.txt").write_text("", encoding="utf-8")
    assert commit() == head, "a file that git does not know is no change of the source"
    (checkout / "minicoord" / "experiments" / "frame" / "provenance.py").write_text("changed", encoding="utf-8")
    assert commit() == head + "+changes"


def test_outside_a_checkout_there_is_no_commit(checkout, monkeypatch):
    assert commit() is None
    git(checkout, "init")
    monkeypatch.setenv("PATH", "")
    assert commit() is None, "git is not there"


def test_peak_memory_is_in_megabytes():
    if peak_memory_mb() is None:
        pytest.skip("this system does not tell how much memory a process held")
    code = (
        "import numpy as np; from minicoord.experiments.frame.provenance import peak_memory_mb\n"
        # Linux hands the peak of the parent down to a new process, so more than that must be held.
        "before = peak_memory_mb(); x = np.ones(int((before + 300) * 1e6), np.uint8)\n"
        "print(before, peak_memory_mb())"
    )
    root = Path(__file__).resolve().parents[3]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    before, after = map(float, done.stdout.split())
    assert before > 20
    assert 300 <= after - before < 600, "megabytes of 1,000,000 bytes: what was allocated, and Python beside it"


def test_a_system_that_does_not_tell_its_memory_or_load(monkeypatch):
    monkeypatch.setitem(sys.modules, "resource", None)  # so that importing it raises ImportError
    monkeypatch.delattr(os, "getloadavg", raising=False)
    assert peak_memory_mb() is None
    assert provenance()["machine"]["load_before"] is None
