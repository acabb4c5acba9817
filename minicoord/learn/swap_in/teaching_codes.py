"""What a variational autoencoder does with codes, composed from functions that a learner wrote in lesson 12."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from minicoord.learn.swap_in.calling import Calling, Function, described

_TRAINER = "minicoord.experiments.vae.trainer"

CODE_REPLACEMENTS: dict[str, frozenset[str]] = {
    f"{_TRAINER}.reparametrise": frozenset({"reparametrise"}),
    f"{_TRAINER}.reparametrise_backward": frozenset({"reparametrise_dx"}),
    f"{_TRAINER}.kl_divergence": frozenset({"kl_gaussian", "kl_gaussian_dx"}),
    "minicoord.experiments.two_objects.pictures.path": frozenset({"walk_codes"}),
}
"""Where the VAE draws, judges and walks between codes, and the exercises whose answers replace it."""


class TeachingCodes(Calling):
    """Functions of codes that call a learner's functions."""

    def reparametrise(self, original: Function, mean: NDArray, log_variance: NDArray, noise: NDArray) -> NDArray:
        """Return codes (N, z)."""
        return self._call("reparametrise", (mean, log_variance, noise), mean.shape, mean.dtype)

    def reparametrise_backward(
        self, original: Function, dcodes: NDArray, log_variance: NDArray, noise: NDArray
    ) -> tuple[NDArray, NDArray]:
        """Return dmean and dlog_variance, both (N, z)."""
        return self._pair("reparametrise_dx", (dcodes, log_variance, noise), dcodes)

    def kl_divergence(self, original: Function, mean: NDArray, log_variance: NDArray) -> tuple[float, NDArray, NDArray]:
        """Return the divergence, and its gradients dmean and dlog_variance, both (N, z)."""
        kl, dmean, dlog_variance = original(mean, log_variance)
        if "kl_gaussian" in self.functions:
            kl = float(self.functions["kl_gaussian"](mean, log_variance))
        if "kl_gaussian_dx" in self.functions:
            dmean, dlog_variance = self._pair("kl_gaussian_dx", (mean, log_variance), mean)
        return kl, dmean, dlog_variance

    def path(self, original: Function, start: NDArray, end: NDArray, images: int) -> NDArray:
        """Return codes (images, z) from one to another."""
        return self._call("walk_codes", (start, end, images), (images, len(start)), start.dtype)

    def _pair(self, id: str, arguments: tuple[NDArray, ...], like: NDArray) -> tuple[NDArray, NDArray]:
        """Return the two arrays of a learner's function, which have the shape and dtype of `like`."""
        found = self.functions[id](*arguments)
        arrays = [array for array in found if isinstance(array, np.ndarray)] if isinstance(found, tuple) else []
        if len(arrays) != 2 or any((a.shape, a.dtype) != (like.shape, like.dtype) for a in arrays):
            raise ValueError(
                f"using: {id} returned {described(found)}, expected two arrays {like.shape} {like.dtype}, as a tuple"
            )
        return np.ascontiguousarray(arrays[0]), np.ascontiguousarray(arrays[1])
