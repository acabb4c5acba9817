"""Several heads on one input, such as the policy and the value of an agent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from minicoord.nn.composites.base import Composite, config_of
from minicoord.nn.layers.base import Layer, Shape
from minicoord.system.arguments import shown


class Branches(Composite):
    """Heads that all take the same input; the output is a dict, ``{name: head(x)}``.

    No layer takes a dict, so Branches stands last: as the whole model, at the end of a `Sequential`, or as a head of
    other Branches, whose output is then a dict within the dict.

    Parameters
    ----------
    **heads : Layer
        At least one. The names become part of the flat names of arrays, so they must be possible names of variables.

    Attributes
    ----------
    heads : dict of str to Layer
        In the order given.
    params, grads, state : dict of str to ndarray
        By flat name, such as ``"policy.0.w"``.

    Raises
    ------
    TypeError
        If a head is not a Layer.
    ValueError
        If there are no heads, a name could not be a variable's, or the same layer comes twice.

    Examples
    --------
    >>> from minicoord import Conv2D, Dense, Flatten, Sequential
    >>> heads = Branches(policy=Dense(80, 4, rng=0), value=Dense(80, 1, rng=1))
    >>> agent = Sequential([Conv2D(3, 5, 3, activation="relu", rng=2), Flatten(), heads])
    >>> y = agent.forward(np.ones((2, 4, 4, 3), np.float32))
    >>> {name: array.shape for name, array in y.items()}
    {'policy': (2, 4), 'value': (2, 1)}
    >>> agent.backward({"policy": np.ones_like(y["policy"])}).shape  # the value has no part in this loss
    (2, 4, 4, 3)
    >>> list(agent.params)
    ['0.w', '0.b', '2.policy.w', '2.policy.b', '2.value.w', '2.value.b']
    """

    gives_dict = True

    def __init__(self, /, **heads: Layer) -> None:
        self.heads = heads
        if not heads:
            raise ValueError(f"{self.name}: there are no heads, wanted at least one")
        for name in heads:
            if not name.isidentifier():
                raise ValueError(f"{self.name}: a head is called {shown(name)}, wanted a name such as 'policy'")
        super().__init__()

    def parts(self) -> list[tuple[str, Layer]]:
        """Return the heads."""
        return list(self.heads.items())

    def _run(self, x: NDArray, training: bool, prefix: str) -> dict[str, Any]:
        self._prefix = prefix
        y = {name: self._forward_part(name, head, x, training) for name, head in self.heads.items()}
        self._saved = x.shape, x.dtype
        return y

    def backward(self, dy: Mapping[str, Any], need_dx: bool = True) -> NDArray | None:
        """Put the gradient of the loss with respect to every parameter into `grads`, and return that of the input.

        Parameters
        ----------
        dy : dict of str to ndarray
            For each head the gradient of the loss with respect to its output. A head that is missing, or has None, has
            no part in the loss: its gradients become zero.
        need_dx : bool
            False saves the work for the gradient with respect to the input.

        Returns
        -------
        ndarray or None
            dx, the gradients of all heads added up in the order of `heads`; None if it was not needed.

        Raises
        ------
        RuntimeError
            If there was no `forward` before.
        TypeError, ValueError
            If `dy` is not a dict or has a name that is not a head's; if a gradient has the wrong dtype or shape.
        """
        if self._saved is None:
            raise RuntimeError(f"{self.name}: backward was called before forward, and needs what forward computes")
        if not isinstance(dy, Mapping):
            wanted = f"a dict of gradients by head ({', '.join(self.heads)})"
            raise TypeError(f"{self.name}: dy is of type {type(dy).__name__}, wanted {wanted}")
        unknown = [repr(name) for name in dy if name not in self.heads]
        if unknown:
            wanted = f"names of heads: {', '.join(self.heads)}"
            raise ValueError(f"{self.name}: dy has a gradient of {', '.join(unknown)}, wanted {wanted}")
        total = None
        for name, head in self.heads.items():
            if dy.get(name) is None:
                _set_to_zero(head)
                continue
            dx = self._backward_part(name, head, dy[name], need_dx)  # the shape of x
            total = dx if total is None else total + dx
        if need_dx and total is None:
            total = np.zeros(*self._saved)
        return total

    def input_shapes(self, input_shape: Shape) -> list[Shape]:
        """Return the input's shape for each head."""
        return [input_shape for _ in self.heads]

    def output_shape(self, input_shape: Shape) -> dict[str, Any]:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Return the shape of each head's output for an input of `input_shape`; all include the batch axis N."""
        return {name: head.output_shape(input_shape) for name, head in self.heads.items()}

    def config(self) -> dict[str, Any]:
        """Return name and constructor arguments of each head, fit for JSON."""
        return {"heads": {name: config_of(head) for name, head in self.heads.items()}}

    def __repr__(self) -> str:
        return f"{self.name}({', '.join(f'{name}={head!r}' for name, head in self.heads.items())})"


def _set_to_zero(head: Layer) -> None:
    """Replace the gradients that the last backward pass left."""
    for gradient in head.grads.values():
        gradient.fill(0)
