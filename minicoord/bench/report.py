"""What the benchmark prints: the contestants and the machine, two tables of rows, how to read them, and the goals."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

NO_COMPILER = "no C++ compiler was found"  # why there is no compiled variant of PyTorch
WIDE = 0.25  # an interquartile range above a quarter of the median

Rows = Sequence[dict[str, Any]]
Columns = Callable[[dict[str, Any]], dict[str, str]]


def our_columns(result: dict[str, Any]) -> dict[str, str]:
    """Return the cells of a row by column: our own time and memory."""
    return {
        "row": result["name"],
        "ms": _number(result["ms"]),
        "spread": _share(result["spread"]),
        "GFLOP/s": _number(result.get("gflops"), 0),
        "of peak": _share(result.get("share")),
        "1 thread ms": _number(result.get("one_thread_ms")),
        "of peak, 1 thread": _share(result.get("one_thread_share")),
        "1 thread / all": _number(result.get("thread_ratio")),
        "memory MB": _number(result.get("peak_mb"), 0),
        "before / now": _number(result.get("before_ratio")),
    }


def their_columns(result: dict[str, Any]) -> dict[str, str]:
    """Return the cells of a row by column: the time and memory of others relative to ours."""
    return {
        "row": result["name"],
        "PyTorch ms": _number(result.get("torch_ms")),
        "its format": result.get("torch_format") or "-",
        "PyTorch / ours": _number(result.get("ratio")),
        "... 1 thread each": _number(result.get("one_thread_ratio")),
        "... memory kept": _number(result.get("kept_ratio")),
        "... and compiled": _compiled(result),
        "... sliced": _number(result.get("sliced_ratio")),
        "memory / PyTorch's": _number(result.get("peak_ratio")),
        "NumPy / ours": _number(result.get("numpy_ratio")),
    }


def table(results: Rows, columns: Columns) -> list[dict[str, str]]:
    """Return a table with one line for each row, without the columns that are empty in every row.

    It has no lines if nothing but the names of the rows is left.
    """
    rows = [columns(result) for result in results]
    filled = [key for key in rows[0] if any(row[key] != "-" for row in rows)]
    return [{key: row[key] for key in filled} for row in rows] if len(filled) > 1 else []


def header(machine: dict[str, Any]) -> str:
    """Return the title of the table: processor, system, versions, threads and threading layer."""
    who = {name: facts for name, facts in machine["contestants"].items() if ", " not in name}
    said = [f"{name} {facts['version']} with {facts['threads']} threads" for name, facts in who.items()]
    layer = f"threading layer {who['minicoord']['threading_layer']}"
    return f"{machine['processor']}, {machine['cores']} cores, {machine['system']}; {', '.join(said)}; {layer}"


def notes(results: Rows) -> list[str]:
    """Return what a reader of the table needs to know, one sentence each."""
    peaks = [r["peak_gflops"] for r in results]
    said = [
        (
            "ms: the median over turns, in which the contestants alternate; GFLOP/s counts matrix products only; of "
            "peak: relative to the micro-kernel on operands in the L1 cache, one thread times the threads, timed in "
            f"the same turns: {min(peaks):.0f} to {max(peaks):.0f} GFLOP/s."
        )
    ]
    wide = [r["name"] for r in results if r["spread"] > WIDE or r.get("torch_spread", 0) > WIDE]
    if wide:
        said.append(f"The times of {_some(wide)} vary widely: the machine was not idle; measure again.")
    kernels = [r["ratio"] for r in results if "ratio" in r and not r["name"].startswith("step/")]
    if len(kernels) > 1:
        said.append(
            f"PyTorch / ours over {len(kernels)} kernel rows: geometric mean {geometric_mean(kernels):.2f}, minimum "
            f"{min(kernels):.2f}; {sum(r < 1 for r in kernels)} rows are slower than in PyTorch, "
            f"{sum(r < 0.9 for r in kernels)} of them below 0.9."
        )
    missing = {r["compiled_missing"]: r["name"] for r in reversed(results) if "compiled_missing" in r}
    said += [f"PyTorch was not compiled for {name} and perhaps others: {why}." for why, name in missing.items()]
    return said


def goals_table(found: Rows) -> list[dict[str, str]]:
    """Return the rows of the table of goals, from `minicoord.bench.goals.summary`."""
    return [
        {
            "goal": r["goal"],
            "wanted": f"{'<=' if r['at_most'] else '>='} {r['wanted']:g}",
            "measured": _measured(r),
            "met": "yes" if r["met"] else "no",
        }
        for r in found
    ]


def _measured(goal: dict[str, Any]) -> str:
    value, rows = _number(goal["measured"]), goal["rows"]
    if goal["worst"] is None:
        return f"{value} over {rows} rows"
    return value if rows == 1 else f"{value} in {goal['worst']}; {goal['missed']} of {rows} rows miss"


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


def _compiled(result: dict[str, Any]) -> str:
    if "compiled_missing" in result:
        return "no compiler" if result["compiled_missing"] == NO_COMPILER else "failed"
    return _number(result.get("compiled_ratio"))


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
