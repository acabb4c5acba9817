"""The finished runs in a folder: their records, and the arrays and weights that figures need.

The folder may hold records, as ``lessons/results`` does: lists of records in JSON, and beside them ``NAME-maps.npz``
and ``NAME-weights.npz``, as ``minicoord record`` writes them. Or it may be the output of ``minicoord run`` and
``minicoord sweep``, with a folder for each run.

If a file is damaged, only the run that it belongs to is left out, and its path is added to a list of problems.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any

from numpy.typing import NDArray

from minicoord import experiments
from minicoord.experiments.frame.folder import MAPS, RESULT, read_result
from minicoord.experiments.frame.settings import values_of
from minicoord.experiments.records.arrays import opened_arrays, read_arrays, read_weights
from minicoord.experiments.records.checking import checked
from minicoord.experiments.records.run_files import file_of_run, folders_of_runs
from minicoord.system.json_files import read_json

Record = Mapping[str, Any]
"""A finished run, as ``result.json`` holds it, perhaps thinned."""

Problems = list[str]
"""Messages about files that cannot be read."""


def load_records(folder: Path, problems: Problems | None = None) -> list[dict[str, Any]]:
    """Return the records of all finished runs below a folder, each run once.

    They are read from JSON files in the folder that hold lists of records, such as ``minicoord run --json`` prints, and
    from every ``EXPERIMENT/PRESET/RUN/result.json``. Other JSON files, such as that of the benchmark, are ignored. If a
    run is found twice, perhaps in a list and in its own folder, the newer record counts.

    Parameters
    ----------
    folder : path
        The folder to read.
    problems : list, optional
        Receives a message for each file or run that is left out because it is damaged.

    Raises
    ------
    ValueError
        If something is damaged and `problems` is None.
    """
    found: Problems = []
    records = []
    for path in sorted(Path(folder).glob("*.json")):
        records += read_list(path, found)
    for run in folders_of_runs(Path(folder), found, depth=3):
        try:
            path = file_of_run(run, RESULT)
        except ValueError as error:
            found.append(str(error))
            continue
        content, damage = read_result(path)
        records += _valid([content], path, found) if content is not None else []
        found += [f"{path} {damage}"] if damage else []
    if found and problems is None:
        raise ValueError(found[0])
    if problems is not None:
        problems += found
    return each_once([record for record in records if not record.get("interrupted")])


def read_list(path: Path, problems: Problems) -> list[dict[str, Any]]:
    """Return the records in a JSON file that holds a list of them; none if it holds an object."""
    try:
        content = read_json(path)
    except ValueError as error:
        problems.append(f"{path} {error}")
        return []
    if isinstance(content, dict):
        return []
    if not isinstance(content, list) or not all(isinstance(entry, dict) for entry in content):
        problems.append(f"{path} is not a list of records, as minicoord record and minicoord run --json write one")
        return []
    return _valid([entry for entry in content if "experiment" in entry], path, problems)


def _valid(entries: Iterable[dict[str, Any]], path: Path, problems: Problems) -> list[dict[str, Any]]:
    """Return the entries that are complete records of a known experiment, in the current format."""
    records = []
    for entry in entries:
        try:
            records.append(checked(entry))
        except ValueError as error:
            problems.append(f"{path}: {error}")
    return records


def identity(record: Record) -> str:
    """Return a key that is the same for all records of one run: what was trained, with which settings and seed."""
    experiment = experiments.get(record["experiment"])
    settings = values_of(experiment.settings_of(record), record["model"])
    facts = [record[key] for key in ("experiment", "preset", "model", "variant", "seed")]
    return json.dumps([*facts, settings], sort_keys=True)


def each_once(records: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return one record for each run, the newest."""
    newest: dict[str, dict[str, Any]] = {}
    for record in records:
        key = identity(record)
        if key not in newest or str(record.get("date") or "") > str(newest[key].get("date") or ""):
            newest[key] = record
    return list(newest.values())


