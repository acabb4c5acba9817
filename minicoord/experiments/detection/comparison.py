"""By how much coordinates change the test IOU, with an interval over seeds: the paper reports +24 %."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from minicoord.experiments.frame.metrics import Results

RESAMPLES = 10_000
METRIC = "test_iou"
PAPER_CHANGE = 0.24


class Change(NamedTuple):
    """The relative change from one network to another.

    Attributes
    ----------
    preset, model, variant : str
        The runs with coordinates, which are compared with those of ``conv`` of the same preset, settings and variant.
    settings : dict
        The settings in which these runs differ from the preset, by name.
    before, after : tuple of float
        The test IOU of ``conv`` and of `model`, a value for each seed that both have; other seeds are left out.
    change : float
        The mean of one over the mean of the other, minus 1.
    low, high : float
        The 95 % interval by a bootstrap over pairs of the same seed; NaN for a single pair.
    """

    preset: str
    model: str
    variant: str
    settings: dict[str, Any]
    before: tuple[float, ...]
    after: tuple[float, ...]
    change: float
    low: float
    high: float

    def sentence(self) -> str:
        """Return the change in a sentence, beside the paper's."""
        words = ", ".join(f"{key}={value}" for key, value in self.settings.items())
        of = f"{self.model}, {self.variant}, preset {self.preset}" + (f" with {words}" if words else "")
        seeds, (conv, here) = len(self.before), (np.mean(self.before), np.mean(self.after))
        pairs = f"{seeds} seeds" if seeds > 1 else "one seed, which says nothing of chance"
        interval = f" (95 % interval {100 * self.low:+.1f} to {100 * self.high:+.1f} %)" if seeds > 1 else ""
        change = f"test IOU {here:.3f} and {conv:.3f} for conv, {100 * self.change:+.1f} %{interval}"
        return f"{of}: {change}, over {pairs}; paper: {100 * PAPER_CHANGE:+.0f} %"


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
        pairs = tuple(before[seed] for seed in seeds), tuple(after[seed] for seed in seeds)
        found.append(Change(preset, model, variant, json.loads(settings), *pairs, *relative_change(*pairs)))
    return found
