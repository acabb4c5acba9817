"""The rows in PyTorch, as its users write them: modules, autograd, its Adam.

Each of our layers becomes the module that does the same work. Where TensorFlow's padding is asymmetric, the module pads
symmetrically, as users of PyTorch do: output size and cost are the same, but the output is shifted by half a stride.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from typing import Any

import numpy as np
import torch  # pyright: ignore[reportMissingImports]
import torch.nn.functional as F  # noqa: N812  # pyright: ignore[reportMissingImports]
from numpy.typing import NDArray
from torch import nn  # pyright: ignore[reportMissingImports]

from minicoord.bench.inputs import BETA2, L2, LEARNING_RATE, inputs
from minicoord.bench.rows import Row
from minicoord.kernels.coordinates import coordinate_channels
from minicoord.kernels.geometry import window
from minicoord.nn.composites.branches import Branches
from minicoord.nn.composites.outputs import map_arrays
from minicoord.nn.composites.residual import Residual
from minicoord.nn.layers import activations, batchnorm, convolution, coordconv, dense, pooling, shape, transposed
from minicoord.nn.layers.base import Layer
from minicoord.nn.layers.coordinates import Tile
from minicoord.nn.layers.tiled_coordconv import TiledCoordConv2D
from minicoord.nn.model import Sequential
from minicoord.train.accumulation import choose_slice_size

FORMATS = {"contiguous": torch.contiguous_format, "channels-last": torch.channels_last}
LOSSES: dict[str, Callable[[Any, Any], Any]] = {
    "softmax": lambda logits, labels: F.cross_entropy(logits.flatten(1), labels),
    "sigmoid": F.binary_cross_entropy_with_logits,
    "squares": F.mse_loss,
}


class TileTo(nn.Module):
    """(N, C) to (N, C, H, W)."""

    def __init__(self, height: int, width: int) -> None:
        super().__init__()
        self.size = height, width

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Repeat the vector at every pixel, without copying it."""
        return x[:, :, None, None].expand(-1, -1, *self.size)


class Concatenate(nn.Module):
    """Append the coordinate channels, which are cached between calls."""

    def __init__(self, with_r: bool) -> None:
        super().__init__()
        self.with_r = with_r
        self.coords: Any = None

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the images with their coordinate channels."""
        if self.coords is None:
            made = coordinate_channels(x.shape[2], x.shape[3], self.with_r)
            self.coords = torch.from_numpy(made).permute(2, 0, 1)[None]
        return torch.cat([x, self.coords.expand(len(x), -1, -1, -1)], 1)


class Softmax2d(nn.Module):
    """The softmax over all pixels."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return probabilities in the shape of the logits."""
        return F.softmax(x.flatten(1), 1).view_as(x)


class View(nn.Module):
    """A new shape for each sample."""

    def __init__(self, height: int, width: int, channels: int) -> None:
        super().__init__()
        self.shape = channels, height, width

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return (N, C, H, W)."""
        return x.reshape(len(x), *self.shape)


class TwoPaths(nn.Module):
    """``body(x) + shortcut(x)``."""

    def __init__(self, body: nn.Module, shortcut: nn.Module) -> None:
        super().__init__()
        self.body, self.shortcut = body, shortcut

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the sum."""
        return self.body(x) + self.shortcut(x)


class Heads(nn.Module):
    """Several heads on one input; the output is a dict."""

    def __init__(self, heads: dict[str, nn.Module]) -> None:
        super().__init__()
        self.heads = nn.ModuleDict(heads)

    def forward(self, x: torch.Tensor) -> dict[str, torch.Tensor]:
        """Return the output of each head by its name."""
        return {name: head(x) for name, head in self.heads.items()}


def sum_over_heads(predictions: dict[str, torch.Tensor], targets: dict[str, torch.Tensor]) -> Any:
    """Return the sum of the mean squared errors of the heads."""
    return sum(F.mse_loss(predictions[name], target) for name, target in targets.items())


def twin(layer: Layer, sample: tuple[int, ...]) -> nn.Sequential:
    """Return the modules for a layer or a whole model, with the same weights where the layout allows a copy.

    Raises
    ------
    TypeError
        If there is no module for one of the layers.
    """
    return nn.Sequential(*_modules(layer, sample))


