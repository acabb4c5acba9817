"""The runs that a folder holds, with what figures need beside their metrics: curves, arrays and weights.

Such a folder is one of records, as ``lessons/results`` is: lists of records in JSON, and beside them ``NAME-maps.npz``
and ``NAME-weights.npz``, as ``minicoord record`` writes them. Or it is one that ``minicoord run`` or
``minicoord sweep`` has written into, with a folder for each run.

A damaged file costs the run that it belongs to, and no other: its path goes into a list of problems.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import MISSING
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from minicoord import experiments
from minicoord.experiments.frame.folder import MAPS, RESULT, read_result
from minicoord.experiments.frame.settings import fields_of, values_of
from minicoord.experiments.records.upgrade import upgraded
from minicoord.system.places import FILE, what_is_at

Record = Mapping[str, Any]
Problems = list[str]

NEEDED = {
    **dict.fromkeys(["model", "variant", "preset", "folder"], str),
    **dict.fromkeys(["settings", "metrics"], dict),
    "seed": int,
    "history": list,
}


def load_records(folder: Path, problems: Problems | None = None) -> list[dict[str, Any]]:
    """Return the records of all finished runs below a folder, each run once.

    They are lists in JSON files, such as ``minicoord run --json`` prints them, and each ``result.json`` in
    ``EXPERIMENT/PRESET/RUN``. Other JSON files, such as that of the benchmark, are passed over. Where a run is there
    twice, in a list and in its folder perhaps, the newest counts.

    Parameters
    ----------
    folder : path
    problems : list, optional
        Gets a sentence for each file or run that is left out because it is damaged.

    Raises
    ------
    ValueError
        If something is damaged and there is no list of problems.
    """
    found: Problems = []
    records = []
    for path in sorted(Path(folder).glob("*.json")):
        records += _of_list(path, found)
    for path in sorted(Path(folder).glob(f"*/*/*/{RESULT}")):
        content, damage = read_result(path)
        records += _checked([content], path, found) if content is not None else []
        found += [f"{path} {damage}"] if damage else []
    if found and problems is None:
        raise ValueError(found[0])
    if problems is not None:
        problems += found
    return each_once([record for record in records if not record.get("interrupted")])


def _of_list(path: Path, problems: Problems) -> list[dict[str, Any]]:
    """Return the records in a JSON file that is a list of them; none if it is something else."""
    if what_is_at(path) != FILE:  # to open a pipe would wait for ever
        problems.append(f"{path} is {what_is_at(path)}, wanted a file of records")
        return []
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        problems.append(f"{path} cannot be read: {error.strerror}")
        return []
    except (ValueError, RecursionError):
        problems.append(f"{path} is damaged: it is not JSON")
        return []
    if isinstance(content, dict):
        return []
    if not isinstance(content, list) or not all(isinstance(entry, dict) for entry in content):
        problems.append(f"{path} is not a list of records, as minicoord record and minicoord run --json write one")
        return []
    return _checked([entry for entry in content if "experiment" in entry], path, problems)


def _checked(entries: Iterable[dict[str, Any]], path: Path, problems: Problems) -> list[dict[str, Any]]:
    """Return the entries that are records of a known experiment, in the form of today."""
    records = []
    for entry in entries:
        try:
            records.append(checked(entry))
        except ValueError as error:
            problems.append(f"{path}: {error}")
    return records


def checked(entry: Record) -> dict[str, Any]:
    """Return an entry of a list of records in the form of today.

    Raises
    ------
    ValueError
        If it is not a record of an experiment that is known here.
    """
    name = entry.get("experiment")
    if not isinstance(name, str) or name not in experiments.registry():
        raise ValueError(f"there is no experiment {name!r}, which a run in it is of")
    whole = {"variant": entry.get("split"), **entry}  # version 0.1 called it so
    missing = [key for key, kind in NEEDED.items() if not isinstance(whole.get(key), kind)]
    if missing:
        raise ValueError(f"a run in it has no {missing[0]!r}, wanted what minicoord run writes")
    try:
        experiment, record = experiments.get(name), upgraded(entry)
    except experiments.ExperimentError as error:
        raise ValueError(f"a run in it is of {error}") from None
    needed = [f.name for f in fields_of(experiment.Settings, record["model"]) if f.default is MISSING]
    for key, names in {"settings": needed, "metrics": [experiment.primary.name]}.items():
        missing = [name for name in names if name not in record[key]]
        if missing:
            raise ValueError(f"a run in it has no {missing[0]!r} among its {key}, wanted what minicoord run writes")
    strange = [key for key, value in record["metrics"].items() if not isinstance(value, int | float | None)]
    if strange:
        raise ValueError(f"a run in it has {record['metrics'][strange[0]]!r} as {strange[0]}, wanted a number")
    if not all(isinstance(row, dict) for row in record["history"]):
        raise ValueError("a run in it has a history whose rows are not those that minicoord run writes")
    return record


def identity(record: Record) -> str:
    """Return what makes a record that of one run: what was trained, with which settings and seed."""
    experiment = experiments.get(record["experiment"])
    settings = values_of(experiment.settings_of(record), record["model"])
    told = [record[key] for key in ("experiment", "preset", "model", "variant", "seed")]
    return json.dumps([*told, settings], sort_keys=True)


def each_once(records: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the records without repetitions of a run; of several of one run, the newest."""
    newest: dict[str, dict[str, Any]] = {}
    for record in records:
        key = identity(record)
        if key not in newest or str(record.get("date") or "") > str(newest[key].get("date") or ""):
            newest[key] = record
    return list(newest.values())


