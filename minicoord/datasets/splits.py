"""How Not-so-Clevr is split into train and test.

The uniform split asks a network to fill in pixels between those that it has seen; the quadrant split asks it to
extrapolate into a quarter of the canvas that it has never seen.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from minicoord.datasets.not_so_clevr import NotSoClevr
from minicoord.system.arguments import check_kind, check_whole, shown

OFFICIAL_SEED = 20202
OFFICIAL_TEST_SHARE = 0.25


@dataclass(frozen=True, eq=False)
class Split:
    """The train and test parts of a data set.

    Attributes
    ----------
    name : str
        One of `SPLITS`.
    train, test : ndarray (n_train,), (n_test,) of int64
        Indices of the samples, in the order of the data set. No sample is in both parts and none is left out.
    """

    name: str
    train: NDArray[np.int64]
    test: NDArray[np.int64]


def _uniform(data: NotSoClevr, seed: int) -> NDArray[np.bool_]:
    """Hold out what remains after the first four fifths, rounded down, of a seeded permutation."""
    n = len(data)
    held_out = np.zeros(n, bool)
    held_out[np.random.default_rng(int(seed)).permutation(n)[4 * n // 5 :]] = True
    return held_out


def _quadrant(data: NotSoClevr, seed: int) -> NDArray[np.bool_]:
    """Hold out x > W/2 and y > H/2, the rule of the official generator: on 64 pixels, 33 and above."""
    height, width = data.canvas
    x, y = data.centres.T
    return (2 * x > width) & (2 * y > height)


def _quadrant_symmetric(data: NotSoClevr, seed: int) -> NDArray[np.bool_]:
    """Hold out what lies beyond the centre ((W-1)/2, (H-1)/2) of the canvas: on 64 pixels, 32 and above."""
    height, width = data.canvas
    x, y = data.centres.T
    return (2 * x > width - 1) & (2 * y > height - 1)


def _official_uniform(data: NotSoClevr, seed: int) -> NDArray[np.bool_]:
    """Hold out each sample of the sweep with probability one quarter, one legacy random number per sample.

    NumPy has frozen the stream of its legacy generator, so these remain the official samples.
    """
    return np.random.RandomState(OFFICIAL_SEED).random_sample(len(data)) < OFFICIAL_TEST_SHARE


SPLITS: dict[str, Callable[[NotSoClevr, int], NDArray[np.bool_]]] = {
    "uniform": _uniform,
    "quadrant": _quadrant,
    "quadrant-symmetric": _quadrant_symmetric,
    "official-uniform": _official_uniform,
}


def split(data: NotSoClevr, name: str, seed: int = 0) -> Split:
    """Split `data` into train and test.

    ====================  ======================================================  ===========  =====
    name                  held out for testing                                    train        test
    ====================  ======================================================  ===========  =====
    "uniform"             one fifth, drawn with `seed`                            2,508        628
    "quadrant"            x > W/2 and y > H/2 (the official generator's rule)     2,407        729
    "quadrant-symmetric"  x > (W-1)/2 and y > (H-1)/2: exactly a quarter          2,352        784
    "official-uniform"    each sample with probability 1/4, the official draw     2,368        768
    ====================  ======================================================  ===========  =====

    The counts are those of the paper's canvas. The "official-uniform" parts hold the same samples as the released
    data, in the order of the sweep; the official files hold them shuffled once more (with seed 10101), which makes no
    difference to training that shuffles every epoch. Where a side of the canvas is odd, the two quadrant rules agree:
    the middle pixels belong to the train part.

    Parameters
    ----------
    data : NotSoClevr
    name : str
        One of the names above.
    seed : int
        Used by "uniform" only; the other splits are fixed.

    Returns
    -------
    Split

    Raises
    ------
    ValueError
        If the name is unknown, the seed is not a whole number of at least 0, or the canvas is so small that a part
        would be empty.

    Examples
    --------
    >>> from minicoord.datasets import not_so_clevr
    >>> parts = split(not_so_clevr(), "quadrant")
    >>> len(parts.train), len(parts.test)
    (2407, 729)
    """
    check_kind("split: data", data, NotSoClevr, "Not-so-Clevr, as not_so_clevr makes it")
    if not isinstance(name, str) or name not in SPLITS:
        raise ValueError(f"split: the name is {shown(name)}, wanted one of {', '.join(map(repr, SPLITS))}")
    check_whole("split: seed", seed, 0)
    held_out = SPLITS[name](data, seed)
    train, test = np.flatnonzero(~held_out), np.flatnonzero(held_out)
    if not len(train) or not len(test):
        raise ValueError(
            f"split: {shown(name)} of {len(data)} samples gives {len(train)} for training and {len(test)} for the test"
            ", wanted at least one of each; a larger canvas has more samples"
        )
    return Split(name, train, test)
