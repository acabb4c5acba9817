"""Finished runs made small enough to be kept in the repository: one list of records, and some arrays beside it.

The curves are thinned, and each record says so. Numbers in them are rounded to six digits; the metrics are not.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from minicoord.experiments.records.half_weights import halved, metrics_of
from minicoord.experiments.records.reading import BEST_BY, best, for_figures, run_name
from minicoord.system.files import plain, write_atomically
from minicoord.train.archive import read_archive

Rows = Sequence[Mapping[str, Any]]

FIRST, ABOUT = 10, 100  # rows of a curve: these epochs at its beginning, and about so many in all
REACHED = (0.8, 1.0)  # the first epoch that reached these is kept: the paper's times are to 80 and to 100 %
MORE_IS_BETTER, LESS_IS_BETTER = ("test_accuracy", "test_iou"), ("test_distance",)
BEST = "best"  # on the command line: the best run of each model and split


def thin(rows: Rows, first: int = FIRST, about: int = ABOUT) -> list[Mapping[str, Any]]:
    """Return the rows of a curve that tell most of it, in order.

    Parameters
    ----------
    rows : sequence of dict
        One for each epoch.
    first : int
        So many are kept at the beginning, where a curve moves most. Of the others half are at growing distances, and
        half at even ones, since some curves swing to their end.
    about : int
        How many rows to keep in all. Curves that are no longer stay whole. The last row is always kept, and so are the
        best one and the first to reach 80 and 100 % on test.

    Examples
    --------
    >>> [row["epoch"] for row in thin([{"epoch": k} for k in range(1, 301)], first=3, about=8)]
    [1, 2, 3, 14, 65, 102, 201, 300]
    """
    if len(rows) <= about:
        return list(rows)
    growing = np.geomspace(first, len(rows), (about - first) // 2 + 2).round().astype(int) - 1
    even = np.linspace(first, len(rows), (about - first) // 2 + 2).round().astype(int) - 1
    kept = {*range(first), *growing.tolist(), *even.tolist(), len(rows) - 1, *_landmarks(rows)}
    return [rows[k] for k in sorted(kept)]


def _landmarks(rows: Rows) -> set[int]:
    """Return the rows that readers ask for by name: the best, and the first to have reached 80 and 100 %."""
    found: set[int] = set()
    for name in (*MORE_IS_BETTER, *LESS_IS_BETTER):
        values = np.array([row.get(name) for row in rows], np.float64)  # None, not measured, becomes NaN
        if not np.isfinite(values).any():
            continue
        found.add(int(np.nanargmax(values) if name in MORE_IS_BETTER else np.nanargmin(values)))
        if name in MORE_IS_BETTER:
            found |= {int(np.argmax(values >= least)) for least in REACHED if (values >= least).any()}
    return found


def finished_runs(folders: Iterable[Path]) -> dict[str, Path]:
    """Return the name and the folder of every finished run at or below these folders.

    Raises
    ------
    ValueError
        If a folder holds none.
    """
    found: dict[str, Path] = {}
    for folder in map(Path, folders):
        below = {run_name({"folder": p.resolve().parent}): p.parent for p in sorted(folder.rglob("result.json"))}
        if not below:
            raise ValueError(f"there is no finished run at or below {folder}: no result.json")
        found |= below
    return found


def small_record(result: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return a run's ``result.json`` as it is kept: thinned, and without the paths of the machine that it ran on."""
    rows = result["history"]
    kept = thin(rows)
    seconds = np.diff([0.0, *(row["train_seconds"] for row in rows)])
    record = {**result, "folder": name, "epoch_seconds": float(np.median(seconds)) if len(rows) else None}
    if len(kept) < len(rows):
        record["thinned"] = {"epochs": len(rows), "kept": len(kept)}
    if result.get("command"):
        record["command"] = re.sub(r"(--out[ =])\S*[/\\](?=\S)", r"\1", result["command"])
    record["history"] = [{key: _rounded(value) for key, value in row.items()} for row in kept]
    return plain(record)


def _rounded(value: Any) -> Any:
    return float(f"{value:.6g}") if isinstance(value, float) else value


def small_arrays(maps: Mapping[str, NDArray]) -> dict[str, NDArray]:
    """Return the arrays of a run's figures, those of floats in float16.

    Raises
    ------
    ValueError
        If a number is too large for float16.
    """
    small = {}
    for name, array in maps.items():
        with np.errstate(over="ignore"):
            small[name] = array.astype(np.float16) if np.issubdtype(array.dtype, np.floating) else array
        if np.isfinite(array).all() and not np.isfinite(small[name]).all():
            raise ValueError(f"the array {name!r} reaches {np.abs(array).max():.3g}, float16 ends at 65,504")
    return small


