"""Finished runs made small enough to be kept in the repository: one list of records, and some arrays beside it.

The curves are thinned, and each record says so. Numbers in them are rounded to six digits; the metrics are not.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from minicoord import experiments
from minicoord.experiments.frame.folder import MAPS, NEW, RESULT, read_result
from minicoord.experiments.frame.metrics import Metric
from minicoord.experiments.frame.report import length_of
from minicoord.experiments.records.half_weights import halved, metrics_of
from minicoord.experiments.records.reading import (
    Problems,
    best,
    checked,
    for_figures,
    read_arrays,
    read_weights,
    run_name,
)
from minicoord.experiments.records.text import text_of_records
from minicoord.system.files import plain, remove_file, write_atomically
from minicoord.system.places import make_folder

Rows = Sequence[Mapping[str, Any]]

FIRST, ABOUT = 10, 100  # rows of a curve: these epochs at its beginning, and about so many in all
REACHED = (0.8, 1.0)  # the first row that reached these is kept: the paper's times are to 80 and to 100 %
BEST = "best"  # on the command line: the best run of each model and variant


def thin(rows: Rows, metric: Metric | None = None, first: int = FIRST, about: int = ABOUT) -> list[Mapping[str, Any]]:
    """Return the rows of a curve that tell most of it, in order.

    Parameters
    ----------
    rows : sequence of dict
        A history.
    metric : Metric, optional
        The best row by this metric is kept, and where more of it is better the first to reach 80 and 100 %.
    first : int
        So many are kept at the beginning, where a curve moves most. Of the others half are at growing distances, and
        half at even ones, since some curves swing to their end.
    about : int
        How many rows to keep in all. Curves that are no longer stay whole. The last row is always kept.

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
    """Return the rows that readers ask for by name: the best, and the first to have reached 80 and 100 %."""
    if metric is None:
        return set()
    values = np.array([row.get(metric.name) for row in rows], np.float64)  # None, not measured, becomes NaN
    if not np.isfinite(values).any():
        return set()
    if not metric.more_is_better:
        return {int(np.nanargmin(values))}
    reached = (int(np.argmax(values >= least)) for least in REACHED if (values >= least).any())
    return {int(np.nanargmax(values)), *reached}


def finished_runs(folders: Iterable[Path], problems: Problems) -> dict[str, tuple[Path, dict[str, Any]]]:
    """Return the name, the folder and the result of every finished run at or below these folders.

    Raises
    ------
    ValueError
        If a folder holds none, or one was interrupted.
    """
    found: dict[str, tuple[Path, dict[str, Any]]] = {}
    for folder in map(Path, folders):
        paths = [path for path in sorted(folder.rglob(RESULT)) if path.parent.name != NEW]
        if not paths:
            raise ValueError(f"there is no finished run at or below {folder}: no {RESULT}")
        for path in paths:
            result, damage = read_result(path)
            name = run_name({"folder": path.resolve().parent})
            if result is None:
                problems.append(f"{path} {damage}; {name} is left out")
                continue
            try:
                record = checked(result)
            except ValueError as error:
                problems.append(f"{path}: {error}; {name} is left out")
                continue
            if record.get("interrupted"):
                raise ValueError(f"{name} was interrupted; a record is of a finished run")
            found[name] = path.parent, record
    return found


