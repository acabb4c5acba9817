"""Arguments for every kernel: the one place where a new kernel gets the examples that the tests run it with.

`EXAMPLES` has for each public function of ``minicoord/kernels/`` a function that draws arguments, under the names that
its oracle gives them. With small arrays the tests compare kernel and oracle (``reference/test_oracles.py``), with large
ones they look for the same bits with any number of threads (``print_bits.py``). `discovery.kernel_faults` finds a
kernel that has no examples.
"""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from discovery import WORK, operations
from numpy.typing import NDArray

from minicoord.kernels.coordconv import shared_columns
from minicoord.kernels.geometry import window

Arguments = dict[str, Any]


class Draw:
    """Draws arrays of one dtype: small ones, which loops in Python get through, or large ones, for several threads."""

    def __init__(self, dtype: type, large: bool, seed: int = 0) -> None:
        self.dtype, self.large, self.rng = dtype, large, np.random.default_rng(seed)

    def __call__(self, *shape: int) -> NDArray:
        return self.rng.standard_normal(shape).astype(self.dtype)

    def images(self, channels: int = 3) -> NDArray:
        return self(*((3, 45, 37) if self.large else (2, 19, 18)), channels)

    def between_0_and_1(self, *shape: int) -> NDArray:
        return self.rng.random(shape).astype(self.dtype)

    def logits(self) -> NDArray:
        return self(*((5, 64, 64, 1) if self.large else (3, 5, 4, 1)))


def kernel(name: str) -> Callable[..., Any]:
    return next(functions[name] for functions in operations().values() if name in functions)


def run_kernel(name: str, arguments: Arguments) -> Any:
    """Call a kernel with the arguments of its oracle; what it wants ready-made is made here."""
    wanted, given = inspect.signature(kernel(name)).parameters, dict(arguments)
    if "win" in wanted:
        height, width = given["x"].shape[1:3] if "x" in given else (given["height"], given["width"])
        kernel_size = given.pop("kernel_size") if "kernel_size" in given else given["w"].shape[:2]
        given["win"] = window(height, width, kernel_size, given.pop("stride"), given.pop("padding"))
        if "shared" in wanted:
            given["shared"] = shared_columns(height, width, given.pop("with_r"), given["x"].dtype, given["win"])
    return kernel(name)(**given)


def run_oracle(oracle: Callable[..., Any], arguments: Arguments) -> Any:
    """Call an oracle with its arguments, without those that only say how much work a kernel does."""
    return oracle(**{key: value for key, value in arguments.items() if key not in WORK})


def results(run: Callable[[Arguments], Any], arguments: Arguments) -> tuple[Any, list[NDArray]]:
    """Return what a function returns for copies of the arguments, and the arrays among them as it leaves them."""
    arguments = copy.deepcopy(arguments)
    return run(arguments), [value for value in arguments.values() if isinstance(value, np.ndarray)]


# Kernel size, stride, padding, c_in, c_out, relu: by tiles, as 1x1, with neighbours grouped, and as little work.
CONVOLUTIONS: list[tuple[Any, Any, Any, int, int, bool]] = [
    ((3, 3), 2, "same", 7, 33, True),
    ((1, 1), 1, "same", 7, 33, True),
    ((5, 5), 1, "same", 7, 33, False),
    ((3, 3), 1, "same", 2, 16, False),
    ((2, 3), (2, 1), ((1, 0), (0, 2)), 2, 3, True),
    ((3, 2), (1, 3), "valid", 3, 2, False),
]


def convolutions(draw: Draw, transposed: bool = False, with_r: bool | None = None) -> Iterator[Arguments]:
    for size, stride, padding, c_in, c_out, relu in CONVOLUTIONS:
        coords = 0 if with_r is None else 3 if with_r else 2
        w = draw(*size, c_out, c_in) if transposed else draw(*size, c_in + coords, c_out)
        arguments = {"x": draw.images(c_in), "w": w, "b": draw(c_out), "stride": stride, "padding": padding}
        yield {**arguments, "relu": relu, **({} if with_r is None else {"with_r": with_r})}


def coordconvs(draw: Draw) -> Iterator[Arguments]:
    yield from convolutions(draw, with_r=False)
    yield from convolutions(draw, with_r=True)
    for height, width in ((1, 9), (9, 1), (1, 1)):  # the coordinate of a single row or column is 0
        x, w, b = draw(2, height, width, 2), draw(3, 3, 5, 4), draw(4)
        yield {"x": x, "w": w, "b": b, "stride": 1, "padding": "same", "relu": False, "with_r": True}


def backward(forward: str, draw: Draw, examples: Iterator[Arguments]) -> Iterator[Arguments]:
    """Turn examples of a convolution, by the name of its kernel, into those of its backward pass."""
    for arguments in examples:
        y = run_kernel(forward, arguments)
        relu = arguments.pop("relu")
        del arguments["b"]
        yield {**arguments, "dy": draw(*y.shape), "y": y if relu else None}


