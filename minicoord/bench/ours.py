"""The rows in minicoord, as `fit` runs them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numpy.typing import NDArray

from minicoord.bench.inputs import BETA2, L2, LEARNING_RATE, inputs
from minicoord.bench.rows import Row
from minicoord.nn.losses import mean_squared_error, sigmoid_cross_entropy, softmax_cross_entropy
from minicoord.train.accumulation import batch_gradients, choose_slice_size
from minicoord.train.optim import Adam

LOSSES = {"softmax": softmax_cross_entropy, "sigmoid": sigmoid_cross_entropy, "squares": mean_squared_error}


def sum_over_heads(predictions: dict[str, NDArray], targets: dict[str, NDArray]) -> tuple[float, dict[str, Any]]:
    """Return the sum of the mean squared errors of the heads, and the gradient of each."""
    found = {name: mean_squared_error(predictions[name], target) for name, target in targets.items()}
    return sum(value for value, _ in found.values()), {name: gradient for name, (_, gradient) in found.items()}


def prepare(row: Row, batch: int) -> Callable[[], object]:
    """Return a function that does the work of `row` once, on `batch` samples."""
    x, other = inputs(row, batch)
    model, loss = row.build(), LOSSES[row.loss]
    if row.what == "loss":
        return lambda: loss(x, other)
    if row.what in ("forward", "backward"):
        (layer,) = model.layers  # the layer itself: a model also checks its input for NaN, which PyTorch does not
        if row.what == "forward":
            return lambda: layer.forward(x, training=True)
        layer.forward(x, training=True)
        return lambda: layer.backward(other)
    optimizer = Adam(LEARNING_RATE, beta2=BETA2, l2=L2)
    has_heads = isinstance(other, dict)
    size = batch if has_heads else choose_slice_size("auto", model, x.shape[1:], batch)

    def step() -> None:
        batch_gradients(model, sum_over_heads if has_heads else loss, x, other, size)
        optimizer.step(model)

    return step