def small_record(result: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return a run's ``result.json`` as it is kept: thinned, and without the paths of the machine that it ran on."""
    rows, unit = result["history"], result.get("unit", "epoch")
    kept = thin(rows, experiments.get(result["experiment"]).primary)
    record = {**result, "folder": name, f"{unit}_seconds": _seconds_of_one(rows, unit)}
    if len(kept) < len(rows):
        record["thinned"] = {f"{unit}s" if unit != "step" else "rows": len(rows), "kept": len(kept)}
    if result.get("command"):
        record["command"] = re.sub(r"(--out[ =])\S*[/\\](?=\S)", r"\1", result["command"])
    record["history"] = [{key: _rounded(value) for key, value in row.items()} for row in kept]
    return plain(record)


def _seconds_of_one(rows: Rows, unit: str) -> float | None:
    """Return the median seconds of an epoch, or the mean seconds of a step."""
    if not rows:
        return None
    if unit == "step":
        return rows[-1]["train_seconds"] / rows[-1]["step"]
    return float(np.median(np.diff([0.0, *(row["train_seconds"] for row in rows)])))


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
    folders: Iterable[Path],
    out: Path,
    maps: Sequence[str] = (BEST,),
    weights: Sequence[str] = (),
    problems: Problems | None = None,
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
        experiment, model and variant, which is the one that figures show.
    problems : list, optional
        Gets a sentence for each run that is left out because a file of it is damaged.

    Returns
    -------
    list of dict
        A row for each run: what was kept of it, and for weights what its primary metric became.

    Raises
    ------
    ValueError
        If no run is found, one was interrupted, a name is unknown, or weights do not fit into half precision.
    """
    if Path(out).suffix != ".json":
        raise ValueError(f"the file of records is named {Path(out).name!r}, wanted a name that ends in .json")
    problems = [] if problems is None else problems
    runs = finished_runs(folders, problems)
    records = {name: small_record(result, name) for name, (_, result) in runs.items()}
    unknown = [name for name in (*maps, *weights) if name not in (BEST, *runs)]
    if unknown:
        raise ValueError(f"there is no finished run {unknown[0]!r}; there are {', '.join(runs)}")
    while True:
        before = len(records)
        map_arrays, with_maps = _collected(maps, records, runs, problems, _maps_of_run)
        weight_arrays, _ = _collected(weights, records, runs, problems, _half_weights_of_run)
        if len(records) == before:  # else a damaged run was left out, and another may be the best
            break
    if not records:
        raise ValueError(f"there is no run to keep; {problems[0]}")
    write_records(Path(out), list(records.values()), map_arrays, weight_arrays)
    return [_row(name, record, name in with_maps) for name, record in records.items()]


def _collected(
    names: Sequence[str], records: dict[str, dict[str, Any]], runs: Mapping[str, Any], problems: Problems, read: Any
) -> tuple[dict[str, NDArray], list[str]]:
    """Return the arrays of the runs named, and whose they are; a run whose file is damaged leaves the records."""
    arrays: dict[str, NDArray] = {}
    kept = []
    while True:
        name = next((n for n in _named(names, records) if n not in kept), None)
        if name is None:
            return arrays, kept
        try:
            found = read(runs[name][0], records[name])
        except DamagedError as error:
            problems.append(f"{error}; {name} is left out")
            del records[name]
            continue
        arrays |= {f"{name}/{key}": array for key, array in found.items()}
        kept.append(name)


class DamagedError(ValueError):
    """A file of a run that cannot be read."""


def _maps_of_run(folder: Path, record: Mapping[str, Any]) -> dict[str, NDArray]:
    try:
        arrays = read_arrays(folder / MAPS)
    except ValueError as error:
        raise DamagedError(str(error)) from None
    return small_arrays(arrays)


def _half_weights_of_run(folder: Path, record: dict[str, Any]) -> dict[str, NDArray]:
    """Return a run's weights in half precision, after writing down what they make of its metrics."""
    try:
        weights = read_weights(folder)
    except ValueError as error:
        raise DamagedError(str(error)) from None
    half = halved(weights, record["folder"])
    try:
        record["metrics_of_half_weights"] = plain(metrics_of(record, half))
    except ValueError as error:
        raise DamagedError(f"{folder}: {error}") from None
    return half


def _named(names: Sequence[str], records: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Return the names of runs, with "best" replaced by those that it stands for, in the order of the records."""
    chosen = {run_name(best(some)) for some in for_figures(records.values()).values()} if BEST in names else set()
    return [name for name in records if name in chosen or name in names]


def _row(name: str, record: Mapping[str, Any], has_maps: bool) -> dict[str, str]:
    rows, of = len(record["history"]), record.get("thinned", {})
    metric = experiments.get(record["experiment"]).primary.name
    half = record.get("metrics_of_half_weights")
    change = f"{metric} {record['metrics'][metric]:.4g} to {half[metric]:.4g}" if half else "-"
    return {
        "run": name,
        "rows kept": f"{rows} of {length_of(record) if 'rows' not in of else of['rows']}" if of else "all",
        "maps": "kept" if has_maps else "-",
        "weights kept": change,
        "commit": str(record.get("commit"))[:7] + ("+changes" if "+" in str(record.get("commit")) else ""),
    }


def write_records(
    out: Path, records: Sequence[Mapping[str, Any]], maps: dict[str, NDArray], weights: dict[str, NDArray]
) -> None:
    """Write a list of records to `out`, and the arrays beside it."""
    make_folder(out.parent)
    for ending, arrays in (("maps", maps), ("weights", weights)):
        path = out.with_name(f"{out.stem}-{ending}.npz")
        if arrays:
            with write_atomically(path) as file:
                np.savez_compressed(file, **arrays)  # pyright: ignore[reportArgumentType]
        else:
            remove_file(path)  # arrays of an earlier record would not belong to this one
    with write_atomically(out, "w") as file:
        file.write(text_of_records(records))
