"""How many times faster does CoordConv learn? The paper's abstract says 150 times; this is what the records say.

As in figure 4 of the paper, convolution is timed until 80 % of the test pixels are right, CoordConv until all of them
are. A time is the number of epochs, from the records, times the seconds per epoch, measured apart on an idle machine.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from minicoord.system.json_files import read_json
from minicoord.system.places import what_is_at

CONV_LEVEL, COORDCONV_LEVEL = 0.8, 1.0  # test accuracies


@dataclass(frozen=True)
class SpeedUp:
    """CoordConv to 100 % test accuracy against one convolutional network to 80 %, on the uniform split.

    Attributes
    ----------
    model : {"conv", "conv-no-bn"}
    settings : dict
        The settings c, fs and l2 of the convolutional network.
    reached : bool
        Whether that network reached 80 %. If not, its numbers are those of its whole run, and `times` is a lower bound.
    conv_epochs, coordconv_epochs : float
        Epochs until the accuracy was reached; for CoordConv the median over the seeds that reached it.
    conv_seconds, coordconv_seconds : float
        The same in seconds.
    seeds : (int, int)
        How many seeds of CoordConv reached 100 %, and out of how many.
    conv_multiply_adds, coordconv_multiply_adds : int
        Multiply-adds of the forward pass of one image.
    """

    model: str
    settings: dict[str, float]
    reached: bool
    conv_epochs: float
    coordconv_epochs: float
    conv_seconds: float
    coordconv_seconds: float
    seeds: tuple[int, int]
    conv_multiply_adds: int
    coordconv_multiply_adds: int

    @property
    def times(self) -> float:
        """How many times as long convolution takes, in wall-clock time."""
        return self.conv_seconds / self.coordconv_seconds

    @property
    def times_in_multiply_adds(self) -> float:
        """The same in multiply-adds of the forward pass, which depend neither on the machine nor on the code."""
        conv = self.conv_epochs * self.conv_multiply_adds
        return conv / (self.coordconv_epochs * self.coordconv_multiply_adds)

    def sentence(self) -> str:
        """Return the comparison as one sentence."""
        named = ", ".join(f"{key}={value}" for key, value in self.settings.items())
        solved, of = self.seeds
        outcome = "came to 80 % after" if self.reached else "had not come to 80 % after"
        bound = "" if self.reached else "more than "
        coordconv = (
            f"CoordConv came to 100 % test accuracy after {_epochs(self.coordconv_epochs)} or "
            f"{self.coordconv_seconds:.0f} s (median of the {solved} of {of} seeds that did)"
        )
        network = "convolution" if self.model == "conv" else "convolution without batch norm"
        conv = f"{network} ({named}) {outcome} {_epochs(self.conv_epochs)} or {self.conv_seconds:.0f} s"
        times = f"{bound}{self.times:.0f} times as long"
        work = f"{bound}{self.times_in_multiply_adds:.0f} times as many multiply-adds"
        return f"uniform split: {coordconv}; {conv}: {times}, {work}; the paper: 150 times"


def _epochs(count: float) -> str:
    return f"{count:g} epoch" + ("" if count == 1 else "s")


def epochs_to(record: Mapping[str, Any], level: float) -> int | None:
    """Return the first epoch whose test accuracy was at least `level`; None if there was none."""
    return next((row["epoch"] for row in record["history"] if (row.get("test_accuracy") or 0) >= level), None)


def speed_ups(records: Sequence[Mapping[str, Any]], timings: Sequence[Mapping[str, Any]]) -> list[SpeedUp]:
    """Return CoordConv against each convolutional network that was recorded with the preset "paper", slowest first.

    Of several seeds of a convolutional network the fastest counts.

    Parameters
    ----------
    records : list of dict
        Recorded runs. Those of classification on the uniform split with the preset ``"paper"`` are used; for CoordConv
        only those with the settings of the preset, with any seed.
    timings : list of dict
        The rows of ``minicoord bench --epochs --json``.
    """
    wanted = ("classification", "paper", "uniform")
    runs = [r for r in records if (r["experiment"], r["preset"], r["variant"]) == wanted]
    coordconv_runs = [r for r in runs if r["model"] == "coordconv" and _is_default(r)]
    reached = [epochs for r in coordconv_runs if (epochs := epochs_to(r, COORDCONV_LEVEL)) is not None]
    coordconv_timing = next((t for t in timings if t["model"] == "coordconv"), None)
    if not reached or coordconv_timing is None:
        return []
    epochs = statistics.median(reached)
    found = []
    for record in _fastest_seeds([r for r in runs if r["model"] != "coordconv"]):
        timing = next((t for t in timings if t["model"] == record["model"] and _same_network(record, t)), None)
        if timing is None:
            continue
        epochs_to_level = epochs_to(record, CONV_LEVEL)
        conv_epochs = record["epochs"] if epochs_to_level is None else epochs_to_level
        found.append(
            SpeedUp(
                model=record["model"],
                settings={**timing["settings"], "l2": record["settings"]["l2"]},
                reached=epochs_to_level is not None,
                conv_epochs=conv_epochs,
                coordconv_epochs=epochs,
                conv_seconds=conv_epochs * timing["seconds_per_epoch"],
                coordconv_seconds=epochs * coordconv_timing["seconds_per_epoch"],
                seeds=(len(reached), len(coordconv_runs)),
                conv_multiply_adds=timing["multiply_adds"],
                coordconv_multiply_adds=coordconv_timing["multiply_adds"],
            )
        )
    return sorted(found, key=lambda s: -s.times)


def _fastest_seeds(records: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return, for each setting, the seed that reached 80 % first: the choice that favours convolution."""
    fastest: dict[str, Mapping[str, Any]] = {}
    for record in sorted(records, key=lambda r: epochs_to(r, CONV_LEVEL) or float("inf")):
        fastest.setdefault(f"{record['model']} {record['epochs']} {record['settings']}", record)
    return list(fastest.values())


def _is_default(record: Mapping[str, Any]) -> bool:
    """Return whether a CoordConv run has the learning rate, the penalty and the input of the preset "paper"."""
    settings = record["settings"]
    return (settings["lr"], settings["l2"]) == (0.005, 0.001) and not settings.get("raw_input")


def _same_network(record: Mapping[str, Any], timing: Mapping[str, Any]) -> bool:
    """Return whether a timing is of the network of a record: one of the same size."""
    return all(record["settings"][key] == value for key, value in timing["settings"].items())


def load_timings(folder: Path) -> list[dict[str, Any]]:
    """Return the rows of ``epoch-time.json``, as ``minicoord bench --epochs --json`` writes it; none if it is missing.

    Raises
    ------
    ValueError
        If that file is damaged; the message begins with its path.
    """
    path = Path(folder) / "epoch-time.json"
    try:
        if what_is_at(path) is None:
            return []
        rows = read_json(path)["epochs"]
        kinds = {"model": str, "settings": dict, "multiply_adds": int, "seconds_per_epoch": int | float}
        if all(isinstance(row[key], kind) for row in rows for key, kind in kinds.items()):
            return rows
    except (OSError, ValueError, KeyError, TypeError):
        pass
    raise ValueError(f"{path} is not what 'minicoord bench --epochs --json' writes")