def _modules(layer: Layer, sample: tuple[int, ...]) -> list[nn.Module]:
    if isinstance(layer, Sequential):
        modules: list[nn.Module] = []
        for part in layer.layers:
            modules += _modules(part, sample)
            if not isinstance(part, Branches):  # which stand last
                sample = part.output_shape((1, *sample))[1:]
        return modules
    if isinstance(layer, Residual):
        shortcut = nn.Identity() if layer.shortcut is None else twin(layer.shortcut, sample)
        return [TwoPaths(twin(layer.body, sample), shortcut)]
    if isinstance(layer, Branches):
        return [Heads({name: twin(head, sample) for name, head in layer.heads.items()})]
    if isinstance(layer, (convolution.Conv2D, transposed.ConvTranspose2D)):
        return _convolution(layer, sample)
    if isinstance(layer, batchnorm.BatchNorm2D):
        norm = nn.BatchNorm2d(layer.channels, eps=layer.eps, momentum=1 - layer.momentum)
        return [norm, *_relu(layer.relu)]
    if isinstance(layer, dense.Dense):
        module = nn.Linear(layer.c_in, layer.c_out)
        _set(module.weight, layer.params["w"].T)
        _set(module.bias, layer.params["b"])
        return [module]
    if isinstance(layer, Tile):
        return [TileTo(layer.height, layer.width)]
    if isinstance(layer, TiledCoordConv2D):
        tile, convolution_behind = layer.apart()
        return [*_modules(tile, sample), *_modules(convolution_behind, tile.output_shape((1, *sample))[1:])]
    if isinstance(layer, shape.Flatten):
        return [nn.Flatten()]
    if isinstance(layer, shape.Reshape):
        return [View(*layer.shape)]
    if isinstance(layer, pooling.MaxPool2D):
        return [nn.MaxPool2d(layer.kernel_size, layer.stride)]
    if isinstance(layer, pooling.AvgPool2D):
        return [nn.AvgPool2d(layer.kernel_size, layer.stride)]
    if isinstance(layer, activations.LeakyReLU):
        return [nn.LeakyReLU(layer.slope, inplace=True)]
    simple: dict[type[Layer], Callable[[], list[nn.Module]]] = {
        activations.ReLU: lambda: [nn.ReLU(inplace=True)],
        activations.Tanh: lambda: [nn.Tanh()],
        activations.Sigmoid: lambda: [nn.Sigmoid()],
        activations.Softmax: lambda: [Softmax2d()],
        pooling.GlobalMaxPool: lambda: [nn.AdaptiveMaxPool2d(1), nn.Flatten()],
        pooling.GlobalAvgPool: lambda: [nn.AdaptiveAvgPool2d(1), nn.Flatten()],
    }
    if type(layer) not in simple:
        raise TypeError(f"the benchmark has no PyTorch module for a {layer.name}")
    return simple[type(layer)]()


def _convolution(layer: convolution.Conv2D | transposed.ConvTranspose2D, sample: tuple[int, ...]) -> list[nn.Module]:
    w = layer.params["w"]
    before: list[nn.Module] = []
    if isinstance(layer, coordconv.CoordConv2D):
        before.append(Concatenate(layer.with_r))
    kernel = w.shape[:2]
    if isinstance(layer, transposed.ConvTranspose2D):
        height, width = layer.output_shape((1, *sample))[1:3]
        place = window(height, width, kernel, layer.stride, layer.padding)
        padding = (place.top + place.bottom + 1) // 2, (place.left + place.right + 1) // 2
        short = [
            size - ((places - 1) * stride - 2 * pad + k)
            for size, places, stride, pad, k in zip(
                (height, width), sample[:2], layer.stride, padding, kernel, strict=True
            )
        ]
        transposed_conv: Any = nn.ConvTranspose2d  # its type hints lack pairs of sizes
        sizes = w.shape[3], w.shape[2], kernel, layer.stride, padding
        module = transposed_conv(*sizes, output_padding=tuple(short), bias="b" in layer.params)
    else:
        place = window(sample[0], sample[1], kernel, layer.stride, layer.padding)
        padding = (place.top + place.bottom + 1) // 2, (place.left + place.right + 1) // 2
        module = nn.Conv2d(w.shape[2], w.shape[3], kernel, layer.stride, padding, bias="b" in layer.params)
    _set(module.weight, w.transpose(3, 2, 0, 1))
    if "b" in layer.params:
        _set(module.bias, layer.params["b"])
    return [*before, module, *_relu(layer.relu)]


def _relu(wanted: bool) -> list[nn.Module]:
    return [nn.ReLU(inplace=True)] if wanted else []


