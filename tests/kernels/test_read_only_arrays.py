"""Arrays that cannot be written to, or lie in a file, are of one type with all others: nothing is compiled for them."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from discovery import modules_below
from numba.core.dispatcher import Dispatcher
from numpy.typing import NDArray

import minicoord.kernels
from minicoord import CoordConv2D, Dense, Flatten, Sequential
from minicoord.kernels.activations import relu, relu_backward
from minicoord.kernels.convolution import conv2d, conv2d_backward
from minicoord.kernels.pooling import max_pool2d, max_pool2d_backward
from minicoord.kernels.softmax import softmax_cross_entropy
from minicoord.kernels.updates import sgd_update

RNG = np.random.default_rng(0)
X, W, B = RNG.standard_normal((2, 6, 5, 3)), RNG.standard_normal((3, 3, 3, 4)), RNG.standard_normal(4)
Y = RNG.standard_normal((2, 6, 5, 4))
POOLED, ARGMAX = max_pool2d(X, 2)
LABELS = np.array([1, 0])


def compiled() -> int:
    """How many types of arguments the functions of kernels/ are compiled for here, again in each file that has one."""
    functions = [f for module in modules_below(minicoord.kernels).values() for f in vars(module).values()]
    return sum(len(f.signatures) for f in functions if isinstance(f, Dispatcher))


def frozen(x: NDArray) -> NDArray:
    x = x.copy()
    x.setflags(write=False)
    return x


def in_a_file(offset: int) -> Callable[[NDArray], NDArray]:
    def put(x: NDArray) -> NDArray:
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            path = Path(folder) / "numbers"
            path.write_bytes(bytes(offset) + x.tobytes())
            return np.memmap(path, x.dtype, "r", offset, x.shape)

    return put


KINDS: dict[str, Callable[[NDArray], NDArray]] = {
    "read-only": frozen,
    "in a file": in_a_file(64),
    "not aligned": in_a_file(3),
}

CALLS: dict[str, Callable[[Callable[[NDArray], NDArray]], object]] = {
    "conv2d": lambda f: conv2d(f(X), f(W), f(B), relu=True),
    "conv2d_backward": lambda f: conv2d_backward(f(X), f(W), f(Y), y=f(Y)),
    "relu": lambda f: relu(f(X)),
    "relu_backward": lambda f: relu_backward(f(X), f(X)),
    "max_pool2d_backward": lambda f: max_pool2d_backward(f(POOLED), f(ARGMAX), X.shape),
    "softmax_cross_entropy": lambda f: softmax_cross_entropy(f(X[:, 0, 0]), f(LABELS)),
    "sgd_update": lambda f: sgd_update(W.copy(), f(W), W.copy(), 0.1, 0.9),
    "a model": lambda f: model_step(f(X), f(np.ones((2, 2)))),
}


def model_step(x: NDArray, dy: NDArray) -> list[NDArray | None]:
    first = CoordConv2D(3, 3, 3, rng=0, dtype=np.float64, activation="relu")
    model = Sequential([first, Flatten(), Dense(90, 2, rng=1, dtype=np.float64)])
    for layer in model.layers:
        layer.params.update({key: frozen(value) for key, value in layer.params.items()})
    y = model.forward(x, training=True)
    return [y, model.backward(dy)]


def flat(result: object) -> list[NDArray]:
    parts = result if isinstance(result, (tuple, list)) else [result]
    return [np.asarray(part) for part in parts]


@pytest.mark.compiled
@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_compiled_for_them_and_the_numbers_are_the_same(kind, call):
    wanted = flat(CALLS[call](np.copy))
    before = compiled()
    found = flat(CALLS[call](KINDS[kind]))
    assert compiled() == before > 0
    for mine, theirs in zip(found, wanted, strict=True):
        assert np.array_equal(mine, theirs)


def test_what_comes_back_can_be_written_to_and_what_went_in_still_cannot():
    x = frozen(X)
    y = relu(x)
    y[:] = 7
    assert np.array_equal(x, X)
    with pytest.raises(ValueError, match="read-only"):
        x[:] = 7
    assert Flatten().forward(x).flags.writeable is False
