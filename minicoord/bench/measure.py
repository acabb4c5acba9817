"""Timing in turns: each round runs every contestant once, so that background load affects all of them alike.

``contest.py`` decides who takes part and what is concluded from the times.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

TURN_SECONDS = 0.2  # short work is repeated for about this long: the first runs after a stop are slower
# In which the libraries that NumPy may be built with look for their number of threads, once, when they are loaded.
BLAS_THREADS = (
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "BLIS_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "OMP_NUM_THREADS",
)


class Worker:
    """A process in which one contestant runs; see ``worker.py``. As a context manager it ends with the block.

    Between orders the process is stopped. The threads of OpenBLAS and OpenMP spin for up to a tenth of a second after
    their work is done, and would take a core from the next contestant.

    Parameters
    ----------
    contestant : str
        As in `minicoord.bench.worker.Contestant`.
    threads : int, optional
        Number of threads; None keeps the library's default.
    environment : dict, optional
        Environment variables to add.
    checkout : Path, optional
        A folder with another version of minicoord, whose own worker runs; by default this one.
    """

    def __init__(
        self,
        contestant: str,
        threads: int | None = None,
        environment: dict[str, str] | None = None,
        checkout: Path | None = None,
    ) -> None:
        command = [sys.executable, "-m", "minicoord.bench.worker", contestant]
        self.contestant = contestant if checkout is None else f"{contestant} in {checkout}"
        self.process = subprocess.Popen(
            [*command, *([str(threads)] if threads else [])],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, **(environment or {}), **({} if checkout is None else imports_from(checkout))},
            cwd=checkout,
            text=True,
        )

    def ask(self, do: str, **arguments: Any) -> Any:
        """Return the worker's answer to one order.

        Raises
        ------
        RuntimeError
            If the worker reports an error, or its process has ended.
        """
        assert self.process.stdin is not None and self.process.stdout is not None
        self._signal("SIGCONT")
        try:
            self.process.stdin.write(json.dumps({"do": do, **arguments}) + "\n")
            self.process.stdin.flush()
            line = self.process.stdout.readline()
        except BrokenPipeError:
            line = ""
        self._signal("SIGSTOP")
        if not line:
            raise RuntimeError(f"the process of {self.contestant} ended, exit code {self.process.wait()}")
        answer = json.loads(line)
        if "error" in answer:
            raise RuntimeError(f"{self.contestant}: {answer['error']}")
        return answer["answer"]

    def _signal(self, name: str) -> None:
        if hasattr(signal, name):
            self.process.send_signal(getattr(signal, name))
        elif name == "SIGSTOP":  # Windows cannot stop a process: wait until its threads sleep
            time.sleep(0.2)

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                with suppress(BrokenPipeError):  # an order that was never read
                    pipe.close()


def imports_from(checkout: Path) -> dict[str, str]:
    """Return the environment in which a process started in the folder `checkout` imports its minicoord."""
    others = [path for path in [os.environ.get("PYTHONPATH")] if path]
    return {"PYTHONPATH": os.pathsep.join([str(checkout), *others])}


def blas_threads(threads: int) -> dict[str, str]:
    """Return the environment of a process whose NumPy multiplies matrices with so many threads."""
    return dict.fromkeys(BLAS_THREADS, str(threads))


def turns(contestants: Sequence[tuple[Worker, str]], rounds: int) -> np.ndarray:
    """Let the contestants run what they have built, in turns, and return seconds of shape (rounds, contestants).

    Parameters
    ----------
    contestants : sequence of (Worker, variant)
    rounds : int
        How many turns each gets. The order rotates from round to round.
    """
    repeats = []
    for worker, variant in contestants:
        once = worker.ask("seconds", variant=variant, repeats=1)
        repeats.append(max(1, min(200, round(TURN_SECONDS / max(once, 1e-6)))))
    seconds = np.empty((rounds, len(contestants)))
    for turn in range(rounds):
        for k in np.roll(np.arange(len(contestants)), -turn).tolist():
            worker, variant = contestants[k]
            seconds[turn, k] = worker.ask("seconds", variant=variant, repeats=repeats[k])
    return seconds


def spread(seconds: np.ndarray) -> float:
    """Return the interquartile range of the times divided by their median.

    Examples
    --------
    >>> spread(np.array([1.0, 1.0, 1.1, 1.2, 9.0]))
    0.18181818181818177
    """
    low, middle, high = np.quantile(seconds, [0.25, 0.5, 0.75])
    return float((high - low) / middle)
