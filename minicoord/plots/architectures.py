"""The paper's Figures S1 and S3: the layers of the networks, drawn from the networks themselves."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from minicoord.nn.layers.base import Layer
from minicoord.nn.model import Sequential
from minicoord.plots.style import BLUE, GREEN, ORANGE, PURPLE, SKY_BLUE, VERMILLION, new_figure, styled
from minicoord.system.argument_types import check_types
from minicoord.system.arguments import check_whole

COLOURS = {
    "ConvTranspose2D": VERMILLION,
    "CoordConv2D": BLUE,
    "Conv2D": SKY_BLUE,
    "Dense": PURPLE,
    "BatchNorm2D": "0.8",
    "Softmax": GREEN,
}
POOLING = ("MaxPool2D", "GlobalMaxPool", "GlobalAvgPool")
WORDS = {
    "ConvTranspose2D": "deconv",
    "CoordConv2D": "CoordConv",
    "Conv2D": "conv",
    "Dense": "dense",
    "BatchNorm2D": "batch norm",
    "MaxPool2D": "max pool",
    "GlobalMaxPool": "global max",
    "GlobalAvgPool": "global mean",
    "Tile": "tile",
    "Reshape": "reshape",
    "Flatten": "flatten",
    "Softmax": "softmax",
    "ReLU": "ReLU",
}
LINE, BOX = 0.34, 0.27  # height in inches of a layer's line, and of its box


@dataclass
class Row:
    """One layer as it is drawn: its kind, what it does, the shape of its output, the number of its parameters."""

    kind: str
    words: str
    shape: str
    parameters: int


def rows_of(net: Sequential, input_shape: Sequence[int]) -> list[Row]:
    """Return the layers of a network; an activation that is part of a layer is named behind it."""
    places = [place for place in net.trace((1, *input_shape)) if not place.composite]
    return [
        Row(p.layer.name, _words(p.layer), "x".join(map(str, p.output_shape[1:])), p.layer.n_params) for p in places
    ]


def _words(layer: Layer) -> str:
    """Return what a layer does in a few words, such as "deconv 3x3 /2, ReLU"."""
    config, words = layer.config(), [WORDS.get(layer.name, layer.name)]
    if "kernel_size" in config:
        words.append("x".join(map(str, _pair(config["kernel_size"]))))
        stride = _pair(config.get("stride", 1))[0]
        if stride != 1:
            words.append(f"/{stride}")
    text = " ".join(words)
    return text + {"relu": ", ReLU"}.get(str(config.get("activation")), "")


def _pair(size: int | Sequence[int]) -> tuple[int, int]:
    return (size, size) if isinstance(size, int) else (size[0], size[1])


@styled
@check_types
def architectures(networks: Mapping[str, tuple[Sequential, Sequence[int]]], columns: int = 0) -> Figure:
    """Draw each network as a column of its layers, from input to output.

    Parameters
    ----------
    networks : dict of (Sequential, shape)
        For each title a network and the shape of one input without the batch axis, such as ``(64, 64, 1)``.
    columns : int
        The number of networks side by side; all of them if 0.

    Returns
    -------
    matplotlib.figure.Figure
        Every layer is a box with what it does, ``/2`` standing for a stride of 2; on its right are the shape of its
        output and the number of its parameters. The colour at the left edge shows the kind of layer.

    Raises
    ------
    ValueError
        If `networks` is empty.
    """
    if not networks:
        raise ValueError("architectures: networks is empty, wanted at least one")
    check_whole("architectures: columns", columns, 0)
    columns = min(int(columns), len(networks)) or len(networks)
    lines = math.ceil(len(networks) / columns)
    every = [(title, rows_of(net, shape), tuple(shape), net.n_params) for title, (net, shape) in networks.items()]
    tallest = [max(len(rows) for _, rows, _, _ in every[k * columns : (k + 1) * columns]) for k in range(lines)]
    heights = [LINE * (rows + 1) + 0.75 for rows in tallest]
    figure = new_figure(3.25 * columns, sum(heights) + 0.3)
    figure.supxlabel(
        "right of each layer: its output (height x width x channels) and its parameters; /2: stride 2", size=9
    )
    panels = figure.subplots(lines, columns, squeeze=False, height_ratios=heights)
    for ax in panels.flat[len(every) :]:
        ax.set_axis_off()
    for k, (ax, (title, rows, shape, parameters)) in enumerate(zip(panels.flat, every, strict=False)):
        _draw(ax, rows, shape, tallest[k // columns])
        ax.set_title(f"{title}\n{parameters:,} parameters", fontweight="bold")
    return figure


def _draw(ax: Axes, rows: list[Row], input_shape: tuple[int, ...], lines: int) -> None:
    """Draw one network, from its input at the top; the panel has room for `lines` layers."""
    ax.set(xlim=(0, 3.2), ylim=(-(lines + 0.5) * LINE, 0.55 * LINE))
    ax.set_axis_off()
    what = "x".join(map(str, input_shape)) if len(input_shape) > 1 else f"{math.prod(input_shape)} numbers"
    ax.text(0.8, 0, f"input: {what}", ha="center", va="center", fontsize=8)
    for k, row in enumerate(rows, start=1):
        y = -k * LINE
        colour = COLOURS.get(row.kind, ORANGE if row.kind in POOLING else None)
        if colour:
            ax.add_patch(Rectangle((0.03, y - BOX / 2), 0.12, BOX, facecolor=colour, linewidth=0))
        ax.add_patch(Rectangle((0.03, y - BOX / 2), 1.54, BOX, fill=False, edgecolor="0.35", linewidth=0.8))
        ax.text(0.86, y, row.words, ha="center", va="center", fontsize=8)
        ax.text(1.66, y, row.shape, ha="left", va="center", fontsize=8)
        if row.parameters:
            ax.text(3.0, y, f"{row.parameters:,}", ha="right", va="center", fontsize=8, color="0.35")
