"""Who takes part in a row, and what is concluded from their times.

Each contestant is a process (``measure.py``) that builds the row in one or more variants (``worker.py``):

| process               | variants                                                          | measured if         |
|-----------------------|-------------------------------------------------------------------|---------------------|
| minicoord             | ours; peak: the micro-kernel in the L1 cache, one thread          | always              |
| minicoord, one thread | ours                                                              | more than 1 thread  |
| before                | ours, of another checkout                                         | ``--before``        |
| pytorch               | two memory formats; steps in our slices too                       | ``--against torch`` |
| pytorch, one thread   | two memory formats                                                | the same            |
| pytorch, memory kept  | two memory formats, each compiled too                             | the same            |
| numpy                 | plain                                                             | ``--against numpy`` |

PyTorch takes memory from the C library, which gives it back to the system at the end of a step and asks for it again,
unless something younger lies behind it. So the same step takes one time or half of it, by what the process did before.
PyTorch's processes are new for each row, as a user's script is; that which keeps its memory is told to.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np

from minicoord.bench import peak
from minicoord.bench.measure import Worker, blas_threads, spread, turns
from minicoord.bench.report import NO_COMPILER
from minicoord.bench.rows import Row
from minicoord.kernels.backend.threading_layer import get_threads

ALONE = ", one thread"
KEPT = "pytorch, memory kept"
KEEP = {"MALLOC_TRIM_THRESHOLD_": str(2**40), "MALLOC_MMAP_MAX_": "0"}  # for the C library of GNU
COMPILED, SLICED = "+compiled", "+sliced"

Key = tuple[str, str]  # a process and a variant


def measure(
    rows: Sequence[Row],
    against: Sequence[str] = (),
    threads: int | None = None,
    rounds: int = 9,
    before: Path | None = None,
) -> Iterator[dict[str, Any]]:
    """Yield first the facts of the contestants, then the measurements of each row.

    Parameters
    ----------
    rows : sequence of Row
    against : sequence of {"torch", "numpy"}
        What to measure besides minicoord.
    threads : int, optional
        For every contestant; None keeps each library's default, and gives NumPy as many as minicoord.
    rounds : int
        Turns for each contestant and row.
    before : Path, optional
        The folder of another version of minicoord.

    Yields
    ------
    dict
        ``name, ms, spread, gflops, share, peak_gflops, peak_mb``; with more than one thread ``one_thread_ms,
        thread_ratio, one_thread_share``; against PyTorch ``torch_ms, ratio, torch_spread, torch_format, torch_peak_mb,
        peak_ratio, torch_one_thread_ms, one_thread_ratio``, ``torch_kept_ms, kept_ratio`` with memory kept, and
        ``torch_compiled_ms, compiled_ratio`` compiled and with memory kept, or ``compiled_missing``, the reason; for
        steps ``torch_sliced_ms, sliced_ratio`` with our slices of the batch; against NumPy ``numpy_ms, numpy_ratio``;
        against another version ``before_ms, before_ratio``. Ratios are their time divided by ours; only ``peak_ratio``
        is our memory divided by PyTorch's. ``peak_gflops`` is the peak of all threads, and ``share`` the part of it
        that a row reaches.
    """
    with ExitStack() as stack:
        workers: dict[str, Worker] = {"minicoord": stack.enter_context(Worker("minicoord", threads))}
        several = (threads or get_threads()) > 1
        if several:
            workers["minicoord" + ALONE] = stack.enter_context(Worker("minicoord", 1))
        if before is not None:
            workers["before"] = stack.enter_context(Worker("minicoord", threads, checkout=before))
        if "numpy" in against:
            environment = blas_threads(threads or get_threads())
            workers["numpy"] = stack.enter_context(Worker("numpy", threads, environment))
        facts = _facts(workers)
        if "torch" in against:
            with ExitStack() as until_asked:
                facts |= _facts(_pytorch(until_asked, threads, several))
        yield facts
        for row in rows:
            with ExitStack() as for_this_row:
                theirs = _pytorch(for_this_row, threads, several) if "torch" in against else {}
                _facts(theirs)
                measured = _measure_row(row, {**workers, **theirs}, facts, rounds)
            yield measured


def _pytorch(stack: ExitStack, threads: int | None, several: bool) -> dict[str, Worker]:
    """Start PyTorch's processes."""
    workers = {"pytorch": Worker("pytorch", threads), KEPT: Worker("pytorch", threads, KEEP)}
    if several:
        workers["pytorch" + ALONE] = Worker("pytorch", 1)
    return {name: stack.enter_context(worker) for name, worker in workers.items()}


def _facts(workers: dict[str, Worker]) -> dict[str, Any]:
    """Let each process set its number of threads, and return what it says of itself."""
    return {name: worker.ask("facts") for name, worker in workers.items()}


def variants(row: Row, contestant: str) -> list[str]:
    """Return the variants in which a contestant builds a row; PyTorch's compiled one comes later."""
    if contestant.startswith("pytorch"):
        formats = ["contiguous"] if row.what == "loss" else ["contiguous", "channels-last"]
        sliced = row.what == "step" and contestant == "pytorch"
        return formats + ([memory_format + SLICED for memory_format in formats] if sliced else [])
    return {"numpy": ["plain"], "minicoord": ["ours", "peak"]}.get(contestant, ["ours"])


