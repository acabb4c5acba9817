"""A model: layers one after the other, seen from outside as one layer.

The forward pass goes through the layers from first to last, the backward pass from last to first: that is the chain
rule. The arrays stay with their layers; the model shows them under names such as ``"0.w"``, layer 0's ``w``.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from minicoord.nn.layers.base import Layer, Shape
from minicoord.nn.layers.chain import ChainOfLayers, chain_from
from minicoord.nn.summary import Printed, summary_table

# Facts of a layer that do not change what it computes once the weights are there.
_NOT_ARCHITECTURE = ("init", "rng", "seed", "dtype")


class FlatArrays(dict[str, NDArray]):
    """The arrays of all layers under their flat names. To assign to a name writes into the layer's own array.

    A copy, such as ``copy.deepcopy(model.params)`` of weights to keep, is an ordinary dict.
    """

    def __setitem__(self, key: str, values: NDArray) -> None:
        if key not in self:
            raise KeyError(f"the model has no array {key!r}; it has {', '.join(self) or 'none'}")
        array, values = self[key], np.asarray(values)
        if values.shape != array.shape or values.dtype != array.dtype:
            came, wanted = f"{values.shape} {values.dtype}", f"{array.shape} {array.dtype}"
            raise ValueError(f"the values for {key!r} are {came}, wanted {wanted}")
        np.copyto(array, values)

    def update(self, *args: Any, **kwargs: Any) -> None:
        """Assign several arrays: each is written into the layer's own array."""
        for key, values in dict(*args, **kwargs).items():
            self[key] = values

    def __ior__(self, other: Any) -> FlatArrays:  # pyright: ignore[reportIncompatibleMethodOverride]
        self.update(other)
        return self

    def __reduce__(self) -> tuple[type[dict], tuple[dict[str, NDArray]]]:
        return dict, (dict(self),)


