"""By how much coordinates change the test IOU, with an interval over seeds: the paper reports +24 %."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from minicoord.experiments.frame.metrics import Results

RESAMPLES = 10_000
METRIC = "test_iou"


class Change(NamedTuple):
    """The relative change from one network to another.

    Attributes
    ----------
    preset, model, variant : str
        The runs with coordinates, which are compared with those of ``conv`` of the same preset and variant.
    seeds : int
        How many seeds both have; the others are left out.
    change : float
        The mean of one over the mean of the other, minus 1.
    low, high : float
        The 95 % interval by a bootstrap over pairs of the same seed; NaN for a single pair.
    """

    preset: str
    model: str
    variant: str
    seeds: int
    change: float
    low: float
    high: float

    def sentence(self) -> str:
        """Return the change in a sentence, beside the paper's."""
        of = f"{self.model}, {self.variant}, preset {self.preset}"
        pairs = f"{self.seeds} seeds" if self.seeds > 1 else "one seed, which says nothing of chance"
        interval = f" (95 % interval {100 * self.low:+.1f} to {100 * self.high:+.1f} %)" if self.seeds > 1 else ""
        return f"{of}: test IOU {100 * self.change:+.1f} %{interval} relative to conv, over {pairs}; paper: +24 %"


def relative_change(before: Sequence[float], after: Sequence[float]) -> tuple[float, float, float]:
    """Return the relative change of the mean, and its 95 % interval by a bootstrap over pairs.

    Parameters
    ----------
    before, after : sequence of float
        One value for each seed, in the same order of seeds; at least one.

    Returns
    -------
    change, low, high : float
        0.24 for 24 % more; the interval is NaN for a single pair. It does not depend on the global random state.

    Raises
    ------
    ValueError
        If the two differ in length, or are empty.

    Examples
    --------
    >>> change, low, high = relative_change([0.5, 0.4], [0.6, 0.6])
    >>> round(change, 3), round(low, 3), round(high, 3)
    (0.333, 0.2, 0.5)
    """
    if len(before) != len(after) or not len(before):
        raise ValueError(f"relative_change: there are {len(before)} values and {len(after)}, wanted pairs")
    pairs = np.array([before, after], np.float64)  # (2, seeds)
    change = float(pairs[1].mean() / pairs[0].mean() - 1)
    if pairs.shape[1] == 1:
        return change, float("nan"), float("nan")
    drawn = np.random.default_rng(0).integers(0, pairs.shape[1], (RESAMPLES, pairs.shape[1]))
    means = pairs[:, drawn].mean(axis=2)  # (2, RESAMPLES)
    low, high = np.percentile(means[1] / means[0] - 1, [2.5, 97.5])
    return change, float(low), float(high)


def changes(results: Results, differences: Callable[[Mapping[str, Any]], Mapping[str, Any]]) -> list[Change]:
    """Return the change from ``conv`` to every other network, for each preset and variant in which both are.

    Parameters
    ----------
    results : sequence of dict
        Finished runs; one whose IOU is not finite is left out.
    differences : callable
        Returns the settings of a run that differ from its preset; only runs with the same ones are compared, and those
        with any are named by them.

    Returns
    -------
    list of Change
        In the order in which the networks appear in `results`.
    """
    groups: dict[tuple[str, str, str, str], dict[int, float]] = {}
    for run in results:
        value = run["metrics"].get(METRIC)
        if value is not None and np.isfinite(value):
            settings = json.dumps(dict(differences(run)), sort_keys=True)
            groups.setdefault((run["preset"], settings, run["variant"], run["model"]), {})[run["seed"]] = value
    found = []
    for (preset, settings, variant, model), after in groups.items():
        before = groups.get((preset, settings, variant, "conv"), {})
        seeds = sorted(before.keys() & after.keys())
        if model == "conv" or not seeds:
            continue
        words = ", ".join(f"{key}={value}" for key, value in json.loads(settings).items())
        change = relative_change([before[seed] for seed in seeds], [after[seed] for seed in seeds])
        found.append(Change(f"{preset} with {words}" if words else preset, model, variant, len(seeds), *change))
    return found