def poolings(draw: Draw) -> Iterator[Arguments]:
    """Yield images in which many pixels are equal, so that ties are met."""
    for size, stride, padding in ((3, 2, "valid"), (3, 2, "same"), ((2, 3), None, ((0, 1), (1, 0)))):
        yield {"x": np.round(draw.images(5)), "size": size, "stride": stride, "padding": padding}


def max_pool2d_backward(draw: Draw) -> Iterator[Arguments]:
    for arguments in poolings(draw):
        y, argmax = run_kernel("max_pool2d", arguments)
        yield {"dy": draw(*y.shape), "argmax": argmax, "x_shape": arguments["x"].shape}


def avg_pool2d_backward(draw: Draw) -> Iterator[Arguments]:
    for arguments in poolings(draw):
        dy = draw(*run_kernel("avg_pool2d", arguments).shape)
        yield {"dy": dy, "x_shape": arguments.pop("x").shape, **arguments}


def global_max_pool_backward(draw: Draw) -> Iterator[Arguments]:
    x = draw.images()
    y, argmax = run_kernel("global_max_pool", {"x": x})
    yield {"dy": draw(*y.shape), "argmax": argmax, "x_shape": x.shape}


def im2cols(draw: Draw) -> Iterator[Arguments]:
    for size, stride, padding, *_ in CONVOLUTIONS:
        yield {"x": draw.images(), "kernel_size": size, "stride": stride, "padding": padding}


def col2im(draw: Draw) -> Iterator[Arguments]:
    for arguments in im2cols(draw):
        cols = run_kernel("im2col", arguments)
        yield {"cols": draw(*cols.shape), "x_shape": arguments.pop("x").shape, **arguments}


def shared(draw: Draw) -> Iterator[Arguments]:
    for height, width in ((45, 37) if draw.large else (6, 5), (1, 4)):
        for with_r in (False, True):
            size = {"height": height, "width": width, "with_r": with_r, "dtype": draw.dtype}
            yield {**size, "kernel_size": (3, 2), "stride": (2, 1), "padding": "same"}


def batch_norm_backward(draw: Draw) -> Iterator[Arguments]:
    for relu in (False, True):
        x, gamma = draw.images(33), draw(33)
        y, mean, var = run_kernel("batch_norm", {"x": x, "gamma": gamma, "beta": draw(33), "relu": relu})
        statistics = {"mean": mean, "var": var, "y": y if relu else None}
        yield {"dy": draw.images(33), "x": x, "gamma": gamma, **statistics}


def batch_norm_inference(draw: Draw) -> Iterator[Arguments]:
    for relu in (False, True):
        vectors = {"gamma": draw(33), "beta": draw(33), "mean": draw(33), "var": draw.between_0_and_1(33)}
        yield {"x": draw.images(33), **vectors, "eps": 1e-3, "relu": relu}


def dense(draw: Draw) -> tuple[NDArray, NDArray, NDArray]:
    """Return x, w and dy."""
    n, c_in, c_out = (301, 260, 70) if draw.large else (5, 7, 4)
    return draw(n, c_in), draw(c_in, c_out), draw(n, c_out)


def dense_forward(draw: Draw) -> Iterator[Arguments]:
    for has_bias in (True, False):
        x, w, dy = dense(draw)
        yield {"x": x, "w": w, "b": dy[0] if has_bias else None}


def updates(draw: Draw, *running: str) -> Arguments:
    """Return a parameter, its gradient and running means of it, all positive, as second moments are."""
    size = 40_000 if draw.large else 50
    return {"w": draw(size), "g": draw(size), **{key: draw.between_0_and_1(size) for key in running}, "l2": 0.01}


def boxes(draw: Draw, *shape: int) -> NDArray:
    """Return boxes (..., 4) on a canvas of 20 x 20: some overlap much, some stick out, two are one."""
    drawn = draw.between_0_and_1(*shape, 4) * np.array([20, 20, 9, 9], draw.dtype)
    drawn[..., -1:, :] = drawn[..., :1, :]
    return drawn


def drawings(draw: Draw) -> Iterator[Arguments]:
    """Yield parts of images, from one pixel to all, in boxes that lie on, stick out of or lie beside their canvas."""
    images = draw.between_0_and_1(4, 9, 7)
    parts = np.array([[0, 0, 9, 7], [2, 1, 5, 6], [8, 6, 1, 1], [0, 3, 9, 1]])
    count, height, width = (40, 64, 48) if draw.large else (3, 14, 11)
    where = draw.rng.uniform((-4, -4, 0.3, 0.3), (height + 4, width + 4, 13, 13), (count, 5, 4))
    which = draw.rng.integers(-1, 4, (count, 5))
    yield {"images": images, "parts": parts, "which": which, "boxes": where, "height": height, "width": width}
    # Edges on centres of pixels, which belong to the box at its first edge only.
    exact = np.array([[[3.0, 4.0, 3.0, 5.0], [2.5, 2.5, 2.0, 4.0]]])
    yield {"images": images, "parts": parts, "which": np.array([[1, 0]]), "boxes": exact, "height": 7, "width": 9}


