"""What the benchmark prints: the contestants and the machine, one line per row, and how to read them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

WIDE = 0.25  # an interquartile range above a quarter of the median

Rows = Sequence[dict[str, Any]]


def columns(result: dict[str, Any]) -> dict[str, str]:
    """Return the cells of a row by column; `table` leaves out the columns that are empty in every row."""
    return {
        "row": result["name"],
        "ms": _number(result["ms"]),
        "spread": _share(result["spread"]),
        "GFLOP/s": _number(result.get("gflops"), 0),
        "of sgemm": _share(result.get("share")),
        "peak MB": _number(result.get("peak_mb"), 0),
        "1 thread / all": _number(result.get("thread_ratio")),
        "PyTorch ms": _number(result.get("torch_ms")),
        "its format": result.get("torch_format") or "-",
        "PyTorch / ours": _number(result.get("ratio")),
        "... sliced": _number(result.get("sliced_ratio")),
        "peak / PyTorch's": _number(result.get("peak_ratio")),
        "NumPy / ours": _number(result.get("numpy_ratio")),
    }


def table(results: Rows) -> list[dict[str, str]]:
    """Return the rows of the table, without the columns that are empty in every row."""
    rows = [columns(result) for result in results]
    empty = {key for key in rows[0] if all(row[key] == "-" for row in rows)}
    return [{key: cell for key, cell in row.items() if key not in empty} for row in rows]


def header(machine: dict[str, Any]) -> str:
    """Return the title of the table: processor, system, versions, threads and threading layer."""
    who = machine["contestants"]
    ours = who["minicoord"]
    rivals = [f"{name} {facts['version']} with {facts['threads']} threads" for name, facts in who.items()]
    layer = f"threading layer {ours['threading_layer']}"
    return f"{machine['processor']}, {machine['cores']} cores, {machine['system']}; {', '.join(rivals)}; {layer}"


def notes(results: Rows) -> list[str]:
    """Return what a reader of the table needs to know, one sentence each."""
    said = [
        (
            "ms: the median over turns, in which the contestants alternate; GFLOP/s counts matrix products only; of "
            "sgemm: relative to a product of two square matrices on all threads, timed in the same turns."
        )
    ]
    wide = [r["name"] for r in results if r["spread"] > WIDE or r.get("torch_spread", 0) > WIDE]
    if wide:
        said.append(f"The times of {_some(wide)} vary widely: the machine was not idle; measure again.")
    kernels = [r["ratio"] for r in results if "ratio" in r and not r["name"].startswith("step/")]
    if len(kernels) > 1:
        said.append(
            f"PyTorch / ours over {len(kernels)} kernel rows: geometric mean {geometric_mean(kernels):.2f}, minimum "
            f"{min(kernels):.2f}; {sum(r < 1 for r in kernels)} rows are slower than in PyTorch."
        )
    return said


def geometric_mean(values: Sequence[float]) -> float:
    """Return the geometric mean of positive numbers.

    Examples
    --------
    >>> round(geometric_mean([0.5, 2.0, 4.0]), 3)
    1.587
    """
    return math.exp(sum(map(math.log, values)) / len(values))


def _number(value: float | None, digits: int = 2) -> str:
    return "-" if value is None else f"{value:.{digits}f}"


def _share(value: float | None) -> str:
    return "-" if value is None else f"{100 * value:.0f} %"


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
