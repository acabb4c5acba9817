"""Check that an entry of a file is a record of a run, so that other code can rely on its keys and types."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING
from typing import Any

from minicoord import experiments
from minicoord.experiments.frame.settings import fields_of
from minicoord.experiments.records.upgrade import upgraded

# The keys that every record has, and the types of their values.
NEEDED = {
    **dict.fromkeys(["model", "variant", "preset", "folder"], str),
    **dict.fromkeys(["settings", "metrics"], dict),
    "seed": int,
    "history": list,
}


def checked(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return an entry of a list of records in the current format.

    Raises
    ------
    ValueError
        If it is not a complete record of a known experiment.
    """
    name = entry.get("experiment")
    if not isinstance(name, str) or name not in experiments.registry():
        raise ValueError(f"a run in it is of an unknown experiment, {name!r}")
    renamed = {"variant": entry.get("split"), **entry}  # as it was called in version 0.1
    missing = [key for key, kind in NEEDED.items() if not isinstance(renamed.get(key), kind)]
    if missing:
        raise ValueError(f"a run in it has no {missing[0]!r}, wanted what minicoord run writes")
    try:
        experiment, record = experiments.get(name), upgraded(entry)
    except experiments.ExperimentError as error:
        raise ValueError(f"a run in it is of {error}") from None
    without_default = [f.name for f in fields_of(experiment.Settings, record["model"]) if f.default is MISSING]
    for key, names in {"settings": without_default, "metrics": [experiment.primary.name]}.items():
        missing = [name for name in names if name not in record[key]]
        if missing:
            raise ValueError(f"a run in it has no {missing[0]!r} among its {key}, wanted what minicoord run writes")
    bad = [key for key, value in record["metrics"].items() if not isinstance(value, int | float | None)]
    if bad:
        raise ValueError(f"a run in it has {record['metrics'][bad[0]]!r} as {bad[0]}, wanted a number")
    if not all(isinstance(row, dict) for row in record["history"]):
        raise ValueError("a run in it has a history whose rows are not those that minicoord run writes")
    return record
