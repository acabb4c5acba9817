"""How the numbers of a code, the latents, are shared between the factors of an image.

An image of two objects has six factors: two coordinates of each middle, and two shapes. Two questions are asked. How
much does each latent know of each factor, and does one latent know much more of it than all others (the mutual
information gap of Chen et al., 2018)? And can the factors be read from a code by a linear map?

The images allow no more than that. A latent may stand for x + y: the gap is then small, though nothing is wrong, for
no axis of the plane is better than another. And the two middles are not independent, as the objects keep a distance.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from minicoord.datasets.two_objects import TwoObjects

BINS = 40  # of each latent, with as many codes in each


def factors(data: TwoObjects) -> NDArray[np.int64]:
    """Return the factors of arrangements: (N, 6), x and y of blue, x and y of red in pixels, both shapes as 0 or 1."""
    return np.concatenate([data.centres.reshape(-1, 4), data.circles.astype(np.int64)], axis=1)


def shares_known(codes: NDArray[np.floating], values: NDArray[np.integer]) -> NDArray[np.float64]:
    """Return which share of the entropy of each factor each latent knows.

    The mutual information of a histogram, `BINS` bins of a latent and a bin for each value of a factor, with the
    correction of Miller and Madow for few samples. Bins of a latent end in the midst of values: of 2,000 codes, one
    that is a coordinate at 32 x 32 knows .91 of it, and one that is noise .02.

    Parameters
    ----------
    codes : ndarray (N, z)
        Drawn codes rather than means: a mean that hardly moves would count, though the decoder cannot see it move.
    values : ndarray (N, f)
        The factors, whole numbers from 0.

    Returns
    -------
    ndarray (f, z)
        In [0, 1]; 0 for a factor with a single value.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> shape = rng.integers(0, 2, (4000, 1))
    >>> codes = np.concatenate([shape + 0.1 * rng.standard_normal((4000, 1)), rng.standard_normal((4000, 1))], axis=1)
    >>> shares_known(codes, shape).round(1)
    array([[1., 0.]])
    """
    count = len(codes)
    places = codes.argsort(axis=0).argsort(axis=0) * BINS // count  # (N, z), the bin of each code
    known = np.zeros((values.shape[1], codes.shape[1]))
    for f, of_factor in enumerate(values.T):
        possible = int(of_factor.max()) + 1
        p_factor = np.bincount(of_factor, minlength=possible) / count  # (values,)
        whole = _entropy(p_factor)
        for k, of_latent in enumerate(places.T):
            joint = np.bincount(of_latent * possible + of_factor, minlength=BINS * possible) / count
            p_latent = joint.reshape(BINS, possible).sum(axis=1)
            cells = [np.count_nonzero(p) for p in (joint, p_latent, p_factor)]
            too_much = (cells[0] - cells[1] - cells[2] + 1) / (2 * count)  # what chance adds, in nats
            information = whole + _entropy(p_latent) - _entropy(joint) - too_much
            known[f, k] = information / whole if whole else 0.0
    return known.clip(0, 1)


def information_gap(known: NDArray[np.floating]) -> float:
    """Return by how much the latent that knows most of a factor exceeds the second, on average over factors.

    Parameters
    ----------
    known : ndarray (f, z)
        As `shares_known` returns it, for two latents or more.

    Returns
    -------
    float
        From 0 to 1, where each factor is known to one latent, wholly, and to no other.

    Examples
    --------
    >>> information_gap(np.array([[1.0, 0.0, 0.0], [0.5, 0.5, 0.1]]))
    0.5
    """
    second, first = np.sort(known, axis=1)[:, -2:].T
    return float((first - second).mean())


def read_linearly(codes: NDArray[np.floating], values: NDArray[np.number]) -> NDArray[np.float64]:
    """Return the share of the variance of each factor that a linear map of the codes explains.

    The map is fitted by least squares to the first half of the codes, and judged on the second.

    Parameters
    ----------
    codes : ndarray (N, z)
        N well above 2 z.
    values : ndarray (N, f)

    Returns
    -------
    ndarray (f,)
        1 where the map is exact, about 0 where it is no better than the mean, and negative where it is worse.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> codes = rng.standard_normal((400, 3))
    >>> values = np.stack([2 * codes[:, 0] - codes[:, 1] + 5, rng.standard_normal(400)], axis=1)
    >>> share = read_linearly(codes, values)
    >>> bool(share[0] > 0.999), bool(abs(share[1]) < 0.1)
    (True, True)
    """
    half = len(codes) // 2
    known = np.concatenate([codes, np.ones((len(codes), 1))], axis=1, dtype=np.float64)  # (N, z + 1)
    weights = np.linalg.lstsq(known[:half], values[:half].astype(np.float64), rcond=None)[0]  # (z + 1, f)
    rest = values[half:] - known[half:] @ weights
    return 1 - np.square(rest).mean(axis=0) / np.maximum(values[half:].var(axis=0), 1e-12)


def _entropy(p: NDArray[np.floating]) -> float:
    """Return the entropy of probabilities in nats."""
    p = p[p > 0]
    return float(-np.sum(p * np.log(p)))
