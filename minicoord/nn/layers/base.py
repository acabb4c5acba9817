"""What every layer has in common: parameters, their gradients, and the checks of its inputs, forward and backward.

A layer computes ``y = f(x, params)`` in `forward`. In `backward` it turns ``dy``, the gradient of the loss with respect
to ``y``, into the gradient with respect to ``x`` (returned) and to each parameter (left in ``grads``).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeGuard

import numpy as np
from numpy.typing import DTypeLike, NDArray

from minicoord.kernels.checks import FLOATS, check_array

Shape = tuple[int, ...]
Wanted = Sequence[int | str]


class Layer:
    """The base class of all layers.

    A subclass writes `forward`, `backward`, `output_shape` and `config`; it makes its parameters with `add_param`,
    and uses `check_input` and `remember` in `forward`, `recall` and `set_grads` in `backward`.

    Attributes
    ----------
    params : dict of str to ndarray
        The trained arrays, such as ``w`` and ``b``, all of the layer's dtype.
    grads : dict of str to ndarray
        The gradient of the loss for each parameter: the same keys and shapes. `backward` overwrites these arrays in
        place, so copy one that has to outlive the next call. Zero before the first.
    state : dict of str to ndarray
        Arrays that are saved with the weights but not trained, such as the running mean of batch normalisation.
    l2_params : tuple of str
        The parameters that an L2 penalty applies to: ``("w",)`` for convolution kernels, otherwise none.
    uses_batch_statistics : bool
        True if, in training, the output of one image depends on the other images of the batch.
    can_skip_dx : bool
        True if `backward` takes ``need_dx=False``, for a first layer whose dx is not needed.
    """

    l2_params: tuple[str, ...] = ()
    uses_batch_statistics: bool = False
    can_skip_dx: bool = False

    def __init__(self) -> None:
        self.params: dict[str, NDArray] = {}
        self.grads: dict[str, NDArray] = {}
        self.state: dict[str, NDArray] = {}
        self._saved: tuple[Any, ...] | None = None
        self._accepted: tuple[Shape, np.dtype] | None = None
        self._y_shape: Shape = ()
        self._y_dtype: np.dtype | None = None

    def forward(self, x: NDArray, training: bool = False) -> NDArray:
        """Return the layer's output for `x`, and keep what `backward` needs. `training` selects batch statistics."""
        raise NotImplementedError(f"{self.name} has no forward")

    def backward(self, dy: NDArray) -> NDArray:
        """Return dx, the gradient with respect to the x of `forward`, and put those of the parameters in `grads`."""
        raise NotImplementedError(f"{self.name} has no backward")

    def output_shape(self, input_shape: Shape) -> Shape:
        """Return the shape of the output for an input of `input_shape`; both include the batch axis N."""
        raise NotImplementedError(f"{self.name} has no output_shape")

    def config(self) -> dict[str, Any]:
        """Return the constructor arguments that, with the parameters, determine what the layer computes.

        Every value can be written as JSON.
        """
        return {}

    @property
    def name(self) -> str:
        """The name of the class, as errors and summaries show it."""
        return type(self).__name__

    @property
    def dtype(self) -> np.dtype | None:
        """The dtype of parameters and input; None for a layer without parameters, which takes float32 and float64."""
        return next((array.dtype for array in self.params.values()), None)

    @property
    def n_params(self) -> int:
        """The number of trained parameters."""
        return sum(array.size for array in self.params.values())

    def astype(self, dtype: DTypeLike) -> Layer:
        """Convert parameters, gradients and state to float32 or float64, forget the last `forward`, return the layer.

        Raises
        ------
        TypeError
            If `dtype` is neither float32 nor float64.
        """
        wanted = self._check_dtype(np.dtype(dtype))
        for arrays in (self.params, self.grads, self.state):
            for key, array in arrays.items():
                arrays[key] = array.astype(wanted)
        self._saved = self._accepted = None
        return self

    def __getstate__(self) -> dict[str, Any]:
        """Leave what `forward` kept for `backward` out of copies and pickles: it is far larger than the parameters."""
        return {**self.__dict__, "_saved": None}

    def __repr__(self) -> str:
        arguments = ", ".join(f"{key}={value!r}" for key, value in self.config().items())
        return f"{self.name}({arguments})"

    def add_param(self, key: str, values: NDArray) -> None:
        """Make `values` the parameter `key`, with a gradient of zeros beside it."""
        self._check_dtype(values.dtype)
        self.params[key] = np.ascontiguousarray(values)
        self.grads[key] = np.zeros_like(self.params[key])

    def check_input(self, x: object, wanted: Wanted | None = None) -> NDArray:
        """Return `x` as a C-contiguous array after checking its type, dtype and shape.

        Parameters
        ----------
        x : ndarray of the layer's dtype
            The input of `forward`.
        wanted : sequence of int or str, optional
            One entry per axis: a number for a fixed length, a name for a free one, as in ``("N", "H", "W", 3)``. None
            accepts any shape.

        Raises
        ------
        TypeError
            If `x` is not a NumPy array, or its dtype differs from the layer's. Nothing is cast silently.
        ValueError
            If the shape does not fit `wanted`.
        """
        if self.knows(x):
            return x
        array = check_array(x, f"{self.name}: x")
        if self.dtype is not None and array.dtype != self.dtype:
            raise TypeError(f"{self.name}: x has dtype {array.dtype}, wanted {self.dtype}, the dtype of the layer")
        if wanted is not None:
            self.check_shape(array.shape, wanted)
        self._accepted = array.shape, array.dtype
        return array

    def knows(self, x: object) -> TypeGuard[NDArray]:
        """Whether `x` is a contiguous array of the shape and dtype that `check_input` accepted last."""
        return type(x) is np.ndarray and (x.shape, x.dtype) == self._accepted and x.flags.c_contiguous

    def check_shape(self, shape: Shape, wanted: Wanted) -> None:
        """Raise ValueError if an input of `shape` does not fit `wanted`; see `check_input`."""
        fixed_axes_fit = all(isinstance(want, str) or want == given for given, want in zip(shape, wanted, strict=False))
        if len(shape) != len(wanted) or not fixed_axes_fit:
            raise ValueError(f"{self.name}: x has shape {tuple(shape)}, wanted {_in_words(wanted)}")

    def remember(self, y: NDArray, *saved: Any) -> NDArray:
        """Keep `saved` for `backward`, and the shape and dtype of `y` that ``dy`` must have; return `y`."""
        self._saved = saved
        self._y_shape, self._y_dtype = y.shape, y.dtype
        return y

    def recall(self, dy: object) -> tuple[Any, ...]:
        """Return ``(dy, *saved)`` for `backward`, with `dy` checked against the output of the last `forward`.

        Raises
        ------
        RuntimeError
            If `forward` was not called before.
        TypeError, ValueError
            If `dy` differs from the output of `forward` in dtype or shape.
        """
        if self._saved is None:
            raise RuntimeError(f"{self.name}: backward was called before forward, and needs what forward computes")
        array = check_array(dy, f"{self.name}: dy")
        if array.dtype != self._y_dtype:
            raise TypeError(f"{self.name}: dy has dtype {array.dtype}, wanted {self._y_dtype}, the dtype of the output")
        if array.shape != self._y_shape:
            raise ValueError(
                f"{self.name}: dy has shape {array.shape}, wanted {self._y_shape}, the shape of the output"
            )
        return (array, *self._saved)

    def check_count(self, value: object, key: str) -> int:
        """Return the constructor argument `key` as an int after checking that it is a whole number of at least 1.

        Raises
        ------
        ValueError
            If it is not.
        """
        if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 1:
            raise ValueError(f"{self.name}: {key} was {value!r}, it must be a whole number of at least 1")
        return int(value)

    def set_grads(self, **gradients: NDArray) -> None:
        """Write each gradient into the array of the same name in `grads`, where others may hold a view of it."""
        for key, gradient in gradients.items():
            np.copyto(self.grads[key], gradient)

    def _check_dtype(self, dtype: np.dtype) -> np.dtype:
        if dtype not in FLOATS:
            raise TypeError(f"{self.name}: dtype was {dtype}, wanted float32 or float64")
        return dtype


def _in_words(wanted: Wanted) -> str:
    """Return ``(N, H, W, 3)`` for ``("N", "H", "W", 3)``."""
    return f"({', '.join(map(str, wanted))}{',' if len(wanted) == 1 else ''})"
