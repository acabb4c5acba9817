"""What a new user waits for: the import of minicoord, and the compiling of the kernels that a run needs."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from typing import Any

IMPORT = "import time; start = time.perf_counter(); import minicoord; print(time.perf_counter() - start)"
TRAINING = """
import pathlib, tempfile
from minicoord import experiments
with tempfile.TemporaryDirectory() as folder:
    out = pathlib.Path(folder)
    experiments.get("classification").run("coordconv", "uniform", seed=0, out=out, progress=False, epochs=1)
"""


def startup(imports: int = 7) -> dict[str, Any]:
    """Return the seconds that import and compiling take, each in new processes.

    Parameters
    ----------
    imports : int
        How many processes import minicoord.

    Returns
    -------
    dict
        ``import_seconds``, the median; ``first_seconds`` and ``second_seconds`` of two processes that train
        the CoordConv classifier for one epoch and evaluate it, with the same cache of kernels, which is empty at first;
        ``compile_seconds``, the difference.
    """
    seconds = [float(_run(IMPORT, {})) for _ in range(imports)]
    with tempfile.TemporaryDirectory() as folder:
        taken = []
        for _ in range(2):
            start = time.perf_counter()
            _run(TRAINING, {"NUMBA_CACHE_DIR": folder})
            taken.append(time.perf_counter() - start)
    return {
        "import_seconds": statistics.median(seconds),
        "first_seconds": taken[0],
        "second_seconds": taken[1],
        "compile_seconds": taken[0] - taken[1],
    }


def _run(code: str, environment: dict[str, str]) -> str:
    command, environment = [sys.executable, "-c", code], {**os.environ, **environment}
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    if done.returncode:
        raise RuntimeError(f"a new process ended with exit code {done.returncode}: {done.stderr.strip()[-200:]}")
    return done.stdout