EXAMPLES: dict[str, Callable[[Draw], Any]] = {
    # activations
    "relu": lambda draw: [{"x": draw.images()}],
    "relu_backward": lambda draw: [{"dy": draw.images(), "y": np.maximum(draw.images(), 0)}],
    "leaky_relu": lambda draw: [{"x": draw.images(), "slope": 0.3}],
    "leaky_relu_backward": lambda draw: [{"dy": draw.images(), "x": draw.images(), "slope": 0.3}],
    "sigmoid": lambda draw: [{"x": draw.images()}],
    "sigmoid_backward": lambda draw: [{"dy": draw.images(), "y": draw.images()}],
    "tanh": lambda draw: [{"x": draw.images()}],
    "tanh_backward": lambda draw: [{"dy": draw.images(), "y": draw.images()}],
    # convolutions
    "conv2d": convolutions,
    "conv2d_backward": lambda draw: backward("conv2d", draw, convolutions(draw)),
    "conv_transpose2d": lambda draw: convolutions(draw, transposed=True),
    "conv_transpose2d_backward": lambda draw: backward("conv_transpose2d", draw, convolutions(draw, transposed=True)),
    "coordconv2d": coordconvs,
    "coordconv2d_backward": lambda draw: backward("coordconv2d", draw, coordconvs(draw)),
    "shared_columns": shared,
    "im2col": im2cols,
    "col2im": col2im,
    "naive_conv2d": lambda draw: [
        {"x": draw.images(2), "w": draw(3, 2, 2, 4), "parallel": parallel} for parallel in (False, True)
    ],
    "naive_conv2d_backward": lambda draw: [
        {"x": draw.images(2), "w": draw(3, 2, 2, 4), "dy": draw.images(4), "parallel": parallel}
        for parallel in (False, True)
    ],
    # coordinates
    "coordinate_channels": lambda draw: [
        {"height": h, "width": w, "with_r": with_r, "dtype": draw.dtype}
        for h, w in ((3, 5), (1, 4), (6, 1))
        for with_r in (False, True)
    ],
    "add_coords": lambda draw: [{"x": draw.images(), "with_r": with_r} for with_r in (False, True)],
    "add_coords_backward": lambda draw: [{"dy": draw.images(5), "with_r": with_r} for with_r in (False, True)],
    "tile": lambda draw: [{"v": draw(3, 2), "height": 45, "width": 37}],
    "tile_backward": lambda draw: [{"dy": draw.images()}],
    # pooling
    "max_pool2d": poolings,
    "max_pool2d_backward": max_pool2d_backward,
    "avg_pool2d": poolings,
    "avg_pool2d_backward": avg_pool2d_backward,
    "global_max_pool": lambda draw: [{"x": draw.images()}, {"x": np.round(draw.images(2))}],
    "global_max_pool_backward": global_max_pool_backward,
    "global_avg_pool": lambda draw: [{"x": draw.images()}],
    "global_avg_pool_backward": lambda draw: [{"dy": draw(3, 5), "x_shape": (3, 17, 12, 5)}],
    # normalisation, dense, upsampling
    "batch_norm": lambda draw: [
        {"x": draw.images(33), "gamma": draw(33), "beta": draw(33), "relu": relu} for relu in (False, True)
    ],
    "batch_norm_backward": batch_norm_backward,
    "batch_norm_inference": batch_norm_inference,
    "dense": dense_forward,
    "dense_backward": lambda draw: [dict(zip(("x", "w", "dy"), dense(draw), strict=True))],
    "upsample_nearest": lambda draw: [{"x": draw.images(), "factor": factor} for factor in (2, (3, 1))],
    "upsample_nearest_backward": lambda draw: [{"dy": draw(3, 24, 18, 2), "factor": factor} for factor in (2, (3, 1))],
    # softmax and losses
    "softmax": lambda draw: [{"logits": draw.logits()}],
    "softmax_backward": lambda draw: [{"dp": draw.logits(), "p": run_kernel("softmax", {"logits": draw.logits()})}],
    "softmax_cross_entropy": lambda draw: [{"logits": (z := draw.logits()), "labels": np.arange(len(z))}],
    "sigmoid_cross_entropy": lambda draw: [{"logits": (z := draw.logits()), "targets": draw.between_0_and_1(*z.shape)}],
    "mean_squared_error": lambda draw: [{"pred": draw.logits(), "target": draw.logits()}],
    # updates
    "sgd_update": lambda draw: [{**updates(draw, "velocity"), "lr": 0.1, "momentum": 0.9}],
    "adam_update": lambda draw: [
        {**updates(draw, "m", "v"), "lr": 0.01, "beta1": 0.9, "beta2": 0.99, "eps": 1e-8, "t": 3}
    ],
    # boxes, and digits drawn into them
    "box_iou": lambda draw: [
        {"a": boxes(draw, 50), "b": boxes(draw, 7)},
        {"a": boxes(draw, 3, 40), "b": boxes(draw, 3, 5)},
    ],
    "nms": lambda draw: [
        {"boxes": boxes(draw, 60), "scores": np.round(draw(60), 1), "threshold": threshold, "most": most}
        for threshold, most in ((0.3, 100), (0.0, 5), (1.0, 70))
    ],
    "draw_resized": drawings,
}
