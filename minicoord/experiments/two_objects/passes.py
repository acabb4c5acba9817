"""Which images a step is trained on: pass after pass over all of them, each in an order of its own."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


class Passes:
    """The order of the images in training.

    It follows from the seed and the number of the step, so that a checkpoint need not hold it. Images at the end of a
    pass that do not fill a step are left out, as in the official code.

    Parameters
    ----------
    images : int
        How many there are, at least `batch`.
    batch : int
        Images per step.
    seed : int
        Seed of the run.

    Examples
    --------
    >>> passes = Passes(images=5, batch=2, seed=0)
    >>> sorted([*passes.indices(0), *passes.indices(1)]) == sorted(set(passes.order[:4]))
    True
    """

    def __init__(self, images: int, batch: int, seed: int) -> None:
        self.images, self.batch, self.seed = images, batch, seed
        self.number, self.order = -1, np.arange(0)  # of the pass whose order was drawn last

    def indices(self, step: int) -> NDArray[np.int64]:
        """Return the indices (batch,) of the images of a step, counted from 0."""
        number, k = divmod(step, self.images // self.batch)
        if number != self.number:
            self.number, self.order = number, np.random.default_rng([self.seed, 2, number]).permutation(self.images)
        return self.order[k * self.batch : (k + 1) * self.batch]
