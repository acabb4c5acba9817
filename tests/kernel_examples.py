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

from minicoord.kernels.coordinates import coordinate_channels
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
        size, kernel_size = given["x"].shape[1:3], given["w"].shape[:2]
        given["win"] = window(size[0], size[1], kernel_size, given.pop("stride"), given.pop("padding"))
    return kernel(name)(**given)


def run_oracle(oracle: Callable[..., Any], arguments: Arguments) -> Any:
    """Call an oracle with its arguments, without those that only say how much work a kernel does."""
    return oracle(**{key: value for key, value in arguments.items() if key not in WORK})


def results(run: Callable[[Arguments], Any], arguments: Arguments) -> tuple[Any, list[NDArray]]:
    """Return what a function returns for copies of the arguments, and the arrays among them as it leaves them."""
    arguments = copy.deepcopy(arguments)
    return run(arguments), [value for value in arguments.values() if isinstance(value, np.ndarray)]


# Kernel size, stride, padding, c_in, c_out, relu.
CONVOLUTIONS: list[tuple[Any, Any, Any, int, int, bool]] = [
    # Rows and columns of the output that fill blocks and vectors of the micro-kernel, or leave a rest
    ((3, 3), 2, "same", 7, 33, True),
    ((3, 3), 1, "same", 2, 16, False),
    ((1, 1), 1, "same", 7, 32, True),
    ((3, 2), 1, "valid", 17, 15, False),
    ((2, 2), 1, "same", 16, 31, True),
    ((1, 3), 1, "same", 33, 17, False),
    ((3, 3), 1, 1, 8, 8, True),
    # Sums that are cut into pieces: between two rows of taps, and within one
    ((3, 3), 1, "same", 30, 9, True),
    ((2, 3), 1, "same", 70, 4, False),
    # Strides below, at and above the size of the window; images of few channels and of more in the way back
    ((2, 3), (2, 1), ((1, 0), (0, 2)), 2, 3, True),
    ((5, 4), (2, 3), "same", 6, 7, True),
    ((2, 2), 2, "valid", 5, 6, False),
    ((3, 2), (1, 3), "valid", 3, 2, False),
    ((2, 1), (3, 4), ((2, 3), (0, 1)), 5, 5, True),
    ((1, 1), 2, "same", 5, 3, False),
]

TINY = ((0, 6, 5), (1, 1, 1), (2, 1, 9), (2, 9, 1))
"""Images, rows and columns: none at all, one pixel, one row and one column."""


def convolutions(draw: Draw, transposed: bool = False) -> Iterator[Arguments]:
    """Yield the same shapes for every kind of convolution; of a transposed one the channels change their places."""
    cases = [(draw.images(case[3]), case) for case in CONVOLUTIONS]
    cases += [(draw(2, 22, 18, 4), ((3, 5), 1, "same", 4, 3, True))]  # enough for neighbouring pixels to go together
    cases += [(draw(2, 5, 6, 33), ((3, 2), 1, "same", 33, 1, True))]  # sums of one column
    cases += [(draw(*shape, 5), ((3, 2), stride, "same", 5, 4, True)) for shape in TINY for stride in (1, 2)]
    for x, (size, stride, padding, c_in, c_out, relu) in cases:
        w = draw(*size, c_out, c_in) if transposed else draw(*size, c_in, c_out)
        yield {"x": x, "w": w, "b": draw(c_out), "stride": stride, "padding": padding, "relu": relu}


def coordconvs(draw: Draw) -> Iterator[Arguments]:
    for k, arguments in enumerate(convolutions(draw)):
        (_, height, width, _), (kh, kw, c_in, c_out) = arguments["x"].shape, arguments["w"].shape
        coordinates = coordinate_channels(height, width, k % 2 == 1, draw.dtype)
        w = draw(kh, kw, c_in + coordinates.shape[2], c_out)
        yield {**arguments, "coordinates": coordinates, "w": w}


def tiled_coordconvs(draw: Draw) -> Iterator[Arguments]:
    """Yield vectors, sizes and channels: several rows of each, one of each, no image."""
    small = [(3, 5, 4, 6, 7), (1, 1, 1, 1, 1), (2, 17, 1, 9, 33), (0, 3, 2, 2, 4)]
    sizes = [(9, 33, 40, 37, 70)] if draw.large else small
    for k, (n, c_in, height, width, c_out) in enumerate(sizes):
        coordinates = coordinate_channels(height, width, k % 2 == 1, draw.dtype)
        arrays = {"v": draw(n, c_in), "coordinates": coordinates, "w": draw(c_in + coordinates.shape[2], c_out)}
        yield from ({**arrays, "b": draw(c_out), "relu": relu} for relu in (True, False))


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


