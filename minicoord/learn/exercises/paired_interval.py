"""Lesson 09: the mean difference of pairs, and how far it can be trusted."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from minicoord.learn.definition.exercise import Case, Exercise

BOUNDS = 0.025, 0.975


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Yield few pairs and many, more samples than pairs and fewer, with and without luck that both networks share."""

    def arrays(pairs: int, draws: int, luck: float = 0.03, gain: float = 0.004) -> tuple[np.ndarray, ...]:
        shared = 0.8 + luck * rng.normal(size=pairs)
        a, b = (shared + more + 0.008 * rng.normal(size=pairs) for more in (gain, 0.0))
        return a, b, rng.integers(0, pairs, (draws, pairs))

    few, some = int(rng.integers(4, 7)), int(rng.integers(9, 12))
    yield Case(f"{some} seeds that share most of their luck, 200 samples", arrays(some, 200))
    yield Case(f"{few} seeds, 300 samples", arrays(few, 300, gain=-0.02))
    yield Case(f"{some} seeds that share no luck, 100 samples", arrays(some, 100, luck=0.0))
    yield Case(f"{some} seeds, {few} samples", arrays(some, few))
    yield Case("3 seeds, 50 samples", arrays(3, 50))
    a, b, chosen = arrays(some, 150, gain=0.0)
    a[int(rng.integers(some))] -= 0.4
    yield Case("one seed of the first network went astray", (a, b, chosen))
    yield Case("90 seeds, 70 samples", arrays(90, 70))
    yield Case("as many samples as seeds", arrays(some, some, gain=0.05))


exercise = Exercise(
    id="paired_interval",
    lesson=9,
    title="The interval of a mean difference",
    minutes=15,
    difficulty=2,
    cases=cases,
    hints=(
        "First the differences, one for each seed, in percentage points. From then on a and b are no longer needed.",
        "differences[chosen] has the shape (draws, pairs): each row is one sample. What do you want of each row?",
        "The mean of each row, along axis 1: `draws` numbers, which show how the mean might have come out.",
        "np.quantile(means, [0.025, 0.975]) are the bounds between which 95 % of them lie.",
    ),
)


@exercise.solved_by
def paired_interval(a, b, chosen):
    """Return the mean of the paired differences and its 95 % interval by the bootstrap.

    a, b: accuracies of two networks, from 0 to 1, shape (pairs,). a[k] and b[k] have the same seed.
    chosen: integers, shape (draws, pairs). Each row holds the numbers of the pairs that one
    bootstrap sample consists of; a number may come several times.

    A difference is a minus b, in percentage points. The bounds are the quantiles .025 and .975 of
    the means of all samples, as np.quantile gives them.

    Returns three floats in percentage points: the mean of the pairs as they are, the lower bound
    and the upper bound.
    """
    differences = 100 * (a - b)
    means = differences[chosen].mean(axis=1)
    low, high = np.quantile(means, [0.025, 0.975])
    return float(differences.mean()), float(low), float(high)


