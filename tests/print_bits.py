"""Prints, as JSON, a SHA-256 of every kernel's results and of trained weights; `test_threads.py` runs it."""

from __future__ import annotations

import hashlib
import json
import sys
from typing import Any

import numpy as np

from minicoord import Adam, CoordConv2D, fit, softmax_cross_entropy
from minicoord.experiments.classification.painters import coordconv_painter, deconv_painter
from minicoord.kernels import (
    activations,
    convolution,
    coordinates,
    dense,
    global_pooling,
    losses,
    normalisation,
    pooling,
    softmax,
    transposed,
)
from minicoord.kernels.threading_layer import get_threads

RNG = np.random.default_rng(0)


def draw(*shape: int) -> np.ndarray:
    return RNG.standard_normal(shape).astype(np.float32)


def sha(results: Any) -> str:
    """Of the bytes of arrays and floats, in a tuple or alone; None counts as nothing."""
    digest = hashlib.sha256()
    for result in results if isinstance(results, tuple) else (results,):
        if result is not None:
            digest.update(np.ascontiguousarray(result).tobytes())
    return digest.hexdigest()


def convolutions() -> dict[str, str]:
    found = {}
    for name, kernel, stride, relu in (("3x3 strided", 3, 2, True), ("1x1", 1, 1, True), ("5x5", 5, 1, False)):
        x, w, b = draw(3, 45, 37, 7), draw(kernel, kernel, 7, 33), draw(33)
        y = convolution.conv2d(x, w, b, stride, relu=relu)
        gradients = convolution.conv2d_backward(x, w, draw(*y.shape), stride, y=y if relu else None)
        found |= {f"conv2d {name}": sha(y), f"conv2d_backward {name}": sha(gradients)}
        w = draw(kernel, kernel, 19, 7)
        y = transposed.conv_transpose2d(x, w, draw(19), stride, relu=relu)
        gradients = transposed.conv_transpose2d_backward(x, w, draw(*y.shape), stride, y=y if relu else None)
        found |= {f"conv_transpose2d {name}": sha(y), f"conv_transpose2d_backward {name}": sha(gradients)}
        layer = CoordConv2D(7, 33, kernel, stride, rng=1, activation="relu" if relu else None, with_r=True)
        y = layer.forward(x)
        dx = layer.backward(draw(*y.shape))
        found |= {f"CoordConv2D {name}": sha(y), f"CoordConv2D backward {name}": sha((dx, *layer.grads.values()))}
    return found


def others() -> dict[str, str]:
    x, dy = draw(3, 45, 37, 33), draw(3, 45, 37, 33)
    y, mean, var = normalisation.batch_norm(x, draw(33), draw(33))
    found = {"batch_norm": sha((y, mean, var))}
    found["batch_norm_backward"] = sha(normalisation.batch_norm_backward(dy, x, draw(33), mean, var))
    for padding in ("valid", "same"):
        y, argmax = pooling.max_pool2d(x, 3, 2, padding)
        found[f"max_pool2d {padding}"] = sha((y, argmax))
        found[f"max_pool2d_backward {padding}"] = sha(pooling.max_pool2d_backward(draw(*y.shape), argmax, x.shape))
        y = pooling.avg_pool2d(x, 3, 2, padding)
        found[f"avg_pool2d {padding}"] = sha(y)
        gradient = pooling.avg_pool2d_backward(draw(*y.shape), x.shape, 3, 2, padding)
        found[f"avg_pool2d_backward {padding}"] = sha(gradient)
    found["global pools"] = sha((*global_pooling.global_max_pool(x), global_pooling.global_avg_pool(x)))
    found["coordinates"] = sha((coordinates.add_coords(x, True), coordinates.tile_backward(x)))
    found["activations"] = sha((activations.tanh(x), activations.sigmoid(x), activations.leaky_relu(x)))
    logits, target = draw(5, 64, 64, 1), 1 / (1 + np.exp(-draw(5, 64, 64, 1)))
    found["softmax"] = sha(softmax.softmax_backward(logits, softmax.softmax(logits)))
    found["softmax_cross_entropy"] = sha(softmax.softmax_cross_entropy(logits, np.arange(5)))
    found["sigmoid_cross_entropy"] = sha(losses.sigmoid_cross_entropy(logits, target))
    found["mean_squared_error"] = sha(losses.mean_squared_error(logits, target))
    x, w = draw(301, 260), draw(260, 70)
    found["dense"] = sha(dense.dense(x, w, draw(70)))
    found["dense_backward"] = sha(dense.dense_backward(x, w, draw(301, 70)))
    return found


def trained() -> dict[str, str]:
    found = {}
    for name, model, samples in (("coordconv", coordconv_painter(0), 40), ("deconv", deconv_painter(1, 3, rng=0), 24)):
        x, labels = np.clip(draw(samples, 2), -1, 1), RNG.integers(64 * 64, size=samples)
        settings = {"epochs": 2, "batch_size": 16, "seed": 3, "progress": False}
        history = fit(model, softmax_cross_entropy, Adam(0.01, l2=0.001), x, labels, **settings)
        losses_of_epochs = [row["train_loss"] for row in history.rows]
        found[f"{name} after fit"] = sha((losses_of_epochs, *model.params.values(), *model.state.values()))
    return found


if __name__ == "__main__":
    json.dump({"threads": get_threads(), **convolutions(), **others(), **trained()}, sys.stdout)
