"""One contestant in a process of its own: on request it builds rows, times them and measures their memory.

PyTorch, OpenBLAS and Numba each bring a thread pool; in one process they would disturb each other. The parent sends one
JSON object per line and gets one back: ``python -m minicoord.bench.worker minicoord`` (or ``pytorch``, ``numpy``,
``story``).
"""

from __future__ import annotations

import ctypes
import gc
import json
import os
import sys
import time
from collections.abc import Callable
from typing import Any, TextIO

import numpy as np

from minicoord.bench.measure import BLAS_THREADS
from minicoord.bench.rows import Row, all_rows

Work = Callable[[], object]


class Contestant:
    """One of the libraries that run the rows: minicoord, PyTorch or NumPy; or the ways of the story to do a step.

    Parameters
    ----------
    name : {"minicoord", "pytorch", "numpy", "story"}
    threads : int, optional
        Number of threads; None keeps the library's default. NumPy's is set by the environment of the process.
    """

    def __init__(self, name: str, threads: int | None = None) -> None:
        self.name = name
        self.threads = threads
        self.rows = {row.name: row for row in all_rows()}
        self.works: dict[str, Work] = {}

    def prepare(self, row: Row, variant: str, batch: int) -> Work:
        """Return a function that does the work of `row` once."""
        if self.name == "pytorch":
            from minicoord.bench import pytorch

            memory_format, _, how = variant.partition("+")
            return pytorch.prepare(row, batch, memory_format, how)
        if self.name == "numpy":
            from minicoord.bench import plain_numpy

            return plain_numpy.prepare(row, batch)
        if self.name == "story":
            from minicoord.bench import story

            return story.WAYS[variant].prepare(row)
        from minicoord.bench import ours, peak

        return peak.prepare() if variant == "peak" else ours.prepare(row, batch)

    def build(self, row: str, variants: list[str]) -> None:
        """Prepare each variant of a row and run it twice to warm up; what was built before is dropped."""
        self.works.clear()
        gc.collect()
        self.add(row, variants)

    def add(self, row: str, variants: list[str]) -> None:
        """Prepare more variants of a row, as `build` does, and keep the others."""
        for variant in variants:
            self.works[variant] = self.prepare(self.rows[row], variant, self.rows[row].batch)
            self.works[variant]()
            self.works[variant]()

    def seconds(self, variant: str, repeats: int) -> float:
        """Return the median seconds of `repeats` runs, after one uncounted run that fills the caches again."""
        work = self.works[variant]
        work()
        taken = []
        for _ in range(repeats):
            start = time.perf_counter()
            work()
            taken.append(time.perf_counter() - start)
        return float(np.median(taken))

    def peak_mb(self, row: str, variant: str) -> float | None:
        """Return by how many MB (1e6 bytes) this process grows while it does the work of a row twice.

        The baseline is taken after the same work on a single sample, when libraries, code and threads are loaded.
        Inputs, weights and optimiser state are counted; None on systems other than Linux, which do not report it.
        """
        self.works.clear()
        work = self.prepare(self.rows[row], variant, 1)
        work()
        work()
        del work
        _give_back_memory()
        level = _resident_kb("VmRSS")
        if level is None:
            return None
        with open("/proc/self/clear_refs", "w", encoding="ascii") as file:
            file.write("5")  # reset the peak
        work = self.prepare(self.rows[row], variant, self.rows[row].batch)
        work()
        work()
        highest = _resident_kb("VmHWM")
        del work
        _give_back_memory()
        return None if highest is None else (highest - level) * 1024 / 1e6

    def facts(self) -> dict[str, Any]:
        """Return the version of the library and its number of threads, after setting it."""
        if self.name == "pytorch":
            import torch  # pyright: ignore[reportMissingImports]

            from minicoord.bench import pytorch

            if self.threads:
                torch.set_num_threads(self.threads)
            facts = {"version": torch.__version__, "threads": torch.get_num_threads()}
            return facts | {"compiler": pytorch.compiler()}
        if self.name == "numpy":
            return {"version": np.__version__, "threads": int(os.environ[BLAS_THREADS[0]])}
        import minicoord
        from minicoord.kernels.backend.runtime import LAYER

        if self.threads:
            minicoord.set_threads(self.threads)
        return {"version": minicoord.__version__, "threads": minicoord.get_threads(), "threading_layer": LAYER}


def _give_back_memory() -> None:
    """Return unused memory to the system, so that the next measurement starts from the true baseline."""
    from minicoord.kernels.backend.memory import release

    gc.collect()
    release()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if os.name == "posix" else None
    if trim is not None:
        trim(0)


def _resident_kb(field: str) -> int | None:
    """Return a field of /proc/self/status in kB: VmRSS, the resident memory, or VmHWM, its peak; None elsewhere."""
    try:
        with open("/proc/self/status", encoding="ascii") as file:
            return next((int(line.split()[1]) for line in file if line.startswith(field)), None)
    except OSError:
        return None


def serve(contestant: Contestant, orders: TextIO, answers: TextIO) -> None:
    """Carry out orders, one JSON object per line, until the input ends; errors are sent back as answers."""
    for line in orders:
        order = json.loads(line)
        try:
            answer = {"answer": getattr(contestant, order.pop("do"))(**order)}
        except Exception as error:  # the parent reports it
            answer = {"error": f"{type(error).__name__}: {error}"}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


def main() -> None:
    """Serve the parent process; whatever libraries print to stdout goes to stderr."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    threads = int(sys.argv[2]) if len(sys.argv) > 2 else None
    serve(Contestant(sys.argv[1], threads), sys.stdin, answers)


if __name__ == "__main__":
    main()
