"""minicoord: CoordConv from scratch in NumPy and Numba.

Every name that a user needs can be imported from here. Each is loaded when it is first asked for, so that
``import minicoord`` is quick, and the command line can answer without loading Numba.

Begin with ``nn/layers/base.py``, which says what a layer is. Each folder says in its ``__init__.py`` what is in it and
where to begin.

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

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "1.0.0"

_MODULE_OF = {
    "Layer": "nn.layers.base",
    "Conv2D": "nn.layers.convolution",
    "ConvTranspose2D": "nn.layers.transposed",
    "AddCoords": "nn.layers.coordinates",
    "Tile": "nn.layers.coordinates",
    "CoordConv2D": "nn.layers.coordconv",
    "TiledCoordConv2D": "nn.layers.tiled_coordconv",
    "Dense": "nn.layers.dense",
    "BatchNorm2D": "nn.layers.batchnorm",
    "MaxPool2D": "nn.layers.pooling",
    "AvgPool2D": "nn.layers.pooling",
    "GlobalMaxPool": "nn.layers.pooling",
    "GlobalAvgPool": "nn.layers.pooling",
    "Upsample2D": "nn.layers.upsample",
    "Flatten": "nn.layers.shape",
    "Reshape": "nn.layers.shape",
    "ReLU": "nn.layers.activations",
    "LeakyReLU": "nn.layers.activations",
    "Sigmoid": "nn.layers.activations",
    "Softmax": "nn.layers.activations",
    "Tanh": "nn.layers.activations",
    "Sequential": "nn.model",
    "Residual": "nn.composites.residual",
    "Branches": "nn.composites.branches",
    "SpectralNorm": "nn.composites.spectral_norm",
    "softmax_cross_entropy": "nn.losses",
    "sigmoid_cross_entropy": "nn.losses",
    "mean_squared_error": "nn.losses",
    "softmax": "nn.losses",
    "SGD": "train.optim",
    "Adam": "train.optim",
    "AdamW": "train.optim",
    "RMSprop": "train.optim",
    "clip_gradients": "train.clipping",
    "ConstantSchedule": "train.schedules",
    "StepSchedule": "train.schedules",
    "LinearSchedule": "train.schedules",
    "CosineSchedule": "train.schedules",
    "fit": "train.fit",
    "gradcheck": "nn.gradcheck",
    "save_weights": "train.weights",
    "load_weights": "train.weights",
    "load_images": "datasets.images.load",
    "shipped_images": "datasets.images.shipped",
    "field_of_digits": "datasets.digit_fields",
    "two_objects": "datasets.two_objects",
    "get_threads": "kernels.backend.threading_layer",
    "set_threads": "kernels.backend.threading_layer",
    "lessons_folder": "system.paths",
}
"""Each public name and the module of minicoord that defines it."""

_SUBMODULES = ("datasets", "experiments", "kernels", "nn", "plots", "reference")
"""Modules that can be reached as ``minicoord.kernels`` after ``import minicoord``."""

__all__ = ["__version__", *_MODULE_OF]  # pyright: ignore[reportUnsupportedDunderAll]

if TYPE_CHECKING:  # what editors and type checkers read: they do not follow __getattr__
    from minicoord import (
        datasets as datasets,
        experiments as experiments,
        kernels as kernels,
        nn as nn,
        plots as plots,
        reference as reference,
    )
    from minicoord.datasets.digit_fields import field_of_digits as field_of_digits
    from minicoord.datasets.images.load import load_images as load_images
    from minicoord.datasets.images.shipped import shipped_images as shipped_images
    from minicoord.datasets.two_objects import two_objects as two_objects
    from minicoord.kernels.backend.threading_layer import get_threads as get_threads, set_threads as set_threads
    from minicoord.nn.composites.branches import Branches as Branches
    from minicoord.nn.composites.residual import Residual as Residual
    from minicoord.nn.composites.spectral_norm import SpectralNorm as SpectralNorm
    from minicoord.nn.gradcheck import gradcheck as gradcheck
    from minicoord.nn.layers.activations import (
        LeakyReLU as LeakyReLU,
        ReLU as ReLU,
        Sigmoid as Sigmoid,
        Softmax as Softmax,
        Tanh as Tanh,
    )
    from minicoord.nn.layers.base import Layer as Layer
    from minicoord.nn.layers.batchnorm import BatchNorm2D as BatchNorm2D
    from minicoord.nn.layers.convolution import Conv2D as Conv2D
    from minicoord.nn.layers.coordconv import CoordConv2D as CoordConv2D
    from minicoord.nn.layers.coordinates import AddCoords as AddCoords, Tile as Tile
    from minicoord.nn.layers.dense import Dense as Dense
    from minicoord.nn.layers.pooling import (
        AvgPool2D as AvgPool2D,
        GlobalAvgPool as GlobalAvgPool,
        GlobalMaxPool as GlobalMaxPool,
        MaxPool2D as MaxPool2D,
    )
    from minicoord.nn.layers.shape import Flatten as Flatten, Reshape as Reshape
    from minicoord.nn.layers.tiled_coordconv import TiledCoordConv2D as TiledCoordConv2D
    from minicoord.nn.layers.transposed import ConvTranspose2D as ConvTranspose2D
    from minicoord.nn.layers.upsample import Upsample2D as Upsample2D
    from minicoord.nn.losses import (
        mean_squared_error as mean_squared_error,
        sigmoid_cross_entropy as sigmoid_cross_entropy,
        softmax as softmax,
        softmax_cross_entropy as softmax_cross_entropy,
    )
    from minicoord.nn.model import Sequential as Sequential
    from minicoord.system.paths import lessons_folder as lessons_folder
    from minicoord.train.clipping import clip_gradients as clip_gradients
    from minicoord.train.fit import fit as fit
    from minicoord.train.optim import SGD as SGD, Adam as Adam, AdamW as AdamW, RMSprop as RMSprop
    from minicoord.train.schedules import (
        ConstantSchedule as ConstantSchedule,
        CosineSchedule as CosineSchedule,
        LinearSchedule as LinearSchedule,
        StepSchedule as StepSchedule,
    )
    from minicoord.train.weights import load_weights as load_weights, save_weights as save_weights


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