class Sequential(Layer):
    """Layers that run one after the other.

    Parameters
    ----------
    layers : iterable of Layer
        At least one. A layer keeps what its backward pass needs, so the same one cannot stand in two places. Another
        Sequential is a layer too.
    debug : bool
        If True, every layer's output, and in the backward pass every gradient, is checked for non-finite values; the
        error names the layer.

    Attributes
    ----------
    layers : list of Layer
        In the order of the forward pass.
    params, grads, state : dict of str to ndarray
        The arrays of all layers, not copies: ``"0.w"`` is ``layers[0].params["w"]``, and ``"1.0.w"`` lies in a
        Sequential within this one.

    Raises
    ------
    TypeError
        If one of `layers` is not a Layer.
    ValueError
        If there is no layer, or one comes twice.

    Examples
    --------
    >>> from minicoord import Dense, ReLU, Sequential
    >>> rng = np.random.default_rng(0)
    >>> model = Sequential([Dense(2, 8, rng=rng), ReLU(), Dense(8, 1, rng=rng)])
    >>> model.n_params, sorted(model.params)
    (33, ['0.b', '0.w', '2.b', '2.w'])
    >>> model.forward(np.zeros((5, 2), dtype=np.float32)).shape
    (5, 1)
    """

    can_skip_dx = True

    def __init__(self, layers: Iterable[Layer], debug: bool = False) -> None:
        # Layer.__init__ would make dicts of its own; here the layers own the arrays.
        if isinstance(layers, Layer) or not isinstance(layers, Iterable):
            raise TypeError(f"Sequential: layers is of type {type(layers).__name__}, wanted a list of layers")
        self.layers = list(layers)
        self.debug = debug
        self._steps: list[tuple[int, Layer | ChainOfLayers]] = []  # of the last forward pass, each with its first layer
        if not self.layers:
            raise ValueError("Sequential: there are no layers, wanted at least one")
        for k, layer in enumerate(self.layers):
            if not isinstance(layer, Layer):
                raise TypeError(f"Sequential: layer {k} is of type {type(layer).__name__}, wanted a Layer")
        leaves = [id(layer) for _, layer in self.leaves()]
        if len(set(leaves)) < len(leaves):
            raise ValueError("Sequential: the same layer comes twice; make one for each place")

    def __getstate__(self) -> dict[str, Any]:
        return {**super().__getstate__(), "_steps": []}

    def forward(self, x: NDArray, training: bool = False) -> NDArray:
        """Return the model's output.

        Parameters
        ----------
        x : ndarray, shape (N, ...)
            The input, in the dtype of the layers.
        training : bool
            True while training: batch normalisation then takes the statistics of the batch.

        Returns
        -------
        ndarray, shape (N, ...)
            The output of the last layer.

        Raises
        ------
        ValueError
            If `x` does not fit the first layer, or has a NaN or an infinity in it; with ``debug=True`` also if the
            output of a layer has.
        TypeError
            If `x` has another dtype than the layers.
        """
        _check_finite(x, "Sequential: x")
        return self._run(x, training, "")

    def _run(self, x: NDArray, training: bool, prefix: str) -> NDArray:
        """`forward` without the check of the input, which a Sequential inside another one does not repeat."""
        self._steps, k = [], 0
        while k < len(self.layers):
            chain = [] if self.debug else chain_from(self.layers, k, x)
            step = ChainOfLayers(chain) if len(chain) > 1 else self.layers[k]
            if isinstance(step, Sequential):
                x = step._run(x, training, f"{prefix}{k}.")
            else:
                x = step.forward(x, training)
            self._steps.append((k, step))
            if self.debug:
                _check_finite(x, f"Sequential: the output of layer {prefix}{k} ({self.layers[k].name})")
            k += max(len(chain), 1)
        return x

    def backward(self, dy: NDArray, need_dx: bool = True) -> NDArray | None:
        """Put the gradient of the loss with respect to every parameter into `grads`, and return that of the input.

        Parameters
        ----------
        dy : ndarray
            The gradient of the loss with respect to the output of the last `forward`; its shape and dtype.
        need_dx : bool
            False saves the work for the gradient with respect to the input, which training has no use for.

        Returns
        -------
        ndarray or None
            dx, the shape of the input; None if it was not needed.

        Raises
        ------
        RuntimeError
            If there was no `forward` before.
        TypeError, ValueError
            If `dy` has the wrong dtype or shape; with ``debug=True`` also if a gradient is not finite.
        """
        first = 0 if need_dx else next((k for k, layer in enumerate(self.layers) if layer.params), len(self.layers))
        for k, step in reversed(self._steps or list(enumerate(self.layers))):
            if k < first:
                return None
            if k == first and not need_dx:
                if step.can_skip_dx:
                    step.backward(dy, need_dx=False)  # pyright: ignore[reportCallIssue]
                else:
                    step.backward(dy)
                return None
            dx = step.backward(dy)
            assert dx is not None  # it was asked for
            dy = dx
            if self.debug:
                _check_finite(dy, f"Sequential: the gradient that leaves layer {k} ({step.name})")
        return dy if need_dx else None

    def output_shape(self, input_shape: Shape) -> Shape:
        """Return the shape of the output for an input of `input_shape`; both include the batch axis N."""
        return self.output_shapes(input_shape)[-1]

    def output_shapes(self, input_shape: Shape) -> list[Shape]:
        """Return the shape of each layer's output, batch axis included; those inside a nested Sequential one by one."""
        shapes, shape = [], tuple(input_shape)
        for _, layer in self.leaves():
            shape = layer.output_shape(shape)
            shapes.append(shape)
        return shapes

    def leaves(self, prefix: str = "") -> Iterator[tuple[str, Layer]]:
        """Yield the name, such as ``"0"`` or ``"1.0"``, and the layer, for each layer that is not a Sequential."""
        for k, layer in enumerate(self.layers):
            if isinstance(layer, Sequential):
                yield from layer.leaves(f"{prefix}{k}.")
            else:
                yield f"{prefix}{k}", layer

    def _flat(self, kind: str) -> FlatArrays:
        arrays = {f"{k}.{key}": array for k, layer in self.leaves() for key, array in getattr(layer, kind).items()}
        return FlatArrays(arrays)

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
        return any(layer.uses_batch_statistics for layer in self.layers)

    def astype(self, dtype: DTypeLike) -> Sequential:
        """Convert every layer to float32 or float64, in place, and return the model."""
        for layer in self.layers:
            layer.astype(dtype)
        return self

    def config(self) -> dict[str, Any]:
        """Return the name and the facts of every layer, fit for JSON."""
        return {"layers": [{"name": layer.name, **layer.config()} for layer in self.layers]}

    def architecture(self) -> dict[str, Any]:
        """Return what fixes the function that the model computes, apart from the values of its arrays.

        Returns
        -------
        dict
            ``layers`` maps the name of each layer to its class and facts in one string, ``arrays`` the flat name of
            each parameter and state array to its shape. How the weights were drawn, and the dtype, are left out.
        """
        layers = {}
        for name, layer in self.leaves():
            facts = [f"{key}={value!r}" for key, value in layer.config().items() if key not in _NOT_ARCHITECTURE]
            layers[name] = f"{layer.name}({', '.join(facts)})"
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
        ValueError
            If the shape does not fit the model.
        """
        text = summary_table(list(self.leaves()), tuple(input_shape))
        print(text)
        return Printed(text)

    def __repr__(self) -> str:
        return f"Sequential([{', '.join(map(repr, self.layers))}])"


def _check_finite(x: object, what: str) -> None:
    if isinstance(x, np.ndarray) and x.dtype.kind == "f" and not np.isfinite(x).all():
        bad = int(x.size - np.isfinite(x).sum())
        raise ValueError(f"{what} has {bad} non-finite value{'s' if bad > 1 else ''} (NaN or infinity) of {x.size}")
