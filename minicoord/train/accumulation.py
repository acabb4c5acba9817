"""The gradient of a batch, whole or accumulated over slices: a few samples at a time go through the whole network.

The loss of a batch of b samples is a mean, so it is the sum over slices of m samples of (m / b) times the loss of the
slice, and so is its gradient. A slice whose activations fit the cache is faster than a batch whose activations go
through memory after every layer. Batch normalisation rules it out: its statistics are those of the whole batch.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from minicoord.nn.composites.outputs import map_arrays
from minicoord.nn.model import Sequential
from minicoord.system.arguments import call_given, check_whole, is_number, shown

Loss = Callable[[Any, Any], tuple[float, Any]]

# Largest activation of a slice, in bytes: small enough for the caches, large enough to keep the calls few (README.md).
# It is a constant rather than a property of the machine, because the slices affect the last bits of the sums.
SLICE_BYTES = 8 * 2**20


def choose_slice_size(
    slice_size: str | int | None, model: Sequential, sample_shape: tuple[int, ...], batch_size: int
) -> int:
    """Return how many samples go through the network at a time.

    Parameters
    ----------
    slice_size : "auto", int or None
        ``"auto"``: as many as keep the largest activation within `SLICE_BYTES`, in slices of nearly equal size; the
        whole batch if a layer uses batch statistics. None: the whole batch. A number: that many, at least 1.
    model : Sequential
        The model, for the shapes of its activations and its dtype.
    sample_shape : tuple of int
        The shape of one sample.
    batch_size : int
        Samples in a batch.

    Returns
    -------
    int
        From 1 to `batch_size`. It depends on shapes and dtype alone.

    Raises
    ------
    ValueError
        If `slice_size` is anything else, or a number below `batch_size` although a layer uses batch statistics.
    """
    if slice_size is None:
        return batch_size
    if not isinstance(slice_size, str):
        check_whole("fit: slice_size", slice_size, 1)
        if model.uses_batch_statistics and slice_size < batch_size:
            raise ValueError(
                f"fit: slice_size was {slice_size}, but a layer of the model needs the statistics of the whole batch"
            )
        return min(int(slice_size), batch_size)
    if slice_size != "auto":  # a str
        raise ValueError(f"fit: slice_size was {shown(slice_size)}, wanted 'auto', a whole number or None")
    if model.uses_batch_statistics:
        return batch_size
    shapes = [(1, *sample_shape), *model.output_shapes((1, *sample_shape))]
    itemsize = np.dtype(model.dtype or np.float32).itemsize
    fitting = max(SLICE_BYTES // (itemsize * max(map(math.prod, shapes))), 1)
    slices = -(-batch_size // fitting)  # rounded up, without a float: a batch may be said to have any number of samples
    return -(-batch_size // slices)


def loss_and_gradient(loss: Loss, prediction: Any, y: Any) -> tuple[float, Any]:
    """Return what a loss returns, after checking that it is a number and a gradient.

    Raises
    ------
    TypeError
        If the loss takes other arguments, or returns something else.
    """
    found = call_given("the loss", loss, "a function of (prediction, target)", prediction, y)
    if not isinstance(found, (tuple, list)) or len(found) != 2 or not is_number(found[0]):
        raise TypeError(f"the loss returned {shown(found)}, wanted (value, gradient)")
    return found[0], found[1]


def batch_gradients(model: Sequential, loss: Loss, x: NDArray, y: Any, slice_size: int) -> float:
    """Compute the gradients of the mean loss of a batch into ``model.grads``, and return that loss.

    The parameters are those of `gradients_in_slices`; a batch no longer than a slice goes through the network at once.
    """
    if len(x) > slice_size:
        return gradients_in_slices(model, loss, x, y, slice_size)
    value, dprediction = loss_and_gradient(loss, model.forward(x, training=True), y)
    model.backward(dprediction, need_dx=False)
    return float(value)


def gradients_in_slices(model: Sequential, loss: Loss, x: NDArray, y: Any, slice_size: int) -> float:
    """Compute the gradients of the mean loss of a batch slice by slice into ``model.grads``, and return that loss.

    Parameters
    ----------
    model : Sequential
        Run forward with ``training=True``, then backward, once per slice. Its parameters are left unchanged.
    loss : callable
        ``loss(prediction, y) -> (value, dprediction)``, a mean over the samples.
    x : ndarray, shape (b, ...)
        The inputs of the batch.
    y : ndarray or sequence, length b
        What the loss compares the predictions with.
    slice_size : int
        Samples per slice; the last slice may be smaller. The gradients are summed in the order of the slices.
    """
    total = 0.0
    gradients = model.grads  # the layers' own arrays, which every backward pass overwrites
    sums: dict[str, NDArray] = {}
    for start in range(0, len(x), slice_size):
        part = slice(start, start + slice_size)
        share = len(x[part]) / len(x)
        value, dprediction = loss_and_gradient(loss, model.forward(x[part], training=True), y[part])
        model.backward(map_arrays(lambda gradient, share=share: gradient * share, dprediction), need_dx=False)
        total += float(value) * share
        for key, gradient in gradients.items():
            if key in sums:
                sums[key] += gradient
            else:
                sums[key] = gradient.copy()
    gradients.update(sums)
    return total
