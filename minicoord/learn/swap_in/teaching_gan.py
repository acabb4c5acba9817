"""What two networks that are trained against each other compute, composed from functions of a learner of lesson 11."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from minicoord.experiments.two_objects.entropies import BINS
from minicoord.learn.swap_in.calling import Calling, Function, described

GAN_REPLACEMENTS: dict[str, frozenset[str]] = {
    "minicoord.experiments.gan.losses.sigmoid_cross_entropy": frozenset({"fooling_dx"}),
    "minicoord.experiments.two_objects.entropies.entropy": frozenset({"entropy_of_places"}),
    "minicoord.nn.composites.spectral_norm.power_step": frozenset({"power_step"}),
}
"""Where a GAN is trained and judged, and the exercises whose answers replace it."""


class TeachingGan(Calling):
    """Loss, judge and spectral normalisation that call a learner's functions."""

    def sigmoid_cross_entropy(self, original: Function, logits: NDArray, labels: NDArray) -> tuple[float, NDArray]:
        """Return the loss, and its gradient (N, 1), the learner's where all images should be real."""
        loss, dlogits = original(logits, labels)
        if (labels == 1).all():
            dlogits = self._call("fooling_dx", (logits,), logits.shape, logits.dtype)
        return loss, dlogits

    def entropy(self, original: Function, points: NDArray, low: float, high: float) -> float:
        """Return the entropy of points (N, 2)."""
        return float(self.functions["entropy_of_places"](points, low, high, BINS))

    def power_step(self, original: Function, matrix: NDArray, u: NDArray) -> tuple[NDArray, Any, NDArray]:
        """Return the direction v (rows,), by how much u is stretched, and the next u (columns,)."""
        found = self.functions["power_step"](matrix, u)
        facts = [(np.shape(part), getattr(part, "dtype", None)) for part in found] if isinstance(found, tuple) else []
        rows, columns = matrix.shape
        if len(facts) != 3 or facts[::2] != [((rows,), matrix.dtype), ((columns,), matrix.dtype)] or facts[1][0] != ():
            raise ValueError(
                f"using: power_step returned {described(found)}, expected a tuple of an array ({rows},) "
                f"{matrix.dtype}, a number and an array ({columns},) {matrix.dtype}"
            )
        return np.ascontiguousarray(found[0]), matrix.dtype.type(found[1]), np.ascontiguousarray(found[2])
