"""What a training run records: one row per epoch, or per `every` steps; plain numbers only."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from minicoord.system.arguments import shown

Row = dict[str, Any]

TRAINING_COLUMNS = ("epoch", "train_loss", "l2_penalty", "lr", "train_seconds")
"""The columns of `fit`; an evaluation adds others."""


@dataclass
class History:
    """The record of a run.

    Parameters
    ----------
    rows : list of dict
        One row for each completed epoch, or for each `every` steps of a run that is counted in steps.

        In a history of `fit`, ``epoch`` counts from 1; ``train_loss`` is the mean loss over the samples of the epoch,
        each before the step of its batch, without the L2 penalty; ``l2_penalty`` is the penalty of the weights at the
        end of the epoch; ``lr`` is the learning rate. In other histories ``step`` is the number of steps so far, and
        the means of the steps' numbers follow. In both, ``train_seconds`` is the wall-clock time of all rows so far in
        seconds, without evaluation and checkpoints. The metrics of the evaluation come last.
    stopped : bool
        Whether ``stop_when`` ended the run.
    interrupted : bool
        Whether Ctrl-C ended the run.
    sittings : list of dict
        Facts about each process that had a part in the run, such as commit and machine, if they were given.

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
        """Return the column `name`, with None where a row lacks it; raise KeyError if no row has it."""
        if not any(name in row for row in self.rows):
            raise KeyError(f"the history has no column {shown(name)}")
        return [row.get(name) for row in self.rows]

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.rows)

    def __iter__(self) -> Iterator[Row]:
        """Iterate over the rows."""
        return iter(self.rows)

    @property
    def last(self) -> Row:
        """The last row; an empty dict if there is none."""
        return self.rows[-1] if self.rows else {}

    def to_dict(self) -> dict[str, Any]:
        """Return the history as a dict for `from_dict`; the rows are copies."""
        return {
            "rows": [dict(row) for row in self.rows],
            "stopped": self.stopped,
            "interrupted": self.interrupted,
            "sittings": [dict(sitting) for sitting in self.sittings],
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> History:
        """Return the history of a dict that `to_dict` returned."""
        return cls(
            [dict(row) for row in data.get("rows", [])],
            bool(data.get("stopped", False)),
            bool(data.get("interrupted", False)),
            [dict(sitting) for sitting in data.get("sittings", [])],
        )
