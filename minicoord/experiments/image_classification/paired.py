"""Two networks compared over seeds: runs of the same seed are a pair, and the differences within pairs are averaged.

Both networks of a pair saw the same images in the same order and began with the same weights as far as their shapes
agree, so that what they share cancels in the difference. How far the mean of a few differences can be trusted is
estimated by the bootstrap (Efron, 1979): draw as many pairs, with replacement, take the mean, and repeat.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from minicoord.experiments.frame.metrics import Results
from minicoord.experiments.image_classification.settings import VARIANTS

PAIRS = (("coordconv", "conv"), ("control", "conv"), ("coordconv", "control"))
"""Which networks are compared, each with the one that it is compared with."""

WORDS = {"test_accuracy": "test accuracy", "new_places_accuracy": "at new positions"}
DRAWS = 10_000
LEVEL = 0.95
ENOUGH = 10
"""Pairs below which an interval is not to be trusted."""


def bootstrap_interval(differences: ArrayLike, seed: int = 0, draws: int = DRAWS) -> tuple[float, float]:
    """Return the bounds between which 95 % of the means of bootstrap samples lie.

    Of few pairs the interval is too narrow: of two it can be no wider than from one difference to the other.

    Parameters
    ----------
    differences : array_like of float, (pairs,)
    seed : int
        The same seed gives the same interval.
    draws : int
        How many samples are drawn.

    Raises
    ------
    ValueError
        If there are fewer than two differences, or one is not finite.

    Examples
    --------
    >>> bootstrap_interval([0.2, 0.2, 0.2])
    (0.2, 0.2)
    """
    values = np.asarray(differences, np.float64)
    if values.ndim != 1 or len(values) < 2 or not np.isfinite(values).all():
        raise ValueError(f"bootstrap_interval: the differences are {differences}, wanted two or more finite numbers")
    chosen = np.random.default_rng(seed).integers(0, len(values), (draws, len(values)))
    # The differences from the first, so that equal ones have a mean without rounding.
    means = values[0] + (values[chosen] - values[0]).mean(axis=1)  # (draws,)
    low, high = np.quantile(means, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)


@dataclass(frozen=True, eq=False)
class Comparison:
    """The paired differences of a network and another, in percentage points.

    Attributes
    ----------
    model, other : str
        A difference is `model` minus `other`.
    preset, variant, metric : str
        Of which runs, and of which metric.
    seeds : tuple of int
        The seed of each pair.
    differences : ndarray of float64, (pairs,)
        In percentage points.
    """

    model: str
    other: str
    preset: str
    variant: str
    metric: str
    seeds: tuple[int, ...]
    differences: NDArray[np.float64]

    @property
    def mean(self) -> float:
        """The mean of the differences, in percentage points."""
        return float(self.differences.mean())

    @property
    def interval(self) -> tuple[float, float] | None:
        """The 95 % interval of the mean, in percentage points; None for a single pair."""
        return bootstrap_interval(self.differences) if len(self.seeds) > 1 else None

    def words(self) -> str:
        """Return mean and interval as text, such as ``"test accuracy +0.12 (-0.20 to +0.41)"``."""
        text = f"{WORDS[self.metric]} {self.mean:+.2f}"
        if self.interval is None:
            return text
        return f"{text} ({self.interval[0]:+.2f} to {self.interval[1]:+.2f})"


def compare(results: Results, model: str, other: str, variant: str, metric: str) -> Comparison | None:
    """Return the paired differences of two networks on a variant; None if no pair of runs is there.

    Pairs have the same preset, settings and seed. Where several settings were run, those with the most pairs count,
    and of equally many, or `ENOUGH`, those of the longest runs. An interrupted run is left out.
    """
    found: dict[str, dict[tuple[str, int], float]] = {}
    presets: dict[str, tuple[str, int]] = {}
    for r in results:
        value = r["metrics"].get(metric)
        if r["variant"] != variant or r.get("interrupted") or value is None or not math.isfinite(value):
            continue
        key = json.dumps([r["preset"], r["settings"]], sort_keys=True)
        presets[key] = r["preset"], r["settings"]["epochs"]
        found.setdefault(key, {})[r["model"], r["seed"]] = value
    pairs = {key: sorted(s for m, s in values if m == model and (other, s) in values) for key, values in found.items()}
    if not any(pairs.values()):
        return None
    key = max(pairs, key=lambda k: (min(len(pairs[k]), ENOUGH), presets[k][1]))
    differences = [100 * (found[key][model, seed] - found[key][other, seed]) for seed in pairs[key]]
    return Comparison(
        model, other, presets[key][0], variant, metric, tuple(pairs[key]), np.array(differences, np.float64)
    )


def comparisons(results: Results, metric: str = "test_accuracy") -> list[Comparison]:
    """Return the comparisons of all `PAIRS` on all variants, as far as there are runs."""
    found = [compare(results, model, other, variant, metric) for variant in VARIANTS for model, other in PAIRS]
    return [comparison for comparison in found if comparison is not None]


def sentences(results: Results) -> list[str]:
    """Return a sentence for each pair of networks on each variant: mean difference, interval, number of seeds."""
    lines = []
    for variant in VARIANTS:
        for model, other in PAIRS:
            found = [compare(results, model, other, variant, metric) for metric in WORDS]
            lines += _sentence([comparison for comparison in found if comparison is not None])
    return lines


def _sentence(found: Sequence[Comparison]) -> list[str]:
    """Return one sentence about the comparisons of the same two networks, or none if there are none."""
    if not found:
        return []
    first = found[0]
    pairs = f"{len(first.seeds)} paired seeds" if len(first.seeds) > 1 else "one pair of runs, so no interval"
    values = ", ".join(comparison.words() for comparison in found)
    return [f"{first.variant}, {first.preset}: {first.model} minus {first.other}, percentage points: {values}; {pairs}"]
