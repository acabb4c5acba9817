"""Several forward passes become one, so that one backward pass goes through all of them.

An agent computes the outputs of its network for a few pictures at a time, because the next ones depend on what it does.
For its update it needs the same outputs, with the same weights, for all pictures together. So what each layer keeps for
its backward pass is taken from it after each forward pass, and put back in one piece.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from minicoord.kernels.backend.memory import empty
from minicoord.nn.composites.base import Composite

KEPT = ("_saved", "_y_shape")  # attributes of a layer: what it keeps for its backward pass, and the shape of its output


class ForwardPasses:
    """Forward passes through a model, for one backward pass through all of them, before its weights change.

    Parameters
    ----------
    model : Composite
        Such as a `Sequential`. What its layers compute for one sample depends on no other sample.

    Raises
    ------
    ValueError
        If a layer of the model has a state: then a pass depends on the passes before it.

    Examples
    --------
    >>> from minicoord import Dense, ReLU, Sequential
    >>> model = Sequential([Dense(3, 4, rng=0), ReLU()])
    >>> x, passes = np.ones((2, 5, 3), np.float32), ForwardPasses(model)
    >>> y = [passes.forward(x[0]), passes.forward(x[1])]
    >>> passes.join(x.reshape(10, 3))
    >>> model.backward(np.ones((10, 4), np.float32)).shape
    (10, 3)
    """

    def __init__(self, model: Composite) -> None:
        if model.state:
            wanted = "layers without a state, whose passes do not depend on each other"
            raise ValueError(f"ForwardPasses: the model has the state {', '.join(model.state)}, wanted {wanted}")
        self.model = model
        self._parts = [part for _, part in model.walk()]
        self._passes: list[list[Any]] = []

    def forward(self, x: NDArray) -> Any:
        """Return the output of the model for `x`, (n, ...), and keep what its layers keep."""
        y = self.model.forward(x, training=True)
        self._passes.append([tuple(vars(part).get(name) for name in KEPT) for part in self._parts])
        return y

    def join(self, x: NDArray) -> None:
        """Make the model ready for a backward pass through all passes since the last call, in their order.

        Parameters
        ----------
        x : ndarray, (N, ...)
            The inputs of all passes, one after the other. Where these were slices of `x`, they are not copied.

        Raises
        ------
        RuntimeError
            If there was no pass.
        """
        if not self._passes:
            raise RuntimeError("ForwardPasses: join was called before forward, and needs what forward computes")
        joined = _Joined(x)
        for part, of_passes in zip(self._parts, zip(*self._passes, strict=True), strict=True):
            for name, value in zip(KEPT, joined.value(of_passes), strict=True):
                setattr(part, name, value)
        self._passes = []


class _Joined:
    """Puts together what was kept in several passes; what two layers keep, the one as output, is copied once."""

    def __init__(self, x: NDArray) -> None:
        self.arrays: dict[tuple[int, ...], NDArray] = {}  # by the addresses of their parts
        self.x = x

    def value(self, values: tuple[Any, ...]) -> Any:
        """Return one value in place of one for each pass."""
        first = values[0]
        if isinstance(first, np.ndarray):
            return self._array(values)
        if isinstance(first, tuple) and first and all(isinstance(length, int) for length in first):  # a shape
            return (sum(shape[0] for shape in values), *first[1:])
        if isinstance(first, tuple):
            return tuple(self.value(of_passes) for of_passes in zip(*values, strict=True))
        return first  # None or a dtype

    def _array(self, parts: tuple[NDArray, ...]) -> NDArray:
        shape = (sum(map(len, parts)), *parts[0].shape[1:])
        addresses = tuple(_address(part) for part in parts)
        if addresses not in self.arrays:
            self.arrays[addresses] = self._one_array(parts, addresses, shape)
        return self.arrays[addresses].reshape(shape)

    def _one_array(self, parts: tuple[NDArray, ...], addresses: tuple[int, ...], shape: tuple[int, ...]) -> NDArray:
        ends = np.cumsum([_address(self.x), *(part.nbytes for part in parts)]).tolist()
        if list(addresses) == ends[:-1] and self.x.nbytes == ends[-1] - ends[0] and self.x.flags.c_contiguous:
            return self.x
        return np.concatenate(parts, out=empty(shape, parts[0].dtype))


def _address(array: NDArray) -> int:
    return array.__array_interface__["data"][0]
