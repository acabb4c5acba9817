"""Write finished runs, made small enough for the repository, to a list of records and the arrays beside it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from minicoord import experiments
from minicoord.experiments.frame.folder import MAPS, RESULT, read_result
from minicoord.experiments.frame.report import length_of
from minicoord.experiments.records.arrays import read_arrays, read_weights
from minicoord.experiments.records.checking import checked
from minicoord.experiments.records.half_weights import halved, kept_of, metrics_of, trainer_of
from minicoord.experiments.records.reading import Problems, best, for_figures, identity, read_list, run_name
from minicoord.experiments.records.run_files import file_of_run, folders_of_runs
from minicoord.experiments.records.text import commit_of, digits, text_of_records
from minicoord.experiments.records.thinning import small_arrays, small_record
from minicoord.system.arguments import shown
from minicoord.system.files import plain, remove_file, write_atomically
from minicoord.system.places import make_folder

BEST = "best"  # on the command line: the best run of each experiment, model and variant


def finished_runs(folders: Iterable[Path], problems: Problems) -> dict[str, tuple[Path, dict[str, Any]]]:
    """Return folder and result of every finished run at or below these folders, by the name of the run.

    Of several copies of a run the newest counts. Damaged results, and folders that cannot be read, are left out, with a
    message added to `problems`.

    Raises
    ------
    ValueError
        If a folder has none, or a run was interrupted.
    """
    newest: dict[str, tuple[Path, dict[str, Any]]] = {}
    for folder in map(Path, folders):
        known = len(problems)
        places = folders_of_runs(folder, problems)
        if not places and len(problems) == known:
            raise ValueError(f"there is no finished run at or below {folder}: no {RESULT}")
        for place in places:
            record = _read(place, problems)
            if record is None:
                continue
            if record.get("interrupted"):
                raise ValueError(f"{_name_of(place)} was interrupted; a record is of a finished run")
            key = identity(record)
            if key not in newest or _rank(place, record) > _rank(*newest[key]):
                newest[key] = place, record
    found: dict[str, tuple[Path, dict[str, Any]]] = {}
    for place, record in newest.values():
        first, _ = found.setdefault(_name_of(place), (place, record))
        if first != place:
            problems.append(f"{place} and {first} hold different runs of one name; {place} is left out")
    return found


def _name_of(place: Path) -> str:
    """Return the name of the run in a folder."""
    return run_name({"folder": place.resolve()})


def _rank(place: Path, record: Mapping[str, Any]) -> tuple[str, bool]:
    """Return a key that is largest for the newest copy of a run; of equal ones, for that in the folder of its name."""
    return str(record.get("date") or ""), _name_of(place) == run_name(record)


def _read(place: Path, problems: Problems) -> dict[str, Any] | None:
    """Return the result in the folder of a run; None, with a message added to `problems`, if it is damaged."""
    name = _name_of(place)
    try:
        name.encode()  # the arrays of the run are kept under this name
        path = file_of_run(place, RESULT)
        result, damage = read_result(path)
        if result is None:
            raise ValueError(f"{path} {damage}")
        try:
            return checked(result)
        except ValueError as error:
            raise ValueError(f"{path}: {error}") from None
    except UnicodeEncodeError:
        problems.append(f"the name of {place} is not valid UTF-8; the run is left out")
    except ValueError as error:
        problems.append(f"{error}; {name} is left out")
    return None


def keep(
    folders: Iterable[Path],
    out: Path,
    maps: Sequence[str] = (BEST,),
    weights: Sequence[str] = (),
    problems: Problems | None = None,
) -> list[dict[str, str]]:
    """Write finished runs to a file of records, and arrays and weights of some of them to files beside it.

    Parameters
    ----------
    folders : iterable of path
        The folders of runs, or folders above.
    out : path
        The file to write, ``NAME.json``; the arrays go to ``NAME-maps.npz``, the weights to ``NAME-weights.npz``.
    maps, weights : sequence of str
        The runs whose arrays, or weights, to keep: names such as ``classification/paper/conv-uniform-seed0``, or
        ``"best"`` for the best run of each experiment, model and variant, which is the one that figures show.
    problems : list, optional
        Receives a message for each run that is left out because one of its files is damaged.

    Returns
    -------
    list of dict
        A row for each run: what was kept of it, and how its primary metric changed if its weights were kept.

    Raises
    ------
    ValueError
        If there is no finished run, one was interrupted, a name is unknown, or weights are too large for float16. Also
        if a run is left out of which `out` holds a record: that would be lost.
    """
    if Path(out).suffix != ".json":
        raise ValueError(f"the file of records is named {shown(Path(out).name)}, wanted a name that ends in .json")
    problems = [] if problems is None else problems
    folders = list(folders)
    runs = finished_runs(folders, problems)
    records = {name: small_record(result, name) for name, (_, result) in runs.items()}
    unknown = [name for name in (*maps, *weights) if name not in (BEST, *runs)]
    if unknown:
        raise ValueError(f"there is no finished run {shown(unknown[0])}; there are {', '.join(runs)}")
    # A damaged run leaves the records. Then another one may be the best, so the arrays are collected again.
    while True:
        count = len(records)
        map_arrays, with_maps = _collected(maps, records, runs, problems, _maps_of_run)
        weight_arrays, _ = _collected(weights, records, runs, problems, _half_weights_of_run)
        if len(records) == count:
            break
    if not records:
        raise ValueError(f"there is no run to keep; {problems[0]}")
    lost = _lost(Path(out), folders, records) if problems else []
    if lost:
        raise ValueError(f"{out} is left as it is, because it holds {lost[0]}, which would be lost; {problems[0]}")
    write_records(Path(out), list(records.values()), map_arrays, weight_arrays)
    return [_row(name, record, name in with_maps) for name, record in records.items()]


def _lost(out: Path, folders: Iterable[Path], kept: Mapping[str, Any]) -> list[str]:
    """Return the runs in these folders that are not kept, although the file that is to be replaced holds them."""
    places = [place for folder in folders for place in folders_of_runs(Path(folder), [])]
    left_out = {_name_of(place) for place in places} - kept.keys()
    held = {run_name(record) for record in read_list(out, [])} if left_out and out.exists() else set()
    return sorted(left_out & held)


def _collected(
    names: Sequence[str],
    records: dict[str, dict[str, Any]],
    runs: Mapping[str, tuple[Path, dict[str, Any]]],
    problems: Problems,
    read: Callable[[Path, dict[str, Any]], dict[str, NDArray]],
) -> tuple[dict[str, NDArray], list[str]]:
    """Return the arrays of the named runs under ``RUN/ARRAY``, and the names of these runs.

    `read` returns the arrays of a run from its folder and its record. A run whose file is damaged is removed from the
    records; "best" then stands for another one.
    """
    arrays: dict[str, NDArray] = {}
    kept = []
    while True:
        name = next((name for name in _named(names, records) if name not in kept), None)
        if name is None:
            return arrays, kept
        try:
            arrays_of_run = read(runs[name][0], records[name])
        except DamagedError as error:
            problems.append(f"{error}; {name} is left out")
            del records[name]
            continue
        arrays |= {f"{name}/{key}": array for key, array in arrays_of_run.items()}
        kept.append(name)


class DamagedError(ValueError):
    """A file of a run cannot be read."""


def _maps_of_run(folder: Path, record: Mapping[str, Any]) -> dict[str, NDArray]:
    """Return the arrays for the figures of a run, as they are kept."""
    try:
        arrays = read_arrays(file_of_run(folder, MAPS))
    except ValueError as error:
        raise DamagedError(str(error)) from None
    return small_arrays(arrays)


def _half_weights_of_run(folder: Path, record: dict[str, Any]) -> dict[str, NDArray]:
    """Return the weights of a run in half precision, and add the metrics with these weights to its record.

    Where the trainer has no networks there is nothing to keep or to measure.
    """
    try:
        weights = read_weights(folder)
    except ValueError as error:
        raise DamagedError(str(error)) from None
    try:
        half = halved(kept_of(record, weights), record["folder"])
    except TypeError:  # an array of text
        raise DamagedError(f"the weights in {folder} are not all numbers") from None
    try:
        if half or trainer_of(record).networks:
            record["metrics_of_half_weights"] = plain(metrics_of(record, half))
    except ValueError as error:
        raise DamagedError(f"{folder}: {error}") from None
    except Exception as error:  # an experiment may raise anything about a record that does not fit it
        raise DamagedError(f"{folder}: its weights cannot be tried: {type(error).__name__}: {error}") from None
    return half


def _named(names: Sequence[str], records: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Return the names of runs, with "best" replaced by the runs that it stands for, in the order of the records."""
    chosen = {run_name(best(some)) for some in for_figures(records.values()).values()} if BEST in names else set()
    return [name for name in records if name in chosen or name in names]


