"""Speed under background load, and with more threads than cores."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import numpy as np

from minicoord.bench.measure import Worker, turns
from minicoord.bench.rows import Row

THREADS = (1, 2, 4, 8, 16)


@contextmanager
def one_busy_core() -> Iterator[None]:
    """Keep one core busy with another process during the ``with`` block."""
    process = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        yield
    finally:
        process.kill()
        process.wait()


def busy(row: Row, torch: bool = False, rounds: int = 9) -> Iterator[dict[str, Any]]:
    """Yield the time of a row alone and with one core busy, for each threading layer of Numba and for PyTorch.

    Parameters
    ----------
    row : Row
        A training step.
    torch : bool
        Whether to measure PyTorch too.
    rounds : int
        Turns for each contestant.

    Yields
    ------
    dict
        ``who, idle_ms, busy_ms, ratio``; the first, ``"minicoord"``, uses the threading layer that minicoord chooses.
    """
    layers = ("tbb", "workqueue", "omp")
    with ExitStack() as stack:
        workers = {"minicoord": stack.enter_context(Worker("minicoord"))}
        for layer in layers:
            environment = {"NUMBA_THREADING_LAYER": layer}
            workers[f"Numba's {layer}"] = stack.enter_context(Worker("minicoord", environment=environment))
        if torch:
            workers["PyTorch"] = stack.enter_context(Worker("pytorch"))
        ready: list[tuple[str, tuple[Worker, str]]] = []
        for name, worker in workers.items():
            variant = "channels-last" if name == "PyTorch" else "ours"
            try:
                worker.ask("facts")
                worker.ask("build", row=row.name, variants=[variant])
            except RuntimeError:  # this threading layer is not installed
                continue
            ready.append((name, (worker, variant)))
        who = [contestant for _, contestant in ready]
        idle = np.median(turns(who, rounds), axis=0)
        with one_busy_core():
            loaded = np.median(turns(who, rounds), axis=0)
    for k, (name, _) in enumerate(ready):
        yield {"who": name, "idle_ms": idle[k] * 1e3, "busy_ms": loaded[k] * 1e3, "ratio": loaded[k] / idle[k]}


def more_threads(row: Row, threads: Sequence[int] = THREADS, rounds: int = 9) -> list[dict[str, Any]]:
    """Return the time of a row with 1, 2, 4, ... threads, up to more than there are cores.

    Parameters
    ----------
    row : Row
    threads : sequence of int
    rounds : int
        Turns for each number of threads.

    Returns
    -------
    list of dict
        ``threads, ms``.
    """
    with ExitStack() as stack:
        who = []
        for n in threads:
            worker = stack.enter_context(Worker("minicoord", n, {"NUMBA_NUM_THREADS": str(n)}))
            worker.ask("facts")
            worker.ask("build", row=row.name, variants=["ours"])
            who.append((worker, "ours"))
        seconds = np.median(turns(who, rounds), axis=0)
    return [{"threads": n, "ms": t * 1e3} for n, t in zip(threads, seconds.tolist(), strict=True)]
