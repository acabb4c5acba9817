"""The arrays of a layer: parameters, gradients and state, and the check that they are still what they were made as.

Anybody may put another array into ``layer.params``: weights from a file, or the array of a layer that shares them. A
kernel would read beyond the end of an array that is too small. So the shape and dtype that an array was made with are
kept, and every pass compares; an array that was found right, and is still the same object, costs next to nothing.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from minicoord.kernels.backend.checks import FLOATS
from minicoord.system.arguments import shown
from minicoord.system.arrays import check_no_mask

Shape = tuple[int, ...]


class Made(NamedTuple):
    """What an array has to be like, the one that was found to be so last, and the one for its gradient if found so."""

    shape: Shape
    dtype: np.dtype
    array: NDArray
    gradient: NDArray | None = None


class LayerArrays:
    """The base class of `Layer`; the attributes are described there."""

    def __init__(self) -> None:
        self.params: dict[str, NDArray] = {}
        self.grads: dict[str, NDArray] = {}
        self.state: dict[str, NDArray] = {}
        self._made_params: dict[str, Made] = {}
        self._made_state: dict[str, Made] = {}

    @property
    def name(self) -> str:
        """The name of the class, as errors and summaries show it."""
        return type(self).__name__

    @property
    def dtype(self) -> np.dtype | None:
        """The dtype of parameters and input; None for a layer without parameters, which takes float32 and float64."""
        return next((made.dtype for made in self._made_params.values()), None)

    @property
    def n_params(self) -> int:
        """The number of trained parameters."""
        return sum(array.size for array in self.params.values())

    def add_param(self, key: str, values: NDArray) -> None:
        """Make `values` the parameter `key`, with a gradient of zeros beside it."""
        made = self._make(values)
        self.params[key], self.grads[key] = made.array, np.zeros_like(made.array)
        self._made_params[key] = made._replace(gradient=self.grads[key])

    def add_state(self, key: str, values: NDArray) -> None:
        """Make `values` the array `key` of `state`."""
        self._made_state[key] = made = self._make(values)
        self.state[key] = made.array

    def check_arrays(self) -> None:
        """Check that parameters and state still have the shapes and dtypes that they were made with.

        Raises
        ------
        TypeError
            If one is not a NumPy array, or has another dtype.
        ValueError
            If one has another shape or is missing, or if there is a parameter without a gradient.
        """
        params = self.params
        for key, made in self._made_params.items():
            if params.get(key) is not made.array or made.array.shape != made.shape:
                self._made_params[key] = self._check_again(key, params, made)
        for key, made in self._made_state.items():
            if self.state.get(key) is not made.array or made.array.shape != made.shape:
                self._made_state[key] = self._check_again(key, self.state, made)
        if len(params) != len(self._made_params):
            for key in params.keys() - self.grads.keys():
                raise ValueError(
                    f"{self.name}: there is a parameter {shown(key)}, wanted {' and '.join(self.grads) or 'none'}"
                )

    def set_grads(self, **gradients: NDArray) -> None:
        """Write each gradient into the array of the same name in `grads`, where others may hold a view of it.

        Raises
        ------
        TypeError, ValueError
            If a gradient, or the array in `grads`, does not have the shape of the parameter, or that array another
            dtype. Nothing is written then.
        """
        for key, gradient in gradients.items():
            made = self._made_params.get(key)
            if made is None:
                raise ValueError(f"{self.name}: there is a gradient of {shown(key)}, wanted one of what add_param made")
            target = self.grads.get(key)
            if target is not made.gradient:
                target = self._check_like(target, made, f"grads[{key!r}]")
                self._made_params[key] = made._replace(gradient=target)
            given = gradient.shape if isinstance(gradient, np.ndarray) else np.shape(gradient)
            if given != made.shape:
                raise ValueError(f"{self.name}: the gradient of {key} has shape {given}, wanted {made.shape}")
        for key, gradient in gradients.items():
            np.copyto(self.grads[key], gradient)

    def _make(self, values: NDArray) -> Made:
        check_no_mask(f"{self.name}: values", values)
        array = np.ascontiguousarray(values)
        return Made(array.shape, self._check_dtype(array.dtype), array)

    def _convert(self, dtype: np.dtype) -> None:
        """Convert every array to `dtype`."""
        kinds = (self.params, self._made_params), (self.grads, {}), (self.state, self._made_state)
        for arrays, all_made in kinds:
            for key, array in arrays.items():
                arrays[key] = np.array(array, dtype, order="C")
                if key in all_made:
                    all_made[key] = Made(all_made[key].shape, dtype, arrays[key])

    def _check_again(self, key: str, arrays: dict[str, NDArray], made: Made) -> Made:
        """Check an array that is not the one that was found right last."""
        if key not in arrays:
            raise ValueError(f"{self.name}: {key} is missing, wanted an array of shape {made.shape}")
        return made._replace(array=self._check_like(arrays[key], made, key))

    def _check_like(self, array: object, made: Made, what: str) -> NDArray:
        if not isinstance(array, np.ndarray):
            raise TypeError(f"{self.name}: {what} is of type {type(array).__name__}, wanted a NumPy array")
        check_no_mask(f"{self.name}: {what}", array)
        if array.dtype != made.dtype:
            raise TypeError(f"{self.name}: {what} has dtype {array.dtype}, wanted {made.dtype}, the dtype of the layer")
        if array.shape != made.shape:
            raise ValueError(f"{self.name}: {what} has shape {array.shape}, wanted {made.shape}")
        return array

    def _check_dtype(self, dtype: np.dtype) -> np.dtype:
        if dtype not in FLOATS:
            raise TypeError(f"{self.name}: dtype was {dtype}, wanted float32 or float64")
        return dtype


class _SameMemory:
    """The memory of an array, for NumPy to make another array of."""

    def __init__(self, x: NDArray) -> None:
        self.x = x  # keeps the memory
        facts = x.__array_interface__
        self.__array_interface__ = {**facts, "data": (facts["data"][0], False)}  # False: it may be written to


def for_kernels(x: NDArray) -> NDArray:
    """Return `x` as kernels take it: C-contiguous, and not marked read-only; most often that is `x` itself.

    Numba has different types for arrays that may be written to and for those that may not, and would compile a kernel
    anew. What comes back may share the memory of a read-only `x`: never write to it.

    Examples
    --------
    >>> x = np.zeros(3)
    >>> x.setflags(write=False)
    >>> for_kernels(x).flags.writeable, np.shares_memory(for_kernels(x), x), x.flags.writeable
    (True, True, False)
    """
    if type(x) is not np.ndarray or not x.flags.c_contiguous:
        x = np.asarray(x, order="C")
    if x.flags.writeable:
        return x
    twin = x.view()
    try:
        twin.setflags(write=True)  # NumPy lets it, if x is a view of an array that can be written to
    except ValueError:
        return np.asarray(_SameMemory(x))
    return twin
