"""What layers made of layers have in common: the arrays of all parts under flat names, and one door for each direction.

The arrays stay with the layers that own them. A composite shows them under the path to their layer: ``"3.body.0.w"`` is
the ``w`` of layer 0 in the body of part 3.
"""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

import numpy as np
from numpy.typing import DTypeLike, NDArray

from minicoord.nn.composites.flat_arrays import FlatArrays
from minicoord.nn.composites.place import Place
from minicoord.nn.layers.base import Layer, Shape
from minicoord.nn.summary import Printed, summary_table
from minicoord.system.arguments import MOST_AXES, shown
from minicoord.system.arrays import check_no_mask

# Constructor arguments that do not change what a layer computes once the weights are there.
_NOT_ARCHITECTURE = ("init", "rng", "seed", "dtype")

Self = TypeVar("Self", bound="Composite")


class Composite(Layer):
    """The base class of layers made of layers, which are its *parts*. From outside it is one layer.

    A subclass stores its parts and then calls this class's ``__init__``. It writes `parts`, `_run`, `backward`,
    `input_shapes`, `output_shape` and `config`; `_forward_part` and `_backward_part` run a part for it.

    Attributes
    ----------
    params, grads, state : dict of str to ndarray
        The arrays of all parts, not copies, by flat name.
    gives_dict : bool
        True if the output is a dict, one entry for each head, rather than an array.
    transparent : bool
        True if the names of the parts say all there is to say, so that `walk` and `trace` leave the composite out.
    debug : bool
        If True, every layer's output, and in the backward pass every gradient, is checked for non-finite values.

    Raises
    ------
    TypeError
        If a part is not a Layer.
    ValueError
        If the same layer comes twice: a layer keeps what its backward pass needs, so it can stand in one place only.
    """

    can_skip_dx = True
    gives_dict: bool = False
    transparent: bool = False
    debug: bool = False

    def __init__(self) -> None:
        # Not Layer.__init__, which would make dicts of arrays: here the parts own the arrays.
        self._saved = None
        self._prefix = ""  # the path to this composite in the model that ran it last
        self._debug_outside = False  # whether that model checks every layer
        for name, part in self.parts():
            if not isinstance(part, Layer):
                raise TypeError(f"{self.name}: layer {name} is of type {type(part).__name__}, wanted a Layer")
        leaves = [id(layer) for _, layer in self.leaves()]
        if len(set(leaves)) < len(leaves):
            raise ValueError(f"{self.name}: the same layer comes twice; make one for each place")

    def parts(self) -> Iterable[tuple[str, Layer]]:
        """Yield the name of each part, without a path, and the part."""
        raise NotImplementedError(f"{self.name} has no parts")

    def input_shapes(self, input_shape: Shape) -> list[Shape]:
        """Return the shape of what goes into each part, for an input of `input_shape`."""
        raise NotImplementedError(f"{self.name} has no input_shapes")

    def forward(self, x: NDArray, training: bool = False) -> Any:
        """Return the output.

        Parameters
        ----------
        x : ndarray, shape (N, ...)
            The input, in the dtype of the layers.
        training : bool
            True while training: batch normalisation then takes the statistics of the batch.

        Returns
        -------
        ndarray, shape (N, ...), or dict
            The output; of a composite that ends in `Branches`, a dict with the output of each head. As that of every
            layer it is read-only: see ``Layer.forward``.

        Raises
        ------
        ValueError
            If `x` does not fit the first layer, or has a NaN or an infinity in it; with ``debug=True`` also if the
            output of a layer has.
        TypeError
            If `x` has another dtype than the layers.
        TypeError, ValueError
            If an array was put into the ``params`` or ``state`` of a layer that does not fit; see ``check_arrays``.
        """
        _check_finite(x, f"{self.name}: x")
        self._debug_outside = False
        return self._run(x, training, "")

    def _run(self, x: NDArray, training: bool, prefix: str) -> Any:
        """`forward` for an input that was checked; `prefix`, such as ``"3."``, is the path to keep in `_prefix`."""
        raise NotImplementedError(f"{self.name} has no _run")

    @property
    def _checks(self) -> bool:
        return self.debug or self._debug_outside

    def _forward_part(self, name: str, part: Layer, x: NDArray, training: bool) -> Any:
        """Return the output of a part."""
        if isinstance(part, Composite):
            part._debug_outside = self._checks
            y = part._run(x, training, f"{self._prefix}{name}.")
        else:
            y = part.forward(x, training)
        self._check_output(name, part, y)
        return y

    def _check_output(self, name: str, part: Layer, y: Any) -> None:
        if self._checks:
            _check_finite(y, f"{self.name}: the output of layer {self._prefix}{name} ({part.name})")

    def _backward_part(self, name: str, part: Layer, dy: Any, need_dx: bool) -> NDArray | None:
        """Return dx of a part, or None if it is not needed; a part without parameters then has nothing to do."""
        if need_dx:
            dx = part.backward(dy)
        elif not part.params:
            return None
        elif part.can_skip_dx:
            dx = part.backward(dy, need_dx=False)  # pyright: ignore[reportCallIssue]
        else:
            part.backward(dy)
            dx = None
        if self._checks:
            place = f"layer {self._prefix}{name} ({part.name})"
            for key, gradient in {} if isinstance(part, Composite) else part.grads.items():
                _check_finite(gradient, f"{self.name}: the gradient of {key} in {place}")
            _check_finite(dx, f"{self.name}: the gradient that leaves {place}")
        return dx

    def walk(self, prefix: str = "") -> Iterator[tuple[str, Layer]]:
        """Yield the path and the layer for everything inside, a composite before its parts."""
        for name, part in self.parts():
            if not isinstance(part, Composite):
                yield f"{prefix}{name}", part
                continue
            if not part.transparent:
                yield f"{prefix}{name}", part
            yield from part.walk(f"{prefix}{name}.")

    def leaves(self, prefix: str = "") -> Iterator[tuple[str, Layer]]:
        """Yield the path, such as ``"0"`` or ``"3.body.0"``, and the layer, for each layer that is not a composite."""
        return ((name, layer) for name, layer in self.walk(prefix) if not isinstance(layer, Composite))

    def trace(self, input_shape: Shape, prefix: str = "") -> Iterator[Place]:
        """Yield the places of what `walk` yields, for an input of `input_shape`."""
        for (name, part), shape in zip(self.parts(), self.input_shapes(input_shape), strict=True):
            inside = isinstance(part, Composite)
            if not (inside and part.transparent):
                yield Place(f"{prefix}{name}", part, shape, part.output_shape(shape), inside)
            if inside:
                yield from part.trace(shape, f"{prefix}{name}.")

    def output_shapes(self, input_shape: Shape) -> list[Shape]:
        """Return the shape of the output of each layer in `leaves`, batch axis included."""
        return [place.output_shape for place in self.trace(input_shape) if not place.composite]

    def check_arrays(self) -> None:
        """Do nothing: each part checks its own arrays."""

    def _flat(self, kind: str) -> FlatArrays:
        if kind != "grads":
            for _, layer in self.leaves():
                layer.check_arrays()  # so that nothing is saved, loaded or trained that does not fit
        arrays = {f"{k}.{key}": array for k, layer in self.leaves() for key, array in getattr(layer, kind).items()}
        return FlatArrays(arrays)

    @property
    def dtype(self) -> np.dtype | None:
        """The dtype of the first layer that has one."""
        return next((layer.dtype for _, layer in self.leaves() if layer.dtype is not None), None)

    @property
    def params(self) -> FlatArrays:  # pyright: ignore[reportIncompatibleVariableOverride]
        """The trained arrays of all layers, by flat name."""
        return self._flat("params")

    @property
    def grads(self) -> FlatArrays:  # pyright: ignore[reportIncompatibleVariableOverride]
        """The gradients, under the same names as `params`."""
        return self._flat("grads")

    @property
    def state(self) -> FlatArrays:  # pyright: ignore[reportIncompatibleVariableOverride]
        """The arrays that are saved but not trained, by flat name."""
        return self._flat("state")

    @property
    def l2_params(self) -> tuple[str, ...]:  # pyright: ignore[reportIncompatibleVariableOverride]
        """The flat names of the parameters that an L2 penalty applies to."""
        return tuple(f"{k}.{key}" for k, layer in self.leaves() for key in layer.l2_params)

    @property
    def uses_batch_statistics(self) -> bool:  # pyright: ignore[reportIncompatibleVariableOverride]
        """True if a layer does, such as batch normalisation."""
        return any(layer.uses_batch_statistics for _, layer in self.leaves())

    def astype(self: Self, dtype: DTypeLike) -> Self:
        """Convert every layer to float32 or float64, in place, and return the model."""
        for _, part in self.parts():
            part.astype(dtype)
        self._saved = None
        return self

    def architecture(self) -> dict[str, Any]:
        """Return what fixes the function that the model computes, apart from the values of its arrays.

        Returns
        -------
        dict
            ``layers`` maps the name of each layer to its class and constructor arguments in one string, ``arrays`` the
            flat name of each parameter and state array to its shape. How the weights were drawn, and the dtype, are
            left out.
        """
        layers = {} if self.transparent else {"(model)": f"{self.name}()"}
        for name, layer in self.walk():
            given = {} if isinstance(layer, Composite) else layer.config()
            arguments = [f"{key}={value!r}" for key, value in given.items() if key not in _NOT_ARCHITECTURE]
            layers[name] = f"{layer.name}({', '.join(arguments)})"
        arrays = {key: list(array.shape) for key, array in (*self.params.items(), *self.state.items())}
        return {"layers": layers, "arrays": arrays}

    def fingerprint(self) -> str:
        """Return 64 hexadecimal digits (SHA-256) that two models share if they have the same `architecture`."""
        return hashlib.sha256(json.dumps(self.architecture(), sort_keys=True).encode()).hexdigest()

    def summary(self, input_shape: Iterable[int | None]) -> str:
        """Print a table of layers, output shapes and parameters, and return it.

        Parameters
        ----------
        input_shape : sequence of int
            The shape of one sample, such as ``(64, 64, 3)``; the shape of a batch, ``(16, 64, 64, 3)`` or
            ``(None, 64, 64, 3)``, serves too where the layers show that it is one. In the table the batch axis is N.

        Raises
        ------
        TypeError
            If it is no sequence of numbers.
        ValueError
            If the shape does not fit the model.
        """
        try:
            if isinstance(input_shape, (str, bytes, bytearray, memoryview)):
                raise TypeError
            shape = tuple(itertools.islice(input_shape, MOST_AXES + 1))  # an iterator may have no end
        except Exception:  # text, no iterable, an array without axes, and whatever the class of a value does
            wanted = "wanted a shape such as (64, 64, 3)"
            raise TypeError(f"summary: input_shape was {shown(input_shape)}, {wanted}") from None
        text = summary_table(self, shape)
        print(text)
        return Printed(text)


def config_of(layer: Layer) -> dict[str, Any]:
    """Return the name and the constructor arguments of a part, fit for JSON."""
    return {"name": layer.name, **layer.config()}


def _check_finite(x: object, what: str) -> None:
    check_no_mask(what, x)
    if not isinstance(x, np.ndarray) or x.dtype.kind != "f":
        return
    with np.errstate(over="ignore", invalid="ignore"):
        is_finite = np.isfinite(x.sum())  # one number that is not finite makes the sum so; large ones may, too
    if not is_finite and not np.isfinite(x).all():
        bad = int(x.size - np.isfinite(x).sum())
        raise ValueError(f"{what} has {bad} non-finite value{'s' if bad > 1 else ''} (NaN or infinity) of {x.size}")
