"""How many times faster does CoordConv learn? The paper says 150 times in its abstract; here is what the records say.

Convolution is timed until 80 % of the test pixels are right, CoordConv until all of them are: figure 4 of the paper.
Both are epochs, from the records, times the seconds of an epoch, which were measured apart on an idle machine.
"""

from __future__ import annotations

import json
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CONV_LEVEL, COORDCONV_LEVEL = 0.8, 1.0


@dataclass(frozen=True)
class SpeedUp:
    """CoordConv to 100 % beside one convolutional network to 80 %, on the test set of the uniform split.

    Attributes
    ----------
    model : {"conv", "conv-no-bn"}
    settings : dict
        The c, fs and l2 of the convolutional network.
    reached : bool
        Whether it came to 80 %. If not, its numbers are those of its whole run, and `times` is a lower bound.
    conv_epochs, coordconv_epochs : float
        The latter is the median over the seeds that came to 100 %.
    conv_seconds, coordconv_seconds : float
    seeds : (int, int)
        How many seeds of CoordConv came to 100 %, and of how many.
    conv_multiply_adds, coordconv_multiply_adds : int
        Of one image, forward.
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
        """How many times as long convolution takes."""
        return self.conv_seconds / self.coordconv_seconds

    @property
    def times_in_multiply_adds(self) -> float:
        """The same, counted in multiply-adds of the forward pass: what no machine and no code has a part in."""
        conv = self.conv_epochs * self.conv_multiply_adds
        return conv / (self.coordconv_epochs * self.coordconv_multiply_adds)

    def sentence(self) -> str:
        """Return it in words."""
        named = ", ".join(f"{key}={value}" for key, value in self.settings.items())
        solved, of = self.seeds
        came = "came to 80 % after" if self.reached else "had not come to 80 % after"
        bound = "" if self.reached else "more than "
        coordconv = (
            f"CoordConv came to 100 % test accuracy after {_epochs(self.coordconv_epochs)} or "
            f"{self.coordconv_seconds:.0f} s (median of the {solved} of {of} seeds that did)"
        )
        network = "convolution" if self.model == "conv" else "convolution without batch norm"
        conv = f"{network} ({named}) {came} {_epochs(self.conv_epochs)} or {self.conv_seconds:.0f} s"
        times = f"{bound}{self.times:.0f} times as long"
        work = f"{bound}{self.times_in_multiply_adds:.0f} times as many multiply-adds"
        return f"uniform split: {coordconv}; {conv}: {times}, {work}; the paper: 150 times"


def _epochs(count: float) -> str:
    return f"{count:g} epoch" + ("" if count == 1 else "s")


def epochs_to(record: Mapping[str, Any], level: float) -> int | None:
    """Return the first epoch whose test accuracy was at least `level`; None if there was none."""
    return next((row["epoch"] for row in record["history"] if (row.get("test_accuracy") or 0) >= level), None)


def speed_ups(records: Sequence[Mapping[str, Any]], timings: Sequence[Mapping[str, Any]]) -> list[SpeedUp]:
    """Return CoordConv beside each convolutional network that was recorded at full length, the slowest first.

    Of several seeds of a convolutional network the quickest counts.

    Parameters
    ----------
    records : list of dict
        Runs. Those of classification on the uniform split with the preset ``"paper"`` count; of CoordConv those with
        the preset's own settings, whatever the seed.
    timings : list of dict
        The rows of ``minicoord bench --epochs --json``.
    """
    kind = ("classification", "paper", "uniform")
    runs = [r for r in records if (r["experiment"], r["preset"], r["variant"]) == kind]
    by_coordconv = [r for r in runs if r["model"] == "coordconv" and _is_default(r)]
    reached = [epochs for r in by_coordconv if (epochs := epochs_to(r, COORDCONV_LEVEL)) is not None]
    of_coordconv = next((t for t in timings if t["model"] == "coordconv"), None)
    if not reached or of_coordconv is None:
        return []
    epochs = statistics.median(reached)
    found = []
    for record in _quickest_seeds([r for r in runs if r["model"] != "coordconv"]):
        timing = next((t for t in timings if t["model"] == record["model"] and _same_network(record, t)), None)
        if timing is None:
            continue
        to_level = epochs_to(record, CONV_LEVEL)
        length = record["epochs"] if to_level is None else to_level
        found.append(
            SpeedUp(
                model=record["model"],
                settings={**timing["settings"], "l2": record["settings"]["l2"]},
                reached=to_level is not None,
                conv_epochs=length,
                coordconv_epochs=epochs,
                conv_seconds=length * timing["seconds_per_epoch"],
                coordconv_seconds=epochs * of_coordconv["seconds_per_epoch"],
                seeds=(len(reached), len(by_coordconv)),
                conv_multiply_adds=timing["multiply_adds"],
                coordconv_multiply_adds=of_coordconv["multiply_adds"],
            )
        )
    return sorted(found, key=lambda s: -s.times)


def _quickest_seeds(records: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return of the seeds of each setting the one that came to 80 % first, which is the fairest to convolution."""
    quickest: dict[str, Mapping[str, Any]] = {}
    for record in sorted(records, key=lambda r: epochs_to(r, CONV_LEVEL) or float("inf")):
        quickest.setdefault(f"{record['model']} {record['epochs']} {record['settings']}", record)
    return list(quickest.values())


def _is_default(record: Mapping[str, Any]) -> bool:
    settings = record["settings"]
    return (settings["lr"], settings["l2"]) == (0.005, 0.001) and not settings.get("raw_input")


def _same_network(record: Mapping[str, Any], timing: Mapping[str, Any]) -> bool:
    return all(record["settings"][key] == value for key, value in timing["settings"].items())


def load_timings(folder: Path) -> list[dict[str, Any]]:
    """Return the seconds of an epoch that ``minicoord bench --epochs --json`` left in ``epoch-time.json``; or nothing.

    Raises
    ------
    ValueError
        If that file is damaged; the message begins with its path.
    """
    path = Path(folder) / "epoch-time.json"
    if not path.exists():
        return []
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))["epochs"]
        kinds = {"model": str, "settings": dict, "multiply_adds": int, "seconds_per_epoch": int | float}
        if all(isinstance(row[key], kind) for row in rows for key, kind in kinds.items()):
            return rows
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        pass
    raise ValueError(f"{path} is not what 'minicoord bench --epochs --json' writes")
