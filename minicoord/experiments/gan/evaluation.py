"""What a trained generator is judged by, and the arrays that the figures show."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from minicoord.experiments.two_objects.judge import SAMPLES
from minicoord.experiments.two_objects.pictures import (
    PATHS,
    PATHS_SHOWN,
    SHOWN,
    as_bytes,
    judged_images,
    judged_paths,
    ways_between,
)
from minicoord.nn.model import Sequential

SLICE = 16  # vectors that go through a generator at a time, so that its widest layer stays small
VECTORS_SEED, PATHS_SEED = 0, 1


def random_vectors(rng: np.random.Generator, count: int, z: int) -> NDArray[np.float32]:
    """Return vectors for a generator: (count, z), each number evenly from [-1, 1]."""
    return rng.uniform(-1, 1, (count, z)).astype(np.float32)


def generate(generator: Sequential, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the images of vectors (N, z), (N, H, W, 3) in [-1, 1], with the running statistics of batch norm."""
    images = [generator.forward(vectors[k : k + SLICE]) for k in range(0, len(vectors), SLICE)]
    return np.clip(np.concatenate(images), -1, 1)


def judged_samples(generator: Sequential, z: int) -> tuple[dict[str, float], dict[str, NDArray]]:
    """Return what is measured of 1,000 samples, and what figure 7 shows of them, as `judged_images` has it."""
    return judged_images(generate(generator, random_vectors(np.random.default_rng(VECTORS_SEED), SAMPLES, z)))


def all_of_it(generator: Sequential, z: int) -> tuple[dict[str, float], dict[str, Any]]:
    """Return all metrics of a generator, and the arrays of its figures but for the strip.

    Besides those of `judged_samples` there are the metrics of 30 ways between random vectors, and ``paths``
    (4, 33, H, W, 3) of uint8, some of the ways; see `judged_paths`.
    """
    metrics, arrays = judged_samples(generator, z)
    ends = random_vectors(np.random.default_rng(PATHS_SEED), 2 * PATHS, z).reshape(PATHS, 2, z)
    of_paths, paths = judged_paths(lambda vectors: generate(generator, vectors), ends)
    return {**metrics, **of_paths}, {**arrays, "paths": paths}


def pictures_alone(generator: Sequential, z: int, photos: NDArray[np.float32]) -> dict[str, NDArray[np.uint8]]:
    """Return what figures show of a generator that was trained on photos, of which nothing is measured.

    Returns
    -------
    dict of str to ndarray of uint8
        ``samples`` and ``originals`` (16, H, W, 3), some of its images and some of the photos; ``paths``
        (4, 33, H, W, 3), some ways between random vectors.
    """
    ends = random_vectors(np.random.default_rng(PATHS_SEED), 2 * PATHS_SHOWN, z).reshape(PATHS_SHOWN, 2, z)
    samples = generate(generator, random_vectors(np.random.default_rng(VECTORS_SEED), SHOWN, z))
    paths = np.stack([as_bytes(generate(generator, way)) for way in ways_between(ends)])
    return {"samples": as_bytes(samples), "originals": as_bytes(photos), "paths": paths}
