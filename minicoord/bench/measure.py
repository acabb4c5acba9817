"""Timing in turns: each round runs every contestant once, so that background load affects all of them alike."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, suppress
from typing import Any

import numpy as np

from minicoord.bench.rows import Row

TURN_SECONDS = 0.2  # short work is repeated for about this long: the first runs after a stop are slower


class Worker:
    """A process in which one contestant runs; see ``worker.py``. As a context manager it ends with the block.

    Between orders the process is stopped. The threads of OpenBLAS and OpenMP spin for up to a tenth of a second after
    their work is done, and would take a core from the next contestant.
    """

    def __init__(self, contestant: str, threads: int | None = None, environment: dict[str, str] | None = None) -> None:
        command = [sys.executable, "-m", "minicoord.bench.worker", contestant]
        self.contestant = contestant
        self.process = subprocess.Popen(
            [*command, *([str(threads)] if threads else [])],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, **(environment or {})},
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


def measure(
    rows: Sequence[Row], against: Sequence[str] = (), threads: int | None = None, rounds: int = 9
) -> Iterator[dict[str, Any]]:
    """Yield first the facts of the contestants, then the measurements of each row.

    Parameters
    ----------
    rows : sequence of Row
    against : sequence of {"torch", "numpy"}
        What to measure besides minicoord.
    threads : int, optional
        For every contestant; None keeps each library's default.
    rounds : int
        Turns for each contestant and row.

    Yields
    ------
    dict
        ``name, ms, spread, gflops, share, peak_mb``; for steps ``one_thread_ms, thread_ratio``; against PyTorch
        ``torch_ms, ratio, torch_spread, torch_format, torch_peak_mb, peak_ratio``, and for steps ``torch_sliced_ms,
        sliced_ratio`` with our slices of the batch; against NumPy ``numpy_ms, numpy_ratio``. Ratios are their time
        divided by ours.
    """
    with ExitStack() as stack:
        workers = {
            name: stack.enter_context(Worker(name, threads))
            for name in ("minicoord", "numpy", *(["pytorch"] if "torch" in against else []))
        }
        yield {name: worker.ask("facts") for name, worker in workers.items()}
        for row in rows:
            yield _measure_row(row, workers, "numpy" in against, rounds)


def _variants(row: Row, torch: bool) -> list[tuple[str, str]]:
    """Return every (contestant, variant) that runs a row."""
    found = [("minicoord", "ours")]
    if row.what == "step":
        found.append(("minicoord", "one thread"))
    if torch:
        formats = ["contiguous"] if row.what == "loss" else ["contiguous", "channels-last"]
        found += [("pytorch", memory_format) for memory_format in formats]
        if row.what == "step":
            found += [("pytorch", f"{memory_format}+sliced") for memory_format in formats]
    return found


def _measure_row(row: Row, workers: dict[str, Worker], numpy: bool, rounds: int) -> dict[str, Any]:
    torch = "pytorch" in workers
    peak = workers["minicoord"].ask("peak_mb", row=row.name, variant="ours")
    torch_peak = workers["pytorch"].ask("peak_mb", row=row.name, variant="contiguous") if torch else None
    who = _variants(row, torch)
    if numpy:
        who.append(("numpy", "plain"))
    who.append(("numpy", "sgemm"))
    for name, worker in workers.items():
        worker.ask("build", row=row.name, variants=[variant for contestant, variant in who if contestant == name])
    seconds = turns([(workers[name], variant) for name, variant in who], rounds)
    median = dict(zip(who, np.median(seconds, axis=0).tolist(), strict=True))
    spreads = {key: spread(seconds[:, k]) for k, key in enumerate(who)}
    return _result(row, median, spreads, peak, torch_peak)


def _result(
    row: Row,
    median: dict[tuple[str, str], float],
    spreads: dict[tuple[str, str], float],
    peak: float | None,
    torch_peak: float | None,
) -> dict[str, Any]:
    from minicoord.bench.plain_numpy import SGEMM_SIZE

    ours = median["minicoord", "ours"]
    flops = row.flops
    sgemm = 2 * SGEMM_SIZE**3 / median["numpy", "sgemm"]
    result: dict[str, Any] = {
        "name": row.name,
        "ms": ours * 1e3,
        "spread": spreads["minicoord", "ours"],
        "gflops": flops / ours / 1e9 if flops else None,
        "share": flops / ours / sgemm if flops else None,
        "sgemm_gflops": sgemm / 1e9,
        "peak_mb": peak,
    }
    if ("minicoord", "one thread") in median:
        alone = median["minicoord", "one thread"]
        result |= {"one_thread_ms": alone * 1e3, "thread_ratio": alone / ours}
    theirs = {variant: t for (name, variant), t in median.items() if name == "pytorch"}
    whole = {variant: t for variant, t in theirs.items() if not variant.endswith("+sliced")}
    if whole:
        best = min(whole, key=lambda variant: whole[variant])
        result |= {
            "torch_ms": whole[best] * 1e3,
            "ratio": whole[best] / ours,
            "torch_spread": spreads["pytorch", best],
            "torch_format": best,
            "torch_peak_mb": torch_peak,
            "peak_ratio": peak / torch_peak if peak is not None and torch_peak else None,
        }
    if len(theirs) > len(whole):
        sliced = min(t for variant, t in theirs.items() if variant.endswith("+sliced"))
        result |= {"torch_sliced_ms": sliced * 1e3, "sliced_ratio": sliced / ours}
    if ("numpy", "plain") in median:
        plain = median["numpy", "plain"]
        result |= {"numpy_ms": plain * 1e3, "numpy_ratio": plain / ours}
    return result
