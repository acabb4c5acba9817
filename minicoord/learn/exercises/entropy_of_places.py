"""Lesson 11: how evenly objects cover the canvas."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from minicoord.learn.definition.exercise import Case, Exercise


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Yield few points and many, few bins and many, missing points, points outside, one bin, none, and float32."""
    few, many = int(rng.integers(7, 12)), int(rng.integers(150, 250))

    def places(points: int, low: float = 0.0, high: float = 32.0) -> np.ndarray:
        return rng.uniform(low, high, (points, 2))

    yield Case(f"{many} objects, 10 x 10 bins", (places(many), 0.0, 32.0, 10))
    yield Case(f"{few} objects, 4 x 4 bins", (places(few), 0.0, 32.0, 4))
    yield Case("most of them in one corner", (places(many) ** 2 / 32, 0.0, 32.0, 5))
    yield Case("differences, from -20 to 20", (places(many, -20.0, 20.0), -20.0, 20.0, 7))
    points = places(many)
    points[rng.permutation(many)[: many // 4]] = np.nan
    yield Case("some objects are missing", (points, 0.0, 32.0, 6))
    yield Case("some objects lie outside", (places(many, -10.0, 42.0), 0.0, 32.0, 5))
    yield Case("a row of the canvas alone", (places(many) * [1, 0] + [0, 9.5], 0.0, 32.0, 8))
    yield Case("all in one bin", (9.5 + places(few) / 100, 0.0, 32.0, 10))
    yield Case("every object is missing", (np.full((few, 2), np.nan), 0.0, 32.0, 10))
    yield Case("float32", (places(many).astype(np.float32), 0.0, 32.0, 5))


exercise = Exercise(
    id="entropy_of_places",
    lesson=11,
    title="How evenly objects cover the canvas",
    minutes=15,
    difficulty=2,
    cases=cases,
    hints=(
        "Leave out the missing ones first: np.isfinite(points).all(axis=1) says which are there.",
        "np.histogram2d(x, y, bins, [[low, high], [low, high]])[0] counts points in bins, and none that lies outside.",
        "p is the share of a bin: its count divided by the sum of all counts, which may be smaller than len(points).",
        "log(0) is -inf, and 0 * -inf is nan. Take the bins with p > 0 only.",
        "Without any point the sum of counts is 0; an empty sum is what is wanted, so divide by max(sum, 1).",
    ),
)


@exercise.solved_by
def entropy_of_places(points, low, high, bins):
    """Return the entropy of points over a grid of bins x bins, in nats.

    points: shape (N, 2), (x, y) of each object; both are nan where it is missing.
    low, high: the grid covers [low, high] x [low, high].
    bins: how many bins there are in each of the two directions.

    With p, the share of the points in the grid that lie in a bin, it is the sum of -p * log(p)
    over all bins that hold any, with the natural logarithm. Points that are missing or outside of
    the grid are left out. Without any point it is 0.

    Returns a float.
    """
    found = points[np.isfinite(points).all(axis=1)]
    counts, _, _ = np.histogram2d(found[:, 0], found[:, 1], bins, [[low, high], [low, high]])
    p = counts[counts > 0] / max(counts.sum(), 1)
    return float(np.sum(p * np.log(1 / p)))


def _counts(points: np.ndarray, low: float, high: float, bins: int) -> np.ndarray:
    found = points[np.isfinite(points).all(axis=1)]
    return np.histogram2d(found[:, 0], found[:, 1], bins, [[low, high], [low, high]])[0]


def _entropy(p: np.ndarray) -> float:
    p = p[p > 0]
    return float(np.sum(p * np.log(1 / p)))


@exercise.mistake("that is in bits, with the logarithm of base 2; a nat has the natural one, np.log")
def in_bits(points, low, high, bins):
    return entropy_of_places(points, low, high, bins) / np.log(2)


@exercise.mistake("that is the logarithm of base 10; np.log is the natural one")
def of_base_ten(points, low, high, bins):
    return entropy_of_places(points, low, high, bins) / np.log(10)


@exercise.mistake("the sign is flipped: log(p) is negative, and entropy is not")
def turned(points, low, high, bins):
    return -entropy_of_places(points, low, high, bins)


@exercise.mistake("the counts were not divided by their sum; p is a share")
def counts_as_shares(points, low, high, bins):
    counts = _counts(points, low, high, bins)
    return _entropy(counts)


@exercise.mistake("an empty bin gives 0 * log(0), which is nan; take the bins with p > 0 only")
def empty_bins(points, low, high, bins):
    counts = _counts(points, low, high, bins)
    p = counts / max(counts.sum(), 1)
    return float(-np.sum(p * np.log(p)))


@exercise.mistake("p was divided by len(points), which counts missing objects and those outside, too")
def missing_ones_counted(points, low, high, bins):
    return _entropy(_counts(points, low, high, bins) / len(points))


@exercise.mistake("points outside were put into the bins at the border; leave them out")
def pushed_inside(points, low, high, bins):
    return entropy_of_places(np.clip(points, low, high), low, high, bins)


@exercise.mistake("that is the mean over the bins; take the sum")
def mean_of_bins(points, low, high, bins):
    counts = _counts(points, low, high, bins)
    p = counts[counts > 0] / max(counts.sum(), 1)
    return float(np.mean(p * np.log(1 / p))) if len(p) else 0.0


@exercise.mistake("it was divided by the greatest that is possible, log(bins * bins); leave it in nats")
def as_a_share(points, low, high, bins):
    return entropy_of_places(points, low, high, bins) / np.log(bins * bins)


@exercise.mistake("that is exp of the entropy, a number of evenly filled bins; leave it in nats")
def filled_bins(points, low, high, bins):
    return float(np.exp(entropy_of_places(points, low, high, bins)))


@exercise.mistake("the grid went from the least to the greatest of the points; it goes from low to high")
def range_of_the_points(points, low, high, bins):
    found = points[np.isfinite(points).all(axis=1)]
    counts, _, _ = np.histogram2d(found[:, 0], found[:, 1], bins)
    return _entropy(counts / max(counts.sum(), 1))


@exercise.mistake("the entropies of x and of y were added, as if the two were independent; use bins of the plane")
def of_x_and_of_y(points, low, high, bins):
    counts = _counts(points, low, high, bins)
    p = counts / max(counts.sum(), 1)
    return _entropy(p.sum(axis=0)) + _entropy(p.sum(axis=1))


@exercise.mistake("density=True divides by the area of a bin, too; divide the counts by their sum")
def densities(points, low, high, bins):
    counts = _counts(points, low, high, bins)
    return _entropy(counts / max(counts.sum(), 1) / ((high - low) / bins) ** 2)


@exercise.mistake("that is one minus the sum of squared shares, the Gini index; entropy has -p * log(p)")
def gini(points, low, high, bins):
    counts = _counts(points, low, high, bins)
    total = counts.sum()
    return float(1 - np.sum((counts / total) ** 2)) if total else 0.0


@exercise.mistake("that is the logarithm of the number of bins that hold a point, as if all held the same number")
def bins_that_are_hit(points, low, high, bins):
    return float(np.log(max((_counts(points, low, high, bins) > 0).sum(), 1)))


@exercise.mistake("int() cuts towards 0, so that points a little below `low` fall into the first bin; use floor")
def cut_towards_zero(points, low, high, bins):
    found = points[np.isfinite(points).all(axis=1)]
    places = ((found - low) / (high - low) * bins).astype(int)
    places = places[((places >= 0) & (places < bins)).all(axis=1)]
    counts = np.bincount(places[:, 0] * bins + places[:, 1], minlength=1)
    return _entropy(counts / max(counts.sum(), 1))


@exercise.mistake("the grid was begun at 0; it begins at `low`")
def from_zero(points, low, high, bins):
    return entropy_of_places(points, 0.0, high, bins)


@exercise.mistake("missing objects were counted at 0, as np.nan_to_num puts them there; leave them out")
def missing_at_zero(points, low, high, bins):
    return entropy_of_places(np.nan_to_num(points), low, high, bins)


@exercise.mistake("without any point the sum of the counts is 0, and 0 / 0 is nan; the entropy is 0 then")
def nothing_is_nan(points, low, high, bins):
    counts = _counts(points, low, high, bins)
    return entropy_of_places(points, low, high, bins) if counts.any() else float("nan")