def run_name(record: Record) -> str:
    """Return the unique name of a run: the folder that it was written to, relative to the folder of all results.

    Examples
    --------
    >>> run_name({"folder": "results/regression/quick/coordconv-uniform-seed3"})
    'regression/quick/coordconv-uniform-seed3'
    """
    return "/".join(PurePosixPath(str(record["folder"]).replace("\\", "/")).parts[-3:])


def best(records: Sequence[Record]) -> Record:
    """Return the best of several runs of an experiment by `Declaration.merit`; of equally good ones, the first."""
    experiment = experiments.get(records[0]["experiment"])
    return max(records, key=lambda record: experiment.merit(record["metrics"]))


def for_figures(records: Iterable[Record]) -> dict[tuple[str, str, str], list[Record]]:
    """Return, for each (experiment, model, variant), the records that figures are drawn from.

    Those are the runs that could belong to the paper's grid; if there are none, those of the preset "paper"; if there
    are none of these either, those with the settings of their preset; else all. Runs with ``raw_input`` are left out.
    """
    groups: dict[tuple[str, str, str], list[Record]] = {}
    for record in records:
        if not record["settings"].get("raw_input"):
            groups.setdefault((record["experiment"], record["model"], record["variant"]), []).append(record)
    chosen: dict[tuple[str, str, str], list[Record]] = {}
    for key, some in groups.items():
        experiment = experiments.get(key[0])
        paper = [r for r in some if r["preset"] == "paper"]
        as_preset = [r for r in some if not experiment.differences(r)]
        chosen[key] = [r for r in paper if experiment.is_of_papers_grid(r)] or paper or as_preset or some
    return chosen


class KeptRuns:
    """All finished runs in a folder: their records at once, their arrays and weights on request.

    Parameters
    ----------
    folder : path
        A folder of records, or of results.

    Attributes
    ----------
    folder : pathlib.Path
        As given.
    records : list of dict
        As `load_records` returns them.
    problems : list of str
        A message for each damaged file, whose content is left out.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = Path(folder)
        self.problems: Problems = []
        self.records = load_records(self.folder, self.problems)

    def maps(self, record: Record) -> dict[str, NDArray] | None:
        """Return the arrays for the figures of a run; None if they were not kept or are damaged."""
        try:
            path = file_of_run(self.folder / run_name(record), MAPS)
            return read_arrays(path) if path.exists() else self._arrays_of(self._map_files, record)
        except ValueError as error:
            self._note(error)
            return None

    def weights(self, record: Record) -> dict[str, NDArray] | None:
        """Return the weights of a run, by names such as ``params/0.w``; None if they were not kept or are damaged."""
        try:
            weights = read_weights(self.folder / run_name(record))
            return weights or self._arrays_of(self._weight_files, record)
        except ValueError as error:
            self._note(error)
            return None

    def _note(self, problem: ValueError) -> None:
        if str(problem) not in self.problems:
            self.problems.append(str(problem))

    @cached_property
    def _map_files(self) -> dict[str, Path]:
        return self._members("*-maps.npz")

    @cached_property
    def _weight_files(self) -> dict[str, Path]:
        return self._members("*-weights.npz")

    def _members(self, pattern: str) -> dict[str, Path]:
        """Return, for each array in files that match `pattern`, the file that holds it."""
        members: dict[str, Path] = {}
        for path in sorted(self.folder.glob(pattern)):
            try:
                with opened_arrays(path) as file:
                    members |= dict.fromkeys(file.files, path)
            except ValueError as error:
                self._note(error)
        return members

    def _arrays_of(self, members: Mapping[str, Path], record: Record) -> dict[str, NDArray] | None:
        """Return the arrays of a run, whose names begin with that of the run; None if there are none."""
        prefix = f"{run_name(record)}/"
        names = [name for name in members if name.startswith(prefix)]
        if not names:
            return None
        with opened_arrays(members[names[0]]) as file:
            return {name.removeprefix(prefix): file[name] for name in names}
