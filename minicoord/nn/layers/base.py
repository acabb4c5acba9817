"""What every layer has in common: parameters, their gradients, and the checks of its inputs, forward and backward.

A layer computes ``y = f(x, params)`` in `forward`. In `backward` it turns ``dy``, the gradient of the loss with respect
to ``y``, into the gradient with respect to ``x`` (returned) and to each parameter (left in ``grads``).

Between the two a layer keeps arrays, and its own output is often one of them: the gradient of a sigmoid is
``dy * y * (1 - y)``. So what `forward` returns is a read-only view of the array that the layer keeps.
"""

from __future__ import annotations

from collections.abc import Sequence
from operator import index
from typing import Any, TypeGuard

import numpy as np
from numpy.typing import DTypeLike, NDArray

from minicoord.kernels.backend.checks import check_array
from minicoord.nn.layers.arrays import LayerArrays, Shape, for_kernels
from minicoord.system.arguments import check_shape_given, is_whole, shown
from minicoord.system.arrays import check_float_type

Wanted = Sequence[int | str]


class Layer(LayerArrays):
    """The base class of all layers.

    A subclass writes `forward`, `backward`, `output_shape` and `config`; it makes its parameters with `add_param`,
    and uses `check_input` and `remember` in `forward`, `recall` and `set_grads` in `backward`.

    Attributes
    ----------
    params : dict of str to ndarray
        The trained arrays, such as ``w`` and ``b``, all of the layer's dtype. Another array may be assigned to a name,
        such as one that two layers share; `forward` and `backward` raise if its shape or dtype is not the old one's.
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
        super().__init__()
        self._saved: tuple[Any, ...] | None = None
        self._accepted: tuple[Shape, np.dtype] | None = None
        self._y_shape: Shape = ()
        self._y_dtype: np.dtype | None = None

    def forward(self, x: NDArray, training: bool = False) -> NDArray:
        """Return the layer's output for `x`, and keep what `backward` needs.

        Parameters
        ----------
        x : ndarray
            The input. The layer may keep it for `backward`, so leave it as it is until then.
        training : bool
            True selects the statistics of the batch, in layers that use them.

        Returns
        -------
        ndarray
            The output. It is read-only, because the layer keeps it too, and an edit would make the gradients wrong:
            to write to it, as in ``y -= target``, raises NumPy's ``ValueError: output array is read-only`` (or, for
            ``y[0] = 1``, ``assignment destination is read-only``). Write ``y = y - target``, or edit ``y.copy()``.

        Examples
        --------
        >>> from minicoord import Sigmoid
        >>> y = Sigmoid().forward(np.zeros(3))
        >>> y -= 1
        Traceback (most recent call last):
        ValueError: output array is read-only
        >>> y - 1
        array([-0.5, -0.5, -0.5])
        """
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

    def astype(self, dtype: DTypeLike) -> Layer:
        """Convert parameters, gradients and state to float32 or float64, forget the last `forward`, return the layer.

        Raises
        ------
        TypeError
            If `dtype` is neither float32 nor float64.
        """
        wanted = check_float_type(self.name, dtype)
        self._convert(wanted)
        self._saved = self._accepted = None
        return self

    def __getstate__(self) -> dict[str, Any]:
        """Leave what `forward` kept for `backward` out of copies and pickles: it is far larger than the parameters."""
        return {**self.__dict__, "_saved": None}

    def __repr__(self) -> str:
        arguments = ", ".join(f"{key}={value!r}" for key, value in self.config().items())
        return f"{self.name}({arguments})"

    def check_input(self, x: object, wanted: Wanted | None = None) -> NDArray:
        """Return `x` as a C-contiguous array after checking its type, dtype and shape, and the arrays of the layer.

        What comes back can be written to, although the output of another layer cannot: kernels are compiled for such
        arrays. Never do so: it is the array that the other layer keeps.

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
        TypeError, ValueError
            As `check_arrays`.
        """
        self.check_arrays()
        if self.knows(x):
            return x if x.flags.writeable else for_kernels(x)
        array = check_array(x, f"{self.name}: x")
        if self.dtype is not None and array.dtype != self.dtype:
            raise TypeError(f"{self.name}: x has dtype {array.dtype}, wanted {self.dtype}, the dtype of the layer")
        if wanted is not None:
            self.check_shape(array.shape, wanted)
        self._accepted = array.shape, array.dtype
        return for_kernels(array)

    def knows(self, x: object) -> TypeGuard[NDArray]:
        """Whether `x` is a contiguous array of the shape and dtype that `check_input` accepted last."""
        return type(x) is np.ndarray and (x.shape, x.dtype) == self._accepted and x.flags.c_contiguous

    def check_shape(self, shape: Shape, wanted: Wanted) -> None:
        """Raise ValueError if an input of `shape` does not fit `wanted`; see `check_input`. TypeError if it is none."""
        shape = self.check_input_shape(shape)
        fixed_axes_fit = all(isinstance(want, str) or want == given for given, want in zip(shape, wanted, strict=False))
        if len(shape) != len(wanted) or not fixed_axes_fit:
            raise ValueError(f"{self.name}: x has shape {shown(shape)}, wanted {_in_words(wanted)}")

    def check_activation(self, value: object) -> bool:
        """Return whether the constructor argument ``activation`` asks for ReLU.

        Raises
        ------
        ValueError
            If it is neither "relu" nor None.
        """
        if value is None:
            return False
        if not isinstance(value, str) or value != "relu":
            raise ValueError(f"{self.name}: activation was {shown(value)}, it must be None or 'relu'")
        return True

    def check_input_shape(self, shape: object) -> Shape:
        """Return the argument of `output_shape` as a tuple of int.

        Raises
        ------
        TypeError, ValueError
            If it is not a shape.
        """
        return check_shape_given(f"{self.name}: input_shape", shape)

    def remember(self, y: NDArray, *saved: Any) -> NDArray:
        """Keep `saved` for `backward`, and the shape and dtype of `y` that ``dy`` must have; return a view of `y`.

        The view is read-only, so that `y`, which is often among what is saved, stays what it is.
        """
        self._saved = saved
        self._y_shape, self._y_dtype = y.shape, y.dtype
        shown = y.view()
        shown.setflags(write=False)
        return shown

    def recall(self, dy: object) -> tuple[Any, ...]:
        """Return ``(dy, *saved)`` for `backward`, with `dy` checked against the output of the last `forward`.

        Raises
        ------
        RuntimeError
            If `forward` was not called before.
        TypeError, ValueError
            If `dy` differs from the output of `forward` in dtype or shape; also as `check_arrays`.
        """
        self.check_arrays()
        if self._saved is None:
            raise RuntimeError(f"{self.name}: backward was called before forward, and needs what forward computes")
        array = check_array(dy, f"{self.name}: dy")
        if array.dtype != self._y_dtype:
            raise TypeError(f"{self.name}: dy has dtype {array.dtype}, wanted {self._y_dtype}, the dtype of the output")
        if array.shape != self._y_shape:
            raise ValueError(
                f"{self.name}: dy has shape {array.shape}, wanted {self._y_shape}, the shape of the output"
            )
        return (array if array.flags.writeable else for_kernels(array), *self._saved)

    def check_count(self, value: object, key: str) -> int:
        """Return the constructor argument `key` as an int after checking that it is a whole number of at least 1.

        Raises
        ------
        ValueError
            If it is not.
        """
        if not is_whole(value) or value < 1:  # pyright: ignore[reportOperatorIssue]
            raise ValueError(f"{self.name}: {key} was {shown(value)}, it must be a whole number of at least 1")
        return index(value)  # pyright: ignore[reportArgumentType]


def _in_words(wanted: Wanted) -> str:
    """Return ``(N, H, W, 3)`` for ``("N", "H", "W", 3)``."""
    return f"({', '.join(map(str, wanted))}{',' if len(wanted) == 1 else ''})"
