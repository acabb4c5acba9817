"""What a training run recorded: one row per epoch, or per some number of steps; plain numbers only."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

Row = dict[str, Any]

TRAINING_COLUMNS = ("epoch", "train_loss", "l2_penalty", "lr", "train_seconds")
"""The columns that `fit` fills; an evaluation adds others."""


@dataclass
class History:
    """The record of a run.

    Parameters
    ----------
    rows : list of dict
        One for each epoch that was completed, or for each `every` steps of a run that is counted in steps. In those of
        `fit`, ``epoch`` counts from 1; ``train_loss`` is the mean loss over the epoch's samples while the weights were
        changing, without the L2 penalty; ``l2_penalty`` is that of the weights at the end of the epoch; ``lr`` the
        learning rate. In those of `minicoord.train.loop.train`, ``step`` is the number of steps so far, and the means
        of the steps' numbers follow. ``train_seconds`` has the seconds of all rows so far, without evaluation and
        checkpoints. Then comes what the evaluation returned.
    stopped : bool
        True if ``stop_when`` ended the run.
    interrupted : bool
        True if Ctrl-C ended the run.
    sittings : list of dict
        Facts of each process that had a part in the run, such as its commit and machine, where they were given.

    Examples
    --------
    >>> history = History([{"epoch": 1, "train_loss": 0.5}, {"epoch": 2, "train_loss": 0.25}])
    >>> history["train_loss"], len(history), history.last["epoch"]
    ([0.5, 0.25], 2, 2)
    """

    rows: list[Row] = field(default_factory=list)
    stopped: bool = False
    interrupted: bool = False
    sittings: list[dict[str, Any]] = field(default_factory=list)

    def __getitem__(self, name: str) -> list[Any]:
        """Return the column `name`, with None where a row does not have it."""
        if not any(name in row for row in self.rows):
            raise KeyError(f"the history has no column {name!r}")
        return [row.get(name) for row in self.rows]

    def __len__(self) -> int:
        """Return how many rows there are: epochs that were completed."""
        return len(self.rows)

    def __iter__(self) -> Iterator[Row]:
        return iter(self.rows)

    @property
    def last(self) -> Row:
        """The last row; empty before the first."""
        return self.rows[-1] if self.rows else {}

    def to_dict(self) -> dict[str, Any]:
        """Return rows and flags as a dict that `from_dict` takes; the rows are copies."""
        return {
            "rows": [dict(row) for row in self.rows],
            "stopped": self.stopped,
            "interrupted": self.interrupted,
            "sittings": [dict(sitting) for sitting in self.sittings],
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> History:
        """Return the history that `to_dict` described."""
        return cls(
            [dict(row) for row in data.get("rows", [])],
            bool(data.get("stopped", False)),
            bool(data.get("interrupted", False)),
            [dict(sitting) for sitting in data.get("sittings", [])],
        )
