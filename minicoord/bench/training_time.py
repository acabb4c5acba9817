"""The training time of the CoordConv classifier until every test pixel is right."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from minicoord import experiments


def seconds_to_solve(seeds: Sequence[int], split: str = "uniform") -> Iterator[dict[str, Any]]:
    """Train the quick preset once per seed, and yield the time at which its test accuracy first reaches 100 %.

    Parameters
    ----------
    seeds : sequence of int
    split : str

    Yields
    ------
    dict
        ``seed``, ``seconds`` of training (without compiling and evaluation) up to the end of the first epoch with 100 %
        test accuracy, None if there is no such epoch, and ``solved`` as the experiment defines it for the last epoch.
    """
    for seed in seeds:
        with tempfile.TemporaryDirectory() as folder:
            run = experiments.get("classification").run
            result = run("coordconv", split, seed=seed, out=Path(folder), progress=False)
        reached = [row["train_seconds"] for row in result["history"] if row["test_accuracy"] == 1.0]
        yield {"seed": seed, "seconds": reached[0] if reached else None, "solved": result["solved"]}
