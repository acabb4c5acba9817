"""All that is measured of samples, and the same of the data: what a generator can reach at best."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from minicoord.datasets.two_objects import two_objects
from minicoord.experiments.two_objects.coverage import density_and_coverage
from minicoord.experiments.two_objects.duplicates import duplicate_pairs
from minicoord.experiments.two_objects.entropies import entropies
from minicoord.experiments.two_objects.finder import find_centres, miss_rate
from minicoord.system.counting import counted

SAMPLES = 1000  # as in figure 7
REFERENCE_SEED, YARDSTICK_SEED = 1_000_001, 1_000_002  # of data that nobody is trained on

COLLAPSED_ENTROPY = 2.0  # nats: seven or eight bins of a hundred, evenly filled
COLLAPSED_MISSES = 0.5


def judge(centres: NDArray[np.floating], canvas: int) -> dict[str, float]:
    """Return what is measured of the arrangements of samples.

    Parameters
    ----------
    centres : ndarray (N, 2, 2)
        As `find_centres` finds them, NaN where an object is missing; compare sets of 1,000 only.
    canvas : {64, 32}
        Side of the images in pixels.

    Returns
    -------
    dict of str to float
        ``red_entropy``, ``blue_entropy``, ``difference_entropy``: of the objects that are found, in nats. ``missed``:
        share of images in which an object is missing. ``density``, ``coverage``: relative to 1,000 of the data.
        ``duplicates``: pairs of near-duplicates.
    """
    density, coverage = density_and_coverage(_reference(canvas), centres.reshape(-1, 4))
    return {
        **entropies(centres, canvas),
        "missed": miss_rate(centres),
        "density": density,
        "coverage": coverage,
        "duplicates": float(duplicate_pairs(centres, canvas)),
    }


@lru_cache(maxsize=2)
def yardsticks(canvas: int) -> Mapping[str, float]:
    """Return what is measured of 1,000 images of the data, found and judged like samples."""
    return judge(find_centres(data_images(canvas)), canvas)


def data_images(canvas: int, count: int = SAMPLES) -> NDArray[np.float32]:
    """Return images of the data that nobody is trained on: (count, canvas, canvas, 3) in [-1, 1]."""
    return two_objects(count, canvas, YARDSTICK_SEED).draw()


def is_collapsed(metrics: Mapping[str, float | None]) -> bool:
    """Return whether samples are no more than a few images, or no images of two objects.

    Either half of them lacks an object, or an entropy is below 2: the red or the blue object stays within a few places,
    or their difference does, and both move together.
    """
    entropy = [metrics.get(f"{of}_entropy") or 0.0 for of in ("red", "blue", "difference")]
    missed = metrics.get("missed")
    return min(entropy) < COLLAPSED_ENTROPY or missed is None or missed > COLLAPSED_MISSES


def in_words(of_data: Mapping[str, float], canvas: int) -> str:
    """Return what the data reach, in a sentence."""
    return (
        f"{SAMPLES:,} images of the data at {canvas} x {canvas} have entropies of {of_data['red_entropy']:.2f}, "
        f"{of_data['blue_entropy']:.2f} and {of_data['difference_entropy']:.2f}, a density of "
        f"{of_data['density']:.2f}, a coverage of {100 * of_data['coverage']:.0f} %, and "
        f"{counted(int(of_data['duplicates']), 'pair')} of near-duplicates"
    )


@lru_cache(maxsize=2)
def _reference(canvas: int) -> NDArray[np.float64]:
    """Return the middles of 1,000 arrangements of the data: (1000, 4)."""
    return two_objects(SAMPLES, canvas, REFERENCE_SEED).centres.reshape(-1, 4).astype(np.float64)