def dense(draw: Draw) -> Iterator[tuple[NDArray, NDArray, NDArray]]:
    """Yield x, w and dy: one of each, more than a tile and a piece of the sum, whole vectors and rests, no image."""
    sizes = [(301, 260, 70)] if draw.large else [(5, 7, 4), (1, 1, 1), (67, 17, 33), (3, 195, 32), (0, 3, 2)]
    for n, c_in, c_out in sizes:
        yield draw(n, c_in), draw(c_in, c_out), draw(n, c_out)


def dense_forward(draw: Draw) -> Iterator[Arguments]:
    for x, w, _ in dense(draw):
        for b in (draw(w.shape[1]), None):
            yield {"x": x, "w": w, "b": b}


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


def moves(draw: Draw) -> Iterator[Arguments]:
    """Yield dots at, beside and away from their goals, at the edge of their squares, early and at the time limit."""
    for count in (3000,) if draw.large else (400, 1, 0):
        goal = draw.rng.integers(5, 15, (count, 2))
        dot = goal + draw.rng.integers(-3, 4, (count, 2))
        age, actions = draw.rng.integers(0, 9, count), draw.rng.integers(0, 4, count)
        yield {"dot": dot, "goal": goal, "age": age, "actions": actions, "radius": 3, "limit": 8}


def shapes(draw: Draw) -> Iterator[Arguments]:
    """Yield squares and circles of several sizes that lie on, stick out of or lie beside their canvas; no image."""
    sizes = ((70, 10, 64), (40, 5, 32)) if draw.large else ((5, 3, 11), (3, 0, 4), (2, 4, 1), (0, 2, 5))
    for count, half, side in sizes:
        centres = draw.rng.integers(-half - 2, side + half + 2, (count, 3, 2))
        circles = draw.rng.random((count, 3)) < 0.5
        yield {"centres": centres, "circles": circles, "colours": draw(3, 2), "half": half, "side": side}


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
    "tiled_coordconv": tiled_coordconvs,
    "tiled_coordconv_backward": lambda draw: backward("tiled_coordconv", draw, tiled_coordconvs(draw)),
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
    "dense_backward": lambda draw: [dict(zip(("x", "w", "dy"), arrays, strict=True)) for arrays in dense(draw)],
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
    "rmsprop_update": lambda draw: [
        {**updates(draw, "v"), "lr": 0.01, "alpha": 0.9, "eps": 1e-3, "eps_inside": inside} for inside in (True, False)
    ],
    # boxes, digits drawn into them, and coloured shapes
    "box_iou": lambda draw: [
        {"a": boxes(draw, 50), "b": boxes(draw, 7)},
        {"a": boxes(draw, 3, 40), "b": boxes(draw, 3, 5)},
    ],
    "nms": lambda draw: [
        {"boxes": boxes(draw, 60), "scores": np.round(draw(60), 1), "threshold": threshold, "most": most}
        for threshold, most in ((0.3, 100), (0.0, 5), (1.0, 70))
    ],
    "draw_resized": drawings,
    "draw_shapes": shapes,
    # worlds
    "area_resize": lambda draw: [
        {"images": draw(n, *size), "height": height, "width": width}
        for n, size, height, width in (
            (3, (210, 160), 84, 84),
            (2, (7, 5), 3, 5),
            (1, (6, 9), 3, 3),
            (2, (5, 4), 1, 1),
            (1, (1, 8), 1, 7),
            (1, (11, 3), 4, 2),
        )
    ],
    "move_dots": moves,
    "draw_dots": lambda draw: [
        {"dot": draw.rng.integers(0, side, (n, 2)), "goal": draw.rng.integers(0, side, (n, 2)), "side": side}
        | {"show_goal": shown, "dtype": draw.dtype}
        for n, side, shown in ((300, 19, True), (7, 5, False), (1, 1, True), (0, 4, True))
        if n or not draw.large  # nothing at all has the same bits for every kernel
    ],
}