def keep(
    folders: Iterable[Path], out: Path, maps: Sequence[str] = (BEST,), weights: Sequence[str] = ()
) -> list[dict[str, str]]:
    """Write finished runs to a file of records, with arrays for their figures and weights of some beside it.

    Parameters
    ----------
    folders : iterable of path
        Each a run's folder, or one above.
    out : path
        The file to write, ``NAME.json``; the arrays go to ``NAME-maps.npz`` and ``NAME-weights.npz`` beside it.
    maps, weights : sequence of str
        Names of runs, such as ``classification/paper/conv-uniform-seed0``; ``"best"`` stands for the best run of each
        experiment, model and split, which is the one that figures show.

    Returns
    -------
    list of dict
        A row for each run: what was kept of it, and for weights what their test metrics became.

    Raises
    ------
    ValueError
        If no run is found, one was interrupted, a name is unknown, or weights do not fit into half precision.
    """
    if Path(out).suffix != ".json":
        raise ValueError(f"the file of records is named {Path(out).name!r}, wanted a name that ends in .json")
    runs = finished_runs(folders)
    results = {n: json.loads((folder / "result.json").read_text(encoding="utf-8")) for n, folder in runs.items()}
    stopped = [name for name, result in results.items() if result.get("interrupted")]
    if stopped:
        raise ValueError(f"{stopped[0]} was interrupted; a record is of a finished run")
    records = {name: small_record(result, name) for name, result in results.items()}
    with_maps, with_weights = _named(maps, records), _named(weights, records)
    map_arrays: dict[str, NDArray] = {}
    weight_arrays: dict[str, NDArray] = {}
    for name in with_maps:
        with np.load(runs[name] / "maps.npz", allow_pickle=False) as file:
            map_arrays |= {f"{name}/{key}": array for key, array in small_arrays(dict(file)).items()}
    for name in with_weights:
        half = halved(read_archive(runs[name] / "weights.npz")[0], name)
        weight_arrays |= {f"{name}/{key}": array for key, array in half.items()}
        records[name]["metrics_of_half_weights"] = plain(metrics_of(records[name], half))
    _write(Path(out), list(records.values()), map_arrays, weight_arrays)
    return [_row(name, record, name in with_maps) for name, record in records.items()]


def _named(names: Sequence[str], records: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Return the names of runs, with "best" replaced by those that it stands for, in the order of the records."""
    chosen = {run_name(best(some)) for some in for_figures(records.values()).values()} if BEST in names else set()
    for name in set(names) - {BEST}:
        if name not in records:
            raise ValueError(f"there is no finished run {name!r}; there are {', '.join(records)}")
        chosen.add(name)
    return [name for name in records if name in chosen]


def _row(name: str, record: Mapping[str, Any], has_maps: bool) -> dict[str, str]:
    rows, of = len(record["history"]), record["epochs"]
    metric = f"test_{BEST_BY[record['experiment']][0]}"
    half = record.get("metrics_of_half_weights")
    change = f"{metric} {record['metrics'][metric]:.4g} to {half[metric]:.4g}" if half else "-"
    return {
        "run": name,
        "epochs kept": f"{rows} of {of}" if rows < of else "all",
        "maps": "kept" if has_maps else "-",
        "weights kept": change,
        "commit": str(record.get("commit"))[:7] + ("+changes" if "+" in str(record.get("commit")) else ""),
    }


def _write(
    out: Path, records: Sequence[Mapping[str, Any]], maps: dict[str, NDArray], weights: dict[str, NDArray]
) -> None:
    out.parent.mkdir(parents=True, exist_ok=True)
    for ending, arrays in (("maps", maps), ("weights", weights)):
        path = out.with_name(f"{out.stem}-{ending}.npz")
        if arrays:
            with write_atomically(path) as file:
                np.savez_compressed(file, **arrays)  # pyright: ignore[reportArgumentType]
        else:
            path.unlink(missing_ok=True)  # arrays of an earlier record would not belong to this one
    with write_atomically(out, "w") as file:
        file.write("[\n" + ",\n".join(_text(record) for record in records) + "\n]\n")


def _text(record: Mapping[str, Any]) -> str:
    """Return a record as JSON with a line for each epoch: readable, and a third of the length of one per number."""
    facts = {key: value for key, value in record.items() if key != "history"}
    rows = ",\n".join("  " + json.dumps(row, allow_nan=False, ensure_ascii=False) for row in record["history"])
    head = json.dumps(facts, indent=1, allow_nan=False, ensure_ascii=False)
    return f'{head.removesuffix("}").rstrip()},\n "history": [\n{rows}\n ]\n}}'
