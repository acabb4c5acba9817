"""A sum of two paths: the block of a residual network (He et al., 2016)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from minicoord.kernels.backend.memory import empty_like
from minicoord.nn.composites.base import Composite, config_of
from minicoord.nn.layers.base import Layer, Shape


class Residual(Composite):
    """``y = body(x) + shortcut(x)``.

    It may stand wherever a layer may. An activation after the sum is a layer of its own behind the block.

    Parameters
    ----------
    body : Layer
        One layer, or a `Sequential` of several.
    shortcut : Layer or None
        None for the identity, ``y = body(x) + x``. Where `body` changes the shape, a layer that makes the same change,
        such as a 1x1 convolution with the stride of `body`.

    Attributes
    ----------
    params, grads, state : dict of str to ndarray
        By flat name, such as ``"body.0.w"`` and ``"shortcut.w"``.

    Raises
    ------
    TypeError
        If a part is not a Layer.
    ValueError
        If the same layer comes twice, or the output of a part is a dict of heads, which cannot be added; later, if the
        two outputs differ in shape.

    Examples
    --------
    >>> from minicoord import Conv2D, ReLU, Sequential
    >>> body = Sequential([Conv2D(8, 16, 3, stride=2, activation="relu", rng=0), Conv2D(16, 16, 3, rng=1)])
    >>> block = Sequential([Residual(body, shortcut=Conv2D(8, 16, 1, stride=2, rng=2)), ReLU()])
    >>> block.forward(np.ones((5, 12, 12, 8), np.float32)).shape
    (5, 6, 6, 16)
    >>> list(block.params)
    ['0.body.0.w', '0.body.0.b', '0.body.1.w', '0.body.1.b', '0.shortcut.w', '0.shortcut.b']
    """

    def __init__(self, body: Layer, shortcut: Layer | None = None) -> None:
        self.body, self.shortcut = body, shortcut
        super().__init__()
        for name, part in self.parts():
            if isinstance(part, Composite) and part.gives_dict:
                raise ValueError(
                    f"{self.name}: the output of {name} is a dict of heads, wanted one array, which can be added"
                )

    def parts(self) -> list[tuple[str, Layer]]:
        """Return the body, and the shortcut where there is one."""
        return [("body", self.body), *([("shortcut", self.shortcut)] if self.shortcut is not None else [])]

    def _run(self, x: NDArray, training: bool, prefix: str) -> NDArray:
        self._prefix = prefix
        through_body = self._forward_part("body", self.body, x, training)  # (N, ...)
        through_shortcut = (  # the same shape
            x if self.shortcut is None else self._forward_part("shortcut", self.shortcut, x, training)
        )
        self._check_sum(through_body.shape, through_shortcut.shape)
        # Not into one of the two: a layer may have kept it for its backward pass.
        return self.remember(np.add(through_body, through_shortcut, out=empty_like(through_body)))

    def backward(self, dy: NDArray, need_dx: bool = True) -> NDArray | None:
        """Put the gradients into `grads`; return dx, the sum of those of body and shortcut, or None if not needed."""
        (dy,) = self.recall(dy)  # a sum hands its gradient on to both
        through_body = self._backward_part("body", self.body, dy, need_dx)
        through_shortcut = dy if self.shortcut is None else self._backward_part("shortcut", self.shortcut, dy, need_dx)
        if through_body is None or through_shortcut is None:
            return None
        return np.add(through_body, through_shortcut, out=empty_like(through_body))

    def input_shapes(self, input_shape: Shape) -> list[Shape]:
        """Return the input's shape for each part; raise ValueError if the outputs of the two would differ in shape."""
        self.output_shape(input_shape)
        return [input_shape for _ in self.parts()]

    def output_shape(self, input_shape: Shape) -> Shape:
        """Return the shape of the sum for an input of `input_shape`; both include the batch axis N."""
        through_body = self.body.output_shape(input_shape)
        self._check_sum(through_body, input_shape if self.shortcut is None else self.shortcut.output_shape(input_shape))
        return through_body

    def _check_sum(self, through_body: Shape, through_shortcut: Shape) -> None:
        if through_body != through_shortcut:
            other = "x" if self.shortcut is None else "the output of shortcut"
            raise ValueError(
                f"{self.name}: the output of body has shape {through_body} and {other} {through_shortcut}, wanted the "
                "same, because the two are added"
            )

    def config(self) -> dict[str, Any]:
        """Return name and constructor arguments of both parts, fit for JSON."""
        return {"body": config_of(self.body), "shortcut": None if self.shortcut is None else config_of(self.shortcut)}

    def __repr__(self) -> str:
        return f"{self.name}({self.body!r}{'' if self.shortcut is None else f', shortcut={self.shortcut!r}'})"
