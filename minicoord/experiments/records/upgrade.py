"""Convert records of minicoord 0.1 to the current format: names change, measured values do not.

    python -m minicoord.experiments.records.upgrade lessons/results

rewrites every list of records in a folder. Rewriting is optional: `upgraded` is applied to all records that are read.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from minicoord import experiments
from minicoord.experiments.frame.result import upgraded as in_current_format
from minicoord.experiments.records.text import text_of_records
from minicoord.system.counting import counted
from minicoord.system.files import write_atomically
from minicoord.system.json_files import read_json


def upgraded(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return a record in the current format.

    See `minicoord.experiments.frame.result.upgraded`, which needs the settings of the record's experiment.

    Examples
    --------
    >>> old = {"experiment": "regression", "model": "coordconv", "split": "uniform", "raw_input": False, "epochs": 5}
    >>> upgraded({**old, "settings": {"lr": 0.1, "m": None}})["settings"]
    {'lr': 0.1}
    """
    return in_current_format(record, experiments.get(record["experiment"]).Settings)


def main(arguments: Sequence[str] | None = None) -> None:
    """Rewrite the lists of records in the folders given as arguments."""
    for folder in sys.argv[1:] if arguments is None else arguments:
        for path in sorted(Path(folder).glob("*.json")):
            try:
                content = read_json(path)
            except ValueError as error:
                raise SystemExit(f"{path} {error}") from None
            if not isinstance(content, list) or not all(isinstance(r, dict) and "experiment" in r for r in content):
                continue
            records = [upgraded(record) for record in content]
            if records != content:
                with write_atomically(path, "w") as file:
                    file.write(text_of_records(records))
                print(f"{path}: {counted(len(records), 'record')}")


if __name__ == "__main__":
    main()
