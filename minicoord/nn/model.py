"""A model: layers one after the other, seen from outside as one layer.

The forward pass goes through the layers from first to last, the backward pass from last to first: that is the chain
rule. What it shares with other layers made of layers, such as the flat names of its arrays, is in `composites.base`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from minicoord.nn.composites.base import Composite, config_of
from minicoord.nn.layers.base import Layer, Shape
from minicoord.nn.layers.chain import ChainOfLayers, chain_from
from minicoord.system.arguments import check_flag


class Sequential(Composite):
    """Layers that run one after the other.

    1x1 convolutions in a row run together, each tile of pixels through all of them while it is in the cache:
    ``nn/layers/chain.py`` says which layers can, `minicoord.kernels.pointwise` how.

    Parameters
    ----------
    layers : iterable of Layer
        At least one. A layer keeps what its backward pass needs, so the same one cannot stand in two places. Another
        Sequential is a layer too, and so are `Residual` and, at the end, `Branches`.
    debug : bool
        If True, every layer's output, and in the backward pass every gradient, is checked for non-finite values, inside
        nested models too; the error names the layer. The results have the same bits as without.

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
        If there are no layers, one comes twice, or one before the last gives a dict, as `Branches` does.

    Examples
    --------
    >>> import numpy as np
    >>> from minicoord import Dense, ReLU, Sequential
    >>> rng = np.random.default_rng(0)
    >>> model = Sequential([Dense(2, 8, rng=rng), ReLU(), Dense(8, 1, rng=rng)])
    >>> model.n_params, sorted(model.params)
    (33, ['0.b', '0.w', '2.b', '2.w'])
    >>> model.forward(np.zeros((5, 2), dtype=np.float32)).shape
    (5, 1)
    """

    transparent = True

    def __init__(self, layers: Iterable[Layer], debug: bool = False) -> None:
        if isinstance(layers, (Layer, np.ndarray, str, bytes, memoryview)) or not isinstance(layers, Iterable):
            raise TypeError(f"Sequential: layers is of type {type(layers).__name__}, wanted a list of layers")
        self.layers = list(layers)
        self.debug = check_flag("Sequential: debug", debug)
        self._steps: list[tuple[int, Layer | ChainOfLayers]] = []  # of the last forward pass, each with its first layer
        if not self.layers:
            raise ValueError("Sequential: there are no layers, wanted at least one")
        super().__init__()
        for k, layer in enumerate(self.layers[:-1]):
            if isinstance(layer, Composite) and layer.gives_dict:
                where = f"layer {k} ({layer.name})"
                raise ValueError(f"Sequential: the output of {where} is a dict of heads, so it must be the last layer")

    @property
    def gives_dict(self) -> bool:  # pyright: ignore[reportIncompatibleVariableOverride]
        """True if the last layer gives a dict, as `Branches` does."""
        last = self.layers[-1]
        return isinstance(last, Composite) and last.gives_dict

    def parts(self) -> list[tuple[str, Layer]]:
        """Return the layers, named by their index."""
        return [(str(k), layer) for k, layer in enumerate(self.layers)]

    def __getstate__(self) -> dict[str, Any]:
        return {**super().__getstate__(), "_steps": []}

    def _run(self, x: NDArray, training: bool, prefix: str) -> Any:
        self._prefix = prefix
        # Until the pass is complete there are no steps: after an error, `backward` goes from layer to layer.
        self._steps, steps, k = [], [], 0
        while k < len(self.layers):
            chain = chain_from(self.layers, k, x)
            if len(chain) > 1:
                step = ChainOfLayers(chain)
                x = step.forward(x, training)
                for i, (layer, y) in enumerate(zip(chain, step.outputs, strict=True), start=k):
                    self._check_output(str(i), layer, y)
            else:
                step = self.layers[k]
                x = self._forward_part(str(k), step, x, training)
            steps.append((k, step))
            k += max(len(chain), 1)
        self._steps = steps
        return x

    def backward(self, dy: Any, need_dx: bool = True) -> NDArray | None:
        """Put the gradient of the loss with respect to every parameter into `grads`, and return that of the input.

        Parameters
        ----------
        dy : ndarray, or dict of str to ndarray
            The gradient of the loss with respect to the output of the last `forward`: of its shape and dtype, or a dict
            as `Branches` takes it.
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
            if isinstance(step, ChainOfLayers):
                if self._checks:
                    self._check_chain(k, step, dy, need_dx or k > first)
                dy = step.backward(dy, need_dx or k > first)
            else:
                dy = self._backward_part(str(k), step, dy, need_dx or k > first)
        return dy

    def _check_chain(self, first: int, chain: ChainOfLayers, dy: NDArray, need_dx: bool) -> None:
        """Take `dy` back layer by layer: a chain does not show the gradients between its layers."""
        for k, layer in reversed(list(enumerate(chain.layers, start=first))):
            dx = self._backward_part(str(k), layer, dy, need_dx or k > first)
            if dx is not None:
                dy = dx

    def input_shapes(self, input_shape: Shape) -> list[Shape]:
        """Return the shape of what goes into each layer, for an input of `input_shape`."""
        shapes = [self.check_input_shape(input_shape)]
        for layer in self.layers[:-1]:
            shapes.append(layer.output_shape(shapes[-1]))
        return shapes

    def output_shape(self, input_shape: Shape) -> Any:
        """Return the shape of the output for an input of `input_shape`; both include the batch axis N.

        Of a model that ends in `Branches`, a dict with the shape of each head's output.
        """
        return self.layers[-1].output_shape(self.input_shapes(input_shape)[-1])

    def config(self) -> dict[str, Any]:
        """Return the name and the constructor arguments of every layer, fit for JSON."""
        return {"layers": [config_of(layer) for layer in self.layers]}

    def __repr__(self) -> str:
        return f"Sequential([{', '.join(map(repr, self.layers))}])"