def _measure_row(row: Row, workers: dict[str, Worker], facts: dict[str, Any], rounds: int) -> dict[str, Any]:
    memory = {
        (name, variant): workers[name].ask("peak_mb", row=row.name, variant=variant)
        for name in ("minicoord", "pytorch")
        for variant in variants(row, name)
        if name in workers and not variant.endswith(SLICED) and variant != "peak"
    }
    who: list[Key] = []
    for name, worker in workers.items():
        built = variants(row, name)
        try:
            worker.ask("build", row=row.name, variants=built)
        except RuntimeError:
            if name != "before":  # another version may lack this row
                raise
            continue
        who += [(name, variant) for variant in built]
    missing = None
    if KEPT in workers:
        compiled, missing = _compile(row, workers[KEPT], facts[KEPT])
        who += compiled
    seconds = turns([(workers[name], variant) for name, variant in who], rounds)
    median = dict(zip(who, np.median(seconds, axis=0).tolist(), strict=True))
    spreads = {key: spread(seconds[:, k]) for k, key in enumerate(who)}
    return result(row, median, spreads, memory, facts["minicoord"]["threads"], missing)


def _compile(row: Row, worker: Worker, facts: dict[str, Any]) -> tuple[list[Key], str | None]:
    """Build PyTorch's compiled variants and return them, and the reason if there is one that lacks."""
    if facts["compiler"] is None:
        return [], NO_COMPILER
    built: list[Key] = []
    for variant in variants(row, KEPT):
        try:
            worker.ask("add", row=row.name, variants=[variant + COMPILED])
        except RuntimeError as error:
            return built, str(error).splitlines()[0]
        built.append((KEPT, variant + COMPILED))
    return built, None


def result(
    row: Row,
    median: dict[Key, float],
    spreads: dict[Key, float],
    memory: dict[Key, float | None],
    threads: int,
    missing: str | None = None,
) -> dict[str, Any]:
    """Return the measurements of a row, see `measure`, from the median seconds and the MB of each contestant."""
    ours = median["minicoord", "ours"]
    core = peak.FLOPS / median["minicoord", "peak"]
    flops = row.flops
    found: dict[str, Any] = {
        "name": row.name,
        "ms": ours * 1e3,
        "spread": spreads["minicoord", "ours"],
        "gflops": flops / ours / 1e9 if flops else None,
        "share": flops / ours / (core * threads) if flops else None,
        "peak_gflops": core * threads / 1e9,
        "peak_mb": memory["minicoord", "ours"],
    }
    alone = median.get(("minicoord" + ALONE, "ours"))
    if alone is not None:
        share = flops / alone / core if flops else None
        found |= {"one_thread_ms": alone * 1e3, "thread_ratio": alone / ours, "one_thread_share": share}
    found |= _against_pytorch(median, spreads, memory)
    if missing is not None and "compiled_ratio" not in found:
        found["compiled_missing"] = missing
    for name, variant in (("numpy", "plain"), ("before", "ours")):
        theirs = median.get((name, variant))
        if theirs is not None:
            found |= {f"{name}_ms": theirs * 1e3, f"{name}_ratio": theirs / ours}
    return found


def _against_pytorch(
    median: dict[Key, float], spreads: dict[Key, float], memory: dict[Key, float | None]
) -> dict[str, Any]:
    """Return the part about PyTorch: each way of it in the faster memory format."""
    ours, alone = median["minicoord", "ours"], median.get(("minicoord" + ALONE, "ours"))
    theirs = {variant: t for (name, variant), t in median.items() if name == "pytorch"}
    eager = {variant: t for variant, t in theirs.items() if "+" not in variant}
    if not eager:
        return {}
    best = min(eager, key=lambda variant: eager[variant])
    our_memory, its_memory = memory["minicoord", "ours"], memory.get(("pytorch", best))
    found: dict[str, Any] = {
        "torch_ms": eager[best] * 1e3,
        "ratio": eager[best] / ours,
        "torch_spread": spreads["pytorch", best],
        "torch_format": best,
        "torch_peak_mb": its_memory,
        "peak_ratio": our_memory / its_memory if our_memory is not None and its_memory else None,
    }
    kept = {variant: t for (name, variant), t in median.items() if name == KEPT}
    for name, seconds in (
        ("sliced", [t for variant, t in theirs.items() if variant.endswith(SLICED)]),
        ("kept", [t for variant, t in kept.items() if not variant.endswith(COMPILED)]),
        ("compiled", [t for variant, t in kept.items() if variant.endswith(COMPILED)]),
    ):
        if seconds:
            found |= {f"torch_{name}_ms": min(seconds) * 1e3, f"{name}_ratio": min(seconds) / ours}
    its_alone = [t for (name, _), t in median.items() if name == "pytorch" + ALONE]
    if its_alone and alone is not None:
        found |= {"torch_one_thread_ms": min(its_alone) * 1e3, "one_thread_ratio": min(its_alone) / alone}
    return found
