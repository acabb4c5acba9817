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
from minicoord.kernels.backend.runtime import helper

@helper
def changed(x):
    return x + 1
"""
OUTER = """
from numba import types

from minicoord.kernels.backend.runtime import compile_as_c, helper
from minicoord.kernels.inner import changed

@helper
def through(x):
    return changed(x)

def _as_c(x):
    return changed(x)

as_c = compile_as_c(_as_c, types.int64(types.int64))
"""
RUN = """
from minicoord.kernels.outer import as_c, through
print(through(1), sum(through.stats.cache_hits.values()), as_c.ctypes(1), as_c.cache_hits)
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
    assert run() == ["2", "0", "2", "0"]
    assert run() == ["2", "1", "2", "1"]
    (kernels / "inner.py").write_text(INNER.replace("x + 1", "x + 100"), encoding="utf-8")
    assert run() == ["101", "0", "101", "0"]
    (kernels / "softmax.py").write_text("", encoding="utf-8")  # which none of the two imports
    assert run() == ["101", "1", "101", "1"]


COMPILE = """
import sys
import numpy as np
from minicoord import Dense
from minicoord.kernels import dense, micro_kernel
for dtype in sys.argv[1:]:
    y = Dense(3, 2, rng=0).astype(dtype).forward(np.ones((2, 3), dtype))
    print(y.dtype, micro_kernel._library(np.dtype(dtype)).cache_hits, sum(dense._product.stats.cache_hits.values()))
"""


@pytest.mark.compiled
def test_cached_kernels_find_the_micro_kernel_of_their_dtype(tmp_path):
    """A kernel in the cache knows the micro-kernel by its name; where that lies is different in each process."""

    def run(*dtypes: str) -> list[list[str]]:
        env = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path), "PYTHONPATH": str(ROOT)}
        command = [sys.executable, "-c", COMPILE, *dtypes]
        done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=240)
        assert done.returncode == 0, done.stderr
        return [line.split() for line in done.stdout.splitlines()]

    assert run("float64") == [["float64", "0", "0"]]
    assert run("float64") == [["float64", "1", "1"]]
    assert run("float32", "float64") == [["float32", "0", "0"], ["float64", "1", "1"]]
    assert run("float64", "float32") == [["float64", "1", "1"], ["float32", "1", "2"]]
