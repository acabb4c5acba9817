"""With coordinates against without, over seeds: differences with intervals, and how often a run is better.

Five or ten runs are few, and returns are far from normally distributed: some seeds learn, others do not. So the middle
of an arm is its *interquartile mean*, which leaves out the lowest and the highest quarter, and two arms are compared by
the *probability of improvement*: the share of all pairs, one run of each arm, in which the first is better (Agarwal et
al. 2021). Intervals are those of a bootstrap that draws the seeds of each arm anew.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from minicoord.experiments.a2c.games import OURS
from minicoord.experiments.a2c.networks import HEADS

RESAMPLES = 2000
LEVEL = 0.95

Interval = tuple[float, float, float]
"""A number and the bounds of its 95 % interval; the bounds are NaN where an arm has one run only.

All three are NaN where nothing is known.
"""


class Comparison(NamedTuple):
    """One game and head: the runs with coordinates against those without.

    Attributes
    ----------
    game, head : str
    before, after : int
        Runs of convolution and of CoordConv.
    pairs, better : int
        Seeds that both have an area for, and those of them whose area under the curve is larger with coordinates.
    area, final : (float, float, float)
        The interquartile mean with coordinates minus that without, and its interval: of the area under the curve, which
        is the mean return during training, and of the greedy return at the end.
    improvement : (float, float, float)
        The probability that the area of a run with coordinates is larger than that of one without, and its interval.
    """

    game: str
    head: str
    before: int
    after: int
    pairs: int
    better: int
    area: Interval
    final: Interval
    improvement: Interval

    @property
    def label(self) -> str:
        """What the comparison is called in tables and figures."""
        return f"{self.game}, {self.head}"

    @property
    def verdict(self) -> str:
        """``"better"`` or ``"worse"`` if the interval of the improvement leaves .5 out, otherwise ``"not known"``.

        It is not known either if a run has no area, because no episode was over in it.
        """
        _, low, high = self.improvement
        return "better" if low > 0.5 else "worse" if high < 0.5 else "not known"

    def row(self) -> dict[str, str]:
        """Return the comparison as a row of a table."""
        runs = str(self.before) if self.before == self.after else f"{self.before} and {self.after}"
        return {
            "game, head": self.label,
            "runs an arm": runs,
            "area under the curve": in_words(self.area, "+.2f"),
            "final return, greedy": in_words(self.final, "+.2f"),
            "better": f"{self.better} of {self.pairs}",
            "probability of improvement": in_words(self.improvement, ".2f"),
            "with coordinates": self.verdict,
        }


def in_words(interval: Interval, digits: str) -> str:
    """Return a number with its interval, such as ``"+0.10 (-0.02 to +0.21)"``.

    Examples
    --------
    >>> in_words((0.104, -0.02, 0.21), "+.2f"), in_words((0.5, math.nan, math.nan), ".1f")
    ('+0.10 (-0.02 to +0.21)', '0.5')
    >>> in_words((math.nan, math.nan, math.nan), "+.2f")
    'not known'
    """
    if math.isnan(interval[0]):
        return "not known"
    value, low, high = (format(number, digits) for number in interval)
    return value if math.isnan(interval[1]) else f"{value} ({low} to {high})"


def area(record: Mapping[str, Any]) -> float:
    """Return the area under a learning curve, divided by its length: the mean return of the rows of the history.

    A row in which no episode was over has no return and is left out. NaN if no row has one.
    """
    found = [row["return"] for row in record["history"] if row.get("return") is not None]
    finite = [value for value in found if math.isfinite(value)]
    return float(np.mean(finite)) if finite else math.nan


def interquartile_mean(values: NDArray) -> NDArray:
    """Return the mean along the last axis without the lowest and the highest quarter of the values.

    A quarter that is no whole number is rounded down.

    Examples
    --------
    >>> float(interquartile_mean(np.array([0.0, 1.0, 1.0, 100.0]))), float(interquartile_mean(np.array([1.0, 3.0])))
    (1.0, 2.0)
    """
    ordered = np.sort(values, axis=-1)
    left_out = ordered.shape[-1] // 4
    return ordered[..., left_out : ordered.shape[-1] - left_out].mean(axis=-1)


def improvement(before: NDArray, after: NDArray) -> NDArray:
    """Return the share of all pairs in which `after` is larger, along the last axes; equal ones count as a half.

    It is NaN if one of the numbers is.

    Examples
    --------
    >>> float(improvement(np.array([1.0, 2.0]), np.array([2.0, 3.0])))
    0.875
    """
    first, second = before[..., :, np.newaxis], after[..., np.newaxis, :]
    larger = (second > first) + 0.5 * (second == first)
    return np.where(np.isnan(first + second), np.nan, larger).mean(axis=(-2, -1))


def with_interval(
    statistic: Callable[[NDArray, NDArray], NDArray], before: Sequence[float], after: Sequence[float], seed: int = 0
) -> Interval:
    """Return a statistic of two arms and its 95 % interval, by a bootstrap that draws the runs of each arm anew."""
    first, second = np.asarray(before, np.float64), np.asarray(after, np.float64)
    value = float(statistic(first, second))
    if min(len(first), len(second)) < 2 or math.isnan(value):
        return value, math.nan, math.nan
    rng = np.random.default_rng(seed)
    drawn = [arm[rng.integers(0, len(arm), (RESAMPLES, len(arm)))] for arm in (first, second)]  # (RESAMPLES, runs)
    low, high = np.quantile(statistic(*drawn), [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return value, float(low), float(high)


def alike(records: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return the runs of the preset and settings with the most runs, among those with which both networks were run.

    Where both networks share no settings, it is the most runs of all.
    """
    kinds: dict[str, list[Mapping[str, Any]]] = {}
    for record in records:
        kinds.setdefault(repr((record["preset"], record["settings"])), []).append(record)
    return max(kinds.values(), key=lambda same: (any(map(all, _arms(same))), len(same)), default=[])


