"""The cache on disk: a kernel holds functions of several files, and is compiled anew when one of them changes."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

INNER = """
from minicoord.kernels.runtime import helper

@helper
def changed(x):
    return x + 1
"""
OUTER = """
from minicoord.kernels.inner import changed
from minicoord.kernels.runtime import helper

@helper
def through(x):
    return changed(x)
"""
RUN = """
from minicoord.kernels.outer import through
print(through(1), sum(through.stats.cache_hits.values()))
"""


@pytest.mark.compiled
def test_a_change_in_another_file_of_the_kernels_is_seen(tmp_path):
    kernels = tmp_path / "minicoord" / "kernels"
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "minicoord", tmp_path / "minicoord", ignore=ignored)
    env = {key: value for key, value in os.environ.items() if key != "NUMBA_CACHE_DIR"} | {"PYTHONPATH": str(tmp_path)}

    def run() -> list[str]:
        command = [sys.executable, "-c", RUN]
        done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        return done.stdout.split()

    (kernels / "inner.py").write_text(INNER, encoding="utf-8")
    (kernels / "outer.py").write_text(OUTER, encoding="utf-8")
    assert run() == ["2", "0"]
    assert run() == ["2", "1"]
    (kernels / "inner.py").write_text(INNER.replace("x + 1", "x + 100"), encoding="utf-8")
    assert run() == ["101", "0"]
    (kernels / "softmax.py").write_text("", encoding="utf-8")  # which none of the two imports
    assert run() == ["101", "1"]