def _set(parameter: Any, values: NDArray) -> None:
    with torch.no_grad():
        parameter.copy_(torch.from_numpy(np.ascontiguousarray(values)))


def compiler() -> str | None:
    """Return the C++ compiler for ``torch.compile``: the first found of ``CXX``, g++ and clang; None without any."""
    names = [os.environ.get("CXX", ""), "g++", "clang++", "clang"]
    return next((name for name in names if name and shutil.which(name)), None)


def prepare(row: Row, batch: int, memory_format: str, how: str = "") -> Callable[[], object]:
    """Return a function that does the work of `row` once, on `batch` samples.

    Parameters
    ----------
    row : Row
    batch : int
    memory_format : {"contiguous", "channels-last"}
        The memory format of images and kernels; PyTorch's default is the first.
    how : {"", "sliced", "compiled"}
        ``"sliced"``: a step accumulates gradients over our slices of the batch. ``"compiled"``: network and loss go
        through ``torch.compile``.
    """
    laid = FORMATS[memory_format]
    x_array, other_array = inputs(row, batch)
    x, other = _tensor(x_array, laid), map_arrays(lambda array: _tensor(array, laid), other_array)
    compiled = _compiled if how == "compiled" else lambda function: function
    if row.what == "loss":
        alone = compiled(LOSSES[row.loss])
        return lambda: torch.autograd.grad(alone(x.requires_grad_(), other), x)
    ours = row.build()
    model: Any = twin(ours, row.sample)
    model = model.to(memory_format=laid)
    model.train()
    run = compiled(model)
    if row.what == "forward":
        return lambda: run(x)
    if row.what == "backward":
        x.requires_grad_()
        # The in-place ReLU may not overwrite x, which is a leaf of the graph; a view of x is not a leaf.
        y = run(x.view_as(x))
        wanted = [x, *model.parameters()]
        dy = _like(other, y, laid)
        return lambda: torch.autograd.grad(y, wanted, dy, retain_graph=True)
    has_heads = isinstance(other, dict)
    of_row = sum_over_heads if has_heads else LOSSES[row.loss]
    loss = compiled(lambda images, targets: of_row(model(images), targets))
    optimizer = torch.optim.Adam(_groups(model), lr=LEARNING_RATE, betas=(0.9, BETA2))
    sliced = how == "sliced" and not has_heads
    size = choose_slice_size("auto", ours, row.sample, batch) if sliced else batch

    def step() -> None:
        optimizer.zero_grad()
        for first in range(0, batch, size):
            part = slice(first, first + size)
            value = loss(x[part], other if has_heads else other[part])
            (value if size >= batch else value * (len(x[part]) / batch)).backward()
        optimizer.step()

    return step


def _compiled(function: Any) -> Any:
    """Return `function` compiled by the C++ compiler that `compiler` found, when it is first called."""
    os.environ["CXX"] = compiler() or ""
    # Compiling in this process: a pool of others would go on while this one is stopped.
    os.environ["TORCHINDUCTOR_COMPILE_THREADS"] = "1"
    import torch._dynamo  # pyright: ignore[reportMissingImports]
    import torch._functorch.config  # pyright: ignore[reportMissingImports]

    torch._functorch.config.donated_buffer = False  # a backward pass that is timed needs its inputs again
    torch._dynamo.reset()  # what was compiled for other rows counts towards a limit
    return torch.compile(function, dynamic=False)


def _tensor(array: NDArray, laid: torch.memory_format) -> torch.Tensor:
    tensor = torch.from_numpy(array)
    return tensor.permute(0, 3, 1, 2).contiguous(memory_format=laid) if array.ndim == 4 else tensor


def _like(dy: torch.Tensor, y: torch.Tensor, laid: torch.memory_format) -> torch.Tensor:
    return dy.reshape(y.shape).contiguous(memory_format=laid) if y.ndim == 4 else dy.reshape(y.shape)


def _groups(model: nn.Module) -> list[dict[str, Any]]:
    """Return the parameter groups of the optimiser: L2 penalty on convolution kernels only, as in the paper's code."""
    kernels = [p for p in model.parameters() if p.ndim == 4]
    others = [p for p in model.parameters() if p.ndim != 4]
    groups = [{"params": kernels, "weight_decay": 2 * L2}, {"params": others, "weight_decay": 0.0}]
    return [group for group in groups if group["params"]]