def _differences(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return 100 * (a - b)


def _with_bounds_of(differences: np.ndarray, values: np.ndarray) -> tuple[float, float, float]:
    """Return the mean of the differences, and the quantiles of some values as its bounds."""
    low, high = np.quantile(values, BOUNDS)
    return float(differences.mean()), float(low), float(high)


def _around_the_mean(differences: np.ndarray, half: float) -> tuple[float, float, float]:
    mean = float(differences.mean())
    return mean, mean - float(half), mean + float(half)


@exercise.mistake("the sign is flipped: a difference is a minus b, so that a better a gives a positive one")
def turned(a, b, chosen):
    return paired_interval(b, a, chosen)


@exercise.mistake("these are shares from 0 to 1; the result is in percentage points, 100 times as large")
def not_in_points(a, b, chosen):
    mean, low, high = paired_interval(a, b, chosen)
    return mean / 100, low / 100, high / 100


@exercise.mistake("the mean is in percentage points, and the bounds are not; multiply the differences by 100 at once")
def bounds_not_in_points(a, b, chosen):
    mean, low, high = paired_interval(a, b, chosen)
    return mean, low / 100, high / 100


@exercise.mistake(
    "the two networks were resampled independently, which tears the pairs apart; take the differences first, and "
    "resample those"
)
def resampled_apart(a, b, chosen):
    means = 100 * (a[chosen].mean(axis=1) - b[chosen[::-1]].mean(axis=1))
    return _with_bounds_of(_differences(a, b), means)


@exercise.mistake("only a was resampled, and b was not; each sample consists of pairs, so both take the same numbers")
def only_a_resampled(a, b, chosen):
    return _with_bounds_of(_differences(a, b), 100 * (a[chosen].mean(axis=1) - b.mean()))


@exercise.mistake("only b was resampled, and a was not; each sample consists of pairs, so both take the same numbers")
def only_b_resampled(a, b, chosen):
    return _with_bounds_of(_differences(a, b), 100 * (a.mean() - b[chosen].mean(axis=1)))


def _own_bounds(values: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    return 100 * np.quantile(values[chosen].mean(axis=1), BOUNDS)


@exercise.mistake(
    "each network got an interval of its own, and their bounds were subtracted; take the differences first, then one "
    "interval"
)
def bounds_subtracted(a, b, chosen):
    low, high = _own_bounds(a, chosen) - _own_bounds(b, chosen)
    return float(_differences(a, b).mean()), float(low), float(high)


@exercise.mistake(
    "that is from a's lower bound minus b's upper one to a's upper minus b's lower one, as if the two had no luck in "
    "common; take the differences first"
)
def bounds_crossed(a, b, chosen):
    low, high = _own_bounds(a, chosen) - _own_bounds(b, chosen)[::-1]
    return float(_differences(a, b).mean()), float(low), float(high)


@exercise.mistake(
    "these are the bounds of the single differences, where most seeds lie; for those of their mean, take the mean of "
    "each sample first"
)
def of_single_differences(a, b, chosen):
    differences = _differences(a, b)
    return _with_bounds_of(differences, differences)


@exercise.mistake("these are the bounds of all drawn differences; take the mean of each sample, a row, first: axis=1")
def of_all_drawn(a, b, chosen):
    differences = _differences(a, b)
    return _with_bounds_of(differences, differences[chosen])


@exercise.mistake("the mean runs over the samples; it should run over the pairs of each sample, axis 1")
def wrong_axis(a, b, chosen):
    differences = _differences(a, b)
    return _with_bounds_of(differences, differences[chosen].mean(axis=0))


@exercise.mistake("these bounds hold 90 %: .05 at each end; for 95 % it is .025 at each end")
def ninety(a, b, chosen):
    differences = _differences(a, b)
    low, high = np.quantile(differences[chosen].mean(axis=1), [0.05, 0.95])
    return float(differences.mean()), float(low), float(high)


@exercise.mistake("np.percentile counts from 0 to 100, so it wants 2.5 and 97.5; np.quantile wants .025 and .975")
def percentile_of_shares(a, b, chosen):
    differences = _differences(a, b)
    low, high = np.percentile(differences[chosen].mean(axis=1), BOUNDS)
    return float(differences.mean()), float(low), float(high)


@exercise.mistake("np.quantile counts from 0 to 1, so it wants .025 and .975; np.percentile wants 2.5 and 97.5")
def quantile_of_percent(a, b, chosen):
    differences = _differences(a, b)
    low, high = np.quantile(differences[chosen].mean(axis=1), [2.5, 97.5])
    return float(differences.mean()), float(low), float(high)


@exercise.mistake("the bounds are exchanged: the lower one comes first")
def upper_first(a, b, chosen):
    mean, low, high = paired_interval(a, b, chosen)
    return mean, high, low


@exercise.mistake("the order is mean, lower bound, upper bound")
def mean_in_the_middle(a, b, chosen):
    mean, low, high = paired_interval(a, b, chosen)
    return low, mean, high


@exercise.mistake("the first number is the mean of the pairs as they are; yours is the mean of the samples' means")
def mean_of_means(a, b, chosen):
    means = _differences(a, b)[chosen].mean(axis=1)
    return _with_bounds_of(means, means)


@exercise.mistake("the first number is a median; return the mean of the differences")
def median(a, b, chosen):
    _, low, high = paired_interval(a, b, chosen)
    return float(np.median(_differences(a, b))), low, high


@exercise.mistake("these are the medians of the samples; take the mean of each")
def medians_of_samples(a, b, chosen):
    differences = _differences(a, b)
    return _with_bounds_of(differences, np.median(differences[chosen], axis=1))


@exercise.mistake("these are the smallest and the largest mean; 2.5 % of the samples lie beyond each bound")
def extremes(a, b, chosen):
    differences = _differences(a, b)
    means = differences[chosen].mean(axis=1)
    return float(differences.mean()), float(means.min()), float(means.max())


@exercise.mistake(
    "that is the mean plus and minus 1.96 standard deviations of the samples' means; here the bounds are quantiles"
)
def normal_bounds(a, b, chosen):
    differences = _differences(a, b)
    return _around_the_mean(differences, 1.96 * differences[chosen].mean(axis=1).std())


@exercise.mistake(
    "that is the textbook formula, 1.96 standard errors to each side, and needs no samples; here the bounds are "
    "quantiles of the samples' means"
)
def textbook_formula(a, b, chosen):
    differences = _differences(a, b)
    return _around_the_mean(differences, 1.96 * differences.std(ddof=1) / np.sqrt(len(differences)))


@exercise.mistake("that is one standard deviation of the samples' means to each side; the bounds hold 95 % of them")
def one_deviation(a, b, chosen):
    differences = _differences(a, b)
    return _around_the_mean(differences, differences[chosen].mean(axis=1).std())


@exercise.mistake("a and b were sorted first, which tears the pairs apart; keep the order of the seeds")
def sorted_first(a, b, chosen):
    return paired_interval(np.sort(a), np.sort(b), chosen)


@exercise.mistake("the differences lost their sign; harm is negative, so keep it")
def absolute(a, b, chosen):
    differences = abs(_differences(a, b))
    return _with_bounds_of(differences, differences[chosen].mean(axis=1))


@exercise.mistake("that is relative to b; a difference in percentage points is 100 * (a - b)")
def relative(a, b, chosen):
    differences = 100 * (a - b) / b
    return _with_bounds_of(differences, differences[chosen].mean(axis=1))


@exercise.mistake("the interval is around zero; it belongs around the mean, where the samples' means lie")
def around_zero(a, b, chosen):
    mean, low, high = paired_interval(a, b, chosen)
    return mean, low - mean, high - mean


@exercise.mistake(
    "that is 1.96 standard errors to each side, with n in place of n - 1, and needs no samples; here the bounds are "
    "quantiles of the samples' means"
)
def textbook_formula_with_n(a, b, chosen):
    differences = _differences(a, b)
    return _around_the_mean(differences, 1.96 * differences.std() / np.sqrt(len(differences)))


@exercise.mistake("these are distances from the mean; the bounds are the quantiles themselves")
def distances_from_the_mean(a, b, chosen):
    mean, low, high = paired_interval(a, b, chosen)
    return mean, mean - low, high - mean


@exercise.mistake("the samples were summed and divided by their number; divide each sum by the number of pairs")
def over_the_samples(a, b, chosen):
    differences = _differences(a, b)
    return _with_bounds_of(differences, differences[chosen].sum(axis=1) / len(chosen))


@exercise.mistake("the results are rounded; return them as they are")
def rounded(a, b, chosen):
    mean, low, high = (round(number, 2) for number in paired_interval(a, b, chosen))
    return mean, low, high
