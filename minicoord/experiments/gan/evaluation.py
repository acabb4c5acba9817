"""What a trained generator is judged by, and the arrays that the figures show."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from minicoord.experiments.two_objects.finder import find_centres
from minicoord.experiments.two_objects.interpolation import fade, jump, path
from minicoord.experiments.two_objects.judge import SAMPLES, judge
from minicoord.nn.model import Sequential

SLICE = 16  # vectors that go through a generator at a time, so that its widest layer stays small
VECTORS_SEED, PATHS_SEED = 0, 1

SHOWN = 16  # samples of a figure
PATHS, PATHS_SHOWN = 30, 4  # ways between random vectors: those that are measured, and those of a figure
FRAMES, STRIDE = 33, 4  # images of a way, for an animation, and the step between those that are measured


def random_vectors(rng: np.random.Generator, count: int, z: int) -> NDArray[np.float32]:
    """Return vectors for a generator: (count, z), each number evenly from [-1, 1]."""
    return rng.uniform(-1, 1, (count, z)).astype(np.float32)


def generate(generator: Sequential, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the images of vectors (N, z), with the running statistics of batch normalisation: (N, H, W, 3)."""
    images = [generator.forward(vectors[k : k + SLICE]) for k in range(0, len(vectors), SLICE)]
    return np.concatenate(images)


def as_bytes(images: NDArray[np.floating]) -> NDArray[np.uint8]:
    """Return images in [-1, 1] with a byte for each number, 0 to 255."""
    return np.round((np.clip(images, -1, 1) + 1) * 127.5).astype(np.uint8)


def judged_samples(generator: Sequential, z: int, canvas: int) -> tuple[dict[str, float], dict[str, NDArray]]:
    """Return what is measured of 1,000 samples, and what figure 7 shows of them.

    Returns
    -------
    metrics : dict of str to float
        Those of `minicoord.experiments.two_objects.judge.judge`.
    arrays : dict of str to ndarray
        ``samples`` (16, H, W, 3) of uint8; ``centres`` (1000, 2, 2), NaN where an object is missing; ``average``
        (H, W, 3) of uint8, the mean of all samples; ``entropies`` (3,), of red, blue and their difference.
    """
    images = generate(generator, random_vectors(np.random.default_rng(VECTORS_SEED), SAMPLES, z))
    centres = find_centres(images)
    metrics = judge(centres, canvas)
    return metrics, figure_7_arrays(images, centres, metrics)


def figure_7_arrays(
    images: NDArray[np.floating], centres: NDArray[np.floating], metrics: dict[str, float]
) -> dict[str, NDArray]:
    """Return what a row of figure 7 shows of images (N, H, W, 3), their centres (N, 2, 2) and what was measured."""
    entropies = [metrics[f"{name}_entropy"] for name in ("red", "blue", "difference")]
    return {
        "samples": as_bytes(images[:SHOWN]),
        "centres": centres,
        "average": as_bytes(images.mean(axis=0, dtype=np.float64)),
        "entropies": np.array(entropies),
    }


def judged_paths(generator: Sequential, z: int) -> tuple[dict[str, float], NDArray[np.uint8]]:
    """Return how smoothly the images change on the way from one random vector to another, and some of the ways.

    Returns
    -------
    metrics : dict of str to float
        ``jump`` and ``fade``, as in `minicoord.experiments.two_objects.interpolation`, over 30 ways of nine images.
    shown : ndarray (4, 33, H, W, 3) of uint8
    """
    ends = random_vectors(np.random.default_rng(PATHS_SEED), 2 * PATHS, z).reshape(PATHS, 2, z)
    ways = [path(start, end, FRAMES) for start, end in ends]  # each (33, z)
    measured = np.stack([generate(generator, way[::STRIDE]) for way in ways])  # (30, 9, H, W, 3)
    shown = np.stack([as_bytes(generate(generator, way)) for way in ways[:PATHS_SHOWN]])
    return {"jump": jump(measured), "fade": fade(measured)}, shown


def all_of_it(generator: Sequential, z: int, canvas: int) -> tuple[dict[str, float], dict[str, Any]]:
    """Return all metrics of a generator, and the arrays of its figures but for the strip."""
    metrics, arrays = judged_samples(generator, z, canvas)
    of_paths, paths = judged_paths(generator, z)
    return {**metrics, **of_paths}, {**arrays, "paths": paths}