def _row(name: str, record: Mapping[str, Any], has_maps: bool) -> dict[str, str]:
    """Return a row of the table that ``minicoord record`` prints."""
    rows_kept, thinned = "all", record.get("thinned")
    if thinned:
        before = thinned["rows"] if "rows" in thinned else length_of(record)
        rows_kept = f"{len(record['history'])} of {before}"
    metric = experiments.get(record["experiment"]).primary.name
    commit = commit_of(record)
    half = record.get("metrics_of_half_weights")
    change = f"{metric} {digits(record['metrics'][metric], 4)} to {digits(half[metric], 4)}" if half else "-"
    return {
        "run": name,
        "rows kept": rows_kept,
        "maps": "kept" if has_maps else "-",
        "weights kept": change,
        "commit": commit[:7] + ("+changes" if "+" in commit else ""),
    }


def write_records(
    out: Path, records: Sequence[Mapping[str, Any]], maps: dict[str, NDArray], weights: dict[str, NDArray]
) -> None:
    """Write records to `out`, and the arrays of their figures and their weights beside it."""
    make_folder(out.parent)
    for ending, arrays in (("maps", maps), ("weights", weights)):
        path = out.with_name(f"{out.stem}-{ending}.npz")
        if arrays:
            with write_atomically(path) as file:
                np.savez_compressed(file, **arrays)  # pyright: ignore[reportArgumentType]
        else:
            remove_file(path)  # arrays of an earlier version of the file would not belong to these records
    with write_atomically(out, "w") as file:
        file.write(text_of_records(records))