def _arms(records: Sequence[Mapping[str, Any]]) -> list[list[dict[int, Mapping[str, Any]]]]:
    """Return for each head the runs of convolution and of CoordConv by their seeds."""
    return [
        [{r["seed"]: r for r in records if r["model"] == f"{kind}-{head}"} for kind in ("conv", "coordconv")]
        for head in HEADS
    ]


def runs_on(records: Sequence[Mapping[str, Any]], game: str) -> list[Mapping[str, Any]]:
    """Return the finished runs on one game, those with the settings that most of them have, of records of a2c."""
    return alike([r for r in records if r["variant"] == game and not r.get("interrupted")])


def comparisons(records: Sequence[Mapping[str, Any]]) -> list[Comparison]:
    """Return the comparisons of all games and heads that have finished runs of both networks.

    Only runs of the same preset and settings are compared with each other: those that most runs of that game have, see
    `alike`.
    """
    found = []
    for game in dict.fromkeys(r["variant"] for r in records):
        for head, arms in zip(HEADS, _arms(runs_on(records, game)), strict=True):
            if all(arms):
                found.append(_compare(game, head, *arms))
    return found


def _compare(game: str, head: str, before: Mapping[int, Any], after: Mapping[int, Any]) -> Comparison:
    areas, finals = (
        ([of(r) for r in before.values()], [of(r) for r in after.values()])
        for of in (area, lambda r: float(r["metrics"]["test_return"]))
    )
    both = [seed for seed in before if seed in after and not math.isnan(area(before[seed]) + area(after[seed]))]
    better = sum(area(after[seed]) > area(before[seed]) for seed in both)
    return Comparison(
        game,
        head,
        len(before),
        len(after),
        len(both),
        better,
        with_interval(_difference, *areas),
        with_interval(_difference, *finals),
        with_interval(improvement, *areas),
    )


def _difference(before: NDArray, after: NDArray) -> NDArray:
    return interquartile_mean(after) - interquartile_mean(before)


def in_papers_form(found: Sequence[Comparison]) -> list[str]:
    """Return for each head how many games are better, not known and worse; the two worlds of ours are left out.

    Examples
    --------
    >>> won = Comparison("pong", "dense", 3, 3, 3, 3, *3 * [(0.9, 0.8, 1.0)])
    >>> in_papers_form([won, won._replace(game="enduro", improvement=(0.5, 0.2, 0.8))])[0][:60]
    'games, dense: better in 1 (pong), not known in 1 (enduro), w'
    """
    lines = []
    for head in HEADS:
        games = {verdict: [] for verdict in ("better", "not known", "worse")}
        for comparison in found:
            if comparison.head == head and comparison.game not in OURS:
                games[comparison.verdict].append(comparison.game)
        if any(games.values()):
            counts = [
                f"{verdict} in {len(names)}" + (f" ({', '.join(names)})" if names else "")
                for verdict, names in games.items()
            ]
            lines.append(f"games, {head}: {', '.join(counts)}; the paper: better in 6, equal in 2, worse in 1")
    return lines


def sentences(records: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return a sentence for each comparison, and how many games are better or worse."""
    every = comparisons(records)
    return [
        f"{found.label}: CoordConv minus convolution, area {in_words(found.area, '+.2f')}, "
        f"better for {found.better} of {found.pairs} seeds, "
        f"probability of improvement {in_words(found.improvement, '.2f')}"
        for found in every
    ] + in_papers_form(every)
