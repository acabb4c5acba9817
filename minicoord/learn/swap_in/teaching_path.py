"""The kernels of the library, composed from functions that a learner wrote.

Each method of `TeachingPath` replaces one kernel: it takes that kernel, followed by the kernel's own arguments, and
returns what the kernel returns. Steps that the learner has no function for are left to the library.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from minicoord.kernels.geometry import Padding, Pair
from minicoord.kernels.pooling import pool_window
from minicoord.learn.swap_in.calling import Function
from minicoord.learn.swap_in.teaching_agent import AGENT_REPLACEMENTS, TeachingAgent
from minicoord.learn.swap_in.teaching_boxes import BOX_REPLACEMENTS, TeachingBoxes
from minicoord.learn.swap_in.teaching_codes import CODE_REPLACEMENTS, TeachingCodes
from minicoord.learn.swap_in.teaching_convolutions import (
    BACKWARD,
    COORDINATES,
    FORWARD,
    FRONT,
    MAP,
    TeachingConvolutions,
    square_window,
)
from minicoord.learn.swap_in.teaching_gan import GAN_REPLACEMENTS, TeachingGan
from minicoord.system.arguments import shown

POOLING = frozenset({"max_pool", "max_pool_dx"})
LOSS = frozenset({"softmax_cross_entropy", "softmax_cross_entropy_dx"})
CONVOLUTION = FORWARD | BACKWARD | COORDINATES | MAP | FRONT

REPLACEMENTS: dict[str, frozenset[str]] = {
    "minicoord.nn.layers.convolution.conv2d": FORWARD,
    "minicoord.nn.layers.convolution.conv2d_backward": BACKWARD,
    "minicoord.nn.layers.coordconv.coordconv2d": FORWARD | COORDINATES | MAP | FRONT,
    "minicoord.nn.layers.coordconv.coordconv2d_backward": BACKWARD | COORDINATES,
    "minicoord.nn.layers.coordinates.add_coords": COORDINATES,
    "minicoord.nn.layers.transposed.conv_transpose2d": frozenset({"conv_transpose"}),
    "minicoord.nn.layers.pooling.max_pool2d": POOLING,
    "minicoord.nn.layers.pooling.max_pool2d_backward": POOLING,
    "minicoord.nn.model.chain_from": CONVOLUTION,
    "minicoord.kernels.softmax._softmax_cross_entropy": LOSS,
    "minicoord.train.optim.adam_update": frozenset({"adam_step"}),
    **AGENT_REPLACEMENTS,
    **BOX_REPLACEMENTS,
    **GAN_REPLACEMENTS,
    **CODE_REPLACEMENTS,
}
"""Where the library calls a kernel, and the exercises whose functions replace it by the method of the same name."""

REPLACEABLE = frozenset().union(*REPLACEMENTS.values())
"""The exercises whose answers can run inside the library."""


class TeachingPath(TeachingConvolutions, TeachingBoxes, TeachingGan, TeachingCodes, TeachingAgent):
    """Kernels that call a learner's functions: those of the classes that it is made of, and the rest."""

    def chain_from(self, original: Function, *arguments: Any) -> list[Any]:
        """Return an empty chain, so that every convolution runs separately and its steps are visible."""
        return []

    def max_pool2d(
        self, original: Function, x: NDArray, size: Pair = 2, stride: Pair | None = None, padding: Padding = "valid"
    ) -> tuple[NDArray, NDArray]:
        """Return the maxima and their positions; the latter also hold what the learner's backward pass needs."""
        y, argmax = original(x, size, stride, padding)
        win = pool_window("max_pool", x.shape[1], x.shape[2], size, stride, padding)
        k, step, pad = square_window("max_pool", win)
        if pad != 0:
            raise ValueError(f"using: max_pool was called with padding {shown(padding)}, expected no padding")
        if "max_pool" in self.functions:
            y = self._call("max_pool", (x, k, step), y.shape, x.dtype)
        argmax = argmax.view(_Argmax)
        argmax.pooled = x, k, step
        return y, argmax

    def max_pool2d_backward(
        self, original: Function, dy: NDArray, argmax: NDArray, x_shape: tuple[int, int, int, int]
    ) -> NDArray:
        """Return dx, computed by the library's kernel unless the forward pass was that of `max_pool2d` above."""
        if "max_pool_dx" not in self.functions or not isinstance(argmax, _Argmax):
            return original(dy, argmax, x_shape)
        return self._call("max_pool_dx", (dy, *argmax.pooled), x_shape, dy.dtype)

    def softmax_cross_entropy(
        self, original: Function, z: NDArray, labels: NDArray, losses: NDArray, dz: NDArray
    ) -> None:
        """Write the loss of each image, here the mean for all, and the gradient with respect to the logits."""
        original(z, labels, losses, dz)
        if "softmax_cross_entropy" in self.functions:
            losses[:] = self.functions["softmax_cross_entropy"](z, labels)
        if "softmax_cross_entropy_dx" in self.functions:
            dz[:] = self._call("softmax_cross_entropy_dx", (z, labels), z.shape, z.dtype)

    def adam_update(
        self,
        original: Function,
        w: NDArray,
        g: NDArray,
        m: NDArray,
        v: NDArray,
        lr: float,
        beta1: float,
        beta2: float,
        eps: float,
        t: int,
        l2: float = 0.0,
    ) -> None:
        """Take one step of Adam, updating the arrays in place as the library expects.

        Like TensorFlow, the library adds eps to the root of v before the bias correction; the exercise adds it after.
        """
        gradient = g + (2 * l2) * w if l2 else g
        eps_after = eps / math.sqrt(1 - beta2**t)
        new = self.functions["adam_step"](w.copy(), gradient, m.copy(), v.copy(), t, lr, beta1, beta2, eps_after)
        for array, values in zip((w, m, v), new, strict=True):
            np.copyto(array, values)


class _Argmax(np.ndarray):
    """The positions of the maxima for the library's backward pass, with images, size and stride for a learner's."""

    pooled: tuple[NDArray, int, int]
