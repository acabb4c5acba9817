"""What figures and metrics are made of: samples beside the data, and ways from one vector to another."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from minicoord.experiments.two_objects.finder import find_centres
from minicoord.experiments.two_objects.interpolation import fade, jump, path
from minicoord.experiments.two_objects.judge import data_images, judge, yardsticks

Generate = Callable[[NDArray[np.float32]], NDArray[np.float32]]
"""``generate(vectors) -> images``: (N, z) to (N, H, W, 3)."""

SHOWN = 16  # samples of a figure
PATHS, PATHS_SHOWN = 30, 4  # ways between vectors: those that are measured, and those of a figure
FRAMES, STRIDE = 33, 4  # images of a way, for an animation, and the step between those that are measured


def as_bytes(images: NDArray[np.floating]) -> NDArray[np.uint8]:
    """Return images in [-1, 1] with a byte for each number, 0 to 255."""
    return np.round((np.clip(images, -1, 1) + 1) * 127.5).astype(np.uint8)


def judged_images(images: NDArray[np.floating]) -> tuple[dict[str, float], dict[str, NDArray]]:
    """Return what is measured of samples, and what a row of figure 7 shows of them.

    Parameters
    ----------
    images : ndarray (N, H, W, 3)
        In [-1, 1]; compare sets of 1,000 only.

    Returns
    -------
    metrics : dict of str to float
        Those of `minicoord.experiments.two_objects.judge.judge`.
    arrays : dict of str to ndarray
        Those of `figure_7_arrays`.
    """
    centres = find_centres(images)
    metrics = judge(centres, images.shape[1])
    return metrics, figure_7_arrays(images, centres, metrics)


def figure_7_arrays(
    images: NDArray[np.floating], centres: NDArray[np.floating], metrics: Mapping[str, float]
) -> dict[str, NDArray]:
    """Return what a row of figure 7 shows.

    Parameters
    ----------
    images : ndarray (N, H, W, 3)
    centres : ndarray (N, 2, 2)
        As they were found in the images.
    metrics : mapping of str to float
        What was measured of them.

    Returns
    -------
    dict of str to ndarray
        ``samples`` (16, H, W, 3) of uint8; ``centres`` (N, 2, 2), NaN where an object is missing; ``average``
        (H, W, 3) of uint8, the mean of all images; ``entropies`` (3,), of red, blue and their difference.
    """
    entropies = [metrics[f"{name}_entropy"] for name in ("red", "blue", "difference")]
    return {
        "samples": as_bytes(images[:SHOWN]),
        "centres": centres,
        "average": as_bytes(images.mean(axis=0, dtype=np.float64)),
        "entropies": np.array(entropies),
    }


def beside_the_data(maps: Mapping[str, Mapping[str, NDArray]]) -> dict[str, Mapping[str, NDArray]]:
    """Return the arrays of runs with those of as many images of the data, under the name ``truth``."""
    canvas = next(iter(maps.values()))["samples"].shape[1]
    images = data_images(canvas)
    return {"truth": figure_7_arrays(images, find_centres(images), yardsticks(canvas)), **maps}


def judged_paths(generate: Generate, ends: NDArray[np.float32]) -> tuple[dict[str, float], NDArray[np.uint8]]:
    """Return how smoothly images change on the way from one vector to another, and some of the ways.

    Parameters
    ----------
    generate : callable
        Makes images from vectors.
    ends : ndarray (P, 2, z)
        Both ends of each way.

    Returns
    -------
    metrics : dict of str to float
        ``jump`` and ``fade``, as in `minicoord.experiments.two_objects.interpolation`, over nine images of each way.
    shown : ndarray (4, 33, H, W, 3) of uint8
        All images of the first four ways, or of fewer if there are fewer.
    """
    ways = ways_between(ends)  # each (33, z)
    measured = np.stack([generate(way[::STRIDE]) for way in ways])  # (P, 9, H, W, 3)
    shown = np.stack([as_bytes(generate(way)) for way in ways[:PATHS_SHOWN]])
    return {"jump": jump(measured), "fade": fade(measured)}, shown


def ways_between(ends: NDArray[np.float32]) -> list[NDArray[np.floating]]:
    """Return the vectors (33, z) of each way between its two ends (P, 2, z)."""
    return [path(start, end, FRAMES) for start, end in ends]
