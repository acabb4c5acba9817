"""Prints, as JSON, a SHA-256 of what every kernel and layer computes, and of trained weights, for `test_threads.py`.

Kernels and layers are discovered; their examples are in ``kernel_examples.py`` and ``layer_examples.py``.
"""

from __future__ import annotations

import hashlib
import json
import sys
from functools import partial
from typing import Any

import discovery
import numpy as np
from kernel_examples import EXAMPLES as KERNELS, Draw, results, run_kernel
from layer_examples import EXAMPLES as LAYERS, cases, fill, larger

from minicoord import Adam, fit, softmax_cross_entropy
from minicoord.experiments.classification.painters import coordconv_painter, deconv_painter
from minicoord.kernels.backend.threading_layer import get_threads
from minicoord.nn.composites.outputs import arrays_of, map_arrays

RNG = np.random.default_rng(0)


def draw(*shape: int) -> np.ndarray:
    return RNG.standard_normal(shape).astype(np.float32)


def sha(results: Any) -> str:
    """Of the bytes of arrays and floats, alone or in tuples and lists; None counts as nothing."""
    digest = hashlib.sha256()

    def add(result: Any) -> None:
        if isinstance(result, (tuple, list)):
            for part in result:
                add(part)
        elif result is not None:
            digest.update(np.ascontiguousarray(result).tobytes())

    add(results)
    return digest.hexdigest()


def kernels() -> dict[str, str]:
    """Of every kernel and example: the result, and the arrays among its arguments, which some kernels change."""
    found, large = {}, Draw(np.float32, large=True)
    for functions in discovery.operations().values():
        for name in functions:
            for k, arguments in enumerate(KERNELS[name](large)):
                found[f"{name} {k}"] = sha(results(partial(run_kernel, name), arguments))
    return found


def layers() -> dict[str, str]:
    """Of every layer and example: output, dx, gradients and state after a training pass."""
    assert discovery.layer_faults(LAYERS) == []
    found = {}
    for name, make, shape in cases():
        layer = make()
        fill(layer, seed=len(found))
        y = layer.forward(draw(*larger(layer, shape)), training=True)
        dx = layer.backward(map_arrays(lambda array: draw(*array.shape), y))
        arrays = [*arrays_of(y), dx, *layer.grads.values(), *layer.state.values()]
        found[f"layer {name}"] = sha(arrays)
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
    json.dump({"threads": get_threads(), **kernels(), **layers(), **trained()}, sys.stdout)
