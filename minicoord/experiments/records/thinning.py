"""A finished run made small enough for the repository: a thinned history, rounded numbers, arrays in float16."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from minicoord import experiments
from minicoord.experiments.frame.metrics import Metric
from minicoord.system.files import plain

Rows = Sequence[Mapping[str, Any]]

FIRST, ABOUT = 10, 100  # rows of a history to keep: the first 10, and about 100 in total
REACHED = (0.8, 1.0)  # keep the first row that reached each: the paper reports the times to 80 and to 100 %


def thin(rows: Rows, metric: Metric | None = None, first: int = FIRST, about: int = ABOUT) -> list[Mapping[str, Any]]:
    """Return the rows of a history that show most of its curves, in order.

    Parameters
    ----------
    rows : sequence of dict
        A history.
    metric : Metric, optional
        The row with the best value of this metric is kept, and for a metric whose larger values are better also the
        first rows to reach 80 and 100 %.
    first : int
        Rows to keep at the beginning, where curves change most. Half of the others are at growing distances, half at
        even ones, since some curves oscillate to the end.
    about : int
        Rows to keep in total, approximately. A shorter history is kept complete. The last row is always kept.

    Examples
    --------
    >>> [row["epoch"] for row in thin([{"epoch": k} for k in range(1, 301)], first=3, about=8)]
    [1, 2, 3, 14, 65, 102, 201, 300]
    """
    if len(rows) <= about:
        return list(rows)
    growing = np.geomspace(first, len(rows), (about - first) // 2 + 2).round().astype(int) - 1
    even = np.linspace(first, len(rows), (about - first) // 2 + 2).round().astype(int) - 1
    kept = {*range(first), *growing.tolist(), *even.tolist(), len(rows) - 1, *_landmarks(rows, metric)}
    return [rows[k] for k in sorted(kept)]


def _landmarks(rows: Rows, metric: Metric | None) -> set[int]:
    """Return the indices of the rows that results refer to: the best, and the first to reach 80 and 100 %."""
    if metric is None:
        return set()
    values = np.array([row.get(metric.name) for row in rows], np.float64)  # None, not measured, becomes NaN
    if not np.isfinite(values).any():
        return set()
    if not metric.more_is_better:
        return {int(np.nanargmin(values))}
    reached = (int(np.argmax(values >= level)) for level in REACHED if (values >= level).any())  # argmax: the first
    return {int(np.nanargmax(values)), *reached}


def small_record(result: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return the record to keep of a run's ``result.json``: thinned, rounded, and without paths of its machine.

    The metrics keep all their digits; numbers of the history are rounded to six. The record says what was thinned.
    """
    rows, unit = result["history"], result.get("unit", "epoch")
    kept = thin(rows, experiments.get(result["experiment"]).primary)
    record = {**result, "folder": name, f"{unit}_seconds": _seconds_of_one(rows, unit)}
    record.pop("thinned", None)
    if len(kept) < len(rows):
        record["thinned"] = {f"{unit}s" if unit != "step" else "rows": len(rows), "kept": len(kept)}
    if result.get("command"):
        record["command"] = without_folders(result["command"])
    record["history"] = [{key: _rounded(value) for key, value in row.items()} for row in kept]
    return plain(record)


def without_folders(command: str) -> str:
    """Return a command without the folders above that of ``--out``, quoted as a shell needs it.

    A text that a shell could not read stays as it is.

    Examples
    --------
    >>> without_folders("minicoord run regression --out '/home/me/my work/results' --seeds 2")
    'minicoord run regression --out results --seeds 2'
    >>> without_folders("minicoord run regression '--out=/home/me/my results'")
    "minicoord run regression '--out=my results'"
    """
    try:
        words = shlex.split(command)
    except ValueError:
        return command
    for place, word in enumerate(words):
        if word.startswith("--out="):
            words[place] = f"--out={_last_part(word.removeprefix('--out='))}"
        elif place and words[place - 1] == "--out":
            words[place] = _last_part(word)
    return shlex.join(words)


def _last_part(path: str) -> str:
    return PurePath(path).name or path


def _seconds_of_one(rows: Rows, unit: str) -> float | None:
    """Return the median seconds per epoch, or the mean seconds per step; None without a history."""
    if not rows:
        return None
    if unit == "step":
        return rows[-1]["train_seconds"] / rows[-1]["step"]
    return float(np.median(np.diff([0.0, *(row["train_seconds"] for row in rows)])))


def _rounded(value: Any) -> Any:
    return float(f"{value:.6g}") if isinstance(value, float) else value


def small_arrays(maps: Mapping[str, NDArray]) -> dict[str, NDArray]:
    """Return the arrays for the figures of a run, with floating-point ones in float16.

    An array that reaches beyond the range of float16, 65,504, stays as it is.
    """
    return {name: _small(array) for name, array in maps.items()}


def _small(array: NDArray) -> NDArray:
    if not np.issubdtype(array.dtype, np.floating):
        return array
    with np.errstate(over="ignore"):
        half = array.astype(np.float16)
    return half if np.array_equal(np.isfinite(half), np.isfinite(array)) else array
