"""The runs that a folder holds, with what figures need beside their metrics: curves, maps and weights.

Such a folder is one of records, as ``lessons/results`` is: lists of records in JSON, and beside them ``NAME-maps.npz``
and ``NAME-weights.npz``, as ``minicoord record`` writes them. Or it is one that ``minicoord run`` or
``minicoord sweep`` has written into, with a folder for each run.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from minicoord import experiments
from minicoord.experiments.records.recorded_settings import is_of_papers_grid
from minicoord.train.archive import read_archive

Record = Mapping[str, Any]

NEEDED = {"model": str, "split": str, "preset": str, "seed": int, "settings": dict, "metrics": dict}
# What makes one run better than another, and whether more of it is better.
BEST_BY = {"classification": ("accuracy", True), "regression": ("distance", False), "rendering": ("iou", True)}


def load_records(folder: Path) -> list[dict[str, Any]]:
    """Return the records of all finished runs below a folder.

    They are lists in JSON files, such as ``minicoord run --json`` prints them, and each ``result.json`` in
    ``EXPERIMENT/PRESET/RUN``. Other JSON files, such as that of the benchmark, are passed over.

    Raises
    ------
    ValueError
        If a file is no JSON, or a run in it lacks what every run has.
    """
    records: list[dict[str, Any]] = []
    for path in [*sorted(Path(folder).glob("*.json")), *sorted(Path(folder).glob("*/*/*/result.json"))]:
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
        except ValueError as error:
            raise ValueError(f"the record {path.name} is no JSON: {error}") from None
        found = [content] if path.name == "result.json" else content if isinstance(content, list) else []
        found = [r for r in found if isinstance(r, dict) and r.get("experiment") in experiments.EXPERIMENTS]
        for record in found:
            _check(record, path)
        records += found
    return [record for record in records if not record.get("interrupted")]


def _check(record: Record, path: Path) -> None:
    for key, kind in NEEDED.items():
        if not isinstance(record.get(key), kind):
            raise ValueError(f"a run in the record {path.name} has no {key!r}, wanted what minicoord run writes")
    missing = [key for key in ("epochs", "lr", "l2") if key not in record["settings"]]
    if missing:
        raise ValueError(f"a run in the record {path.name} has no {missing[0]!r} among its settings")


def run_name(record: Record) -> str:
    """Return what tells a run from all others: the folder that it was written to, below the folder of all results.

    Examples
    --------
    >>> run_name({"folder": "results/regression/quick/coordconv-uniform-seed3"})
    'regression/quick/coordconv-uniform-seed3'
    """
    return "/".join(PurePosixPath(str(record["folder"]).replace("\\", "/")).parts[-3:])


def best(records: Sequence[Record]) -> Record:
    """Return the run that ended best, train and test counted alike; of those as good the first.

    A network that learned nothing may be better on test by chance than one that learned what it was shown.
    """
    metric, more = BEST_BY[records[0]["experiment"]]
    sign = 1 if more else -1

    def merit(record: Record) -> float:
        both = np.array([record["metrics"][f"{part}_{metric}"] for part in ("train", "test")], np.float64)
        return sign * both.sum() if np.isfinite(both).all() else -np.inf  # not finite is null in files

    return max(records, key=merit)


def for_figures(records: Iterable[Record]) -> dict[tuple[str, str, str], list[Record]]:
    """Return the records of each (experiment, model, split) that figures are drawn from.

    Those that could be runs of the paper's grid; where there are none, those of the preset "paper"; else all. Runs that
    were fed pixel numbers are left out.
    """
    groups: dict[tuple[str, str, str], list[Record]] = {}
    for record in records:
        if not record.get("raw_input"):
            groups.setdefault((record["experiment"], record["model"], record["split"]), []).append(record)
    chosen: dict[tuple[str, str, str], list[Record]] = {}
    for key, some in groups.items():
        paper = [r for r in some if r["preset"] == "paper"]
        chosen[key] = [r for r in paper if is_of_papers_grid(r)] or paper or some
    return chosen


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
    """

    def __init__(self, folder: Path) -> None:
        self.folder = Path(folder)
        self.records = load_records(self.folder)

    def maps(self, record: Record) -> dict[str, NDArray] | None:
        """Return the arrays that a run left for its figures; None if they were not kept."""
        path = self.folder / run_name(record) / "maps.npz"
        if path.is_file():
            with np.load(path, allow_pickle=False) as file:
                return dict(file)
        return self._of_run(self._map_files, record)

    def weights(self, record: Record) -> dict[str, NDArray] | None:
        """Return the weights of a run, ``params/0.w`` and so on; None if they were not kept."""
        path = self.folder / run_name(record) / "weights.npz"
        if path.is_file():
            return read_archive(path)[0]
        return self._of_run(self._weight_files, record)

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
            with np.load(path, allow_pickle=False) as file:
                members |= dict.fromkeys(file.files, path)
        return members

    def _of_run(self, members: Mapping[str, Path], record: Record) -> dict[str, NDArray] | None:
        start = f"{run_name(record)}/"
        names = [name for name in members if name.startswith(start)]
        if not names:
            return None
        with np.load(members[names[0]], allow_pickle=False) as file:
            return {name.removeprefix(start): file[name] for name in names}
