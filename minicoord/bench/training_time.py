"""How many seconds of training the CoordConv classifier takes to get every test pixel right."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from minicoord import experiments


def seconds_to_solve(seeds: Sequence[int], split: str = "uniform") -> Iterator[dict[str, Any]]:
    """Train the quick preset once for each seed, and yield when its test accuracy first was 100 %.

    Parameters
    ----------
    seeds : sequence of int
    split : str

    Yields
    ------
    dict
        ``seed``, ``seconds`` of training (compiling and evaluating not counted) up to the end of the first epoch with
        100 % on the test, None if there was none, and ``solved``: whether the last epoch has it too, on train and test.
    """
    for seed in seeds:
        with tempfile.TemporaryDirectory() as folder:
            run = experiments.get("classification").run
            result = run("coordconv", split, seed=seed, out=Path(folder), progress=False)
        reached = [row["train_seconds"] for row in result["history"] if row["test_accuracy"] == 1.0]
        yield {"seed": seed, "seconds": reached[0] if reached else None, "solved": result["solved"]}
