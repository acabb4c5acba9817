"""A right call of every public function, class and method: the one place where a new one gets an example to spoil.

`CALLS` has for each name a function, and arguments that it takes. ``bad_calls.py`` spoils the arguments, and
``house/test_bad_calls.py`` asserts that each spoilt call is refused in a sentence. `missing` finds what has no example.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from discovery import operations
from kernel_examples import kernel
from layer_examples import EXAMPLES as LAYERS
from plot_examples import EXAMPLES as PLOTS

import minicoord
import minicoord.datasets
import minicoord.plots
from minicoord import experiments, learn
from minicoord.datasets.images import download
from minicoord.datasets.images.labelled import LabelledImages
from minicoord.kernels import geometry
from minicoord.nn import initialisers
from minicoord.nn.layers.base import Layer
from minicoord.system import files
from minicoord.train import checkpoint, fit as fitting, loop

Arguments = dict[str, Any]


class Call(NamedTuple):
    """A function, and how to make arguments that it takes: new ones for each call, because some are changed by it."""

    function: Callable[..., Any]
    arguments: Callable[[], Arguments]


def ones(*shape: int) -> np.ndarray:
    return np.ones(shape, np.float32)


IMAGES = (2, 4, 6, 3)
WINDOWED = {"stride": 1, "padding": "same"}
POOLED = {"size": 2, "stride": 2, "padding": "valid"}

KERNELS: dict[str, Callable[[], Arguments]] = {
    **{
        name: lambda: {"x": ones(*IMAGES)} for name in ("relu", "sigmoid", "tanh", "global_max_pool", "global_avg_pool")
    },
    **{f"{name}_backward": lambda: {"dy": ones(2, 3), "y": ones(2, 3)} for name in ("relu", "sigmoid", "tanh")},
    "leaky_relu": lambda: {"x": ones(2, 3), "slope": 0.1},
    "leaky_relu_backward": lambda: {"dy": ones(2, 3), "x": ones(2, 3), "slope": 0.1},
    "conv2d": lambda: {"x": ones(*IMAGES), "w": ones(3, 3, 3, 2), "b": ones(2), **WINDOWED, "relu": True},
    "conv2d_backward": lambda: {
        "x": ones(*IMAGES),
        "w": ones(3, 3, 3, 2),
        "dy": ones(2, 4, 6, 2),
        **WINDOWED,
        "y": ones(2, 4, 6, 2),
        "need_dx": True,
    },
    "conv_transpose2d": lambda: {"x": ones(*IMAGES), "w": ones(3, 3, 2, 3), "b": ones(2), **WINDOWED, "relu": True},
    "conv_transpose2d_backward": lambda: {
        "x": ones(*IMAGES),
        "w": ones(3, 3, 2, 3),
        "dy": ones(2, 4, 6, 2),
        **WINDOWED,
        "y": ones(2, 4, 6, 2),
        "need_dx": True,
    },
    "coordconv2d": lambda: {
        "x": ones(*IMAGES),
        "coordinates": ones(4, 6, 2),
        "w": ones(3, 3, 5, 2),
        "b": ones(2),
        "relu": True,
        "win": geometry.window(4, 6, 3),
    },
    "coordconv2d_backward": lambda: {
        "x": ones(*IMAGES),
        "coordinates": ones(4, 6, 2),
        "w": ones(3, 3, 5, 2),
        "dy": ones(2, 4, 6, 2),
        "y": ones(2, 4, 6, 2),
        "win": geometry.window(4, 6, 3),
        "need_dx": True,
    },
    "im2col": lambda: {"x": ones(*IMAGES), "kernel_size": 3, **WINDOWED},
    "col2im": lambda: {"cols": ones(48, 27), "x_shape": IMAGES, "kernel_size": 3, **WINDOWED},
    "naive_conv2d": lambda: {"x": ones(*IMAGES), "w": ones(3, 3, 3, 2), "parallel": False},
    "naive_conv2d_backward": lambda: {
        "x": ones(*IMAGES),
        "w": ones(3, 3, 3, 2),
        "dy": ones(2, 4, 6, 2),
        "parallel": False,
    },
    "coordinate_channels": lambda: {"height": 3, "width": 5, "with_r": True, "dtype": np.float32},
    "add_coords": lambda: {"x": ones(*IMAGES), "with_r": True},
    "add_coords_backward": lambda: {"dy": ones(2, 3, 4, 5), "with_r": True},
    "tile": lambda: {"v": ones(2, 3), "height": 3, "width": 4},
    "tile_backward": lambda: {"dy": ones(*IMAGES)},
    "max_pool2d": lambda: {"x": ones(*IMAGES), **POOLED},
    "avg_pool2d": lambda: {"x": ones(*IMAGES), **POOLED},
    "max_pool2d_backward": lambda: {
        "dy": ones(2, 2, 3, 3),
        "argmax": np.zeros((2, 2, 3, 3), np.int32),
        "x_shape": IMAGES,
    },
    "avg_pool2d_backward": lambda: {"dy": ones(2, 2, 3, 3), "x_shape": IMAGES, **POOLED},
    "global_max_pool_backward": lambda: {"dy": ones(2, 3), "argmax": np.zeros((2, 3), np.int32), "x_shape": IMAGES},
    "global_avg_pool_backward": lambda: {"dy": ones(2, 3), "x_shape": IMAGES},
    "batch_norm": lambda: {"x": ones(*IMAGES), "gamma": ones(3), "beta": ones(3), "eps": 1e-5, "relu": True},
    "batch_norm_backward": lambda: {
        "dy": ones(*IMAGES),
        "x": ones(*IMAGES),
        "gamma": ones(3),
        "mean": ones(3),
        "var": ones(3),
        "eps": 1e-5,
        "y": ones(*IMAGES),
    },
    "batch_norm_inference": lambda: {
        "x": ones(*IMAGES),
        "gamma": ones(3),
        "beta": ones(3),
        "mean": ones(3),
        "var": ones(3),
        "eps": 1e-5,
        "relu": False,
    },
    "dense": lambda: {"x": ones(2, 3), "w": ones(3, 4), "b": ones(4)},
    "dense_backward": lambda: {"x": ones(2, 3), "w": ones(3, 4), "dy": ones(2, 4)},
    "upsample_nearest": lambda: {"x": ones(*IMAGES), "factor": 2},
    "upsample_nearest_backward": lambda: {"dy": ones(*IMAGES), "factor": 2},
    "softmax": lambda: {"logits": ones(2, 3)},
    "softmax_backward": lambda: {"dp": ones(2, 3), "p": ones(2, 3)},
    "softmax_cross_entropy": lambda: {"logits": ones(2, 3), "labels": np.array([0, 2])},
    "sigmoid_cross_entropy": lambda: {"logits": ones(2, 3), "targets": ones(2, 3)},
    "mean_squared_error": lambda: {"pred": ones(2, 3), "target": ones(2, 3)},
    "sgd_update": lambda: {"w": ones(5), "g": ones(5), "velocity": ones(5), "lr": 0.1, "momentum": 0.9, "l2": 0.0},
    "adam_update": lambda: {
        "w": ones(5),
        "g": ones(5),
        "m": ones(5),
        "v": ones(5),
        "lr": 0.1,
        "beta1": 0.9,
        "beta2": 0.99,
        "eps": 1e-8,
        "t": 1,
        "l2": 0.0,
    },
    "rmsprop_update": lambda: {
        "w": ones(5),
        "g": ones(5),
        "v": ones(5),
        "lr": 0.1,
        "alpha": 0.9,
        "eps": 1e-5,
        "eps_inside": True,
        "l2": 0.0,
    },
    "tiled_coordconv": lambda: {
        "v": ones(2, 3),
        "coordinates": ones(4, 6, 2),
        "w": ones(5, 4),
        "b": ones(4),
        "relu": True,
    },
    "tiled_coordconv_backward": lambda: {
        "v": ones(2, 3),
        "coordinates": ones(4, 6, 2),
        "w": ones(5, 4),
        "dy": ones(2, 4, 6, 4),
        "y": ones(2, 4, 6, 4),
    },
    "area_resize": lambda: {"images": ones(2, 6, 5), "height": 3, "width": 2},
    "move_dots": lambda: {
        "dot": np.array([[1, 2], [3, 3]]),
        "goal": np.array([[1, 3], [2, 3]]),
        "age": np.zeros(2, np.int64),
        "actions": np.array([3, 0]),
        "radius": 3,
        "limit": 20,
    },
    "draw_dots": lambda: {
        "dot": np.array([[1, 2], [3, 3]]),
        "goal": np.array([[1, 3], [2, 3]]),
        "side": 5,
        "show_goal": True,
        "dtype": np.float32,
    },
    "draw_shapes": lambda: {
        "centres": np.array([[[1, 1], [4, 1]]]),
        "circles": np.array([[False, True]]),
        "colours": ones(2, 3),
        "half": 1,
        "side": 6,
    },
    "box_iou": lambda: {"a": ones(3, 4), "b": ones(2, 4)},
    "nms": lambda: {"boxes": ones(3, 4), "scores": ones(3), "threshold": 0.5, "most": 2},
    "draw_resized": lambda: {
        "images": ones(2, 5, 4),
        "parts": np.array([[0, 0, 5, 4], [1, 1, 2, 2]]),
        "which": np.array([[0, 1, -1]]),
        "boxes": np.full((1, 3, 4), 5.0),
        "height": 9,
        "width": 8,
    },
}
"""For each function of ``minicoord/kernels/`` arguments that it takes."""

SHARED: Arguments = {
    "c_in": 3,
    "c_out": 4,
    "kernel_size": 3,
    "channels": 3,
    "height": 3,
    "width": 4,
    "factor": 2,
    "shape": (2, 6),
    "lr": 0.1,
    "every": 2,
    "epochs": 3,
    "rng": 0,
}
"""Arguments of constructors, by name; those that are not here have defaults."""


def net() -> Any:
    return minicoord.Sequential([minicoord.Flatten(), minicoord.Dense(4, 3, rng=0)])


def constructor(cls: type) -> Call:
    """Return how to make an object of a class, all arguments given."""
    parameters = inspect.signature(cls).parameters.values()
    return Call(cls, lambda: {p.name: SHARED.get(p.name, p.default) for p in parameters})


def method(make: Callable[[], Any], name: str, **arguments: Callable[[], Any]) -> Call:
    """Return a method of an object that is made anew for each call."""

    def call(**given: Any) -> Any:
        return getattr(make(), name)(**given)

    return Call(call, lambda: {key: value() for key, value in arguments.items()})


def layers() -> dict[str, Call]:
    """Return constructors and methods of every layer."""
    found: dict[str, Call] = {}
    for name, examples in LAYERS.items():
        make, shape = examples[0]
        cls = type(make())
        found[f"{name}.forward"] = method(make, "forward", x=lambda shape=shape: ones(*shape), training=lambda: True)
        found[f"{name}.output_shape"] = method(make, "output_shape", input_shape=lambda shape=shape: shape)
        found[f"{name}.astype"] = method(make, "astype", dtype=lambda: np.float64)
        if name not in ("Sequential", "Residual", "Branches", "SpectralNorm"):
            found[name] = constructor(cls)
    conv = lambda: minicoord.Conv2D(3, 2, 1, rng=0)  # noqa: E731
    found["Sequential"] = Call(minicoord.Sequential, lambda: {"layers": [conv(), minicoord.ReLU()], "debug": True})
    found["Residual"] = Call(minicoord.Residual, lambda: {"body": conv(), "shortcut": conv()})
    found["Branches"] = Call(minicoord.Branches, lambda: {"policy": conv(), "value": conv()})
    found["SpectralNorm"] = Call(minicoord.SpectralNorm, lambda: {"layer": conv(), "rng": 0})
    found["Sequential.summary"] = method(net, "summary", input_shape=lambda: (2, 2))
    found["Layer"] = Call(Layer, dict)
    return found


def data() -> Any:
    return minicoord.datasets.not_so_clevr(6, 3)


def fit_arguments() -> Arguments:
    return {
        "model": net(),
        "loss": minicoord.softmax_cross_entropy,
        "optimizer": minicoord.Adam(0.1),
        "x": ones(4, 2, 2),
        "y": np.array([0, 1, 2, 0]),
        "epochs": 1,
        "batch_size": 2,
        "seed": 0,
        "schedule": 0.1,
        "evaluate": None,
        "stop_when": None,
        "slice_size": "auto",
        "checkpoint": None,
        "resume": False,
        "drop_last": False,
        "progress": False,
        "settings": {},
        "label": "training",
    }


class Counting:
    """The smallest thing that can be trained."""

    def step(self) -> dict[str, float]:
        return {"loss": 1.0}

    def state(self) -> dict[str, Any]:
        return {"n": {}}

    def restore(self, state: dict[str, Any]) -> None:
        pass


def loop_arguments() -> Arguments:
    return {
        "trainer": Counting(),
        "steps": 2,
        "every": 1,
        "unit": "step",
        "columns": None,
        "evaluate": None,
        "stop_when": None,
        "checkpoint": None,
        "resume": False,
        "settings": {},
        "sitting": {},
        "progress": False,
        "label": "training",
    }


def gradcheck(**given: Any) -> Any:
    return minicoord.gradcheck(given.pop("layer_or_loss"), given.pop("x"), **given)


def trained() -> dict[str, Call]:
    """Return losses, optimisers, schedules, training and its files."""
    saved = lambda: {"path": Path("weights.npz")}  # noqa: E731
    optimisers = ("SGD", "Adam", "AdamW", "RMSprop")
    schedules = ("ConstantSchedule", "StepSchedule", "LinearSchedule", "CosineSchedule")
    found = {name: constructor(getattr(minicoord, name)) for name in (*optimisers, *schedules)}
    found["StepSchedule"] = Call(minicoord.StepSchedule, lambda: {"lr": 0.1, "every": 2, "factor": 0.5, "most": 3})
    for name in schedules:
        made = found[name]
        found[f"{name}.__call__"] = method(lambda made=made: made.function(**made.arguments()), "__call__", k=lambda: 1)
    return {
        **found,
        "Optimizer.step": method(lambda: minicoord.Adam(0.1), "step", model=net),
        "Optimizer.l2_penalty": method(lambda: minicoord.Adam(0.1, l2=0.1), "l2_penalty", model=net),
        "Optimizer.load_state_dict": method(
            *(lambda: minicoord.SGD(0.1), "load_state_dict"),
            state=lambda: {"name": "SGD", "lr": 0.1, "t": 1, "velocity/w": ones(3)},
        ),
        "clip_gradients": Call(minicoord.clip_gradients, lambda: {"model": net(), "most": 0.5}),
        "fit": Call(minicoord.fit, fit_arguments),
        "train": Call(loop.train, loop_arguments),
        "train_on_batch": Call(
            fitting.train_on_batch,
            lambda: (
                {k: v for k, v in fit_arguments().items() if k in ("model", "loss", "optimizer", "x", "y")}
                | {"slice_size": 2}
            ),
        ),
        "gradcheck": Call(
            gradcheck,
            lambda: {"layer_or_loss": net(), "x": ones(2, 2, 2), "eps": 1e-5, "sample": 3, "seed": 0, "training": True},
        ),
        "save_weights": Call(minicoord.save_weights, lambda: saved() | {"model": net()}),
        "load_weights": Call(minicoord.load_weights, lambda: saved() | {"model": net(), "part": "model"}),
        "save_checkpoint": Call(
            checkpoint.save_checkpoint,
            lambda: (
                {"path": Path("new.npz"), "model": net(), "optimizer": minicoord.SGD(0.1), "epoch": 1}
                | {"rng": np.random.default_rng(0), "history": {}, "settings": {}}
            ),
        ),
        "read_checkpoint": Call(checkpoint.read_checkpoint, lambda: {"path": Path("checkpoint.npz")}),
        "load_checkpoint": Call(
            checkpoint.load_checkpoint,
            lambda: {"path": Path("checkpoint.npz"), "model": net(), "optimizer": minicoord.SGD(0.1)},
        ),
        "initialise": Call(
            initialisers.initialise, lambda: {"init": "zeros", "shape": (3, 4), "rng": 0, "dtype": np.float32}
        ),
        "scaled": Call(
            lambda **given: initialisers.scaled(**given)((2, 3), np.random.default_rng(0)),
            lambda: {"init": "zeros", "factor": 2.0},
        ),
        "set_threads": Call(minicoord.set_threads, lambda: {"n": 1}),
        "get_threads": Call(minicoord.get_threads, dict),
        "window": Call(geometry.window, lambda: {"height": 5, "width": 4, "kernel_size": 3, **WINDOWED}),
    }


def generated() -> dict[str, Call]:
    """Return datasets, and what writes files."""
    digits = lambda: {  # noqa: E731
        "images": np.ones((2, 8, 8), np.uint8),
        "count": 2,
        "seed": 0,
        "digits": 2,
        "canvas": 16,
        "field": 20,
        "scattered": 3,
        "sides": (5.0, 8.0),
        "dtype": np.float32,
    }
    some = lambda: LabelledImages(np.zeros((3, 2, 2, 1), np.uint8), np.zeros(3, np.int64))  # noqa: E731
    return {
        "field_of_digits": Call(minicoord.field_of_digits, digits),
        "load_images": Call(
            minicoord.load_images, lambda: {"name": "mnist", "folder": Path("none"), "download": False}
        ),
        "download_images": Call(
            download.download_images, lambda: {"name": "none", "folder": Path("none"), "say": None}
        ),
        "shipped_images": Call(minicoord.shipped_images, lambda: {"name": "mnist"}),
        "lessons_folder": Call(minicoord.lessons_folder, dict),
        "two_objects": Call(minicoord.two_objects, lambda: {"n": 2, "canvas": 32, "seed": 0}),
        "TwoObjects.draw": method(lambda: minicoord.two_objects(2, 32), "draw", which=lambda: np.array([0, 1])),
        "not_so_clevr": Call(minicoord.datasets.not_so_clevr, lambda: {"canvas": (6, 7), "square": 3}),
        "split": Call(minicoord.datasets.split, lambda: {"data": data(), "name": "uniform", "seed": 0}),
        "NotSoClevr.inputs": method(
            data, "inputs", indices=lambda: [0, 1], raw=lambda: False, dtype=lambda: np.float32
        ),
        "NotSoClevr.one_hot": method(data, "one_hot", indices=lambda: [0, 1], dtype=lambda: np.float32),
        "NotSoClevr.squares": method(data, "squares", indices=lambda: [0, 1], dtype=lambda: np.float32),
        "LabelledImages": Call(
            LabelledImages, lambda: {"images": np.zeros((1, 2, 2, 1), np.uint8), "labels": np.zeros(1, np.int64)}
        ),
        "LabelledImages.select": method(some, "select", indices=lambda: [0, 1]),
        "LabelledImages.scaled": method(some, "scaled", dtype=lambda: np.float32),
        "write_json": Call(files.write_json, lambda: {"path": Path("some.json"), "data": {"a": 1}, "indent": 2}),
        "remove_file": Call(files.remove_file, lambda: {"path": Path("gone.json")}),
    }


def taught() -> dict[str, Call]:
    """Return what a learner calls, and the registries."""

    def pixel_index(x: int, y: int, height: int, width: int) -> int:
        return y * width + x

    def using(**given: Any) -> Any:
        with learn.using(**given):
            pass

    return {
        "learn.check": Call(learn.check, lambda: {"fn": pixel_index}),
        "learn.hint": Call(learn.hint, lambda: {"id": "pixel_index"}),
        "learn.solution": Call(learn.solution, lambda: {"id": "pixel_index", "now": True}),
        "learn.yours_or_ours": Call(learn.yours_or_ours, lambda: {"id": "pixel_index"}),
        "learn.get": Call(learn.get, lambda: {"id": "pixel_index"}),
        "learn.exercise_ids": Call(learn.exercise_ids, dict),
        "learn.using": Call(using, lambda: {"compiled": False, "add_coords": learn.get("add_coords").solution}),
        "experiments.get": Call(experiments.get, lambda: {"name": "classification"}),
    }


def every_call() -> dict[str, Call]:
    """Return a right call of everything public, by name."""
    found = {name: Call(kernel(name), arguments) for name, arguments in KERNELS.items()}
    found |= layers() | trained() | generated() | taught()
    return found | {f"plots.{name}": Call(getattr(minicoord.plots, name), make) for name, make in PLOTS.items()}


def missing() -> list[str]:
    """Return the public names that have no example."""
    public = {name: name for functions in operations().values() for name in functions}
    public |= {name: name for name in minicoord.__all__ if callable(getattr(minicoord, name))}
    public |= {f"plots.{name}": name for name in minicoord.plots.__all__}
    return [name for name in public if name not in every_call()]
