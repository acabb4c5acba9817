"""minicoord: CoordConv from scratch in NumPy and Numba.

Every name that a user needs can be imported from here. Each is loaded when it is first asked for, so that
``import minicoord`` is quick, and the command line can answer without loading Numba.

Examples
--------
>>> import numpy as np
>>> from minicoord import Conv2D, CoordConv2D, ReLU, Sequential
>>> rng = np.random.default_rng(0)
>>> model = Sequential([CoordConv2D(2, 8, 1, rng=rng), ReLU(), Conv2D(8, 1, 1, rng=rng)])
>>> model.forward(np.zeros((4, 16, 16, 2), dtype=np.float32)).shape
(4, 16, 16, 1)
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_MODULE_OF = {
    "Layer": "layers.base",
    "Conv2D": "layers.convolution",
    "ConvTranspose2D": "layers.transposed",
    "AddCoords": "layers.coordinates",
    "Tile": "layers.coordinates",
    "CoordConv2D": "layers.coordconv",
    "Dense": "layers.dense",
    "BatchNorm2D": "layers.batchnorm",
    "MaxPool2D": "layers.pooling",
    "AvgPool2D": "layers.pooling",
    "GlobalMaxPool": "layers.pooling",
    "GlobalAvgPool": "layers.pooling",
    "Upsample2D": "layers.upsample",
    "Flatten": "layers.shape",
    "Reshape": "layers.shape",
    "ReLU": "layers.activations",
    "LeakyReLU": "layers.activations",
    "Sigmoid": "layers.activations",
    "Softmax": "layers.activations",
    "Tanh": "layers.activations",
    "Sequential": "model",
    "softmax_cross_entropy": "losses",
    "sigmoid_cross_entropy": "losses",
    "mean_squared_error": "losses",
    "softmax": "losses",
    "SGD": "optim",
    "Adam": "optim",
    "AdamW": "optim",
    "ConstantSchedule": "schedules",
    "StepSchedule": "schedules",
    "LinearSchedule": "schedules",
    "CosineSchedule": "schedules",
    "fit": "training",
    "gradcheck": "gradcheck",
    "save_weights": "checkpoint",
    "load_weights": "checkpoint",
    "get_threads": "kernels.threading_layer",
    "set_threads": "kernels.threading_layer",
    "lessons_folder": "system.paths",
}
"""Each public name and the module of minicoord that defines it."""

_SUBMODULES = ("datasets", "experiments", "kernels", "layers", "plots", "reference")
"""Modules that can be reached as ``minicoord.kernels`` after ``import minicoord``."""

__all__ = ["__version__", *_MODULE_OF]  # pyright: ignore[reportUnsupportedDunderAll]

if TYPE_CHECKING:  # what editors and type checkers read: they do not follow __getattr__
    from minicoord import (
        datasets as datasets,
        experiments as experiments,
        kernels as kernels,
        layers as layers,
        plots as plots,
        reference as reference,
    )
    from minicoord.checkpoint import load_weights as load_weights, save_weights as save_weights
    from minicoord.gradcheck import gradcheck as gradcheck
    from minicoord.kernels.threading_layer import get_threads as get_threads, set_threads as set_threads
    from minicoord.layers.activations import (
        LeakyReLU as LeakyReLU,
        ReLU as ReLU,
        Sigmoid as Sigmoid,
        Softmax as Softmax,
        Tanh as Tanh,
    )
    from minicoord.layers.base import Layer as Layer
    from minicoord.layers.batchnorm import BatchNorm2D as BatchNorm2D
    from minicoord.layers.convolution import Conv2D as Conv2D
    from minicoord.layers.coordconv import CoordConv2D as CoordConv2D
    from minicoord.layers.coordinates import AddCoords as AddCoords, Tile as Tile
    from minicoord.layers.dense import Dense as Dense
    from minicoord.layers.pooling import (
        AvgPool2D as AvgPool2D,
        GlobalAvgPool as GlobalAvgPool,
        GlobalMaxPool as GlobalMaxPool,
        MaxPool2D as MaxPool2D,
    )
    from minicoord.layers.shape import Flatten as Flatten, Reshape as Reshape
    from minicoord.layers.transposed import ConvTranspose2D as ConvTranspose2D
    from minicoord.layers.upsample import Upsample2D as Upsample2D
    from minicoord.losses import (
        mean_squared_error as mean_squared_error,
        sigmoid_cross_entropy as sigmoid_cross_entropy,
        softmax as softmax,
        softmax_cross_entropy as softmax_cross_entropy,
    )
    from minicoord.model import Sequential as Sequential
    from minicoord.optim import SGD as SGD, Adam as Adam, AdamW as AdamW
    from minicoord.schedules import (
        ConstantSchedule as ConstantSchedule,
        CosineSchedule as CosineSchedule,
        LinearSchedule as LinearSchedule,
        StepSchedule as StepSchedule,
    )
    from minicoord.system.paths import lessons_folder as lessons_folder
    from minicoord.training import fit as fit


def __getattr__(name: str) -> Any:
    if name in _MODULE_OF:
        value = getattr(import_module(f"{__name__}.{_MODULE_OF[name]}"), name)
        globals()[name] = value
        return value
    if name in _SUBMODULES:
        return import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, *_SUBMODULES})


class _Package(ModuleType):
    """Keeps ``minicoord.gradcheck`` the function: Python sets a module's name on its package when it is imported."""

    def __setattr__(self, name: str, value: object) -> None:
        if not (name in _MODULE_OF and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package