def run_name(record: Record) -> str:
    """Return what tells a run from all others: the folder that it was written to, below the folder of all results.

    Examples
    --------
    >>> run_name({"folder": "results/regression/quick/coordconv-uniform-seed3"})
    'regression/quick/coordconv-uniform-seed3'
    """
    return "/".join(PurePosixPath(str(record["folder"]).replace("\\", "/")).parts[-3:])


def best(records: Sequence[Record]) -> Record:
    """Return the run that ended best, as its experiment judges it; of those as good the first."""
    experiment = experiments.get(records[0]["experiment"])
    return max(records, key=lambda record: experiment.merit(record["metrics"]))


def for_figures(records: Iterable[Record]) -> dict[tuple[str, str, str], list[Record]]:
    """Return the records of each (experiment, model, variant) that figures are drawn from.

    Those that could be runs of the paper's grid; where there are none, those of the preset "paper"; else all. Runs that
    were fed pixel numbers are left out.
    """
    groups: dict[tuple[str, str, str], list[Record]] = {}
    for record in records:
        if not record["settings"].get("raw_input"):
            groups.setdefault((record["experiment"], record["model"], record["variant"]), []).append(record)
    chosen: dict[tuple[str, str, str], list[Record]] = {}
    for key, some in groups.items():
        paper = [r for r in some if r["preset"] == "paper"]
        chosen[key] = [r for r in paper if experiments.get(key[0]).is_of_papers_grid(r)] or paper or some
    return chosen


def read_arrays(path: Path) -> dict[str, NDArray]:
    """Return the arrays of an ``.npz`` file.

    Raises
    ------
    ValueError
        If it cannot be read or is damaged; the message begins with its path.
    """
    with _opened(path) as file:
        return {name: file[name] for name in file.files if name != "meta"}


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[Any]:
    """Open an ``.npz`` file; whatever goes wrong until it is closed is a ValueError that begins with its path."""
    if what_is_at(path) != FILE:  # to open a pipe would wait for ever
        raise ValueError(f"{path} is {what_is_at(path) or 'missing'}, wanted a file of arrays")
    try:
        with open(path, "rb") as stream, np.load(stream, allow_pickle=False) as file:
            yield file
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror or error}") from None
    except Exception as error:  # damaged bytes provoke errors of many kinds, in zipfile, zlib and NumPy
        raise ValueError(f"{path} is damaged or cut short") from error


def read_weights(folder: Path) -> dict[str, NDArray]:
    """Return the weights in the folder of a run: ``params/0.w``, or ``generator/params/0.w`` of several networks.

    Raises
    ------
    ValueError
        If a file is damaged.
    """
    weights: dict[str, NDArray] = {}
    for path in sorted(folder.glob("weights*.npz")):
        network = path.stem.removeprefix("weights").removeprefix("-")
        prefix = f"{network}/" if network else ""
        weights |= {f"{prefix}{key}": array for key, array in read_arrays(path).items()}
    return weights


class KeptRuns:
    """All runs of a folder.

    Parameters
    ----------
    folder : path

    Attributes
    ----------
    folder : pathlib.Path
    records : list of dict
        As `load_records` returns them.
    problems : list of str
        A sentence for each file that is damaged; what it held is left out.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = Path(folder)
        self.problems: Problems = []
        self.records = load_records(self.folder, self.problems)

    def maps(self, record: Record) -> dict[str, NDArray] | None:
        """Return the arrays that a run left for its figures; None if they were not kept or are damaged."""
        path = self.folder / run_name(record) / MAPS
        try:
            return read_arrays(path) if path.exists() else self._of_run(self._map_files, record)
        except ValueError as error:
            self._say(error)
            return None

    def weights(self, record: Record) -> dict[str, NDArray] | None:
        """Return the weights of a run, ``params/0.w`` and so on; None if they were not kept or are damaged."""
        try:
            weights = read_weights(self.folder / run_name(record))
            return weights or self._of_run(self._weight_files, record)
        except ValueError as error:
            self._say(error)
            return None

    def _say(self, problem: ValueError) -> None:
        if str(problem) not in self.problems:
            self.problems.append(str(problem))

    @cached_property
    def _map_files(self) -> dict[str, Path]:
        return self._members("*-maps.npz")

    @cached_property
    def _weight_files(self) -> dict[str, Path]:
        return self._members("*-weights.npz")

    def _members(self, pattern: str) -> dict[str, Path]:
        """Return for each array in the files the file that holds it."""
        members: dict[str, Path] = {}
        for path in sorted(self.folder.glob(pattern)):
            try:
                with _opened(path) as file:
                    members |= dict.fromkeys(file.files, path)
            except ValueError as error:
                self._say(error)
        return members

    def _of_run(self, members: Mapping[str, Path], record: Record) -> dict[str, NDArray] | None:
        start = f"{run_name(record)}/"
        names = [name for name in members if name.startswith(start)]
        if not names:
            return None
        with _opened(members[names[0]]) as file:
            return {name.removeprefix(start): file[name] for name in names}
